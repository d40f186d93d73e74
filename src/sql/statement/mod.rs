//! What a statement says, in words that all dialects share.
//!
//! One model for PostgreSQL, MySQL, MariaDB and SQLite: a parser per dialect fills it, and whoever
//! reads it does not care which. What only one of them has stands here, too, and is simply never
//! made by the others. Nothing is judged here: what a statement does to a server depends on its
//! version and on the table, and is the gate's to say.
//!
//! Names are folded as the database folds them (PostgreSQL: unquoted ones to lower case; the others
//! keep what was written).

mod alter;
mod rows;
mod table;

use std::fmt;
use std::ops::Range;

pub use alter::{Action, AlterTable, PartitionOperation, Place};
pub use rows::{Body, Call, Dml, PREPARED, Query, Signature, Verb};
pub use table::{
    Algorithm, Check, Column, Constraint, ConstraintKind, CreateIndex, CreateTable, Expression,
    ForeignKey, Generated, IndexKind, IndexPart, KeyNames, LockClause, Online, Type, Wait,
};

/// One statement of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Where it stands in the script, in bytes, without what ends it.
    pub span: Range<usize>,
    /// What it is, in the words of the manual: `ALTER TABLE`, `CREATE INDEX`. Of one that nobody
    /// could read, its first word.
    pub kind: String,
    /// What it says.
    pub what: What,
    /// The newest of its words, where a version that is supported lacks one of them.
    pub since: Option<Since>,
}

/// Something that not every supported version of the server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since {
    /// The major version that brought it.
    pub version: u16,
    /// What it is, in the words of the statement: `REINDEX … CONCURRENTLY`.
    pub what: &'static str,
}

