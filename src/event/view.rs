//! The fold of the event stream that displays share.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use super::{Event, JobState, Phase, Record, Started};

/// Seconds of history that the current rate is computed from. Long enough that a batch of a few
/// seconds does not make it jump, short enough to follow a throttle.
const RATE_WINDOW_SECONDS: f64 = 30.0;

/// An ETA needs this much history; before it, "unknown" is the honest answer.
const ETA_NEEDS_SECONDS: f64 = 3.0;

/// What is known of a job at one moment.
#[derive(Debug, Clone, Default, Serialize)]
pub struct View {
    /// The run's facts; absent until a runner started.
    pub started: Option<Started>,
    /// The state.
    pub state: Option<JobState>,
    /// Why the state is what it is.
    pub reason: Option<String>,
    /// Progress by range of the present phase.
    pub ranges: BTreeMap<u32, RangeView>,
    /// Whether the present phase is verification.
    pub verifying: bool,
    /// Rows scanned in the present phase, earlier runs included.
    pub rows_scanned: u64,
    /// Rows changed in the write phase, earlier runs included.
    pub rows_changed: u64,
    /// Rows that verification found wrong so far.
    pub rows_wrong: u64,
    #[serde(skip)]
    samples: VecDeque<(Timestamp, u64)>,
    #[serde(skip)]
    phase_base: Option<(Timestamp, u64)>,
}

/// Progress in one range.
#[derive(Debug, Clone, Default, Serialize)]
pub struct RangeView {
    /// The worker that last wrote in it.
    pub worker: Option<u32>,
    /// Rows scanned, earlier runs included.
    pub rows_scanned: u64,
    /// Rows changed, earlier runs included.
    pub rows_changed: u64,
    /// Rows that the sizer will put into the next batch.
    pub next_rows: u64,
    /// The cursor as text.
    pub cursor: Option<String>,
    /// Whether it is walked to its end.
    pub done: bool,
}

/// How long the rest may take, as a range in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Remaining {
    /// If the best recent pace holds.
    pub at_best: f64,
    /// If the worst recent pace holds.
    pub at_worst: f64,
}

impl View {
    /// Takes note of one event.
    pub fn apply(&mut self, record: &Record) {
        match &record.event {
            Event::Started(started) => {
                *self =
                    Self { started: Some(started.clone()), state: self.state, ..Self::default() };
            }
            Event::StateChanged { to, reason, .. } => {
                self.state = Some(*to);
                self.reason.clone_from(reason);
            }
            Event::RangeOpened {
                phase, range, rows_scanned, rows_changed, cursor, done, ..
            } => {
                self.enter(*phase, record.at);
                self.ranges.insert(
                    *range,
                    RangeView {
                        rows_scanned: *rows_scanned,
                        rows_changed: *rows_changed,
                        cursor: cursor.clone(),
                        done: *done,
                        ..RangeView::default()
                    },
                );
                self.rows_scanned += rows_scanned;
                if *phase == Phase::Write {
                    self.rows_changed += rows_changed;
                }
                self.phase_base = Some((record.at, self.rows_scanned));
                self.samples = VecDeque::from([(record.at, self.rows_scanned)]);
            }
            Event::BatchDone {
                phase,
                range,
                worker,
                rows_scanned,
                rows_changed,
                cursor,
                next_rows,
                range_done,
                ..
            } => {
                let entry = self.ranges.entry(*range).or_default();
                entry.worker = Some(*worker);
                entry.rows_scanned += rows_scanned;
                entry.rows_changed += rows_changed;
                entry.next_rows = *next_rows;
                entry.cursor = Some(cursor.clone());
                entry.done = *range_done;
                self.rows_scanned += rows_scanned;
                match phase {
                    Phase::Write => {
                        self.rows_changed += rows_changed;
                    }
                    Phase::Verify => self.rows_wrong += rows_changed,
                }
                self.sample(record.at);
            }
            Event::Ended { state, reason } => {
                self.state = Some(*state);
                self.reason.clone_from(reason);
            }
            Event::BatchRetried { .. } | Event::Verified { .. } | Event::Asked { .. } => {}
        }
    }

    fn enter(&mut self, phase: Phase, at: Timestamp) {
        let verifying = phase == Phase::Verify;
        if verifying != self.verifying {
            self.verifying = verifying;
            self.ranges.clear();
            self.rows_scanned = 0;
            self.phase_base = Some((at, 0));
        }
    }

    fn sample(&mut self, at: Timestamp) {
        self.samples.push_back((at, self.rows_scanned));
        while self.samples.len() > 2
            && self
                .samples
                .get(1)
                .is_some_and(|(second, _)| RATE_WINDOW_SECONDS < seconds(*second, at))
        {
            self.samples.pop_front();
        }
        // Small batches come fast: keep every other sample rather than an unbounded queue.
        if 512 < self.samples.len() {
            let mut keep = false;
            self.samples.retain(|_| {
                keep = !keep;
                keep
            });
        }
    }

    /// Rows scanned per second over the last half minute. It falls while nothing happens.
    #[must_use]
    pub fn rate(&self, now: Timestamp) -> Option<f64> {
        rate_between(*self.samples.front()?, (now, self.samples.back()?.1))
    }

    fn rate_since_start(&self, now: Timestamp) -> Option<f64> {
        rate_between(self.phase_base?, (now, self.samples.back()?.1))
    }

    /// The fraction that is done, below 1 until every range is walked; `None` while it is unknown,
    /// also once more rows were scanned than the catalog had estimated.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let done = !self.ranges.is_empty() && self.ranges.values().all(|range| range.done);
        let estimated = self.started.as_ref().and_then(|started| started.estimated_rows);
        done_ratio(self.rows_scanned, estimated, done)
    }

    /// How long the rest may take; `None` while nobody can know.
    #[must_use]
    pub fn remaining(&self, now: Timestamp) -> Option<Remaining> {
        let estimated = self.started.as_ref()?.estimated_rows?;
        let left = estimated.checked_sub(self.rows_scanned)?;
        let history = seconds(self.phase_base?.0, now);
        if history < ETA_NEEDS_SECONDS {
            return None;
        }
        let (recent, overall) = (self.rate(now)?, self.rate_since_start(now)?);
        #[expect(clippy::cast_precision_loss, reason = "a display value")]
        let left = left as f64;
        let (fast, slow) = (recent.max(overall), recent.min(overall));
        // Two measures of one pace that agree by chance would print a range of no width.
        (0.0 < slow).then(|| Remaining { at_best: left / fast * 0.95, at_worst: left / slow * 1.1 })
    }
}

/// The fraction that is done: below 1 until `done`, and `None` while nobody can know, also once
/// more rows were scanned than the catalog had estimated.
#[must_use]
pub fn done_ratio(scanned: u64, estimated: Option<u64>, done: bool) -> Option<f64> {
    if done {
        return Some(1.0);
    }
    let estimated = estimated.filter(|rows| 0 < *rows && scanned <= *rows)?;
    #[expect(clippy::cast_precision_loss, reason = "a display value")]
    Some((scanned as f64 / estimated as f64).min(0.999))
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}

fn rate_between(first: (Timestamp, u64), last: (Timestamp, u64)) -> Option<f64> {
    let elapsed = seconds(first.0, last.0);
    #[expect(clippy::cast_precision_loss, reason = "a display value")]
    let rows = last.1.saturating_sub(first.1) as f64;
    (0.05 < elapsed).then(|| rows / elapsed)
}
