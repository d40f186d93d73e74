//! How long batches wait for locks. That is no work: whoever holds a row for a while must not make
//! the batches after it smaller.
//!
//! SQLite's sessions know how long they wait, and those of MySQL and MariaDB wait for no row.
//! PostgreSQL keeps no account of it (`log_lock_waits` writes to the server's log, and only after a
//! second), so a session of its own looks which of the workers' wait, as long as one of them is in a
//! batch. A wait is known to within two looks.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::Run;
use crate::target::Session;

/// Between two looks. A tenth of a batch of the default duration, and half a percent of a processor
/// for one look of 0.1 ms.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// After a failure, until the next session is opened: the measure is a refinement, and a server that
/// refuses connections has worse troubles.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

/// The sessions that are in a batch, and how long each has waited in it.
#[derive(Default)]
pub(super) struct Waits {
    waited: Mutex<BTreeMap<String, Duration>>,
    news: Notify,
}

impl Waits {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Duration>> {
        self.waited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session is in a batch for as long as the value lives.
    pub(super) fn watch(&self, session: &str) -> Watched<'_> {
        self.lock().insert(session.to_owned(), Duration::ZERO);
        self.news.notify_one();
        Watched { waits: self, session: session.to_owned() }
    }

    /// The sessions that are in a batch.
    pub(super) fn sessions(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    fn add(&self, session: &str, time: Duration) {
        if let Some(waited) = self.lock().get_mut(session) {
            *waited += time;
        }
    }
}

/// A session that is in a batch.
pub(super) struct Watched<'a> {
    waits: &'a Waits,
    session: String,
}

impl Watched<'_> {
    /// How long it has waited, as far as was seen.
    pub(super) fn waited(&self) -> Duration {
        self.waits.lock().get(&self.session).copied().unwrap_or_default()
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        self.waits.lock().remove(&self.session);
    }
}

impl Run {
    /// Looks for ever. That it cannot look is no error: then nothing counts as a wait.
    pub(super) async fn sample_waits(&self) -> Infallible {
        if self.target.waiting(&[]).is_none() {
            return std::future::pending().await;
        }
        loop {
            // Opened with the first batch, which is when there is something to see.
            self.waits.news.notified().await;
            if let Ok(mut session) = self.target.open("sampler").await {
                let _ = self.sample_through(session.as_mut()).await;
                session.close().await;
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }

    async fn sample_through(&self, session: &mut dyn Session) -> crate::target::Result<Infallible> {
        let mut last = Instant::now();
        loop {
            let idle = self.waits.sessions().is_empty();
            if idle {
                let news = tokio::time::timeout(super::PING_EVERY, self.waits.news.notified());
                if news.await.is_err() {
                    session.ping().await?;
                }
                last = Instant::now();
                continue;
            }
            tokio::time::sleep(LOOK_EVERY).await;
            let sessions = self.waits.sessions();
            let Some(look) = self.target.waiting(&sessions).filter(|_| !sessions.is_empty()) else {
                continue;
            };
            let waiting = session.query(&look).await?;
            let since = last.elapsed();
            last = Instant::now();
            for number in waiting.into_iter().flatten().flatten() {
                self.waits.add(&number, since);
            }
        }
    }
}
