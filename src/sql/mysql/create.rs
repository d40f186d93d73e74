//! `CREATE` of tables, indexes and views.

use super::alter::period;
use super::column::column;
use super::key::{self, Key, if_not_exists, is_key, key};
use super::option::options;
use super::partition;
use crate::sql::cursor::Cursor;
use crate::sql::relations::{identifiers, query};
use crate::sql::statement::{CreateIndex, CreateTable, Name, Online, What};

/// A table that is made of nothing.
pub(super) fn empty(name: Name) -> CreateTable {
    CreateTable {
        name,
        or_replace: false,
        if_not_exists: false,
        temporary: false,
        columns: Vec::new(),
        constraints: Vec::new(),
        indexes: Vec::new(),
        partition_of: None,
        partition_by: None,
        inherits: Vec::new(),
        like: Vec::new(),
        bounds: None,
        from_query: None,
        without_data: false,
        options: Vec::new(),
    }
}

/// What stands behind `CREATE … TABLE`.
pub(super) fn table(c: &mut Cursor<'_>, or_replace: bool, temporary: bool) -> Option<What> {
    let if_not_exists = if_not_exists(c);
    let mut table = CreateTable { or_replace, if_not_exists, temporary, ..empty(c.qualified()?) };
    if c.eat("LIKE") {
        table.like.push(c.qualified()?);
        table.options.push(whole_copy());
        return Some(What::CreateTable(Box::new(table)));
    }
    let mut ahead = *c;
    if let Some(mut inner) = ahead.group()
        && !inner.is_any(&["SELECT", "WITH", "VALUES", "TABLE"])
        && !inner.is_symbol('(')
    {
        *c = ahead;
        if inner.eat("LIKE") {
            table.like.push(inner.qualified()?);
            table.options.push(whole_copy());
            return inner.done().then(|| What::CreateTable(Box::new(table)));
        }
        for part in inner.split(',') {
            let mut read = part;
            if element(&mut read, &mut table).is_none() || !read.done() {
                // Said where it is: that is where reading ends.
                *c = read;
                return None;
            }
        }
    }
    table.options = options(c);
    if c.eat_all(&["PARTITION", "BY"]) {
        table.partition_by = Some(partition::by(c)?);
    }
    c.eat_any(&["IGNORE", "REPLACE"]);
    let named = c.eat("AS");
    if named || !c.done() {
        // A parenthesis that is never closed may have held columns.
        let mut ahead = *c;
        if !c.is_any(&["SELECT", "WITH", "VALUES", "TABLE"]) && ahead.group().is_none() {
            return None;
        }
        table.from_query = Some(query(c.rest()));
    }
    Some(What::CreateTable(Box::new(table)))
}

fn element(c: &mut Cursor<'_>, table: &mut CreateTable) -> Option<()> {
    if c.are(&["PERIOD", "FOR"]) {
        table.options.push(("period".to_owned(), period(c)?));
    } else if is_key(c) {
        match key(c, &table.name)?.0 {
            Key::Index(index) => table.indexes.push(index),
            Key::Constraint(constraint) => table.constraints.push(constraint),
        }
    } else {
        table.columns.push(column(c)?);
    }
    Some(())
}

/// What stands behind `CREATE`, of an index.
pub(super) fn index(c: &mut Cursor<'_>) -> Option<What> {
    c.eat_any(&["ONLINE", "OFFLINE"]);
    let (unique, kind) = key::kind(c);
    if !c.eat("INDEX") {
        return None;
    }
    let if_not_exists = if_not_exists(c);
    let name = c.name()?;
    if c.eat_any(&["USING", "TYPE"]).is_some() {
        c.eat_any(&["BTREE", "HASH", "RTREE"])?;
    }
    if !c.eat("ON") {
        return None;
    }
    let table = c.qualified()?;
    let mut online = Online { wait: key::wait(c), ..Online::default() };
    let parts = key::parts(c)?;
    // It may stand on either side of the parts.
    online.wait = online.wait.or(key::wait(c));
    loop {
        key::options(c)?;
        if !key::online(c, &mut online)? {
            break;
        }
    }
    let index = CreateIndex {
        include: Vec::new(),
        name: Some(Name::plain(name)),
        table,
        only: false,
        unique,
        concurrently: false,
        if_not_exists,
        parts,
        predicate: None,
        kind,
        online,
    };
    Some(What::CreateIndex(Box::new(index)))
}

/// What stands behind `CREATE … VIEW`.
pub(super) fn view(c: &mut Cursor<'_>, or_replace: bool) -> Option<What> {
    if_not_exists(c);
    let name = c.qualified()?;
    let mut columns = Vec::new();
    if let Some(mut inner) = c.group() {
        columns = inner.names().filter(|_| inner.done())?;
    }
    if !c.eat("AS") {
        return None;
    }
    let text = c.rest();
    let mut mentions = identifiers(text);
    mentions.retain(|name| !columns.contains(name));
    let reads = query(text).reads;
    Some(What::CreateView {
        name,
        materialized: false,
        or_replace,
        reads,
        mentions,
        columns: Vec::new(),
        calls: Vec::new(),
    })
}

/// `LIKE` here copies indexes and options as well, unlike PostgreSQL's.
fn whole_copy() -> (String, String) {
    ("like".to_owned(), String::new())
}
