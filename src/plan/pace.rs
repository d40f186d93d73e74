//! How fast a job goes.

use std::time::Duration;

use crate::keyspace::Aim;
use crate::spec::{JobSpec, Size};
use crate::target::{Manners, Patience, Target};

/// What a batch may add to the server's log by default: what a replica on an ordinary disk takes in
/// within a second, and less than half of what Group Replication allows a transaction by default.
const MAX_LOG: Size = Size(64 << 20);

/// How fast the job goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

impl Pace {
    /// What a batch may cost.
    #[must_use]
    pub const fn aim(&self) -> Aim {
        Aim { time: self.target_time, rows: self.max_rows, log_bytes: self.max_log.0 }
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
    }
}
