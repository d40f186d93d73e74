//! PostgreSQL says in `pg_locks` what a statement has locked, and in DEBUG1 messages which tables it
//! writes anew, reads whole, and builds indexes on. A prediction must be equal to both.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use backstop::catalog::Release;
use backstop::gate::effects::{Effects, effects};
use backstop::gate::{Schema, Surroundings};
use backstop::sql::statement::Name;
use backstop::sql::{Source, parse};
use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::root;
use crate::test;

pub fn trials() -> Vec<Trial> {
    let engines = available().filter(|engine| engine.family == "postgres");
    let trial = |engine: Engine| {
        let name = format!("effects: what {} locks is what is predicted", engine.name);
        test(name, move || compare(engine))
    };
    engines.map(trial).collect()
}

/// A paragraph of the data file.
struct Case {
    statement: String,
    setup: String,
    zone: Option<String>,
    unseen: Vec<String>,
    only: Option<String>,
}

/// What a statement does, as names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Done {
    locks: BTreeMap<String, String>,
    rewrite: BTreeSet<String>,
    scan: BTreeSet<String>,
    index_build: BTreeSet<String>,
    refused: Option<String>,
}

fn read() -> (String, Vec<Case>) {
    let text = std::fs::read_to_string(root().join("tests/effects/postgres.sql")).unwrap();
    let (schema, cases) = text.split_once("-- cases\n").unwrap();
    let cases = cases.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty());
    let case = |paragraph: &str| {
        let of = |key: &str| {
            let lines = paragraph.lines();
            lines.filter_map(|line| line.strip_prefix(&format!("-- {key}: "))).next()
        };
        let statement: Vec<&str> =
            paragraph.lines().filter(|line| !line.starts_with("-- ")).collect();
        Case {
            statement: statement.join("\n").trim().to_owned(),
            setup: of("setup").unwrap_or_default().to_owned(),
            zone: of("zone").map(str::to_owned),
            unseen: of("unseen")
                .unwrap_or_default()
                .split_whitespace()
                .map(str::to_owned)
                .collect(),
            only: of("only").map(str::to_owned),
        }
    };
    (schema.to_owned(), cases.map(case).collect())
}

impl Case {
    fn is_for(&self, version: u16) -> bool {
        match self.only.as_deref() {
            None => true,
            Some("<18") => version < 18,
            Some(only) => only.parse() == Ok(version),
        }
    }
}

/// What psql is told for one case. All that is read back goes to stderr, which keeps its order.
fn script(schema: &str, cases: &[&Case]) -> String {
    let mut script = String::from("\\set QUIET on\nSET client_min_messages = warning;\n");
    let fresh = format!(
        "DROP SCHEMA IF EXISTS other CASCADE; DROP SCHEMA public CASCADE; CREATE SCHEMA public;\n\
         BEGIN;\n{schema}\nCOMMIT;\n"
    );
    let mut stale = true;
    for (number, case) in cases.iter().enumerate() {
        if stale || !case.setup.is_empty() {
            script.push_str(&fresh);
        }
        if !case.setup.is_empty() {
            let _ = writeln!(script, "{};", case.setup);
        }
        stale = !case.setup.is_empty();
        let zone = case.zone.as_deref().unwrap_or("UTC");
        let _ = write!(
            script,
            "CREATE TEMP TABLE before AS SELECT c.oid, relname, relfilenode FROM pg_class c JOIN \
             pg_namespace n ON n.oid = relnamespace WHERE nspname = 'public' AND relkind <> 'c';\n\
             SET timezone = '{zone}';\nSET client_min_messages = debug1;\n\
             \\warn @case {number}\nBEGIN;\n{};\n\
             SET LOCAL client_min_messages = warning;\n\\unset locks\n\\unset anew\n\\unset keys\n\
             SELECT coalesce(string_agg(relname || ' ' || mode, ','), '') AS locks FROM pg_locks l \
             JOIN before b ON b.oid = l.relation WHERE pid = pg_backend_pid() AND granted \\gset\n\
             \\warn @locks :locks\n\
             SELECT coalesce(string_agg(b.relname, ','), '') AS anew FROM before b JOIN pg_class c \
             USING (oid) WHERE c.relfilenode <> b.relfilenode AND c.relkind IN ('r', 'm') \\gset\n\
             \\warn @anew :anew\n\
             SELECT coalesce(string_agg(conname || ' ' || b.relname, ','), '') AS keys FROM \
             pg_constraint JOIN before b ON b.oid = conrelid WHERE contype = 'f' \\gset\n\
             \\warn @keys :keys\n\
             ROLLBACK;\nSET client_min_messages = warning;\nDROP TABLE IF EXISTS before;\n",
            case.statement
        );
    }
    script
}

