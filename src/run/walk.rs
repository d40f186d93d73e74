//! The loop: workers take ranges and walk them window by window.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::absence::Who;
use super::crew::{Crew, Next};
use super::hunt::Hunt;
use super::retry::LOSSES;
use super::scout::{Ahead, beside};
use super::seat::Seat;
use super::shape::{Applied, Shape, Window};
use super::survey::Survey;
use super::{Error, PING_EVERY, Run, error};
use crate::control::Level;
use crate::event::{Event, Phase};
use crate::keyspace::{Aim, Range, Sizer};
use crate::target::{Class, Session};

/// How often a worker asks how many rows are left. The answer costs a millisecond, and is for
/// displays.
const LOOK_AHEAD_EVERY: Duration = Duration::from_secs(5);

/// Walks all ranges that are not done, which are known as of that state of the ground. Returns whether
/// it was told to leave before their end.
pub(super) async fn walk(
    run: &Arc<Run>,
    shape: Arc<dyn Shape>,
    ranges: Vec<Range>,
    breaks: u32,
) -> Result<bool, Error> {
    let Some(scale) = open_ranges(run, shape.phase(), &ranges).await? else { return Ok(true) };
    let crew = Arc::new(Crew::new(ranges, scale, breaks));
    let mut tasks = tokio::task::JoinSet::new();
    let (mut at_work, mut paces) = (BTreeSet::new(), run.pace.subscribe());
    let mut first_error = None;
    loop {
        // People may want more workers, or fewer: those that are too many leave by themselves.
        let goes_on = crew.is_open() && first_error.is_none() && run.stop.level() < Level::Drain;
        let wanted = if goes_on { run.pace().workers } else { 0 };
        for number in (0..wanted).filter(|number| at_work.insert(*number)) {
            run.lifecycle.enter();
            tasks.spawn(work(Arc::clone(run), Arc::clone(&shape), Arc::clone(&crew), number));
        }
        let joined = tokio::select! {
            joined = tasks.join_next() => joined,
            // The sender lives as long as the run.
            Ok(()) = paces.changed() => continue,
        };
        let Some(joined) = joined else { break };
        let result = joined.unwrap_or_else(|panic| Err(Error::Worker(panic.to_string())));
        let error = match result {
            Ok(number) => {
                at_work.remove(&number);
                continue;
            }
            Err(error) => error,
        };
        run.stop.ask(error::drain_because(&error));
        // Whatever else went wrong, that a batch may or may not be written comes first.
        if first_error.is_none() || matches!(error, Error::OutcomeUnknown { .. }) {
            first_error = Some(error);
        }
    }
    match first_error {
        Some(error) => Err(error),
        // A request that came when the last range had just ended changes nothing any more.
        None => Ok(crew.is_open()),
    }
}

/// Asks how many rows each range has left, and tells of the ranges. Returns by what such an answer is
/// to be multiplied; `None`: somebody asked to leave before the server answered.
async fn open_ranges(run: &Run, phase: Phase, ranges: &[Range]) -> Result<Option<f64>, Error> {
    let mut losses = 0;
    let (scale, left) = loop {
        let Some(mut session) = run.open_patiently("planner", Who::Course).await? else {
            return Ok(None);
        };
        match survey(run, session.as_mut(), phase, ranges).await {
            Err(error) if error.passing().is_some() && losses < LOSSES => losses += 1,
            surveyed => {
                session.close().await;
                break surveyed?;
            }
        }
    };
    for (range, left) in ranges.iter().zip(left) {
        run.bus.emit(Event::RangeOpened {
            phase,
            range: range.id,
            rows_scanned: range.rows_scanned,
            rows_changed: range.rows_changed,
            batches: range.batches,
            rows_left: left,
            cursor: range.cursor.as_ref().map(|key| run.plan.show_key(key)),
            done: range.done,
        });
        if phase == Phase::Write && !range.done {
            let job = &run.plan.spec.job.name;
            run.journal.checkpoint(job, run.generation, range, left)?;
        }
    }
    Ok(Some(scale))
}

/// What the server's estimates are to be multiplied by, and how many rows each range has left.
async fn survey(
    run: &Run,
    session: &mut dyn Session,
    phase: Phase,
    ranges: &[Range],
) -> Result<(f64, Vec<Option<u64>>), Error> {
    let mut survey = Survey { plan: &run.plan, target: &*run.target, session };
    let scale = survey.scale(ranges, phase).await?;
    let mut left = Vec::new();
    for range in ranges {
        left.push(if range.done { Some(0) } else { survey.left(range, phase, scale).await? });
    }
    Ok((scale, left))
}

