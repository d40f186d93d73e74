//! The statements of a job, composed once for every dialect.

use crate::catalog::{Column, Key as Index, Table};
use crate::keyspace::{Comparison, Key, Side, above, at_most, within};
use crate::target::{Bind, Dialect, Statement, Writer};

/// One assignment, resolved.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The column.
    pub column: Column,
    /// The SQL expression.
    pub expression: String,
}

/// What is needed to write every statement of a job.
#[derive(Debug, Clone)]
pub struct Statements {
    /// The table, qualified and quoted.
    pub table: String,
    /// The table with the index hint of the walk.
    pub hinted: String,
    /// The key's columns.
    pub key: Vec<Column>,
    /// The assignments, in the order of the spec.
    pub set: Vec<Assignment>,
    /// The condition of the spec.
    pub filter: Option<String>,
    /// The condition that must hold afterwards.
    pub expect: Option<String>,
    /// Whether verification counts what remains.
    pub remaining: bool,
}

/// An expression of the user that can be put into parentheses: a comment at its end must not
/// swallow the closing one.
fn closed(expression: &str) -> String {
    let expression = expression.trim();
    let may_end_in_comment = expression.contains("--") || expression.contains('#');
    format!("{expression}{}", if may_end_in_comment { "\n" } else { "" })
}

fn parens(expression: &str) -> String {
    format!("({})", closed(expression))
}

impl Statements {
    /// Composes for a resolved table.
    #[must_use]
    pub fn new(
        dialect: &dyn Dialect,
        table: &Table,
        index: &Index,
        key: Vec<Column>,
        set: Vec<Assignment>,
    ) -> Self {
        let qualified = format!("{}.{}", dialect.quote(&table.schema), dialect.quote(&table.name));
        let hinted = format!("{qualified}{}", dialect.index_hint(index));
        Self { table: qualified, hinted, key, set, filter: None, expect: None, remaining: false }
    }

    fn key_columns(&self, dialect: &dyn Dialect) -> String {
        let shown: Vec<_> = self.key.iter().map(|column| dialect.key_as_text(column)).collect();
        shown.join(", ")
    }

    /// The key's columns with the table before them: `ORDER BY "id"` alone would mean the column of
    /// that name in the *result* on PostgreSQL, which is its text, and text has another order.
    fn order(&self, dialect: &dyn Dialect, direction: &str) -> String {
        let columns: Vec<_> = self
            .key
            .iter()
            .map(|column| format!("{}.{}{direction}", self.table, dialect.quote(&column.name)))
            .collect();
        columns.join(", ")
    }

    fn disjunction(
        &self,
        w: &mut Writer<'_>,
        dialect: &dyn Dialect,
        ranges: &[Vec<Comparison>],
        lower: Option<&Key>,
        upper: Option<&Key>,
    ) {
        let text: Vec<String> = ranges
            .iter()
            .map(|range| {
                let terms: Vec<String> = range
                    .iter()
                    .map(|c| {
                        let key = if c.side == Side::Lower { lower } else { upper };
                        let value = key.and_then(|key| key.0.get(c.column)).cloned();
                        let column = &self.key[c.column];
                        let placeholder = w.placeholder(Bind::Text(value));
                        let value = dialect.key_from_text(column, &placeholder);
                        format!("{} {} {value}", dialect.quote(&column.name), c.op.sql())
                    })
                    .collect();
                terms.join(" AND ")
            })
            .collect();
        match text.as_slice() {
            [one] => w.push(one),
            several => w.push("((").push(&several.join(") OR (")).push("))"),
        };
    }

    /// "Above `lower`" as one condition, in the form that this engine answers from the index.
    fn push_above(&self, w: &mut Writer<'_>, dialect: &dyn Dialect, lower: &Key) {
        if self.key.len() == 1 || !dialect.row_comparison() {
            return self.disjunction(w, dialect, &above(self.key.len()), Some(lower), None);
        }
        let values: Vec<String> = self
            .key
            .iter()
            .zip(&lower.0)
            .map(|(column, value)| {
                let placeholder = w.placeholder(Bind::Text(Some(value.clone())));
                dialect.key_from_text(column, &placeholder)
            })
            .collect();
        let columns: Vec<_> = self.key.iter().map(|column| dialect.quote(&column.name)).collect();
        w.push(&format!("({}) > ({})", columns.join(", "), values.join(", ")));
    }

    /// "Above `after`, up to and including `upto`".
    fn push_window(
        &self,
        w: &mut Writer<'_>,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        upto: &Key,
    ) {
        self.disjunction(w, dialect, &within(after, upto), after, Some(upto));
        if 1 < self.key.len() {
            // The ranges above say where to look; these two say what belongs, also where two
            // spellings of one value are equal to the server (see `keyspace::within`).
            if let Some(after) = after {
                w.push(" AND ");
                self.push_above(w, dialect, after);
            }
            w.push(" AND ");
            self.disjunction(w, dialect, &at_most(self.key.len()), None, Some(upto));
        }
    }

    /// The last key of the table in key order.
    #[must_use]
    pub fn last_key(&self, dialect: &dyn Dialect) -> Statement {
        self.end_of_table(dialect, " DESC")
    }

    /// The first key of the table in key order.
    #[must_use]
    pub fn first_key(&self, dialect: &dyn Dialect) -> Statement {
        self.end_of_table(dialect, "")
    }

