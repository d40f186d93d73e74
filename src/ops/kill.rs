//! Killing for good, and lifting that.
//!
//! A kill goes the shortest way first: the command in the journal, which the runner sees within a
//! moment. Whoever does not answer is ended through the target: a halt that binds every runner, the
//! end of the sessions that the fence recorded, and a new epoch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::prepare::resolve_url;
use super::{Error, read_all, read_status};
use crate::event::{ALL_JOBS, Event, Record, Trigger, next};
use crate::journal::{Action, Freshness, JobRow, JobStatus, Journal, Latch};
use crate::run;
use crate::spec::{JobSpec, Secret};
use crate::target::fence::{Fence, session_of};
use crate::target::switch::Halt;
use crate::target::{self, Link, Target};

/// How often it is looked whether the runner has left.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// A runner that lives has left by then: the cancel is sent within a tenth of a second, and a second
/// of cancelling is followed by the end of the session.
const RUNNER_LEAVES_WITHIN: Duration = Duration::from_secs(3);

/// How long a session may take to end.
const SESSION_ENDS_WITHIN: Duration = Duration::from_secs(5);

/// What is killed or released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// One job.
    Job(String),
    /// Every job of the journal, or of the target.
    All,
}

impl Scope {
    /// As latches and halts write it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Job(job) => job,
            Self::All => ALL_JOBS,
        }
    }
}

/// What became of one job.
#[derive(Debug)]
pub struct Killed {
    /// Whether no runner works on it any more, as far as can be told.
    pub reached: bool,
    /// How long that took.
    pub after: Duration,
    /// What was done in the target, where the runner did not do it.
    pub halted: Option<Halted>,
    /// Why the target could not be halted, where it could not.
    pub unreachable: Option<String>,
    /// The job as it is now.
    pub status: JobStatus,
}

/// What was done in a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halted {
    /// The halt that stands, where the target has a switch.
    pub halt: Option<Halt>,
    /// Sessions that were ended, or had ended.
    pub ended: usize,
    /// Those that are still there, as the fence names them.
    pub left: Vec<String>,
}

/// Kills through the journal, and through the target whom the journal does not reach.
///
/// # Errors
///
/// The journal does not know the job, or cannot be used.
pub async fn kill(
    journal: &Journal,
    scope: &Scope,
    by: &str,
    reason: Option<&str>,
    schema: Option<&str>,
) -> Result<Vec<Killed>, Error> {
    let jobs = match scope {
        Scope::Job(job) => vec![read_status(journal, job)?],
        Scope::All => read_all(journal)?,
    };
    let begun = Instant::now();
    if *scope == Scope::All {
        latch(journal, ALL_JOBS, by, reason)?;
    }
    // All are asked before the first is waited for.
    for status in &jobs {
        journal.ask(&status.job.name, Action::Kill, by, reason)?;
        latch(journal, &status.job.name, by, reason)?;
    }
    let mut killed = Vec::new();
    for status in jobs {
        let job = status.job.name.clone();
        let left = wait_for_runner(journal, &job, begun)?;
        let mut outcome = Killed {
            reached: left,
            after: begun.elapsed(),
            halted: None,
            unreachable: None,
            status: read_status(journal, &job)?,
        };
        // A runner that was killed has halted the target on its way out, and written down the
        // number of the halt. One that was leaving for another reason has not; and a halt of every
        // job, when it is lifted, takes this kill along if it is all that the job has.
        let is_halted = |latch: Latch| latch.halt.is_some() && !latch.halts_all;
        if !journal.own_latch(&job)?.is_some_and(is_halted) {
            match halt_of_job(&status.job, by, reason, schema).await {
                Ok(halted) => {
                    outcome.reached = left || halted.left.is_empty();
                    if let Some(halt) = &halted.halt {
                        run::remember_halt(journal, &job, halt).map_err(Error::Begin)?;
                    }
                    outcome.halted = Some(halted);
                }
                Err(error) => {
                    outcome.unreachable = Some(error.to_string());
                }
            }
            set_state(journal, &job, Trigger::KillAsked, by, reason)?;
            outcome.status = read_status(journal, &job)?;
            if !left {
                outcome.after = begun.elapsed();
            }
        }
        killed.push(outcome);
    }
    Ok(killed)
}

