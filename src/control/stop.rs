//! The token that the executor reads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How urgently work must end. The order is the urgency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Go on.
    Go,
    /// Wait after the batch in flight.
    Pause,
    /// Leave after the batch in flight.
    Drain,
    /// Cancel the statement in flight and leave.
    Cancel,
    /// As `Cancel`, and the job counts as killed.
    Kill,
}

/// Where a request came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A command of another process.
    Cli,
    /// The operating system.
    Signal,
    /// A halt in the target.
    Sql,
    /// A kill file.
    File,
    /// A call over HTTP.
    Http,
    /// The server that the job writes to.
    Server,
    /// A limit that the spec sets to a run.
    Limit,
    /// The runner itself, because a part of it failed.
    Runner,
}

impl Source {
    /// The name used in messages and as a metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cli => "cli",
            Self::Signal => "signal",
            Self::Sql => "sql",
            Self::File => "file",
            Self::Http => "api",
            Self::Server => "server",
            Self::Limit => "limit",
            Self::Runner => "runner",
        }
    }
}

/// The most urgent request so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// How urgent.
    pub level: Level,
    /// Where it came from.
    pub source: Source,
    /// Who asked.
    pub by: String,
    /// Why, where it was said.
    pub reason: Option<String>,
}

/// The token: clones share one request.
#[derive(Debug, Clone)]
pub struct Stop {
    ask: Arc<watch::Sender<Ask>>,
    asked: Arc<Mutex<Instant>>,
}

impl Default for Stop {
    fn default() -> Self {
        let go = Ask { level: Level::Go, source: Source::Runner, by: String::new(), reason: None };
        let asked = Arc::new(Mutex::new(Instant::now()));
        Self { ask: Arc::new(watch::Sender::new(go)), asked }
    }
}

impl Stop {
    /// Asks. A request that is less urgent than the present one changes nothing, but `Go` takes
    /// back a `Pause`: who has been told to leave leaves. Returns whether it changed anything.
    pub fn ask(&self, ask: Ask) -> bool {
        self.ask.send_if_modified(|present| {
            let resumes = present.level == Level::Pause && ask.level == Level::Go;
            let changes = present.level < ask.level || resumes;
            if changes {
                *present = ask;
                *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            }
            changes
        })
    }

    /// How urgent the most urgent request is.
    #[must_use]
    pub fn level(&self) -> Level {
        self.ask.borrow().level
    }

    /// The most urgent request.
    #[must_use]
    pub fn present(&self) -> Ask {
        self.ask.borrow().clone()
    }

    /// How long ago the most urgent request came.
    #[must_use]
    pub fn asked_since(&self) -> Duration {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }

    /// Waits until the request is at least this urgent.
    pub async fn reached(&self, level: Level) {
        let mut watcher = self.ask.subscribe();
        // The sender lives in `self`, so the channel cannot close while this waits.
        let _ = watcher.wait_for(|ask| level <= ask.level).await;
    }

    /// Waits until somebody outside of the runner asks it to leave.
    pub async fn asked_to_leave(&self) {
        let mut watcher = self.ask.subscribe();
        let leaves = |ask: &Ask| Level::Drain <= ask.level && ask.source != Source::Runner;
        let _ = watcher.wait_for(leaves).await;
    }

    /// Waits until the request is something else than a `Pause`.
    pub async fn unpaused(&self) {
        let mut watcher = self.ask.subscribe();
        let _ = watcher.wait_for(|ask| ask.level != Level::Pause).await;
    }

    /// A receiver that sees the present request and every change from now on.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<Ask> {
        let mut watcher = self.ask.subscribe();
        watcher.mark_changed();
        watcher
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(level: Level) -> Ask {
        Ask { level, source: Source::Cli, by: "test".into(), reason: None }
    }

    #[test]
    fn urgency_only_grows_except_that_a_pause_is_taken_back() {
        let stop = Stop::default();
        assert!(stop.ask(ask(Level::Pause)));
        assert!(stop.ask(ask(Level::Go)));
        assert!(stop.ask(ask(Level::Drain)));
        assert!(!stop.ask(ask(Level::Go)));
        assert!(!stop.ask(ask(Level::Pause)));
        assert!(stop.ask(ask(Level::Kill)));
        assert!(!stop.ask(ask(Level::Cancel)));
        assert_eq!(stop.level(), Level::Kill);
    }
}
