//! Tables, columns, constraints and indexes, as a statement describes them.

use std::ops::Range;

use super::{Name, Query};

/// `CREATE TABLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the statement")]
pub struct CreateTable {
    /// Its name.
    pub name: Name,
    /// `OR REPLACE` of MariaDB: one of that name is dropped first.
    pub or_replace: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// `TEMPORARY`: nobody else sees it.
    pub temporary: bool,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// Constraints of the table.
    pub constraints: Vec<Constraint>,
    /// Indexes that MySQL and MariaDB write inside.
    pub indexes: Vec<CreateIndex>,
    /// `PARTITION OF`: the parent, and whether it is the default partition.
    pub partition_of: Option<(Name, bool)>,
    /// `PARTITION BY`, as written.
    pub partition_by: Option<String>,
    /// `INHERITS`.
    pub inherits: Vec<Name>,
    /// `LIKE`.
    pub like: Vec<Name>,
    /// PostgreSQL: `FOR VALUES …` of a partition, as written.
    pub bounds: Option<String>,
    /// `… AS SELECT`: what is read.
    pub from_query: Option<Query>,
    /// PostgreSQL: `WITH NO DATA`: the query is looked at and not run.
    pub without_data: bool,
    /// Options behind the columns, in lower case: `engine`, `row_format`, `charset`, `collate`,
    /// `comment`; on SQLite `strict` and `without rowid`.
    pub options: Vec<(String, String)>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the statement")]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type; SQLite may leave it out, then its name is empty.
    pub ty: Type,
    /// `COLLATE`.
    pub collation: Option<String>,
    /// `NOT NULL`.
    pub not_null: bool,
    /// `NULL`, written out.
    pub null: bool,
    /// `DEFAULT`.
    pub default: Option<Expression>,
    /// `GENERATED … AS IDENTITY`.
    pub identity: bool,
    /// `GENERATED ALWAYS AS (…)`.
    pub generated: Option<Generated>,
    /// `PRIMARY KEY`.
    pub primary_key: bool,
    /// `UNIQUE`.
    pub unique: bool,
    /// `CHECK`.
    pub checks: Vec<Check>,
    /// `REFERENCES`.
    pub references: Option<ForeignKey>,
    /// How its keys are called.
    pub key_names: KeyNames,
    /// `AUTO_INCREMENT`, `AUTOINCREMENT`.
    pub auto_increment: bool,
    /// `ON UPDATE` of MySQL and MariaDB.
    pub on_update: Option<Expression>,
    /// `INVISIBLE`.
    pub invisible: bool,
    /// `COMMENT`.
    pub comment: Option<String>,
}

/// The names that are written before the keys of a column: `CONSTRAINT c UNIQUE`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyNames {
    /// Of `PRIMARY KEY`.
    pub primary_key: Option<String>,
    /// Of `UNIQUE`.
    pub unique: Option<String>,
    /// Of `REFERENCES`.
    pub references: Option<String>,
}

/// A type as it is written, taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Type {
    /// Its schema, if it was written.
    pub schema: Option<String>,
    /// The name, in lower case, with one space between words, without modifiers: `varchar`,
    /// `timestamp with time zone`, `double precision`, `int`.
    pub name: String,
    /// What stands in parentheses: lengths, precision, the labels of MySQL's `ENUM` (unquoted).
    pub modifiers: Vec<String>,
    /// Of array type.
    pub array: bool,
    /// `UNSIGNED` of MySQL and MariaDB.
    pub unsigned: bool,
    /// `ZEROFILL` of MySQL and MariaDB.
    pub zerofill: bool,
    /// `CHARACTER SET` of MySQL and MariaDB.
    pub charset: Option<String>,
    /// The whole, as written.
    pub text: String,
}

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expression {
    /// As written.
    pub text: String,
    /// Where it stands in the script, in bytes.
    pub span: Range<usize>,
}

/// A generated column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Generated {
    /// What it is made of.
    pub expression: Expression,
    /// Whether its values are kept (`STORED`, `PERSISTENT`) or computed when read (`VIRTUAL`).
    pub stored: bool,
}

/// A check on one column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: Option<String>,
    /// What must hold.
    pub expression: Expression,
    /// `NOT ENFORCED`.
    pub enforced: bool,
}

