//! The end that is one: what is left is found by a second look, written, and looked at once more.
//!
//! Every bound is fixed when a pass begins, and there are at most two looks and one sweep, so a job ends
//! however fast the application writes:
//!
//! 1. The first look goes over the table, up to the last key that it has at that moment. It notes the
//!    windows in which rows are left that the write would change: rows that came behind the cursor or
//!    above the job's bound, or were committed late.
//! 2. Those windows are added to the job as ranges and walked by it like all others.
//! 3. The second look goes over the same windows, and the rows above the bound of the first. What is
//!    left then came while the run was going on: the application does not write the new value.

use std::sync::Arc;

use jiff::Timestamp;

use super::absence::Who;
use super::extend::Bounds;
use super::finish::Outcome;
use super::released::Released;
use super::verdict::Verdict;
use super::{Error, Run, retry, sample, shape, survey, walk};
use crate::control::Level;
use crate::event::{Event, Trigger};
use crate::journal::Verification;
use crate::keyspace::{Checked, Key, Noted, Range, Tally, WrongKey, in_order, to_walk_again};
use crate::target::{Class, Session};

/// The number of the first look, and of the one after the sweep.
const FIRST: u32 = 1;
const SECOND: u32 = 2;

/// A look and its ranges, as far as they are.
type Look = (Verification, Vec<Checked>);

impl Run {
    /// Verifies; where `sweeps`, what is left of a convergent job is written in between.
    pub(super) async fn verify(self: &Arc<Self>, sweeps: bool) -> Result<Outcome, Error> {
        let sweeps = sweeps && self.plan.statements.sweeps;
        self.lifecycle.apply(Trigger::VerifyStarted, None, None)?;
        let Some(mut look) = self.take_up().await? else { return Ok(Outcome::Left) };
        loop {
            let (about, checks) = look;
            let Some(checks) = self.look_over(checks).await? else {
                return Ok(Outcome::Left);
            };
            let windows = to_walk_again(&checks);
            if about.look == SECOND || !sweeps || windows.is_empty() {
                return self.conclude(&about, &checks);
            }
            if let Some(end) = self.sweep(&windows).await? {
                return Ok(end);
            }
            self.lifecycle.apply(Trigger::VerifyStarted, None, None)?;
            let Some(second) = self.second_look(&about, &checks, windows).await? else {
                return Ok(Outcome::Left);
            };
            look = second;
        }
    }

    /// Looks over the ranges. `None`: it was told to leave.
    async fn look_over(
        self: &Arc<Self>,
        checks: Vec<Checked>,
    ) -> Result<Option<Vec<Checked>>, Error> {
        let ranges = checks.iter().map(|checked| checked.range.clone()).collect();
        let shape = Arc::new(shape::verify::Verify::kept(checks, Released::of(self)?));
        let left = walk::walk(self, shape.clone(), ranges, 0).await?;
        Ok((!left).then(|| in_order(shape.checks())))
    }

    /// The look that an earlier run was at, if it is still one over what was written; else a first one.
    async fn take_up(&self) -> Result<Option<Look>, Error> {
        let job = &self.plan.spec.job.name;
        let batches = self.written()?.iter().map(|range| range.batches).sum();
        if let Some((about, checks)) = self.journal.verification(job)?
            && about.generation == self.generation
            && about.spec_hash == self.plan.spec_hash
            && about.batches == batches
        {
            return Ok(Some((about, checks)));
        }
        let about = Verification {
            generation: self.generation,
            spec_hash: self.plan.spec_hash.clone(),
            batches,
            look: FIRST,
            bound: None,
            settled: Tally::default(),
            started_at: Timestamp::now(),
        };
        let found = self
            .planned(async |session| sample::whole_table(&self.plan, &*self.target, session).await);
        let Some((checks, bound)) = found.await? else { return Ok(None) };
        let about = Verification { bound, ..about };
        self.journal.begin_look(job, &about, &checks)?;
        Ok(Some((about, checks)))
    }

    /// The job's ranges. The journal was made to match the fence when the job was taken.
    fn written(&self) -> Result<Vec<Range>, Error> {
        let points = self.journal.checkpoints(&self.plan.spec.job.name)?;
        Ok(points.into_iter().map(|point| point.range).collect())
    }

    /// Rows that the job has scanned and changed.
    pub(super) fn written_rows(&self) -> Result<(u64, u64), Error> {
        let ranges = self.written()?;
        let scanned = ranges.iter().map(|range| range.rows_scanned).sum();
        Ok((scanned, ranges.iter().map(|range| range.rows_changed).sum()))
    }

    /// Writes what is left in these windows. Returns how the run ends, if it ends with that.
    async fn sweep(self: &Arc<Self>, windows: &[Noted]) -> Result<Option<Outcome>, Error> {
        let unwritten: u64 = windows.iter().map(|window| window.counts().unwritten).sum();
        let places = if windows.len() == 1 {
            "one place".to_owned()
        } else {
            format!("{} places", windows.len())
        };
        let reason = format!("{unwritten} rows are left over in {places}, and are written now");
        self.lifecycle.apply(Trigger::SweepStarted, None, Some(reason))?;
        let bounds: Vec<Bounds> =
            windows.iter().map(|window| (window.lo.clone(), window.hi.clone())).collect();
        let ranges = self.extend(&self.written()?, bounds, &[], |_| Ok(())).await?;
        if self.write_all(ranges).await? {
            return Ok(Some(Outcome::Left));
        }
        self.end_walk()
    }

