//! The state of a job as the journal has it.

use serde_json::{Value, json};

use super::{count, duration, percent};
use crate::journal::{Checkpoint, Freshness, JobStatus, Tuned};

/// The job for people.
#[must_use]
pub fn status_text(status: &JobStatus) -> String {
    let JobStatus { job, checkpoints, .. } = status;
    let mut lines = Vec::new();
    let verifying = match (status.is_verifying(), status.is_connecting()) {
        (true, _) => ", verifying",
        (_, true) => ", connecting",
        _ => "",
    };
    let mut state = format!("{}  {}{verifying}", job.name, job.state);
    if let Some(reason) = &job.reason {
        state.push_str(&format!(": {reason}"));
    }
    lines.push(state);
    match status.freshness() {
        Freshness::Alive(age) => {
            let who = job.runner.as_deref().unwrap_or("unknown");
            lines.push(format!("  runner    {who}, heartbeat {} ago", duration(age)));
        }
        Freshness::Silent(age) => {
            let since = age
                .map_or("never heard of".to_owned(), |age| format!("silent for {}", duration(age)));
            lines.push(format!(
                "  runner    gone or frozen ({since}): {}; what it committed is safe",
                job.runner.as_deref().unwrap_or("unknown")
            ));
        }
        Freshness::NoRunner => {}
    }
    if let Some(latch) = &status.latch {
        let why = latch.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        lines.push(format!("  latched   by {} at {}{why}", latch.by, latch.at));
    }
    if 0 < status.quarantined {
        let s = if status.quarantined == 1 { "" } else { "s" };
        lines.push(format!(
            "  waiting   {} row{s} in quarantine: backstop quarantine list {}",
            count(status.quarantined),
            job.name
        ));
    }
    for Tuned { name, value, by, reason } in &status.tuned {
        let why = reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        if let Some(value) = value {
            lines.push(format!("  tuned     {name} = {value}, by {by}{why}"));
        }
    }
    lines.push(format!("  target    {} ({}), table {}", job.target, job.address, job.table));
    let progress = status.ratio().map_or("progress unknown".to_owned(), percent);
    lines.push(format!(
        "  progress  {progress}, {} rows scanned, {} changed, {} batches{}",
        count(status.scanned()),
        count(status.sum(|point| point.range.rows_changed)),
        count(status.sum(|point| point.range.batches)),
        if 1 < job.generation { format!(", generation {}", job.generation) } else { String::new() },
    ));
    lines.extend(verification_text(status));
    // A page of ranges helps nobody; those that were begun say where the job is.
    let open = checkpoints.iter().filter(|point| !point.range.done);
    let (begun, waiting): (Vec<_>, Vec<_>) = open.partition(|point| point.range.cursor.is_some());
    for Checkpoint { range, .. } in begun {
        let cursor = range.position().map(|key| key.display(&job.key_columns)).unwrap_or_default();
        let hi = range.hi.display(&job.key_columns);
        lines.push(format!("  range {:<3} done up to {cursor}; ends at {hi}", range.id));
    }
    if !waiting.is_empty() {
        lines.push(format!("  ranges    {} not begun", waiting.len()));
    }
    if let Some(step) = status.next_step() {
        lines.push(format!("  {step}"));
    }
    lines.join("\n")
}

/// How far a verification is, and what the last one came to.
fn verification_text(status: &JobStatus) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some((about, counts)) =
        status.verification.as_ref().map(|(about, _)| about).zip(status.verified_so_far())
    {
        lines.push(format!(
            "  verifying {} rows checked so far, {} wrong; begun at {}",
            count(counts.rows),
            count(counts.wrong()),
            about.started_at
        ));
    }
    if let Some(last) = &status.report {
        let number = |field: &str| count(last.report["counts"][field].as_u64().unwrap_or(0));
        lines.push(format!(
            "  checked   {} at {}, {} rows, {} wrong",
            if last.passed { "right" } else { "wrong" },
            last.at,
            number("rows_checked"),
            number("rows_wrong"),
        ));
    }
    lines
}

/// The job for machines. Fields are only ever added.
#[must_use]
pub fn status_json(status: &JobStatus) -> Value {
    let JobStatus { job, checkpoints, events, latch, quarantined, tuned, as_of, .. } = status;
    let (alive, heartbeat_age) = match status.freshness() {
        Freshness::NoRunner => (None, None),
        Freshness::Alive(age) => (Some(true), Some(age)),
        Freshness::Silent(age) => (Some(false), age),
    };
    json!({
        "as_of": as_of.to_string(),
        "backfill": job.name,
        "state": job.state.name(),
        "reason": job.reason,
        "target": job.target,
        "address": job.address,
        "table": job.table,
        "generation": job.generation,
        "spec_hash": job.spec_hash,
        "spec_path": job.spec_path,
        "runner": job.runner,
        "verifying": status.is_verifying(),
        "runner_alive": alive,
        "heartbeat_age_seconds": heartbeat_age,
        "started_at": job.started_at.to_string(),
        "progress_ratio": status.ratio(),
        "estimated_rows": job.estimated_rows,
        "rows_scanned": status.scanned(),
        "rows_changed": status.sum(|point| point.range.rows_changed),
        "rows_in_quarantine": quarantined,
        "batches": status.sum(|point| point.range.batches),
        "ranges": checkpoints
            .iter()
            .map(|point| json!({
                "range": point.range.id,
                "cursor": point.range.position(),
                "hi": point.range.hi,
                "done": point.range.done,
                "rows_scanned": point.range.rows_scanned,
                "rows_changed": point.range.rows_changed,
                "checkpoint_at": point.updated_at.to_string(),
            }))
            .collect::<Vec<_>>(),
        "events": events
            .iter()
            .map(|event| json!({
                "time": event.at.to_string(), "kind": event.kind, "data": event.data,
            }))
            .collect::<Vec<_>>(),
        "latch": latch,
        "verification": status.verification.as_ref().zip(status.verified_so_far()).map(
            |((about, checks), counts)| json!({
                "started_at": about.started_at.to_string(),
                "look": about.look,
                "counts": counts,
                "ranges_done": checks.iter().filter(|checked| checked.range.done).count(),
                "ranges": checks.len(),
            }),
        ),
        "report": status.report.as_ref().map(|last| json!({
            "at": last.at.to_string(), "passed": last.passed, "report": last.report,
        })),
        "tuned": tuned,
        "next": status.next_step(),
    })
}
