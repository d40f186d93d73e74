//! Two types of a column, compared as the server does before it decides about a rebuild.

use super::change::Change;
use super::shape::Shape;
use super::version::Flavor;
use crate::sql::statement::{Column, Type};

/// How a column's type changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// Not at all.
    None,
    /// In these ways.
    Changes(Vec<Change>),
    /// Only a copy can do it, and why.
    Copy(String),
    /// It depends on what is not known; the worst is a copy.
    Unknown(String),
}

/// A type with its synonyms gone and its defaults written out.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Plain {
    name: &'static str,
    modifiers: Vec<String>,
    unsigned: bool,
    zerofill: bool,
}

fn plain(ty: &Type) -> Option<Plain> {
    let name = match ty.name.as_str() {
        "int" | "integer" | "int4" => "int",
        "bigint" | "int8" | "serial" => "bigint",
        "smallint" | "int2" => "smallint",
        "mediumint" | "int3" | "middleint" => "mediumint",
        "tinyint" | "int1" | "bool" | "boolean" => "tinyint",
        "decimal" | "dec" | "numeric" | "fixed" => "decimal",
        "double" | "double precision" | "real" | "float8" => "double",
        "float" | "float4" => "float",
        "varchar" | "character varying" | "char varying" | "nvarchar" | "varcharacter" => "varchar",
        "char" | "character" | "nchar" => "char",
        "varbinary" => "varbinary",
        "binary" => "binary",
        "tinytext" => "tinytext",
        "text" => "text",
        "mediumtext" | "long" | "long varchar" => "mediumtext",
        "longtext" => "longtext",
        "tinyblob" => "tinyblob",
        "blob" => "blob",
        "mediumblob" | "long varbinary" => "mediumblob",
        "longblob" => "longblob",
        "enum" => "enum",
        "set" => "set",
        "json" => "json",
        "bit" => "bit",
        "date" => "date",
        "datetime" => "datetime",
        "timestamp" => "timestamp",
        "time" => "time",
        "year" => "year",
        _ => return None,
    };
    let modifiers = match (name, ty.modifiers.as_slice()) {
        // How wide a number is shown, and how wide a year.
        ("int" | "bigint" | "smallint" | "mediumint" | "tinyint" | "year", _) => Vec::new(),
        ("decimal", []) => vec!["10".to_owned(), "0".to_owned()],
        ("decimal", [digits]) => vec![digits.clone(), "0".to_owned()],
        ("char" | "binary" | "bit", []) => vec!["1".to_owned()],
        ("datetime" | "timestamp" | "time", [digits]) if digits == "0" => Vec::new(),
        (_, modifiers) => modifiers.to_vec(),
    };
    let unsigned = ty.unsigned || ty.zerofill || ty.name == "serial";
    Some(Plain { name, modifiers, unsigned, zerofill: ty.zerofill })
}

/// Whether values of that type are text with a character set.
fn is_text(name: &str) -> bool {
    matches!(
        name,
        "varchar" | "char" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
    )
}

/// Whether foreign keys can tie columns of these types together.
pub(super) fn fit_together(one: &Type, other: &Type) -> bool {
    let (Some(one), Some(other)) = (plain(one), plain(other)) else { return true };
    let strings = |plain: &Plain| matches!(plain.name, "varchar" | "char");
    if strings(&one) && strings(&other) {
        return true;
    }
    one.name == other.name && one.unsigned == other.unsigned
}

/// Whether the types are the same in all that a foreign key on MySQL looks at.
pub(super) fn is_same(one: &Type, other: &Type) -> bool {
    plain(one) == plain(other) && plain(one).is_some()
}

/// How many bytes a character may take.
fn width(charset: &str) -> u64 {
    match charset {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8mb3" | "ujis" | "eucjpms" => 3,
        "ucs2" | "big5" | "gbk" | "gb2312" | "sjis" | "cp932" | "euckr" => 2,
        _ => 1,
    }
}

