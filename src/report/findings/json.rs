//! For programs: one document.

use std::ops::Range;

use super::document::{
    AllowedEntry, Consequence, Document, EffectsEntry, FileEntry, FindingEntry, LockEntry, Span,
    StatementEntry, Summary, VerdictWord,
};
use super::place::Lines;
use super::placed::{Placed, PlacedFile, PlacedFinding};
use super::{Format, Style};
use crate::gate::effects::{Effects, Verdict};
use crate::gate::{Report, Severity, StatementReport};

/// The format.
pub(super) static FORMAT: Format = Format { name: "json", render };

fn render(report: &Report, _style: Style) -> String {
    serde_json::to_string_pretty(&document(&Placed::of(report))).unwrap_or_default()
}

fn document<'a>(placed: &'a Placed<'a>) -> Document<'a> {
    let report = placed.report;
    let statements = || report.files.iter().flat_map(|file| &file.statements);
    let of = |word: fn(&Verdict) -> bool| {
        statements().filter(|statement| word(&statement.effects.verdict)).count()
    };
    Document {
        server: &report.server,
        files: placed.files.iter().map(file).collect(),
        findings: placed.findings.iter().map(|one| finding(one, placed)).collect(),
        summary: Summary {
            passes: report.passes(),
            errors: report.count(Severity::Error),
            warnings: report.count(Severity::Warning),
            notes: report.count(Severity::Note),
            allowed: placed.allowed(true).count(),
            files: report.files.len(),
            statements: statements().count(),
            assumed: of(|verdict| matches!(verdict, Verdict::Assumed(_))),
            not_evaluated: of(|verdict| matches!(verdict, Verdict::NotEvaluated(_))),
        },
    }
}

fn file<'a>(PlacedFile { file, lines }: &'a PlacedFile<'a>) -> FileEntry<'a> {
    let statements = file.statements.iter().map(|one| statement(one, lines));
    FileEntry { path: &file.path, statements: statements.collect() }
}

fn statement<'a>(statement: &'a StatementReport, lines: &Lines<'a>) -> StatementEntry<'a> {
    let (verdict, verdict_why) = match &statement.effects.verdict {
        Verdict::Proven => (VerdictWord::Proven, None),
        Verdict::Assumed(why) => (VerdictWord::Assumed, Some(why.as_str())),
        Verdict::NotEvaluated(why) => (VerdictWord::NotEvaluated, Some(why.as_str())),
    };
    StatementEntry {
        sql: lines.slice(&statement.span),
        span: span(lines, &statement.span),
        kind: &statement.kind,
        effects: effects(&statement.effects),
        verdict,
        verdict_why,
        findings: &statement.rules,
    }
}

fn effects(effects: &Effects) -> EffectsEntry<'_> {
    let locks = effects.locks.iter().map(|lock| LockEntry {
        relation: &lock.relation,
        of: lock.of,
        mode: lock.mode,
        blocks: lock.blocks(),
    });
    let loss = effects.loss.iter();
    let breaks = effects.breaks.iter();
    EffectsEntry {
        locks: locks.collect(),
        rewrite: &effects.rewrite,
        scan: &effects.scan,
        index_build: &effects.index_build,
        algorithm: effects.algorithm,
        blocks: effects.blocks(),
        loss: loss.map(|l| Consequence { relation: &l.relation, what: &l.what }).collect(),
        breaks: breaks.map(|b| Consequence { relation: &b.relation, what: &b.what }).collect(),
        fails: effects.fails.as_deref(),
        commits: effects.commits,
        why: &effects.why,
    }
}

fn finding<'a>(one: &'a PlacedFinding<'a>, placed: &'a Placed<'a>) -> FindingEntry<'a> {
    let said = one.finding;
    let lines = &placed.files[one.at.0].lines;
    FindingEntry {
        rule: said.rule,
        severity: said.severity,
        file: one.path,
        span: span(lines, &said.span),
        message: &said.message,
        why: &said.why,
        instead: said.instead.as_deref(),
        allowed: said.allowed.as_ref().map(|allowed| AllowedEntry {
            reason: &allowed.reason,
            owner: allowed.owner.as_deref(),
            until: allowed.until.as_deref(),
            span: span(lines, &allowed.span),
        }),
        fingerprint: &one.fingerprint,
    }
}

