//! Taking a job: what the fence and the journal know of it, and who owns it from now on.

use std::time::Duration;

use jiff::Timestamp;

use super::error::{Error, SpecChange};
use super::latch;
use super::ledger::{Claim, Ledger};
use super::survey::{Survey, one_key};
use crate::event::{JobState, Trigger, next};
use crate::journal::{JobRow, Journal};
use crate::keyspace::{Key, Range};
use crate::plan::Plan;
use crate::target::fence::{self, Generation};
use crate::target::{Class, Dialect, Footing, JobLock, LockAttempt, Session, Target};

/// Ranges per worker: with several, a worker that got an easy one takes another. More would bring
/// little, for the last ones are shared anyway.
const RANGES_PER_WORKER: usize = 2;

/// What a run is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Course {
    /// To write what is left to write, and to verify.
    #[default]
    Work,
    /// To verify what was written.
    Verify,
    /// To verify, and then to look for so long whether it stays so.
    Watch(Duration),
}

/// What the person who runs the job said beside the spec, and who that is.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// What the run is for.
    pub course: Course,
    /// Begin a new generation of a finished job.
    pub again: bool,
    /// Go on although the spec has changed.
    pub accept_changed_spec: bool,
    /// End the runner that has the job.
    pub take_over: bool,
    /// The keys of the rows in quarantine that are to be tried again.
    pub retries: Vec<Key>,
    /// The spec's file, for the command that goes on.
    pub spec_path: String,
    /// Who runs it: user, host and process.
    pub runner: String,
}

/// A job that is ours.
pub struct Taken {
    /// Identifies this run of the runner.
    pub run_id: String,
    /// Which repetition of the job it is.
    pub generation: u32,
    /// Its ranges, as the fence has them.
    pub ranges: Vec<Range>,
    /// The state in which the journal had it.
    pub state: JobState,
    /// Whether an earlier run left progress.
    pub resumed: bool,
    /// Whether every range was walked before.
    pub finished: bool,
    /// What changed in the spec since the job began, where that was accepted.
    pub accepted: Option<SpecChange>,
    /// The keys of the rows in quarantine that are to be tried again.
    pub retries: Vec<Key>,
    /// Who runs it.
    pub runner: String,
    /// Where in the target it was taken.
    pub footing: Footing,
    /// What the run is for.
    pub course: Course,
    /// Keeps other runners out.
    pub lock: JobLock,
}

/// How long a session that is taken over may take to end.
const TERMINATE_WITHIN: Duration = Duration::from_secs(5);

/// Takes the job: excludes other runners, refuses it while a kill stands, makes the fence if there
/// is none, decides between beginning and going on, and writes the journal to match the fence.
///
/// # Errors
///
/// Another runner has it, it was killed, the spec or the table is another, or the target or the
/// journal fails.
pub async fn take(
    plan: &Plan,
    target: &dyn Target,
    control: &mut dyn Session,
    journal: &Journal,
    options: &Options,
) -> Result<Taken, Error> {
    match take_once(plan, target, control, journal, options).await {
        // Of sessions that cannot be ended from outside, the locks may outlast the runner.
        Err(Error::Target(cause)) if options.take_over && cause.is_lock_timeout() => {
            Err(still_held(Error::Target(cause), &plan.spec.job.name, None))
        }
        result => result,
    }
}

