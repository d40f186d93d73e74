//! What can be changed of a job while it runs.

use std::time::Duration;

use super::{Pace, Pause};
use crate::catalog::closest;
use crate::spec;

/// A setting that a person may change while the job runs. Adding one is an entry in [`ALL`].
#[derive(Debug)]
pub struct Setting {
    /// Its name, as in the spec: `batch.target_time`.
    pub name: &'static str,
    /// Takes a value, or says what is wrong with it.
    set: fn(&str, &mut Pace) -> Result<(), String>,
    /// The value, as it is written.
    pub show: fn(&Pace) -> String,
}

/// Every setting.
pub static ALL: &[Setting] = &[
    Setting {
        name: "batch.target_time",
        set: |text, pace| {
            pace.target_time = time(text, spec::TARGET_TIMES)?;
            Ok(())
        },
        show: |pace| spec::Duration(pace.target_time).to_string(),
    },
    Setting {
        name: "batch.max_rows",
        set: |text, pace| {
            pace.max_rows = number(text, spec::MAX_ROWS)?;
            Ok(())
        },
        show: |pace| pace.max_rows.to_string(),
    },
    Setting {
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
    Setting {
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
    Setting {
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
];

impl Setting {
    /// The setting of that name.
    ///
    /// # Errors
    ///
    /// There is none; in words, with the nearest.
    pub fn find(name: &str) -> Result<&'static Self, String> {
        ALL.iter().find(|setting| setting.name == name).ok_or_else(|| {
            let names = || ALL.iter().map(|setting| setting.name);
            let hint = match closest(name, names()).first() {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let all: Vec<_> = names().map(|name| format!("`{name}`")).collect();
                    format!("there are {}", all.join(", "))
                }
            };
            format!("`{name}` cannot be tuned; {hint}")
        })
    }

    /// Takes the value.
    ///
    /// # Errors
    ///
    /// What is wrong with it, in words; the pace is then as it was.
    pub fn set(&self, text: &str, pace: &mut Pace) -> Result<(), String> {
        (self.set)(text, pace).map_err(|reason| format!("`{}`: {reason}", self.name))
    }

    /// Checks a value, as far as that can be done without knowing the target.
    ///
    /// # Errors
    ///
    /// As [`Setting::set`].
    pub fn check(&self, text: &str) -> Result<(), String> {
        self.set(text, &mut Pace::default())
    }
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
        ] {
            let (setting, mut pace) = (Setting::find(name).unwrap(), Pace::default());
            setting.set(text, &mut pace).unwrap();
            assert_eq!((setting.show)(&pace), text, "{name}");
        }
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
        ] {
            let said = Setting::find(name).unwrap().check(text).unwrap_err();
            assert!(said.contains(says) && said.contains(name), "{said}");
        }
        let mut pace = Pace { most_workers: 1, ..Pace::default() };
        let said = Setting::find("batch.workers").unwrap().set("2", &mut pace).unwrap_err();
        assert!(said.contains("one writer"), "{said}");
        assert!(Setting::find("batch.worker").unwrap_err().contains("`batch.workers`?"));
    }
}
