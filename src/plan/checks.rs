//! The statements of the verification.

use super::sql::{Statements, Toward, parens};
use crate::catalog::Column;
use crate::keyspace::Key;
use crate::target::{Bind, Dialect, Statement, Writer};

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
        self.remaining || self.expect.is_some() || self.checksum
    }

    /// One window of verification: the number of rows; of rows left over; of those of them that the
    /// write would change, where they may be written again; of rows that violate the expectation, where
    /// `expects`; and the checksum, where one is taken and it `sums`.
    #[must_use]
    pub fn verify(
        &self,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        upto: &Key,
        expects: bool,
        sums: bool,
    ) -> Statement {
        let of = |w: &mut Writer<'_>| self.push_window(w, dialect, after, upto);
        self.verify_where(dialect, expects, sums, of)
    }

    /// The same of the row with that key.
    #[must_use]
    pub fn verify_row(&self, dialect: &dyn Dialect, key: &Key, expects: bool) -> Statement {
        self.verify_where(dialect, expects, false, |w| self.push_key(w, dialect, &key.0))
    }

    fn verify_where<'a>(
        &self,
        dialect: &'a dyn Dialect,
        expects: bool,
        sums: bool,
        push: impl FnOnce(&mut Writer<'a>),
    ) -> Statement {
        let count_where = |condition: Option<String>| {
            condition.map_or_else(|| "0".to_owned(), |c| format!("count(CASE WHEN {c} THEN 1 END)"))
        };
        let checksum =
            if self.checksum && sums { self.checksum_of_rows(dialect) } else { "0".to_owned() };
        let mut w = Writer::new(dialect);
        w.push(&format!(
            "SELECT count(*), {}, {}, {}, {checksum} FROM {} WHERE ",
            count_where(self.left_over(dialect)),
            count_where(self.left_to_write(dialect)),
            count_where(self.violation().filter(|_| expects)),
            self.walked(),
        ));
        push(&mut w);
        if let Some(condition) = self.counted() {
            w.push(&format!(" AND {condition}"));
        }
        w.finish()
    }

    fn checksum_of_rows(&self, dialect: &dyn Dialect) -> String {
        let assigned = self.set.iter().map(|assignment| &assignment.column);
        dialect.checksum(&self.key.iter().chain(assigned).collect::<Vec<_>>())
    }

    /// Of the rows that are left over, those that another write would change. The others are as the
    /// assignments make them, and match all the same.
    fn left_to_write(&self, dialect: &dyn Dialect) -> Option<String> {
        let changes = self.changes(dialect);
        (self.remaining && self.sweeps).then(|| match &self.filter {
            Some(filter) => format!("CASE WHEN {} THEN {changes} END", parens(filter)),
            None => changes,
        })
    }

    /// The keys of the first `rows` rows of the window that verification found wrong.
    #[must_use]
    pub fn wrong_keys(
        &self,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        upto: &Key,
        rows: usize,
        expects: bool,
    ) -> Statement {
        let violation = self.violation().filter(|_| expects);
        let wrong: Vec<String> =
            [self.left_over(dialect), violation].into_iter().flatten().collect();
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT {} FROM {} WHERE ", self.key_columns(dialect), self.walked()));
        self.push_window(&mut w, dialect, after, upto);
        w.push(&format!(" AND ({})", wrong.join(" OR ")));
        w.push(&format!(" ORDER BY {} LIMIT {rows}", self.order(dialect, Toward::End)));
        w.finish()
    }
}

/// Rows by the time at which they were written.
impl Statements {
    /// The newest time.
    #[must_use]
    pub fn newest_change(&self, dialect: &dyn Dialect, column: &Column) -> Statement {
        let (text, name) = (dialect.key_as_text(column), dialect.quote(&column.name));
        let found = format!(
            "SELECT {name} FROM {} WHERE {name} IS NOT NULL ORDER BY {}.{name} DESC LIMIT 1",
            self.table, self.name
        );
        Statement::plain(format!("SELECT {text} FROM ({found}) AS found"))
    }

    /// Rows that were written after that: never run, but explained.
    #[must_use]
    pub fn changed_after(&self, dialect: &dyn Dialect, column: &Column, after: &str) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT 1 FROM {} WHERE ", self.table));
        push_changed(&mut w, dialect, column, ">", after);
        w.finish()
    }

    /// The time of the row that was written so many rows after that; no row where there are fewer.
    #[must_use]
    pub fn change_ahead(
        &self,
        dialect: &dyn Dialect,
        column: &Column,
        after: Option<&str>,
        rows: u64,
    ) -> Statement {
        let (text, name) = (dialect.key_as_text(column), dialect.quote(&column.name));
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT {text} FROM (SELECT {name} FROM {} WHERE ", self.table));
        match after {
            Some(after) => push_changed(&mut w, dialect, column, ">", after),
            None => drop(w.push(&format!("{name} IS NOT NULL"))),
        }
        w.push(&format!(" ORDER BY {}.{name} LIMIT 1 OFFSET ", self.name)).int(rows);
        w.push(") AS found");
        w.finish()
    }

    /// Of the rows that were written in that time: how many there are, how many are left over, and how
    /// many violate the expectation.
    #[must_use]
    pub fn changed(
        &self,
        dialect: &dyn Dialect,
        column: &Column,
        after: Option<&str>,
        upto: &str,
    ) -> Statement {
        let count_where = |condition: Option<String>| {
            condition.map_or_else(|| "0".to_owned(), |c| format!("count(CASE WHEN {c} THEN 1 END)"))
        };
        let mut w = Writer::new(dialect);
        w.push(&format!(
            "SELECT count(*), {}, {} FROM {} WHERE ",
            count_where(self.left_over(dialect)),
            count_where(self.violation()),
            self.table,
        ));
        push_stretch(&mut w, dialect, column, after, upto);
        w.finish()
    }

    /// The keys of the first of those that are wrong.
    #[must_use]
    pub fn changed_wrongly(
        &self,
        dialect: &dyn Dialect,
        column: &Column,
        after: Option<&str>,
        upto: &str,
        rows: usize,
    ) -> Statement {
        let wrong: Vec<String> =
            [self.left_over(dialect), self.violation()].into_iter().flatten().collect();
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT {} FROM {} WHERE ", self.key_columns(dialect), self.table));
        push_stretch(&mut w, dialect, column, after, upto);
        w.push(&format!(" AND ({})", wrong.join(" OR ")));
        w.push(&format!(" ORDER BY {} LIMIT {rows}", self.order(dialect, Toward::End)));
        w.finish()
    }
}

fn push_stretch(
    w: &mut Writer<'_>,
    dialect: &dyn Dialect,
    column: &Column,
    after: Option<&str>,
    upto: &str,
) {
    if let Some(after) = after {
        push_changed(w, dialect, column, ">", after);
        w.push(" AND ");
    }
    push_changed(w, dialect, column, "<=", upto);
}

fn push_changed(w: &mut Writer<'_>, dialect: &dyn Dialect, column: &Column, op: &str, value: &str) {
    let placeholder = w.placeholder(Bind::Text(Some(value.to_owned())));
    let value = dialect.key_from_text(column, &placeholder);
    w.push(&format!("{} {op} {value}", dialect.quote(&column.name)));
}
