//! Whether an assignment would change what is stored, by type.
//!
//! The server converts what is assigned to the column's type. Each condition here does the same
//! conversion by hand and compares what it gives with what is there, by bytes where the column's
//! collation would take different bytes for equal. A condition must not fail where the assignment
//! succeeds: in strict mode a cast that truncates is an error.
//!
//! Where the two conversions part, the condition nearly always says "differs": a row is then
//! written once more and nothing is missed. Those corners are floats of which a text column or a
//! `BIT` keeps fewer digits, and texts that are not written like the number or time they stand
//! for. Missed are, of all that was tried on both servers, MySQL's JSON floats that end in exactly
//! .5 (assigned to an integer column they round half to even, and cannot be told from texts), a
//! division assigned to a text column of MariaDB (stored with more digits than it shows), and, on
//! MariaDB, `'0.1'` as a `YEAR` and a float above 2^64 as a `BIT(64)`.

use std::fmt::Write as _;

use super::column_type::{ColumnType, Family};
use super::dialect::quote;
use super::flavor::Flavor;
use crate::catalog::Column;

/// See [`crate::target::Dialect::differs`].
pub(super) fn differs(flavor: &Flavor, column: &Column, expression: &str) -> String {
    let name = quote(&column.name);
    let kind = ColumnType::parse(&column.type_sql);
    let value = format!("({expression})");
    let same = match kind.family {
        Family::Integer => format!("{name} <=> {}", integer(&value, &kind)),
        Family::Decimal | Family::Date | Family::DateTime | Family::Native => {
            format!("{name} <=> CAST({value} AS {})", kind.cast())
        }
        Family::Time => cast_if(&name, &value, "^[-+0-9:. TZ]+$", &kind.cast()),
        Family::Double => format!("{name} <=> {}", scaled(&value, &kind)),
        Family::Float => format!("{name} <=> {}", float(flavor, &scaled(&value, &kind))),
        Family::Char => format!(
            "CAST(RTRIM({name}) AS BINARY) <=> CAST(RTRIM({}) AS BINARY)",
            in_charset(&value, &kind)
        ),
        Family::Text => {
            format!("CAST({name} AS BINARY) <=> CAST({} AS BINARY)", in_charset(&value, &kind))
        }
        Family::Binary => format!("{name} <=> {}", padded(&value, &kind)),
        Family::Bytes => format!("{name} <=> CAST({value} AS BINARY)"),
        Family::Timestamp => timestamp(&name, &value, &kind),
        Family::Year => year(flavor, &name, &value, &kind),
        Family::Enum => {
            let (text, members) = (collated(&value, &kind), members(&kind).join(", "));
            let index = format!("FIELD({text}, {members})");
            let index = format!("IF({index} > 0, {index}, CAST({text} AS UNSIGNED))");
            format!("CAST({name} AS UNSIGNED) <=> {}", number_or(&value, &index))
        }
        Family::Set => {
            let text = collated(&value, &kind);
            let mask = mask(&text, &kind);
            let mask = format!(
                "IF({mask} = 0 AND 0 < CHAR_LENGTH({text}), CAST({text} AS UNSIGNED), {mask})"
            );
            format!("CAST({name} AS UNSIGNED) <=> {}", number_or(&value, &mask))
        }
        // The bytes of a text are the bits. LPAD, for CONV of nothing is NULL.
        Family::Bit => format!(
            "CAST({name} AS UNSIGNED) <=> IF({}, CAST({value} AS UNSIGNED), \
             CAST(CONV(LPAD(HEX({value}), 16, '0'), 16, 10) AS UNSIGNED))",
            is_number(&value)
        ),
        // The server itself takes 1 and 1.0 for the same and leaves such a row alone.
        Family::Json => format!("{name} <=> CAST({value} AS JSON)"),
        Family::Other => format!("HEX({name}) <=> HEX({value})"),
    };
    format!("NOT ({same})")
}

/// Whether the expression is a number or a time and not a text: both products give these the
/// coercibility 5, "the collation of a numeric or temporal value". It is known without evaluating
/// the expression.
fn is_number(value: &str) -> String {
    format!("COERCIBILITY({value}) = 5")
}

/// The expression as a column of integers stores it. A cast rounds exact numbers half away from
/// zero and floats half to even, as an assignment does; but it cuts the fraction off a text, which
/// an assignment rounds: a text goes through DECIMAL, where all digits of a BIGINT survive.
fn integer(value: &str, kind: &ColumnType<'_>) -> String {
    let cast = kind.cast();
    format!(
        "IF({}, CAST({value} AS {cast}), CAST(CAST({value} AS DECIMAL(65,30)) AS {cast}))",
        is_number(value)
    )
}

/// The expression as DOUBLE, rounded as `DOUBLE(m,d)` rounds: the part after the point alone.
fn scaled(value: &str, kind: &ColumnType<'_>) -> String {
    let float = format!("({value} + 0e0)");
    match kind.fraction() {
        "0" if !kind.arguments.contains(',') => float,
        digits => format!(
            "(FLOOR({float}) + ROUND(({float} - FLOOR({float})) * 1e{digits}) / 1e{digits})"
        ),
    }
}

