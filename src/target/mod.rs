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

mod commit;
mod cost;
mod dialect;
mod effect;
mod error;
pub mod fence;
mod footing;
mod late_key;
mod leftover;
mod maintenance;
pub mod mysql;
pub mod online;
mod patience;
pub mod postgres;
mod reads;
mod shape;
mod signals;
pub mod sqlite;
mod statement;
pub mod switch;
pub mod traces;
pub mod volatility;
mod waits;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use commit::Commit;
pub use cost::Cost;
pub use dialect::Dialect;
pub use effect::{AtWork, Effect, Index, Standing, Watched};
pub use error::{Class, Error, Result};
pub use footing::Footing;
pub use late_key::LateKey;
pub use leftover::Leftover;
pub use maintenance::{Chore, Maintenance, perform};
pub use online::Online;
pub use patience::Patience;
pub use reads::{Access, Reads};
pub use shape::Shape;
pub use signals::{Answer, Question, Reading};
pub use statement::{Bind, Statement, Writer};
pub use traces::{Mark, Place, Trace, Traces};
pub use volatility::{Storage, Volatility};

use crate::catalog::{Column, Key, Lookup, Server, Table, TableName};
use crate::spec::Secret;
use crate::sql::Use;

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

    /// Looks up a partition of `table` by its name; `None` where the table has none.
    async fn partition(
        &self,
        _session: &mut dyn Session,
        _table: &Table,
        _name: &str,
    ) -> Result<Option<Lookup>> {
        Ok(None)
    }

    /// Whether each of these gives the same result for the same arguments, in the same order.
    async fn volatility(&self, session: &mut dyn Session, uses: &[Use]) -> Result<Vec<Volatility>>;

    /// Why a subquery over the tables of these names may read rows of `table`, if it may: one of
    /// them is that table, a part of it, or something whose inside is not looked at.
    async fn may_read(
        &self,
        session: &mut dyn Session,
        table: &Table,
        names: &[TableName],
    ) -> Result<Option<String>> {
        for name in names {
            let found = self.look_up(session, name).await?;
            if let Err(reason) = volatility::stands_apart(table, name, &found) {
                return Ok(Some(reason));
            }
        }
        Ok(None)
    }

    /// Checks that `session` and `other` are two direct sessions on one server: a pooler that
    /// hands one backend to several clients would leak locks and settings.
    async fn prove_direct(&self, session: &mut dyn Session, other: &mut dyn Session) -> Result<()>;

    /// Where Backstop's tables stand or would be created: in `schema` if the team named one, else
    /// where the connection is at home.
    async fn fence_home(
        &self,
        session: &mut dyn Session,
        schema: Option<&str>,
    ) -> Result<fence::Home>;

    /// Where a table of Backstop's stands beside the fence, or would be created, as
    /// [`Target::fence_home`] finds that. `ddl` is given its qualified name and the types. Rows of it
    /// are also deleted.
    async fn annex(
        &self,
        session: &mut dyn Session,
        schema: Option<&str>,
        name: &str,
        ddl: fence::Ddl<'_>,
    ) -> Result<(fence::Place, Option<fence::Obstacle>)>;

    /// The types of columns of `table` as another table declares them to hold the same values in the
    /// same order: with their collations, without anything else that was declared of them.
    async fn declarations(
        &self,
        _session: &mut dyn Session,
        _table: &Table,
        _key: &Key,
        columns: &[&Column],
    ) -> Result<Vec<String>> {
        Ok(columns.iter().map(|column| column.type_sql.clone()).collect())
    }

    /// Whether an UPDATE can return the values that it overwrites.
    fn returns_old(&self) -> bool {
        false
    }

    /// The account of the session as GRANT names it, where the database has accounts.
    async fn grantee(&self, session: &mut dyn Session) -> Result<Option<String>>;

    /// Takes the lock that excludes other runners of this job, without waiting. The lock lives as
    /// long as the returned value and `session`. To take over is to end the session that holds it.
    async fn lock(&self, session: &mut dyn Session, take_over: bool) -> Result<LockAttempt>;

    /// Ends the session of `job` that `identity` names ([`Session::identity`]), through `session`, and waits
    /// for at most `patience` until it is gone. Its open transaction is rolled back by that. A
    /// session of another's that has the same number by now is left alone.
    ///
    /// Returns whether it is gone; where sessions cannot be ended from outside, whether it was
    /// gone already.
    async fn terminate(
        &self,
        session: &mut dyn Session,
        job: &str,
        identity: &str,
        patience: Duration,
    ) -> Result<bool>;

    /// What keeps batches of this duration from harming the application on this server.
    async fn patience(
        &self,
        _session: &mut dyn Session,
        _target_time: Duration,
    ) -> Result<Patience> {
        Ok(Patience::default())
    }

    /// Whether a transaction can be committed without waiting for the disk, such that a crash undoes
    /// only whole transactions, the latest first, and only those that asked for it.
    ///
    /// # Errors
    ///
    /// Why not, in words: a sentence.
    fn unflushed_commits(&self) -> std::result::Result<(), &'static str>;

    /// How long the server has been up at least, where it is a server: a session that is older than
    /// that was ended by a restart, and not by somebody who meant it.
    async fn uptime(&self, _session: &mut dyn Session) -> Result<Option<Duration>> {
        Ok(None)
    }

    /// Where the session stands: the server behind an address may be another one by now.
    async fn footing(&self, _session: &mut dyn Session) -> Result<Footing> {
        Ok(Footing::default())
    }

    /// The statement that returns the numbers of those of the sessions that wait for a lock at this
    /// moment; `None` where batches wait for none, or their sessions tell by themselves
    /// ([`Session::cost`]).
    fn waiting(&self, _sessions: &[String]) -> Option<Statement> {
        None
    }

    /// How many rows the server believes that a statement would read, by its statistics or by a
    /// look into the index, without running it; `None` where it has no idea.
    async fn estimate(
        &self,
        _session: &mut dyn Session,
        _statement: &Statement,
    ) -> Result<Option<u64>> {
        Ok(None)
    }

    /// How the table is looked after once many of its rows were written, or why it is not.
    ///
    /// # Errors
    ///
    /// The server could not be asked.
    async fn maintenance(
        &self,
        session: &mut dyn Session,
        table: &Table,
        maintenance: Maintenance,
    ) -> Result<Chore>;

    /// What decides how the table can be changed while it is in use.
    ///
    /// # Errors
    ///
    /// The server could not be asked, or the database has no such thing.
    async fn online(&self, _session: &mut dyn Session, _table: &Table) -> Result<Online> {
        let message = "SQLite changes a table in one write of the whole file: there is nothing to \
                       hand over";
        Err(Error::new(Class::Unsuitable, message))
    }

    /// Tries a change on an empty copy of the table, which is dropped again: `clauses` are what stands
    /// behind `ALTER TABLE name`. The inner error is why the server refuses it.
    ///
    /// # Errors
    ///
    /// The copy could not be made or dropped.
    async fn try_on_copy(
        &self,
        _session: &mut dyn Session,
        _table: &Table,
        _copy: &str,
        _clauses: &str,
    ) -> Result<std::result::Result<(), String>> {
        Err(Error::new(Class::Refused, "nothing is tried on a copy here"))
    }

    /// By what an online-DDL tool is seen to be changing the table, or to have left it half changed;
    /// none if by nothing.
    async fn under_handoff(
        &self,
        _session: &mut dyn Session,
        _table: &Table,
    ) -> Result<Option<String>> {
        Ok(None)
    }

    /// What is there of a tool that changes the table: sessions, locks, triggers, tables. What cannot be
    /// asked is in [`Traces::unread`], and then nothing is proven.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    async fn traces(
        &self,
        _session: &mut dyn Session,
        _place: &Place,
        _mark: &Mark,
    ) -> Result<Traces> {
        Err(Error::new(Class::Refused, "no tool changes tables here"))
    }

    /// Ends the statement of a session, or the session, by the server's number. One that is gone is no error.
    ///
    /// # Errors
    ///
    /// What the server says: a right that is missing, a connection that is lost.
    async fn end_session(
        &self,
        _session: &mut dyn Session,
        _number: &str,
        _force: Force,
    ) -> Result<()> {
        Err(Error::new(Class::Refused, "sessions cannot be ended from outside here"))
    }

    /// Transactions that hold the table, or may: what a cut-over would wait for. Those of `mark` are left
    /// out. The inner error is why it cannot be told.
    ///
    /// # Errors
    ///
    /// The connection is lost.
    async fn holders(
        &self,
        _session: &mut dyn Session,
        _place: &Place,
        _mark: &Mark,
    ) -> Result<std::result::Result<Vec<online::Transaction>, String>> {
        Ok(Err("this database tells no holders of a table".to_owned()))
    }

    /// What the table is at this moment; none where there is no table of that name.
    ///
    /// # Errors
    ///
    /// The server could not be asked.
    async fn shape(&self, _session: &mut dyn Session, _place: &Place) -> Result<Option<Shape>> {
        Err(Error::new(Class::Refused, "no tool changes tables here"))
    }

    /// Takes a leftover away, in one attempt that waits for its lock no longer than the server's least:
    /// whoever uses the table waits behind it. One that is gone is no error.
    ///
    /// # Errors
    ///
    /// [`Error::is_lock_timeout`]: somebody holds the table; else what the server says.
    async fn remove(&self, _session: &mut dyn Session, _leftover: &Leftover) -> Result<()> {
        Err(Error::new(Class::Refused, "no tool changes tables here"))
    }

    /// Whether the effect of a statement is there, by the catalog.
    ///
    /// # Errors
    ///
    /// The connection is lost, or the server does not let us look.
    async fn standing(&self, _session: &mut dyn Session, _effect: &Effect) -> Result<Standing> {
        Err(Error::new(Class::Refused, "no change is followed by its effects here"))
    }

    /// What a session is doing, by its number; none if there is no such session.
    ///
    /// # Errors
    ///
    /// The server could not be asked.
    async fn watch(&self, _session: &mut dyn Session, _number: &str) -> Result<Option<Watched>> {
        Err(Error::new(Class::Refused, "sessions are not seen from outside here"))
    }

    /// The sessions that run a statement with this text in it, but for `session` itself.
    ///
    /// # Errors
    ///
    /// The server could not be asked.
    async fn at_work(&self, _session: &mut dyn Session, _text: &str) -> Result<Vec<AtWork>> {
        Err(Error::new(Class::Refused, "sessions are not seen from outside here"))
    }

    /// Values of the key of a unique index that are there more than once, the most frequent first, at
    /// most five, each with how often; none where it would take long.
    ///
    /// # Errors
    ///
    /// The server could not be asked.
    async fn duplicates(&self, _session: &mut dyn Session, _index: &Index) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    /// Asks after the server's health.
    ///
    /// # Errors
    ///
    /// What the server says: a right that is missing, a connection that is lost.
    async fn signal(&self, session: &mut dyn Session, question: &Question) -> Result<Answer>;

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
    pub target_time: Duration,
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
            target_time: Duration::from_millis(250),
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

    /// What names this session and never another one, also after the server has used its number
    /// again: what the fence records, and [`Target::terminate`] ends.
    fn identity(&self) -> &str;

    /// What ends this session's statement from outside.
    fn brake(&self) -> Brake;

    /// Lets the server parse and check a statement without running it.
    async fn prepare(&mut self, sql: &str) -> Result<()>;

    /// Runs a statement that returns rows.
    async fn query(&mut self, statement: &Statement) -> Result<Vec<Row>>;

    /// The same, with the columns of these names only, in their order; NULL for one that the result
    /// does not have. For statements whose columns cannot be chosen and differ by the server's
    /// version, such as `SHOW`.
    async fn query_columns(&mut self, statement: &Statement, _names: &[&str]) -> Result<Vec<Row>> {
        let message = format!("columns of `{}` cannot be told by their names here", statement.sql);
        Err(Error::new(Class::Refused, message))
    }

    /// Runs a statement and returns the number of rows that it found.
    async fn execute(&mut self, statement: &Statement) -> Result<u64>;

    /// Runs a SELECT that the server itself ends after `limit`; `None` if it did.
    async fn query_within(
        &mut self,
        _statement: &Statement,
        _limit: Duration,
    ) -> Result<Option<Vec<Row>>> {
        let message = "a time limit for one SELECT is not set here";
        Err(Error::new(Class::Refused, message))
    }

    /// Runs a SELECT of ours for what it reads, outside of a transaction. `None`: it took longer
    /// than `limit`, and was ended.
    async fn measure(&mut self, statement: &Statement, limit: Duration) -> Result<Option<Reads>>;

    /// The index by which the planner would find the rows of a SELECT from one table, without
    /// running it; `None` where it would go through the table.
    async fn foretell(&mut self, statement: &Statement) -> Result<Option<Access>>;

    /// Begins a transaction at READ COMMITTED.
    async fn begin(&mut self) -> Result<()>;

    /// Begins the transaction of a batch, whose waits are bounded so, and whose commit waits for
    /// that. Anything but [`Commit::Own`] only where [`Target::unflushed_commits`] allows it.
    async fn begin_batch(&mut self, _patience: &Patience, _commit: Commit) -> Result<()> {
        self.begin().await
    }

    /// Commits. An error that [is lost](Error::is_lost) leaves the outcome unknown.
    async fn commit(&mut self) -> Result<()>;

    /// What the batch cost that has just been committed. Asked once after each; what cannot be told
    /// is no error, for the batch is done.
    async fn cost(&mut self) -> Cost {
        Cost::default()
    }

    /// Rolls back. Safe to call when no transaction is open.
    async fn rollback(&mut self) -> Result<()>;

    /// Shows the server, and every firewall on the way, that the session is in use.
    async fn ping(&mut self) -> Result<()> {
        self.query(&Statement::plain("SELECT 1")).await.map(drop)
    }

    /// Says goodbye to the server and closes the connection.
    async fn close(self: Box<Self>);
}

/// How hard a [`Brake`] is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// End the statement.
    Cancel,
    /// End the session.
    Terminate,
}

impl Force {
    /// The name used in events.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Terminate => "terminate",
        }
    }
}

/// What ends a session's statement from outside.
pub enum Brake {
    /// Statements for the control session.
    Statements {
        /// Ends the statement.
        cancel: Statement,
        /// Ends the session.
        terminate: Statement,
    },
    /// A call into the library that runs the statement.
    Local(Box<dyn Fn() + Send + Sync>),
}

impl Brake {
    /// Ends the statement, or its session. `control` is a session other than the one to stop.
    ///
    /// # Errors
    ///
    /// What the server says; that the statement has already ended is no error.
    pub async fn apply(&self, control: &mut dyn Session, force: Force) -> Result<()> {
        match self {
            Self::Statements { cancel, terminate } => {
                let statement = if force == Force::Cancel { cancel } else { terminate };
                control.query(statement).await.map(drop)
            }
            Self::Local(stop) => {
                stop();
                Ok(())
            }
        }
    }
}
