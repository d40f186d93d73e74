//! What the walk costs, counted by the databases: a batch reads what it returns, wherever it is.

mod meter;
mod walks;

use std::sync::Arc;

use backstop::keyspace::Key;
use backstop::ops;
use backstop::ops::Prepared;
use backstop::spec::parse;
use backstop::target::Statement;
use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, is_full};
use crate::test;
use meter::{Meter, Reads};

/// Rows of a batch.
const BATCH: u64 = 1_000;

/// The skewed key as the primary key, or as a second unique one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    Primary,
    Secondary,
}

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        for (layout, name) in
            [(Layout::Primary, "a primary key"), (Layout::Secondary, "a second key")]
        {
            let name = format!("cost: every window of {name} of three columns on {}", engine.name);
            trials.push(test(name, move || every_window(engine, layout)));
        }
        let name = format!("cost: the last hundred batches as the first on {}", engine.name);
        trials.push(test(name, move || linear(engine)));
        let name = format!("cost: statements over sparse ids on {}", engine.name);
        trials.push(test(name, move || sparse(engine)));
    }
    trials.extend(walks::trials());
    trials
}

fn job(batch: &str) -> String {
    format!(
        "[job]\nname = \"cost\"\n[target]\nurl_env = \"DATABASE_URL\"\n\
         [update]\ntable = \"t\"\nset = {{ b = \"a + 1\" }}\nwhere = \"b IS NULL\"\n\
         [batch]\n{batch}\n[verify]\nexpect = \"b IS NOT NULL\"\n"
    )
}

/// The batches of a phase that a run has reported.
fn batches(events: &str, phase: &str) -> u64 {
    let phase = format!("\"phase\":\"{phase}\"");
    let of = |line: &&str| line.contains("\"batch_done\"") && line.contains(&phase);
    u64::try_from(events.lines().filter(of).count()).unwrap()
}

/// A table whose key is skewed: nine tenths of the rows belong to tenant 50, the rest to 97 others.
struct Scene {
    database: Database,
    prepared: Prepared,
    meter: Meter,
    rows: u64,
}

impl Scene {
    /// `rows`: a multiple of 20,000.
    fn new(engine: Engine, layout: Layout, rows: u64) -> Self {
        let copies = rows / 20_000;
        let database = Database::new(engine);
        let (key, order) = match layout {
            Layout::Primary => ("PRIMARY KEY (tenant, kind, id)", "tenant, kind, id"),
            Layout::Secondary => ("PRIMARY KEY (other), UNIQUE (tenant, kind, id)", "other"),
        };
        let (integer, by, analyze, options) = match engine.family {
            "postgres" => ("bigint", "/", "VACUUM ANALYZE t", ""),
            "mysql" => ("signed", "DIV", "ANALYZE TABLE t", ""),
            _ if layout == Layout::Primary => ("integer", "/", "ANALYZE", "WITHOUT ROWID"),
            _ => ("integer", "/", "ANALYZE", ""),
        };
        database.script(&format!(
            "CREATE TABLE t (tenant integer NOT NULL, kind varchar(10) NOT NULL, \
             id bigint NOT NULL, other bigint NOT NULL, a integer, b integer, \
             filler varchar(100), {key}) {options};\n\
             INSERT INTO t SELECT tenant, kind, id, other, 1, NULL, \
             'some text that makes a row as wide as rows are' FROM (\
             SELECT CASE WHEN n % 10 = 0 THEN 1 + n {by} 10 % 97 ELSE 50 END AS tenant, \
             CASE n % 7 WHEN 0 THEN 'refund' WHEN 1 THEN 'credit' ELSE 'sale' END AS kind, \
             n AS id, n * 77773 % {rows} AS other FROM \
             (SELECT CAST(a.n AS {integer}) + (b.n - 1) * 20000 AS n \
             FROM numbers a, numbers b WHERE b.n <= {copies}) AS counted) AS made ORDER BY {order};\n\
             {analyze}"
        ));
        let text = job("key = [\"tenant\", \"kind\", \"id\"]");
        let spec = parse("job.toml", &text).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let prepared = runtime.block_on(async {
            let target = crate::database::try_connect(&database.url).await.unwrap();
            ops::prepare_on(target, &spec, "job.toml".as_ref(), &ops::Team::default())
                .await
                .unwrap()
        });
        let meter = Meter::new(&database);
        Self { database, prepared, meter, rows }
    }

    fn dialect(&self) -> &dyn backstop::target::Dialect {
        self.prepared.target.dialect()
    }

    fn last_key(&mut self) -> Key {
        let look = self.prepared.plan.statements.last_key(self.dialect());
        key(self.meter.query(&look).remove(0))
    }

