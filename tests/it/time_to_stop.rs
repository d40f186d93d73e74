//! How long it takes until a killed job has stopped, asked of the journal and of the server itself.
//! What is asserted is the outcome; the times are printed, because machines differ.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use backstop::target::{Session, Statement};
use jiff::Timestamp;
use libtest_mimic::Trial;
use rusqlite::{Connection, OptionalExtension as _};

use crate::database::{Database, Engine, available, execute, open};
use crate::harness::{Desk, Running, is_full};
use crate::test;

/// A row takes some twenty microseconds, so that a batch is as long as it is meant to be, and a whole
/// table longer than a command takes to begin on a busy machine.
const JOB: &str = r#"
[job]
name = "NAME"

[target]
url_env = "DATABASE_URL"

[update]
table = "TABLE"
set   = { n = "n + 1 + 0 * length(SLOW)" }
exactly_once = true
"#;

const SCHEMA: &str = "\
CREATE TABLE t (id {{id}}, n bigint NOT NULL, pad varchar(200) NOT NULL);
INSERT INTO t (n, pad) SELECT 0, 'a pad that makes the row about as wide as rows in real tables are, \
with a name, an address, a mail address, some flags and two or three dates in it' \
FROM numbers a, digits b";

/// A table for one batch of 100,000 rows, with the smaller ones that come before it.
const HUGE: &str = "\
CREATE TABLE huge (id {{id}}, n bigint NOT NULL);
INSERT INTO huge (n) SELECT 0 FROM numbers a, numbers b WHERE b.n <= 12";

const HUGE_BATCH: &str = "\n[batch]\nmax_rows = 100000\ntarget_time = \"60s\"\n";

