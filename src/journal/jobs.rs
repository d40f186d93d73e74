//! Jobs, their checkpoints and their events.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Error, Journal, Result, now};
use crate::event::{JobState, Record};
use crate::keyspace::{Key, Range};

/// A job as the journal knows it.
#[derive(Debug, Clone)]
pub struct JobRow {
    /// Its name.
    pub name: String,
    /// The target's name.
    pub target: String,
    /// Where the target is, without credentials.
    pub address: String,
    /// The table.
    pub table: String,
    /// The names of the key's columns.
    pub key_columns: Vec<String>,
    /// The spec's file, for the command that goes on.
    pub spec_path: String,
    /// The hash of the spec.
    pub spec_hash: String,
    /// The canonical form of the spec.
    pub spec: serde_json::Value,
    /// Which repetition of the job this is, from 1.
    pub generation: u32,
    /// The identity of the table that its cursors belong to; empty while no run has begun.
    pub table_identity: String,
    /// The state.
    pub state: JobState,
    /// Why the state is what it is.
    pub reason: Option<String>,
    /// Rows in the table by the catalog's estimate.
    pub estimated_rows: Option<u64>,
    /// Who runs it, or ran it last.
    pub runner: Option<String>,
    /// Whether the runner has taken the job; before that it connects and plans.
    pub taken: bool,
    /// When the runner last showed that it lives.
    pub heartbeat_at: Option<Timestamp>,
    /// When this generation began.
    pub started_at: Timestamp,
}

/// A range with the time of its last checkpoint.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The range.
    pub range: Range,
    /// Rows that the server believes are left in it, where it was asked.
    pub rows_left: Option<u64>,
    /// When it was last written.
    pub updated_at: Timestamp,
}

/// What a runner finds when it announces itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Newcomer {
    /// Nobody else has the job: commands are for this runner from here on.
    Alone,
    /// A runner has it and lives.
    Beside(String),
}

/// An event as it was logged.
#[derive(Debug, Clone)]
pub struct LoggedEvent {
    /// When it happened.
    pub at: Timestamp,
    /// Its kind.
    pub kind: String,
    /// Its data.
    pub data: serde_json::Value,
}

/// What SQLite holds; turned into [`JobRow`] outside of its callback, where errors can be ours.
struct Raw {
    texts: [String; 11],
    reason: Option<String>,
    estimated_rows: Option<i64>,
    runner: Option<String>,
    heartbeat_at: Option<String>,
    generation: u32,
    table_identity: Option<String>,
    taken_at: Option<String>,
}

const JOB_COLUMNS: &str = "name, target, address, table_name, key_columns, spec_path, spec_hash, \
     spec, state, started_at, updated_at, reason, estimated_rows, runner, heartbeat_at, generation, \
     table_identity, taken_at";

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    let mut texts: [String; 11] = Default::default();
    for (i, text) in texts.iter_mut().enumerate() {
        *text = row.get(i)?;
    }
    Ok(Raw {
        texts,
        reason: row.get(11)?,
        estimated_rows: row.get(12)?,
        runner: row.get(13)?,
        heartbeat_at: row.get(14)?,
        generation: row.get(15)?,
        table_identity: row.get(16)?,
        taken_at: row.get(17)?,
    })
}

impl Journal {
    pub(super) fn unreadable(&self, what: &'static str, value: &str) -> Error {
        Error::Unreadable { path: self.path.clone(), what, value: value.to_owned() }
    }

    pub(super) fn time(&self, text: &str) -> Result<Timestamp> {
        text.parse().map_err(|_| self.unreadable("time", text))
    }

    pub(super) fn key(&self, text: &str) -> Result<Key> {
        Key::from_json(text).map_err(|_| self.unreadable("key", text))
    }

    fn job_row(&self, raw: Raw) -> Result<JobRow> {
        let [
            name,
            target,
            address,
            table,
            key_columns,
            spec_path,
            spec_hash,
            spec,
            state,
            started,
            _,
        ] = raw.texts;
        Ok(JobRow {
            name,
            target,
            address,
            table,
            key_columns: serde_json::from_str(&key_columns)
                .map_err(|_| self.unreadable("list of key columns", &key_columns))?,
            spec_path,
            spec_hash,
            spec: serde_json::from_str(&spec).map_err(|_| self.unreadable("spec", &spec))?,
            generation: raw.generation,
            table_identity: raw.table_identity.unwrap_or_default(),
            state: JobState::from_name(&state).ok_or_else(|| self.unreadable("state", &state))?,
            reason: raw.reason,
            estimated_rows: raw.estimated_rows.and_then(|rows| u64::try_from(rows).ok()),
            runner: raw.runner,
            taken: raw.taken_at.is_some(),
            heartbeat_at: raw.heartbeat_at.map(|text| self.time(&text)).transpose()?,
            started_at: self.time(&started)?,
        })
    }

