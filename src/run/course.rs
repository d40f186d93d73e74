//! The course of a run: what is done in which order, and what follows from what was found.

use std::sync::Arc;

use super::claim::Course;
use super::finish::Outcome;
use super::ground::Unwalked;
use super::{Error, Run, shape, walk};
use crate::control::Level;
use crate::event::{JobState, Trigger};
use crate::keyspace::Range;

impl Run {
    /// Walks what is not walked yet, looks after the table, and verifies.
    pub(super) async fn work(self: &Arc<Self>, ranges: Vec<Range>) -> Result<Outcome, Error> {
        tokio::select! {
            () = self.board.first_look() => {}
            () = self.stop.reached(Level::Drain) => {}
        }
        self.settle_quarantine(&ranges)?;
        let ranges = self.requeue(ranges, &self.retries).await?;
        if ranges.iter().any(|range| !range.done) {
            self.lifecycle.apply(Trigger::Started, None, None)?;
            if self.write_all(ranges).await? {
                return Ok(Outcome::Left);
            }
        }
        if let Some(incomplete) = self.end_walk()? {
            return Ok(incomplete);
        }
        match self.course {
            Course::Watch(time) => return self.watch_rows(time).await,
            Course::Verify => return self.verify(false).await,
            Course::Work => {}
        }
        if self.look_after().await? {
            return Ok(Outcome::Left);
        }
        if self.plan.statements.verifies() {
            self.verify(true).await
        } else {
            Ok(Outcome::Done(None))
        }
    }

    /// Writes the rows of all ranges. Returns whether it was told to leave before their end.
    pub(super) async fn write_all(self: &Arc<Self>, ranges: Vec<Range>) -> Result<bool, Error> {
        let (mut ranges, mut breaks) = (ranges, 0);
        loop {
            if walk::walk(self, Arc::new(shape::update::Update), ranges, breaks).await? {
                return Ok(true);
            }
            (ranges, breaks) = match self.unwalked().await? {
                Unwalked::Nothing => return Ok(false),
                Unwalked::Ranges(ranges, breaks) => (ranges, breaks),
                Unwalked::Left => return Ok(true),
            };
        }
    }

    /// Every range is walked: moves to the state that follows. With rows in quarantine, that is the end.
    pub(super) fn end_walk(&self) -> Result<Option<Outcome>, Error> {
        if let Some(left) = self.left_in_quarantine()? {
            let reason = Some(left.sentence());
            self.arrive(JobState::Incomplete, Trigger::WalkedWithQuarantine, reason)?;
            return Ok(Some(Outcome::Incomplete(left)));
        }
        if !matches!(self.lifecycle.state(), JobState::Verified | JobState::Unverified) {
            self.arrive(JobState::Completed, Trigger::Walked, None)?;
        }
        Ok(None)
    }

    /// Moves to the state in which a walked job is, unless it is there. Where the fence knows more than
    /// the journal, and every range is done, that is by way of a start.
    fn arrive(
        &self,
        state: JobState,
        trigger: Trigger,
        reason: Option<String>,
    ) -> Result<(), Error> {
        if self.lifecycle.state() == state {
            return Ok(());
        }
        if self.lifecycle.state() != JobState::Running {
            self.lifecycle.apply(Trigger::Started, None, None)?;
        }
        self.lifecycle.apply(trigger, None, reason).map(drop)
    }
}
