//! PostgreSQL says in `pg_locks` what a statement has locked, and in DEBUG1 messages which tables it
//! writes anew, reads whole, and builds indexes on. A prediction must be equal to both.

use std::fmt::Write as _;

use libtest_mimic::Trial;

use super::data::{File, predicted, read, schema, version};
use super::psql;
use super::report::Report;
use super::told::{AFTER, BEFORE, FORGET, told};
use crate::database::{Database, Engine, oracles};
use crate::test;

/// The files, and whose schema each uses.
const FILES: [(&str, &str); 6] = [
    ("postgres-boundaries", "postgres-boundaries"),
    ("postgres", "postgres"),
    ("postgres-keys", "postgres-keys"),
    ("postgres-objects", "postgres-keys"),
    ("postgres-rows", "postgres-rows"),
    ("postgres-types", "postgres-types"),
];

pub fn trials() -> Vec<Trial> {
    let engines: Vec<_> = oracles().collect();
    let trial = |engine: Engine, (name, schema_of): (&'static str, &'static str)| {
        let title = format!("effects: what {} locks is what is predicted of {name}", engine.name);
        test(title, move || compare(engine, name, &read(name, schema_of, version(engine))))
    };
    FILES.iter().flat_map(|file| engines.iter().map(|engine| trial(*engine, *file))).collect()
}

/// An empty database with that schema.
pub fn fresh(schema: &str) -> String {
    format!(
        "SET client_min_messages = warning;\nDROP SCHEMA IF EXISTS other CASCADE;\n\
         DROP SCHEMA public CASCADE;\nCREATE SCHEMA public;\nBEGIN;\n{schema}\nCOMMIT;\n"
    )
}

/// What psql is told for all cases. Each runs in a transaction that is rolled back, after what was
/// deferred to its end; the schema is made anew only where a setup was committed.
fn script(file: &File) -> String {
    let mut script = String::from("\\set QUIET on\n");
    let mut stale = true;
    for (number, case) in file.cases.iter().enumerate() {
        let _ = writeln!(script, "\\warn @case {number}");
        if stale || !case.setup.is_empty() {
            script.push_str(&fresh(&file.schema));
        }
        if !case.setup.is_empty() {
            let _ = writeln!(script, "{};", case.setup);
        }
        stale = !case.setup.is_empty();
        let _ = write!(
            script,
            "{BEFORE}SET timezone = '{}';\n\
             SET client_min_messages = debug1;\nBEGIN;\n{};\n\
             SET CONSTRAINTS ALL IMMEDIATE;\n{AFTER}ROLLBACK;\n{FORGET}",
            case.zone, case.statement
        );
    }
    // The one thing that does not go with the database; no two files may use it.
    if file.cases.iter().any(|case| case.setup.contains("CREATE TABLESPACE backstop_elsewhere")) {
        script.push_str(&fresh(""));
        script.push_str("DROP TABLESPACE backstop_elsewhere;\n");
    }
    script
}

fn compare(engine: Engine, name: &str, file: &File) {
    let said = psql::all(&Database::new(engine), &script(file));
    let schema = schema(engine, &file.schema);
    let answers: Vec<&str> = said.split("@case ").skip(1).collect();
    assert_eq!(answers.len(), file.cases.len(), "psql stopped: {said}");
    let mut report = Report::default();
    for (case, answer) in file.cases.iter().zip(answers) {
        report.add(case, &told(case, answer.lines()), &predicted(engine, &schema, case, false));
    }
    report.end(engine, name);
}
