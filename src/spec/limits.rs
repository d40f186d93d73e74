//! The fields of `[limits]`. The doc comments here are the reference.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Share};

/// When the job may work, and how far one run goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// When the job works. Before the window closes it finishes its batches and waits; when it opens
    /// it goes on by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// A run that has lasted so long stops after the batch in flight: exit code 3, and running the job
    /// again goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_runtime: Option<Duration>,
    /// A run that has changed so many rows stops after the batch in flight: exit code 3, and running
    /// the job again goes on. Several workers may together change a few rows more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_rows: Option<u64>,
    /// For how long a run waits for a server that is away: one that restarts, that the network does not
    /// reach, or whose standby is not promoted yet. By default ten minutes, at most a day; time in which
    /// the job is paused does not count. A run that has waited for longer has failed: exit code 4.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_outage: Option<Duration>,
    /// A run in which more batches than this were rolled back and had to be tried again (deadlocks,
    /// time-outs, lost connections) has failed: exit code 4. By default any number, each batch for at
    /// most ten minutes. Batches that are cancelled for `blocked_sessions` do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_errors: Option<u64>,
    /// How many rows that cannot be written may be put into quarantine, while the others are written.
    #[serde(skip_serializing_if = "Quarantine::is_default")]
    pub quarantine: Quarantine,
}

/// How many rows may be in quarantine. With more, the run has failed: exit code 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quarantine {
    /// So many rows of the job may wait there; with 0 the first one ends the run. By default 100.
    pub max_rows: u64,
    /// So large may be their share of the rows that the run has gone through, once 20 of the run are there: of a
    /// spec that fits no row, not a million are tried one by one. By default `10%`.
    pub max_share: Share,
}

impl Default for Quarantine {
    fn default() -> Self {
        Self { max_rows: 100, max_share: Share(1_000) }
    }
}

impl Quarantine {
    /// Whether it says what holds anyway. It is then no part of the canonical form.
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// A time of the day on some days of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// From when to when, as the clocks of the zone show it: `22:00-06:00` goes over midnight,
    /// `00:00-24:00` is a whole day.
    pub between: String,
    /// The zone's name, for example `Europe/Berlin` or `UTC`.
    pub zone: String,
    /// The days on which it opens: `mon` to `sun`. By default every day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

impl Limits {
    /// Whether it says nothing. It is then no part of the canonical form.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Window {
    /// The minutes of the day at which it opens and closes; the second is up to 1440.
    ///
    /// # Errors
    ///
    /// What is wrong with `between`, in words.
    pub fn minutes(&self) -> Result<(u16, u16), String> {
        let wrong = || {
            format!(
                "`{}` is not a time of the day; write for example \"22:00-06:00\"",
                self.between
            )
        };
        let (from, to) = self.between.split_once('-').ok_or_else(wrong)?;
        let (from, to) =
            (minute(from.trim()).ok_or_else(wrong)?, minute(to.trim()).ok_or_else(wrong)?);
        if from == to || from == 24 * 60 || to == 0 && from == 0 {
            return Err(format!(
                "`{}` is never open; for the whole day write \"00:00-24:00\"",
                self.between
            ));
        }
        Ok((from, to))
    }
}

fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| (text.len() == 2).then(|| text.parse::<u16>().ok()).flatten();
    let (hour, minute) = (digits(hour)?, digits(minute)?);
    let minutes = hour * 60 + minute;
    (minute < 60 && minutes <= 24 * 60).then_some(minutes)
}
