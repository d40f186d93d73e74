//! How SQL is spelt on MySQL and MariaDB.
//!
//! Nothing here holds a string literal with a backslash or in double quotes, nor an empty one:
//! they mean different things under `NO_BACKSLASH_ESCAPES`, `ANSI_QUOTES` and MariaDB's
//! `EMPTY_STRING_IS_NULL`.

use super::column_type::{ColumnType, Family};
use super::flavor::Flavor;
use crate::catalog::{Column, Key};
use crate::sql::Tokens;
use crate::target::volatility::length;
use crate::target::{Dialect, Leftover, Place, Storage};

/// The first MySQL that knows `NOWAIT`.
/// Source: <https://dev.mysql.com/doc/relnotes/mysql/8.0/en/news-8-0-1.html>.
pub(super) const NOWAIT_SINCE: (u16, u16, u16) = (8, 0, 1);

/// The dialect of one server.
#[derive(Debug, Clone)]
pub(super) struct MySqlDialect {
    /// Whose dialect it is.
    pub flavor: Flavor,
}

impl Dialect for MySqlDialect {
    fn wait_no_longer(&self, wait: std::time::Duration) -> Vec<String> {
        let seconds = wait.as_secs().max(1);
        vec![format!(
            "SET SESSION lock_wait_timeout = {seconds}, innodb_lock_wait_timeout = {seconds}"
        )]
    }

    fn quote(&self, identifier: &str) -> String {
        quote(identifier)
    }

    fn placeholder(&self, _: usize) -> String {
        "?".to_owned()
    }

    fn key_as_text(&self, column: &Column) -> String {
        let name = quote(&column.name);
        let kind = ColumnType::parse(&column.type_sql);
        match kind.family {
            Family::Integer | Family::Decimal | Family::Native => format!("CAST({name} AS CHAR)"),
            Family::Year | Family::Enum => {
                format!("CAST(CAST({name} AS UNSIGNED) AS CHAR)")
            }
            Family::Char | Family::Text => format!("CONVERT({name} USING utf8mb4)"),
            Family::Binary | Family::Bytes => format!("HEX({name})"),
            // A zero or impossible date, which `sql_mode` allowed when it was written and forbids
            // now, cannot be cast back.
            Family::Date | Family::DateTime | Family::Time => {
                let text = format!("CAST({name} AS CHAR)");
                let cast = kind.cast();
                format!("IF(CAST({text} AS {cast}) <=> {name}, {text}, NULL)")
            }
            // The stored instant, which is the same in every zone. 0 stands for the zero date.
            Family::Timestamp => format!("CAST(NULLIF(UNIX_TIMESTAMP({name}), 0) AS CHAR)"),
            Family::Float
            | Family::Double
            | Family::Set
            | Family::Bit
            | Family::Json
            | Family::Other => "NULL".to_owned(),
        }
    }

    fn key_from_text(&self, column: &Column, placeholder: &str) -> String {
        let kind = ColumnType::parse(&column.type_sql);
        // MySQL 8 gives a parameter the type that its place suggests: inside CAST AS UNSIGNED a
        // signed one, which cuts everything above 2^63 down. CONVERT makes it a text first.
        let text = format!("CONVERT({placeholder} USING utf8mb4)");
        match kind.family {
            Family::Char | Family::Text => match (kind.charset, kind.collation) {
                (Some(charset), Some(collation)) => {
                    format!("CONVERT({text} USING {charset}) COLLATE {collation}")
                }
                _ => text,
            },
            Family::Binary | Family::Bytes => format!("UNHEX({text})"),
            Family::Timestamp => {
                // 14 digits before the point hold any time that FROM_UNIXTIME takes.
                let fraction = kind.fraction();
                format!("FROM_UNIXTIME(CAST({text} AS DECIMAL(20,{fraction})))")
            }
            _ => match kind.cast().as_str() {
                "" => text,
                cast => format!("CAST({text} AS {cast})"),
            },
        }
    }

