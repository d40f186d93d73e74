//! The fold of the event stream that displays share.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

use super::{Event, HoldView, JobState, Phase, Record, SignalView, Started};

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
    /// What the server is doing for the table at this moment.
    pub maintaining: Option<String>,
    /// Rows scanned in the present phase, earlier runs included.
    pub rows_scanned: u64,
    /// Rows changed in the write phase, earlier runs included.
    pub rows_changed: u64,
    /// Rows that verification found wrong so far.
    pub rows_wrong: u64,
    /// Rows that wait in quarantine.
    pub rows_quarantined: u64,
    /// How the watch over a verified job stands, if there is one.
    pub watch: Option<WatchView>,
    /// Why the job waits at this moment; empty: it does not.
    pub holds: Vec<HoldView>,
    /// The signals that are watched, as they were last read.
    pub signals: Vec<SignalView>,
    #[serde(skip)]
    samples: VecDeque<(Timestamp, u64)>,
    /// The highest fraction so far: a new estimate may find more rows left than the one before it,
    /// but what is done stays done.
    #[serde(skip)]
    shown: f64,
    #[serde(skip)]
    phase_base: Option<(Timestamp, u64)>,
    /// Since when the job is paused.
    #[serde(skip)]
    paused_at: Option<Timestamp>,
    /// Since when it steps aside, and for how long it has done so before, in this phase.
    #[serde(skip)]
    held: (Option<Timestamp>, f64),
}

