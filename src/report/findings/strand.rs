//! What of a report is printed at once, and what only at its end.

use std::borrow::Cow;
use std::fmt;

/// How many strands a format may ask to be kept.
pub const STRANDS: usize = 3;

/// What a format wrote.
#[derive(Debug, Default)]
pub struct Out {
    /// May be printed at once, in this order.
    pub now: String,
    /// Goes behind what is kept of each strand already.
    pub later: [String; STRANDS],
}

/// A part of a report's end.
pub enum Part {
    /// A text.
    Text(String),
    /// Everything that was kept of a strand.
    Kept(usize),
    /// The same, with something put into each of its lines that was not known when it was written.
    Filled(usize, Fill),
}

/// Puts what was not known into a line, which comes with its end.
pub type Fill = Box<dyn Fn(&str) -> Cow<'_, str>>;

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.debug_tuple("Text").field(text).finish(),
            Self::Kept(strand) => f.debug_tuple("Kept").field(strand).finish(),
            Self::Filled(strand, _) => f.debug_tuple("Filled").field(strand).finish(),
        }
    }
}

impl Part {
    /// The part as text, where all strands are at hand.
    #[cfg(test)]
    pub(super) fn text(&self, kept: &[String; STRANDS]) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Kept(strand) => kept[*strand].clone(),
            Self::Filled(strand, fill) => kept[*strand].split_inclusive('\n').map(fill).collect(),
        }
    }
}

/// A value as JSON for people, as it stands at this depth of a document.
pub(super) fn pretty(value: &impl serde::Serialize, depth: usize) -> String {
    // An end of line in JSON is never part of a value.
    let indent = format!("\n{:1$}", "", 2 * depth);
    serde_json::to_string_pretty(value).unwrap_or_default().replace('\n', &indent)
}

/// Puts a value at the end of a list of JSON that stands at this depth.
pub(super) fn push(list: &mut String, value: &impl serde::Serialize, depth: usize, is_first: bool) {
    let comma = if is_first { "" } else { "," };
    list.push_str(&format!("{comma}\n{:1$}{2}", "", 2 * depth + 2, pretty(value, depth + 1)));
}

/// What stands behind the last value of such a list.
pub(super) fn close(depth: usize, is_empty: bool) -> String {
    if is_empty { "]".to_owned() } else { format!("\n{:1$}]", "", 2 * depth) }
}
