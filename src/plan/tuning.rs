//! What can be changed of a job while it runs.

use std::time::Duration;

use super::{Pace, Pause};
use crate::catalog::closest;
use crate::spec;
use crate::throttle::{self, Band, Opening, Side, Signal, Watch};

/// A setting that a person may change while the job runs.
#[derive(Debug, Clone, Copy)]
pub enum Setting {
    /// One that every job has. Adding one is an entry in [`ALL`].
    Fixed(&'static Fixed),
    /// A limit of a signal: `throttle.replica_lag.pause_above`.
    Signal(&'static Signal, Part),
}

/// A setting that every job has.
#[derive(Debug)]
pub struct Fixed {
    /// Its name, as in the spec: `batch.target_time`.
    pub name: &'static str,
    /// Takes a value, or says what is wrong with it.
    set: fn(&str, &mut Pace) -> Result<(), String>,
    /// The value, as it is written.
    show: fn(&Pace) -> String,
}

/// What can be changed of a signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// From which value on the job waits.
    Pause,
    /// From which value on it goes on.
    Resume,
    /// Whether the signal counts at all.
    Off,
}

impl Part {
    /// Its name for a signal; a signal whose values are bad below a limit has other words.
    const fn name(self, side: Side) -> &'static str {
        match (self, side) {
            (Self::Pause, Side::Above) => "pause_above",
            (Self::Pause, Side::Below) => "pause_below",
            (Self::Resume, Side::Above) => "resume_below",
            (Self::Resume, Side::Below) => "resume_above",
            (Self::Off, _) => "off",
        }
    }
}

/// Every setting that is not a signal's.
pub static ALL: &[Fixed] = &[
    Fixed {
        name: "batch.target_time",
        set: |text, pace| {
            pace.target_time = time(text, spec::TARGET_TIMES)?;
            Ok(())
        },
        show: |pace| spec::Duration(pace.target_time).to_string(),
    },
    Fixed {
        name: "batch.max_rows",
        set: |text, pace| {
            pace.max_rows = number(text, spec::MAX_ROWS)?;
            Ok(())
        },
        show: |pace| pace.max_rows.to_string(),
    },
    Fixed {
        name: "batch.max_log",
        set: |text, pace| {
            let size = text.parse()?;
            if !spec::MAX_LOG.contains(&size) {
                let (least, most) = (spec::MAX_LOG.start(), spec::MAX_LOG.end());
                return Err(format!("`{text}` is not from {least} to {most}"));
            }
            pace.max_log = size;
            Ok(())
        },
        show: |pace| pace.max_log.to_string(),
    },
    Fixed {
        name: "batch.workers",
        set: |text, pace| {
            let workers = number(text, spec::WORKERS)?;
            if pace.most_workers < workers {
                return Err(format!(
                    "this database has one writer at a time: at most {} worker",
                    pace.most_workers
                ));
            }
            pace.workers = workers;
            Ok(())
        },
        show: |pace| pace.workers.to_string(),
    },
    Fixed {
        name: "batch.pause",
        set: |text, pace| {
            let pause = time(text, Duration::ZERO..=Duration::MAX)?;
            pace.pause = if pause.is_zero() { Pause::None } else { Pause::Fixed(pause) };
            Ok(())
        },
        show: |pace| match pace.pause {
            Pause::None => spec::Duration(Duration::ZERO).to_string(),
            Pause::AsLong => "as long as the batch".to_owned(),
            Pause::Fixed(time) => spec::Duration(time).to_string(),
        },
    },
    Fixed {
        name: "throttle.rows_per_second",
        set: |text, pace| {
            pace.rows_per_second = unless_none(text, |text| number(text, 1..=u64::MAX))?;
            Ok(())
        },
        show: |pace| or_none(pace.rows_per_second),
    },
    Fixed {
        name: "throttle.nice",
        set: |text, pace| {
            let nice = text.parse::<f64>().ok().filter(|nice| spec::NICE.contains(nice));
            pace.nice = nice.ok_or_else(|| format!("`{text}` is not a number from 0 to 100"))?;
            Ok(())
        },
        show: |pace| pace.nice.to_string(),
    },
    Fixed {
        name: "limits.window.between",
        set: |text, pace| {
            let Some(window) = &pace.window else {
                return Err("this job has no window, so there is nothing to change; write one \
                            into [limits] for the next run"
                    .to_owned());
            };
            pace.window = Some(window.between(text)?);
            Ok(())
        },
        show: |pace| or_none(pace.window.as_ref().map(Opening::times)),
    },
    Fixed {
        name: "limits.max_runtime",
        set: |text, pace| {
            let limits = Duration::from_millis(1)..=Duration::MAX;
            pace.ends.max_runtime = unless_none(text, |text| time(text, limits))?;
            Ok(())
        },
        show: |pace| or_none(pace.ends.max_runtime.map(spec::Duration)),
    },
    Fixed {
        name: "limits.max_rows",
        set: |text, pace| {
            pace.ends.max_rows = unless_none(text, |text| number(text, 1..=u64::MAX))?;
            Ok(())
        },
        show: |pace| or_none(pace.ends.max_rows),
    },
    Fixed {
        name: "limits.max_outage",
        set: |text, pace| {
            pace.ends.max_outage = time(text, spec::MAX_OUTAGE)?;
            Ok(())
        },
        show: |pace| spec::Duration(pace.ends.max_outage).to_string(),
    },
    Fixed {
        name: "limits.max_errors",
        set: |text, pace| {
            pace.ends.max_errors = unless_none(text, |text| number(text, 0..=u64::MAX))?;
            Ok(())
        },
        show: |pace| or_none(pace.ends.max_errors),
    },
    Fixed {
        name: "limits.quarantine.max_rows",
        set: |text, pace| {
            pace.ends.quarantine.max_rows = number(text, 0..=u64::MAX)?;
            Ok(())
        },
        show: |pace| pace.ends.quarantine.max_rows.to_string(),
    },
    Fixed {
        name: "limits.quarantine.max_share",
        set: |text, pace| {
            pace.ends.quarantine.max_share = text.parse()?;
            Ok(())
        },
        show: |pace| pace.ends.quarantine.max_share.to_string(),
    },
];

