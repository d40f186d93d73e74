//! Prometheus metrics. One table declares them all; a test compares it with what is served and
//! with what the dashboards name.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::families::{Families, counter, gauge};

pub use super::families::{Kind, Metric};
use super::handoff::HANDOFF_METRICS;
use super::throttling::{self, Waiting};
use crate::event::{
    ALL_JOBS, Event, JobState, Listener, Phase, Record, RetryReason, Started, View,
};

const R: &[&str] = &["backfill", "database"];
const S: &[&str] = &["backfill", "database", "signal"];

/// Targets of 20 ms to 5 s sit on edges.
const BATCH_BUCKETS: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

/// The goal of half a second is an edge.
const KILL_BUCKETS: &[f64] = &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Every metric, by name.
pub static METRICS: &[Metric] = &[
    gauge("backstop_batch_target_rows", R, "Rows the sizer will put in the next batch."),
    gauge("backstop_batch_target_seconds", R, "Batch duration the sizer aims at."),
    Metric {
        name: "backstop_batch_duration_seconds",
        kind: Kind::Histogram(BATCH_BUCKETS),
        labels: R,
        help: "Wall time of one batch, first statement to end of COMMIT.",
    },
    counter(
        "backstop_batch_lock_wait_seconds_total",
        R,
        "Time that committed batches waited for locks which others held.",
    ),
    counter(
        "backstop_batch_log_bytes_total",
        R,
        "Bytes added to the server's log (WAL, binary log) while committed batches ran; 0 where it does not tell.",
    ),
    counter(
        "backstop_batch_retries_total",
        &["backfill", "database", "reason"],
        "Batch retries, by reason.",
    ),
    counter(
        "backstop_batches_total",
        &["backfill", "database", "result"],
        "Batches finished, by result: committed, rolled_back.",
    ),
    gauge("backstop_build_info", &["version"], "Build metadata; the value is always 1."),
    counter(
        "backstop_fenced_writes_total",
        R,
        "Batches refused by the fence: another runner has the range, or a halt stands.",
    ),
    Metric {
        name: "backstop_kill_duration_seconds",
        kind: Kind::Histogram(KILL_BUCKETS),
        labels: R,
        help: "Time from a kill request to the end of the run.",
    },
    gauge(
        "backstop_kill_switch_engaged",
        &["scope"],
        "Whether a kill stands, by scope: all, or a backfill's name.",
    ),
    counter(
        "backstop_operator_actions_total",
        &["action", "source"],
        "Operator actions, by source: cli, signal, file (a kill file), api (an HTTP call), sql (a halt), server, limit (of the spec).",
    ),
    gauge("backstop_quarantine_rows", R, "Rows that cannot be written and wait in quarantine."),
    counter(
        "backstop_rows_changed_total",
        R,
        "Rows whose value changed (NULL-safe) by committed batches.",
    ),
    counter(
        "backstop_rows_quarantined_total",
        R,
        "Rows that could not be written and were put into quarantine.",
    ),
    counter("backstop_rows_scanned_total", R, "Rows read by committed batches."),
    gauge(
        "backstop_run_end_timestamp_seconds",
        R,
        "Unix time the newest run ended; 0 while it has not ended.",
    ),
    gauge(
        "backstop_run_estimated_end_timestamp_seconds",
        &["backfill", "database", "confidence"],
        "Estimated Unix time of completion (p10, p50, p90); 0 while unknown.",
    ),
    gauge("backstop_run_estimated_rows", R, "Estimated rows in scope; 0 while unknown."),
    gauge(
        "backstop_run_info",
        &["backfill", "database", "run_id", "engine", "table", "spec_sha256"],
        "Identity of the newest run of a backfill; the value is always 1.",
    ),
    gauge(
        "backstop_run_last_checkpoint_timestamp_seconds",
        R,
        "Unix time of the last durable checkpoint; the start time until then.",
    ),
    gauge(
        "backstop_run_last_progress_timestamp_seconds",
        R,
        "Unix time the cursor last moved past committed rows; the start time until then.",
    ),
    gauge(
        "backstop_run_last_success_timestamp_seconds",
        R,
        "Unix time a run last completed and passed verification; 0 if never.",
    ),
    gauge("backstop_run_progress_ratio", R, "Fraction of the work that is done, 0 to 1."),
    gauge(
        "backstop_run_start_timestamp_seconds",
        R,
        "Unix time the newest run started; 0 if never.",
    ),
    gauge(
        "backstop_run_state",
        &["backfill", "database", "state"],
        "State of the newest run; exactly one state is 1.",
    ),
    gauge("backstop_run_state_change_timestamp_seconds", R, "Unix time of the last state change."),
    gauge(
        "backstop_signal_last_read_timestamp_seconds",
        S,
        "Unix time a signal was last read; a stale one holds the job.",
    ),
    gauge(
        "backstop_signal_utilization_ratio",
        S,
        "How much of its limit a signal uses up; above 1 the job waits.",
    ),
    gauge(
        "backstop_throttle_active",
        S,
        "Whether the job waits for a signal at this moment, or for a server that is away (`server`).",
    ),
    counter(
        "backstop_throttle_seconds_total",
        S,
        "Time in which every worker waited for a signal; several at once count for each.",
    ),
    gauge(
        "backstop_verify_end_timestamp_seconds",
        R,
        "Unix time the newest verification ended, whatever it found; 0 if never.",
    ),
    gauge(
        "backstop_verify_held_since_timestamp_seconds",
        R,
        "Unix time since which every row that a watch looks at has been right; 0 while one is wrong or nothing is watched.",
    ),
    gauge(
        "backstop_verify_mismatched_rows",
        R,
        "Rows found wrong by the newest verification or watch.",
    ),
    counter("backstop_verify_rows_total", R, "Rows checked by verification."),
];

