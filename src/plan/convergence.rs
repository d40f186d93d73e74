//! Whether a job is convergent: whether writing a row once more leaves it as it is.
//!
//! Without the fence a batch can be written again, because its rows and its cursor are not
//! committed together. What is asked is therefore: after a row was written, does the same write
//! change it? Two answers prove that it does not.
//!
//! **1. Independence.** No assignment reads a column that the job assigns, and none calls anything
//! volatile. Then the second write computes from the same inputs the same values, and a row whose
//! values would stay the same is not written. A column that follows from assigned ones counts as
//! assigned: generated columns, those that the server updates by itself (`ON UPDATE
//! CURRENT_TIMESTAMP`), the whole row (`row_to_json(orders)`), and a subquery that may read the
//! target table. A name that is no column of the table counts as such a thing, because PostgreSQL
//! reads `orders.f` as `f(orders)` and every table has system columns (`xmin`, `rowid`).
//!
//! **2. Exclusion.** The predicate cannot be true of a row that was written. That is decided by
//! three-valued logic over the conditions that compare one assigned column with literals:
//! everything else may have any truth value, so an OR excludes a row only where each of its sides
//! does, and a comparison of a function's result never does. What is known of the column's new
//! value is
//! - the literals that its expression can come to (also as branches of a CASE), as far as the
//!   column keeps them exactly: a text that is cut, or a number that is clipped, could be equal to
//!   what it was to differ from; and two texts count as different only where they are so under
//!   every collation;
//! - that it is not NULL, where the expression shows that by itself.
//!
//! **2b. `c IS NULL`.** If the predicate cannot be true once `c` is not NULL, a row leaves with its
//! first value of `c`, whatever the expression reads and calls, once that value is not NULL. Where it
//! comes to NULL, the row stays, and is as good as unwritten if nothing else was written to it that
//! matters to the next attempt: every *other* assignment must be independent, and the expression for
//! `c` must read none of the others' columns. `c` must be declared nullable: MySQL calls a zero date
//! in a NOT NULL column NULL. The same holds of a CASE with `ELSE c`: a row leaves with what another
//! branch gives, or stays with the `c` that it had.
//!
//! Triggers are not read. One that fires on updates may change what was written, and then neither
//! proof holds; since the rows and the fence still commit together, such a job runs with the fence
//! only ([`super::Plan::fence`]).
//!
//! Not seen, and left to the sample of [`super::prove`]: data that means the present moment to a cast
//! (a text column that holds `now`), and functions whose declaration is wrong.

use super::sql::Assignment;
use crate::catalog::{Column, Table};
use crate::sql::{
    ColumnRef, Condition, Literal, Outcome, Reading, Tokens, Unread, condition, evaluate, outcome,
    outcome_besides,
};
use crate::target::{Dialect, Storage};

/// Whether writing a row once more leaves it as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Convergence {
    /// It does; why, in a sentence.
    Convergent(String),
    /// It may not.
    Dependent(Vec<Doubtful>),
}

/// An assignment that may come to something else when a row is written again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doubtful {
    /// The column.
    pub column: String,
    /// Whether it can be NULL, and so a condition `IS NULL` can leave out what was written.
    pub nullable: bool,
    /// The reasons, in words.
    pub reasons: Vec<String>,
}

impl Convergence {
    /// Whether it is convergent.
    #[must_use]
    pub const fn holds(&self) -> bool {
        matches!(self, Self::Convergent(_))
    }

    /// Why it is not, in words; empty if it is.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        match self {
            Self::Convergent(_) => Vec::new(),
            Self::Dependent(list) => {
                let reasons =
                    |one: &Doubtful| format!("`{}`: {}", one.column, one.reasons.join(", "));
                list.iter().map(reasons).collect()
            }
        }
    }
}

/// Why an assignment may come to something else.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Doubt {
    /// It reads this assigned column.
    Reads(String),
    /// It may read one.
    Hides(String),
    /// It calls something volatile.
    Volatile(String),
}

impl Doubt {
    fn text(&self) -> String {
        match self {
            Self::Reads(column) => {
                format!("its expression reads `{column}`, which the job assigns")
            }
            Self::Hides(reason) | Self::Volatile(reason) => reason.clone(),
        }
    }
}

/// An assignment with what was found out about it.
pub(super) struct Read<'a> {
    /// The assignment.
    pub assignment: &'a Assignment,
    /// What its expression says.
    pub reading: Result<Reading, Unread>,
    /// What it calls that is volatile, in words.
    pub volatile: Vec<String>,
    /// Why a subquery of it may read the target, if it may.
    pub subquery: Option<String>,
}

