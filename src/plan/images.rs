//! The statements that keep what a job overwrites, and that put it back.
//!
//! An *image* is a row of a table beside the fence: the key of a row that a batch has written, and of
//! each written column the value before and after, all of the column's own type, so that nothing
//! passes through text. The names of its columns begin with [`PREFIX`], and the job's table has no
//! such column, so that the job's expressions mean the same beside an image as alone.

mod restore;

use sha2::{Digest, Sha256};

use super::sql::{Statements, parens};
use crate::catalog::{Column, KeyColumn};
use crate::keyspace::Key;
use crate::spec::Walk;
use crate::target::fence::ColumnTypes;
use crate::target::{Dialect, LateKey, Statement, Writer};

/// What the name of each column of an image begins with.
const PREFIX: &str = "undo_";

/// The names that mean something in a statement about images, besides those of the kept columns.
const NAMES: [&str; 6] =
    ["undo_generation", "undo_at", "undo_fate", "undo_o", "undo_n", "undo_written"];

/// The longest identifier that every database takes, in bytes.
const LONGEST: usize = 63;

/// The first digits of the SHA-256 of the text, in hexadecimal.
fn digest(text: &str, digits: usize) -> String {
    let hex = |byte: &u8| format!("{byte:02x}");
    let mut hash: String = Sha256::digest(text.as_bytes()).iter().map(hex).collect();
    hash.truncate(digits);
    hash
}

/// The name of the table of a job's images.
#[must_use]
pub fn table_name(job: &str) -> String {
    format!("backstop_undo_{}", digest(job, 12))
}

/// The name of the job that undoes a generation of another: `orders-undo-1`. A generation has one of
/// its own, so that its undo is begun once, gone on with, and finished like any job.
#[must_use]
pub fn job_name(job: &str, generation: u32) -> String {
    let end = format!("-undo-{generation}");
    let whole = format!("{job}{end}");
    if whole.len() <= LONGEST {
        return whole;
    }
    // Names of jobs are ASCII.
    let kept = job.get(..LONGEST - end.len() - 9).unwrap_or(job);
    format!("{kept}-{}{end}", digest(job, 8))
}

/// The name of a column of the images; a long one is cut, with the hash of what is meant.
fn column_name(kind: &str, name: &str) -> String {
    let whole = format!("{PREFIX}{kind}_{name}");
    if whole.len() <= LONGEST {
        return whole;
    }
    let room = LONGEST - 9;
    let cut = whole.char_indices().map(|(at, _)| at).take_while(|at| *at <= room).last();
    format!("{}_{}", &whole[..cut.unwrap_or(0)], digest(name, 8))
}

/// A written column, and the two of the images that go with it.
#[derive(Debug, Clone)]
struct Kept {
    column: Column,
    old: Column,
    new: Column,
    expression: String,
}

/// What is needed to write every statement about a job's images.
#[derive(Debug, Clone)]
pub struct Images {
    /// The qualified and quoted name of their table.
    pub table: String,
    /// The job's table, as FROM names it.
    target: String,
    /// The same as its columns name it.
    qualifier: String,
    /// The job's key.
    key: Vec<Column>,
    kept: Vec<Kept>,
    /// The walk along the images.
    walk: Statements,
}

impl Images {
    /// Composes for the statements of a job on the table of the bare name `name`, whose images stand
    /// in `table`.
    #[must_use]
    pub fn new(dialect: &dyn Dialect, statements: &Statements, name: &str, table: &str) -> Self {
        let renamed =
            |column: &Column, name: String| Column { name, generated: false, ..column.clone() };
        let kept = statements.set.iter().map(|assignment| Kept {
            column: assignment.column.clone(),
            old: renamed(&assignment.column, column_name("old", &assignment.column.name)),
            new: renamed(&assignment.column, column_name("new", &assignment.column.name)),
            expression: assignment.expression.clone(),
        });
        let key = statements.key.iter();
        let key = key.map(|column| renamed(column, column_name("key", &column.name)));
        let along = statements.along.iter();
        let along =
            along.map(|part| KeyColumn { name: column_name("key", &part.name), ..part.clone() });
        let walk = Statements {
            name: table.to_owned(),
            table: table.to_owned(),
            hinted: table.to_owned(),
            key: key.collect(),
            along: along.collect(),
            set: Vec::new(),
            filter: None,
            expect: None,
            remaining: false,
            sweeps: false,
            checksum: false,
            assigns_unique: false,
            walk: Walk::Predicate,
        };
        Self {
            table: table.to_owned(),
            target: statements.table.clone(),
            qualifier: dialect.quote(name),
            key: statements.key.clone(),
            kept: kept.collect(),
            walk,
        }
    }

