//! The end of a batch on a key that goes up in one column and down in another.
//!
//! No row comparison says "after this key" there, and as one disjunction it is no place in an index
//! from which PostgreSQL and SQLite could begin: on 300,000 rows of which most share their first
//! column, PostgreSQL 15 read 120,602 entries for a batch of 1,000. The rows after a key are as many
//! stretches of the index as it has columns, and each of them is a place.

use super::sql::{Statements, Toward};
use crate::keyspace::{Key, above};
use crate::target::{Dialect, Statement};

impl Statements {
    /// [`Statements::boundary`], with at most `rows` rows of each stretch.
    pub(super) fn boundary_in_stretches(
        &self,
        dialect: &dyn Dialect,
        after: &Key,
        hi: &Key,
        rows: u64,
    ) -> Statement {
        let columns: Vec<_> = self.key.iter().map(|column| dialect.quote(&column.name)).collect();
        let columns = columns.join(", ");
        let order = self.order(dialect, Toward::End);
        self.one_key_and_past(dialect, "", hi, |w| {
            w.push("(");
            // Deepest first, which is the order of the walk.
            for (number, stretch) in above(self.key.len()).into_iter().rev().enumerate() {
                let union = if number == 0 { "" } else { " UNION ALL " };
                w.push(&format!(
                    "{union}SELECT {columns} FROM (SELECT {columns} FROM {} WHERE ",
                    self.walked()
                ));
                self.disjunction(w, dialect, &[stretch], Some(after), None);
                if let Some(condition) = self.counted() {
                    w.push(&format!(" AND {condition}"));
                }
                w.push(&format!(" ORDER BY {order} LIMIT "));
                w.int(rows);
                w.push(") AS stretch");
            }
            let order = self.order_of(dialect, "following.", Toward::End);
            w.push(&format!(") AS following ORDER BY {order} LIMIT 1 OFFSET "));
            w.int(rows.saturating_sub(1));
        })
    }
}
