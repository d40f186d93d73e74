//! What the gate found, in the formats of those who read it. A format is a value in a file of its
//! own, listed in [`ALL`].

mod document;
mod excerpt;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod markdown;
mod paint;
mod place;
mod placed;
#[cfg(test)]
mod sample;
mod sarif;
mod words;

pub use document::findings_schema;

use crate::gate::Report;

/// How a report is written.
#[derive(Debug)]
pub struct Format {
    /// Its name in options.
    pub name: &'static str,
    /// Writes it, without an end of line at the end.
    pub render: fn(&Report, Style) -> String,
}

/// What a reader can see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Colours, as a terminal shows them.
    pub colour: bool,
}

/// All of them; the first is meant where none is named. A test compares this list with the folder.
pub static ALL: &[&Format] = &[
    &human::FORMAT,
    &json::FORMAT,
    &sarif::FORMAT,
    &github::FORMAT,
    &gitlab::FORMAT,
    &markdown::FORMAT,
    &junit::FORMAT,
];

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
