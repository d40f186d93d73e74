//! pt-online-schema-change as the supervisor drives it, on each pair of tool and server, under a writer.

mod ends;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backstop::catalog::Release;
use backstop::control::Stop;
use backstop::event::{HandoffProgress, HandoffState};
use backstop::handoff::work::percona::{PERCONA, job_of};
use backstop::handoff::work::{Child, ChildId, Ended, Ending, Launch, Paths, Refused, Work};
use backstop::handoff::{self, Installed, Plan, Request};
use backstop::rewrite::tool::{self, Around, Tool, Version, Word};
use libtest_mimic::Trial;
use tempfile::TempDir;

use super::defaults_file;
use super::writer::{Writer, Wrote};
use crate::database::{Database, Engine, available, engine, try_connect};
use crate::test;

const ROWS: u64 = 80_000;
const CHANGE: &str =
    "ALTER TABLE t MODIFY c decimal(12,3), ADD note varchar(20) DEFAULT 'it''s' NOT NULL";

/// A tool, and a server.
#[derive(Debug, Clone, Copy)]
struct Pair {
    engine: Engine,
    version: Version,
}

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available().filter(|engine| engine.family == "mysql") {
        let mut pairs = vec![Pair { engine, version: (3, 2, 1) }];
        // Its own option about replicas is refused by MariaDB; nobody needs this version there.
        if engine.name == "mysql" {
            pairs.push(Pair { engine, version: (3, 7, 1) });
        }
        for pair in pairs {
            let on = format!("pt-osc {}.{} on {}", pair.version.0, pair.version.1, engine.name);
            let lacks = pair.version == NEWER.0 && std::env::var(NEWER.1).is_ok();
            let held =
                test(format!("handoff: {on} is held, tuned and cut over"), move || held(pair));
            let ended = test(format!("handoff: {on} ends wherever it is asked to"), move || {
                ends::asked(pair);
            });
            let killed =
                test(format!("handoff: {on} is killed while the server works for it"), move || {
                    ends::killed_at_work(pair);
                });
            trials.extend([held, ended, killed].map(|trial| trial.with_ignored_flag(lacks)));
        }
    }
    trials.push(test("handoff: a pt-osc that is none is reported as that", ends::none_at_all));
    trials.push(test("handoff: pt-osc ends when the server does", ends::server_stopped));
    trials
}

/// The version that `tests/run` fetches, and the variable that says that it could not.
const NEWER: (Version, &str) = ((3, 7, 1), "BACKSTOP_TEST_PT_OSC_37_LACKING");

impl Pair {
    fn program(self) -> PathBuf {
        if self.version != NEWER.0 {
            return "pt-online-schema-change".into();
        }
        let folder = std::env::var("BACKSTOP_TEST_PT_OSC_37_DIR").unwrap_or_else(|_| {
            panic!("`BACKSTOP_TEST_PT_OSC_37_DIR` is not set: `tests/run` fetches it and sets it")
        });
        Path::new(&folder).join("pt-online-schema-change")
    }
}

/// Touches the supervisor's file, as long as it is told to.
struct Beat {
    on: Arc<AtomicBool>,
    end: Arc<AtomicBool>,
}

impl Beat {
    fn of(paths: &Paths) -> Self {
        let beat =
            Self { on: Arc::new(AtomicBool::new(true)), end: Arc::new(AtomicBool::new(false)) };
        let (on, end, path) = (beat.on.clone(), beat.end.clone(), paths.beat());
        std::thread::spawn(move || {
            while !end.load(Ordering::Relaxed) {
                if on.load(Ordering::Relaxed) {
                    let _ = std::fs::write(&path, "");
                }
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        beat
    }
}

impl Drop for Beat {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
    }
}

/// A table, a plan for it, and the files of its runs.
struct Stage {
    database: Database,
    plan: Plan,
    paths: Paths,
    program: PathBuf,
    runtime: tokio::runtime::Runtime,
    _folder: TempDir,
}

/// A run. Dropped, it is no more.
struct Run<'a> {
    stage: &'a Stage,
    work: Box<dyn Work>,
    id: ChildId,
    beat: Beat,
}

impl Stage {
    fn new(pair: Pair, rows: u64) -> Self {
        Self::on(pair, Database::new(pair.engine), &defaults_file(pair.engine), rows)
    }