/// How a watch stands.
#[derive(Debug, Clone, Serialize)]
pub struct WatchView {
    /// Since when every row that was looked at has been right; `None`: one is wrong.
    pub held_since: Option<Timestamp>,
    /// Until when it is watched.
    pub until: Timestamp,
    /// Rows that were looked at.
    pub rows: u64,
    /// Rows that were found wrong.
    pub violations: u64,
    /// How often the whole table was gone through.
    pub passes: u64,
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
    /// Rows that the server believes are left, where it was asked.
    pub rows_left: Option<u64>,
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
            // A handoff has no rows of a job, and a fold of its own.
            Event::Handoff(_) => {}
            Event::Started(started) => {
                *self =
                    Self { started: Some(started.clone()), state: self.state, ..Self::default() };
            }
            Event::StateChanged { to, reason, .. } => {
                self.state = Some(*to);
                self.reason.clone_from(reason);
                self.pause_or_go_on(*to == JobState::Paused, record.at);
                if *to == JobState::Paused {
                    self.free(record.at);
                }
            }
            Event::RangeOpened {
                phase,
                range,
                rows_scanned,
                rows_changed,
                rows_left,
                cursor,
                done,
                ..
            } => {
                self.enter(*phase, record.at);
                let known = self.ranges.insert(
                    *range,
                    RangeView {
                        rows_scanned: *rows_scanned,
                        rows_changed: *rows_changed,
                        rows_left: *rows_left,
                        cursor: cursor.clone(),
                        done: *done,
                        ..RangeView::default()
                    },
                );
                // One that is told of again is less far than it was, for the server has lost a part.
                let known = known.unwrap_or_default();
                let again = |all: u64, now: u64, before: u64| (all + now).saturating_sub(before);
                self.rows_scanned = again(self.rows_scanned, *rows_scanned, known.rows_scanned);
                let (rows, before) = (*rows_changed, known.rows_changed);
                match phase {
                    Phase::Write => self.rows_changed = again(self.rows_changed, rows, before),
                    Phase::Verify => self.rows_wrong = again(self.rows_wrong, rows, before),
                }
                // One that comes to be in the middle of the walk is no new beginning.
                if self.samples.len() < 2 {
                    self.phase_base = Some((record.at, self.rows_scanned));
                    self.samples = VecDeque::from([(record.at, self.rows_scanned)]);
                }
            }
            Event::BatchDone {
                phase,
                range,
                worker,
                rows_scanned,
                rows_changed,
                cursor,
                next_rows,
                rows_left,
                range_done,
                ..
            } => {
                let entry = self.ranges.entry(*range).or_default();
                entry.worker = Some(*worker);
                entry.rows_scanned += rows_scanned;
                entry.rows_changed += rows_changed;
                entry.next_rows = *next_rows;
                entry.rows_left = *rows_left;
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
                self.shown = self.shown.max(self.ratio().unwrap_or(0.0));
            }
            Event::Ended { state, reason } => {
                self.state = Some(*state);
                self.reason.clone_from(reason);
                self.free(record.at);
            }
            Event::Held { holds } => {
                self.holds.clone_from(holds);
                self.held.0.get_or_insert(record.at);
            }
            Event::Freed { .. } => self.free(record.at),
            Event::SignalsRead { signals } => self.signals.clone_from(signals),
            // Verification has no state of its own that could be paused.
            Event::Asked { action, .. } if self.verifying => match action.as_str() {
                "pause" => self.pause_or_go_on(true, record.at),
                "resume" => self.pause_or_go_on(false, record.at),
                _ => {}
            },
            Event::MaintenanceBegun { what } => self.maintaining = Some(what.clone()),
            Event::Maintained { .. } => self.maintaining = None,
            Event::RowQuarantined { .. } => self.rows_quarantined += 1,
            Event::QuarantineCounted { waiting } => self.rows_quarantined = *waiting,
            Event::WatchRead { held_since, until, rows, violations, passes } => {
                self.watch = Some(WatchView {
                    held_since: *held_since,
                    until: *until,
                    rows: *rows,
                    violations: *violations,
                    passes: *passes,
                });
            }
            Event::QuarantineReleased { .. }
            | Event::BatchRetried { .. }
            | Event::WatchBegan { .. }
            | Event::WatchBroken { .. }
            | Event::WatchMended { .. }
            | Event::Verified { .. }
            | Event::Asked { .. }
            | Event::CancelSent { .. }
            | Event::FencedOff { .. }
            | Event::Latched { .. }
            | Event::Released { .. }
            | Event::Tuned { .. }
            | Event::TuneRefused { .. } => {}
        }
    }

    fn enter(&mut self, phase: Phase, at: Timestamp) {
        let verifying = phase == Phase::Verify;
        self.maintaining = None;
        if verifying != self.verifying {
            self.verifying = verifying;
            self.ranges.clear();
            self.samples.clear();
            self.shown = 0.0;
            self.rows_scanned = 0;
            self.rows_wrong = 0;
            self.phase_base = Some((at, 0));
            self.held.1 = 0.0;
        }
    }

    fn free(&mut self, at: Timestamp) {
        self.holds.clear();
        if let Some(since) = self.held.0.take() {
            self.held.1 += seconds(since, at);
        }
    }

    /// Seconds of this phase in which the job stepped aside.
    fn held_seconds(&self, now: Timestamp) -> f64 {
        self.held.1 + self.held.0.map_or(0.0, |since| seconds(since, now))
    }

    /// A pause says nothing of the pace: on the clock that rates are taken by, it did not happen.
    fn pause_or_go_on(&mut self, paused: bool, at: Timestamp) {
        if paused {
            self.paused_at.get_or_insert(at);
        } else if let Some(since) = self.paused_at.take() {
            let pause = at.duration_since(since);
            let all = self.samples.iter_mut().chain(&mut self.phase_base);
            // A batch that was in flight ended after the pause began, and no later than now.
            all.for_each(|(time, _)| *time = at.min(*time + pause));
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

    /// The fraction that is done: below 1 until every range is walked, never falling; `None` while it
    /// is unknown.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let done = !self.ranges.is_empty() && self.ranges.values().all(|range| range.done);
        done_ratio(self.rows_scanned, self.rows_left(), done).map(|ratio| ratio.max(self.shown))
    }

    fn rows_left(&self) -> Option<u64> {
        let estimated = self.started.as_ref().and_then(|started| started.estimated_rows);
        let open = self.ranges.values().filter(|range| !range.done).map(|range| range.rows_left);
        rows_left(open, self.rows_scanned, estimated)
    }

    /// How long the rest may take; `None` while nobody can know, as in a pause.
    #[must_use]
    pub fn remaining(&self, now: Timestamp) -> Option<Remaining> {
        if self.paused_at.is_some() {
            return None;
        }
        let left = self.rows_left()?;
        let history = seconds(self.phase_base?.0, now);
        if history < ETA_NEEDS_SECONDS {
            return None;
        }
        let (recent, overall) = (self.rate(now)?, self.rate_since_start(now)?);
        #[expect(clippy::cast_precision_loss, reason = "a display value")]
        let left = left as f64;
        // At best it steps aside no more; at worst as often as until now.
        let worked = history - self.held_seconds(now);
        let unheld = if worked < ETA_NEEDS_SECONDS { recent } else { overall * history / worked };
        let (fast, slow) = (recent.max(overall).max(unheld), recent.min(overall));
        // Two measures of one pace that agree by chance would print a range of no width.
        (0.0 < slow).then(|| Remaining { at_best: left / fast * 0.95, at_worst: left / slow * 1.1 })
    }
}

/// Rows that are left in the open ranges: what the server believes of each, where it was asked of
/// all; else what the catalog's estimate of the table leaves. `None` once that was passed, for then
/// nobody knows.
#[must_use]
pub fn rows_left(
    open: impl Iterator<Item = Option<u64>>,
    scanned: u64,
    estimated: Option<u64>,
) -> Option<u64> {
    let known = open.sum::<Option<u64>>();
    known.or_else(|| estimated.filter(|rows| 0 < *rows)?.checked_sub(scanned))
}

