//! Statements of few words: transactions, locks, maintenance, and those that touch no table.

use super::elsewhere;
use super::key::{self, if_exists, if_not_exists, wait};
use crate::sql::cursor::Cursor;
use crate::sql::relations::query;
use crate::sql::rows::Said;
use crate::sql::statement::{
    Dml, Drop, LockMode, Maintenance, Name, Online, Query, SequenceAction, Transaction, Verb, What,
};

/// A statement about something of the server that no table depends on at once, if it is one of
/// these; its verb is taken.
fn of_server(c: &mut Cursor<'_>, kinds: &[&'static str]) -> Option<Said> {
    let is = |kind: &&&str| {
        kind.split(' ').skip(1).enumerate().all(|(ahead, word)| c.is_at(ahead, word))
    };
    let kind = kinds.iter().find(is)?;
    c.rest();
    Some((kind, What::Other))
}

fn dropped(names: Vec<Name>, if_exists: bool, temporary: bool) -> Drop {
    Drop { names, if_exists, cascade: false, temporary }
}

/// `DROP`.
pub(super) fn drop(c: &mut Cursor<'_>) -> Option<Said> {
    c.skip();
    let temporary = c.eat("TEMPORARY");
    c.eat_any(&["ONLINE", "OFFLINE"]);
    if c.eat("INDEX") {
        return drop_index(c);
    }
    let kinds = [
        "TABLE",
        "TABLES",
        "VIEW",
        "TRIGGER",
        "PROCEDURE",
        "FUNCTION",
        "EVENT",
        "DATABASE",
        "SCHEMA",
        "SEQUENCE",
        "PREPARE",
    ];
    let Some(kind) = c.eat_any(&kinds) else {
        let kinds = [
            "DROP USER",
            "DROP ROLE",
            "DROP SERVER",
            "DROP RESOURCE GROUP",
            "DROP SPATIAL REFERENCE SYSTEM",
        ];
        return of_server(c, &kinds);
    };
    let if_exists = if_exists(c);
    if matches!(kind, "TRIGGER" | "DATABASE" | "SCHEMA" | "PREPARE") {
        let name = c.qualified()?;
        return Some(match kind {
            "TRIGGER" => ("DROP TRIGGER", What::DropTrigger { name, table: None, if_exists }),
            "PREPARE" => ("DROP PREPARE", What::Other),
            _ => ("DROP DATABASE", What::DropSchema(dropped(vec![name], if_exists, false))),
        });
    }
    let drop = dropped(c.qualified_list()?, if_exists, temporary);
    wait(c);
    c.eat_any(&["RESTRICT", "CASCADE"]);
    Some(match kind {
        "TABLE" | "TABLES" => ("DROP TABLE", What::DropTable(drop)),
        "VIEW" => ("DROP VIEW", What::DropView { drop, materialized: false }),
        "PROCEDURE" => ("DROP PROCEDURE", What::DropRoutine(drop)),
        "FUNCTION" => ("DROP FUNCTION", What::DropRoutine(drop)),
        "EVENT" => ("DROP EVENT", What::DropRoutine(drop)),
        _ => ("DROP SEQUENCE", What::Sequence { drop, action: SequenceAction::Drop }),
    })
}

fn drop_index(c: &mut Cursor<'_>) -> Option<Said> {
    let if_exists = if_exists(c);
    let name = Name::plain(c.name()?);
    if !c.eat("ON") {
        return None;
    }
    let table = Some(c.qualified()?);
    let mut online = Online { wait: wait(c), ..Online::default() };
    while key::online(c, &mut online)? {}
    let drop = dropped(vec![name], if_exists, false);
    Some(("DROP INDEX", What::DropIndex { drop, table, concurrently: false, online }))
}

