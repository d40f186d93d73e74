//! gh-ost, driven: the real one where `BACKSTOP_TEST_GH_OST` names it, else the double.

mod ends;
mod odd;
mod runs;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::{Duration, Instant};

use backstop::catalog::Release;
use backstop::event::HandoffState;
use backstop::handoff::work::{Child, ChildId, Ended, Launch, Look, Paths, Work, ghost::TOOL};
use backstop::handoff::{Decision, Estimate, Plan};
use backstop::rewrite::tool::{Around, Tool, Word, command};
use libtest_mimic::Trial;

use super::defaults_file;
use super::writer::Wrote;
use crate::database::{Database, Engine, available};
use crate::doubles;
use crate::harness::Desk;
use crate::test;

const ROWS: u64 = 4000;
const CHANGE: &str = "MODIFY c decimal(12,3), ADD note varchar(20) NOT NULL DEFAULT 'it''s'";

/// The longest that the application may wait where nothing is cut over, on a machine that is busy with other
/// tests.
const CALM: Duration = Duration::from_secs(2);
/// The same with a cut-over, of which up to 3.02 s were measured.
const CUT_OVER: Duration = Duration::from_secs(6);

pub fn trials() -> Vec<Trial> {
    let mut trials = odd::trials();
    for engine in available().filter(|engine| engine.family == "mysql") {
        let mut add = |name: &str, check: fn(Engine)| {
            let name = format!("handoff: gh-ost {name} on {}", engine.name);
            trials.push(test(name, move || check(engine)));
        };
        add("waits when all is copied, and cuts over when it is told", runs::plain);
        add("is paused and tuned while it runs", runs::paused_and_tuned);
        add("throttles when nobody watches, and is taken up again", runs::taken_up_again);
        add("tries once to cut over behind a reader, and waits again", runs::behind_a_reader);
        add("goes on where it was killed", runs::resumed);
        add("puts the old table back, or tells why it cannot", runs::reverted);
        add("ends in every phase when it is asked to", ends::asked);
        add("ends in every phase by force", ends::forced);
        add("is killed while the server works for it", ends::killed_at_work);
        add("tells why it ended by itself", ends::by_itself);
    }
    trials.push(test("handoff: gh-ost ends after the server was started again", ends::restarted));
    trials
}

/// Who is asked whether anybody watches.
struct Watch {
    url: String,
    status: Arc<AtomicU16>,
    ended: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Watch {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/watched", listener.local_addr().unwrap());
        let (status, ended) = (Arc::new(AtomicU16::new(200)), Arc::new(AtomicBool::new(false)));
        let (told, seen) = (status.clone(), ended.clone());
        listener.set_nonblocking(true).unwrap();
        let thread = std::thread::spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                let Ok((mut stream, _)) = listener.accept() else {
                    std::thread::sleep(Duration::from_millis(5));
                    continue;
                };
                stream.set_nonblocking(false).unwrap();
                let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
                let _ = stream.read(&mut [0; 2048]);
                let status = told.load(Ordering::Relaxed);
                let answer = format!(
                    "HTTP/1.1 {status} x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                );
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { url, status, ended, thread: Some(thread) }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        let _ = self.thread.take().unwrap().join();
    }
}

/// A table, a plan to change it, and a gh-ost to do it.
struct Scene {
    database: Database,
    desk: Desk,
    plan: Plan,
    paths: Paths,
    watch: Watch,
    /// Flags besides those of the plan.
    more: Vec<String>,
    runtime: tokio::runtime::Runtime,
}

impl Scene {
    fn new(engine: Engine) -> Self {
        Self::of(engine, Database::new(engine), CHANGE, &defaults_file(engine))
    }

