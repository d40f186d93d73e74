//! What a batch reads, measured on the table itself: a plan that looks clean may still read a
//! thousand pages for a hundred rows, so that only counting tells.

use std::time::Duration;

use super::sql::Statements;
use super::{Error, Refusal};
use crate::catalog::{RowEstimate, Table};
use crate::keyspace::Key;
use crate::spec::Walk;
use crate::sql::mentions;
use crate::target::{Access, Class, Dialect, Reads, Session, Statement};

/// Rows of the batch that is measured.
const ROWS: u64 = 100;

/// How far into the table the second batch is measured. A table that ends before it is small: to
/// read all of it for every batch harms nobody.
const DEEP: u64 = 20_000;

/// What a batch of [`ROWS`] rows may read, in rows or in pages. A hundred of its rows may lie on a
/// hundred pages, behind dead ones and beside other indexes' entries; a scan of a table that is not
/// small reads more.
const MOST: u64 = 5_000;

/// How long a statement may take that reads a hundred rows. From a cold disk of 10 ms they take 1 s.
const LIMIT: Duration = Duration::from_secs(5);

/// How long it may take to find out whether to offer something.
const LIMIT_OF_OFFER: Duration = Duration::from_secs(1);

/// An index that finds a part of the table smaller than one in so many rows is worth an offer.
const NARROW: u64 = 100;

/// A statement that reads too much.
#[derive(Debug)]
struct Excess {
    what: &'static str,
    /// `None`: more than can be read in the time that it had.
    reads: Option<Reads>,
}

/// Measures a statement, and once more where the first time read too much: PostgreSQL clears dead
/// entries out of the way when it meets them.
async fn judge(
    session: &mut dyn Session,
    what: &'static str,
    statement: &Statement,
    limit: Duration,
) -> Result<Option<Excess>, Error> {
    for last in [false, true] {
        match session.measure(statement, limit).await? {
            None => return Ok(Some(Excess { what, reads: None })),
            Some(reads) if reads.rows <= MOST && reads.pages <= MOST => return Ok(None),
            Some(reads) if last => return Ok(Some(Excess { what, reads: Some(reads) })),
            Some(_) => {}
        }
    }
    Ok(None)
}

/// The key in the first row of a result that ends with whether the key is past the range.
fn first_key(rows: Vec<Vec<Option<String>>>, columns: usize) -> Option<Key> {
    let mut row = rows.into_iter().next()?;
    row.truncate(columns);
    row.into_iter().collect::<Option<Vec<_>>>().map(Key)
}

/// Walks two batches, one from the beginning and one from deep within the table. `None` where each
/// reads about what it returns, or where the table is small.
async fn excess(
    statements: &Statements,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    limit: Duration,
) -> Result<Option<Excess>, Error> {
    let columns = statements.key.len();
    let last = statements.last_key(dialect);
    if let Some(excess) = judge(session, "the look-up of the last key", &last, limit).await? {
        return Ok(Some(excess));
    }
    let Some(hi) = first_key(session.query(&last).await?, columns) else { return Ok(None) };
    let deep = statements.boundary(dialect, None, &hi, DEEP);
    let deep = match session.measure(&deep, limit).await? {
        Some(_) => first_key(session.query(&deep).await?, columns),
        None => None,
    };
    let beginnings = [None, deep.as_ref()];
    for after in &beginnings[..if deep.is_some() { 2 } else { 1 }] {
        let boundary = statements.boundary(dialect, *after, &hi, ROWS);
        let what = "the look-up of a batch's end";
        if let Some(excess) = judge(session, what, &boundary, limit).await? {
            return Ok(Some(excess));
        }
        let found = first_key(session.query(&boundary).await?, columns);
        let upto = found.as_ref().unwrap_or(&hi);
        let what = "the search for the rows that a batch writes";
        // A subquery's own rows are not the walk's.
        let filter = statements.filter.as_deref().unwrap_or_default();
        let window = if mentions(dialect.tokens(), filter, "select") {
            statements.count(dialect, *after, upto)
        } else {
            statements.count_matching(dialect, *after, upto)
        };
        let found = judge(session, what, &window, limit).await?;
        // Without statistics PostgreSQL takes the first window, which only ends somewhere, for a
        // third of the table. One scan in the life of a job is not one for each batch.
        let once = after.is_none() && statements.walk == Walk::Key;
        if let Some(excess) = found.filter(|excess| !once || excess.reads.is_none()) {
            return Ok(Some(excess));
        }
    }
    Ok(None)
}

