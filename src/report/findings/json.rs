//! For programs: one document.

use std::ops::Range;

use super::document::{
    AllowedEntry, Consequence, EffectsEntry, FileEntry, FindingEntry, LockEntry, Span,
    StatementEntry, Summary, VerdictWord,
};
use super::place::Lines;
use super::placed::{Placed, PlacedFinding};
use super::strand::{close, pretty, push};
use super::{Format, Heading, Out, Part, Writer};
use crate::gate::effects::{Effects, Verdict};
use crate::gate::{StatementReport, Sum};

/// The format.
pub(super) static FORMAT: Format = Format { name: "json", begin };

/// A document whose files are printed at once and whose findings are kept.
#[derive(Default)]
struct Json {
    files: bool,
    findings: bool,
}

impl Writer for Json {
    fn file(&mut self, file: &Placed, out: &mut Out) {
        push(&mut out.now, &entry(file), 1, !self.files);
        self.files = true;
        for (placed, fingerprint) in file.findings.iter().zip(file.fingerprints()) {
            let entry = finding(file, placed, &fingerprint);
            push(&mut out.later[0], &entry, 1, !self.findings);
            self.findings = true;
        }
    }

    fn end(self: Box<Self>, sum: &Sum) -> Vec<Part> {
        let sum = Summary {
            passes: sum.passes(),
            errors: sum.errors,
            warnings: sum.warnings,
            notes: sum.notes,
            allowed: sum.allowed,
            files: sum.files,
            statements: sum.statements,
            assumed: sum.assumed,
            not_evaluated: sum.not_evaluated,
        };
        let (files, findings) = (close(1, !self.files), close(1, !self.findings));
        let end = format!("{findings},\n  \"summary\": {}\n}}", pretty(&sum, 1));
        vec![Part::Text(format!("{files},\n  \"findings\": [")), Part::Kept(0), Part::Text(end)]
    }
}

fn begin(heading: &Heading, out: &mut Out) -> Box<dyn Writer> {
    let server = pretty(&heading.server, 0);
    out.now.push_str(&format!("{{\n  \"server\": {server},\n  \"files\": ["));
    Box::new(Json::default())
}

fn entry<'a>(placed: &'a Placed<'a>) -> FileEntry<'a> {
    let statements = placed.file.statements.iter().map(|one| statement(one, &placed.lines));
    FileEntry { path: &placed.file.path, statements: statements.collect() }
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

fn finding<'a>(
    file: &'a Placed<'a>,
    one: &'a PlacedFinding<'a>,
    fingerprint: &'a str,
) -> FindingEntry<'a> {
    let said = one.finding;
    let lines = &file.lines;
    FindingEntry {
        rule: said.rule,
        severity: said.severity,
        file: &file.file.path,
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
        fingerprint,
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

    use super::super::{Style, findings_schema, sample, written};
    use super::*;

    fn value() -> Value {
        serde_json::from_str(&written(&FORMAT, &sample::report(), Style::default())).unwrap()
    }

    #[test]
    fn a_program_finds_what_was_promised_where_it_was_promised() {
        let written = value();
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
        fits(&value(), &schema, &schema, "");
        let clean = written(&FORMAT, &sample::clean(), Style::default());
        fits(&serde_json::from_str(&clean).unwrap(), &schema, &schema, "");
    }

    #[test]
    fn a_document_that_is_written_piece_by_piece_looks_as_if_it_were_not() {
        for report in [sample::report(), sample::clean()] {
            let text = written(&FORMAT, &report, Style::default());
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(text, serde_json::to_string_pretty(&value).unwrap());
        }
    }
}