/// Every metric, as Markdown: what `docs/metrics.md` holds.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(
        "# Metrics\n\n`backstop run --listen 127.0.0.1:9187` and `backstop handoff run --listen …` serve these \
         at `/metrics`, beside the standard `process_*`. Made from the table in the source; a test compares.\n\n\
         | metric | type | labels | meaning |\n| --- | --- | --- | --- |\n",
    );
    for metric in METRICS.iter().chain(HANDOFF_METRICS) {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        };
        let labels = metric.labels.join(", ");
        text.push_str(&format!("| `{}` | {kind} | {labels} | {} |\n", metric.name, metric.help));
    }
    text
}

/// The metrics of one process, in a registry of their own.
pub struct Metrics {
    families: Families,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    view: View,
    database: String,
    /// When a kill was asked for, until the run has ended.
    kill_asked: Option<f64>,
    waiting: Waiting,
}

impl Metrics {
    /// All metrics of the table, for a runner of `backfill` on `database`; series whose labels are
    /// known in advance begin at 0.
    ///
    /// # Errors
    ///
    /// A declaration that the library refuses, which a test would have found.
    pub fn new(backfill: &str, database: &str) -> prometheus::Result<Self> {
        let families = Families::of(&[METRICS])?;
        let state = State { database: database.to_owned(), ..State::default() };
        let metrics = Self { families, state: Mutex::new(state) };
        metrics.begin_at_zero(backfill, database);
        Ok(metrics)
    }

    fn begin_at_zero(&self, backfill: &str, database: &str) {
        let r = [backfill, database];
        self.set("backstop_build_info", &[env!("CARGO_PKG_VERSION")], 1.0);
        for metric in METRICS.iter().filter(|metric| metric.labels == R) {
            match metric.kind {
                Kind::Counter => self.add(metric.name, &r, 0.0),
                Kind::Gauge => self.set(metric.name, &r, 0.0),
                Kind::Histogram(_) => self.touch(metric.name, &r),
            }
        }
        for state in JobState::ALL {
            self.set("backstop_run_state", &[r[0], r[1], state.name()], 0.0);
        }
        for reason in RetryReason::ALL {
            self.add("backstop_batch_retries_total", &[r[0], r[1], reason.name()], 0.0);
        }
        for result in ["committed", "rolled_back"] {
            self.add("backstop_batches_total", &[r[0], r[1], result], 0.0);
        }
        for confidence in ["p10", "p50", "p90"] {
            let labels = [r[0], r[1], confidence];
            self.set("backstop_run_estimated_end_timestamp_seconds", &labels, 0.0);
        }
        for action in ["pause", "resume", "stop", "cancel", "kill"] {
            for source in ["cli", "signal"] {
                self.add("backstop_operator_actions_total", &[action, source], 0.0);
            }
        }
        for (action, source) in [
            ("pause", "server"),
            ("kill", "sql"),
            ("kill", "file"),
            ("kill", "api"),
            ("stop", "limit"),
        ] {
            self.add("backstop_operator_actions_total", &[action, source], 0.0);
        }
        self.engage(ALL_JOBS, 0.0);
        self.engage(backfill, 0.0);
    }

