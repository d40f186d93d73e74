//! `backstop handoff`.

use super::args::{HandoffArgs, HandoffCommand, HandoffPlanArgs, ToolName};
use super::exit::{Exit, Failure};
use super::{printer, run_job};
use crate::control::{Stop, watch_signals};
use crate::handoff::Decision;
use crate::ops::{self, handoff};
use crate::report::{handoff_json, handoff_text};
use crate::rewrite::tool::Tool;

pub(super) fn handoff(args: &HandoffArgs) -> Result<Exit, Failure> {
    match &args.command {
        HandoffCommand::Plan(args) => plan(args),
    }
}

fn plan(args: &HandoffPlanArgs) -> Result<Exit, Failure> {
    let asked = handoff::Asked {
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
        out: args.out.clone(),
    };
    let team = ops::load_config()?;
    let stop = Stop::default();
    let say = |_: &str| printer::note("leaving: the query that runs is cancelled on the server");
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
