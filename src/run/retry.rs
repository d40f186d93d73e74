//! A batch until it is written: what follows from each error on the way.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Error;
use super::absence::seed;
use super::backoff::{Backoff, Bounds};
use super::seat::Seat;
use super::walk::Worker;
use crate::control::{Ask, Level, Source};
use crate::event::{Event, Phase, RetryReason};
use crate::keyspace::Range;
use crate::target::Class;

/// A batch is tried for this long before its error counts as lasting. A nightly transaction of the
/// application may hold the same rows for minutes, and waiting for it harms nobody: between two
/// attempts no transaction is open. By time and not by attempts, because an attempt may fail at once
/// (a lock that is not waited for) or after seconds.
const PERSEVERE: Duration = Duration::from_mins(10);

/// A batch may lose this many connections: one that takes the server down with it must not go on
/// doing so.
pub(super) const LOSSES: u32 = 20;

/// The waits between the attempts at a batch.
const BOUNDS: Bounds = Bounds {
    first: Duration::from_millis(50),
    longest: Duration::from_secs(5),
    time: PERSEVERE,
    attempts: 10_000,
};

/// How often something was tried, and for how long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried {
    pub(super) attempts: u32,
    pub(super) spent: Duration,
}

impl Worker<'_> {
    /// Begins with a range. One that lay waiting while sessions were lost is read again: the server may
    /// have lost what was committed last.
    pub(super) async fn begin(&mut self, mut range: Range, breaks: u32) -> Result<Range, Error> {
        let run = self.run;
        if self.shape.phase() == Phase::Write
            && breaks != run.ground.breaks()
            && let Some(found) = self.seat.renew(run, &range).await?
        {
            run.fell_back(&range, &found)?;
            range = found;
        }
        Ok(range)
    }

    /// One batch, tried again while its errors are passing ones. `None`: it was cancelled by
    /// request and rolled back, or there is nothing left of the range.
    pub(super) async fn batch(
        &mut self,
        range: &mut Range,
    ) -> Result<Option<(u64, Duration)>, Error> {
        let (mut conflicts, mut losses) = (Backoff::new(BOUNDS, seed()), 0);
        let mut began = Instant::now();
        loop {
            let (opened, moment) = (self.seat.opened, self.seat.moment());
            let hunting = self.hunt.is_on();
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
                    (conflicts, losses) = (Backoff::new(BOUNDS, seed()), 0);
                    began = Instant::now();
                }
                Class::Cancelled => self.respect(&error).await,
                _ if (error.is_lost() || error.is_closed()) && losses < LOSSES => {
                    losses += 1;
                    // To settle a COMMIT, the batch itself has taken another session.
                    if self.seat.opened == opened && !self.reseat(range).await? {
                        return Ok(None);
                    }
                    let meant = error.class == Class::Terminated
                        && !self.seat.was_cut_off(self.run, &moment).await;
                    if meant {
                        self.respect(&error).await;
                    } else {
                        let wait = BOUNDS.first * losses;
                        self.retry(range, RetryReason::Connection, &error, losses, wait).await;
                    }
                }
                // As often as it has to: others were in its way, and not the other way round.
                Class::Retry(reason @ RetryReason::BlockedSessions) => {
                    self.sizer.back_off();
                    self.retry(range, reason, &error, 1, BOUNDS.first).await;
                }
                Class::Retry(reason) => {
                    let spent = began.elapsed();
                    let Some(wait) = conflicts.next(spent) else {
                        let attempts = conflicts.failed();
                        return Err(self.explain(range, error, Tried { attempts, spent }));
                    };
                    self.sizer.back_off();
                    self.retry(range, reason, &error, conflicts.failed(), wait).await;
                }
                _ => {
                    let tried = Tried { attempts: losses + 1, spent: began.elapsed() };
                    return Err(self.explain(range, error, tried));
                }
            }
            self.refuse_too_many_errors(&error)?;
            let waits = Instant::now();
            if range.done || !self.may_go_on(range).await? {
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

    /// Goes on in another session after one was lost, as soon as the server lets it in. Says whether
    /// it has one; not, where somebody asked to leave before that.
    pub(super) async fn reseat(&mut self, range: &mut Range) -> Result<bool, Error> {
        let run = self.run;
        run.ground.shake();
        match self.shape.phase() {
            Phase::Write => {
                let Some(found) = self.seat.renew(run, range).await? else { return Ok(false) };
                run.fell_back(range, &found)?;
                *range = found;
            }
            Phase::Verify => {
                let Some(seat) = Seat::take(run, self.seat.number).await? else {
                    return Ok(false);
                };
                self.seat = seat;
            }
        }
        Ok(true)
    }

    async fn retry(
        &mut self,
        range: &Range,
        reason: RetryReason,
        error: &crate::target::Error,
        attempt: u32,
        wait: Duration,
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
        self.run.wait(wait).await;
    }

    pub(super) fn explain(
        &self,
        range: &Range,
        cause: crate::target::Error,
        tried: Tried,
    ) -> Error {
        let Tried { attempts, spent } = tried;
        let seconds = spent.as_secs();
        let advice = match cause.class {
            Class::Lost | Class::Terminated => format!(
                "; it has lost {attempts} connections, the server was back each time, and it may be \
                 this batch that takes it down. Nothing is lost: find out what it does, and run the \
                 job again"
            ),
            Class::Retry(_) => format!(
                "; it did not pass in {attempts} attempts within {seconds} s: run the job again later"
            ),
            _ => "; earlier batches stay written: mend the cause and run the job again".to_owned(),
        };
        let from = range.position().map_or_else(
            || "at the beginning of the table".to_owned(),
            |key| format!("after {}", self.run.plan.show_key(key)),
        );
        Error::Batch { window: from, cause, advice }
    }
}
