//! What the gate found, in the formats of those who read it. A format is a value in a file of its
//! own.

mod human;
mod json;
mod place;

use crate::gate::Report;

/// How a report is written.
#[derive(Debug)]
pub struct Format {
    /// Its name in options.
    pub name: &'static str,
    /// Writes it.
    pub render: fn(&Report, Style) -> String,
}

/// What a reader can see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Colours, as a terminal shows them.
    pub colour: bool,
}

/// All of them.
pub static ALL: &[&Format] = &[&human::FORMAT, &json::FORMAT];

/// Their names.
#[must_use]
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|format| format.name).collect()
}

/// The report in a format; in the first one, if there is none of that name.
#[must_use]
pub fn render(name: &str, report: &Report, style: Style) -> String {
    let format = ALL.iter().find(|format| format.name == name).unwrap_or(&ALL[0]);
    (format.render)(report, style)
}