    /// The key of the row that many rows after `after`, if it is not past `hi`.
    fn key_at(&mut self, after: Option<&Key>, hi: &Key, rows: u64) -> Option<Key> {
        let look = self.prepared.plan.statements.boundary(self.dialect(), after, hi, rows);
        let mut row = self.meter.query(&look).pop()?;
        (row.pop().flatten().as_deref() == Some("0")).then(|| key(row))
    }

    /// The last key of all those that begin so.
    fn last_of(&mut self, condition: &str) -> Key {
        let sql = format!(
            "SELECT CAST(tenant AS char(10)), kind, CAST(id AS char(20)) FROM t WHERE {condition} \
             ORDER BY t.tenant DESC, t.kind DESC, t.id DESC LIMIT 1"
        );
        let row = self.meter.query(&Statement::plain(sql)).remove(0);
        Key(row.into_iter().map(|value| value.unwrap().trim().to_owned()).collect())
    }

    /// Keys at which windows begin: all over the table, and where a prefix changes.
    fn positions(&mut self) -> Vec<Option<Key>> {
        let hi = self.last_key();
        let mut positions = vec![None];
        for part in 1..12 {
            positions.push(self.key_at(None, &hi, self.rows * part / 12));
        }
        for rest in [5 * BATCH, BATCH + 10, BATCH / 2, 1] {
            positions.push(self.key_at(None, &hi, self.rows - rest));
        }
        for condition in [
            "tenant = 49",
            "tenant = 49 AND kind = 'refund'",
            "tenant = 50 AND kind = 'credit'",
            "tenant = 50 AND kind = 'refund'",
            "tenant = 50",
            "tenant = 3 AND kind = 'credit'",
            "tenant = 96",
        ] {
            positions.push(Some(self.last_of(condition)));
        }
        positions
    }

    /// The most pages that a statement over so many rows may read, where the server counts them: its
    /// share of the index and of the table, and a descent for each of five ranges.
    fn most_pages(&self, layout: Layout, rows: u64) -> u64 {
        if self.database.engine.family != "postgres" {
            return 0;
        }
        let index = self.prepared.plan.index.index.as_ref().unwrap();
        let pages = |name: &str| -> u64 {
            let sql = format!("SELECT relpages::text FROM pg_class WHERE relname = '{name}'");
            self.database.value(&sql).parse().unwrap()
        };
        let share = |pages: u64| pages * rows / self.rows;
        let of_table = if layout == Layout::Primary { share(pages("t")) } else { rows };
        (of_table + share(pages(index))) * 6 / 5 + 5 * 4
    }
}

fn key(row: Vec<Option<String>>) -> Key {
    Key(row.into_iter().map(Option::unwrap).collect())
}

/// What a statement may count for each row of a batch. SQLite counts steps: those of its release
/// 3.51 for a row of a window that five ranges make up, its costliest, are a seventh below these.
fn most_rows(engine: Engine, statement: &str, rows: u64) -> u64 {
    match (engine.family, statement) {
        ("sqlite", "boundary") => rows * 15,
        ("sqlite", "count") => rows * 53,
        ("sqlite", "verification") => rows * 79,
        ("sqlite", _) => rows * 98,
        _ => rows * 6 / 5,
    }
}

fn every_window(engine: Engine, layout: Layout) {
    let mut scene = Scene::new(engine, layout, 1_000_000);
    let statements = scene.prepared.plan.statements.clone();
    let target = Arc::clone(&scene.prepared.target);
    let dialect = target.dialect();
    let hi = scene.last_key();
    let mut windows = Vec::new();
    for after in scene.positions() {
        let upto = scene.key_at(after.as_ref(), &hi, BATCH).unwrap_or_else(|| hi.clone());
        let counted = scene.meter.query(&statements.count(dialect, after.as_ref(), &upto));
        let rows: u64 = counted[0][0].as_ref().unwrap().parse().unwrap();
        assert!((1..=BATCH).contains(&rows), "{rows} rows after {after:?}");
        windows.push((after, upto));
    }
    let mut wrong = Vec::new();
    let mut judge = |statement: &str, after: Option<&Key>, rows: u64, reads: Reads, pages: u64| {
        let too_much = most_rows(engine, statement, rows) < reads.rows || 0 < reads.sorts;
        if too_much || pages < reads.pages {
            let after = after.map_or_else(|| "the beginning".to_owned(), ToString::to_string);
            wrong.push(format!("{statement} of {rows} rows after {after}: {reads:?}"));
        }
    };
    let pages = [BATCH, 2 * BATCH].map(|rows| scene.most_pages(layout, rows));
    for (after, upto) in &windows {
        let at = after.as_ref();
        for (name, rows, pages, statement) in [
            ("boundary", BATCH, pages[0], statements.boundary(dialect, at, &hi, BATCH)),
            // The range ends before the batch is full.
            ("boundary", 2 * BATCH, pages[1], statements.boundary(dialect, at, upto, 2 * BATCH)),
            ("count", BATCH, pages[0], statements.count(dialect, at, upto)),
            ("verification", BATCH, pages[0], statements.verify(dialect, at, upto, true, true)),
        ] {
            judge(name, at, rows, scene.meter.count(&statement), pages);
        }
    }
    for (after, upto) in &windows {
        let at = after.as_ref();
        let plan = &scene.prepared.plan;
        let lock = plan.lock_step(&plan.pace, dialect, at, upto);
        for statement in lock.into_iter().chain([statements.write(dialect, at, upto)]) {
            scene.meter.run("BEGIN");
            let reads = scene.meter.count(&statement);
            scene.meter.run("ROLLBACK");
            if engine.family == "postgres" {
                // What was rolled back would be read by the next, whose window may overlap.
                scene.meter.run("VACUUM (INDEX_CLEANUP ON) t");
            }
            // Every row that is written costs pages of its own, in the table and in the index.
            judge("write", at, BATCH, reads, u64::MAX);
        }
    }
    assert!(wrong.is_empty(), "they read too much:\n{}", wrong.join("\n"));
}

