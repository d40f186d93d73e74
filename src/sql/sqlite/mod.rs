//! SQLite.

mod alter;
mod create;
mod table;

use std::ops::Range;

use super::Tokens;
use super::cursor::{Cursor, Opening, cut};
use super::rows::{Said, rows};
use super::statement::{
    Drop, Maintenance, Name, Online, Query, Reindexed, Scope, Setting, Statement, Transaction, What,
};

/// Reads one statement.
pub(super) fn statement(text: &str, span: Range<usize>) -> Statement {
    // No comment of SQLite has a condition.
    let tokens = cut(Tokens::Sqlite, text, &span, |text| Opening::Hides(text.len()));
    let mut c = Cursor::new(Tokens::Sqlite, text, &tokens);
    Statement { span, ..read(&mut c) }
}

/// Reads what is left as one statement.
fn read(c: &mut Cursor<'_>) -> Statement {
    let from = *c;
    let said = said(c);
    let stuck = *c;
    c.rest();
    let span = c.span_since(from.at());
    match said {
        Some((kind, what)) if stuck.done() => {
            Statement { span, kind: kind.to_owned(), what, since: None }
        }
        _ => Statement {
            span,
            kind: from.word().unwrap_or_default().to_uppercase(),
            what: What::Unknown { why: stuck.unread() },
            since: None,
        },
    }
}

fn said(c: &mut Cursor<'_>) -> Option<Said> {
    const ROWS: &[&str] = &["SELECT", "VALUES", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE"];
    if c.is_any(ROWS) {
        return rows(c);
    }
    let words = [
        "CREATE", "ALTER", "DROP", "PRAGMA", "VACUUM", "REINDEX", "ANALYZE", "ATTACH", "DETACH",
        "EXPLAIN",
    ];
    match c.eat_any(&words) {
        Some("CREATE") => create::create(c),
        Some("ALTER") => {
            if !c.eat("TABLE") {
                return None;
            }
            Some(("ALTER TABLE", alter::alter_table(c)?))
        }
        Some("DROP") => drop(c),
        Some("PRAGMA") => pragma(c),
        Some("VACUUM") => {
            let copies = c.until(|c| c.is("INTO")).left() <= 1 && c.eat("INTO");
            if copies {
                // Into another file: this one is read.
                c.rest();
                return Some(("VACUUM INTO", What::Query(Query::default())));
            }
            Some(("VACUUM", What::Maintenance { of: Maintenance::VacuumFull, tables: Vec::new() }))
        }
        Some("REINDEX") => {
            let name = if c.done() { None } else { Some(c.qualified()?) };
            let of = if name.is_some() { Reindexed::Table } else { Reindexed::Database };
            Some(("REINDEX", What::Reindex { of, name, concurrently: false }))
        }
        Some("ANALYZE") => {
            let tables = if c.done() { Vec::new() } else { vec![c.qualified()?] };
            Some(("ANALYZE", What::Maintenance { of: Maintenance::Analyze, tables }))
        }
        Some(kind) => {
            c.rest();
            Some((kind_of(kind), What::Other))
        }
        None => transaction(c),
    }
}

fn kind_of(word: &str) -> &'static str {
    match word {
        "ATTACH" => "ATTACH",
        "DETACH" => "DETACH",
        _ => "EXPLAIN",
    }
}

fn transaction(c: &mut Cursor<'_>) -> Option<Said> {
    let words = ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"];
    let verb = c.eat_any(&words)?;
    if verb == "BEGIN" {
        c.eat_any(&["DEFERRED", "IMMEDIATE", "EXCLUSIVE", "CONCURRENT"]);
    }
    if matches!(verb, "SAVEPOINT" | "RELEASE") {
        c.eat("SAVEPOINT");
        c.name()?;
        return Some((
            if verb == "RELEASE" { "RELEASE" } else { "SAVEPOINT" },
            What::Transaction(Transaction::Savepoint),
        ));
    }
    if c.eat("TRANSACTION") {
        // It may have a name, which means nothing.
        c.name_unless(&["TO"]);
    }
    Some(match verb {
        "BEGIN" => ("BEGIN", What::Transaction(Transaction::Begin)),
        "ROLLBACK" if c.eat("TO") => {
            c.eat("SAVEPOINT");
            c.name()?;
            ("ROLLBACK", What::Transaction(Transaction::Savepoint))
        }
        "ROLLBACK" => ("ROLLBACK", What::Transaction(Transaction::Rollback)),
        _ => ("COMMIT", What::Transaction(Transaction::Commit)),
    })
}

fn drop(c: &mut Cursor<'_>) -> Option<Said> {
    let of = c.eat_any(&["TABLE", "INDEX", "VIEW", "TRIGGER"])?;
    let if_exists = c.eat_all(&["IF", "EXISTS"]);
    let name = c.qualified()?;
    let drop = Drop { names: vec![name.clone()], if_exists, cascade: false, temporary: false };
    Some(match of {
        "TABLE" => ("DROP TABLE", What::DropTable(drop)),
        "VIEW" => ("DROP VIEW", What::DropView { drop, materialized: false }),
        "INDEX" => {
            let online = Online::default();
            ("DROP INDEX", What::DropIndex { drop, table: None, concurrently: false, online })
        }
        _ => ("DROP TRIGGER", What::DropTrigger { name, table: None, if_exists }),
    })
}

/// `PRAGMA`: it sets, asks, or does something.
fn pragma(c: &mut Cursor<'_>) -> Option<Said> {
    /// What is in the parentheses of these is what they are asked about.
    const ASKS: &[&str] = &[
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
    ];
    let name = c.qualified()?.name.to_lowercase();
    let value = if c.symbol('=') { Some(c.rest()) } else { c.group() };
    let value = value.map(|mut value| {
        let whole = value;
        value.string().filter(|_| value.done()).unwrap_or_else(|| whole.rest_text().to_owned())
    });
    let work = |of| {
        let tables = value.iter().map(Name::plain).collect();
        Some(("PRAGMA", What::Maintenance { of, tables }))
    };
    match name.as_str() {
        "integrity_check" | "quick_check" | "foreign_key_check" => work(Maintenance::Check),
        "optimize" => {
            let of = Maintenance::Analyze;
            Some(("PRAGMA", What::Maintenance { of, tables: Vec::new() }))
        }
        "incremental_vacuum" => {
            let of = Maintenance::Vacuum;
            Some(("PRAGMA", What::Maintenance { of, tables: Vec::new() }))
        }
        asked if ASKS.contains(&asked) => Some(("PRAGMA", What::Other)),
        _ if value.is_none() => Some(("PRAGMA", What::Other)),
        _ => Some(("PRAGMA", What::Set(vec![Setting { scope: Scope::Session, name, value }]))),
    }
}

#[cfg(test)]
mod tests;
