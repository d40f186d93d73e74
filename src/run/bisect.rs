//! Which window is tried next when one holds a row that cannot be written. Pure.
//!
//! A window that fails holds at least one such row. Its first half is tried: if that fails, the row is
//! there, and nothing is known of the rest; if it is written, the row is in the rest, which is halved at
//! once instead of being tried whole. So each window that is tried halves what is suspected, and of a
//! window of `n` rows the first such row stands alone after ⌈log₂ n⌉ of them, and one more where it was
//! told by elimination: then it has not failed alone yet, and may not, for it may have been two rows that
//! did not go together. What comes after that row is walked as ever.
//!
//! Transactions are what is halved, and never savepoints: what was written is committed with its cursor,
//! so nothing of this has to be remembered, and whoever is killed in the middle finds the row again.

use super::shape::Window;
use crate::keyspace::Key;

/// Rows of which at least one cannot be written: the next ones of the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suspect {
    /// The last of them.
    pub upto: Key,
    /// How many they were when they were counted: at least 1.
    pub rows: u64,
}

/// What is known of the next rows of a range.
#[derive(Debug, Clone)]
pub(super) enum Search {
    /// One of these is at fault.
    Among(Suspect),
    /// This window has failed, and had one row when it was counted.
    Found(Window),
}

impl Suspect {
    /// How many rows the next window has at most.
    pub(super) fn half(&self) -> u64 {
        (self.rows / 2).max(1)
    }

    /// What is left to suspect once the window, which does not reach beyond it, was written.
    pub(super) fn without(self, written: &Window) -> Option<Self> {
        let rows = self.rows.saturating_sub(written.rows).max(1);
        (written.upto != self.upto).then_some(Self { rows, ..self })
    }
}

impl Search {
    /// What is known after the window has failed.
    pub(super) fn after_failure(window: Window) -> Self {
        if window.rows <= 1 {
            Self::Found(window)
        } else {
            Self::Among(Suspect { upto: window.upto, rows: window.rows })
        }
    }

    /// What is left to look for once the window was written.
    pub(super) fn after_success(self, window: &Window) -> Option<Self> {
        match self {
            Self::Among(suspect) => suspect.without(window).map(Self::Among),
            Self::Found(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn window(from: u64, rows: u64, end: u64) -> Window {
        let upto = (from + rows).min(end);
        let key = |at: u64| Key(vec![at.to_string()]);
        Window {
            after: (0 < from).then(|| key(from)),
            upto: key(upto),
            rows: upto - from,
            last: upto == end,
        }
    }

    fn end_of(window: &Window) -> u64 {
        window.upto.0[0].parse().unwrap()
    }

    /// Walks rows 1 to `end` in batches; those of `bad` fail. Returns the rows that were found, and
    /// how many windows were tried for each, the one that failed first not counted.
    fn walk(end: u64, batch: u64, bad: &BTreeSet<u64>) -> (Vec<u64>, Vec<u32>) {
        let (mut at, mut search) = (0, None);
        let (mut found, mut tries, mut extra) = (Vec::new(), 0, Vec::new());
        while at < end {
            let next = match &search {
                None => window(at, batch, end),
                Some(Search::Among(suspect)) => {
                    window(at, suspect.half(), suspect.upto.0[0].parse().unwrap())
                }
                Some(Search::Found(window)) => {
                    at = end_of(window);
                    found.push(at);
                    extra.push(std::mem::take(&mut tries));
                    search = None;
                    continue;
                }
            };
            assert!(end_of(&next) <= end && at < end_of(&next));
            tries += u32::from(search.is_some());
            if bad.range(at + 1..=end_of(&next)).next().is_some() {
                search = Some(Search::after_failure(next));
            } else {
                at = end_of(&next);
                search = search.and_then(|search| search.after_success(&next));
            }
        }
        (found, extra)
    }

    proptest! {
        #[test]
        fn every_row_at_fault_is_found_and_soon(
            end in 1u64..400,
            batch in 1u64..150,
            bad in prop::collection::btree_set(1u64..400, 0..40),
        ) {
            let bad: BTreeSet<u64> = bad.into_iter().filter(|row| *row <= end).collect();
            let (found, extra) = walk(end, batch, &bad);
            prop_assert_eq!(found, bad.into_iter().collect::<Vec<_>>());
            let log = batch.next_power_of_two().trailing_zeros();
            for tries in extra {
                prop_assert!(tries <= log + 1, "{} windows for a batch of {}", tries, batch);
            }
        }
    }

    #[test]
    fn rows_that_were_mended_meanwhile_end_the_search() {
        let suspect = Suspect { upto: Key(vec!["5".into()]), rows: 1 };
        assert_eq!(suspect.half(), 1);
        assert_eq!(suspect.without(&window(4, 1, 5)), None);
    }

    /// Rows may come and go between two counts.
    #[test]
    fn a_suspect_never_has_no_rows() {
        let suspect = Suspect { upto: Key(vec!["9".into()]), rows: 2 };
        assert_eq!(suspect.without(&window(0, 5, 9)).unwrap().rows, 1);
    }
}
