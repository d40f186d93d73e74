//! Taking a job: what the fence and the journal know of it, and who owns it from now on.

use jiff::Timestamp;

use super::error::{Error, SpecChange};
use super::read::read_key;
use crate::event::JobState;
use crate::journal::{JobRow, Journal};
use crate::keyspace::{Key, Range, split_points};
use crate::plan::Plan;
use crate::target::fence::{Fence, Generation};
use crate::target::{Class, Dialect, JobLock, LockAttempt, Row, Session, Statement, Target};

/// Ranges per worker: with several, a worker that got an easy one takes another, and a guess at
/// the distribution may be off.
const RANGES_PER_WORKER: u32 = 4;

/// What the person who runs the job said beside the spec.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Begin a new generation of a finished job.
    pub again: bool,
    /// Go on although the spec has changed.
    pub accept_changed_spec: bool,
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
    /// Keeps other runners out.
    pub lock: JobLock,
}

/// Takes the job: excludes other runners, makes the fence if there is none, decides between
/// beginning and going on, and writes the journal to match the fence.
///
/// # Errors
///
/// Another runner has it, the spec or the table is another, or the target or the journal fails.
pub async fn take(
    plan: &Plan,
    target: &dyn Target,
    control: &mut dyn Session,
    journal: &Journal,
    options: &Options,
) -> Result<Taken, Error> {
    let job = &plan.spec.job.name;
    let lock = match target.lock(control).await? {
        LockAttempt::Held(lock) => lock,
        LockAttempt::HeldBy(holder) => return Err(Error::HeldBy { job: job.clone(), holder }),
    };
    let dialect = target.dialect();
    let known = journal.job(job)?;
    let fence = Fence { table: plan.fence.table.clone(), job: job.clone() };
    let found = if plan.fence.exists { fence.load(dialect, control).await? } else { None };
    refuse_other_target(plan, journal, known.as_ref(), found.as_ref())?;
    let finished = found.as_ref().is_some_and(|g| g.ranges.iter().all(|range| range.done));
    if options.again && !finished && found.is_some() {
        return Err(Error::NotFinished { job: job.clone() });
    }
    let anew = found.is_none() || (finished && options.again);
    let accepted = match found.as_ref().filter(|_| !anew) {
        Some(generation) => accept_or_refuse(plan, generation, known.as_ref(), options)?,
        None => None,
    };
    if !plan.fence.exists {
        create_fence(plan, target, control).await?;
    }
    let number = match &found {
        Some(generation) if anew => generation.number + 1,
        Some(generation) => generation.number,
        None => known.as_ref().map_or(1, |row| row.generation),
    };
    if anew {
        let ranges = split_table(plan, dialect, control).await?;
        let generation = Generation {
            number,
            spec_hash: plan.spec_hash.clone(),
            table_identity: plan.table.identity.clone(),
            holder: Some(options.runner.clone()),
            ranges,
        };
        fence.create(dialect, control, &generation).await?;
    }
    let holder = format!("{}, session {}", options.runner, control.id());
    if accepted.is_some() {
        fence.accept(dialect, control, number, &plan.spec_hash).await?;
    }
    fence.claim(dialect, control, number, &holder).await?;
    let ranges = fence.load(dialect, control).await?.map(|g| g.ranges).unwrap_or_default();

    let resumed = ranges.iter().any(|range| 0 < range.batches);
    let finished = finished && !anew;
    let state = match &known {
        Some(row) if !anew => row.state,
        _ if finished => JobState::Completed,
        _ => JobState::Queued,
    };
    journal.begin_run(
        &JobRow {
            name: job.clone(),
            target: plan.target_name.clone(),
            address: plan.address.clone(),
            table: plan.table.to_string(),
            key_columns: plan.key_names().to_vec(),
            spec_path: options.spec_path.clone(),
            spec_hash: plan.spec_hash.clone(),
            spec: plan.spec.canonical(),
            generation: number,
            state,
            reason: None,
            estimated_rows: plan.table.estimate.as_ref().map(|estimate| estimate.rows),
            runner: Some(options.runner.clone()),
            heartbeat_at: None,
            started_at: match &known {
                Some(row) if !anew => row.started_at,
                _ => Timestamp::now(),
            },
        },
        &ranges,
    )?;
    let run_id = format!("{:x}-{}", Timestamp::now().as_millisecond(), std::process::id());
    Ok(Taken { run_id, generation: number, ranges, state, resumed, finished, accepted, lock })
}

/// Makes the fence. Another job may make it at the same moment, and that is as good.
async fn create_fence(
    plan: &Plan,
    target: &dyn Target,
    control: &mut dyn Session,
) -> Result<(), Error> {
    let created = control.execute(&Statement::plain(plan.fence.ddl.clone())).await;
    match created {
        Ok(_) => Ok(()),
        Err(_) if target.fence_home(control, &plan.table).await?.exists => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn refuse_other_target(
    plan: &Plan,
    journal: &Journal,
    known: Option<&JobRow>,
    found: Option<&Generation>,
) -> Result<(), Error> {
    let Some(known) = known else { return Ok(()) };
    let (job, path) = (plan.spec.job.name.clone(), journal.path().display().to_string());
    // The lock that is held by now excludes a runner on this target, but not one on another.
    if known.address != plan.address && known.is_alive(Timestamp::now()) {
        return Err(Error::RunningElsewhere {
            job,
            path,
            address: known.address.clone(),
            runner: known.runner.clone().unwrap_or_default(),
        });
    }
    if found.is_some() {
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
    dialect: &dyn Dialect,
    session: &mut dyn Session,
) -> Result<Vec<Range>, Error> {
    let statements = &plan.statements;
    let Some(hi) = one_key(plan, session.query(&statements.last_key(dialect)).await?)? else {
        return Ok(vec![Range { done: true, ..Range::new(0, None, Key(Vec::new())) }]);
    };
    let mut cuts: Vec<Key> = Vec::new();
    if 1 < plan.pace.workers
        && let Some(lo) = one_key(plan, session.query(&statements.first_key(dialect)).await?)?
        && let Some(Ok(kind)) = statements.key.first().map(|column| &column.key_kind)
    {
        let pieces = plan.pace.workers.saturating_mul(RANGES_PER_WORKER);
        for guess in split_points(*kind, &lo, &hi, pieces) {
            // Each cut lies above the one before it in the server's order, whatever our guesses
            // are in ours.
            let look = statements.first_from(dialect, &guess, cuts.last(), &hi);
            // A guess that is no value of the type (half a UUID) is not cut at.
            let mut rows = match session.query(&look).await {
                Ok(rows) => rows,
                Err(error) if error.class == Class::Refused => continue,
                Err(error) => return Err(error.into()),
            };
            let past = rows.first_mut().and_then(Vec::pop).flatten();
            if let Some(key) = one_key(plan, rows)?
                && key != hi
                && past.as_deref() == Some("0")
            {
                cuts.push(key);
            }
        }
    }
    let mut ranges = Vec::new();
    let mut lo = None;
    for (id, upto) in (0u32..).zip(cuts.into_iter().chain([hi])) {
        ranges.push(Range::new(id, lo.replace(upto.clone()), upto));
    }
    Ok(ranges)
}

fn one_key(plan: &Plan, mut rows: Vec<Row>) -> Result<Option<Key>, Error> {
    rows.pop().map(|row| read_key(plan, row)).transpose()
}
