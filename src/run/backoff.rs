//! How long to wait between two attempts, and when it is enough. Pure: the time that has passed comes
//! in, and so does the seed of the chance.
//!
//! Each wait is twice as long as the one before, up to a longest, and of each the second half is left
//! to chance, so that workers who lost the same server do not come back in step. Nobody gains by
//! foretelling that chance, and a test has to: a generator of five lines with a seed does, and brings
//! no package with it.

use std::time::Duration;

/// Where waiting ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The first wait.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
    /// No attempt begins later than this after the first one.
    pub time: Duration,
    /// Nor are there more attempts than this: a clock that stands still, as that of a machine that is
    /// suspended does, must not make them endless.
    pub attempts: u32,
}

/// The waits between the attempts at one thing.
#[derive(Debug)]
pub(crate) struct Backoff {
    bounds: Bounds,
    failed: u32,
    chance: Chance,
}

impl Backoff {
    /// Waits within these bounds. Those of two seeds have nothing in common.
    pub(crate) const fn new(bounds: Bounds, seed: u64) -> Self {
        Self { bounds, failed: 0, chance: Chance(seed) }
    }

    /// How many attempts have failed.
    pub(crate) const fn failed(&self) -> u32 {
        self.failed
    }

    /// Takes note of an attempt that failed, `spent` after the first one began, and says how long to
    /// wait before the next. `None`: it is enough. The last attempt is made when the time is over.
    pub(crate) fn next(&mut self, spent: Duration) -> Option<Duration> {
        let Bounds { first, longest, time, attempts } = self.bounds;
        self.failed += 1;
        let left = time.checked_sub(spent).filter(|left| !left.is_zero())?;
        if attempts <= self.failed {
            return None;
        }
        let doubled = first.saturating_mul(2_u32.saturating_pow(self.failed - 1));
        let half = doubled.min(longest) / 2;
        Some((half + half.mul_f64(self.chance.next())).min(left))
    }

    /// The same with another bound of the time: people may change it meanwhile.
    pub(crate) const fn bound(&mut self, time: Duration) {
        self.bounds.time = time;
    }
}

/// `SplitMix64` [Steele, Lea, Flood 2014, Fast splittable pseudorandom number generators].
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    /// A number from 0 up to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what it holds")]
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds = Bounds {
        first: Duration::from_millis(100),
        longest: Duration::from_secs(5),
        time: Duration::from_mins(10),
        attempts: 1_000,
    };

    /// The waits of attempts that fail at once.
    fn waits(bounds: Bounds, seed: u64) -> Vec<Duration> {
        let (mut backoff, mut spent) = (Backoff::new(bounds, seed), Duration::ZERO);
        let mut waits = Vec::new();
        while let Some(wait) = backoff.next(spent) {
            spent += wait;
            waits.push(wait);
        }
        assert_eq!(backoff.failed() as usize, waits.len() + 1);
        waits
    }

    #[test]
    fn waits_grow_twofold_up_to_the_longest_and_keep_half_of_it() {
        let waits = waits(BOUNDS, 7);
        for (number, wait) in (0_u32..).zip(&waits).take(20) {
            let most = (BOUNDS.first * 2_u32.saturating_pow(number)).min(BOUNDS.longest);
            assert!(most / 2 <= *wait && *wait <= most, "wait {number} is {wait:?} of {most:?}");
        }
    }

    #[test]
    fn it_ends_with_the_time_and_the_last_attempt_is_made_then() {
        for seed in 0..100 {
            let waits = waits(BOUNDS, seed);
            assert_eq!(waits.iter().sum::<Duration>(), BOUNDS.time, "seed {seed}");
            assert!((120..=260).contains(&waits.len()), "{} waits", waits.len());
        }
    }

    #[test]
    fn it_ends_with_the_number_though_the_clock_stands_still() {
        let mut backoff = Backoff::new(BOUNDS, 1);
        let waits = std::iter::from_fn(|| backoff.next(Duration::ZERO)).count();
        assert_eq!(waits, 999);
    }

    #[test]
    fn two_workers_do_not_come_back_in_step() {
        let (one, other) = (waits(BOUNDS, 1), waits(BOUNDS, 2));
        let same = one.iter().zip(&other).filter(|(a, b)| a == b).count();
        assert!(same < 2, "{same} waits are the same");
        assert_eq!(one, waits(BOUNDS, 1), "a seed gives the same again");
    }

    #[test]
    fn no_time_is_no_second_attempt_and_more_of_it_is_more() {
        let mut backoff = Backoff::new(Bounds { time: Duration::ZERO, ..BOUNDS }, 1);
        assert_eq!(backoff.next(Duration::ZERO), None);
        backoff.bound(Duration::from_mins(1));
        assert!(backoff.next(Duration::from_secs(1)).is_some());
        assert_eq!(backoff.next(Duration::from_mins(1)), None);
    }
}
