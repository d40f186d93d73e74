//! For programs: one document.

use serde_json::{Value, json};

use super::place::Lines;
use super::{Format, Style};
use crate::gate::{Report, Severity};

/// The format.
pub(super) static FORMAT: Format = Format { name: "json", render };

fn render(report: &Report, _style: Style) -> String {
    serde_json::to_string_pretty(&document(report)).unwrap_or_default()
}

fn document(report: &Report) -> Value {
    let all: Vec<Lines> = report.files.iter().map(|file| Lines::of(&file.text)).collect();
    let files: Vec<Value> = report
        .files
        .iter()
        .zip(&all)
        .map(|(file, lines)| {
            let statements: Vec<Value> = file
                .statements
                .iter()
                .map(|statement| {
                    let effects = &statement.effects;
                    json!({
                        "sql": file.text.get(statement.span.clone()),
                        "span": span(lines, &statement.span),
                        "kind": statement.kind,
                        "effects": {
                            "locks": effects.locks,
                            "rewrite": effects.rewrite,
                            "scan": effects.scan,
                            "index_build": effects.index_build,
                            "algorithm": effects.algorithm,
                            "blocks": effects.blocks(),
                            "loss": effects.loss,
                            "breaks": effects.breaks,
                            "fails": effects.fails,
                            "commits": effects.commits,
                            "why": effects.why,
                        },
                        "verdict": effects.verdict,
                        "findings": statement.rules,
                    })
                })
                .collect();
            json!({"path": file.path, "statements": statements})
        })
        .collect();
    let findings: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| {
            let file = report.files.get(finding.file);
            json!({
                "rule": finding.rule,
                "severity": finding.severity,
                "file": file.map(|file| &file.path),
                "span": all.get(finding.file).map(|lines| span(lines, &finding.span)),
                "message": finding.message,
                "why": finding.why,
                "instead": finding.instead,
                "allowed": finding.allowed,
            })
        })
        .collect();
    json!({
        "server": report.server,
        "files": files,
        "findings": findings,
        "summary": {
            "errors": report.count(Severity::Error),
            "warnings": report.count(Severity::Warning),
            "notes": report.count(Severity::Note),
            "allowed": report.findings.iter().filter(|one| one.allowed.is_some()).count(),
            "passes": report.passes(),
        },
    })
}

fn span(lines: &Lines, span: &std::ops::Range<usize>) -> Value {
    let (start, end) = lines.both(span);
    json!({
        "start": span.start,
        "end": span.end,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
    })
}
