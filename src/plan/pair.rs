//! The statements that compare a table with a copy of it, whose columns may have other types.

use super::key::obstacle;
use super::sql::Statements;
use crate::catalog::{Column, Key as Index, KeyKind, Table};
use crate::keyspace::Key;
use crate::target::{Dialect, Statement, Writer};

/// A table and its copy.
#[derive(Debug, Clone)]
pub struct Pair {
    /// How the table is walked.
    pub old: Statements,
    /// How the copy is walked, along the same key.
    pub new: Statements,
    /// Columns that are compared by the checksum, as the table and the copy have them.
    same: Vec<(Column, Column)>,
    /// Columns that are compared by value: of another type, or long.
    changed: Vec<(Column, Column)>,
    /// Columns that are not compared, and why.
    pub left_out: Vec<String>,
}

/// Which rows: above `after`, up to and including `upto`; without one, from the beginning, or to the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The key before its first.
    pub after: Option<Key>,
    /// Its last key.
    pub upto: Option<Key>,
}

impl Pair {
    /// A table and its copy, by the columns that both have.
    ///
    /// # Errors
    ///
    /// Why the two cannot be compared: no key that both have, in the same order.
    pub fn new(dialect: &dyn Dialect, old: &Table, new: &Table) -> Result<Self, String> {
        let (own, its) = shared_key(old, new).ok_or_else(|| {
            format!(
                "`{old}` and `{new}` have no key in common whose values stand in one order in both: a \
                 primary or unique key of columns that are not NULL and keep their type"
            )
        })?;
        let walk = |table: &Table, index: &Index| {
            let columns = index.columns.iter().filter_map(|part| table.column(&part.name)).cloned();
            let columns: Vec<Column> = columns.collect();
            Statements::new(dialect, table, index, columns, Vec::new())
        };
        let mut pair = Self {
            old: walk(old, own),
            new: walk(new, its),
            same: Vec::new(),
            changed: Vec::new(),
            left_out: Vec::new(),
        };
        let is_key = |column: &Column| own.columns.iter().any(|part| part.name == column.name);
        for column in &old.columns {
            let Some(other) = twin(new, &column.name) else {
                pair.left_out.push(format!("`{}`: the copy has no such column", column.name));
                continue;
            };
            if column.generated || other.generated {
                pair.left_out.push(format!("`{}`: the server computes it", column.name));
            } else if is_key(column) || column.type_sql == other.type_sql && !is_long(column) {
                pair.same.push((column.clone(), other.clone()));
            } else {
                pair.changed.push((column.clone(), other.clone()));
            }
        }
        for column in new.columns.iter().filter(|column| twin(old, &column.name).is_none()) {
            pair.left_out.push(format!("`{}`: the table has no such column", column.name));
        }
        Ok(pair)
    }

    /// The names of the key's columns.
    #[must_use]
    pub fn key_names(&self) -> Vec<String> {
        self.old.key.iter().map(|column| column.name.clone()).collect()
    }

    /// Of a stretch, in one statement and so at one moment: rows and checksum of the table, the same of the
    /// copy, and how many rows have another value in a column that is compared by value.
    #[must_use]
    pub fn sums(&self, dialect: &dyn Dialect, stretch: &Stretch) -> Statement {
        let mut w = Writer::new(dialect);
        w.push("SELECT a.n, a.s, b.n, b.s, c.n FROM (");
        for (side, next) in [(Side::Old, ") AS a, ("), (Side::New, ") AS b, (")] {
            w.push(&format!("SELECT count(*) AS n, {} AS s FROM ", self.checksum(dialect, side)));
            self.rows_of(&mut w, dialect, side, stretch);
            w.push(next);
        }
        if self.changed.is_empty() {
            w.push("SELECT 0 AS n");
        } else {
            w.push("SELECT count(*) AS n FROM ");
            self.push_changed(&mut w, dialect, stretch);
        }
        w.push(") AS c");
        w.finish()
    }

    /// Of a stretch, in one statement: every row of the table (0) and of the copy (1) with its key and its
    /// checksum, and the rows (2) that have another value in a column that is compared by value.
    #[must_use]
    pub fn rows(&self, dialect: &dyn Dialect, stretch: &Stretch) -> Statement {
        let mut w = Writer::new(dialect);
        for (number, side) in [(0, Side::Old), (1, Side::New)] {
            let walked = self.side(side);
            let (columns, checksum) = (walked.key_columns(dialect), self.checksum(dialect, side));
            let between = if number == 0 { "" } else { " UNION ALL " };
            w.push(&format!("{between}SELECT {number}, {columns}, {checksum} FROM "));
            self.rows_of(&mut w, dialect, side, stretch);
            let key: Vec<_> = walked.key.iter().map(|column| dialect.quote(&column.name)).collect();
            w.push(&format!(" GROUP BY {}", key.join(", ")));
        }
        if !self.changed.is_empty() {
            let named = |(at, column): (usize, &Column)| Column {
                name: format!("k{at}"),
                ..column.clone()
            };
            let key: Vec<_> = self.old.key.iter().enumerate().map(named).collect();
            let key: Vec<_> = key.iter().map(|column| dialect.key_as_text(column)).collect();
            w.push(&format!(" UNION ALL SELECT 2, {}, 0 FROM ", key.join(", ")));
            self.push_changed(&mut w, dialect, stretch);
        }
        w.finish()
    }

