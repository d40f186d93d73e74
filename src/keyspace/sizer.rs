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

/// What a batch may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Aim {
    /// The duration that it should take.
    pub time: Duration,
    /// It has no more rows.
    pub rows: u64,
    /// It should add no more bytes to the server's log.
    pub log_bytes: u64,
}

/// What a batch took.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// The duration of its work.
    pub time: Duration,
    /// Bytes that it added to the server's log, where that is known.
    pub log_bytes: Option<u64>,
}

/// Follows a target duration with the number of rows in a batch, within what a batch may have of
/// rows and of the server's log.
#[derive(Debug, Clone)]
pub struct Sizer {
    aim: Aim,
    rows: u64,
    /// The size before.
    before: Option<u64>,
    /// Seconds per row.
    seconds: Rate,
    /// Bytes of log per row.
    bytes: Rate,
}

/// What a row costs: an exponential average. A measurement more than twice off the average replaces
/// it, because then the server has changed and not the weather.
#[derive(Debug, Clone, Copy, Default)]
struct Rate(Option<f64>);

impl Rate {
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    fn observe(&mut self, amount: f64, rows: u64) {
        let measured = amount / rows as f64;
        self.0 = Some(match self.0 {
            Some(rate) if (0.5..=2.0).contains(&(measured / rate)) => {
                rate + SETTLED_WEIGHT * (measured - rate)
            }
            _ => measured,
        });
    }

    /// How many rows cost that much; without a measurement, any number.
    fn rows_for(self, amount: f64) -> f64 {
        self.0.map_or(f64::INFINITY, |rate| amount / rate)
    }
}

impl Sizer {
    /// A sizer that aims at that.
    #[must_use]
    pub fn new(aim: Aim) -> Self {
        let rows = FIRST_ROWS.min(aim.rows);
        Self { aim, rows, before: None, seconds: Rate::default(), bytes: Rate::default() }
    }

    /// Aims elsewhere from the next batch on. What was learnt of the pace holds.
    pub fn aim(&mut self, aim: Aim) {
        let changed = (self.aim.time, self.aim.log_bytes) != (aim.time, aim.log_bytes);
        self.aim = aim;
        if changed && self.seconds.0.is_some() {
            self.rows = self.at_most(self.wanted());
        }
        self.rows = self.rows.min(aim.rows);
    }

    /// Rows that the next batch should have: at least 1.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether the last batch left the size about as it was, so that the next may as well.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.before.is_some_and(|before| before.abs_diff(self.rows) <= before / 5)
    }

    /// Takes note of a batch of `rows` rows.
    pub fn observe(&mut self, rows: u64, taken: Taken) {
        if rows == 0 {
            return;
        }
        // Clocks have a grain: a batch of 0 ns would ask for infinitely many rows.
        self.seconds.observe(taken.time.as_secs_f64().max(1e-6), rows);
        #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
        if let Some(bytes) = taken.log_bytes {
            self.bytes.observe(bytes.max(1) as f64, rows);
        }
        #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
        let present = self.rows as f64;
        let wanted = self.wanted().clamp(present * MAX_SHRINK, present * MAX_GROWTH);
        self.before = Some(self.rows);
        self.rows = self.at_most(wanted);
    }

    /// Halves the size: the batch could not be done as it was.
    pub fn back_off(&mut self) {
        self.rows = (self.rows / 2).max(1);
    }

    /// Rows that cost what a batch may cost.
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    fn wanted(&self) -> f64 {
        let by_time = self.seconds.rows_for(self.aim.time.as_secs_f64());
        by_time.min(self.bytes.rows_for(self.aim.log_bytes as f64))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and the result is clamped"
    )]
    fn at_most(&self, rows: f64) -> u64 {
        (rows.round() as u64).clamp(1, self.aim.rows)
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
            let time = Duration::from_secs_f64(last);
            sizer.observe(sizer.rows(), Taken { time, log_bytes: None });
        }
        last
    }

    fn aim(milliseconds: u64, rows: u64) -> Aim {
        Aim { time: Duration::from_millis(milliseconds), rows, log_bytes: u64::MAX }
    }

    #[test]
    fn it_reaches_the_target_in_eight_batches() {
        for per_row in [5e-6, 20e-6, 100e-6, 1e-3] {
            let mut sizer = Sizer::new(aim(250, 1_000_000));
            let last = run(&mut sizer, 9, 0.002, per_row);
            assert!((0.2..=0.3).contains(&last), "{per_row}: {last}");
        }
    }

    #[test]
    fn a_tenfold_slowdown_is_answered_by_the_next_batch() {
        let mut sizer = Sizer::new(aim(250, 1_000_000));
        run(&mut sizer, 12, 0.0, 10e-6);
        run(&mut sizer, 1, 0.0, 100e-6);
        assert!(run(&mut sizer, 1, 0.0, 100e-6) < 0.5);
    }

    #[test]
    fn another_aim_holds_from_the_next_batch_on() {
        let mut sizer = Sizer::new(aim(250, 1_000_000));
        run(&mut sizer, 12, 0.0, 10e-6);
        sizer.aim(aim(50, 1_000_000));
        let last = run(&mut sizer, 1, 0.0, 10e-6);
        assert!((0.04..=0.06).contains(&last), "{last}");
        sizer.aim(aim(50, 700));
        assert_eq!(sizer.rows(), 700);
    }

    #[test]
    fn it_stays_within_its_limits() {
        let mut sizer = Sizer::new(aim(250, 5_000));
        run(&mut sizer, 20, 0.0, 1e-9);
        assert_eq!(sizer.rows(), 5_000);
        run(&mut sizer, 20, 0.0, 100.0);
        assert_eq!(sizer.rows(), 1);
    }

    /// A batch of as many rows as it wants, each of so many bytes of log and of no time to speak of.
    fn log(sizer: &mut Sizer, per_row: u64) -> u64 {
        let bytes = per_row * sizer.rows();
        let time = Duration::from_micros(sizer.rows());
        sizer.observe(sizer.rows(), Taken { time, log_bytes: Some(bytes) });
        bytes
    }

    #[test]
    fn the_log_is_a_limit_of_its_own() {
        let mut sizer = Sizer::new(Aim { log_bytes: 1_000_000, ..aim(250, 1_000_000) });
        for _ in 0..12 {
            assert!(log(&mut sizer, 1_000) <= 1_000_000);
        }
        assert_eq!(sizer.rows(), 1_000);
        // Whole pages after a checkpoint: the second batch fits again.
        log(&mut sizer, 8_000);
        assert!(log(&mut sizer, 8_000) <= 1_000_000);
        sizer.aim(Aim { log_bytes: 80_000, ..aim(250, 1_000_000) });
        assert_eq!(sizer.rows(), 10);
    }

    #[test]
    fn what_is_not_told_limits_nothing() {
        let mut sizer = Sizer::new(Aim { log_bytes: 1, ..aim(250, 1_000_000) });
        run(&mut sizer, 12, 0.0, 10e-6);
        assert!((20_000..=30_000).contains(&sizer.rows()), "{}", sizer.rows());
    }
}