/// What a statement says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Begins or ends a transaction.
    Transaction(Transaction),
    /// Changes settings of the session or the server.
    Set(Vec<Setting>),
    /// `CREATE TABLE`, also `… AS SELECT`.
    CreateTable(Box<CreateTable>),
    /// `ALTER TABLE`.
    AlterTable(AlterTable),
    /// `DROP TABLE`.
    DropTable(Drop),
    /// `RENAME TABLE a TO b, …` of MySQL and MariaDB: from, to.
    RenameTables(Vec<(Name, Name)>),
    /// `CREATE INDEX`.
    CreateIndex(Box<CreateIndex>),
    /// `DROP INDEX`.
    DropIndex {
        /// Which.
        drop: Drop,
        /// MySQL and MariaDB: the table that it belongs to.
        table: Option<Name>,
        /// PostgreSQL: `CONCURRENTLY`.
        concurrently: bool,
        /// MySQL and MariaDB: `ALGORITHM`, `LOCK`, `WAIT`.
        online: Online,
    },
    /// `ALTER INDEX`.
    AlterIndex {
        /// Which.
        name: Name,
        /// What becomes of it.
        action: IndexAction,
    },
    /// `REINDEX`.
    Reindex {
        /// What is rebuilt.
        of: Reindexed,
        /// Its name; `REINDEX DATABASE` and `SYSTEM` may leave it out.
        name: Option<Name>,
        /// `CONCURRENTLY`.
        concurrently: bool,
    },
    /// `CREATE VIEW`, `CREATE MATERIALIZED VIEW`.
    CreateView {
        /// Its name.
        name: Name,
        /// Whether it holds rows of its own.
        materialized: bool,
        /// `OR REPLACE`.
        or_replace: bool,
        /// The relations that its query reads, as far as they could be found.
        reads: Vec<Name>,
        /// The columns that its query names, for who depends on what.
        mentions: Vec<String>,
        /// PostgreSQL: the names of its columns; none if not all are plain from the query.
        columns: Vec<String>,
        /// PostgreSQL: the functions that its query calls.
        calls: Vec<Call>,
        /// PostgreSQL: the one relation that is written where the view is.
        base: Option<Name>,
    },
    /// `DROP VIEW`, `DROP MATERIALIZED VIEW`.
    DropView {
        /// Which.
        drop: Drop,
        /// Whether they hold rows of their own.
        materialized: bool,
    },
    /// `ALTER VIEW`, `ALTER MATERIALIZED VIEW`, with the actions of a table.
    AlterView(AlterTable),
    /// `REFRESH MATERIALIZED VIEW`.
    RefreshView {
        /// Which.
        name: Name,
        /// `CONCURRENTLY`.
        concurrently: bool,
        /// Whether it is filled (`WITH NO DATA` empties it).
        with_data: bool,
    },
    /// `CREATE TRIGGER`.
    CreateTrigger {
        /// Its name.
        name: Name,
        /// The table whose changes fire it.
        table: Name,
        /// PostgreSQL: the names in its `UPDATE OF` and `WHEN`, for who depends on what.
        mentions: Vec<String>,
        /// PostgreSQL: the statements that fire it, and of `UPDATE` the columns, if it names some.
        events: Vec<(Verb, Vec<String>)>,
        /// PostgreSQL: the names that its function knows the changed rows by (`REFERENCING`).
        transitions: Vec<String>,
        /// The body, where it stands in the statement (MySQL, MariaDB, SQLite).
        body: Option<Body>,
        /// `OR REPLACE`.
        or_replace: bool,
        /// PostgreSQL: the function that it calls.
        calls: Option<Name>,
        /// PostgreSQL: the other table of a constraint trigger.
        from: Option<Name>,
    },
    /// `DROP TRIGGER`.
    DropTrigger {
        /// Its name.
        name: Name,
        /// Its table; MySQL and MariaDB do not say.
        table: Option<Name>,
        /// `IF EXISTS`.
        if_exists: bool,
    },
    /// `CREATE FUNCTION`, `CREATE PROCEDURE`, `CREATE EVENT`: run later, if at all.
    CreateRoutine {
        /// Its name.
        name: Name,
        /// What it does when called.
        body: Option<Body>,
        /// PostgreSQL: what else is known of it.
        signature: Signature,
    },
    /// `DROP FUNCTION`, `DROP PROCEDURE`, `DROP EVENT`.
    DropRoutine(Drop),
    /// `CREATE TYPE … AS ENUM` with its labels; other types have none.
    CreateType {
        /// Its name.
        name: Name,
        /// The labels of an enum.
        labels: Option<Vec<String>>,
    },
    /// `ALTER TYPE`.
    AlterType {
        /// Its name.
        name: Name,
        /// What becomes of it.
        action: TypeAction,
    },
    /// `DROP TYPE`, `DROP DOMAIN`.
    DropType(Drop),
    /// `CREATE DOMAIN`.
    CreateDomain {
        /// Its name.
        name: Name,
        /// What it is made of.
        base: Type,
        /// Whether it has a `CHECK` or `NOT NULL`.
        constrained: bool,
    },
    /// `ALTER DOMAIN`.
    AlterDomain {
        /// Its name.
        name: Name,
        /// What becomes of it.
        action: DomainAction,
    },
    /// `CREATE SCHEMA`, `CREATE DATABASE`.
    CreateSchema {
        /// Its name.
        name: String,
        /// PostgreSQL: the statements in it, which make what stands in the schema.
        elements: Vec<Statement>,
    },
    /// `DROP SCHEMA`, `DROP DATABASE`.
    DropSchema(Drop),
    /// `ALTER SCHEMA a RENAME TO b`.
    RenameSchema {
        /// The name until now.
        from: String,
        /// The name from now on.
        to: String,
    },
    /// `CREATE`, `ALTER` or `DROP SEQUENCE`.
    Sequence {
        /// Which.
        drop: Drop,
        /// What becomes of them.
        action: SequenceAction,
    },
    /// `TRUNCATE`.
    Truncate {
        /// Which tables.
        tables: Vec<Name>,
        /// Also those that refer to them.
        cascade: bool,
        /// `RESTART IDENTITY`: with the sequences of their columns.
        restart: bool,
        /// PostgreSQL: those of the tables that are named with `ONLY`.
        only: Vec<Name>,
    },
    /// `CLUSTER`, `VACUUM`, `ANALYZE`, `OPTIMIZE TABLE`, `REPACK`.
    Maintenance {
        /// Which of them.
        of: Maintenance,
        /// The tables; none means all.
        tables: Vec<Name>,
    },
    /// `LOCK TABLE`, `LOCK TABLES`.
    LockTables {
        /// Which, and how.
        tables: Vec<(Name, LockMode)>,
        /// PostgreSQL: those of them that are named with `ONLY`.
        only: Vec<Name>,
    },
    /// Writes rows.
    Dml(Dml),
    /// Reads rows.
    Query(Query),
    /// Runs a block of code now: `DO`, `CALL`.
    Do(Body),
    /// `CREATE`, `ALTER` or `DROP` of a policy or rule: it belongs to a table, and changes it.
    TableObject {
        /// The table, where the statement names it.
        table: Option<Name>,
        /// Which of them.
        of: TableObject,
        /// Its own name.
        name: Name,
        /// What becomes of it.
        action: ObjectAction,
        /// `IF EXISTS` of one that is dropped, `OR REPLACE` of one that is made.
        lenient: bool,
        /// The statement that a rule stands for; none for all of a policy's.
        event: Option<Verb>,
        /// Whether a rule does what it does in any case, and the statement itself is not run.
        instead: bool,
        /// The relations that its definition reads.
        reads: Vec<Name>,
        /// The statements of a rule that write.
        writes: Vec<Dml>,
        /// The names in its expressions, for who depends on what.
        mentions: Vec<String>,
    },
    /// `COMMENT ON` a relation or something of it.
    Comment {
        /// The relation.
        on: Option<Name>,
        /// Whether the comment is on something of it that is no column: a constraint, a trigger.
        part: bool,
    },
    /// PostgreSQL: `SECURITY LABEL`.
    SecurityLabel {
        /// The relation.
        on: Option<Name>,
        /// Whether it names who provides the labels.
        provider: bool,
    },
    /// PostgreSQL: `CREATE EXTENSION`, `CREATE SERVER`.
    CreateNamed {
        /// Which of them.
        of: Named,
        /// Its name.
        name: String,
        /// `IF NOT EXISTS`.
        if_not_exists: bool,
    },
    /// PostgreSQL: `DROP SERVER`.
    DropNamed {
        /// What it is.
        of: Named,
        /// Which.
        drop: Drop,
    },
    /// PostgreSQL: `CREATE EVENT TRIGGER`, and the function that it calls.
    CreateEventTrigger {
        /// The function.
        calls: Name,
    },
    /// PostgreSQL: `IMPORT FOREIGN SCHEMA` from a server, by its name.
    ImportSchema {
        /// The server.
        server: String,
    },
    /// `GRANT` or `REVOKE` on relations.
    Grant(Vec<Name>),
    /// `CREATE STATISTICS … FROM`.
    CreateStatistics {
        /// Their name.
        name: Name,
        /// The table.
        table: Option<Name>,
    },
    /// `DROP STATISTICS`.
    DropStatistics(Drop),
    /// `CREATE PUBLICATION`, `ALTER PUBLICATION`: the tables that it names.
    Publication(Vec<Name>),
    /// Read, and known to touch no table: `CREATE ROLE`, `NOTIFY`, `USE`.
    Other,
    /// Nobody could read it.
    Unknown {
        /// Why, as the end of a sentence.
        why: String,
    },
}

