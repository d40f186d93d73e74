//! How a handoff ended: what was done to end it, and what the database says of the table.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Error, Supervision, latch_scope};
use crate::event::{Event, HandoffEvent, HandoffProgress, HandoffState, Record};
use crate::handoff::Plan;
use crate::handoff::kill::{self, Proof};
use crate::handoff::verdict::{self, Verdict};
use crate::handoff::work::{Ended, Ending, native};
use crate::journal::{HandoffAnswer, Latch};
use crate::target::{self, Place, Session, Shape, Target};

/// A server that was restarted is back by then, or the outcome is unknown.
const SERVER_RETURNS_WITHIN: Duration = Duration::from_secs(30);

/// What the database says of a change: a tool's by the table's shape against that of before and of the tool's
/// copy, the server's own by what each statement leaves.
///
/// # Errors
///
/// The server could not be asked.
pub async fn verdict_of(
    plan: &Plan,
    target: &dyn Target,
    session: &mut dyn Session,
    place: &Place,
    (before, copy): (&Shape, Option<&Shape>),
) -> target::Result<Verdict> {
    if plan.command.is_none() {
        return native::judge(plan, target, session).await;
    }
    let now = target.shape(session, place).await?;
    Ok(verdict::judge(before, copy, now.as_ref()))
}

/// How a handoff ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The state that it is in now.
    pub state: HandoffState,
    /// Why, in words.
    pub reason: String,
    /// What was done to end it, where somebody asked for that, and what is left of it.
    pub said: Vec<String>,
    /// Whether the server showed that nothing of it is at work any more.
    pub proven: bool,
}

impl Supervision {
    /// The work ended by itself.
    pub(super) async fn ended(&mut self, ended: &Ended) -> Result<Outcome, Error> {
        self.stop_comparing().await;
        let judged = self.judge().await;
        let (state, reason) = match &judged {
            Verdict::Done => {
                (HandoffState::Done, format!("the table is as planned ({})", ended.hint))
            }
            Verdict::NotDone => {
                (HandoffState::Failed, format!("the table is as it was: {}", ended.hint))
            }
            Verdict::Unknown(why) => (HandoffState::Unknown, format!("{why}; {}", ended.hint)),
        };
        let mut outcome = Outcome { state, reason, said: Vec::new(), proven: true };
        if state != HandoffState::Done {
            // A statement of a tool that was killed goes on, on the server, and commits.
            let proof = self.sweep().await;
            outcome.said = proof.said();
            outcome.proven = proof.proven;
        }
        self.finish(outcome)
    }

    /// Somebody asked for the end.
    pub(super) async fn end(&mut self, how: Ending) -> Result<Outcome, Error> {
        let begun = Instant::now();
        let ask = self.stop.present();
        self.stop_comparing().await;
        let proof = self.bring_to_an_end(how).await;
        let (said, proven) = (proof.said(), proof.proven);
        let by = ask.reason.map_or_else(|| ask.by.clone(), |why| format!("{}: {why}", ask.by));
        let judged = self.judge().await;
        let (state, reason) = match (&judged, how) {
            (Verdict::Done, _) => {
                (HandoffState::Done, format!("it was at its end already when asked to end by {by}"))
            }
            (Verdict::NotDone, Ending::Stop) => {
                (HandoffState::Stopped, format!("by {by}; the table is as it was"))
            }
            (Verdict::NotDone, Ending::Kill) => {
                (HandoffState::Killed, format!("by {by}; the table is as it was"))
            }
            (Verdict::Unknown(why), _) => (HandoffState::Unknown, format!("by {by}; {why}")),
        };
        self.bus.emit(Event::Handoff(HandoffEvent::Ended {
            proven,
            seconds: begun.elapsed().as_secs_f64(),
            said: said.clone(),
        }));
        if how == Ending::Kill && state != HandoffState::Done {
            self.latch(&by)?;
        }
        self.finish(Outcome { state, reason, said, proven })
    }

