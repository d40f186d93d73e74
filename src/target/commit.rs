//! What the commit of a transaction waits for. Pure.

/// What the commit of a transaction waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Commit {
    /// What the session is set to.
    #[default]
    Own,
    /// Nothing: a crash of the server may undo it, and everything that was committed so after it.
    Unflushed,
    /// The disk, however the session is set: for this transaction, and for every one before it,
    /// whoever's it was.
    Flushed,
}
