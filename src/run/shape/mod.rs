//! What is done with a window of rows. One loop walks; each shape is a file here.

pub(super) mod update;
pub(super) mod verify;

use std::time::Duration;

use async_trait::async_trait;

use super::{Error, Run};
use crate::event::Phase;
use crate::keyspace::{Key, Range};
use crate::target::Session;

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
}

/// What is done with a window of rows.
#[async_trait]
pub(super) trait Shape: Send + Sync {
    /// The walk that it belongs to.
    fn phase(&self) -> Phase;

    /// Does it, and returns the number of rows that it changed or found wrong. `next` is the range
    /// with the cursor at the end of the window, but for `rows_changed`.
    async fn apply(
        &self,
        run: &Run,
        session: &mut dyn Session,
        window: &Window,
        next: &Range,
    ) -> Result<u64, Error>;
}
