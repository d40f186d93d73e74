//! `[update]`: the batch as one transaction.

use async_trait::async_trait;

use super::{Shape, Window};
use crate::control::Level;
use crate::event::{Event, Phase};
use crate::keyspace::Range;
use crate::run::protocol::{Answer, End, Step, moved};
use crate::run::seat::{Seat, fenced_off};
use crate::run::{Error, Run};
use crate::target::{self, Class};

/// Writes the window and advances the fence.
pub(in crate::run) struct Update;

#[async_trait]
impl Shape for Update {
    fn phase(&self) -> Phase {
        Phase::Write
    }

    async fn apply(
        &self,
        run: &Run,
        seat: &mut Seat,
        window: &Window,
        range: &mut Range,
    ) -> Result<u64, Error> {
        let fenced = run.ledger.fence().is_some();
        let mut batch = Batch { run, seat, window, range, changed: 0, error: None };
        let mut step = Step::FIRST;
        loop {
            match step {
                Step::End(End::Committed) => {
                    *batch.range = batch.next();
                    return Ok(batch.changed);
                }
                Step::End(end) => return Err(batch.failure(end).await),
                _ => {}
            }
            let answer = batch.take(step).await;
            step = step.next(answer, fenced);
        }
    }
}

/// A batch on its way through the protocol.
struct Batch<'a> {
    run: &'a Run,
    seat: &'a mut Seat,
    window: &'a Window,
    /// As the fence has it.
    range: &'a mut Range,
    changed: u64,
    /// The first thing that went wrong.
    error: Option<Error>,
}

impl Batch<'_> {
    /// The range once the batch has committed.
    fn next(&self) -> Range {
        let Window { upto, rows, last, .. } = self.window;
        self.range.advanced(upto, *rows, self.changed, *last)
    }

    async fn take(&mut self, step: Step) -> Answer {
        let done = match step {
            Step::Begin => {
                let patience = self.run.pace().patience;
                let commit = self.run.commit_of(self.window.last);
                self.seat.session.begin_batch(&patience, commit).await
            }
            Step::Write => self.write().await,
            Step::Fence => match self.fence().await {
                Ok(true) => Ok(()),
                Ok(false) => return Answer::NotSo,
                Err(error) => Err(error),
            },
            Step::Commit => self.seat.session.commit().await,
            Step::Settle => return self.settle().await,
            Step::Rollback(_) => {
                // The first error is the one that matters; a rollback that fails too means that
                // the connection is gone, and the server rolls back by itself.
                let _ = self.seat.session.rollback().await;
                return Answer::Done;
            }
            Step::End(_) => Ok(()),
        };
        match done {
            Ok(()) => Answer::Done,
            Err(error) => {
                let answer = if error.is_lost() { Answer::Lost } else { Answer::Failed };
                self.error.get_or_insert(error.into());
                answer
            }
        }
    }

    async fn write(&mut self) -> target::Result<()> {
        let Self { run, window, .. } = self;
        let dialect = run.target.dialect();
        let label = run.plan.label(self.range.id);
        let (after, upto) = (window.after.as_ref(), &window.upto);
        if let Some(lock) = run.plan.lock_step(&run.pace(), dialect, after, upto) {
            self.seat.session.query(&lock.labelled(&label)).await?;
        }
        let write = run.plan.statements.write(dialect, after, upto);
        self.changed = self.seat.session.execute(&write.labelled(&label)).await?;
        // A cancel may have fallen between two statements, where the server has nothing to cancel.
        if Level::Cancel <= run.stop.level() {
            return Err(target::Error::new(Class::Cancelled, "cancelled by request"));
        }
        Ok(())
    }

    /// Advances the fence's row; says whether it was ours to advance.
    async fn fence(&mut self) -> target::Result<bool> {
        let Some(fence) = self.run.ledger.fence() else { return Ok(true) };
        let dialect = self.run.target.dialect();
        let advance = fence.advance(dialect, self.run.generation, self.range, &self.next());
        let advance = advance.labelled(&self.run.plan.label(self.range.id));
        Ok(self.seat.session.execute(&advance).await? == 1)
    }

    /// Finds out, on another session, whether the batch committed whose COMMIT was not answered.
    async fn settle(&mut self) -> Answer {
        let next = self.next();
        self.run.ground.shake();
        match self.seat.renew(self.run, self.range).await {
            Ok(Some(found)) if moved(&found, &next) => {
                // The epoch is a new one, and `next` is made of this.
                self.range.epoch = found.epoch;
                Answer::Done
            }
            Ok(Some(found)) => {
                if let Err(error) = self.run.fell_back(self.range, &found) {
                    self.error = Some(error);
                }
                *self.range = found;
                Answer::NotSo
            }
            Ok(None) => {
                self.note("the run was told to leave before the server answered again");
                Answer::Lost
            }
            Err(error @ Error::FencedOff { .. }) => {
                self.error = Some(error);
                Answer::Failed
            }
            Err(error) => {
                self.note(&error.in_short());
                Answer::Lost
            }
        }
    }

    /// Adds to the first thing that went wrong what came after it.
    fn note(&mut self, then: &str) {
        let first = self.error.take();
        let first = first.map_or_else(String::new, |first| format!("{}; ", first.in_short()));
        self.error = Some(Error::target(target::Error::new(Class::Lost, format!("{first}{then}"))));
    }

    async fn failure(&mut self, end: End) -> Error {
        let cause = self.error.take();
        match (end, cause) {
            (End::Refused, None) => {
                self.run.tell(Event::FencedOff { range: self.range.id });
                fenced_off(self.run, self.seat.session.as_mut(), self.range).await
            }
            (End::Unknown, cause) => Error::OutcomeUnknown {
                cause: cause.map_or_else(|| "no answer".to_owned(), |cause| cause.in_short()),
                upto: self.run.plan.show_key(&self.window.upto),
            },
            (_, Some(cause)) => cause,
            (_, None) => Error::Worker("a batch ended without a reason".to_owned()),
        }
    }
}
