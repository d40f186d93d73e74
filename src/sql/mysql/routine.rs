//! Triggers, procedures, functions, events, and the statements in their bodies.

use super::Reader;
use super::key::if_not_exists;
use super::types::data_type;
use crate::sql::cursor::Cursor;
use crate::sql::relations::query;
use crate::sql::rows::Said;
use crate::sql::statement::{Body, Signature, Statement, What};

/// `DEFINER = user`, if it is next.
pub(super) fn definer(c: &mut Cursor<'_>) -> Option<()> {
    if c.eat("DEFINER") {
        c.symbol('=');
        user(c)?;
    }
    Some(())
}

fn user(c: &mut Cursor<'_>) -> Option<()> {
    c.string().or_else(|| c.name())?;
    let _ = c.group();
    if c.symbol('@') {
        c.string().or_else(|| c.name())?;
    }
    Some(())
}

/// What stands behind `CREATE … TRIGGER`.
pub(super) fn trigger(c: &mut Cursor<'_>, reader: Reader) -> Option<Said> {
    if_not_exists(c);
    let name = c.qualified()?;
    c.eat_any(&["BEFORE", "AFTER"])?;
    c.until(|c| c.is("ON"));
    if !c.eat("ON") {
        return None;
    }
    let table = c.qualified()?;
    if !c.eat_all(&["FOR", "EACH", "ROW"]) {
        return None;
    }
    if c.eat_any(&["FOLLOWS", "PRECEDES"]).is_some() {
        c.name()?;
    }
    let body = Some(body(c, reader, Vec::new())?);
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

/// What stands behind `CREATE … EVENT`, or behind `ALTER … EVENT`.
pub(super) fn event(c: &mut Cursor<'_>, reader: Reader, kind: &'static str) -> Option<Said> {
    if_not_exists(c);
    let name = c.qualified()?;
    c.until(|c| c.is("DO"));
    let body = if c.eat("DO") { Some(body(c, reader, Vec::new())?) } else { None };
    Some((kind, What::CreateRoutine { name, body, signature: Signature::default() }))
}

/// What stands behind `CREATE … PROCEDURE` or `FUNCTION`.
pub(super) fn routine(c: &mut Cursor<'_>, reader: Reader, kind: &'static str) -> Option<Said> {
    if_not_exists(c);
    let name = c.qualified()?;
    let Some(parameters) = c.group() else {
        // A function of a library.
        if !(c.eat("RETURNS") && c.word().is_some()) {
            return None;
        }
        c.rest();
        return Some((
            kind,
            What::CreateRoutine { name, body: None, signature: Signature::default() },
        ));
    };
    let mut locals = Vec::new();
    for mut parameter in parameters.split(',') {
        parameter.eat_any(&["IN", "OUT", "INOUT"]);
        locals.push(parameter.name()?);
    }
    if c.eat_any(&["RETURNS", "RETURN"]).is_some() {
        data_type(c)?;
        if c.eat("COLLATE") {
            c.name()?;
        }
    }
    let mut language = "sql".to_owned();
    loop {
        if c.eat("LANGUAGE") {
            language = c.name()?.to_lowercase();
        } else if c.eat("COMMENT") {
            c.string()?;
        } else if c.eat_all(&["SQL", "SECURITY"]) {
            c.eat_any(&["DEFINER", "INVOKER"])?;
        } else if !CHARACTERISTICS.iter().any(|words| c.eat_all(words)) {
            break;
        }
    }
    let body = if language == "sql" {
        body(c, reader, locals)?
    } else {
        let unread = vec!["its language is not one that is read here".to_owned()];
        let text = c.rest().rest_text().to_owned();
        Body { language, statements: Vec::new(), unread, text }
    };
    Some((kind, What::CreateRoutine { name, body: Some(body), signature: Signature::default() }))
}

const CHARACTERISTICS: &[&[&str]] = &[
    &["NOT", "DETERMINISTIC"],
    &["DETERMINISTIC"],
    &["CONTAINS", "SQL"],
    &["NO", "SQL"],
    &["READS", "SQL", "DATA"],
    &["MODIFIES", "SQL", "DATA"],
];

/// A statement, or many between `BEGIN` and `END`. None if there is none.
pub(super) fn body(c: &mut Cursor<'_>, reader: Reader, locals: Vec<String>) -> Option<Body> {
    if c.done() {
        return None;
    }
    let text = c.rest_text().to_owned();
    let reader = reader.deeper();
    let mut block = Block { c: *c, reader, locals, statements: Vec::new(), unread: Vec::new() };
    while !block.c.done() {
        block.step();
    }
    c.rest();
    let Block { statements, unread, .. } = block;
    Some(Body { language: "sql".to_owned(), statements, unread, text })
}

/// Words that only hold statements together, with a label behind some of them.
const HOLDING: &[&str] = &["BEGIN", "ELSE", "LOOP", "REPEAT"];

struct Block<'a> {
    c: Cursor<'a>,
    reader: Reader,
    /// Names of parameters and variables.
    locals: Vec<String>,
    statements: Vec<Statement>,
    unread: Vec<String>,
}

