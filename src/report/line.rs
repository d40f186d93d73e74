//! A job in one line.

use jiff::Timestamp;

use super::{count, duration, percent};
use crate::event::{JobState, View, WatchView};

/// State, progress, pace and the time that is left: the line of a terminal, of a log, of SIGUSR1.
#[must_use]
pub fn status_line(view: &View, now: Timestamp) -> String {
    let state = view.state.unwrap_or(JobState::Queued);
    if let Some(watch) = &view.watch {
        return watch_line(watch, view, now);
    }
    let mut parts = Vec::new();
    if let Some(what) = view.maintaining.as_ref().filter(|_| view.holds.is_empty()) {
        return format!("{state}, {what} of the table is going on");
    }
    parts.push(match (view.verifying, state) {
        (true, JobState::Completed) => "verifying".to_owned(),
        _ => state.to_string(),
    });
    match view.ratio() {
        Some(ratio) => parts.push(percent(ratio)),
        None if view.started.as_ref().is_some_and(|s| s.estimated_rows.is_some()) => {
            parts.push("more rows than the catalog had estimated".to_owned());
        }
        None => {}
    }
    parts.push(format!("{} rows scanned", count(view.rows_scanned)));
    if view.verifying {
        parts.push(format!("{} wrong", count(view.rows_wrong)));
    } else {
        parts.push(format!("{} changed", count(view.rows_changed)));
    }
    if 0 < view.rows_quarantined {
        let s = if view.rows_quarantined == 1 { "" } else { "s" };
        parts.push(format!("{} row{s} in quarantine", count(view.rows_quarantined)));
    }
    let is_at_work = view.holds.is_empty()
        && (state == JobState::Running || (view.verifying && state == JobState::Completed));
    if is_at_work {
        if let Some(rate) = view.rate(now) {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a rate is a small positive number"
            )]
            parts.push(format!("{} rows/s", count(rate.max(0.0) as u64)));
        }
        parts.push(match view.remaining(now) {
            _ if view.ratio() == Some(1.0) => return parts.join(", "),
            Some(left) => {
                format!("{} to {} left", duration(left.at_best), duration(left.at_worst))
            }
            None => "time left unknown".to_owned(),
        });
    }
    if !view.holds.is_empty() {
        if let Some(left) = view.remaining(now) {
            let (best, worst) = (duration(left.at_best), duration(left.at_worst));
            parts.push(format!("{best} to {worst} left"));
        }
        let reasons: Vec<_> = view.holds.iter().map(|hold| hold.reason.as_str()).collect();
        parts.push(reasons.join("; "));
        return parts.join(", ");
    }
    // Why a job failed is the error that follows, and longer than a line.
    let says_why = !matches!(state, JobState::Running | JobState::Failed);
    if let Some(reason) = view.reason.as_ref().filter(|_| says_why) {
        parts.push(reason.clone());
    }
    parts.join(", ")
}

/// How a watch stands.
fn watch_line(watch: &WatchView, view: &View, now: Timestamp) -> String {
    let mut parts = vec![match watch.held_since {
        Some(since) => {
            format!("watching, held for {}", duration(now.duration_since(since).as_secs_f64()))
        }
        None => "watching, rows are wrong".to_owned(),
    }];
    parts.push(format!("{} rows checked", count(watch.rows)));
    parts.push(format!("{} found wrong", count(watch.violations)));
    let left = watch.until.duration_since(now).as_secs_f64().max(0.0);
    parts.push(format!("{} left", duration(left)));
    parts.extend(view.holds.iter().map(|hold| hold.reason.clone()));
    parts.join(", ")
}