    fn on(pair: Pair, database: Database, defaults: &str, rows: u64) -> Self {
        database.script(
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, c decimal(10,2));\n\
             INSERT INTO t (id, a, c) SELECT n, 0, n FROM numbers WHERE n <= 20000",
        );
        let mut there = 20_000;
        while there < rows {
            database.plainly(&format!("INSERT INTO t (id, a, c) SELECT id + {there}, 0, c FROM t"));
            there *= 2;
        }
        database.plainly("ANALYZE TABLE t");
        let folder = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let plan = runtime.block_on(planned(pair, &database, defaults, folder.path()));
        let paths = Paths::new(&plan.files);
        Self { database, plan, paths, program: pair.program(), runtime, _folder: folder }
    }

    fn start(&self, resume: Option<String>) -> Run<'_> {
        let launch = Launch { watch_url: String::new(), resume };
        let mut vector = (PERCONA.vector)(&self.plan, &self.paths, &launch);
        vector[0] = self.program.display().to_string();
        // Many chunks of a table that is small, which do not grow where the server is quick, and time
        // between them.
        for word in &mut vector {
            if word.starts_with("--chunk-time=") {
                *word = "--chunk-time=0".to_owned();
            }
        }
        vector.insert(1, "--sleep=0.05".to_owned());
        assert!(vector.iter().all(|word| !word.starts_with("--pause-file")), "{vector:?}");
        self.launch(&vector)
    }

    fn launch(&self, vector: &[String]) -> Run<'_> {
        (PERCONA.prepare)(&self.plan, &self.paths).unwrap();
        let beat = Beat::of(&self.paths);
        let _in = self.runtime.enter();
        let child = Child::start(vector, &self.paths).unwrap();
        let id = child.id();
        let work = (PERCONA.take)(&self.plan, &self.paths, child);
        Run { stage: self, work, id, beat }
    }

    /// What differs between the table and its copy, at one instant.
    fn differing_rows(&self) -> String {
        self.database.value(
            "SELECT CAST((SELECT COUNT(*) FROM t LEFT JOIN _t_new n ON n.id = t.id WHERE n.id IS NULL OR NOT \
             (n.a <=> t.a) OR NOT (n.c <=> t.c)) + (SELECT COUNT(*) FROM _t_new n LEFT JOIN t ON t.id = n.id \
             WHERE t.id IS NULL) AS CHAR)",
        )
    }

    fn columns(&self) -> String {
        self.database.value(
            "SELECT GROUP_CONCAT(COLUMN_NAME ORDER BY ORDINAL_POSITION) FROM information_schema.COLUMNS WHERE \
             TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't'",
        )
    }

    fn triggers(&self) -> String {
        self.database.value(
            "SELECT COALESCE(GROUP_CONCAT(TRIGGER_NAME ORDER BY TRIGGER_NAME), '') FROM \
             information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()",
        )
    }

    fn tables(&self) -> String {
        self.database.value(
            "SELECT COALESCE(GROUP_CONCAT(TABLE_NAME ORDER BY TABLE_NAME), '') FROM information_schema.TABLES \
             WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '%t\\_%'",
        )
    }

    /// What the application wrote is there, and nothing else.
    fn check(&self, wrote: &Wrote) {
        let Wrote { updates, inserts, deletes, deadlocks, longest, .. } = wrote;
        println!(
            "{updates} updates, {inserts} inserts, {deletes} deletes, {deadlocks} deadlocks, worst wait \
             {longest:?}, {} waits",
            wrote.waits.len()
        );
        assert_eq!(wrote.errors, Vec::<String>::new());
        assert!(wrote.stale.len() <= 3, "{:?}", wrote.stale);
        assert!(50 < *updates, "{updates}");
        let sum = "SELECT CONCAT(COUNT(*), ' ', SUM(a)) FROM t";
        assert_eq!(self.database.value(sum), format!("{} {updates}", ROWS + inserts - deletes));
    }
}

