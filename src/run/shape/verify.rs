//! `[verify]`: the read-only pass at the end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Poison, Shape, Window};
use crate::event::Phase;
use crate::keyspace::Range;
use crate::plan::Statements;
use crate::run::finish::Verdict;
use crate::run::read::{read_count, read_key};
use crate::run::released::Released;
use crate::run::seat::Seat;
use crate::run::{Error, Run};
use crate::target::{self, Class};

/// Keys of wrong rows that are kept for the message: enough to look at, few enough to read.
const EXAMPLES: usize = 5;

/// Rows on which a condition itself may fail; with more the spec is wrong and not the rows.
const FAILING: u64 = 100;

/// Counts what is left over and what violates the expectation.
#[derive(Default)]
pub(in crate::run) struct Verify {
    /// Rows that are not counted.
    released: Released,
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    rows: u64,
    remaining: u64,
    mismatched: u64,
    /// Of those, the rows on which a condition itself failed.
    failing: u64,
    examples: Vec<String>,
}

impl Verify {
    /// One that does not count these rows.
    pub(in crate::run) fn without(released: Released) -> Self {
        Self { released, found: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found so far.
    pub(in crate::run) fn verdict(&self, statements: &Statements) -> Verdict {
        let found = self.lock();
        Verdict {
            rows: found.rows,
            remaining: statements.remaining.then_some(found.remaining),
            mismatched: (statements.expect.is_some() || 0 < found.failing)
                .then_some(found.mismatched),
            examples: found.examples.clone(),
        }
    }
}

#[async_trait]
impl Shape for Verify {
    fn phase(&self) -> Phase {
        Phase::Verify
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
        let verify = statements.verify(dialect, after, upto).labelled(&run.plan.label(range.id));
        let rows = session.query(&verify).await?;
        let scanned = read_count(&rows, 0)?;
        let wrong = (read_count(&rows, 1)?, read_count(&rows, 2)?);
        let (remaining, mismatched) = self.released.discount(run, session, window, wrong).await?;
        let wanted = EXAMPLES.saturating_sub(self.lock().examples.len());
        let mut examples = Vec::new();
        if 0 < remaining + mismatched && 0 < wanted {
            let wanted = wanted + self.released.len();
            for row in session.query(&statements.wrong_keys(dialect, after, upto, wanted)).await? {
                let key = read_key(&run.plan, row)?;
                if !self.released.contains(&key) {
                    examples.push(run.plan.show_key(&key));
                }
            }
        }
        // All at once and at the end: a window that fails half-way is counted again.
        let mut found = self.lock();
        found.rows += scanned;
        found.remaining += remaining;
        found.mismatched += mismatched;
        found.examples.extend(examples);
        found.examples.truncate(EXAMPLES);
        *range = range.advanced(upto, window.rows, 0, window.last);
        Ok(remaining + mismatched)
    }

    /// Of a row on which `expect` or `where` fails nobody can say that it is as it should be.
    async fn pass_over(
        &self,
        run: &Run,
        _seat: &mut Seat,
        window: &Window,
        range: &mut Range,
        poison: &Poison,
    ) -> Result<(), Error> {
        let mut found = self.lock();
        found.rows += 1;
        if !self.released.contains(&poison.key) {
            if FAILING <= found.failing {
                let error = target::Error { class: Class::Refused, ..poison.error.clone() };
                return Err(Error::Target(error));
            }
            found.mismatched += 1;
            found.failing += 1;
            if found.examples.len() < EXAMPLES {
                let key = run.plan.show_key(&poison.key);
                found.examples.push(format!("{key} ({})", poison.error));
            }
        }
        *range = range.advanced(&window.upto, 1, 0, window.last);
        Ok(())
    }
}
