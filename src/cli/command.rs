//! `backstop pause`, `resume` and `stop`.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::CommandArgs;
use super::exit::{Exit, Failure};
use super::printer;
use crate::journal::Action;
use crate::ops::{self, Asked};
use crate::report::{duration, status_json, status_text};

/// How long a person is kept waiting for the answer. A batch takes a fraction of a second, but one
/// that waits for a lock may take longer; after this it is better to say so.
const PATIENCE: Duration = Duration::from_secs(15);

pub(super) fn command(
    action: Action,
    args: &CommandArgs,
    state: Option<&Path>,
) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    let jobs = match &args.which.job {
        Some(job) => vec![job_name(job)?],
        None => ops::running(&journal)?,
    };
    if jobs.is_empty() {
        return Err(Failure {
            exit: Exit::No,
            message: format!(
                "no job of this journal is running: there is nothing to {}",
                action.name()
            ),
        });
    }
    let by = ops::person();
    let mut answers = Vec::new();
    for job in &jobs {
        let asked = ops::ask(&journal, job, action, &by, args.reason.as_deref(), PATIENCE)?;
        if !args.json {
            printer::note(&answer(action, job, &asked));
            printer::data(&status_text(&asked.status));
        }
        answers.push(asked);
    }
    if args.json {
        let shown: Vec<Value> = answers.iter().map(|asked| answer_json(action, asked)).collect();
        printer::json(&match (&args.which.job, shown.as_slice()) {
            (Some(_), [one]) => one.clone(),
            _ => Value::from(shown),
        });
    }
    Ok(if answers.iter().all(|asked| asked.reached) { Exit::Done } else { Exit::No })
}

fn answer_json(action: Action, asked: &Asked) -> Value {
    json!({
        "action": action.name(),
        "seen": asked.seen,
        "reached": asked.reached,
        "seconds": asked.after.as_secs_f64(),
        "job": status_json(&asked.status),
    })
}

fn answer(action: Action, job: &str, asked: &Asked) -> String {
    let (name, after) = (action.name(), duration(asked.after.as_secs_f64()));
    match (asked.reached, asked.seen) {
        (true, _) => format!("{name}: {job} is {} after {after}", asked.status.job.state),
        (false, true) => format!(
            "{name}: the runner has seen it, but the batch in flight has not ended after {after}; it \
             may wait for a lock, and `backstop kill {job}` cancels it"
        ),
        (false, false) => format!(
            "{name}: the runner has not seen it after {after}; it may be frozen: look at its process"
        ),
    }
}

/// The job that is meant by its name or by its spec's file.
pub(super) fn job_name(text: &str) -> Result<String, Failure> {
    let path = Path::new(text);
    if path.extension().is_some_and(|extension| extension == "toml") {
        return Ok(ops::load_spec(path)?.job.name);
    }
    Ok(text.to_owned())
}
