//! Reading the rows of results. What cannot be read is an error and never a default: a count that
//! became 0 would mean "nothing is wrong".

use super::Error;
use crate::keyspace::Key;
use crate::plan::Plan;
use crate::target::Row;

/// The key in a row; NULL stands for a value that its type cannot express.
pub(super) fn read_key(plan: &Plan, row: Row) -> Result<Key, Error> {
    let values = row.into_iter().collect::<Option<Vec<_>>>();
    values.map(Key).ok_or_else(|| Error::UnreadableKey {
        table: plan.table.to_string(),
        key: plan.key_names().join(", "),
    })
}

/// The number in a column of the only row.
pub(super) fn read_count(rows: &[Row], column: usize) -> Result<u64, Error> {
    let text = rows.first().and_then(|row| row.get(column)?.as_deref());
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::UnreadableCount { found: text.unwrap_or("nothing").to_owned() })
}

/// The checksum in a column of the only row.
pub(super) fn read_sum(rows: &[Row], column: usize) -> Result<u128, Error> {
    let text = rows.first().and_then(|row| row.get(column)?.as_deref());
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| Error::UnreadableCount { found: text.unwrap_or("nothing").to_owned() })
}
