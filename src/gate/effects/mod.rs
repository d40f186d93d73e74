//! What a statement does to a database: the locks on every relation that it touches, the work that
//! grows with the rows, and what is lost.
//!
//! One pure table per database says so, from the statement, the server's version and the schema as
//! it stands before the statement. A rule reads what stands here and never asks which database it
//! is on.

mod mysql;
mod postgres;
mod sqlite;

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Engine, Surroundings};
use crate::sql::statement::{Name, Statement};

/// What a statement does there and then. The schema must be the one before the statement.
#[must_use]
pub fn effects(statement: &Statement, around: &Surroundings) -> Effects {
    match around.server.engine {
        Engine::Postgres => postgres::effects(statement, around),
        Engine::MySql | Engine::MariaDb => mysql::effects(statement, around),
        Engine::Sqlite => sqlite::effects(statement, around),
    }
}

/// What a statement does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Effects {
    /// The locks that it takes, each once with its strongest mode, relations in order of name.
    pub locks: Vec<Lock>,
    /// The tables that it writes anew, row by row.
    pub rewrite: Vec<Name>,
    /// The tables that it reads whole, to check them.
    pub scan: Vec<Name>,
    /// The tables on which it builds an index; with a rewrite, the indexes of that table are built
    /// anew as well and do not stand here.
    pub index_build: Vec<Name>,
    /// MySQL and MariaDB: how the server goes about it.
    pub algorithm: Option<Algorithm>,
    /// Why, in a sentence, where it is not plain from the statement.
    pub why: Vec<String>,
    /// What cannot be brought back.
    pub loss: Vec<Loss>,
    /// What breaks in code that runs against the schema of before.
    pub breaks: Vec<Break>,
    /// Why the server will refuse it, if it will.
    pub fails: Option<String>,
    /// It commits the transaction that is open, as MySQL's and MariaDB's DDL does.
    pub commits: bool,
    /// How sure this is.
    pub verdict: Verdict,
}

/// A lock on a relation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// What is locked.
    pub relation: Name,
    /// What it is.
    pub of: Relation,
    /// How.
    pub mode: Mode,
}

impl Lock {
    /// What waits for it. Nobody writes a materialized view but its `REFRESH`.
    #[must_use]
    pub fn blocks(&self) -> Blocks {
        let blocks = self.mode.blocks();
        let written = blocks.writes && (blocks.reads || self.of != Relation::MaterializedView);
        Blocks { writes: written, ..blocks }
    }
}

/// What kind of relation is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// A table, partitioned or not.
    Table,
    /// An index.
    Index,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A sequence.
    Sequence,
    /// SQLite: the file.
    Database,
}

/// How a relation is locked, weakest first within a database.
///
/// The first eight are PostgreSQL's, with their names in `pg_locks`. The others are what MySQL's and
/// MariaDB's `LOCK` clause promises while the statement works, and the exclusive metadata lock that
/// it needs for a moment in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum Mode {
    /// Taken by every `SELECT`.
    AccessShareLock,
    /// Taken by `SELECT … FOR UPDATE`.
    RowShareLock,
    /// Taken by every write.
    RowExclusiveLock,
    /// One maintenance at a time; reads and writes go on.
    ShareUpdateExclusiveLock,
    /// Writes wait.
    ShareLock,
    /// Writes wait.
    ShareRowExclusiveLock,
    /// Writes and `SELECT … FOR UPDATE` wait.
    ExclusiveLock,
    /// Everything waits.
    AccessExclusiveLock,
    /// MySQL, MariaDB: rows are read or written; only DDL waits.
    #[serde(rename = "SHARED")]
    MetadataShared,
    /// MySQL, MariaDB: everything waits, but for a moment: at the start or the end.
    #[serde(rename = "EXCLUSIVE (brief)")]
    MetadataExclusive,
    /// MySQL, MariaDB: writes wait as long as the statement works.
    #[serde(rename = "LOCK=SHARED")]
    Shared,
    /// MySQL, MariaDB, SQLite: everything (of SQLite: every write) waits as long as it works.
    #[serde(rename = "LOCK=EXCLUSIVE")]
    Exclusive,
}

/// What waits for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct Blocks {
    /// Plain reads.
    pub reads: bool,
    /// Writes, and `SELECT … FOR UPDATE`.
    pub writes: bool,
    /// Other changes of the structure.
    pub ddl: bool,
}

impl Mode {
    /// What waits for it.
    #[must_use]
    pub fn blocks(self) -> Blocks {
        let (reads, writes, ddl) = match self {
            Self::AccessShareLock
            | Self::RowShareLock
            | Self::RowExclusiveLock
            | Self::MetadataShared => (false, false, true),
            Self::ShareUpdateExclusiveLock => (false, false, true),
            Self::ShareLock | Self::ShareRowExclusiveLock | Self::ExclusiveLock | Self::Shared => {
                (false, true, true)
            }
            Self::AccessExclusiveLock | Self::MetadataExclusive | Self::Exclusive => {
                (true, true, true)
            }
        };
        Blocks { reads, writes, ddl }
    }

