//! One connection to a PostgreSQL server.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgRow, PgValueFormat};
use sqlx::query::Query;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Row as _, SqlSafeStr,
    Statement as _, TypeInfo, ValueRef,
};

use super::error::from_driver;
use super::reads;
use crate::event::RetryReason;
use crate::target::{
    Access, Bind, Brake, Class, Commit, Cost, Error, Patience, Reads, Result, Row, Session,
    Statement,
};

/// One owned connection.
pub(super) struct PgSession {
    connection: PgConnection,
    id: String,
    identity: String,
    /// Whether the server was a standby when the session began.
    standby: bool,
    transaction: Transaction,
    /// What the role and the set-up allow a statement; a batch never gets more.
    own: Limits,
    /// The time-out of statements in the present transaction, where a batch has set one.
    statement_limit: Option<Duration>,
    /// When the latest statement was sent.
    sent: Instant,
    /// Where the server's log ended when the present transaction began, in bytes.
    log_at_begin: Option<u64>,
    /// What the latest transaction that was committed saw added to it.
    log_bytes: Option<u64>,
}

/// Time-outs; zero is none.
#[derive(Clone, Copy, Default)]
struct Limits {
    lock: Duration,
    statement: Duration,
}

/// The stricter of two time-outs, of which `own` may be none.
fn stricter(own: Duration, wanted: Duration) -> Duration {
    if own.is_zero() { wanted } else { own.min(wanted) }
}

/// Our process, and what tells it from a later one of the same number: when it began; and the
/// session's own limits in milliseconds, and whether the server is a standby.
const WHO_AM_I: &str = "\
SELECT pid::text, pid || '.' || (extract(epoch FROM backend_start) * 1000000)::bigint,
       (SELECT setting FROM pg_settings WHERE name = 'lock_timeout'),
       (SELECT setting FROM pg_settings WHERE name = 'statement_timeout'),
       pg_is_in_recovery()::text
FROM pg_stat_get_activity(pg_backend_pid())";

/// The same, as an expression over a row of `pg_stat_get_activity`.
const IDENTITY: &str = "pid || '.' || (extract(epoch FROM backend_start) * 1000000)::bigint";

/// Every value but `off` waits for the server's own disk; those that wait for a standby as well stay.
const FLUSH_AT_COMMIT: &str = "; SELECT set_config('synchronous_commit', 'on', true) \
                               WHERE current_setting('synchronous_commit') = 'off'";

/// Where the log ends. A backend's own part of it is not told before PostgreSQL 18, and there a
/// second late, so what others write meanwhile counts as well. Source:
/// <https://www.postgresql.org/docs/current/functions-admin.html#FUNCTIONS-ADMIN-BACKUP>.
const END_OF_LOG: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0')::text";

/// The transaction, as far as this side knows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transaction {
    None,
    Open,
    /// A statement failed in it: the server will answer COMMIT with a rollback, and call it a
    /// success. The driver does not show that answer, so COMMIT is not sent.
    Failed,
}

impl PgSession {
    /// Takes the connection over and runs the SQL that prepares it, statement by statement; what
    /// they return is not looked at.
    ///
    /// # Errors
    ///
    /// What the server says of them.
    pub(super) async fn prepared(mut connection: PgConnection, set_up: &[String]) -> Result<Self> {
        // One message, and so one round trip.
        let mut sql = set_up.join(";\n");
        if !sql.is_empty() {
            sql.push_str(";\n");
        }
        sql.push_str(WHO_AM_I);
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .fetch_all(&mut connection)
            .await
            .map_err(|error| from_driver(error, &sql))?;
        let row = rows.last().ok_or_else(|| {
            Error::new(Class::Unsuitable, "the server does not tell the number of our session")
        })?;
        Ok(Self {
            id: cell(row, 0)?.unwrap_or_default(),
            identity: cell(row, 1)?.unwrap_or_default(),
            standby: cell(row, 4)?.as_deref() == Some("true"),
            own: Limits { lock: milliseconds(row, 2)?, statement: milliseconds(row, 3)? },
            connection,
            transaction: Transaction::None,
            statement_limit: None,
            sent: Instant::now(),
            log_at_begin: None,
            log_bytes: None,
        })
    }

    /// Runs statements of ours that have no parameters, in one round trip, without the server
    /// keeping anything of them. Returns their last row's first value.
    async fn simple(&mut self, sql: &str) -> Result<Option<String>> {
        self.sent = Instant::now();
        let sql_str = AssertSqlSafe(sql.to_owned());
        let done = sqlx::raw_sql(sql_str).fetch_all(&mut self.connection).await;
        let rows = self.settle(done, sql)?;
        rows.last().map_or(Ok(None), |row| cell(row, 0))
    }

