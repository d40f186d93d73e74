//! A column's type, read from the words of `information_schema`.

use crate::catalog::{Column, KeyKind};

/// A type, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ColumnType<'a> {
    /// What values of it are.
    pub family: Family,
    /// The first word: `varchar`.
    pub base: &'a str,
    /// What stands in its parentheses: `255`, `10,2`, `'a','b'`; may be empty.
    pub arguments: &'a str,
    /// Whether it is an unsigned number.
    pub unsigned: bool,
    /// Its character set, if it is text.
    pub charset: Option<&'a str>,
    /// Its collation, if it is text.
    pub collation: Option<&'a str>,
}

/// What the values of a type are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// `TINYINT` to `BIGINT`.
    Integer,
    /// `DECIMAL`.
    Decimal,
    /// `FLOAT`, stored in four bytes.
    Float,
    /// `DOUBLE`.
    Double,
    /// `CHAR`, which does not keep trailing spaces.
    Char,
    /// `VARCHAR` and the `TEXT`s.
    Text,
    /// `BINARY`, which is padded with zero bytes.
    Binary,
    /// `VARBINARY` and the `BLOB`s.
    Bytes,
    /// `DATE`.
    Date,
    /// `DATETIME`, without a zone.
    DateTime,
    /// `TIMESTAMP`, an instant that is shown in the session's zone.
    Timestamp,
    /// `TIME`.
    Time,
    /// `YEAR`.
    Year,
    /// `ENUM`, stored as the number of a member.
    Enum,
    /// `SET`, stored as a bit mask of members.
    Set,
    /// `BIT`.
    Bit,
    /// MySQL's `JSON`; MariaDB's is a `LONGTEXT`.
    Json,
    /// MariaDB's `UUID`, `INET4` and `INET6`.
    Native,
    /// Geometries, vectors, and what later versions bring.
    Other,
}

impl<'a> ColumnType<'a> {
    /// Reads the words of `COLUMNS.COLUMN_TYPE`, with `CHARACTER SET x COLLATE y` appended where
    /// the column has one (see [`super::catalog`]).
    pub fn parse(sql: &'a str) -> Self {
        let (head, arguments, tail) = match (sql.find('('), sql.rfind(')')) {
            (Some(open), Some(close)) if open < close => {
                (&sql[..open], &sql[open + 1..close], &sql[close + 1..])
            }
            _ => {
                let end = sql.find(' ').unwrap_or(sql.len());
                (&sql[..end], "", &sql[end..])
            }
        };
        let words: Vec<_> = tail.split_whitespace().collect();
        let after = |word: &str| {
            words.iter().position(|w| *w == word).and_then(|at| words.get(at + 1)).copied()
        };
        let base = head.trim();
        Self {
            family: Family::of(base),
            base,
            arguments,
            unsigned: words.contains(&"unsigned"),
            charset: after("SET"),
            collation: after("COLLATE"),
        }
    }

    /// Digits after the decimal point of a number or a time.
    pub fn fraction(&self) -> &'a str {
        let fraction = match self.family {
            Family::Decimal | Family::Float | Family::Double => {
                self.arguments.split_once(',').map_or("", |(_, scale)| scale)
            }
            _ => self.arguments,
        };
        if fraction.is_empty() { "0" } else { fraction }
    }

    /// What to cast to, to get a value of this type; empty where a cast cannot name it.
    pub fn cast(&self) -> String {
        let with_arguments = |name: &str| match self.arguments {
            "" => name.to_owned(),
            arguments => format!("{name}({arguments})"),
        };
        match self.family {
            Family::Integer if self.unsigned => "UNSIGNED".to_owned(),
            Family::Integer => "SIGNED".to_owned(),
            Family::Year | Family::Enum | Family::Set | Family::Bit => "UNSIGNED".to_owned(),
            Family::Decimal => with_arguments("DECIMAL"),
            Family::Binary => with_arguments("BINARY"),
            Family::Date => "DATE".to_owned(),
            Family::DateTime | Family::Timestamp => with_arguments("DATETIME"),
            Family::Time => with_arguments("TIME"),
            Family::Native => self.base.to_owned(),
            _ => String::new(),
        }
    }

    /// The members of an `ENUM` or a `SET`, in order.
    pub fn members(&self) -> Vec<String> {
        let mut members = Vec::new();
        let mut chars = self.arguments.chars().peekable();
        while let Some(c) = chars.next() {
            if c != '\'' {
                continue;
            }
            let mut member = String::new();
            while let Some(c) = chars.next() {
                match c {
                    '\'' if chars.peek() == Some(&'\'') => member.extend(chars.next()),
                    '\'' => break,
                    // The catalog escapes these, whatever `sql_mode` says.
                    '\\' => match chars.next() {
                        Some('n') => member.push('\n'),
                        Some('r') => member.push('\r'),
                        Some('0') => member.push('\0'),
                        other => member.extend(other),
                    },
                    c => member.push(c),
                }
            }
            members.push(member);
        }
        members
    }

    /// What the type is as a key column, or why it cannot be one. `fixed_zone` says whether the
    /// session's time zone has one offset for all times.
    pub fn key_kind(&self, fixed_zone: bool) -> Result<KeyKind, String> {
        match self.family {
            // An ENUM is ordered by the number of the member, not by its text. A DECIMAL's
            // fraction does not disturb: whoever splits its range cuts at whole numbers.
            Family::Integer | Family::Decimal | Family::Year | Family::Enum => Ok(KeyKind::Integer),
            Family::Set => Err(
                "a SET is ordered by the number of its bits, and MariaDB cannot look for such a \
                 number in an index"
                    .to_owned(),
            ),
            Family::Char | Family::Text => match self.charset {
                Some(charset) if LEGACY_MULTIBYTE.contains(&charset) => Err(format!(
                    "its character set `{charset}` has characters that do not survive the way to \
                     Unicode and back, so a cursor could come back as another key"
                )),
                _ => Ok(KeyKind::Text),
            },
            Family::Binary | Family::Bytes => Ok(KeyKind::Bytes),
            Family::Date | Family::DateTime | Family::Time | Family::Native => Ok(KeyKind::Text),
            Family::Timestamp if fixed_zone => Ok(KeyKind::Text),
            Family::Timestamp => Err(
                "the server compares a TIMESTAMP in the session's time zone, where the hour at the \
                 end of summer time comes twice, so rows of that hour could be skipped; pin \
                 `time_zone = \"+00:00\"` in [target]"
                    .to_owned(),
            ),
            Family::Float | Family::Double => Err(
                "floating-point values do not survive being written as text, so a cursor could \
                 come back as another key"
                    .to_owned(),
            ),
            Family::Bit | Family::Json | Family::Other => {
                Err(format!("values of the type `{}` cannot be carried as text", self.base))
            }
        }
    }
}

