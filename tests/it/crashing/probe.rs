//! A target that counts every call, and at one of them is the end of the process.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use backstop::catalog::{Column, Key, Lookup, Server, Table, TableName};
use backstop::sql::Use;
use backstop::target::{
    Access, Answer, Brake, Chore, Commit, Cost, Dialect, Footing, LockAttempt, Maintenance,
    Manners, Patience, Question, Reads, Result, Row, Session, Statement, Target, Volatility, fence,
};

/// Counts calls by name. The n-th call of a name is the point `name #n`, so that a point is the same
/// in every run, however the tasks of a run take turns.
#[derive(Default)]
pub struct Probe {
    crash_at: Option<String>,
    seen: Mutex<(BTreeMap<String, u32>, Vec<String>)>,
}

impl Probe {
    /// One that ends the process at this point, if any.
    pub fn new(crash_at: Option<String>) -> Arc<Self> {
        Arc::new(Self { crash_at, seen: Mutex::default() })
    }

    /// A call is about to be made.
    pub fn point(&self, name: &str) {
        let mut seen = self.seen.lock().unwrap();
        let count = seen.0.entry(name.to_owned()).or_default();
        *count += 1;
        let point = format!("{name} #{count}");
        if self.crash_at.as_ref() == Some(&point) {
            die();
        }
        seen.1.push(point);
    }

    /// The points that were passed, in their order.
    pub fn passed(&self) -> Vec<String> {
        self.seen.lock().unwrap().1.clone()
    }
}

/// SIGKILL: no destructor, no goodbye to a server, no flush.
fn die() -> ! {
    let _ = std::io::stdout().flush();
    signal_hook::low_level::raise(signal_hook::consts::SIGKILL).unwrap();
    unreachable!("the process is dead")
}

/// A target whose calls are points.
pub struct Probed {
    pub inner: Arc<dyn Target>,
    pub probe: Arc<Probe>,
    /// Whether each batch commits once more, between the write and the fence.
    pub commits_early: bool,
}

impl Probed {
    fn at(&self, call: &str) -> &dyn Target {
        self.probe.point(&format!("target {call}"));
        &*self.inner
    }
}

#[async_trait]
impl Target for Probed {
    fn dialect(&self) -> &dyn Dialect {
        self.inner.dialect()
    }

    fn address(&self) -> &str {
        self.inner.address()
    }

    /// Nothing is watched: what a sampler asks is no point of a job's own course.
    async fn signal(&self, _session: &mut dyn Session, _question: &Question) -> Result<Answer> {
        Ok(Answer::NotHere("nothing is asked of a probed target"))
    }

    async fn maintenance(
        &self,
        session: &mut dyn Session,
        table: &Table,
        maintenance: Maintenance,
    ) -> Result<Chore> {
        self.at("maintenance").maintenance(session, table, maintenance).await
    }

