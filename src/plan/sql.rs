//! The statements of a job, composed once for every dialect.

use crate::catalog::{Column, Key as Index, KeyColumn, Table};
use crate::keyspace::{Comparison, Key, Op, Side, above, at_most, within};
use crate::spec::Walk;
use crate::target::{Bind, Dialect, Statement, Writer};

/// One assignment, resolved.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The column.
    pub column: Column,
    /// The SQL expression.
    pub expression: String,
}

/// Which way rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Toward {
    /// As the walk goes.
    End,
    /// Against it.
    Beginning,
}

/// What is needed to write every statement of a job.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own")]
pub struct Statements {
    /// The table's name, qualified and quoted.
    pub name: String,
    /// The table as FROM and UPDATE name it: with its partition, if one is meant.
    pub table: String,
    /// The same with the index hint of the walk.
    pub hinted: String,
    /// The key's columns.
    pub key: Vec<Column>,
    /// The same columns, in the directions of the walk.
    pub along: Vec<KeyColumn>,
    /// The assignments, in the order of the spec.
    pub set: Vec<Assignment>,
    /// The condition of the spec.
    pub filter: Option<String>,
    /// The condition that must hold afterwards.
    pub expect: Option<String>,
    /// Whether verification counts what remains.
    pub remaining: bool,
    /// Whether what remains may be written again.
    pub sweeps: bool,
    /// Whether verification takes a checksum.
    pub checksum: bool,
    /// Whether a column of a unique index is assigned.
    pub assigns_unique: bool,
    /// Which rows windows are counted in.
    pub walk: Walk,
}

/// An expression of the user that can be put into parentheses: a comment at its end must not
/// swallow the closing one.
pub(super) fn closed(expression: &str) -> String {
    let expression = expression.trim();
    let may_end_in_comment = expression.contains("--") || expression.contains('#');
    format!("{expression}{}", if may_end_in_comment { "\n" } else { "" })
}

