//! Listeners of the event stream: bars, lines, JSON and metrics. Nobody below names this room.

mod bars;
mod families;
pub mod handoff;
mod json;
mod lines;
pub mod metrics;
mod screen;
mod throttling;
mod ticker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use bars::Bars;
pub use handoff::{HandoffBar, HandoffLines, HandoffMetrics};
pub use json::JsonLines;
pub use lines::Lines;
pub use metrics::Metrics;

use crate::event::{Listener, Record, View};

/// The fold of the stream, shared with whoever wants to look at any moment.
#[derive(Debug, Clone, Default)]
pub struct Watched(Arc<Mutex<View>>);

impl Watched {
    /// The view as it is now.
    pub fn view(&self) -> MutexGuard<'_, View> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Watched {
    fn on(&self, record: &Record) {
        self.view().apply(record);
    }
}
