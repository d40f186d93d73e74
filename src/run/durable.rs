//! Batches whose commits wait for nothing (`durability = "async"`), and where they are waited for
//! after all.
//!
//! A crash of the server undoes the end of its log: the latest batches, rows and fence together. A
//! worker that has a range finds that out when it takes the range anew, and goes on from where the
//! fence is. Nobody would find it out of a range that is walked to its end or was put back, and a
//! job that is paused or has stopped said what is done. So the last batch of a range and every stop
//! wait for the disk, and with it for all that was committed before.

use std::time::{Duration, Instant};

use super::retry::Tried;
use super::walk::Worker;
use super::{Error, Run};
use crate::control::Level;
use crate::event::Phase;
use crate::keyspace::Range;
use crate::spec::Durability;
use crate::target::{Class, Commit, Patience};

/// The range's row is waited for by this much: who cancels while it is must not wait behind it. Only
/// a runner that takes the range has it, or a person, and neither for long.
const LOCK_WAIT: Duration = Duration::from_millis(100);

/// A stop is kept by this many failures for at most a minute.
const ATTEMPTS: u32 = 60;
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A brake that was pulled for the batch may still hit what follows it.
const ATTEMPTS_OF_CANCELLED: u32 = 3;

impl Run {
    /// What the commit of a batch waits for.
    ///
    /// A role or a server may itself be set to wait for nothing. The end of a range waits all the
    /// same, for nobody comes back to a range that is done; and without a fence every batch does,
    /// for then the journal alone says how far the job is, and a crash of the server leaves it as it
    /// is.
    pub(super) fn commit_of(&self, ends_range: bool) -> Commit {
        let is_final = ends_range || self.ledger.fence().is_none();
        match self.plan.spec.batch.durability {
            _ if is_final && self.target.unflushed_commits().is_ok() => Commit::Flushed,
            Durability::Sync => Commit::Own,
            Durability::Async => Commit::Unflushed,
        }
    }
}

impl Worker<'_> {
    /// Returns when every batch of the range is on the server's disk, before the worker stops or
    /// pauses. Where the server has lost some of them meanwhile, the range is then as the fence has
    /// it.
    ///
    /// Whoever cancels or kills is not kept waiting: then an error is left to the server, which
    /// flushes what was committed within three times its `wal_writer_delay`.
    pub(super) async fn make_durable(&mut self, range: &mut Range) -> Result<(), Error> {
        let run = self.run;
        let (Durability::Async, Phase::Write) =
            (run.plan.spec.batch.durability, self.shape.phase())
        else {
            return Ok(());
        };
        let Some(fence) = run.ledger.fence() else { return Ok(()) };
        let (dialect, generation) = (run.target.dialect(), run.generation);
        let patience = Patience { lock_wait: Some(LOCK_WAIT), ..Patience::default() };
        let (mut attempt, began) = (1, Instant::now());
        loop {
            let session = self.seat.session.as_mut();
            let Err(error) = fence.flush(dialect, session, generation, range, &patience).await
            else {
                return Ok(());
            };
            let hurried = Level::Cancel <= run.stop.level();
            let again = match error.class {
                Class::Cancelled if hurried => attempt < ATTEMPTS_OF_CANCELLED,
                _ if hurried => return Ok(()),
                Class::Lost | Class::Terminated => {
                    // Who leaves a server that is away says nothing of it: the fence will.
                    if !self.reseat(range).await? {
                        return Ok(());
                    }
                    let job = &run.plan.spec.job.name;
                    run.journal.checkpoint(job, generation, range, None)?;
                    attempt < ATTEMPTS
                }
                Class::Cancelled | Class::Retry(_) => {
                    tokio::time::sleep(AGAIN_AFTER).await;
                    attempt < ATTEMPTS
                }
                _ => false,
            };
            if !again {
                let tried = Tried { attempts: attempt, spent: began.elapsed() };
                return if hurried { Ok(()) } else { Err(self.explain(range, error, tried)) };
            }
            attempt += 1;
        }
    }
}