    /// Rights are checked when a statement is about to run, not when it is parsed: EXPLAIN comes as
    /// near to that as one can without running it.
    async fn check_rights(&mut self, sql: &str, parameters: usize) -> Result<()> {
        let statement =
            Statement { sql: format!("EXPLAIN {sql}"), binds: vec![Bind::Text(None); parameters] };
        let explained = query(&statement).execute(&mut self.connection).await;
        self.settle(explained, sql).map(drop)
    }

    /// Takes note of a failure inside of the transaction.
    fn settle<T>(&mut self, done: sqlx::Result<T>, sql: &str) -> Result<T> {
        done.map_err(|error| {
            if self.transaction == Transaction::Open {
                self.transaction = Transaction::Failed;
            }
            self.sort_cancel(from_driver(error, sql))
        })
    }

    /// Tells our own time-out from a cancel from outside where the server's words are in a language
    /// that is not understood here: one code stands for both, and `lc_messages` is the superuser's to
    /// set.
    fn sort_cancel(&self, error: Error) -> Error {
        let english = error.message.contains("user request");
        match self.statement_limit {
            Some(limit)
                if error.class == Class::Cancelled && !english && limit <= self.sent.elapsed() =>
            {
                Error { class: Class::Retry(RetryReason::StatementTimeout), ..error }
            }
            _ => error,
        }
    }
}

/// A setting in milliseconds.
fn milliseconds(row: &PgRow, column: usize) -> Result<Duration> {
    let number = cell(row, column)?.and_then(|text| text.parse().ok());
    Ok(Duration::from_millis(number.unwrap_or_default()))
}

fn query(statement: &Statement) -> Query<'static, Postgres, PgArguments> {
    let mut query = sqlx::query(AssertSqlSafe(statement.sql.clone()));
    for bind in &statement.binds {
        query = match bind {
            Bind::Text(text) => query.bind(text.clone()),
            Bind::Int(number) => query.bind(*number),
        };
    }
    // What has no parameters is asked once. Kept on the server it would also be in the way of
    // another client where a pooler, not yet found out, shares the session.
    query.persistent(!statement.binds.is_empty())
}

/// A value as text. Statements cast what they select to text; whole numbers and truth values are
/// understood as well, being the types of counts and of the fence's own columns.
fn cell(row: &PgRow, column: usize) -> Result<Option<String>> {
    let value = row.try_get_raw(column).map_err(|error| from_driver(error, ""))?;
    if value.is_null() {
        return Ok(None);
    }
    let unreadable = |why: &dyn std::fmt::Display| {
        Error::new(
            Class::Refused,
            format!("column {} of a result cannot be read: {why}", column + 1),
        )
    };
    let bytes = value.as_bytes().map_err(|error| unreadable(&error))?;
    let type_info = value.type_info();
    let whole = |number: Option<i64>| {
        number
            .map(|number| number.to_string())
            .ok_or_else(|| unreadable(&"it is of a wrong length"))
    };
    let text = match (value.format(), type_info.name()) {
        (PgValueFormat::Binary, "INT2") => {
            whole(bytes.try_into().ok().map(i16::from_be_bytes).map(i64::from))?
        }
        (PgValueFormat::Binary, "INT4") => {
            whole(bytes.try_into().ok().map(i32::from_be_bytes).map(i64::from))?
        }
        (PgValueFormat::Binary, "OID") => {
            whole(bytes.try_into().ok().map(u32::from_be_bytes).map(i64::from))?
        }
        (PgValueFormat::Binary, "INT8") => whole(bytes.try_into().ok().map(i64::from_be_bytes))?,
        (PgValueFormat::Binary, "BOOL") => (bytes != [0]).to_string(),
        (PgValueFormat::Text, _)
        | (_, "TEXT" | "VARCHAR" | "CHAR" | "NAME" | "UNKNOWN" | "JSON") => {
            value.as_str().map_err(|error| unreadable(&error))?.to_owned()
        }
        (_, name) => return Err(unreadable(&format!("`{name}` must be cast to text"))),
    };
    Ok(Some(text))
}

