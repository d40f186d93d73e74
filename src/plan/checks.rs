//! The statements of the verification.

use super::sql::{Statements, Toward, parens};
use crate::keyspace::Key;
use crate::target::{Dialect, Statement, Writer};

impl Statements {
    fn left_over(&self, dialect: &dyn Dialect) -> Option<String> {
        self.remaining.then(|| match &self.filter {
            Some(filter) => parens(filter),
            None => self.changes(dialect),
        })
    }

    fn violation(&self) -> Option<String> {
        self.expect.as_ref().map(|expect| format!("({} IS NOT TRUE)", parens(expect)))
    }

    /// Whether there is anything to verify.
    #[must_use]
    pub const fn verifies(&self) -> bool {
        self.remaining || self.expect.is_some()
    }

    /// One window of verification: the number of rows, of rows left over, and of rows that
    /// violate the expectation.
    #[must_use]
    pub fn verify(&self, dialect: &dyn Dialect, after: Option<&Key>, upto: &Key) -> Statement {
        self.verify_where(dialect, |w| self.push_window(w, dialect, after, upto))
    }

    /// The same of the row with that key.
    #[must_use]
    pub fn verify_row(&self, dialect: &dyn Dialect, key: &Key) -> Statement {
        self.verify_where(dialect, |w| self.push_key(w, dialect, &key.0))
    }

    fn verify_where<'a>(
        &self,
        dialect: &'a dyn Dialect,
        push: impl FnOnce(&mut Writer<'a>),
    ) -> Statement {
        let count_where = |condition: Option<String>| {
            condition.map_or_else(|| "0".to_owned(), |c| format!("count(CASE WHEN {c} THEN 1 END)"))
        };
        let mut w = Writer::new(dialect);
        w.push(&format!(
            "SELECT count(*), {}, {} FROM {} WHERE ",
            count_where(self.left_over(dialect)),
            count_where(self.violation()),
            self.walked(),
        ));
        push(&mut w);
        if let Some(condition) = self.counted() {
            w.push(&format!(" AND {condition}"));
        }
        w.finish()
    }

    /// The keys of the first `rows` rows of the window that verification found wrong.
    #[must_use]
    pub fn wrong_keys(
        &self,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        upto: &Key,
        rows: usize,
    ) -> Statement {
        let wrong: Vec<String> =
            [self.left_over(dialect), self.violation()].into_iter().flatten().collect();
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT {} FROM {} WHERE ", self.key_columns(dialect), self.walked()));
        self.push_window(&mut w, dialect, after, upto);
        w.push(&format!(" AND ({})", wrong.join(" OR ")));
        w.push(&format!(" ORDER BY {} LIMIT {rows}", self.order(dialect, Toward::End)));
        w.finish()
    }
}