pub(super) fn parens(expression: &str) -> String {
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
        let name = format!("{}.{}", dialect.quote(&table.schema), dialect.quote(&table.name));
        let partition = table.partition.as_deref().map(|name| dialect.partition(name));
        let part = format!("{name}{}", partition.unwrap_or_default());
        let hinted = format!("{part}{}", dialect.index_hint(index));
        let assigns_unique = table
            .keys
            .iter()
            .flat_map(|key| &key.columns)
            .any(|part| set.iter().any(|assignment| assignment.column.name == part.name));
        Self {
            name,
            table: part,
            hinted,
            key,
            along: index.walked(),
            set,
            filter: None,
            expect: None,
            remaining: false,
            sweeps: false,
            checksum: false,
            assigns_unique,
            walk: Walk::Key,
        }
    }

    /// The statements of the verification, whose windows are counted in all rows wherever every
    /// row has to be looked at.
    #[must_use]
    pub fn for_verification(&self) -> Self {
        let all = self.expect.is_some() || self.checksum;
        let walk = if all { Walk::Key } else { self.walk };
        Self { walk, ..self.clone() }
    }

    /// The table as the statements of a window name it. Where the predicate leads, its index is the
    /// one to take, which only the planner knows.
    pub(super) fn walked(&self) -> &str {
        match self.walk {
            Walk::Key => &self.hinted,
            Walk::Predicate => &self.table,
        }
    }

    /// The condition of the rows that windows are counted in, unless it is all of them.
    pub(super) fn counted(&self) -> Option<String> {
        match self.walk {
            Walk::Key => None,
            Walk::Predicate => self.filter.as_deref().map(parens),
        }
    }

    pub(super) fn key_columns(&self, dialect: &dyn Dialect) -> String {
        let shown: Vec<_> = self.key.iter().map(|column| dialect.key_as_text(column)).collect();
        shown.join(", ")
    }

    /// A key column where it is compared or ordered by, in the words that mean the index's order.
    fn operand(&self, dialect: &dyn Dialect, column: usize) -> String {
        let KeyColumn { name, collation, .. } = &self.along[column];
        match collation {
            Some(collation) => {
                format!("{} COLLATE {}", dialect.quote(name), dialect.quote(collation))
            }
            None => dialect.quote(name),
        }
    }

    fn is_mixed(&self) -> bool {
        self.alike() < self.key.len()
    }

    /// How many of the first columns the walk goes along in one direction.
    fn alike(&self) -> usize {
        let first = self.along.first().map(|column| column.descending);
        self.along.iter().take_while(|column| Some(column.descending) == first).count()
    }

    /// The operator that means this in a key column's direction.
    fn directed(&self, op: Op, column: usize) -> &'static str {
        if self.along[column].descending { op.flipped().sql() } else { op.sql() }
    }

    /// The key's columns with the table before them: `ORDER BY "id"` alone would mean the column of
    /// that name in the *result* on PostgreSQL, which is its text, and text has another order.
    pub(super) fn order(&self, dialect: &dyn Dialect, toward: Toward) -> String {
        self.order_of(dialect, &format!("{}.", self.name), toward)
    }

    /// The key's columns of what `of` qualifies.
    pub(super) fn order_of(&self, dialect: &dyn Dialect, of: &str, toward: Toward) -> String {
        let column = |at: usize| {
            let down = self.along[at].descending != (toward == Toward::Beginning);
            let direction = if down { " DESC" } else { "" };
            format!("{of}{}{direction}", self.operand(dialect, at))
        };
        (0..self.along.len()).map(column).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn disjunction(
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
                        let op = self.directed(c.op, c.column);
                        format!("{} {op} {value}", self.operand(dialect, c.column))
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
    pub(super) fn push_above(&self, w: &mut Writer<'_>, dialect: &dyn Dialect, lower: &Key) {
        let (columns, alike) = (self.key.len(), self.alike());
        let by_row = dialect.row_comparison() && 1 < columns;
        if by_row && alike == columns {
            return self.push_row(w, dialect, Op::Gt, lower, columns);
        }
        self.disjunction(w, dialect, &above(columns), Some(lower), None);
        if by_row {
            // An engine that compares rows begins at no disjunction: the columns that go one way
            // say where in the index it is.
            w.push(" AND ");
            self.push_row(w, dialect, Op::Ge, lower, alike);
        }
    }

    /// The first `columns` columns against those of `lower`, as one row.
    fn push_row(
        &self,
        w: &mut Writer<'_>,
        dialect: &dyn Dialect,
        op: Op,
        lower: &Key,
        columns: usize,
    ) {
        let values: Vec<String> = self
            .key
            .iter()
            .zip(&lower.0)
            .take(columns)
            .map(|(column, value)| {
                let placeholder = w.placeholder(Bind::Text(Some(value.clone())));
                dialect.key_from_text(column, &placeholder)
            })
            .collect();
        let operands: Vec<_> = (0..columns).map(|at| self.operand(dialect, at)).collect();
        let op = self.directed(op, 0);
        w.push(&format!("({}) {op} ({})", operands.join(", "), values.join(", ")));
    }

    /// "Above `after`, up to and including `upto`".
    pub(super) fn push_window(
        &self,
        w: &mut Writer<'_>,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        upto: &Key,
    ) {
        let ranges = within(after, upto);
        self.disjunction(w, dialect, &ranges, after, Some(upto));
        if let Some(after) = after.filter(|_| 1 < ranges.len()) {
            // The ranges above say where to look; these two say what belongs, also where two
            // spellings of one value are equal to the server (see `keyspace::within`). An index
            // that served one of them would be read to the end of the table.
            let (open, close) = dialect.no_index();
            w.push(&format!(" AND {open}"));
            self.push_above(w, dialect, after);
            w.push(&format!("{close} AND {open}"));
            self.disjunction(w, dialect, &at_most(self.key.len()), None, Some(upto));
            w.push(close);
        }
    }

    /// Two keys for statements that are shown or prepared, and not run. They part at the first
    /// column, so that the statement is as general as any.
    #[must_use]
    pub fn example(&self) -> (Key, Key) {
        let key = |value: &str| Key(vec![value.to_owned(); self.key.len()]);
        (key("a"), key("b"))
    }

    /// The last key of the table in key order.
    #[must_use]
    pub fn last_key(&self, dialect: &dyn Dialect) -> Statement {
        self.end_of_table(dialect, Toward::Beginning)
    }

    /// The first key of the table in key order.
    #[must_use]
    pub fn first_key(&self, dialect: &dyn Dialect) -> Statement {
        self.end_of_table(dialect, Toward::End)
    }

    fn end_of_table(&self, dialect: &dyn Dialect, toward: Toward) -> Statement {
        Statement::plain(format!(
            "SELECT {} FROM {} ORDER BY {} LIMIT 1",
            self.key_columns(dialect),
            self.hinted,
            self.order(dialect, toward),
        ))
    }

    /// The first key above `after` that begins with `prefix` and whose next column has
    /// reached `value`, and whether it lies past `hi` (1) or not (0).
    #[must_use]
    pub fn first_from(
        &self,
        dialect: &dyn Dialect,
        prefix: &[String],
        value: &str,
        after: Option<&Key>,
        hi: &Key,
    ) -> Statement {
        self.one_key_and_past(dialect, &self.hinted, hi, |w| {
            self.push_prefix(w, dialect, prefix);
            let next = &self.key[prefix.len()];
            let placeholder = w.placeholder(Bind::Text(Some(value.to_owned())));
            let value = dialect.key_from_text(next, &placeholder);
            let op = self.directed(Op::Ge, prefix.len());
            w.push(&format!("{} {op} {value}", self.operand(dialect, prefix.len())));
            if let Some(after) = after {
                w.push(" AND ");
                self.push_above(w, dialect, after);
            }
            w.push(&format!(" ORDER BY {} LIMIT 1", self.order(dialect, Toward::End)));
        })
    }

    /// The first or the last key above `after` that begins with `prefix`, which is not empty, and
    /// whether it lies past `hi` (1) or not (0).
    #[must_use]
    pub fn end_of_prefix(
        &self,
        dialect: &dyn Dialect,
        prefix: &[String],
        last: bool,
        after: Option<&Key>,
        hi: &Key,
    ) -> Statement {
        self.one_key_and_past(dialect, &self.hinted, hi, |w| {
            self.push_prefix(w, dialect, prefix);
            match after {
                Some(after) => self.push_above(w, dialect, after),
                None => drop(w.push("1 = 1")),
            }
            let toward = if last { Toward::Beginning } else { Toward::End };
            w.push(&format!(" ORDER BY {} LIMIT 1", self.order(dialect, toward)));
        })
    }

    /// " WHERE the key begins with `prefix` AND ".
    fn push_prefix(&self, w: &mut Writer<'_>, dialect: &dyn Dialect, prefix: &[String]) {
        w.push(" WHERE ");
        if !prefix.is_empty() {
            self.push_key(w, dialect, prefix);
            w.push(" AND ");
        }
    }

    /// "The first columns of the key have these values".
    pub(super) fn push_key(&self, w: &mut Writer<'_>, dialect: &dyn Dialect, values: &[String]) {
        for (at, (column, value)) in self.key.iter().zip(values).enumerate() {
            let placeholder = w.placeholder(Bind::Text(Some(value.clone())));
            let value = dialect.key_from_text(column, &placeholder);
            let and = if at == 0 { "" } else { " AND " };
            w.push(&format!("{and}{} = {value}", self.operand(dialect, at)));
        }
    }

    /// The rows above `after`, up to and including `upto`: never run, but estimated. Only the ranges
    /// of the index, for a condition that says the same again would count as another one.
    #[must_use]
    pub fn rows_of(&self, dialect: &dyn Dialect, after: Option<&Key>, upto: &Key) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT 1 FROM {} WHERE ", self.hinted));
        self.disjunction(&mut w, dialect, &within(after, upto), after, Some(upto));
        w.finish()
    }

    /// The key of the row that is `rows` counted rows after `after`, and whether it lies past `hi`
    /// (1) or not (0). No row: fewer than `rows` are left in the table.
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
        if let Some(after) = after.filter(|_| self.is_mixed() && dialect.row_comparison()) {
            return self.boundary_in_stretches(dialect, after, hi, rows);
        }
        self.one_key_and_past(dialect, self.walked(), hi, |w| {
            let mut word = " WHERE ";
            if let Some(after) = after {
                w.push(word);
                self.push_above(w, dialect, after);
                word = " AND ";
            }
            if let Some(condition) = self.counted() {
                w.push(&format!("{word}{condition}"));
            }
            w.push(&format!(" ORDER BY {} LIMIT 1 OFFSET ", self.order(dialect, Toward::End)));
            w.int(rows.saturating_sub(1));
        })
    }

    /// The key that the inner statement finds, as text. Casting and comparing happen outside of
    /// it: PostgreSQL would do both for every row that OFFSET passes over.
    pub(super) fn one_key_and_past<'a>(
        &self,
        dialect: &'a dyn Dialect,
        table: &str,
        hi: &Key,
        find: impl FnOnce(&mut Writer<'a>),
    ) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT {}, CASE WHEN ", self.key_columns(dialect)));
        self.disjunction(&mut w, dialect, &at_most(self.key.len()), None, Some(hi));
        let columns: Vec<_> = self.key.iter().map(|column| dialect.quote(&column.name)).collect();
        let columns = columns.join(", ");
        w.push(&format!(" THEN 0 ELSE 1 END FROM (SELECT {columns} FROM {table}"));
        find(&mut w);
        w.push(") AS found");
        w.finish()
    }

    /// The number of counted rows above `after`, up to and including `upto`. Only used for the last
    /// window of a range, which has fewer of them than a batch.
    #[must_use]
    pub fn count(&self, dialect: &dyn Dialect, after: Option<&Key>, upto: &Key) -> Statement {
        self.count_where(dialect, after, upto, self.counted())
    }

    /// The number of rows of the window that match the filter: what the write looks at, without
    /// its expressions.
    #[must_use]
    pub fn count_matching(
        &self,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        upto: &Key,
    ) -> Statement {
        self.count_where(dialect, after, upto, self.filter.as_deref().map(parens))
    }

    fn count_where(
        &self,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        upto: &Key,
        condition: Option<String>,
    ) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT count(*) FROM {} WHERE ", self.walked()));
        self.push_window(&mut w, dialect, after, upto);
        if let Some(condition) = condition {
            w.push(&format!(" AND {condition}"));
        }
        w.finish()
    }

    /// All rows that match the filter, in no order: only ever explained.
    #[must_use]
    pub fn matching(&self) -> Option<Statement> {
        let filter = self.filter.as_deref().map(parens)?;
        Some(Statement::plain(format!("SELECT 1 FROM {} WHERE {filter}", self.table)))
    }

    pub(super) fn changes(&self, dialect: &dyn Dialect) -> String {
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
        w.push(&format!("UPDATE {} SET {} WHERE ", self.walked(), assignments.join(", ")));
        self.push_rows_to_change(&mut w, dialect, after, upto);
        w.finish()
    }

    /// The statement that locks the rows which [`Self::write`] would change, and no others, and
    /// fails at once where it would have to wait for one; `None` where the dialect cannot say so.
    ///
    /// It counts them instead of returning them. PostgreSQL locks nothing beside an aggregate,
    /// hence the inner statement; MySQL merges it into the outer one and locks the same records
    /// (seen in `performance_schema.data_locks` of 9.7).
    #[must_use]
    pub fn lock(
        &self,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        upto: &Key,
    ) -> Option<Statement> {
        let clause = dialect.lock_clause(self.assigns_unique)?;
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT count(*) FROM (SELECT 1 FROM {} WHERE ", self.walked()));
        self.push_rows_to_change(&mut w, dialect, after, upto);
        w.push(&format!(" {clause}) AS locked"));
        Some(w.finish())
    }

    /// "In the window, matching the filter, and not yet as the assignments would make it".
    pub(super) fn push_rows_to_change(
        &self,
        w: &mut Writer<'_>,
        dialect: &dyn Dialect,
        after: Option<&Key>,
        upto: &Key,
    ) {
        self.push_window(w, dialect, after, upto);
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
    }

    /// The first row of the window that the write would change: its key, and for each assignment
    /// whether it is what would change (1) or not (0).
    #[must_use]
    pub fn unsettled(&self, dialect: &dyn Dialect, after: Option<&Key>, upto: &Key) -> Statement {
        let flag = |a: &Assignment| {
            let differs = dialect.differs(&a.column, &closed(&a.expression));
            format!(", CASE WHEN {differs} THEN 1 ELSE 0 END")
        };
        let flags: String = self.set.iter().map(flag).collect();
        let mut w = Writer::new(dialect);
        w.push(&format!(
            "SELECT {}{flags} FROM {} WHERE ",
            self.key_columns(dialect),
            self.walked()
        ));
        self.push_window(&mut w, dialect, after, upto);
        let changes = self.changes(dialect);
        match self.filter.as_ref().map(|filter| parens(filter)) {
            Some(filter) => {
                w.push(&format!(" AND {filter} AND CASE WHEN {filter} THEN {changes} END"))
            }
            None => w.push(&format!(" AND {changes}")),
        };
        w.push(&format!(" ORDER BY {} LIMIT 1", self.order(dialect, Toward::End)));
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
