//! `backstop kill` and `backstop release`.

use std::path::Path;

use serde_json::{Value, json};

use super::args::{KillArgs, ReleaseArgs, Which};
use super::command::job_name;
use super::exit::{Exit, Failure};
use super::{printer, runtime};
use crate::handoff::work::Ending;
use crate::ops::handoff::EndedHandoff;
use crate::ops::{self, Halted, Killed, Scope};
use crate::report::{duration, handoff_status_json, status_json, status_text};

pub(super) fn kill(args: &KillArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let (scope, by) = (scope_of(&args.which)?, ops::person());
    let reason = args.reason.as_deref();
    let schema = schema_or_default();
    let schema = schema.as_deref();
    let runtime = runtime()?;
    if let Some(url_env) = &args.target {
        let halted = runtime.block_on(async {
            let target = ops::connect_to(url_env).await?;
            ops::halt_target(target.as_ref(), schema, &scope, &by, reason).await
        })?;
        if args.json {
            printer::json(&json!({ "scope": scope.name(), "target": halted_json(&halted) }));
        } else {
            printer::note(&format!("kill: {}", halted_text(&halted, &what(&scope))));
        }
        return Ok(if halted.left.is_empty() { Exit::Done } else { Exit::No });
    }
    let journal = ops::open_journal(state)?;
    let killed = runtime.block_on(ops::kill(&journal, &scope, &by, reason, schema))?;
    let handoffs = match scope {
        Scope::All => runtime.block_on(ops::handoff::kill_all(&journal, &by, reason))?,
        Scope::Job(_) => Vec::new(),
    };
    if args.json {
        let mut shown: Vec<Value> = killed.iter().map(killed_json).collect();
        shown.extend(handoffs.iter().map(handoff_json));
        printer::json(&match (&scope, shown.as_slice()) {
            (Scope::Job(_), [one]) => one.clone(),
            _ => Value::from(shown),
        });
    } else {
        for killed in &killed {
            printer::note(&killed_text(killed));
            printer::data(&status_text(&killed.status));
        }
        for (name, ended) in &handoffs {
            match ended {
                Ok(ended) => super::handoff::say_ended(Ending::Kill, ended),
                Err(error) => printer::error(&format!("kill: {name} was not reached: {error}")),
            }
        }
        printer::note(&format!(
            "{} stays killed; when it may go on: backstop release {} --reason TEXT",
            what(&scope),
            selector(&scope)
        ));
    }
    let reached = killed.iter().all(|killed| killed.reached);
    let proven = handoffs.iter().all(|(_, ended)| ended.as_ref().is_ok_and(|ended| ended.proven));
    Ok(if reached && proven { Exit::Done } else { Exit::No })
}

fn handoff_json((name, ended): &(String, Result<EndedHandoff, ops::Error>)) -> Value {
    match ended {
        Ok(ended) => json!({
            "action": "kill",
            "reached": ended.proven,
            "seconds": ended.after.as_secs_f64(),
            "said": ended.said,
            "handoff": handoff_status_json(&ended.row),
        }),
        Err(error) => json!({
            "action": "kill", "reached": false, "handoff": { "name": name }, "error": error.to_string(),
        }),
    }
}

/// The schema of Backstop's tables. A kill is not held up by a config that somebody has broken.
fn schema_or_default() -> Option<String> {
    match ops::load_config() {
        Ok(team) => team.config.fence.schema,
        Err(error) => {
            printer::error(&format!("{error}; the kill goes on as if there were no config"));
            None
        }
    }
}

pub(super) fn release(args: &ReleaseArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let (scope, by) = (scope_of(&args.which)?, ops::person());
    if args.reason.trim().is_empty() {
        return Err(Failure::usage(
            "`--reason` is empty; say why the job may run again, for those who come after you",
        ));
    }
    let schema = ops::load_config()?.config.fence.schema;
    let schema = schema.as_deref();
    let runtime = runtime()?;
    let (latches, halts) = match &args.target {
        Some(url_env) => {
            let halts = runtime.block_on(async {
                let target = ops::connect_to(url_env).await?;
                ops::release_target(target.as_ref(), schema, &scope, &by, &args.reason).await
            })?;
            (0, halts)
        }
        None => {
            let journal = ops::open_journal(state)?;
            let lifted =
                runtime.block_on(ops::release(&journal, &scope, &by, &args.reason, schema))?;
            (lifted.latches, lifted.halts)
        }
    };
    if args.json {
        let scope = scope.name();
        printer::json(&json!({ "scope": scope, "latches": latches, "halts": halts }));
    } else if latches == 0 && halts == 0 {
        printer::note(&format!("release: no kill of {} stood", what(&scope)));
    } else {
        printer::note(&format!("release: {} may run again", what(&scope)));
    }
    Ok(if latches == 0 && halts == 0 { Exit::No } else { Exit::Done })
}

fn scope_of(which: &Which) -> Result<Scope, Failure> {
    match &which.job {
        Some(job) => job_name(job).map(Scope::Job),
        None => Ok(Scope::All),
    }
}

fn what(scope: &Scope) -> String {
    match scope {
        Scope::Job(job) => format!("job `{job}`"),
        Scope::All => "every job".to_owned(),
    }
}

fn selector(scope: &Scope) -> &str {
    match scope {
        Scope::Job(job) => job,
        Scope::All => "--all",
    }
}

fn halted_text(halted: &Halted, what: &str) -> String {
    let ended = match halted.ended {
        0 => "no session was at work".to_owned(),
        1 => "1 session was ended".to_owned(),
        many => format!("{many} sessions were ended"),
    };
    if halted.left.is_empty() {
        format!("{what} is halted in the target: no batch can commit any more; {ended}")
    } else {
        format!(
            "{what} is halted in the target: no batch whose fence comes after this can commit; \
             {ended}, and still there: {}",
            halted.left.join("; ")
        )
    }
}

fn killed_text(killed: &Killed) -> String {
    let job = &killed.status.job.name;
    let after = duration(killed.after.as_secs_f64());
    let mut text = if killed.reached {
        format!("kill: {job} is {} after {after}", killed.status.job.state)
    } else {
        format!("kill: the runner of {job} has not answered after {after}")
    };
    if let Some(halted) = &killed.halted {
        text = format!("{text}; {}", halted_text(halted, "it"));
    }
    if let Some(why) = &killed.unreachable {
        text = format!(
            "{text}; the target could not be halted, so a runner elsewhere could still run it: {why}"
        );
    }
    text
}

fn halted_json(halted: &Halted) -> Value {
    json!({ "sessions_ended": halted.ended, "sessions_left": halted.left })
}

fn killed_json(killed: &Killed) -> Value {
    json!({
        "action": "kill",
        "reached": killed.reached,
        "seconds": killed.after.as_secs_f64(),
        "target": killed.halted.as_ref().map(halted_json),
        "target_unreachable": killed.unreachable,
        "job": status_json(&killed.status),
    })
}
