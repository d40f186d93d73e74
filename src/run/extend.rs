//! More work for a generation whose ranges are walked: rows that came late, and rows that are tried again.

use super::{Error, Run};
use crate::keyspace::{Key, Range};
use crate::target::fence::Generation;

/// Where a range begins (after that key; `None`: with the table) and where it ends.
pub(super) type Bounds = (Option<Key>, Key);

impl Run {
    /// Adds a range for each of `bounds` to the present generation, all or none, and returns them: the
    /// caller's, and not walked yet. `known` are the generation's ranges. Rows that were in quarantine
    /// are no longer counted so in the ranges `from`: of each, the number says how many.
    ///
    /// `before` is told of the ranges before anything is written.
    ///
    /// They are ranges like all others: a runner that comes later walks what is left of them.
    pub(super) async fn extend(
        &self,
        known: &[Range],
        bounds: Vec<Bounds>,
        from: &[(Range, u64)],
        before: impl FnOnce(&[Range]) -> Result<(), Error>,
    ) -> Result<Vec<Range>, Error> {
        let first = known.iter().map(|range| range.id + 1).max().unwrap_or(0);
        let new = |(id, (lo, hi))| Range::new(id, lo, hi);
        let ranges: Vec<_> = (first..).zip(bounds).map(new).collect();
        before(&ranges)?;
        if let Some(fence) = self.ledger.fence() {
            let mut session = self.open("planner").await?.session;
            let generation = Generation {
                number: self.generation,
                spec_hash: self.plan.spec_hash.clone(),
                table_identity: self.plan.table.identity.clone(),
                holder: Some(self.holder(session.as_ref())),
                ranges: ranges.clone(),
            };
            let dialect = self.target.dialect();
            let added = fence.requeue(dialect, session.as_mut(), &generation, from).await;
            session.close().await;
            added?;
        }
        let less = |(range, rows): &(Range, u64)| Range {
            rows_quarantined: range.rows_quarantined.saturating_sub(*rows),
            ..range.clone()
        };
        let changed: Vec<_> = ranges.iter().cloned().chain(from.iter().map(less)).collect();
        self.journal.extend(&self.plan.spec.job.name, self.generation, &changed)?;
        Ok(ranges)
    }
}
