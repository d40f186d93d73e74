//! `[verify]`: the read-only pass at the end.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{Shape, Window};
use crate::event::Phase;
use crate::keyspace::Range;
use crate::plan::Statements;
use crate::run::finish::Verdict;
use crate::run::walk::read_key;
use crate::run::{Error, Run};
use crate::target::Session;

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
    /// What was found so far.
    pub(in crate::run) fn verdict(&self, statements: &Statements) -> Verdict {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
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
        session: &mut dyn Session,
        window: &Window,
        _next: &Range,
    ) -> Result<u64, Error> {
        let (dialect, statements) = (run.target.dialect(), &run.plan.statements);
        let (after, upto) = (window.after.as_ref(), &window.upto);
        let rows = session.query(&statements.verify(dialect, after, upto)).await?;
        let number = |i: usize| -> u64 {
            let text = rows.first().and_then(|row| row.get(i)?.as_deref());
            text.and_then(|text| text.parse().ok()).unwrap_or_default()
        };
        let (scanned, remaining, mismatched) = (number(0), number(1), number(2));
        let wanted = {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.rows += scanned;
            found.remaining += remaining;
            found.mismatched += mismatched;
            EXAMPLES.saturating_sub(found.examples.len())
        };
        if 0 < remaining + mismatched && 0 < wanted {
            let keys = session.query(&statements.wrong_keys(dialect, after, upto)).await?;
            let keys: Result<Vec<_>, _> = keys.into_iter().map(|row| read_key(run, row)).collect();
            let shown = keys?.into_iter().map(|key| run.plan.show_key(&key));
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.examples.extend(shown.take(wanted));
        }
        Ok(remaining + mismatched)
    }
}