    fn as_text(&self, column: &Column) -> String {
        let name = quote(&column.name);
        match ColumnType::parse(&column.type_sql).family {
            Family::Char | Family::Text => format!("CONVERT({name} USING utf8mb4)"),
            Family::Bit => format!("CAST({name} + 0 AS CHAR)"),
            // What later versions bring may be no text.
            Family::Binary | Family::Bytes | Family::Other => format!("HEX({name})"),
            _ => format!("CAST({name} AS CHAR)"),
        }
    }

    fn differs(&self, column: &Column, expression: &str) -> String {
        super::differs::differs(&self.flavor, column, expression)
    }

    /// Outside of strict mode the server cuts a text that is too long, and takes the nearest number
    /// that fits; what fits is kept as it is.
    fn storage(&self, column: &Column) -> Storage {
        let kind = ColumnType::parse(&column.type_sql);
        let bits = match kind.base {
            "tinyint" => 8,
            "smallint" => 16,
            "mediumint" => 24,
            "int" => 32,
            "bigint" => 64,
            _ => 0,
        };
        match kind.family {
            Family::Integer if 0 < bits => Storage::integer(bits, kind.unsigned),
            Family::Char | Family::Text => Storage::Text(match kind.base {
                "tinytext" => 255,
                "text" => 65_535,
                "mediumtext" | "longtext" => 16_777_215,
                _ => length(column).unwrap_or(0),
            }),
            Family::Enum => {
                // A member with a quote or a comma in it falls apart here, and matches nothing.
                let members = kind.arguments.trim_matches('\'').split("','");
                Storage::Members(members.map(ToOwned::to_owned).collect())
            }
            _ => Storage::Other,
        }
    }

    fn row_comparison(&self) -> bool {
        false
    }

    fn partition(&self, name: &str) -> String {
        format!(" PARTITION ({})", self.quote(name))
    }

    fn index_hint(&self, key: &Key) -> String {
        key.index
            .as_ref()
            .map_or_else(String::new, |index| format!(" FORCE INDEX ({})", quote(index)))
    }

    fn lock_clause(&self, _: bool) -> Option<&'static str> {
        self.flavor.is_mysql_since(NOWAIT_SINCE).then_some("FOR UPDATE NOWAIT")
    }

    fn keep_clause(&self, _: bool) -> &'static str {
        " FOR UPDATE"
    }

    fn merge(&self, _: &[String], columns: &[String]) -> String {
        let set: Vec<_> = columns.iter().map(|name| format!("{name} = VALUES({name})")).collect();
        format!(" ON DUPLICATE KEY UPDATE {}", set.join(", "))
    }

    fn shown(&self, column: &Column) -> String {
        let name = quote(&column.name);
        match ColumnType::parse(&column.type_sql).family {
            Family::Binary | Family::Bytes | Family::Bit | Family::Other => format!("HEX({name})"),
            _ => format!("CAST({name} AS CHAR)"),
        }
    }

    fn width(&self, column: &Column) -> String {
        format!("LENGTH({})", quote(&column.name))
    }

    fn ago(&self, seconds: u64) -> String {
        format!("UTC_TIMESTAMP(6) - INTERVAL {seconds} SECOND")
    }

    /// 60 bits of each row's SHA-256 (MySQL 9.6 took MD5 away); their sum is a DECIMAL, which holds 81
    /// digits.
    fn checksum(&self, columns: &[&Column]) -> String {
        let value = |column: &&Column| {
            let name = quote(&column.name);
            let text = match ColumnType::parse(&column.type_sql).family {
                Family::Char | Family::Text => format!("CONVERT({name} USING utf8mb4)"),
                Family::Binary | Family::Bytes | Family::Other => format!("HEX({name})"),
                Family::Bit => format!("HEX({name} + 0)"),
                // As a text, a float has no more than six digits.
                Family::Float | Family::Double => format!("CAST({name} + 0E0 AS CHAR)"),
                _ => format!("CAST({name} AS CHAR)"),
            };
            format!("COALESCE(CONCAT(CHAR_LENGTH({text}), ':', {text}), '-')")
        };
        let row: Vec<_> = columns.iter().map(value).collect();
        format!(
            "CAST(COALESCE(SUM(CAST(CONV(SUBSTR(SHA2(CONCAT({}), 256), 1, 15), 16, 10) AS UNSIGNED)), 0) \
             AS CHAR)",
            row.join(", ")
        )
    }

    fn now(&self) -> &'static str {
        // Without a zone, so that it can be stored in a DATETIME by sessions of any zone.
        "UTC_TIMESTAMP(6)"
    }

    fn assigns_left_to_right(&self) -> bool {
        true
    }

    fn removal(&self, leftover: &Leftover) -> String {
        let at = |schema: &str, name: &str| format!("{}.{}", quote(schema), quote(name));
        let place = |place: &Place| at(&place.schema, &place.name);
        match leftover {
            Leftover::Trigger { on, name } => {
                format!("DROP TRIGGER IF EXISTS {}", at(&on.schema, name))
            }
            Leftover::Table(table) => format!("DROP TABLE IF EXISTS {}", place(table)),
            Leftover::Rename { from, to } => {
                format!("RENAME TABLE {} TO {}", place(from), at(&from.schema, to))
            }
        }
    }

    fn tokens(&self) -> Tokens {
        Tokens::MySql
    }
}

