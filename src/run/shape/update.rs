//! `[update]`: the batch as one transaction.

use async_trait::async_trait;

use super::{Shape, Window};
use crate::control::Level;
use crate::event::Phase;
use crate::keyspace::Range;
use crate::run::{Error, Run};
use crate::target::{Class, Session};

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
        session: &mut dyn Session,
        window: &Window,
        next: &Range,
    ) -> Result<u64, Error> {
        session.begin().await?;
        match write_and_fence(run, session, window, next).await {
            Ok(changed) => match session.commit().await {
                Ok(()) => Ok(changed),
                Err(error) if error.class == Class::Lost => {
                    settle_lost_commit(run, next, error).await.map(|()| changed)
                }
                Err(error) => {
                    let _ = session.rollback().await;
                    Err(error.into())
                }
            },
            Err(error) => {
                // The first error is the one that matters; a rollback that fails too means that
                // the connection is gone, and the server rolls back by itself.
                let _ = session.rollback().await;
                Err(error)
            }
        }
    }
}

async fn write_and_fence(
    run: &Run,
    session: &mut dyn Session,
    window: &Window,
    next: &Range,
) -> Result<u64, Error> {
    let dialect = run.target.dialect();
    let write = run.plan.statements.write(dialect, window.after.as_ref(), &window.upto);
    let changed = session.execute(&write).await?;
    let next = Range { rows_changed: next.rows_changed + changed, ..next.clone() };
    // A cancel may have fallen between two statements, where the server has nothing to cancel.
    if Level::Cancel <= run.stop.level() {
        return Err(crate::target::Error::new(Class::Cancelled, "cancelled by request").into());
    }
    let fence = run.fence.advance(dialect, run.generation, &next);
    match session.execute(&fence).await? {
        1 => Ok(changed),
        _ => Err(Error::FencedOff { range: next.id }),
    }
}

/// Asks the fence, on a new session, whether the batch committed whose COMMIT was not answered.
/// `Ok` means that it did.
async fn settle_lost_commit(
    run: &Run,
    next: &Range,
    cause: crate::target::Error,
) -> Result<(), Error> {
    let unknown = |cause: &dyn std::fmt::Display| Error::OutcomeUnknown {
        cause: cause.to_string(),
        upto: run.plan.show_key(next.cursor.as_ref().unwrap_or(&next.hi)),
    };
    let mut session = run.target.open("settling a commit").await.map_err(|_| unknown(&cause))?;
    let known = run.fence.load(run.target.dialect(), session.as_mut()).await;
    session.close().await;
    let generation = known.map_err(|_| unknown(&cause))?.ok_or_else(|| unknown(&cause))?;
    let range = generation.ranges.iter().find(|range| range.id == next.id);
    if range.is_some_and(|range| range.cursor == next.cursor && range.batches == next.batches) {
        Ok(())
    } else {
        Err(cause.into())
    }
}