/// `REFERENCES`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// The columns here; empty where they stand before it.
    pub columns: Vec<String>,
    /// The table there.
    pub table: Name,
    /// The columns there; empty means its primary key.
    pub referenced: Vec<String>,
    /// `ON DELETE`, in upper case: `CASCADE`, `SET NULL`, `RESTRICT`.
    pub on_delete: Option<String>,
    /// `ON UPDATE`, in upper case.
    pub on_update: Option<String>,
}

/// A constraint of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the statement")]
pub struct Constraint {
    /// Its name.
    pub name: Option<String>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// `NOT VALID`: rows that stand there are not looked at.
    pub not_valid: bool,
    /// Not `NOT ENFORCED`.
    pub enforced: bool,
    /// `DEFERRABLE`.
    pub deferrable: bool,
    /// PostgreSQL: `INCLUDE`, columns that its index keeps beside the key.
    pub include: Vec<String>,
    /// PostgreSQL: `NO INHERIT`, for this table alone.
    pub no_inherit: bool,
}

/// What a constraint demands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConstraintKind {
    /// `CHECK`.
    Check(Expression),
    /// `FOREIGN KEY`.
    ForeignKey(ForeignKey),
    /// `UNIQUE`.
    Unique {
        /// Its columns.
        columns: Vec<String>,
        /// `USING INDEX` of PostgreSQL.
        using_index: Option<String>,
    },
    /// `PRIMARY KEY`.
    PrimaryKey {
        /// Its columns.
        columns: Vec<String>,
        /// `USING INDEX` of PostgreSQL.
        using_index: Option<String>,
    },
    /// `EXCLUDE`: what it compares, each without its operator.
    Exclude(Vec<Expression>),
    /// `NOT NULL` as a constraint of its own, PostgreSQL 18.
    NotNull(String),
}

/// An index: of `CREATE INDEX`, or inside of MySQL's `CREATE TABLE` and `ALTER TABLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a word of the statement")]
pub struct CreateIndex {
    /// Its name.
    pub name: Option<Name>,
    /// Its table.
    pub table: Name,
    /// PostgreSQL: `ON ONLY`, without the partitions.
    pub only: bool,
    /// `UNIQUE`.
    pub unique: bool,
    /// PostgreSQL: `CONCURRENTLY`.
    pub concurrently: bool,
    /// `IF NOT EXISTS`.
    pub if_not_exists: bool,
    /// Its columns and expressions.
    pub parts: Vec<IndexPart>,
    /// PostgreSQL: `INCLUDE`, columns that are kept beside the key.
    pub include: Vec<String>,
    /// `WHERE`.
    pub predicate: Option<Expression>,
    /// What kind.
    pub kind: IndexKind,
    /// MySQL and MariaDB: `ALGORITHM`, `LOCK`, `WAIT`.
    pub online: Online,
}

/// A part of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexPart {
    /// A column, and of it the first so many characters (MySQL, MariaDB).
    Column(String, Option<u32>),
    /// An expression.
    Expression(Expression),
}

/// What kind of index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IndexKind {
    /// A tree, or what `USING` says.
    Ordinary,
    /// `FULLTEXT`.
    FullText,
    /// `SPATIAL`.
    Spatial,
    /// `VECTOR` of MariaDB 11.7.
    Vector,
}

/// How MySQL and MariaDB are told to go about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Online {
    /// `ALGORITHM =`.
    pub algorithm: Option<Algorithm>,
    /// `LOCK =`.
    pub lock: Option<LockClause>,
    /// `WAIT n`, `NOWAIT` of MariaDB.
    pub wait: Option<Wait>,
}

/// How a change is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    /// In the dictionary alone.
    Instant,
    /// MariaDB: in place, without writing the table anew.
    NoCopy,
    /// In place, as the engine does it; it may write the table anew.
    InPlace,
    /// A copy of the table, row by row.
    Copy,
    /// What the server likes best.
    Default,
}

/// What others may do meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockClause {
    /// `NONE`: read and write.
    None,
    /// `SHARED`: read.
    Shared,
    /// `EXCLUSIVE`: nothing.
    Exclusive,
    /// `DEFAULT`.
    Default,
}

/// How long MariaDB waits for a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// `NOWAIT`
    No,
    /// `WAIT n`, seconds.
    Seconds(u64),
}
