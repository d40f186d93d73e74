//! Key values, ranges of them, how to split a range, and how large a batch should be.
//!
//! A key value is text that the server rendered and that only the server compares: collations,
//! time zones and numeric types never have to be understood here, and nothing passes through a
//! float. This room is pure.

mod interval;
mod sizer;
mod split;
mod tally;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use interval::{Comparison, Op, Side, above, at_most, within};
pub use sizer::{Aim, FIRST_ROWS, Sizer, Taken};
pub use split::{between, place};
pub use tally::{Checked, Counts, Noted, Tally, WrongKey, in_order, to_walk_again};

/// The value of a key: one text per key column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(pub Vec<String>);

impl Key {
    /// The stored form: a JSON array of strings.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::Value::from(self.0.clone()).to_string()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    ///
    /// What serde says of a text that is not an array of strings.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The key for people: `id=42` or `tenant=7, id=42`.
    #[must_use]
    pub fn display(&self, columns: &[String]) -> String {
        columns
            .iter()
            .zip(&self.0)
            .map(|(column, value)| format!("{column}={value}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// A contiguous piece of the key space with its own cursor: everything above `lo` up to and
/// including `hi`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Range {
    /// Its number within the job.
    pub id: u32,
    /// The key that it begins after; `None` is the beginning of the table.
    pub lo: Option<Key>,
    /// The last key that belongs to it.
    pub hi: Key,
    /// The key up to which it is done; `None` until the first batch.
    pub cursor: Option<Key>,
    /// The number of its present owner.
    pub epoch: u64,
    /// Batches committed.
    pub batches: u64,
    /// Rows in the key windows of those batches.
    pub rows_scanned: u64,
    /// Rows whose value changed.
    pub rows_changed: u64,
    /// Rows that could not be written, and were put into quarantine when the cursor passed them.
    pub rows_quarantined: u64,
    /// Whether the cursor has reached `hi`.
    pub done: bool,
}

impl Range {
    /// A range that nobody has walked.
    #[must_use]
    pub const fn new(id: u32, lo: Option<Key>, hi: Key) -> Self {
        Self {
            id,
            lo,
            hi,
            cursor: None,
            epoch: 0,
            batches: 0,
            rows_scanned: 0,
            rows_changed: 0,
            rows_quarantined: 0,
            done: false,
        }
    }

    /// The range after a batch that ends at `upto` and holds `rows` rows, of which `changed` changed.
    #[must_use]
    pub fn advanced(&self, upto: &Key, rows: u64, changed: u64, last: bool) -> Self {
        Self {
            cursor: Some(upto.clone()),
            batches: self.batches + 1,
            rows_scanned: self.rows_scanned + rows,
            rows_changed: self.rows_changed + changed,
            done: last,
            ..self.clone()
        }
    }

    /// The range after it passed over one row that cannot be written, at `upto`.
    #[must_use]
    pub fn passed_over(&self, upto: &Key, last: bool) -> Self {
        let rows_quarantined = self.rows_quarantined + 1;
        Self { rows_quarantined, ..self.advanced(upto, 1, 0, last) }
    }

    /// The key after which the next batch begins.
    #[must_use]
    pub fn position(&self) -> Option<&Key> {
        self.cursor.as_ref().or(self.lo.as_ref())
    }
}
