//! What people ask of a handoff that is under way, from another process.

use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::run::{name_of, place_of, plan_of, shape_of};
use crate::event::{ALL_JOBS, Event, HandoffEvent, HandoffProgress, HandoffState, Record};
use crate::handoff::kill::{self, Proof};
use crate::handoff::supervise::{Verb, latch_scope, verdict_of};
use crate::handoff::verdict::Verdict;
use crate::handoff::work::{self, Child, ChildId, Ending, Paths, Work, native};
use crate::handoff::{Decision, Plan};
use crate::journal::{HandoffAnswer, HandoffRow, Journal, Latch};
use crate::ops::{Error, connect_to};
use crate::target::{self, Target};

/// How often it is looked for an answer.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A supervisor that lives has seen a request within a moment, and ended the work within five seconds; the
/// server may take a few more to tell how the table is.
const ENDS_WITHIN: Duration = Duration::from_secs(12);

/// The handoff that is meant by its name or by its migration's file.
///
/// # Errors
///
/// The journal knows none, or cannot be read.
pub fn known(journal: &Journal, text: &str) -> Result<HandoffRow, Error> {
    let path = Path::new(text);
    let sql = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"));
    let name = if sql { name_of(path) } else { text.to_owned() };
    if let Some(row) = journal.handoff(&name)? {
        return Ok(row);
    }
    let names: Vec<String> =
        journal.handoffs()?.iter().map(|row| format!("`{}`", row.name)).collect();
    let known = match names.as_slice() {
        [] => "; it knows none yet".to_owned(),
        names => format!("; it knows {}", names.join(", ")),
    };
    Err(Error::NoHandoff { journal: journal.path().display().to_string(), name, known })
}

