//! What becomes of rows in quarantine: tried again, found written, or left at the end.
//!
//! **How they are counted.** Of each range the fence says how many of its rows were passed over. A row
//! that is tried again gets a range of its own, and in the same transaction leaves the count of the range
//! in which it was; if it fails again, it is in the count of its own range. So the counts of a generation
//! add up to the rows that are neither written nor still to be walked, whatever is known of them here:
//! the fence alone tells, also after the journal was lost. Only what a person gave up stays in the sum,
//! because a release needs no target; the journal that holds the release subtracts it, and where that is
//! lost, the row counts again, which is the safe side.

use super::{Error, Run};
use crate::event::Event;
use crate::journal::{Fate, Quarantined, Settled};
use crate::keyspace::{Key, Range};

/// Keys that are named at the end: enough to look at, few enough to read.
const EXAMPLES: usize = 5;

/// Rows that are neither written nor given up, when everything is walked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InQuarantine {
    /// Those that the journal knows.
    pub waiting: u64,
    /// Those that only the fence counts: their keys were in another journal.
    pub unknown: u64,
    /// A few keys.
    pub examples: Vec<String>,
    /// Whether writing every row again would change nothing but those.
    pub converges: bool,
}

impl InQuarantine {
    /// How many there are, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let rows = |rows: u64| match rows {
            1 => "1 row".to_owned(),
            rows => format!("{rows} rows"),
        };
        let is = |rows: u64| if rows == 1 { "is" } else { "are" };
        let mut parts = Vec::new();
        if 0 < self.waiting {
            let more = if self.examples.len() as u64 == self.waiting { "" } else { "; …" };
            let (rows, is) = (rows(self.waiting), is(self.waiting));
            parts.push(format!("{rows} {is} in quarantine: {}{more}", self.examples.join("; ")));
        }
        if 0 < self.unknown {
            let (rows, is) = (rows(self.unknown), is(self.unknown));
            parts.push(format!(
                "{rows} {is} in quarantine by the fence, and the keys were in another journal"
            ));
        }
        parts.join("; ")
    }
}

/// What the fence tells of a row that waits, if it is news.
fn settled(row: &Quarantined, ranges: &[Range]) -> Option<Settled> {
    if row.state != Fate::Waiting {
        return None;
    }
    let range = |id: u32| ranges.iter().find(|range| range.id == id);
    let Some(retry) = row.retry_range else {
        // The cursor stands where it stood when the row failed.
        let found = range(row.range)?;
        let ahead = !found.done && found.position() == row.after.as_ref();
        return ahead.then_some(Settled::NotPassed);
    };
    match range(retry).filter(|range| range.hi == row.key) {
        // The runner ended before it had made the range.
        None => Some(Settled::Waits),
        Some(range) if !range.done => None,
        Some(range) if 0 < range.rows_quarantined && row.range == retry => Some(Settled::Waits),
        Some(_) => Some(Settled::Written),
    }
}

impl Run {
    /// Writes down what the fence, which has these ranges, tells of the rows that wait.
    pub(super) fn settle_quarantine(&self, ranges: &[Range]) -> Result<(), Error> {
        let (job, generation) = (&self.plan.spec.job.name, self.generation);
        let rows = self.journal.quarantined(job, generation)?;
        let news: Vec<_> = rows
            .iter()
            .filter_map(|row| settled(row, ranges).map(|settled| (row.key.clone(), settled)))
            .collect();
        self.journal.settle_quarantine(job, generation, &news)?;
        let waiting = self.journal.count_quarantined(job, generation)?;
        self.bus.emit(Event::QuarantineCounted { waiting });
        Ok(())
    }

    /// Makes a range of each row of these keys that waits, and returns all ranges, the new ones first:
    /// what they free of the limits of the quarantine is free for the others.
    pub(super) async fn requeue(
        &self,
        ranges: Vec<Range>,
        keys: &[Key],
    ) -> Result<Vec<Range>, Error> {
        let (job, generation) = (&self.plan.spec.job.name, self.generation);
        let mut rows = self.journal.quarantined(job, generation)?;
        rows.retain(|row| {
            row.state == Fate::Waiting && row.retry_range.is_none() && keys.contains(&row.key)
        });
        if rows.is_empty() {
            return Ok(ranges);
        }
        let from = |range: &Range| {
            let rows = rows.iter().filter(|row| row.range == range.id).count() as u64;
            (range.clone(), rows)
        };
        let from: Vec<_> = ranges.iter().map(from).filter(|(_, rows)| 0 < *rows).collect();
        let bounds = rows.iter().map(|row| (row.after.clone(), row.key.clone())).collect();
        let intend = |new: &[Range]| {
            let ids = new.iter().map(|range| range.id);
            let pairs: Vec<_> = rows.iter().map(|row| row.key.clone()).zip(ids).collect();
            Ok(self.journal.retry_quarantined(job, generation, &pairs)?)
        };
        let mut all = self.extend(&ranges, bounds, &from, intend).await?;
        for mut range in ranges {
            if let Some((_, rows)) = from.iter().find(|(of, _)| of.id == range.id) {
                range.rows_quarantined = range.rows_quarantined.saturating_sub(*rows);
            }
            all.push(range);
        }
        Ok(all)
    }

