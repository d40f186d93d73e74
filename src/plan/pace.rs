//! How fast a job goes.

use std::time::Duration;

use super::Refusal;
use crate::keyspace::Aim;
use crate::spec::{JobSpec, Quarantine, Size};
use crate::target::{Manners, Patience, Target};
use crate::throttle::{Opening, Watches, most_rows};

/// What a batch may add to the server's log by default: what a replica on an ordinary disk takes in
/// within a second, and less than half of what Group Replication allows a transaction by default.
const MAX_LOG: Size = Size(64 << 20);

/// For how long a run waits for a server that is away, by default: a fail-over that people have to
/// decide takes minutes, and waiting harms nobody, for no transaction is open.
const MAX_OUTAGE: Duration = Duration::from_mins(10);

/// How fast the job goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// The duration that a batch should take.
    pub target_time: Duration,
    /// No batch has more rows.
    pub max_rows: u64,
    /// No batch should add more to the server's log.
    pub max_log: Size,
    /// Ranges that are walked in parallel.
    pub workers: u32,
    /// More than this the database does not bear.
    pub most_workers: u32,
    /// The pause after each batch.
    pub pause: Pause,
    /// How long a batch waits for others, and whether it locks its rows before it writes them.
    pub patience: Patience,
    /// Rows that all workers together go through in a second, at most.
    pub rows_per_second: Option<u64>,
    /// How many times as long as a batch took its worker sleeps after it.
    pub nice: f64,
    /// What signals have to be for the job to go on.
    pub watches: Watches,
    /// When the job works, if that is limited.
    pub window: Option<Opening>,
    /// How far one run goes.
    pub ends: Ends,
}

/// Where a run ends before its job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// It lasts no longer.
    pub max_runtime: Option<Duration>,
    /// It changes no more rows.
    pub max_rows: Option<u64>,
    /// With a server that is away for longer it has failed.
    pub max_outage: Duration,
    /// With more batches that had to be tried again it has failed.
    pub max_errors: Option<u64>,
    /// How many rows may be in quarantine.
    pub quarantine: Quarantine,
}

impl Default for Ends {
    fn default() -> Self {
        Self {
            max_runtime: None,
            max_rows: None,
            max_outage: MAX_OUTAGE,
            max_errors: None,
            quarantine: Quarantine::default(),
        }
    }
}

impl Pace {
    /// What a batch may cost.
    #[must_use]
    pub fn aim(&self) -> Aim {
        let slice = self.rows_per_second.map(|rate| most_rows(rate, self.workers));
        let rows = slice.map_or(self.max_rows, |slice| slice.min(self.max_rows));
        Aim { time: self.target_time, rows, log_bytes: self.max_log.0 }
    }
}

/// The pause of a worker after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pause {
    /// None.
    None,
    /// As long as the batch took.
    AsLong,
    /// A fixed time.
    Fixed(Duration),
}

impl Default for Pace {
    /// That of a spec that says nothing of it, on a server with many writers.
    fn default() -> Self {
        let (batch, manners) = (crate::spec::Batch::default(), Manners::default());
        Self {
            target_time: manners.target_time,
            max_rows: batch.max_rows,
            max_log: MAX_LOG,
            workers: batch.workers,
            most_workers: manners.max_workers,
            pause: Pause::None,
            patience: Patience::default(),
            rows_per_second: None,
            nice: 0.0,
            watches: Watches::new(),
            window: None,
            ends: Ends::default(),
        }
    }
}

/// The pace that the spec asks for and the database bears.
pub(super) fn set(spec: &JobSpec, target: &dyn Target, notes: &mut Vec<String>) -> Pace {
    let manners = target.manners();
    let workers = spec.batch.workers.min(manners.max_workers);
    if workers < spec.batch.workers {
        notes.push(format!(
            "this database has one writer at a time: {workers} worker instead of {}",
            spec.batch.workers
        ));
    }
    Pace {
        target_time: spec.batch.target_time.map_or(manners.target_time, |time| time.0),
        max_rows: spec.batch.max_rows,
        max_log: spec.batch.max_log.unwrap_or(MAX_LOG),
        workers,
        most_workers: manners.max_workers,
        pause: match spec.batch.pause {
            Some(time) if time.0.is_zero() => Pause::None,
            Some(time) => Pause::Fixed(time.0),
            None if manners.pause_as_long => Pause::AsLong,
            None => Pause::None,
        },
        patience: Patience::default(),
        rows_per_second: spec.throttle.rows_per_second,
        nice: spec.throttle.nice.unwrap_or(0.0),
        watches: Watches::new(),
        window: None,
        ends: Ends {
            max_runtime: spec.limits.max_runtime.map(|time| time.0),
            max_rows: spec.limits.max_rows,
            max_outage: spec.limits.max_outage.map_or(MAX_OUTAGE, |time| time.0),
            max_errors: spec.limits.max_errors,
            quarantine: spec.limits.quarantine,
        },
    }
}

/// The window of the spec, which only the database of time zones can understand.
pub(super) fn open(spec: &JobSpec, pace: &mut Pace, refusals: &mut Vec<Refusal>) {
    match spec.limits.window.as_ref().map(Opening::of).transpose() {
        Ok(window) => pace.window = window,
        Err(reason) => refusals.push(Refusal::new(
            format!("`[limits] window` is none: {reason}"),
            "nobody knows when the job may work",
            "",
        )),
    }
}
