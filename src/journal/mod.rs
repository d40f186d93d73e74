//! The journal: a local SQLite file that remembers jobs, checkpoints, events and commands.
//!
//! **Invariants.** Only the runner of a job writes its checkpoints; other processes append
//! commands and latches. Every write is a `BEGIN IMMEDIATE` transaction. A runner writes only what
//! is its own: one that was frozen while another took its job over finds that out by its next write.
//! A journal that cannot be written stops the job: a runner that nobody can see or stop must not go
//! on. A file of another format or of a future version is refused, never guessed at.

mod commands;
mod error;
mod handoff;
mod jobs;
mod latches;
mod locate;
mod maintenance;
mod quarantine;
mod settings;
mod status;
mod verification;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

pub use commands::{Action, Command};
pub use error::{Error, Result};
pub use handoff::{HandoffAnswer, HandoffRequest, HandoffRow};
pub use jobs::{Checkpoint, JobRow, LoggedEvent, Newcomer};
pub use latches::Latch;
pub use locate::{Found, default_path, find};
pub use quarantine::{Fate, Quarantined, Settled};
pub use settings::Tuned;
pub use status::{Freshness, JobStatus};
pub use verification::{LastReport, Verification};

/// Written into the file's header, so that another program's database is not taken for a journal:
/// "bstp" in ASCII.
const APPLICATION_ID: i32 = 0x6273_7470;

/// What makes each version of the schema out of the one before it. A journal of an older version
/// is brought up to the newest when it is opened.
const UPGRADES: &[&str] = &[
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
    include_str!("schema/5.sql"),
    include_str!("schema/6.sql"),
    include_str!("schema/7.sql"),
    include_str!("schema/8.sql"),
];

/// Other processes hold the file for one short transaction each; waiting longer than this means
/// that something is stuck.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often opening is tried again meanwhile.
const BUSY_STEP: Duration = Duration::from_millis(5);

/// An open journal. Clones share one connection.
#[derive(Clone)]
pub struct Journal {
    connection: Arc<Mutex<Connection>>,
    path: PathBuf,
    /// The runner that uses it, if it is a runner that does.
    runner: Option<Arc<str>>,
    /// Told of each transaction before it begins.
    probe: Option<Arc<Probe>>,
}

/// Who is told of the journal's transactions: `read` or `write`.
type Probe = dyn Fn(&'static str) + Send + Sync;

impl Journal {
    /// Opens the journal at `path`, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// The file cannot be made or written, is not a journal, or is of a future version.
    pub fn create_or_open(path: &Path) -> Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)
                .map_err(|source| Error::Folder { path: folder.to_owned(), source })?;
        }
        Self::open_with(path, OpenFlags::SQLITE_OPEN_CREATE)
    }

    /// Opens the journal at `path`, which must exist.
    ///
    /// # Errors
    ///
    /// The file cannot be opened, is not a journal, or is of a future version.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, OpenFlags::empty())
    }

    fn open_with(path: &Path, flags: OpenFlags) -> Result<Self> {
        let fail = |source| Error::from_sqlite(path, source);
        let flags = flags | OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags).map_err(fail)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(fail)?;
        let begun = Instant::now();
        // The change to WAL needs the file to itself for a moment and does not wait for it by
        // SQLite's own time-out.
        while let Err(error) = prepare(&mut connection, path) {
            if !error.is_busy() || BUSY_TIMEOUT < begun.elapsed() {
                return Err(error);
            }
            std::thread::sleep(BUSY_STEP);
        }
        let connection = Arc::new(Mutex::new(connection));
        Ok(Self { connection, path: path.to_owned(), runner: None, probe: None })
    }

    /// The same journal in the hands of a runner, which writes only to the jobs that it has.
    #[must_use]
    pub fn held_by(&self, runner: &str) -> Self {
        Self { runner: Some(runner.into()), ..self.clone() }
    }

    /// The same journal, which calls `probe` before each of its transactions with what it is about
    /// to do: `read` or `write`. For whoever watches a runner from within, or makes it fail.
    #[must_use]
    pub fn probed(self, probe: impl Fn(&'static str) + Send + Sync + 'static) -> Self {
        Self { probe: Some(Arc::new(probe)), ..self }
    }

    fn tell(&self, what: &'static str) {
        if let Some(probe) = &self.probe {
            probe(what);
        }
    }

    /// Writes to a job of the runner's own.
    fn write_own<T>(
        &self,
        job: &str,
        f: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T> {
        let (written, other) = self.write(|tx| {
            let other = match &self.runner {
                Some(runner) => other_runner(tx, job, runner)?,
                None => None,
            };
            match other {
                None => f(tx).map(|value| (Some(value), None)),
                Some(other) => Ok((None, Some(other))),
            }
        })?;
        written
            .ok_or_else(|| Error::Ousted { job: job.to_owned(), runner: other.unwrap_or_default() })
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held rolled its transaction back; the connection is sound.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T>(&self, f: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.tell("read");
        f(&self.lock()).map_err(|source| Error::from_sqlite(&self.path, source))
    }

    fn write<T>(&self, f: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        self.tell("write");
        let mut connection = self.lock();
        let fail = |source| Error::from_sqlite(&self.path, source);
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let value = f(&transaction).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        Ok(value)
    }
}

/// Who has the job, if it is another runner than this one.
fn other_runner(
    connection: &Connection,
    job: &str,
    runner: &str,
) -> rusqlite::Result<Option<String>> {
    connection
        .prepare_cached("SELECT runner FROM job WHERE name = ? AND runner <> ?")?
        .query_row([job, runner], |row| row.get(0))
        .optional()
}

/// What the header says of a file.
enum Header {
    /// A journal of this version of the schema; 0 is an empty file.
    Journal(usize),
    OtherVersion(i32),
    SomethingElse,
}

/// Reads the header. All in one transaction: another process may be making the schema just now.
fn header(connection: &Connection) -> rusqlite::Result<Header> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i32>(0));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    let known = usize::try_from(version).ok().filter(|known| (1..=UPGRADES.len()).contains(known));
    Ok(match (application, known) {
        (APPLICATION_ID, Some(known)) => Header::Journal(known),
        (APPLICATION_ID, None) => Header::OtherVersion(version),
        (0, _) if version == 0 && tables == 0 => Header::Journal(0),
        _ => Header::SomethingElse,
    })
}

