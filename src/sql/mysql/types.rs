//! Types, and the values that a column may have by default.

use crate::sql::cursor::Cursor;
use crate::sql::statement::{Expression, Type};

/// Types of more than one word, the longer ones first.
const OF_WORDS: &[&[&str]] = &[
    &["national", "character", "varying"],
    &["national", "char", "varying"],
    &["long", "character", "varying"],
    &["long", "char", "varying"],
    &["character", "varying"],
    &["char", "varying"],
    &["char", "byte"],
    &["national", "varchar"],
    &["national", "character"],
    &["national", "char"],
    &["nchar", "varchar"],
    &["nchar", "varying"],
    &["double", "precision"],
    &["long", "varchar"],
    &["long", "varbinary"],
];

/// Types of one word, of MySQL and MariaDB with its plugins and its Oracle mode.
const OF_ONE_WORD: &[&str] = &[
    "int",
    "integer",
    "tinyint",
    "smallint",
    "mediumint",
    "bigint",
    "int1",
    "int2",
    "int3",
    "int4",
    "int8",
    "middleint",
    "bool",
    "boolean",
    "bit",
    "decimal",
    "dec",
    "numeric",
    "fixed",
    "number",
    "float",
    "float4",
    "float8",
    "double",
    "real",
    "char",
    "character",
    "nchar",
    "varchar",
    "varchar2",
    "nvarchar",
    "varcharacter",
    "binary",
    "varbinary",
    "raw",
    "tinytext",
    "text",
    "mediumtext",
    "longtext",
    "long",
    "tinyblob",
    "blob",
    "mediumblob",
    "longblob",
    "clob",
    "json",
    "enum",
    "set",
    "date",
    "time",
    "datetime",
    "timestamp",
    "year",
    "geometry",
    "point",
    "linestring",
    "polygon",
    "multipoint",
    "multilinestring",
    "multipolygon",
    "geometrycollection",
    "geomcollection",
    "inet4",
    "inet6",
    "uuid",
    "vector",
    "xmltype",
];

/// A type, with what belongs to it, and the collation that may stand among that.
pub(super) fn data_type(c: &mut Cursor<'_>) -> Option<(Type, Option<String>)> {
    let from = c.at();
    let name = OF_WORDS
        .iter()
        .find(|words| c.eat_all(words))
        .map(|words| words.join(" "))
        .or_else(|| c.eat_any(OF_ONE_WORD).map(str::to_owned))?;
    let mut ty = Type { name, ..Type::default() };
    if let Some(inner) = c.group() {
        ty.modifiers = inner.split(',').into_iter().map(modifier).collect();
    }
    let mut collation = None;
    loop {
        if c.eat("UNSIGNED") {
            ty.unsigned = true;
        } else if c.eat("ZEROFILL") {
            // The server takes it for UNSIGNED, too.
            ty.zerofill = true;
            ty.unsigned = true;
        } else if eats_charset(c) {
            ty.charset = Some(charset_name(c)?);
        } else if let Some(charset) = c.eat_any(&["ascii", "unicode"]) {
            ty.charset = Some(if charset == "ascii" { "latin1" } else { "ucs2" }.to_owned());
        } else if c.eat("COMPRESSED") {
            if c.symbol('=') {
                c.name()?;
            }
        } else if c.eat("COLLATE") {
            collation = Some(charset_name(c)?);
        } else if c.eat_any(&["SIGNED", "BINARY", "BYTE"]).is_none() {
            break;
        }
    }
    c.text_since(from).clone_into(&mut ty.text);
    Some((ty, collation))
}

/// A length, or a label without its quotes.
fn modifier(mut part: Cursor<'_>) -> String {
    let whole = part;
    match part.string() {
        Some(label) if part.done() => label,
        _ => whole.rest_text().to_owned(),
    }
}

/// `CHARACTER SET`, `CHARSET`.
pub(super) fn eats_charset(c: &mut Cursor<'_>) -> bool {
    c.eat_all(&["CHARACTER", "SET"]) || c.eat_all(&["CHAR", "SET"]) || c.eat("CHARSET")
}

/// The name of a character set or a collation, also as a string, in lower case.
pub(super) fn charset_name(c: &mut Cursor<'_>) -> Option<String> {
    c.string().or_else(|| c.name()).map(|name| name.to_lowercase())
}

/// An operand without operators: a literal with its sign, a call, or an expression in parentheses.
/// MariaDB takes all of these for a default, and more stands only in parentheses.
pub(super) fn operand(c: &mut Cursor<'_>) -> Option<Expression> {
    let from = c.at();
    while c.symbol('-') || c.symbol('+') {}
    if c.group().is_some() || c.string().is_some() {
        return c.expression_since(from);
    }
    if c.symbol('.') {
        c.word()?;
        c.skip();
    } else if c.symbol('@') {
        c.symbol('@');
        c.name()?;
        while c.symbol('.') {
            c.name()?;
        }
    } else if c.eat("CASE") {
        case(c)?;
    } else if c.eat_all(&["NEXT", "VALUE", "FOR"]) || c.eat_all(&["PREVIOUS", "VALUE", "FOR"]) {
        c.qualified()?;
    } else if c.word().is_some_and(|word| word.starts_with(|first: char| first.is_ascii_digit())) {
        number(c);
    } else {
        let introduces = c.word().is_some();
        c.name()?;
        if introduces && c.is_string() {
            // `x'00'`, `_utf8mb4'a'`, `DATE '2020-01-01'`
            c.string()?;
        }
        while c.symbol('.') {
            c.name()?;
        }
        let _ = c.group();
    }
    c.expression_since(from)
}

/// `1`, `1.5`, `1e-5`: cut into several tokens.
fn number(c: &mut Cursor<'_>) {
    loop {
        let exponent = c.word().is_some_and(|word| {
            word.ends_with(['e', 'E']) && !word.starts_with("0x") && !word.starts_with("0X")
        });
        c.skip();
        if c.is_adjacent() && exponent && (c.symbol('-') || c.symbol('+')) && c.word().is_some() {
            continue;
        }
        if !(c.is_adjacent() && c.symbol('.') && c.is_adjacent() && c.word().is_some()) {
            return;
        }
    }
}

/// The rest of a `CASE`, to its `END`.
fn case(c: &mut Cursor<'_>) -> Option<()> {
    let mut depth = 1_u32;
    while 0 < depth {
        if c.done() {
            return None;
        }
        depth += u32::from(c.is("CASE"));
        depth -= u32::from(c.is("END"));
        c.skip();
    }
    Some(())
}
