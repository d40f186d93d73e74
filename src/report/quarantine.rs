//! Rows in quarantine for people and for programs.

use serde_json::{Value, json};

use super::count;
use crate::journal::{Fate, Quarantined};

/// The rows for people: a paragraph each, and how many there are of each kind.
#[must_use]
pub fn quarantine_text(job: &str, key_columns: &[String], rows: &[Quarantined]) -> String {
    let mut lines: Vec<String> = rows.iter().map(|row| row_text(key_columns, row)).collect();
    let of = |fate| rows.iter().filter(|row| row.state == fate).count() as u64;
    let mut kinds = vec![format!("{} waiting", count(of(Fate::Waiting)))];
    for fate in [Fate::Written, Fate::Released] {
        if 0 < of(fate) {
            kinds.push(format!("{} {}", count(of(fate)), fate.name()));
        }
    }
    lines.push(format!("{job}: {}", kinds.join(", ")));
    lines.join("\n")
}

fn row_text(key_columns: &[String], row: &Quarantined) -> String {
    let times =
        if row.attempts == 1 { "once".to_owned() } else { format!("{} times", row.attempts) };
    let code = row.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
    let mut text = format!(
        "{}  {}, tried {times}, last at {:.0}\n  {}{code}",
        row.key.display(key_columns),
        row.state.name(),
        row.at,
        row.message.replace('\n', "\n  "),
    );
    if let (Some(by), Some(reason)) = (&row.released_by, &row.release_reason) {
        text.push_str(&format!("\n  given up by {by}: {reason}"));
    }
    text
}

/// The rows for programs: all that is known. Fields are only ever added.
#[must_use]
pub fn quarantine_json(key_columns: &[String], rows: &[Quarantined]) -> Value {
    let row = |row: &Quarantined| {
        json!({
            "key": row.key,
            "key_text": row.key.display(key_columns),
            "state": row.state.name(),
            "code": row.code,
            "message": row.message,
            "at": row.at.to_string(),
            "attempts": row.attempts,
            "values": row.values,
            "statement": row.statement,
            "after": row.after,
            "range": row.range,
            "retry_range": row.retry_range,
            "released_at": row.released_at,
            "released_by": row.released_by,
            "release_reason": row.release_reason,
        })
    };
    rows.iter().map(row).collect()
}

/// The columns of the CSV.
const HEADER: [&str; 11] = [
    "key",
    "state",
    "code",
    "message",
    "at",
    "attempts",
    "values",
    "statement",
    "released_at",
    "released_by",
    "release_reason",
];

/// The rows as CSV (RFC 4180), with a header; their values are a column of JSON.
#[must_use]
pub fn quarantine_csv(key_columns: &[String], rows: &[Quarantined]) -> String {
    let mut lines = vec![HEADER.join(",")];
    for row in rows {
        let option = |text: &Option<String>| text.clone().unwrap_or_default();
        let fields = [
            row.key.display(key_columns),
            row.state.name().to_owned(),
            option(&row.code),
            row.message.clone(),
            row.at.to_string(),
            row.attempts.to_string(),
            row.values.to_string(),
            row.statement.clone(),
            option(&row.released_at),
            option(&row.released_by),
            option(&row.release_reason),
        ];
        lines.push(fields.map(|field| quoted(&field)).join(","));
    }
    lines.join("\r\n")
}

fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyspace::Key;

    fn row() -> Quarantined {
        Quarantined {
            key: Key(vec!["7".into(), "42".into()]),
            after: None,
            range: 3,
            values: json!({"note": "a \"b\"", "n": null}),
            code: Some("23514".into()),
            message: "no, not\nthis".into(),
            statement: "UPDATE t".into(),
            at: "2026-01-02T03:04:05Z".parse().unwrap(),
            attempts: 2,
            state: Fate::Released,
            released_at: Some("2026-01-03T00:00:00Z".into()),
            released_by: Some("me".into()),
            release_reason: Some("it is a test row".into()),
            retry_range: None,
        }
    }

    fn columns() -> Vec<String> {
        vec!["tenant".into(), "id".into()]
    }

    #[test]
    fn people_read_key_fate_and_reason() {
        let text = quarantine_text("j", &columns(), &[row()]);
        assert_eq!(
            text,
            "tenant=7, id=42  released, tried 2 times, last at 2026-01-02T03:04:05Z\n  no, not\n  \
             this (23514)\n  given up by me: it is a test row\nj: 0 waiting, 1 released"
        );
    }

    #[test]
    fn csv_has_a_field_for_each_column_whatever_is_in_it() {
        let csv = quarantine_csv(&columns(), &[row()]);
        assert_eq!(
            csv.split_once("\r\n").unwrap().1,
            "\"tenant=7, id=42\",released,23514,\"no, not\nthis\",2026-01-02T03:04:05Z,2,\
             \"{\"\"note\"\":\"\"a \\\"\"b\\\"\"\"\",\"\"n\"\":null}\",UPDATE t,2026-01-03T00:00:00Z,me,\
             it is a test row"
        );
    }
}
