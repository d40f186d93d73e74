//! Rows that cannot be written.
//!
//! **Invariant.** A row is written here before the cursor passes it, so a row that was passed over is
//! known, and one that is known may not have been passed yet: the next start finds that out from the
//! fence ([`Journal::settle_quarantine`]).

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};
use serde::Serialize;

use super::jobs::write_event;
use super::{Journal, Result, now};
use crate::event::Record;
use crate::keyspace::Key;

/// A row in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// Its key.
    pub key: Key,
    /// The key that its window began after; `None` is the beginning of the table.
    pub after: Option<Key>,
    /// The range whose cursor passed it.
    pub range: u32,
    /// Its columns when it failed, as texts; empty where they could not be read.
    pub values: serde_json::Value,
    /// The server's code.
    pub code: Option<String>,
    /// The server's words.
    pub message: String,
    /// The statement that failed.
    pub statement: String,
    /// When it last failed.
    pub at: Timestamp,
    /// How often it was tried, by the first run and by each retry.
    pub attempts: u32,
    /// What became of it.
    pub state: Fate,
    /// When it was given up.
    pub released_at: Option<String>,
    /// By whom.
    pub released_by: Option<String>,
    /// Why.
    pub release_reason: Option<String>,
    /// The range that tries it again.
    pub retry_range: Option<u32>,
}

/// What became of a row in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It waits for a person.
    Waiting,
    /// A retry has written it, or found nothing more to write.
    Written,
    /// A person gave it up.
    Released,
}

impl Fate {
    const ALL: [Self; 3] = [Self::Waiting, Self::Written, Self::Released];

    /// The name used in the journal and in displays.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Written => "written",
            Self::Released => "released",
        }
    }
}

/// What the fence tells of a row that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The cursor never passed it: it is tried again, and nothing is known of it.
    NotPassed,
    /// It is not tried again any more, and still waits.
    Waits,
    /// It was tried again, and did not fail.
    Written,
}

const COLUMNS: &str = "key, after, at, row_values, state, range_id, code, message, statement, \
     attempts, released_at, released_by, release_reason, retry_range";

/// What SQLite holds; its texts become values outside of its callback, where errors can be ours.
struct Raw {
    texts: [String; 3],
    state: String,
    after: Option<String>,
    row: Quarantined,
}

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok(Raw {
        texts: [row.get(0)?, row.get(2)?, row.get(3)?],
        state: row.get(4)?,
        after: row.get(1)?,
        row: Quarantined {
            key: Key(Vec::new()),
            after: None,
            range: row.get(5)?,
            values: serde_json::Value::Null,
            code: row.get(6)?,
            message: row.get(7)?,
            statement: row.get(8)?,
            at: Timestamp::UNIX_EPOCH,
            attempts: row.get(9)?,
            state: Fate::Waiting,
            released_at: row.get(10)?,
            released_by: row.get(11)?,
            release_reason: row.get(12)?,
            retry_range: row.get(13)?,
        },
    })
}

fn count_waiting(connection: &Connection, job: &str, generation: u32) -> rusqlite::Result<u64> {
    connection
        .prepare_cached(
            "SELECT count(*) FROM quarantine WHERE job = ? AND generation = ? \
             AND state = 'waiting'",
        )?
        .query_row(params![job, generation], |row| row.get::<_, i64>(0))
        .map(|rows| u64::try_from(rows).unwrap_or_default())
}