    /// The columns whose types the DDL needs: those of the key, then the written ones.
    #[must_use]
    pub fn sources(&self) -> Vec<&Column> {
        self.key.iter().chain(self.kept.iter().map(|kept| &kept.column)).collect()
    }

    /// The names of the images' columns and their types, of the types of [`Images::sources`].
    #[must_use]
    pub fn columns(&self, declared: &[String]) -> Vec<(String, String)> {
        let (keys, values) = declared.split_at(self.key.len().min(declared.len()));
        let keys = self.walk.key.iter().zip(keys).map(|(key, of)| (key.name.clone(), of.clone()));
        let values = self.kept.iter().zip(values);
        let values = values
            .flat_map(|(kept, of)| [&kept.old, &kept.new].map(|c| (c.name.clone(), of.clone())));
        keys.chain(values).collect()
    }

    /// Whether a name means a column of the images, or the like, in a statement about them.
    #[must_use]
    pub fn takes(&self, name: &str) -> bool {
        let values = self.kept.iter().flat_map(|kept| [&kept.old, &kept.new]);
        let taken = self.walk.key.iter().chain(values).map(|column| column.name.as_str());
        taken.chain(NAMES).any(|taken| taken.eq_ignore_ascii_case(name))
    }

    /// The DDL of the table under this name, of those types.
    #[must_use]
    pub fn ddl(
        &self,
        dialect: &dyn Dialect,
        table: &str,
        types: &ColumnTypes,
        declared: &[String],
    ) -> String {
        let keys = self.walk.key.len();
        let columns = self.columns(declared).into_iter().enumerate().map(|(at, (name, of))| {
            let null = if at < keys { "NOT NULL" } else { "" };
            let parts = [dialect.quote(&name), of, null.to_owned()];
            let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            format!("  {}", parts.join(" "))
        });
        let columns: Vec<_> = columns.collect();
        // Images are only ever added, so their pages need no room.
        let suffix = if types.suffix.contains("fillfactor") { "" } else { types.suffix };
        format!(
            "CREATE TABLE {table} (\n  undo_generation {} NOT NULL,\n  undo_at {} NOT NULL,\n\
             {}{}\n){suffix}",
            types.int,
            types.time,
            columns.join(",\n"),
            self.key_clause(dialect)
        )
    }

    fn key_clause(&self, dialect: &dyn Dialect) -> String {
        format!(",\n  PRIMARY KEY ({})", self.identity(dialect).join(", "))
    }

    /// The same without the key: what is run by who owns the table then and can add the key later. What
    /// is shown to a DBA has it.
    #[must_use]
    pub fn without_key(&self, dialect: &dyn Dialect, ddl: &str) -> String {
        ddl.replacen(&self.key_clause(dialect), "", 1)
    }

    /// How the table gets its key when the images are looked at, where it has none before.
    #[must_use]
    pub fn late_key(&self, dialect: &dyn Dialect) -> Option<LateKey> {
        let newest: Vec<_> = self.kept.iter().map(|kept| dialect.quote(&kept.new.name)).collect();
        dialect.late_key(&self.table, &self.identity(dialect), "undo_at", &newest)
    }

    /// The quoted columns of the primary key.
    fn identity(&self, dialect: &dyn Dialect) -> Vec<String> {
        let keys = self.walk.key.iter().map(|column| dialect.quote(&column.name));
        std::iter::once("undo_generation".to_owned()).chain(keys).collect()
    }

    /// "Of this generation", as a condition.
    fn of(generation: u32) -> String {
        format!("undo_generation = {generation}")
    }

    /// The walk along the images of a generation.
    #[must_use]
    pub fn walk(&self, generation: u32) -> Statements {
        Statements { filter: Some(Self::of(generation)), ..self.walk.clone() }
    }

    /// The last key of a generation.
    #[must_use]
    pub fn last_key(&self, dialect: &dyn Dialect, generation: u32) -> Statement {
        Statement::plain(format!(
            "SELECT {} FROM {} WHERE {} ORDER BY {} LIMIT 1",
            self.walk.key_columns(dialect),
            self.table,
            Self::of(generation),
            self.walk.order(dialect, super::sql::Toward::Beginning),
        ))
    }

    /// The lowest generation above this one that has images; NULL if none has.
    #[must_use]
    pub fn next_generation(&self, after: u32) -> Statement {
        Statement::plain(format!(
            "SELECT min(undo_generation) FROM {} WHERE undo_generation > {after}",
            self.table
        ))
    }

    /// The highest generation that has images; NULL if none has.
    #[must_use]
    pub fn newest_generation(&self) -> Statement {
        Statement::plain(format!("SELECT max(undo_generation) FROM {}", self.table))
    }