    fn side(&self, side: Side) -> &Statements {
        match side {
            Side::Old => &self.old,
            Side::New => &self.new,
        }
    }

    fn checksum(&self, dialect: &dyn Dialect, side: Side) -> String {
        let of = |(old, new): &'_ (Column, Column)| match side {
            Side::Old => old.clone(),
            Side::New => new.clone(),
        };
        let columns: Vec<Column> = self.same.iter().map(of).collect();
        dialect.checksum(&columns.iter().collect::<Vec<_>>())
    }

    /// "The table where the key is in the stretch".
    fn rows_of(&self, w: &mut Writer<'_>, dialect: &dyn Dialect, side: Side, stretch: &Stretch) {
        let walked = self.side(side);
        w.push(walked.walked());
        match (&stretch.after, &stretch.upto) {
            (after, Some(upto)) => {
                w.push(" WHERE ");
                walked.push_window(w, dialect, after.as_ref(), upto);
            }
            (Some(after), None) => {
                w.push(" WHERE ");
                walked.push_above(w, dialect, after);
            }
            (None, None) => {}
        }
    }

    /// "The rows that both have, where a column that is compared by value has another than the server itself
    /// makes of the table's". The columns get names of their own, for both sides have them.
    fn push_changed(&self, w: &mut Writer<'_>, dialect: &dyn Dialect, stretch: &Stretch) {
        let quote = |name: &str| dialect.quote(name);
        for (side, key, value, alias) in
            [(Side::Old, "k", "v", "o JOIN "), (Side::New, "m", "w", "c ON ")]
        {
            let keys = self.side(side).key.iter().map(|column| column.name.as_str());
            let columns = self.changed.iter().map(|(old, new)| match side {
                Side::Old => old.name.as_str(),
                Side::New => new.name.as_str(),
            });
            let named = |letter: &str, (at, name): (usize, &str)| {
                format!("{} AS {letter}{at}", quote(name))
            };
            let list: Vec<String> = keys
                .enumerate()
                .map(|one| named(key, one))
                .chain(columns.enumerate().map(|one| named(value, one)))
                .collect();
            w.push(&format!("(SELECT {} FROM ", list.join(", ")));
            self.rows_of(w, dialect, side, stretch);
            w.push(&format!(") AS {alias}"));
        }
        let equal: Vec<_> = (0..self.old.key.len()).map(|at| format!("k{at} = m{at}")).collect();
        let differs = |(at, (_, new)): (usize, &(Column, Column))| {
            let column = Column { name: format!("w{at}"), ..new.clone() };
            dialect.differs(&column, &format!("v{at}"))
        };
        let differs: Vec<_> = self.changed.iter().enumerate().map(differs).collect();
        w.push(&format!("{} WHERE {}", equal.join(" AND "), differs.join(" OR ")));
    }
}

#[derive(Clone, Copy)]
enum Side {
    Old,
    New,
}

/// Whether its values may be too long for a checksum, which puts a row's values into one text: where that
/// passes `max_allowed_packet` it is NULL, and NULL is summed up as nothing.
fn is_long(column: &Column) -> bool {
    let long = ["mediumtext", "longtext", "mediumblob", "longblob", "json"];
    long.iter().any(|word| column.type_sql.starts_with(word))
}

/// The column of that name, in whichever case: the servers fold it.
fn twin<'a>(table: &'a Table, name: &str) -> Option<&'a Column> {
    table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
}

/// The first key that can be walked in both, and stands in one order in both.
fn shared_key<'a>(old: &'a Table, new: &'a Table) -> Option<(&'a Index, &'a Index)> {
    let walkable =
        |table: &'a Table| table.keys.iter().filter(|key| obstacle(table, key).is_none());
    let fits = |own: &Index, its: &Index| {
        own.columns.len() == its.columns.len()
            && own.columns.iter().zip(&its.columns).all(|(a, b)| {
                let columns = old.column(&a.name).zip(new.column(&b.name));
                a.name.eq_ignore_ascii_case(&b.name)
                    && a.descending == b.descending
                    && columns.is_some_and(|(a, b)| are_in_one_order(a, b))
            })
    };
    walkable(old).find_map(|own| walkable(new).find(|its| fits(own, its)).map(|its| (own, its)))
}

/// Values of both stand in one order, and one text names the same value. Whole numbers of any width do, but
/// not with zeros before them, nor members of a list.
fn are_in_one_order(old: &Column, new: &Column) -> bool {
    let is_whole = |column: &Column| {
        column.key_kind == Ok(KeyKind::Integer)
            && column.type_sql.split(['(', ' ']).next().is_some_and(|word| word.ends_with("int"))
            && !column.type_sql.contains("zerofill")
    };
    old.type_sql == new.type_sql || is_whole(old) && is_whole(new)
}
