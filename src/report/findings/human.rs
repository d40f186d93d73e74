//! For a person at a terminal: the place underlined, who waits, why, and what to write instead.

use super::excerpt::excerpt;
use super::paint::Ink;
use super::placed::{Placed, PlacedFinding};
use super::words::{Doubt, summary, tame, terms, waits, work};
use super::{Format, Heading, Out, Part, Style, Writer};
use crate::gate::Sum;

/// The format.
pub(super) static FORMAT: Format = Format { name: "human", begin };

struct Human {
    style: Style,
    unsure: bool,
    allowed: bool,
}

impl Writer for Human {
    fn file(&mut self, file: &Placed, out: &mut Out) {
        for finding in file.allowed(false) {
            for line in one(file, finding, self.style) {
                out.now.push_str(&line);
                out.now.push('\n');
            }
            out.now.push('\n');
        }
        let mut faint = |strand: usize, line: &str| {
            out.later[strand].push_str(&self.style.paint(Ink::Faint, line));
            out.later[strand].push('\n');
        };
        for line in unsure(file) {
            self.unsure = true;
            faint(UNSURE, &line);
        }
        for line in file.allowed(true).filter_map(|finding| allowed(file, finding)) {
            self.allowed = true;
            faint(ALLOWED, &line);
        }
    }

    fn end(self: Box<Self>, sum: &Sum) -> Vec<Part> {
        let mut parts = Vec::new();
        for (strand, is_there) in [(UNSURE, self.unsure), (ALLOWED, self.allowed)] {
            if is_there {
                parts.extend([Part::Kept(strand), Part::Text("\n".to_owned())]);
            }
        }
        parts.push(Part::Text(self.style.paint(Ink::Strong, &summary(sum))));
        parts
    }
}

/// Strands: the statements that are not proven, and what somebody allowed.
const UNSURE: usize = 0;
const ALLOWED: usize = 1;

fn begin(heading: &Heading, _out: &mut Out) -> Box<dyn Writer> {
    Box::new(Human { style: heading.style, unsure: false, allowed: false })
}

/// A finding, line by line.
fn one(file: &Placed, finding: &PlacedFinding, style: Style) -> Vec<String> {
    let PlacedFinding { finding: said, start, .. } = finding;
    let ink = Ink::Of(said.severity);
    let gutter = finding.last_line().to_string().len();
    let head = style.paint(ink, &format!("{}[{}]", said.severity.word(), said.rule));
    let message = style.paint(Ink::Strong, &format!(": {}", one_line(&said.message)));
    let arrow = style.paint(Ink::Frame, &format!(" {:gutter$}-->", ""));
    let mut lines = vec![
        format!("{head}{message}"),
        format!("{arrow} {}:{}:{}", shown(&file.file.path), start.line, start.column),
    ];
    lines.extend(excerpt(&file.lines, &said.span, gutter, ink, style));
    let mut note = |name: &str, value: &str| {
        let lead = style.paint(Ink::Frame, &format!(" {:gutter$} =", ""));
        // What goes on over a line's end stays under its beginning.
        let indent = format!("\n{:1$}", "", gutter + name.len() + 6);
        let value = tame(value.trim_end()).replace('\n', &indent);
        let name = style.paint(Ink::Strong, name);
        lines.push(format!("{lead} {name}: {value}").trim_end().to_owned());
    };
    if let Some(statement) = finding.statement {
        let effects = &statement.effects;
        let locks = effects.locks.iter();
        let locks = locks.map(|lock| format!("{} {} ({})", lock.relation, lock.mode, waits(lock)));
        let locks: Vec<String> = locks.collect();
        if !locks.is_empty() {
            note("locks", &locks.join("\n"));
        }
        let work = work(effects);
        if !work.is_empty() {
            note("work", &work.join(", "));
        }
        if let Some(doubt) = Doubt::of(effects).filter(|doubt| !doubt.is_said_in(said)) {
            note(doubt.word, &doubt.to_string());
        }
    }
    for why in &said.why {
        note("why", why);
    }
    if let Some(instead) = &said.instead {
        note("instead", "");
        let bar = style.paint(Ink::Frame, &format!(" {:gutter$}   |", ""));
        let sql = tame(instead.trim_end());
        lines.extend(sql.lines().map(|line| format!("{bar} {line}").trim_end().to_owned()));
    }
    let lead = style.paint(Ink::Frame, &format!(" {:gutter$} =", ""));
    let name = style.paint(Ink::Strong, "more");
    lines.push(format!("{lead} {name}: backstop explain {}", said.rule));
    lines
}

/// The statements that no finding is on, and that are not proven either: silence would look like
/// certainty.
fn unsure(file: &Placed) -> Vec<String> {
    let mut lines = Vec::new();
    for (at, statement) in file.file.statements.iter().enumerate() {
        let Some(doubt) = Doubt::of(&statement.effects) else { continue };
        if file.on(Some(at)).any(|on| on.finding.allowed.is_none()) {
            continue;
        }
        let place = file.lines.both(&statement.span).0;
        lines.push(format!(
            "{}: {}:{}:{}: {}: {}",
            doubt.word,
            shown(&file.file.path),
            place.line,
            place.column,
            statement.kind,
            one_line(&doubt.to_string())
        ));
    }
    lines
}

/// What somebody allowed, in one line.
fn allowed(file: &Placed, finding: &PlacedFinding) -> Option<String> {
    let allowed = finding.finding.allowed.as_ref()?;
    Some(format!(
        "allowed[{}]: {}:{}:{}: {}{}",
        finding.finding.rule,
        shown(&file.file.path),
        finding.start.line,
        finding.start.column,
        one_line(&allowed.reason),
        one_line(&terms(allowed))
    ))
}

fn one_line(text: &str) -> String {
    tame(&text.replace('\n', " "))
}

/// How a path is shown.
fn shown(path: &str) -> String {
    if path == "-" { "<stdin>".to_owned() } else { one_line(path) }
}

#[cfg(test)]
mod tests {
    use super::super::{sample, written};
    use super::*;

    #[test]
    fn a_person_reads_what_is_wrong_where_and_what_to_write() {
        let text = written(&FORMAT, &sample::report(), Style::default());
        // Errors and warnings with their place; the assumption beside the locks; the text of two
        // lines indented; standard input by name; what is allowed in a line; the sum at the end.
        assert_eq!(text, include_str!("../../../tests/findings/human.txt").trim_end());
    }

    #[test]
    fn nothing_found_is_said_in_a_line() {
        let text = written(&FORMAT, &sample::clean(), Style::default());
        assert_eq!(text, "no findings in 1 file (1 statement)");
    }

    #[test]
    fn what_is_not_proven_is_said_also_where_nothing_is_found() {
        let mut report = sample::report();
        report.findings.clear();
        let text = written(&FORMAT, &report, Style::default());
        assert_eq!(
            text,
            "assumed: migrations/0042.sql:3:1: ALTER TABLE: the worst; which \
             type the column has: give the schema with `--schema`\n\
             not evaluated: <stdin>:1:1: DO $$: it runs text that is not known\n\n\
             no findings in 3 files (5 statements)"
        );
    }

    #[test]
    fn colour_adds_colour_and_nothing_else() {
        let report = sample::report();
        let coloured = written(&FORMAT, &report, Style { colour: true });
        let mut plain = String::new();
        for (number, part) in coloured.split('\u{1b}').enumerate() {
            plain.push_str(if number == 0 { part } else { part.split_once('m').unwrap().1 });
        }
        assert_ne!(coloured, plain);
        assert_eq!(plain, written(&FORMAT, &report, Style::default()));
    }
}
