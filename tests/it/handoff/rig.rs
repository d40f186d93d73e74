//! A change that runs in the process of the test, beside an application.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use backstop::control::Stop;
use backstop::event::HandoffState;
use backstop::handoff::work::{Look, Work, native};
use backstop::handoff::{Plan, Request};
use backstop::target::{Session, Statement, Target};
use tokio::runtime::Runtime;

use crate::database::{Database, Engine, open, try_connect};

/// The longest that anything here may take.
const PATIENCE: Duration = Duration::from_secs(40);

/// A database with a runtime beside it.
pub struct Rig {
    pub database: Database,
    pub runtime: Runtime,
    pub target: Arc<dyn Target>,
}

impl Rig {
    pub fn new(engine: Engine, script: &str) -> Self {
        Self::with(Database::new(engine), script)
    }

    pub fn with(database: Database, script: &str) -> Self {
        database.script(script);
        let runtime = runtime();
        let target = runtime.block_on(try_connect(&database.url)).unwrap();
        Self { database, runtime, target }
    }

    /// The plan of a migration.
    pub fn plan(&self, sql: &str) -> Plan {
        let request = Request {
            file: "m.sql".to_owned(),
            text: sql.to_owned(),
            url_env: "DATABASE_URL".to_owned(),
            replicas: None,
            tool: None,
            defaults_file: "/nowhere".to_owned(),
            folder: "/tmp".to_owned(),
            query_limit: Duration::from_secs(10),
            prove: false,
            large_rows: 1_000_000,
            large_bytes: 1 << 30,
            lock_wait: Duration::from_secs(1),
            fence_schema: None,
            resumes: None,
        };
        let stop = Stop::default();
        let made = backstop::handoff::make(&request, self.target.as_ref(), &stop);
        let plan = self.runtime.block_on(made).unwrap();
        assert!(!plan.steps.is_empty(), "{sql}: {:?}", plan.reasons);
        plan
    }

