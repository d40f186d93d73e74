//! Where the truth about a job lives: in the fence, or in the journal where there is none.

use super::Error;
use crate::journal::Journal;
use crate::keyspace::Range;
use crate::plan::Plan;
use crate::target::fence::{Fence, Generation};
use crate::target::{Dialect, Session, Statement};

/// The one place that says how far a job is.
#[derive(Clone)]
pub(super) enum Ledger {
    /// The fence: its rows commit together with the job's.
    Fence(Fence),
    /// The journal. It is written after each batch, so after a crash it may say less than was done,
    /// never more.
    Journal(Journal),
}

impl Ledger {
    pub(super) fn of(plan: &Plan, journal: &Journal) -> Self {
        match &plan.fence {
            Some(home) => Self::Fence(Fence::of(home, &plan.spec.job.name)),
            None => Self::Journal(journal.clone()),
        }
    }

    /// The fence, where there is one.
    pub(super) const fn fence(&self) -> Option<&Fence> {
        match self {
            Self::Fence(fence) => Some(fence),
            Self::Journal(_) => None,
        }
    }

    /// The newest generation of the job, if it is known.
    pub(super) async fn load(
        &self,
        plan: &Plan,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
    ) -> Result<Option<Generation>, Error> {
        match self {
            Self::Fence(fence) if plan.fence.as_ref().is_some_and(|home| home.fence.exists) => {
                Ok(fence.load(dialect, session).await?)
            }
            Self::Fence(_) => Ok(None),
            Self::Journal(journal) => {
                let job = &plan.spec.job.name;
                let Some(row) = journal.begun(job)? else { return Ok(None) };
                let ranges =
                    journal.checkpoints(job)?.into_iter().map(|point| point.range).collect();
                Ok(Some(Generation {
                    number: row.generation,
                    spec_hash: row.spec_hash,
                    table_identity: row.table_identity,
                    holder: row.runner,
                    ranges,
                }))
            }
        }
    }

    /// Makes the tables that the fence needs. Another job may make them at the same moment, and
    /// that is as good.
    pub(super) async fn make(
        &self,
        plan: &Plan,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
    ) -> Result<(), Error> {
        let Some(home) = &plan.fence else { return Ok(()) };
        let places = home.places().into_iter().map(|place| (place, place.ddl.clone()));
        let undo = plan.undo.as_ref().map(|undo| (&undo.place, undo.ddl(dialect)));
        for (place, ddl) in places.chain(undo).filter(|(place, _)| !place.exists) {
            if let Err(error) = session.execute(&Statement::plain(ddl)).await {
                let look = Statement::plain(format!("SELECT count(*) FROM {}", place.table));
                if session.query(&look).await.is_err() {
                    return Err(error.into());
                }
            }
        }
        if let Some(undo) = &plan.undo {
            undo.make_ready(dialect, session).await?;
        }
        Ok(())
    }

    /// Writes the generation where it is new, or the spec under which it goes on; makes the caller
    /// the owner of its ranges, and returns them. The journal's part of it is written by
    /// [`Journal::begin_run`].
    pub(super) async fn claim(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: Generation,
        claim: Claim,
    ) -> Result<Vec<Range>, Error> {
        let Self::Fence(fence) = self else { return Ok(generation.ranges) };
        match claim {
            Claim::Begin => {
                // Nobody's, until they are claimed.
                let unclaimed = Generation { holder: None, ..generation.clone() };
                fence.create(dialect, session, &unclaimed).await?;
            }
            Claim::Accept => {
                fence.accept(dialect, session, generation.number, &generation.spec_hash).await?;
            }
            Claim::GoOn => {}
        }
        let holder = generation.holder.unwrap_or_default();
        Ok(fence.claim(dialect, session, generation.number, &holder).await?)
    }
}

/// How a generation is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is new.
    Begin,
    /// It goes on under a spec that was accepted.
    Accept,
    /// It goes on.
    GoOn,
}