impl Setting {
    /// The setting of that name.
    ///
    /// # Errors
    ///
    /// There is none; in words, with the nearest.
    pub fn find(name: &str) -> Result<Self, String> {
        if let Some(fixed) = ALL.iter().find(|fixed| fixed.name == name) {
            return Ok(Self::Fixed(fixed));
        }
        let of_signals = signals();
        if let Some(setting) = of_signals.iter().find(|setting| setting.name() == name) {
            return Ok(*setting);
        }
        let fixed = || ALL.iter().map(|fixed| fixed.name.to_owned());
        let all: Vec<_> = fixed().chain(of_signals.iter().map(Self::name)).collect();
        let hint = match closest(name, all.iter().map(String::as_str)).first() {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let fixed: Vec<_> = fixed().map(|name| format!("`{name}`")).collect();
                format!(
                    "there are {}, and of each signal `throttle.SIGNAL.pause_above`, \
                     `resume_below` and `off`",
                    fixed.join(", ")
                )
            }
        };
        Err(format!("`{name}` cannot be tuned; {hint}"))
    }

    /// Its name, as in the spec.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Fixed(fixed) => fixed.name.to_owned(),
            Self::Signal(signal, part) => {
                format!("throttle.{}.{}", signal.name, part.name(signal.side()))
            }
        }
    }

    /// The value, as it is written.
    #[must_use]
    pub fn show(&self, pace: &Pace) -> String {
        match self {
            Self::Fixed(fixed) => (fixed.show)(pace),
            Self::Signal(signal, part) => {
                let Some(watch) = pace.watches.get(signal.name) else { return "off".to_owned() };
                match part {
                    Part::Pause => signal.unit.show(watch.band.pause),
                    Part::Resume => signal.unit.show(watch.band.resume),
                    Part::Off => watch.off.to_string(),
                }
            }
        }
    }

    /// Takes the value.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words; the pace is then as it was.
    pub fn set(&self, text: &str, pace: &mut Pace) -> Result<(), String> {
        let taken = match self {
            Self::Fixed(fixed) => (fixed.set)(text, pace),
            Self::Signal(signal, part) => set_signal(signal, *part, text, pace),
        };
        taken.map_err(|reason| format!("`{}`: {reason}", self.name()))
    }

    /// Checks a value, as far as that can be done without knowing the target.
    ///
    /// # Errors
    ///
    /// As [`Setting::set`].
    pub fn check(&self, text: &str) -> Result<(), String> {
        let mut pace = Pace { window: Some(Opening::always()), ..Pace::default() };
        if let Self::Signal(signal, _) = self {
            let band = Band { pause: f64::MAX, resume: f64::MIN, side: signal.side() };
            pace.watches.insert(signal.name, Watch { signal, band, off: false });
        }
        self.set(text, &mut pace)
    }
}

