//! What a statement reads, by the session's counters.

use std::time::Duration;

use crate::event::RetryReason;
use crate::target::reads::{Access, Reads};
use crate::target::{Class, Error, Result, Row, Session, Statement};

/// The counters of the session, except those of deleted rows, which are no other rows.
const COUNTERS: &str = "SHOW SESSION STATUS WHERE variable_name LIKE 'Handler_read%' \
                        AND variable_name NOT LIKE '%deleted' OR variable_name = 'Sort_rows'";

/// Runs the SELECT. Rows that InnoDB passes over by itself, for a pushed condition, would not be
/// counted.
pub(super) async fn measure(
    session: &mut dyn Session,
    statement: &Statement,
    limit: Duration,
) -> Result<Option<Reads>> {
    let (seconds, milliseconds) = (limit.as_secs_f64(), limit.as_millis());
    set(session, "'index_condition_pushdown=off'", &seconds.to_string(), &milliseconds.to_string())
        .await?;
    // To look adds to what is looked at, and always as much.
    let first = counters(session).await?;
    let before = counters(session).await?;
    let done = session.query(statement).await;
    let after = counters(session).await?;
    set(session, "DEFAULT", "DEFAULT", "DEFAULT").await?;
    if in_time(done)?.is_none() {
        return Ok(None);
    }
    let looking = before.rows.saturating_sub(first.rows);
    Ok(Some(Reads {
        rows: after.rows.saturating_sub(before.rows).saturating_sub(looking),
        pages: 0,
        sorts: before.sorted < after.sorted,
    }))
}

/// Nothing for what the server ended.
fn in_time<T>(done: Result<T>) -> Result<Option<T>> {
    match done {
        Err(error) if error.class == Class::Retry(RetryReason::StatementTimeout) => Ok(None),
        done => done.map(Some),
    }
}

/// Runs the SELECT, which the server ends after `limit`.
pub(super) async fn query_within(
    session: &mut dyn Session,
    statement: &Statement,
    limit: Duration,
) -> Result<Option<Vec<Row>>> {
    let (seconds, milliseconds) = (limit.as_secs_f64(), limit.as_millis());
    set(session, "DEFAULT", &seconds.to_string(), &milliseconds.to_string()).await?;
    let done = session.query(statement).await;
    if done.as_ref().is_err_and(Error::is_lost) {
        return in_time(done);
    }
    set(session, "DEFAULT", "DEFAULT", "DEFAULT").await?;
    in_time(done)
}

/// MariaDB takes the second part and MySQL the third: it ignores what is marked as of 5.7 and
/// later. Source: <https://mariadb.com/kb/en/comment-syntax/>.
async fn set(
    session: &mut dyn Session,
    switch: &str,
    seconds: &str,
    milliseconds: &str,
) -> Result<()> {
    let sql = format!(
        "SET SESSION optimizer_switch = {switch} /*M! , max_statement_time = {seconds} */ \
         /*!50708 , max_execution_time = {milliseconds} */"
    );
    session.execute(&Statement::plain(sql)).await.map(drop)
}

#[derive(Default)]
struct Counters {
    rows: u64,
    sorted: u64,
}

async fn counters(session: &mut dyn Session) -> Result<Counters> {
    let mut counters = Counters::default();
    for row in session.query(&Statement::plain(COUNTERS)).await? {
        let [Some(name), Some(value)] = row.as_slice() else { continue };
        let number: u64 = value.parse().unwrap_or(0);
        if name == "Sort_rows" {
            counters.sorted = number;
        } else {
            counters.rows += number;
        }
    }
    Ok(counters)
}

/// Asks the planner. EXPLAIN's columns are `id, select_type, table, partitions, type,
/// possible_keys, key, key_len, ref, rows, filtered, Extra`; MariaDB has no `partitions`.
pub(super) async fn foretell(
    session: &mut dyn Session,
    statement: &Statement,
) -> Result<Option<Access>> {
    let explain = Statement {
        sql: format!("EXPLAIN FORMAT=TRADITIONAL {}", statement.sql),
        binds: statement.binds.clone(),
    };
    let rows = session.query(&explain).await?;
    // A subquery has a line of its own, and is no matter of one index.
    let [row] = rows.as_slice() else { return Ok(None) };
    let at = if row.len() == 12 { 4 } else { 3 };
    let column = |offset: usize| row.get(at + offset).and_then(Option::as_deref);
    let narrow = ["ref", "ref_or_null", "range", "index_merge", "const", "eq_ref"];
    let (Some(kind), Some(index)) = (column(0), column(2)) else { return Ok(None) };
    let rows = column(5).and_then(|rows| rows.parse().ok()).filter(|_| narrow.contains(&kind));
    Ok(rows.map(|rows| Access { index: index.to_owned(), rows }))
}
