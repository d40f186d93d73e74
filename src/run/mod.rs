//! The executor: takes a planned job, walks its ranges, and leaves it in a state that says what
//! happened.
//!
//! One loop ([`walk`]) serves every shape of job; a [`Shape`](shape::Shape) says what is done with
//! a window of rows. The transaction of a batch is `BEGIN`, the write, the fence as its own
//! statement, `COMMIT` ([`shape::update`]); the journal's checkpoint follows the commit.

mod brake;
mod bus;
mod claim;
mod error;
mod finish;
mod lifecycle;
mod read;
mod shape;
mod walk;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use bus::Bus;
pub use claim::{Options, Taken, take};
pub use error::{Error, SpecChange};
pub use finish::{Ended, Verdict};

use crate::control::{Level, Source, Stop, watch_commands};
use crate::event::{Event, JobState, Started, Trigger};
use crate::journal::Journal;
use crate::keyspace::{FIRST_ROWS, Range};
use crate::plan::Plan;
use crate::target::{Session, Target, fence::Fence};
use lifecycle::Lifecycle;

/// How often the runner shows in the journal that it lives, and that the control session answers.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);

/// How often a session that waits is used. Idle ones are closed by servers and firewalls after
/// minutes; half of one is short enough for all and rare enough to cost nothing.
const PING_EVERY: Duration = Duration::from_secs(30);

/// What a run works with. Shared by the tasks of its workers.
pub struct Run {
    /// The plan.
    pub plan: Plan,
    /// The target.
    pub target: Arc<dyn Target>,
    /// The journal.
    pub journal: Journal,
    /// What can stop it.
    pub stop: Stop,
    /// Where events go.
    pub bus: Bus,
    /// Which repetition of the job this is.
    pub generation: u32,
    /// The fence of the job.
    pub fence: Fence,
    /// The session that cancels statements and holds the job's lock. But for a ping every half
    /// minute its mutex is free, so that a kill waits for nothing else.
    control: tokio::sync::Mutex<Box<dyn Session>>,
    lifecycle: Lifecycle,
}

impl Run {
    /// Puts a run together. `control` holds the job's lock.
    #[must_use]
    pub fn new(
        plan: Plan,
        target: Arc<dyn Target>,
        journal: Journal,
        stop: Stop,
        bus: Bus,
        taken: &Taken,
        control: Box<dyn Session>,
    ) -> Self {
        let fence = Fence { table: plan.fence.table.clone(), job: plan.spec.job.name.clone() };
        let lifecycle = Lifecycle::new(taken.state, journal.clone(), bus.clone());
        Self {
            plan,
            target,
            journal,
            stop,
            bus,
            generation: taken.generation,
            fence,
            control: tokio::sync::Mutex::new(control),
            lifecycle,
        }
    }

    /// Runs the job to its end, or until it is stopped.
    ///
    /// # Errors
    ///
    /// Only that the journal could not be written at the very end; everything else is in
    /// [`Ended`].
    pub async fn execute(self, taken: Taken) -> Result<Ended, Error> {
        let run = Arc::new(self);
        run.announce(&taken);
        let result = run.work_watched(taken.ranges).await;
        let ended = run.finish(result);
        if let Ok(run) = Arc::try_unwrap(run) {
            run.control.into_inner().close().await;
        }
        ended
    }

    async fn work_watched(self: &Arc<Self>, ranges: Vec<Range>) -> Result<finish::Outcome, Error> {
        let mut work = Box::pin(self.work(ranges));
        let mut watchers = Box::pin(self.watch());
        tokio::select! {
            result = &mut work => result,
            error = &mut watchers => {
                // Whatever a watcher held is free again, so that a kill still works.
                drop(watchers);
                self.stop.ask(error::drain_because(&error));
                // The workers finish the batch in flight: a statement is never dropped.
                match work.await {
                    Err(worse @ Error::OutcomeUnknown { .. }) => Err(worse),
                    _ => Err(error),
                }
            }
        }
    }

    /// Everything that goes on beside the work. It ends only when a part of it fails.
    async fn watch(&self) -> Error {
        tokio::select! {
            Err(error) = watch_commands(&self.journal, &self.plan.spec.job.name, &self.stop) => {
                error.into()
            }
            Err(error) = self.keep_alive() => error,
            () = self.report_asks() => unreachable!("the token lives as long as the run"),
        }
    }

