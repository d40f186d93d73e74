//! SQLite.

use std::ops::Range;

use super::parse::unknown;
use super::statement::Statement;

/// Reads one statement.
pub(super) fn statement(text: &str, span: Range<usize>) -> Statement {
    unknown(text, span, "no parser")
}
