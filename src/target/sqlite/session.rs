//! One connection to a SQLite file, with a waiting loop that can be ended.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{CachedStatement, Connection, InterruptHandle, OpenFlags, ToSql, params_from_iter};

use super::error::{from_sqlite, of_text};
use super::{checksum, holder, reads};
use crate::event::RetryReason;
use crate::target::{
    Access, Bind, Brake, Class, Commit, Cost, Error, Patience, Reads, Result, Row, Session,
    Statement,
};

/// How often a wait for the file's lock looks whether it should end.
const WAIT_STEP: Duration = Duration::from_millis(10);

/// A wait longer than this is reported as a retry, so that it is seen, and so that somebody who
/// asks the job to leave is heard.
const WAIT_AT_MOST: Duration = Duration::from_secs(2);

pub(super) struct SqliteSession {
    /// Absent only while a blocking thread works with it.
    connection: Option<Connection>,
    interrupt: Arc<InterruptHandle>,
    /// Set by the brake; ends a wait for the lock, which `interrupt` does not.
    braked: Arc<AtomicBool>,
    id: String,
    path: PathBuf,
    /// How long the present batch has waited for the file's lock.
    lock_wait: Duration,
}

impl SqliteSession {
    pub(super) async fn open(path: &Path) -> Result<Self> {
        let place = path.to_owned();
        let path = place.clone();
        let connection = on_blocking_thread(move || {
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(&path, flags).map_err(|e| unusable(&e))?;
            connection.busy_timeout(Duration::ZERO).map_err(|e| unusable(&e))?;
            checksum::register(&connection).map_err(|e| unusable(&e))?;
            // Reads the header: a file that is no database fails here. Busy is a good answer.
            match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
                Ok(()) => {}
                Err(error) if is_busy(&error) => {}
                Err(error) => return Err(unusable(&error)),
            }
            Ok(connection)
        })
        .await?;
        Ok(Self {
            interrupt: Arc::new(connection.get_interrupt_handle()),
            connection: Some(connection),
            braked: Arc::new(AtomicBool::new(false)),
            id: std::process::id().to_string(),
            path: place,
            lock_wait: Duration::ZERO,
        })
    }

    /// Runs `f` with the connection, again and again while the file is locked by somebody else.
    async fn run<T: Send + 'static>(
        &mut self,
        f: impl Fn(&Connection) -> rusqlite::Result<T> + Send + Sync + 'static,
    ) -> Result<T> {
        let f = Arc::new(f);
        let started = Instant::now();
        let mut waited = Duration::ZERO;
        loop {
            let connection = self.connection.take().ok_or_else(|| {
                Error::new(Class::Lost, "the connection was lost with a thread of ours")
            })?;
            let f = Arc::clone(&f);
            let (connection, result) = on_blocking_thread(move || {
                let result = f(&connection);
                Ok((connection, result))
            })
            .await?;
            self.connection = Some(connection);
            match result {
                Ok(value) => {
                    self.lock_wait += waited;
                    return Ok(value);
                }
                Err(error) if is_busy(&error) => {
                    if self.braked.load(Ordering::Relaxed) {
                        return Err(Error::new(
                            Class::Cancelled,
                            "cancelled while waiting for the file's lock",
                        ));
                    }
                    if WAIT_AT_MOST < started.elapsed() {
                        return Err(Error::new(
                            Class::Retry(RetryReason::LockTimeout),
                            format!(
                                "another process has held the file's lock for {} s{}",
                                WAIT_AT_MOST.as_secs(),
                                holder::of_lock(&self.path)
                            ),
                        ));
                    }
                    tokio::time::sleep(WAIT_STEP).await;
                    waited = started.elapsed();
                }
                Err(error) => return Err(from_sqlite(&error)),
            }
        }
    }
}

#[async_trait]
impl Session for SqliteSession {
    fn id(&self) -> &str {
        &self.id
    }

    fn identity(&self) -> &str {
        &self.id
    }

    fn brake(&self) -> Brake {
        let (interrupt, braked) = (Arc::clone(&self.interrupt), Arc::clone(&self.braked));
        Brake::Local(Box::new(move || {
            braked.store(true, Ordering::Relaxed);
            interrupt.interrupt();
        }))
    }

    async fn prepare(&mut self, sql: &str) -> Result<()> {
        let sql = sql.to_owned();
        self.run(move |connection| connection.prepare(&sql).map(drop)).await
    }