async fn take_once(
    plan: &Plan,
    target: &dyn Target,
    control: &mut dyn Session,
    journal: &Journal,
    options: &Options,
) -> Result<Taken, Error> {
    let job = &plan.spec.job.name;
    let dialect = target.dialect();
    let ledger = Ledger::of(plan, journal);
    latch::refuse_killed(plan, &ledger, dialect, control, journal).await?;
    let lock = match target.lock(control, options.take_over).await? {
        LockAttempt::Held(lock) => lock,
        LockAttempt::HeldBy(holder) => return Err(Error::HeldBy { job: job.clone(), holder }),
    };
    let footing = target.footing(control).await?;
    let known = journal.begun(job)?;
    let found = ledger.load(plan, dialect, control).await?;
    refuse_other_target(plan, journal, known.as_ref(), found.as_ref(), options)?;
    if let Some(cluster) = plan.server.cluster
        && !options.take_over
    {
        refuse_held_elsewhere(plan, &ledger, dialect, control, cluster).await?;
    }
    let finished = found.as_ref().is_some_and(|g| g.ranges.iter().all(|range| range.done));
    let undone = super::undone::is_undone(plan, dialect, control, found.as_ref()).await?;
    if let Some(generation) = undone.filter(|_| !options.again) {
        return Err(Error::Undone { job: job.clone(), generation });
    }
    let over = finished || undone.is_some();
    if options.again && !over && found.is_some() {
        return Err(Error::NotFinished { job: job.clone() });
    }
    if options.course != Course::Work {
        refuse_unverifiable(plan, known.as_ref(), finished)?;
    }
    let anew = found.is_none() || (over && options.again);
    let accepted = match found.as_ref().filter(|_| !anew) {
        Some(generation) => accept_or_refuse(plan, generation, known.as_ref(), options)?,
        None => None,
    };
    if options.take_over {
        end_recorded_sessions(plan, target, &ledger, control).await?;
    }
    ledger.make(plan, dialect, control).await?;
    let number = match &found {
        Some(generation) if anew => generation.number + 1,
        Some(generation) => generation.number,
        None => known.as_ref().map_or(1, |row| row.generation),
    };
    let holder = found.as_ref().and_then(|generation| generation.holder.clone());
    let ranges = match found {
        Some(generation) if !anew => generation.ranges,
        _ => split_table(plan, target, control).await?,
    };
    let generation = Generation {
        number,
        spec_hash: plan.spec_hash.clone(),
        table_identity: plan.table.identity.clone(),
        holder: Some(fence::holder(&options.runner, control)),
        ranges,
    };
    let claim = match &accepted {
        _ if anew => Claim::Begin,
        Some(_) => Claim::Accept,
        None => Claim::GoOn,
    };
    let claimed = ledger.claim(dialect, control, generation, claim).await;
    let ranges = claimed.map_err(|error| still_held(error, job, holder))?;

    let resumed = ranges.iter().any(|range| 0 < range.batches);
    let finished = finished && !anew;
    let state = match &known {
        // The kill was lifted, or the job would have been refused.
        Some(row) if !anew => next(row.state, Trigger::Released).unwrap_or(row.state),
        _ if finished => JobState::Completed,
        _ => JobState::Queued,
    };
    journal.begin_run(
        &JobRow {
            name: job.clone(),
            target: plan.target_name.clone(),
            address: plan.address.clone(),
            table: plan.table.to_string(),
            key_columns: plan.key_names(),
            spec_path: options.spec_path.clone(),
            spec_hash: plan.spec_hash.clone(),
            spec: plan.spec.canonical(),
            generation: number,
            table_identity: plan.table.identity.clone(),
            state,
            reason: None,
            estimated_rows: plan.estimate.as_ref().map(|estimate| estimate.rows),
            runner: Some(options.runner.clone()),
            taken: true,
            heartbeat_at: None,
            started_at: match &known {
                Some(row) if !anew => row.started_at,
                _ => Timestamp::now(),
            },
        },
        &ranges,
    )?;
    if anew {
        journal.forget_tuning(job)?;
    }
    let run_id = format!("{:x}-{}", Timestamp::now().as_millisecond(), std::process::id());
    Ok(Taken {
        run_id,
        generation: number,
        ranges,
        state,
        resumed,
        finished,
        accepted,
        retries: options.retries.clone(),
        runner: options.runner.clone(),
        footing,
        course: options.course,
        lock,
    })
}

/// The fence's row is locked by a transaction that has not ended: an earlier runner's.
fn still_held(error: Error, job: &str, holder: Option<String>) -> Error {
    match error {
        Error::Target(cause) if matches!(cause.class, Class::Retry(_)) => Error::StillHeld {
            job: job.to_owned(),
            holder: holder.unwrap_or_else(|| "an earlier runner".to_owned()),
            cause,
        },
        error => error,
    }
}

/// On a cluster the lock excludes only the runners on this node. Of the others the fence alone
/// knows, and whether they live cannot be asked from here.
async fn refuse_held_elsewhere(
    plan: &Plan,
    ledger: &Ledger,
    dialect: &dyn Dialect,
    control: &mut dyn Session,
    cluster: &'static str,
) -> Result<(), Error> {
    let exists = plan.fence.as_ref().is_some_and(|home| home.fence.exists);
    let Some(fence) = ledger.fence().filter(|_| exists) else { return Ok(()) };
    let holders = fence.holders(dialect, control, &fence.job).await?;
    match holders.into_iter().find(|(_, holder)| fence::session_of(holder).is_some()) {
        Some((job, holder)) => Err(Error::HeldInCluster { job, holder, cluster }),
        None => Ok(()),
    }
}

/// Ends the sessions that the fence recorded, so that what they had in flight is rolled back and
/// its locks are free: a runner that was frozen at the last instant cannot commit any more.
async fn end_recorded_sessions(
    plan: &Plan,
    target: &dyn Target,
    ledger: &Ledger,
    control: &mut dyn Session,
) -> Result<(), Error> {
    let exists = plan.fence.as_ref().is_some_and(|home| home.fence.exists);
    let Some(fence) = ledger.fence().filter(|_| exists) else { return Ok(()) };
    let holders = fence.holders(target.dialect(), control, &fence.job).await?;
    for (job, holder) in &holders {
        if let Some(identity) = fence::session_of(holder) {
            // One that does not end keeps its row locks: then the claim that follows waits for
            // them, and fails with the server's words after its lock time-out.
            target.terminate(control, job, identity, TERMINATE_WITHIN).await?;
        }
    }
    Ok(())
}

