//! The signals of a run: sampled beside the work, and told to whoever shows them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Run;
use crate::event::{Event, SignalView};
use crate::throttle::{self, Shown};

/// How often listeners are told what the signals say.
const TELL_EVERY: Duration = Duration::from_secs(1);

impl Run {
    /// Samples for ever.
    pub(super) async fn watch_signals(&self) -> Infallible {
        let signals: Vec<_> = self.plan.pace.watches.values().map(|watch| watch.signal).collect();
        if signals.is_empty() {
            return std::future::pending().await;
        }
        let mut scene = self.plan.scene(Arc::clone(&self.target), self.pace().target_time);
        let waits = Arc::clone(&self.waits);
        scene.sessions = Arc::new(move || waits.sessions());
        if let Some(window) = self.pace().window {
            let pace = self.pace.subscribe();
            // What is tuned is another window, and never none.
            scene.window = Some(Arc::new(move || {
                pace.borrow().window.clone().unwrap_or_else(|| window.clone())
            }));
        }
        tokio::select! {
            never = throttle::sample(&self.board, &scene, signals) => never,
            never = self.tell_signals() => never,
        }
    }

    async fn tell_signals(&self) -> Infallible {
        loop {
            tokio::time::sleep(TELL_EVERY).await;
            let now = Timestamp::now();
            let view = |shown: Shown| SignalView {
                signal: shown.signal.to_owned(),
                utilization: shown.utilization,
                value: shown.value,
                read_at: now.checked_sub(shown.age).unwrap_or(now),
            };
            let signals = self.board.shown().into_iter().map(view).collect();
            self.bus.emit(Event::SignalsRead { signals });
        }
    }
}
