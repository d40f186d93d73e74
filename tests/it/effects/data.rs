//! The files of `tests/effects`: a schema, and cases that run on it.

use std::collections::{BTreeMap, BTreeSet};

use backstop::catalog::Release;
use backstop::gate::effects::{Effects, Verdict, effects};
use backstop::gate::{Schema, Surroundings};
use backstop::sql::statement::Name;
use backstop::sql::{Source, parse};

use crate::database::Engine;
use crate::harness::root;

/// A file with a schema and cases.
pub struct File {
    /// Statements, each with its `;`.
    pub schema: String,
    pub cases: Vec<Case>,
}

/// A paragraph of a file: comments that say `-- key: value`, and one statement.
pub struct Case {
    /// What is judged and run.
    pub statement: String,
    /// Committed before it.
    pub setup: String,
    /// The session's time zone.
    pub zone: String,
    /// Tables whose scan the server does not announce.
    pub unseen: BTreeSet<String>,
    /// Whether more may be predicted than the server does here: what decides it is no part of the
    /// schema.
    pub more: bool,
    /// What other transactions do that are in its way.
    pub holds: Vec<String>,
    only: Option<String>,
}

/// The zones of the cases that are always at UTC.
const UTC: [&str; 3] = ["UTC", "Etc/UTC", "GMT"];

/// What a statement does, as names; relations that it makes itself are not among them.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub locks: BTreeMap<String, String>,
    pub rewrite: BTreeSet<String>,
    pub scan: BTreeSet<String>,
    pub index_build: BTreeSet<String>,
    pub refused: Option<String>,
}

/// Reads `tests/effects/<name>.sql`. One that has no schema uses that of another.
pub fn read(name: &str, schema_of: &str, version: u16) -> File {
    let parts = |name: &str| {
        let text = std::fs::read_to_string(root().join(format!("tests/effects/{name}.sql")));
        let text = text.unwrap();
        let (schema, cases) = text.split_once("-- cases\n").unwrap();
        (schema.to_owned(), cases.to_owned())
    };
    let paragraphs = parts(name).1;
    let paragraphs = paragraphs.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    let cases = paragraphs.map(case).filter(|case| case.is_for(version));
    let mut cases: Vec<_> = cases.collect();
    // The schema is made anew for each that commits a setup, and for one that follows such a one.
    cases.sort_by_key(|case| !case.setup.is_empty());
    File { schema: parts(schema_of).0, cases }
}

fn case(paragraph: &str) -> Case {
    let all = |key: &str| -> Vec<String> {
        let prefix = format!("-- {key}: ");
        paragraph.lines().filter_map(|line| line.strip_prefix(&prefix)).map(str::to_owned).collect()
    };
    let one = |key: &str| all(key).into_iter().next();
    let statement: Vec<&str> = paragraph.lines().filter(|line| !line.starts_with("-- ")).collect();
    Case {
        statement: statement.join("\n").trim().to_owned(),
        setup: one("setup").unwrap_or_default(),
        zone: one("zone").unwrap_or_else(|| "UTC".to_owned()),
        unseen: one("unseen").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        more: one("more").is_some(),
        holds: all("hold"),
        only: one("only"),
    }
}

impl Case {
    fn is_for(&self, version: u16) -> bool {
        match self.only.as_deref() {
            None => true,
            Some(only) => match only.split_at_checked(1) {
                Some(("<", limit)) => limit.parse().is_ok_and(|limit: u16| version < limit),
                Some((">", limit)) => limit.parse().is_ok_and(|limit: u16| limit < version),
                _ => only.split(' ').any(|one| one.parse() == Ok(version)),
            },
        }
    }

    /// What stands above the statement in a report.
    pub fn title(&self) -> String {
        let mut title = String::new();
        if !self.setup.is_empty() {
            title = format!("(after {}) ", self.setup);
        }
        if self.zone != "UTC" {
            title = format!("{title}(in {}) ", self.zone);
        }
        title + &self.statement
    }
}

/// The version of the tests' server.
pub fn version(engine: Engine) -> u16 {
    match engine.name {
        "postgres16" => 16,
        "postgres18" => 18,
        _ => 15,
    }
}

/// What stands before any case, as the gate sees it.
pub fn schema(engine: Engine, text: &str) -> Schema {
    let mut schema = Schema::default();
    schema.complete = true;
    for statement in &parse(Source::of(release(engine)), text).statements {
        schema.apply(statement);
    }
    schema
}

fn release(engine: Engine) -> Release {
    Release::parse(&format!("postgres-{}", version(engine))).unwrap()
}

/// What the gate predicts, and a word if it is not sure.
pub fn predicted(engine: Engine, schema: &Schema, case: &Case, alone: bool) -> (Done, String) {
    let server = release(engine);
    let source = Source::of(server);
    let mut before = schema.clone();
    for statement in &parse(source, &case.setup).statements {
        before.apply(statement);
    }
    before.judge();
    let around = Surroundings {
        server,
        schema: &before,
        in_transaction: !alone,
        utc: Some(UTC.contains(&case.zone.as_str())),
        foreign_key_checks: true,
    };
    let script = parse(source, &case.statement);
    assert_eq!(script.statements.len(), 1, "{}", case.statement);
    let effects = effects(&script.statements[0], &around);
    let sure = match &effects.verdict {
        Verdict::Proven => String::new(),
        Verdict::Assumed(why) => format!("assumed: {why}"),
        Verdict::NotEvaluated(why) => format!("not evaluated: {why}"),
    };
    (done(&effects), sure)
}

fn done(effects: &Effects) -> Done {
    let set = |list: &[Name]| list.iter().map(ToString::to_string).collect::<BTreeSet<String>>();
    let rewrite = set(&effects.rewrite);
    let besides = |list: &[Name]| &set(list) - &rewrite;
    Done {
        locks: effects
            .locks
            .iter()
            .map(|lock| (lock.relation.to_string(), format!("{:?}", lock.mode)))
            .collect(),
        scan: besides(&effects.scan),
        index_build: besides(&effects.index_build),
        rewrite,
        refused: effects.fails.clone(),
    }
}
