//! SARIF 2.1.0, for code scanning.

use serde_json::{Value, json};

use super::place::{Lines, Place};
use super::placed::{Placed, PlacedFinding, relative};
use super::words::{Doubt, advice};
use super::{Format, Style};
use crate::gate::{Report, Severity, rules};

/// The format.
pub(super) static FORMAT: Format = Format { name: "sarif", render };

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

fn render(report: &Report, _style: Style) -> String {
    serde_json::to_string_pretty(&log(&Placed::of(report))).unwrap_or_default()
}

fn log(placed: &Placed) -> Value {
    let mut rules: Vec<&str> = placed.report.findings.iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules.dedup();
    let artifacts =
        placed.files.iter().map(|file| json!({ "location": location(&file.file.path) }));
    let results = placed.findings.iter().map(|finding| result(finding, placed, &rules));
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "Backstop",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.iter().map(|id| rule(id)).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "artifacts": artifacts.collect::<Vec<_>>(),
            "results": results.collect::<Vec<_>>(),
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications(placed),
            }],
            "properties": { "server": placed.report.server },
        }],
    })
}

fn rule(id: &str) -> Value {
    let explain = format!("`backstop explain {id}` says why, with examples");
    match rules::by_id(id) {
        Some(rule) => json!({
            "id": id,
            "shortDescription": { "text": rule.title },
            "help": { "text": explain, "markdown": rule.page },
            "defaultConfiguration": { "level": level(rule.severity) },
        }),
        None => json!({
            "id": id, "shortDescription": { "text": id }, "help": { "text": explain },
        }),
    }
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

fn result(finding: &PlacedFinding, placed: &Placed, rules: &[&str]) -> Value {
    let said = finding.finding;
    let lines = &placed.files[finding.at.0].lines;
    let mut region = region(finding.start, finding.end);
    region["snippet"] = json!({ "text": lines.slice(&said.span) });
    let mut artifact = location(finding.path);
    artifact["index"] = json!(finding.at.0);
    json!({
        "ruleId": said.rule,
        "ruleIndex": rules.binary_search(&said.rule).ok(),
        "level": level(said.severity),
        "message": { "text": advice(said) },
        "locations": [{
            "physicalLocation": { "artifactLocation": artifact, "region": region },
        }],
        "partialFingerprints": { "backstopFinding/v1": finding.fingerprint },
        // An empty list says that there are none; a missing one, that nobody looked.
        "suppressions": suppressions(finding, lines),
    })
}

fn suppressions(finding: &PlacedFinding, lines: &Lines) -> Value {
    let allowed = finding.finding.allowed.iter().map(|allowed| {
        let (start, end) = lines.both(&allowed.span);
        json!({
            "kind": "inSource",
            "status": "accepted",
            "justification": allowed.reason,
            "location": { "physicalLocation": {
                "artifactLocation": location(finding.path), "region": region(start, end),
            } },
            "properties": { "owner": allowed.owner, "until": allowed.until },
        })
    });
    allowed.collect()
}

fn region(start: Place, end: Place) -> Value {
    json!({
        "startLine": start.line,
        "startColumn": start.column,
        "endLine": end.line,
        "endColumn": end.column,
    })
}

/// What is not proven: a run without results would look like certainty.
fn notifications(placed: &Placed) -> Vec<Value> {
    let mut found = Vec::new();
    for (number, file) in placed.files.iter().enumerate() {
        for statement in &file.file.statements {
            let Some(doubt) = Doubt::of(&statement.effects) else { continue };
            let (start, end) = file.lines.both(&statement.span);
            let mut artifact = location(&file.file.path);
            artifact["index"] = json!(number);
            found.push(json!({
                "level": "note",
                "message": { "text": format!("{}: {}: {doubt}", doubt.word, statement.kind) },
                "locations": [{ "physicalLocation": {
                    "artifactLocation": artifact, "region": region(start, end),
                } }],
            }));
        }
    }
    found
}

/// Where a file is: a relative path belongs to the repository, wherever that is checked out.
fn location(path: &str) -> Value {
    let mut uri = String::new();
    for byte in relative(path).bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    if path.starts_with('/') {
        json!({ "uri": format!("file://{uri}") })
    } else {
        json!({ "uri": uri, "uriBaseId": "%SRCROOT%" })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn run(report: &Report) -> Value {
        let log: Value = serde_json::from_str(&render(report, Style::default())).unwrap();
        assert_eq!(log["version"], "2.1.0");
        assert_eq!(log["runs"].as_array().unwrap().len(), 1);
        log["runs"][0].clone()
    }

    #[test]
    fn every_result_has_what_sarif_requires_and_points_at_what_there_is() {
        let report = sample::report();
        let run = run(&report);
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["name"], "Backstop");
        let rules = driver["rules"].as_array().unwrap();
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), report.findings.len());
        for (result, finding) in results.iter().zip(&report.findings) {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], finding.rule);
            assert_eq!(result["ruleId"], finding.rule);
            assert!(["note", "warning", "error"].contains(&result["level"].as_str().unwrap()));
            assert!(result["message"]["text"].as_str().unwrap().contains(&finding.message));
            let place = &result["locations"][0]["physicalLocation"];
            let artifact = usize::try_from(place["artifactLocation"]["index"].as_u64().unwrap());
            assert_eq!(artifact.unwrap(), finding.file);
            let number = |name: &str| place["region"][name].as_u64().unwrap();
            assert!(1 <= number("startLine") && number("startLine") <= number("endLine"));
            assert!(1 <= number("startColumn") && 1 <= number("endColumn"));
            assert_eq!(
                result["partialFingerprints"]["backstopFinding/v1"].as_str().unwrap().len(),
                64
            );
        }
        for rule in rules {
            assert!(rule["shortDescription"]["text"].is_string(), "{rule}");
            assert!(rule["help"]["text"].is_string(), "{rule}");
        }
        let known = rules.iter().find(|rule| rule["id"] == "long-lock").unwrap();
        assert!(known["help"]["markdown"].as_str().unwrap().starts_with("# long-lock"));
        assert_eq!(known["defaultConfiguration"]["level"], "error");
    }

    #[test]
    fn what_is_allowed_is_suppressed_with_its_reason_and_the_rest_is_not() {
        let run = run(&sample::report());
        let of = |number: usize| run["results"][number]["suppressions"].as_array().unwrap();
        assert_eq!(of(0).len(), 0);
        assert_eq!(of(2)[0]["kind"], "inSource");
        assert_eq!(of(2)[0]["justification"], "unused since March");
    }

    #[test]
    fn a_path_is_a_uri() {
        let uri = |path: &str| location(path)["uri"].clone();
        assert_eq!(uri("./a b,c:d/č.sql"), "a%20b%2Cc%3Ad/%C4%8D.sql");
        assert_eq!(uri("/srv/a.sql"), "file:///srv/a.sql");
        assert_eq!(location("/srv/a.sql").get("uriBaseId"), None, "it is nowhere else");
    }

    #[test]
    fn what_is_not_proven_is_notified() {
        let run = run(&sample::report());
        let said = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
        let text: Vec<&str> =
            said.iter().map(|one| one["message"]["text"].as_str().unwrap()).collect();
        assert_eq!(text.len(), 2);
        assert!(text[0].starts_with("assumed: ALTER TABLE: "), "{text:?}");
        assert!(text[1].starts_with("not evaluated: DO $$: "), "{text:?}");
    }
}
