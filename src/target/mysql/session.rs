//! One connection to MySQL or MariaDB.

use std::time::Duration;

use async_trait::async_trait;
use sqlx::mysql::{MySqlConnection, MySqlQueryResult, MySqlRow};
use sqlx::{AssertSqlSafe, Column as _, Connection, Executor, Row as _, SqlSafeStr, TypeInfo as _};

use super::binlog::Binlog;
use super::error::{NO_SUCH_THREAD, NOT_PREPARABLE, of_session};
use super::flavor::Flavor;
use super::reads;
use crate::target::{
    Access, Bind, Brake, Class, Commit, Cost, Error, Patience, Reads, Result, Row, Session,
    Statement,
};

/// A session that writes batches is ended by the server when it has not been heard of for this many
/// seconds, also within a transaction: on MySQL nothing else frees the rows of a frozen runner. A
/// worker that waits is heard of every 30 s.
pub(super) const IDLE_WORKER: u32 = 60;

/// One owned connection.
pub(super) struct MySqlSession {
    connection: MySqlConnection,
    id: String,
    /// What the session was set to for its batches.
    patience: Option<Patience>,
    binlog: Binlog,
}

impl MySqlSession {
    /// Takes over a connection whose settings are made.
    pub(super) async fn new(mut connection: MySqlConnection, flavor: &Flavor) -> Result<Self> {
        let rows = fetch(&mut connection, &Statement::plain("SELECT CONNECTION_ID() + 0")).await?;
        let id = rows.into_iter().flatten().next().flatten().ok_or_else(|| {
            Error::new(Class::Unsuitable, "the server does not tell the number of our session")
        })?;
        Ok(Self { connection, id, patience: None, binlog: Binlog::of(flavor) })
    }

    /// By how much the log has grown since the last look.
    async fn look_at_log(&mut self) -> Option<u64> {
        let look = self.binlog.look()?;
        let seen = self.query(&look).await;
        self.binlog.grown(seen)
    }

    /// Runs a statement that the prepared protocol does not know.
    async fn plainly(&mut self, sql: &str) -> Result<MySqlQueryResult> {
        plainly(&mut self.connection, sql).await
    }
}

#[async_trait]
impl Session for MySqlSession {
    fn id(&self) -> &str {
        &self.id
    }

    /// The number; that it is ours still, a lock of the session shows.
    fn identity(&self) -> &str {
        &self.id
    }

    fn brake(&self) -> Brake {
        let kill = |what: &str| Statement::plain(format!("KILL {what} {}", self.id));
        Brake::Statements { cancel: kill("QUERY"), terminate: kill("CONNECTION") }
    }

    async fn prepare(&mut self, sql: &str) -> Result<()> {
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        self.connection.prepare(sql).await.map(drop).map_err(of_session)
    }

    async fn query(&mut self, statement: &Statement) -> Result<Vec<Row>> {
        match fetch(&mut self.connection, statement).await {
            Err(error) if error.code.as_deref() == Some(NOT_PREPARABLE) => {
                self.plainly(&statement.sql).await.map(|_| Vec::new())
            }
            // The session that `KILL` was to stop has ended by itself, which is what was wanted.
            Err(error) if error.code.as_deref() == Some(NO_SUCH_THREAD) => Ok(Vec::new()),
            result => result,
        }
    }

