//! Finding and reading the journal.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::Error;
use crate::journal::{self, Freshness, JobStatus, Journal};

/// Events that a status shows.
const NEWEST_EVENTS: u32 = 20;

pub(super) fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."))
}

/// Opens the journal that `--state` names, else the one that is found.
///
/// # Errors
///
/// There is none, or it cannot be used.
pub fn open_journal(state: Option<&Path>) -> Result<Journal, Error> {
    if let Some(path) = state {
        if !path.is_file() {
            return Err(Error::NoJournal { looked_at: format!("`{}`", path.display()) });
        }
        return Ok(Journal::open(path)?);
    }
    let found = journal::find(&here());
    match found.path {
        Some(path) => Ok(Journal::open(&path)?),
        None => {
            let places: Vec<_> =
                found.looked_at.iter().map(|path| format!("`{}`", path.display())).collect();
            Err(Error::NoJournal { looked_at: places.join(", ") })
        }
    }
}

/// Opens the journal that `--state` names or that is found, and makes one if there is none.
///
/// # Errors
///
/// It cannot be made or used.
pub fn open_or_create_journal(state: Option<&Path>) -> Result<Journal, Error> {
    let path = match state {
        Some(path) => path.to_owned(),
        None => journal::find(&here()).path.unwrap_or_else(|| journal::default_path(&here())),
    };
    Ok(Journal::create_or_open(&path)?)
}

/// What the journal knows of a job.
///
/// # Errors
///
/// It does not know the job, or cannot be read.
pub fn read_status(journal: &Journal, job: &str) -> Result<JobStatus, Error> {
    let Some(row) = journal.job(job)? else {
        let names: Vec<_> = journal.jobs()?.iter().map(|job| format!("`{}`", job.name)).collect();
        let known = if names.is_empty() {
            "; it knows none yet".to_owned()
        } else {
            format!("; it knows {}", names.join(", "))
        };
        let journal = journal.path().display().to_string();
        return Err(Error::NoJob { journal, job: job.to_owned(), known });
    };
    let quarantined = journal.count_quarantined(job, row.generation)?;
    Ok(JobStatus {
        job: row,
        checkpoints: journal.checkpoints(job)?,
        events: journal.events(job, NEWEST_EVENTS)?,
        latch: journal.standing_latch(job)?,
        quarantined,
        tuned: journal.tuned(job)?,
        verification: journal.verification(job)?,
        report: journal.last_report(job)?,
        as_of: Timestamp::now(),
    })
}

/// What the journal knows of every job.
///
/// # Errors
///
/// It cannot be read.
pub fn read_all(journal: &Journal) -> Result<Vec<JobStatus>, Error> {
    journal.jobs()?.iter().map(|job| read_status(journal, &job.name)).collect()
}

/// The jobs that a runner has just now.
///
/// # Errors
///
/// The journal cannot be read.
pub fn running(journal: &Journal) -> Result<Vec<String>, Error> {
    let alive = |status: &JobStatus| matches!(status.freshness(), Freshness::Alive(_));
    let jobs = read_all(journal)?;
    Ok(jobs.into_iter().filter(alive).map(|status| status.job.name).collect())
}

/// Who runs a job, for other people: user, host and process.
#[must_use]
pub fn runner_name() -> String {
    format!("{} process {}", person(), std::process::id())
}

/// Who asks for something, for other people: user and host.
#[must_use]
pub fn person() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let user = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| {
        // Containers and cron set neither.
        std::fs::metadata("/proc/self").map_or("unknown".to_owned(), |m| format!("uid {}", m.uid()))
    });
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .or_else(|| std::env::var("HOSTNAME").ok());
    let host = host.as_deref().map_or("unknown", str::trim);
    format!("{user}@{host}")
}
