//! So many rows a second, over all workers.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What was missed for a moment may be caught up with; what was missed longer is lost, so that after a
/// pause the job does not rush.
const CATCHES_UP: Duration = Duration::from_secs(1);

/// Batches of a job with a rate are no larger than what it may do in this time, over all workers.
/// Four a second is smooth for whoever watches a replica, and the cost of a commit is small.
const SLICE: Duration = Duration::from_millis(250);

/// No batch of a job with that rate has more rows, with so many workers.
#[must_use]
pub fn most_rows(rows_per_second: u64, workers: u32) -> u64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and a bound is no exact value"
    )]
    let slice = (rows_per_second as f64 * SLICE.as_secs_f64()) as u64;
    (slice / u64::from(workers.max(1))).max(1)
}

/// A token bucket, kept as the moment at which it is full again: rows take their time of the one
/// timetable, whoever writes them.
#[derive(Debug, Default)]
pub struct Timetable(Mutex<Option<Instant>>);

impl Timetable {
    /// Books the time of `rows` that were begun at `began`, and says until when their worker has to
    /// wait.
    #[must_use]
    pub fn book(&self, rows: u64, rows_per_second: u64, began: Instant, now: Instant) -> Instant {
        #[expect(clippy::cast_precision_loss, reason = "a rate is no exact value")]
        let time = Duration::from_secs_f64(rows as f64 / rows_per_second.max(1) as f64);
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let earliest = now.checked_sub(CATCHES_UP).unwrap_or(began).min(began);
        let start = next.map_or(began, |next| next.max(earliest));
        let end = start + time;
        *next = Some(end);
        end
    }

    /// Forgets what was booked: the rate has changed.
    pub fn clear(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_workers_share_one_timetable() {
        let (table, begun) = (Timetable::default(), Instant::now());
        let second = Duration::from_secs(1);
        for n in 1..=4_u32 {
            let until = table.book(100, 100, begun, begun + Duration::from_millis(10));
            assert_eq!(until, begun + second * n);
        }
        // After a long wait it begins anew, but for a moment.
        let later = begun + second * 100;
        assert_eq!(table.book(100, 100, later, later), later);
        assert_eq!(table.book(100, 100, later, later), later + second);
    }

    #[test]
    fn batches_are_slices_of_the_rate() {
        assert_eq!(most_rows(20_000, 1), 5_000);
        assert_eq!(most_rows(20_000, 4), 1_250);
        assert_eq!(most_rows(1, 4), 1);
    }
}