    async fn query_columns(&mut self, statement: &Statement, names: &[&str]) -> Result<Vec<Row>> {
        let rows = bound(statement).fetch_all(&mut self.connection).await.map_err(of_session)?;
        rows.iter().map(|row| names.iter().map(|name| named(row, name)).collect()).collect()
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64> {
        let result = match bound(statement).execute(&mut self.connection).await {
            Ok(done) => Ok(done),
            Err(error) => match of_session(error) {
                error if error.code.as_deref() == Some(NOT_PREPARABLE) => {
                    self.plainly(&statement.sql).await
                }
                error => Err(error),
            },
        };
        // The driver asks the server for rows found (CLIENT_FOUND_ROWS), not for rows changed.
        result.map(|done| done.rows_affected())
    }

    async fn query_within(
        &mut self,
        statement: &Statement,
        limit: Duration,
    ) -> Result<Option<Vec<Row>>> {
        reads::query_within(self, statement, limit).await
    }

    async fn measure(&mut self, statement: &Statement, limit: Duration) -> Result<Option<Reads>> {
        reads::measure(self, statement, limit).await
    }

    async fn foretell(&mut self, statement: &Statement) -> Result<Option<Access>> {
        reads::foretell(self, statement).await
    }

    async fn begin(&mut self) -> Result<()> {
        // The session's own level is READ COMMITTED.
        self.plainly("START TRANSACTION").await.map(drop)
    }

    /// The limits are the session's, which does nothing but batches, so they are set once.
    async fn begin_batch(&mut self, patience: &Patience, _: Commit) -> Result<()> {
        if self.patience != Some(*patience) {
            let wait = patience.lock_wait.map_or_else(String::new, |wait| {
                format!(", innodb_lock_wait_timeout = {}", wait.as_secs())
            });
            let sql = format!(
                "SET SESSION wait_timeout = \
                 CAST(LEAST(@@SESSION.wait_timeout, {IDLE_WORKER}) AS UNSIGNED){wait}"
            );
            self.plainly(&sql).await?;
            self.patience = Some(*patience);
        }
        // What others wrote between two batches is none of the second's.
        if self.binlog.is_stale() {
            self.look_at_log().await;
        }
        self.begin().await
    }

    async fn commit(&mut self) -> Result<()> {
        self.plainly("COMMIT").await.map(drop)
    }

    /// A batch waits for no row ([`crate::target::Patience`]), so that a wait is no part of its
    /// time.
    async fn cost(&mut self) -> Cost {
        Cost { log_bytes: self.look_at_log().await, ..Cost::default() }
    }

    async fn rollback(&mut self) -> Result<()> {
        self.plainly("ROLLBACK").await.map(drop)
    }

    async fn close(self: Box<Self>) {
        // The server notices a connection that is gone anyway, only later.
        let _ = self.connection.close().await;
    }
}

/// Runs SQL of ours through the text protocol. Never a user's: it would run what follows a `;`.
pub(super) async fn plainly(
    connection: &mut MySqlConnection,
    sql: &str,
) -> Result<MySqlQueryResult> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map_err(of_session)
}

async fn fetch(connection: &mut MySqlConnection, statement: &Statement) -> Result<Vec<Row>> {
    let rows = bound(statement).fetch_all(connection).await.map_err(of_session)?;
    rows.iter().map(texts).collect()
}

type Query<'q> = sqlx::query::Query<'q, sqlx::MySql, sqlx::mysql::MySqlArguments>;

fn bound(statement: &Statement) -> Query<'_> {
    // Persistent, also where a statement runs once: to close one, the driver sends a packet that
    // has no answer, and Nagle's algorithm then holds the next statement back for 40 ms.
    let mut query = sqlx::query(AssertSqlSafe(statement.sql.clone())).persistent(true);
    for bind in &statement.binds {
        query = match bind {
            Bind::Text(text) => query.bind(text.as_deref()),
            Bind::Int(number) => query.bind(number),
        };
    }
    query
}

fn texts(row: &MySqlRow) -> Result<Row> {
    (0..row.len()).map(|index| text(row, index)).collect()
}

/// The value in the column of that name, in whichever case; NULL where there is none.
fn named(row: &MySqlRow, name: &str) -> Result<Option<String>> {
    let at = row.columns().iter().position(|column| column.name().eq_ignore_ascii_case(name));
    at.map_or(Ok(None), |index| text(row, index))
}

/// A value as text. Our own SQL casts what it reads; what remains are integers, and the texts that
/// the catalogs give the type `VARBINARY` or `LONGTEXT`.
fn text(row: &MySqlRow, index: usize) -> Result<Option<String>> {
    let column = row.column(index);
    let name = column.type_info().name();
    let read = match name {
        "NULL" => Ok(None),
        "BIT" => row.try_get_unchecked::<Option<u64>, _>(index).map(|n| n.map(|n| n.to_string())),
        "BOOLEAN" | "YEAR" => {
            row.try_get_unchecked::<Option<i64>, _>(index).map(|n| n.map(|n| n.to_string()))
        }
        "FLOAT" | "DOUBLE" => {
            row.try_get_unchecked::<Option<f64>, _>(index).map(|n| n.map(|n| n.to_string()))
        }
        "DATE" | "TIME" | "DATETIME" | "TIMESTAMP" => {
            return Err(Error::new(
                Class::Refused,
                format!("column `{}` has the type {name}; cast it to text", column.name()),
            ));
        }
        _ if name.ends_with("UNSIGNED") => {
            row.try_get_unchecked::<Option<u64>, _>(index).map(|n| n.map(|n| n.to_string()))
        }
        _ if name.ends_with("INT") => {
            row.try_get_unchecked::<Option<i64>, _>(index).map(|n| n.map(|n| n.to_string()))
        }
        // Checked, for a replacement character in a key would be another key.
        _ => row.try_get_unchecked::<Option<String>, _>(index),
    };
    read.map_err(of_session)
}