    fn announce(&self, taken: &Taken) {
        let plan = &self.plan;
        self.bus.emit(Event::Started(Started {
            run_id: taken.run_id.clone(),
            target: plan.target_name.clone(),
            engine: format!("{} {}", plan.server.product, plan.server.version),
            table: plan.table.to_string(),
            spec_hash: plan.spec_hash.clone(),
            generation: taken.generation,
            workers: plan.pace.workers,
            estimated_rows: plan.table.estimate.as_ref().map(|estimate| estimate.rows),
            target_seconds: plan.pace.target_time.as_secs_f64(),
            first_rows: FIRST_ROWS.min(plan.pace.max_rows),
            resumed: taken.resumed,
        }));
    }

    async fn work(self: &Arc<Self>, ranges: Vec<Range>) -> Result<finish::Outcome, Error> {
        let walked = ranges.iter().all(|range| range.done);
        if !walked {
            self.lifecycle.apply(Trigger::Started, None, None)?;
            let left = walk::walk(self, Arc::new(shape::update::Update), ranges).await?;
            if left {
                return Ok(finish::Outcome::Left);
            }
            self.lifecycle.apply(Trigger::Walked, None, None)?;
        } else if !self.lifecycle.state().is_walked() {
            // The fence knows more than the journal: every range is done.
            self.lifecycle.apply(Trigger::Started, None, None)?;
            self.lifecycle.apply(Trigger::Walked, None, None)?;
        }
        if self.plan.statements.verifies() {
            self.verify().await
        } else {
            Ok(finish::Outcome::Done(None))
        }
    }

    async fn verify(self: &Arc<Self>) -> Result<finish::Outcome, Error> {
        self.lifecycle.apply(Trigger::VerifyStarted, None, None)?;
        let ranges = self.split_whole_table().await?;
        let shape = Arc::new(shape::verify::Verify::default());
        let left = walk::walk(self, shape.clone(), ranges).await?;
        if left {
            return Ok(finish::Outcome::Left);
        }
        let verdict = shape.verdict(&self.plan.statements);
        self.bus.emit(Event::Verified {
            rows: verdict.rows,
            remaining: verdict.remaining,
            mismatched: verdict.mismatched,
        });
        let (trigger, reason) = if verdict.passed() {
            (Trigger::VerifyPassed, None)
        } else {
            (Trigger::VerifyFailed, Some(verdict.sentence()))
        };
        self.lifecycle.apply(trigger, None, reason)?;
        Ok(finish::Outcome::Done(Some(verdict)))
    }

    async fn split_whole_table(&self) -> Result<Vec<Range>, Error> {
        let mut session = self.target.open("planner").await?;
        let ranges =
            claim::split_table(&self.plan, self.target.dialect(), session.as_mut()).await?;
        session.close().await;
        Ok(ranges)
    }

    /// Writes down who asked for what. Ends with the run.
    async fn report_asks(&self) {
        let mut watcher = self.stop.watch();
        while watcher.changed().await.is_ok() {
            let ask = watcher.borrow_and_update().clone();
            if ask.source == Source::Runner {
                continue;
            }
            let record = self.bus.emit(Event::Asked {
                action: match ask.level {
                    Level::Go => "resume",
                    Level::Pause => "pause",
                    Level::Drain => "stop",
                    Level::Cancel => "cancel",
                    Level::Kill => "kill",
                }
                .to_owned(),
                source: ask.source.name().to_owned(),
                by: ask.by,
                reason: ask.reason,
            });
            // The state that follows is written with its own check; a journal that fails here
            // fails there too, and that stops the job.
            let _ = self.journal.log(&record);
        }
    }

    async fn keep_alive(&self) -> Result<(), Error> {
        let mut ticks = tokio::time::interval(HEARTBEAT_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut pinged = Instant::now();
        loop {
            ticks.tick().await;
            self.journal.heartbeat(&self.plan.spec.job.name)?;
            if PING_EVERY < pinged.elapsed() {
                pinged = Instant::now();
                let mut control = self.control.lock().await;
                control.ping().await.map_err(Error::Session)?;
            }
        }
    }

    fn state(&self) -> JobState {
        self.lifecycle.state()
    }
}
