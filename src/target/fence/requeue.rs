//! Trying rows in quarantine again.

use super::{Fence, Generation};
use crate::keyspace::Range;
use crate::target::{Dialect, Result, Session, Writer};

impl Fence {
    /// Writes ranges that nobody has walked, and takes their rows out of the count of rows in
    /// quarantine of the ranges `from` in which they were: all or nothing. Of each of `from`, the
    /// number says how many.
    ///
    /// So the counts of a generation always add up to the rows that are neither written nor to be
    /// walked, whatever becomes of a journal.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn requeue(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: &Generation,
        from: &[(Range, u64)],
    ) -> Result<()> {
        session.begin().await?;
        for range in &generation.ranges {
            session.execute(&self.insert(dialect, generation, range)).await?;
        }
        for (range, rows) in from {
            let mut w = Writer::new(dialect);
            w.push("UPDATE ").push(&self.table).push(" SET rows_quarantined = ");
            w.int(range.rows_quarantined.saturating_sub(*rows));
            self.push_row(&mut w, generation.number, range);
            session.execute(&w.finish()).await?;
        }
        session.commit().await
    }
}
