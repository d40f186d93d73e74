//! A kill stays: before a run it is refused, after a kill it is written down in both places.

use jiff::Timestamp;

use super::Error;
use super::ledger::Ledger;
use crate::control::Ask;
use crate::event::{ALL_JOBS, Event, Record};
use crate::journal::{Journal, Latch};
use crate::plan::Plan;
use crate::target::switch::Halt;
use crate::target::{Dialect, Session};

/// Who lifted a halt whose row is gone.
const UNKNOWN: &str = "an unknown";

fn record(job: &str, event: Event) -> Record {
    Record { at: Timestamp::now(), job: job.to_owned(), event }
}

/// Refuses the job while a kill stands that only the journal knows of, without asking the target.
///
/// # Errors
///
/// [`Error::Killed`], or the journal cannot be read.
pub fn refuse_latched(journal: &Journal, job: &str) -> Result<(), Error> {
    match journal.standing_latch(job)? {
        Some(latch) if latch.halt.is_none() => {
            Err(killed(job, &latch, latch.selector().to_owned()))
        }
        _ => Ok(()),
    }
}

/// Refuses the job while a kill stands in the target or in the journal. One that the journal
/// remembers with the number of its halt was lifted if the halt was, and this is written down: by
/// name where the halt has one, else as lifted by an unknown.
pub(super) async fn refuse_killed(
    plan: &Plan,
    ledger: &Ledger,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    journal: &Journal,
) -> Result<(), Error> {
    let job = &plan.spec.job.name;
    let exists = plan.fence.as_ref().is_some_and(|home| home.switch.exists);
    let switch = ledger.fence().filter(|_| exists).map(|fence| &fence.switch);
    if let Some(switch) = switch
        && let Some(halt) = switch.standing(dialect, session, job).await?
    {
        remember_halt(journal, job, &halt)?;
    }
    while let Some(latch) = journal.standing_latch(job)? {
        let (Some(switch), Some(number)) = (switch, latch.halt) else {
            return Err(killed(job, &latch, latch.selector().to_owned()));
        };
        let (by, reason) = match switch.halt(dialect, session, number).await? {
            Some(Halt { released: None, scope, .. }) => {
                // A halt of all is the target's and not this journal's; and a journal that knows no
                // run of the job does not know its target.
                let selector = match journal.begun(job)? {
                    _ if scope == ALL_JOBS => in_target(plan, "--all"),
                    Some(_) => latch.selector().to_owned(),
                    None => in_target(plan, job),
                };
                return Err(killed(job, &latch, selector));
            }
            Some(Halt { released: Some((by, reason)), .. }) => (by, reason),
            None => (UNKNOWN.to_owned(), format!("halt {number} was deleted in the target")),
        };
        let (scope, why) = (latch.scope.clone(), Some(reason.clone()));
        let released = Event::Released { scope, by: by.clone(), reason: why };
        journal.release(&latch.scope, &by, &reason, &record(job, released))?;
    }
    Ok(())
}

/// Writes down in the journal that a halt in the target binds the job, so that its disappearance is
/// noticed.
///
/// # Errors
///
/// The journal cannot be written.
pub fn remember_halt(journal: &Journal, job: &str, halt: &Halt) -> Result<(), Error> {
    let latch = Latch {
        halt: Some(halt.id),
        halts_all: halt.scope == ALL_JOBS,
        ..Latch::new(job, halt.by(), halt.why.clone())
    };
    set(journal, &latch)
}

/// Writes down in the journal that the job was killed on request.
///
/// # Errors
///
/// The journal cannot be written.
pub fn remember_ask(journal: &Journal, job: &str, ask: &Ask) -> Result<(), Error> {
    set(journal, &Latch::new(job, ask.by.clone(), ask.reason.clone()))
}

fn set(journal: &Journal, latch: &Latch) -> Result<(), Error> {
    let (scope, by, reason) = (latch.scope.clone(), latch.by.clone(), latch.reason.clone());
    let told = record(&scope, Event::Latched { scope: scope.clone(), by, reason });
    Ok(journal.latch(latch, &told)?)
}

/// What `release` is called with to lift a halt where the journal cannot.
fn in_target(plan: &Plan, what: &str) -> String {
    let url_env = plan.spec.target.url_env.as_deref().unwrap_or("URL_ENV");
    format!("{what} --target {url_env}")
}

fn killed(job: &str, latch: &Latch, selector: String) -> Error {
    Error::Killed {
        job: job.to_owned(),
        by: latch.by.clone(),
        at: latch.at.clone(),
        reason: latch.reason.as_ref().map(|why| format!(" ({why})")).unwrap_or_default(),
        selector,
    }
}