/// Verification is for a job whose every row is written.
fn refuse_unverifiable(plan: &Plan, known: Option<&JobRow>, finished: bool) -> Result<(), Error> {
    let job = plan.spec.job.name.clone();
    if !plan.statements.verifies() {
        return Err(Error::NothingToVerify { job });
    }
    if known.is_some_and(|row| row.state == JobState::Incomplete) {
        return Err(Error::NotWalked { job, why: "rows of it wait in quarantine" });
    }
    if finished { Ok(()) } else { Err(Error::NotWalked { job, why: "not every range is walked" }) }
}

fn refuse_other_target(
    plan: &Plan,
    journal: &Journal,
    known: Option<&JobRow>,
    found: Option<&Generation>,
    options: &Options,
) -> Result<(), Error> {
    let Some(known) = known else { return Ok(()) };
    let (job, path) = (plan.spec.job.name.clone(), journal.path().display().to_string());
    let moved = known.address != plan.address;
    // The lock that is held by now excludes a runner on this target, but not one on another.
    let other = known.runner.as_ref() != Some(&options.runner);
    if moved && other && known.is_alive(Timestamp::now()) {
        return Err(Error::RunningElsewhere {
            job,
            path,
            address: known.address.clone(),
            runner: known.runner.clone().unwrap_or_default(),
        });
    }
    if found.is_some() && (plan.fence.is_some() || !moved) {
        return Ok(());
    }
    let batches = journal.checkpoints(&job)?.iter().map(|point| point.range.batches).sum();
    if batches == 0 { Ok(()) } else { Err(Error::OtherTarget { path, job, batches }) }
}

/// Refuses another table; refuses another spec, or returns what was accepted of it.
fn accept_or_refuse(
    plan: &Plan,
    generation: &Generation,
    known: Option<&JobRow>,
    options: &Options,
) -> Result<Option<SpecChange>, Error> {
    let job = plan.spec.job.name.clone();
    if generation.table_identity != plan.table.identity {
        return Err(Error::OtherTable {
            job,
            known: generation.table_identity.clone(),
            found: plan.table.identity.clone(),
        });
    }
    if generation.spec_hash == plan.spec_hash {
        return Ok(None);
    }
    let lines = match known.filter(|row| row.spec_hash == generation.spec_hash) {
        Some(row) => differences(&row.spec, &plan.spec.canonical()),
        None => vec![format!(
            "hash {} -> {} (this journal does not hold the old text)",
            short(&generation.spec_hash),
            short(&plan.spec_hash),
        )],
    };
    let change = SpecChange { lines };
    if options.accept_changed_spec {
        Ok(Some(change))
    } else {
        Err(Error::SpecChanged { job, change })
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

/// What differs between two canonical specs, field by field.
fn differences(old: &serde_json::Value, new: &serde_json::Value) -> Vec<String> {
    let mut lines = Vec::new();
    collect_differences("", old, new, &mut lines);
    if lines.is_empty() {
        lines.push("the order of the assignments".to_owned());
    }
    lines
}

fn collect_differences(
    path: &str,
    old: &serde_json::Value,
    new: &serde_json::Value,
    lines: &mut Vec<String>,
) {
    use serde_json::Value;
    if old == new {
        return;
    }
    let show =
        |value: &Value| if value.is_null() { "(absent)".to_owned() } else { value.to_string() };
    let (Value::Object(a), Value::Object(b)) = (old, new) else {
        lines.push(format!("{path}: {} -> {}", show(old), show(new)));
        return;
    };
    let mut names: Vec<&String> =
        a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))).collect();
    names.dedup();
    for name in names {
        let child = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let of =
            |map: &serde_json::Map<String, Value>| map.get(name).cloned().unwrap_or(Value::Null);
        collect_differences(&child, &of(a), &of(b), lines);
    }
}

/// Cuts the table, as it is now, into ranges for the plan's workers. An empty table is one range
/// that is done: rows that come later are above the upper bound, as in any other table.
pub(super) async fn split_table(
    plan: &Plan,
    target: &dyn Target,
    session: &mut dyn Session,
) -> Result<Vec<Range>, Error> {
    let last = session.query(&plan.statements.last_key(target.dialect())).await?;
    let Some(hi) = one_key(plan, last)? else {
        return Ok(vec![Range { done: true, ..Range::new(0, None, Key(Vec::new())) }]);
    };
    let workers = plan.pace.workers as usize;
    let wanted = if workers == 1 { 1 } else { workers * RANGES_PER_WORKER };
    let cuts = Survey { plan, target, session }.cuts(None, &hi, wanted).await?;
    let mut ranges = Vec::new();
    let mut lo = None;
    for (id, upto) in (0u32..).zip(cuts.into_iter().chain([hi])) {
        ranges.push(Range::new(id, lo.replace(upto.clone()), upto));
    }
    Ok(ranges)
}
