//! Workflow commands of GitHub Actions, which show a finding beside the line that it is on.

use super::placed::{Placed, PlacedFinding, relative};
use super::words::{advice, allowed, summary, tame};
use super::{Format, Out, Part, Writer};
use crate::gate::{Severity, Sum};

/// The format.
pub(super) static FORMAT: Format = Format { name: "github", begin: |_, _| Box::new(Commands) };

struct Commands;

impl Writer for Commands {
    // GitHub shows the first ten of a kind; what stops the migration is among them.
    fn file(&mut self, file: &Placed, out: &mut Out) {
        for placed in &file.findings {
            let list = match placed.finding.allowed {
                None => &mut out.now,
                Some(_) => &mut out.later[0],
            };
            list.push_str(&command(file, placed));
            list.push('\n');
        }
    }

    fn end(self: Box<Self>, sum: &Sum) -> Vec<Part> {
        vec![Part::Kept(0), Part::Text(summary(sum))]
    }
}

fn command(file: &Placed, placed: &PlacedFinding) -> String {
    let path = &file.file.path;
    let finding = placed.finding;
    // What is allowed is seen and stops nothing.
    let severity = finding.allowed.as_ref().map_or(finding.severity, |_| Severity::Note);
    let name = match severity {
        Severity::Note => "notice",
        Severity::Warning => "warning",
        Severity::Error => "error",
    };
    let mut properties = Vec::new();
    if path != "-" {
        properties.push(format!("file={}", property(relative(path))));
    }
    let (first, last) = (placed.start.line, placed.last_line());
    properties.push(format!("line={first}"));
    // The runner drops a column that belongs to several lines, and says so in its log.
    if first == last {
        properties.push(format!("col={}", placed.start.column));
    }
    properties.push(format!("endLine={last}"));
    let (title, message) = match &finding.allowed {
        None => (finding.rule.to_owned(), advice(finding)),
        Some(_) => (format!("{} (allowed)", finding.rule), allowed(finding)),
    };
    properties.push(format!("title={}", property(&title)));
    format!("::{name} {}::{}", properties.join(","), data(&tame(&message)))
}

/// Text after the second `::`. A line that begins with `::` in it would be another command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::{sample, written};
    use super::*;
    use crate::report::findings::Style;

    #[test]
    fn a_workflow_shows_each_finding_beside_its_line() {
        // A column where it is one line, none where there are several; commas and colons of a path,
        // percent signs and ends of lines of a message escaped; no file for standard input.
        assert_eq!(
            written(&FORMAT, &sample::report(), Style::default()),
            "::error file=migrations/0042.sql,line=3,col=1,endLine=3,title=long-lock::`orders` is \
             written anew under ACCESS EXCLUSIVE: nobody reads or writes it%0A%0Awhy: `orders` is \
             large: 50,000,000 rows%0A%0Ainstead:%0AALTER TABLE orders ADD COLUMN total_new \
             bigint;%0A-- backfill, then swap\n\
             ::warning file=migrations/a b%2Cc%3Ad.sql,line=1,endLine=3,title=lock-timeout::waits \
             for `zákazníci|<b>` without a limit: 100%25, and%0Aeverybody behind it\n\
             ::error line=1,col=1,endLine=1,title=not-evaluated::could not be judged: it runs text \
             that is not known\n\
             ::notice file=migrations/a b%2Cc%3Ad.sql,line=4,col=1,endLine=4,title=data-loss \
             (allowed)::every row of `old_orders` is lost%0A%0Aallowed: unused since March (owner \
             @data, until 2026-12-31)\n\
             2 errors, 1 warning in 3 files (5 statements); 1 allowed"
        );
    }

    #[test]
    fn text_of_a_migration_cannot_give_a_command() {
        let mut report = sample::report();
        report.findings[0].message = "x\r\n::set-env name=A::b".to_owned();
        report.files[0].path = "a\n::error::b".to_owned();
        let text = written(&FORMAT, &report, Style::default());
        let commands = text.lines().filter(|line| line.starts_with("::")).count();
        assert_eq!(commands, report.findings.len());
    }
}