impl Block<'_> {
    fn step(&mut self) {
        let c = &mut self.c;
        if c.symbol(';') || c.eat_all(&["BEGIN", "NOT", "ATOMIC"]) {
            return;
        }
        // `label:`
        if c.is_symbol_at(1, ':') {
            c.skip();
            c.skip();
            return;
        }
        if c.eat("END") {
            self.end();
        } else if c.is("DECLARE") {
            self.declare();
        } else if c.eat_any(&["IF", "ELSEIF", "ELSIF", "WHEN"]).is_some() {
            self.expression(&["THEN"]);
        } else if c.eat_any(&["WHILE", "FOR"]).is_some() {
            self.expression(&["DO", "LOOP"]);
        } else if c.eat("CASE") {
            self.expression(&["WHEN"]);
        } else if c.eat("UNTIL") {
            self.expression(&["END"]);
        } else if c.eat_any(&["RETURN", "OPEN", "FETCH", "CLOSE", "LEAVE", "ITERATE"]).is_some() {
            self.expression(&[]);
        } else if c.eat_any(HOLDING).is_none() {
            self.statement();
        }
    }

    /// What an `END` says of what it ends.
    fn end(&mut self) {
        self.c.eat_any(&["IF", "CASE", "LOOP", "WHILE", "REPEAT", "FOR"]);
        let mut ahead = self.c;
        if ahead.name().is_some() && (ahead.done() || ahead.is_symbol(';')) {
            self.c = ahead;
        }
    }

    /// What decides, up to the word behind which the statements stand that it decides about, or to
    /// the end of the statement. It is remembered if it reads or calls.
    fn expression(&mut self, stop: &[&str]) {
        let from = self.c.at();
        // A CASE within it has a WHEN, a THEN and an END of its own.
        let mut depth = 0_u32;
        while !self.c.done() && !self.c.is_symbol(';') {
            if depth == 0 && self.c.is_any(stop) {
                break;
            }
            depth += u32::from(self.c.is("CASE"));
            depth = depth.saturating_sub(u32::from(self.c.is("END")));
            self.c.skip();
        }
        let found = query(self.c.part_since(from));
        if !found.reads.is_empty() || !found.calls.is_empty() {
            let span = self.c.span_since(from);
            let kind = "SELECT".to_owned();
            self.statements.push(Statement { span, kind, what: What::Query(found), since: None });
        }
        // A WHEN or an END begins what follows.
        self.c.eat_any(&["THEN", "DO", "LOOP"]);
    }

    /// A variable, a condition, a cursor with its query, or a handler, which a statement follows.
    fn declare(&mut self) {
        let c = &mut self.c;
        c.skip();
        if c.eat_any(&["CONTINUE", "EXIT", "UNDO"]).is_some() && c.eat_all(&["HANDLER", "FOR"]) {
            loop {
                if c.eat("SQLSTATE") {
                    c.eat("VALUE");
                    c.skip();
                } else if !c.eat_all(&["NOT", "FOUND"]) {
                    c.skip();
                }
                if !c.symbol(',') {
                    return;
                }
            }
        }
        while let Some(name) = c.name_unless(&["DEFAULT"]) {
            self.locals.push(name);
            if !c.symbol(',') {
                break;
            }
        }
        self.expression(&[]);
    }

    fn statement(&mut self) {
        let mut part = self.c.until(|c| c.is_symbol(';'));
        let statement = self.reader.statement(&mut part, &self.locals);
        match statement.what {
            What::Do(body) => {
                self.unread.extend(body.unread);
                self.statements.extend(body.statements);
            }
            What::Query(query) if statement.kind == "SET" && query.reads.is_empty() => {
                if !query.calls.is_empty() {
                    let what = What::Query(query);
                    self.statements.push(Statement { what, ..statement });
                }
            }
            what => self.statements.push(Statement { what, ..statement }),
        }
    }
}