    /// A look over what was swept and what came after the first look began; over the whole table where
    /// a checksum is taken, for that of the first look is out of date.
    async fn second_look(
        &self,
        first: &Verification,
        checks: &[Checked],
        windows: Vec<Noted>,
    ) -> Result<Option<Look>, Error> {
        let whole = self.plan.statements.checksum;
        let found = self.planned(async |session| {
            if whole {
                return sample::whole_table(&self.plan, &*self.target, session).await;
            }
            let last = self.plan.verification.last_key(self.target.dialect());
            Ok((Vec::new(), survey::one_key(&self.plan, session.query(&last).await?)?))
        });
        let Some((mut again, last)) = found.await? else { return Ok(None) };
        let mut settled = Tally::default();
        if !whole {
            settled = sum(checks);
            // The second look tells what is wrong there now.
            settled.keys.retain(|key| !key.noted);
            for window in &windows {
                settled.counts = settled.counts.minus(window.counts());
            }
            let windows = windows.into_iter().map(|window| (window.lo, window.hi));
            let above = last.filter(|last| Some(last) != first.bound.as_ref());
            let above = above.map(|last| (first.bound.clone(), last));
            again = (0..)
                .zip(windows.chain(above))
                .map(|(id, (lo, hi)): (u32, (Option<Key>, Key))| {
                    Checked::new(Range::new(id, lo, hi), true)
                })
                .collect();
        }
        let batches = self.written()?.iter().map(|range| range.batches).sum();
        let second = Verification { look: SECOND, batches, settled, ..first.clone() };
        self.journal.begin_look(&self.plan.spec.job.name, &second, &again)?;
        Ok(Some((second, again)))
    }

    /// The verdict, the state that follows from it, and the report.
    fn conclude(&self, about: &Verification, checks: &[Checked]) -> Result<Outcome, Error> {
        let statements = &self.plan.statements;
        let last = sum(checks);
        let counts = about.settled.counts.plus(last.counts);
        let mut keys: Vec<String> = Vec::new();
        for WrongKey { key, .. } in about.settled.keys.iter().cloned().chain(last.keys) {
            // Between noted windows, a row may have been looked at twice.
            if keys.len() < shape::verify::KEYS && !keys.contains(&key) {
                keys.push(key);
            }
        }
        let verdict = Verdict {
            rows: counts.rows,
            remaining: statements.remaining.then_some(counts.remaining),
            // Also without an expectation: a row on which the condition of the spec fails.
            mismatched: (statements.expect.is_some() || 0 < counts.mismatched)
                .then_some(counts.mismatched),
            sampled: self.plan.spec.verify.sample.map(|_| counts.expected),
            unwritten: counts.unwritten,
            swept: about.look == SECOND,
            may_sweep: statements.sweeps,
            checksum: statements.checksum.then(|| format!("{:032x}", last.checksum)),
            keys,
            started_at: about.started_at,
            finished_at: Timestamp::now(),
            watched: None,
        };
        self.end_verification(verdict)
    }

    /// Writes the verdict down: as the job's state, as an event, and as a report.
    pub(super) fn end_verification(&self, verdict: Verdict) -> Result<Outcome, Error> {
        self.bus.emit(Event::Verified {
            rows: verdict.rows,
            remaining: verdict.remaining,
            mismatched: verdict.mismatched,
            sampled: verdict.sampled,
            checksum: verdict.checksum.clone(),
        });
        let (trigger, reason) = if verdict.passed() {
            (Trigger::VerifyPassed, None)
        } else {
            (Trigger::VerifyFailed, Some(verdict.sentence()))
        };
        self.lifecycle.apply(trigger, None, reason)?;
        let report = serde_json::to_value(self.evidence(Some(&verdict))?).unwrap_or_default();
        self.journal.end_verification(&self.plan.spec.job.name, verdict.passed(), &report)?;
        Ok(Outcome::Done(Some(verdict)))
    }

    /// Looks something up before a walk, on a session of its own that a kill ends. `None`: it did.
    pub(super) async fn planned<T>(
        &self,
        mut look: impl AsyncFnMut(&mut dyn Session) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let mut losses = 0;
        loop {
            let Some(mut session) = self.open_patiently("planner", Who::Course).await? else {
                return Ok(None);
            };
            let brake = session.brake();
            let found = self.braked_by_people(brake, look(session.as_mut())).await;
            session.close().await;
            match found.result {
                Err(Error::Target(error))
                    if (error.class == Class::Cancelled || error.is_lost())
                        && Level::Cancel <= self.stop.level() =>
                {
                    return Ok(None);
                }
                Err(error) if error.passing().is_some() && losses < retry::LOSSES => losses += 1,
                result => return result.map(Some),
            }
        }
    }
}

/// What was found in all ranges together. The keys stand in the order of the ranges.
fn sum(checks: &[Checked]) -> Tally {
    let mut sum = Tally::default();
    for Checked { tally, .. } in checks {
        sum.counts = sum.counts.plus(tally.counts);
        sum.checksum = sum.checksum.wrapping_add(tally.checksum);
        sum.keys.extend(tally.keys.iter().cloned());
    }
    sum
}
