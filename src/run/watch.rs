//! Whether it stays so: a verified job is watched, because the application is to write both values now.
//!
//! Every few seconds three things are looked at: the keys that have come above the last one, for a row
//! that is inserted tells first; a slice of the table, so that the whole of it is gone through again and
//! again, for a row that is updated has its new value anywhere; and the windows that were found wrong. With
//! `changed_at`, rows that were written since take the place of the slice ([`super::changes`]).
//!
//! A look is an ordinary walk: it waits for signals, pauses, and ends when it is told to.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::changes::Changes;
use super::finish::Outcome;
use super::released::Released;
use super::shape::verify::Verify;
use super::survey::one_key;
use super::verdict::Seen;
use super::{Error, Run, walk};
use crate::control::Level;
use crate::event::Event;
use crate::gate::evidence::Period;
use crate::keyspace::{Checked, Key, Noted, Range, Tally, WrongKey};
use crate::target::Session;

/// From the beginning of one look to that of the next.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A slice that takes longer becomes smaller, and one that takes less than half of it larger: a tenth of
/// the time is gentle.
const SLICE: Duration = Duration::from_millis(200);

/// Rows of the first slice, and of the largest.
const FIRST_ROWS: u64 = 5_000;
const MOST_ROWS: u64 = 500_000;

/// New keys that one look goes over; what is more comes next time.
const MOST_NEW: u64 = 100_000;

/// Windows that were found wrong and are looked at each time.
const MOST_WRONG: usize = 64;

/// What is known while it is watched.
pub(super) struct Watch {
    pub(super) seen: Seen,
    /// Since when nothing has been wrong.
    held_since: Option<Timestamp>,
    broken_at: Instant,
    /// Windows with wrong rows.
    wrong: Vec<Noted>,
    /// Keys of wrong rows, for people, so that a row that stays wrong counts once.
    known: BTreeSet<String>,
    /// The last key that was looked at of those that come.
    newest: Option<Key>,
    /// Where the pass over the table is, and where it ends.
    pass: Option<(Option<Key>, Key)>,
    slice_rows: u64,
    passes: u64,
}

/// What one look goes over.
#[derive(Default)]
struct Plan {
    /// Up to where keys that have come are looked at.
    new: Option<(Option<Key>, Key)>,
    slice: Option<(Option<Key>, Key)>,
    /// Whether the pass over the table ends with the slice.
    ends_pass: bool,
}

impl Run {
    /// Verifies, and then watches for that long whether it stays so.
    pub(super) async fn watch_rows(self: &Arc<Self>, time: Duration) -> Result<Outcome, Error> {
        let mut verdict = match self.verify(false).await? {
            Outcome::Done(Some(verdict)) if verdict.passed() => verdict,
            outcome => return Ok(outcome),
        };
        let mut watch = Watch::begin();
        let left = self.watch_for(time, &mut watch).await?;
        verdict.keys = watch.known.iter().cloned().chain(watch.first_keys()).collect();
        verdict.keys.dedup();
        verdict.keys.truncate(super::shape::verify::KEYS);
        verdict.watched = Some(watch.end());
        verdict.finished_at = Timestamp::now();
        self.lifecycle.apply(crate::event::Trigger::VerifyStarted, None, None)?;
        self.end_verification(verdict.clone())?;
        Ok(if left { Outcome::Watched(Box::new(verdict)) } else { Outcome::Done(Some(verdict)) })
    }

