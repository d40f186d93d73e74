//! Whether every value of one type of MySQL and MariaDB fits another.

use crate::sql::statement::Type;

/// What becomes of the values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Narrowing {
    /// All are the same afterwards.
    Fits,
    /// All are, but those of which this is true.
    Unless(String),
    /// It is not known.
    Unknown,
}

/// Of the values of a column, whose name stands in quotes.
pub(super) fn of(column: &str, from: &Type, to: &Type) -> Narrowing {
    use Family::{Bits, Bytes, Date, Decimal, Enum, Float, Integer, Json, Other, Text, Time};
    if from.name == to.name && from.modifiers == to.modifiers && from.unsigned == to.unsigned {
        return Narrowing::Fits;
    }
    let unless = |predicate: String| Narrowing::Unless(predicate);
    match (family(from), family(to)) {
        (Integer(from), Integer(to)) => {
            if to.0 <= from.0 && from.1 <= to.1 {
                Narrowing::Fits
            } else {
                unless(outside(column, to))
            }
        }
        (Integer(_), Decimal(digits, scale)) => {
            unless(format!("ABS({column}) >= 1e{}", digits.saturating_sub(scale)))
        }
        (Decimal(..), Integer(to)) => {
            unless(format!("{column} <> ROUND({column}) OR {}", outside(column, to)))
        }
        (Decimal(digits, scale), Decimal(wide, fine)) => {
            let whole = |digits: u32, scale: u32| digits.saturating_sub(scale);
            if scale <= fine && whole(digits, scale) <= whole(wide, fine) && !to.unsigned {
                Narrowing::Fits
            } else {
                let negative =
                    if to.unsigned { format!(" OR {column} < 0") } else { String::new() };
                unless(format!(
                    "{column} <> ROUND({column}, {fine}) OR ABS({column}) >= 1e{}{negative}",
                    whole(wide, fine)
                ))
            }
        }
        (Float(from), Float(to)) if from <= to => Narrowing::Fits,
        (Integer(_), Float(8)) => unless(format!("ABS({column}) > 9007199254740992")),
        (Text(from), Text(to)) => texts(column, &from, &to),
        (Bytes(from), Bytes(to)) => {
            if from <= to {
                Narrowing::Fits
            } else {
                unless(format!("LENGTH({column}) > {to}"))
            }
        }
        (Enum(labels), Enum(wide)) if labels.iter().all(|label| wide.contains(label)) => {
            Narrowing::Fits
        }
        (Enum(_) | Text(_), Enum(labels)) => {
            let labels: Vec<String> =
                labels.iter().map(|label| format!("'{}'", label.replace('\'', "''"))).collect();
            unless(format!("{column} NOT IN ({})", labels.join(", ")))
        }
        (Enum(_) | Integer(_) | Decimal(..), Text(to)) if !to.trims => match to.bytes {
            Some(bytes) => unless(format!("LENGTH({column}) > {bytes}")),
            None => unless(format!("CHAR_LENGTH({column}) > {}", to.letters)),
        },
        (Text(_), Integer(to)) => unless(format!(
            "{column} NOT REGEXP '^-?[0-9]{{1,64}}$' OR {}",
            outside(&format!("CAST({column} AS DECIMAL(65, 0))"), to)
        )),
        (Text(_), Json) => unless(format!("NOT JSON_VALID({column})")),
        (Json, Text(to)) if to.bytes.is_some_and(|bytes| u64::from(u32::MAX) <= bytes) => {
            Narrowing::Fits
        }
        (Date, Time(_)) if to.name == "datetime" => Narrowing::Fits,
        (Time(_), Date) => unless(format!("{column} <> CAST({column} AS DATE)")),
        (Time(from_digits), Time(digits)) if from.name == to.name || to.name == "datetime" => {
            if from_digits <= digits {
                Narrowing::Fits
            } else {
                unless(format!("MICROSECOND({column}) % {} <> 0", 10_u32.pow(6 - digits.min(6))))
            }
        }
        (Time(_), Time(_)) if from.name == "datetime" && to.name == "timestamp" => {
            unless(format!("{column} < '1970-01-02 00:00:00' OR {column} > '2038-01-18 00:00:00'"))
        }
        (Bits(from), Bits(to)) if from <= to => Narrowing::Fits,
        (Other, _) | (_, Other) => Narrowing::Unknown,
        _ => Narrowing::Unknown,
    }
}

enum Family {
    /// The smallest and the largest.
    Integer((i128, i128)),
    /// Digits, and those of them behind the point.
    Decimal(u32, u32),
    /// Bytes.
    Float(u8),
    Text(Room),
    /// The most bytes.
    Bytes(u64),
    Enum(Vec<String>),
    Date,
    /// With a time of day; digits of a second's fraction.
    Time(u32),
    Json,
    Bits(u32),
    Other,
}

/// How much text a type holds.
struct Room {
    /// The most letters.
    letters: u64,
    /// The most bytes, where bytes are what counts.
    bytes: Option<u64>,
    /// Spaces at the end are lost.
    trims: bool,
}

