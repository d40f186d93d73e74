//! Crash at every step: a clean run counts every call that touches a database or the journal; then
//! one run after the other is killed (SIGKILL, by itself) just before one of them, and a run that
//! nobody kills goes on. The whole table must then be what the clean run gave.
//!
//! To die before a call is to die after the one before it, so nothing is left between two points
//! but the process's own memory. The clock and sleeping have no points of their own for the same
//! reason: who dies in his sleep leaves what who dies at the next call leaves.
//!
//! With two workers the runs differ in who takes which range, so a point of the clean run may not
//! exist in another one; those are counted and told.

mod child;
mod probe;

use std::cell::RefCell;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use backstop::plan::images::table_name;
use backstop::target::{Session, Statement};
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::database::{Database, Engine, available, engine, execute, open};
use crate::harness::is_full;
use crate::test;
use child::{Orders, Report, VARIABLE};
pub use child::{is_child, live_and_die};

/// Points that a job on a server crashes at in a run without `--full`, of those at which it is about
/// to write: so few that all of this takes about half a minute on two quiet cores. On SQLite, where
/// a run takes a tenth of the time, every point is tried.
const POINTS: usize = 8;

/// Three batches, or eight ranges for two workers; the last batch is a short one.
const SCHEMA: &str = "\
CREATE TABLE t (id integer PRIMARY KEY, n integer NOT NULL, doubled integer, \
tripled integer CHECK (tripled NOT IN (30, 420, 930)));
INSERT INTO t (id, n) VALUES (1, 10), (2, 20), (3, 30), (5, 50), (8, 80), (13, 130), (14, 140), \
(15, 150), (16, 160), (17, 170), (18, 180), (20, 200), (30, 300), (31, 310)";

/// The table and the target as they were before any run, but for the images.
const ANEW: [&str; 3] = [
    "UPDATE t SET n = id * 10, doubled = NULL, tripled = NULL",
    "DROP TABLE IF EXISTS backstop_fence",
    "DROP TABLE IF EXISTS backstop_switch",
];

/// A job to crash.
#[derive(Clone, Copy)]
struct Job {
    name: &'static str,
    update: &'static str,
    workers: u32,
    /// Whether the runs that crash are those that try again what an earlier run could not write.
    retry: bool,
}

const EXACTLY_ONCE: Job = Job {
    name: "an exactly-once job",
    update: "set = { n = \"n + 1\" }\nexactly_once = true",
    workers: 1,
    retry: false,
};

/// The first row, one in the middle and the last cannot be written.
const POISONED: Job = Job {
    name: "an exactly-once job with rows that cannot be written",
    update: "set = { tripled = \"n * 3\", n = \"n + 1\" }\nexactly_once = true",
    ..EXACTLY_ONCE
};

const JOBS: [Job; 7] = [
    EXACTLY_ONCE,
    Job {
        name: "an exactly-once job that keeps old values",
        update: "set = { n = \"n + 1\" }\nexactly_once = true\n[undo]\nkeep = \"1d\"",
        ..EXACTLY_ONCE
    },
    Job {
        name: "a convergent job without a fence",
        update: "set = { doubled = \"n * 2\" }\nwhere = \"doubled IS NULL\"\nfence = false",
        ..EXACTLY_ONCE
    },
    Job { name: "an exactly-once job with two workers", workers: 2, ..EXACTLY_ONCE },
    POISONED,
    Job {
        name: "a job without a fence with rows that cannot be written",
        update: "set = { tripled = \"n * 3\" }\nfence = false",
        ..EXACTLY_ONCE
    },
    Job { name: "a retry of rows that could not be written", retry: true, ..POISONED },
];

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![test("crashing: a commit before the fence is found out", found_out)];
    for (number, engine) in available().enumerate() {
        for job in JOBS {
            // SQLite has one writer, and its jobs one worker.
            if job.workers == 1 || engine.family != "sqlite" {
                let name = format!("crashing: {} on {}", job.name, engine.name);
                trials.push(test(name, move || anywhere(job, engine, number)));
            }
        }
    }
    trials
}