    fn end_of_table(&self, dialect: &dyn Dialect, direction: &str) -> Statement {
        Statement::plain(format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            self.key_columns(dialect),
            self.hinted,
            self.order(dialect, direction),
        ))
    }

    /// The first key above `after` whose leading column is at least `value`, and whether it lies
    /// past `hi` (1) or not (0).
    #[must_use]
    pub fn first_from(
        &self,
        dialect: &dyn Dialect,
        value: &str,
        after: Option<&Key>,
        hi: &Key,
    ) -> Statement {
        self.one_key_and_past(dialect, hi, |w| {
            let leading = &self.key[0];
            w.push(&format!(" WHERE {} >= ", dialect.quote(&leading.name)));
            let placeholder = w.placeholder(Bind::Text(Some(value.to_owned())));
            w.push(&dialect.key_from_text(leading, &placeholder));
            if let Some(after) = after {
                w.push(" AND ");
                self.push_above(w, dialect, after);
            }
            w.push(&format!(" ORDER BY {} LIMIT 1", self.order(dialect, "")));
        })
    }

    /// The key of the row that is `rows` rows after `after`, and whether it lies past `hi` (1) or
    /// not (0). No row: fewer than `rows` are left in the table.
    ///
    /// The end of the range is not a condition here: as a filter on a composite key it would make
    /// the last batch of a range read on to the end of the table in search of rows.
    #[must_use]
    pub fn boundary(
        &self,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        hi: &Key,
        rows: u64,
    ) -> Statement {
        self.one_key_and_past(dialect, hi, |w| {
            if let Some(after) = after {
                w.push(" WHERE ");
                self.push_above(w, dialect, after);
            }
            w.push(&format!(" ORDER BY {} LIMIT 1 OFFSET ", self.order(dialect, "")));
            w.int(rows.saturating_sub(1));
        })
    }

    /// The key that the inner statement finds, as text. Casting and comparing happen outside of
    /// it: PostgreSQL would do both for every row that OFFSET passes over.
    fn one_key_and_past<'a>(
        &self,
        dialect: &'a dyn Dialect,
        hi: &Key,
        find: impl FnOnce(&mut Writer<'a>),
    ) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT {}, CASE WHEN ", self.key_columns(dialect)));
        self.disjunction(&mut w, dialect, &at_most(self.key.len()), None, Some(hi));
        let columns: Vec<_> = self.key.iter().map(|column| dialect.quote(&column.name)).collect();
        let columns = columns.join(", ");
        w.push(&format!(" THEN 0 ELSE 1 END FROM (SELECT {columns} FROM {}", self.hinted));
        find(&mut w);
        w.push(") AS found");
        w.finish()
    }

    /// The number of rows above `after`, up to and including `upto`. Only used for the last
    /// window of a range, which has fewer rows than a batch.
    #[must_use]
    pub fn count(&self, dialect: &dyn Dialect, after: Option<&Key>, upto: &Key) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT count(*) FROM {} WHERE ", self.hinted));
        self.push_window(&mut w, dialect, after, upto);
        w.finish()
    }

    fn changes(&self, dialect: &dyn Dialect) -> String {
        let terms: Vec<String> =
            self.set.iter().map(|a| dialect.differs(&a.column, &closed(&a.expression))).collect();
        format!("({})", terms.join(" OR "))
    }

    /// The write of one batch. The number of rows that it finds is the number of rows that it
    /// changes, because rows whose values would stay the same are not among them.
    #[must_use]
    pub fn write(&self, dialect: &dyn Dialect, after: Option<&Key>, upto: &Key) -> Statement {
        let mut w = Writer::new(dialect);
        let assignments: Vec<String> = self
            .set
            .iter()
            .map(|a| format!("{} = {}", dialect.quote(&a.column.name), parens(&a.expression)))
            .collect();
        w.push(&format!("UPDATE {} SET {} WHERE ", self.hinted, assignments.join(", ")));
        self.push_window(&mut w, dialect, after, upto);
        match &self.filter {
            // SQL does not promise to evaluate the filter first, and an expression such as `1 / x`
            // may rely on it: CASE does promise.
            Some(filter) => {
                let (filter, changes) = (parens(filter), self.changes(dialect));
                w.push(&format!(" AND {filter} AND CASE WHEN {filter} THEN {changes} END"));
            }
            None => {
                w.push(&format!(" AND {}", self.changes(dialect)));
            }
        }
        w.finish()
    }

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
        let count_where = |condition: Option<String>| {
            condition.map_or_else(|| "0".to_owned(), |c| format!("count(CASE WHEN {c} THEN 1 END)"))
        };
        let mut w = Writer::new(dialect);
        w.push(&format!(
            "SELECT count(*), {}, {} FROM {} WHERE ",
            count_where(self.left_over(dialect)),
            count_where(self.violation()),
            self.hinted,
        ));
        self.push_window(&mut w, dialect, after, upto);
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
        w.push(&format!("SELECT {} FROM {} WHERE ", self.key_columns(dialect), self.hinted));
        self.push_window(&mut w, dialect, after, upto);
        w.push(&format!(" AND ({})", wrong.join(" OR ")));
        w.push(&format!(" ORDER BY {} LIMIT {rows}", self.order(dialect, "")));
        w.finish()
    }

    /// Statements that evaluate each expression of the spec alone, with the field that it is from:
    /// the server's complaint then points to the field.
    #[must_use]
    pub fn probes(&self) -> Vec<(String, String)> {
        let mut probes: Vec<(String, String)> = self
            .set
            .iter()
            .map(|a| (format!("update.set.{}", a.column.name), parens(&a.expression)))
            .collect();
        let condition = |text: &String| format!("CASE WHEN {} THEN 1 END", parens(text));
        probes.extend(self.filter.iter().map(|f| ("update.where".to_owned(), condition(f))));
        probes.extend(self.expect.iter().map(|e| ("verify.expect".to_owned(), condition(e))));
        for (_, expression) in &mut probes {
            *expression = format!("SELECT {expression} FROM {}", self.table);
        }
        probes
    }
}