/// Quotes an identifier. Backticks do so under every `sql_mode`.
pub(super) fn quote(identifier: &str) -> String {
    format!("`{}`", identifier.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::KeyColumn;

    fn column(type_sql: &str) -> Column {
        Column {
            name: "odd`name".into(),
            type_sql: type_sql.into(),
            nullable: false,
            generated: false,
            self_updating: false,
            key_kind: ColumnType::parse(type_sql).key_kind(true),
        }
    }

    fn dialect(version: &str) -> MySqlDialect {
        MySqlDialect { flavor: Flavor::parse(version) }
    }

    #[test]
    fn identifiers_of_any_content_are_quoted() {
        assert_eq!(quote("select"), "`select`");
        assert_eq!(quote("a`b.c\"d"), "`a``b.c\"d`");
        let key = Key {
            index: Some("PRIMARY".into()),
            columns: vec![KeyColumn::ascending("id")],
            primary: true,
            unusable: None,
        };
        assert_eq!(dialect("9.7.4").index_hint(&key), " FORCE INDEX (`PRIMARY`)");
    }

    #[test]
    fn a_key_comes_back_as_its_own_type_and_collation() {
        let cases = [
            ("bigint unsigned", "CAST(CONVERT(? USING utf8mb4) AS UNSIGNED)"),
            ("decimal(12,3)", "CAST(CONVERT(? USING utf8mb4) AS DECIMAL(12,3))"),
            ("binary(16)", "UNHEX(CONVERT(? USING utf8mb4))"),
            ("datetime(6)", "CAST(CONVERT(? USING utf8mb4) AS DATETIME(6))"),
            ("enum('b','a')", "CAST(CONVERT(? USING utf8mb4) AS UNSIGNED)"),
            (
                "varchar(9) CHARACTER SET latin1 COLLATE latin1_bin",
                "CONVERT(CONVERT(? USING utf8mb4) USING latin1) COLLATE latin1_bin",
            ),
        ];
        for (type_sql, expected) in cases {
            let found = dialect("9.7.4").key_from_text(&column(type_sql), "?");
            assert_eq!(found, expected, "{type_sql}");
        }
    }

    #[test]
    fn a_timestamp_travels_as_an_instant() {
        let (dialect, column) = (dialect("10.11.14-MariaDB"), column("timestamp(3)"));
        assert!(dialect.key_as_text(&column).contains("UNIX_TIMESTAMP(`odd``name`)"));
        assert!(dialect.key_from_text(&column, "?").starts_with("FROM_UNIXTIME("));
    }

    #[test]
    fn a_difference_is_never_null() {
        for version in ["5.7.44", "9.7.4", "10.3.39-MariaDB", "11.8.2-MariaDB"] {
            for type_sql in ["int", "float(7,2)", "year", "time(3)", "timestamp", "set('a','b')"] {
                let sql = dialect(version).differs(&column(type_sql), "a OR b");
                assert!(sql.starts_with("NOT (") && sql.contains("(a OR b)"), "{sql}");
                assert!(sql.contains("<=>"), "{sql}");
            }
        }
    }
}
