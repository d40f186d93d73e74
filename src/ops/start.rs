//! Running a job in the foreground.

use std::sync::Arc;

use super::kill::set_state;
use super::{Error, Prepared};
use crate::control::{Level, Stop, watch_commands};
use crate::event::{Listener, Trigger};
use crate::journal::{Journal, Newcomer};
use crate::run::{self, Bus, Ended, Options, Run, Taken};
use crate::spec::JobSpec;

/// A job that was taken and waits to be executed.
pub struct Start {
    run: Run,
    taken: Taken,
}

/// What the journal knows of a runner that is about to begin.
pub struct Announced {
    journal: Journal,
    /// Whether commands are for this runner: no other one has the job.
    alone: bool,
}

/// Shows in the journal that this runner is about to take the job, so that it can be stopped from
/// now on, also while it connects.
///
/// # Errors
///
/// [`Error::Begin`]: the journal holds a kill that only it knows of. Or it cannot be written.
pub fn announce(spec: &JobSpec, journal: &Journal, options: &Options) -> Result<Announced, Error> {
    let job = &spec.job.name;
    run::refuse_latched(journal, job).map_err(Error::Begin)?;
    let journal = journal.held_by(&options.runner);
    let alone = journal.announce(job, &spec.update.table, &options.spec_path)? == Newcomer::Alone;
    Ok(Announced { journal, alone })
}

impl Announced {
    /// Hears commands while `work` goes on that comes before the first batch. `None`: somebody
    /// asked to leave; then nothing was written, and the journal says so.
    ///
    /// # Errors
    ///
    /// What `work` says, or that the journal cannot be used.
    pub async fn unless_stopped<T>(
        &self,
        job: &str,
        stop: &Stop,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<Option<T>, Error> {
        let attend = async {
            if !self.alone {
                return std::future::pending().await;
            }
            tokio::try_join!(
                watch_commands(&self.journal, job, stop),
                run::beat(&self.journal, job)
            )
        };
        // A statement that is dropped here belongs to a process that ends, and its transaction
        // with it.
        let done = tokio::select! {
            done = work => done,
            Err(error) = attend => Err(error.into()),
            () = stop.reached(Level::Drain) => {
                self.leave(job, stop)?;
                return Ok(None);
            }
        };
        if done.is_err() && self.alone {
            // The error on its way says more than a journal that fails now.
            let _ = self.journal.withdraw(job);
        }
        done.map(Some)
    }

    fn leave(&self, job: &str, stop: &Stop) -> Result<(), Error> {
        if !self.alone {
            return Ok(());
        }
        let ask = stop.present();
        if ask.level == Level::Kill {
            run::remember_kill(&self.journal, job, &ask).map_err(Error::Begin)?;
            set_state(&self.journal, job, Trigger::KillAsked, &ask.by, ask.reason.as_deref())?;
        }
        Ok(self.journal.end_run(job)?)
    }
}

/// Takes the job. Nothing of the user's data is written yet.
///
/// # Errors
///
/// [`Error::Begin`]: another runner has it, the spec has changed, ….
pub async fn start(
    prepared: Prepared,
    announced: &Announced,
    stop: Stop,
    listeners: Vec<Arc<dyn Listener>>,
    options: &Options,
) -> Result<Start, Error> {
    let Prepared { plan, target, mut control } = prepared;
    let journal = announced.journal.clone();
    if plan.fence.is_none() && options.course == run::Course::Work {
        super::prove::refuse_refuted(&plan, &*target).await?;
    }
    let taken = run::take(&plan, &*target, control.as_mut(), &journal, options)
        .await
        .map_err(Error::Begin)?;
    if !announced.alone {
        // They were for the runner that had the job until now.
        journal.forget_commands(&plan.spec.job.name)?;
    }
    let bus = Bus::new(&plan.spec.job.name, listeners);
    let run = Run::new(plan, target, journal, stop, bus, &taken, control);
    Ok(Start { run, taken })
}

impl Start {
    /// Whether every range was walked before, and there is nothing to try again.
    #[must_use]
    pub const fn was_finished(&self) -> bool {
        self.taken.finished && self.taken.retries.is_empty()
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
        Box::pin(self.run.execute(self.taken)).await.map_err(Error::Run)
    }
}