/// Waits until the runner of the job is gone; says whether it is.
fn wait_for_runner(journal: &Journal, job: &str, begun: Instant) -> Result<bool, Error> {
    loop {
        match read_status(journal, job)?.freshness() {
            Freshness::NoRunner => return Ok(true),
            Freshness::Silent(_) => return Ok(false),
            Freshness::Alive(_) if RUNNER_LEAVES_WITHIN <= begun.elapsed() => return Ok(false),
            Freshness::Alive(_) => std::thread::sleep(LOOK_EVERY),
        }
    }
}

pub(super) fn record(job: &str, event: Event) -> Record {
    Record { at: Timestamp::now(), job: job.to_owned(), event }
}

fn latch(journal: &Journal, scope: &str, by: &str, reason: Option<&str>) -> Result<(), Error> {
    let (by, reason) = (by.to_owned(), reason.map(str::to_owned));
    let event = Event::Latched { scope: scope.to_owned(), by: by.clone(), reason: reason.clone() };
    Ok(journal.latch(&Latch::new(scope, by, reason), &record(scope, event))?)
}

/// Moves the state of a job that has no runner to do it. A state in which the trigger means nothing,
/// such as that of a finished job, stays.
pub(super) fn set_state(
    journal: &Journal,
    job: &str,
    trigger: Trigger,
    by: &str,
    reason: Option<&str>,
) -> Result<(), Error> {
    let Some(JobRow { state: from, .. }) = journal.job(job)? else { return Ok(()) };
    let Ok(to) = next(from, trigger) else { return Ok(()) };
    if from == to {
        return Ok(());
    }
    let reason = reason.map_or_else(|| format!("by {by}"), |why| format!("by {by}: {why}"));
    let why = Some(reason.clone());
    let event = Event::StateChanged { from, to, reason: why, by: Some(by.to_owned()) };
    journal.set_state(to, Some(&reason), &record(job, event))?;
    // The state was written by somebody who is no runner, and that is no sign of life.
    Ok(journal.end_run(job)?)
}

/// Halts the target that the journal knows of a job.
async fn halt_of_job(
    job: &JobRow,
    by: &str,
    reason: Option<&str>,
    schema: Option<&str>,
) -> Result<Halted, Error> {
    let spec = spec_of(job)?;
    let target = reach(resolve_url(&spec)?, &job.name).await?;
    let scope = Scope::Job(job.name.clone());
    let result = halt_target(target.as_ref(), schema, &scope, by, reason).await;
    match result {
        // Without a fence, the journal's latch is all there is.
        Err(Error::NoSwitch { .. }) if !spec.update.fence => {
            Ok(Halted { halt: None, ended: 0, left: Vec::new() })
        }
        result => result,
    }
}

fn spec_of(job: &JobRow) -> Result<JobSpec, Error> {
    serde_json::from_value(job.spec.clone())
        .map_err(|_| Error::Url(format!("the journal holds no spec of `{}` yet", job.name)))
}

async fn reach(url: Secret, job: &str) -> Result<Arc<dyn Target>, Error> {
    let link = Link { url, job: job.to_owned(), time_zone: None, sql_mode: None };
    target::connect(link).await.map_err(Error::Connect)
}