    pub(super) fn set(&self, name: &str, labels: &[&str], value: f64) {
        self.families.set(name, labels, value);
    }

    pub(super) fn add(&self, name: &str, labels: &[&str], value: f64) {
        self.families.add(name, labels, value);
    }

    /// Adds to a gauge, which makes it begin at 0.
    pub(super) fn add_to(&self, name: &str, labels: &[&str], value: f64) {
        self.families.add_to(name, labels, value);
    }

    fn touch(&self, name: &str, labels: &[&str]) {
        self.families.touch(name, labels);
    }

    fn observe(&self, name: &str, labels: &[&str], value: f64) {
        self.families.observe(name, labels, value);
    }

    /// What `/metrics` answers: the text format, version 0.0.4.
    #[must_use]
    pub fn text(&self) -> String {
        self.families.text()
    }

    fn started(&self, r: &[&str; 2], started: &Started, at: f64) {
        let labels =
            [r[0], r[1], &started.run_id, &started.engine, &started.table, &started.spec_hash];
        self.set("backstop_run_info", &labels, 1.0);
        for name in [
            "backstop_run_start_timestamp_seconds",
            "backstop_run_last_progress_timestamp_seconds",
            "backstop_run_last_checkpoint_timestamp_seconds",
        ] {
            self.set(name, r, at);
        }
        self.set("backstop_run_estimated_rows", r, float(started.estimated_rows.unwrap_or(0)));
        self.set("backstop_batch_target_seconds", r, started.target_seconds);
        self.set("backstop_batch_target_rows", r, float(started.first_rows));
    }

    fn state_changed(&self, r: &[&str; 2], to: JobState, at: f64) {
        for state in JobState::ALL {
            let value = if state == to { 1.0 } else { 0.0 };
            self.set("backstop_run_state", &[r[0], r[1], state.name()], value);
        }
        self.set("backstop_run_state_change_timestamp_seconds", r, at);
        if to == JobState::Verified {
            self.set("backstop_run_last_success_timestamp_seconds", r, at);
        }
    }

    /// The scopes that are shown from the start are this job and all jobs.
    fn engage(&self, scope: &str, value: f64) {
        let scope = if scope == ALL_JOBS { "all" } else { scope };
        self.set("backstop_kill_switch_engaged", &[scope], value);
    }

