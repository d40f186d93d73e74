//! A file with everything in its place: what each format needs to know of a finding.

use std::collections::{BTreeMap, HashMap};

use super::place::{Lines, Place};
use crate::gate::review::hash;
use crate::gate::{FileReport, Finding, Judged, StatementReport};

/// A file that was judged, with lines and statements found.
#[derive(Debug)]
pub(super) struct Placed<'a> {
    /// Its number among the files of the report, from zero.
    pub number: usize,
    pub file: &'a FileReport,
    pub lines: Lines<'a>,
    /// As many, and in the same order, as in the report.
    pub findings: Vec<PlacedFinding<'a>>,
    /// Which of them are on which statement.
    on: BTreeMap<Option<usize>, Vec<usize>>,
}

/// A finding in its place.
#[derive(Debug)]
pub(super) struct PlacedFinding<'a> {
    pub finding: &'a Finding,
    /// The statement on which it is, if it is on one.
    pub statement: Option<&'a StatementReport>,
    pub start: Place,
    /// The first character after it.
    pub end: Place,
}

impl<'a> Placed<'a> {
    pub(super) fn of(number: usize, judged: &'a Judged) -> Self {
        let file = &judged.file;
        let lines = Lines::of(&file.text);
        let mut findings = Vec::with_capacity(judged.findings.len());
        let mut on: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for finding in &judged.findings {
            let at = statement_at(finding, file);
            on.entry(at).or_default().push(findings.len());
            let (start, end) = lines.both(&finding.span);
            let statement = at.map(|at| &file.statements[at]);
            findings.push(PlacedFinding { finding, statement, start, end });
        }
        Self { number, file, lines, findings, on }
    }

    /// Those that count, or those that somebody allowed.
    pub(super) fn allowed(&self, allowed: bool) -> impl Iterator<Item = &PlacedFinding<'a>> {
        self.findings.iter().filter(move |placed| placed.finding.allowed.is_some() == allowed)
    }

    /// The findings on one statement, or those of the file that are on none.
    pub(super) fn on(&self, statement: Option<usize>) -> impl Iterator<Item = &PlacedFinding<'a>> {
        let numbers = self.on.get(&statement).map(Vec::as_slice).unwrap_or_default();
        numbers.iter().map(|number| &self.findings[*number])
    }

    /// The fingerprint of each finding: the same in every format, and in the next run, as long as
    /// rule, path and statement are the same. Neither its line nor its white space is in it, and
    /// nothing of other files: a file that is given twice is the same file.
    pub(super) fn fingerprints(&self) -> Vec<String> {
        let mut seen: HashMap<String, usize> = HashMap::new();
        let path = relative(&self.file.path);
        let of = |placed: &PlacedFinding| {
            let finding = placed.finding;
            let span = placed.statement.map_or(&finding.span, |statement| &statement.span);
            let named = format!("{}\0{path}\0{}", finding.rule, normal(self.lines.slice(span)));
            let ordinal = seen.entry(named.clone()).or_default();
            let fingerprint = hash(&format!("{named}\0{ordinal}"));
            *ordinal += 1;
            fingerprint
        };
        self.findings.iter().map(of).collect()
    }
}

impl PlacedFinding<'_> {
    /// The last line of which something belongs to it.
    pub(super) fn last_line(&self) -> usize {
        let ends_before = self.end.column == 1 && self.start.line < self.end.line;
        if ends_before { self.end.line - 1 } else { self.end.line }
    }
}

/// The number of the statement on which a finding is, if it is on one.
fn statement_at(finding: &Finding, file: &FileReport) -> Option<usize> {
    file.statements
        .partition_point(|statement| statement.span.start <= finding.span.start)
        .checked_sub(1)
        .filter(|at| finding.span.start < file.statements[*at].span.end)
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
    use crate::gate::Report;

    fn fingerprints(report: &Report) -> Vec<String> {
        let files = sample::judged(report);
        let of = |(number, file)| Placed::of(number, file).fingerprints();
        files.iter().enumerate().flat_map(of).collect()
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

    #[test]
    fn a_file_that_is_given_twice_is_the_same_file() {
        let report = sample::report();
        let mut twice = report.clone();
        let again = report.findings.iter().map(|finding| {
            let file = finding.file + report.files.len();
            Finding { file, ..finding.clone() }
        });
        twice.findings.extend(again);
        twice.files.extend(report.files.clone());
        let once = fingerprints(&report);
        assert_eq!(fingerprints(&twice), [once.clone(), once].concat());
    }
}
