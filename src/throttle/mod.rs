//! When a job has to step aside, and why.
//!
//! A [`Signal`] is one measured reason to wait; each has a file in [`signal`] that says what it means
//! and where its value comes from, and is listed in [`ALL`]. What is asked of a database is a
//! [`Question`](crate::target::Question), whose SQL stands in the `signals.rs` of the engine. The rest
//! is here once: where values come from ([`probe`]), from which value on the job waits ([`Band`]),
//! when a value counts ([`dial`]: hysteresis and freshness), the polling ([`sample`]) and what stands
//! at this moment ([`Board`]).
//!
//! **Invariants.** What cannot be read counts as bad once it is older than its deadline, and so does
//! what has disappeared. Every reason has one grammar, [`Hold`]:
//! `replica_lag 7.2s > 5s (replica db-2)`.

mod band;
mod board;
mod dial;
mod freeze;
mod probe;
mod rate;
mod sampler;
pub mod signal;
mod survey;
mod unit;
mod window;

pub use band::{Band, Side};
pub use board::{Board, Holds, Shown, Watch, Watches, watches};
pub use probe::{Line, Present, Read, Replica, Scene};
pub use rate::{Timetable, most_rows};
pub use sampler::sample;
pub use signal::{ALL, Signal};
pub use survey::{Now, Origin, Watched, look};
pub use unit::Unit;
pub use window::{Gate, Opening, time_zone};

/// One reason to wait.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Hold {
    /// The signal.
    pub signal: &'static str,
    /// The reason, in the one grammar: signal, value, limit, and whose value it is.
    pub reason: String,
}
