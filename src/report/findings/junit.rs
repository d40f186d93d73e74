//! JUnit's XML, for whatever shows tests: a case for each statement.

use super::placed::{Placed, PlacedFinding};
use super::words::{Doubt, advice, allowed};
use super::{Format, Out, Part, Writer};
use crate::gate::{Severity, Sum};

/// The format.
pub(super) static FORMAT: Format =
    Format { name: "junit", begin: |_, _| Box::new(Suites::default()) };

/// What is shown of a statement in the name of its case, in characters.
const NAME: usize = 60;

/// The sum, which stands before the suites.
#[derive(Default)]
struct Suites {
    tests: usize,
    failures: usize,
    skipped: usize,
}

impl Writer for Suites {
    fn file(&mut self, file: &Placed, out: &mut Out) {
        let suite = suite(file);
        self.tests += suite.tests;
        self.failures += suite.failures;
        self.skipped += suite.skipped;
        out.later[0].push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\">\n{}  \
             </testsuite>\n",
            suite.name, suite.tests, suite.failures, suite.skipped, suite.cases
        ));
    }

    fn end(self: Box<Self>, _sum: &Sum) -> Vec<Part> {
        let head = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"backstop\" tests=\"{}\" \
             failures=\"{}\" errors=\"0\" skipped=\"{}\">\n",
            self.tests, self.failures, self.skipped,
        );
        vec![Part::Text(head), Part::Kept(0), Part::Text("</testsuites>".to_owned())]
    }
}

/// A file.
struct Suite {
    name: String,
    tests: usize,
    failures: usize,
    skipped: usize,
    cases: String,
}

fn suite(file: &Placed) -> Suite {
    let path = &file.file.path;
    let mut suite =
        Suite { name: escaped(path), tests: 0, failures: 0, skipped: 0, cases: String::new() };
    for (at, statement) in file.file.statements.iter().enumerate() {
        let found: Vec<&PlacedFinding> = file.on(Some(at)).collect();
        let place = file.lines.both(&statement.span).0;
        let sql =
            file.lines.slice(&statement.span).split_whitespace().collect::<Vec<_>>().join(" ");
        let short: String = sql.chars().take(NAME).collect();
        let dots = if short.len() < sql.len() { "…" } else { "" };
        let name = format!("{}:{} {short}{dots}", place.line, place.column);
        let said = |doubt: &Doubt| found.iter().any(|one| doubt.is_said_in(one.finding));
        let doubt = Doubt::of(&statement.effects).filter(|doubt| !said(doubt));
        let doubt = doubt.map(|doubt| format!("{}: {doubt}", doubt.word));
        suite.add(path, &name, place.line, &found, doubt);
    }
    // What is on no statement is not lost, and a file without statements was judged as well.
    let found: Vec<&PlacedFinding> = file.on(None).collect();
    if !found.is_empty() || file.file.statements.is_empty() {
        let line = found.first().map_or(1, |finding| finding.start.line);
        suite.add(path, "the file as a whole", line, &found, None);
    }
    suite
}

impl Suite {
    fn add(
        &mut self,
        path: &str,
        name: &str,
        line: usize,
        found: &[&PlacedFinding],
        doubt: Option<String>,
    ) {
        self.tests += 1;
        let class = escaped(path);
        let name = escaped(name);
        self.cases.push_str(&format!(
            "    <testcase classname=\"{class}\" name=\"{name}\" file=\"{class}\" line=\"{line}\">\n"
        ));
        let open = found.iter().copied().filter(|one| one.finding.allowed.is_none());
        let (errors, others): (Vec<&PlacedFinding>, Vec<&PlacedFinding>) =
            open.partition(|one| one.finding.severity == Severity::Error);
        let granted: Vec<_> =
            found.iter().copied().filter(|one| one.finding.allowed.is_some()).collect();
        // Most readers show one outcome of a case only, so all errors of it are one.
        if let Some(first) = errors.first() {
            self.failures += 1;
            let text: Vec<String> = errors.iter().map(|one| text(one)).collect();
            self.cases.push_str(&format!(
                "      <failure type=\"{}\" message=\"{}\">{}</failure>\n",
                escaped(first.finding.rule),
                escaped(&first.finding.message),
                escaped(&text.join("\n\n"))
            ));
        } else if let Some(first) = granted.first() {
            self.skipped += 1;
            self.cases.push_str(&format!(
                "      <skipped message=\"{}\"/>\n",
                escaped(&format!("{}: {}", first.finding.rule, allowed(first.finding)))
            ));
        }
        let output: Vec<String> =
            others.into_iter().chain(granted).map(|one| text(one)).chain(doubt).collect();
        if !output.is_empty() {
            let output = escaped(&output.join("\n\n"));
            self.cases.push_str(&format!("      <system-out>{output}</system-out>\n"));
        }
        self.cases.push_str("    </testcase>\n");
    }
}