fn prepare(connection: &mut Connection, path: &Path) -> Result<()> {
    let fail = |source| Error::from_sqlite(path, source);
    let transaction = connection.transaction().map_err(fail)?;
    let found = header(&transaction).map_err(fail)?;
    transaction.commit().map_err(fail)?;
    match found {
        Header::Journal(version) if version == UPGRADES.len() => {}
        Header::Journal(_) => upgrade(connection).map_err(fail)?,
        Header::OtherVersion(version) => {
            return Err(Error::Version { path: path.to_owned(), version, known: newest() });
        }
        Header::SomethingElse => return Err(Error::NotAJournal { path: path.to_owned() }),
    }
    // WAL lets `status` read while the runner writes. NORMAL may lose the newest checkpoints in a
    // power cut, never the file: the fence in the target holds them, and the next run takes them
    // from there.
    connection.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(fail)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(fail)
}

/// Brings the schema up to the newest version, from whatever known one.
fn upgrade(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it between the look and the lock.
    if let Header::Journal(version) = header(&transaction)? {
        for sql in UPGRADES.iter().skip(version) {
            transaction.execute_batch(sql)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", newest())?;
    }
    transaction.commit()
}

/// The version of the schema that this build writes.
fn newest() -> i32 {
    // As many as there are files; a handful.
    i32::try_from(UPGRADES.len()).unwrap_or(i32::MAX)
}

fn now() -> String {
    Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_of_every_version_is_opened_with_what_it_holds() {
        for version in 1..=UPGRADES.len() {
            let folder = tempfile::TempDir::new().unwrap();
            let path = folder.path().join("journal.db");
            let old = Connection::open(&path).unwrap();
            for sql in &UPGRADES[..version] {
                old.execute_batch(sql).unwrap();
            }
            old.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
            old.pragma_update(None, "user_version", i32::try_from(version).unwrap()).unwrap();
            old.execute_batch(
                "INSERT INTO job (name, target, address, table_name, key_columns, spec_path, \
                 spec_hash, spec, generation, state, started_at, updated_at) VALUES ('old', 't', \
                 'a', 'orders', '[\"id\"]', 'old.toml', 'h', '{}', 1, 'stopped', \
                 '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')",
            )
            .unwrap();
            drop(old);
            let journal = Journal::open(&path).unwrap();
            assert_eq!(journal.job("old").unwrap().unwrap().table, "orders");
            assert_eq!(journal.standing_latch("old").unwrap(), None);
        }
    }

    #[test]
    fn a_runner_whose_job_was_taken_over_writes_nothing_any_more() {
        let folder = tempfile::TempDir::new().unwrap();
        let journal = Journal::create_or_open(&folder.path().join("journal.db")).unwrap();
        let (first, second) = (journal.held_by("first"), journal.held_by("second"));
        assert!(matches!(first.announce("j", "t", "j.toml").unwrap(), Newcomer::Alone));
        first.heartbeat("j").unwrap();
        assert!(matches!(second.announce("j", "t", "j.toml").unwrap(), Newcomer::Beside(_)));
        let row = JobRow { runner: Some("second".into()), ..journal.job("j").unwrap().unwrap() };
        second.begin_run(&row, &[]).unwrap();
        second.heartbeat("j").unwrap();
        assert!(
            matches!(first.heartbeat("j"), Err(Error::Ousted { runner, .. }) if runner == "second")
        );
    }

    /// `status` may open a journal at the very moment when `run` makes it.
    #[test]
    fn a_journal_can_be_opened_while_it_is_made() {
        for _ in 0..50 {
            let folder = tempfile::TempDir::new().unwrap();
            let path = folder.path().join("journal.db");
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| Journal::create_or_open(&path).map(drop).unwrap());
                }
            });
        }
    }
}
