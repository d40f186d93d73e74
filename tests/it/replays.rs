//! Whole migrations through the whole gate: those of `tests/gate`, on which checkers of this field
//! are silent or wrong, and what they should have said.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::PathBuf;

use backstop::gate::review::hash;
use backstop::ops::Team;
use backstop::ops::check::{Asked, check};
use backstop::spec::parse_config;
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::harness::root;
use crate::test;

pub fn trials() -> Vec<Trial> {
    let folders = ["safe", "dangerous", "liquibase"];
    let trial = |folder: &'static str| {
        test(format!("gate: of each file in {folder} exactly what it expects is said"), move || {
            replay(folder);
        })
    };
    let mut trials: Vec<_> = folders.into_iter().map(trial).collect();
    trials.push(test("gate: the replays are as many as they should be", enough));
    trials
}

/// A migration with what its header says of it.
struct Case {
    path: PathBuf,
    text: String,
}

impl Case {
    /// The values of `-- key: …`, in their order.
    fn all(&self, key: &str) -> impl Iterator<Item = &str> {
        let prefix = format!("-- {key}: ");
        self.text.lines().filter_map(move |line| line.strip_prefix(&prefix))
    }

    fn one(&self, key: &str) -> Option<&str> {
        self.all(key).next()
    }

    fn words(&self, key: &str) -> Vec<&str> {
        let separators = [' ', ','];
        let value = self.one(key).unwrap_or_default();
        value.split(separators).filter(|word| !word.is_empty()).collect()
    }
}

fn cases(folder: &str) -> Vec<Case> {
    let entries = std::fs::read_dir(root().join("tests/gate").join(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let case = |path: PathBuf| Case { text: std::fs::read_to_string(&path).unwrap(), path };
    paths.into_iter().map(case).collect()
}

fn replay(folder: &str) {
    let mut wrong = String::new();
    for case in cases(folder) {
        let name = case.path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(case.one("claim").is_some(), "{name} claims nothing");
        let expected: BTreeSet<&str> = case.words("expect").into_iter().collect();
        match folder {
            "safe" => assert!(expected.is_empty(), "{name} is not safe"),
            "dangerous" => assert!(!expected.is_empty(), "{name} is not dangerous"),
            _ => {}
        }
        let databases = case.words("database");
        assert!(!databases.is_empty(), "{name} is for no database");
        for database in databases {
            let said = said(&case, database);
            let rules: BTreeSet<&str> = said.iter().map(|(rule, _)| rule.as_str()).collect();
            if rules != expected {
                let _ = writeln!(wrong, "{name} on {database} expects {expected:?}: {said:#?}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The rules and messages that a check of the file has. Everything it needs is a file, as for the
/// command: the schema, the statistics, and a report of the validation that it has passed.
fn said(case: &Case, database: &str) -> Vec<(String, String)> {
    let family = if database.starts_with("postgres") { "postgres" } else { "mysql" };
    let shared = |end: &str| {
        std::fs::read_to_string(root().join(format!("tests/gate/{family}.{end}"))).unwrap()
    };
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| -> PathBuf {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let before: String = case.all("before").fold(shared("sql"), |text, line| text + line + "\n");
    let sizes = case.words("sizes").into_iter();
    let stats = sizes.fold(shared("csv"), |text, pair| text + &pair.replace('=', ",") + "\n");
    let validation = format!(
        "{{\"format\": 1, \"sha256\": \"{}\", \"at\": \"2026-11-01T00:00:00Z\", \"server\": \
         {{\"product\": \"\", \"version\": \"\"}}, \"outcome\": \"passed\", \"reversible\": false, \
         \"locks\": []}}",
        hash(&case.text)
    );
    let mut evidence = vec![write("validation.json", &validation)];
    for (number, job) in case.all("job").enumerate() {
        let report = format!(
            "{{\"format\": 1, \"job\": \"{job}\", \"spec_hash\": \"x\", \"generation\": 1, \
             \"table\": \"orders\", \"state\": \"verified\", \"counts\": {{\"rows_scanned\": 1, \
             \"rows_changed\": 1, \"rows_checked\": 1, \"rows_wrong\": 0}}, \"violations\": 0, \
             \"finished_at\": \"2026-11-01T00:00:00Z\"}}"
        );
        evidence.push(write(&format!("job{number}.json"), &report));
    }
    let asked = Asked {
        paths: vec![case.path.clone()],
        database: Some(database.to_owned()),
        runner: case.one("runner").map(str::to_owned),
        schema: vec![write("schema.sql", &before)],
        stats: Some(write("stats.csv", &stats)),
        evidence,
        ..Asked::default()
    };
    let config = parse_config("backstop.toml", "[gate]\nforward_only = [\".\"]\n").unwrap();
    let team = Team { config, file: None };
    let report = check(&asked, &team, None).unwrap();
    let open = report.findings.into_iter().filter(|finding| finding.allowed.is_none());
    open.map(|finding| (finding.rule.to_owned(), finding.message)).collect()
}

/// The field's own failures are 22 safe and 32 dangerous ones; a replay that is taken away is missed.
fn enough() {
    assert!(cases("safe").len() >= 60, "too few that are safe");
    assert!(cases("dangerous").len() >= 60, "too few that are dangerous");
}