/// What can be changed of signals.
fn signals() -> Vec<Setting> {
    let parts = |signal: &'static Signal| {
        let parts: &[Part] =
            if signal.is_flag() { &[Part::Off] } else { &[Part::Pause, Part::Resume, Part::Off] };
        parts.iter().map(move |part| Setting::Signal(signal, *part))
    };
    throttle::ALL.iter().flat_map(|signal| parts(signal)).collect()
}

fn set_signal(
    signal: &'static Signal,
    part: Part,
    text: &str,
    pace: &mut Pace,
) -> Result<(), String> {
    let Some(watch) = pace.watches.get_mut(signal.name) else {
        return Err("this job does not watch it, so there is nothing to change; name it in \
                    [throttle] for the next run"
            .to_owned());
    };
    let band = watch.band;
    match part {
        Part::Off => {
            watch.off = text.parse().map_err(|_| format!("`{text}` is not true or false"))?;
        }
        Part::Pause => {
            let pause = signal.unit.read(text)?;
            // Whoever moves one limit past the other means both.
            watch.band = match band.side {
                Side::Above => Band { pause, resume: band.resume.min(pause), ..band },
                Side::Below => Band { pause, resume: band.resume.max(pause), ..band },
            };
        }
        Part::Resume => {
            let resume = signal.unit.read(text)?;
            let fits = match band.side {
                Side::Above => resume <= band.pause,
                Side::Below => band.pause <= resume,
            };
            if !fits {
                let pause = signal.unit.show(band.pause);
                return Err(format!(
                    "the job waits from {pause} on, and could never go on; change `{}` first",
                    Part::Pause.name(band.side)
                ));
            }
            watch.band.resume = resume;
        }
    }
    Ok(())
}

/// A number that may be left out.
fn unless_none<T>(
    text: &str,
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<Option<T>, String> {
    if text == "none" { Ok(None) } else { read(text).map(Some) }
}

fn or_none<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}

fn number<N>(text: &str, limits: std::ops::RangeInclusive<N>) -> Result<N, String>
where
    N: std::str::FromStr + PartialOrd + std::fmt::Display,
{
    let (least, most) = (limits.start(), limits.end());
    let found = text.replace('_', "").parse::<N>().ok().filter(|number| limits.contains(number));
    found.ok_or_else(|| format!("`{text}` is not a whole number from {least} to {most}"))
}

