//! What stands at this moment: one board for sampler, workers and displays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::dial::Dial;
use super::{Band, Hold, Read, Signal, Watched};

/// The limits of a signal as they are now, and whether it counts at all.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Watch {
    /// The signal.
    pub signal: &'static Signal,
    /// Its limits.
    pub band: Band,
    /// Whether a person has turned it off.
    pub off: bool,
}

/// The limits of all signals that a job watches, by name: what can be tuned of them.
pub type Watches = BTreeMap<&'static str, Watch>;

/// The reasons to wait. Empty: go on.
pub type Holds = Arc<Vec<Hold>>;

/// What is known of a signal, for displays.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The signal.
    pub signal: &'static str,
    /// How much of its limit is used up; `None` while it has no value.
    pub utilization: Option<f64>,
    /// The value as people write it.
    pub value: Option<String>,
    /// How long ago it was last read.
    pub age: Duration,
}

/// Clones share one.
#[derive(Clone)]
pub struct Board {
    inner: Arc<Mutex<Inner>>,
    holds: Arc<watch::Sender<Holds>>,
    /// Signals that were not looked at yet.
    unseen: Arc<watch::Sender<BTreeSet<&'static str>>>,
    begun: Instant,
    deadline: Duration,
}

struct Inner {
    dials: BTreeMap<&'static str, Dial>,
    watches: Watches,
}

impl Board {
    /// A board of what the job watches. A value that is older than `deadline` counts as bad.
    #[must_use]
    pub fn new(watches: Watches, deadline: Duration) -> Self {
        let dial = |watch: &Watch| Dial::new(watch.signal.remembers, Duration::ZERO);
        let inner = Inner {
            dials: watches.iter().map(|(name, watch)| (*name, dial(watch))).collect(),
            watches,
        };
        let unseen = inner.watches.keys().copied().collect();
        Self {
            inner: Arc::new(Mutex::new(inner)),
            holds: Arc::new(watch::Sender::new(Arc::default())),
            unseen: Arc::new(watch::Sender::new(unseen)),
            begun: Instant::now(),
            deadline,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How old a value may be.
    #[must_use]
    pub const fn deadline(&self) -> Duration {
        self.deadline
    }

    /// Takes note of a look at a signal.
    pub fn take(&self, signal: &'static str, read: Read) {
        let now = self.begun.elapsed();
        let mut inner = self.lock();
        let Inner { dials, watches } = &mut *inner;
        if let (Some(dial), Some(watch)) = (dials.get_mut(signal), watches.get(signal)) {
            dial.take(read, &watch.band, now);
        }
        drop(inner);
        self.weigh();
        self.unseen.send_if_modified(|unseen| unseen.remove(signal));
    }

    /// Waits until every signal was looked at, for at most as long as a value may be old: nothing is
    /// good because it was not looked at.
    pub async fn first_look(&self) {
        let mut watcher = self.unseen.subscribe();
        let seen = watcher.wait_for(BTreeSet::is_empty);
        if tokio::time::timeout(self.deadline, seen).await.is_err() {
            // What was not looked at until now is too old, and that is a reason by the next weighing:
            // no batch begins before it.
            self.weigh();
        }
    }

    /// Forgets every value, as if nothing had been read yet: the server is another one, and what was
    /// there on the one before need not be on this.
    pub fn forget(&self) {
        let now = self.begun.elapsed();
        let mut inner = self.lock();
        let Inner { dials, watches } = &mut *inner;
        for (name, dial) in dials.iter_mut() {
            let remembers = watches.get(name).is_some_and(|watch| watch.signal.remembers);
            *dial = Dial::new(remembers, now);
        }
        drop(inner);
        self.weigh();
    }

    /// Takes over limits that people have changed.
    pub fn retune(&self, watches: &Watches) {
        self.lock().watches.clone_from(watches);
        self.weigh();
    }

    /// Finds the reasons that stand now, and tells whoever waits for a change.
    pub fn weigh(&self) {
        let now = self.begun.elapsed();
        let inner = self.lock();
        let mut holds = Vec::new();
        for watch in inner.watches.values().filter(|watch| !watch.off) {
            let Some(dial) = inner.dials.get(watch.signal.name) else { continue };
            let stand = dial.stand(&watch.band, watch.signal.unit, self.deadline, now);
            holds.extend(stand.reason.map(|reason| Hold {
                signal: watch.signal.name,
                reason: format!("{} {reason}", watch.signal.name),
            }));
        }
        drop(inner);
        self.holds.send_if_modified(|present| {
            let changes = **present != holds;
            if changes {
                *present = Arc::new(holds);
            }
            changes
        });
    }

    /// The reasons to wait.
    #[must_use]
    pub fn holds(&self) -> Holds {
        Arc::clone(&self.holds.borrow())
    }

    /// Waits until one of the reasons is one for which a batch in flight is given up.
    pub async fn yields(&self) {
        let mut watcher = self.holds.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = watcher.wait_for(|holds| holds.iter().any(Hold::yields)).await;
    }

    /// Waits until there is a reason to wait.
    pub async fn held(&self) {
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = self.holds.subscribe().wait_for(|holds| !holds.is_empty()).await;
    }

    /// A receiver that sees every change from now on.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Holds> {
        self.holds.subscribe()
    }

    /// Every signal, for displays.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        let now = self.begun.elapsed();
        let inner = self.lock();
        let watched = inner.watches.values().filter(|watch| !watch.off);
        let shown = watched.filter_map(|watch| {
            let dial = inner.dials.get(watch.signal.name)?;
            let stand = dial.stand(&watch.band, watch.signal.unit, self.deadline, now);
            Some(Shown {
                signal: watch.signal.name,
                utilization: stand.value.map(|value| watch.band.utilization(value)),
                value: stand.value.map(|value| watch.signal.unit.show(value)),
                age: now.saturating_sub(stand.read),
            })
        });
        shown.collect()
    }
}

impl Hold {
    /// Whether a batch in flight is given up for it.
    #[must_use]
    pub fn yields(&self) -> bool {
        super::ALL.iter().any(|signal| signal.name == self.signal && signal.cancels)
    }
}

/// The limits of what the plan wants to be watched.
#[must_use]
pub fn watches(watched: &[Watched]) -> Watches {
    let kept = watched.iter().filter(|watched| watched.is_watched());
    let watch = |w: &Watched| Watch { signal: w.signal, band: w.band, off: false };
    kept.map(|watched| (watched.signal.name, watch(watched))).collect()
}
