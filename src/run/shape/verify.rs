//! `[verify]`: a window of the read-only look at the end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Poison, Shape, Window};
use crate::event::Phase;
use crate::keyspace::{Checked, Counts, Range, WrongKey};
use crate::plan::Statements;
use crate::run::read::{read_count, read_key, read_sum};
use crate::run::released::Released;
use crate::run::seat::Seat;
use crate::run::{Error, Run};
use crate::target::{self, Class};

/// Keys of wrong rows that are kept of each range, and told in the report: enough to find what they
/// have in common, few enough to read.
pub(in crate::run) const KEYS: usize = 20;

/// Rows on which a condition itself may fail; with more the spec is wrong and not the rows.
const FAILING: u64 = 100;

/// Counts what is left over and what violates the expectation.
pub(in crate::run) struct Verify {
    checks: Mutex<BTreeMap<u32, Checked>>,
    /// Whether it can go on later where it is.
    keeps: bool,
    /// Rows that are not counted as wrong.
    released: Released,
    /// Rows on which a condition itself failed.
    failing: AtomicU64,
}

impl Verify {
    /// A look over these ranges that the journal remembers.
    pub(in crate::run) fn kept(checks: Vec<Checked>, released: Released) -> Self {
        Self { keeps: true, ..Self::passing(checks, released) }
    }

    /// A look that nobody will go on with.
    pub(in crate::run) fn passing(checks: Vec<Checked>, released: Released) -> Self {
        let checks = checks.into_iter().map(|checked| (checked.range.id, checked)).collect();
        Self { checks: Mutex::new(checks), keeps: false, released, failing: AtomicU64::new(0) }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Checked>> {
        self.checks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found so far.
    pub(in crate::run) fn checks(&self) -> Vec<Checked> {
        self.lock().values().cloned().collect()
    }

    fn of(&self, range: &Range) -> Checked {
        let known = self.lock().get(&range.id).cloned();
        known.unwrap_or_else(|| Checked::new(range.clone(), true))
    }

    /// What belongs to a range changes all at once, in memory as in the journal.
    fn keep(&self, run: &Run, checks: Vec<Checked>) -> Result<(), Error> {
        if self.keeps {
            let all: Vec<_> = checks.iter().collect();
            run.journal.keep_checked(&run.plan.spec.job.name, &all)?;
        }
        self.lock().extend(checks.into_iter().map(|checked| (checked.range.id, checked)));
        Ok(())
    }
}

#[async_trait]
impl Shape for Verify {
    fn phase(&self) -> Phase {
        Phase::Verify
    }

    fn shared(&self, run: &Run, kept: &Range, given: &Range) -> Result<(), Error> {
        let checked = self.of(kept);
        let new = Checked::new(given.clone(), checked.expects);
        self.keep(run, vec![Checked { range: kept.clone(), ..checked }, new])
    }

    async fn apply(
        &self,
        run: &Run,
        seat: &mut Seat,
        window: &Window,
        range: &mut Range,
    ) -> Result<u64, Error> {
        let session = seat.session.as_mut();
        let (dialect, statements) = (run.target.dialect(), run.plan.statements_of(self.phase()));
        let (after, upto) = (window.after.as_ref(), &window.upto);
        let mut checked = self.of(range);
        let expects = checked.expects && statements.expect.is_some();
        let look = statements.verify(dialect, after, upto, expects, self.keeps);
        let rows = session.query(&look.labelled(&run.plan.label(range.id))).await?;
        let counted = read_count(&rows, 0)?;
        let found = Counts {
            rows: counted,
            expected: if expects { counted } else { 0 },
            remaining: read_count(&rows, 1)?,
            unwritten: read_count(&rows, 2)?,
            mismatched: read_count(&rows, 3)?,
        };
        let sum = read_sum(&rows, 4)?;
        let found = self.released.discount(run, session, window, found, expects).await?;
        // What a sweep writes, or what a watch has to look at until it is right.
        let noted = 0 < if self.keeps { found.unwritten } else { found.wrong() };
        let wanted = KEYS.saturating_sub(checked.tally.kept(noted));
        if 0 < found.wrong() && 0 < wanted {
            let most = wanted + self.released.len();
            let look = statements.wrong_keys(dialect, after, upto, most, expects);
            let mut keys = Vec::new();
            for row in session.query(&look).await? {
                keys.push(read_key(&run.plan, row)?);
            }
            keys.retain(|key| !self.released.contains(key));
            for key in keys.iter().take(wanted).map(|key| run.plan.show_key(key)) {
                checked.tally.keys.push(WrongKey { key, noted });
            }
        }
        // At the end: a window that fails half-way is counted again.
        checked.tally.add(after, upto, found, noted);
        checked.tally.checksum = checked.tally.checksum.wrapping_add(sum);
        checked.range = range.advanced(upto, window.rows, found.wrong(), window.last);
        *range = checked.range.clone();
        self.keep(run, vec![checked])?;
        Ok(found.wrong())
    }

    /// Of a row on which `expect` or `where` fails nobody can say that it is as it should be.
    async fn pass_over(
        &self,
        run: &Run,
        seat: &mut Seat,
        window: &Window,
        range: &mut Range,
        poison: &Poison,
    ) -> Result<(), Error> {
        let mut checked = self.of(range);
        let mismatched = u64::from(!self.released.contains(&poison.key));
        if 0 < mismatched {
            if FAILING <= self.failing.fetch_add(1, Ordering::Relaxed) {
                let error = target::Error { class: Class::Refused, ..poison.error.clone() };
                return Err(Error::Target(error));
            }
            if checked.tally.kept(false) < KEYS {
                let key = format!("{} ({})", run.plan.show_key(&poison.key), poison.error);
                checked.tally.keys.push(WrongKey { key, noted: false });
            }
        }
        let statements = run.plan.statements_of(self.phase());
        if statements.checksum && self.keeps {
            // The conditions fail on the row, and its values count all the same.
            let bare =
                Statements { expect: None, remaining: false, sweeps: false, ..statements.clone() };
            let (after, upto) = (window.after.as_ref(), &window.upto);
            let look = bare.verify(run.target.dialect(), after, upto, false, true);
            let rows = seat.session.query(&look.labelled(&run.plan.label(range.id))).await?;
            checked.tally.checksum = checked.tally.checksum.wrapping_add(read_sum(&rows, 4)?);
        }
        let expected = u64::from(checked.expects);
        let found = Counts { rows: 1, expected, mismatched, ..Counts::default() };
        // A sweep cannot write it; a watch goes on looking at it until it is right.
        let noted = !self.keeps && 0 < mismatched;
        checked.tally.add(window.after.as_ref(), &window.upto, found, noted);
        checked.range = range.advanced(&window.upto, 1, mismatched, window.last);
        *range = checked.range.clone();
        self.keep(run, vec![checked])
    }
}
