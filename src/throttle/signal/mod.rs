//! The signals: a file each, listed in [`ALL`].

mod active_sessions;
mod autovacuum;
mod binlog_rate;
mod blocked_sessions;
mod command;
mod dead_rows;
mod disk_free;
mod file;
mod freeze;
mod history_list;
mod http;
mod query;
mod replica_lag;
mod replica_lag_bytes;
mod retained_wal;
mod transaction_age;
mod vacuum;
mod wal_archive_backlog;
mod wal_rate;
mod window;

use super::probe::Probe;
use super::survey::Now;
use super::{Band, Scene, Side, Unit};
use crate::spec::{Duration, Limit, Size};

/// One measured reason to wait.
pub struct Signal {
    /// Its name in the spec, in reasons and in metrics.
    pub name: &'static str,
    /// What it is measured in.
    pub unit: Unit,
    /// Whether it is watched without being named, where it can be read.
    pub by_default: bool,
    /// Whether what it saw once has to be there: a replica that disappears is one that is behind.
    pub remembers: bool,
    /// Whether a batch in flight is given up for it.
    pub cancels: bool,
    /// How many times as often as the others it is looked at.
    pub haste: u32,
    /// What is said of it when there is nothing to be measured.
    pub nothing: &'static str,
    /// What the spec says of it; `None`: nothing.
    pub(super) said: fn(&Scene) -> Option<Said>,
    /// The limit that holds where the spec has none, given the first look.
    pub(super) limit: fn(&Now) -> f64,
    /// On which side of its limit a value is bad.
    pub(super) side: Side,
    /// Where its value comes from.
    pub(super) probe: fn(&Scene) -> Box<dyn Probe>,
}

/// What a spec says of a signal.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Said {
    pub pause: Option<f64>,
    pub resume: Option<f64>,
    pub off: bool,
}

/// Every signal. A test compares this list with the folder.
pub static ALL: &[&Signal] = &[
    &replica_lag::SIGNAL,
    &replica_lag_bytes::SIGNAL,
    &retained_wal::SIGNAL,
    &blocked_sessions::SIGNAL,
    &active_sessions::SIGNAL,
    &wal_rate::SIGNAL,
    &binlog_rate::SIGNAL,
    &wal_archive_backlog::SIGNAL,
    &vacuum::SIGNAL,
    &autovacuum::SIGNAL,
    &dead_rows::SIGNAL,
    &history_list::SIGNAL,
    &transaction_age::SIGNAL,
    &disk_free::SIGNAL,
    &query::SIGNAL,
    &http::SIGNAL,
    &command::SIGNAL,
    &file::SIGNAL,
    &window::SIGNAL,
    &freeze::SIGNAL,
];

/// What most signals are, so that each file says only what is its own.
const PLAIN: Signal = Signal {
    name: "",
    unit: Unit::Count,
    by_default: false,
    remembers: true,
    cancels: false,
    haste: 1,
    nothing: "nothing to be seen now",
    said: |_| None,
    limit: |_| 0.0,
    side: Side::Above,
    probe: |scene| Box::new(super::probe::Presence(scene.folder.clone())),
};

impl std::fmt::Debug for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// A signal is its name.
impl PartialEq for Signal {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Signal {
    /// Whether it has no limits but is or is not so.
    #[must_use]
    pub fn is_flag(&self) -> bool {
        self.unit == Unit::Flag
    }

    /// On which side of its limits a value is bad.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.side
    }

    /// Whether the spec names it, and does not turn it off; `None`: it says nothing.
    #[must_use]
    pub fn is_wanted(&self, scene: &Scene) -> Option<bool> {
        (self.said)(scene).map(|said| !said.off)
    }

    /// Its limits in a job, given the first look.
    pub(super) fn band(&self, scene: &Scene, now: &Now) -> Band {
        let said = (self.said)(scene).unwrap_or_default();
        let pause = said.pause.unwrap_or_else(|| (self.limit)(now));
        // There is no half of a session.
        let resume = said.resume.or((self.unit == Unit::Count).then(|| (pause / 2.0).floor()));
        match self.side {
            Side::Above => Band::above(pause, resume),
            Side::Below => Band::below(pause, said.resume),
        }
    }
}

/// A limit as a number of its unit.
trait Amount {
    fn amount(&self) -> f64;
}

impl Amount for Duration {
    fn amount(&self) -> f64 {
        self.0.as_secs_f64()
    }
}

#[expect(clippy::cast_precision_loss, reason = "a limit is no exact value")]
impl Amount for Size {
    fn amount(&self) -> f64 {
        self.0 as f64
    }
}

#[expect(clippy::cast_precision_loss, reason = "a limit is no exact value")]
impl Amount for u64 {
    fn amount(&self) -> f64 {
        *self as f64
    }
}

impl Amount for f64 {
    fn amount(&self) -> f64 {
        *self
    }
}

fn said<T: Amount>(limit: Option<&Limit<T>>) -> Option<Said> {
    limit.map(|limit| Said {
        pause: limit.pause_above.as_ref().map(Amount::amount),
        resume: limit.resume_below.as_ref().map(Amount::amount),
        off: limit.off,
    })
}