    /// The three steps, and what the server shows afterwards.
    async fn bring_to_an_end(&mut self, how: Ending) -> Proof {
        let (target, place) = (Arc::clone(&self.target), self.charge.place.clone());
        let proof = match self.line.session().await {
            Ok(session) => {
                kill::end(self.charge.work.as_mut(), how, &*target, session, &place).await
            }
            Err(error) => {
                kill::end_unseen(self.charge.work.as_mut(), how, &error.to_string()).await
            }
        };
        // It may have been left in the middle of a statement.
        self.line.lost();
        proof
    }

    /// Ends what a tool that ended by itself left at work on the server. Its triggers stay where the next run
    /// goes on with them.
    async fn sweep(&mut self) -> Proof {
        let (target, place) = (Arc::clone(&self.target), self.charge.place.clone());
        let mut mark = self.charge.work.mark();
        if self.charge.keeps_triggers {
            mark.triggers.clear();
        }
        let proof = match self.line.session().await {
            Ok(session) => kill::end_without_process(&mark, &*target, session, &place).await,
            Err(error) => {
                kill::end_unseen(self.charge.work.as_mut(), Ending::Kill, &error.to_string()).await
            }
        };
        self.line.lost();
        proof
    }

    /// What the database says of the table.
    async fn judge(&mut self) -> Verdict {
        let begun = Instant::now();
        loop {
            let (target, place) = (Arc::clone(&self.target), self.charge.place.clone());
            let now = match self.line.session().await {
                Err(error) => Err(error),
                Ok(session) => {
                    verdict_of(
                        &self.charge.plan,
                        &*target,
                        session,
                        &place,
                        (&self.charge.before, self.charge.copy.as_ref()),
                    )
                    .await
                }
            };
            match now {
                Ok(verdict) => return verdict,
                Err(error) if SERVER_RETURNS_WITHIN <= begun.elapsed() => {
                    return Verdict::Unknown(format!("the table could not be looked at: {error}"));
                }
                Err(_) => {
                    self.line.lost();
                    self.alive.beat();
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
    }

    /// A kill stays until a person releases it.
    fn latch(&self, by: &str) -> Result<(), Error> {
        let scope = latch_scope(&self.charge.name);
        if self.journal.standing_latch(&scope)?.is_some() {
            return Ok(());
        }
        let latch = Latch::new(&scope, by.to_owned(), None);
        let event = Event::Latched { scope, by: by.to_owned(), reason: None };
        let record = Record { at: Timestamp::now(), job: self.charge.name.clone(), event };
        Ok(self.journal.latch(&latch, &record)?)
    }

    fn finish(&mut self, outcome: Outcome) -> Result<Outcome, Error> {
        let Outcome { state, reason, .. } = &outcome;
        let event = HandoffEvent::Changed {
            from: self.progress.state,
            to: *state,
            reason: Some(reason.clone()),
            by: None,
        };
        let record = self.bus.emit(Event::Handoff(event));
        let progress = HandoffProgress { state: *state, waits_for: None, ..self.progress.clone() };
        self.bus.emit(Event::Handoff(HandoffEvent::Progress(progress.clone())));
        self.journal.end_handoff(&self.charge.name, &progress, Some(reason), &record)?;
        let done = *state == HandoffState::Done;
        self.settle_cut_over(done, &format!("{}: {reason}", state.name()))?;
        let mut text = vec![format!("{}: {reason}", state.name())];
        text.extend(outcome.said.iter().cloned());
        let answer = HandoffAnswer { carried: outcome.proven, text: text.join("\n") };
        for request in std::mem::take(&mut self.endings) {
            self.answer(&request, &answer)?;
        }
        if done {
            for file in self.charge.paths.transient() {
                // One that is not there is as good.
                let _ = std::fs::remove_file(file);
            }
        }
        Ok(outcome)
    }
}
