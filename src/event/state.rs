//! The states of a job and the one function that moves between them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a job is doing, as the journal records it and every display shows it.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Known to the journal; no runner has taken it yet.
    Queued,
    /// A runner writes batches.
    Running,
    /// A runner waits because a signal is over its limit.
    Throttled,
    /// A runner waits because a person asked it to.
    Paused,
    /// The runner left on request; running again continues.
    Stopped,
    /// Killed by a person.
    Killed,
    /// The runner gave up; the reason stands beside it.
    Failed,
    /// Every range is walked, but rows wait in quarantine.
    Incomplete,
    /// Every range is walked and nothing is in quarantine.
    Completed,
    /// Completed, and checked that nothing is left.
    Verified,
    /// Completed, but verification found violations.
    Unverified,
}

impl JobState {
    /// Every state, in the order of a job's life. Displays and metrics list them from here.
    pub const ALL: [Self; 11] = [
        Self::Queued,
        Self::Running,
        Self::Throttled,
        Self::Paused,
        Self::Stopped,
        Self::Killed,
        Self::Failed,
        Self::Incomplete,
        Self::Completed,
        Self::Verified,
        Self::Unverified,
    ];

    /// The name used in the journal, in `--json`, and as a metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Throttled => "throttled",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
            Self::Killed => "killed",
            Self::Failed => "failed",
            Self::Incomplete => "incomplete",
            Self::Completed => "completed",
            Self::Verified => "verified",
            Self::Unverified => "unverified",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether a runner process should be alive in this state.
    #[must_use]
    pub const fn has_runner(self) -> bool {
        matches!(self, Self::Running | Self::Throttled | Self::Paused)
    }

    /// Whether every range has been walked.
    #[must_use]
    pub const fn is_walked(self) -> bool {
        matches!(self, Self::Incomplete | Self::Completed | Self::Verified | Self::Unverified)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What happened to a job. Each variant says who causes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A runner took the job: `backstop run`.
    Started,
    /// The sampler: a signal went over its limit.
    SignalTripped,
    /// The sampler: every signal is back under its limit.
    SignalsCleared,
    /// A person: `backstop pause`.
    PauseAsked,
    /// A person: `backstop resume`.
    ResumeAsked,
    /// A person or the operating system: `backstop stop`, SIGINT, SIGTERM.
    StopAsked,
    /// A person: `backstop kill`, a kill file, a halt in the target, ….
    KillAsked,
    /// A person: `backstop release`, or whoever lifted the halt in the target.
    Released,
    /// The runner: an error it may not retry.
    GaveUp,
    /// The runner: every range is walked and nothing is in quarantine.
    Walked,
    /// The runner: every range is walked and rows are in quarantine.
    WalkedWithQuarantine,
    /// A person: `backstop quarantine release` of the last rows that waited.
    QuarantineReleased,
    /// The runner: the read-only pass at the end begins, for the first time or again.
    VerifyStarted,
    /// The runner: rows are left that came late, and are written now.
    SweepStarted,
    /// The runner: verification found nothing left.
    VerifyPassed,
    /// The runner: verification found violations.
    VerifyFailed,
}

/// A trigger that has no meaning in the state where it arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{trigger:?}` is not possible while the job is `{state}`")]
pub struct IllegalTransition {
    /// The state in which the trigger arrived.
    pub state: JobState,
    /// The trigger.
    pub trigger: Trigger,
}

/// The state after `trigger`: total, and the only place where states change.
///
/// `Started` is legal from every state, also from `Running`: the runner that was `Running` may have
/// died without a word, and the lock that the new one holds proves that it is gone.
///
/// # Errors
///
/// [`IllegalTransition`] for every pair that the match does not name.
pub fn next(state: JobState, trigger: Trigger) -> Result<JobState, IllegalTransition> {
    use JobState as S;
    use Trigger as T;
    Ok(match (state, trigger) {
        (_, T::Started) => S::Running,
        (S::Running | S::Throttled, T::SignalTripped) => S::Throttled,
        (S::Throttled, T::SignalsCleared) => S::Running,
        (S::Running | S::Throttled | S::Paused, T::PauseAsked) => S::Paused,
        (S::Paused, T::ResumeAsked) => S::Running,
        (S::Running | S::Throttled | S::Paused | S::Stopped, T::StopAsked) => S::Stopped,
        (
            S::Queued | S::Running | S::Throttled | S::Paused | S::Stopped | S::Failed | S::Killed,
            T::KillAsked,
        ) => S::Killed,
        (S::Killed, T::Released) => S::Stopped,
        (S::Running | S::Throttled | S::Paused, T::GaveUp) => S::Failed,
        (S::Running, T::Walked) => S::Completed,
        (S::Running, T::WalkedWithQuarantine) => S::Incomplete,
        (S::Incomplete, T::QuarantineReleased) => S::Completed,
        (S::Completed | S::Verified | S::Unverified, T::VerifyStarted) => S::Completed,
        (S::Completed, T::SweepStarted) => S::Running,
        (S::Completed, T::VerifyPassed) => S::Verified,
        (S::Completed, T::VerifyFailed) => S::Unverified,
        // Whatever ends verification early leaves the rows as they are.
        (S::Completed | S::Verified | S::Unverified, T::StopAsked | T::KillAsked | T::GaveUp) => {
            state
        }
        (S::Incomplete, T::StopAsked | T::KillAsked | T::GaveUp) => S::Incomplete,
        _ => return Err(IllegalTransition { state, trigger }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for state in JobState::ALL {
            assert_eq!(JobState::from_name(state.name()), Some(state));
        }
    }

    #[test]
    fn a_stopped_job_neither_pauses_nor_completes() {
        for trigger in [Trigger::PauseAsked, Trigger::Walked, Trigger::ResumeAsked] {
            assert!(next(JobState::Stopped, trigger).is_err(), "{trigger:?}");
        }
    }

    /// Wherever a runner may be, it can be stopped, killed, and can give up.
    #[test]
    fn every_runner_can_leave() {
        for state in JobState::ALL {
            if state.has_runner() || [JobState::Completed, JobState::Incomplete].contains(&state) {
                for trigger in [Trigger::StopAsked, Trigger::KillAsked, Trigger::GaveUp] {
                    assert!(next(state, trigger).is_ok(), "{state} {trigger:?}");
                }
            }
            assert!(next(state, Trigger::Started).is_ok(), "{state}");
            assert_eq!(
                next(state, Trigger::VerifyStarted).is_ok(),
                state.is_walked() && state != JobState::Incomplete,
                "{state}"
            );
        }
    }

    #[test]
    fn only_an_incomplete_job_is_completed_by_a_release() {
        for state in JobState::ALL {
            let found = next(state, Trigger::QuarantineReleased);
            assert_eq!(found.ok(), (state == JobState::Incomplete).then_some(JobState::Completed));
        }
    }

    #[test]
    fn only_a_completed_job_can_be_verified() {
        for state in JobState::ALL {
            let allowed = state == JobState::Completed;
            assert_eq!(next(state, Trigger::VerifyPassed).is_ok(), allowed, "{state}");
            assert_eq!(next(state, Trigger::SweepStarted).is_ok(), allowed, "{state}");
        }
    }
}