    fn of(engine: Engine, database: Database, change: &str, defaults: &str) -> Self {
        database.script(&format!(
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, c decimal(10,2), g int GENERATED \
             ALWAYS AS (a + 1) STORED);\nINSERT INTO t (id, a, c) SELECT n, 0, n % 900 FROM numbers WHERE n <= \
             {ROWS}"
        ));
        let desk = Desk::new();
        let files = desk.path("g").display().to_string();
        let login = database.login();
        let server = if engine.name == "mysql" { "mysql-9.7" } else { "mariadb-10.11" };
        let around = Around {
            server: Release::parse(server).unwrap(),
            version: Some((1, 1, 10)),
            host: Some((login.host.clone(), login.port)),
            database: Word::plain(&login.database),
            defaults_file: Word::plain(defaults),
            files: files.clone(),
            server_id: Some(std::process::id() * 64 + u32::from(login.port) % 64),
            replicas: Vec::new(),
            referred: false,
            triggers: false,
        };
        let plan = Plan {
            file: "m.sql".to_owned(),
            url_env: "DATABASE_URL".to_owned(),
            server: server.to_owned(),
            host: login.host,
            port: login.port,
            database: login.database,
            table: "t".to_owned(),
            clauses: change.to_owned(),
            decision: Decision::Tool(Tool::GhOst),
            reasons: Vec::new(),
            steps: Vec::new(),
            command: Some(command(Tool::GhOst, "t", change, &around)),
            flags: Vec::new(),
            estimate: Estimate::default(),
            checks: Vec::new(),
            losses: Vec::new(),
            installed: Vec::new(),
            advice: Vec::new(),
            files: files.clone(),
            defaults_file: defaults.to_owned(),
            lock_wait: Duration::from_secs(5),
            reverts: None,
        };
        // MariaDB's `performance_schema` is off here, and takes a restart: the plan refuses gh-ost then.
        let more = if engine.name == "mysql" { "--verbose" } else { "--skip-metadata-lock-check" };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (paths, watch) = (Paths::new(&files), Watch::new());
        Self { database, desk, plan, paths, watch, more: vec![more.to_owned()], runtime }
    }

    /// The same with another flag.
    fn with(mut self, flag: &str) -> Self {
        self.more.push(flag.to_owned());
        self
    }

    /// Such that the copy lasts until it is told to be quick.
    fn slow(self) -> Self {
        self.with("--nice-ratio=50").with("--chunk-size=10")
    }

    fn start(&self) -> Run<'_> {
        self.start_with(None, &[])
    }

    fn start_with(&self, resume: Option<&str>, variables: &[(&str, &str)]) -> Run<'_> {
        let program = doubles::ghost::put(&self.desk, variables);
        (TOOL.prepare)(&self.plan, &self.paths).unwrap();
        let resume = resume.map(str::to_owned);
        let launch = Launch { watch_url: self.watch.url.clone(), resume };
        let mut vector = (TOOL.vector)(&self.plan, &self.paths, &launch);
        assert_eq!(vector[0], "gh-ost");
        vector[0] = program.display().to_string();
        // The last of two flags of one name counts.
        vector.extend(self.more.iter().cloned());
        let child = self.runtime.block_on(async { Child::start(&vector, &self.paths).unwrap() });
        self.take(child)
    }

    fn take(&self, child: Child) -> Run<'_> {
        let id = child.id();
        Run { scene: self, id, work: (TOOL.take)(&self.plan, &self.paths, child) }
    }

    /// What it said.
    fn said(&self) -> String {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        format!("--- out\n{}\n--- err\n{}", read(self.paths.out()), read(self.paths.err()))
    }

    /// The tables that begin as gh-ost's do.
    fn tables(&self) -> String {
        self.database.value(
            "SELECT CAST(GROUP_CONCAT(TABLE_NAME ORDER BY TABLE_NAME) AS CHAR) FROM information_schema.TABLES WHERE \
             TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '\\_t\\_%'",
        )
    }

    fn clean_up(&self) {
        self.database.plainly("DROP TABLE IF EXISTS _t_gho, _t_ghc, _t_ghk, _t_del");
    }

    /// Whether the table has its new shape.
    fn is_changed(&self) -> bool {
        let columns = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = \
                       DATABASE() AND TABLE_NAME = 't'";
        self.database.value(columns) == "5"
    }

    /// That no write was lost, none failed, and none waited for longer than that.
    #[track_caller]
    fn holds(&self, wrote: &Wrote, longest: Duration) {
        println!(
            "{} updates, {} inserts, {} deletes, waits above 0.2 s: {:?}",
            wrote.updates, wrote.inserts, wrote.deletes, wrote.waits
        );
        assert_eq!(wrote.errors, Vec::<String>::new());
        assert_eq!(wrote.deadlocks, 0);
        assert!(wrote.longest < longest, "{:?}", wrote.waits);
        let rows = ROWS + wrote.inserts - wrote.deletes;
        let value = |sql: &str| self.database.value(sql);
        assert_eq!(value("SELECT CAST(COUNT(*) AS CHAR) FROM t"), rows.to_string());
        assert_eq!(value("SELECT CAST(SUM(a) AS CHAR) FROM t"), wrote.updates.to_string());
        assert_eq!(value("SELECT CAST(COUNT(*) AS CHAR) FROM t WHERE g <> a + 1"), "0");
        if self.is_changed() {
            let other = "SELECT CAST(COUNT(*) AS CHAR) FROM t WHERE note <> 'it''s'";
            assert_eq!(value(other), "0");
        }
    }
}