impl Journal {
    /// Writes a row down that cannot be written, or what is new of one that was known, unless then
    /// more than `most` would wait. Returns whether it did, and how many wait now.
    ///
    /// A row that fails again in the range in which it had failed was interrupted on its way here, and
    /// that counts as one attempt.
    ///
    /// # Errors
    ///
    /// The journal cannot be written; the runner must then stop.
    pub fn quarantine(
        &self,
        job: &str,
        generation: u32,
        row: &Quarantined,
        most: u64,
    ) -> Result<(bool, u64)> {
        let key = row.key.to_json();
        self.write_own(job, |tx| {
            let known = tx
                .prepare_cached(
                    "SELECT 1 FROM quarantine WHERE job = ? AND generation = ? AND key = ? \
                     AND state = 'waiting'",
                )?
                .exists(params![job, generation, key])?;
            let waiting = count_waiting(tx, job, generation)?;
            if !known && most <= waiting {
                return Ok((false, waiting));
            }
            tx.execute(
                "INSERT INTO quarantine (job, generation, key, after, range_id, row_values, code, \
                 message, statement, at, attempts, state) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, 1, 'waiting') \
                 ON CONFLICT (job, generation, key) DO UPDATE SET after = ?4, range_id = ?5, \
                 row_values = ?6, code = ?7, message = ?8, statement = ?9, at = ?10, \
                 attempts = attempts + (range_id <> ?5), state = 'waiting', released_at = NULL, \
                 released_by = NULL, release_reason = NULL",
                params![
                    job,
                    generation,
                    key,
                    row.after.as_ref().map(Key::to_json),
                    row.range,
                    row.values.to_string(),
                    row.code,
                    row.message,
                    row.statement,
                    row.at.to_string(),
                ],
            )?;
            Ok((true, waiting + u64::from(!known)))
        })
    }

