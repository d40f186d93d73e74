//! The gate: what a migration does to a production database, and whether it may.
//!
//! Text becomes statements ([`crate::sql`]), statements become [`effects`], and rules read effects.
//! This room is pure: files, statistics and evidence come in as data.

pub mod directive;
pub mod effects;
pub mod evidence;
pub mod finding;
pub mod policy;
pub mod remake;
pub mod review;
pub mod rules;
pub mod runner;
pub mod state;

pub use crate::catalog::{Engine, Release as Server};
pub use crate::sql::schema::Schema;
pub use finding::{Allowance, FileReport, Finding, Report, Severity, StatementReport};
pub use policy::{Class, Policy, Size, Sizes};
pub use runner::Runner;

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
    /// Whether `foreign_key_checks` (MySQL, MariaDB), `foreign_keys` (SQLite) is on.
    pub foreign_key_checks: bool,
}