/// A database, a job, and the result of one clean run.
struct Scene {
    job: Job,
    database: Database,
    runtime: tokio::runtime::Runtime,
    /// Ours, for all that the test itself asks of the database: logging in is what takes longest.
    session: RefCell<Box<dyn Session>>,
    folder: TempDir,
    commits_early: bool,
    /// Every call of the clean run.
    points: Vec<String>,
    /// The table after it, and what is in quarantine.
    table: String,
    quarantine: Vec<String>,
}

/// Of those rows, all but the last can be written now.
const MEND: &str = "UPDATE t SET n = n + 1 WHERE tripled IS NULL AND id < 31";

impl Scene {
    fn new(job: Job, engine: Engine, commits_early: bool) -> Self {
        let database = Database::new(engine);
        database.script(SCHEMA);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let session = RefCell::new(runtime.block_on(open(&database.url)));
        let mut scene = Self {
            job,
            database,
            runtime,
            session,
            folder: TempDir::new().unwrap(),
            commits_early,
            points: Vec::new(),
            table: String::new(),
            quarantine: Vec::new(),
        };
        scene.prepare();
        let before = scene.read();
        let Report { state, points, quarantine } = scene.finish();
        let ends: &[&str] =
            if quarantine.is_empty() { &["completed", "verified"] } else { &["incomplete"] };
        assert!(ends.contains(&state.as_str()), "{state}");
        (scene.points, scene.quarantine) = (points, quarantine);
        scene.table = scene.read();
        assert_ne!(before, scene.table, "the job does nothing");
        scene
    }

    /// Does what comes before the run that crashes.
    fn prepare(&self) {
        if self.job.retry {
            let before = Self::report(self.call(&Orders { retry: false, ..self.orders(None) }));
            assert_eq!(before.quarantine, ["1 waiting", "14 waiting", "31 waiting"]);
            let mut session = self.session.borrow_mut();
            self.runtime.block_on(execute(session.as_mut(), MEND));
        }
    }

    fn orders(&self, crash_at: Option<&str>) -> Orders {
        let spec = self.folder.path().join("crash.toml");
        let Job { update, workers, .. } = self.job;
        // A batch is always of the same size, or the points would not be the same.
        std::fs::write(
            &spec,
            format!(
                "[job]\nname = \"crash\"\n[target]\nurl_env = \"DATABASE_URL\"\n[update]\ntable = \
                 \"t\"\n{update}\n[batch]\nmax_rows = 5\ntarget_time = \"30s\"\npause = \"0s\"\n\
                 workers = {workers}\n"
            ),
        )
        .unwrap();
        Orders {
            spec,
            journal: self.folder.path().join("journal.db"),
            crash_at: crash_at.map(str::to_owned),
            retry: self.job.retry,
            commits_early: self.commits_early,
        }
    }

    fn run(&self, crash_at: Option<&str>) -> Output {
        self.call(&self.orders(crash_at))
    }

