//! The fence: a small table in the target whose rows are where truth lives.
//!
//! One row per job, generation and range. The transaction of a batch advances the row on condition
//! that the epoch is still the runner's own, so rows and cursor commit together or not at all. The
//! statements are the same on every database; only quoting and the clock differ.

use super::{Bind, Dialect, Result, Session, Statement, Writer};
use crate::keyspace::{Key, Range};

/// The fence table's name.
pub const TABLE: &str = "backstop_fence";

/// Where the fence stands or would be created.
#[derive(Debug, Clone)]
pub struct Home {
    /// The qualified and quoted name of the table.
    pub table: String,
    /// Whether it exists.
    pub exists: bool,
    /// The DDL that creates it.
    pub ddl: String,
    /// Why we may not create or write it, if we may not.
    pub refused: Option<String>,
}

/// Column definitions by purpose, for the dialects' DDL.
pub struct ColumnTypes {
    /// A name of up to 63 characters that compares byte by byte.
    pub name: &'static str,
    /// A text of any length.
    pub text: &'static str,
    /// A 32-bit number.
    pub int: &'static str,
    /// A 64-bit number.
    pub bigint: &'static str,
    /// A time by the server's clock.
    pub time: &'static str,
    /// What follows the closing parenthesis.
    pub suffix: &'static str,
}

/// The DDL of the fence with these types.
#[must_use]
pub fn ddl(table: &str, types: &ColumnTypes) -> String {
    let ColumnTypes { name, text, int, bigint, time, suffix } = types;
    format!(
        "CREATE TABLE {table} (\n\
         \x20 job {name} NOT NULL,\n\
         \x20 generation {int} NOT NULL,\n\
         \x20 range_id {int} NOT NULL,\n\
         \x20 lo {text},\n\
         \x20 hi {text} NOT NULL,\n\
         \x20 cursor_at {text},\n\
         \x20 epoch {bigint} NOT NULL,\n\
         \x20 spec_hash {name} NOT NULL,\n\
         \x20 table_identity {text} NOT NULL,\n\
         \x20 holder {text},\n\
         \x20 state {name} NOT NULL,\n\
         \x20 batches {bigint} NOT NULL,\n\
         \x20 rows_scanned {bigint} NOT NULL,\n\
         \x20 rows_changed {bigint} NOT NULL,\n\
         \x20 updated_at {time} NOT NULL,\n\
         \x20 PRIMARY KEY (job, generation, range_id)\n\
         ){suffix}"
    )
}

/// The fence of one job, as the runner addresses it.
#[derive(Debug, Clone)]
pub struct Fence {
    /// The qualified and quoted name of the table.
    pub table: String,
    /// The job's name.
    pub job: String,
}

/// What the fence holds of one generation of a job.
#[derive(Debug, Clone)]
pub struct Generation {
    /// Its number, from 1.
    pub number: u32,
    /// The spec under which it began.
    pub spec_hash: String,
    /// The table that it walks.
    pub table_identity: String,
    /// Who held it last.
    pub holder: Option<String>,
    /// Its ranges.
    pub ranges: Vec<Range>,
}

impl Fence {
    /// The newest generation of the job, if the fence knows the job.
    ///
    /// # Errors
    ///
    /// What the server says, or that a row cannot be read.
    pub async fn load(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
    ) -> Result<Option<Generation>> {
        let mut w = Writer::new(dialect);
        let columns = [
            "generation",
            "range_id",
            "lo",
            "hi",
            "cursor_at",
            "epoch",
            "spec_hash",
            "table_identity",
            "holder",
            "state",
            "batches",
            "rows_scanned",
            "rows_changed",
        ];
        w.push("SELECT ").push(&columns.join(", "));
        w.push(" FROM ").push(&self.table).push(" WHERE job = ").text(&self.job);
        w.push(" AND generation = (SELECT max(generation) FROM ").push(&self.table);
        w.push(" WHERE job = ").text(&self.job).push(") ORDER BY range_id");
        let rows = session.query(&w.finish()).await?;
        let mut found: Option<Generation> = None;
        for row in &rows {
            let row = FenceRow(row);
            let generation = found.get_or_insert(Generation {
                number: row.number(0)?,
                spec_hash: row.text(6)?.to_owned(),
                table_identity: row.text(7)?.to_owned(),
                holder: None,
                ranges: Vec::new(),
            });
            if let Some(Some(holder)) = row.0.get(8) {
                generation.holder = Some(holder.clone());
            }
            generation.ranges.push(Range {
                id: row.number(1)?,
                lo: row.key(2)?,
                hi: row.key(3)?.ok_or_else(|| row.unreadable(3))?,
                cursor: row.key(4)?,
                epoch: row.number(5)?,
                done: row.text(9)? == "done",
                batches: row.number(10)?,
                rows_scanned: row.number(11)?,
                rows_changed: row.number(12)?,
            });
        }
        Ok(found)
    }

