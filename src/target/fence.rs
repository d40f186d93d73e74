//! The fence: a small table in the target whose rows are where truth lives.
//!
//! One row per job, generation and range. The transaction of a batch advances the row on condition
//! that the epoch is still the runner's own, so rows and cursor commit together or not at all. The
//! statements are the same on every database; only quoting and the clock differ.

mod flush;
mod open;
mod owners;
mod requeue;
mod row;

pub use open::open_on;
use row::FenceRow;

use super::switch::Switch;
use super::{Bind, Dialect, Result, Session, Statement, Writer};
use crate::event::ALL_JOBS;
use crate::keyspace::{Key, Range};

/// The fence table's name.
pub const TABLE: &str = "backstop_fence";

/// Where Backstop's tables stand in the target, or would be created.
#[derive(Debug, Clone)]
pub struct Home {
    /// The fence.
    pub fence: Place,
    /// The table of halts, see [`super::switch`].
    pub switch: Place,
    /// The right that their schema asks for besides theirs, where it does: `USAGE ON SCHEMA ops`.
    pub schema_right: Option<String>,
    /// Why the two cannot be used, if they cannot.
    pub obstacle: Option<Obstacle>,
}

impl Home {
    /// The tables, in the order in which they are created.
    #[must_use]
    pub const fn places(&self) -> [&Place; 2] {
        // The switch first: who sees the fence may rely on both.
        [&self.switch, &self.fence]
    }

    /// Whether both exist.
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.fence.exists && self.switch.exists
    }
}

/// One of Backstop's tables in the target.
#[derive(Debug, Clone)]
pub struct Place {
    /// The qualified and quoted name.
    pub table: String,
    /// Whether it exists.
    pub exists: bool,
    /// The DDL that creates it.
    pub ddl: String,
}

/// Why Backstop's tables cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Obstacle {
    /// We have no right to create or to write them; a job that needs no fence can do without.
    NoRight(String),
    /// Creating them would harm somebody, or something else has their name.
    Unfit(String),
}

impl Obstacle {
    /// The reason, in words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::NoRight(reason) | Self::Unfit(reason) => reason,
        }
    }
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
    /// A number that the server gives by itself.
    pub serial: &'static str,
    /// A time that is the present one by itself.
    pub time_now: &'static str,
    /// What follows the closing parenthesis.
    pub suffix: &'static str,
}

/// The DDL of a table of that qualified name, with these types.
pub type Ddl<'a> = &'a (dyn Fn(&str, &ColumnTypes) -> String + Sync);