fn text(placed: &PlacedFinding) -> String {
    let finding = placed.finding;
    match &finding.allowed {
        Some(_) => format!("allowed[{}]: {}", finding.rule, allowed(finding)),
        None => format!("{}[{}]: {}", finding.severity.word(), finding.rule, advice(finding)),
    }
}

/// Text in an element or in an attribute between double quotes. What XML 1.0 has no way to write
/// becomes the replacement character.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // As they are, an attribute would make spaces of them.
            '\n' => escaped.push_str("&#10;"),
            '\r' => escaped.push_str("&#13;"),
            '\t' => escaped.push_str("&#9;"),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::{sample, written};
    use super::*;
    use crate::report::findings::Style;

    /// The elements in order, if each is closed where it should be and nothing stands unescaped.
    fn elements(xml: &str) -> Vec<String> {
        let (mut open, mut seen) = (Vec::new(), Vec::new());
        let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
        for part in body.split('<').skip(1) {
            let (tag, text) = part.split_once('>').unwrap();
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            for entity in part.split('&').skip(1) {
                let known = ["amp;", "lt;", "gt;", "quot;", "#10;", "#13;", "#9;"];
                assert!(known.iter().any(|name| entity.starts_with(name)), "{entity}");
            }
            let valid = |c: char| c >= ' ' || c == '\n';
            assert!(part.chars().all(valid) && !text.contains('>'), "{part:?}");
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(name));
                continue;
            }
            let name = tag.split([' ', '/']).next().unwrap().to_owned();
            seen.push(name.clone());
            if !tag.ends_with('/') {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{open:?} is not closed");
        seen
    }

    #[test]
    fn each_statement_is_a_case_that_fails_for_an_error_only() {
        let xml = written(&FORMAT, &sample::report(), Style::default());
        let seen = elements(&xml);
        let count = |name: &str| seen.iter().filter(|element| *element == name).count();
        assert_eq!(count("testsuite"), 3, "a suite for each file");
        assert_eq!(count("testcase"), 5, "a case for each statement");
        assert_eq!(count("failure"), 2, "the two errors");
        assert_eq!(count("skipped"), 1, "the one that is allowed");
        assert!(
            xml.contains("tests=\"5\" failures=\"2\" errors=\"0\" skipped=\"1\">\n  <testsuite ")
        );
        assert!(xml.contains(
            "name=\"3:1 ALTER TABLE orders ALTER COLUMN total TYPE bigint\" \
             file=\"migrations/0042.sql\" line=\"3\">\n      <failure type=\"long-lock\" message=\"`orders` \
             is written anew"
        ));
        assert!(xml.contains("<system-out>warning[lock-timeout]: waits for `zákazníci|&lt;b&gt;`"));
    }

    #[test]
    fn nothing_that_stands_in_a_migration_breaks_the_document() {
        let mut report = sample::report();
        report.findings[0].message = "<![CDATA[ ]]> \"&amp;\" \u{0}\u{1b}\u{ffff}\t".to_owned();
        report.files[0].path = "\"><x>&.sql".to_owned();
        assert_eq!(
            elements(&written(&FORMAT, &report, Style::default())).len(),
            1 + 3 + 5 + 2 + 1 + 3
        );
    }

    #[test]
    fn a_finding_on_no_statement_is_a_case_of_its_own() {
        let mut report = sample::report();
        report.findings[0].span = 24..25;
        let xml = written(&FORMAT, &report, Style::default());
        assert_eq!(elements(&xml).iter().filter(|element| *element == "testcase").count(), 6);
        assert!(xml.contains("name=\"the file as a whole\""));
    }
}