async fn work(
    run: Arc<Run>,
    shape: Arc<dyn Shape>,
    crew: Arc<Crew>,
    number: u32,
) -> Result<u32, Error> {
    let result = Box::pin(async {
        let Some(seat) = Seat::take(&run, number).await? else { return Ok(()) };
        let sizer = Sizer::new(run.pace().aim());
        let mut worker = Worker {
            run: &run,
            shape: &*shape,
            crew: &crew,
            seat,
            sizer,
            left: Left::default(),
            ahead: None,
            hunt: Hunt::default(),
        };
        let walked = worker.walk_ranges().await;
        worker.seat.session.close().await;
        walked
    })
    .await;
    run.lifecycle.leave(&run.gate())?;
    result.map(|()| number)
}

/// Walks one range at a time, on a session of its own.
pub(super) struct Worker<'a> {
    pub(super) run: &'a Run,
    pub(super) shape: &'a dyn Shape,
    pub(super) crew: &'a Crew,
    pub(super) seat: Seat,
    pub(super) sizer: Sizer,
    pub(super) left: Left,
    /// What may be the next window.
    ahead: Option<Ahead>,
    /// What is known of rows that cannot be written.
    pub(super) hunt: Hunt,
}

/// Rows that are left in the range, as far as the server can tell.
#[derive(Default)]
pub(super) struct Left {
    pub(super) rows: Option<u64>,
    /// When it was last asked.
    asked: Option<Instant>,
}