#[async_trait]
impl Session for PgSession {
    fn id(&self) -> &str {
        &self.id
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn brake(&self) -> Brake {
        // Our process may be gone by then, and its number another's.
        let call = |name: &str| {
            Statement::plain(format!(
                "SELECT {name}(pid)::text FROM pg_stat_get_activity({}) WHERE {IDENTITY} = '{}'",
                self.id, self.identity
            ))
        };
        Brake::Statements {
            cancel: call("pg_cancel_backend"),
            terminate: call("pg_terminate_backend"),
        }
    }

    async fn prepare(&mut self, sql: &str) -> Result<()> {
        let prepared =
            (&mut self.connection).prepare(AssertSqlSafe(sql.to_owned()).into_sql_str()).await;
        let prepared = self.settle(prepared, sql)?;
        // The server chose the parameters' types here, such as `integer`, and the driver would use
        // that plan again for the same text with parameters that we send as text.
        let parameters = prepared.parameters().map_or(0, |p| p.either(<[_]>::len, |n| n));
        let cleared = self.connection.clear_cached_statements().await;
        self.settle(cleared, "")?;
        if sql.starts_with("UPDATE ") { self.check_rights(sql, parameters).await } else { Ok(()) }
    }

    async fn query(&mut self, statement: &Statement) -> Result<Vec<Row>> {
        self.sent = Instant::now();
        let rows = query(statement).fetch_all(&mut self.connection).await;
        self.settle(rows, &statement.sql)?
            .iter()
            .map(|row| (0..row.len()).map(|column| cell(row, column)).collect())
            .collect()
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64> {
        self.sent = Instant::now();
        let done = query(statement).execute(&mut self.connection).await;
        self.settle(done, &statement.sql).map(|done| done.rows_affected())
    }

    async fn measure(&mut self, statement: &Statement, limit: Duration) -> Result<Option<Reads>> {
        reads::measure(self, statement, limit).await
    }

    async fn foretell(&mut self, statement: &Statement) -> Result<Option<Access>> {
        reads::foretell(self, statement).await
    }

    /// A standby has no end of the log to write to, and takes no transaction that may write; there is
    /// nothing to commit there, and to look at it is all that it is good for.
    async fn begin(&mut self) -> Result<()> {
        if self.standby {
            self.simple("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY").await?;
            self.transaction = Transaction::Open;
            return Ok(());
        }
        self.begin_batch(&Patience::default(), Commit::Own).await
    }

    /// One message, and so one round trip; the limits end with the transaction.
    async fn begin_batch(&mut self, patience: &Patience, commit: Commit) -> Result<()> {
        // READ WRITE: a role that is read-only by default was found, and refused, by the plan.
        let mut sql = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE".to_owned();
        if let Some(wait) = patience.lock_wait {
            let wait = stricter(self.own.lock, wait).as_millis().max(1);
            sql.push_str(&format!("; SET LOCAL lock_timeout TO {wait}"));
        }
        self.statement_limit = patience.statement.map(|time| stricter(self.own.statement, time));
        if let Some(limit) = self.statement_limit {
            let limit = limit.as_millis().max(1);
            sql.push_str(&format!("; SET LOCAL statement_timeout TO {limit}"));
        }
        match commit {
            Commit::Own => {}
            Commit::Unflushed => sql.push_str("; SET LOCAL synchronous_commit TO off"),
            Commit::Flushed => sql.push_str(FLUSH_AT_COMMIT),
        }
        sql.push_str("; ");
        sql.push_str(END_OF_LOG);
        self.log_at_begin = self.simple(&sql).await?.and_then(|end| end.parse().ok());
        self.transaction = Transaction::Open;
        Ok(())
    }

    async fn commit(&mut self) -> Result<()> {
        if self.transaction == Transaction::Failed {
            self.rollback().await?;
            return Err(Error::new(
                Class::Refused,
                "the transaction was rolled back and not committed, because a statement in it had \
                 failed",
            ));
        }
        // The log is looked at first: what fails in this message leaves COMMIT undone, and nothing
        // that can fail may follow it.
        let mut sql = END_OF_LOG.to_owned();
        // A COMMIT that waits for a synchronous standby must not be cut short: the server would
        // call it a success that the standby may not have.
        if self.statement_limit.take().is_some() {
            let own = self.own.statement.as_millis();
            sql.push_str(&format!("; SET LOCAL statement_timeout TO {own}"));
        }
        sql.push_str("; COMMIT");
        let done = self.simple(&sql).await;
        if done.as_ref().is_err_and(|error| !error.is_lost()) {
            // Where COMMIT itself failed, the transaction has ended, and this does nothing.
            let _ = self.rollback().await;
        }
        let end: Option<u64> = done?.and_then(|end| end.parse().ok());
        self.transaction = Transaction::None;
        self.log_bytes = end.zip(self.log_at_begin).and_then(|(end, begin)| end.checked_sub(begin));
        Ok(())
    }

    /// Waits are sampled from outside ([`crate::target::Target::waiting`]).
    async fn cost(&mut self) -> Cost {
        Cost { log_bytes: self.log_bytes.take(), ..Cost::default() }
    }

    async fn rollback(&mut self) -> Result<()> {
        if self.transaction == Transaction::None {
            return Ok(());
        }
        self.statement_limit = None;
        self.simple("ROLLBACK").await?;
        self.transaction = Transaction::None;
        Ok(())
    }

    async fn close(self: Box<Self>) {
        // A connection that cannot say goodbye is gone already.
        let _ = self.connection.close().await;
    }
}
