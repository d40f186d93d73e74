//! What a handoff shows of itself: lines, a bar, metrics. All are folds of its events.

use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::families::{Families, Metric, counter, gauge};
use super::screen::{self, Screen};
use super::ticker::Ticker;
use crate::event::{
    ALL_JOBS, Event, HandoffEvent, HandoffProgress, HandoffState, Listener, Record,
};
use crate::report::{duration, handoff_status_line};

const H: &[&str] = &["handoff", "database"];

/// Every metric of a handoff, by name: the same for every tool.
pub static HANDOFF_METRICS: &[Metric] = &[
    gauge(
        "backstop_handoff_attempts",
        H,
        "Retries of a statement that waited for its lock, or of a cut-over.",
    ),
    gauge(
        "backstop_handoff_backlog_events",
        H,
        "Changes of the application that were read and wait to be applied to the copy.",
    ),
    gauge(
        "backstop_handoff_canary_longest_seconds",
        H,
        "The longest that the canary's read and write of the table has waited: what the application feels.",
    ),
    gauge(
        "backstop_handoff_canary_seconds",
        H,
        "What the canary's last read and write of the table took.",
    ),
    gauge(
        "backstop_handoff_end_timestamp_seconds",
        H,
        "Unix time the handoff ended; 0 while it has not.",
    ),
    gauge(
        "backstop_handoff_estimate_valid",
        H,
        "Whether the estimate of the rows can be believed; without it the progress is 0.",
    ),
    gauge(
        "backstop_handoff_info",
        &["handoff", "database", "tool", "table"],
        "Who changes which table; the value is always 1.",
    ),
    gauge("backstop_handoff_lag_seconds", H, "How far the copy is behind the table."),
    gauge(
        "backstop_handoff_progress_ratio",
        H,
        "Fraction that is copied, 0 to 1; 1 only when the table is as planned.",
    ),
    counter("backstop_handoff_rows_copied_total", H, "Rows copied."),
    gauge("backstop_handoff_start_timestamp_seconds", H, "Unix time its supervision began."),
    gauge(
        "backstop_handoff_state",
        &["handoff", "database", "state"],
        "What the handoff is at; exactly one state is 1.",
    ),
    gauge(
        "backstop_handoff_throttled",
        &["handoff", "database", "signal"],
        "Whether it waits, by the kind of reason: asked (a person), tool (its own limits), gate (before the cut-over).",
    ),
];

/// Why a handoff waits, by kind: texts would be without number.
const SIGNALS: [&str; 3] = ["asked", "tool", "gate"];

fn signal_of(progress: &HandoffProgress) -> Option<&'static str> {
    match progress.state {
        HandoffState::Paused => Some("asked"),
        HandoffState::Throttled => Some("tool"),
        HandoffState::Postponed => Some("gate"),
        _ => None,
    }
}

/// The metrics of one handoff.
pub struct HandoffMetrics {
    families: Families,
    database: String,
    copied: Mutex<u64>,
}

impl HandoffMetrics {
    /// All metrics of the table, for a handoff on `database`; each begins at 0.
    ///
    /// # Errors
    ///
    /// A declaration that the library refuses, which a test would have found.
    pub fn new(handoff: &str, database: &str) -> prometheus::Result<Self> {
        let families = Families::of(&[HANDOFF_METRICS])?;
        let metrics = Self { families, database: database.to_owned(), copied: Mutex::new(0) };
        let h = [handoff, database];
        for metric in HANDOFF_METRICS.iter().filter(|metric| metric.labels == H) {
            metrics.families.add_to(metric.name, &h, 0.0);
            metrics.families.add(metric.name, &h, 0.0);
        }
        metrics.at(&h, HandoffState::Starting);
        metrics.signal(&h, None);
        #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are below 2^53")]
        let now = Timestamp::now().as_second() as f64;
        metrics.families.set("backstop_handoff_start_timestamp_seconds", &h, now);
        Ok(metrics)
    }

    /// What `/metrics` answers: the text format, version 0.0.4.
    #[must_use]
    pub fn text(&self) -> String {
        self.families.text()
    }