fn time(text: &str, limits: std::ops::RangeInclusive<Duration>) -> Result<Duration, String> {
    let spec::Duration(time) = text.parse()?;
    if limits.contains(&time) {
        return Ok(time);
    }
    let show = |time: &Duration| spec::Duration(*time).to_string();
    Err(format!("`{text}` is not from {} to {}", show(limits.start()), show(limits.end())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_setting_takes_it_shows() {
        for (name, text) in [
            ("batch.target_time", "100ms"),
            ("batch.max_rows", "500"),
            ("batch.max_log", "8MiB"),
            ("batch.workers", "4"),
            ("batch.pause", "2s"),
            ("throttle.rows_per_second", "500"),
            ("throttle.rows_per_second", "none"),
            ("throttle.nice", "0.5"),
            ("limits.window.between", "22:00-06:00"),
            ("limits.max_runtime", "2h"),
            ("limits.max_rows", "1000"),
            ("limits.max_outage", "1h"),
            ("limits.max_errors", "none"),
            ("limits.quarantine.max_rows", "0"),
            ("limits.quarantine.max_share", "2.5%"),
        ] {
            let mut pace = Pace { window: Some(Opening::always()), ..Pace::default() };
            let setting = Setting::find(name).unwrap();
            setting.set(text, &mut pace).unwrap();
            assert_eq!(setting.show(&pace), text, "{name}");
        }
    }

    #[test]
    fn the_limits_of_a_signal_keep_their_order() {
        let mut pace = Pace::default();
        let signal = *throttle::ALL.iter().find(|signal| signal.name == "replica_lag").unwrap();
        let watch = Watch { signal, band: Band::above(10.0, None), off: false };
        pace.watches.insert(signal.name, watch);
        let mut set = |part: &str, text: &str| {
            let setting = Setting::find(&format!("throttle.replica_lag.{part}")).unwrap();
            setting.set(text, &mut pace).map(|()| setting.show(&pace))
        };
        assert_eq!(set("pause_above", "3s").unwrap(), "3s");
        assert!(set("resume_below", "4s").unwrap_err().contains("waits from 3s on"));
        assert_eq!(set("resume_below", "1s").unwrap(), "1s");
        assert_eq!(set("off", "true").unwrap(), "true");
        assert_eq!(pace.watches["replica_lag"].band, Band::above(3.0, Some(1.0)));
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (name, text, says) in [
            ("batch.target_time", "5", "not a duration"),
            ("batch.target_time", "2h", "not from 1ms to 1m"),
            ("batch.max_rows", "0", "from 1 to 1000000"),
            ("batch.max_log", "8", "not a number of bytes"),
            ("batch.max_log", "8kB", "not from 64KiB to 1TiB"),
            ("batch.workers", "many", "from 1 to 64"),
            ("limits.window.between", "22-6", "is not a time of the day"),
            ("throttle.nice", "-1", "from 0 to 100"),
            ("limits.max_outage", "25h", "to 24h"),
            ("throttle.rows_per_second", "0", "from 1"),
            ("throttle.replica_lag.pause_above", "5", "not a duration"),
            ("throttle.dead_rows.pause_above", "20", "share from 0 to 1"),
            ("throttle.vacuum.off", "yes", "true or false"),
            ("limits.quarantine.max_rows", "none", "not a whole number"),
            ("limits.quarantine.max_share", "10", "not a share"),
        ] {
            let said = Setting::find(name).unwrap().check(text).unwrap_err();
            assert!(said.contains(says) && said.contains(name), "{said}");
        }
        let mut pace = Pace { most_workers: 1, ..Pace::default() };
        let said = Setting::find("batch.workers").unwrap().set("2", &mut pace).unwrap_err();
        assert!(said.contains("one writer"), "{said}");
        let said = Setting::find("limits.window.between").unwrap().set("01:00-02:00", &mut pace);
        assert!(said.unwrap_err().contains("has no window"));
        let said = Setting::find("throttle.replica_lag.off").unwrap().set("true", &mut pace);
        assert!(said.unwrap_err().contains("does not watch it"));
        assert!(Setting::find("throttle.replica_lag.pause").unwrap_err().contains("pause_above`?"));
        assert!(Setting::find("batch.worker").unwrap_err().contains("`batch.workers`?"));
    }
}
