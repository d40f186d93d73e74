//! Latches: kills that stay until a person releases them.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;

use super::jobs::write_event;
use super::{Journal, Result, now};
use crate::event::{ALL_JOBS, Record};

/// A kill that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Latch {
    /// A job's name, or [`ALL_JOBS`].
    pub scope: String,
    /// When it was set.
    pub at: String,
    /// By whom.
    pub by: String,
    /// Why, where it was said.
    pub reason: Option<String>,
    /// The number of the halt in the target that says the same, where there is one.
    pub halt: Option<i64>,
    /// Whether that halt binds every job of its target.
    pub halts_all: bool,
}

impl Latch {
    /// One that is set now, and that no halt is known of.
    #[must_use]
    pub fn new(scope: &str, by: String, reason: Option<String>) -> Self {
        // People read it; the event beside it has the fractions.
        let at = format!("{:.0}", Timestamp::now());
        Self { scope: scope.to_owned(), at, by, reason, halt: None, halts_all: false }
    }

    /// What `backstop release` is called with to lift it.
    #[must_use]
    pub fn selector(&self) -> &str {
        match self.scope.as_str() {
            _ if self.halts_all => "--all --target URL_ENV",
            ALL_JOBS => "--all",
            job => job,
        }
    }
}

const COLUMNS: &str = "scope, at, by_whom, reason, halt, halts_all";

fn read(row: &Row<'_>) -> rusqlite::Result<Latch> {
    Ok(Latch {
        scope: row.get(0)?,
        at: row.get(1)?,
        by: row.get(2)?,
        reason: row.get(3)?,
        halt: row.get(4)?,
        halts_all: row.get(5)?,
    })
}

/// That of all jobs first: while it stands, lifting the job's own changes nothing.
fn standing(connection: &Connection, scopes: [&str; 2]) -> rusqlite::Result<Option<Latch>> {
    connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM latch WHERE scope IN (?1, ?2) AND released_at IS NULL \
             ORDER BY scope = ?2 DESC, id DESC LIMIT 1"
        ))?
        .query_row(scopes, read)
        .optional()
}

impl Journal {
    /// The latch that stands and binds the job: that of all jobs, if there is one.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn standing_latch(&self, job: &str) -> Result<Option<Latch>> {
        self.read(|connection| standing(connection, [job, ALL_JOBS]))
    }

    /// The latch of the job alone that stands.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn own_latch(&self, job: &str) -> Result<Option<Latch>> {
        self.read(|connection| standing(connection, [job, job]))
    }

    /// Sets a latch, and writes the event that says so. One of the same scope that stands already
    /// stays, and learns the number of the halt.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn latch(&self, latch: &Latch, record: &Record) -> Result<()> {
        self.write(|tx| {
            let known = tx.execute(
                "UPDATE latch SET halt = coalesce(?1, halt), \
                 halts_all = CASE WHEN ?1 IS NULL THEN halts_all ELSE ?2 END \
                 WHERE scope = ?3 AND released_at IS NULL",
                params![latch.halt, latch.halts_all, latch.scope],
            )?;
            if known == 0 {
                tx.execute(
                    &format!("INSERT INTO latch ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"),
                    params![
                        latch.scope,
                        latch.at,
                        latch.by,
                        latch.reason,
                        latch.halt,
                        latch.halts_all
                    ],
                )?;
                write_event(tx, record)?;
            }
            Ok(())
        })
    }

    /// Lifts the latches of exactly this scope, writes the event that says so, and returns how many
    /// stood.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn release(&self, scope: &str, by: &str, reason: &str, record: &Record) -> Result<usize> {
        self.write(|tx| {
            let lifted = tx.execute(
                "UPDATE latch SET released_at = ?, released_by = ?, release_reason = ? \
                 WHERE scope = ? AND released_at IS NULL",
                params![now(), by, reason, scope],
            )?;
            if 0 < lifted {
                write_event(tx, record)?;
            }
            Ok(lifted)
        })
    }
}
