//! Statements that run in no transaction, or leave their locks on the way: each is made to wait
//! where it must, and looked at from outside while it does.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use super::data::{Case, Done, predicted, read, schema, version};
use super::locks::fresh;
use super::psql::Psql;
use super::report::Report;
use super::told::{AFTER, BEFORE, FORGET, told};
use crate::database::{Database, Engine, oracles};
use crate::test;

const NAME: &str = "postgres-parked";

pub fn trials() -> Vec<Trial> {
    let trial = |engine: Engine| {
        let title = format!("effects: what {} locks on the way is what is predicted", engine.name);
        test(title, move || compare(engine))
    };
    oracles().map(trial).collect()
}

fn compare(engine: Engine) {
    let file = read(NAME, NAME, version(engine));
    let schema = schema(engine, &file.schema);
    let database = Database::new(engine);
    let mut stage = Stage::open(&database);
    let mut report = Report::default();
    for case in &file.cases {
        let is = stage.play(case, &file.schema);
        let (mut said, sure) = predicted(engine, &schema, case, true);
        if is.locks.is_empty() && case.holds.is_empty() {
            // Nothing stood in its way, so nobody saw its locks.
            said.locks.clear();
        }
        report.add(case, &is, &(said, sure));
    }
    report.end(engine, NAME);
}

/// Who runs the statement, who looks, and who stands in the way.
struct Stage {
    runs: Psql,
    looks: Psql,
    holds: [Psql; 2],
}

impl Stage {
    fn open(database: &Database) -> Self {
        let open = || Psql::open(database);
        Self { runs: open(), looks: open(), holds: [open(), open()] }
    }

    fn play(&mut self, case: &Case, schema: &str) -> Done {
        let mut heard =
            self.looks.ask(&format!("{}{}{};\n{BEFORE}", FORGET, fresh(schema), case.setup));
        assert!(case.holds.len() <= self.holds.len());
        let mut holding: Vec<&mut Psql> = Vec::new();
        for (session, hold) in self.holds.iter_mut().zip(&case.holds) {
            let said = session.ask(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ;\n{hold};"));
            assert!(said.is_empty(), "{}: {said:?}", case.title());
            holding.push(session);
        }
        self.runs.say(&format!("SET client_min_messages = debug1;\n{};", case.statement));
        let begun = Instant::now();
        let mut said = Vec::new();
        while !self.runs.hear(&mut said, Duration::from_millis(5)) {
            assert!(begun.elapsed() < Duration::from_secs(60), "it hangs: {}", case.title());
            let blocking = format!("SELECT pg_blocking_pids({})::text AS value", self.runs.pid);
            let blocking = self.looks.value(&blocking);
            let blocking: Vec<_> = blocking.trim_matches(['{', '}']).split(',').collect();
            let blocks = |session: &Psql| blocking.contains(&session.pid.as_str());
            if let Some(at) = holding.iter().position(|session| blocks(session)) {
                heard.extend(self.looks.ask(&format!(
                    "SELECT coalesce(string_agg(name || '=' || mode, ';'), '') AS locks \
                     FROM pg_locks l JOIN before b ON b.oid = l.relation WHERE pid = {} \\gset\n\
                     \\warn @locks :locks",
                    self.runs.pid
                )));
                holding.remove(at).ask("ROLLBACK;");
            }
        }
        let missed = holding.len();
        for session in holding {
            session.ask("ROLLBACK;");
        }
        heard.extend(said);
        heard.extend(self.looks.ask(AFTER).into_iter().filter(|line| {
            // The locks that count are those seen on the way.
            !line.starts_with("@locks")
        }));
        let done = told(case, heard.iter().map(String::as_str));
        assert!(
            missed == 0 || done.refused.is_some(),
            "it did not wait for {missed} of those that should be in its way: {}",
            case.title()
        );
        done
    }
}