    fn at(&self, h: &[&str; 2], at: HandoffState) {
        for state in HandoffState::ALL {
            let value = if state == at { 1.0 } else { 0.0 };
            self.families.set("backstop_handoff_state", &[h[0], h[1], state.name()], value);
        }
    }

    fn signal(&self, h: &[&str; 2], waits: Option<&str>) {
        for signal in SIGNALS {
            let value = if waits == Some(signal) { 1.0 } else { 0.0 };
            self.families.set("backstop_handoff_throttled", &[h[0], h[1], signal], value);
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "Prometheus knows only floats")]
    fn progress(&self, h: &[&str; 2], progress: &HandoffProgress) {
        self.at(h, progress.state);
        self.signal(h, signal_of(progress));
        let set = |name: &str, value: f64| self.families.set(name, h, value);
        set("backstop_handoff_progress_ratio", progress.ratio().unwrap_or(0.0));
        set("backstop_handoff_estimate_valid", f64::from(u8::from(progress.estimate_is_valid())));
        set("backstop_handoff_backlog_events", progress.backlog.unwrap_or(0) as f64);
        set("backstop_handoff_lag_seconds", progress.lag_seconds.unwrap_or(0.0));
        set("backstop_handoff_attempts", f64::from(progress.attempts));
        if let Some(copied) = progress.copied {
            let mut before = self.copied.lock().unwrap_or_else(PoisonError::into_inner);
            // A run that is resumed, or another step of the server's, counts anew.
            let more = if copied < *before { copied } else { copied - *before };
            *before = copied;
            self.families.add("backstop_handoff_rows_copied_total", h, more as f64);
        }
    }
}

impl Listener for HandoffMetrics {
    fn on(&self, record: &Record) {
        let h = [record.job.as_str(), self.database.as_str()];
        let Event::Handoff(event) = &record.event else { return };
        match event {
            HandoffEvent::Taken { tool, table, .. } => {
                self.families.set("backstop_handoff_info", &[h[0], h[1], tool, table], 1.0);
            }
            HandoffEvent::Progress(progress) => self.progress(&h, progress),
            HandoffEvent::Changed { to, .. } if to.has_ended() => {
                #[expect(clippy::cast_precision_loss, reason = "seconds since 1970")]
                let at = record.at.as_second() as f64;
                self.families.set("backstop_handoff_end_timestamp_seconds", &h, at);
            }
            HandoffEvent::Stall { last_seconds, longest_seconds } => {
                self.families.set("backstop_handoff_canary_seconds", &h, *last_seconds);
                self.families.set("backstop_handoff_canary_longest_seconds", &h, *longest_seconds);
            }
            HandoffEvent::Changed { .. }
            | HandoffEvent::Answered { .. }
            | HandoffEvent::Ended { .. }
            | HandoffEvent::Compared { .. } => {}
        }
    }
}

/// The newest progress, shared with whoever draws.
#[derive(Clone)]
struct Newest(Arc<Mutex<(String, HandoffProgress, Option<f64>)>>);

impl Newest {
    fn of(name: &str) -> Self {
        let progress = HandoffProgress::at(HandoffState::Starting);
        Self(Arc::new(Mutex::new((name.to_owned(), progress, None))))
    }

    fn lock(&self) -> MutexGuard<'_, (String, HandoffProgress, Option<f64>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, event: &Event) {
        match event {
            Event::Handoff(HandoffEvent::Progress(progress)) => self.lock().1 = progress.clone(),
            Event::Handoff(HandoffEvent::Stall { longest_seconds, .. }) => {
                self.lock().2 = Some(*longest_seconds);
            }
            _ => {}
        }
    }

    fn line(&self) -> String {
        let newest = self.lock();
        let line = handoff_status_line(&newest.0, &newest.1);
        match newest.2 {
            Some(longest) => format!("{line} (longest wait of the canary {})", duration(longest)),
            None => line,
        }
    }
}

