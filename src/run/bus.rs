//! Where events go: stamped with the time, handed to every listener in order.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::event::{Event, Listener, Record};

/// The one way out for events. Clones share the listeners.
#[derive(Clone)]
pub struct Bus {
    job: String,
    listeners: Arc<Mutex<Vec<Arc<dyn Listener>>>>,
}

impl Bus {
    /// A bus for the events of one job.
    #[must_use]
    pub fn new(job: &str, listeners: Vec<Arc<dyn Listener>>) -> Self {
        Self { job: job.to_owned(), listeners: Arc::new(Mutex::new(listeners)) }
    }

    /// Tells every listener, and returns what was told.
    pub fn emit(&self, event: Event) -> Record {
        let record = Record { at: Timestamp::now(), job: self.job.clone(), event };
        // The lock keeps the order the same for all; a listener that panicked is no reason to
        // leave the others untold.
        for listener in self.listeners.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            listener.on(&record);
        }
        record
    }
}
