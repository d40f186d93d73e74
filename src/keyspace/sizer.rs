//! How many rows the next batch should have.

use std::time::Duration;

/// Rows in the first batch of a run: small enough that a mistaken expression or a slow trigger
/// costs little before its first measurement.
pub const FIRST_ROWS: u64 = 100;

/// A batch may grow by at most this factor: from 100 rows, 100,000 are reached in seven batches,
/// and one lucky measurement (everything cached) cannot overshoot by more.
const MAX_GROWTH: f64 = 3.0;

/// A batch may shrink by at most this factor at once; a tenfold slowdown is answered in one step.
const MAX_SHRINK: f64 = 0.05;

/// Weight of the newest measurement once the size has settled near the target. One noisy batch
/// then moves the size by a third of what it asks for.
const SETTLED_WEIGHT: f64 = 0.35;

/// Follows a target duration with the number of rows in a batch.
///
/// The pace (seconds per row) is an exponential average; a measurement more than twice off the
/// average replaces it, because then the server has changed and not the weather.
#[derive(Debug, Clone)]
pub struct Sizer {
    target: f64,
    max_rows: u64,
    rows: u64,
    pace: Option<f64>,
}

impl Sizer {
    /// A sizer that aims at `target` and never exceeds `max_rows`.
    #[must_use]
    pub fn new(target: Duration, max_rows: u64) -> Self {
        Self { target: target.as_secs_f64(), max_rows, rows: FIRST_ROWS.min(max_rows), pace: None }
    }

    /// Rows that the next batch should have: at least 1.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Takes note of a batch of `rows` rows that took `elapsed`.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "sizes are far below 2^53 and the result is clamped to 1..=max_rows"
    )]
    pub fn observe(&mut self, rows: u64, elapsed: Duration) {
        if rows == 0 {
            return;
        }
        // Clocks have a grain: a batch of 0 ns would ask for infinitely many rows.
        let measured = elapsed.as_secs_f64().max(1e-6) / rows as f64;
        let pace = match self.pace {
            Some(pace) if (0.5..=2.0).contains(&(measured / pace)) => {
                pace + SETTLED_WEIGHT * (measured - pace)
            }
            _ => measured,
        };
        self.pace = Some(pace);
        let present = self.rows as f64;
        let wanted = (self.target / pace).clamp(present * MAX_SHRINK, present * MAX_GROWTH);
        self.rows = (wanted.round() as u64).clamp(1, self.max_rows);
    }

    /// Halves the size: the batch could not be done as it was.
    pub fn back_off(&mut self) {
        self.rows = (self.rows / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::cast_precision_loss, reason = "sizes are small")]
    fn run(sizer: &mut Sizer, batches: usize, fixed: f64, per_row: f64) -> f64 {
        let mut last = 0.0;
        for _ in 0..batches {
            last = fixed + per_row * sizer.rows() as f64;
            sizer.observe(sizer.rows(), Duration::from_secs_f64(last));
        }
        last
    }

    #[test]
    fn it_reaches_the_target_in_eight_batches() {
        for per_row in [5e-6, 20e-6, 100e-6, 1e-3] {
            let mut sizer = Sizer::new(Duration::from_millis(250), 1_000_000);
            let last = run(&mut sizer, 9, 0.002, per_row);
            assert!((0.2..=0.3).contains(&last), "{per_row}: {last}");
        }
    }

    #[test]
    fn a_tenfold_slowdown_is_answered_by_the_next_batch() {
        let mut sizer = Sizer::new(Duration::from_millis(250), 1_000_000);
        run(&mut sizer, 12, 0.0, 10e-6);
        run(&mut sizer, 1, 0.0, 100e-6);
        assert!(run(&mut sizer, 1, 0.0, 100e-6) < 0.5);
    }

    #[test]
    fn it_stays_within_its_limits() {
        let mut sizer = Sizer::new(Duration::from_millis(250), 5_000);
        run(&mut sizer, 20, 0.0, 1e-9);
        assert_eq!(sizer.rows(), 5_000);
        run(&mut sizer, 20, 0.0, 100.0);
        assert_eq!(sizer.rows(), 1);
    }
}
