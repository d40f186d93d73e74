//! `tests/cases/<name>/`: a schema, a job, and what must come of it, on every database that the
//! case names. Afterwards every job that succeeded is run again, which must change nothing.

use std::path::{Path, PathBuf};

use libtest_mimic::Trial;
use serde::Deserialize;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, root};
use crate::test;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// What the case claims, for people.
    #[serde(rename = "claim")]
    _claim: String,
    /// Families of databases; all by default.
    databases: Option<Vec<String>>,
    /// The command; `run` by default.
    #[serde(default = "run")]
    command: String,
    /// The exit code.
    exit: i32,
    /// Texts that must be said.
    #[serde(default)]
    says: Vec<String>,
    /// Texts that must not be said.
    #[serde(default)]
    silent: Vec<String>,
    /// Rows that the job must have counted as changed, and as scanned.
    rows_changed: Option<u64>,
    rows_scanned: Option<u64>,
    /// Queries and their first value.
    #[serde(default)]
    query: Vec<Query>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    sql: String,
    is: String,
}

fn run() -> String {
    "run".to_owned()
}

/// One test for each case and database.
pub fn trials() -> Vec<Trial> {
    let folder = root().join("tests/cases");
    let mut cases: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    let mut trials = Vec::new();
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(case.join("expect.toml")).unwrap();
        let expect: Expect =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        for engine in available() {
            let wanted = |family: &String| family == engine.family || family == engine.name;
            if expect.databases.as_ref().is_none_or(|list| list.iter().any(wanted)) {
                let case = case.clone();
                trials.push(test(format!("case {name} on {}", engine.name), move || {
                    check(&case, engine);
                }));
            }
        }
    }
    trials
}

/// The file for this engine, else for its family, else for all.
fn variant(case: &Path, stem: &str, extension: &str, engine: Engine) -> String {
    let names = [
        format!("{stem}.{}.{extension}", engine.name),
        format!("{stem}.{}.{extension}", engine.family),
        format!("{stem}.{extension}"),
    ];
    let found = names.iter().find_map(|name| std::fs::read_to_string(case.join(name)).ok());
    found.unwrap_or_else(|| panic!("{}: none of {names:?}", case.display()))
}

fn check(case: &Path, engine: Engine) {
    let expect: Expect =
        toml::from_str(&std::fs::read_to_string(case.join("expect.toml")).unwrap()).unwrap();
    let database = Database::new(engine);
    database.script(&variant(case, "schema", "sql", engine));
    let desk = Desk::at(&database.url);
    let job = variant(case, "job", "toml", engine);
    desk.write("job.toml", &job);

    let said = desk.call(&[&expect.command, "job.toml"]).expect(expect.exit);
    let everything = format!("{}{}", said.out, said.err);
    for text in &expect.says {
        assert!(everything.contains(text), "`{text}` is not said:\n{everything}");
    }
    for text in &expect.silent {
        assert!(!everything.contains(text), "`{text}` is said:\n{everything}");
    }
    for query in &expect.query {
        assert_eq!(database.value(&query.sql), query.is, "{}\n{everything}", query.sql);
    }
    if expect.command != "run" || expect.exit == 2 {
        return;
    }
    let name =
        toml::from_str::<toml::Table>(&job).unwrap()["job"]["name"].as_str().unwrap().to_owned();
    let status = desk.status(&name);
    if let Some(rows) = expect.rows_changed {
        assert_eq!(status["rows_changed"], rows, "{everything}");
    }
    if let Some(rows) = expect.rows_scanned {
        assert_eq!(status["rows_scanned"], rows, "{everything}");
    }
    if expect.exit == 0 {
        desk.call(&["run", "job.toml"]).expect(0).says("was finished before");
        // Also from the beginning nothing is left to change.
        desk.call(&["run", "job.toml", "--again"]).expect(0);
        assert_eq!(desk.status(&name)["rows_changed"], 0, "a second pass changed rows");
    }
}
