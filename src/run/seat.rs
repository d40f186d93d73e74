//! A worker's place at the target: its session, and what the fence records of it.

use std::time::{Duration, Instant};

use super::{Error, Run};
use crate::keyspace::Range;
use crate::target::{Session, fence};

/// A session that was lost is opened anew this often, at this distance: a proxy or a server that
/// restarts is back within seconds, and a longer absence is for a person.
const ATTEMPTS: u32 = 5;
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A worker's session.
pub(super) struct Seat {
    /// The worker's number, from 0.
    pub number: u32,
    /// Its session.
    pub session: Box<dyn Session>,
    /// When it was opened.
    pub opened: Instant,
    /// The range for which the fence records this session.
    enlisted: Option<u32>,
}

impl Seat {
    /// Opens a session for a worker.
    pub(super) async fn take(run: &Run, number: u32) -> Result<Self, Error> {
        let session = open(run, number).await.map_err(Error::Session)?;
        Ok(Self { number, session, opened: Instant::now(), enlisted: None })
    }

    fn holder(&self, run: &Run) -> String {
        fence::holder(&run.runner, self.session.as_ref())
    }

    /// Has the fence record that this session walks the range, unless it does: what a take-over has
    /// to end.
    pub(super) async fn enlist(&mut self, run: &Run, range: &Range) -> Result<(), Error> {
        if self.enlisted == Some(range.id) {
            return Ok(());
        }
        let Some(fence) = run.ledger.fence() else { return Ok(()) };
        let (dialect, holder) = (run.target.dialect(), self.holder(run));
        let session = self.session.as_mut();
        if !fence.enlist(dialect, session, run.generation, range, &holder).await? {
            return Err(fenced_off(run, session, range).await);
        }
        self.enlisted = Some(range.id);
        Ok(())
    }

    /// Whether the server was restarted after that moment, and so ended every session of then. Where
    /// it cannot be asked, it was not.
    pub(super) async fn restarted_since(&mut self, run: &Run, moment: Instant) -> bool {
        let uptime = run.target.uptime(self.session.as_mut()).await.ok().flatten();
        uptime.is_some_and(|uptime| uptime < moment.elapsed())
    }

    /// Opens another session in the place of one that was lost, takes the range anew, and returns
    /// it as the fence has it. What it says is final: nothing of the lost session can commit any
    /// more.
    pub(super) async fn renew(&mut self, run: &Run, range: &Range) -> Result<Range, Error> {
        let mut attempted = Vec::new();
        let mut attempt = 1;
        loop {
            match self.renew_once(run, range, &mut attempted).await {
                Err(Error::Target(_) | Error::Session(_)) if attempt < ATTEMPTS => {
                    tokio::time::sleep(AGAIN_AFTER).await;
                    attempt += 1;
                }
                result => return result,
            }
        }
    }

    async fn renew_once(
        &mut self,
        run: &Run,
        range: &Range,
        attempted: &mut Vec<String>,
    ) -> Result<Range, Error> {
        self.session = open(run, self.number).await.map_err(Error::Session)?;
        self.opened = Instant::now();
        self.enlisted = None;
        let Some(fence) = run.ledger.fence() else { return Ok(range.clone()) };
        let (dialect, holder) = (run.target.dialect(), self.holder(run));
        let session = self.session.as_mut();
        let claimed =
            fence.reclaim(dialect, session, run.generation, range, &holder, attempted).await;
        match claimed {
            Ok(Some(found)) => {
                self.enlisted = Some(range.id);
                Ok(found)
            }
            Ok(None) => Err(fenced_off(run, session, range).await),
            Err(error) => {
                // It may have been the answer that was lost, and not the claim.
                attempted.push(holder);
                Err(error.into())
            }
        }
    }
}

async fn open(run: &Run, number: u32) -> crate::target::Result<Box<dyn Session>> {
    run.target.open(&format!("worker {number}")).await
}

/// The error that names who has the range now, as far as the fence tells.
pub(super) async fn fenced_off(run: &Run, session: &mut dyn Session, range: &Range) -> Error {
    let mut holder = None;
    if let Some(fence) = run.ledger.fence() {
        // Of the whole generation, for the other runner may have walked the range to its end.
        let found = fence.load(run.target.dialect(), session).await;
        holder = found.ok().flatten().and_then(|found| found.holder);
    }
    let holder = holder.unwrap_or_else(|| "another runner".to_owned());
    Error::FencedOff { range: range.id, holder }
}
