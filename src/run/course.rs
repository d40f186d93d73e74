//! The course of a run: what is done in which order, and what follows from what was found.

use std::sync::Arc;

use super::finish::Outcome;
use super::released::Released;
use super::{Error, Run, claim, shape, walk};
use crate::control::Level;
use crate::event::{Event, JobState, Trigger};
use crate::keyspace::Range;

impl Run {
    /// Walks what is not walked yet, and verifies.
    pub(super) async fn work(self: &Arc<Self>, ranges: Vec<Range>) -> Result<Outcome, Error> {
        tokio::select! {
            () = self.board.first_look() => {}
            () = self.stop.reached(Level::Drain) => {}
        }
        self.settle_quarantine(&ranges)?;
        let ranges = self.requeue(ranges, &self.retries).await?;
        let walked = ranges.iter().all(|range| range.done);
        if !walked {
            self.lifecycle.apply(Trigger::Started, None, None)?;
            let left = walk::walk(self, Arc::new(shape::update::Update), ranges).await?;
            if left {
                return Ok(Outcome::Left);
            }
        }
        if let Some(left) = self.left_in_quarantine()? {
            let reason = Some(left.sentence());
            self.conclude(JobState::Incomplete, Trigger::WalkedWithQuarantine, reason)?;
            return Ok(Outcome::Incomplete(left));
        }
        if !matches!(self.lifecycle.state(), JobState::Verified | JobState::Unverified) {
            self.conclude(JobState::Completed, Trigger::Walked, None)?;
        }
        if self.look_after().await? {
            return Ok(Outcome::Left);
        }
        if self.plan.statements.verifies() { self.verify().await } else { Ok(Outcome::Done(None)) }
    }

    /// Moves to the state in which a walked job is, unless it is there. Where the fence knows more than
    /// the journal, and every range is done, that is by way of a start.
    fn conclude(
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

    async fn verify(self: &Arc<Self>) -> Result<Outcome, Error> {
        self.lifecycle.apply(Trigger::VerifyStarted, None, None)?;
        let ranges = self.split_whole_table().await?;
        let shape = Arc::new(shape::verify::Verify::without(Released::of(self)?));
        let left = walk::walk(self, shape.clone(), ranges).await?;
        if left {
            return Ok(Outcome::Left);
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
        Ok(Outcome::Done(Some(verdict)))
    }

    async fn split_whole_table(&self) -> Result<Vec<Range>, Error> {
        let mut session = self.target.open("planner").await?;
        let ranges = claim::split_table(&self.plan, &*self.target, session.as_mut()).await?;
        session.close().await;
        Ok(ranges)
    }
}
