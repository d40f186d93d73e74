//! Looking after the table when every row is written.
//!
//! Each thing is one statement of the server's, which may take as long as it does. It steps aside like
//! a batch: when a signal or a person says so it is cancelled, and begun anew later. VACUUM finds the
//! pages again that it had finished; ANALYZE takes seconds.

use std::time::{Duration, Instant};

use super::absence::Who;
use super::{Error, PING_EVERY, Run};
use crate::control::{Ask, Level, Source};
use crate::event::Event;
use crate::plan::Chore;
use crate::target::{Class, perform};

/// Whoever changes the table keeps it for so long at most, or the chore is for a person.
const PERSEVERE: Duration = Duration::from_mins(10);

/// The wait before another attempt after one that somebody else was in the way of.
const AGAIN_AFTER: Duration = Duration::from_secs(5);

impl Run {
    /// Does what the spec asks for and was not done yet. Says whether it was told to leave before.
    pub(super) async fn look_after(&self) -> Result<bool, Error> {
        let job = &self.plan.spec.job.name;
        for chore in &self.plan.after {
            let what = chore.maintenance.name();
            if self.journal.is_maintained(job, what)? {
                continue;
            }
            self.lifecycle.enter();
            let done = self.persevere(chore).await;
            self.lifecycle.leave(&self.gate())?;
            let Some(took) = done? else { return Ok(true) };
            let seconds = took.as_secs_f64();
            self.tell(Event::Maintained { what: what.to_owned(), seconds });
        }
        Ok(false)
    }

    /// Tries until it is done. `None`: it was told to leave.
    async fn persevere(&self, chore: &Chore) -> Result<Option<Duration>, Error> {
        let mut hindered = None;
        loop {
            if !self.stand_by().await? {
                return Ok(None);
            }
            let begun = Instant::now();
            let error = match self.attempt(chore).await {
                Ok(true) => return Ok(Some(begun.elapsed())),
                Ok(false) => return Ok(None),
                Err(Error::Target(error)) => error,
                Err(error) => return Err(error),
            };
            let steps_aside = !self.board.holds().is_empty() || Level::Go < self.stop.level();
            match error.class {
                _ if steps_aside => {}
                // A server that was restarted ended every session, and nobody meant this one.
                Class::Terminated if self.restarted_since(begun).await? => {}
                Class::Cancelled | Class::Terminated => {
                    self.stop.ask(Ask {
                        level: Level::Pause,
                        source: Source::Server,
                        by: "somebody on the server".to_owned(),
                        reason: Some(format!(
                            "{} was ended there: {error}",
                            chore.maintenance.name()
                        )),
                    });
                }
                Class::Retry(_) | Class::Lost => {
                    let since = *hindered.get_or_insert_with(Instant::now);
                    if PERSEVERE < since.elapsed() {
                        return Err(Error::chore(chore, error));
                    }
                    self.wait(AGAIN_AFTER).await;
                }
                Class::Unsuitable | Class::Refused | Class::Poison => {
                    return Err(Error::chore(chore, error));
                }
            }
        }
    }

    /// Whether the server was restarted after that moment, as soon as it answers.
    async fn restarted_since(&self, moment: Instant) -> Result<bool, Error> {
        let Some(mut session) = self.open_patiently("maintenance", Who::Worker).await? else {
            return Ok(true);
        };
        let uptime = self.target.uptime(session.as_mut()).await.ok().flatten();
        session.close().await;
        Ok(uptime.is_some_and(|uptime| uptime < moment.elapsed()))
    }

    /// One attempt, on a session of its own: a brake that is still on its way to it hits nothing else.
    /// Returns whether there was one; not, where it was told to leave a server that is away.
    async fn attempt(&self, chore: &Chore) -> Result<bool, Error> {
        let opened = self.open_patiently("maintenance", Who::Worker).await?;
        let Some(mut session) = opened else { return Ok(false) };
        let what = chore.maintenance.name().to_owned();
        self.tell(Event::MaintenanceBegun { what });
        let watched = self.waits.watch(session.id());
        let brake = session.brake();
        let work = async { Ok(perform(session.as_mut(), &chore.statements).await?) };
        let braked = self.braked_chore(brake, work).await;
        drop(watched);
        session.close().await;
        braked.result.map(|()| true)
    }

    /// Waits while people or signals want it; says whether to go on.
    async fn stand_by(&self) -> Result<bool, Error> {
        let (mut asks, mut holds) = (self.stop.watch(), self.board.watch());
        loop {
            asks.mark_unchanged();
            holds.mark_unchanged();
            let gate = self.gate();
            if !gate.is_shut() {
                return Ok(gate.ask.level < Level::Drain);
            }
            self.lifecycle.park(&gate)?;
            tokio::select! {
                _ = asks.changed() => {}
                _ = holds.changed() => {}
                () = tokio::time::sleep(PING_EVERY) => {}
            }
            self.lifecycle.unpark(&self.gate())?;
        }
    }
}
