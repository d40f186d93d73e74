//! What `ALTER TABLE` changes.

use std::ops::Range;

use super::{Column, Constraint, CreateIndex, Expression, Name, Online, Type};

/// `ALTER TABLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlterTable {
    /// Its name.
    pub name: Name,
    /// `IF EXISTS`.
    pub if_exists: bool,
    /// PostgreSQL: `ONLY`.
    pub only: bool,
    /// What is changed, each with where it stands in the script, in bytes.
    pub actions: Vec<(Action, Range<usize>)>,
    /// MySQL and MariaDB: `ALGORITHM`, `LOCK`, `WAIT`.
    pub online: Online,
}

/// One change of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "fields named like the words of the clause")]
pub enum Action {
    /// `ADD COLUMN`.
    AddColumn { column: Box<Column>, if_not_exists: bool, place: Option<Place> },
    /// `DROP COLUMN`.
    DropColumn { name: String, if_exists: bool, cascade: bool },
    /// `RENAME COLUMN`.
    RenameColumn { from: String, to: String },
    /// PostgreSQL: `ALTER COLUMN … TYPE`.
    ChangeType { column: String, to: Type, collation: Option<String>, using: Option<Expression> },
    /// MySQL, MariaDB: `MODIFY`, and `CHANGE` with another name.
    Modify { from: String, column: Box<Column>, if_exists: bool, place: Option<Place> },
    /// `ALTER COLUMN … SET DEFAULT`.
    SetDefault { column: String, to: Expression },
    /// `ALTER COLUMN … DROP DEFAULT`.
    DropDefault { column: String },
    /// `ALTER COLUMN … SET NOT NULL`.
    SetNotNull { column: String },
    /// `ALTER COLUMN … DROP NOT NULL`.
    DropNotNull { column: String },
    /// PostgreSQL 17: `ALTER COLUMN … SET EXPRESSION`.
    SetExpression { column: String, to: Expression },
    /// `ALTER COLUMN … DROP EXPRESSION`.
    DropExpression { column: String, if_exists: bool },
    /// `ALTER COLUMN … ADD GENERATED … AS IDENTITY`.
    AddIdentity { column: String },
    /// `ALTER COLUMN … SET GENERATED`, `RESTART`, `SET INCREMENT`.
    AlterIdentity { column: String },
    /// `ALTER COLUMN … DROP IDENTITY`.
    DropIdentity { column: String, if_exists: bool },
    /// `ALTER COLUMN … SET STATISTICS`.
    SetStatistics { column: String },
    /// `ALTER COLUMN … SET STORAGE`.
    SetStorage { column: String },
    /// `ALTER COLUMN … SET COMPRESSION`.
    SetCompression { column: String },
    /// `ALTER COLUMN … SET (…)`, `RESET (…)`.
    ColumnOptions { column: String },
    /// MySQL, MariaDB: `ALTER COLUMN … SET VISIBLE | INVISIBLE`.
    ColumnVisibility { column: String, visible: bool },
    /// `ADD CONSTRAINT`, `ADD CHECK`, `ADD PRIMARY KEY` and so on.
    AddConstraint { constraint: Constraint, if_not_exists: bool },
    /// `DROP CONSTRAINT`, of whatever kind.
    DropConstraint { name: String, if_exists: bool, cascade: bool },
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint { name: String },
    /// `ALTER CONSTRAINT`; of MySQL, `ALTER CHECK … ENFORCED`.
    AlterConstraint { name: String, enforced: Option<bool> },
    /// `RENAME CONSTRAINT`.
    RenameConstraint { from: String, to: String },
    /// MySQL, MariaDB: `DROP PRIMARY KEY`.
    DropPrimaryKey,
    /// MySQL, MariaDB: `DROP FOREIGN KEY`.
    DropForeignKey { name: String, if_exists: bool },
    /// MySQL: `DROP CHECK`.
    DropCheck { name: String },
    /// MySQL, MariaDB: `ADD INDEX`; a unique one stands as a constraint with its index here, too.
    AddIndex { index: Box<CreateIndex> },
    /// MySQL, MariaDB: `DROP INDEX`, `DROP KEY`.
    DropIndex { name: String, if_exists: bool },
    /// MySQL, MariaDB: `RENAME INDEX`.
    RenameIndex { from: String, to: String },
    /// MySQL: `ALTER INDEX … VISIBLE`; MariaDB: `IGNORED`.
    IndexVisibility { name: String, visible: bool },
    /// `RENAME TO`.
    RenameTo(Name),
    /// `SET SCHEMA`.
    SetSchema(String),
    /// PostgreSQL: `ATTACH PARTITION`; `bounds` as written behind the name.
    AttachPartition { child: Name, default: bool, bounds: String },
    /// PostgreSQL: `DETACH PARTITION`.
    DetachPartition { child: Name, concurrently: bool, finalize: bool },
    /// MySQL, MariaDB: a change of the partitions; also PostgreSQL 19's `SPLIT` and `MERGE`.
    Partition(PartitionOperation),
    /// `ENABLE TRIGGER`, `DISABLE TRIGGER`: one by name, or several.
    Triggers { enable: bool, name: Option<String> },
    /// `ENABLE RULE`, `DISABLE RULE`.
    Rules { name: String },
    /// `ENABLE ROW LEVEL SECURITY` and its kin.
    RowSecurity,
    /// `CLUSTER ON` an index, `SET WITHOUT CLUSTER`: for the next `CLUSTER`.
    ClusterOn { index: Option<String> },
    /// `SET LOGGED`, `SET UNLOGGED`.
    SetLogged { logged: bool },
    /// `SET TABLESPACE`.
    SetTablespace,
    /// `SET ACCESS METHOD`.
    SetAccessMethod,
    /// `SET (…)`, `RESET (…)`: the names of the parameters.
    SetOptions(Vec<String>),
    /// `INHERIT`.
    Inherit(Name),
    /// `NO INHERIT`.
    NoInherit(Name),
    /// `OF type`, `NOT OF`.
    OfType,
    /// `REPLICA IDENTITY`, by an index.
    ReplicaIdentity { index: Option<String> },
    /// `OWNER TO`.
    OwnerTo,
    /// MySQL, MariaDB: `CONVERT TO CHARACTER SET`.
    ConvertCharset { charset: String, collation: Option<String> },
    /// MySQL, MariaDB: `DEFAULT CHARACTER SET`.
    DefaultCharset { charset: Option<String>, collation: Option<String> },
    /// MySQL, MariaDB: `ENGINE =`, in lower case.
    Engine(String),
    /// MySQL, MariaDB: `ROW_FORMAT =`, `KEY_BLOCK_SIZE =`.
    RowFormat(String),
    /// MySQL, MariaDB: `FORCE`.
    Force,
    /// MySQL, MariaDB: `ORDER BY`.
    OrderBy,
    /// MySQL, MariaDB: `ENABLE KEYS`, `DISABLE KEYS`.
    Keys { enable: bool },
    /// MySQL, MariaDB: another option, in lower case, with its value.
    TableOption { name: String, value: String },
    /// Nobody could read it.
    Unknown { text: String },
}

