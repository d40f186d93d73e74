//! The job's state while a runner has it, and the gate at which workers pause.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::Error;
use super::bus::Bus;
use crate::control::{Ask, Level};
use crate::event::{Event, HoldView, JobState, Trigger, next};
use crate::journal::Journal;
use crate::throttle::{Hold, Holds};

/// Moves the state, writes it down, and says so: always all three.
pub(super) struct Lifecycle {
    inner: Mutex<Inner>,
    journal: Journal,
    bus: Bus,
}

struct Inner {
    state: JobState,
    walking: usize,
    parked: usize,
    /// Why everybody waits for signals, if that is so.
    held: Option<Held>,
}

struct Held {
    signals: Vec<&'static str>,
    since: Instant,
}

/// What keeps workers from beginning another batch: what people ask, and what signals say.
pub(super) struct Gate {
    pub ask: Ask,
    pub holds: Holds,
}

impl Gate {
    /// Whether a worker has to wait at it.
    pub(super) fn is_shut(&self) -> bool {
        match self.ask.level {
            Level::Go => !self.holds.is_empty(),
            Level::Pause => true,
            // Who has to leave is not kept.
            Level::Drain | Level::Cancel | Level::Kill => false,
        }
    }
}

impl Lifecycle {
    pub(super) fn new(state: JobState, journal: Journal, bus: Bus) -> Self {
        Self { inner: Mutex::new(Inner { state, walking: 0, parked: 0, held: None }), journal, bus }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn state(&self) -> JobState {
        self.lock().state
    }

    pub(super) fn apply(
        &self,
        trigger: Trigger,
        by: Option<String>,
        reason: Option<String>,
    ) -> Result<JobState, Error> {
        self.move_to(&mut self.lock(), trigger, by, reason)
    }

    fn move_to(
        &self,
        inner: &mut Inner,
        trigger: Trigger,
        by: Option<String>,
        reason: Option<String>,
    ) -> Result<JobState, Error> {
        let from = inner.state;
        let to = next(from, trigger)?;
        inner.state = to;
        let written = reason.clone();
        let record = self.bus.emit(Event::StateChanged { from, to, reason, by });
        self.journal.set_state(to, written.as_deref(), &record)?;
        Ok(to)
    }

    /// A worker begins to walk.
    pub(super) fn enter(&self) {
        self.lock().walking += 1;
    }

    /// A worker has nothing more to do. The others may all be waiting at the gate by now.
    pub(super) fn leave(&self, gate: &Gate) -> Result<(), Error> {
        let mut inner = self.lock();
        inner.walking -= 1;
        self.settle_if_all_wait(&mut inner, gate)
    }

    /// A worker waits at the gate.
    pub(super) fn park(&self, gate: &Gate) -> Result<(), Error> {
        let mut inner = self.lock();
        inner.parked += 1;
        self.settle_if_all_wait(&mut inner, gate)
    }

    /// The job is paused, or throttled, when every worker that is left waits at the gate.
    fn settle_if_all_wait(&self, inner: &mut Inner, gate: &Gate) -> Result<(), Error> {
        let all = 0 < inner.parked && inner.parked == inner.walking;
        if !all {
            return Ok(());
        }
        if gate.ask.level == Level::Pause {
            self.free(inner);
            if matches!(inner.state, JobState::Running | JobState::Throttled) {
                let (by, reason) = (Some(gate.ask.by.clone()), gate.ask.reason.clone());
                self.move_to(inner, Trigger::PauseAsked, by, reason)?;
            }
        } else if gate.ask.level == Level::Go && !gate.holds.is_empty() {
            self.hold(inner, &gate.holds)?;
        }
        Ok(())
    }

    /// Says why everybody waits, unless that was said.
    fn hold(&self, inner: &mut Inner, holds: &[Hold]) -> Result<(), Error> {
        let signals: Vec<_> = holds.iter().map(|hold| hold.signal).collect();
        if inner.held.as_ref().is_some_and(|held| held.signals == signals) {
            return Ok(());
        }
        let since = inner.held.as_ref().map_or_else(Instant::now, |held| held.since);
        inner.held = Some(Held { signals, since });
        if matches!(inner.state, JobState::Running | JobState::Throttled) {
            let reasons: Vec<_> = holds.iter().map(|hold| hold.reason.as_str()).collect();
            self.move_to(inner, Trigger::SignalTripped, None, Some(reasons.join("; ")))?;
        }
        let view =
            |hold: &Hold| HoldView { signal: hold.signal.to_owned(), reason: hold.reason.clone() };
        self.tell(Event::Held { holds: holds.iter().map(view).collect() });
        Ok(())
    }

    /// Says that nobody waits for a signal any more, if somebody did.
    fn free(&self, inner: &mut Inner) {
        if let Some(held) = inner.held.take() {
            self.tell(Event::Freed { seconds: held.since.elapsed().as_secs_f64() });
        }
    }

    /// What follows is written with its own check; a journal that fails here fails there too.
    fn tell(&self, event: Event) {
        let record = self.bus.emit(event);
        let _ = self.journal.log(&record);
    }

    /// A worker that waited leaves: what it waited for did not come, and the job's state says so until
    /// its end does.
    pub(super) fn turn_away(&self) {
        self.lock().parked -= 1;
    }

    /// A worker goes on, or looks again, because the gate is as it is now.
    pub(super) fn unpark(&self, gate: &Gate) -> Result<(), Error> {
        let mut inner = self.lock();
        inner.parked -= 1;
        if inner.state == JobState::Paused && gate.ask.level == Level::Go {
            let (by, reason) = (Some(gate.ask.by.clone()), gate.ask.reason.clone());
            self.move_to(&mut inner, Trigger::ResumeAsked, by, reason)?;
        }
        if gate.holds.is_empty() && inner.held.is_some() {
            if inner.state == JobState::Throttled {
                self.move_to(&mut inner, Trigger::SignalsCleared, None, None)?;
            }
            self.free(&mut inner);
        }
        Ok(())
    }
}