/// Decides.
pub(super) fn decide(
    table: &Table,
    dialect: &dyn Dialect,
    set: &[Read<'_>],
    filter: Option<&str>,
) -> Convergence {
    let names: Vec<&str> = set.iter().map(|one| one.assignment.column.name.as_str()).collect();
    let doubts: Vec<Vec<Doubt>> = set.iter().map(|one| one.doubts(table, &names)).collect();
    if doubts.iter().all(Vec::is_empty) {
        return Convergence::Convergent(
            "no assignment reads a column that the job assigns, or calls anything volatile"
                .to_owned(),
        );
    }
    if let Some(filter) = filter {
        let excluder =
            Excluder { table, dialect, set, filter: condition(dialect.tokens(), filter) };
        if let Some(why) = excluder.excludes(&doubts) {
            return Convergence::Convergent(why);
        }
    }
    let doubtful = set.iter().zip(doubts).filter(|(_, doubts)| !doubts.is_empty());
    Convergence::Dependent(
        doubtful
            .map(|(one, doubts)| Doubtful {
                column: one.assignment.column.name.clone(),
                nullable: one.assignment.column.nullable,
                reasons: doubts.iter().map(Doubt::text).collect(),
            })
            .collect(),
    )
}

/// Names that no table declares and every table has.
const SYSTEM: [&str; 9] =
    ["xmin", "xmax", "cmin", "cmax", "ctid", "tableoid", "rowid", "_rowid_", "oid"];

fn same(a: &str, b: &str) -> bool {
    // Also where the server tells `Total` and `total` apart: that finds too much, never too little.
    a.to_lowercase() == b.to_lowercase()
}

impl Read<'_> {
    fn doubts(&self, table: &Table, assigned: &[&str]) -> Vec<Doubt> {
        let reading = match &self.reading {
            Ok(reading) => reading,
            Err(Unread(reason)) => return vec![Doubt::Hides(reason.clone())],
        };
        let mut doubts = Vec::new();
        for column in &reading.columns {
            doubts.extend(doubt_of(column, table, assigned));
        }
        for name in &reading.whole_rows {
            doubts.push(Doubt::Hides(format!("it reads the whole row (`{name}.*`)")));
        }
        doubts.extend(self.subquery.clone().map(Doubt::Hides));
        doubts.extend(self.volatile.iter().cloned().map(Doubt::Volatile));
        let mut unique: Vec<Doubt> = Vec::new();
        for doubt in doubts {
            if !unique.contains(&doubt) {
                unique.push(doubt);
            }
        }
        unique
    }
}

fn doubt_of(named: &ColumnRef, table: &Table, assigned: &[&str]) -> Option<Doubt> {
    let name = named.name();
    let of_target = named.qualifier().is_none_or(|qualifier| same(qualifier, &table.name));
    let mut found = table.columns.iter().filter(|column| same(&column.name, name)).peekable();
    if found.peek().is_none() {
        let known_not = named.inner && !same(name, &table.name) && !SYSTEM.contains(&name);
        let text = named.maybe_text && !SYSTEM.contains(&name.to_lowercase().as_str());
        return (!known_not && !text).then(|| {
            Doubt::Hides(format!(
                "`{name}` is no column of `{table}`: it may stand for the whole row, or for a value \
                 that changes with every write"
            ))
        });
    }
    for column in found {
        if assigned.contains(&column.name.as_str()) {
            return Some(if named.inner && (!of_target || named.qualifier().is_none()) {
                Doubt::Hides(format!(
                    "a subquery names `{name}`, which the job assigns; if it is another table's \
                     column, write that table before it"
                ))
            } else {
                Doubt::Reads(column.name.clone())
            });
        }
        if column.generated {
            return Some(Doubt::Hides(format!(
                "it reads `{name}`, which the server computes and which may follow from what the \
                 job assigns"
            )));
        }
        if column.self_updating {
            return Some(Doubt::Hides(format!(
                "it reads `{name}`, which the server sets in every row that changes"
            )));
        }
    }
    None
}

struct Excluder<'a> {
    table: &'a Table,
    dialect: &'a dyn Dialect,
    set: &'a [Read<'a>],
    filter: Condition,
}

