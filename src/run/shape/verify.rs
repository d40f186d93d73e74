//! `[verify]`: the read-only pass at the end.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Shape, Window};
use crate::event::Phase;
use crate::keyspace::Range;
use crate::plan::Statements;
use crate::run::finish::Verdict;
use crate::run::read::{read_count, read_key};
use crate::run::seat::Seat;
use crate::run::{Error, Run};

/// Keys of wrong rows that are kept for the message: enough to look at, few enough to read.
const EXAMPLES: usize = 5;

/// Counts what is left over and what violates the expectation.
#[derive(Default)]
pub(in crate::run) struct Verify {
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    rows: u64,
    remaining: u64,
    mismatched: u64,
    examples: Vec<String>,
}

impl Verify {
    fn lock(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found so far.
    pub(in crate::run) fn verdict(&self, statements: &Statements) -> Verdict {
        let found = self.lock();
        Verdict {
            rows: found.rows,
            remaining: statements.remaining.then_some(found.remaining),
            mismatched: statements.expect.is_some().then_some(found.mismatched),
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
        let (remaining, mismatched) = (read_count(&rows, 1)?, read_count(&rows, 2)?);
        let wanted = EXAMPLES.saturating_sub(self.lock().examples.len());
        let mut examples = Vec::new();
        if 0 < remaining + mismatched && 0 < wanted {
            for row in session.query(&statements.wrong_keys(dialect, after, upto, wanted)).await? {
                examples.push(run.plan.show_key(&read_key(&run.plan, row)?));
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
}
