//! What the journal knows of a job, and what follows from it.

use jiff::Timestamp;

use super::{Checkpoint, JobRow, LastReport, Latch, LoggedEvent, Tuned, Verification};
use crate::event::{JobState, done_ratio, rows_left};
use crate::keyspace::{Checked, Counts};

/// A heartbeat older than this means that the runner is gone or frozen: it beats once a second, and
/// a journal may be locked for up to five.
const ALIVE_WITHIN_SECONDS: f64 = 10.0;

/// Everything that the journal knows of a job.
#[derive(Debug, Clone)]
pub struct JobStatus {
    /// The job.
    pub job: JobRow,
    /// Its ranges.
    pub checkpoints: Vec<Checkpoint>,
    /// Its newest events, oldest first.
    pub events: Vec<LoggedEvent>,
    /// The kill that keeps it from running, if one stands.
    pub latch: Option<Latch>,
    /// Rows that cannot be written and wait in quarantine.
    pub quarantined: u64,
    /// How people want its settings.
    pub tuned: Vec<Tuned>,
    /// The verification that is under way, or was when its runner left.
    pub verification: Option<(Verification, Vec<Checked>)>,
    /// What the last one reported that came to its end.
    pub report: Option<LastReport>,
    /// When this was read.
    pub as_of: Timestamp,
}

/// Whether the runner is alive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Freshness {
    /// No runner has the job.
    NoRunner,
    /// It beat this many seconds ago.
    Alive(f64),
    /// It should be alive, but has been silent for this many seconds; `None` if it never beat.
    Silent(Option<f64>),
}

impl JobRow {
    /// The command that goes on with it.
    #[must_use]
    pub fn go_on(&self) -> String {
        match self.spec["restores"]["job"].as_str() {
            Some(undone) => format!("backstop undo {undone}"),
            None => format!("backstop run {}", self.spec_path),
        }
    }

    /// Whether a runner has the job and lives.
    #[must_use]
    pub fn is_alive(&self, now: Timestamp) -> bool {
        self.heartbeat_at
            .is_some_and(|at| now.duration_since(at).as_secs_f64() <= ALIVE_WITHIN_SECONDS)
    }
}

impl JobStatus {
    /// Whether the runner is alive. A runner that leaves takes its heartbeat with it, so the state
    /// alone does not tell: verification runs while the job is `completed`.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        let age = self.job.heartbeat_at.map(|at| self.as_of.duration_since(at).as_secs_f64());
        match age {
            Some(age) if age <= ALIVE_WITHIN_SECONDS => Freshness::Alive(age),
            Some(_) => Freshness::Silent(age),
            None if self.job.state.has_runner() => Freshness::Silent(None),
            None => Freshness::NoRunner,
        }
    }

    /// Whether the runner is at the read-only pass at the end.
    #[must_use]
    pub fn is_verifying(&self) -> bool {
        self.job.state.is_walked()
            && self.job.taken
            && matches!(self.freshness(), Freshness::Alive(_))
    }

    /// What the verification under way has counted so far.
    #[must_use]
    pub fn verified_so_far(&self) -> Option<Counts> {
        let (about, checks) = self.verification.as_ref()?;
        let all = checks.iter().map(|checked| checked.tally.counts);
        Some(all.fold(about.settled.counts, Counts::plus))
    }

    /// Whether the runner has not taken the job yet: it connects and plans.
    #[must_use]
    pub fn is_connecting(&self) -> bool {
        !self.job.taken && matches!(self.freshness(), Freshness::Alive(_))
    }

    /// Adds up over the ranges.
    #[must_use]
    pub fn sum(&self, f: impl Fn(&Checkpoint) -> u64) -> u64 {
        self.checkpoints.iter().map(f).sum()
    }

    /// Rows scanned.
    #[must_use]
    pub fn scanned(&self) -> u64 {
        self.sum(|point| point.range.rows_scanned)
    }

    /// The fraction that is done, below 1 until every range is walked; `None` while unknown.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let points = &self.checkpoints;
        let done = !points.is_empty() && points.iter().all(|point| point.range.done);
        let left = points.iter().filter(|point| !point.range.done).map(|point| point.rows_left);
        done_ratio(self.scanned(), rows_left(left, self.scanned(), self.job.estimated_rows), done)
    }

    /// What to do next, as a command.
    #[must_use]
    pub fn next_step(&self) -> Option<String> {
        let run = self.job.go_on();
        if let Some(latch) = &self.latch {
            return Some(format!(
                "when it may go on: backstop release {} --reason TEXT, then {run}",
                latch.selector()
            ));
        }
        match (self.job.state, self.freshness()) {
            (_, Freshness::Silent(_)) => Some(format!("to go on: {run}")),
            (JobState::Paused, _) => Some(format!("to go on: backstop resume {}", self.job.name)),
            (JobState::Stopped | JobState::Killed | JobState::Failed, _) => {
                Some(format!("to go on: {run}"))
            }
            (JobState::Incomplete, _) if 0 < self.quarantined => Some(format!(
                "once they or the spec are mended: backstop quarantine retry {}",
                self.job.spec_path
            )),
            (JobState::Incomplete, _) => Some(format!("what can be done says: {run}")),
            (JobState::Completed, _) if self.job.reason.is_some() => {
                Some(format!("to verify: {run}"))
            }
            (JobState::Unverified, _) => Some(format!(
                "after mending the cause: {run}, which writes what is left and verifies"
            )),
            _ => None,
        }
    }
}
