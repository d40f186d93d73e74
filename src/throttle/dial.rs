//! When a value counts: hysteresis, and how old it may be.
//!
//! Pure: time comes in, as the duration since the sampler began.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Band, Line, Read, Unit};

/// The newest of one signal, whose values may be of several things.
#[derive(Debug)]
pub(super) struct Dial {
    /// By whose value it is.
    needles: BTreeMap<Option<String>, Needle>,
    /// Why the last look brought nothing, if it did not.
    failed: Option<String>,
    /// When it was last looked with success.
    looked: Duration,
    /// Whether what was there once has to be there.
    remembers: bool,
}

#[derive(Debug)]
struct Needle {
    value: Result<f64, String>,
    /// When the value was read.
    read: Duration,
    note: Option<String>,
    waits: bool,
}

/// What stands at one moment.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stand {
    /// The reason to wait, without the signal's name; `None`: none.
    pub reason: Option<String>,
    /// The worst value, where there is one.
    pub value: Option<f64>,
    /// When everything was last read.
    pub read: Duration,
}

impl Dial {
    /// One that nothing was read of yet, as if it had been read at `now`: it has its deadline from
    /// then on.
    pub(super) fn new(remembers: bool, now: Duration) -> Self {
        Self { needles: BTreeMap::new(), failed: None, looked: now, remembers }
    }

    /// Takes note of a look.
    pub(super) fn take(&mut self, read: Read, band: &Band, now: Duration) {
        let lines = match read {
            Ok(lines) => lines,
            Err(why) => {
                self.failed = Some(why);
                return;
            }
        };
        (self.failed, self.looked) = (None, now);
        if !self.remembers {
            self.needles.retain(|of, _| lines.iter().any(|line| line.of == *of));
        }
        for Line { of, value, note } in lines {
            let needle = self.needles.entry(of).or_insert_with(|| Needle {
                value: value.clone(),
                read: now,
                note: None,
                waits: false,
            });
            if let Ok(value) = &value {
                needle.read = now;
                needle.waits = band.is_bad(*value, needle.waits);
            }
            (needle.value, needle.note) = (value, note);
        }
    }

    /// What stands at `now`, if a value may be as old as `deadline`.
    pub(super) fn stand(
        &self,
        band: &Band,
        unit: Unit,
        deadline: Duration,
        now: Duration,
    ) -> Stand {
        let oldest = self.needles.values().map(|needle| needle.read).min();
        let read = oldest.unwrap_or(self.looked).min(self.looked);
        let values = self.needles.values().filter_map(|needle| needle.value.as_ref().ok().copied());
        let value = values.max_by(|a, b| band.utilization(*a).total_cmp(&band.utilization(*b)));
        Stand { reason: self.reason(band, unit, deadline, now), value, read }
    }

    fn reason(&self, band: &Band, unit: Unit, deadline: Duration, now: Duration) -> Option<String> {
        // What is bad comes before what is not known: it says more.
        let bad = self.needles.iter().filter_map(|(of, needle)| match &needle.value {
            Ok(value) if needle.waits => Some((*value, of, needle)),
            _ => None,
        });
        let worst = bad.max_by(|a, b| band.utilization(a.0).total_cmp(&band.utilization(b.0)));
        if let Some((value, of, needle)) = worst {
            return Some(parenthesized(
                band.compare(unit, value),
                [of.as_deref(), needle.note.as_deref()],
            ));
        }
        let unread = |since: Duration, parts: [Option<&str>; 2]| {
            let age = now.saturating_sub(since);
            let text = |time: Duration| Unit::Seconds.show(time.as_secs_f64());
            (deadline < age)
                .then(|| parenthesized(format!("unread {} > {}", text(age), text(deadline)), parts))
        };
        if let Some(reason) = unread(self.looked, [self.failed.as_deref(), None]) {
            return Some(reason);
        }
        self.needles.iter().find_map(|(of, needle)| {
            let why = match &needle.value {
                Err(why) => why.as_str(),
                Ok(_) => "gone",
            };
            unread(needle.read, [of.as_deref(), Some(why)])
        })
    }
}

fn parenthesized(text: String, parts: [Option<&str>; 2]) -> String {
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if parts.is_empty() { text } else { format!("{text} ({})", parts.join(": ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEADLINE: Duration = Duration::from_secs(10);

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn lag(name: &str, value: Result<f64, &str>) -> Line {
        Line {
            of: Some(format!("replica {name}")),
            value: value.map_err(str::to_owned),
            note: None,
        }
    }

    struct Test {
        dial: Dial,
        band: Band,
    }

    impl Test {
        fn new(remembers: bool) -> Self {
            Self { dial: Dial::new(remembers, at(0)), band: Band::above(5.0, Some(2.0)) }
        }

        fn read(&mut self, now: u64, lines: &[Line]) -> Option<String> {
            self.dial.take(Ok(lines.to_vec()), &self.band, at(now));
            self.reason(now)
        }

        fn reason(&self, now: u64) -> Option<String> {
            self.dial.stand(&self.band, Unit::Seconds, DEADLINE, at(now)).reason
        }
    }

    #[test]
    fn the_worst_is_named_until_it_is_well_below() {
        let mut test = Test::new(true);
        assert_eq!(test.read(1, &[lag("a", Ok(1.0)), lag("b", Ok(5.0))]), None);
        let reason = test.read(2, &[lag("a", Ok(6.0)), lag("b", Ok(7.2))]);
        assert_eq!(reason.unwrap(), "7.2s > 5s (replica b)");
        let reason = test.read(3, &[lag("a", Ok(0.0)), lag("b", Ok(4.0))]);
        assert_eq!(reason.unwrap(), "4s > 2s (replica b)");
        assert_eq!(test.read(4, &[lag("a", Ok(3.0)), lag("b", Ok(2.0))]), None);
    }

    #[test]
    fn what_cannot_be_read_is_bad_after_the_deadline_and_not_before() {
        let mut test = Test::new(true);
        assert_eq!(test.read(1, &[lag("a", Ok(1.0))]), None);
        test.dial.take(Err("connection refused".into()), &test.band, at(2));
        assert_eq!(test.reason(11), None);
        assert_eq!(test.reason(13).unwrap(), "unread 12s > 10s (connection refused)");
        assert_eq!(test.read(14, &[lag("a", Ok(1.0))]), None);
    }

    #[test]
    fn one_that_is_gone_or_tells_nothing_is_bad_after_the_deadline() {
        let mut test = Test::new(true);
        assert_eq!(test.read(0, &[lag("a", Ok(1.0)), lag("b", Ok(1.0))]), None);
        assert_eq!(
            test.read(11, &[lag("a", Ok(1.0))]).unwrap(),
            "unread 11s > 10s (replica b: gone)"
        );
        let reason = test.read(12, &[lag("a", Ok(1.0)), lag("b", Err("replication is stopped"))]);
        assert_eq!(reason.unwrap(), "unread 12s > 10s (replica b: replication is stopped)");
        let mut test = Test::new(false);
        assert_eq!(test.read(0, &[lag("a", Ok(9.0))]).unwrap(), "9s > 5s (replica a)");
        assert_eq!(test.read(11, &[]), None, "a slot that was dropped keeps nothing");
    }

    #[test]
    fn nothing_read_at_all_has_its_deadline_too() {
        let test = Test::new(true);
        assert_eq!(test.reason(10), None);
        assert_eq!(test.reason(11).unwrap(), "unread 11s > 10s");
    }
}
