//! One connection to a PostgreSQL server.

use async_trait::async_trait;
use sqlx::postgres::{PgArguments, PgRow, PgValueFormat};
use sqlx::query::Query;
use sqlx::{
    AssertSqlSafe, Connection, Executor, PgConnection, Postgres, Row as _, SqlSafeStr,
    Statement as _, TypeInfo, ValueRef,
};

use super::error::from_driver;
use crate::target::{Bind, Brake, Class, Error, Result, Row, Session, Statement};

/// One owned connection.
pub(super) struct PgSession {
    connection: PgConnection,
    id: String,
    transaction: Transaction,
}

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
        sql.push_str("SELECT pg_backend_pid()::text");
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone()))
            .fetch_all(&mut connection)
            .await
            .map_err(|error| from_driver(error, &sql))?;
        let id = match rows.last() {
            Some(row) => cell(row, 0)?.unwrap_or_default(),
            None => String::new(),
        };
        Ok(Self { connection, id, transaction: Transaction::None })
    }

    /// Runs a statement of ours that has no parameters, in one round trip, without the server
    /// keeping anything of it.
    async fn simple(&mut self, sql: &'static str) -> Result<()> {
        let done = sqlx::raw_sql(sql).execute(&mut self.connection).await;
        self.settle(done, sql).map(drop)
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
            from_driver(error, sql)
        })
    }
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

    fn brake(&self) -> Brake {
        Brake::Statement(Statement::plain(format!("SELECT pg_cancel_backend({})::text", self.id)))
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
        let rows = query(statement).fetch_all(&mut self.connection).await;
        self.settle(rows, &statement.sql)?
            .iter()
            .map(|row| (0..row.len()).map(|column| cell(row, column)).collect())
            .collect()
    }

    async fn execute(&mut self, statement: &Statement) -> Result<u64> {
        let done = query(statement).execute(&mut self.connection).await;
        self.settle(done, &statement.sql).map(|done| done.rows_affected())
    }

    async fn begin(&mut self) -> Result<()> {
        // READ WRITE: a role that is read-only by default was found, and refused, by the plan.
        self.simple("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE").await?;
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
        let done = self.simple("COMMIT").await;
        // Whatever the answer, the server has ended the transaction, or the session with it.
        self.transaction = Transaction::None;
        done
    }

    async fn rollback(&mut self) -> Result<()> {
        if self.transaction == Transaction::None {
            return Ok(());
        }
        self.simple("ROLLBACK").await?;
        self.transaction = Transaction::None;
        Ok(())
    }

    async fn close(self: Box<Self>) {
        // A connection that cannot say goodbye is gone already.
        let _ = self.connection.close().await;
    }
}
