//! The loop: workers take ranges and walk them window by window.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::crew::{Crew, Next};
use super::hunt::Hunt;
use super::scout::{Ahead, beside};
use super::seat::Seat;
use super::shape::{Applied, Shape, Window};
use super::survey::Survey;
use super::{Error, PING_EVERY, Run, error};
use crate::control::{Ask, Level, Source};
use crate::event::{Event, Phase, RetryReason};
use crate::keyspace::{Aim, Range, Sizer};
use crate::target::Class;

/// A batch is tried for this long before its error counts as lasting. A nightly transaction of the
/// application may hold the same rows for minutes, and waiting for it harms nobody: between two
/// attempts no transaction is open. By time and not by attempts, because an attempt may fail at once
/// (a lock that is not waited for) or after seconds.
const PERSEVERE: Duration = Duration::from_mins(10);

/// A batch may lose this many connections: one that takes the server down with it must not go on
/// doing so.
const LOSSES: u32 = 20;

/// The wait before the first retry; it doubles each time, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How often a worker asks how many rows are left. The answer costs a millisecond, and is for
/// displays.
const LOOK_AHEAD_EVERY: Duration = Duration::from_secs(5);

/// Walks all ranges that are not done. Returns whether it was told to leave before their end.
pub(super) async fn walk(
    run: &Arc<Run>,
    shape: Arc<dyn Shape>,
    ranges: Vec<Range>,
) -> Result<bool, Error> {
    let scale = open_ranges(run, shape.phase(), &ranges).await?;
    let crew = Arc::new(Crew::new(ranges, scale));
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
/// to be multiplied.
async fn open_ranges(run: &Run, phase: Phase, ranges: &[Range]) -> Result<f64, Error> {
    let mut session = run.target.open("planner").await.map_err(Error::Session)?;
    let mut survey = Survey { plan: &run.plan, target: &*run.target, session: session.as_mut() };
    let scale = survey.scale(ranges, phase).await?;
    for range in ranges {
        let left = if range.done { Some(0) } else { survey.left(range, phase, scale).await? };
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
    session.close().await;
    Ok(scale)
}

async fn work(
    run: Arc<Run>,
    shape: Arc<dyn Shape>,
    crew: Arc<Crew>,
    number: u32,
) -> Result<u32, Error> {
    let result = Box::pin(async {
        let seat = Seat::take(&run, number).await?;
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
                self.crew.put_back(range);
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
            let Some((rows, took)) = self.batch(range).await? else { return Ok(false) };
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
                Next::Range(range) => return Ok(Some(range)),
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

    /// One batch, tried again while its errors are passing ones. `None`: it was cancelled by
    /// request and rolled back.
    async fn batch(&mut self, range: &mut Range) -> Result<Option<(u64, Duration)>, Error> {
        let (mut attempt, mut losses) = (1, 0);
        let mut began = Instant::now();
        loop {
            let (opened, hunting) = (self.seat.opened, self.hunt.is_on());
            let error = match self.attempt(range).await {
                Ok((window, applied)) => {
                    let worked = applied.worked();
                    // Halves of a window say nothing of the pace.
                    if !hunting {
                        self.sizer.observe(window.rows, worked);
                    }
                    self.hunt.succeeds(&window);
                    self.look_ahead(range, window.rows).await?;
                    self.record(range, &window, applied)?;
                    return Ok(Some((window.rows, worked.time)));
                }
                Err(Error::Target(error)) => error,
                Err(error) => return Err(error),
            };
            // The request ended the statement, or the session that it ran in.
            let by_request = error.class == Class::Cancelled || error.is_lost();
            if by_request && Level::Cancel <= self.run.stop.level() {
                return Ok(None);
            }
            match error.class {
                // The half of it is another batch.
                Class::Poison if self.hunt.fails(&error) => {
                    (attempt, losses, began) = (1, 0, Instant::now());
                }
                Class::Cancelled => self.respect(&error).await,
                Class::Lost | Class::Terminated if losses < LOSSES => {
                    losses += 1;
                    // To settle a COMMIT, the batch itself has taken another session.
                    if self.seat.opened == opened {
                        self.reseat(range, &error).await?;
                    }
                    let meant = error.class == Class::Terminated
                        && !self.seat.restarted_since(self.run, opened).await;
                    if meant {
                        self.respect(&error).await;
                    } else {
                        self.retry(range, RetryReason::Connection, &error, attempt).await;
                        attempt += 1;
                    }
                }
                // As often as it has to: others were in its way, and not the other way round.
                Class::Retry(reason @ RetryReason::BlockedSessions) => {
                    self.sizer.back_off();
                    self.retry(range, reason, &error, 1).await;
                }
                Class::Retry(reason) if began.elapsed() < PERSEVERE => {
                    self.sizer.back_off();
                    self.retry(range, reason, &error, attempt).await;
                    attempt += 1;
                }
                _ => return Err(self.explain(range, error)),
            }
            self.refuse_too_many_errors(&error)?;
            let waits = Instant::now();
            if !self.may_go_on(range).await? {
                return Ok(None);
            }
            // Whoever was made to wait has not tried meanwhile.
            began += waits.elapsed();
        }
    }

    /// Ends the run when more batches had to be tried again than the spec allows.
    fn refuse_too_many_errors(&self, error: &crate::target::Error) -> Result<(), Error> {
        let found = self.run.counts.retries.load(Ordering::Relaxed);
        match self.run.pace().ends.max_errors {
            Some(limit) if limit < found => {
                Err(Error::TooManyErrors { limit, last: error.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Somebody on the server pulled a brake of their own: it is respected.
    async fn respect(&mut self, error: &crate::target::Error) {
        if self.run.find_halt(self.seat.session.as_mut()).await {
            return;
        }
        self.run.stop.ask(Ask {
            level: Level::Pause,
            source: Source::Server,
            by: "somebody on the server".to_owned(),
            reason: Some(format!("the batch was ended there, and rolled back: {error}")),
        });
    }

    /// Goes on in another session after one was lost. Where there is none to be had, the loss is
    /// the error.
    pub(super) async fn reseat(
        &mut self,
        range: &mut Range,
        lost: &crate::target::Error,
    ) -> Result<(), Error> {
        let renewed = match self.shape.phase() {
            Phase::Write => self.seat.renew(self.run, range).await,
            Phase::Verify => {
                let seat = Seat::take(self.run, self.seat.number).await;
                seat.map(|seat| self.seat = seat).map(|()| range.clone())
            }
        };
        match renewed {
            Ok(found) => {
                *range = found;
                Ok(())
            }
            Err(error @ Error::FencedOff { .. }) => Err(error),
            Err(_) => Err(self.explain(range, lost.clone())),
        }
    }

    async fn retry(
        &mut self,
        range: &Range,
        reason: RetryReason,
        error: &crate::target::Error,
        attempt: u32,
    ) {
        if reason != RetryReason::BlockedSessions {
            self.run.counts.retries.fetch_add(1, Ordering::Relaxed);
        }
        self.run.bus.emit(Event::BatchRetried {
            range: range.id,
            worker: self.seat.number,
            reason,
            message: error.to_string(),
            attempt,
        });
        let wait = FIRST_WAIT * 2_u32.saturating_pow(attempt - 1);
        self.run.wait(wait.min(LONGEST_WAIT)).await;
    }

    /// One attempt at a batch, ready to be cancelled at any moment.
    async fn attempt(&mut self, range: &mut Range) -> Result<(Window, Applied), Error> {
        let (run, brake) = (self.run, self.seat.session.brake());
        let braked = run.braked_batch(brake, self.apply_next(range)).await;
        // The runner's own brake may still be on its way to the session when the statement that it
        // was for has ended; on another session the next statement is out of its reach.
        let left = match &braked.result {
            Ok(_) => Some(crate::target::Error::new(Class::Lost, "the session was given up")),
            Err(Error::Target(error)) if matches!(error.class, Class::Retry(_)) => {
                Some(error.clone())
            }
            Err(_) => None,
        };
        if braked.by_us
            && let Some(error) = left
        {
            self.reseat(range, &error).await?;
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
    async fn look_ahead(&mut self, range: &Range, rows: u64) -> Result<(), Error> {
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

    fn record(&self, range: &Range, window: &Window, applied: Applied) -> Result<(), Error> {
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

    pub(super) fn explain(&self, range: &Range, cause: crate::target::Error) -> Error {
        let advice = match cause.class {
            Class::Lost | Class::Terminated => {
                "; nothing is lost: run the job again when the server answers"
            }
            Class::Retry(_) => {
                "; it did not pass in ten minutes of attempts: run the job again later"
            }
            _ => "; earlier batches stay written: mend the cause and run the job again",
        };
        let from = range.position().map_or_else(
            || "at the beginning of the table".to_owned(),
            |key| format!("after {}", self.run.plan.show_key(key)),
        );
        Error::Batch { window: from, cause, advice }
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
