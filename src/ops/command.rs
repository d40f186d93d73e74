//! Asking a runner for something, through the journal.

use std::time::{Duration, Instant};

use super::{Error, read_status};
use crate::event::JobState;
use crate::journal::{Action, Freshness, JobStatus, Journal};

/// How often the answer is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What became of a request.
#[derive(Debug)]
pub struct Asked {
    /// Whether the runner has taken note of it.
    pub seen: bool,
    /// Whether the job is in the state that was asked for.
    pub reached: bool,
    /// How long that took.
    pub after: Duration,
    /// The job as it is now.
    pub status: JobStatus,
}

/// Asks the runner of `job` and waits, for at most `patience`, until the job is where it should be.
///
/// # Errors
///
/// Nothing runs that could be asked, or the journal cannot be used.
pub fn ask(
    journal: &Journal,
    job: &str,
    action: Action,
    by: &str,
    reason: Option<&str>,
    patience: Duration,
) -> Result<Asked, Error> {
    refuse_futile(&read_status(journal, job)?, action)?;
    let started = Instant::now();
    let id = journal.ask(job, action, by, reason)?;
    loop {
        std::thread::sleep(LOOK_EVERY);
        let status = read_status(journal, job)?;
        let seen = journal.was_seen(id)?;
        let reached = is_reached(action, &status, seen);
        if reached || patience <= started.elapsed() {
            return Ok(Asked { seen, reached, after: started.elapsed(), status });
        }
    }
}

fn is_reached(action: Action, status: &JobStatus, seen: bool) -> bool {
    let gone = status.freshness() == Freshness::NoRunner;
    let state = status.job.state;
    match action {
        // Verification waits and goes on without a state of its own.
        Action::Pause => state == JobState::Paused || gone || (seen && status.is_verifying()),
        Action::Resume => seen && state != JobState::Paused,
        Action::Stop | Action::Kill => gone,
    }
}

fn refuse_futile(status: &JobStatus, action: Action) -> Result<(), Error> {
    let state = status.job.state;
    let advice = || status.next_step().map_or_else(String::new, |step| format!("; {step}"));
    let nothing = |state: String| {
        Err(Error::NothingTo {
            job: status.job.name.clone(),
            state,
            action: action.name(),
            advice: advice(),
        })
    };
    match status.freshness() {
        Freshness::NoRunner => nothing(state.to_string()),
        Freshness::Silent(_) => nothing(format!("{state} in the journal, but its runner is gone")),
        Freshness::Alive(_) => Ok(()),
    }
}
