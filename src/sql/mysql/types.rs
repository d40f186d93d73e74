//! Types.

use crate::sql::cursor::Cursor;
use crate::sql::statement::Type;

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

/// A type, with what belongs to it. Its collation is said of the column.
pub(super) fn data_type(c: &mut Cursor<'_>) -> Option<Type> {
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
        } else if c.eat_any(&["SIGNED", "BINARY", "BYTE"]).is_none() {
            break;
        }
    }
    c.text_since(from).clone_into(&mut ty.text);
    Some(ty)
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
