//! `[update]`: the batch as one transaction.

use async_trait::async_trait;

use super::{Poison, Shape, Window, keep};
use crate::control::{Level, Source};
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
        let work = Work::Write;
        Batch { run, seat, window, range, work, changed: 0, error: None }.run().await
    }

    /// The row is written down first: a crash in between repeats that, and loses nothing.
    async fn pass_over(
        &self,
        run: &Run,
        seat: &mut Seat,
        window: &Window,
        range: &mut Range,
        poison: &Poison,
    ) -> Result<(), Error> {
        let (after, upto) = (window.after.as_ref(), &window.upto);
        let write = run.plan.statements.write(run.target.dialect(), after, upto);
        run.quarantine(range, after, &write.sql, poison)?;
        let (worker, work) = (seat.number, Work::PassOver);
        let batch = Batch { run, seat, window, range, work, changed: 0, error: None };
        batch.run().await?;
        run.tell_quarantined(range.id, worker, poison);
        Ok(())
    }
}

/// What a batch does before it advances the fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// It writes the rows of the window.
    Write,
    /// Nothing: the window's only row cannot be written.
    PassOver,
}

/// A batch on its way through the protocol.
struct Batch<'a> {
    run: &'a Run,
    seat: &'a mut Seat,
    window: &'a Window,
    /// As the fence has it.
    range: &'a mut Range,
    work: Work,
    changed: u64,
    /// The first thing that went wrong.
    error: Option<Error>,
}

impl Batch<'_> {
    /// Takes every step, and returns the number of rows that changed.
    async fn run(mut self) -> Result<u64, Error> {
        let fenced = self.run.ledger.fence().is_some();
        let mut step = Step::FIRST;
        loop {
            match step {
                Step::End(End::Committed) => {
                    *self.range = self.next();
                    return Ok(self.changed);
                }
                Step::End(end) => return Err(self.failure(end).await),
                _ => {}
            }
            let answer = self.take(step).await;
            step = step.next(answer, fenced);
        }
    }

    /// The range once the batch has committed.
    fn next(&self) -> Range {
        let Window { upto, rows, last, .. } = self.window;
        match self.work {
            Work::Write => self.range.advanced(upto, *rows, self.changed, *last),
            Work::PassOver => self.range.passed_over(upto, *last),
        }
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
                // Whatever is wrong with the fence, no row of the user's is at fault.
                Err(error) if error.class == Class::Poison => {
                    Err(target::Error { class: Class::Refused, ..error })
                }
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
        if self.work == Work::Write {
            if let Some(lock) = run.plan.lock_step(&run.pace(), dialect, after, upto) {
                self.seat.session.query(&lock.labelled(&label)).await?;
            }
            let session = self.seat.session.as_mut();
            self.changed = match &run.plan.undo {
                Some(undo) => keep::write(run, undo, session, &label, self.window).await?,
                None => {
                    let write = run.plan.statements.write(dialect, after, upto);
                    session.execute(&write.labelled(&label)).await?
                }
            };
        }
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
                let ask = self.run.stop.present();
                match ask.reason.filter(|_| ask.source == Source::Runner) {
                    Some(why) => self.note(&format!("another worker gave up: {why}")),
                    None => {
                        self.note("the run was told to leave before the server answered again");
                    }
                }
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
