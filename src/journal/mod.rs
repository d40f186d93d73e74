//! The journal: a local SQLite file that remembers jobs, checkpoints, events and commands.
//!
//! **Invariants.** Only the runner of a job writes its checkpoints; other processes append
//! commands. Every write is a `BEGIN IMMEDIATE` transaction. A journal that cannot be written
//! stops the job: a runner that nobody can see or stop must not go on. A file of another format or
//! of a future version is refused, never guessed at.

mod commands;
mod error;
mod jobs;
mod locate;
mod status;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

pub use commands::{Action, Command};
pub use error::{Error, Result};
pub use jobs::{Checkpoint, JobRow, LoggedEvent};
pub use locate::{Found, default_path, find};
pub use status::{Freshness, JobStatus};

/// Written into the file's header, so that another program's database is not taken for a journal:
/// "bstp" in ASCII.
const APPLICATION_ID: i32 = 0x6273_7470;

/// The schema version that this build reads and writes.
const VERSION: i32 = 1;

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
}

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
        Ok(Self { connection: Arc::new(Mutex::new(connection)), path: path.to_owned() })
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
        f(&self.lock()).map_err(|source| Error::from_sqlite(&self.path, source))
    }

    fn write<T>(&self, f: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        let mut connection = self.lock();
        let fail = |source| Error::from_sqlite(&self.path, source);
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(fail)?;
        let value = f(&transaction).map_err(fail)?;
        transaction.commit().map_err(fail)?;
        Ok(value)
    }
}

/// What the header says of a file.
enum Header {
    Journal,
    Empty,
    OtherVersion(i32),
    SomethingElse,
}

/// Reads the header. All in one transaction: another process may be making the schema just now.
fn header(connection: &Connection) -> rusqlite::Result<Header> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i32>(0));
    let application = number("PRAGMA application_id")?;
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_schema")?;
    Ok(match (application, version) {
        (APPLICATION_ID, VERSION) => Header::Journal,
        (APPLICATION_ID, version) => Header::OtherVersion(version),
        (0, 0) if tables == 0 => Header::Empty,
        _ => Header::SomethingElse,
    })
}

fn prepare(connection: &mut Connection, path: &Path) -> Result<()> {
    let fail = |source| Error::from_sqlite(path, source);
    let transaction = connection.transaction().map_err(fail)?;
    let found = header(&transaction).map_err(fail)?;
    transaction.commit().map_err(fail)?;
    match found {
        Header::Journal => {}
        Header::Empty => create(connection).map_err(fail)?,
        Header::OtherVersion(version) => {
            return Err(Error::Version { path: path.to_owned(), version, known: VERSION });
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

fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have made the schema between the look and the lock.
    if let Header::Empty = header(&transaction)? {
        transaction.execute_batch(include_str!("schema.sql"))?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

fn now() -> String {
    Timestamp::now().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

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