/// The fraction that is done: below 1 until `done`, and `None` while nobody knows what is left.
#[must_use]
pub fn done_ratio(scanned: u64, left: Option<u64>, done: bool) -> Option<f64> {
    if done {
        return Some(1.0);
    }
    let left = left?;
    #[expect(clippy::cast_precision_loss, reason = "a display value")]
    let ratio = scanned as f64 / (scanned + left).max(1) as f64;
    Some(ratio.min(0.999))
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

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + second.seconds()
    }

    fn hear(view: &mut View, second: i64, event: Event) {
        view.apply(&Record { at: at(second), job: "job".into(), event });
    }

    fn batch(view: &mut View, second: i64) {
        let event = Event::BatchDone {
            phase: Phase::Write,
            range: 0,
            worker: 0,
            rows_scanned: 100,
            rows_changed: 100,
            seconds: 1.0,
            lock_wait_seconds: 0.0,
            log_bytes: None,
            cursor: "id=1".into(),
            next_rows: 100,
            rows_left: Some(1_000),
            range_done: false,
        };
        hear(view, second, event);
    }

    fn change(view: &mut View, second: i64, from: JobState, to: JobState) {
        hear(view, second, Event::StateChanged { from, to, reason: None, by: None });
    }

    /// A hundred rows a second, for ten seconds.
    fn begun() -> View {
        let mut view = View::default();
        let opened = Event::RangeOpened {
            phase: Phase::Write,
            range: 0,
            rows_scanned: 0,
            rows_changed: 0,
            batches: 0,
            rows_left: Some(2_000),
            cursor: None,
            done: false,
        };
        hear(&mut view, 0, opened);
        (1..=10).for_each(|second| batch(&mut view, second));
        view
    }

    #[test]
    fn what_the_server_has_lost_is_not_counted() {
        let mut view = begun();
        assert_eq!((view.rows_scanned, view.rows_changed), (1_000, 1_000));
        let lost = Event::RangeOpened {
            phase: Phase::Write,
            range: 0,
            rows_scanned: 700,
            rows_changed: 700,
            batches: 7,
            rows_left: None,
            cursor: None,
            done: false,
        };
        hear(&mut view, 10, lost);
        assert_eq!((view.rows_scanned, view.rows_changed), (700, 700));
        batch(&mut view, 11);
        assert_eq!((view.rows_scanned, view.rows_changed), (800, 800));
    }

    #[test]
    fn a_pause_is_no_slow_pace() {
        let mut view = begun();
        change(&mut view, 10, JobState::Running, JobState::Paused);
        // It was in flight.
        batch(&mut view, 11);
        assert_eq!(view.remaining(at(20)), None, "nobody knows when it goes on");
        change(&mut view, 1_000, JobState::Paused, JobState::Running);
        (1_001..=1_010).for_each(|second| batch(&mut view, second));
        let rate = view.rate(at(1_010)).unwrap();
        assert!((100.0..=106.0).contains(&rate), "{rate} rows/s");
        let left = view.remaining(at(1_010)).unwrap();
        assert!(9.0 < left.at_best && left.at_worst < 11.5, "{left:?}");
    }

    #[test]
    fn a_pause_of_verification_is_none_either() {
        let mut view = begun();
        let opened = Event::RangeOpened {
            phase: Phase::Verify,
            range: 0,
            rows_scanned: 0,
            rows_changed: 0,
            batches: 0,
            rows_left: Some(2_000),
            cursor: None,
            done: false,
        };
        hear(&mut view, 11, opened);
        let ask = |action: &str| Event::Asked {
            action: action.into(),
            source: "cli".into(),
            by: "me".into(),
            reason: None,
        };
        (12..=20).for_each(|second| batch(&mut view, second));
        hear(&mut view, 20, ask("pause"));
        assert_eq!(view.remaining(at(30)), None);
        hear(&mut view, 1_000, ask("resume"));
        (1_001..=1_010).for_each(|second| batch(&mut view, second));
        let rate = view.rate(at(1_010)).unwrap();
        assert!((94.0..=106.0).contains(&rate), "{rate} rows/s");
    }

    #[test]
    fn time_in_which_it_stepped_aside_widens_what_is_left() {
        let mut view = begun();
        let hold = HoldView { signal: "file".into(), reason: "file 1 > 0".into() };
        hear(&mut view, 10, Event::Held { holds: vec![hold.clone()] });
        assert_eq!(view.holds, [hold]);
        let left = view.remaining(at(100)).unwrap();
        // A hundred rows a second if it steps aside no more, ten if as much as until now.
        assert!((9.0..11.0).contains(&left.at_best) && 100.0 < left.at_worst, "{left:?}");
        hear(&mut view, 100, Event::Freed { seconds: 90.0 });
        assert!(view.holds.is_empty());
        (101..=110).for_each(|second| batch(&mut view, second));
        let left = view.remaining(at(110)).unwrap();
        assert!((9.0..11.0).contains(&left.at_best) && 50.0 < left.at_worst, "{left:?}");
    }

    #[test]
    fn a_job_that_stands_still_is_slow() {
        let view = begun();
        assert_eq!(view.rate(at(10)), Some(100.0));
        assert_eq!(view.rate(at(40)), Some(25.0));
    }
}
