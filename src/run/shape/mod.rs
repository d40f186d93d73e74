//! What is done with a window of rows. One loop walks; each shape is a file here.

mod keep;
pub(super) mod update;
pub(super) mod verify;

use std::time::Duration;

use async_trait::async_trait;

use super::seat::Seat;
use super::{Error, Run};
use crate::event::Phase;
use crate::keyspace::{Key, Range, Taken};
use crate::target::{self, Cost};

/// The rows above `after`, up to and including `upto`.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// The key that it begins after; `None` is the beginning of the table.
    pub after: Option<Key>,
    /// Its last key.
    pub upto: Key,
    /// Rows in it, when it was looked up.
    pub rows: u64,
    /// Whether the range ends with it.
    pub last: bool,
}

/// What a batch did.
#[derive(Debug, Clone, Copy)]
pub(super) struct Applied {
    /// Rows whose value changed, or that were found wrong.
    pub rows_changed: u64,
    /// From its first statement to the end of its COMMIT.
    pub took: Duration,
    /// What it cost besides.
    pub cost: Cost,
}

impl Applied {
    /// What the work took, without the waits for locks. What others wrote into a log of all while it
    /// waited is taken out in proportion.
    pub(super) fn worked(&self) -> Taken {
        let time = self.took.saturating_sub(self.cost.lock_wait);
        let share = time.as_secs_f64() / self.took.as_secs_f64().max(f64::MIN_POSITIVE);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the share is from 0 to 1, and bytes are far below 2^53"
        )]
        let log_bytes = self.cost.log_bytes.map(|bytes| (bytes as f64 * share) as u64);
        Taken { time, log_bytes }
    }
}

/// A row on which the work fails, and would fail however often it is tried.
#[derive(Debug)]
pub(super) struct Poison {
    /// Its key.
    pub key: Key,
    /// Its columns as texts; empty where they could not be read.
    pub values: serde_json::Value,
    /// What the server said.
    pub error: target::Error,
}

/// What is done with a window of rows.
#[async_trait]
pub(super) trait Shape: Send + Sync {
    /// The walk that it belongs to.
    fn phase(&self) -> Phase;

    /// Takes note that a worker has given a part of its range away. Where that has to be written down for
    /// others, it was.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    fn shared(&self, _run: &Run, _kept: &Range, _given: &Range) -> Result<(), Error> {
        Ok(())
    }

    /// Does it, advances the range, and returns the number of rows that it changed or found wrong.
    /// After an error the range is as the fence has it.
    async fn apply(
        &self,
        run: &Run,
        seat: &mut Seat,
        window: &Window,
        range: &mut Range,
    ) -> Result<u64, Error>;

    /// Writes down that it fails on the only row of the window, and advances the range beyond it.
    /// After an error the range is as the fence has it.
    async fn pass_over(
        &self,
        run: &Run,
        seat: &mut Seat,
        window: &Window,
        range: &mut Range,
        poison: &Poison,
    ) -> Result<(), Error>;
}