fn ask(engine: Engine, script: &str) -> String {
    let database = Database::new(engine);
    let mut child = Command::new(std::env::var("BACKSTOP_TEST_PSQL").unwrap())
        .args(["-X", "-q", "-f", "-", &database.url])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = script.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let said = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(said.stderr).unwrap()
}

/// How strong a mode is: the strongest of several is what counts.
fn strength(mode: &str) -> usize {
    const MODES: [&str; 8] = [
        "AccessShareLock",
        "RowShareLock",
        "RowExclusiveLock",
        "ShareUpdateExclusiveLock",
        "ShareLock",
        "ShareRowExclusiveLock",
        "ExclusiveLock",
        "AccessExclusiveLock",
    ];
    MODES.iter().position(|known| *known == mode).unwrap_or_else(|| panic!("the mode {mode}"))
}

/// What the server says of one case.
fn heard(case: &Case, said: &str, names: &BTreeSet<String>, rowless: &BTreeSet<String>) -> Done {
    let mut done = Done::default();
    let mut validated = Vec::new();
    let quoted = |line: &str, after: &str| {
        let rest = line.split_once(after)?.1.strip_prefix('"')?;
        Some(rest.split('"').next()?.to_owned())
    };
    for line in said.lines() {
        // psql's own prefix: `psql:<stdin>:12: DEBUG:  …`
        let message = line.split_once("DEBUG:  ").map(|(_, message)| message);
        if let Some((_, error)) = line.split_once("ERROR:  ")
            && !error.contains("current transaction is aborted")
        {
            done.refused.get_or_insert_with(|| error.to_owned());
        } else if let Some(message) = message {
            if let Some(table) = quoted(message, "rewriting table ") {
                done.rewrite.insert(table);
            } else if let Some(table) = quoted(message, "verifying table ") {
                done.scan.insert(table);
            } else if let Some(key) = quoted(message, "validating foreign key constraint ") {
                validated.push(key);
            } else if message.starts_with("building index ")
                // Of a table that was emptied.
                && !case.statement.starts_with("TRUNCATE")
                && let Some(table) = quoted(message, "on table ")
            {
                done.index_build.insert(table);
            }
        } else if let Some(locks) = line.strip_prefix("@locks ") {
            // After an error there is no such variable, and psql prints its name.
            for (relation, mode) in locks.split(',').filter_map(|lock| lock.split_once(' ')) {
                let held = done.locks.entry(relation.to_owned()).or_insert(mode.to_owned());
                if strength(held) < strength(mode) {
                    mode.clone_into(held);
                }
            }
        } else if let Some(anew) = line.strip_prefix("@anew ")
            && !case.statement.starts_with("TRUNCATE")
        {
            done.rewrite.extend(anew.split(',').filter(|name| !name.is_empty()).map(str::to_owned));
        } else if let Some(keys) = line.strip_prefix("@keys ") {
            for key in &validated {
                let of = keys.split(',').filter_map(|key| key.split_once(' '));
                done.scan
                    .extend(of.filter(|(name, _)| name == key).map(|(_, table)| table.to_owned()));
            }
        }
    }
    done.index_build.retain(|table| names.contains(table) && !done.rewrite.contains(table));
    // The key of a partition has the name of its parent's key.
    done.scan.retain(|table| {
        names.contains(table) && !done.rewrite.contains(table) && !rowless.contains(table)
    });
    done.rewrite.retain(|table| names.contains(table));
    done.scan.extend(case.unseen.iter().cloned());
    done
}

