//! A worker's place at the target: its session, and what the fence records of it.

use std::time::Instant;

use super::absence::Who;
use super::ground::Landed;
use super::{Error, Run};
use crate::keyspace::Range;
use crate::target::Session;

/// A worker's session.
pub(super) struct Seat {
    /// The worker's number, from 0.
    pub number: u32,
    /// Its session.
    pub session: Box<dyn Session>,
    /// When it was opened.
    pub opened: Instant,
    /// Whether the server was out of reach before that.
    pub waited: bool,
    /// The state of the ground as of which it knows its range.
    pub breaks: u32,
    /// The copy of the data that it writes.
    copy: Option<String>,
    /// The range for which the fence records this session.
    enlisted: Option<u32>,
}

/// What tells whether a session was ended together with all others.
pub(super) struct Moment {
    opened: Instant,
    copy: Option<String>,
}

impl Seat {
    fn on(run: &Run, landed: Landed, number: u32) -> Self {
        let Landed { session, copy } = landed;
        let (opened, breaks) = (Instant::now(), run.ground.breaks());
        Self { number, session, copy, opened, breaks, waited: false, enlisted: None }
    }

    /// Opens a session for a worker, as soon as the server lets it in. `None`: somebody asked to leave
    /// before that.
    pub(super) async fn take(run: &Run, number: u32) -> Result<Option<Self>, Error> {
        let mut absence = run.absence(Who::Worker);
        loop {
            let opened = absence.attempt(run.open(&name(number))).await?;
            match opened {
                None => return Ok(None),
                Some(Ok(landed)) => {
                    let waited = absence.has_waited();
                    return Ok(Some(Self { waited, ..Self::on(run, landed, number) }));
                }
                Some(Err(error)) => match error.passing() {
                    None => return Err(error),
                    Some(cause) if absence.wait(cause).await? => {}
                    Some(_) => return Ok(None),
                },
            }
        }
    }

    /// Has the fence record that this session walks the range, unless it does: what a take-over has
    /// to end.
    pub(super) async fn enlist(&mut self, run: &Run, range: &Range) -> Result<(), Error> {
        if self.enlisted == Some(range.id) {
            return Ok(());
        }
        let Some(fence) = run.ledger.fence() else { return Ok(()) };
        let (dialect, holder) = (run.target.dialect(), run.holder(self.session.as_ref()));
        let session = self.session.as_mut();
        // Before it is sent: the answer may be lost, and the row have it.
        run.ground.sign(range.id, range.epoch, &holder);
        if !fence.enlist(dialect, session, run.generation, range, &holder).await? {
            return Err(fenced_off(run, session, range).await);
        }
        self.enlisted = Some(range.id);
        Ok(())
    }

    /// When and where the session was opened.
    pub(super) fn moment(&self) -> Moment {
        Moment { opened: self.opened, copy: self.copy.clone() }
    }

    /// Whether what ended the session of then was no person who meant it: since then the server was out
    /// of reach, was restarted, or is another one. Where it cannot be asked, it was not restarted.
    pub(super) async fn was_cut_off(&mut self, run: &Run, then: &Moment) -> bool {
        if self.waited || self.copy != then.copy {
            return true;
        }
        let uptime = run.target.uptime(self.session.as_mut()).await.ok().flatten();
        uptime.is_some_and(|uptime| uptime < then.opened.elapsed())
    }

    /// Opens another session in the place of one that was lost, takes the range anew, and returns
    /// it as the fence has it. What it says is final: nothing of the lost session can commit any
    /// more. `None`: somebody asked to leave before the server answered.
    pub(super) async fn renew(&mut self, run: &Run, range: &Range) -> Result<Option<Range>, Error> {
        let (mut absence, mut range) = (run.absence(Who::Worker), range.clone());
        let mut attempted = Vec::new();
        loop {
            let attempt = self.renew_once(run, &mut range, &mut attempted);
            match absence.attempt(attempt).await? {
                None => return Ok(None),
                Some(Ok(found)) => {
                    self.waited = absence.has_waited();
                    return Ok(Some(found));
                }
                Some(Err(error)) => match error.passing() {
                    None => return Err(error),
                    Some(cause) if absence.wait(cause).await? => {}
                    Some(_) => return Ok(None),
                },
            }
        }
    }

    async fn renew_once(
        &mut self,
        run: &Run,
        range: &mut Range,
        attempted: &mut Vec<String>,
    ) -> Result<Range, Error> {
        *self = Self::on(run, run.open(&name(self.number)).await?, self.number);
        let Some(fence) = run.ledger.fence() else { return Ok(range.clone()) };
        let (dialect, holder) = (run.target.dialect(), run.holder(self.session.as_ref()));
        let session = self.session.as_mut();
        loop {
            let epoch = range.epoch + 1 + attempted.len() as u64;
            run.ground.sign(range.id, epoch, &holder);
            // It may be the answer that is lost, and not the claim; so it counts from here on.
            let earlier = attempted.clone();
            attempted.push(holder.clone());
            let generation = run.generation;
            let claimed =
                fence.reclaim(dialect, session, generation, range, &holder, &earlier).await?;
            if let Some(found) = claimed {
                self.enlisted = Some(range.id);
                return Ok(found);
            }
            if !run.ground.has_moved() {
                return Err(fenced_off(run, session, range).await);
            }
            let found = run.read_fence(session).await?;
            let Some(known) = found.ranges.iter().find(|known| known.id == range.id) else {
                // It was shared off another one, and that is whole again: who comes to the end of the
                // walk finds it.
                return Ok(Range { done: true, ..Range::new(range.id, None, range.hi.clone()) });
            };
            if known.epoch == range.epoch || !run.ground.is_own(known, found.owners.get(&known.id))
            {
                return Err(Error::FencedOff { range: range.id, holder: found.owner(range.id) });
            }
            // As the run left it before what the server lost.
            (range.epoch, *attempted) = (known.epoch, Vec::new());
        }
    }
}

/// The purpose of a worker's session.
fn name(number: u32) -> String {
    format!("worker {number}")
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
