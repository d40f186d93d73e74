//! The sessions beside the workers: kept in use, and opened anew when they were lost.

use std::time::{Duration, Instant};

use super::{Error, PING_EVERY, Run};
use crate::control::watch_halts;
use crate::target::{Class, LockAttempt, fence::Fence};

/// How long an answer to that may take. The statement that is dropped then belongs to a session
/// that carries nothing any more.
const PING_WITHIN: Duration = Duration::from_secs(5);

/// The first one is at once. Whoever restarts a proxy or a server is back within seconds.
const ATTEMPTS: u32 = 6;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A session that lived this long was no failed attempt.
const LIVED: Duration = Duration::from_secs(5);

impl Run {
    /// Reads the switch for ever, on a session of its own. What cut that session may have cut the
    /// control session too, which is silent while nobody kills: it is looked after at once, for
    /// until it is back, another runner could take the job.
    pub(super) async fn watch_switch(&self) -> Result<(), Error> {
        let Some(fence) = self.ledger.fence() else { return std::future::pending().await };
        let mut attempt = 1;
        loop {
            let begun = Instant::now();
            let error = self.watch_once(fence).await;
            if LIVED < begun.elapsed() {
                attempt = 1;
            }
            if !error.is_lost() || ATTEMPTS <= attempt {
                return Err(Error::Session(error));
            }
            attempt += 1;
            self.regain_control().await?;
            // Whatever cuts all sessions may cut that one last.
            tokio::time::sleep(AGAIN_AFTER).await;
            self.regain_control().await?;
        }
    }

    /// Reads the switch until it cannot be read any more.
    async fn watch_once(&self, fence: &Fence) -> crate::target::Error {
        let mut session = match self.target.open("halts").await {
            Ok(session) => session,
            Err(error) => return error,
        };
        let dialect = self.target.dialect();
        let watched =
            watch_halts(&fence.switch, dialect, session.as_mut(), &fence.job, &self.stop).await;
        watched.err().unwrap_or_else(|| {
            crate::target::Error::new(Class::Lost, "the switch is not read any more")
        })
    }

    pub(super) async fn keep_control_alive(&self) -> Result<(), Error> {
        loop {
            tokio::time::sleep(PING_EVERY).await;
            self.regain_control().await?;
        }
    }

    /// Uses the control session, and opens another one in its place where it was lost, with the
    /// job's lock, which went with it.
    async fn regain_control(&self) -> Result<(), Error> {
        let mut attempt = 1;
        loop {
            match self.try_control().await {
                Err(Error::Session(error)) if error.is_lost() && attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                result => return result,
            }
        }
    }

    /// While the session does not answer, a kill would wait behind the ping: after a moment it
    /// counts as lost.
    async fn try_control(&self) -> Result<(), Error> {
        let mut control = self.control.lock().await;
        if let Ok(Ok(())) = tokio::time::timeout(PING_WITHIN, control.ping()).await {
            return Ok(());
        }
        let mut fresh = self.target.open("control").await.map_err(Error::Session)?;
        match self.target.lock(fresh.as_mut(), false).await.map_err(Error::Session)? {
            // On the servers that can lose a session, the lock is the session's.
            LockAttempt::Held(_) => {
                *control = fresh;
                Ok(())
            }
            // It may be ours, of a session whose end the server has not noticed yet.
            LockAttempt::HeldBy(holder) => Err(Error::Session(crate::target::Error::new(
                Class::Lost,
                format!("the job's lock went with one, and is held by {holder}"),
            ))),
        }
    }
}