    /// Whether a row of that key waits.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn is_quarantined(&self, job: &str, generation: u32, key: &Key) -> Result<bool> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT 1 FROM quarantine WHERE job = ? AND generation = ? AND key = ? \
                     AND state = 'waiting'",
                )?
                .exists(params![job, generation, key.to_json()])
        })
    }

    /// The rows of a generation that are or were in quarantine, the newest last.
    ///
    /// # Errors
    ///
    /// The journal cannot be read, or holds something that this version does not know.
    pub fn quarantined(&self, job: &str, generation: u32) -> Result<Vec<Quarantined>> {
        let rows = self.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM quarantine WHERE job = ? AND generation = ? \
                     ORDER BY at, id"
                ))?
                .query_map(params![job, generation], raw)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        let read = |Raw { texts: [key, at, values], state, after, row }| {
            let fate = Fate::ALL.into_iter().find(|fate| fate.name() == state);
            Ok(Quarantined {
                key: self.key(&key)?,
                after: after.map(|text| self.key(&text)).transpose()?,
                at: self.time(&at)?,
                values: serde_json::from_str(&values)
                    .map_err(|_| self.unreadable("row in quarantine", &values))?,
                state: fate.ok_or_else(|| self.unreadable("state of a row", &state))?,
                ..row
            })
        };
        rows.into_iter().map(read).collect()
    }

    /// How many rows of a generation wait.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn count_quarantined(&self, job: &str, generation: u32) -> Result<u64> {
        self.read(|connection| count_waiting(connection, job, generation))
    }

    /// Writes down which range is about to try which row again. Before the ranges are made: of one
    /// that is then not there, nothing was tried.
    ///
    /// # Errors
    ///
    /// The journal cannot be written; the runner must then stop.
    pub fn retry_quarantined(&self, job: &str, generation: u32, rows: &[(Key, u32)]) -> Result<()> {
        self.write_own(job, |tx| {
            for (key, range) in rows {
                tx.execute(
                    "UPDATE quarantine SET retry_range = ? WHERE job = ? AND generation = ? \
                     AND key = ?",
                    params![range, job, generation, key.to_json()],
                )?;
            }
            Ok(())
        })
    }

    /// Writes down what the fence tells of rows.
    ///
    /// # Errors
    ///
    /// The journal cannot be written; the runner must then stop.
    pub fn settle_quarantine(
        &self,
        job: &str,
        generation: u32,
        rows: &[(Key, Settled)],
    ) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.write_own(job, |tx| {
            for (key, settled) in rows {
                let change = match settled {
                    Settled::NotPassed => "DELETE FROM quarantine",
                    Settled::Waits => "UPDATE quarantine SET retry_range = NULL",
                    Settled::Written => {
                        "UPDATE quarantine SET retry_range = NULL, state = 'written', \
                         attempts = attempts + 1"
                    }
                };
                tx.execute(
                    &format!("{change} WHERE job = ? AND generation = ? AND key = ?"),
                    params![job, generation, key.to_json()],
                )?;
            }
            Ok(())
        })
    }

    /// Gives rows that wait up, and writes the event that says so. Returns how many waited.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn release_quarantined(
        &self,
        job: &str,
        generation: u32,
        keys: &[Key],
        by: &str,
        reason: &str,
        record: &Record,
    ) -> Result<usize> {
        self.write(|tx| {
            let mut released = 0;
            for key in keys {
                released += tx.execute(
                    "UPDATE quarantine SET state = 'released', released_at = ?, released_by = ?, \
                     release_reason = ? WHERE job = ? AND generation = ? AND key = ? \
                     AND state = 'waiting'",
                    params![now(), by, reason, job, generation, key.to_json()],
                )?;
            }
            if 0 < released {
                write_event(tx, record)?;
            }
            Ok(released)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: u32, range: u32) -> Quarantined {
        Quarantined {
            key: Key(vec![id.to_string()]),
            after: None,
            range,
            values: serde_json::json!({"id": id.to_string(), "a": null}),
            code: Some("23514".into()),
            message: "no".into(),
            statement: "UPDATE".into(),
            at: Timestamp::now(),
            attempts: 1,
            state: Fate::Waiting,
            released_at: None,
            released_by: None,
            release_reason: None,
            retry_range: None,
        }
    }

    #[test]
    fn a_row_is_kept_once_and_only_as_many_as_may_wait() {
        let folder = tempfile::TempDir::new().unwrap();
        let journal = Journal::create_or_open(&folder.path().join("journal.db")).unwrap();
        assert_eq!(journal.quarantine("j", 1, &row(1, 0), 2).unwrap(), (true, 1));
        // Interrupted before the cursor passed it.
        assert_eq!(journal.quarantine("j", 1, &row(1, 0), 2).unwrap(), (true, 1));
        assert_eq!(journal.quarantine("j", 1, &row(2, 0), 2).unwrap(), (true, 2));
        assert_eq!(journal.quarantine("j", 1, &row(3, 0), 2).unwrap(), (false, 2));
        assert_eq!(journal.quarantine("j", 2, &row(3, 0), 2).unwrap(), (true, 1));
        // Tried again, it is no other one.
        assert_eq!(journal.quarantine("j", 1, &row(1, 7), 2).unwrap(), (true, 2));
        let found = journal.quarantined("j", 1).unwrap();
        let seen: Vec<_> = found.iter().map(|row| (row.key.0[0].as_str(), row.attempts)).collect();
        assert_eq!(seen, [("2", 1), ("1", 2)], "the newest last");
        assert_eq!(found[0].values["a"], serde_json::Value::Null);
    }

    #[test]
    fn what_became_of_a_row_is_kept() {
        let folder = tempfile::TempDir::new().unwrap();
        let journal = Journal::create_or_open(&folder.path().join("journal.db")).unwrap();
        for id in 1..=4 {
            journal.quarantine("j", 1, &row(id, 0), 9).unwrap();
        }
        let key = |id: u32| Key(vec![id.to_string()]);
        journal.retry_quarantined("j", 1, &[(key(1), 5), (key(2), 6)]).unwrap();
        let settled =
            [(key(1), Settled::Written), (key(2), Settled::Waits), (key(4), Settled::NotPassed)];
        journal.settle_quarantine("j", 1, &settled).unwrap();
        let event = crate::event::Event::QuarantineCounted { waiting: 0 };
        let record = Record { at: Timestamp::now(), job: "j".into(), event };
        let keys = [key(1), key(3)];
        assert_eq!(journal.release_quarantined("j", 1, &keys, "me", "why", &record).unwrap(), 1);
        let found = journal.quarantined("j", 1).unwrap();
        let fates: Vec<_> = found.iter().map(|row| (row.state, row.retry_range)).collect();
        assert_eq!(fates, [(Fate::Written, None), (Fate::Waiting, None), (Fate::Released, None)]);
        assert_eq!(journal.count_quarantined("j", 1).unwrap(), 1);
        assert_eq!(journal.events("j", 9).unwrap().len(), 1);
    }
}