/// What the job is doing when it is killed.
type Situation = (&'static str, fn(&Scene, &str) -> Times);

const SITUATIONS: [Situation; 5] = [
    ("a batch runs", while_a_batch_runs),
    ("it waits for a row lock", while_it_waits),
    ("it is paused", while_paused),
    ("it connects", while_it_connects),
    ("the journal is busy", while_the_journal_is_busy),
];

pub fn trials() -> Vec<Trial> {
    available()
        .filter(|engine| engine.name != "postgres18")
        .map(|engine| {
            test(format!("time to stop: on {}", engine.name), move || time_to_stop(engine))
        })
        .collect()
}

fn time_to_stop(engine: Engine) {
    let scene = Scene::new(engine);
    let tries = if is_full() { 50 } else { 10 };
    let mut table = Table::of(engine);
    for (number, (name, kill)) in SITUATIONS.into_iter().enumerate() {
        if engine.url_env.is_none() && name == "it connects" {
            // There is nothing to connect to.
            continue;
        }
        let one = |time: u32| kill(&scene, &format!("job-{number}-{time}"));
        table.add(name, &(0..tries).map(one).collect::<Vec<_>>());
    }
    scene.rows_are_whole("t");
    if engine.family == "mysql" {
        let one = |time: u32| in_a_huge_batch(&scene, &format!("job-huge-{time}"));
        table.add("a batch of 100,000 rows", &(0..tries / 5).map(one).collect::<Vec<_>>());
        scene.rows_are_whole("huge");
    }
    println!("{}", table.text);
}

/// Milliseconds from the moment when `backstop kill` was executed; what did not happen is absent.
struct Times {
    /// Until the command stood in the journal.
    command: Option<f64>,
    /// Until the runner had sent the cancel.
    cancel: Option<f64>,
    /// By the runner's own count, from its seeing the request.
    own: Option<f64>,
    /// Until no statement of the job ran any more; on SQLite, until the process had ended.
    quiet: f64,
    /// Until the process had ended.
    ended: f64,
}

struct Table {
    text: String,
}

impl Table {
    fn of(engine: Engine) -> Self {
        let columns = ["command", "cancel sent", "since seen", "no statement", "runner gone"];
        let mut text = format!("time to stop on {}, ms: p50 (max)\n{:26}", engine.name, "");
        for column in columns {
            text.push_str(&format!("{column:>16}"));
        }
        Self { text }
    }

    fn add(&mut self, name: &str, times: &[Times]) {
        self.text.push_str(&format!("\n  {name:24}"));
        let columns: [fn(&Times) -> Option<f64>; 5] = [
            |times| times.command,
            |times| times.cancel,
            |times| times.own,
            |times| Some(times.quiet),
            |times| Some(times.ended),
        ];
        for column in columns {
            let mut values: Vec<f64> = times.iter().filter_map(column).collect();
            values.sort_by(f64::total_cmp);
            let cell = match (values.get(values.len() / 2), values.last()) {
                (Some(middle), Some(last)) => format!("{middle:.0} ({last:.0})"),
                _ => "-".to_owned(),
            };
            self.text.push_str(&format!("{cell:>16}"));
        }
    }
}

struct Scene {
    database: Database,
    desk: Desk,
}

impl Scene {
    fn new(engine: Engine) -> Self {
        let database = Database::new(engine);
        let huge = if engine.family == "mysql" { HUGE } else { "" };
        database.script(&format!("{SCHEMA};\n{huge}"));
        let desk = Desk::at(&database.url);
        Self { database, desk }
    }

    /// Starts a job of that name, from the first row on.
    fn start(&self, job: &str) -> Running {
        start_on(&self.desk, self.database.engine, job, "t", "")
    }

    /// Every row that a fence counts as changed was changed, and none else.
    #[track_caller]
    fn rows_are_whole(&self, table: &str) {
        let written = self.database.value(&format!("SELECT CAST(sum(n) AS char(20)) FROM {table}"));
        let like = if table == "huge" { "LIKE" } else { "NOT LIKE" };
        let counted = self.database.value(&format!(
            "SELECT CAST(sum(rows_changed) AS char(20)) FROM backstop_fence WHERE job {like} 'job-huge%'"
        ));
        assert_eq!(written, counted);
    }

    fn kill(&self, job: &str, running: Running) -> Times {
        kill(&self.desk, job, running, Watcher::of(&self.database))
    }
}

fn start_on(desk: &Desk, engine: Engine, job: &str, table: &str, batch: &str) -> Running {
    let slow = match (table, engine.family) {
        ("huge", _) => "sha2(repeat(id, 1500), 256)",
        (_, "postgres") => "md5(repeat(pad, 120))",
        (_, "sqlite") => "hex(zeroblob(20000))",
        _ => "sha2(repeat(pad, 120), 256)",
    };
    let spec = JOB.replace("NAME", job).replace("SLOW", slow).replace("TABLE", table) + batch;
    desk.write("job.toml", &spec);
    desk.start(&["run", "job.toml", "--progress", "json"])
}

/// Kills the job, and looks how long that takes.
fn kill(desk: &Desk, job: &str, running: Running, watcher: Option<Watcher>) -> Times {
    let begun = Timestamp::now();
    let kill = desk.start(&["kill", job, "--json"]);
    running.wait().expect(4);
    let ended = Timestamp::now();
    // A SQLite file that another process keeps locked cannot be halted, and the command says so.
    let said = kill.wait();
    assert!(said.code == 0 || said.code == 1, "{said:?}");
    let said: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(said["job"]["state"], "killed", "{said}");
    let quiet = match watcher {
        Some(watcher) => watcher.last_seen().unwrap_or(begun),
        None => ended,
    };
    let since = |at: Timestamp| at.duration_since(begun).as_secs_f64().max(0.0) * 1000.0;
    let journal = Connection::open(desk.path(".backstop/journal.db")).unwrap();
    let moment = |sql: &str| {
        let found = journal.query_row(sql, [job], |row| row.get::<_, String>(0));
        found.optional().unwrap().map(|at| since(at.parse().unwrap()))
    };
    let own = journal
        .query_row(
            "SELECT data ->> 'seconds' FROM event WHERE job = ? AND kind = 'cancel_sent'",
            [job],
            |row| row.get::<_, f64>(0),
        )
        .optional()
        .unwrap();
    Times {
        command: moment("SELECT at FROM command WHERE job = ? AND action = 'kill'"),
        cancel: moment("SELECT at FROM event WHERE job = ? AND kind = 'cancel_sent'"),
        own: own.map(|seconds| seconds * 1000.0),
        quiet: since(quiet),
        ended: since(ended),
    }
}

/// Asks the server every few milliseconds whether a write of the job runs.
struct Watcher {
    closing: Arc<AtomicBool>,
    thread: JoinHandle<Option<Timestamp>>,
}

impl Watcher {
    fn of(database: &Database) -> Option<Self> {
        let sql = busy_sql(database.engine)?;
        let closing = Arc::new(AtomicBool::new(false));
        let (flag, url) = (Arc::clone(&closing), database.url.clone());
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let mut session = open(&url).await;
                ready.send(()).unwrap();
                let mut last_seen = None;
                while !flag.load(Ordering::Relaxed) {
                    if is_busy(session.as_mut(), sql).await {
                        last_seen = Some(Timestamp::now());
                    }
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                session.close().await;
                last_seen
            })
        });
        is_ready.recv().unwrap();
        Some(Self { closing, thread })
    }

    /// When a write was last seen to run.
    fn last_seen(self) -> Option<Timestamp> {
        self.closing.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// A query for the statements of a batch that run, or wait for a lock, or are being undone.
fn busy_sql(engine: Engine) -> Option<&'static str> {
    match engine.family {
        "postgres" => Some(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name LIKE 'backstop job-%' AND state = 'active' \
             AND query LIKE '%md5%'",
        ),
        "sqlite" => None,
        _ => Some(
            "SELECT count(*) FROM information_schema.processlist WHERE db = database() \
             AND command <> 'Sleep' AND info LIKE '/* backstop %length(%'",
        ),
    }
}