/// The line for an event that people want to know of at once.
fn line(event: &Event) -> Option<String> {
    let Event::Handoff(event) = event else {
        return match event {
            Event::Latched { scope, by, .. } if scope != ALL_JOBS => {
                Some(format!("killed by {by}"))
            }
            _ => None,
        };
    };
    Some(match event {
        HandoffEvent::Changed { from, to, reason, .. } => match reason {
            Some(reason) => format!("{} -> {}: {reason}", from.name(), to.name()),
            None => format!("{} -> {}", from.name(), to.name()),
        },
        HandoffEvent::Answered { verb, by, carried, answer } => {
            let word = if *carried { "carried out" } else { "refused" };
            format!("{verb}, asked by {by}, {word}: {answer}")
        }
        HandoffEvent::Compared { equal, said } => {
            let word = if *equal { "equal" } else { "not equal" };
            format!("table and copy are {word}: {said}")
        }
        HandoffEvent::Ended { proven, seconds, said } => {
            let word =
                if *proven { "nothing of it is left at work" } else { "not proven to be gone" };
            format!("{word}, after {}: {}", duration(*seconds), said.join("; "))
        }
        HandoffEvent::Taken { .. } | HandoffEvent::Progress(_) | HandoffEvent::Stall { .. } => {
            return None;
        }
    })
}

/// Plain progress for logs and pipes: a line for every change, and one every few seconds.
pub struct HandoffLines {
    newest: Newest,
    _ticker: Ticker,
}

impl HandoffLines {
    /// Prints lines about the handoff until it is dropped.
    #[must_use]
    pub fn new(name: &str, interval: Duration) -> Self {
        let newest = Newest::of(name);
        let ticked = newest.clone();
        let ticker = Ticker::every(interval, move || say(Timestamp::now(), &ticked.line()));
        Self { newest, _ticker: ticker }
    }
}

impl Listener for HandoffLines {
    fn on(&self, record: &Record) {
        self.newest.apply(&record.event);
        if let Some(line) = line(&record.event) {
            say(record.at, &line);
        }
    }
}

fn say(at: Timestamp, line: &str) {
    // A closed stderr must not end a supervision.
    let _ = writeln!(std::io::stderr().lock(), "{} {line}", at.strftime("%H:%M:%SZ"));
}

/// Redraws per second.
const REDRAWS_PER_SECOND: u8 = 4;
const LOOK_EVERY: Duration = Duration::from_millis(300);
const STEPS: u64 = 1000;

/// A bar on a terminal.
pub struct HandoffBar {
    newest: Newest,
    bar: ProgressBar,
    _ticker: Ticker,
}

impl HandoffBar {
    /// A bar on stderr.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let newest = Newest::of(name);
        let bar = ProgressBar::with_draw_target(Some(STEPS), Screen::stderr(REDRAWS_PER_SECOND));
        let style = ProgressStyle::with_template("{bar:24.cyan} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("━╸─");
        bar.set_style(style);
        let (ticked, drawn) = (newest.clone(), bar.clone());
        let ticker = Ticker::every(LOOK_EVERY, move || draw(&ticked, &drawn));
        Self { newest, bar, _ticker: ticker }
    }

    /// Prints a line above the bar.
    pub fn say(&self, line: &str) {
        if self.bar.is_finished() || self.bar.is_hidden() {
            screen::write(line);
        } else {
            self.bar.println(line);
        }
    }
}

fn draw(newest: &Newest, bar: &ProgressBar) {
    if bar.is_finished() {
        return;
    }
    let ratio = newest.lock().1.ratio().unwrap_or(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a ratio of 0 to 1 times a thousand"
    )]
    bar.set_position((ratio * STEPS as f64) as u64);
    bar.set_message(newest.line());
}

impl Listener for HandoffBar {
    fn on(&self, record: &Record) {
        self.newest.apply(&record.event);
        if let Some(line) = line(&record.event) {
            self.say(&line);
        }
    }
}

impl Drop for HandoffBar {
    fn drop(&mut self) {
        draw(&self.newest, &self.bar);
        self.bar.abandon();
        if !self.bar.is_hidden() {
            screen::write("");
        }
    }
}
