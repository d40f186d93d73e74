//! The dead-man switch: what tells a tool that somebody watches.
//!
//! A tool whose supervisor is gone, or hangs, must not go on writing. gh-ost asks a URL of ours ten times a
//! second, and waits while it gets no 200; pt-online-schema-change's plugin looks at the age of a file. Both
//! hang on the same sign of life, which the supervisor's loop gives in each of its rounds, so that a loop that
//! is stuck counts as gone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::handoff::work::Paths;

/// A round takes a quarter of a second, and a look at a tool that does not answer one more.
const STALE_AFTER: Duration = Duration::from_secs(3);

/// How often the file is touched.
const TOUCH_EVERY: Duration = Duration::from_millis(500);

/// The supervisor's sign of life. Clones share it.
#[derive(Debug, Clone)]
pub struct Alive(Arc<Mutex<Instant>>);

impl Default for Alive {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Instant::now())))
    }
}

impl Alive {
    /// It lives.
    pub fn beat(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether it has lived within the last three seconds.
    #[must_use]
    pub fn is_fresh(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).elapsed() < STALE_AFTER
    }
}

/// The touching of the file; it ends when this is dropped.
pub(super) struct Touching(tokio::task::JoinHandle<()>);

impl Drop for Touching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Touches the file while the supervisor lives.
pub(super) fn touch(alive: &Alive, paths: &Paths) -> Touching {
    let (alive, beat) = (alive.clone(), paths.beat());
    Touching(tokio::spawn(async move {
        let mut ticks = tokio::time::interval(TOUCH_EVERY);
        loop {
            ticks.tick().await;
            if alive.is_fresh() {
                // One that cannot be touched grows old, and the tool waits: that is what it is for.
                let _ = std::fs::write(&beat, "");
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_file_is_touched_while_the_supervisor_lives() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(&folder.path().join("x").display().to_string());
        let alive = Alive::default();
        let touching = touch(&alive, &paths);
        while !paths.beat().exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        *alive.0.lock().unwrap() = Instant::now().checked_sub(STALE_AFTER).unwrap();
        assert!(!alive.is_fresh());
        std::fs::remove_file(paths.beat()).unwrap();
        tokio::time::sleep(TOUCH_EVERY * 2).await;
        assert!(!paths.beat().exists());
        alive.beat();
        tokio::time::sleep(TOUCH_EVERY * 2).await;
        assert!(paths.beat().exists());
        drop(touching);
    }
}