async fn planned(pair: Pair, database: &Database, defaults: &str, folder: &Path) -> Plan {
    let request = Request {
        file: "m.sql".to_owned(),
        text: CHANGE.to_owned(),
        url_env: "DATABASE_URL".to_owned(),
        replicas: None,
        tool: Some(Tool::Percona),
        defaults_file: defaults.to_owned(),
        folder: folder.display().to_string(),
        query_limit: Duration::from_secs(60),
        prove: false,
        large_rows: 1000,
        large_bytes: 1000,
        lock_wait: Duration::from_secs(5),
        fence_schema: None,
        resumes: None,
    };
    let target = try_connect(&database.url).await.unwrap();
    let mut plan = handoff::make(&request, target.as_ref(), &Stop::default()).await.unwrap();
    // As with the other version on the path.
    let server = if pair.engine.name == "mysql" { "mysql-9.7" } else { "mariadb-10.11" };
    let around = Around {
        server: Release::parse(server).unwrap(),
        version: Some(pair.version),
        host: Some((plan.host.clone(), plan.port)),
        database: Word::plain(&plan.database),
        defaults_file: Word::plain(&plan.defaults_file),
        files: plan.files.clone(),
        server_id: None,
        replicas: Vec::new(),
        referred: false,
        triggers: false,
    };
    plan.command = Some(tool::command(Tool::Percona, &plan.table, &plan.clauses, &around));
    plan.installed =
        vec![Installed { tool: Tool::Percona, version: Ok(pair.version), there: true }];
    plan
}

