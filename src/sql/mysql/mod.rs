//! MySQL and MariaDB.

mod alter;
mod column;
mod comment;
mod create;
mod key;
mod option;
mod other;
mod partition;
mod routine;
mod setting;
mod types;

use std::ops::Range;

use super::Tokens;
use super::cursor::{Cursor, cut};
use super::parse::Source;
use super::rows::{Said, rows};
use super::statement::{Body, Statement, What};

/// Statements in bodies of bodies are looked into so deep.
const DEEPEST: u8 = 8;

/// Reads one statement.
pub(super) fn statement(source: Source, text: &str, span: Range<usize>) -> Statement {
    let tokens = cut(Tokens::MySql, text, &span, |text| comment::opening(source, text));
    let mut c = Cursor::new(Tokens::MySql, text, &tokens);
    if c.done() {
        // All of it is in a comment that this server does not run.
        return Statement { span, kind: "COMMENT".to_owned(), what: What::Other, since: None };
    }
    let read = Reader { depth: 0 }.statement(&mut c, &[]);
    Statement { span, ..read }
}

/// How deep in bodies a statement stands.
#[derive(Debug, Clone, Copy)]
struct Reader {
    depth: u8,
}

impl Reader {
    fn deeper(self) -> Self {
        Self { depth: self.depth.saturating_add(1) }
    }

    /// Reads what is left as one statement.
    fn statement(self, c: &mut Cursor<'_>, locals: &[String]) -> Statement {
        let from = *c;
        let said = if self.depth < DEEPEST { self.said(c, locals) } else { None };
        let stuck = *c;
        c.rest();
        let span = c.span_since(from.at());
        match said {
            Some((kind, what)) if stuck.done() => {
                Statement { span, kind: kind.to_owned(), what, since: None }
            }
            _ => {
                let kind = from.word().unwrap_or_default().to_uppercase();
                let why = if self.depth < DEEPEST {
                    stuck.unread()
                } else {
                    "it stands too deep in other statements".to_owned()
                };
                Statement { span, kind, what: What::Unknown { why }, since: None }
            }
        }
    }

    fn said(self, c: &mut Cursor<'_>, locals: &[String]) -> Option<Said> {
        if c.is_symbol('(') {
            return rows(c);
        }
        let first = c.word()?.to_ascii_uppercase();
        match first.as_str() {
            "ALTER" => self.alter(c),
            "CREATE" => self.create(c),
            "DROP" => other::drop(c),
            "SELECT" | "VALUES" | "TABLE" | "WITH" | "INSERT" | "REPLACE" | "UPDATE" | "DELETE" => {
                rows(c)
            }
            "SET" => self.set(c, locals),
            "BEGIN" if c.left() == 1 || (c.left() == 2 && c.is_at(1, "WORK")) => {
                other::transaction(c)
            }
            // MariaDB runs a block outside of routines, too.
            "BEGIN" | "IF" | "LOOP" | "WHILE" | "REPEAT" | "CASE" | "FOR" => {
                let kinds = ["BEGIN", "IF", "LOOP", "WHILE", "REPEAT", "CASE", "FOR"];
                let kind = kinds.iter().find(|kind| first == **kind)?;
                Some((kind, What::Do(routine::body(c, self, Vec::new())?)))
            }
            "EXPLAIN" | "DESCRIBE" | "DESC" | "ANALYZE" if other::runs_explained(c) => {
                c.skip();
                c.eat("ANALYZE");
                if c.eat("FORMAT") {
                    c.symbol('=');
                    c.skip();
                }
                rows(c)
            }
            _ => other::other(c),
        }
    }

    fn set(self, c: &mut Cursor<'_>, locals: &[String]) -> Option<Said> {
        c.skip();
        // MariaDB: settings for one statement, which is what matters.
        if c.is("STATEMENT") && !c.is_symbol_at(1, '=') {
            c.until(|c| c.is("FOR"));
            c.skip();
            return if c.is("SET") { None } else { self.said(c, locals) };
        }
        setting::set(c, locals)
    }

    fn alter(self, c: &mut Cursor<'_>) -> Option<Said> {
        c.skip();
        let whole = *c;
        c.eat_while(&["ONLINE", "OFFLINE", "IGNORE"]);
        if c.eat("TABLE") {
            return Some(("ALTER TABLE", alter::alter_table(c)?));
        }
        *c = whole;
        if c.is_any(&["ALGORITHM", "DEFINER", "SQL", "VIEW", "EVENT"]) {
            view_head(c)?;
            if c.eat("VIEW") {
                return Some(("ALTER VIEW", create::view(c, true)?));
            }
            if c.eat("EVENT") {
                return routine::event(c, self, "ALTER EVENT");
            }
            return None;
        }
        other::alter(c)
    }

    fn create(self, c: &mut Cursor<'_>) -> Option<Said> {
        c.skip();
        let or_replace = c.eat_all(&["OR", "REPLACE"]);
        let temporary = c.eat("TEMPORARY");
        if c.eat("TABLE") {
            return Some(("CREATE TABLE", create::table(c, or_replace, temporary)?));
        }
        let kinds = ["ONLINE", "OFFLINE", "UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR", "INDEX"];
        if c.is_any(&kinds) && !c.are(&["SPATIAL", "REFERENCE"]) {
            return Some(("CREATE INDEX", create::index(c)?));
        }
        view_head(c)?;
        c.eat("AGGREGATE");
        match c.eat_any(&["VIEW", "TRIGGER", "PROCEDURE", "FUNCTION", "EVENT"]) {
            Some("VIEW") => Some(("CREATE VIEW", create::view(c, or_replace)?)),
            Some("TRIGGER") => routine::trigger(c, self),
            Some("PROCEDURE") => routine::routine(c, self, "CREATE PROCEDURE"),
            Some("FUNCTION") => routine::routine(c, self, "CREATE FUNCTION"),
            Some(_) => routine::event(c, self, "CREATE EVENT"),
            None => other::create(c, or_replace),
        }
    }
}

/// What may stand before the word that says what is made: `ALGORITHM = MERGE DEFINER = … SQL SECURITY
/// INVOKER`.
fn view_head(c: &mut Cursor<'_>) -> Option<()> {
    if c.eat("ALGORITHM") {
        c.symbol('=');
        c.eat_any(&["UNDEFINED", "MERGE", "TEMPTABLE"])?;
    }
    routine::definer(c)?;
    if c.eat_all(&["SQL", "SECURITY"]) {
        c.eat_any(&["DEFINER", "INVOKER"])?;
    }
    Some(())
}

/// Code that stands elsewhere.
fn elsewhere(text: &str, why: String) -> What {
    What::Do(Body {
        language: "sql".to_owned(),
        statements: Vec::new(),
        unread: vec![why],
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests;
