//! Making what was committed durable.

use super::Fence;
use crate::keyspace::Range;
use crate::target::{Commit, Dialect, Patience, Result, Session, Writer};

impl Fence {
    /// Returns when everything that was committed before is on the server's disk. Returns whether the
    /// range is still its owner's; where it is not, its batches are on disk with the claim of whoever
    /// has it.
    ///
    /// The commit of a transaction that wrote nothing would flush nothing, so this writes the range's
    /// row once more as it is.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn flush(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: u32,
        range: &Range,
        patience: &Patience,
    ) -> Result<bool> {
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET epoch = epoch");
        self.push_owned(&mut w, generation, range);
        session.begin_batch(patience, Commit::Flushed).await?;
        match session.execute(&w.finish()).await {
            Ok(rows) => session.commit().await.map(|()| rows == 1),
            Err(error) => {
                // The first error is the one that matters.
                let _ = session.rollback().await;
                Err(error)
            }
        }
    }
}
