//! The databases that a job can write to.
//!
//! A database is an [`Engine`] in its own folder, listed in [`ALL`]. It brings a [`Dialect`] (pure:
//! how SQL is spelt), a [`Target`] (how to connect, what the catalog says, how jobs exclude each
//! other) and a [`Session`] (one owned connection). Everything that is the same everywhere stands
//! above them: the fence's statements in [`fence`], the batch's in `plan`, the transaction in
//! `run`.
//!
//! **Invariants.** There is no pool: a session belongs to one task. A statement is awaited to its
//! end and never dropped, because a dropped future goes on running on the server; to end one early,
//! apply its session's [`Brake`] and await the error.

mod dialect;
mod error;
pub mod fence;
pub mod mysql;
pub mod postgres;
pub mod sqlite;
mod statement;

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

pub use dialect::Dialect;
pub use error::{Class, Error, Result};
pub use statement::{Bind, Statement, Writer};

use crate::catalog::{Lookup, Server, Table, TableName};
use crate::spec::Secret;

/// A database product that Backstop can write to.
pub struct Engine {
    /// The schemes of its URLs.
    pub schemes: &'static [&'static str],
    /// An example URL, for messages.
    pub example: &'static str,
    /// Connects.
    pub connect: fn(Link) -> Connecting,
}

/// A connection attempt under way.
pub type Connecting = Pin<Box<dyn Future<Output = Result<Arc<dyn Target>>> + Send>>;

/// Every engine. A test compares this list with the folder.
pub static ALL: &[&Engine] = &[&postgres::ENGINE, &mysql::ENGINE, &sqlite::ENGINE];

/// What is needed to connect.
#[derive(Debug, Clone)]
pub struct Link {
    /// The URL, with its secrets.
    pub url: Secret,
    /// The job's name, shown to the DBA in the server's list of sessions.
    pub job: String,
    /// The session time zone that the spec pins.
    pub time_zone: Option<String>,
    /// The `sql_mode` that the spec pins.
    pub sql_mode: Option<String>,
}

/// Connects to the database behind the URL, by its scheme.
///
/// # Errors
///
/// [`Class::Unsuitable`] for an unknown scheme, else what the engine says.
pub async fn connect(link: Link) -> Result<Arc<dyn Target>> {
    let scheme = link.url.reveal().split(':').next().unwrap_or_default().to_ascii_lowercase();
    let Some(engine) = ALL.iter().find(|engine| engine.schemes.contains(&scheme.as_str())) else {
        let known: Vec<_> = ALL.iter().map(|engine| format!("`{}`", engine.example)).collect();
        // What stands before the colon may be the password of a malformed URL: it is not shown.
        return Err(Error::new(
            Class::Unsuitable,
            format!("the target's URL has an unknown scheme; known are {}", known.join(", ")),
        ));
    };
    (engine.connect)(link).await
}

/// A database that was reached.
#[async_trait]
pub trait Target: Send + Sync {
    /// How SQL is spelt there.
    fn dialect(&self) -> &dyn Dialect;

    /// Where it is, without credentials.
    fn address(&self) -> &str;

    /// Opens a session and prepares it: READ COMMITTED, the server's own settings or those that
    /// the spec pins. `purpose` is shown to the DBA beside the job's name.
    async fn open(&self, purpose: &str) -> Result<Box<dyn Session>>;

    /// What the server is and how the session is set.
    async fn server(&self, session: &mut dyn Session) -> Result<Server>;

    /// Looks a table up.
    async fn look_up(&self, session: &mut dyn Session, name: &TableName) -> Result<Lookup>;

    /// Checks that `session` and `other` are two direct sessions on one server: a pooler that
    /// hands one backend to several clients would leak locks and settings.
    async fn prove_direct(&self, session: &mut dyn Session, other: &mut dyn Session) -> Result<()>;

    /// Where the fence stands or would be created, for a job on `table`.
    async fn fence_home(&self, session: &mut dyn Session, table: &Table) -> Result<fence::Home>;

    /// Takes the lock that excludes other runners of this job, without waiting. The lock lives as
    /// long as the returned value and `session`.
    async fn lock(&self, session: &mut dyn Session) -> Result<LockAttempt>;

    /// What this database asks of those who write to it.
    fn manners(&self) -> Manners {
        Manners::default()
    }
}

/// The outcome of [`Target::lock`].
pub enum LockAttempt {
    /// The lock is ours.
    Held(JobLock),
    /// Another runner has it; in words, who.
    HeldBy(String),
}

/// Proof that no other runner works on the job. Dropping it gives up a lock that is not bound to
/// the session.
#[derive(Default)]
pub struct JobLock {
    /// What must be dropped to give up the lock, where that is not the session itself.
    pub guard: Option<Box<dyn Send + Sync>>,
}

/// What a database with a peculiarity asks of its writers.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// The duration that a batch should take by default.
    pub target_time: std::time::Duration,
    /// Whether a worker pauses after each batch as long as the batch took.
    pub pause_as_long: bool,
    /// More workers than this bring nothing.
    pub max_workers: u32,
}

impl Default for Manners {
    /// A server with many writers. 250 ms keeps row locks short and spreads the cost of a commit
    /// over thousands of rows.
    fn default() -> Self {
        Self {
            target_time: std::time::Duration::from_millis(250),
            pause_as_long: false,
            max_workers: u32::MAX,
        }
    }
}

/// A row of a result, as text.
pub type Row = Vec<Option<String>>;

/// One owned connection.
#[async_trait]
pub trait Session: Send {
    /// The server's number for this session, for people and for [`Brake`].
    fn id(&self) -> &str;

    /// What ends this session's statement from outside.
    fn brake(&self) -> Brake;

    /// Lets the server parse and check a statement without running it.
    async fn prepare(&mut self, sql: &str) -> Result<()>;

    /// Runs a statement that returns rows.
    async fn query(&mut self, statement: &Statement) -> Result<Vec<Row>>;

    /// Runs a statement and returns the number of rows that it found.
    async fn execute(&mut self, statement: &Statement) -> Result<u64>;

    /// Begins a transaction at READ COMMITTED.
    async fn begin(&mut self) -> Result<()>;

    /// Commits. An error of class [`Class::Lost`] leaves the outcome unknown.
    async fn commit(&mut self) -> Result<()>;

    /// Rolls back. Safe to call when no transaction is open.
    async fn rollback(&mut self) -> Result<()>;

    /// Shows the server, and every firewall on the way, that the session is in use.
    async fn ping(&mut self) -> Result<()> {
        self.query(&Statement::plain("SELECT 1")).await.map(drop)
    }

    /// Says goodbye to the server and closes the connection.
    async fn close(self: Box<Self>);
}

/// What ends a session's statement from outside.
pub enum Brake {
    /// A statement for the control session.
    Statement(Statement),
    /// A call into the library that runs the statement.
    Local(Box<dyn Fn() + Send + Sync>),
}

impl Brake {
    /// Ends the statement. `control` is a session other than the one to stop.
    ///
    /// # Errors
    ///
    /// What the server says; that the statement has already ended is no error.
    pub async fn apply(&self, control: &mut dyn Session) -> Result<()> {
        match self {
            Self::Statement(statement) => control.query(statement).await.map(drop),
            Self::Local(stop) => {
                stop();
                Ok(())
            }
        }
    }
}