/// How a column's type changes. `converted` means that the whole table is converted.
pub(super) fn difference(
    old: &Column,
    new: &Column,
    shape: &Shape,
    flavor: Flavor,
    converted: bool,
) -> Difference {
    let (Some(from), Some(to)) = (plain(&old.ty), plain(&new.ty)) else {
        if same_text(&old.ty, &new.ty) {
            return Difference::None;
        }
        return Difference::Unknown(format!(
            "the types `{}` and `{}` were not compared: the ladder on a shadow would settle it",
            old.ty.text, new.ty.text
        ));
    };
    let texts = is_text(from.name) && is_text(to.name);
    if from == to && !texts {
        return Difference::None;
    }
    let copy = || {
        Difference::Copy(format!(
            "changing `{}` from `{}` to `{}` needs a copy of every row",
            old.name, old.ty.text, new.ty.text
        ))
    };
    // Text becomes bytes, which MySQL does in place as if they were of another character set.
    let to_bytes = !flavor.mariadb
        && matches!(
            (from.name, to.name),
            ("varchar", "varbinary")
                | ("tinytext", "tinyblob")
                | ("text", "blob")
                | ("mediumtext", "mediumblob")
                | ("longtext", "longblob")
        );
    if from.name != to.name && !to_bytes {
        return copy();
    }
    if matches!(from.name, "enum" | "set") {
        return labels(&from, &to, old, new, shape, flavor).unwrap_or_else(copy);
    }
    let lengths = (length(&from), length(&to));
    if !texts && from.name != "varbinary" && !to_bytes {
        return copy();
    }
    let binary = || Some("binary".to_owned());
    let charset_of = |column: &Column, plain: &Plain| {
        if is_text(plain.name) { shape.charset(column) } else { binary() }
    };
    let charsets = (charset_of(old, &from), charset_of(new, &to));
    let (before, after) = match charsets {
        (Some(before), Some(after)) => (before, after),
        // Neither says: whatever the default is, it is the same for both.
        (None, None) => {
            return with_any_charset(lengths, from.name, shape, flavor, &copy);
        }
        _ => {
            return Difference::Unknown(format!(
                "the character set of `{}` is not known: the definition of the table would settle it",
                old.name
            ));
        }
    };
    let mut changes = Vec::new();
    let indexed = shape.is_indexed(&old.name);
    if before != after {
        let widened = before == "utf8mb3" && after == "utf8mb4" && flavor.widens_charset();
        let unindexed = flavor.mariadb || !indexed;
        if !((widened || (after == "binary" && to_bytes)) && unindexed) {
            return copy();
        }
        // A conversion of the table keeps room for as many characters as before.
        if converted && from.name.ends_with("text") && from.name != "longtext" {
            return copy();
        }
        let changed = collation_changes(old, new, shape, flavor) && indexed;
        changes.push(match from.name {
            "char" if converted => Change::ConvertChar,
            _ if changed => Change::IndexedCollation,
            _ => Change::Collation,
        });
    } else if texts && collation_changes(old, new, shape, flavor) {
        changes.push(if indexed { Change::IndexedCollation } else { Change::Collation });
    }
    let bytes = |length: Option<u64>, charset: &str| {
        length.map_or(0, |length| length.saturating_mul(width(charset)))
    };
    let sizes = (bytes(lengths.0, &before), bytes(lengths.1, &after));
    match grown(from.name, lengths, sizes, before == after, shape, flavor) {
        Growth::None => {}
        Growth::Change(change) => changes.push(change),
        Growth::Copy => return copy(),
    }
    if changes.is_empty() { Difference::None } else { Difference::Changes(changes) }
}

/// Whether nothing but the case of the words differs.
fn same_text(one: &Type, other: &Type) -> bool {
    one.text.eq_ignore_ascii_case(&other.text)
}

fn length(plain: &Plain) -> Option<u64> {
    plain.modifiers.first().and_then(|length| length.parse().ok())
}

/// What a string of another length is.
enum Growth {
    /// It is as long as before.
    None,
    /// A change that needs no copy.
    Change(Change),
    /// A copy.
    Copy,
}

/// What a string of another length is.
fn grown(
    name: &str,
    lengths: (Option<u64>, Option<u64>),
    (before, after): (u64, u64),
    same_charset: bool,
    shape: &Shape,
    flavor: Flavor,
) -> Growth {
    let same = lengths.0 == lengths.1;
    if same && same_charset {
        return Growth::None;
    }
    if !matches!(name, "varchar" | "varbinary") {
        // A longer CHAR makes every row longer.
        let fits = before <= 255 && after <= 255 || flavor.mariadb || name != "char";
        return if same && fits { Growth::None } else { Growth::Copy };
    }
    let shrinks = after < before || (same_charset && lengths.1 < lengths.0);
    if shrinks {
        return Growth::Copy;
    }
    if (before <= 255) == (after <= 255) {
        return Growth::Change(Change::Widen);
    }
    let room = flavor.mariadb && flavor.instant_types() && (before <= 127 || shape.redundant);
    if room { Growth::Change(Change::WidenAcross) } else { Growth::Copy }
}

/// Of a longer string whose character set is the default, whatever that is.
fn with_any_charset(
    lengths: (Option<u64>, Option<u64>),
    name: &str,
    shape: &Shape,
    flavor: Flavor,
    copy: &dyn Fn() -> Difference,
) -> Difference {
    let of = |width: u64| {
        let bytes = |length: Option<u64>| length.map_or(0, |length| length.saturating_mul(width));
        let sizes = (bytes(lengths.0), bytes(lengths.1));
        match grown(name, lengths, sizes, true, shape, flavor) {
            Growth::Copy => copy(),
            Growth::None => Difference::None,
            Growth::Change(change) => Difference::Changes(vec![change]),
        }
    };
    let (narrow, wide, widest) = (of(1), of(3), of(4));
    if narrow == wide && wide == widest {
        return narrow;
    }
    Difference::Unknown(
        "how many bytes a character takes is not known: the table's `CHARACTER SET` would settle it"
            .to_owned(),
    )
}

