//! A server that is away: waiting for it, in sight of everybody, and leaving at once when asked to.
//!
//! Whoever has lost its session opens another one, again and again, for as long as the job's
//! `max_outage` allows; time in which the job is paused does not count, for then nobody is waiting for
//! the server. A worker that waits stands at the gate ([`super::lifecycle`]): when all of them do, the
//! job says so once, as it does for a signal, and a pause takes effect at once.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::backoff::{Backoff, Bounds};
use super::lifecycle::Gate;
use super::{Error, GOODBYE_WITHIN, Run};
use crate::control::Level;
use crate::spec;
use crate::target;
use crate::throttle::Hold;

/// A restart takes a second, a fail-over that people decide minutes. An attempt costs the server a
/// process or a thread, and one every five seconds of each worker is nothing to it. The number is
/// out of reach within a day.
const BOUNDS: Bounds = Bounds {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(5),
    time: Duration::ZERO,
    attempts: 50_000,
};

/// A first attempt that is not answered for this long is an absence too.
const SILENCE: Duration = Duration::from_secs(1);

/// The name under which it stands among the reasons to wait.
const NAME: &str = "server";

/// Who waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// A worker, which is counted among those that walk.
    Worker,
    /// The course of the run, between two walks, when no worker is there.
    Course,
    /// Something beside the work: it is not seen, and leaves with the work.
    Watcher,
}

/// One wait for the server, from the first loss on.
pub(super) struct Absence<'a> {
    run: &'a Run,
    who: Who,
    backoff: Backoff,
    /// What it waited, but for pauses, up to when that was counted, and whether the job was paused
    /// then.
    spent: Duration,
    counted: Instant,
    paused: bool,
    /// Whether an attempt has failed, so that the server counts as away.
    away: bool,
    /// Why, once it stands at the gate.
    hold: Option<Hold>,
    /// Whether the server is back. If not, the run leaves a server that is away.
    over: bool,
}

impl Run {
    /// Begins to wait. Nothing is seen of it before an attempt has failed.
    pub(super) fn absence(&self, who: Who) -> Absence<'_> {
        Absence {
            run: self,
            who,
            backoff: Backoff::new(BOUNDS, seed()),
            spent: Duration::ZERO,
            counted: Instant::now(),
            paused: self.stop.level() == Level::Pause,
            away: false,
            hold: None,
            over: false,
        }
    }

    /// Whether somebody waits for the server at this moment.
    pub(super) fn is_away(&self) -> bool {
        0 < self.away.load(Ordering::Relaxed)
    }

    /// How long the target may take over what is said to it on the way out. One that is away takes it
    /// whole, and whoever killed is waiting.
    pub(super) fn goodbye_within(&self) -> Duration {
        if self.is_away() { GOODBYE_WITHIN / 8 } else { GOODBYE_WITHIN }
    }
}

