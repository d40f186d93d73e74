//! Rows that a person gave up, which verification does not count against the job.

use std::collections::BTreeSet;

use super::read::{read_count, read_key};
use super::shape::Window;
use super::{Error, Run};
use crate::event::Phase;
use crate::journal::Fate;
use crate::keyspace::{Counts, Key};
use crate::target::Session;

/// The keys of the rows in quarantine that were given up.
#[derive(Debug, Default)]
pub(super) struct Released(BTreeSet<Vec<String>>);

impl Released {
    /// Those of the run's generation.
    pub(super) fn of(run: &Run) -> Result<Self, Error> {
        let rows = run.journal.quarantined(&run.plan.spec.job.name, run.generation)?;
        let released = rows.into_iter().filter(|row| row.state == Fate::Released);
        Ok(Self(released.map(|row| row.key.0).collect()))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether that row was given up. The server writes a key always in the same letters.
    pub(super) fn contains(&self, key: &Key) -> bool {
        self.0.contains(&key.0)
    }

    /// What verification found in a window, without what is wrong with the rows that were given up.
    /// `expects`: whether the expectation was evaluated.
    pub(super) async fn discount(
        &self,
        run: &Run,
        session: &mut dyn Session,
        window: &Window,
        mut found: Counts,
        expects: bool,
    ) -> Result<Counts, Error> {
        if self.0.is_empty() || found.wrong() == 0 {
            return Ok(found);
        }
        let (dialect, statements) = (run.target.dialect(), run.plan.statements_of(Phase::Verify));
        let wrong = usize::try_from(found.wrong()).unwrap_or(usize::MAX);
        let (after, upto) = (window.after.as_ref(), &window.upto);
        let look = statements.wrong_keys(dialect, after, upto, wrong, expects);
        for row in session.query(&look).await? {
            let key = read_key(&run.plan, row)?;
            if !self.contains(&key) {
                continue;
            }
            let row = session.query(&statements.verify_row(dialect, &key, expects)).await?;
            found = found.minus(Counts {
                remaining: read_count(&row, 1)?,
                unwritten: read_count(&row, 2)?,
                mismatched: read_count(&row, 3)?,
                ..Counts::default()
            });
        }
        Ok(found)
    }
}