fn span(lines: &Lines, span: &Range<usize>) -> Span {
    let (start, end) = lines.both(span);
    let span = lines.within(span);
    Span {
        start: span.start,
        end: span.end,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::{findings_schema, sample};
    use super::*;

    fn written() -> Value {
        serde_json::from_str(&render(&sample::report(), Style::default())).unwrap()
    }

    #[test]
    fn a_program_finds_what_was_promised_where_it_was_promised() {
        let written = written();
        let statement = &written["files"][0]["statements"][1];
        assert_eq!(statement["sql"], "ALTER TABLE orders ALTER COLUMN total TYPE bigint");
        assert_eq!(
            statement["span"],
            json!({
                "start": 26, "end": 75,
                "line": 3, "column": 1, "end_line": 3, "end_column": 50,
            })
        );
        assert_eq!(statement["kind"], "ALTER TABLE");
        let effects = &statement["effects"];
        assert_eq!(effects["locks"][0]["relation"], "orders");
        assert_eq!(effects["locks"][0]["mode"], "AccessExclusiveLock", "as `pg_locks` has it");
        assert_eq!(effects["rewrite"], json!(["orders"]));
        assert_eq!(effects["scan"], json!([]));
        assert_eq!(effects["algorithm"], Value::Null);
        assert_eq!(effects["blocks"], json!({ "reads": true, "writes": true, "ddl": true }));
        assert_eq!(statement["verdict"], "assumed");
        assert_eq!(statement["findings"], json!(["long-lock"]));
        let finding = &written["findings"][0];
        assert_eq!(finding["rule"], "long-lock");
        assert_eq!(finding["severity"], "error");
        assert_eq!(finding["file"], "migrations/0042.sql");
        assert_eq!(finding["span"], statement["span"]);
        assert_eq!(finding["why"], json!(["`orders` is large: 50,000,000 rows"]));
        assert_eq!(written["findings"][2]["allowed"]["owner"], "@data");
        assert_eq!(
            written["summary"],
            json!({
                "passes": false, "errors": 2, "warnings": 1, "notes": 0, "allowed": 1,
                "files": 3, "statements": 5, "assumed": 1, "not_evaluated": 1,
            })
        );
    }

    /// Whether the value is what the schema describes: fields, kinds of values, words.
    fn fits(value: &Value, schema: &Value, root: &Value, at: &str) {
        if let Some(path) = schema["$ref"].as_str() {
            return fits(value, root.pointer(&path[1..]).unwrap(), root, at);
        }
        for list in ["anyOf", "oneOf"] {
            let Some(choices) = schema[list].as_array() else { continue };
            let null = |choice: &&Value| (choice["type"] == "null") == value.is_null();
            let words: Vec<&Value> = choices
                .iter()
                .flat_map(|choice| match &choice["enum"] {
                    Value::Array(words) => words.iter().collect(),
                    _ => vec![&choice["const"]],
                })
                .collect();
            if words.iter().all(|word| word.is_null()) {
                return fits(value, choices.iter().find(null).unwrap(), root, at);
            }
            assert!(words.contains(&value), "{at}: {value} is none of {words:?}");
            return;
        }
        let kind = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let kinds = &schema["type"];
        let known = kinds == kind || kinds.as_array().is_some_and(|all| all.contains(&kind.into()));
        assert!(known, "{at}: {value} is no {kinds}");
        for (number, item) in value.as_array().into_iter().flatten().enumerate() {
            fits(item, &schema["items"], root, &format!("{at}[{number}]"));
        }
        if let Some(fields) = value.as_object() {
            let described = schema["properties"].as_object().unwrap();
            for name in described.keys() {
                assert!(fields.contains_key(name), "{at}.{name} is not there");
            }
            let required = schema["required"].as_array().unwrap();
            for (name, field) in fields {
                assert!(required.contains(&name.as_str().into()), "{at}.{name} may be left out");
                fits(field, &described[name], root, &format!("{at}.{name}"));
            }
        }
    }

    #[test]
    fn what_is_written_is_what_the_schema_says() {
        let schema = findings_schema();
        fits(&written(), &schema, &schema, "");
        let clean = render(&sample::clean(), Style::default());
        fits(&serde_json::from_str(&clean).unwrap(), &schema, &schema, "");
    }
}
