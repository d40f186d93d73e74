//! Changing the settings of a job while it runs.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Error, read_status};
use crate::journal::{Freshness, JobStatus, Journal, LoggedEvent, Tuned};
use crate::plan::tuning::Setting;

/// How often the answer is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It holds from the next batch on.
    Taken {
        /// The value before.
        old: String,
        /// The value now.
        new: String,
    },
    /// The runner cannot take it, for this reason.
    Refused(String),
    /// No runner has said anything of it.
    Waiting,
}

/// What became of all changes of one call.
#[derive(Debug)]
pub struct Tuning {
    /// Each setting, and what became of it.
    pub changes: Vec<(String, Change)>,
    /// Whether a runner has the job.
    pub runs: bool,
    /// The job as it is now.
    pub status: JobStatus,
}

/// Writes down how `job` is to go on, and waits for at most `patience` until its runner has taken
/// note. Without a runner the changes hold from the next run on.
///
/// # Errors
///
/// A setting that there is not, a value that it cannot have, or the journal cannot be used; nothing
/// is changed then.
pub fn tune(
    journal: &Journal,
    job: &str,
    changes: &[Tuned],
    patience: Duration,
) -> Result<Tuning, Error> {
    let mut status = read_status(journal, job)?;
    for Tuned { name, value, .. } in changes {
        let setting = Setting::find(name).map_err(Error::Tune)?;
        if let Some(value) = value {
            setting.check(value).map_err(Error::Tune)?;
        }
    }
    let (asked, started) = (Timestamp::now(), Instant::now());
    journal.tune(job, changes)?;
    loop {
        let runs = matches!(status.freshness(), Freshness::Alive(_));
        let found: Vec<_> = changes
            .iter()
            .map(|change| (change.name.clone(), answer(&status.events, asked, &change.name)))
            .collect();
        let waiting = found.iter().any(|(_, change)| *change == Change::Waiting);
        if !runs || !waiting || patience <= started.elapsed() {
            return Ok(Tuning { changes: found, runs, status });
        }
        std::thread::sleep(LOOK_EVERY);
        status = read_status(journal, job)?;
    }
}

/// Every setting that was changed, back to what the spec says.
///
/// # Errors
///
/// The journal cannot be read.
pub fn back_to_spec(
    journal: &Journal,
    job: &str,
    by: &str,
    reason: Option<&str>,
) -> Result<Vec<Tuned>, Error> {
    let tuned = journal.tuned(job)?.into_iter().filter(|tuned| tuned.value.is_some());
    let reset = |tuned: Tuned| Tuned {
        value: None,
        by: by.to_owned(),
        reason: reason.map(str::to_owned),
        ..tuned
    };
    Ok(tuned.map(reset).collect())
}

/// What the runner has said of a setting since it was asked.
fn answer(events: &[LoggedEvent], asked: Timestamp, name: &str) -> Change {
    let text = |event: &LoggedEvent, field: &str| {
        event.data[field].as_str().unwrap_or_default().to_owned()
    };
    let told = events.iter().rev().find(|event| {
        asked <= event.at
            && ["tuned", "tune_refused"].contains(&event.kind.as_str())
            && event.data["setting"] == name
    });
    match told {
        Some(event) if event.kind == "tuned" => {
            Change::Taken { old: text(event, "old"), new: text(event, "new") }
        }
        Some(event) => Change::Refused(text(event, "message")),
        None => Change::Waiting,
    }
}