    /// Says whether it was told to leave before the time was over.
    async fn watch_for(self: &Arc<Self>, time: Duration, watch: &mut Watch) -> Result<bool, Error> {
        let begun = Instant::now();
        let until = Timestamp::now().checked_add(time).unwrap_or(Timestamp::MAX);
        let mut changes = match &self.plan.spec.verify.changed_at {
            Some(_) => {
                match self.planned(async |session| Changes::begin(self, session).await).await? {
                    Some(changes) => Some(changes),
                    None => return Ok(true),
                }
            }
            None => None,
        };
        let last = self.plan.verification.last_key(self.target.dialect());
        let newest = self.planned(async |session| one_key(&self.plan, session.query(&last).await?));
        let Some(newest) = newest.await? else { return Ok(true) };
        watch.newest = newest;
        self.tell(Event::WatchBegan { until });
        loop {
            let look = Instant::now();
            if !self.gate_is_open().await? || !self.look(watch, changes.as_mut()).await? {
                return Ok(true);
            }
            self.bus.emit(Event::WatchRead {
                held_since: watch.held_since,
                until,
                rows: watch.seen.rows,
                violations: watch.seen.violations,
                passes: watch.passes,
            });
            let left = time.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(false);
            }
            let rest = LOOK_EVERY.saturating_sub(look.elapsed()).max(LOOK_EVERY / 10).min(left);
            tokio::select! {
                () = tokio::time::sleep(rest) => {}
                () = self.stop.reached(Level::Drain) => return Ok(true),
            }
        }
    }

    /// Waits while the job is paused or has to step aside; says whether to go on.
    async fn gate_is_open(&self) -> Result<bool, Error> {
        let (mut asks, mut holds) = (self.stop.watch(), self.board.watch());
        self.lifecycle.enter();
        let open = loop {
            asks.mark_unchanged();
            holds.mark_unchanged();
            let gate = self.gate();
            if !gate.is_shut() {
                break gate.ask.level < Level::Drain;
            }
            self.lifecycle.park(&gate)?;
            tokio::select! {
                _ = asks.changed() => {}
                _ = holds.changed() => {}
            }
            self.lifecycle.unpark(&self.gate())?;
        };
        self.lifecycle.leave(&self.gate())?;
        Ok(open)
    }

    /// One look. Says whether it came to its end.
    async fn look(
        self: &Arc<Self>,
        watch: &mut Watch,
        changes: Option<&mut Changes>,
    ) -> Result<bool, Error> {
        let at = Timestamp::now();
        let slices = changes.is_none();
        let planned = self.planned(async |session| watch.plan(self, session, slices).await).await?;
        let Some(plan) = planned else { return Ok(false) };
        let mut found = Vec::new();
        if let Some(changes) = changes {
            let looked = self.planned(async |session| changes.look(self, session).await).await?;
            let Some(looked) = looked else { return Ok(false) };
            found.push(looked);
        }
        let began = Instant::now();
        let old = std::mem::take(&mut watch.wrong);
        let windows = old.into_iter().map(|window| (window.lo, window.hi));
        let ranges = windows.chain(plan.new.clone()).chain(plan.slice.clone());
        let checks: Vec<_> = (0..)
            .zip(ranges)
            .map(|(id, (lo, hi))| Checked::new(Range::new(id, lo, hi), true))
            .collect();
        let ranges = checks.iter().map(|checked| checked.range.clone()).collect();
        let shape = Arc::new(Verify::passing(checks, Released::of(self)?));
        if walk::walk(self, shape.clone(), ranges, 0).await? {
            return Ok(false);
        }
        found.extend(shape.checks().into_iter().map(|checked| checked.tally));
        watch.settle(plan, began.elapsed());
        watch.judge(self, found, at);
        Ok(true)
    }
}

impl Watch {
    fn begin() -> Self {
        Self {
            seen: Seen::default(),
            held_since: Some(Timestamp::now()),
            broken_at: Instant::now(),
            wrong: Vec::new(),
            known: BTreeSet::new(),
            newest: None,
            pass: None,
            slice_rows: FIRST_ROWS,
            passes: 0,
        }
    }

    /// The keys with which stretches ended.
    fn first_keys(&self) -> impl Iterator<Item = String> {
        self.seen.periods.iter().filter_map(|period| period.ended_by.clone())
    }

    fn end(mut self) -> Seen {
        if let Some(from) = self.held_since {
            let (from, until) = (from.to_string(), Timestamp::now().to_string());
            self.seen.periods.push(Period { from, until, ended_by: None });
        }
        self.seen
    }

