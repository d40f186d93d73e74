//! The course of a run: what is done in which order, and what follows from what was found.

use std::sync::Arc;

use super::claim::Course;
use super::finish::Outcome;
use super::{Error, Run, shape, walk};
use crate::control::Level;
use crate::event::Trigger;
use crate::keyspace::Range;

impl Run {
    /// Walks what is not walked yet, and verifies.
    pub(super) async fn work(self: &Arc<Self>, ranges: Vec<Range>) -> Result<Outcome, Error> {
        tokio::select! {
            () = self.board.first_look() => {}
            () = self.stop.reached(Level::Drain) => {}
        }
        if self.course != Course::Work {
            return self.only_verify().await;
        }
        let walked = ranges.iter().all(|range| range.done);
        if !walked {
            self.lifecycle.apply(Trigger::Started, None, None)?;
            let left = walk::walk(self, Arc::new(shape::update::Update), ranges).await?;
            if left {
                return Ok(Outcome::Left);
            }
            self.lifecycle.apply(Trigger::Walked, None, None)?;
        } else if !self.lifecycle.state().is_walked() {
            // The fence knows more than the journal: every range is done.
            self.lifecycle.apply(Trigger::Started, None, None)?;
            self.lifecycle.apply(Trigger::Walked, None, None)?;
        }
        if self.plan.statements.verifies() {
            self.verify(true).await
        } else {
            Ok(Outcome::Done(None))
        }
    }

    /// Only looks. Every range is walked, or the job would not have been taken.
    async fn only_verify(self: &Arc<Self>) -> Result<Outcome, Error> {
        if !self.lifecycle.state().is_walked() {
            self.lifecycle.apply(Trigger::Started, None, None)?;
            self.lifecycle.apply(Trigger::Walked, None, None)?;
        }
        match self.course {
            Course::Watch(time) => self.watch_rows(time).await,
            _ => self.verify(false).await,
        }
    }
}
