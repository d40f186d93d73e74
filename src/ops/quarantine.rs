//! Rows that cannot be written: which there are, and giving them up.

use super::kill::{record, set_state};
use super::{Error, read_status};
use crate::event::{Event, Trigger};
use crate::journal::{Fate, JobRow, Journal, Quarantined};
use crate::keyspace::Key;

/// Keys that the event of a release names.
const EXAMPLES: usize = 5;

/// The rows of a job that are or were in quarantine.
#[derive(Debug)]
pub struct Quarantine {
    /// The job.
    pub job: JobRow,
    /// The rows of its present generation, the newest last.
    pub rows: Vec<Quarantined>,
}

impl Quarantine {
    /// The keys of the rows that wait: all of them, or those that a person named as they are shown
    /// (`id=5`), or by their values alone (`5`; `7, 42`).
    ///
    /// # Errors
    ///
    /// No row waits, or none of that name.
    pub fn choose(&self, named: &[String]) -> Result<Vec<Key>, Error> {
        let waiting = || self.rows.iter().filter(|row| row.state == Fate::Waiting);
        if waiting().next().is_none() {
            return Err(Error::NothingInQuarantine { job: self.job.name.clone() });
        }
        if named.is_empty() {
            return Ok(waiting().map(|row| row.key.clone()).collect());
        }
        let find = |name: &String| {
            let is_meant = |row: &&Quarantined| {
                let bare = |text: &str| text.replace(", ", ",");
                let shown = row.key.display(&self.job.key_columns);
                [shown, row.key.to_string(), row.key.to_json()]
                    .iter()
                    .any(|text| bare(text) == bare(name.trim()))
            };
            let found = waiting().find(is_meant).map(|row| row.key.clone());
            found.ok_or_else(|| Error::NotInQuarantine {
                job: self.job.name.clone(),
                key: name.clone(),
            })
        };
        named.iter().map(find).collect()
    }
}

/// Reads them.
///
/// # Errors
///
/// The journal does not know the job, or cannot be read.
pub fn read_quarantine(journal: &Journal, job: &str) -> Result<Quarantine, Error> {
    let job = read_status(journal, job)?.job;
    let rows = journal.quarantined(&job.name, job.generation)?;
    Ok(Quarantine { job, rows })
}

/// What a release came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// Rows that were given up.
    pub rows: usize,
    /// Rows that still wait.
    pub waiting: u64,
    /// Whether the job is completed by that, and can be verified.
    pub completed: bool,
}

/// Gives rows up that wait: those of these names, or all. Once none is left, a job that was incomplete
/// is completed. Needs no target, and writes nothing there.
///
/// # Errors
///
/// The journal does not know the job, no such row waits, or one is about to be tried again.
pub fn release_rows(
    journal: &Journal,
    job: &str,
    named: &[String],
    by: &str,
    reason: &str,
) -> Result<GivenUp, Error> {
    let quarantine = read_quarantine(journal, job)?;
    let JobRow { name, generation, key_columns, spec_path, .. } = &quarantine.job;
    let keys = quarantine.choose(named)?;
    let tried = |row: &&Quarantined| row.retry_range.is_some() && keys.contains(&row.key);
    if let Some(row) = quarantine.rows.iter().find(tried) {
        let (job, key) = (name.clone(), row.key.display(key_columns));
        return Err(Error::InRetry { job, key, spec_path: spec_path.clone() });
    }
    let examples = keys.iter().take(EXAMPLES).map(|key| key.display(key_columns)).collect();
    let event = Event::QuarantineReleased {
        rows: keys.len() as u64,
        keys: examples,
        by: by.to_owned(),
        reason: reason.to_owned(),
    };
    let record = record(name, event);
    let rows = journal.release_quarantined(name, *generation, &keys, by, reason, &record)?;
    let waiting = journal.count_quarantined(name, *generation)?;
    // Rows whose keys are in another journal are given up by nobody who knows them.
    let passed: u64 =
        journal.checkpoints(name)?.iter().map(|point| point.range.rows_quarantined).sum();
    let known = journal.quarantined(name, *generation)?;
    let released = known.iter().filter(|row| row.state == Fate::Released).count() as u64;
    if waiting == 0 && passed <= released {
        set_state(journal, name, Trigger::QuarantineReleased, by, Some(reason))?;
    }
    let state = journal.job(name)?.map(|row| row.state);
    let completed = state == Some(crate::event::JobState::Completed);
    Ok(GivenUp { rows, waiting, completed })
}
