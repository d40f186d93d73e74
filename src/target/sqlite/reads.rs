//! What a statement reads, by the steps of SQLite's virtual machine.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Rows, StatementStatus, params_from_iter};

use crate::target::Statement;
use crate::target::reads::{Access, Reads};

/// Steps that are taken for one row: SQLite does not count rows. A row of a scan costs three and
/// more, one of a window that several ranges make up twelve to seventy (release 3.51).
const STEPS: u64 = 10;

/// Steps between two looks at the clock: some microseconds.
const LOOK_EVERY: i32 = 1_000;

/// Runs the SELECT until the deadline; interrupted, it fails so.
pub(super) fn measure(
    connection: &Connection,
    statement: &Statement,
    limit: Duration,
) -> rusqlite::Result<Reads> {
    let deadline = Instant::now() + limit;
    connection.progress_handler(LOOK_EVERY, Some(move || deadline < Instant::now()))?;
    let reads = count(connection, statement);
    connection.progress_handler(0, None::<fn() -> bool>)?;
    reads
}

fn count(connection: &Connection, statement: &Statement) -> rusqlite::Result<Reads> {
    let mut prepared = connection.prepare(&statement.sql)?;
    exhaust(prepared.query(params_from_iter(&statement.binds))?)?;
    let of = |status| u64::try_from(prepared.get_status(status)).unwrap_or(0);
    Ok(Reads {
        rows: of(StatementStatus::VmStep) / STEPS,
        pages: 0,
        sorts: 0 < of(StatementStatus::Sort),
    })
}

fn exhaust(mut rows: Rows<'_>) -> rusqlite::Result<()> {
    while rows.next()?.is_some() {}
    Ok(())
}

/// Entries of an index that are counted at most, some milliseconds' worth: without ANALYZE nothing
/// else tells how many rows a condition has.
const MOST_ENTRIES: u64 = 100_000;

/// Asks the planner for the index, and counts its entries.
pub(super) fn foretell(
    connection: &Connection,
    statement: &Statement,
) -> rusqlite::Result<Option<Access>> {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql))?;
    let details: Vec<String> = explain
        .query_map(params_from_iter(&statement.binds), |row| row.get("detail"))?
        .collect::<rusqlite::Result<_>>()?;
    // A subquery has a line of its own, and is no matter of one index.
    let [detail] = details.as_slice() else { return Ok(None) };
    let Some(index) = index_of(connection, detail)? else { return Ok(None) };
    let sql = format!("SELECT count(*) FROM ({} LIMIT {MOST_ENTRIES})", statement.sql);
    let rows: u64 = connection
        .query_row(&sql, params_from_iter(&statement.binds), |row| row.get::<_, i64>(0))
        .map(|rows| u64::try_from(rows).unwrap_or(0))?;
    Ok((rows < MOST_ENTRIES).then_some(Access { index, rows }))
}

/// The index of a line such as `SEARCH t USING COVERING INDEX i (a=?)`. A scan goes through the
/// whole of one, which is narrow only if it is a partial one.
fn index_of(connection: &Connection, detail: &str) -> rusqlite::Result<Option<String>> {
    let Some((access, index)) = detail.split_once(" INDEX ") else { return Ok(None) };
    let index = index.split(" (").next().unwrap_or(index).to_owned();
    if access.starts_with("SEARCH ") {
        return Ok(Some(index));
    }
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = ?1 \
               AND sql LIKE '%) WHERE %'";
    let partial: i64 = connection.query_row(sql, [&index], |row| row.get(0))?;
    Ok((0 < partial).then_some(index))
}
