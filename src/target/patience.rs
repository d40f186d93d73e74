//! How long a batch waits for others, and whether it asks before it writes. Pure.

use std::time::Duration;

/// What keeps the transaction of a batch from harming the application: it must never be in a wait
/// for the application at the moment when the server looks for a deadlock, for the server may then
/// end the application's transaction and not ours.
///
/// Each database finds deadlocks in its own way, so each has its own
/// [`Target::patience`](super::Target::patience), which argues for its numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patience {
    /// Whether a statement of its own locks the rows, without waiting, before they are written.
    pub lock_first: bool,
    /// The longest wait for one lock; `None`: what the session has.
    pub lock_wait: Option<Duration>,
    /// The longest statement; `None`: what the session has.
    pub statement: Option<Duration>,
}
