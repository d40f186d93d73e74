//! The executor: takes a planned job, walks its ranges, and leaves it in a state that says what
//! happened.
//!
//! One loop ([`walk`]) serves every shape of job; a [`Shape`](shape::Shape) says what is done with
//! a window of rows. The transaction of a batch is `BEGIN`, the write, the fence as its own
//! statement, `COMMIT` ([`shape::update`]); the journal's checkpoint follows the commit.

mod absence;
mod after;
mod backoff;
mod bisect;
mod brake;
mod bus;
mod changes;
mod claim;
mod course;
mod crew;
mod durable;
mod error;
mod extend;
mod finish;
mod gate;
mod ground;
mod hunt;
mod latch;
mod ledger;
mod lifecycle;
pub mod protocol;
mod quarantine;
mod read;
mod regain;
mod released;
mod report;
mod retry;
mod sample;
mod scout;
mod seat;
mod shape;
mod share;
mod signals;
mod survey;
mod tuning;
mod undone;
mod verdict;
mod verification;
mod waits;
mod walk;
mod watch;
mod window;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

use tokio::sync::watch::Receiver;

pub(crate) use absence::seed;
pub(crate) use backoff::{Backoff, Bounds};
pub use bus::Bus;
pub use claim::{Course, Options, Taken, take};
pub use error::{Error, SpecChange};
pub use finish::Ended;
pub use latch::{refuse_latched, remember_ask as remember_kill, remember_halt};
pub use quarantine::InQuarantine;
pub use verdict::Verdict;

use crate::control::{Ask, Level, Source, Stop, ask_of, watch_commands};
use crate::event::{Event, JobState, Started};
use crate::journal::Journal;
use crate::keyspace::{FIRST_ROWS, Key, Range};
use crate::plan::{Pace, Plan};
use crate::target::fence::{self, Fence};
use crate::target::switch::Halt;
use crate::target::{Session, Target};
use crate::throttle::{Board, Timetable};
use ground::Ground;
use ledger::Ledger;
use lifecycle::Lifecycle;

/// How often the runner shows in the journal that it lives.
const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);

/// Shows in the journal that the runner of `job` lives, for ever. Cancel it by dropping.
///
/// # Errors
///
/// The journal cannot be written, or another runner has the job.
pub async fn beat(journal: &Journal, job: &str) -> crate::journal::Result<()> {
    let mut ticks = tokio::time::interval(HEARTBEAT_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        journal.heartbeat(job)?;
    }
}

/// How often a session that waits is used. Idle ones are closed by servers and firewalls after
/// minutes; half of one is short enough for all and rare enough to cost nothing.
const PING_EVERY: Duration = Duration::from_secs(30);

/// How long the target may take over what a runner says to it on its way out. Whoever killed it is
/// waiting, and what is not said stands in the journal.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