/// The name of something in the database, as it is folded there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name {
    /// The schema (PostgreSQL) or database (MySQL, MariaDB), if it was written.
    pub schema: Option<String>,
    /// The name itself.
    pub name: String,
}

impl Name {
    /// A name without a schema.
    #[must_use]
    pub fn plain(name: impl Into<String>) -> Self {
        Self { schema: None, name: name.into() }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}

impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Begins or ends a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`.
    Commit,
    /// `ROLLBACK`, `ABORT`.
    Rollback,
    /// `SAVEPOINT`, `RELEASE`, `ROLLBACK TO`.
    Savepoint,
    /// `SET TRANSACTION`, `SET CONSTRAINTS`.
    Set,
}

/// A setting, changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// For how long, and for whom.
    pub scope: Scope,
    /// In lower case.
    pub name: String,
    /// The value without its quotes; none means back to the default.
    pub value: Option<String>,
}

/// For how long, and for whom, a setting is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Until the transaction ends.
    Local,
    /// Until the session ends.
    Session,
    /// For sessions that begin later.
    Global,
}

/// What is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drop {
    /// Their names.
    pub names: Vec<Name>,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// `CASCADE`: with all that depends on them.
    pub cascade: bool,
    /// `DROP TEMPORARY TABLE` of MySQL and MariaDB.
    pub temporary: bool,
}

/// What becomes of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexAction {
    /// `RENAME TO`.
    RenameTo(String),
    /// `ATTACH PARTITION`: the index of a partition becomes part of this one.
    Attach(Name),
    /// `SET TABLESPACE`: it is written anew.
    SetTablespace,
    /// Its storage parameters or statistics.
    Set,
}

/// What `REINDEX` rebuilds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reindexed {
    /// One index.
    Index,
    /// All of a table.
    Table,
    /// All of a schema.
    Schema,
    /// All of the database.
    Database,
}

/// What becomes of a sequence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SequenceAction {
    /// It is made.
    Create {
        /// `OWNED BY`: the table and its column.
        owner: Option<(Name, String)>,
    },
    /// What it counts, and how, is changed.
    Alter,
    /// `OWNED BY`: the table and its column, or none.
    OwnedBy(Option<(Name, String)>),
    /// `RENAME TO`.
    RenameTo(String),
    /// `SET SCHEMA`.
    SetSchema(String),
    /// Its owner or persistence.
    Whole,
    /// It is dropped.
    Drop,
}

/// What becomes of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeAction {
    /// `ADD VALUE` to an enum.
    AddValue(String),
    /// `RENAME VALUE` of an enum.
    RenameValue {
        /// The label until now.
        from: String,
        /// The label from now on.
        to: String,
    },
    /// `RENAME TO`.
    RenameTo(String),
    /// Attributes of a composite type are added, dropped or altered: tables of that type follow.
    Attributes {
        /// Whether the type of one changes.
        retyped: bool,
    },
    /// Owner, schema, and what else touches no table.
    Other,
}

/// What becomes of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DomainAction {
    /// `ADD CONSTRAINT … CHECK` or `NOT NULL`.
    AddConstraint {
        /// `NOT VALID`.
        not_valid: bool,
    },
    /// `SET NOT NULL`.
    SetNotNull,
    /// `VALIDATE CONSTRAINT`.
    Validate,
    /// What looks at no row.
    Other,
}

/// Work on a table that changes no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maintenance {
    /// `CLUSTER`: writes it in the order of an index.
    Cluster {
        /// Whether it names the index; otherwise it is the one of the last time.
        named: bool,
    },
    /// `VACUUM`.
    Vacuum,
    /// `VACUUM FULL`.
    VacuumFull,
    /// `ANALYZE`.
    Analyze,
    /// `OPTIMIZE TABLE` of MySQL and MariaDB: `ALTER TABLE … FORCE`.
    Optimize,
    /// `CHECK TABLE`, `CHECKSUM TABLE` of MySQL and MariaDB: reads it whole.
    Check,
    /// `REPAIR TABLE` of MySQL and MariaDB.
    Repair,
    /// `REPACK` of PostgreSQL 19.
    Repack {
        /// `CONCURRENTLY`.
        concurrently: bool,
    },
}

/// How a table is locked by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockMode {
    /// PostgreSQL's modes.
    AccessShare,
    /// `ROW SHARE`
    RowShare,
    /// `ROW EXCLUSIVE`
    RowExclusive,
    /// `SHARE UPDATE EXCLUSIVE`
    ShareUpdateExclusive,
    /// `SHARE`
    Share,
    /// `SHARE ROW EXCLUSIVE`
    ShareRowExclusive,
    /// `EXCLUSIVE`
    Exclusive,
    /// `ACCESS EXCLUSIVE`
    AccessExclusive,
    /// `READ` of MySQL and MariaDB.
    Read,
    /// `WRITE` of MySQL and MariaDB.
    Write,
}

/// What becomes of something that belongs to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectAction {
    /// It is made.
    Create,
    /// It is changed.
    Alter,
    /// It is dropped.
    Drop,
}

/// What belongs to a table and changes how it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableObject {
    /// A row-security policy.
    Policy,
    /// A rewrite rule.
    Rule,
    /// A trigger, renamed.
    Trigger,
}

/// What belongs to the database as a whole and is known by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    /// An extension.
    Extension,
    /// A foreign server.
    Server,
}
