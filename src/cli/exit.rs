//! Exit codes. Documented, and never renumbered.

use std::process::ExitCode;

use crate::control::Level;
use crate::event::JobState;
use crate::ops;
use crate::run::{self, Ended};

/// How a command went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done: verified, or completed with nothing to verify.
    Done = 0,
    /// The answer is no.
    No = 1,
    /// Wrong use, or an unreachable or unsuitable target; nothing was written.
    Usage = 2,
    /// Stopped; run again to continue.
    Stopped = 3,
    /// Failed.
    Failed = 4,
    /// The outcome of a batch is unknown.
    Unknown = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A command that could not do what it should.
#[derive(Debug)]
pub(super) struct Failure {
    /// The exit code.
    pub exit: Exit,
    /// What happened, why it matters, what to do.
    pub message: String,
}

impl Failure {
    /// Wrong use.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }
}

impl From<ops::Error> for Failure {
    fn from(error: ops::Error) -> Self {
        let exit = match &error {
            ops::Error::Run(error) => of_run_error(error),
            ops::Error::NothingTo { .. }
            | ops::Error::NothingInQuarantine { .. }
            | ops::Error::InRetry { .. }
            | ops::Error::Begin(run::Error::NotWalked { .. })
            | ops::Error::HaltStands { .. }
            | ops::Error::NotPermitted { .. }
            | ops::Error::LatchStands { .. } => Exit::No,
            ops::Error::Handoff(crate::handoff::Error::Stopped) => Exit::Stopped,
            ops::Error::KillFile { .. }
            | ops::Error::HandoffKilled { .. }
            | ops::Error::Supervise(_)
            | ops::Error::Begin(run::Error::Killed { .. }) => Exit::Failed,
            _ => Exit::Usage,
        };
        Self { exit, message: error.to_string() }
    }
}

/// The exit code of a runner that gave up.
fn of_run_error(error: &run::Error) -> Exit {
    match error {
        run::Error::OutcomeUnknown { .. } => Exit::Unknown,
        _ => Exit::Failed,
    }
}

/// The exit code of a run that came to an end.
pub(super) fn of_ended(ended: &Ended) -> Exit {
    if let Some(error) = &ended.error {
        return of_run_error(error);
    }
    match ended.left {
        Some(Level::Kill) => return Exit::Failed,
        Some(_) => return Exit::Stopped,
        None => {}
    }
    match ended.state {
        JobState::Verified => Exit::Done,
        JobState::Completed => Exit::Done,
        JobState::Unverified | JobState::Incomplete => Exit::No,
        JobState::Killed | JobState::Failed => Exit::Failed,
        JobState::Queued
        | JobState::Running
        | JobState::Throttled
        | JobState::Paused
        | JobState::Stopped => Exit::Stopped,
    }
}
