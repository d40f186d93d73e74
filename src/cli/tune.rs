//! `backstop tune`.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::TuneArgs;
use super::command::job_name;
use super::exit::{Exit, Failure};
use super::printer;
use crate::journal::Tuned;
use crate::ops::{self, Change, Tuning};
use crate::report::status_json;

/// A runner looks ten times a second.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) fn tune(args: &TuneArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    let (job, by, reason) = (job_name(&args.job)?, ops::person(), args.reason.as_deref());
    let changes = if args.reset {
        ops::back_to_spec(&journal, &job, &by, reason)?
    } else {
        let tuned = |(name, value): &(String, String)| Tuned {
            name: name.clone(),
            value: Some(value.clone()),
            by: by.clone(),
            reason: args.reason.clone(),
        };
        args.settings.iter().map(tuned).collect()
    };
    let tuning = ops::tune(&journal, &job, &changes, PATIENCE)?;
    if args.json {
        printer::json(&json!({
            "runs": tuning.runs,
            "changes": tuning.changes.iter().map(change_json).collect::<Vec<_>>(),
            "job": status_json(&tuning.status),
        }));
    } else if tuning.changes.is_empty() {
        printer::note(&format!("{job}: no setting was changed, so there is nothing to take back"));
    }
    if !args.json {
        for (name, change) in &tuning.changes {
            printer::note(&format!("{job}: {}", sentence(name, change, &tuning)));
        }
    }
    let taken = |change: &Change| match change {
        Change::Taken { .. } => true,
        Change::Refused(_) => false,
        Change::Waiting => !tuning.runs,
    };
    Ok(if tuning.changes.iter().all(|(_, change)| taken(change)) { Exit::Done } else { Exit::No })
}

fn sentence(name: &str, change: &Change, tuning: &Tuning) -> String {
    match change {
        Change::Taken { old, new } if old == new => format!("{name} is {new}, as it was"),
        Change::Taken { old, new } => {
            format!("{name} changed from {old} to {new}, from the next batch on")
        }
        Change::Refused(reason) => format!("{reason}; it is left as it is"),
        Change::Waiting if tuning.runs => format!(
            "{name}: the runner has not taken note of it after {} s; it may be frozen: look at its \
             process",
            PATIENCE.as_secs()
        ),
        Change::Waiting => format!("{name}: no runner has the job; it holds from the next run on"),
    }
}

fn change_json((name, change): &(String, Change)) -> Value {
    match change {
        Change::Taken { old, new } => {
            json!({"setting": name, "taken": true, "old": old, "new": new})
        }
        Change::Refused(reason) => json!({"setting": name, "taken": false, "reason": reason}),
        Change::Waiting => json!({"setting": name, "taken": null}),
    }
}
