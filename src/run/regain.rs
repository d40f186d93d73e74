//! The sessions beside the workers: kept in use, and opened anew when they were lost.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::absence::{Absence, Who};
use super::{Error, PING_EVERY, Run};
use crate::control::watch_halts;
use crate::target::{Class, LockAttempt, fence::Fence};

/// How long an answer to that may take. The statement that is dropped then belongs to a session
/// that carries nothing any more.
const PING_WITHIN: Duration = Duration::from_secs(5);

/// A session that lived this long was no failed attempt.
const LIVED: Duration = Duration::from_secs(5);

/// How long the server may take to end the session that we have lost.
const END_WITHIN: Duration = Duration::from_secs(1);

/// A lock that another session has after that is another runner's; it is asked for again this often, at
/// this distance, and then believed.
const ATTEMPTS: u32 = 6;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

impl Run {
    /// Reads the switch for ever, on a session of its own. What cut that session may have cut the
    /// control session too, which is silent while nobody kills: it is looked after at once, for
    /// until it is back, another runner could take the job.
    pub(super) async fn watch_switch(&self) -> Result<(), Error> {
        let Some(fence) = self.ledger.fence() else { return std::future::pending().await };
        let mut absence = None;
        loop {
            let begun = Instant::now();
            let error = self.watch_once(fence).await;
            if LIVED < begun.elapsed() {
                // It was back meanwhile.
                if let Some(absence) = absence.take() {
                    Absence::end(absence);
                }
            }
            let Some(cause) = error.passing() else { return Err(error) };
            self.regain_control().await?;
            let waits = absence.get_or_insert_with(|| self.absence(Who::Watcher));
            // Whoever looked after the control session has waited by themselves.
            waits.skip();
            waits.wait(cause).await?;
            // Whatever cuts all sessions may cut that one last.
            self.regain_control().await?;
        }
    }

    /// Reads the switch until it cannot be read any more.
    async fn watch_once(&self, fence: &Fence) -> Error {
        let mut session = match self.open("halts").await {
            Ok(landed) => landed.session,
            Err(error) => return error,
        };
        let dialect = self.target.dialect();
        let watched =
            watch_halts(&fence.switch, dialect, session.as_mut(), &fence.job, &self.stop).await;
        Error::Session(watched.err().unwrap_or_else(|| {
            crate::target::Error::new(Class::Lost, "the switch is not read any more")
        }))
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
        let Some(lost) = self.ping_control().await else { return Ok(()) };
        let mut absence = self.absence(Who::Watcher);
        let mut held = 0;
        loop {
            // It obeys nobody who asks to leave, so there is an outcome.
            let Some(renewed) = absence.attempt(self.renew_control(&lost)).await? else { continue };
            match renewed {
                Ok(None) => {
                    absence.end();
                    return Ok(());
                }
                Ok(Some(holder)) if ATTEMPTS <= held => {
                    return Err(Error::Session(crate::target::Error::new(
                        Class::Lost,
                        format!("the job's lock went with one, and is held by {holder}"),
                    )));
                }
                Ok(Some(_)) => {
                    held += 1;
                    tokio::time::sleep(AGAIN_AFTER).await;
                }
                Err(error) => match error.passing() {
                    Some(cause) => drop(absence.wait(cause).await?),
                    None => return Err(error),
                },
            }
        }
    }

    /// Uses the control session; where it was lost, or the job's lock with the one before it, says which
    /// session had the lock. While it does not answer,
    /// a kill would wait behind the ping: after a moment it counts as lost.
    async fn ping_control(&self) -> Option<String> {
        let mut control = self.control.lock().await;
        let locked_by = self.locked_by.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let holds = control.identity() == locked_by;
        match tokio::time::timeout(PING_WITHIN, control.ping()).await {
            Ok(Ok(())) if holds => None,
            _ => Some(locked_by),
        }
    }

    /// Opens another control session in the place of the lost one, and takes the job's lock with it.
    /// Returns who has the lock, if somebody else has.
    ///
    /// The server may not have noticed the end of the lost one, and may not for hours where the network
    /// swallowed it; so that one is ended first. The mutex is free meanwhile: whoever kills opens one of
    /// their own.
    async fn renew_control(&self, lost: &str) -> Result<Option<String>, Error> {
        let mut fresh = self.open("control").await?.session;
        let lock = |attempt: LockAttempt| match attempt {
            // On the servers that can lose a session, the lock is the session's.
            LockAttempt::Held(_) => None,
            LockAttempt::HeldBy(holder) => Some(holder),
        };
        let attempt = self.target.lock(fresh.as_mut(), false).await.map_err(Error::Session)?;
        let mut holder = lock(attempt);
        if holder.is_some() {
            let job = &self.plan.spec.job.name;
            let ended = self.target.terminate(fresh.as_mut(), job, lost, END_WITHIN).await;
            ended.map_err(Error::Session)?;
            let attempt = self.target.lock(fresh.as_mut(), false).await.map_err(Error::Session)?;
            holder = lock(attempt);
        }
        if holder.is_none() {
            let identity = fresh.identity().to_owned();
            *self.control.lock().await = fresh;
            *self.locked_by.lock().unwrap_or_else(PoisonError::into_inner) = identity;
        }
        Ok(holder)
    }
}
