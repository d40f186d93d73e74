//! What is known to have happened, as documents that other commands write and the gate reads.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::JobState;
use crate::spec::SpecError;

/// The format that is written, and the only one that is read.
pub const FORMAT: u64 = 1;

/// What came of running a migration on a copy of the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValidationReport {
    /// The version of this format: 1.
    pub format: u64,
    /// The SHA-256 of the migration's file, in hexadecimal: another text was not validated.
    pub sha256: String,
    /// When it ended, RFC 3339.
    pub at: String,
    /// The server on which it ran.
    pub server: ServerSeen,
    /// What came of it.
    pub outcome: Outcome,
    /// Whether the way back was run as well and left what had been there.
    pub reversible: bool,
    /// The locks that were seen while it ran.
    pub locks: Vec<LockSeen>,
}

/// A server, as it said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServerSeen {
    /// What it is: `PostgreSQL`.
    pub product: String,
    /// Its version: `15.4`.
    pub version: String,
}

/// What came of a validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It ran, and did what was predicted.
    Passed,
    /// It failed, or did something else.
    Failed,
}

/// A lock that was seen on a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockSeen {
    /// On what.
    pub relation: String,
    /// How, in the server's own word: `AccessExclusiveLock`.
    pub mode: String,
}

/// What became of a backfill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobEvidence {
    /// The version of this format: 1.
    pub format: u64,
    /// The job's name.
    pub job: String,
    /// The hash of its spec.
    pub spec_hash: String,
    /// How often it has been begun.
    pub generation: u64,
    /// The table.
    pub table: String,
    /// What it came to.
    pub state: JobState,
    /// What it counted.
    pub counts: JobCounts,
    /// A checksum over what was written, where one was taken.
    #[serde(default)]
    pub checksum: Option<String>,
    /// Since when every row that the application wrote was seen to hold both values alike, RFC 3339.
    #[serde(default)]
    pub held_from: Option<String>,
    /// Until when that was watched, RFC 3339.
    #[serde(default)]
    pub held_until: Option<String>,
    /// Rows that were seen to be wrong.
    pub violations: u64,
    /// The first keys of those, as `id=7`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violating_keys: Vec<String>,
    /// For how many rows the expectation was evaluated, where that was a sample of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_rows: Option<u64>,
    /// Every stretch of time in which that was watched and nothing was wrong; the last one is
    /// `held_from` to `held_until`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub periods: Vec<Period>,
    /// When the verification began, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<String>,
    /// When it ended, RFC 3339.
    pub finished_at: String,
}

/// A stretch of time in which every row that was looked at was right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Since when, RFC 3339.
    pub from: String,
    /// Until when, RFC 3339: when the first wrong row was seen, or when the watch ended.
    pub until: String,
    /// The first key that was seen wrong, if that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<String>,
}

/// What a job counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobCounts {
    /// Rows that it walked over.
    pub rows_scanned: u64,
    /// Rows that it wrote.
    pub rows_changed: u64,
    /// Rows that it looked at again.
    pub rows_checked: u64,
    /// Rows of those that were wrong.
    pub rows_wrong: u64,
}

/// Reads a validation's report. `file` is only used in messages.
///
/// # Errors
///
/// The first thing that is wrong, with file, line and column where they are known.
pub fn parse_validation(file: &str, text: &str) -> Result<ValidationReport, SpecError> {
    let report: ValidationReport = read(file, text, "a validation's report")?;
    let digit = |c: u8| c.is_ascii_digit() || (b'a'..=b'f').contains(&c);
    if report.sha256.len() != 64 || !report.sha256.bytes().all(digit) {
        let message = "`sha256` is not a SHA-256: 64 hexadecimal digits in lower case";
        return Err(wrong(file, message));
    }
    time(file, "at", &report.at)?;
    Ok(report)
}

/// Reads what became of a backfill. `file` is only used in messages.
///
/// # Errors
///
/// The first thing that is wrong, with file, line and column where they are known.
pub fn parse_job(file: &str, text: &str) -> Result<JobEvidence, SpecError> {
    let job: JobEvidence = read(file, text, "the evidence of a job")?;
    let (from, until) = (job.held_from.as_ref(), job.held_until.as_ref());
    time(file, "finished_at", &job.finished_at)?;
    job.started_at.as_ref().map(|text| time(file, "started_at", text)).transpose()?;
    let from = from.map(|text| time(file, "held_from", text)).transpose()?;
    let until = until.map(|text| time(file, "held_until", text)).transpose()?;
    match (from, until) {
        (Some(from), Some(until)) if until < from => {
            Err(wrong(file, "`held_until` is before `held_from`"))
        }
        (Some(_), None) | (None, Some(_)) => {
            Err(wrong(file, "`held_from` and `held_until` only say something together"))
        }
        _ => Ok(job),
    }
}

