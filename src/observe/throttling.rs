//! What the signals say, as metrics.

use super::metrics::Metrics;
use crate::event::{HoldView, SignalView};

/// For which signals the job waits, and up to when that was counted.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    signals: Vec<String>,
    counted: f64,
}

impl Waiting {
    /// Counts the time until `at`, so that a scrape in the middle of a long wait sees it.
    pub(super) fn count(&mut self, metrics: &Metrics, r: &[&str; 2], at: f64) {
        for signal in &self.signals {
            let time = (at - self.counted).max(0.0);
            metrics.add("backstop_throttle_seconds_total", &[r[0], r[1], signal], time);
        }
        self.counted = at;
    }

    /// The job waits for these from now on; for nothing, if there are none.
    pub(super) fn wait_for(
        &mut self,
        holds: &[HoldView],
        metrics: &Metrics,
        r: &[&str; 2],
        at: f64,
    ) {
        self.count(metrics, r, at);
        for signal in self.signals.drain(..) {
            metrics.set("backstop_throttle_active", &[r[0], r[1], &signal], 0.0);
        }
        self.signals = holds.iter().map(|hold| hold.signal.clone()).collect();
        for signal in &self.signals {
            metrics.set("backstop_throttle_active", &[r[0], r[1], signal], 1.0);
        }
    }
}

/// Shows the signals as they are now.
pub(super) fn show(metrics: &Metrics, r: &[&str; 2], signals: &[SignalView]) {
    for SignalView { signal, utilization, read_at, .. } in signals {
        let labels = [r[0], r[1], signal];
        if let Some(utilization) = utilization {
            metrics.set("backstop_signal_utilization_ratio", &labels, *utilization);
        }
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are below 2^53")]
        let read = read_at.as_millisecond() as f64 / 1000.0;
        metrics.set("backstop_signal_last_read_timestamp_seconds", &labels, read);
        // A series that begins when the job first waits has no rate until then.
        metrics.add("backstop_throttle_seconds_total", &labels, 0.0);
        metrics.add_to("backstop_throttle_active", &labels, 0.0);
    }
}