/// What stands behind `CREATE`, if it is nothing with columns or a body.
pub(super) fn create(c: &mut Cursor<'_>, or_replace: bool) -> Option<Said> {
    if c.eat_any(&["DATABASE", "SCHEMA"]).is_some() {
        if_not_exists(c);
        let name = c.name()?;
        // To replace a database is to drop it, which the model cannot say.
        let what = (!or_replace).then_some(What::CreateSchema { name, elements: Vec::new() })?;
        c.rest();
        return Some(("CREATE DATABASE", what));
    }
    if c.eat("SEQUENCE") {
        let if_exists = if_not_exists(c);
        let drop = dropped(vec![c.qualified()?], if_exists, false);
        c.rest();
        let action = SequenceAction::Create { owner: None };
        return Some(("CREATE SEQUENCE", What::Sequence { drop, action }));
    }
    let kinds = [
        "CREATE USER",
        "CREATE ROLE",
        "CREATE SERVER",
        "CREATE TABLESPACE",
        "CREATE UNDO TABLESPACE",
        "CREATE LOGFILE GROUP",
        "CREATE RESOURCE GROUP",
        "CREATE SPATIAL REFERENCE SYSTEM",
    ];
    of_server(c, &kinds)
}

/// What stands behind `ALTER`, if it is no table, view or event.
pub(super) fn alter(c: &mut Cursor<'_>) -> Option<Said> {
    if c.eat("SEQUENCE") {
        let if_exists = if_exists(c);
        let drop = dropped(vec![c.qualified()?], if_exists, false);
        c.rest();
        return Some(("ALTER SEQUENCE", What::Sequence { drop, action: SequenceAction::Alter }));
    }
    if c.is_any(&["DATABASE", "SCHEMA"]) {
        // What it says of character sets holds for tables to come; `READ ONLY` holds now.
        c.until(|c| c.is_any(&["READ", "UPGRADE"]));
        return c.done().then_some(("ALTER DATABASE", What::Other));
    }
    let kinds = [
        "ALTER USER",
        "ALTER ROLE",
        "ALTER SERVER",
        "ALTER INSTANCE",
        "ALTER PROCEDURE",
        "ALTER FUNCTION",
        "ALTER RESOURCE GROUP",
    ];
    of_server(c, &kinds)
}

const XA: &[&str] = &["START", "BEGIN", "COMMIT", "ROLLBACK", "END", "PREPARE"];

/// `BEGIN`, `START TRANSACTION`, `COMMIT` and so on.
pub(super) fn transaction(c: &mut Cursor<'_>) -> Option<Said> {
    let words = ["BEGIN", "START", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "XA"];
    let (kind, of) = match c.eat_any(&words)? {
        "BEGIN" => ("BEGIN", Transaction::Begin),
        "START" => ("START TRANSACTION", Transaction::Begin),
        "COMMIT" => ("COMMIT", Transaction::Commit),
        "ROLLBACK" => {
            c.eat("WORK");
            let back = c.is("TO");
            ("ROLLBACK", if back { Transaction::Savepoint } else { Transaction::Rollback })
        }
        "SAVEPOINT" => ("SAVEPOINT", Transaction::Savepoint),
        "RELEASE" => ("RELEASE SAVEPOINT", Transaction::Savepoint),
        _ => match c.eat_any(XA)? {
            "START" | "BEGIN" => ("XA START", Transaction::Begin),
            "COMMIT" => ("XA COMMIT", Transaction::Commit),
            "ROLLBACK" => ("XA ROLLBACK", Transaction::Rollback),
            // They end nothing yet: what is locked stays so.
            _ => ("XA END", Transaction::Savepoint),
        },
    };
    c.rest();
    Some((kind, What::Transaction(of)))
}

/// Whether what an `EXPLAIN` or `ANALYZE` explains is run.
pub(super) fn runs_explained(c: &Cursor<'_>) -> bool {
    let mut ahead = *c;
    ahead.skip();
    let statements =
        ["FORMAT", "SELECT", "INSERT", "REPLACE", "UPDATE", "DELETE", "WITH", "TABLE", "VALUES"];
    if c.is("ANALYZE") {
        return (ahead.is_any(&statements) && !ahead.is("TABLE")) || ahead.is_symbol('(');
    }
    ahead.is("ANALYZE")
}

