//! When a window is open. Times of the day are those that the clocks of its zone show, so that a
//! window over a change of daylight saving time is an hour longer or shorter.

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::catalog::closest;
use crate::spec::{Day, Window};

/// The zone of that name.
///
/// # Errors
///
/// There is none; in words, with the nearest.
pub fn time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        let all: Vec<_> = jiff::tz::db().available().map(|name| name.to_string()).collect();
        let near = closest(name, all.iter().map(String::as_str));
        match near.first() {
            Some(near) => format!("`{name}` is no time zone; did you mean `{near}`?"),
            None => format!("`{name}` is no time zone; write for example `Europe/Berlin` or `UTC`"),
        }
    })
}

/// A window in its zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    from: u16,
    to: u16,
    days: Vec<Weekday>,
    zone: TimeZone,
    name: String,
}

/// A window that is open for so long has no end that matters to a batch.
const FAR: jiff::SignedDuration = jiff::SignedDuration::from_hours(7 * 24);

/// What a window is at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gate {
    /// Open until then; `None`: for the next week at least.
    Open(Option<Timestamp>),
    /// Closed until then.
    Closed(Timestamp),
}

impl Opening {
    /// The window of a spec.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words.
    pub fn of(window: &Window) -> Result<Self, String> {
        let (from, to) = window.minutes()?;
        let days = window.days.iter().map(|day| weekday(*day)).collect();
        let zone = time_zone(&window.zone)?;
        Ok(Self { from, to, days, zone, name: window.zone.clone() })
    }

    /// Whole days, every day.
    #[must_use]
    pub fn always() -> Self {
        let (zone, name) = (TimeZone::UTC, "UTC".to_owned());
        Self { from: 0, to: 24 * 60, days: Vec::new(), zone, name }
    }

    /// The same days in the same zone, at other times, which are written as in the spec.
    ///
    /// # Errors
    ///
    /// What is wrong with the times, in words.
    pub fn between(&self, times: &str) -> Result<Self, String> {
        let window =
            Window { between: times.to_owned(), zone: self.name.clone(), days: Vec::new() };
        let (from, to) = window.minutes()?;
        Ok(Self { from, to, ..self.clone() })
    }

    /// Its times, as they are written.
    #[must_use]
    pub fn times(&self) -> String {
        let show = |minutes: u16| format!("{:02}:{:02}", minutes / 60, minutes % 60);
        format!("{}-{}", show(self.from), show(self.to))
    }

    /// What it is at that moment.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Gate {
        let today = now.to_zoned(self.zone.clone()).date();
        // One that opened yesterday may go over midnight, and one that opens only on some days opens
        // within the week.
        let spans = (-1..=8_i32).filter_map(|days| {
            let date = today.checked_add(days.days()).ok()?;
            let opens = self.days.is_empty() || self.days.contains(&date.weekday());
            let span = opens.then(|| self.span(date)).flatten()?;
            // On a day whose clocks jump over all of it, it does not open.
            (span.0 < span.1).then_some(span)
        });
        let mut spans = spans.skip_while(|(_, end)| *end <= now);
        let Some((start, mut end)) = spans.next() else { return Gate::Closed(now + 24.hours()) };
        if now < start {
            return Gate::Closed(start);
        }
        // Where one ends and the next begins at once, it has not closed between.
        for (next, last) in spans {
            if end < next {
                break;
            }
            end = last;
        }
        let far = now + FAR;
        Gate::Open((end < far).then_some(end))
    }

    /// From when to when it is open, if it opens on that day.
    fn span(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let closes = if self.to <= self.from { date.tomorrow().ok()? } else { date };
        Some((self.moment(date, self.from)?, self.moment(closes, self.to)?))
    }

    /// When the clocks show that time. A time that the clocks jump over is the moment after the jump,
    /// one that they show twice is the first of the two.
    fn moment(&self, date: Date, minutes: u16) -> Option<Timestamp> {
        let (date, minutes) =
            if minutes == 24 * 60 { (date.tomorrow().ok()?, 0) } else { (date, minutes) };
        let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
        let civil = date.to_datetime(Time::new(hour, minute, 0, 0).ok()?);
        self.zone.to_ambiguous_timestamp(civil).compatible().ok()
    }

    /// A moment, as the clocks of the zone show it.
    #[must_use]
    pub fn show(&self, moment: Timestamp) -> String {
        let zoned = moment.to_zoned(self.zone.clone());
        format!("{} {}", zoned.strftime("%a %Y-%m-%d %H:%M"), self.name)
    }
}

