//! Code Quality of GitLab, which shows in a merge request what came and what went.

use serde_json::{Value, json};

use super::placed::{Placed, PlacedFinding, relative};
use super::strand::{close, push};
use super::words::{allowed, tame};
use super::{Format, Heading, Out, Part, Writer};
use crate::gate::{Severity, Sum};

/// The format.
pub(super) static FORMAT: Format = Format { name: "gitlab", begin };

#[derive(Default)]
struct Issues {
    any: bool,
}

impl Writer for Issues {
    fn file(&mut self, file: &Placed, out: &mut Out) {
        for (placed, fingerprint) in file.findings.iter().zip(file.fingerprints()) {
            push(&mut out.now, &entry(file, placed, &fingerprint), 0, !self.any);
            self.any = true;
        }
    }

    fn end(self: Box<Self>, _sum: &Sum) -> Vec<Part> {
        vec![Part::Text(close(0, !self.any))]
    }
}

fn begin(_heading: &Heading, out: &mut Out) -> Box<dyn Writer> {
    out.now.push('[');
    Box::new(Issues::default())
}

fn entry(file: &Placed, placed: &PlacedFinding, fingerprint: &str) -> Value {
    let finding = placed.finding;
    let (severity, description) = match (&finding.allowed, finding.severity) {
        // What is allowed is seen and stops nothing.
        (Some(_), _) => ("info", allowed(finding)),
        (None, Severity::Note) => ("info", finding.message.clone()),
        (None, Severity::Warning) => ("minor", finding.message.clone()),
        (None, Severity::Error) => ("blocker", finding.message.clone()),
    };
    json!({
        "description": tame(&description.split_whitespace().collect::<Vec<_>>().join(" ")),
        "check_name": finding.rule,
        "fingerprint": fingerprint,
        "severity": severity,
        "location": {
            "path": relative(&file.file.path),
            "lines": { "begin": placed.start.line, "end": placed.last_line() },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::{sample, written};
    use super::*;
    use crate::report::findings::Style;

    #[test]
    fn a_merge_request_has_every_field_that_gitlab_asks_for() {
        let report = sample::report();
        let text = written(&FORMAT, &report, Style::default());
        let list: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(list.len(), report.findings.len());
        let severities: Vec<&str> =
            list.iter().map(|entry| entry["severity"].as_str().unwrap()).collect();
        assert_eq!(severities, ["blocker", "minor", "info", "blocker"], "the third is allowed");
        assert_eq!(list[0]["check_name"], "long-lock");
        assert_eq!(list[1]["location"]["path"], "migrations/a b,c:d.sql");
        assert_eq!(list[1]["location"]["lines"], json!({ "begin": 1, "end": 3 }));
        assert_eq!(
            list[2]["description"],
            "every row of `old_orders` is lost allowed: unused since March (owner @data, until \
             2026-12-31)"
        );
        let files = sample::judged(&report);
        let of = |(number, file)| Placed::of(number, file).fingerprints();
        let fingerprints = files.iter().enumerate().flat_map(of);
        for (entry, fingerprint) in list.iter().zip(fingerprints) {
            assert_eq!(entry["fingerprint"], fingerprint, "the same as everywhere");
        }
    }

    #[test]
    fn nothing_found_is_an_empty_list() {
        assert_eq!(written(&FORMAT, &sample::clean(), Style::default()), "[]");
    }
}
