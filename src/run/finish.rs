//! How a run ends, and what it leaves.

use serde::Serialize;

use super::{Error, Run};
use crate::control::Level;
use crate::event::{Event, JobState, Trigger};

/// What the work came to, before the state is written.
pub(super) enum Outcome {
    /// Everything was walked, and verified where there is something to verify.
    Done(Option<Verdict>),
    /// It was told to leave.
    Left,
}

/// What verification found.
#[derive(Debug, Clone, Serialize)]
pub struct Verdict {
    /// Rows read.
    pub rows: u64,
    /// Rows left over, where that was checked.
    pub remaining: Option<u64>,
    /// Rows that violate the expectation, where that was checked.
    pub mismatched: Option<u64>,
    /// A few keys of wrong rows.
    pub examples: Vec<String>,
}

impl Verdict {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.remaining.unwrap_or(0) == 0 && self.mismatched.unwrap_or(0) == 0
    }

    /// What is wrong, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut parts = Vec::new();
        if let Some(rows @ 1..) = self.remaining {
            parts.push(format!("{rows} rows are left over"));
        }
        if let Some(rows @ 1..) = self.mismatched {
            parts.push(format!("{rows} rows violate `expect`"));
        }
        let mut sentence = parts.join(" and ");
        if !self.examples.is_empty() {
            sentence.push_str(&format!(", for example {}", self.examples.join("; ")));
        }
        sentence
    }
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
    /// Whether it was asked to leave.
    pub left: bool,
    /// What went wrong, if the runner gave up.
    pub error: Option<Error>,
}

impl Run {
    /// Writes the last state and says goodbye.
    pub(super) fn finish(&self, result: Result<Outcome, Error>) -> Result<Ended, Error> {
        let mut ended =
            Ended { state: self.state(), reason: None, verdict: None, left: false, error: None };
        match result {
            Ok(Outcome::Done(verdict)) => {
                ended.reason = verdict.as_ref().filter(|v| !v.passed()).map(Verdict::sentence);
                ended.verdict = verdict;
                ended.state = self.state();
            }
            Ok(Outcome::Left) => {
                let ask = self.stop.present();
                let trigger =
                    if ask.level == Level::Kill { Trigger::KillAsked } else { Trigger::StopAsked };
                let reason = match &ask.reason {
                    Some(reason) => format!("by {}: {reason}", ask.by),
                    None => format!("by {}", ask.by),
                };
                ended.left = true;
                ended.state =
                    self.lifecycle.apply(trigger, Some(ask.by.clone()), Some(reason.clone()))?;
                ended.reason = Some(reason);
            }
            Err(error) => {
                let reason = error.to_string();
                ended.state = self.give_up(&reason);
                ended.reason = Some(reason);
                ended.error = Some(error);
            }
        }
        let record =
            self.bus.emit(Event::Ended { state: ended.state, reason: ended.reason.clone() });
        if ended.error.is_none() {
            self.journal.log(&record)?;
        }
        Ok(ended)
    }

    /// The state after a failure. The journal may be what failed: then the state cannot be written
    /// there, and the error that is already on its way to the user says so.
    fn give_up(&self, reason: &str) -> JobState {
        self.lifecycle
            .apply(Trigger::GaveUp, None, Some(reason.to_owned()))
            .unwrap_or(JobState::Failed)
    }
}
