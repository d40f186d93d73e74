//! What a change under way shows of itself on the server: sessions, locks, triggers, tables.
//!
//! The facts alone. They are asked for while the change runs, and once more at the end: a kill is
//! believed when the server shows nothing of it any more.

use super::online::Beside;

/// A table by its place, also while it is being replaced.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Place {
    /// Its schema or database.
    pub schema: String,
    /// Its name.
    pub name: String,
}

/// By what the sessions of a tool are known on the server. A session that shows any of it is the tool's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mark {
    /// Texts in its statements, such as `/* gh-ost */`.
    pub comments: Vec<String>,
    /// The process that they come from, as `performance_schema.session_connect_attrs` has it (`_pid`).
    pub pid: Option<u32>,
    /// The local addresses that its connections have, as `127.0.0.1:40312`.
    pub addresses: Vec<String>,
    /// Sessions of ours that do the work themselves, by [`super::Session::identity`].
    pub own: Vec<String>,
    /// The named lock that it holds from its beginning to its end (`GET_LOCK`).
    pub lock: Option<String>,
    /// What the names of its triggers begin with; empty for a tool that makes none.
    pub triggers: String,
    /// The tables that it makes, by their exact names.
    pub tables: Vec<String>,
}

/// What is there of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Traces {
    /// Its sessions.
    pub sessions: Vec<Trace>,
    /// Locks that its sessions hold or wait for, in words.
    pub locks: Vec<String>,
    /// Its triggers on the table.
    pub triggers: Vec<String>,
    /// Its tables.
    pub tables: Vec<Beside>,
    /// What could not be asked, and why: then nothing is proven.
    pub unread: Vec<String>,
}

/// A session of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The server's number.
    pub session: String,
    /// What it runs; empty if nothing.
    pub statement: String,
    /// For how long, in seconds.
    pub seconds: u64,
}