    /// The rows that are left in quarantine, where every range is walked; `None`: there are none.
    pub(super) fn left_in_quarantine(&self) -> Result<Option<InQuarantine>, Error> {
        let (job, generation) = (&self.plan.spec.job.name, self.generation);
        // What the fence has: the checkpoints were written after it, each of them.
        let points = self.journal.checkpoints(job)?;
        let ranges: Vec<_> = points.into_iter().map(|point| point.range).collect();
        self.settle_quarantine(&ranges)?;
        let passed: u64 = ranges.iter().map(|range| range.rows_quarantined).sum();
        let rows = self.journal.quarantined(job, generation)?;
        let count = |fate| rows.iter().filter(|row| row.state == fate).count() as u64;
        let (waiting, released) = (count(Fate::Waiting), count(Fate::Released));
        let unknown = passed.saturating_sub(waiting + released);
        if waiting + unknown == 0 {
            return Ok(None);
        }
        let keys = rows.iter().filter(|row| row.state == Fate::Waiting);
        let examples = keys.take(EXAMPLES).map(|row| self.plan.show_key(&row.key)).collect();
        let converges = self.plan.convergence.holds();
        Ok(Some(InQuarantine { waiting, unknown, examples, converges }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: u32) -> Key {
        Key(vec![id.to_string()])
    }

    /// The row 7, whose window began after 6, in range 0.
    fn row(retry_range: Option<u32>, range: u32) -> Quarantined {
        Quarantined {
            key: key(7),
            after: Some(key(6)),
            range,
            values: serde_json::Value::Null,
            code: None,
            message: String::new(),
            statement: String::new(),
            at: jiff::Timestamp::UNIX_EPOCH,
            attempts: 1,
            state: Fate::Waiting,
            released_at: None,
            released_by: None,
            release_reason: None,
            retry_range,
        }
    }

    #[test]
    fn the_fence_tells_what_became_of_a_row() {
        let walking = Range { cursor: Some(key(6)), ..Range::new(0, None, key(9)) };
        let passed = walking.passed_over(&key(7), false);
        let retry = Range::new(1, Some(key(6)), key(7));
        let written = retry.advanced(&key(7), 1, 1, true);
        let failed = retry.passed_over(&key(7), true);
        let other = Range::new(1, Some(key(6)), key(9));
        let cases = [
            ("not passed yet", row(None, 0), vec![walking], Some(Settled::NotPassed)),
            ("passed", row(None, 0), vec![passed.clone()], None),
            ("of a range that is gone", row(None, 5), vec![passed.clone()], None),
            ("no range was made", row(Some(1), 0), vec![passed.clone()], Some(Settled::Waits)),
            ("another's range", row(Some(1), 0), vec![other], Some(Settled::Waits)),
            ("about to be tried", row(Some(1), 0), vec![passed.clone(), retry.clone()], None),
            ("failed, not passed", row(Some(1), 1), vec![passed.clone(), retry], None),
            (
                "written",
                row(Some(1), 0),
                vec![passed.clone(), written.clone()],
                Some(Settled::Written),
            ),
            (
                "mended at last",
                row(Some(1), 1),
                vec![passed.clone(), written],
                Some(Settled::Written),
            ),
            ("failed again", row(Some(1), 1), vec![passed, failed], Some(Settled::Waits)),
        ];
        for (what, row, ranges, expected) in cases {
            assert_eq!(settled(&row, &ranges), expected, "{what}");
            let released = Quarantined { state: Fate::Released, ..row };
            assert_eq!(settled(&released, &ranges), None, "{what}, released");
        }
    }

    #[test]
    fn what_is_left_is_said() {
        let left = |waiting, unknown, examples: &[&str]| {
            let examples = examples.iter().map(ToString::to_string).collect();
            InQuarantine { waiting, unknown, examples, converges: true }.sentence()
        };
        assert_eq!(left(1, 0, &["id=5"]), "1 row is in quarantine: id=5");
        assert_eq!(left(7, 0, &["id=5", "id=6"]), "7 rows are in quarantine: id=5; id=6; …");
        assert!(left(0, 2, &[]).starts_with("2 rows are in quarantine by the fence, and"));
    }
}
