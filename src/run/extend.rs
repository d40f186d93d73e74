//! More work for a generation whose ranges are walked: rows that came late, and rows that are tried again.

use super::{Error, Run};
use crate::keyspace::{Key, Range};
use crate::target::fence::{self, Generation};

/// Where a range begins (after that key; `None`: with the table) and where it ends.
pub(super) type Bounds = (Option<Key>, Key);

impl Run {
    /// Adds a range for each of `bounds` to the present generation, all or none, and returns them: the
    /// caller's, and not walked yet. `known` are the generation's ranges.
    ///
    /// They are ranges like all others: a runner that comes later walks what is left of them.
    pub(super) async fn extend(
        &self,
        known: &[Range],
        bounds: Vec<Bounds>,
    ) -> Result<Vec<Range>, Error> {
        let first = known.iter().map(|range| range.id + 1).max().unwrap_or(0);
        let new = |(id, (lo, hi))| Range::new(id, lo, hi);
        let ranges: Vec<_> = (first..).zip(bounds).map(new).collect();
        if let Some(fence) = self.ledger.fence() {
            let mut session = self.target.open("planner").await.map_err(Error::Session)?;
            let generation = Generation {
                number: self.generation,
                spec_hash: self.plan.spec_hash.clone(),
                table_identity: self.plan.table.identity.clone(),
                holder: Some(fence::holder(&self.runner, session.as_ref())),
                ranges: ranges.clone(),
            };
            let added = fence.create(self.target.dialect(), session.as_mut(), &generation).await;
            session.close().await;
            added?;
        }
        let job = &self.plan.spec.job.name;
        for range in &ranges {
            self.journal.checkpoint(job, self.generation, range, None)?;
        }
        Ok(ranges)
    }
}