fn predicted(effects: &Effects) -> Done {
    let set = |list: &[Name]| list.iter().map(ToString::to_string).collect::<BTreeSet<String>>();
    let rewrite = set(&effects.rewrite);
    let besides =
        |list: &[Name]| set(list).into_iter().filter(|name| !rewrite.contains(name)).collect();
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

fn compare(engine: Engine) {
    let (text, cases) = read();
    let version = if engine.name == "postgres18" { 18 } else { 15 };
    let server = Release::parse(&format!("postgres-{version}")).unwrap();
    let source = Source::of(server);
    let cases: Vec<&Case> = cases.iter().filter(|case| case.is_for(version)).collect();
    let said = ask(engine, &script(&text, &cases));
    let mut schema = Schema::default();
    schema.complete = true;
    for statement in &parse(source, &text).statements {
        schema.apply(statement);
    }
    let answers: Vec<&str> = said.split("@case ").skip(1).collect();
    assert_eq!(answers.len(), cases.len(), "psql stopped: {said}");
    let mut wrong = String::new();
    for (case, answer) in cases.iter().zip(answers) {
        let mut before = schema.clone();
        for statement in &parse(source, &case.setup).statements {
            before.apply(statement);
        }
        before.judge();
        let names: BTreeSet<String> = before
            .tables
            .keys()
            .chain(before.views.keys())
            .chain(before.indexes.keys())
            .map(ToString::to_string)
            .collect();
        let rowless: BTreeSet<String> = before
            .tables
            .iter()
            .filter(|(_, table)| table.partition_by.is_some())
            .map(|(name, _)| name.to_string())
            .collect();
        let heard = heard(case, answer, &names, &rowless);
        let around = Surroundings {
            server,
            schema: &before,
            in_transaction: true,
            utc: Some(case.zone.as_deref().is_none_or(|zone| zone == "UTC")),
            foreign_key_checks: true,
        };
        let script = parse(source, &case.statement);
        assert_eq!(script.statements.len(), 1, "{}", case.statement);
        let predicted = predicted(&effects(&script.statements[0], &around));
        wrong.push_str(&difference(case, &heard, &predicted, answer));
    }
    assert!(wrong.is_empty(), "{} of {} cases\n{wrong}", wrong.matches("== ").count(), cases.len());
}

fn difference(case: &Case, heard: &Done, predicted: &Done, answer: &str) -> String {
    let mut text = String::new();
    if heard.refused.is_some() != predicted.refused.is_some() {
        let _ =
            writeln!(text, "   refused: {:?} predicted, {:?} is", predicted.refused, heard.refused);
    }
    if heard.refused.is_none() {
        for (relation, mode) in &heard.locks {
            let other = predicted.locks.get(relation);
            if other != Some(mode) {
                let _ = writeln!(text, "   lock {relation}: {other:?} predicted, {mode} is");
            }
        }
        for (relation, mode) in &predicted.locks {
            if !heard.locks.contains_key(relation) {
                let _ = writeln!(text, "   lock {relation}: {mode} predicted, none is");
            }
        }
        let sets = [
            ("rewrite", &heard.rewrite, &predicted.rewrite),
            ("scan", &heard.scan, &predicted.scan),
            ("index_build", &heard.index_build, &predicted.index_build),
        ];
        for (what, is, said) in sets {
            if is != said {
                let _ = writeln!(text, "   {what}: {said:?} predicted, {is:?} is");
            }
        }
    }
    if text.is_empty() {
        return text;
    }
    let _ = answer;
    format!(
        "== {}{}\n{text}",
        case.statement,
        if case.setup.is_empty() { "" } else { "  (after a setup)" }
    )
}
