//! Rows that were written since the last look, by the column that tells when (`[verify] changed_at`).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::read::{read_count, read_key};
use super::shape::verify::KEYS;
use super::{Error, Run};
use crate::catalog::Column;
use crate::keyspace::{Counts, Tally, WrongKey};
use crate::target::Session;

/// A transaction may commit this long after it has set the time of its rows; they are found all the same.
const OVERLAP: Duration = Duration::from_secs(30);

/// Rows that one statement looks at, about.
const AT_ONCE: u64 = 10_000;

/// A table of fewer rows can be read without an index.
const SMALL: u64 = 20_000;

/// The time that a look begins after; `None`: the beginning.
#[derive(Clone)]
struct Place(Option<String>);

/// Where the looks are.
pub(super) struct Changes {
    column: Column,
    /// The newest time that was seen by then.
    ends: VecDeque<(Instant, Option<String>)>,
    /// Where the look began that found something wrong: until it is right again, all looks begin there.
    pinned: Option<Place>,
}

impl Changes {
    /// Begins with what is the newest time now.
    pub(super) async fn begin(run: &Run, session: &mut dyn Session) -> Result<Self, Error> {
        let (dialect, statements) = (run.target.dialect(), &run.plan.verification);
        let name = run.plan.spec.verify.changed_at.as_deref().unwrap_or_default();
        let column =
            run.plan.table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        let Some(column) = column.cloned() else {
            return Err(Error::NoChangeIndex { column: name.to_owned() });
        };
        let newest = session.query(&statements.newest_change(dialect, &column)).await?;
        let newest = newest.into_iter().flatten().next().flatten();
        let is_small = run.plan.table.estimate.as_ref().is_some_and(|found| found.rows < SMALL);
        if let Some(newest) = newest.as_deref().filter(|_| !is_small) {
            let look = statements.changed_after(dialect, &column, newest);
            if session.foretell(&look).await?.is_none() {
                return Err(Error::NoChangeIndex { column: column.name });
            }
        }
        Ok(Self { column, ends: VecDeque::from([(Instant::now(), newest)]), pinned: None })
    }

    /// Looks at what was written since.
    pub(super) async fn look(
        &mut self,
        run: &Run,
        session: &mut dyn Session,
    ) -> Result<Tally, Error> {
        let (dialect, statements) = (run.target.dialect(), &run.plan.verification);
        let column = &self.column;
        while self.ends.get(1).is_some_and(|(at, _)| OVERLAP < at.elapsed()) {
            self.ends.pop_front();
        }
        let began = Instant::now();
        let from = self.ends.front().and_then(|(_, end)| end.clone());
        let Place(from) = self.pinned.clone().unwrap_or(Place(from));
        let newest = session.query(&statements.newest_change(dialect, column)).await?;
        let newest = newest.into_iter().flatten().next().flatten();
        let (mut tally, mut at) = (Tally::default(), from.clone());
        while let Some(newest) = newest.as_ref().filter(|newest| at.as_ref() != Some(newest)) {
            let step = statements.change_ahead(dialect, column, at.as_deref(), AT_ONCE);
            let step = session.query(&step).await?.into_iter().flatten().next().flatten();
            let upto = step.unwrap_or_else(|| newest.clone());
            let look = statements.changed(dialect, column, at.as_deref(), &upto);
            let rows = session.query(&look).await?;
            let found = Counts {
                rows: read_count(&rows, 0)?,
                expected: read_count(&rows, 0)?,
                remaining: read_count(&rows, 1)?,
                unwritten: 0,
                mismatched: read_count(&rows, 2)?,
            };
            let wanted = KEYS.saturating_sub(tally.keys.len());
            if 0 < found.wrong() && 0 < wanted {
                let look =
                    statements.changed_wrongly(dialect, column, at.as_deref(), &upto, wanted);
                for row in session.query(&look).await? {
                    let key = run.plan.show_key(&read_key(&run.plan, row)?);
                    tally.keys.push(WrongKey { key, noted: false });
                }
            }
            tally.counts = tally.counts.plus(found);
            at = Some(upto);
        }
        self.pinned = (0 < tally.counts.wrong()).then_some(Place(from));
        self.ends.push_back((began, at));
        Ok(tally)
    }
}
