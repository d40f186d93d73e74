//! How a run ends, and what it leaves.

use super::verdict::Verdict;
use super::{Error, InQuarantine, Run};
use crate::control::Level;
use crate::event::{Event, JobState, Trigger};
use crate::gate::evidence::JobEvidence;

/// What the work came to, before the state is written.
pub(super) enum Outcome {
    /// Everything was walked, and verified where there is something to verify.
    Done(Option<Verdict>),
    /// Everything was walked, and rows are left in quarantine.
    Incomplete(InQuarantine),
    /// It was told to leave.
    Left,
    /// It was told to leave while it watched, and this is what it has seen.
    Watched(Box<Verdict>),
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    /// The state in which it left the job.
    pub state: JobState,
    /// Why, in words, unless everything is as it should be.
    pub reason: Option<String>,
    /// What verification found, if it ran to its end.
    pub verdict: Option<Verdict>,
    /// The rows that are left in quarantine, if everything else is written.
    pub quarantine: Option<InQuarantine>,
    /// What became of the job, where every range of it is walked.
    pub report: Option<JobEvidence>,
    /// How urgently it was asked to leave, if it was.
    pub left: Option<Level>,
    /// What went wrong, if the runner gave up.
    pub error: Option<Error>,
}

impl Run {
    /// Writes the last state, takes the heartbeat away, and says goodbye.
    pub(super) fn finish(&self, result: Result<Outcome, Error>) -> Result<Ended, Error> {
        let ended = self.settle(result);
        let record =
            self.bus.emit(Event::Ended { state: ended.state, reason: ended.reason.clone() });
        let job = &self.plan.spec.job.name;
        let left = self.journal.log(&record).and_then(|()| self.journal.end_run(job));
        // With an error already on its way to the user, the journal may be what failed.
        if ended.error.is_none() {
            left?;
        }
        Ok(ended)
    }

    fn settle(&self, result: Result<Outcome, Error>) -> Ended {
        match result {
            Ok(Outcome::Done(verdict)) => Ended {
                state: self.state(),
                reason: verdict.as_ref().filter(|v| !v.passed()).map(Verdict::sentence),
                // The journal that cannot be read fails when the end is written.
                report: self.evidence(verdict.as_ref()).ok(),
                verdict,
                quarantine: None,
                left: None,
                error: None,
            },
            Ok(Outcome::Incomplete(rows)) => Ended {
                state: self.state(),
                reason: Some(rows.sentence()),
                verdict: None,
                quarantine: Some(rows),
                report: None,
                left: None,
                error: None,
            },
            Ok(Outcome::Watched(verdict)) => {
                let report = self.evidence(Some(&verdict)).ok();
                Ended { report, ..self.settle(Ok(Outcome::Left)) }
            }
            Ok(Outcome::Left) => {
                let ask = self.stop.present();
                let trigger =
                    if ask.level == Level::Kill { Trigger::KillAsked } else { Trigger::StopAsked };
                let mut reason = format!("by {}", ask.by);
                if let Some(why) = &ask.reason {
                    reason = format!("{reason}: {why}");
                }
                match self.state() {
                    JobState::Completed => {
                        reason = format!("every row is written; what follows was stopped {reason}");
                    }
                    JobState::Verified | JobState::Unverified => {
                        reason = format!("the watch was stopped {reason}");
                    }
                    _ => {}
                }
                match self.lifecycle.apply(trigger, Some(ask.by), Some(reason.clone())) {
                    Ok(state) => Ended {
                        state,
                        reason: Some(reason),
                        verdict: None,
                        quarantine: None,
                        report: None,
                        left: Some(ask.level),
                        error: None,
                    },
                    Err(error) => self.give_up(error),
                }
            }
            Err(error) => self.give_up(error),
        }
    }

    /// The end after a failure. The journal may be what failed: then the state cannot be written
    /// there, and the error that is already on its way to the user says so.
    fn give_up(&self, error: Error) -> Ended {
        let reason = error.to_string();
        let state = self.lifecycle.apply(Trigger::GaveUp, None, Some(reason.clone()));
        Ended {
            state: state.unwrap_or(JobState::Failed),
            reason: Some(reason),
            verdict: None,
            quarantine: None,
            report: None,
            left: None,
            error: Some(error),
        }
    }
}