/// Longer `VARCHAR`s and `VARBINARY`s are kept as a `LONGTEXT` or a `LONGBLOB`: a row holds 65,535
/// bytes of columns that are not such, and a table of old and new values has each of them twice.
const LONG: u32 = 2000;

/// The type of a column that holds the values of this one. A `TIMESTAMP` says whether it is NULL, or
/// a server without `explicit_defaults_for_timestamp` sets it in every row that changes.
pub(super) fn declared(column: &Column, is_key: bool) -> String {
    let type_sql = column.type_sql.as_str();
    let kind = ColumnType::parse(type_sql);
    let is_long = !is_key && kind.arguments.parse().is_ok_and(|length: u32| LONG < length);
    let long = |base: &str| {
        let end = type_sql.find(')').map_or("", |at| &type_sql[at + 1..]);
        format!("{base}{end}")
    };
    match (kind.base, is_long) {
        ("varchar", true) => long("longtext"),
        ("varbinary", true) => long("longblob"),
        ("timestamp", _) if is_key => format!("{type_sql} DEFAULT '2000-01-01'"),
        ("timestamp", _) => format!("{type_sql} NULL"),
        _ => type_sql.to_owned(),
    }
}

/// Character sets in which several codes mean one Unicode character, or some code none.
const LEGACY_MULTIBYTE: &[&str] =
    &["big5", "cp932", "eucjpms", "euckr", "gb18030", "gb2312", "gbk", "sjis", "ujis"];

impl Family {
    fn of(base: &str) -> Self {
        match base {
            "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => Self::Integer,
            "decimal" => Self::Decimal,
            "float" => Self::Float,
            "double" => Self::Double,
            "char" => Self::Char,
            "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Self::Text,
            "binary" => Self::Binary,
            "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Self::Bytes,
            "date" => Self::Date,
            "datetime" => Self::DateTime,
            "timestamp" => Self::Timestamp,
            "time" => Self::Time,
            "year" => Self::Year,
            "enum" => Self::Enum,
            "set" => Self::Set,
            "bit" => Self::Bit,
            "json" => Self::Json,
            "uuid" | "inet4" | "inet6" => Self::Native,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_taken_apart() {
        let cases = [
            ("int", Family::Integer, "SIGNED"),
            ("bigint(20) unsigned zerofill", Family::Integer, "UNSIGNED"),
            ("bigint unsigned", Family::Integer, "UNSIGNED"),
            ("decimal(10,2)", Family::Decimal, "DECIMAL(10,2)"),
            ("datetime(6)", Family::DateTime, "DATETIME(6)"),
            ("binary(16)", Family::Binary, "BINARY(16)"),
            ("uuid", Family::Native, "uuid"),
            ("point", Family::Other, ""),
        ];
        for (sql, family, cast) in cases {
            let found = ColumnType::parse(sql);
            assert_eq!((found.family, found.cast().as_str()), (family, cast), "{sql}");
        }
        let text = ColumnType::parse("varchar(64) CHARACTER SET latin1 COLLATE latin1_bin");
        assert_eq!((text.charset, text.collation), (Some("latin1"), Some("latin1_bin")));
        assert_eq!(ColumnType::parse("double(10,2)").fraction(), "2");
        assert_eq!(ColumnType::parse("timestamp").fraction(), "0");
    }

    #[test]
    fn members_are_read_whatever_they_hold() {
        let odd = r"enum('a)','b''c','d,e','f\\g','') CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
        let odd = ColumnType::parse(odd);
        assert_eq!(odd.members(), ["a)", "b'c", "d,e", r"f\g", ""]);
        assert_eq!(odd.charset, Some("utf8mb4"));
    }

    #[test]
    fn a_timestamp_is_a_key_only_where_no_hour_comes_twice() {
        let timestamp = ColumnType::parse("timestamp(6)");
        assert!(timestamp.key_kind(true).is_ok());
        assert!(timestamp.key_kind(false).is_err_and(|why| why.contains("`time_zone")));
    }

    #[test]
    fn types_that_text_cannot_carry_are_no_keys() {
        for sql in ["float", "double(10,2)", "set('a','b')", "json", "bit(8)", "point"] {
            assert!(ColumnType::parse(sql).key_kind(true).is_err(), "{sql}");
        }
        let gbk = "varchar(9) CHARACTER SET gbk COLLATE gbk_chinese_ci";
        assert!(ColumnType::parse(gbk).key_kind(true).is_err_and(|why| why.contains("`gbk`")));
    }
}
