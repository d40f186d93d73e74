//! Where a session has landed that was opened in the place of a lost one.
//!
//! After a fail-over the address leads to another server, which may have lost the latest commits of the
//! one before: rows and fence together, for they were one transaction. So what the run holds of a
//! range, it believes no longer than its sessions live: a range that lay waiting is read again when it
//! is taken, and before the walk counts as done, the fence is asked whether it is. Only the fence can
//! say this; without one, what the journal calls done may be missing there, and the run ends.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::absence::Who;
use super::retry::LOSSES;
use super::{Error, Run};
use crate::event::{Event, Phase};
use crate::keyspace::Range;
use crate::target::fence;
use crate::target::{self, Class, Footing, Session};

/// Where the run stands, and what it has written into the fence.
pub(super) struct Ground {
    /// Where it began.
    origin: Footing,
    /// The copy of the data that it stands on now.
    copy: Mutex<Option<String>>,
    /// How often sessions were lost, or landed elsewhere.
    breaks: AtomicU32,
    /// Ranges with an epoch and a holder that this run wrote: whoever finds such a row, finds it as the
    /// run left it at some time, and as nobody else can have written it.
    own: Mutex<BTreeSet<(u32, u64, String)>>,
}

impl Ground {
    /// The ground of a run that has taken these ranges.
    pub(super) fn of(origin: Footing, ranges: &[Range], holder: &str) -> Self {
        let own = ranges.iter().map(|range| (range.id, range.epoch, holder.to_owned()));
        Self {
            copy: Mutex::new(origin.copy.clone()),
            origin,
            breaks: AtomicU32::new(0),
            own: Mutex::new(own.collect()),
        }
    }

    fn own(&self) -> MutexGuard<'_, BTreeSet<(u32, u64, String)>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note that the run writes its name into a range's row.
    pub(super) fn sign(&self, range: u32, epoch: u64, holder: &str) {
        self.own().insert((range, epoch, holder.to_owned()));
    }

    /// Whether the row of a range is as this run wrote it.
    pub(super) fn is_own(&self, range: &Range, holder: Option<&String>) -> bool {
        holder.is_some_and(|holder| self.own().contains(&(range.id, range.epoch, holder.clone())))
    }

    /// How often the ground has moved. What was read before the last time is to be read again.
    pub(super) fn breaks(&self) -> u32 {
        self.breaks.load(Ordering::SeqCst)
    }

    /// A session was lost.
    pub(super) fn shake(&self) {
        self.breaks.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether the run went on to another copy of the data since it began.
    pub(super) fn has_moved(&self) -> bool {
        *self.copy.lock().unwrap_or_else(PoisonError::into_inner) != self.origin.copy
    }
}

impl Run {
    /// Opens a session where the job's data is now, and where it can be written.
    ///
    /// # Errors
    ///
    /// One that [passes](Error::passing) while the server is away, is a standby, or is closed for
    /// writing; else that this is no place to go on.
    pub(super) async fn open(&self, purpose: &str) -> Result<Landed, Error> {
        let mut session = self.target.open(purpose).await.map_err(Error::Session)?;
        let footing = self.target.footing(session.as_mut()).await.map_err(Error::Session)?;
        if let Some(closed) = &footing.closed {
            let message =
                format!("the server at {} takes no writes: {closed}", self.target.address());
            return Err(Error::Session(target::Error::new(Class::Lost, message)));
        }
        self.land(&footing)?;
        Ok(Landed { session, copy: footing.copy })
    }

    fn land(&self, footing: &Footing) -> Result<(), Error> {
        let (job, address) = (&self.plan.spec.job.name, self.target.address());
        if footing.data != self.ground.origin.data {
            return Err(Error::OtherData { address: address.to_owned(), job: job.clone() });
        }
        let mut copy = self.ground.copy.lock().unwrap_or_else(PoisonError::into_inner);
        if *copy == footing.copy {
            return Ok(());
        }
        if self.ledger.fence().is_none() {
            return Err(Error::OtherCopy { address: address.to_owned(), job: job.clone() });
        }
        copy.clone_from(&footing.copy);
        self.ground.shake();
        // Its replicas are others: one that has become the primary is not missing.
        self.board.forget();
        Ok(())
    }

    /// Opens a session as soon as the server lets it in. `None`: somebody asked to leave.
    pub(super) async fn open_patiently(
        &self,
        purpose: &str,
        who: Who,
    ) -> Result<Option<Box<dyn Session>>, Error> {
        let mut absence = self.absence(who);
        loop {
            let Some(opened) = absence.attempt(self.open(purpose)).await? else { return Ok(None) };
            match opened {
                Ok(landed) => return Ok(Some(landed.session)),
                Err(error) => match error.passing() {
                    Some(cause) => {
                        if !absence.wait(cause).await? {
                            return Ok(None);
                        }
                    }
                    None => return Err(error),
                },
            }
        }
    }