    pub fn start(&self, plan: &Plan) -> Running<'_> {
        let _inside = self.runtime.enter();
        Running { rig: self, work: native::start(plan, Arc::clone(&self.target)) }
    }

    /// Plans it, and starts it.
    pub fn begin(&self, sql: &str) -> Running<'_> {
        self.start(&self.plan(sql))
    }

    /// A session of somebody else's, in a transaction that has run this.
    pub fn holder(&self, sql: &str) -> Holder {
        let runtime = runtime();
        let session = runtime.block_on(async {
            let mut session = open(&self.database.url).await;
            session.begin().await.unwrap();
            session.query(&Statement::plain(sql)).await.unwrap();
            session
        });
        Holder { runtime, session: Some(session) }
    }

    /// The statements of a change that are on the server.
    pub fn at_work(&self) -> Vec<(String, String)> {
        self.runtime.block_on(async {
            let mut session = open(&self.database.url).await;
            let found = self.target.at_work(session.as_mut(), "/* backstop handoff").await.unwrap();
            session.close().await;
            // MySQL and MariaDB list those of other databases as well, and so of other tests.
            let listed = self.database.engine.family == "postgres";
            let name = self.database.login().database;
            let statements = found.into_iter().map(|one| (one.trace.session, one.trace.statement));
            statements.filter(|(_, sql)| listed || sql.contains(&name)).collect()
        })
    }

    pub fn wait_at_work(&self, text: &str) -> String {
        let begun = Instant::now();
        loop {
            if let Some((number, _)) =
                self.at_work().into_iter().find(|(_, sql)| sql.contains(text))
            {
                return number;
            }
            assert!(begun.elapsed() < PATIENCE, "`{text}` never began");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// A transaction that is open until it is dropped.
pub struct Holder {
    runtime: Runtime,
    session: Option<Box<dyn Session>>,
}

impl Drop for Holder {
    fn drop(&mut self) {
        if let Some(mut session) = self.session.take() {
            self.runtime.block_on(async move {
                let _ = session.rollback().await;
                session.close().await;
            });
        }
    }
}

/// A change under way.
pub struct Running<'a> {
    rig: &'a Rig,
    pub work: Box<dyn Work>,
}

impl Running<'_> {
    pub fn look(&mut self) -> Look {
        self.rig.runtime.block_on(self.work.look())
    }

    pub fn ask<'w, T>(
        &'w mut self,
        ask: impl FnOnce(
            &'w mut Box<dyn Work>,
        ) -> std::pin::Pin<Box<dyn Future<Output = T> + Send + 'w>>,
    ) -> T {
        let begun = Instant::now();
        let answer = self.rig.runtime.block_on(ask(&mut self.work));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        answer
    }

    /// Looks until it is so.
    #[track_caller]
    pub fn until(&mut self, what: &str, is: impl Fn(&Look) -> bool) -> Look {
        let begun = Instant::now();
        loop {
            let look = self.look();
            if is(&look) {
                return look;
            }
            assert!(look.ended.is_none(), "waited for {what}: {look:?}");
            assert!(begun.elapsed() < PATIENCE, "waited for {what}: {look:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    #[track_caller]
    pub fn until_state(&mut self, state: HandoffState) -> Look {
        self.until(state.name(), |look| look.progress.state == state)
    }

    /// Waits for the end, which is to be a good one.
    #[track_caller]
    pub fn done(mut self) -> Look {
        let look = self.until("the end", |look| look.ended.is_some());
        assert!(look.ended.as_ref().unwrap().well, "{look:?}");
        assert_eq!(look.progress.state, HandoffState::Done);
        look
    }

    /// Waits for the end, which is not to be a good one; what it says.
    #[track_caller]
    pub fn ended(&mut self) -> String {
        let look = self.until("the end", |look| look.ended.is_some());
        let ended = look.ended.unwrap();
        assert!(!ended.well, "{ended:?}");
        ended.hint
    }
}

/// An application that writes a hundred times a second, and notes what it suffers.
pub struct Writer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Suffered>>,
}

/// What the application has suffered.
#[derive(Debug, Default)]
pub struct Suffered {
    pub writes: u32,
    pub errors: Vec<String>,
    /// Waits of more than 0.2 s.
    pub waits: Vec<Duration>,
}

impl Suffered {
    pub fn longest(&self) -> Duration {
        self.waits.iter().max().copied().unwrap_or_default()
    }
}

impl Writer {
    /// Writes to a table `t (id, a)` with the keys 1 to 100.
    pub fn new(rig: &Rig) -> Self {
        Self::to(rig, "t")
    }

    pub fn to(rig: &Rig, table: &str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, url, table) = (Arc::clone(&stop), rig.database.url.clone(), table.to_owned());
        let thread = std::thread::spawn(move || {
            let runtime = runtime();
            runtime.block_on(async {
                let mut session = open(&url).await;
                let mut suffered = Suffered::default();
                while !stopped.load(Ordering::Relaxed) {
                    let key = suffered.writes % 100 + 1;
                    let begun = Instant::now();
                    let sql = format!("UPDATE {table} SET a = a + 1 WHERE id = {key}");
                    if let Err(error) = session.execute(&Statement::plain(sql)).await {
                        suffered.errors.push(error.to_string());
                    }
                    let took = begun.elapsed();
                    if took > Duration::from_millis(200) {
                        suffered.waits.push(took);
                    }
                    suffered.writes += 1;
                    tokio::time::sleep(Duration::from_millis(10).saturating_sub(took)).await;
                }
                session.close().await;
                suffered
            })
        });
        Self { stop, thread: Some(thread) }
    }

    /// Ends it; no write may have failed.
    #[track_caller]
    pub fn end(mut self) -> Suffered {
        self.stop.store(true, Ordering::Relaxed);
        let suffered = self.thread.take().unwrap().join().unwrap();
        assert!(suffered.errors.is_empty(), "{suffered:?}");
        assert!(suffered.writes > 0, "{suffered:?}");
        suffered
    }
}
