//! `backstop handoff status`, and what is asked of a handoff that is under way.

use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::time::Duration;

use serde_json::json;

use super::super::args::{
    ConsentArgs, HandoffCutOverArgs, HandoffReleaseArgs, HandoffStatusArgs, HandoffTuneArgs,
    HandoffVerbArgs,
};
use super::super::exit::{Exit, Failure};
use super::super::{printer, runtime};
use crate::handoff::supervise::Verb;
use crate::handoff::work::Ending;
use crate::journal::{HandoffAnswer, HandoffRow, Journal};
use crate::ops::{self, Action, Ask, Consent, handoff};
use crate::report::{duration, handoff_status_json, handoff_status_line, handoff_status_text};

/// A supervisor looks four times a second, and a tool takes up to two to pause.
const PATIENCE: Duration = Duration::from_secs(15);

/// The wait for whoever holds the table has a limit of its own, which the supervisor keeps.
const CUT_OVER_PATIENCE: Duration = Duration::from_hours(24);

pub(super) fn status(args: &HandoffStatusArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    loop {
        let rows = match &args.handoff {
            Some(name) => vec![handoff::known(&journal, name)?],
            None => journal.handoffs().map_err(ops::Error::from)?,
        };
        if args.json {
            let shown: Vec<_> = rows.iter().map(handoff_status_json).collect();
            printer::json(&match (&args.handoff, shown.as_slice()) {
                (Some(_), [one]) => one.clone(),
                _ => shown.into(),
            });
        } else if rows.is_empty() {
            printer::note("the journal knows no handoff yet");
        } else {
            let texts: Vec<String> = rows.iter().map(handoff_status_text).collect();
            printer::data(texts.join("\n").trim_end());
        }
        if !args.watch || rows.iter().all(|row| !row.is_open()) {
            return Ok(Exit::Done);
        }
        std::thread::sleep(Duration::from_secs(1));
    }
}

pub(super) fn ask(
    verb: Verb,
    args: &HandoffVerbArgs,
    state: Option<&Path>,
) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    let row = handoff::known(&journal, &args.handoff)?;
    let by = ops::person();
    let said = (by.as_str(), args.reason.as_deref());
    let answer = handoff::ask(&journal, &row, verb, None, said, PATIENCE, |_| {})?;
    show(&journal, verb, &row.name, &[answer], args.json)
}

pub(super) fn tune(args: &HandoffTuneArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    let row = handoff::known(&journal, &args.handoff)?;
    let by = ops::person();
    let mut answers = Vec::new();
    for (name, value) in &args.settings {
        let argument = format!("{name}={value}");
        let said = (by.as_str(), args.reason.as_deref());
        let verb = Verb::Tune;
        let answer = handoff::ask(&journal, &row, verb, Some(&argument), said, PATIENCE, |_| {})?;
        answers.push(answer);
    }
    show(&journal, Verb::Tune, &row.name, &answers, args.json)
}

pub(super) fn cut_over(args: &HandoffCutOverArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    let row = handoff::known(&journal, &args.handoff)?;
    let team = ops::load_config()?;
    let table = format!("`{}`.`{}`", row.schema, row.table);
    let what = match row.reverts() {
        Some(earlier) => format!("put the old table of `{earlier}` in the place of {table} again"),
        None => format!("put the new {table} in the place of the old"),
    };
    let action = Action { what, table: &row.table };
    let permit =
        with_consent(&args.consent, |consent| ops::permit(&action, &team.config.handoff, consent))?;
    let mut waited_for = None;
    let said = (permit.by.as_str(), permit.reason.as_deref());
    let patience = CUT_OVER_PATIENCE;
    let answer = handoff::ask(&journal, &row, Verb::CutOver, None, said, patience, |row| {
        if row.progress.waits_for != waited_for {
            waited_for.clone_from(&row.progress.waits_for);
            if let Some(waits) = waited_for.as_ref().filter(|_| !args.json) {
                printer::note(&format!("cut-over: {waits}"));
            }
        }
    })?;
    show(&journal, Verb::CutOver, &row.name, &[answer], args.json)
}

