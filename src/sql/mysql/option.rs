//! Options of a table.

use super::types::{charset_name, eats_charset};
use crate::sql::cursor::Cursor;
use crate::sql::statement::Action;

/// Options that are a name and a value, of MySQL, MariaDB and their engines.
const NAMED: &[&str] = &[
    "auto_increment",
    "autoextend_size",
    "avg_row_length",
    "checksum",
    "table_checksum",
    "comment",
    "compression",
    "connection",
    "delay_key_write",
    "encryption",
    "encrypted",
    "encryption_key_id",
    "engine_attribute",
    "secondary_engine_attribute",
    "secondary_engine",
    "ietf_quotes",
    "insert_method",
    "itef_quotes",
    "max_rows",
    "min_rows",
    "pack_keys",
    "page_checksum",
    "page_compressed",
    "page_compression_level",
    "password",
    "sequence",
    "stats_auto_recalc",
    "stats_persistent",
    "stats_sample_pages",
    "transactional",
];

/// An option: what it is called, in lower case, and its value.
#[derive(Debug)]
enum TableOption {
    Charset(String),
    Collation(String),
    Named(String, String),
}

/// The option that is next, if one is. What cannot be read is left.
fn option(c: &mut Cursor<'_>) -> Option<TableOption> {
    let mut ahead = *c;
    let default = ahead.eat("DEFAULT");
    let found = of_text(&mut ahead).or_else(|| {
        ahead = *c;
        if default { None } else { named(&mut ahead) }
    })?;
    *c = ahead;
    Some(found)
}

/// A character set or a collation.
fn of_text(c: &mut Cursor<'_>) -> Option<TableOption> {
    if eats_charset(c) {
        c.symbol('=');
        return Some(TableOption::Charset(charset_name(c)?));
    }
    if !c.eat("COLLATE") {
        return None;
    }
    c.symbol('=');
    Some(TableOption::Collation(charset_name(c)?))
}

fn named(c: &mut Cursor<'_>) -> Option<TableOption> {
    let (name, value) = if c.eat_all(&["WITH", "SYSTEM", "VERSIONING"]) {
        ("system versioning", "with".to_owned())
    } else if c.eat_all(&["START", "TRANSACTION"]) {
        ("start transaction", String::new())
    } else if c.eat_all(&["DATA", "DIRECTORY"]) {
        c.symbol('=');
        ("data directory", c.string()?)
    } else if c.eat_all(&["INDEX", "DIRECTORY"]) {
        c.symbol('=');
        ("index directory", c.string()?)
    } else if c.eat("ENGINE") || (c.is_symbol_at(1, '=') && c.eat("TYPE")) {
        c.symbol('=');
        ("engine", c.string().or_else(|| c.name())?.to_lowercase())
    } else if let Some(name) = c.eat_any(&["row_format", "key_block_size"]) {
        c.symbol('=');
        (name, value(c)?.to_lowercase())
    } else if c.eat("TABLESPACE") {
        c.symbol('=');
        ("tablespace", c.name()?)
    } else if c.eat("STORAGE") {
        ("storage", c.eat_any(&["disk", "memory", "default"])?.to_owned())
    } else if c.eat("UNION") {
        c.symbol('=');
        ("union", c.group()?.rest_text().to_owned())
    } else if let Some(name) = c.eat_any(NAMED) {
        c.symbol('=');
        (name, value(c)?)
    } else {
        // An engine of MariaDB may have options of its own, which need the sign.
        let name = c.name()?;
        let value = if c.symbol('=') { value(c)? } else { return None };
        return Some(TableOption::Named(name.to_lowercase(), value));
    };
    Some(TableOption::Named(name.to_owned(), value))
}

/// A word, a number or a string, without its quotes.
fn value(c: &mut Cursor<'_>) -> Option<String> {
    c.string().or_else(|| c.number().map(|number| number.to_string())).or_else(|| c.name())
}

/// What the options of an `ALTER TABLE` that stand side by side change. Those of a character set and
/// its collation are one.
pub(super) fn actions(c: &mut Cursor<'_>) -> Vec<Action> {
    let mut actions = Vec::new();
    while let Some(next) = option(c) {
        let action = match next {
            TableOption::Charset(charset) => {
                Action::DefaultCharset { charset: Some(charset), collation: None }
            }
            TableOption::Collation(collation) => match actions.last_mut() {
                Some(Action::DefaultCharset { collation: none @ None, .. }) => {
                    *none = Some(collation);
                    continue;
                }
                _ => Action::DefaultCharset { charset: None, collation: Some(collation) },
            },
            TableOption::Named(name, value) => match name.as_str() {
                "engine" => Action::Engine(value),
                "row_format" => Action::RowFormat(value),
                "key_block_size" => Action::RowFormat(format!("key_block_size={value}")),
                _ => Action::TableOption { name, value },
            },
        };
        actions.push(action);
    }
    actions
}

/// The options of a `CREATE TABLE`.
pub(super) fn options(c: &mut Cursor<'_>) -> Vec<(String, String)> {
    let mut options = Vec::new();
    while let Some(next) = option(c) {
        options.push(match next {
            TableOption::Charset(charset) => ("charset".to_owned(), charset),
            TableOption::Collation(name) => ("collate".to_owned(), name),
            TableOption::Named(name, value) => (name, value),
        });
        c.symbol(',');
    }
    options
}