impl Run<'_> {
    fn look(&mut self) -> (HandoffProgress, Option<Ended>) {
        let look = self.stage.runtime.block_on(self.work.look());
        (look.progress, look.ended)
    }

    /// Looks until it is so; fails with what was said if it ends before, or never is.
    fn until(&mut self, what: &str, holds: impl Fn(&HandoffProgress) -> bool) -> HandoffProgress {
        let begun = Instant::now();
        loop {
            let (progress, ended) = self.look();
            if holds(&progress) {
                return progress;
            }
            assert!(ended.is_none(), "{what}: {ended:?}\n{}", self.said());
            assert!(begun.elapsed().as_secs() < 60, "{what}: {progress:?}\n{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn until_state(&mut self, state: HandoffState) -> HandoffProgress {
        self.until(state.name(), |progress| progress.state == state)
    }

    /// Until some chunks are copied.
    fn until_copying(&mut self) -> HandoffProgress {
        self.until("copying", |now| {
            now.state == HandoffState::Copying && now.copied.is_some_and(|rows| 0 < rows)
        })
    }

    fn until_ended(&mut self) -> Ended {
        let begun = Instant::now();
        loop {
            if let (_, Some(ended)) = self.look() {
                return ended;
            }
            assert!(begun.elapsed().as_secs() < 60, "{}", self.said());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Makes a call, which must come back soon.
    fn call<T>(&mut self, call: impl AsyncFnOnce(&mut dyn Work) -> T) -> T {
        let begun = Instant::now();
        let answer = self.stage.runtime.block_on(call(self.work.as_mut()));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        answer
    }

    fn pause(&mut self) -> String {
        let answer = self.call(async |work| work.pause().await);
        answer.unwrap_or_else(|why| panic!("{why}\n{}", self.said()))
    }

    fn resume(&mut self) -> String {
        self.call(async |work| work.resume().await).unwrap()
    }

    fn tune(&mut self, name: &str, value: &str) -> Result<String, Refused> {
        self.call(async |work| work.tune(name, value).await)
    }

    /// All that it said.
    fn said(&self) -> String {
        let paths = &self.stage.paths;
        [paths.events(), paths.out(), paths.err()]
            .map(|path| {
                String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
            })
            .join("\n")
    }

    /// The sessions that carry its mark, when none is left or time is up.
    fn sessions(&self) -> String {
        let sql = format!(
            "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND \
             INFO LIKE '%pt-online-schema-change {}%'",
            self.id.pid
        );
        let begun = Instant::now();
        loop {
            let left = self.stage.database.value(&sql);
            if left == "0" || 5 < begun.elapsed().as_secs() {
                return left;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Removes what it left, in the order in which nothing breaks.
    fn clean_up(self) {
        let mark = self.work.mark();
        let stage = self.stage;
        assert_eq!(stage.columns(), "id,a,c");
        assert_eq!(stage.triggers().split(',').count(), 3, "{}", stage.triggers());
        for trigger in stage.triggers().split(',') {
            assert!(trigger.starts_with(&mark.triggers), "{trigger} is none of {}", mark.triggers);
            stage.database.plainly(&format!("DROP TRIGGER {trigger}"));
        }
        for table in mark.tables {
            stage.database.plainly(&format!("DROP TABLE {table}"));
        }
        assert_eq!(stage.tables(), "");
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let _ = self.stage.runtime.block_on(self.work.force());
    }
}

fn held(pair: Pair) {
    let stage = Stage::new(pair, ROWS);
    let writer = Writer::on(&stage.database, ROWS);
    let mut run = stage.start(None);
    let copying = run.until_copying();
    assert!(copying.estimate_is_valid(), "{copying:?}");

    let mark = run.work.mark();
    assert!(!mark.addresses.is_empty(), "{mark:?}");
    assert!(mark.tables.contains(&"_t_new".to_owned()), "{mark:?}");

    // Paused: nothing is copied, and the triggers keep what is copied as it should be.
    assert!(run.pause().contains("its triggers go on writing"));
    let paused = run.until_state(HandoffState::Paused);
    std::thread::sleep(Duration::from_secs(1));
    let (later, _) = run.look();
    assert_eq!((later.state, later.copied), (HandoffState::Paused, paused.copied));
    assert!(paused.copied < paused.estimate, "{paused:?}");
    assert!(later.waits_for.unwrap().contains("go on"));
    let stale =
        "SELECT CAST(COUNT(*) AS CHAR) FROM t JOIN _t_new n ON n.id = t.id WHERE NOT (n.a <=> t.a)";
    assert_eq!(stage.database.value(stale), "0");

    // What is set while it waits is told, and holds afterwards.
    assert!(run.tune("chunk_size", "300").unwrap().contains("300"));
    assert!(run.tune("chunk_size", "300").unwrap().contains("already"));
    assert!(run.tune("max_load", "Threads_running=150").unwrap().contains("150"));
    let refused = run.tune("max_load", "Threads_connected=150").unwrap_err().to_string();
    assert!(refused.contains("it watches no `Threads_connected`"), "{refused}");
    let refused = run.tune("max_lag", "30").unwrap_err().to_string();
    assert!(refused.contains("it watches no replica"), "{refused}");
    let refused = run.tune("nice_ratio", "1").unwrap_err().to_string();
    assert!(refused.contains("no setting `nice_ratio`"), "{refused}");
    let early = run.call(async |work| work.open_gate().await);
    assert!(matches!(early, Err(Refused::NotNow(_))), "{early:?}");
    assert_eq!(run.resume(), "it goes on");
    let on =
        run.until("on", |now| now.state == HandoffState::Copying && paused.copied < now.copied);
    assert!(on.step.unwrap().contains("in chunks of 300 rows"));
    // The whole would be 267 chunks; the time of a chunk decides again.
    run.tune("chunk_time", "0.05").unwrap();

    // The supervisor died, and another finds the run by what names its process.
    let id = run.id;
    let child = Child::attach(id).unwrap();
    let mut again = (PERCONA.take)(&stage.plan, &stage.paths, child);
    let found = stage.runtime.block_on(again.look()).progress;
    assert!(on.copied <= found.copied, "{found:?}");

    // Postponed: equal at every instant, and not cut over by a pause that ends.
    run.until_state(HandoffState::Postponed);
    for _ in 0..3 {
        assert_eq!(stage.differing_rows(), "0");
        std::thread::sleep(Duration::from_millis(150));
    }
    run.pause();
    assert!(run.resume().contains("still waits for somebody who lets it cut over"));
    assert_eq!(run.look().0.state, HandoffState::Postponed);
    assert_eq!(stage.columns(), "id,a,c");

    // By the one that found it.
    let opened = stage.runtime.block_on(again.open_gate()).unwrap();
    assert!(opened.contains("the gate is open"), "{opened}");
    let ended = run.until_ended();
    assert!(ended.well && ended.hint.contains("exit code 0"), "{ended:?}\n{}", run.said());
    assert_eq!(run.look().0.state, HandoffState::Done);
    let found = stage.runtime.block_on(again.look());
    assert!(found.ended.is_some_and(|ended| ended.well), "{}", run.said());
    let late = run.call(async |work| work.close_gate().await);
    assert!(matches!(late, Err(Refused::NotNow(_))), "{late:?}");
    drop(run);
    let wrote = writer.end();
    stage.check(&wrote);
    assert_eq!(stage.columns(), "id,a,c,note");
    assert_eq!((stage.triggers(), stage.tables()), (String::new(), "_t_old".to_owned()));
}
