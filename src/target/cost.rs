//! What a batch cost beside the work of its statements. Pure.

use std::time::Duration;

/// What a batch cost beside the work of its statements, as far as its session can tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// How long it waited for locks that others held.
    pub lock_wait: Duration,
    /// Bytes that were added to the server's log (WAL or binary log) while it ran, whoever's they
    /// were where the server keeps one count for all; `None` where it does not tell.
    pub log_bytes: Option<u64>,
}