    /// The job of that name.
    ///
    /// # Errors
    ///
    /// The journal cannot be read, or holds something that this version does not know.
    pub fn job(&self, name: &str) -> Result<Option<JobRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!("SELECT {JOB_COLUMNS} FROM job WHERE name = ?"))?
                .query_row([name], raw)
                .optional()
        })?
        .map(|raw| self.job_row(raw))
        .transpose()
    }

    /// The job of that name, if a run of it has begun.
    ///
    /// # Errors
    ///
    /// As [`Journal::job`].
    pub fn begun(&self, name: &str) -> Result<Option<JobRow>> {
        Ok(self.job(name)?.filter(|row| !row.spec_hash.is_empty()))
    }

    /// Every job, by name.
    ///
    /// # Errors
    ///
    /// As [`Journal::job`].
    pub fn jobs(&self) -> Result<Vec<JobRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!("SELECT {JOB_COLUMNS} FROM job ORDER BY name"))?
                .query_map([], raw)?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?
        .into_iter()
        .map(|raw| self.job_row(raw))
        .collect()
    }

    /// Shows that a runner is about to take the job, so that it can be seen and stopped from its
    /// first moment on; commands that were meant for an earlier run are marked as seen. A runner
    /// that has the job and lives is left alone.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn announce(&self, job: &str, table: &str, spec_path: &str) -> Result<Newcomer> {
        let known = self.job(job)?.filter(|row| row.is_alive(Timestamp::now()));
        if let Some(runner) = known.and_then(|row| row.runner)
            && Some(runner.as_str()) != self.runner.as_deref()
        {
            return Ok(Newcomer::Beside(runner));
        }
        self.write(|tx| {
            tx.execute(
                "INSERT INTO job (name, target, address, table_name, key_columns, spec_path, \
                 spec_hash, spec, state, started_at, updated_at, runner, heartbeat_at, generation) \
                 VALUES (?1, '', '', ?2, '[]', ?3, '', 'null', 'queued', ?4, ?4, ?5, ?4, 0) \
                 ON CONFLICT (name) DO UPDATE SET runner = ?5, heartbeat_at = ?4, \
                 taken_at = NULL",
                params![job, table, spec_path, now(), self.runner.as_deref()],
            )
        })?;
        self.forget_commands(job)?;
        Ok(Newcomer::Alone)
    }

    /// Takes an announcement back: the job did not begin.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn withdraw(&self, job: &str) -> Result<()> {
        self.end_run(job)?;
        self.write_own(job, |tx| {
            tx.execute("DELETE FROM job WHERE name = ? AND spec_hash = ''", [job]).map(drop)
        })
    }

    /// Marks the commands that nobody has seen as seen: they were meant for an earlier run.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn forget_commands(&self, job: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE command SET seen_at = ? WHERE job = ? AND seen_at IS NULL",
                params![now(), job],
            )
            .map(drop)
        })
    }

    /// Writes what a run begins with: the job and all its ranges, as the fence has them. From now
    /// on the job is this runner's. What another one, whose job it was, has not seen was not meant
    /// for this one.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn begin_run(&self, job: &JobRow, ranges: &[Range]) -> Result<()> {
        let key_columns = serde_json::Value::from(job.key_columns.clone()).to_string();
        let estimated = job.estimated_rows.and_then(|rows| i64::try_from(rows).ok());
        self.write(|tx| {
            tx.execute(
                "UPDATE command SET seen_at = ?1 WHERE job = ?2 AND seen_at IS NULL \
                 AND EXISTS (SELECT 1 FROM job WHERE name = ?2 AND runner <> ?3)",
                params![now(), job.name, job.runner],
            )?;
            tx.execute(
                "INSERT INTO job (name, target, address, table_name, key_columns, spec_path, \
                 spec_hash, spec, state, started_at, updated_at, reason, estimated_rows, runner, \
                 heartbeat_at, generation, table_identity, taken_at) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, NULL, ?12, ?13, ?11, ?14, \
                 ?15, ?11) \
                 ON CONFLICT (name) DO UPDATE SET target = ?2, address = ?3, table_name = ?4, \
                 key_columns = ?5, spec_path = ?6, spec_hash = ?7, spec = ?8, state = ?9, \
                 started_at = ?10, updated_at = ?11, reason = NULL, estimated_rows = ?12, \
                 runner = ?13, heartbeat_at = ?11, generation = ?14, table_identity = ?15, \
                 taken_at = ?11",
                params![
                    job.name,
                    job.target,
                    job.address,
                    job.table,
                    key_columns,
                    job.spec_path,
                    job.spec_hash,
                    job.spec.to_string(),
                    job.state.name(),
                    job.started_at.to_string(),
                    now(),
                    estimated,
                    job.runner,
                    job.generation,
                    job.table_identity,
                ],
            )?;
            tx.execute(
                "DELETE FROM checkpoint WHERE job = ? AND generation = ?",
                params![job.name, job.generation],
            )?;
            for range in ranges {
                write_checkpoint(tx, &job.name, job.generation, range, None)?;
            }
            Ok(())
        })
    }

    /// Writes the ranges of the present generation anew, as the fence has them.
    ///
    /// # Errors
    ///
    /// The journal cannot be written; the runner must then stop.
    pub fn restate(&self, job: &str, generation: u32, ranges: &[Range]) -> Result<()> {
        self.write_own(job, |tx| {
            tx.execute(
                "DELETE FROM checkpoint WHERE job = ? AND generation = ?",
                params![job, generation],
            )?;
            ranges.iter().try_for_each(|range| write_checkpoint(tx, job, generation, range, None))
        })
    }

    /// Writes how far a range is, and how many rows the server believes are left in it.
    ///
    /// # Errors
    ///
    /// The journal cannot be written; the runner must then stop.
    pub fn checkpoint(
        &self,
        job: &str,
        generation: u32,
        range: &Range,
        rows_left: Option<u64>,
    ) -> Result<()> {
        self.write_own(job, |tx| write_checkpoint(tx, job, generation, range, rows_left))
    }

    /// Writes down that a range was shared: what is kept of it, and what was given away. About
    /// `left` rows are left in each.
    ///
    /// # Errors
    ///
    /// The journal cannot be written; the runner must then stop.
    pub fn share(
        &self,
        job: &str,
        generation: u32,
        [kept, given]: [&Range; 2],
        left: Option<u64>,
    ) -> Result<()> {
        self.write_own(job, |tx| {
            write_checkpoint(tx, job, generation, kept, left)?;
            write_checkpoint(tx, job, generation, given, left)
        })
    }

    /// Writes ranges that came to be, or changed, together.
    ///
    /// # Errors
    ///
    /// The journal cannot be written; the runner must then stop.
    pub fn extend(&self, job: &str, generation: u32, ranges: &[Range]) -> Result<()> {
        self.write_own(job, |tx| {
            ranges.iter().try_for_each(|range| write_checkpoint(tx, job, generation, range, None))
        })
    }

    /// The checkpoints of a job's present generation.
    ///
    /// # Errors
    ///
    /// As [`Journal::job`].
    pub fn checkpoints(&self, job: &str) -> Result<Vec<Checkpoint>> {
        let rows = self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT range_id, epoch, batches, rows_scanned, rows_changed, done, lo, hi, \
                     cursor_at, checkpoint.updated_at, rows_left, rows_quarantined FROM checkpoint \
                     JOIN job ON job.name = checkpoint.job \
                     AND job.generation = checkpoint.generation \
                     WHERE job.name = ? ORDER BY range_id",
                )?
                .query_map([job], |row| {
                    let numbers: [i64; 6] = [
                        row.get(0)?,
                        row.get(1)?,
                        row.get(2)?,
                        row.get(3)?,
                        row.get(4)?,
                        row.get(5)?,
                    ];
                    let lo: Option<String> = row.get(6)?;
                    let hi: String = row.get(7)?;
                    let cursor: Option<String> = row.get(8)?;
                    let updated: String = row.get(9)?;
                    let left: Option<i64> = row.get(10)?;
                    let quarantined: i64 = row.get(11)?;
                    Ok((numbers, lo, hi, cursor, updated, (left, quarantined)))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter()
            .map(|(numbers, lo, hi, cursor, updated, (left, quarantined))| {
                let [id, epoch, batches, scanned, changed, done] = numbers;
                let count = |n: i64| u64::try_from(n).unwrap_or_default();
                Ok(Checkpoint {
                    range: Range {
                        id: u32::try_from(id).unwrap_or_default(),
                        lo: lo.map(|text| self.key(&text)).transpose()?,
                        hi: self.key(&hi)?,
                        cursor: cursor.map(|text| self.key(&text)).transpose()?,
                        epoch: count(epoch),
                        batches: count(batches),
                        rows_scanned: count(scanned),
                        rows_changed: count(changed),
                        rows_quarantined: count(quarantined),
                        done: done != 0,
                    },
                    rows_left: left.map(count),
                    updated_at: self.time(&updated)?,
                })
            })
            .collect()
    }

    /// Writes a job's new state and the event that says so, together.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn set_state(&self, state: JobState, reason: Option<&str>, record: &Record) -> Result<()> {
        self.write_own(&record.job, |tx| {
            tx.execute(
                "UPDATE job SET state = ?1, reason = ?2, updated_at = ?3, \
                 heartbeat_at = CASE WHEN ?4 THEN ?3 ELSE heartbeat_at END WHERE name = ?5",
                params![state.name(), reason, now(), self.runner.is_some(), record.job],
            )?;
            write_event(tx, record)
        })
    }

    /// Appends an event.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn log(&self, record: &Record) -> Result<()> {
        self.write_own(&record.job, |tx| write_event(tx, record))
    }

    /// The newest events of a job, oldest first.
    ///
    /// # Errors
    ///
    /// As [`Journal::job`].
    pub fn events(&self, job: &str, newest: u32) -> Result<Vec<LoggedEvent>> {
        let rows = self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT at, kind, data FROM (SELECT id, at, kind, data FROM event \
                     WHERE job = ? ORDER BY id DESC LIMIT ?) ORDER BY id",
                )?
                .query_map(params![job, newest], |row| {
                    Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?))
                })?
                .collect::<rusqlite::Result<Vec<_>>>()
        })?;
        rows.into_iter()
            .map(|(at, kind, data)| {
                Ok(LoggedEvent {
                    at: self.time(&at)?,
                    kind,
                    data: serde_json::from_str(&data)
                        .map_err(|_| self.unreadable("event", &data))?,
                })
            })
            .collect()
    }

    /// Takes the heartbeat away: the runner leaves.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn end_run(&self, job: &str) -> Result<()> {
        self.write_own(job, |tx| {
            tx.execute("UPDATE job SET heartbeat_at = NULL WHERE name = ?", [job]).map(drop)
        })
    }

    /// Shows that the runner lives.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn heartbeat(&self, job: &str) -> Result<()> {
        self.write_own(job, |tx| {
            tx.execute("UPDATE job SET heartbeat_at = ? WHERE name = ?", params![now(), job])
                .map(drop)
        })
    }
}

