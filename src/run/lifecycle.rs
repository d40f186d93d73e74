//! The job's state while a runner has it, and the gate at which workers pause.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Error;
use super::bus::Bus;
use crate::control::{Ask, Level};
use crate::event::{Event, JobState, Trigger, next};
use crate::journal::Journal;

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
}

impl Lifecycle {
    pub(super) fn new(state: JobState, journal: Journal, bus: Bus) -> Self {
        Self { inner: Mutex::new(Inner { state, walking: 0, parked: 0 }), journal, bus }
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
    pub(super) fn leave(&self, ask: &Ask) -> Result<(), Error> {
        let mut inner = self.lock();
        inner.walking -= 1;
        self.pause_if_all_wait(&mut inner, ask)
    }

    /// A worker waits at the gate.
    pub(super) fn park(&self, ask: &Ask) -> Result<(), Error> {
        let mut inner = self.lock();
        inner.parked += 1;
        self.pause_if_all_wait(&mut inner, ask)
    }

    /// The job is paused when every worker that is left waits at the gate.
    fn pause_if_all_wait(&self, inner: &mut Inner, ask: &Ask) -> Result<(), Error> {
        let all = 0 < inner.parked && inner.parked == inner.walking;
        if all && inner.state == JobState::Running && ask.level == Level::Pause {
            let (by, reason) = (Some(ask.by.clone()), ask.reason.clone());
            self.move_to(inner, Trigger::PauseAsked, by, reason)?;
        }
        Ok(())
    }

    /// A worker goes on, because `ask` says so.
    pub(super) fn unpark(&self, ask: &Ask) -> Result<(), Error> {
        let mut inner = self.lock();
        inner.parked -= 1;
        if inner.state == JobState::Paused && ask.level == Level::Go {
            let (by, reason) = (Some(ask.by.clone()), ask.reason.clone());
            self.move_to(&mut inner, Trigger::ResumeAsked, by, reason)?;
        }
        Ok(())
    }
}