/// Statements that touch no table, whatever they say further.
const TOUCHES_NOTHING: &[&str] = &[
    "SHOW",
    "EXPLAIN",
    "DESCRIBE",
    "DESC",
    "HELP",
    "USE",
    "KILL",
    "SIGNAL",
    "RESIGNAL",
    "GET",
    "RESET",
    "PURGE",
    "CHANGE",
    "STOP",
    "INSTALL",
    "UNINSTALL",
    "SHUTDOWN",
    "RESTART",
    "DEALLOCATE",
];

/// Everything else.
pub(super) fn other(c: &mut Cursor<'_>) -> Option<Said> {
    let whole = *c;
    if c.eat_all(&["XA", "RECOVER"]) {
        c.rest();
        return Some(("XA RECOVER", What::Other));
    }
    if c.eat("UNLOCK") {
        c.rest();
        return Some(("UNLOCK TABLES", What::Other));
    }
    if let Some(kind) = c.eat_any(TOUCHES_NOTHING) {
        c.rest();
        return Some((kind, What::Other));
    }
    let words = [
        "RENAME", "TRUNCATE", "OPTIMIZE", "ANALYZE", "REPAIR", "CHECK", "CHECKSUM", "LOCK",
        "FLUSH", "START", "GRANT", "REVOKE", "CALL", "DO", "EXECUTE", "PREPARE", "HANDLER", "LOAD",
    ];
    match c.eat_any(&words) {
        None => {
            let said = transaction(c);
            if said.is_none() {
                *c = whole;
            }
            said
        }
        Some("RENAME") => rename(c),
        Some("TRUNCATE") => {
            c.eat("TABLE");
            let tables = vec![c.qualified()?];
            wait(c);
            Some((
                "TRUNCATE TABLE",
                What::Truncate { tables, cascade: false, restart: false, only: Vec::new() },
            ))
        }
        Some(verb @ ("OPTIMIZE" | "ANALYZE" | "REPAIR" | "CHECK" | "CHECKSUM")) => {
            maintenance(c, verb)
        }
        Some("LOCK") => lock(c),
        Some("FLUSH") => flush(c),
        Some("START") => {
            if c.is("TRANSACTION") {
                *c = whole;
                return transaction(c);
            }
            let known = c.is_any(&["SLAVE", "REPLICA", "GROUP_REPLICATION", "ALL"]);
            c.rest();
            known.then_some(("START REPLICA", What::Other))
        }
        Some("GRANT") => Some(grant(c, "GRANT")),
        Some("REVOKE") => Some(grant(c, "REVOKE")),
        Some("CALL") => {
            let why = format!("what the procedure `{}` does stands elsewhere", c.qualified()?);
            c.rest();
            Some(("CALL", elsewhere(whole.rest_text(), why)))
        }
        Some("DO") => {
            let found = query(c.rest());
            Some(("DO", What::Query(found)))
        }
        Some(verb @ ("EXECUTE" | "PREPARE")) => {
            let kind = if verb == "EXECUTE" { "EXECUTE" } else { "PREPARE" };
            c.rest();
            let why = "it runs a text that is only known when it runs".to_owned();
            Some((kind, elsewhere(whole.rest_text(), why)))
        }
        Some("HANDLER") => {
            let reads = vec![c.qualified()?];
            c.rest();
            Some(("HANDLER", What::Query(Query { reads, ..Query::default() })))
        }
        Some(_) => load(c),
    }
}

fn rename(c: &mut Cursor<'_>) -> Option<Said> {
    if c.eat("USER") {
        c.rest();
        return Some(("RENAME USER", What::Other));
    }
    c.eat_any(&["TABLE", "TABLES"])?;
    if_exists(c);
    let mut pairs = Vec::new();
    loop {
        let from = c.qualified()?;
        wait(c);
        if !c.eat("TO") {
            return None;
        }
        pairs.push((from, c.qualified()?));
        if !c.symbol(',') {
            return Some(("RENAME TABLE", What::RenameTables(pairs)));
        }
    }
}

