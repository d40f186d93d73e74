//! A report with everything in its place: what each format needs to know of a finding.

use std::collections::HashMap;

use super::place::{Lines, Place};
use crate::gate::review::hash;
use crate::gate::{FileReport, Finding, Report, StatementReport};

/// A report, with lines, statements and fingerprints found.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    pub report: &'a Report,
    pub files: Vec<PlacedFile<'a>>,
    /// As many, and in the same order, as in the report.
    pub findings: Vec<PlacedFinding<'a>>,
    /// Which of them are on which statement of which file.
    on: HashMap<(usize, Option<usize>), Vec<usize>>,
}

#[derive(Debug)]
pub(super) struct PlacedFile<'a> {
    pub file: &'a FileReport,
    pub lines: Lines<'a>,
}

/// A finding in its place.
#[derive(Debug)]
pub(super) struct PlacedFinding<'a> {
    pub finding: &'a Finding,
    /// The number of its file, and of the statement of that file on which it is, if it is on one.
    pub at: (usize, Option<usize>),
    pub path: &'a str,
    pub statement: Option<&'a StatementReport>,
    pub start: Place,
    /// The first character after it.
    pub end: Place,
    /// The same in every format, and in the next run, as long as rule, path and statement are the
    /// same: neither its line nor its white space is in it.
    pub fingerprint: String,
}

impl<'a> Placed<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let files: Vec<PlacedFile> = report
            .files
            .iter()
            .map(|file| PlacedFile { file, lines: Lines::of(&file.text) })
            .collect();
        let mut seen = HashMap::new();
        let findings = report.findings.iter().map(|finding| place(finding, &files, &mut seen));
        let findings: Vec<PlacedFinding> = findings.collect();
        let mut on: HashMap<_, Vec<usize>> = HashMap::new();
        for (number, placed) in findings.iter().enumerate() {
            on.entry(placed.at).or_default().push(number);
        }
        Self { report, files, findings, on }
    }

    /// Those that count, or those that somebody allowed.
    pub(super) fn allowed(&self, allowed: bool) -> impl Iterator<Item = &PlacedFinding<'a>> {
        self.findings.iter().filter(move |placed| placed.finding.allowed.is_some() == allowed)
    }

    /// The findings on one statement, or those of the file that are on none.
    pub(super) fn on(
        &self,
        file: usize,
        statement: Option<usize>,
    ) -> impl Iterator<Item = &PlacedFinding<'a>> {
        let numbers = self.on.get(&(file, statement)).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().map(|number| &self.findings[*number])
    }
}

impl PlacedFinding<'_> {
    /// The last line of which something belongs to it.
    pub(super) fn last_line(&self) -> usize {
        let ends_before = self.end.column == 1 && self.start.line < self.end.line;
        if ends_before { self.end.line - 1 } else { self.end.line }
    }
}

fn place<'a>(
    finding: &'a Finding,
    files: &[PlacedFile<'a>],
    seen: &mut HashMap<[String; 3], usize>,
) -> PlacedFinding<'a> {
    let PlacedFile { file, lines } = &files[finding.file];
    let at = file
        .statements
        .partition_point(|statement| statement.span.start <= finding.span.start)
        .checked_sub(1)
        .filter(|at| finding.span.start < file.statements[*at].span.end);
    let statement = at.map(|at| &file.statements[at]);
    let (start, end) = lines.both(&finding.span);
    let span = statement.map_or(&finding.span, |statement| &statement.span);
    let named =
        [finding.rule.to_owned(), relative(&file.path).to_owned(), normal(lines.slice(span))];
    let ordinal = seen.entry(named.clone()).or_default();
    let fingerprint = hash(&format!("{}\0{ordinal}", named.join("\0")));
    *ordinal += 1;
    PlacedFinding {
        finding,
        at: (finding.file, at),
        path: &file.path,
        statement,
        start,
        end,
        fingerprint,
    }
}

/// A statement without what a formatter changes.
fn normal(sql: &str) -> String {
    let words: Vec<&str> = sql.split_whitespace().collect();
    words.join(" ").trim_end_matches([';', ' ']).to_owned()
}

/// The path as a repository has it.
pub(super) fn relative(path: &str) -> &str {
    path.strip_prefix("./").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn fingerprints(report: &Report) -> Vec<String> {
        Placed::of(report).findings.into_iter().map(|placed| placed.fingerprint).collect()
    }

    #[test]
    fn a_fingerprint_outlives_a_new_line_above_and_a_new_layout() {
        let report = sample::report();
        let before = fingerprints(&report);
        let mut moved = report.clone();
        moved.files[0].path.insert_str(0, "./");
        moved.files[0].text.insert_str(0, "-- new\n\n");
        for statement in &mut moved.files[0].statements {
            statement.span = statement.span.start + 8..statement.span.end + 8;
        }
        for finding in moved.findings.iter_mut().filter(|finding| finding.file == 0) {
            finding.span = finding.span.start + 8..finding.span.end + 8;
        }
        assert_eq!(fingerprints(&moved), before);
        assert_eq!(normal("ALTER  TABLE\n\tt\nADD b int ;"), normal("ALTER TABLE t ADD b int"));
    }

    #[test]
    fn equal_findings_have_fingerprints_of_their_own() {
        let mut report = sample::report();
        let twin = report.findings[0].clone();
        report.findings.insert(1, twin);
        let mut all = fingerprints(&report);
        assert!(all.iter().all(|one| one.len() == 64));
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