impl Absence<'_> {
    /// Whether an attempt has failed yet.
    pub(super) const fn has_waited(&self) -> bool {
        0 < self.backoff.failed()
    }

    /// The server is back.
    pub(super) fn end(mut self) {
        self.over = true;
    }

    /// Awaits an attempt. `None`: somebody asked to leave, and it was given up; what it has opened
    /// goes with it.
    pub(super) async fn attempt<T>(
        &mut self,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<Option<Result<T, Error>>, Error> {
        let mut asks = self.run.stop.watch();
        let silence = tokio::time::sleep(SILENCE);
        tokio::pin!(attempt, silence);
        loop {
            tokio::select! {
                result = &mut attempt => {
                    self.over = result.is_ok();
                    return Ok(Some(result));
                }
                _ = asks.changed() => {
                    self.count();
                    if self.leaves() {
                        return Ok(None);
                    }
                    self.look_again()?;
                }
                () = &mut silence, if self.hold.is_none() && self.who != Who::Watcher => self.stand("it does not answer")?,
            }
        }
    }

    /// Waits after an attempt that failed with `error`. Returns whether to try again; not, where
    /// somebody asks to leave.
    ///
    /// # Errors
    ///
    /// [`Error::Away`]: it has waited for long enough.
    pub(super) async fn wait(&mut self, error: &target::Error) -> Result<bool, Error> {
        let limit = self.run.pace().ends.max_outage;
        self.count();
        self.is_away_now();
        self.backoff.bound(limit);
        let Some(pause) = self.backoff.next(self.spent) else {
            return Err(Error::Away {
                away: spec::Duration(Duration::from_millis(millis(self.spent))),
                attempts: self.backoff.failed(),
                limit: spec::Duration(limit),
                last: error.clone(),
            });
        };
        if self.who != Who::Watcher {
            self.stand(&error.to_string())?;
        }
        let (mut asks, mut paces) = (self.run.stop.watch(), self.run.pace.subscribe());
        let over = tokio::time::sleep(pause);
        tokio::pin!(over);
        loop {
            if self.leaves() {
                return Ok(false);
            }
            // Who is paused does not even ask; but a kill needs its session also then.
            let asks_again = self.who == Who::Watcher || self.run.stop.level() != Level::Pause;
            tokio::select! {
                () = &mut over, if asks_again => return Ok(true),
                _ = asks.changed() => {
                    self.count();
                    self.look_again()?;
                }
                // Somebody may have more patience by now, or less.
                Ok(()) = paces.changed() => self.backoff.bound(self.run.pace().ends.max_outage),
            }
        }
    }

    /// Whether somebody asks to leave whom this one obeys: what goes on beside the work ends with it.
    fn leaves(&self) -> bool {
        self.who != Who::Watcher && Level::Drain <= self.run.stop.level()
    }

    /// What has passed since the last wait was no absence of this one.
    pub(super) fn skip(&mut self) {
        self.counted = Instant::now();
        self.paused = self.run.stop.level() == Level::Pause;
    }

    /// Adds what has passed, unless the job was paused.
    fn count(&mut self) {
        let now = Instant::now();
        if !self.paused {
            self.spent += now - self.counted;
        }
        self.counted = now;
        self.paused = self.run.stop.level() == Level::Pause;
    }

    fn is_away_now(&mut self) {
        if !std::mem::replace(&mut self.away, true) {
            self.run.away.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes a place at the gate, and says why.
    fn stand(&mut self, why: &str) -> Result<(), Error> {
        if self.hold.is_some() {
            return Ok(());
        }
        if self.who == Who::Course {
            self.run.lifecycle.enter();
        }
        self.is_away_now();
        let limit = spec::Duration(self.run.pace().ends.max_outage);
        let reason = format!("{NAME} away, waiting for it for at most {limit} ({why})");
        self.hold = Some(Hold { signal: NAME, reason });
        self.run.lifecycle.park(&self.gate())
    }

    /// What people ask has changed: a pause takes effect, or ends.
    fn look_again(&self) -> Result<(), Error> {
        if self.hold.is_none() {
            return Ok(());
        }
        self.run.lifecycle.unpark(&self.gate())?;
        self.run.lifecycle.park(&self.gate())
    }

    fn gate(&self) -> Gate {
        let Gate { ask, holds } = self.run.gate();
        let holds = self.hold.iter().chain(holds.iter()).cloned().collect();
        Gate { ask, holds: Arc::new(holds) }
    }
}

impl Drop for Absence<'_> {
    fn drop(&mut self) {
        let (run, gate) = (self.run, self.run.gate());
        if self.away && self.over {
            run.away.fetch_sub(1, Ordering::Relaxed);
        }
        if self.hold.is_none() {
            return;
        }
        // A journal that fails here fails at the next checkpoint, and that stops the job.
        if self.over {
            let _ = run.lifecycle.unpark(&gate);
        } else {
            run.lifecycle.turn_away();
        }
        if self.who == Who::Course {
            let _ = run.lifecycle.leave(&gate);
        }
    }
}

/// Another number each time: the standard library seeds its hash maps by the system's chance.
pub(crate) fn seed() -> u64 {
    RandomState::new().build_hasher().finish()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
