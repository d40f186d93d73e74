//! `CREATE`.

use super::read;
use super::table::{column, constraint, is_constraint, part};
use crate::sql::cursor::Cursor;
use crate::sql::relations::{identifiers, query};
use crate::sql::rows::Said;
use crate::sql::statement::{
    Body, CreateIndex, CreateTable, IndexKind, Name, Online, Statement, What,
};

/// What stands behind `CREATE`.
pub(super) fn create(c: &mut Cursor<'_>) -> Option<Said> {
    let temporary = c.eat_any(&["TEMP", "TEMPORARY"]).is_some();
    let is_virtual = c.eat("VIRTUAL");
    let unique = c.eat("UNIQUE");
    let of = c.eat_any(&["TABLE", "INDEX", "VIEW", "TRIGGER"])?;
    let if_not_exists = c.eat_all(&["IF", "NOT", "EXISTS"]);
    let name = c.qualified()?;
    match of {
        "TABLE" => {
            let table = CreateTable { if_not_exists, temporary, ..empty(name) };
            if is_virtual {
                return Some(("CREATE VIRTUAL TABLE", of_module(c, table)?));
            }
            Some(("CREATE TABLE", create_table(c, table)?))
        }
        "INDEX" => Some(("CREATE INDEX", index(c, name, unique, if_not_exists)?)),
        "VIEW" => Some(("CREATE VIEW", view(c, name)?)),
        _ => trigger(c, name),
    }
}

fn empty(name: Name) -> CreateTable {
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

/// `USING module (…)`: what columns it has is the module's to say.
fn of_module(c: &mut Cursor<'_>, mut table: CreateTable) -> Option<What> {
    if !c.eat("USING") {
        return None;
    }
    table.options.push(("virtual".to_owned(), c.name()?.to_lowercase()));
    let _ = c.group();
    Some(What::CreateTable(Box::new(table)))
}

fn create_table(c: &mut Cursor<'_>, mut table: CreateTable) -> Option<What> {
    if c.eat("AS") {
        table.from_query = Some(query(c.rest()));
        return Some(What::CreateTable(Box::new(table)));
    }
    for mut element in c.group()?.split(',') {
        let read = if is_constraint(&element) {
            constraints(&mut element, &mut table)
        } else {
            column(&mut element).map(|column| table.columns.push(column))
        };
        if read.is_none() {
            *c = element;
            return None;
        }
    }
    while !c.done() {
        if c.eat("STRICT") {
            table.options.push(("strict".to_owned(), String::new()));
        } else if c.eat_all(&["WITHOUT", "ROWID"]) {
            table.options.push(("without rowid".to_owned(), String::new()));
        } else {
            return None;
        }
        if c.symbol(',') && c.done() {
            return None;
        }
    }
    Some(What::CreateTable(Box::new(table)))
}

/// No comma has to stand between constraints.
fn constraints(c: &mut Cursor<'_>, table: &mut CreateTable) -> Option<()> {
    while !c.done() {
        table.constraints.push(constraint(c)?);
    }
    Some(())
}

fn index(c: &mut Cursor<'_>, name: Name, unique: bool, if_not_exists: bool) -> Option<What> {
    if !c.eat("ON") {
        return None;
    }
    // The table is in the schema of the index.
    let table = Name { schema: name.schema.clone(), name: c.name()? };
    let parts: Option<Vec<_>> = c.group()?.split(',').into_iter().map(part).collect();
    let predicate = if c.eat("WHERE") { Some(c.rest().rest_expression()?) } else { None };
    Some(What::CreateIndex(Box::new(CreateIndex {
        include: Vec::new(),
        name: Some(name),
        table,
        only: false,
        unique,
        concurrently: false,
        if_not_exists,
        parts: parts?,
        predicate,
        kind: IndexKind::Ordinary,
        online: Online::default(),
    })))
}

fn view(c: &mut Cursor<'_>, name: Name) -> Option<What> {
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
        or_replace: false,
        reads,
        mentions,
        columns: Vec::new(),
        calls: Vec::new(),
        base: None,
    })
}

fn trigger(c: &mut Cursor<'_>, name: Name) -> Option<Said> {
    c.until(|c| c.is("ON"));
    if !c.eat("ON") {
        return None;
    }
    let table = c.qualified()?;
    c.eat_all(&["FOR", "EACH", "ROW"]);
    let when = if c.eat("WHEN") { Some(c.until(|c| c.is("BEGIN"))) } else { None };
    let from = c.at();
    if !c.eat("BEGIN") {
        return None;
    }
    let mut statements = Vec::new();
    if let Some(when) = when
        && let Some(expression) = when.rest_expression()
    {
        let found = query(when);
        if !found.reads.is_empty() {
            let what = What::Query(found);
            statements.push(Statement {
                span: expression.span,
                kind: "SELECT".to_owned(),
                what,
                since: None,
            });
        }
    }
    while !c.eat("END") {
        if c.done() {
            return None;
        }
        statements.push(read(&mut c.until(|c| c.is_symbol(';'))));
        c.symbol(';');
    }
    let text = c.text_since(from).to_owned();
    let body = Some(Body { language: "sql".to_owned(), statements, unread: Vec::new(), text });
    Some((
        "CREATE TRIGGER",
        What::CreateTrigger {
            name,
            table,
            mentions: Vec::new(),
            events: Vec::new(),
            transitions: Vec::new(),
            body,
            or_replace: false,
            calls: None,
            from: None,
        },
    ))
}