fn maintenance(c: &mut Cursor<'_>, verb: &str) -> Option<Said> {
    c.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    c.eat_any(&["TABLE", "TABLES"])?;
    let tables = c.qualified_list()?;
    let (kind, of) = match verb {
        "OPTIMIZE" => ("OPTIMIZE TABLE", Maintenance::Optimize),
        "ANALYZE" => ("ANALYZE TABLE", Maintenance::Analyze),
        "REPAIR" => ("REPAIR TABLE", Maintenance::Repair),
        "CHECK" => ("CHECK TABLE", Maintenance::Check),
        _ => ("CHECKSUM TABLE", Maintenance::Check),
    };
    // How thorough it is.
    c.rest();
    Some((kind, What::Maintenance { of, tables }))
}

fn lock(c: &mut Cursor<'_>) -> Option<Said> {
    if c.eat("INSTANCE") {
        c.rest();
        return Some(("LOCK INSTANCE", What::Other));
    }
    c.eat_any(&["TABLE", "TABLES"])?;
    let mut locked = Vec::new();
    loop {
        let name = c.qualified()?;
        let modes = ["READ", "WRITE", "LOW_PRIORITY"];
        if c.eat("AS") || !c.is_any(&modes) {
            c.name()?;
        }
        c.eat("LOW_PRIORITY");
        let mode = match c.eat_any(&["READ", "WRITE"])? {
            "READ" => LockMode::Read,
            _ => LockMode::Write,
        };
        c.eat_any(&["LOCAL", "CONCURRENT"]);
        locked.push((name, mode));
        if !c.symbol(',') {
            wait(c);
            return Some(("LOCK TABLES", What::LockTables { tables: locked, only: Vec::new() }));
        }
    }
}

/// `FLUSH TABLES` waits for everyone who uses them, and with `WITH READ LOCK` keeps them locked.
/// Without names it is all tables of the server, for which the model has no word.
fn flush(c: &mut Cursor<'_>) -> Option<Said> {
    c.eat_any(&["NO_WRITE_TO_BINLOG", "LOCAL"]);
    if c.eat_any(&["TABLE", "TABLES"]).is_none() {
        c.rest();
        return Some(("FLUSH", What::Other));
    }
    let names = if c.done() || c.is("WITH") { Vec::new() } else { c.qualified_list()? };
    let read = c.eat_all(&["WITH", "READ", "LOCK"]) || c.eat_all(&["FOR", "EXPORT"]);
    c.eat_all(&["AND", "DISABLE", "CHECKPOINT"]);
    let mode = if read { LockMode::Read } else { LockMode::Write };
    let kind = if read { "FLUSH TABLES WITH READ LOCK" } else { "FLUSH TABLES" };
    if names.is_empty() {
        let why = "it waits for every table of the server".to_owned();
        return c.done().then_some((kind, What::Unknown { why }));
    }
    let locked = names.into_iter().map(|name| (name, mode)).collect();
    Some((kind, What::LockTables { tables: locked, only: Vec::new() }))
}

/// The relation of `GRANT … ON`, if it is one by itself.
fn grant(c: &mut Cursor<'_>, kind: &'static str) -> Said {
    c.until(|c| c.is("ON"));
    let mut names = Vec::new();
    if c.eat("ON") && c.eat_any(&["FUNCTION", "PROCEDURE", "PACKAGE"]).is_none() {
        c.eat("TABLE");
        let mut ahead = *c;
        if let Some(name) = ahead.qualified()
            && !ahead.is_symbol('.')
        {
            names.push(name);
        }
    }
    c.rest();
    (kind, What::Grant(names))
}

fn load(c: &mut Cursor<'_>) -> Option<Said> {
    let kind = if c.eat("DATA") {
        "LOAD DATA"
    } else if c.eat("XML") {
        "LOAD XML"
    } else {
        return None;
    };
    c.until(|c| c.are(&["INTO", "TABLE"]));
    if !c.eat_all(&["INTO", "TABLE"]) {
        return None;
    }
    let table = Some(c.qualified()?);
    let rest = c.rest();
    let dml = Dml { reads: query(rest).reads, ..Dml::new(Verb::Load, table) };
    Some((kind, What::Dml(dml)))
}
