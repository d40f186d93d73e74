//! The gate: what a migration does to a production database, and whether it may.
//!
//! Text becomes statements ([`crate::sql`]), statements become [`effects`], and rules read effects.
//! This room is pure: files, statistics and evidence come in as data.

pub mod effects;
pub mod finding;
pub mod schema;

pub use finding::{Allowance, FileReport, Finding, Report, Severity, StatementReport};
pub use schema::Schema;

use crate::sql::Tokens;

/// A database whose migrations are judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// PostgreSQL.
    Postgres,
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// SQLite.
    Sqlite,
}

impl Engine {
    /// Whose tokens its scripts are made of.
    #[must_use]
    pub fn tokens(self) -> Tokens {
        match self {
            Self::Postgres => Tokens::Postgres,
            Self::MySql | Self::MariaDb => Tokens::MySql,
            Self::Sqlite => Tokens::Sqlite,
        }
    }
}

/// The server that a migration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Server {
    /// Which database.
    pub engine: Engine,
    /// Its version, major first: `(15, 0, 0)`, `(8, 0, 29)`, `(10, 11, 0)`.
    pub version: (u16, u16, u16),
}

/// What decides the effects of a statement besides its text.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    /// The server.
    pub server: Server,
    /// The schema as it stands before the statement.
    pub schema: &'a Schema,
    /// Whether a transaction is open, by the script or by who runs it.
    pub in_transaction: bool,
    /// PostgreSQL: whether the session's `TimeZone` is UTC, where that is known.
    pub utc: Option<bool>,
    /// MySQL, MariaDB: whether `foreign_key_checks` is on.
    pub foreign_key_checks: bool,
}