/// A gh-ost under way; killed when it is dropped, as the test has failed then.
struct Run<'a> {
    scene: &'a Scene,
    id: ChildId,
    work: Box<dyn Work>,
}

impl Run<'_> {
    fn look(&mut self) -> Look {
        let begun = Instant::now();
        let look = self.scene.runtime.block_on(self.work.look());
        assert!(begun.elapsed() < Duration::from_millis(1800), "a look took {:?}", begun.elapsed());
        look
    }

    /// Waits until it is seen to be so, while it runs.
    #[track_caller]
    fn until(&mut self, what: &str, is_so: impl Fn(&Look) -> bool) -> Duration {
        let begun = Instant::now();
        loop {
            let look = self.look();
            if is_so(&look) {
                return begun.elapsed();
            }
            let waited = begun.elapsed() < Duration::from_secs(60);
            assert!(
                waited && look.ended.is_none(),
                "waits for {what}: {look:?}\n{}",
                self.scene.said()
            );
            std::thread::sleep(Duration::from_millis(30));
        }
    }

    #[track_caller]
    fn until_it_is(&mut self, state: HandoffState) -> Duration {
        self.until(state.name(), |look| look.ended.is_none() && look.progress.state == state)
    }

    #[track_caller]
    fn until_it_copies(&mut self) {
        self.until("copied rows", |look| {
            look.progress.state == HandoffState::Copying && look.progress.copied > Some(0)
        });
    }

    #[track_caller]
    fn until_its_end(&mut self) -> (Ended, Duration) {
        let took = self.until("its end", |look| look.ended.is_some());
        (self.look().ended.unwrap(), took)
    }

    /// Lets it copy as fast as it can.
    #[track_caller]
    fn hurry(&mut self) {
        self.tune("nice", "0");
        self.tune("chunk_size", "5000");
    }

    #[track_caller]
    fn tune(&mut self, name: &str, value: &str) -> String {
        let tuned = self.scene.runtime.block_on(self.work.tune(name, value));
        tuned.unwrap_or_else(|refused| panic!("{name}={value}: {refused}\n{}", self.scene.said()))
    }

    /// Opens the gate, and waits for the good end.
    #[track_caller]
    fn cut_over(&mut self) {
        self.until_it_is(HandoffState::Postponed);
        let opened = self.scene.runtime.block_on(self.work.open_gate()).unwrap();
        assert!(opened.contains("tries once"), "{opened}");
        let (ended, _) = self.until_its_end();
        assert!(ended.well, "{ended:?}\n{}", self.scene.said());
        assert!(self.scene.is_changed());
    }
}

impl Drop for Run<'_> {
    fn drop(&mut self) {
        let _ = self.scene.runtime.block_on(self.work.force());
    }
}
