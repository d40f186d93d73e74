//! Who holds each range.

use std::collections::BTreeMap;

use super::row::FenceRow;
use super::{Dialect, Fence, Result, Session, Writer};

impl Fence {
    /// What each range of the generation records of its holder, by the range's number.
    ///
    /// # Errors
    ///
    /// What the server says, or that a row cannot be read.
    pub async fn owners(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: u32,
    ) -> Result<BTreeMap<u32, String>> {
        let mut w = Writer::new(dialect);
        w.push("SELECT range_id, holder FROM ").push(&self.table).push(" WHERE job = ");
        w.text(&self.job).push(" AND generation = ").int(generation.into());
        w.push(" AND holder IS NOT NULL");
        let rows = session.query(&w.finish()).await?;
        let read = |row| {
            let row = FenceRow(row);
            Ok((row.number(0)?, row.text(1)?.to_owned()))
        };
        rows.iter().map(read).collect()
    }
}
