//! What the task that runs the statements and whoever watches it share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::super::Ended;
use crate::event::HandoffState;
use crate::target::Brake;

/// What people want of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Go,
    Pause,
    Stop,
    Kill,
}

impl Wish {
    /// Whether the statement in flight is to end for it, whatever it does.
    pub(super) const fn ends(self) -> bool {
        matches!(self, Self::Stop | Self::Kill)
    }
}

/// What kind of statement is in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It waits as long as it takes, and locks nobody out; cut off, it leaves something.
    Build,
    /// It waits but a moment, and cut off it leaves nothing.
    Brief,
}

/// A statement in flight.
#[derive(Clone)]
pub(super) struct Flight {
    pub kind: Kind,
    /// Of its session.
    pub number: String,
    pub brake: Arc<Brake>,
    pub since: Instant,
}

/// What can be changed while it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tuned {
    /// Instead of the plan's.
    pub lock_wait: Option<Duration>,
    /// The first pause between two attempts.
    pub pause: Duration,
    /// PostgreSQL: `maintenance_work_mem`.
    pub memory: Option<String>,
}

/// How far it is.
#[derive(Clone)]
pub(super) struct Seen {
    pub state: HandoffState,
    /// Which step, from 1, and what it is.
    pub step: usize,
    pub words: String,
    pub waits_for: Option<String>,
    /// Attempts that failed for want of a lock.
    pub attempts: u32,
    /// The longest that a statement of ours stood in the queue for its lock, and so the application
    /// behind it.
    pub longest_wait: Duration,
    pub flight: Option<Flight>,
    /// Every session that worked.
    pub identities: Vec<String>,
    pub tuned: Tuned,
    pub ended: Option<Ended>,
}

/// The desk between the two.
pub(super) struct Desk {
    seen: Mutex<Seen>,
    pub wish: watch::Sender<Wish>,
    /// A person says that what was to be done by hand is done.
    pub gate: Notify,
    /// Something was changed here.
    pub moved: Notify,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            seen: Mutex::new(Seen {
                state: HandoffState::Starting,
                step: 0,
                words: String::new(),
                waits_for: None,
                attempts: 0,
                longest_wait: Duration::ZERO,
                flight: None,
                identities: Vec::new(),
                tuned: Tuned { lock_wait: None, pause: Duration::from_secs(1), memory: None },
                ended: None,
            }),
            wish: watch::Sender::new(Wish::Go),
            gate: Notify::new(),
            moved: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        // Nobody panics with it in hand, and what is there is whole in any case.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock());
        self.moved.notify_waiters();
    }

    pub(super) fn at(&self, state: HandoffState, waits_for: Option<String>) {
        self.change(|seen| {
            seen.state = state;
            seen.waits_for = waits_for;
        });
    }

    /// Waits until something is so, for at most `patience`; whether it is.
    pub(super) async fn until(&self, patience: Duration, is: impl Fn(&Seen) -> bool) -> bool {
        let wait = async {
            loop {
                // Registered before the look, so that no change falls between the two.
                let moved = self.moved.notified();
                tokio::pin!(moved);
                moved.as_mut().enable();
                if is(&self.lock()) {
                    return;
                }
                moved.await;
            }
        };
        tokio::time::timeout(patience, wait).await.is_ok()
    }
}