    /// Writes the ranges of a new generation, all or none.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn create(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: &Generation,
    ) -> Result<()> {
        session.begin().await?;
        for range in &generation.ranges {
            let mut w = Writer::new(dialect);
            w.push("INSERT INTO ").push(&self.table).push(
                " (job, generation, range_id, lo, hi, cursor_at, epoch, spec_hash, table_identity, \
                 holder, state, batches, rows_scanned, rows_changed, updated_at) VALUES (",
            );
            w.text(&self.job).push(", ").int(generation.number.into()).push(", ");
            w.int(range.id.into()).push(", ");
            w.bind(Bind::Text(range.lo.as_ref().map(Key::to_json))).push(", ");
            w.text(&range.hi.to_json()).push(", NULL, 0, ");
            w.text(&generation.spec_hash).push(", ").text(&generation.table_identity);
            w.push(", ").bind(Bind::Text(generation.holder.clone()));
            w.push(", ").text(state_name(range));
            w.push(", 0, 0, 0, ").push(dialect.now()).push(")");
            session.execute(&w.finish()).await?;
        }
        session.commit().await
    }

    /// Makes the caller the owner of every range that is not done: raises the epoch and writes who
    /// holds it. A range that is done keeps its owner and its time.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn claim(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: u32,
        holder: &str,
    ) -> Result<()> {
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET epoch = epoch + 1, holder = ").text(holder);
        w.push(", updated_at = ").push(dialect.now()).push(" WHERE job = ").text(&self.job);
        w.push(" AND generation = ").int(generation.into()).push(" AND state <> 'done'");
        let statement = w.finish();
        session.begin().await?;
        session.execute(&statement).await?;
        session.commit().await
    }

    /// Writes down the spec under which the job goes on.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn accept(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: u32,
        spec_hash: &str,
    ) -> Result<()> {
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET spec_hash = ").text(spec_hash);
        w.push(" WHERE job = ").text(&self.job).push(" AND generation = ").int(generation.into());
        let statement = w.finish();
        session.begin().await?;
        session.execute(&statement).await?;
        session.commit().await
    }

    /// The statement that ends a batch: advances the row to `range`, which carries the new cursor
    /// and counts, on condition that the epoch is still its own. It must find exactly one row.
    #[must_use]
    pub fn advance(&self, dialect: &dyn Dialect, generation: u32, range: &Range) -> Statement {
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET cursor_at = ");
        w.bind(Bind::Text(range.cursor.as_ref().map(Key::to_json)));
        w.push(", batches = ").int(range.batches);
        w.push(", rows_scanned = ").int(range.rows_scanned);
        w.push(", rows_changed = ").int(range.rows_changed);
        w.push(", state = ").text(state_name(range));
        w.push(", updated_at = ").push(dialect.now());
        w.push(" WHERE job = ").text(&self.job);
        w.push(" AND generation = ").int(generation.into());
        w.push(" AND range_id = ").int(range.id.into());
        w.push(" AND epoch = ").int(range.epoch);
        w.finish()
    }
}

fn state_name(range: &Range) -> &'static str {
    if range.done { "done" } else { "walking" }
}

struct FenceRow<'a>(&'a super::Row);

impl FenceRow<'_> {
    fn unreadable(&self, column: usize) -> super::Error {
        super::Error::new(
            super::Class::Unsuitable,
            format!(
                "the fence `{TABLE}` holds a row that this version cannot read (column {column} of \
                 {:?}); was it changed by hand, or written by another version?",
                self.0
            ),
        )
    }

    fn text(&self, column: usize) -> Result<&str> {
        self.0.get(column).and_then(Option::as_deref).ok_or_else(|| self.unreadable(column))
    }

    fn number<N: std::str::FromStr>(&self, column: usize) -> Result<N> {
        self.text(column)?.parse().map_err(|_| self.unreadable(column))
    }

    fn key(&self, column: usize) -> Result<Option<Key>> {
        match self.0.get(column) {
            Some(Some(text)) => Key::from_json(text).map(Some).map_err(|_| self.unreadable(column)),
            _ => Ok(None),
        }
    }
}
