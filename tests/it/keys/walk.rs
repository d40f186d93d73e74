//! A job that counts its visits, along keys that chance makes, with stops, with other numbers of
//! workers afterwards, and with an application that inserts and deletes rows on both sides of the
//! cursors.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backstop::target::{Class, Statement};

use super::schema::Schema;
use super::{open, prepared};
use crate::database::{Database, Engine};
use crate::endurance::Dice;
use crate::harness::{Desk, is_full};

/// Rows of the application have numbers from here on.
const LATER: u64 = 1_000_000;

/// By `BACKSTOP_TEST_SEED`; always the same without it.
pub fn seed() -> u64 {
    std::env::var("BACKSTOP_TEST_SEED").map_or(20_260_731, |seed| seed.parse().unwrap())
}

pub fn any_key(engine: Engine) {
    let (database, types) = prepared(engine);
    let desk = Desk::at(&database.url);
    let cases = if is_full() { 200 } else { 10 };
    for case in 0..cases {
        let mut dice = Dice::of(seed(), case + 1);
        let schema = Schema::any(engine, &types, &mut dice, format!("t{case}"));
        let scene = Scene { database: &database, desk: &desk, schema: &schema };
        let outcome = catch_unwind(AssertUnwindSafe(|| scene.each_row_once(&mut dice)));
        if let Err(panic) = outcome {
            eprintln!(
                "case {case} of BACKSTOP_TEST_SEED={} on {}:\n{};",
                seed(),
                engine.name,
                schema.ddl.join(";\n")
            );
            resume_unwind(panic);
        }
    }
}

struct Scene<'a> {
    database: &'a Database,
    desk: &'a Desk,
    schema: &'a Schema,
}

impl Scene<'_> {
    fn each_row_once(&self, dice: &mut Dice) {
        let table = &self.schema.table;
        self.database.script(&self.schema.ddl.join(";\n"));
        let wanted = *dice.pick(&[1, 40, 150, 300]);
        self.database.script(&self.schema.insert(dice, 0..wanted));
        let before = self.count("1 = 1");
        // Many a statement behind or ahead, wherever the cursors are.
        let deleting = dice.below(3) == 0;
        let statements = (0..60)
            .map(|at| match dice.below(3) {
                0 if deleting => {
                    format!("DELETE FROM {table} WHERE row_id = {}", dice.below(wanted))
                }
                _ => self.schema.insert(dice, LATER + 3 * at..LATER + 3 * at + 3),
            })
            .collect::<Vec<_>>();
        let closing = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let url = self.database.url.as_str();
            let application = scope.spawn(|| apply(url, &statements, &closing));
            let outcome = catch_unwind(AssertUnwindSafe(|| self.run_with_stops(before, dice)));
            closing.store(true, Ordering::Relaxed);
            application.join().unwrap();
            outcome.unwrap_or_else(|panic| resume_unwind(panic));
        });

        let old = format!("row_id < {LATER}");
        let left = self.count(&old);
        assert!(deleting || left == before, "{left} of {before} rows are left");
        let skipped = self.count(&format!("{old} AND n = 0"));
        let repeated = self.count("n NOT IN (0, 1)");
        assert_eq!((skipped, repeated), (0, 0), "rows skipped, and rows written repeatedly");
        let status = self.desk.status(table);
        let number = |name: &str| status[name].as_u64().unwrap();
        let scanned = number("rows_scanned");
        assert!((left..=before + 180).contains(&scanned), "{left} rows: {status}");
        let visited = self.count("n = 1");
        let changed = number("rows_changed");
        assert!(changed == visited || (deleting && visited <= changed), "{visited}: {status}");
    }

    fn count(&self, condition: &str) -> u64 {
        let sql = format!("SELECT count(*) FROM {} WHERE {condition}", self.schema.table);
        self.database.value(&sql).parse().unwrap()
    }

    fn run_with_stops(&self, rows: u64, dice: &mut Dice) {
        let job = &self.schema.table;
        for stop in 0..dice.below(3) {
            self.write_spec(rows, dice);
            let mut arguments = vec!["run", "job.toml", "--progress", "json"];
            if 0 < stop {
                arguments.push("--accept-changed-spec");
            }
            let mut running = self.desk.start(&arguments);
            running.has_done_batches(u32::try_from(1 + dice.below(5)).unwrap());
            running.signal("INT");
            let said = running.wait();
            // It may have come to its end before.
            assert!([0, 3].contains(&said.code), "{said:?}");
        }
        self.write_spec(rows, dice);
        self.desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
        let status = self.desk.status(job);
        assert_eq!(status["state"], "completed", "{status}");
    }

    fn write_spec(&self, rows: u64, dice: &mut Dice) {
        let key: Vec<_> = self.schema.key.iter().map(|name| format!("\"{name}\"")).collect();
        self.desk.write(
            "job.toml",
            &format!(
                "[job]\nname = \"{table}\"\n[target]\nurl_env = \"DATABASE_URL\"\n\
                 time_zone = \"+00:00\"\n\
                 [update]\ntable = \"{table}\"\nset = {{ n = \"n + 1\" }}\nexactly_once = true\n\
                 [batch]\nkey = [{key}]\nmax_rows = {rows}\nworkers = {workers}\npause = \"{pause}ms\"\n",
                table = self.schema.table,
                key = key.join(", "),
                // At most 60 batches, so that a case takes no longer than it must.
                rows = 1 + rows / 60 + dice.below(50) * dice.below(2),
                workers = 1 + dice.below(4),
                pause = dice.below(6),
            ),
        );
    }
}

/// Runs the statements, a little apart, until the job is over.
fn apply(url: &str, statements: &[String], closing: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut session = open(url).await;
        for sql in statements {
            while !closing.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(8)).await;
                match session.execute(&Statement::plain(sql)).await {
                    Ok(_) => break,
                    // In its lock, or in its place: the application comes again.
                    Err(error) if matches!(error.class, Class::Retry(_)) => {}
                    Err(error) => panic!("{sql}: {error}"),
                }
            }
        }
        session.close().await;
    });
}