/// Walks the whole table as the job does, and compares what its ends cost.
fn linear(engine: Engine) {
    const ROWS: u64 = 500;
    let mut scene =
        Scene::new(engine, Layout::Primary, if is_full() { 10_000_000 } else { 1_000_000 });
    let statements = scene.prepared.plan.statements.clone();
    let target = Arc::clone(&scene.prepared.target);
    let dialect = target.dialect();
    let hi = scene.last_key();
    let batches = scene.rows / ROWS;
    let (mut first, mut last) = ([Reads::default(); 2], [Reads::default(); 2]);
    let mut after: Option<Key> = None;
    for batch in 0..batches {
        let boundary = statements.boundary(dialect, after.as_ref(), &hi, ROWS);
        let upto = scene.key_at(after.as_ref(), &hi, ROWS).unwrap();
        let write = statements.write(dialect, after.as_ref(), &upto);
        scene.meter.run("BEGIN");
        if batch < 100 || batches - 100 <= batch {
            let sums = if batch < 100 { &mut first } else { &mut last };
            for (sum, statement) in sums.iter_mut().zip([boundary, write]) {
                *sum = *sum + scene.meter.count(&statement);
            }
        } else {
            scene.meter.execute(&write);
        }
        scene.meter.run("COMMIT");
        after = Some(upto);
    }
    assert_eq!(after, Some(hi), "the walk ends with the table");
    assert_eq!(scene.database.value("SELECT count(*) FROM t WHERE b IS NULL"), "0");
    println!("{}: boundary and write, first {first:?}, last {last:?}", engine.name);
    for (first, last) in first.into_iter().zip(last) {
        // Where prefixes change, a window has more ranges; and the table's pages fill up.
        let near = |a: u64, b: u64, few: u64| a.abs_diff(b) <= few * 100 + a / 20;
        let steps = if engine.family == "sqlite" { 60 * ROWS } else { 5 };
        assert!(near(first.rows, last.rows, steps), "{first:?} {last:?}");
        assert!(near(first.pages, last.pages, 5), "{first:?} {last:?}");
    }
}

/// Blocks of a thousand ids, spread over two billion.
fn sparse(engine: Engine) {
    let blocks = if is_full() { 500 } else { 25 };
    let apart = 2_000_000_000 / blocks;
    let database = Database::new(engine);
    database.script(&format!(
        "CREATE TABLE t (id {{{{id}}}}, a integer, b integer);\n\
         INSERT INTO t (id, a) SELECT (b.n - 1) * {apart} + a.n, 1 \
         FROM numbers a, numbers b WHERE a.n <= 1000 AND b.n <= {blocks}"
    ));
    let desk = Desk::at(&database.url);
    // As many rows as the first batch has, so that none is smaller.
    desk.write("job.toml", &job("max_rows = 100\ntarget_time = \"1m\"\npause = \"0s\""));
    let said = desk.call(&["run", "job.toml", "--progress", "json"]).expect(0);
    let rows = blocks * 1_000;
    for phase in ["write", "verify"] {
        let batches = batches(&said.out, phase);
        let wanted = rows / 100..=rows / 100 * 21 / 20;
        assert!(wanted.contains(&batches), "{batches} batches of 100 rows for {rows} ({phase})");
    }
    assert_eq!(database.value("SELECT count(*) FROM t WHERE b = 2"), rows.to_string());
}
