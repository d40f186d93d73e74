//! Running a job in the foreground.

use std::sync::Arc;

use super::{Error, Prepared};
use crate::control::Stop;
use crate::event::Listener;
use crate::journal::Journal;
use crate::run::{self, Bus, Ended, Options, Run, Taken};

/// A job that was taken and waits to be executed.
pub struct Start {
    run: Run,
    taken: Taken,
}

/// Takes the job. Nothing of the user's data is written yet.
///
/// # Errors
///
/// [`Error::Begin`]: another runner has it, the spec has changed, ….
pub async fn start(
    prepared: Prepared,
    journal: Journal,
    stop: Stop,
    listeners: Vec<Arc<dyn Listener>>,
    options: &Options,
) -> Result<Start, Error> {
    let Prepared { plan, target, mut control } = prepared;
    let taken = run::take(&plan, &*target, control.as_mut(), &journal, options)
        .await
        .map_err(Error::Begin)?;
    let bus = Bus::new(&plan.spec.job.name, listeners);
    let run = Run::new(plan, target, journal, stop, bus, &taken, control);
    Ok(Start { run, taken })
}

impl Start {
    /// Whether every range was walked before.
    #[must_use]
    pub const fn was_finished(&self) -> bool {
        self.taken.finished
    }

    /// What changed in the spec since the job began, where that was accepted.
    #[must_use]
    pub const fn accepted(&self) -> Option<&run::SpecChange> {
        self.taken.accepted.as_ref()
    }

    /// Rows scanned and rows changed by earlier runs.
    #[must_use]
    pub fn done_before(&self) -> (u64, u64) {
        let ranges = &self.taken.ranges;
        let scanned = ranges.iter().map(|range| range.rows_scanned).sum();
        (scanned, ranges.iter().map(|range| range.rows_changed).sum())
    }

    /// Whether an earlier run left progress.
    #[must_use]
    pub const fn is_resumed(&self) -> bool {
        self.taken.resumed
    }

    /// Runs the job to its end, or until it is stopped.
    ///
    /// # Errors
    ///
    /// The last state could not be written down.
    pub async fn execute(self) -> Result<Ended, Error> {
        self.run.execute(self.taken).await.map_err(Error::Run)
    }
}
