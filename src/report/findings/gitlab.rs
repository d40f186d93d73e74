//! Code Quality of GitLab, which shows in a merge request what came and what went.

use serde_json::{Value, json};

use super::placed::{Placed, PlacedFinding, relative};
use super::words::{allowed, tame};
use super::{Format, Style};
use crate::gate::{Report, Severity};

/// The format.
pub(super) static FORMAT: Format = Format { name: "gitlab", render };

fn render(report: &Report, _style: Style) -> String {
    let placed = Placed::of(report);
    let list: Vec<Value> = placed.findings.iter().map(entry).collect();
    serde_json::to_string_pretty(&list).unwrap_or_default()
}

fn entry(placed: &PlacedFinding) -> Value {
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
        "fingerprint": placed.fingerprint,
        "severity": severity,
        "location": {
            "path": relative(placed.path),
            "lines": { "begin": placed.start.line, "end": placed.last_line() },
        },
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn a_merge_request_has_every_field_that_gitlab_asks_for() {
        let report = sample::report();
        let text = render(&report, Style::default());
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
        for (entry, placed) in list.iter().zip(Placed::of(&report).findings) {
            assert_eq!(entry["fingerprint"], placed.fingerprint, "the same as everywhere");
        }
    }

    #[test]
    fn nothing_found_is_an_empty_list() {
        assert_eq!(render(&sample::clean(), Style::default()), "[]");
    }
}
