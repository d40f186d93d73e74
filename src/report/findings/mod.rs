//! What the gate found, in the formats of those who read it. A format is a value in a file of its
//! own, listed in [`ALL`].
//!
//! A report is written file by file, as they are judged, and no format holds more than it must: what
//! it can only print once the last file is known goes to a strand that somebody else keeps.

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
mod strand;
mod words;

pub use document::findings_schema;
pub use strand::{Out, Part, STRANDS};

use crate::gate::{Judged, Sum};
use placed::Placed;

/// How a report is written.
#[derive(Debug)]
pub struct Format {
    /// Its name in options.
    pub name: &'static str,
    /// Begins one.
    begin: fn(&Heading, &mut Out) -> Box<dyn Writer>,
}

/// What is known before the first file.
#[derive(Debug, Clone)]
pub struct Heading {
    /// Against which server it is judged: `PostgreSQL 15`.
    pub server: String,
    /// What the reader can see.
    pub style: Style,
}

/// What a reader can see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Style {
    /// Colours, as a terminal shows them.
    pub colour: bool,
}

/// A report that is being written in a format.
trait Writer {
    /// Writes what is to be said of the next file.
    fn file(&mut self, file: &Placed, out: &mut Out);

    /// Writes the end: what stands behind all that was printed at once, without an end of line.
    fn end(self: Box<Self>, sum: &Sum) -> Vec<Part>;
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

/// A report that is being written. After each step whoever called it takes what stands in `out` to
/// where it belongs.
pub struct Writing {
    writer: Box<dyn Writer>,
    /// How many files it holds.
    files: usize,
    /// What is to be printed or kept.
    pub out: Out,
}

impl Writing {
    /// Begins a report in a format; in the first one, if there is none of that name.
    #[must_use]
    pub fn begin(format: &str, heading: &Heading) -> Self {
        let format = ALL.iter().find(|known| known.name == format).unwrap_or(&ALL[0]);
        Self::of(format, heading)
    }

    fn of(format: &Format, heading: &Heading) -> Self {
        let mut out = Out::default();
        Self { writer: (format.begin)(heading, &mut out), files: 0, out }
    }

    /// Writes what is to be said of the next file.
    pub fn file(&mut self, judged: &Judged) {
        self.writer.file(&Placed::of(self.files, judged), &mut self.out);
        self.files += 1;
    }

    /// Ends it: the parts that stand behind everything that was printed at once, in their order.
    #[must_use]
    pub fn end(self, sum: &Sum) -> Vec<Part> {
        self.writer.end(sum)
    }
}

/// A whole report as one text, for tests.
#[cfg(test)]
fn written(format: &Format, report: &crate::gate::Report, style: Style) -> String {
    let heading = Heading { server: report.server.clone(), style };
    let mut writing = Writing::of(format, &heading);
    let mut sum = Sum::default();
    for judged in sample::judged(report) {
        writing.file(&judged);
        sum.add(&judged);
    }
    let out = std::mem::take(&mut writing.out);
    let parts = writing.end(&sum);
    out.now + &parts.iter().map(|part| part.text(&out.later)).collect::<String>()
}