    /// Whether it is held for a moment only, whatever else the statement does.
    #[must_use]
    pub fn is_brief(self) -> bool {
        self == Self::MetadataExclusive
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AccessShareLock => "ACCESS SHARE",
            Self::RowShareLock => "ROW SHARE",
            Self::RowExclusiveLock => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusiveLock => "SHARE UPDATE EXCLUSIVE",
            Self::ShareLock => "SHARE",
            Self::ShareRowExclusiveLock => "SHARE ROW EXCLUSIVE",
            Self::ExclusiveLock => "EXCLUSIVE",
            Self::AccessExclusiveLock => "ACCESS EXCLUSIVE",
            Self::MetadataShared => "shared metadata",
            Self::MetadataExclusive => "exclusive metadata",
            Self::Shared => "LOCK=SHARED",
            Self::Exclusive => "LOCK=EXCLUSIVE",
        })
    }
}

/// How MySQL or MariaDB makes a change: the first step of the ladder that the server accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub enum Algorithm {
    /// In the dictionary alone.
    #[serde(rename = "INSTANT")]
    Instant,
    /// MariaDB: in place, the table itself is not written anew.
    #[serde(rename = "NOCOPY")]
    NoCopy,
    /// In place; the table itself is not written anew.
    #[serde(rename = "INPLACE")]
    InPlace,
    /// In place, and the table is written anew.
    #[serde(rename = "INPLACE, rebuild")]
    Rebuild,
    /// A copy, row by row.
    #[serde(rename = "COPY")]
    Copy,
}

/// What cannot be brought back once the statement has committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// Of which relation.
    pub relation: Name,
    /// What, as the end of a sentence: "the values of the column `b`".
    pub what: String,
}

/// What breaks in code that knows the schema of before, with nobody told by the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Break {
    /// Of which relation.
    pub relation: Name,
    /// What breaks, in a sentence.
    pub what: String,
}

/// How sure a prediction is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that decides it was known.
    #[default]
    Proven,
    /// Something that decides it was not known, and the worst was taken: what it was, and what would
    /// settle it.
    Assumed(String),
    /// It could not be judged at all, and why. Never safe.
    NotEvaluated(String),
}

impl Effects {
    /// Those of a statement that touches no relation.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a lock, or strengthens the one that stands.
    pub fn lock(&mut self, of: Relation, relation: &Name, mode: Mode) {
        match self.locks.iter_mut().find(|lock| lock.relation == *relation) {
            Some(lock) => lock.mode = lock.mode.max(mode),
            None => {
                let lock = Lock { relation: relation.clone(), of, mode };
                let at = self.locks.partition_point(|held| held.relation < lock.relation);
                self.locks.insert(at, lock);
            }
        }
    }

    /// Forgets what it does to some relations.
    fn forget(&mut self, which: impl Fn(&Name) -> bool) {
        self.locks.retain(|lock| !which(&lock.relation));
        for work in [&mut self.rewrite, &mut self.scan, &mut self.index_build] {
            work.retain(|table| !which(table));
        }
    }

    /// Notes that a table is written anew.
    pub fn rewrites(&mut self, table: &Name) {
        note(&mut self.rewrite, table);
    }

    /// Notes that a table is read whole.
    pub fn scans(&mut self, table: &Name) {
        note(&mut self.scan, table);
    }

    /// Notes that an index is built.
    pub fn builds_index(&mut self, table: &Name) {
        note(&mut self.index_build, table);
    }

    /// Notes what decided it but was not known. What was not evaluated stays so.
    pub fn assume(&mut self, what: impl Into<String>) {
        if self.verdict == Verdict::Proven {
            self.verdict = Verdict::Assumed(what.into());
        }
    }

    /// Whether the time that it takes grows with the rows of a table.
    #[must_use]
    pub fn grows(&self) -> bool {
        !(self.rewrite.is_empty() && self.scan.is_empty() && self.index_build.is_empty())
    }

    /// Whether it works through the rows of this table.
    #[must_use]
    pub fn works_through(&self, table: &Name) -> bool {
        [&self.rewrite, &self.scan, &self.index_build].iter().any(|list| list.contains(table))
    }

    /// What waits for any of its locks.
    #[must_use]
    pub fn blocks(&self) -> Blocks {
        let mut all = Blocks::default();
        for lock in &self.locks {
            let one = lock.blocks();
            all.reads |= one.reads;
            all.writes |= one.writes;
            all.ddl |= one.ddl;
        }
        all
    }
}

fn note(list: &mut Vec<Name>, table: &Name) {
    if !list.contains(table) {
        list.push(table.clone());
        list.sort();
    }
}