/// The DDL of the fence with these types.
#[must_use]
pub fn ddl(table: &str, types: &ColumnTypes) -> String {
    let ColumnTypes { name, text, int, bigint, time, suffix, .. } = types;
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
         \x20 rows_quarantined {bigint} NOT NULL,\n\
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
    /// The switch beside it.
    pub switch: Switch,
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
    /// The fence of a job in its home.
    #[must_use]
    pub fn of(home: &Home, job: &str) -> Self {
        Self {
            table: home.fence.table.clone(),
            switch: Switch { table: home.switch.table.clone() },
            job: job.to_owned(),
        }
    }

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
            "rows_quarantined",
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
                rows_quarantined: row.number(13)?,
            });
        }
        Ok(found)
    }

    /// Writes ranges that nobody has walked, of a new generation or added to one: all or none.
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
            session.execute(&self.insert(dialect, generation, range)).await?;
        }
        session.commit().await
    }

    /// The row of a range that nobody has walked.
    fn insert(&self, dialect: &dyn Dialect, generation: &Generation, range: &Range) -> Statement {
        let mut w = Writer::new(dialect);
        w.push("INSERT INTO ").push(&self.table).push(
            " (job, generation, range_id, lo, hi, cursor_at, epoch, spec_hash, table_identity, \
             holder, state, batches, rows_scanned, rows_changed, rows_quarantined, updated_at) \
             VALUES (",
        );
        w.text(&self.job).push(", ").int(generation.number.into()).push(", ");
        w.int(range.id.into()).push(", ");
        w.bind(Bind::Text(range.lo.as_ref().map(Key::to_json))).push(", ");
        w.text(&range.hi.to_json()).push(", NULL, ").int(range.epoch).push(", ");
        w.text(&generation.spec_hash).push(", ").text(&generation.table_identity);
        w.push(", ").bind(Bind::Text(generation.holder.clone()));
        w.push(", ").text(state_name(range));
        w.push(", 0, 0, 0, 0, ").push(dialect.now()).push(")");
        w.finish()
    }

    /// Shares a range of the caller's: the first of the two in `generation` is what it keeps of it,
    /// the second one comes to be. Both or neither, and only while the range is its owner's; says
    /// whether it was.
    ///
    /// # Errors
    ///
    /// What the server says. Where the answer to the COMMIT was lost, the range's row tells.
    pub async fn split(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: &Generation,
    ) -> Result<bool> {
        let [kept, given] = generation.ranges.as_slice() else { return Ok(false) };
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET hi = ").text(&kept.hi.to_json());
        w.push(", updated_at = ").push(dialect.now());
        self.push_owned(&mut w, generation.number, kept);
        let shrink = w.finish();
        session.begin().await?;
        let done = match session.execute(&shrink).await {
            Ok(1) => session.execute(&self.insert(dialect, generation, given)).await,
            other => other,
        };
        match done {
            Ok(1) => session.commit().await.map(|()| true),
            other => {
                // The first error is the one that matters.
                let _ = session.rollback().await;
                other.map(|_| false)
            }
        }
    }

    /// Makes the caller the owner of every range that is not done: raises the epoch and writes who
    /// holds it. A range that is done keeps its owner and its time. Returns all ranges as they are
    /// then.
    ///
    /// A statement that waits for a row does not see what the transaction before it inserted: a
    /// range that its owner shared in that moment would keep its epoch, and two runners would own
    /// it. So it is looked again, and taken again, until every open range is the caller's; those
    /// that are can be shared by nobody else.
    ///
    /// # Errors
    ///
    /// What the server says, or that the generation is not the newest any more.
    pub async fn claim(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: u32,
        holder: &str,
    ) -> Result<Vec<Range>> {
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET epoch = epoch + 1, holder = ").text(holder);
        w.push(", updated_at = ").push(dialect.now()).push(" WHERE job = ").text(&self.job);
        w.push(" AND generation = ").int(generation.into()).push(" AND state <> 'done'");
        w.push(" AND (holder IS NULL OR holder <> ").text(holder).push(")");
        let take = w.finish();
        let (_, found) = self.write_and_load(dialect, session, &take, Until::Nothing).await?;
        match found.filter(|found| found.number == generation) {
            Some(found) => Ok(found.ranges),
            // Without ranges the job would look finished.
            None => Err(super::Error::new(
                super::Class::Refused,
                format!(
                    "generation {generation} of `{}` is no longer the newest in {}: another runner \
                     has begun a newer one, or the rows were deleted; look at `backstop status {}`",
                    self.job, self.table, self.job
                ),
            )),
        }
    }

    /// Writes down which session walks the range from now on: the one that a take-over has to end.
    /// Returns whether the range is still its owner's.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn enlist(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: u32,
        range: &Range,
        holder: &str,
    ) -> Result<bool> {
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET holder = ").text(holder);
        self.push_owned(&mut w, generation, range);
        self.alone(session, &w.finish()).await.map(|rows| rows == 1)
    }

    /// Takes a range anew for its owner, on another session than before: raises the epoch on
    /// condition that it is the owner's still, and returns the range as it is. Waits for whatever
    /// transaction has the row, so what it returns is final: no transaction of the lost session can
    /// commit any more. `None`: the range is another runner's.
    ///
    /// `attempted` are the holders of earlier attempts at this whose answers were lost: any of them
    /// may have taken effect. Each writes an epoch of its own, so that its pair of epoch and holder is
    /// known again, and is no one else's: who raises the epoch leaves the holder.
    ///
    /// # Errors
    ///
    /// What the server says; the row's holder may keep it longer than a lock is waited for.
    pub async fn reclaim(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: u32,
        range: &Range,
        holder: &str,
        attempted: &[String],
    ) -> Result<Option<Range>> {
        let mut w = Writer::new(dialect);
        let epochs = range.epoch + 1..;
        let next = epochs.clone().zip(attempted).last().map_or(range.epoch, |(epoch, _)| epoch) + 1;
        w.push("UPDATE ").push(&self.table).push(" SET epoch = ").int(next);
        w.push(", holder = ").text(holder);
        self.push_row(&mut w, generation, range);
        w.push(" AND (epoch = ").int(range.epoch);
        for (epoch, holder) in epochs.zip(attempted) {
            w.push(" OR (epoch = ").int(epoch).push(" AND holder = ").text(holder).push(")");
        }
        w.push(")");
        let (rows, found) = self.write_and_load(dialect, session, &w.finish(), Until::Once).await?;
        if rows != 1 {
            return Ok(None);
        }
        let ranges = found.filter(|found| found.number == generation).map(|found| found.ranges);
        Ok(ranges.into_iter().flatten().find(|found| found.id == range.id))
    }

    /// Takes the runner's sessions out of the record: it leaves, and there is nothing to end. Who it
    /// was stays.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn leave(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        generation: u32,
        runner: &str,
    ) -> Result<()> {
        let prefix = format!("{runner}{SESSION}");
        let length = u64::try_from(prefix.chars().count()).unwrap_or_default();
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET holder = ").text(runner);
        w.push(" WHERE job = ").text(&self.job).push(" AND generation = ").int(generation.into());
        w.push(&format!(" AND substr(holder, 1, {length}) = ")).text(&prefix);
        self.alone(session, &w.finish()).await.map(drop)
    }

    /// Raises the epoch of every range in the scope that is not done, so that no runner of today can
    /// commit any more.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn raise(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        scope: &str,
    ) -> Result<u64> {
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET epoch = epoch + 1 WHERE ");
        push_open(&mut w, scope);
        self.alone(session, &w.finish()).await
    }

    /// Who holds the ranges in the scope that are not done: job and holder, each pair once.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn holders(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        scope: &str,
    ) -> Result<Vec<(String, String)>> {
        let mut w = Writer::new(dialect);
        w.push("SELECT DISTINCT job, holder FROM ").push(&self.table).push(" WHERE ");
        push_open(&mut w, scope);
        let rows = session.query(&w.finish()).await?;
        let pair = |row: super::Row| match row.as_slice() {
            [Some(job), Some(holder)] => Some((job.clone(), holder.clone())),
            _ => None,
        };
        Ok(rows.into_iter().filter_map(pair).collect())
    }

    /// " WHERE this is the range's row, and the epoch is its owner's".
    fn push_owned(&self, w: &mut Writer<'_>, generation: u32, range: &Range) {
        self.push_row(w, generation, range);
        w.push(" AND epoch = ").int(range.epoch);
    }

    /// " WHERE this is the range's row".
    fn push_row(&self, w: &mut Writer<'_>, generation: u32, range: &Range) {
        w.push(" WHERE job = ").text(&self.job);
        w.push(" AND generation = ").int(generation.into());
        w.push(" AND range_id = ").int(range.id.into());
    }

    /// Runs one statement in a transaction of its own, and returns the rows that it found.
    async fn alone(&self, session: &mut dyn Session, statement: &Statement) -> Result<u64> {
        session.begin().await?;
        let done = session.execute(statement).await;
        if done.is_err() {
            // The first error is the one that matters.
            let _ = session.rollback().await;
            return done;
        }
        session.commit().await?;
        done
    }

    /// Runs one statement that takes rows of the fence, and reads them before their locks are given
    /// up: read after the COMMIT, an epoch that another runner raised in between would pass for
    /// one's own, and two runners would write the same batch.
    async fn write_and_load(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        statement: &Statement,
        until: Until,
    ) -> Result<(u64, Option<Generation>)> {
        session.begin().await?;
        let mut written = session.execute(statement).await;
        while until == Until::Nothing && matches!(written, Ok(1..)) {
            written = session.execute(statement).await;
        }
        let done = match written {
            Ok(rows) => self.load(dialect, session).await.map(|found| (rows, found)),
            Err(error) => Err(error),
        };
        if done.is_err() {
            // The first error is the one that matters.
            let _ = session.rollback().await;
            return done;
        }
        session.commit().await?;
        done
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
        self.alone(session, &w.finish()).await.map(drop)
    }

    /// The statement that ends a batch: advances the row of `range` to `next`, on condition that the
    /// epoch is still its own and that no halt stands. It must find exactly one row.
    #[must_use]
    pub fn advance(
        &self,
        dialect: &dyn Dialect,
        generation: u32,
        range: &Range,
        next: &Range,
    ) -> Statement {
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET cursor_at = ");
        w.bind(Bind::Text(next.cursor.as_ref().map(Key::to_json)));
        w.push(", batches = ").int(next.batches);
        w.push(", rows_scanned = ").int(next.rows_scanned);
        w.push(", rows_changed = ").int(next.rows_changed);
        w.push(", rows_quarantined = ").int(next.rows_quarantined);
        w.push(", state = ").text(state_name(next));
        w.push(", updated_at = ").push(dialect.now());
        self.push_owned(&mut w, generation, range);
        w.push(" AND ");
        self.switch.push_none(&mut w, &self.job);
        w.finish()
    }
}

/// How often a statement is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    /// Once.
    Once,
    /// Until it finds nothing more to write.
    Nothing,
}

/// "In the scope and not done".
fn push_open(w: &mut Writer<'_>, scope: &str) {
    w.push("state <> 'done'");
    if scope != ALL_JOBS {
        w.push(" AND job = ").text(scope);
    }
}

/// Stands between who and the session.
const SESSION: &str = ", session ";

/// What the fence records of a runner: who, and the session that must be ended to be sure of it.
#[must_use]
pub fn holder(runner: &str, session: &dyn Session) -> String {
    format!("{runner}{SESSION}{}", session.identity())
}

/// The session in a holder, as [`super::Target::terminate`] takes it.
#[must_use]
pub fn session_of(holder: &str) -> Option<&str> {
    holder.rsplit_once(SESSION).map(|(_, identity)| identity)
}

fn state_name(range: &Range) -> &'static str {
    if range.done { "done" } else { "walking" }
}
