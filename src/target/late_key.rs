//! A table that gets its primary key when somebody looks at it, and not when it is made.

/// How a table of ours that is only ever added to gets its key later, where that is worth it: until
/// then adding a row costs no entry in an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateKey {
    /// A query that finds a row if the table has its key. In a transaction it also keeps that from
    /// changing until the end.
    pub has: String,
    /// What a transaction that adds the key begins with.
    pub first: &'static str,
    /// What makes one row of those whose key is the same: the oldest, with the values of the newest.
    pub merge: Vec<String>,
    /// What adds the key. It fails with a [duplicate](crate::target::Error::is_duplicate) where that is
    /// still to be done.
    pub add: String,
}
