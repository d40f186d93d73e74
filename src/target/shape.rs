//! What a table is, as the server says it: what a change is judged by when it has ended.

use serde::{Deserialize, Serialize};

/// A table, at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// What it consists of, in the server's words, a line each: `SHOW CREATE TABLE` on MySQL and MariaDB;
    /// columns, constraints, indexes with their validity on PostgreSQL.
    pub definition: String,
    /// What stays when the table is renamed, and changes when it is built anew: InnoDB's number of the
    /// table or those of its partitions, PostgreSQL's `oid` and file. Empty where it cannot be told.
    pub identity: String,
}
