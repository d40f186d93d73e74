//! The key of a table of images, added when it is needed.

use super::dialect::literal;
use crate::target::LateKey;

/// See [`crate::target::Dialect::late_key`].
///
/// Rows are the same by `key`, and older or newer by `time`. Who wrote a row the second time had waited
/// for the lock of whoever wrote it first, so `clock_timestamp()` orders the two, which the time of the
/// transaction would not.
pub(super) fn late_key(table: &str, key: &[String], time: &str, newest: &[String]) -> LateKey {
    let columns: Vec<_> = newest.iter().map(|name| format!("{name} = undo_n.{name}")).collect();
    let same: Vec<_> = key.iter().map(|name| format!("undo_o.{name} = undo_n.{name}")).collect();
    let key = key.join(", ");
    // A table that is published and has no key refuses both statements otherwise.
    let whole = format!("ALTER TABLE {table} REPLICA IDENTITY FULL");
    let newest = format!(
        "UPDATE {table} AS undo_o SET {} FROM (SELECT *, count(*) OVER (PARTITION BY {key}) AS \
         undo_times, row_number() OVER (PARTITION BY {key} ORDER BY {time} DESC) AS undo_rank FROM \
         {table}) AS undo_n WHERE 1 < undo_times AND undo_rank = 1 AND {}",
        columns.join(", "),
        same.join(" AND ")
    );
    let oldest = format!(
        "DELETE FROM {table} WHERE ctid = ANY (ARRAY(SELECT undo_o FROM (SELECT ctid AS undo_o, \
         row_number() OVER (PARTITION BY {key} ORDER BY {time}) AS undo_rank FROM {table}) AS undo_n \
         WHERE 1 < undo_rank))"
    );
    let usual = format!("ALTER TABLE {table} REPLICA IDENTITY DEFAULT");
    LateKey {
        // The table is locked when the statement is planned, and what it sees is fixed after that.
        has: format!(
            "SELECT 1 FROM pg_index WHERE indrelid = {}::regclass AND indisprimary AND NOT EXISTS \
             (SELECT FROM {table} WHERE false)",
            literal(table)
        ),
        // How long it takes is a matter of how many rows there are.
        first: "SET LOCAL statement_timeout TO 0",
        merge: vec![whole, newest, oldest, usual],
        add: format!("ALTER TABLE {table} ADD PRIMARY KEY ({key})"),
    }
}