/// Halts a job, or all, in a target: writes the halt, ends the sessions that the fence recorded, and
/// raises the epoch. Needs no journal.
///
/// # Errors
///
/// The target cannot be reached, or has no switch.
pub async fn halt_target(
    target: &dyn Target,
    schema: Option<&str>,
    scope: &Scope,
    by: &str,
    reason: Option<&str>,
) -> Result<Halted, Error> {
    let dialect = target.dialect();
    let mut session = target.open("kill").await.map_err(Error::Connect)?;
    let session = session.as_mut();
    let fence = fence_at(target, session, schema, scope).await?;
    let done = async {
        fence.switch.engage(dialect, session, scope.name(), by, reason).await?;
        let halt = fence.switch.standing(dialect, session, scope.name()).await?;
        let mut halted = Halted { halt, ended: 0, left: Vec::new() };
        let mut there = fence.holders(dialect, session, scope.name()).await?;
        there.retain(|(_, holder)| session_of(holder).is_some());
        let found = there.len();
        let begun = Instant::now();
        let mut raised = false;
        loop {
            let mut left = Vec::new();
            for (job, holder) in there {
                let Some(identity) = session_of(&holder) else { continue };
                if !target.terminate(session, &job, identity, Duration::ZERO).await? {
                    left.push((job, holder));
                }
            }
            there = left;
            // Not before every session was told to end: a batch in flight holds the row.
            if !raised {
                fence.raise(dialect, session, scope.name()).await?;
                raised = true;
            }
            if there.is_empty() || SESSION_ENDS_WITHIN <= begun.elapsed() {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        halted.ended = found - there.len();
        halted.left = there.into_iter().map(|(_, holder)| holder).collect();
        Ok(halted)
    };
    let done: target::Result<Halted> = done.await;
    match done {
        Err(cause) if cause.is_lock_timeout() => Err(Error::Held(cause)),
        done => done.map_err(Error::Connect),
    }
}

/// Lifts the halts of a scope in a target. Needs no journal. Returns how many stood.
///
/// # Errors
///
/// The target cannot be reached, or has no switch; or another halt binds the job still.
pub async fn release_target(
    target: &dyn Target,
    schema: Option<&str>,
    scope: &Scope,
    by: &str,
    reason: &str,
) -> Result<u64, Error> {
    let dialect = target.dialect();
    let mut session = target.open("release").await.map_err(Error::Connect)?;
    let session = session.as_mut();
    let fence = fence_at(target, session, schema, scope).await?;
    let lifted = fence.switch.release(dialect, session, scope.name(), by, reason).await;
    let lifted = lifted.map_err(Error::Connect)?;
    let standing = fence.switch.standing(dialect, session, scope.name()).await;
    match standing.map_err(Error::Connect)? {
        Some(halt) if *scope != Scope::All => Err(Error::HaltStands {
            job: scope.name().to_owned(),
            by: halt.by(),
            address: target.address().to_owned(),
        }),
        _ => Ok(lifted),
    }
}

async fn fence_at(
    target: &dyn Target,
    session: &mut dyn target::Session,
    schema: Option<&str>,
    scope: &Scope,
) -> Result<Fence, Error> {
    let home = target.fence_home(session, schema).await.map_err(Error::Connect)?;
    if !home.exists() {
        return Err(Error::NoSwitch {
            table: home.switch.table,
            address: target.address().to_owned(),
        });
    }
    Ok(Fence::of(&home, scope.name()))
}

/// What was lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lifted {
    /// Latches in the journal.
    pub latches: usize,
    /// Halts in the target.
    pub halts: u64,
}

/// Lifts the kill of a job, or of all, in the target and in the journal. All or nothing: where the
/// target cannot be reached, the journal's latch stays as well.
///
/// # Errors
///
/// The journal does not know the job, or the target cannot be reached, or another halt binds the
/// job still.
pub async fn release(
    journal: &Journal,
    scope: &Scope,
    by: &str,
    reason: &str,
    schema: Option<&str>,
) -> Result<Lifted, Error> {
    let jobs = match scope {
        Scope::Job(job) => vec![read_status(journal, job)?],
        Scope::All => read_all(journal)?,
    };
    let mut lifted = Lifted { latches: 0, halts: 0 };
    for status in &jobs {
        let job = &status.job;
        lifted.halts += release_at_target(journal, job, by, reason, schema).await?;
        lifted.latches += lift(journal, &job.name, by, reason)?;
        set_state(journal, &job.name, Trigger::Released, by, Some(reason))?;
    }
    match scope {
        Scope::All => lifted.latches += lift(journal, ALL_JOBS, by, reason)?,
        Scope::Job(job) => {
            if let Some(latch) = journal.standing_latch(job)? {
                return Err(Error::LatchStands { job: job.clone(), by: latch.by });
            }
        }
    }
    Ok(lifted)
}

/// Lifts the halts of a job in the target that the journal knows of it. A target that cannot be
/// reached matters only where a halt is known to stand there.
async fn release_at_target(
    journal: &Journal,
    job: &JobRow,
    by: &str,
    reason: &str,
    schema: Option<&str>,
) -> Result<u64, Error> {
    let known = journal.standing_latch(&job.name)?.is_some_and(|latch| latch.halt.is_some());
    let attempt = async {
        let spec = spec_of(job)?;
        let target = reach(resolve_url(&spec)?, &job.name).await?;
        let own = Scope::Job(job.name.clone());
        release_target(target.as_ref(), schema, &own, by, reason).await
    };
    match attempt.await {
        Err(Error::NoSwitch { .. }) => Ok(0),
        Err(Error::Url(_) | Error::Connect(_)) if !known => Ok(0),
        result => result,
    }
}

fn lift(journal: &Journal, scope: &str, by: &str, reason: &str) -> Result<usize, Error> {
    let why = Some(reason.to_owned());
    let event = Event::Released { scope: scope.to_owned(), by: by.to_owned(), reason: why };
    Ok(journal.release(scope, by, reason, &record(scope, event))?)
}