/// Asks the supervisor of a handoff, and waits for its answer. `meanwhile` is called with the row, again and
/// again, while it waits.
///
/// # Errors
///
/// It has ended, nobody supervises it, or it does not answer in time.
pub fn ask(
    journal: &Journal,
    row: &HandoffRow,
    verb: Verb,
    argument: Option<&str>,
    (by, reason): (&str, Option<&str>),
    patience: Duration,
    mut meanwhile: impl FnMut(&HandoffRow),
) -> Result<HandoffAnswer, Error> {
    let name = &row.name;
    if !row.is_open() {
        return Err(Error::Handover(format!(
            "`{name}` is {}: there is nothing to {}",
            row.state.name(),
            verb.name()
        )));
    }
    if !row.is_supervised() {
        return Err(Error::Handover(format!(
            "nobody supervises `{name}`, and it waits until somebody does: `{}` takes it up, `backstop handoff \
             kill {name}` ends it",
            row.call()
        )));
    }
    let id = journal.ask_handoff(name, verb.name(), argument, by, reason)?;
    let begun = Instant::now();
    loop {
        if let Some(answer) = journal.handoff_answer(id)? {
            return Ok(answer);
        }
        if patience <= begun.elapsed() {
            return Err(Error::Handover(format!(
                "the supervisor of `{name}` has not answered within {}; look at its process: a frozen \
                 one lets the tool wait, and `backstop handoff kill {name}` ends both",
                crate::spec::Duration(patience)
            )));
        }
        if let Some(row) = journal.handoff(name)? {
            meanwhile(&row);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

/// What became of a handoff that was asked to end.
#[derive(Debug, Clone)]
pub struct EndedHandoff {
    /// The handoff as it is now.
    pub row: HandoffRow,
    /// Whether the server shows that nothing of it is at work.
    pub proven: bool,
    /// What was done and found, in lines.
    pub said: Vec<String>,
    /// How long it took.
    pub after: Duration,
}

/// Ends a handoff: through its supervisor, or where that is gone or silent, from here. A kill stays until it is
/// released.
///
/// # Errors
///
/// The journal cannot be used, or there is nothing to stop.
pub async fn end(
    journal: &Journal,
    row: &HandoffRow,
    how: Ending,
    by: &str,
    reason: Option<&str>,
) -> Result<EndedHandoff, Error> {
    let begun = Instant::now();
    if how == Ending::Kill {
        latch(journal, &row.name, by, reason)?;
    }
    if row.is_open() && row.is_supervised() {
        let verb = if how == Ending::Kill { Verb::Kill } else { Verb::Stop };
        let asked = ask(journal, row, verb, None, (by, reason), ENDS_WITHIN, |_| {});
        if let Ok(answer) = asked {
            let row = known(journal, &row.name)?;
            let said = answer.text.lines().skip(1).map(str::to_owned).collect();
            return Ok(EndedHandoff { row, proven: answer.carried, said, after: begun.elapsed() });
        }
    }
    if !row.is_open() && how == Ending::Stop {
        return Err(Error::Handover(format!(
            "`{}` is {}: there is nothing to stop",
            row.name,
            row.state.name()
        )));
    }
    let (proof, judged) = end_from_here(row, how).await?;
    if row.is_open() {
        write_end(journal, row, how, &judged, by, reason)?;
    }
    let row = known(journal, &row.name)?;
    Ok(EndedHandoff { row, proven: proof.proven, said: proof.said(), after: begun.elapsed() })
}

/// Ends what is there of it, without its supervisor.
async fn end_from_here(row: &HandoffRow, how: Ending) -> Result<(Proof, Verdict), Error> {
    let (plan, place) = (plan_of(row)?, place_of(row));
    let mut work = work_of(row, &plan);
    let reached = async {
        let target = connect_to(&row.url_env).await?;
        let session = target.open("kill").await.map_err(Error::Connect)?;
        Ok((target, session))
    };
    let reached: Result<_, Error> = reached.await;
    let (target, mut session) = match (reached, &mut work) {
        (Ok(reached), _) => reached,
        // A server that is away keeps nobody from ending the process.
        (Err(error), Some(work)) => {
            let why = error.to_string();
            let proof = kill::end_unseen(work.as_mut(), how, &why).await;
            return Ok((
                proof,
                Verdict::Unknown(format!("the table could not be looked at: {why}")),
            ));
        }
        (Err(error), None) => return Err(error),
    };
    let (target, session) = (target.as_ref(), session.as_mut());
    let proof = match &mut work {
        Some(work) => kill::end(work.as_mut(), how, target, session, &place).await,
        None => kill::end_without_process(&native::left_by(&plan), target, session, &place).await,
    };
    Ok((proof, judge(row, target).await?))
}

/// What the database says of the table.
pub(super) async fn judge(row: &HandoffRow, target: &dyn Target) -> Result<Verdict, Error> {
    let (plan, place, before) = (plan_of(row)?, place_of(row), shape_of(&row.before)?);
    let copy = row.copy.as_ref().map(shape_of).transpose()?;
    let asked = async {
        let mut session = target.open("handoff").await?;
        let shapes = (&before, copy.as_ref());
        let judged = verdict_of(&plan, target, session.as_mut(), &place, shapes).await;
        session.close().await;
        judged
    };
    let asked: target::Result<_> = asked.await;
    Ok(asked.unwrap_or_else(|error| {
        Verdict::Unknown(format!("the table could not be looked at: {error}"))
    }))
}

/// The work of a tool, whether its process is there or gone; none where the server does the work.
pub(super) fn work_of(row: &HandoffRow, plan: &Plan) -> Option<Box<dyn Work>> {
    let Decision::Tool(tool) = plan.decision else { return None };
    let paths = Paths::new(&plan.files);
    let (pid, started) = row.process.unwrap_or_default();
    let child = child_of(row, &paths).unwrap_or_else(|| Child::known(ChildId { pid, started }));
    Some((work::process_tool(tool).take)(plan, &paths, child))
}

/// The process of a tool; none if it is gone.
pub(super) fn child_of(row: &HandoffRow, paths: &Paths) -> Option<Child> {
    match row.process {
        Some((pid, started)) => Child::attach(ChildId { pid, started }),
        None => Child::writing_to(paths),
    }
}

fn write_end(
    journal: &Journal,
    row: &HandoffRow,
    how: Ending,
    judged: &Verdict,
    by: &str,
    reason: Option<&str>,
) -> Result<(), Error> {
    let by = reason.map_or_else(|| by.to_owned(), |why| format!("{by}: {why}"));
    let (state, reason) = match (judged, how) {
        (Verdict::Done, _) => (HandoffState::Done, "the table is as planned".to_owned()),
        (Verdict::NotDone, Ending::Stop) => {
            (HandoffState::Stopped, format!("by {by}; the table is as it was"))
        }
        (Verdict::NotDone, Ending::Kill) => {
            (HandoffState::Killed, format!("by {by}; the table is as it was"))
        }
        (Verdict::Unknown(why), _) => (HandoffState::Unknown, format!("by {by}; {why}")),
    };
    let progress = HandoffProgress { state, waits_for: None, ..row.progress.clone() };
    let event = HandoffEvent::Changed {
        from: row.state,
        to: state,
        reason: Some(reason.clone()),
        by: Some(by),
    };
    let record =
        Record { at: Timestamp::now(), job: row.name.clone(), event: Event::Handoff(event) };
    Ok(journal.end_handoff(&row.name, &progress, Some(&reason), &record)?)
}

fn latch(journal: &Journal, name: &str, by: &str, reason: Option<&str>) -> Result<(), Error> {
    let scope = latch_scope(name);
    let event = Event::Latched {
        scope: scope.clone(),
        by: by.to_owned(),
        reason: reason.map(str::to_owned),
    };
    let record = Record { at: Timestamp::now(), job: name.to_owned(), event };
    Ok(journal.latch(&Latch::new(&scope, by.to_owned(), reason.map(str::to_owned)), &record)?)
}

/// Ends every handoff of the journal that may be at work: what `kill --all` does beside the jobs. The latch of
/// everything stands already.
///
/// # Errors
///
/// The journal cannot be used.
pub async fn kill_all(
    journal: &Journal,
    by: &str,
    reason: Option<&str>,
) -> Result<Vec<(String, Result<EndedHandoff, Error>)>, Error> {
    let mut ended = Vec::new();
    for row in journal.handoffs()?.into_iter().filter(HandoffRow::is_open) {
        let name = row.name.clone();
        ended.push((name, end(journal, &row, Ending::Kill, by, reason).await));
    }
    Ok(ended)
}

/// Lifts the kill of a handoff. Returns whether one stood.
///
/// # Errors
///
/// A kill of everything stands, or the journal cannot be written.
pub fn release(journal: &Journal, name: &str, by: &str, reason: &str) -> Result<bool, Error> {
    let scope = latch_scope(name);
    let event = Event::Released {
        scope: scope.clone(),
        by: by.to_owned(),
        reason: Some(reason.to_owned()),
    };
    let record = Record { at: Timestamp::now(), job: name.to_owned(), event };
    let lifted = journal.release(&scope, by, reason, &record)?;
    match journal.standing_latch(&scope)? {
        Some(latch) if latch.scope == ALL_JOBS => {
            Err(Error::LatchStands { job: name.to_owned(), by: latch.by })
        }
        _ => Ok(0 < lifted),
    }
}
