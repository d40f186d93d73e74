//! `backstop handoff`.

mod cleanup;
mod run;
mod verbs;

use std::path::Path;

pub(super) use verbs::say_ended;

use super::args::{HandoffArgs, HandoffCommand, HandoffPlanArgs, PlannedArgs, ToolName};
use super::exit::{Exit, Failure};
use super::{printer, run_job};
use crate::control::{Level, Stop, watch_signals};
use crate::handoff::Decision;
use crate::handoff::supervise::Verb;
use crate::handoff::work::Ending;
use crate::ops::{self, handoff};
use crate::report::{handoff_json, handoff_text};
use crate::rewrite::tool::Tool;

pub(super) fn handoff(args: &HandoffArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    match &args.command {
        HandoffCommand::Plan(args) => plan(args),
        HandoffCommand::Run(args) => run::run(args, state),
        HandoffCommand::Revert(args) => run::revert(args, state),
        HandoffCommand::Status(args) => verbs::status(args, state),
        HandoffCommand::Pause(args) => verbs::ask(Verb::Pause, args, state),
        HandoffCommand::Resume(args) => verbs::ask(Verb::Resume, args, state),
        HandoffCommand::Tune(args) => verbs::tune(args, state),
        HandoffCommand::CutOver(args) => verbs::cut_over(args, state),
        HandoffCommand::Stop(args) => verbs::end(Ending::Stop, args, state),
        HandoffCommand::Kill(args) => verbs::end(Ending::Kill, args, state),
        HandoffCommand::Release(args) => verbs::release(args, state),
        HandoffCommand::Cleanup(args) => cleanup::cleanup(args, state),
    }
}

/// What is asked of the plan.
fn asked(args: &PlannedArgs, files: Option<&Path>) -> handoff::Asked {
    handoff::Asked {
        file: args.file.clone(),
        target: args.target.clone(),
        replicas: args.replicas,
        tool: args.tool.map(|tool| match tool {
            ToolName::GhOst => Tool::GhOst,
            ToolName::PtOnlineSchemaChange => Tool::Percona,
        }),
        defaults_file: args.defaults_file.clone(),
        query_limit: args.query_limit,
        prove: args.prove,
        out: files.map(Path::to_owned),
    }
}

fn plan(args: &HandoffPlanArgs) -> Result<Exit, Failure> {
    let asked = asked(&args.planned, args.out.as_deref());
    let team = ops::load_config()?;
    let stop = Stop::default();
    let say = |_: Level| printer::note("leaving: the query that runs is cancelled on the server");
    let signals = watch_signals(stop.clone(), say, || {})
        .map_err(|error| Failure::usage(format!("signals cannot be watched: {error}")))?;
    let plan = run_job(async { Ok(handoff::plan(&asked, &team, &stop).await?) });
    drop(signals);
    let plan = plan?;
    let refused = plan.decision == Decision::Refuse;
    let written = match &args.out {
        Some(out) if !refused => handoff::generate(&plan, out)?,
        _ => Vec::new(),
    };
    if args.json {
        let mut shown = handoff_json(&plan);
        let paths: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
        shown["generated"] = paths.into();
        printer::json(&shown);
    } else {
        printer::data(handoff_text(&plan).trim_end());
        for path in &written {
            printer::note(&format!("wrote {}", path.display()));
        }
    }
    Ok(if refused { Exit::No } else { Exit::Done })
}
