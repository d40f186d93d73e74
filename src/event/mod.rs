//! What happens to a job, as one stream of facts.
//!
//! Progress bar, metrics, log lines, `--progress json` and job state are folds of this stream
//! ([`View`] is the fold that most of them share), so they cannot disagree. This room is pure:
//! the emitter supplies the time.

mod state;
mod view;

use jiff::Timestamp;
use serde::Serialize;

pub use state::{IllegalTransition, JobState, Trigger, next};
pub use view::{RangeView, Remaining, View, done_ratio};

/// One event with its time.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// When it happened, by the runner's clock.
    #[serde(rename = "time")]
    pub at: Timestamp,
    /// The job's name.
    #[serde(rename = "backfill")]
    pub job: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// Which walk of the key space a batch belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Batches that write.
    Write,
    /// The read-only pass at the end.
    Verify,
}

/// Why a batch was rolled back and is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RetryReason {
    /// The database chose our transaction as the victim of a deadlock.
    Deadlock,
    /// A lock was not granted in time.
    LockTimeout,
    /// The transaction could not be serialized.
    Serialization,
    /// The statement ran longer than the server allows.
    StatementTimeout,
}

impl RetryReason {
    /// Every reason, for displays and metrics that must show a zero for each.
    pub const ALL: [Self; 4] =
        [Self::Deadlock, Self::LockTimeout, Self::Serialization, Self::StatementTimeout];

    /// The name used in messages and as a metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deadlock => "deadlock",
            Self::LockTimeout => "lock_timeout",
            Self::Serialization => "serialization",
            Self::StatementTimeout => "statement_timeout",
        }
    }
}

/// What happened. Keys appear as text for people; nothing branches on them.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "message_type", rename_all = "snake_case")]
pub enum Event {
    /// A runner took the job.
    Started(Started),
    /// The job changed its state.
    StateChanged {
        /// The state before.
        from: JobState,
        /// The state now.
        to: JobState,
        /// Why, in words.
        reason: Option<String>,
        /// Who asked, where somebody did.
        by: Option<String>,
    },
    /// A range exists: sent for every range at the start of a phase.
    RangeOpened {
        /// The walk that it belongs to.
        phase: Phase,
        /// Its number.
        range: u32,
        /// Rows scanned in it by earlier runs.
        rows_scanned: u64,
        /// Rows changed in it by earlier runs.
        rows_changed: u64,
        /// Batches committed in it by earlier runs.
        batches: u64,
        /// The cursor as text, if it has moved.
        cursor: Option<String>,
        /// Whether it is walked to its end.
        done: bool,
    },
    /// A batch committed (or, in verification, was read) and its checkpoint is in the journal.
    BatchDone {
        /// The walk that it belongs to.
        phase: Phase,
        /// The range.
        range: u32,
        /// The worker, from 0.
        worker: u32,
        /// Rows in the key window.
        rows_scanned: u64,
        /// Rows whose value changed; in verification, rows found wrong.
        rows_changed: u64,
        /// First statement to end of COMMIT.
        seconds: f64,
        /// The cursor after it, as text.
        cursor: String,
        /// Rows that the sizer will put into the next batch.
        next_rows: u64,
        /// Whether the range is now walked to its end.
        range_done: bool,
    },
    /// A batch was rolled back and will be tried again.
    BatchRetried {
        /// The range.
        range: u32,
        /// The worker, from 0.
        worker: u32,
        /// Why.
        reason: RetryReason,
        /// The server's words.
        message: String,
        /// Which attempt failed, from 1.
        attempt: u32,
    },
    /// A person or the operating system asked for something.
    Asked {
        /// `pause`, `resume`, `stop`, `cancel` or `kill`.
        action: String,
        /// `cli`, `signal` or `server`.
        source: String,
        /// Who.
        by: String,
        /// Why, where it was said.
        reason: Option<String>,
    },
    /// The verification pass ended.
    Verified {
        /// Rows read.
        rows: u64,
        /// Rows that still match `where`, where that was checked.
        remaining: Option<u64>,
        /// Rows that violate `expect`, where that was checked.
        mismatched: Option<u64>,
    },
    /// The runner is leaving.
    Ended {
        /// The state in which it leaves the job.
        state: JobState,
        /// Why, in words.
        reason: Option<String>,
    },
}

/// The facts of a run at its start.
#[derive(Debug, Clone, Serialize)]
pub struct Started {
    /// Identifies this run of the runner.
    pub run_id: String,
    /// The target's name, for people and metrics.
    pub target: String,
    /// The database product.
    pub engine: String,
    /// The table.
    pub table: String,
    /// The hash of the spec.
    pub spec_hash: String,
    /// Which repetition of the job this is, from 1.
    pub generation: u32,
    /// Parallel workers.
    pub workers: u32,
    /// Rows in the table by the catalog's estimate, where it has one.
    pub estimated_rows: Option<u64>,
    /// The batch duration that the sizer aims at.
    pub target_seconds: f64,
    /// Rows in the first batch.
    pub first_rows: u64,
    /// Whether an earlier run left progress behind.
    pub resumed: bool,
}

/// Somebody who is told every event, in order, on the emitter's thread: must be quick.
pub trait Listener: Send + Sync {
    /// Takes note of one event.
    fn on(&self, record: &Record);
}