    async fn query(&mut self, statement: &Statement) -> Result<Vec<Row>> {
        let statement = statement.clone();
        self.run(move |connection| {
            let mut prepared = prepare(connection, &statement.sql)?;
            let columns = prepared.column_count();
            let mut rows = prepared.query(params_from_iter(&statement.binds))?;
            let mut found = Vec::new();
            let of_text = |error| unless_of_text(connection, &statement.sql, error);
            while let Some(row) = rows.next().map_err(of_text)? {
                let text = (0..columns).map(|i| row.get_ref(i).map(as_text));
                found.push(text.collect::<rusqlite::Result<Row>>()?);
            }
            Ok(found)
        })
        .await
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64> {
        let statement = statement.clone();
        self.run(move |connection| {
            let mut prepared = prepare(connection, &statement.sql)?;
            let done = prepared.execute(params_from_iter(&statement.binds));
            done.map(|rows| rows as u64)
                .map_err(|error| unless_of_text(connection, &statement.sql, error))
        })
        .await
    }

    async fn measure(&mut self, statement: &Statement, limit: Duration) -> Result<Option<Reads>> {
        let statement = statement.clone();
        let done = self.run(move |connection| reads::measure(connection, &statement, limit)).await;
        match done {
            Err(error)
                if error.class == Class::Cancelled && !self.braked.load(Ordering::Relaxed) =>
            {
                Ok(None)
            }
            done => done.map(Some),
        }
    }

    async fn foretell(&mut self, statement: &Statement) -> Result<Option<Access>> {
        let statement = statement.clone();
        self.run(move |connection| reads::foretell(connection, &statement)).await
    }

    async fn begin(&mut self) -> Result<()> {
        self.run(|connection| connection.execute_batch("BEGIN IMMEDIATE")).await
    }

    async fn begin_batch(&mut self, _: &Patience, _: Commit) -> Result<()> {
        self.lock_wait = Duration::ZERO;
        self.begin().await
    }

    async fn commit(&mut self) -> Result<()> {
        self.run(|connection| connection.execute_batch("COMMIT")).await
    }

    async fn cost(&mut self) -> Cost {
        Cost { lock_wait: self.lock_wait, log_bytes: None }
    }

    async fn rollback(&mut self) -> Result<()> {
        self.run(|connection| {
            if connection.is_autocommit() {
                return Ok(());
            }
            connection.execute_batch("ROLLBACK")
        })
        .await
    }

    async fn close(mut self: Box<Self>) {
        if let Some(connection) = self.connection.take() {
            // An error here has nobody to help: everything is committed or rolled back.
            let _ = on_blocking_thread(move || Ok(connection.close().is_ok())).await;
        }
    }
}

async fn on_blocking_thread<T: Send + 'static>(
    f: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    match tokio::task::spawn_blocking(f).await {
        Ok(result) => result,
        Err(panic) => Err(Error::new(Class::Lost, format!("a database thread failed: {panic}"))),
    }
}

/// Prepares a statement, kept for the next time.
fn prepare<'c>(connection: &'c Connection, sql: &str) -> rusqlite::Result<CachedStatement<'c>> {
    connection.prepare_cached(sql).map_err(|error| of_text(error, sql))
}

/// The error of a statement that ran, unless its text is wrong by now: one that was kept is prepared
/// anew while it runs where the schema has changed, and then says so as if a row were at fault.
fn unless_of_text(connection: &Connection, sql: &str, error: rusqlite::Error) -> rusqlite::Error {
    if error.sqlite_error_code() != Some(rusqlite::ErrorCode::Unknown) {
        return error;
    }
    match connection.prepare(sql) {
        Ok(_) => error,
        Err(wrong) => of_text(wrong, sql),
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
    )
}

fn unusable(error: &rusqlite::Error) -> Error {
    let mut error = from_sqlite(error);
    error.class = Class::Unsuitable;
    error
}

fn as_text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) | ValueRef::Blob(text) => {
            Some(String::from_utf8_lossy(text).into_owned())
        }
    }
}

impl ToSql for Bind {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Text(Some(text)) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Text(None) => ToSqlOutput::Owned(Value::Null),
            Self::Int(number) => ToSqlOutput::Owned(Value::Integer(*number)),
        })
    }
}
