//! What decides whether, and by what, a table can be changed while it is in use.
//!
//! The facts alone, read in one go; what they mean is decided in `handoff`.

use std::collections::BTreeMap;

use crate::catalog::Release;

/// What a server says of a table that is to be changed.
#[derive(Debug, Clone)]
pub struct Online {
    /// The server.
    pub release: Release,
    /// Where it listens, as the URL says.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// DDL that makes the table as it is, and the tables that foreign keys join to it; the table
    /// itself first, and by its own name alone.
    pub definitions: Vec<String>,
    /// Rows, estimated.
    pub rows: u64,
    /// Bytes of its rows.
    pub data_bytes: u64,
    /// Bytes of its other indexes.
    pub index_bytes: u64,
    /// Its triggers, by name.
    pub triggers: Vec<String>,
    /// Foreign keys of the table.
    pub references: Vec<Reference>,
    /// Foreign keys of tables that refer to it.
    pub referring: Vec<Reference>,
    /// Settings of the server, by name; one that it does not have is absent.
    pub variables: BTreeMap<String, String>,
    /// What the account may do.
    pub rights: Vec<Right>,
    /// Rights come by roles as well, which are not looked into.
    pub has_roles: bool,
    /// Tables beside it with a name that a tool would use.
    pub beside: Vec<Beside>,
    /// Replicas that read from the server, as far as they are seen, by the host that they come from.
    pub replicas: Vec<String>,
    /// Where they listen, as `host:port`, of those that say so (`report_host`).
    pub replica_places: Vec<String>,
    /// Sessions of a tool that are at work, by what they do.
    pub tools_at_work: Vec<String>,
    /// Transactions that hold the table, or may.
    pub transactions: Vec<Transaction>,
    /// Whether the server says which tables a transaction holds.
    pub tells_tables: bool,
    /// Indexes that are there and not valid (PostgreSQL).
    pub invalid_indexes: Vec<String>,
    /// What of this could not be read, and why.
    pub unread: Vec<(Fact, String)>,
}

/// What could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// Replicas, and sessions of tools.
    Sessions,
    /// Transactions.
    Transactions,
    /// What the account may do.
    Rights,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Its name.
    pub name: String,
    /// The table at the other end, with its database if that is another.
    pub table: String,
    /// `ON UPDATE`.
    pub on_update: String,
    /// `ON DELETE`.
    pub on_delete: String,
}

impl Reference {
    /// Whether it changes rows of the table that has it.
    #[must_use]
    pub fn cascades(&self) -> bool {
        [&self.on_update, &self.on_delete]
            .iter()
            .any(|rule| rule.as_str() == "CASCADE" || rule.starts_with("SET"))
    }
}

/// What an account may do, somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Right {
    /// Privileges, in upper case: `SELECT`, `ALL PRIVILEGES`.
    pub privileges: Vec<String>,
    /// It holds everywhere, or in the table's database, or for the table.
    pub reach: Reach,
}

/// Where a right holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// For the table.
    Table,
    /// In its database.
    Database,
    /// Everywhere.
    Server,
}

/// A table beside the one that is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// Its name.
    pub name: String,
    /// Its comment.
    pub comment: String,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The server's number of its session.
    pub session: String,
    /// Who.
    pub user: String,
    /// How long it has been open, in seconds.
    pub seconds: u64,
}