const fn weekday(day: Day) -> Weekday {
    match day {
        Day::Mon => Weekday::Monday,
        Day::Tue => Weekday::Tuesday,
        Day::Wed => Weekday::Wednesday,
        Day::Thu => Weekday::Thursday,
        Day::Fri => Weekday::Friday,
        Day::Sat => Weekday::Saturday,
        Day::Sun => Weekday::Sunday,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opening(between: &str, zone: &str, days: &[Day]) -> Opening {
        let window = Window { between: between.into(), zone: zone.into(), days: days.to_vec() };
        Opening::of(&window).unwrap()
    }

    fn utc(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[track_caller]
    fn check(opening: &Opening, now: &str, gate: &str) {
        let (kind, until) = gate.split_once(' ').unwrap();
        let until = utc(until);
        let expected = if kind == "open" { Gate::Open(Some(until)) } else { Gate::Closed(until) };
        assert_eq!(opening.at(utc(now)), expected, "at {now}");
    }

    #[test]
    fn over_midnight() {
        let night = opening("22:00-06:00", "UTC", &[]);
        check(&night, "2026-11-29T21:59:59Z", "closed 2026-11-29T22:00:00Z");
        check(&night, "2026-11-29T22:00:00Z", "open 2026-11-30T06:00:00Z");
        check(&night, "2026-11-30T00:00:00Z", "open 2026-11-30T06:00:00Z");
        check(&night, "2026-11-30T06:00:00Z", "closed 2026-11-30T22:00:00Z");
    }

    #[test]
    fn on_some_days() {
        // 2026-11-27 is a Friday: the night belongs to the day on which it begins.
        let night = opening("22:00-06:00", "UTC", &[Day::Fri]);
        check(&night, "2026-11-27T05:00:00Z", "closed 2026-11-27T22:00:00Z");
        check(&night, "2026-11-28T05:00:00Z", "open 2026-11-28T06:00:00Z");
        check(&night, "2026-11-28T23:00:00Z", "closed 2026-12-04T22:00:00Z");
        // Two whole days are one window.
        let weekend = opening("00:00-24:00", "UTC", &[Day::Sat, Day::Sun]);
        check(&weekend, "2026-11-28T12:00:00Z", "open 2026-11-30T00:00:00Z");
        check(&weekend, "2026-11-27T23:59:59Z", "closed 2026-11-28T00:00:00Z");
    }

    #[test]
    fn one_that_never_closes_has_no_end() {
        let always = opening("00:00-24:00", "Europe/Berlin", &[]);
        assert_eq!(always.at(utc("2026-11-28T12:00:00Z")), Gate::Open(None));
    }

    #[test]
    fn when_the_clocks_go_forward() {
        // Berlin, 2026-03-29: 02:00 becomes 03:00, at 01:00 UTC.
        let night = opening("22:00-06:00", "Europe/Berlin", &[]);
        check(&night, "2026-03-28T21:00:00Z", "open 2026-03-29T04:00:00Z");
        check(&night, "2026-03-29T03:59:59Z", "open 2026-03-29T04:00:00Z");
        check(&night, "2026-03-29T04:00:00Z", "closed 2026-03-29T20:00:00Z");
        // A time that does not exist that night is when the clocks have jumped.
        let early = opening("02:30-04:00", "Europe/Berlin", &[]);
        check(&early, "2026-03-29T00:59:59Z", "closed 2026-03-29T01:30:00Z");
        check(&early, "2026-03-29T01:30:00Z", "open 2026-03-29T02:00:00Z");
        // One that the jump swallows opens the day after.
        let gone = opening("02:00-03:00", "Europe/Berlin", &[]);
        check(&gone, "2026-03-29T00:30:00Z", "closed 2026-03-30T00:00:00Z");
    }

    #[test]
    fn when_the_clocks_go_back() {
        // Berlin, 2026-10-25: 03:00 becomes 02:00, at 01:00 UTC.
        let night = opening("22:00-06:00", "Europe/Berlin", &[]);
        check(&night, "2026-10-24T20:00:00Z", "open 2026-10-25T05:00:00Z");
        check(&night, "2026-10-25T04:59:59Z", "open 2026-10-25T05:00:00Z");
        let early = opening("01:00-02:30", "Europe/Berlin", &[]);
        check(&early, "2026-10-25T00:29:00Z", "open 2026-10-25T00:30:00Z");
        check(&early, "2026-10-25T01:29:00Z", "closed 2026-10-26T00:00:00Z");
    }

    #[test]
    fn a_zone_that_is_none_is_refused_with_the_nearest() {
        let window =
            Window { between: "22:00-06:00".into(), zone: "Europe/Berln".into(), days: vec![] };
        let said = Opening::of(&window).unwrap_err();
        assert!(said.contains("did you mean `Europe/Berlin`?"), "{said}");
    }
}