    fn unflushed_commits(&self) -> std::result::Result<(), &'static str> {
        self.inner.unflushed_commits()
    }

    fn manners(&self) -> Manners {
        self.inner.manners()
    }

    async fn open(&self, purpose: &str) -> Result<Box<dyn Session>> {
        let inner = self.at("open").open(purpose).await?;
        let (probe, purpose) = (Arc::clone(&self.probe), purpose.to_owned());
        Ok(Box::new(ProbedSession { inner, probe, purpose, commits_early: self.commits_early }))
    }

    async fn server(&self, session: &mut dyn Session) -> Result<Server> {
        self.at("server").server(session).await
    }

    async fn look_up(&self, session: &mut dyn Session, name: &TableName) -> Result<Lookup> {
        self.at("look_up").look_up(session, name).await
    }

    async fn volatility(&self, session: &mut dyn Session, uses: &[Use]) -> Result<Vec<Volatility>> {
        self.at("volatility").volatility(session, uses).await
    }

    async fn may_read(
        &self,
        session: &mut dyn Session,
        table: &Table,
        names: &[TableName],
    ) -> Result<Option<String>> {
        self.at("may_read").may_read(session, table, names).await
    }

    async fn patience(&self, session: &mut dyn Session, target_time: Duration) -> Result<Patience> {
        self.at("patience").patience(session, target_time).await
    }

    async fn estimate(
        &self,
        session: &mut dyn Session,
        statement: &Statement,
    ) -> Result<Option<u64>> {
        self.at("estimate").estimate(session, statement).await
    }

    async fn uptime(&self, session: &mut dyn Session) -> Result<Option<Duration>> {
        self.at("uptime").uptime(session).await
    }

    async fn footing(&self, session: &mut dyn Session) -> Result<Footing> {
        self.at("footing").footing(session).await
    }

    async fn prove_direct(&self, session: &mut dyn Session, other: &mut dyn Session) -> Result<()> {
        self.at("prove_direct").prove_direct(session, other).await
    }

    async fn fence_home(
        &self,
        session: &mut dyn Session,
        schema: Option<&str>,
    ) -> Result<fence::Home> {
        self.at("fence_home").fence_home(session, schema).await
    }

    async fn annex(
        &self,
        session: &mut dyn Session,
        schema: Option<&str>,
        name: &str,
        ddl: fence::Ddl<'_>,
    ) -> Result<(fence::Place, Option<fence::Obstacle>)> {
        self.at("annex").annex(session, schema, name, ddl).await
    }

    async fn declarations(
        &self,
        session: &mut dyn Session,
        table: &Table,
        key: &Key,
        columns: &[&Column],
    ) -> Result<Vec<String>> {
        self.at("declarations").declarations(session, table, key, columns).await
    }

    fn returns_old(&self) -> bool {
        self.inner.returns_old()
    }

    async fn grantee(&self, session: &mut dyn Session) -> Result<Option<String>> {
        self.at("grantee").grantee(session).await
    }

    async fn lock(&self, session: &mut dyn Session, take_over: bool) -> Result<LockAttempt> {
        self.at("lock").lock(session, take_over).await
    }

    async fn terminate(
        &self,
        session: &mut dyn Session,
        job: &str,
        identity: &str,
        patience: Duration,
    ) -> Result<bool> {
        self.at("terminate").terminate(session, job, identity, patience).await
    }
}

/// A session whose calls are points, named after its purpose.
struct ProbedSession {
    inner: Box<dyn Session>,
    probe: Arc<Probe>,
    purpose: String,
    commits_early: bool,
}

impl ProbedSession {
    fn at(&mut self, call: &str) -> &mut dyn Session {
        self.probe.point(&format!("{} {call}", self.purpose));
        &mut *self.inner
    }
}

#[async_trait]
impl Session for ProbedSession {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn identity(&self) -> &str {
        self.inner.identity()
    }

    fn brake(&self) -> Brake {
        self.inner.brake()
    }

    async fn prepare(&mut self, sql: &str) -> Result<()> {
        self.at("prepare").prepare(sql).await
    }

    async fn query(&mut self, statement: &Statement) -> Result<Vec<Row>> {
        self.at("query").query(statement).await
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64> {
        if self.commits_early && statement.sql.contains("cursor_at = ") {
            self.at("early commit").commit().await?;
            self.at("late begin").begin().await?;
        }
        self.at("execute").execute(statement).await
    }

    async fn measure(&mut self, statement: &Statement, limit: Duration) -> Result<Option<Reads>> {
        self.at("measure").measure(statement, limit).await
    }

    async fn foretell(&mut self, statement: &Statement) -> Result<Option<Access>> {
        self.at("foretell").foretell(statement).await
    }

    async fn begin(&mut self) -> Result<()> {
        self.at("begin").begin().await
    }

    async fn begin_batch(&mut self, patience: &Patience, commit: Commit) -> Result<()> {
        self.at("begin_batch").begin_batch(patience, commit).await
    }

    async fn commit(&mut self) -> Result<()> {
        self.at("commit").commit().await
    }

    async fn cost(&mut self) -> Cost {
        self.at("cost").cost().await
    }

    async fn rollback(&mut self) -> Result<()> {
        self.at("rollback").rollback().await
    }

    async fn ping(&mut self) -> Result<()> {
        self.at("ping").ping().await
    }

    async fn close(mut self: Box<Self>) {
        self.at("close");
        self.inner.close().await;
    }
}