    /// " WHERE the image is of this generation and its key in the window".
    fn push_window(
        &self,
        w: &mut Writer<'_>,
        dialect: &dyn Dialect,
        generation: u32,
        after: Option<&Key>,
        upto: &Key,
    ) {
        w.push(&format!(" WHERE {} AND ", Self::of(generation)));
        self.walk.push_window(w, dialect, after, upto);
    }

    /// A row where an image of the window is there already.
    #[must_use]
    pub fn present(
        &self,
        dialect: &dyn Dialect,
        generation: u32,
        after: Option<&Key>,
        upto: &Key,
    ) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT 1 FROM {}", self.table));
        self.push_window(&mut w, dialect, generation, after, upto);
        w.push(" LIMIT 1");
        w.finish()
    }

    /// "INSERT INTO images (every column) SELECT generation, time, ", or the like.
    fn insert(&self, dialect: &dyn Dialect, generation: u32) -> String {
        let values = self.kept.iter().flat_map(|kept| [&kept.old, &kept.new]);
        let columns = self.walk.key.iter().chain(values).map(|column| dialect.quote(&column.name));
        let columns: Vec<_> = columns.collect();
        format!(
            "INSERT INTO {} (undo_generation, undo_at, {}) SELECT {generation}, {}, ",
            self.table,
            columns.join(", "),
            dialect.now()
        )
    }

    /// A row that was written twice keeps the value that it had first, and takes the newest one.
    fn merge(&self, dialect: &dyn Dialect) -> String {
        let new: Vec<_> = self.kept.iter().map(|kept| dialect.quote(&kept.new.name)).collect();
        dialect.merge(&self.identity(dialect), &new)
    }

    /// The statement before the write that keeps what it is about to overwrite, and locks those rows.
    /// `merged`: images of the window are there already.
    #[must_use]
    pub fn keep(
        &self,
        dialect: &dyn Dialect,
        job: &Statements,
        generation: u32,
        merged: bool,
        after: Option<&Key>,
        upto: &Key,
    ) -> Statement {
        let mut w = Writer::new(dialect);
        let keys = self.key.iter().map(|column| dialect.quote(&column.name));
        let values = self
            .kept
            .iter()
            .flat_map(|kept| [dialect.quote(&kept.column.name), parens(&kept.expression)]);
        let columns: Vec<_> = keys.chain(values).collect();
        w.push(&self.insert(dialect, generation));
        w.push(&format!("{} FROM {} WHERE ", columns.join(", "), job.walked()));
        job.push_rows_to_change(&mut w, dialect, after, upto);
        w.push(dialect.keep_clause(job.assigns_unique));
        if merged {
            w.push(&self.merge(dialect));
        }
        w.finish()
    }

    /// How many rows the write is about to change, which it locks: what [`Images::keep`] adds cannot
    /// be told from what it merges.
    #[must_use]
    pub fn count(
        &self,
        dialect: &dyn Dialect,
        job: &Statements,
        after: Option<&Key>,
        upto: &Key,
    ) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("SELECT count(*) FROM (SELECT 1 FROM {} WHERE ", job.walked()));
        job.push_rows_to_change(&mut w, dialect, after, upto);
        w.push(dialect.keep_clause(job.assigns_unique)).push(") AS counted");
        w.finish()
    }

    /// What an UPDATE returns of the rows that it writes.
    fn returned(&self, dialect: &dyn Dialect) -> String {
        let quote = |column: &Column| dialect.quote(&column.name);
        let keys = self.key.iter().zip(&self.walk.key);
        let keys = keys.map(|(key, kept)| format!("undo_n.{} AS {}", quote(key), quote(kept)));
        let values = self.kept.iter().flat_map(|kept| {
            let column = quote(&kept.column);
            [
                format!("undo_o.{column} AS {}", quote(&kept.old)),
                format!("undo_n.{column} AS {}", quote(&kept.new)),
            ]
        });
        let returned: Vec<_> = keys.chain(values).collect();
        format!("RETURNING WITH (OLD AS undo_o, NEW AS undo_n) {}", returned.join(", "))
    }

    /// A write whose rows are read, only to ask the server whether it takes such a thing: not where a
    /// rule stands in for the write.
    #[must_use]
    pub fn probe(&self, dialect: &dyn Dialect, job: &Statements) -> String {
        let (after, upto) = job.example();
        let write = job.write(dialect, Some(&after), &upto).sql;
        let returned = self.returned(dialect);
        format!("WITH undo_written AS ({write} {returned}) SELECT count(*) FROM undo_written")
    }

    /// The write and the images in one statement, where an UPDATE returns what it overwrites. The
    /// number of rows that it finds is the number of rows that it changes.
    #[must_use]
    pub fn write(
        &self,
        dialect: &dyn Dialect,
        job: &Statements,
        generation: u32,
        merged: bool,
        after: Option<&Key>,
        upto: &Key,
    ) -> Statement {
        let mut write = job.write(dialect, after, upto);
        write.sql = format!(
            "WITH undo_written AS ({} {}) {}{} FROM undo_written{}",
            write.sql,
            self.returned(dialect),
            self.insert(dialect, generation),
            self.names(dialect).join(", "),
            if merged { self.merge(dialect) } else { String::new() },
        );
        write
    }

    /// The quoted names of key and values.
    fn names(&self, dialect: &dyn Dialect) -> Vec<String> {
        let values = self.kept.iter().flat_map(|kept| [&kept.old, &kept.new]);
        self.walk.key.iter().chain(values).map(|column| dialect.quote(&column.name)).collect()
    }

    /// The statement after the write that takes the new values from the rows as they are stored:
    /// a trigger may have changed them, and a volatile expression comes to another value each time.
    #[must_use]
    pub fn settle(
        &self,
        dialect: &dyn Dialect,
        generation: u32,
        after: Option<&Key>,
        upto: &Key,
    ) -> Statement {
        let set = self.kept.iter().map(|kept| {
            let column = dialect.quote(&kept.column.name);
            format!(
                "{} = (SELECT {}.{column} FROM {} WHERE {})",
                dialect.quote(&kept.new.name),
                self.qualifier,
                self.target,
                self.same_row(dialect)
            )
        });
        let set: Vec<_> = set.collect();
        let mut w = Writer::new(dialect);
        w.push(&format!("UPDATE {} SET {}", self.table, set.join(", ")));
        self.push_window(&mut w, dialect, generation, after, upto);
        w.finish()
    }

    /// "The image is of this row". The image's column first: SQLite compares as that one does.
    fn same_row(&self, dialect: &dyn Dialect) -> String {
        let pairs = self.walk.key.iter().zip(&self.key).map(|(image, key)| {
            let (image, key) = (dialect.quote(&image.name), dialect.quote(&key.name));
            format!("{image} = {}.{key}", self.qualifier)
        });
        pairs.collect::<Vec<_>>().join(" AND ")
    }

    /// The names of the written columns.
    #[must_use]
    pub fn written(&self) -> Vec<&str> {
        self.kept.iter().map(|kept| kept.column.name.as_str()).collect()
    }

    /// A row where an image of the generation is older than that.
    #[must_use]
    pub fn any_older(&self, dialect: &dyn Dialect, generation: u32, seconds: u64) -> Statement {
        Statement::plain(format!(
            "SELECT 1 FROM {} WHERE {} AND undo_at < {} LIMIT 1",
            self.table,
            Self::of(generation),
            dialect.ago(seconds)
        ))
    }

    /// Removes the images of a window that are older than that.
    #[must_use]
    pub fn expire(
        &self,
        dialect: &dyn Dialect,
        generation: u32,
        seconds: u64,
        after: Option<&Key>,
        upto: &Key,
    ) -> Statement {
        let mut w = Writer::new(dialect);
        w.push(&format!("DELETE FROM {}", self.table));
        self.push_window(&mut w, dialect, generation, after, upto);
        w.push(&format!(" AND undo_at < {}", dialect.ago(seconds)));
        w.finish()
    }

    /// What the images of the first rows of the table would take in values alone, in bytes, and how
    /// many rows these are.
    #[must_use]
    pub fn width(&self, dialect: &dyn Dialect) -> Statement {
        let of = |column: &Column, times: u32| {
            format!("{times} * coalesce({}, 0)", dialect.width(column))
        };
        let keys = self.key.iter().map(|column| of(column, 1));
        let terms: Vec<_> = keys.chain(self.kept.iter().map(|kept| of(&kept.column, 2))).collect();
        let columns: Vec<_> =
            self.sources().iter().map(|column| dialect.quote(&column.name)).collect();
        Statement::plain(format!(
            "SELECT sum({}), count(*) FROM (SELECT {} FROM {} LIMIT 1000) AS sample",
            terms.join(" + "),
            columns.join(", "),
            self.target
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_fit_and_do_not_collide() {
        assert_eq!(job_name("orders", 2), "orders-undo-2");
        let long = |end: char| format!("{}{end}", "x".repeat(62));
        let (a, b) = (job_name(&long('a'), 1), job_name(&long('b'), 1));
        assert!(a.len() <= 63 && a.ends_with("-undo-1") && a != b, "{a} {b}");
        assert_eq!(column_name("old", "total"), "undo_old_total");
        let (a, b) = (column_name("old", &long('a')), column_name("old", &long('ä')));
        assert!(a.len() <= 63 && b.len() <= 63 && a != b, "{a} {b}");
        assert!(table_name("orders").len() < 64);
    }
}
