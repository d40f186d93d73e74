//! How far a handoff is, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::numbers::{count, duration};
use crate::event::{HandoffProgress, HandoffState};
use crate::journal::HandoffRow;

/// How far it is, on one line.
#[must_use]
pub fn handoff_status_line(name: &str, progress: &HandoffProgress) -> String {
    let mut line = format!("{name} {}", progress.state.name().replace('_', " "));
    if let Some(ratio) = progress.ratio().filter(|_| !progress.state.has_ended()) {
        let _ = write!(line, " {:.1} %", ratio * 100.0);
    }
    if let Some(copied) = progress.copied {
        let _ = write!(line, ", {} copied", count(copied));
        match progress.estimate.filter(|_| !progress.state.has_ended()) {
            Some(estimate) if progress.estimate_is_valid() => {
                let _ = write!(line, " of about {}", count(estimate));
            }
            Some(_) => line.push_str(" (the tool's estimate cannot be believed)"),
            None => {}
        }
    }
    if let Some(step) = &progress.step {
        let _ = write!(line, ", {step}");
    }
    if let Some(backlog) = progress.backlog.filter(|backlog| 0 < *backlog) {
        let _ = write!(line, ", {} changes to apply", count(backlog));
    }
    if let Some(lag) = progress.lag_seconds.filter(|lag| 0.1 <= *lag) {
        let _ = write!(line, ", {lag:.1} s behind");
    }
    if let Some(eta) = progress.eta_seconds.filter(|_| progress.state == HandoffState::Copying) {
        let _ = write!(line, ", about {} left", duration(eta));
    }
    if 0 < progress.attempts {
        let _ = write!(line, ", {} attempts", progress.attempts);
    }
    if let Some(waits) = &progress.waits_for {
        let _ = write!(line, ": {waits}");
    }
    line
}

/// Everything that the journal knows of a handoff.
#[must_use]
pub fn handoff_status_text(row: &HandoffRow) -> String {
    let mut text = format!("{}\n", handoff_status_line(&row.name, &row.progress));
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "  {name:<11} {value}");
    };
    line("table", &format!("{}.{} at {}", row.schema, row.table, row.address));
    line("change", &row.change);
    line("by", &row.tool);
    if let Some(reason) = &row.reason {
        line("because", reason);
    }
    match (&row.supervisor, row.is_supervised()) {
        (Some(supervisor), true) => line("supervisor", supervisor),
        (Some(supervisor), false) if row.is_open() => {
            line(
                "supervisor",
                &format!(
                    "{supervisor} is silent; the tool waits, and `{}` takes it up",
                    row.call()
                ),
            );
        }
        _ if row.is_open() => {
            line("supervisor", &format!("nobody; `{}` takes it up", row.call()));
        }
        _ => {}
    }
    line("started", &row.started_at);
    if let Some(ended) = &row.ended_at {
        line("ended", ended);
    }
    text
}

/// The same for programs.
#[must_use]
pub fn handoff_status_json(row: &HandoffRow) -> Value {
    json!({
        "name": row.name,
        "migration": row.migration,
        "address": row.address,
        "table": format!("{}.{}", row.schema, row.table),
        "tool": row.tool,
        "change": row.change,
        "state": row.state.name(),
        "reason": row.reason,
        "progress": row.progress,
        "progress_ratio": row.progress.ratio(),
        "estimate_valid": row.progress.estimate_is_valid(),
        "process": row.process.map(|(pid, _)| pid),
        "supervisor": row.supervisor,
        "supervised": row.is_supervised(),
        "heartbeat_at": row.heartbeat_at,
        "started_at": row.started_at,
        "updated_at": row.updated_at,
        "ended_at": row.ended_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_known_and_nothing_else() {
        let mut progress = HandoffProgress::at(HandoffState::Copying);
        assert_eq!(handoff_status_line("0042", &progress), "0042 copying");
        progress.copied = Some(77_000);
        progress.estimate = Some(154_000);
        progress.backlog = Some(3);
        progress.lag_seconds = Some(1.25);
        progress.eta_seconds = Some(61.0);
        assert_eq!(
            handoff_status_line("0042", &progress),
            "0042 copying 50.0 %, 77,000 copied of about 154,000, 3 changes to apply, 1.2 s behind, \
             about 1m 1s left"
        );
        progress.estimate = Some(0);
        assert!(handoff_status_line("0042", &progress).contains("cannot be believed"));
        let mut waits = HandoffProgress::at(HandoffState::CuttingOver);
        waits.waits_for = Some("session 7".to_owned());
        assert_eq!(handoff_status_line("0042", &waits), "0042 cutting over 99.9 %: session 7");
    }
}