async fn is_busy(session: &mut dyn Session, sql: &str) -> bool {
    let rows = session.query(&Statement::plain(sql)).await.unwrap();
    rows[0][0].as_deref() != Some("0")
}

fn while_a_batch_runs(scene: &Scene, job: &str) -> Times {
    let mut running = scene.start(job);
    running.has_done_batches(5);
    scene.kill(job, running)
}

/// How many rows the next batch will have, if the line is about a batch.
fn next_rows(line: &str) -> u64 {
    let event: serde_json::Value = serde_json::from_str(line).unwrap();
    event["next_rows"].as_u64().unwrap_or(0)
}

fn while_it_waits(scene: &Scene, job: &str) -> Times {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut blocker = runtime.block_on(open(&scene.database.url));
    let running = if scene.database.engine.url_env.is_some() {
        runtime.block_on(async {
            blocker.begin().await.unwrap();
            execute(blocker.as_mut(), "UPDATE t SET n = n WHERE id = 1").await;
        });
        let mut running = scene.start(job);
        // It waits in the statement on PostgreSQL, and between two attempts on the others.
        running.has_said_such(|line| line.contains("batch_retried"));
        running
    } else {
        let mut running = scene.start(job);
        running.has_done_batches(1);
        runtime.block_on(blocker.begin()).unwrap();
        running
    };
    let times = scene.kill(job, running);
    runtime.block_on(async {
        blocker.rollback().await.unwrap();
        blocker.close().await;
    });
    times
}

fn while_paused(scene: &Scene, job: &str) -> Times {
    let mut running = scene.start(job);
    running.has_done_batches(1);
    scene.desk.call(&["pause", job]).expect(0);
    scene.kill(job, running)
}

/// What it connects to listens and says nothing.
fn while_it_connects(scene: &Scene, job: &str) -> Times {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut url = url::Url::parse(&scene.database.url).unwrap();
    url.set_port(Some(silent.local_addr().unwrap().port())).unwrap();
    let away = Desk::at(url.as_str());
    let mut running = start_on(&away, scene.database.engine, job, "t", "");
    away.wait_until(&mut running, job, |_| true);
    kill(&away, job, running, Watcher::of(&scene.database))
}

fn while_the_journal_is_busy(scene: &Scene, job: &str) -> Times {
    let mut running = scene.start(job);
    running.has_done_batches(4);
    let closing = Arc::new(AtomicBool::new(false));
    let (flag, path) = (Arc::clone(&closing), scene.desk.path(".backstop/journal.db"));
    let writer = std::thread::spawn(move || {
        let journal = Connection::open(path).unwrap();
        journal.busy_timeout(Duration::from_secs(10)).unwrap();
        while !flag.load(Ordering::Relaxed) {
            journal.execute_batch("BEGIN IMMEDIATE").unwrap();
            std::thread::sleep(Duration::from_millis(20));
            journal.execute_batch("COMMIT").unwrap();
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    let times = scene.kill(job, running);
    closing.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    times
}

fn in_a_huge_batch(scene: &Scene, job: &str) -> Times {
    let mut running = start_on(&scene.desk, scene.database.engine, job, "huge", HUGE_BATCH);
    running.has_said_such(|line| next_rows(line) == 100_000);
    // Well into the batch, so that there is something to undo.
    std::thread::sleep(Duration::from_millis(200));
    scene.kill(job, running)
}
