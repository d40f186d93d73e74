//! A verification under way, so that one that was stopped goes on where it was; and the last report.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::{Journal, Result, now};
use crate::keyspace::{Checked, Key, Range, Tally};

/// What a verification was begun for. One that was begun for something else is begun anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    /// The generation.
    pub generation: u32,
    /// The hash of the spec.
    pub spec_hash: String,
    /// Batches that the job had written: one more makes it out of date.
    pub batches: u64,
    /// Which look it is: 1 over the table, 2 over what was written after the first.
    pub look: u32,
    /// The last key of the table when the first look began; `None`: it was empty.
    pub bound: Option<Key>,
    /// What holds of the first look although rows were written since.
    pub settled: Tally,
    /// When the first look began.
    pub started_at: Timestamp,
}

/// What the last verification reported.
#[derive(Debug, Clone)]
pub struct LastReport {
    /// When it ended.
    pub at: Timestamp,
    /// Whether nothing was wrong.
    pub passed: bool,
    /// The report.
    pub report: Value,
}

/// A range as SQLite holds it: number, keys, whether it is done and evaluates `expect`, tally.
type RangeRow = (u32, [Option<String>; 3], bool, bool, String);

impl Journal {
    /// The verification of the job that is under way, or was when its runner left, with its ranges.
    ///
    /// # Errors
    ///
    /// The journal cannot be read, or holds something that this version does not know.
    pub fn verification(&self, job: &str) -> Result<Option<(Verification, Vec<Checked>)>> {
        let found = self.read(|connection| {
            let row = connection
                .prepare_cached(
                    "SELECT generation, spec_hash, batches, look, bound, settled, started_at \
                     FROM verification WHERE job = ?",
                )?
                .query_row([job], |row| {
                    let (batches, bound): (i64, Option<String>) = (row.get(2)?, row.get(4)?);
                    let texts: (String, String) = (row.get(5)?, row.get(6)?);
                    Ok((row.get(0)?, row.get(1)?, batches, row.get(3)?, bound, texts))
                })
                .optional()?;
            let ranges = connection
                .prepare_cached(
                    "SELECT range_id, lo, hi, cursor_at, done, expects, tally \
                     FROM verification_range WHERE job = ? ORDER BY range_id",
                )?
                .query_map([job], |row| {
                    let keys: [Option<String>; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
                    let tally: String = row.get(6)?;
                    Ok((row.get(0)?, keys, row.get(4)?, row.get(5)?, tally))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()?;
            Ok(row.map(|row| (row, ranges)))
        })?;
        let Some((row, ranges)) = found else { return Ok(None) };
        let (generation, spec_hash, batches, look, bound, (settled, started_at)) = row;
        let key = |text: Option<String>| text.map(|text| self.key(&text)).transpose();
        let tally = |text: String| -> Result<Tally> {
            serde_json::from_str(&text).map_err(|_| self.unreadable("tally", &text))
        };
        let verification = Verification {
            generation,
            spec_hash,
            batches: u64::try_from(batches).unwrap_or_default(),
            look,
            bound: key(bound)?,
            settled: tally(settled)?,
            started_at: self.time(&started_at)?,
        };
        let checked = |(id, keys, done, expects, found): RangeRow| {
            let ([lo, hi, cursor], found) = (keys, tally(found)?);
            let hi = key(hi)?.unwrap_or(Key(Vec::new()));
            let range = Range {
                cursor: key(cursor)?,
                rows_scanned: found.counts.rows,
                rows_changed: found.counts.wrong(),
                done,
                ..Range::new(id, key(lo)?, hi)
            };
            Ok(Checked { range, expects, tally: found })
        };
        let ranges = ranges.into_iter().map(checked).collect::<Result<_>>()?;
        Ok(Some((verification, ranges)))
    }

    /// Writes down that a look begins, over these ranges.
    ///
    /// # Errors
    ///
    /// The journal cannot be written; the runner must then stop.
    pub fn begin_look(&self, job: &str, look: &Verification, ranges: &[Checked]) -> Result<()> {
        let settled = serde_json::to_string(&look.settled).unwrap_or_default();
        self.write_own(job, |tx| {
            tx.execute("DELETE FROM verification_range WHERE job = ?", [job])?;
            tx.execute(
                "INSERT OR REPLACE INTO verification (job, generation, spec_hash, batches, look, \
                 bound, settled, started_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    job,
                    look.generation,
                    look.spec_hash,
                    i64::try_from(look.batches).unwrap_or(i64::MAX),
                    look.look,
                    look.bound.as_ref().map(Key::to_json),
                    settled,
                    look.started_at.to_string(),
                ],
            )?;
            ranges.iter().try_for_each(|checked| write_checked(tx, job, checked))
        })
    }

    /// Writes down how far the ranges are, and what was found in them.
    ///
    /// # Errors
    ///
    /// The journal cannot be written; the runner must then stop.
    pub fn keep_checked(&self, job: &str, ranges: &[&Checked]) -> Result<()> {
        self.write_own(job, |tx| {
            ranges.iter().try_for_each(|checked| write_checked(tx, job, checked))
        })
    }

    /// Writes down what the verification came to, and forgets how it came there.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn end_verification(&self, job: &str, passed: bool, report: &Value) -> Result<()> {
        self.write_own(job, |tx| {
            tx.execute("DELETE FROM verification_range WHERE job = ?", [job])?;
            tx.execute("DELETE FROM verification WHERE job = ?", [job])?;
            tx.execute(
                "INSERT OR REPLACE INTO verification_report (job, at, passed, report) \
                 VALUES (?, ?, ?, ?)",
                params![job, now(), passed, report.to_string()],
            )
            .map(drop)
        })
    }

    /// What the last verification of the job reported that came to its end.
    ///
    /// # Errors
    ///
    /// As [`Journal::verification`].
    pub fn last_report(&self, job: &str) -> Result<Option<LastReport>> {
        let found = self.read(|connection| {
            connection
                .prepare_cached("SELECT at, passed, report FROM verification_report WHERE job = ?")?
                .query_row([job], |row| {
                    Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?))
                })
                .optional()
        })?;
        let report = |(at, passed, report): (String, bool, String)| {
            Ok(LastReport {
                at: self.time(&at)?,
                passed,
                report: serde_json::from_str(&report)
                    .map_err(|_| self.unreadable("report", &report))?,
            })
        };
        found.map(report).transpose()
    }
}

fn write_checked(connection: &Connection, job: &str, checked: &Checked) -> rusqlite::Result<()> {
    let Checked { range, expects, tally } = checked;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO verification_range (job, range_id, lo, hi, cursor_at, done, \
             expects, tally) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            job,
            range.id,
            range.lo.as_ref().map(Key::to_json),
            range.hi.to_json(),
            range.cursor.as_ref().map(Key::to_json),
            range.done,
            expects,
            serde_json::to_string(tally).unwrap_or_default(),
        ])
        .map(drop)
}