    async fn plan(
        &mut self,
        run: &Run,
        session: &mut dyn Session,
        slices: bool,
    ) -> Result<Plan, Error> {
        let (dialect, statements) = (run.target.dialect(), &run.plan.verification);
        let last = one_key(&run.plan, session.query(&statements.last_key(dialect)).await?)?;
        let Some(last) = last else { return Ok(Plan::default()) };
        let mut plan = Plan::default();
        if self.newest.as_ref() != Some(&last) {
            let from = self.newest.clone();
            let end = end_of(run, session, from.as_ref(), &last, MOST_NEW).await?;
            plan.new = Some((from, end.unwrap_or_else(|| last.clone())));
        }
        if slices {
            let (from, hi) = self.pass.clone().unwrap_or((None, last));
            let end = end_of(run, session, from.as_ref(), &hi, self.slice_rows).await?;
            plan.ends_pass = end.as_ref().is_none_or(|end| *end == hi);
            self.pass = Some((from.clone(), hi.clone()));
            plan.slice = Some((from, end.unwrap_or(hi)));
        }
        Ok(plan)
    }

    /// What was planned is done, and took that long.
    fn settle(&mut self, plan: Plan, took: Duration) {
        if let Some((_, end)) = plan.new {
            self.newest = Some(end);
        }
        let Some((_, end)) = plan.slice else { return };
        self.pass = match self.pass.take() {
            Some((_, hi)) if !plan.ends_pass => Some((Some(end), hi)),
            _ => {
                self.passes += 1;
                None
            }
        };
        if SLICE < took {
            self.slice_rows = (self.slice_rows / 2).max(FIRST_ROWS / 10);
        } else if took < SLICE / 2 {
            self.slice_rows = (self.slice_rows * 2).min(MOST_ROWS);
        }
    }

    /// Wrong rows of the tally that were not known to be. Where they are more than it names, none of the
    /// others was.
    fn fresh_rows(&self, tally: &Tally, found: &BTreeSet<String>) -> u64 {
        let known = |one: &&WrongKey| self.known.contains(&one.key) || found.contains(&one.key);
        let old = tally.keys.iter().filter(known).count() as u64;
        if old == tally.keys.len() as u64 {
            return 0;
        }
        // Rows may be wrong in two ways; that many there are at least.
        tally.counts.remaining.max(tally.counts.mismatched).saturating_sub(old).max(1)
    }

    /// Takes note of what a look has found that began at that time.
    fn judge(&mut self, run: &Run, found: Vec<Tally>, at: Timestamp) {
        let mut keys = BTreeSet::new();
        let mut first = None;
        for tally in found {
            self.seen.rows += tally.counts.rows;
            self.seen.violations += self.fresh_rows(&tally, &keys);
            first = first.or_else(|| tally.keys.first().map(|one| one.key.clone()));
            keys.extend(tally.keys.into_iter().map(|one| one.key));
            self.wrong.extend(tally.noted);
        }
        self.wrong.dedup_by(|one, other| one.lo == other.lo && one.hi == other.hi);
        self.wrong.truncate(MOST_WRONG);
        self.known = keys;
        match (first, self.held_since) {
            (Some(key), Some(from)) => {
                let (from, until) = (from.to_string(), at.to_string());
                self.seen.periods.push(Period { from, until, ended_by: Some(key.clone()) });
                self.held_since = None;
                self.broken_at = Instant::now();
                run.tell(Event::WatchBroken { key });
            }
            (None, None) => {
                self.held_since = Some(Timestamp::now());
                run.tell(Event::WatchMended { seconds: self.broken_at.elapsed().as_secs_f64() });
            }
            _ => {}
        }
    }
}

/// The key that so many rows above `from` end with; `None` where `hi` comes before it.
async fn end_of(
    run: &Run,
    session: &mut dyn Session,
    from: Option<&Key>,
    hi: &Key,
    rows: u64,
) -> Result<Option<Key>, Error> {
    let look = run.plan.verification.boundary(run.target.dialect(), from, hi, rows);
    let mut found = session.query(&look).await?;
    let past = found.first_mut().and_then(Vec::pop).flatten();
    if past.as_deref() != Some("0") {
        return Ok(None);
    }
    one_key(&run.plan, found)
}