fn write_checkpoint(
    connection: &Connection,
    job: &str,
    generation: u32,
    range: &Range,
    rows_left: Option<u64>,
) -> rusqlite::Result<()> {
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO checkpoint (job, generation, range_id, lo, hi, cursor_at, \
             epoch, batches, rows_scanned, rows_changed, rows_quarantined, done, updated_at, \
             rows_left) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            job,
            generation,
            range.id,
            range.lo.as_ref().map(Key::to_json),
            range.hi.to_json(),
            range.cursor.as_ref().map(Key::to_json),
            count(range.epoch),
            count(range.batches),
            count(range.rows_scanned),
            count(range.rows_changed),
            count(range.rows_quarantined),
            range.done,
            now(),
            rows_left.map(count),
        ])
        .map(drop)
}

pub(super) fn write_event(connection: &Connection, record: &Record) -> rusqlite::Result<()> {
    let mut data = serde_json::to_value(&record.event).unwrap_or_default();
    let kind = data
        .as_object_mut()
        .and_then(|object| object.remove("message_type"))
        .and_then(|kind| kind.as_str().map(str::to_owned))
        .unwrap_or_default();
    connection
        .execute(
            "INSERT INTO event (at, job, kind, data) VALUES (?, ?, ?, ?)",
            params![record.at.to_string(), record.job, kind, data.to_string()],
        )
        .map(drop)
}