    fn call(&self, orders: &Orders) -> Output {
        Command::new(std::env::current_exe().unwrap())
            .env(VARIABLE, serde_json::to_string(orders).unwrap())
            .env("DATABASE_URL", &self.database.url)
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Runs the job to its end.
    fn finish(&self) -> Report {
        Self::report(self.run(None))
    }

    fn report(output: Output) -> Report {
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// The table, and behind it the images, where the job keeps them.
    fn read(&self) -> String {
        let images = table_name("crash");
        let all = [
            "SELECT id, n, doubled, tripled FROM t ORDER BY id".to_owned(),
            format!("SELECT undo_key_id, undo_old_n, undo_new_n FROM {images} ORDER BY 1"),
        ];
        let mut session = self.session.borrow_mut();
        let read = |sql: &String| self.runtime.block_on(session.query(&Statement::plain(sql)));
        let [table, images] = [&all[0], &all[1]].map(read);
        // Before the first run there is no table of them.
        let rows = table.unwrap().into_iter().chain(images.unwrap_or_default());
        rows.map(|row| format!("{row:?}\n")).collect()
    }

    /// Each row that is written has an image, and no other row has one.
    fn images_agree(&self, point: &str) {
        if !self.job.update.contains("[undo]") {
            return;
        }
        let images = table_name("crash");
        let sql = format!(
            "SELECT count(*) FROM t LEFT JOIN {images} ON undo_key_id = id AND undo_old_n = id * 10 \
             AND undo_new_n = n WHERE (n = id * 10 AND undo_key_id IS NOT NULL) \
             OR (n <> id * 10 AND undo_key_id IS NULL)"
        );
        let mut session = self.session.borrow_mut();
        // Where the table is not made yet, nothing is written: the table itself tells, after all.
        if let Ok(rows) = self.runtime.block_on(session.query(&Statement::plain(sql))) {
            assert_eq!(rows, [[Some("0".to_owned())]], "images after a crash before `{point}`");
        }
    }

    /// Puts everything back to what it was before the first run.
    fn anew(&self) {
        let mut session = self.session.borrow_mut();
        let images = format!("DROP TABLE IF EXISTS {}", table_name("crash"));
        for statement in ANEW.into_iter().chain([images.as_str()]) {
            self.runtime.block_on(execute(session.as_mut(), statement));
        }
        for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
            let _ = std::fs::remove_file(self.folder.path().join(name));
        }
        drop(session);
        self.prepare();
    }

    /// Crashes a first run at the point, lets a second one go on, and says how the table differs.
    fn crash(&self, point: &str) -> Crash {
        self.anew();
        let output = self.run(Some(point));
        if output.status.success() {
            assert_eq!(self.read(), self.table, "without a crash");
            return Crash::NotReached;
        }
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.signal(), Some(9), "at `{point}`: {said}");
        self.images_agree(point);
        let found = self.finish();
        let table = format!("{}{:?}", self.read(), found.quarantine);
        let expected = format!("{}{:?}", self.table, self.quarantine);
        if table == expected { Crash::Mended } else { Crash::Broken(table) }
    }
}

/// What a crash came to.
enum Crash {
    /// The run was over before it came to the point.
    NotReached,
    /// The table is as after the clean run.
    Mended,
    /// The table is another, or the quarantine.
    Broken(String),
}

fn anywhere(job: Job, engine: Engine, number: usize) {
    let scene = Scene::new(job, engine, false);
    let all = scene.points.len();
    let every = engine.family == "sqlite" || is_full();
    let tried: Vec<_> = if every {
        scene.points.iter().collect()
    } else {
        let writing: Vec<_> = scene.points.iter().filter(|point| writes(point)).collect();
        // Each engine begins at another point, so that together they try more of them.
        let step = writing.len().div_ceil(POINTS);
        writing.into_iter().skip(number % step).step_by(step).collect()
    };
    let mut missed = Vec::new();
    for point in &tried {
        match scene.crash(point) {
            Crash::Mended => {}
            Crash::NotReached => missed.push(point.as_str()),
            Crash::Broken(table) => panic!(
                "a crash before `{point}` is not mended\n--- clean\n{}{:?}\n--- crashed\n{table}",
                scene.table, scene.quarantine
            ),
        }
    }
    println!(
        "crashing: {} on {}: {all} points, {} of them tried{}{}",
        job.name,
        engine.name,
        tried.len(),
        if every { "" } else { " (all with `--full`)" },
        if missed.is_empty() { String::new() } else { format!(", not met again: {missed:?}") },
    );
    assert!(missed.len() * 2 < tried.len(), "most points were not met again");
}

/// Whether something is written at the point, or was at the one before.
fn writes(point: &str) -> bool {
    ["begin", "execute", "commit", "journal write"].iter().any(|call| point.contains(call))
}

/// The harness can fail: a runner that commits its rows before the fence's statement writes a batch
/// twice if it dies between that and the COMMIT of the fence, and is found out there and only there.
fn found_out() {
    let scene = Scene::new(EXACTLY_ONCE, engine("sqlite"), true);
    let broken: Vec<_> = scene
        .points
        .iter()
        .filter(|point| point.starts_with("worker") && !point.contains("query"))
        .filter(|point| matches!(scene.crash(point), Crash::Broken(_)))
        .collect();
    println!("crashing: found out by a crash before each of {broken:?}");
    assert!(
        broken.iter().any(|point| point.contains("late begin"))
            && !broken.iter().any(|point| point.contains("early commit")),
        "the fault is found where it is: {broken:?}"
    );
}
