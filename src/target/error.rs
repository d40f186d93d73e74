//! What a database said, sorted by what must happen next.

use std::fmt;

use crate::event::RetryReason;

/// What must happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// The transaction was rolled back; the same batch may be tried again.
    Retry(RetryReason),
    /// The connection is gone; nobody knows from here what the server did last.
    Lost,
    /// Our session was ended from outside, on purpose; else as [`Class::Lost`].
    Terminated,
    /// The statement was cancelled from outside.
    Cancelled,
    /// The database cannot be used for this: wrong URL, wrong password, too old, read-only.
    Unsuitable,
    /// A row cannot be written: its values break a constraint, do not fit, cannot be cast, or a
    /// trigger refuses them. Trying again is futile for that row, and not for the others.
    Poison,
    /// The server refuses the statement: its text, or our rights. Trying again is futile.
    Refused,
}

/// An error of a target.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Error {
    /// What must happen next.
    pub class: Class,
    /// The server's code: SQLSTATE, error number, or SQLite's extended code.
    pub code: Option<String>,
    /// What happened, in the server's words where it is the server that speaks.
    pub message: String,
}

/// The result of everything that touches a target.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether the connection is gone, for whatever reason.
    #[must_use]
    pub const fn is_lost(&self) -> bool {
        matches!(self.class, Class::Lost | Class::Terminated)
    }

    /// Whether the server takes no writes any more: it became a standby, or somebody closed it. After
    /// a fail-over the address leads to one that does.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match self.code.as_deref() {
            Some("25006" | "1836" | "1874") => true,
            // Said of other options as well.
            Some("1290") => self.message.replace('_', "-").contains("read-only"),
            _ => false,
        }
    }

    /// Whether a session that is opened later may fare better: the server is away or is not open for
    /// writing yet, or somebody has a lock.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        self.is_lost() || self.is_closed() || matches!(self.class, Class::Retry(_))
    }

    /// Whether somebody else kept a lock for longer than it is waited for.
    #[must_use]
    pub const fn is_lock_timeout(&self) -> bool {
        matches!(self.class, Class::Retry(RetryReason::LockTimeout))
    }

    /// An error of ours.
    #[must_use]
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, code: None, message: message.into() }
    }

    /// Whether a right is lacking: PostgreSQL's `insufficient_privilege`; on MySQL and MariaDB access
    /// denied to a database, a table, a column, or for want of a global privilege.
    #[must_use]
    pub fn is_denial(&self) -> bool {
        let codes = ["42501", "1044", "1142", "1143", "1227"];
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }

    /// Whether a value that must be unique is there twice: PostgreSQL's `unique_violation`.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        self.code.as_deref() == Some("23505")
    }

    /// The same error, with the statement by which a DBA can allow it. `…` stands for the account.
    #[must_use]
    pub fn with_grant(mut self, grant: &str) -> Self {
        self.message = format!("{}; `{grant}` would let it", self.message);
        self
    }

    /// The same error, with what was being done put before its message.
    #[must_use]
    pub fn while_doing(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.code {
            Some(code) => write!(f, " ({code})"),
            None => Ok(()),
        }
    }
}
