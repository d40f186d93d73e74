//! The statements that look at single rows.

use super::sql::{Statements, Toward};
use crate::catalog::Column;
use crate::keyspace::Key;
use crate::spec::Walk;
use crate::target::{Dialect, Statement, Writer};

impl Statements {
    /// The same statements, whose windows are counted in all rows.
    #[must_use]
    pub fn by_key(&self) -> Self {
        Self { walk: Walk::Key, ..self.clone() }
    }

    /// The first counted rows of the window, at most two: of each its key, and then `columns` as texts
    /// for people of at most `length` characters.
    #[must_use]
    pub fn first_rows(
        &self,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        upto: &Key,
        columns: &[Column],
        length: usize,
    ) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT {}", self.key_columns(dialect)));
        for column in columns {
            w.push(&format!(", substr({}, 1, {length})", dialect.as_text(column)));
        }
        w.push(&format!(" FROM {} WHERE ", self.walked()));
        self.push_window(&mut w, dialect, after, upto);
        if let Some(condition) = self.counted() {
            w.push(&format!(" AND {condition}"));
        }
        w.push(&format!(" ORDER BY {} LIMIT 2", self.order(dialect, Toward::End)));
        w.finish()
    }
}
