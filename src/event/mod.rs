//! What happens to a job, as one stream of facts.
//!
//! Progress bar, metrics, log lines, `--progress json` and job state are folds of this stream
//! ([`View`] is the fold that most of them share), so they cannot disagree. This room is pure:
//! the emitter supplies the time.

mod handoff;
mod state;
mod view;

use jiff::Timestamp;
use serde::Serialize;

pub use handoff::{HandoffEvent, HandoffProgress, HandoffState};
pub use state::{IllegalTransition, JobState, Trigger, next};
pub use view::{RangeView, Remaining, View, WatchView, done_ratio, rows_left};

/// The scope of a kill that means every job.
pub const ALL_JOBS: &str = "*";

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
    /// The connection was lost.
    Connection,
    /// Too many sessions waited for the locks of the batch: the runner cancelled it itself.
    BlockedSessions,
}

impl RetryReason {
    /// Every reason, for displays and metrics that must show a zero for each.
    pub const ALL: [Self; 6] = [
        Self::Deadlock,
        Self::LockTimeout,
        Self::Serialization,
        Self::StatementTimeout,
        Self::Connection,
        Self::BlockedSessions,
    ];

    /// The name used in messages and as a metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deadlock => "deadlock",
            Self::LockTimeout => "lock_timeout",
            Self::Serialization => "serialization",
            Self::StatementTimeout => "statement_timeout",
            Self::Connection => "connection",
            Self::BlockedSessions => "blocked_sessions",
        }
    }
}

/// What happened. Keys appear as text for people; nothing branches on them.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "message_type", rename_all = "snake_case")]
pub enum Event {
    /// Something happened to a handoff, whose name stands in the place of the job's.
    Handoff(HandoffEvent),
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
    /// A range exists: sent for every range at the start of a phase, for one that a worker shares, and
    /// again for one that is less far than it was, because a server lost what was committed last.
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
        /// Rows that the server believes are left in it, where it was asked.
        rows_left: Option<u64>,
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
        /// How much of that it waited for locks that others held.
        lock_wait_seconds: f64,
        /// Bytes that were added to the server's log meanwhile, where the server tells.
        log_bytes: Option<u64>,
        /// The cursor after it, as text.
        cursor: String,
        /// Rows that the sizer will put into the next batch.
        next_rows: u64,
        /// Rows that the server believes are left in the range, where it was asked.
        rows_left: Option<u64>,
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
    /// A row cannot be written: it is in quarantine, and the cursor has passed it.
    RowQuarantined {
        /// The range.
        range: u32,
        /// The worker, from 0.
        worker: u32,
        /// Its key, as text.
        key: String,
        /// The server's code.
        code: Option<String>,
        /// The server's words.
        message: String,
    },
    /// How many rows wait in quarantine: at the start of a run, and whenever that has changed
    /// otherwise than by [`Event::RowQuarantined`].
    QuarantineCounted {
        /// Rows that wait.
        waiting: u64,
    },
    /// A person gave rows in quarantine up.
    QuarantineReleased {
        /// How many.
        rows: u64,
        /// A few of their keys, as text.
        keys: Vec<String>,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// A person or the operating system asked for something.
    Asked {
        /// `pause`, `resume`, `stop`, `cancel` or `kill`.
        action: String,
        /// `cli`, `signal`, `sql` or `server`.
        source: String,
        /// Who.
        by: String,
        /// Why, where it was said.
        reason: Option<String>,
    },
    /// The statement in flight was cancelled through another session.
    CancelSent {
        /// How: `cancel` ends the statement, `terminate` its session.
        how: String,
        /// From the request to the moment when the server had taken note of it.
        seconds: f64,
    },
    /// The fence refused a batch: its range belongs to another runner, or a halt stands.
    FencedOff {
        /// The range.
        range: u32,
    },
    /// A kill was made to stay.
    Latched {
        /// A job's name, or `*`.
        scope: String,
        /// Who.
        by: String,
        /// Why, where it was said.
        reason: Option<String>,
    },
    /// A kill was lifted.
    Released {
        /// A job's name, or `*`.
        scope: String,
        /// Who; an unknown, where the halt was deleted by hand.
        by: String,
        /// Why.
        reason: Option<String>,
    },
    /// A setting was changed while the job runs; it holds from the next batch on.
    Tuned {
        /// Its name.
        setting: String,
        /// The value before.
        old: String,
        /// The value from now on.
        new: String,
        /// Who changed it.
        by: String,
        /// Why, where it was said.
        reason: Option<String>,
    },
    /// A setting that somebody changed cannot have that value here.
    TuneRefused {
        /// Its name.
        setting: String,
        /// Why not.
        message: String,
        /// Who wanted it.
        by: String,
    },
    /// Every worker waits, because signals are over their limits. Sent again when other
    /// signals are the reason.
    Held {
        /// Each reason: the signal's name, and the reason in words.
        holds: Vec<HoldView>,
    },
    /// The workers go on.
    Freed {
        /// How long they waited.
        seconds: f64,
    },
    /// What the signals say now: every second or so.
    SignalsRead {
        /// Each signal that is watched.
        signals: Vec<SignalView>,
    },
    /// Every row is written, and the server begins to look after the table.
    MaintenanceBegun {
        /// `vacuum` or `analyze`.
        what: String,
    },
    /// It has done so.
    Maintained {
        /// `vacuum` or `analyze`.
        what: String,
        /// How long it took.
        seconds: f64,
    },
    /// The verification pass ended.
    Verified {
        /// Rows read.
        rows: u64,
        /// Rows that still match `where`, where that was checked.
        remaining: Option<u64>,
        /// Rows that violate `expect`, where that was checked.
        mismatched: Option<u64>,
        /// For how many rows `expect` was evaluated, where that was to be a sample.
        sampled: Option<u64>,
        /// The checksum over the key and the written columns, where one was taken.
        checksum: Option<String>,
    },
    /// A verified job is watched from now on.
    WatchBegan {
        /// Until when.
        until: Timestamp,
    },
    /// A verified job is watched, and this is how it stands: after every look.
    WatchRead {
        /// Since when every row that was looked at has been right; `None`: one is wrong.
        held_since: Option<Timestamp>,
        /// Until when it is watched.
        until: Timestamp,
        /// Rows that were looked at so far.
        rows: u64,
        /// Rows that were found wrong so far.
        violations: u64,
        /// How often the whole table was gone through.
        passes: u64,
    },
    /// A watched row is wrong, after a time in which none was.
    WatchBroken {
        /// Its key.
        key: String,
    },
    /// Every row that was wrong is right again.
    WatchMended {
        /// For how long one was wrong.
        seconds: f64,
    },
    /// The runner is leaving.
    Ended {
        /// The state in which it leaves the job.
        state: JobState,
        /// Why, in words.
        reason: Option<String>,
    },
}

/// A reason to wait.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HoldView {
    /// The signal.
    pub signal: String,
    /// Why, in words: `replica_lag 7.2s > 5s (replica db-2)`.
    pub reason: String,
}

/// A signal as it is now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignalView {
    /// The signal.
    pub signal: String,
    /// How much of its limit is used up: above 1 the job waits. `None` while it has no value.
    pub utilization: Option<f64>,
    /// The value, as people write it.
    pub value: Option<String>,
    /// When it was last read.
    pub read_at: Timestamp,
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