    fn estimate(&self, r: &[&str; 2], view: &View, now: Timestamp, at: f64) {
        self.set("backstop_run_progress_ratio", r, view.ratio().unwrap_or(0.0));
        let ends = view.remaining(now).map_or([0.0; 3], |left| {
            let middle = f64::midpoint(left.at_best, left.at_worst);
            [at + left.at_best, at + middle, at + left.at_worst]
        });
        for (confidence, end) in ["p10", "p50", "p90"].into_iter().zip(ends) {
            let labels = [r[0], r[1], confidence];
            self.set("backstop_run_estimated_end_timestamp_seconds", &labels, end);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus knows only floats")]
const fn float(number: u64) -> f64 {
    number as f64
}

impl Listener for Metrics {
    fn on(&self, record: &Record) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.view.apply(record);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are below 2^53")]
        let at = record.at.as_millisecond() as f64 / 1000.0;
        let database = state.database.clone();
        let r = [record.job.as_str(), database.as_str()];
        match &record.event {
            Event::Handoff(_) => {}
            Event::Started(started) => self.started(&r, started, at),
            Event::StateChanged { to, .. } => {
                self.state_changed(&r, *to, at);
                self.estimate(&r, &state.view, record.at, at);
            }
            Event::BatchDone {
                phase: Phase::Write,
                rows_scanned,
                rows_changed,
                seconds,
                lock_wait_seconds,
                log_bytes,
                next_rows,
                ..
            } => {
                self.add("backstop_batch_lock_wait_seconds_total", &r, *lock_wait_seconds);
                self.add("backstop_batch_log_bytes_total", &r, float(log_bytes.unwrap_or(0)));
                self.add("backstop_rows_scanned_total", &r, float(*rows_scanned));
                self.add("backstop_rows_changed_total", &r, float(*rows_changed));
                self.add("backstop_batches_total", &[r[0], r[1], "committed"], 1.0);
                self.observe("backstop_batch_duration_seconds", &r, *seconds);
                self.set("backstop_batch_target_rows", &r, float(*next_rows));
                self.set("backstop_run_last_progress_timestamp_seconds", &r, at);
                self.set("backstop_run_last_checkpoint_timestamp_seconds", &r, at);
                self.estimate(&r, &state.view, record.at, at);
            }
            Event::BatchDone {
                phase: Phase::Verify, rows_scanned, rows_changed: wrong, ..
            } => {
                self.add("backstop_verify_rows_total", &r, float(*rows_scanned));
                if 0 < *wrong && state.view.watch.is_none() {
                    let wrong = float(state.view.rows_wrong);
                    self.set("backstop_verify_mismatched_rows", &r, wrong);
                }
            }
            Event::BatchRetried { reason, .. } => {
                self.add("backstop_batch_retries_total", &[r[0], r[1], reason.name()], 1.0);
                self.add("backstop_batches_total", &[r[0], r[1], "rolled_back"], 1.0);
            }
            Event::Asked { action, source, .. } => {
                if action == "kill" {
                    state.kill_asked = Some(at);
                }
                self.add("backstop_operator_actions_total", &[action, source], 1.0);
                self.estimate(&r, &state.view, record.at, at);
            }
            Event::Held { holds } => state.waiting.wait_for(holds, self, &r, at),
            Event::Freed { .. } => state.waiting.wait_for(&[], self, &r, at),
            Event::SignalsRead { signals } => {
                throttling::show(self, &r, signals);
                state.waiting.count(self, &r, at);
            }
            Event::Ended { .. } => {
                state.waiting.wait_for(&[], self, &r, at);
                self.set("backstop_run_end_timestamp_seconds", &r, at);
                if let Some(asked) = state.kill_asked.take() {
                    self.observe("backstop_kill_duration_seconds", &r, at - asked);
                }
            }
            Event::RowQuarantined { .. } => {
                self.add("backstop_rows_quarantined_total", &r, 1.0);
                self.set("backstop_quarantine_rows", &r, float(state.view.rows_quarantined));
            }
            Event::QuarantineCounted { waiting } => {
                self.set("backstop_quarantine_rows", &r, float(*waiting));
            }
            Event::FencedOff { .. } => self.add("backstop_fenced_writes_total", &r, 1.0),
            Event::Latched { scope, .. } => self.engage(scope, 1.0),
            Event::Released { scope, .. } => self.engage(scope, 0.0),
            Event::CancelSent { .. }
            | Event::Tuned { .. }
            | Event::TuneRefused { .. }
            | Event::MaintenanceBegun { .. }
            | Event::Maintained { .. }
            | Event::QuarantineReleased { .. } => {}
            Event::RangeOpened { .. } => self.estimate(&r, &state.view, record.at, at),
            Event::Verified { .. } => {
                self.set("backstop_verify_end_timestamp_seconds", &r, at);
                self.estimate(&r, &state.view, record.at, at);
            }
            Event::WatchRead { held_since, violations, .. } => {
                #[expect(clippy::cast_precision_loss, reason = "milliseconds are below 2^53")]
                let since = held_since.map_or(0.0, |at| at.as_millisecond() as f64 / 1000.0);
                self.set("backstop_verify_held_since_timestamp_seconds", &r, since);
                self.set("backstop_verify_mismatched_rows", &r, float(*violations));
            }
            Event::WatchBegan { .. } | Event::WatchBroken { .. } | Event::WatchMended { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_follows_the_conventions() {
        for pair in METRICS.windows(2) {
            assert_ne!(pair[0].name, pair[1].name);
        }
        for metric in METRICS {
            let name = metric.name;
            assert!(name.starts_with("backstop_"), "{name}");
            assert_eq!(metric.kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert!(!name.contains("_age_"), "{name}: timestamps, not ages");
            for label in metric.labels {
                assert!(!["job", "instance", "quantile", "le"].contains(label), "{name}: {label}");
            }
            assert!(metric.help.ends_with('.'), "{name}");
        }
    }
}