/// A DOUBLE as the nearest FLOAT.
fn float(flavor: &Flavor, double: &str) -> String {
    if flavor.is_mysql_since((8, 0, 17)) || flavor.is_mariadb_since((10, 4, 0)) {
        return format!("CAST({double} AS FLOAT)");
    }
    // Veltkamp's splitting: 2^29 + 1 leaves the leading 24 of 53 bits, which are a FLOAT's.
    format!("({double} * 536870913e0 - ({double} * 536870913e0 - {double}))")
}

/// The expression in the column's character set.
fn in_charset(value: &str, kind: &ColumnType<'_>) -> String {
    match kind.charset {
        Some(charset) => format!("CONVERT({value} USING {charset})"),
        None => value.to_owned(),
    }
}

/// The expression in the column's character set and collation, without trailing spaces.
fn collated(value: &str, kind: &ColumnType<'_>) -> String {
    let text = format!("RTRIM({})", in_charset(value, kind));
    match kind.collation {
        Some(collation) => format!("{text} COLLATE {collation}"),
        None => text,
    }
}

/// The expression as BINARY(n), padded with zero bytes. Not by a cast to BINARY(n), which fails on
/// a float with many digits, while an assignment leaves some of them out.
fn padded(value: &str, kind: &ColumnType<'_>) -> String {
    let (bytes, length) = (format!("CAST({value} AS BINARY)"), kind.arguments);
    format!("RPAD({bytes}, GREATEST({length}, LENGTH({bytes})), x'00')")
}

/// Compares with the expression cast to a type whose cast fails, on MySQL, on texts that an
/// assignment takes: `''` and `'1e1'` are times, `'2.5'` is a year. A text that is not of the
/// `pattern` differs. (It is kept out of the cast, for MySQL evaluates a cast of a constant even
/// where IF does not choose it.)
fn cast_if(name: &str, value: &str, pattern: &str, cast: &str) -> String {
    // CONVERT, for MySQL refuses to match bytes.
    let good = format!(
        "IF({} OR CONVERT({value} USING utf8mb4) REGEXP '{pattern}', {value}, NULL)",
        is_number(value)
    );
    format!("({value} IS NULL) = ({good} IS NULL) AND {name} <=> CAST({good} AS {cast})")
}

/// Compares the stored instants, for a local time may mean two of them. A TIMESTAMP that needs no
/// rounding is assigned as an instant; all else goes through the session's local time, and so does
/// the second branch. `UNIX_TIMESTAMP` is 0 or NULL for the zero date.
fn timestamp(name: &str, value: &str, kind: &ColumnType<'_>) -> String {
    let (digits, cast) = (kind.fraction(), kind.cast());
    format!(
        "({name} IS NULL) = ({value} IS NULL) AND COALESCE(UNIX_TIMESTAMP({name}), 0) = \
         COALESCE(IF(UNIX_TIMESTAMP({value}) <=> ROUND(UNIX_TIMESTAMP({value}), {digits}), \
         UNIX_TIMESTAMP({value}), UNIX_TIMESTAMP(CAST({value} AS {cast}))), 0)"
    )
}

/// Two digits mean a year from 1970 to 2069. Without `CAST AS YEAR`, texts that mean 2000 in one
/// or two digits always differ.
fn year(flavor: &Flavor, name: &str, value: &str, kind: &ColumnType<'_>) -> String {
    if flavor.is_mysql_since((8, 0, 22)) {
        return cast_if(name, value, "^[0-9]{1,4}$", "YEAR");
    }
    let number = integer(value, kind);
    format!(
        "CAST({name} AS UNSIGNED) <=> {number} + CASE WHEN {number} BETWEEN 1 AND 69 THEN 2000 \
         WHEN {number} BETWEEN 70 AND 99 THEN 1900 ELSE 0 END"
    )
}

/// The number of a member or a mask of members: a number as it is, without its fraction, or what
/// `otherwise` makes of a text.
fn number_or(value: &str, otherwise: &str) -> String {
    format!("IF({}, CAST(TRUNCATE({value}, 0) AS UNSIGNED), {otherwise})", is_number(value))
}

/// The members of an ENUM or a SET as literals: in hexadecimal, for what a backslash in quotes
/// means depends on `sql_mode`.
fn members(kind: &ColumnType<'_>) -> Vec<String> {
    let hex = |member: &String| {
        member.bytes().fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    kind.members().iter().map(|member| format!("_utf8mb4 x'{}'", hex(member))).collect()
}

/// The bit mask of a list of members, which may stand in any order.
fn mask(list: &str, kind: &ColumnType<'_>) -> String {
    let bits: Vec<_> = members(kind)
        .iter()
        .enumerate()
        .map(|(bit, member)| format!("(FIND_IN_SET({member}, {list}) > 0) << {bit}"))
        .collect();
    format!("({})", bits.join(" | "))
}