/// Whether the catalog says that the table is small.
fn is_small(table: &Table) -> bool {
    table.estimate.as_ref().is_some_and(|estimate| estimate.rows < DEEP)
}

/// Refuses a walk whose statements read far more than their batch.
///
/// # Errors
///
/// The server could not be asked.
pub(super) async fn refuse_costly(
    table: &Table,
    statements: &Statements,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    refusals: &mut Vec<Refusal>,
) -> Result<(), Error> {
    if is_small(table) {
        return Ok(());
    }
    match excess(statements, dialect, session, LIMIT).await {
        Ok(Some(excess)) => refusals.push(refusal(&excess, table, statements, dialect)),
        // `where` fails on a row: what the others cost is not known, and the run puts it aside.
        Err(error) if is_of_a_row(&error) => {}
        Ok(None) => {}
        Err(error) => return Err(error),
    }
    Ok(())
}

fn is_of_a_row(error: &Error) -> bool {
    matches!(error, Error::Target(error) if error.class == Class::Poison)
}

fn refusal(
    excess: &Excess,
    table: &Table,
    statements: &Statements,
    dialect: &dyn Dialect,
) -> Refusal {
    let read = match excess.reads {
        Some(Reads { rows, pages, sorts }) => {
            let pages = if pages == 0 { String::new() } else { format!(" on {pages} pages") };
            let sorts = if sorts { ", sorted," } else { "" };
            format!("reads about {rows} rows{pages}{sorts}")
        }
        None => format!("has not ended after {} s", LIMIT.as_secs()),
    };
    let columns: Vec<_> = statements.key.iter().map(|column| dialect.quote(&column.name)).collect();
    let columns = columns.join(", ");
    let fix = match statements.walk {
        Walk::Key => format!(
            "run ANALYZE on `{table}` and plan again; look for settings that keep the planner from \
             the index of the key ({columns}); or name another unique key in `[batch] key`"
        ),
        Walk::Predicate => format!(
            "take `walk = \"predicate\"` out of [batch]; or make an index that holds the rows of \
             `where` in the order of the key ({columns}), and run ANALYZE on `{table}`"
        ),
    };
    Refusal::new(
        format!("{} {read} for a batch of {ROWS}", excess.what),
        "every batch would, so the load and the time for which rows are locked grow with the table \
         and not with the batch",
        fix,
    )
}

/// How many rows the walk has to go through, and what a person should know of it.
#[derive(Debug)]
pub(super) struct Extent {
    /// The estimate that progress is measured by.
    pub estimate: Option<RowEstimate>,
    /// The offer of another walk, where that would be worth it.
    pub offer: Option<String>,
}

/// Looks how few rows match the filter, and whether an index finds them.
///
/// # Errors
///
/// The server could not be asked.
pub(super) async fn extent(
    table: &Table,
    statements: &Statements,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
) -> Result<Extent, Error> {
    let whole = Extent { estimate: table.estimate.clone(), offer: None };
    let Some(matching) = statements.matching() else { return Ok(whole) };
    if statements.walk == Walk::Predicate {
        let access = session.foretell(&matching).await?;
        let estimate = access.map(|Access { index, rows }| RowEstimate {
            rows,
            source: format!("rows that match `where`, by the index `{index}`"),
            guessed: false,
        });
        return Ok(Extent { estimate, offer: None });
    }
    let Some(rows) = table.estimate.as_ref().map(|estimate| estimate.rows) else {
        return Ok(whole);
    };
    if is_small(table) {
        return Ok(whole);
    }
    let access = session.foretell(&matching).await?;
    let Some(access) = access.filter(|access| access.rows.saturating_mul(NARROW) < rows) else {
        return Ok(whole);
    };
    let other = Statements { walk: Walk::Predicate, ..statements.clone() };
    match excess(&other, dialect, session, LIMIT_OF_OFFER).await {
        Ok(None) => {}
        Ok(Some(_)) => return Ok(whole),
        Err(error) if is_of_a_row(&error) => return Ok(whole),
        Err(error) => return Err(error),
    }
    let offer = format!(
        "about {} of {rows} rows match `where`, and the index `{}` finds them, while the walk reads \
         them all: `walk = \"predicate\"` in [batch] reads only those",
        access.rows, access.index
    );
    Ok(Extent { offer: Some(offer), ..whole })
}
