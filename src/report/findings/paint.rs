//! Colours of a terminal, for those that have any.

use super::Style;
use crate::gate::Severity;

/// What a piece of text is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Of a severity.
    Of(Severity),
    /// A frame around what was written by others.
    Frame,
    /// What is to be read first.
    Strong,
    /// What need not be read.
    Faint,
}

impl Style {
    /// The text in its colour, if there are colours.
    pub(super) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Of(Severity::Error) => "1;31",
            Ink::Of(Severity::Warning) => "1;33",
            Ink::Of(Severity::Note) => "1;36",
            Ink::Frame => "1;34",
            Ink::Strong => "1",
            Ink::Faint => "2",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}