impl Worker<'_> {
    async fn walk_ranges(&mut self) -> Result<(), Error> {
        while let Some(mut range) = self.next_range().await? {
            self.left = Left::default();
            self.hunt = Hunt::default();
            if !self.walk_range(&mut range).await? {
                self.make_durable(&mut range).await?;
                self.crew.put_back(range, self.seat.breaks);
                return Ok(());
            }
            self.crew.finished();
        }
        Ok(())
    }

    /// Says whether it came to the end.
    async fn walk_range(&mut self, range: &mut Range) -> Result<bool, Error> {
        while !range.done {
            if !self.may_go_on(range).await? || self.is_surplus() {
                return Ok(false);
            }
            let began = Instant::now();
            let Some((rows, took)) = self.batch(range).await? else { return Ok(range.done) };
            // What is suspected must stay within the range.
            if !range.done && !self.hunt.is_on() {
                self.share(range).await?;
            }
            self.rest(rows, took, began).await;
        }
        Ok(true)
    }

    /// Whether people want fewer workers by now.
    fn is_surplus(&self) -> bool {
        self.run.pace().workers <= self.seat.number
    }

    /// Waits until there is a range to walk. `None`: there will be none, or it is time to leave.
    async fn next_range(&mut self) -> Result<Option<Range>, Error> {
        let mut paces = self.run.pace.subscribe();
        while !self.is_surplus() {
            let news = self.crew.news();
            tokio::pin!(news);
            // What happens after this line ends the wait below.
            news.as_mut().enable();
            match self.crew.next() {
                Next::Range(range, breaks) => return self.begin(range, breaks).await.map(Some),
                Next::Nothing => return Ok(None),
                Next::Wait => {}
            }
            let idle = self.crew.idle();
            // A pause need not wait for who does nothing.
            self.run.lifecycle.leave(&self.run.gate())?;
            let left = loop {
                tokio::select! {
                    () = &mut news => break false,
                    Ok(()) = paces.changed() => break false,
                    () = self.run.stop.reached(Level::Drain) => break true,
                    () = tokio::time::sleep(PING_EVERY) => {
                        let _ = self.seat.session.ping().await;
                    }
                }
            };
            drop(idle);
            self.run.lifecycle.enter();
            if left {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// One attempt at a batch, ready to be cancelled at any moment.
    pub(super) async fn attempt(&mut self, range: &mut Range) -> Result<(Window, Applied), Error> {
        let (run, brake) = (self.run, self.seat.session.brake());
        let braked = run.braked_batch(brake, self.apply_next(range)).await;
        // The runner's own brake may still be on its way to the session when the statement that it
        // was for has ended; on another session the next statement is out of its reach.
        let leaves = match &braked.result {
            Ok(_) => true,
            Err(Error::Target(error)) => matches!(error.class, Class::Retry(_)),
            Err(_) => false,
        };
        if braked.by_us && leaves {
            // Who is told to leave meanwhile begins nothing more.
            self.reseat(range).await?;
        }
        braked.result
    }

    /// Finds the next window and applies the shape to it; meanwhile looks for the one after it.
    async fn apply_next(&mut self, range: &mut Range) -> Result<(Window, Applied), Error> {
        let (run, aim) = (self.run, self.aim());
        self.sizer.aim(aim);
        let (rows, is_settled) = (self.sizer.rows(), self.sizer.is_settled());
        if self.shape.phase() == Phase::Write {
            self.seat.enlist(run, range).await?;
        }
        if let Some(passed) = self.pass_over(range).await? {
            return Ok(passed);
        }
        let statements = run.plan.statements_of(self.shape.phase());
        let (hunting, ahead) = (self.hunt.is_on(), self.ahead.take());
        let ahead = ahead.filter(|_| !hunting);
        let window = match ahead.and_then(|ahead| ahead.fitting(range, rows, aim.rows)) {
            Some(window) => window,
            None => self.next_window(range, rows).await?,
        };
        self.hunt.begins(&window);
        let present = range.clone();
        let look = async {
            if window.last || !is_settled || hunting {
                return None;
            }
            run.scout(statements, &window, &present, rows).await
        };
        let apply = apply(run, self.shape, &mut self.seat, &window, range);
        let (applied, found) = beside(apply, look).await;
        self.ahead = found;
        Ok((window, applied?))
    }

    /// What the next batch may cost. One that may write has no more rows than the run may change.
    fn aim(&self) -> Aim {
        let pace = self.run.pace();
        let mut aim = pace.aim();
        if let (Phase::Write, Some(most)) = (self.shape.phase(), pace.ends.max_rows) {
            let changed = self.run.counts.rows_changed.load(Ordering::Relaxed);
            aim.rows = aim.rows.min(most.saturating_sub(changed).max(1));
        }
        aim
    }

    /// Counts the rows of a batch off what is left, and asks the server now and then.
    pub(super) async fn look_ahead(&mut self, range: &Range, rows: u64) -> Result<(), Error> {
        let known = self.left.rows.map(|left| left.saturating_sub(rows));
        self.left.rows = if range.done { Some(0) } else { known };
        if range.done || self.left.asked.is_some_and(|asked| asked.elapsed() < LOOK_AHEAD_EVERY) {
            return Ok(());
        }
        let (run, brake) = (self.run, self.seat.session.brake());
        let session = self.seat.session.as_mut();
        let mut survey = Survey { plan: &run.plan, target: &*run.target, session };
        match run
            .braked(brake, survey.left(range, self.shape.phase(), self.crew.scale))
            .await
            .result
        {
            Ok(left) => self.left.rows = left,
            // Whatever is wrong with the session, the next batch meets as well.
            Err(Error::Target(_)) => {}
            Err(error) => return Err(error),
        }
        self.left.asked = Some(Instant::now());
        Ok(())
    }

    pub(super) fn record(
        &self,
        range: &Range,
        window: &Window,
        applied: Applied,
    ) -> Result<(), Error> {
        if self.shape.phase() == Phase::Write {
            self.run.counts.rows_scanned.fetch_add(window.rows, Ordering::Relaxed);
            let job = &self.run.plan.spec.job.name;
            self.run.journal.checkpoint(job, self.run.generation, range, self.left.rows)?;
            let changes = &self.run.counts.rows_changed;
            let before = changes.fetch_add(applied.rows_changed, Ordering::Relaxed);
            let most = self.run.pace().ends.max_rows;
            if let Some(most) = most.filter(|most| *most <= before + applied.rows_changed) {
                self.run.reach(format!("max_rows {most} is reached"));
            }
        }
        self.run.bus.emit(Event::BatchDone {
            phase: self.shape.phase(),
            range: range.id,
            worker: self.seat.number,
            rows_scanned: window.rows,
            rows_changed: applied.rows_changed,
            seconds: applied.took.as_secs_f64(),
            lock_wait_seconds: applied.cost.lock_wait.as_secs_f64(),
            log_bytes: applied.cost.log_bytes,
            cursor: self.run.plan.show_key(&window.upto),
            next_rows: self.sizer.rows(),
            rows_left: self.left.rows,
            range_done: range.done,
        });
        Ok(())
    }
}

/// Applies the shape to the window, and tells what it cost.
async fn apply(
    run: &Run,
    shape: &dyn Shape,
    seat: &mut Seat,
    window: &Window,
    range: &mut Range,
) -> Result<Applied, Error> {
    let watched = run.waits.watch(seat.session.id());
    let started = Instant::now();
    let rows_changed = shape.apply(run, seat, window, range).await?;
    let took = started.elapsed();
    let mut cost = seat.session.cost().await;
    cost.lock_wait += watched.waited();
    Ok(Applied { rows_changed, took, cost })
}
