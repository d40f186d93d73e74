//! PostgreSQL says in `pg_locks` what a statement has locked, and in DEBUG1 messages which tables it
//! writes anew, reads whole, and builds indexes on. A prediction must be equal to both.

use std::fmt::Write as _;

use libtest_mimic::Trial;

use super::data::{Case, Done, File, predicted, read, schema, version};
use super::psql;
use super::told::{AFTER, BEFORE, told};
use crate::database::{Database, Engine, available};
use crate::test;

/// The files, and whose schema each uses.
const FILES: [(&str, &str); 4] = [
    ("postgres", "postgres"),
    ("postgres-keys", "postgres-keys"),
    ("postgres-objects", "postgres-keys"),
    ("postgres-types", "postgres-types"),
];

pub fn trials() -> Vec<Trial> {
    let engines: Vec<_> = available().filter(|engine| engine.family == "postgres").collect();
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

/// What psql is told for all cases. Each runs in a transaction that is rolled back, and the schema
/// is made anew only where a setup was committed.
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
             SET LOCAL client_min_messages = warning;\n{AFTER}ROLLBACK;\n\
             SET client_min_messages = warning;\nDROP TABLE IF EXISTS pg_temp.before;\n",
            case.zone, case.statement
        );
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
        report.add(case, &told(case, answer.lines()), predicted(engine, &schema, case, false));
    }
    report.end(engine, name);
}

/// What came out of a file.
#[derive(Default)]
pub struct Report {
    truth: String,
    wrong: String,
    cases: usize,
    wrong_cases: usize,
}

impl Report {
    /// Holds one prediction against the truth.
    pub fn add(&mut self, case: &Case, is: &Done, (said, sure): (Done, String)) {
        self.cases += 1;
        let _ = writeln!(self.truth, "== {}", case.title());
        let sets = [
            ("rewrite", &is.rewrite, &said.rewrite),
            ("scan", &is.scan, &said.scan),
            ("index_build", &is.index_build, &said.index_build),
        ];
        match &is.refused {
            Some(error) => _ = writeln!(self.truth, "   refused: {error}"),
            None => {
                for (relation, mode) in &is.locks {
                    let _ = writeln!(self.truth, "   {relation}: {mode}");
                }
                for (what, is, _) in sets.iter().filter(|(_, is, _)| !is.is_empty()) {
                    let _ = writeln!(self.truth, "   {what}: {is:?}");
                }
            }
        }
        let mut text = String::new();
        if is.refused.is_some() != said.refused.is_some() {
            let _ = writeln!(text, "   refused: {:?} predicted, {:?} is", said.refused, is.refused);
        } else if is.refused.is_none() {
            let none = "none".to_owned();
            for relation in is.locks.keys().chain(said.locks.keys()) {
                let of = |done: &'_ Done| done.locks.get(relation).unwrap_or(&none).clone();
                if of(is) != of(&said) {
                    let line =
                        format!("   lock {relation}: {} predicted, {} is\n", of(&said), of(is));
                    if !text.contains(&line) {
                        text.push_str(&line);
                    }
                }
            }
            for (what, is, said) in sets.iter().filter(|(_, is, said)| is != said) {
                let _ = writeln!(text, "   {what}: {said:?} predicted, {is:?} is");
            }
        }
        if !text.is_empty() {
            self.wrong_cases += 1;
            let sure = if sure.is_empty() { sure } else { format!("   ({sure})\n") };
            let _ = write!(self.wrong, "== {}\n{text}{sure}", case.title());
        }
    }

    /// Fails if anything is wrong. `BACKSTOP_TEST_TRUTH` names a folder that gets what the servers
    /// did, and what is wrong, for whoever writes a prediction.
    pub fn end(self, engine: Engine, name: &str) {
        if let Ok(folder) = std::env::var("BACKSTOP_TEST_TRUTH") {
            let write = |what: &str, text: &str| {
                let file = format!("{folder}/{what}{}-{name}.txt", version(engine));
                std::fs::write(file, text).unwrap();
            };
            write("", &self.truth);
            write("mismatches-", &self.wrong);
        }
        let Self { wrong, cases, wrong_cases, .. } = self;
        assert!(wrong.is_empty(), "{wrong_cases} of {cases} cases of {name}\n{wrong}");
    }
}