/// Where a column is put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// `FIRST`
    First,
    /// `AFTER`
    After(String),
}

/// A change of a table's partitions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionOperation {
    /// `PARTITION BY`: every row moves.
    PartitionBy,
    /// `REMOVE PARTITIONING`: every row moves.
    Remove,
    /// `ADD PARTITION`: `hash` means that rows move (`PARTITIONS n`).
    Add {
        /// `ADD PARTITION PARTITIONS n`.
        hash: bool,
    },
    /// `DROP PARTITION`: their rows are lost.
    Drop(Vec<String>),
    /// `TRUNCATE PARTITION`: their rows are lost.
    Truncate(Vec<String>),
    /// `COALESCE PARTITION`: rows move.
    Coalesce,
    /// `REORGANIZE PARTITION`: rows of these move.
    Reorganize(Vec<String>),
    /// `EXCHANGE PARTITION`: with this table.
    Exchange {
        /// The partition.
        partition: String,
        /// The table that takes its place.
        with: Name,
        /// Not `WITHOUT VALIDATION`.
        validate: bool,
    },
    /// `REBUILD`, `OPTIMIZE PARTITION`: these are written anew.
    Rebuild(Vec<String>),
    /// `ANALYZE`, `CHECK`, `REPAIR PARTITION`.
    Check(Vec<String>),
    /// `DISCARD`, `IMPORT PARTITION … TABLESPACE`.
    Tablespace(Vec<String>),
    /// `CONVERT PARTITION … TO TABLE`, `CONVERT TABLE … TO PARTITION` of MariaDB.
    Convert(Name),
    /// PostgreSQL 19: `SPLIT PARTITION`, `MERGE PARTITIONS`: rows move.
    Split,
}