pub(super) fn end(
    how: Ending,
    args: &HandoffVerbArgs,
    state: Option<&Path>,
) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    let row = handoff::known(&journal, &args.handoff)?;
    let by = ops::person();
    let reason = args.reason.as_deref();
    let ended = runtime()?.block_on(handoff::end(&journal, &row, how, &by, reason))?;
    if args.json {
        printer::json(&json!({
            "action": verb_of(how).name(),
            "proven": ended.proven,
            "seconds": ended.after.as_secs_f64(),
            "said": ended.said,
            "handoff": handoff_status_json(&ended.row),
        }));
    } else {
        say_ended(how, &ended);
    }
    Ok(if ended.proven { Exit::Done } else { Exit::No })
}

const fn verb_of(how: Ending) -> Verb {
    match how {
        Ending::Stop => Verb::Stop,
        Ending::Kill => Verb::Kill,
    }
}

/// What was done to end a handoff, and what to do next.
pub(in crate::cli) fn say_ended(how: Ending, ended: &handoff::EndedHandoff) {
    let (name, after) = (&ended.row.name, duration(ended.after.as_secs_f64()));
    let verb = verb_of(how).name();
    printer::note(&format!("{verb}: {name} is {} after {after}", ended.row.state.name()));
    for line in &ended.said {
        printer::note(&format!("  {line}"));
    }
    printer::data(handoff_status_text(&ended.row).trim_end());
    if how == Ending::Kill {
        printer::note(&format!(
            "{name} stays killed; when it may go on: backstop handoff release {name} --reason TEXT"
        ));
    }
    printer::note(&format!("what it left behind: backstop handoff cleanup {name} --dry-run"));
}

pub(super) fn release(args: &HandoffReleaseArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    if args.reason.trim().is_empty() {
        return Err(Failure::usage(
            "`--reason` is empty; say why it may run again, for those who come after you",
        ));
    }
    let journal = ops::open_journal(state)?;
    let row = handoff::known(&journal, &args.handoff)?;
    let stood = handoff::release(&journal, &row.name, &ops::person(), &args.reason)?;
    if args.json {
        printer::json(&json!({ "handoff": row.name, "released": stood }));
    } else if stood {
        printer::note(&format!("release: {} may run again", row.name));
    } else {
        printer::note(&format!("release: no kill of {} stood", row.name));
    }
    Ok(if stood { Exit::Done } else { Exit::No })
}

fn show(
    journal: &Journal,
    verb: Verb,
    name: &str,
    answers: &[HandoffAnswer],
    as_json: bool,
) -> Result<Exit, Failure> {
    let row: HandoffRow = handoff::known(journal, name)?;
    let carried = answers.iter().all(|answer| answer.carried);
    if as_json {
        let texts: Vec<_> = answers.iter().map(|answer| answer.text.as_str()).collect();
        printer::json(&json!({
            "action": verb.name(),
            "carried": carried,
            "said": texts,
            "handoff": handoff_status_json(&row),
        }));
    } else {
        for answer in answers {
            printer::note(&format!("{}: {}", verb.name(), answer.text));
        }
        printer::data(&handoff_status_line(&row.name, &row.progress));
    }
    Ok(if carried { Exit::Done } else { Exit::No })
}

/// Lets somebody consent: by the flags, or at the terminal.
pub(super) fn with_consent<T>(args: &ConsentArgs, f: impl FnOnce(&Consent<'_>) -> T) -> T {
    let terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    let ask = |question: &str| {
        let mut stderr = std::io::stderr().lock();
        let _ = write!(stderr, "{question}");
        let _ = stderr.flush();
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line);
        matches!(read, Ok(bytes) if 0 < bytes).then_some(line)
    };
    let ask: Option<Ask<'_>> = if terminal { Some(&ask) } else { None };
    f(&Consent { yes: args.yes, reason: args.reason.clone(), ask })
}
