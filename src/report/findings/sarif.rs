//! SARIF 2.1.0, for code scanning.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::place::Place;
use super::placed::{Placed, PlacedFinding, relative};
use super::strand::{Fill, close, pretty, push};
use super::words::{Doubt, advice};
use super::{Format, Heading, Out, Part, STRANDS, Writer};
use crate::gate::{Severity, Sum, rules};

/// The format.
pub(super) static FORMAT: Format = Format { name: "sarif", begin };

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// A log. Its rules stand before everything else and are known last, so all is kept.
struct Log {
    server: String,
    rules: BTreeSet<&'static str>,
    /// Which strands hold something.
    any: [bool; STRANDS],
}

/// Strands, and the texts that hold their places while the log is put together.
const LISTS: [&str; STRANDS] = ["artifacts", "results", "notifications"];
const ARTIFACTS: usize = 0;
const RESULTS: usize = 1;
const NOTIFICATIONS: usize = 2;

/// How deep each list stands in the log.
const DEPTHS: [usize; STRANDS] = [3, 3, 5];

/// What a line of a result begins with that holds the number of its rule, or for the time being its
/// id. In JSON for people nothing else stands at this depth of that list under this name.
const RULE_INDEX: &str = "          \"ruleIndex\": ";

impl Writer for Log {
    fn file(&mut self, file: &Placed, out: &mut Out) {
        self.push(ARTIFACTS, &json!({ "location": location(&file.file.path) }), out);
        for (placed, fingerprint) in file.findings.iter().zip(file.fingerprints()) {
            self.rules.insert(placed.finding.rule);
            self.push(RESULTS, &result(file, placed, &fingerprint), out);
        }
        for notification in notifications(file) {
            self.push(NOTIFICATIONS, &notification, out);
        }
    }

    fn end(self: Box<Self>, _sum: &Sum) -> Vec<Part> {
        let log = pretty(&self.log(), 0);
        let mut rest = log.as_str();
        let mut parts = Vec::new();
        for (strand, list) in LISTS.iter().enumerate() {
            // A quote within a text of JSON has a backslash before it: this is the place alone.
            let Some((before, behind)) = rest.split_once(&format!("\"{list} of the files\""))
            else {
                continue;
            };
            parts.push(Part::Text(format!("{before}[")));
            parts.push(match strand {
                RESULTS => Part::Filled(strand, numbered(self.rules.iter().copied().collect())),
                _ => Part::Kept(strand),
            });
            parts.push(Part::Text(close(DEPTHS[strand], !self.any[strand])));
            rest = behind;
        }
        parts.push(Part::Text(rest.to_owned()));
        parts
    }
}

impl Log {
    fn push(&mut self, strand: usize, value: &Value, out: &mut Out) {
        push(&mut out.later[strand], value, DEPTHS[strand], !self.any[strand]);
        self.any[strand] = true;
    }

    fn log(&self) -> Value {
        let place = |strand: usize| format!("{} of the files", LISTS[strand]);
        json!({
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "Backstop",
                    "semanticVersion": env!("CARGO_PKG_VERSION"),
                    "rules": self.rules.iter().map(|id| rule(id)).collect::<Vec<_>>(),
                } },
                "columnKind": "unicodeCodePoints",
                "artifacts": place(ARTIFACTS),
                "results": place(RESULTS),
                "invocations": [{
                    "executionSuccessful": true,
                    "toolExecutionNotifications": place(NOTIFICATIONS),
                }],
                "properties": { "server": self.server },
            }],
        })
    }
}

fn begin(heading: &Heading, _out: &mut Out) -> Box<dyn Writer> {
    let server = heading.server.clone();
    Box::new(Log { server, rules: BTreeSet::new(), any: [false; STRANDS] })
}

/// Puts the number of a rule where its id stands.
fn numbered(rules: Vec<&'static str>) -> Fill {
    Box::new(move |line| {
        let id = line.strip_prefix(RULE_INDEX).map(|rest| rest.trim_end().trim_matches(['"', ',']));
        match id.and_then(|id| rules.binary_search(&id).ok()) {
            Some(number) => format!("{RULE_INDEX}{number},\n").into(),
            None => line.into(),
        }
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

fn result(file: &Placed, finding: &PlacedFinding, fingerprint: &str) -> Value {
    let said = finding.finding;
    let mut region = region(finding.start, finding.end);
    region["snippet"] = json!({ "text": file.lines.slice(&said.span) });
    let mut artifact = location(&file.file.path);
    artifact["index"] = json!(file.number);
    json!({
        "ruleId": said.rule,
        // Its number is known at the end.
        "ruleIndex": said.rule,
        "level": level(said.severity),
        "message": { "text": advice(said) },
        "locations": [{
            "physicalLocation": { "artifactLocation": artifact, "region": region },
        }],
        "partialFingerprints": { "backstopFinding/v1": fingerprint },
        // An empty list says that there are none; a missing one, that nobody looked.
        "suppressions": suppressions(file, finding),
    })
}

fn suppressions(file: &Placed, finding: &PlacedFinding) -> Value {
    let allowed = finding.finding.allowed.iter().map(|allowed| {
        let (start, end) = file.lines.both(&allowed.span);
        json!({
            "kind": "inSource",
            "status": "accepted",
            "justification": allowed.reason,
            "location": { "physicalLocation": {
                "artifactLocation": location(&file.file.path), "region": region(start, end),
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
fn notifications(file: &Placed) -> Vec<Value> {
    let mut found = Vec::new();
    for statement in &file.file.statements {
        let Some(doubt) = Doubt::of(&statement.effects) else { continue };
        let (start, end) = file.lines.both(&statement.span);
        let mut artifact = location(&file.file.path);
        artifact["index"] = json!(file.number);
        found.push(json!({
            "level": "note",
            "message": { "text": format!("{}: {}: {doubt}", doubt.word, statement.kind) },
            "locations": [{ "physicalLocation": {
                "artifactLocation": artifact, "region": region(start, end),
            } }],
        }));
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
    use super::super::{Style, sample, written};
    use super::*;
    use crate::gate::Report;

    fn run(report: &Report) -> Value {
        let log: Value = serde_json::from_str(&written(&FORMAT, report, Style::default())).unwrap();
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

    #[test]
    fn a_log_that_is_put_together_looks_as_if_it_were_not() {
        for report in [sample::report(), sample::clean()] {
            let text = written(&FORMAT, &report, Style::default());
            let value: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(text, serde_json::to_string_pretty(&value).unwrap());
        }
    }

    #[test]
    fn nothing_that_stands_in_a_migration_is_taken_for_the_number_of_a_rule() {
        let mut report = sample::report();
        let like = "\n          \"ruleIndex\": \"long-lock\",\n";
        report.findings[0].message = like.to_owned();
        report.files[0].path = "\"results of the files\"".to_owned();
        let run = run(&report);
        assert!(run["results"][0]["message"]["text"].as_str().unwrap().starts_with(like));
        assert_eq!(run["artifacts"].as_array().unwrap().len(), report.files.len());
    }
}
