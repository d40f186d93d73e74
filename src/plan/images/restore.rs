//! The statements that put old values back, and that tell what became of the rows.

use super::{Images, Kept};
use crate::catalog::Column;
use crate::keyspace::Key;
use crate::plan::sql::Toward;
use crate::target::{Dialect, Statement, Writer};

impl Images {
    /// "Of every column that the job changed, the row holds the old (or the new) value".
    fn holds(&self, dialect: &dyn Dialect, value: impl Fn(&Kept) -> &Column) -> String {
        let terms = self.kept.iter().map(|kept| {
            let changed = dialect.differs(&kept.old, &dialect.quote(&kept.new.name));
            let differs = dialect.differs(&kept.column, &dialect.quote(&value(kept).name));
            format!("(NOT ({changed}) OR NOT ({differs}))")
        });
        terms.collect::<Vec<_>>().join(" AND ")
    }

    /// The assignments that put the old values back. A column that the job left as it was in this row
    /// stays as it is now.
    #[must_use]
    pub fn restoring(&self, dialect: &dyn Dialect, generation: u32) -> Vec<(String, String)> {
        let assign = |kept: &Kept| {
            let old = dialect.quote(&kept.old.name);
            let value = if self.kept.len() == 1 {
                old
            } else {
                let changed = dialect.differs(&kept.old, &dialect.quote(&kept.new.name));
                let column = dialect.quote(&kept.column.name);
                format!("CASE WHEN {changed} THEN {old} ELSE {}.{column} END", self.qualifier)
            };
            let (table, row) = (&self.table, self.same_row(dialect));
            let of = Self::of(generation);
            (
                kept.column.name.clone(),
                format!("(SELECT {value} FROM {table} WHERE {of} AND {row})"),
            )
        };
        self.kept.iter().map(assign).collect()
    }

    /// The rows that are put back: those that still hold what the job wrote. A scalar subquery, for
    /// an `EXISTS` may become a join that reads every image for each batch.
    #[must_use]
    pub fn restorable(&self, dialect: &dyn Dialect, generation: u32) -> String {
        format!(
            "(SELECT 1 FROM {} WHERE {} AND {} AND {}) IS NOT NULL",
            self.table,
            Self::of(generation),
            self.same_row(dialect),
            self.holds(dialect, |kept| &kept.new)
        )
    }

    /// The images of a window, each with what became of its row.
    fn push_fates(
        &self,
        w: &mut Writer<'_>,
        dialect: &dyn Dialect,
        generation: u32,
        after: Option<&Key>,
        upto: &Key,
    ) {
        let first = self.key.first().map(|key| dialect.quote(&key.name)).unwrap_or_default();
        w.push(&format!(
            "SELECT {}, CASE WHEN {}.{first} IS NULL THEN 'gone' WHEN {} THEN 'before' WHEN {} \
             THEN 'written' ELSE 'changed' END AS undo_fate FROM {} LEFT JOIN {} ON {}",
            self.names(dialect).join(", "),
            self.qualifier,
            self.holds(dialect, |kept| &kept.old),
            self.holds(dialect, |kept| &kept.new),
            self.table,
            self.target,
            self.same_row(dialect)
        ));
        self.push_window(w, dialect, generation, after, upto);
    }

    /// How many images of a window have which fate.
    #[must_use]
    pub fn fates(
        &self,
        dialect: &dyn Dialect,
        generation: u32,
        after: Option<&Key>,
        upto: &Key,
    ) -> Statement {
        let mut w = Writer::new(dialect);
        w.push("SELECT undo_fate, count(*) FROM (");
        self.push_fates(&mut w, dialect, generation, after, upto);
        w.push(") AS fates GROUP BY undo_fate");
        w.finish()
    }

    /// The keys of the images of a window whose rows were changed or are gone, each with its fate
    /// behind it; at most `most` of them.
    #[must_use]
    pub fn conflicts(
        &self,
        dialect: &dyn Dialect,
        generation: u32,
        after: Option<&Key>,
        upto: &Key,
        most: usize,
    ) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT {}, undo_fate FROM (", self.walk.key_columns(dialect)));
        self.push_fates(&mut w, dialect, generation, after, upto);
        w.push(&format!(
            ") AS fates WHERE undo_fate IN ('changed', 'gone') ORDER BY {} LIMIT {most}",
            self.walk.order_of(dialect, "fates.", Toward::End)
        ));
        w.finish()
    }

    /// Of the first `rows` images of a window whose rows would be put back: the key, and of each
    /// column the new and the old value as text.
    #[must_use]
    pub fn samples(
        &self,
        dialect: &dyn Dialect,
        generation: u32,
        after: Option<&Key>,
        upto: &Key,
        rows: usize,
    ) -> Statement {
        let shown = self.kept.iter().flat_map(|kept| [&kept.new, &kept.old]);
        let shown: Vec<_> = shown.map(|column| dialect.shown(column)).collect();
        let mut w = Writer::new(dialect);
        let keys = self.walk.key_columns(dialect);
        w.push(&format!("SELECT {keys}, {} FROM (", shown.join(", ")));
        self.push_fates(&mut w, dialect, generation, after, upto);
        w.push(&format!(
            ") AS fates WHERE undo_fate = 'written' ORDER BY {} LIMIT {rows}",
            self.walk.order_of(dialect, "fates.", Toward::End)
        ));
        w.finish()
    }
}
