//! Both sides of every version boundary: what is predicted for the version before and for the one
//! that brought the change. No server is asked here; `locks.rs` runs the same cases on those at hand.

use std::fmt::Write as _;

use backstop::catalog::Release;
use backstop::gate::effects::{Effects, Verdict, effects};
use backstop::gate::{Schema, Surroundings};
use backstop::sql::{Source, parse};
use libtest_mimic::Trial;

use crate::harness::root;
use crate::test;

pub fn trials() -> Vec<Trial> {
    vec![test("effects: both sides of every version boundary of PostgreSQL", both_sides)]
}

fn both_sides() {
    let text = root().join("tests/effects/postgres-boundaries.sql");
    let text = std::fs::read_to_string(text).unwrap();
    let (schema, cases) = text.split_once("-- cases\n").unwrap();
    let mut wrong = String::new();
    let mut seen = Vec::new();
    for case in cases.split("\n\n") {
        let said = |key: &str| {
            let prefix = format!("-- {key}: ");
            case.lines().find_map(|line| line.strip_prefix(&prefix)).map(str::to_owned)
        };
        let statement: Vec<&str> = case.lines().filter(|line| !line.starts_with("-- ")).collect();
        let statement = statement.join("\n");
        assert!(said("from").is_some(), "nothing says where this is from: {statement}");
        let sides: Vec<(u16, String)> =
            (10..=19).filter_map(|version| Some((version, said(&version.to_string())?))).collect();
        let [(before, old), (since, new)] = sides.as_slice() else {
            panic!("a boundary has two sides: {statement}")
        };
        assert_eq!(before + 1, *since, "{statement}");
        assert_ne!(old, new, "{statement}");
        seen.push(*since);
        for (version, expected) in &sides {
            let server = Release::parse(&format!("postgres-{version}")).unwrap();
            let source = Source::of(server);
            let mut known = Schema::default();
            known.complete = true;
            for text in [schema.to_owned(), said("setup").unwrap_or_default()] {
                parse(source, &text).statements.iter().for_each(|one| known.apply(one));
            }
            known.judge();
            let around = Surroundings {
                server,
                schema: &known,
                in_transaction: said("inside").is_some(),
                utc: Some(true),
                foreign_key_checks: true,
            };
            let done = effects(&parse(source, &statement).statements[0], &around);
            let words = words(&done, said("lock").as_deref());
            if words != *expected {
                let why = done.fails.unwrap_or_default();
                let _ = writeln!(wrong, "{statement}\n  on {version}: {words} ({why})");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!((11..=19).all(|version| seen.contains(&version)), "a version without a boundary");
}

/// What it does: the work on rows, and the strongest lock of all, or that on the relation named.
fn words(done: &Effects, relation: Option<&str>) -> String {
    if done.fails.is_some() {
        return "refused".to_owned();
    }
    let mut parts: Vec<String> = Vec::new();
    let work = [("rewrites", &done.rewrite), ("scans", &done.scan), ("indexes", &done.index_build)];
    for (what, tables) in work {
        parts.extend(tables.iter().map(|table| format!("{what} {table}")));
    }
    if relation.is_some() {
        parts.clear();
    }
    let locks = done.locks.iter();
    let of = |name: String| relation.is_none_or(|relation| relation == name);
    let strongest = locks.filter(|lock| of(lock.relation.to_string())).map(|lock| lock.mode).max();
    parts.push(strongest.map_or("no lock".to_owned(), |mode| mode.to_string()));
    match &done.verdict {
        Verdict::Proven => {}
        unsure => parts.push(format!("{unsure:?}")),
    }
    parts.join(", ")
}
