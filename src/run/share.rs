//! Giving half of a range to a worker that has nothing to do.

use super::Error;
use super::survey::{Survey, one_key};
use super::walk::Worker;
use crate::event::{Event, Phase};
use crate::keyspace::{Key, Range};
use crate::target::fence::Generation;

/// A range is shared when about this many batches of it are left: with fewer, opening another one
/// costs more than it brings.
const LEAST_BATCHES: u64 = 8;

/// Where no value is known to lie in the middle, the other worker gets what lies beyond this many
/// batches; to find the place, that many are read from the index.
const BATCHES_AHEAD: u64 = 16;

impl Worker<'_> {
    /// Shares the range if somebody is idle and enough of it is left.
    ///
    /// What the target refuses here is no reason to fail: the range then stays whole.
    pub(super) async fn share(&mut self, range: &mut Range) -> Result<(), Error> {
        if !self.crew.is_short() {
            return Ok(());
        }
        let brake = self.seat.session.brake();
        let run = self.run;
        let looked = run.braked(brake, self.find_cut(range)).await;
        let cut = match looked.result {
            Ok(Some(cut)) => cut,
            Ok(None) | Err(Error::Target(_)) => return Ok(()),
            Err(error) => return Err(error),
        };
        let given = Range {
            epoch: range.epoch,
            ..Range::new(self.crew.new_id(), Some(cut.clone()), range.hi.clone())
        };
        let kept = Range { hi: cut, ..range.clone() };
        let half = self.left.rows.map(|rows| rows / 2);
        if self.shape.phase() == Phase::Verify {
            self.shape.shared(run, &kept, &given)?;
            *range = kept;
        } else if !self.write_down(range, kept, &given, half).await? {
            return Ok(());
        }
        self.left.rows = half;
        run.bus.emit(Event::RangeOpened {
            phase: self.shape.phase(),
            range: given.id,
            rows_scanned: 0,
            rows_changed: 0,
            batches: 0,
            rows_left: half,
            cursor: None,
            done: false,
        });
        self.crew.add(given, self.seat.breaks);
        Ok(())
    }

    /// Where the range is to end from now on.
    async fn find_cut(&mut self, range: &Range) -> Result<Option<Key>, Error> {
        let Self { run, shape, sizer, seat, .. } = self;
        let (after, batch) = (range.position(), sizer.rows());
        let session = seat.session.as_mut();
        let mut survey = Survey { plan: &run.plan, target: &*run.target, session };
        let left = survey.rows(after, &range.hi).await?;
        if left.is_none_or(|left| left < LEAST_BATCHES * batch) {
            return Ok(None);
        }
        if let Some(cut) = survey.cuts(after, &range.hi, 2).await?.pop() {
            return Ok(Some(cut));
        }
        let (dialect, statements) = (run.target.dialect(), run.plan.statements_of(shape.phase()));
        let look = statements.boundary(dialect, after, &range.hi, BATCHES_AHEAD * batch);
        let mut rows = seat.session.query(&look).await?;
        let past = rows.first_mut().and_then(Vec::pop).flatten();
        let found = one_key(&run.plan, rows)?;
        Ok(found.filter(|key| past.as_deref() == Some("0") && *key != range.hi))
    }

    /// Writes both parts down where the truth is, together. Says whether that was done.
    async fn write_down(
        &mut self,
        range: &mut Range,
        kept: Range,
        given: &Range,
        left: Option<u64>,
    ) -> Result<bool, Error> {
        let run = self.run;
        if let Some(fence) = run.ledger.fence() {
            let session = self.seat.session.as_mut();
            let generation = Generation {
                number: run.generation,
                spec_hash: run.plan.spec_hash.clone(),
                table_identity: run.plan.table.identity.clone(),
                holder: Some(run.holder(session)),
                ranges: vec![kept.clone(), given.clone()],
            };
            run.ground.sign(
                given.id,
                given.epoch,
                generation.holder.as_deref().unwrap_or_default(),
            );
            match fence.split(run.target.dialect(), session, &generation).await {
                // Whoever has the range now is told by the next batch.
                Ok(false) => return Ok(false),
                Ok(true) => *range = kept,
                // The answer to a COMMIT may be what was lost: the row itself tells.
                Err(error) if error.is_lost() => {
                    if !self.reseat(range).await? || range.hi != kept.hi {
                        return Ok(false);
                    }
                }
                Err(_) => return Ok(false),
            }
        } else {
            *range = kept;
        }
        let job = &run.plan.spec.job.name;
        run.journal.share(job, run.generation, [range, given], left)?;
        Ok(true)
    }
}