    /// The run's generation as the fence has it: that of the same job on the same table, and still the
    /// newest.
    pub(super) async fn read_fence(&self, session: &mut dyn Session) -> Result<Found, Error> {
        let job = self.plan.spec.job.name.clone();
        let Some(fence) = self.ledger.fence() else { return Ok(Found::default()) };
        let dialect = self.target.dialect();
        let found = fence.load(dialect, session).await?;
        let Some(found) = found.filter(|found| self.generation <= found.number) else {
            return Err(Error::FenceGone { address: self.target.address().to_owned(), job });
        };
        let known = &self.plan.table.identity;
        if found.table_identity != *known {
            let (known, found) = (known.clone(), found.table_identity);
            return Err(Error::OtherTable { job, known, found });
        }
        let owners = fence.owners(dialect, session, found.number).await?;
        let found = Found { owners, ranges: found.ranges, number: found.number };
        match found.ranges.first().filter(|_| found.number != self.generation) {
            Some(range) => Err(Error::FencedOff { range: range.id, holder: found.owner(range.id) }),
            None => Ok(found),
        }
    }

    /// Ranges that the fence does not call done, after every worker has come to the end. Without a loss
    /// there are none.
    pub(super) async fn unwalked(&self) -> Result<Unwalked, Error> {
        if self.ground.breaks() == 0 || self.ledger.fence().is_none() {
            return Ok(Unwalked::Nothing);
        }
        let mut losses = 0;
        loop {
            let Some(mut session) = self.open_patiently("planner", Who::Course).await? else {
                return Ok(Unwalked::Left);
            };
            let breaks = self.ground.breaks();
            let found = match self.read_fence(session.as_mut()).await {
                Err(error) if error.passing().is_some() && losses < LOSSES => {
                    losses += 1;
                    continue;
                }
                found => found?,
            };
            session.close().await;
            let foreign = |range: &&Range| {
                !range.done && !self.ground.is_own(range, found.owners.get(&range.id))
            };
            if let Some(range) = found.ranges.iter().find(foreign) {
                let holder = found.owner(range.id);
                return Err(Error::FencedOff { range: range.id, holder });
            }
            let job = &self.plan.spec.job.name;
            self.journal.restate(job, self.generation, &found.ranges)?;
            if found.ranges.iter().all(|range| range.done) {
                return Ok(Unwalked::Nothing);
            }
            return Ok(Unwalked::Ranges(found.ranges, breaks));
        }
    }

    /// Tells of a range that is less far than it was: the server has lost what was committed last.
    pub(super) fn fell_back(&self, range: &Range, found: &Range) -> Result<(), Error> {
        let as_far = range.batches <= found.batches && range.hi == found.hi;
        if as_far && range.done == found.done {
            return Ok(());
        }
        let job = &self.plan.spec.job.name;
        self.journal.checkpoint(job, self.generation, found, None)?;
        self.bus.emit(Event::RangeOpened {
            phase: Phase::Write,
            range: found.id,
            rows_scanned: found.rows_scanned,
            rows_changed: found.rows_changed,
            batches: found.batches,
            rows_left: None,
            cursor: found.cursor.as_ref().map(|key| self.plan.show_key(key)),
            done: found.done,
        });
        Ok(())
    }

    /// What the fence records of this run in that session.
    pub(super) fn holder(&self, session: &dyn Session) -> String {
        fence::holder(&self.runner, session)
    }
}

/// What the fence has of the run's generation.
#[derive(Default)]
pub(super) struct Found {
    pub ranges: Vec<Range>,
    /// What it records of who holds each.
    pub owners: BTreeMap<u32, String>,
    number: u32,
}

impl Found {
    /// Who holds the range, for people.
    pub(super) fn owner(&self, range: u32) -> String {
        self.owners.get(&range).cloned().unwrap_or_else(|| "another runner".to_owned())
    }
}

/// A session, and the copy of the data that it writes.
pub(super) struct Landed {
    pub session: Box<dyn Session>,
    pub copy: Option<String>,
}

/// What the fence says when the workers say that all is walked.
pub(super) enum Unwalked {
    /// So it is.
    Nothing,
    /// These are the generation's ranges, as of that state of the ground, and not all of them are done.
    Ranges(Vec<Range>, u32),
    /// Somebody asked to leave before it could be asked.
    Left,
}
