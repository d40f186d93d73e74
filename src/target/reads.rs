//! What a statement reads, by the database's own count.

/// What a statement read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reads {
    /// Rows and entries of indexes, found or passed over.
    pub rows: u64,
    /// Pages, where the server counts them by statement.
    pub pages: u64,
    /// Whether anything was sorted.
    pub sorts: bool,
}

/// How the planner would find the rows of a condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The index, or several.
    pub index: String,
    /// The rows that it expects.
    pub rows: u64,
}
