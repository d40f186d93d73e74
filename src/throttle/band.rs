//! From which value on a job waits, and from which on it goes on.

use super::Unit;

/// On which side of the limit a value is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// More is worse: a lag.
    Above,
    /// Less is worse: free space.
    Below,
}

/// Two limits with room between them, so that a value which moves a little about one of them does not
/// make the job stop and go.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Band {
    /// Beyond this value the job waits.
    pub pause: f64,
    /// A job that waits goes on when the value is back at this one.
    pub resume: f64,
    /// Which side is bad.
    pub side: Side,
}

impl Band {
    /// A band whose values are bad above `pause`. The job goes on at `resume`, by default at half.
    #[must_use]
    pub fn above(pause: f64, resume: Option<f64>) -> Self {
        // Half of a negative number would be more than it.
        let resume = resume.unwrap_or(if 0.0 < pause { pause / 2.0 } else { pause });
        Self { pause, resume: resume.min(pause), side: Side::Above }
    }

    /// A band whose values are bad below `pause`. The job goes on at `resume`, by default at a quarter
    /// more.
    #[must_use]
    pub fn below(pause: f64, resume: Option<f64>) -> Self {
        Self { pause, resume: resume.unwrap_or(pause * 1.25).max(pause), side: Side::Below }
    }

    /// Whether a job waits at this value, where `waits` says whether it waited at the one before.
    #[must_use]
    pub fn is_bad(&self, value: f64, waits: bool) -> bool {
        let limit = if waits { self.resume } else { self.pause };
        match self.side {
            Side::Above => limit < value,
            Side::Below => value < limit,
        }
    }

    /// How much of the limit is used up: above 1 the job waits. With a limit of 0 each unit above it
    /// counts as one more.
    #[must_use]
    pub fn utilization(&self, value: f64) -> f64 {
        match self.side {
            Side::Above if 0.0 < self.pause => value / self.pause,
            Side::Above if value <= self.pause => 0.0,
            Side::Above => 1.0 + value - self.pause,
            Side::Below if 0.0 < value => self.pause / value,
            Side::Below => self.pause + 1.0,
        }
    }

    /// Value and limit, as a reason has them: `7.2s > 5s`.
    #[must_use]
    pub fn compare(&self, unit: Unit, value: f64) -> String {
        // A job that waits may have a value that is no longer beyond the limit at which it began to:
        // then it is the other limit that holds it.
        let limit = if self.is_bad(value, false) { self.pause } else { self.resume };
        let sign = match self.side {
            Side::Above => ">",
            Side::Below => "<",
        };
        format!("{} {sign} {}", unit.show_beside(value, limit), unit.show(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_that_waits_goes_on_only_below_the_lower_limit() {
        let band = Band::above(5.0, Some(2.0));
        assert!(!band.is_bad(5.0, false) && band.is_bad(5.1, false));
        assert!(band.is_bad(3.0, true) && !band.is_bad(2.0, true));
        let disk = Band::below(100.0, None);
        assert!(!disk.is_bad(100.0, false) && disk.is_bad(99.0, false));
        assert!(disk.is_bad(120.0, true) && !disk.is_bad(125.0, true));
        assert_eq!(Band::above(0.0, None), Band::above(0.0, Some(0.0)));
        assert_eq!(Band::above(-4.0, None), Band::above(-4.0, Some(-4.0)));
    }

    #[test]
    fn a_reason_names_the_limit_that_holds() {
        let band = Band::above(5.0, Some(2.0));
        assert_eq!(band.compare(Unit::Seconds, 7.2), "7.2s > 5s");
        assert_eq!(band.compare(Unit::Seconds, 3.0), "3s > 2s");
        assert_eq!(Band::below(10.0, None).compare(Unit::Count, 4.0), "4 < 10");
    }

    #[test]
    fn utilization_passes_one_at_the_limit() {
        let used = |band: Band, value| format!("{:.2}", band.utilization(value));
        assert_eq!(used(Band::above(5.0, None), 5.0), "1.00");
        assert_eq!(used(Band::above(0.0, None), 0.0), "0.00");
        assert_eq!(used(Band::above(0.0, None), 1.0), "2.00");
        assert_eq!(used(Band::below(10.0, None), 20.0), "0.50");
    }
}
