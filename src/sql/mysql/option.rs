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
    "type",
];

/// An option: what it is called, in lower case, and its value.
#[derive(Debug)]
pub(super) enum TableOption {
    Charset(String),
    Collation(String),
    Named(String, String),
}

/// The option that is next, if one is. None if it begins as one but cannot be read.
pub(super) fn option(c: &mut Cursor<'_>) -> Option<Option<TableOption>> {
    let whole = *c;
    let default = c.eat("DEFAULT");
    if eats_charset(c) {
        c.symbol('=');
        return Some(Some(TableOption::Charset(charset_name(c)?)));
    }
    if c.eat("COLLATE") {
        c.symbol('=');
        return Some(Some(TableOption::Collation(charset_name(c)?)));
    }
    if default {
        *c = whole;
        return None;
    }
    if c.is("TYPE") && !c.is_symbol_at(1, '=') {
        return Some(None);
    }
    let named = |name: &str, value: String| Some(Some(TableOption::Named(name.to_owned(), value)));
    if c.eat_any(&["ENGINE", "TYPE"]).is_some() {
        c.symbol('=');
        return named("engine", c.string().or_else(|| c.name())?.to_lowercase());
    }
    if let Some(name) = c.eat_any(&["row_format", "key_block_size"]) {
        c.symbol('=');
        return named(name, value(c)?.to_lowercase());
    }
    if c.eat_all(&["DATA", "DIRECTORY"]) || c.eat_all(&["INDEX", "DIRECTORY"]) {
        c.symbol('=');
        return named("directory", c.string()?);
    }
    if c.eat("TABLESPACE") {
        c.symbol('=');
        let name = c.name()?;
        if c.eat("STORAGE") {
            c.eat_any(&["DISK", "MEMORY", "DEFAULT"])?;
        }
        return named("tablespace", name);
    }
    if let Some(storage) = c.eat("STORAGE").then(|| c.eat_any(&["DISK", "MEMORY"])) {
        return named("storage", storage?.to_lowercase());
    }
    if c.eat("UNION") {
        c.symbol('=');
        return named("union", c.group()?.rest_text().to_owned());
    }
    if c.eat("START") {
        if !c.eat("TRANSACTION") {
            return None;
        }
        return named("start transaction", String::new());
    }
    if c.eat_all(&["WITH", "SYSTEM", "VERSIONING"]) {
        return named("system versioning", "with".to_owned());
    }
    if let Some(name) = c.eat_any(NAMED) {
        c.symbol('=');
        return named(name, value(c)?);
    }
    // An engine of MariaDB may have options of its own, which need the sign.
    let mut ahead = *c;
    if let Some(name) = ahead.name()
        && ahead.symbol('=')
    {
        let value = value(&mut ahead)?;
        *c = ahead;
        return named(&name.to_lowercase(), value);
    }
    Some(None)
}

/// A word, a number or a string, without its quotes.
fn value(c: &mut Cursor<'_>) -> Option<String> {
    c.string().or_else(|| c.number().map(|number| number.to_string())).or_else(|| c.name())
}

/// What the options of an `ALTER TABLE` that stand side by side change. Those of a character set and
/// its collation are one.
pub(super) fn actions(c: &mut Cursor<'_>) -> Option<Vec<Action>> {
    let mut actions = Vec::new();
    while let Some(next) = option(c)? {
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
    Some(actions)
}

/// The options of a `CREATE TABLE`.
pub(super) fn options(c: &mut Cursor<'_>) -> Option<Vec<(String, String)>> {
    let mut options = Vec::new();
    loop {
        match option(c)? {
            Some(TableOption::Charset(charset)) => options.push(("charset".to_owned(), charset)),
            Some(TableOption::Collation(name)) => options.push(("collate".to_owned(), name)),
            Some(TableOption::Named(name, value)) => options.push((name, value)),
            None => return Some(options),
        }
        c.symbol(',');
    }
}
