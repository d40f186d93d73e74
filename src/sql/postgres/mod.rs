//! PostgreSQL: the syntax tree of `squawk-syntax`, in the words that all dialects share.

use std::ops::Range;

use super::parse::unknown;
use super::statement::Statement;

/// Reads one statement.
pub(super) fn statement(text: &str, span: Range<usize>) -> Statement {
    unknown(text, span, "no parser")
}