impl Excluder<'_> {
    /// Why the predicate is not true of a row that was written, if that is certain.
    fn excludes(&self, doubts: &[Vec<Doubt>]) -> Option<String> {
        let known: Vec<Outcome> = self.set.iter().map(|one| self.known(one.assignment)).collect();
        if !self.may_match(&known) {
            return Some("`where` is no longer true of a row that was written".to_owned());
        }
        for (at, one) in self.set.iter().enumerate() {
            let column = &one.assignment.column;
            let tokens = self.dialect.tokens();
            let besides = outcome_besides(tokens, &one.assignment.expression, &column.name);
            let stays_as_null = besides.is_none();
            if stays_as_null && !column.nullable {
                continue;
            }
            let mut with_value = known.clone();
            with_value[at] = besides.map_or(Outcome::NotNull, |outcome| self.kept(outcome, column));
            let leaves_with_a_value = !self.may_match(&with_value);
            let others = doubts.iter().enumerate().filter(|(other, _)| *other != at);
            let others_are_independent = others.clone().all(|(_, doubts)| doubts.is_empty());
            let reads_others = 1 < self.set.len()
                && doubts[at].iter().any(|doubt| match doubt {
                    Doubt::Reads(name) => *name != column.name,
                    Doubt::Hides(_) => true,
                    Doubt::Volatile(_) => false,
                });
            if leaves_with_a_value && others_are_independent && !reads_others {
                let has = if stays_as_null { "has a value" } else { "was changed" };
                return Some(format!(
                    "`where` is no longer true of a row whose `{}` {has}",
                    column.name
                ));
            }
        }
        None
    }

    fn may_match(&self, known: &[Outcome]) -> bool {
        let lookup = |qualifier: Option<&str>, name: &str| {
            if qualifier.is_some_and(|qualifier| !same(qualifier, &self.table.name)) {
                return Outcome::Anything;
            }
            let mut columns = self.table.columns.iter().filter(|column| same(&column.name, name));
            let (Some(column), None) = (columns.next(), columns.next()) else {
                return Outcome::Anything;
            };
            let at = self.set.iter().position(|one| one.assignment.column.name == column.name);
            at.map_or(Outcome::Anything, |at| known[at].clone())
        };
        evaluate(&self.filter, &lookup).yes
    }

    /// What is known of the column after the assignment, as it is stored.
    fn known(&self, assignment: &Assignment) -> Outcome {
        self.kept(outcome(self.dialect.tokens(), &assignment.expression), &assignment.column)
    }

    fn kept(&self, found: Outcome, column: &Column) -> Outcome {
        let storage = self.dialect.storage(column);
        match found {
            // What a column that cannot be NULL makes of NULL, or of a value that does not fit, is
            // a setting of the server.
            Outcome::NotNull if column.nullable => Outcome::NotNull,
            Outcome::OneOf(literals) => {
                let kept = literals.iter().map(|one| stored(one, &storage, column));
                match kept.collect::<Option<Vec<_>>>() {
                    Some(kept) => Outcome::OneOf(kept),
                    None if column.nullable && !literals.contains(&Literal::Null) => {
                        Outcome::NotNull
                    }
                    None => Outcome::Anything,
                }
            }
            _ => Outcome::Anything,
        }
    }
}

/// The literal as the column keeps it, if that is certain.
fn stored(literal: &Literal, storage: &Storage, column: &Column) -> Option<Literal> {
    let plain = |text: &str| {
        text.trim() == text && text.bytes().all(|b| matches!(b, b' '..=b'~') && b != b'\\')
    };
    match (literal, storage) {
        (Literal::Null, _) if column.nullable => Some(Literal::Null),
        (Literal::Int(number), Storage::Integer(least, most))
            if (*least..=*most).contains(number) =>
        {
            Some(literal.clone())
        }
        (Literal::Bool(value), Storage::Integer(..)) => Some(Literal::Int(i128::from(*value))),
        (Literal::Bool(_), Storage::Boolean) => Some(literal.clone()),
        (Literal::Text(text), Storage::Text(most)) if plain(text) && text.len() <= *most => {
            Some(literal.clone())
        }
        (Literal::Text(text), Storage::Members(list)) if plain(text) && list.contains(text) => {
            Some(literal.clone())
        }
        _ => None,
    }
}

/// Whether the expression is nothing but a text, which a column of texts keeps as such.
pub(super) fn is_mere_text(tokens: Tokens, assignment: &Assignment, storage: &Storage) -> bool {
    let found = outcome(tokens, &assignment.expression);
    let text = matches!(&found, Outcome::OneOf(list) if list.iter().all(|l| matches!(l, Literal::Text(_))));
    text && matches!(storage, Storage::Text(_))
}