/// The JSON Schema of a job's report.
#[must_use]
pub fn job_schema() -> Value {
    schemars::schema_for!(JobEvidence).to_value()
}

fn read<T: DeserializeOwned>(file: &str, text: &str, what: &str) -> Result<T, SpecError> {
    if text.trim().is_empty() {
        return Err(wrong(file, format!("the file is empty, and should be {what}")));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        at(file, &error, |why| format!("the file is not JSON, and should be {what}: {why}"))
    })?;
    // A newer format may have any fields: what it is, is said before what it lacks.
    match value.get("format") {
        None => return Err(wrong(file, format!("it has no `format`, so it is not {what}"))),
        Some(format) if *format != FORMAT => {
            return Err(wrong(
                file,
                format!(
                    "its `format` is `{format}`, and this version of backstop reads `{FORMAT}`"
                ),
            ));
        }
        Some(_) => {}
    }
    let not = |why: &str| format!("it is not {what}: {why}");
    serde_json::from_str(text).map_err(|error| at(file, &error, not))
}

fn wrong(file: &str, message: impl Into<String>) -> SpecError {
    SpecError { file: file.to_owned(), place: None, message: message.into() }
}

/// The place is a field of the error, not a part of its message.
fn at(file: &str, error: &serde_json::Error, say: impl Fn(&str) -> String) -> SpecError {
    let text = error.to_string();
    let place = (error.line(), error.column());
    let why = text.strip_suffix(&format!(" at line {} column {}", place.0, place.1));
    SpecError { place: Some(place), ..wrong(file, say(why.unwrap_or(&text))) }
}

fn time(file: &str, field: &str, text: &str) -> Result<jiff::Timestamp, SpecError> {
    text.parse().map_err(|_| {
        let like = "write it as in `2026-11-27T13:00:00Z`";
        wrong(file, format!("`{field}` is `{text}`, which is no time; {like}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALIDATION: &str = r#"{
        "format": 1,
        "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "at": "2026-11-27T13:00:00Z",
        "server": { "product": "PostgreSQL", "version": "15.4" },
        "outcome": "passed",
        "reversible": true,
        "locks": [{ "relation": "orders", "mode": "AccessExclusiveLock" }]
    }"#;
    const JOB: &str = r#"{
        "format": 1, "job": "orders-total", "spec_hash": "ab", "generation": 1,
        "table": "orders", "state": "verified",
        "counts": { "rows_scanned": 9, "rows_changed": 9, "rows_checked": 9, "rows_wrong": 0 },
        "held_from": "2026-11-01T00:00:00Z", "held_until": "2026-11-27T00:00:00Z",
        "violations": 0, "finished_at": "2026-11-27T13:00:00Z"
    }"#;

    #[test]
    fn what_is_written_is_read() {
        let report = parse_validation("v.json", VALIDATION).unwrap();
        assert_eq!(report.outcome, Outcome::Passed);
        let again = serde_json::to_string(&report).unwrap();
        assert_eq!(parse_validation("v.json", &again).unwrap(), report);
        let job = parse_job("j.json", JOB).unwrap();
        assert_eq!((job.state, job.checksum.as_ref()), (JobState::Verified, None));
        assert_eq!(parse_job("j.json", &serde_json::to_string(&job).unwrap()).unwrap(), job);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let validation = |from: &str, to: &str| {
            assert!(VALIDATION.contains(from));
            parse_validation("v.json", &VALIDATION.replace(from, to)).unwrap_err().to_string()
        };
        assert_eq!(
            validation("\"format\": 1", "\"format\": 2"),
            "v.json: its `format` is `2`, and this version of backstop reads `1`"
        );
        assert_eq!(
            validation("\"format\": 1,", ""),
            "v.json: it has no `format`, so it is not a validation's report"
        );
        assert_eq!(
            validation("e3b0c4", "E3"),
            "v.json: `sha256` is not a SHA-256: 64 hexadecimal digits in lower case"
        );
        assert_eq!(
            validation("2026-11-27T13:00:00Z", "yesterday"),
            "v.json: `at` is `yesterday`, which is no time; write it as in `2026-11-27T13:00:00Z`"
        );
        assert_eq!(
            validation("\"passed\"", "\"great\""),
            "v.json:6:26: it is not a validation's report: unknown variant `great`, expected \
             `passed` or `failed`"
        );
        assert!(validation("true", "maybe").starts_with("v.json:7:23: the file is not JSON"));
        assert_eq!(
            parse_job("j.json", " ").unwrap_err().to_string(),
            "j.json: the file is empty, and should be the evidence of a job"
        );
        assert_eq!(
            parse_job("j.json", &JOB.replace("2026-11-01", "2026-12-01")).unwrap_err().to_string(),
            "j.json: `held_until` is before `held_from`"
        );
        assert!(parse_job("j.json", VALIDATION).unwrap_err().message.contains("unknown field"));
    }
}
