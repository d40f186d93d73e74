//! Something that is done again and again beside the event stream, also while nothing happens.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Calls a function at an interval, until it is dropped.
pub(super) struct Ticker {
    /// Dropping it ends the thread.
    _end: Sender<()>,
}

impl Ticker {
    /// Calls `tick` every `interval` on a thread of its own. Where no thread can be had nothing is
    /// lost but the ticks: every event is still shown.
    pub(super) fn every(interval: Duration, mut tick: impl FnMut() + Send + 'static) -> Self {
        let (end, ended) = channel::<()>();
        let _ = std::thread::Builder::new().name("progress".into()).spawn(move || {
            while ended.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                tick();
            }
        });
        Self { _end: end }
    }
}