fn family(ty: &Type) -> Family {
    let number = |at: usize, default: u32| {
        ty.modifiers.get(at).and_then(|text| text.trim().parse().ok()).unwrap_or(default)
    };
    let integer = |bits: u32| {
        let span = 1_i128 << bits;
        Family::Integer(if ty.unsigned || ty.zerofill {
            (0, span - 1)
        } else {
            (-span / 2, span / 2 - 1)
        })
    };
    let text = |bytes: u64| Family::Text(Room { letters: bytes, bytes: Some(bytes), trims: false });
    let letters = |letters: u32, trims: bool| {
        Family::Text(Room { letters: letters.into(), bytes: None, trims })
    };
    match ty.name.as_str() {
        "tinyint" | "bool" | "boolean" => integer(8),
        "smallint" => integer(16),
        "mediumint" => integer(24),
        "int" | "integer" => integer(32),
        "bigint" => integer(64),
        "decimal" | "numeric" | "dec" | "fixed" => Family::Decimal(number(0, 10), number(1, 0)),
        "float" if ty.modifiers.is_empty() => Family::Float(4),
        "double" | "double precision" | "real" if ty.modifiers.is_empty() => Family::Float(8),
        "varchar" => letters(number(0, 0), false),
        "char" => letters(number(0, 1), true),
        "tinytext" => text(255),
        "text" if ty.modifiers.is_empty() => text(65_535),
        "mediumtext" => text((1 << 24) - 1),
        "longtext" => text(u32::MAX.into()),
        "varbinary" => Family::Bytes(number(0, 0).into()),
        "tinyblob" => Family::Bytes(255),
        "blob" if ty.modifiers.is_empty() => Family::Bytes(65_535),
        "mediumblob" => Family::Bytes((1 << 24) - 1),
        "longblob" => Family::Bytes(u32::MAX.into()),
        "enum" => Family::Enum(ty.modifiers.clone()),
        "date" => Family::Date,
        "datetime" | "timestamp" => Family::Time(number(0, 0)),
        "json" => Family::Json,
        "bit" => Family::Bits(number(0, 1)),
        _ => Family::Other,
    }
}

fn outside(value: &str, (least, most): (i128, i128)) -> String {
    format!("{value} < {least} OR {value} > {most}")
}

fn texts(column: &str, from: &Room, to: &Room) -> Narrowing {
    // A letter has up to four bytes.
    let needed = from.bytes.unwrap_or(from.letters * 4);
    let fits = match (from.bytes, to.bytes) {
        (_, Some(room)) => needed <= room,
        (None, None) => from.letters <= to.letters,
        (Some(bytes), None) => bytes <= to.letters,
    };
    let mut bad = Vec::new();
    if !fits {
        bad.push(match to.bytes {
            Some(bytes) => format!("LENGTH({column}) > {bytes}"),
            None => format!("CHAR_LENGTH({column}) > {}", to.letters),
        });
    }
    if to.trims && !from.trims {
        bad.push(format!("{column} LIKE '% '"));
    }
    if bad.is_empty() { Narrowing::Fits } else { Narrowing::Unless(bad.join(" OR ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Release;
    use crate::sql::statement::What;
    use crate::sql::{Source, parse};

    fn ty(text: &str) -> Type {
        let source = Source::of(Release::parse("mysql-8.4").unwrap());
        let script = parse(source, &format!("CREATE TABLE t (c {text})"));
        let What::CreateTable(create) = &script.statements[0].what else { panic!("{text}") };
        create.columns[0].ty.clone()
    }

    #[test]
    fn wider_types_fit_and_narrower_ones_are_asked_about() {
        for (from, to) in [
            ("int", "bigint"),
            ("int unsigned", "bigint"),
            ("decimal(10,2)", "decimal(12,2)"),
            ("varchar(20)", "varchar(200)"),
            ("varchar(100)", "text"),
            ("char(5)", "varchar(5)"),
            ("enum('a','b')", "enum('a','b','c')"),
            ("float", "double"),
            ("date", "datetime"),
            ("datetime", "datetime(3)"),
            ("blob", "mediumblob"),
        ] {
            assert_eq!(of("`c`", &ty(from), &ty(to)), Narrowing::Fits, "{from} -> {to}");
        }
        for (from, to, predicate) in [
            ("bigint", "int", "`c` < -2147483648 OR `c` > 2147483647"),
            ("int", "int unsigned", "`c` < 0 OR `c` > 4294967295"),
            ("decimal(10,2)", "decimal(8,1)", "`c` <> ROUND(`c`, 1) OR ABS(`c`) >= 1e7"),
            ("varchar(200)", "varchar(20)", "CHAR_LENGTH(`c`) > 20"),
            ("text", "tinytext", "LENGTH(`c`) > 255"),
            ("varchar(5)", "char(5)", "`c` LIKE '% '"),
            ("enum('a','b')", "enum('a')", "`c` NOT IN ('a')"),
            ("datetime", "date", "`c` <> CAST(`c` AS DATE)"),
            ("datetime(6)", "datetime(3)", "MICROSECOND(`c`) % 1000 <> 0"),
        ] {
            let told = Narrowing::Unless(predicate.to_owned());
            assert_eq!(of("`c`", &ty(from), &ty(to)), told, "{from} -> {to}");
        }
        for (from, to) in [("double", "float"), ("json", "int"), ("time", "datetime")] {
            assert_eq!(of("`c`", &ty(from), &ty(to)), Narrowing::Unknown, "{from} -> {to}");
        }
    }
}