fn collation_changes(old: &Column, new: &Column, shape: &Shape, flavor: Flavor) -> bool {
    let bare = |column: &Column| {
        let collation = shape.collation(column, flavor)?;
        // From 3 to 4 bytes the order stays the same if the rest of the name does.
        let (charset, order) = collation.split_once('_').unwrap_or((&collation, ""));
        let utf8 = matches!(charset, "utf8" | "utf8mb3" | "utf8mb4");
        Some((if utf8 { "utf8".to_owned() } else { charset.to_owned() }, order.to_owned()))
    };
    bare(old) != bare(new)
}

/// How an enum or set changes; none means by a copy.
fn labels(
    from: &Plain,
    to: &Plain,
    old: &Column,
    new: &Column,
    shape: &Shape,
    flavor: Flavor,
) -> Option<Difference> {
    let charset = shape.charset(old) == shape.charset(new);
    let collation = shape.collation(old, flavor) == shape.collation(new, flavor);
    let widened = shape.charset(old).as_deref() == Some("utf8mb3")
        && shape.charset(new).as_deref() == Some("utf8mb4");
    if !charset && (flavor.mariadb || !widened) || (!collation && flavor.mariadb) {
        return None;
    }
    let size = |count: usize| match (from.name, count) {
        ("enum", count) => usize::from(count > 255),
        (_, count) => match count.div_ceil(8) {
            bytes @ 0..=4 => bytes,
            _ => 8,
        },
    };
    if !to.modifiers.starts_with(&from.modifiers)
        || size(from.modifiers.len()) != size(to.modifiers.len())
    {
        return None;
    }
    let same = from.modifiers == to.modifiers && charset && collation;
    Some(if same { Difference::None } else { Difference::Changes(vec![Change::Labels]) })
}

/// What a change of type may lose: the end of a sentence.
pub(super) fn loses(old: &Type, new: &Type) -> Option<String> {
    let (from, to) = (plain(old)?, plain(new)?);
    let rank = |name: &str| {
        const SIZES: [&str; 5] = ["tinyint", "smallint", "mediumint", "int", "bigint"];
        SIZES.iter().position(|have| *have == name)
    };
    let text = |name: &str| {
        const SIZES: [&str; 4] = ["tinytext", "text", "mediumtext", "longtext"];
        SIZES.iter().position(|have| *have == name)
    };
    let narrower = |from: Option<usize>, to: Option<usize>| match (from, to) {
        (Some(from), Some(to)) => to < from,
        _ => false,
    };
    let what = match (from.name, to.name) {
        _ if narrower(rank(from.name), rank(to.name)) => "values that do not fit",
        _ if narrower(text(from.name), text(to.name)) => "the ends of texts that do not fit",
        (name, other) if rank(name).is_some() && name == other && from.unsigned != to.unsigned => {
            "values that do not fit"
        }
        (
            "varchar" | "char" | "varbinary" | "binary",
            "varchar" | "char" | "varbinary" | "binary",
        ) if length(&to) < length(&from) => "the ends of texts that do not fit",
        (name, "varchar" | "char") if text(name).is_some() => "the ends of texts that do not fit",
        ("varchar" | "char", name) if rank(name).is_some() => "texts that are no numbers",
        ("decimal" | "double" | "float", name) if rank(name).is_some() => {
            "what stands behind the point"
        }
        ("double", "float") | ("decimal", "float" | "double") => "digits",
        ("decimal", "decimal") => {
            let part = |plain: &Plain, at: usize| -> i64 {
                plain.modifiers.get(at).and_then(|part| part.parse().ok()).unwrap_or(0)
            };
            let whole = |plain: &Plain| part(plain, 0) - part(plain, 1);
            if part(&to, 1) >= part(&from, 1) && whole(&to) >= whole(&from) {
                return None;
            }
            "digits"
        }
        ("datetime" | "timestamp", "date" | "time" | "year") => "the rest of the time",
        ("datetime", "timestamp") => "times before 1970 and after 2038",
        ("datetime" | "timestamp" | "time", name) if name == from.name => {
            if length(&to) >= length(&from) {
                return None;
            }
            "fractions of seconds"
        }
        ("enum" | "set", "enum" | "set")
            if !from.modifiers.iter().all(|label| to.modifiers.contains(label)) =>
        {
            "values with a label that is gone"
        }
        _ => return None,
    };
    Some(what.to_owned())
}

/// Whether every text of the one character set can be written in the other.
pub(super) fn holds_all(before: &str, after: &str) -> bool {
    before == after
        || before == "ascii"
        || (before == "utf8mb3" && after == "utf8mb4")
        || matches!(after, "utf8mb4" | "utf16" | "utf32")
        || after == "utf8mb3" && matches!(before, "latin1" | "ucs2")
}