/// What the limits of a run are compared with.
#[derive(Default)]
struct Counts {
    rows_changed: AtomicU64,
    rows_scanned: AtomicU64,
    rows_quarantined: AtomicU64,
    retries: AtomicU64,
}

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
    /// Who runs it.
    pub runner: String,
    /// What the run is for.
    course: Course,
    ledger: Ledger,
    /// The session that cancels statements and holds the job's lock. But for a ping every half
    /// minute its mutex is free, so that a kill waits for nothing else.
    control: tokio::sync::Mutex<Box<dyn Session>>,
    /// The session that holds the job's lock ([`Session::identity`]). A control session that was opened
    /// in a hurry, to cancel through, is another one until the lock is taken anew.
    locked_by: std::sync::Mutex<String>,
    lifecycle: Lifecycle,
    scout: scout::Scout,
    waits: Arc<waits::Waits>,
    /// What the signals say.
    board: Board,
    /// Whose turn it is, where the job has a rate.
    timetable: Timetable,
    /// Rows that this run has changed, scanned and put into quarantine, and batches of it that had to
    /// be tried again.
    counts: Counts,
    /// The rows in quarantine that this run is to try again.
    retries: Vec<Key>,
    /// Where it stands in the target.
    ground: Ground,
    /// How many wait for the server at this moment.
    away: AtomicU32,
    /// The present pace: the plan's, with what people have changed.
    pace: tokio::sync::watch::Sender<Pace>,
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
        let ledger = Ledger::of(&plan, &journal);
        let holder = fence::holder(&taken.runner, control.as_ref());
        let ground = Ground::of(taken.footing.clone(), &taken.ranges, &holder);
        let board = Board::new(plan.pace.watches.clone(), plan.stale_after);
        let pace = tokio::sync::watch::Sender::new(plan.pace.clone());
        let lifecycle = Lifecycle::new(taken.state, journal.clone(), bus.clone());
        Self {
            plan,
            target,
            journal,
            stop,
            bus,
            generation: taken.generation,
            runner: taken.runner.clone(),
            course: taken.course,
            ledger,
            locked_by: std::sync::Mutex::new(control.identity().to_owned()),
            control: tokio::sync::Mutex::new(control),
            lifecycle,
            scout: scout::Scout::default(),
            waits: Arc::default(),
            board,
            timetable: Timetable::default(),
            counts: Counts::default(),
            retries: taken.retries.clone(),
            ground,
            away: AtomicU32::new(0),
            pace,
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
        let mut result = run.work_watched(taken.ranges).await;
        run.leave_fence().await;
        // Also where a batch is in doubt that was in flight: a kill stays.
        let left = matches!(
            result,
            Ok(finish::Outcome::Left | finish::Outcome::Watched(_))
                | Err(Error::OutcomeUnknown { .. })
        );
        if left
            && run.stop.level() == Level::Kill
            && let Err(error) = run.latch().await
            && result.is_ok()
        {
            result = Err(error);
        }
        let ended = run.finish(result);
        if let Ok(run) = Arc::try_unwrap(run) {
            run.scout.close().await;
            run.control.into_inner().close().await;
        }
        ended
    }

    async fn work_watched(self: &Arc<Self>, ranges: Vec<Range>) -> Result<finish::Outcome, Error> {
        let result = self.work_and_watch(ranges).await;
        // Whoever halts all runners also ends their sessions, and takes their ranges: what looks
        // like a loss or a take-over is then a kill.
        match result {
            Err(error) if self.was_halted().await => {
                drop(error);
                Ok(finish::Outcome::Left)
            }
            result => result,
        }
    }

    async fn was_halted(&self) -> bool {
        if self.ledger.fence().is_none() {
            return false;
        }
        let opened = tokio::time::timeout(self.goodbye_within(), self.target.open("halts"));
        let Ok(Ok(mut session)) = opened.await else { return false };
        let found = self.find_halt(session.as_mut()).await;
        session.close().await;
        found
    }

    /// Looks whether a halt stands, and if so, makes it a request.
    async fn find_halt(&self, session: &mut dyn Session) -> bool {
        let Some(fence) = self.ledger.fence() else { return false };
        let found = fence.switch.standing(self.target.dialect(), session, &fence.job).await;
        let Ok(Some(halt)) = found else { return false };
        self.stop.ask(ask_of(&halt));
        true
    }

    async fn work_and_watch(
        self: &Arc<Self>,
        ranges: Vec<Range>,
    ) -> Result<finish::Outcome, Error> {
        let mut work = Box::pin(self.work(ranges));
        let mut asks = self.stop.watch();
        let mut watchers = Box::pin(self.watch(&mut asks));
        tokio::select! {
            result = &mut work => {
                drop(watchers);
                // A worker may have obeyed before the other watchers of the token were woken.
                if asks.has_changed().unwrap_or(false) {
                    self.report(asks.borrow_and_update().clone());
                }
                result
            }
            error = &mut watchers => {
                // Whatever a watcher held is free again, so that a kill still works.
                drop(watchers);
                self.stop.ask(error::drain_because(&error));
                // The workers finish the batch in flight: a statement is never dropped.
                match work.await {
                    // Whoever took over has ended our sessions and then read the fence: they know.
                    Err(worse @ Error::OutcomeUnknown { .. }) if !error.is_ousted() => Err(worse),
                    _ => Err(error),
                }
            }
        }
    }

    /// Everything that goes on beside the work. It ends only when a part of it fails.
    async fn watch(&self, asks: &mut Receiver<Ask>) -> Error {
        tokio::select! {
            Err(error) = watch_commands(&self.journal, &self.plan.spec.job.name, &self.stop) => {
                error.into()
            }
            Err(error) = beat(&self.journal, &self.plan.spec.job.name) => error.into(),
            Err(error) = self.keep_control_alive() => error,
            Err(error) = self.watch_switch() => error,
            Err(error) = self.watch_settings() => error,
            never = self.sample_waits() => match never {},
            never = self.watch_signals() => match never {},
            never = self.watch_runtime() => match never {},
            () = self.report_asks(asks) => unreachable!("the token lives as long as the run"),
        }
    }

    /// Tells every listener and the journal.
    fn tell(&self, event: Event) {
        let record = self.bus.emit(event);
        // What follows is written with its own check; a journal that fails here fails there too,
        // and that stops the job.
        let _ = self.journal.log(&record);
    }

    /// Takes our sessions out of the fence's record. Where that fails, whoever looks for them finds
    /// them gone.
    async fn leave_fence(&self) {
        let Some(fence) = self.ledger.fence() else { return };
        // Whoever killed is waiting; and only on a cluster does the record keep others out.
        if Level::Cancel <= self.stop.level() && self.plan.server.cluster.is_none() {
            return;
        }
        let mut control = self.control.lock().await;
        let (dialect, generation) = (self.target.dialect(), self.generation);
        let leave = fence.leave(dialect, control.as_mut(), generation, &self.runner);
        let _ = tokio::time::timeout(self.goodbye_within(), leave).await;
    }

    /// Makes the kill stay: in the target, where it binds every runner, and in the journal. A target
    /// that cannot be written any more leaves the journal.
    async fn latch(&self) -> Result<(), Error> {
        let ask = self.stop.present();
        let job = &self.plan.spec.job.name;
        match self.halt_others(&ask).await {
            Some(halt) => latch::remember_halt(&self.journal, job, &halt)?,
            None => latch::remember_ask(&self.journal, job, &ask)?,
        }
        let scope = job.clone();
        self.bus.emit(Event::Latched { scope, by: ask.by, reason: ask.reason });
        Ok(())
    }

    /// The halt that stands in the target, written if there is none yet.
    async fn halt_others(&self, ask: &Ask) -> Option<Halt> {
        let fence = self.ledger.fence()?;
        let mut control = self.control.lock().await;
        let halting = self.halt_through(control.as_mut(), fence, ask);
        let within = self.goodbye_within();
        match tokio::time::timeout(within, halting).await.ok()? {
            Err(error) if error.is_lost() => {}
            result => return result.ok().flatten(),
        }
        let again = async {
            *control = self.target.open("control").await.ok()?;
            self.halt_through(control.as_mut(), fence, ask).await.ok().flatten()
        };
        tokio::time::timeout(within, again).await.ok().flatten()
    }

    async fn halt_through(
        &self,
        session: &mut dyn Session,
        fence: &Fence,
        ask: &Ask,
    ) -> crate::target::Result<Option<Halt>> {
        let (switch, dialect) = (&fence.switch, self.target.dialect());
        if let Some(halt) = switch.standing(dialect, session, &fence.job).await? {
            return Ok(Some(halt));
        }
        switch.engage(dialect, session, &fence.job, &ask.by, ask.reason.as_deref()).await?;
        switch.standing(dialect, session, &fence.job).await
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
            estimated_rows: plan.estimate.as_ref().map(|estimate| estimate.rows),
            target_seconds: plan.pace.target_time.as_secs_f64(),
            first_rows: FIRST_ROWS.min(plan.pace.max_rows),
            resumed: taken.resumed,
        }));
    }

    /// Writes down who asks for what. Ends with the run.
    async fn report_asks(&self, asks: &mut Receiver<Ask>) {
        while asks.changed().await.is_ok() {
            self.report(asks.borrow_and_update().clone());
        }
    }

    /// Writes down who asked for what.
    fn report(&self, ask: Ask) {
        if ask.source == Source::Runner {
            return;
        }
        self.tell(Event::Asked {
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
    }

    fn state(&self) -> JobState {
        self.lifecycle.state()
    }
}
