//! `backstop handoff run`, and `revert`, which is a run of its own.

use std::path::Path;
use std::sync::Arc;

use super::super::args::{HandoffRevertArgs, HandoffRunArgs, Progress, WatchedArgs};
use super::super::exit::{Exit, Failure};
use super::super::{printer, run_job};
use super::verbs::with_consent;
use crate::control::{Level, Stop, watch_files, watch_signals};
use crate::event::{HandoffState, Listener};
use crate::handoff::supervise::{Alive, Outcome};
use crate::handoff::{Decision, Plan};
use crate::journal::{HandoffRow, Journal};
use crate::observe::{HandoffBar, HandoffLines, HandoffMetrics};
use crate::ops::handoff::{How, Opened, RunAsked};
use crate::ops::{self, Consent, handoff};
use crate::report::{duration, handoff_status_text, handoff_text};
use crate::rewrite::tool::Tool;
use crate::serve::{self, KillSwitch};

pub(super) fn run(args: &HandoffRunArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let journal = ops::open_or_create_journal(state)?;
    let plan = super::asked(&args.planned, args.watched.files.as_deref());
    watch(plan, None, &args.watched, &journal)
}

/// Puts the old table of a handoff that is done in its place again.
pub(super) fn revert(args: &HandoffRevertArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    let row = handoff::revertible(&journal, &args.handoff)?;
    let plan = handoff::Asked {
        file: row.migration.clone().into(),
        target: args.target.clone().unwrap_or_else(|| row.url_env.clone()),
        replicas: args.replicas,
        tool: None,
        defaults_file: args.defaults_file.clone().or_else(|| handoff::defaults_file_of(&row)),
        query_limit: args.query_limit,
        prove: false,
        out: args.watched.files.clone(),
    };
    watch(plan, Some(row), &args.watched, &journal)
}

/// Begins, or takes up, and watches until it has ended.
fn watch(
    plan: handoff::Asked,
    reverts: Option<HandoffRow>,
    args: &WatchedArgs,
    journal: &Journal,
) -> Result<Exit, Failure> {
    let team = ops::load_config()?;
    let token = team.token_for(args.listen.is_some())?;
    let name = handoff::name_for(&plan, reverts.as_ref());
    let stop = Stop::default();
    let (listener, say) = progress(args, &name);
    let shout = Arc::clone(&say);
    let _signals = watch_signals(
        stop.clone(),
        move |level| {
            shout(match level {
                Level::Drain => "asking it to end; once more ends it by force",
                _ => "ending it by force",
            });
        },
        || {},
    )
    .map_err(|error| Failure::usage(format!("signals cannot be handled: {error}")))?;
    let _files = watch_files(team.kill_file().into_iter().collect(), stop.clone())
        .map_err(|error| Failure::usage(format!("kill files cannot be watched: {error}")))?;
    with_consent(&args.consent, |consent| {
        run_job(async {
            let alive = Alive::default();
            let watching = serve::listen_alive(&name, alive.clone()).await.map_err(|error| {
                Failure::usage(format!("the tool's dead-man switch cannot listen: {error}"))
            })?;
            let metrics = HandoffMetrics::new(&name, &handoff::database_of(&plan.target)).map_err(
                |error| Failure::usage(format!("metrics cannot be registered: {error}")),
            )?;
            let metrics = Arc::new(metrics);
            let mut listeners: Vec<Arc<dyn Listener>> = vec![metrics.clone()];
            listeners.extend(listener);
            let listening = match args.listen {
                None => None,
                Some(address) => {
                    let switch = KillSwitch { job: name.clone(), stop: stop.clone(), token };
                    let text: serve::Text = Arc::new(move || metrics.text());
                    let listening = serve::listen(address, text, switch).await;
                    let listening = listening.map_err(|error| {
                        Failure::usage(format!(
                            "`--listen {address}` is not possible: {error}; name a free address"
                        ))
                    })?;
                    printer::note(&format!("metrics at http://{}/metrics", listening.address));
                    Some(listening)
                }
            };
            let asked = RunAsked {
                plan,
                reverts,
                cut_over: args.cut_over,
                consent: Consent {
                    yes: consent.yes,
                    reason: consent.reason.clone(),
                    ask: consent.ask,
                },
                watch_url: watching.url.clone(),
                alive,
                canary: !args.no_canary,
            };
            let opened = Box::pin(handoff::open(asked, &team, journal, &stop, listeners)).await?;
            let ready = match opened {
                Opened::Ready(ready) => ready,
                Opened::Refused(plan) => {
                    printer::data(handoff_text(&plan).trim_end());
                    return Ok(Exit::No);
                }
                Opened::Settled(row) => {
                    printer::data(handoff_status_text(&row).trim_end());
                    return Ok(exit_of(row.state));
                }
            };
            say(&begun(&name, ready.how, &ready.plan));
            let way = Way::of(&ready.plan);
            let begun = std::time::Instant::now();
            let outcome = ready.run().await?;
            // Below the bar.
            drop(say);
            say_goodbye(&name, &outcome, begun.elapsed());
            printer::note(&next(&name, outcome.state, way));
            if let Some(listening) = listening {
                if stop.level() < Level::Drain {
                    tokio::select! {
                        () = listening.linger(args.linger) => {}
                        () = stop.asked_to_leave() => {}
                    }
                }
                listening.close().await;
            }
            Ok(exit_of(outcome.state))
        })
    })
}

fn begun(name: &str, how: How, plan: &Plan) -> String {
    let table = format!("`{}`.`{}`", plan.database, plan.table);
    match how {
        How::Started => {
            format!("{name}: {} changes {table}: {}", plan.decision.name(), plan.clauses)
        }
        How::TakenUp => format!("{name}: taken up; {} is at work on {table}", plan.decision.name()),
        How::Resumed => {
            format!("{name}: {} goes on with {table} where it ended", plan.decision.name())
        }
    }
}

const fn exit_of(state: HandoffState) -> Exit {
    match state {
        HandoffState::Done => Exit::Done,
        HandoffState::Killed | HandoffState::Failed => Exit::Failed,
        HandoffState::Unknown => Exit::Unknown,
        HandoffState::Stopped
        | HandoffState::Starting
        | HandoffState::Copying
        | HandoffState::Throttled
        | HandoffState::Paused
        | HandoffState::Postponed
        | HandoffState::CuttingOver => Exit::Stopped,
    }
}

/// What kind of way it went, for the last words.
#[derive(Clone, Copy)]
enum Way {
    /// By gh-ost, which can go back.
    ByGhost,
    /// Back.
    Back,
    /// By a tool that cannot.
    ByTool,
    /// The server went it, in the table itself.
    Native,
}

impl Way {
    fn of(plan: &Plan) -> Self {
        match plan.decision {
            _ if plan.reverts.is_some() => Self::Back,
            Decision::Tool(Tool::GhOst) => Self::ByGhost,
            _ if plan.command.is_some() => Self::ByTool,
            _ => Self::Native,
        }
    }
}

/// The last words: what state it left.
fn say_goodbye(name: &str, outcome: &Outcome, took: std::time::Duration) {
    let after = duration(took.as_secs_f64());
    printer::note(&format!("{name}: {} after {after}: {}", outcome.state.name(), outcome.reason));
    for line in &outcome.said {
        printer::note(&format!("  {line}"));
    }
}

/// What to do next. A tool leaves things behind; the server's own path leaves its finished steps.
fn next(name: &str, state: HandoffState, way: Way) -> String {
    let later = format!("later: backstop handoff cleanup {name} --rename-old, then --drop-old");
    let again = "the next run finds what is done, and makes the rest";
    match (state, way) {
        (HandoffState::Done, Way::Back) => format!("the table that was replaced is kept; {later}"),
        (HandoffState::Done, Way::ByGhost) => format!(
            "the old table is kept, and is the way back as long as nothing is cleaned up: backstop \
             handoff revert {name}; {later}"
        ),
        (HandoffState::Done, Way::ByTool) => {
            format!("the old table is kept, with the rows as they were before the swap; {later}")
        }
        (HandoffState::Done, Way::Native) => {
            format!(
                "nothing is left to do for {name}: the server made the change in the table itself"
            )
        }
        (HandoffState::Killed, Way::Native) => {
            format!("when it may go on: backstop handoff release {name} --reason TEXT; {again}")
        }
        (HandoffState::Killed, _) => format!(
            "when it may go on: backstop handoff release {name} --reason TEXT; what it left behind: \
             backstop handoff cleanup {name}"
        ),
        (HandoffState::Unknown, Way::Native) => {
            format!("look at the table before anything else; {again}")
        }
        (HandoffState::Unknown, _) => format!(
            "look at the table before anything else; what is there of the tool: backstop handoff cleanup \
             {name} --dry-run"
        ),
        (_, Way::Native) => again.to_owned(),
        (_, _) => format!("what it left behind: backstop handoff cleanup {name}"),
    }
}

/// How a note reaches the person: above the bar where there is one.
type Say = Arc<dyn Fn(&str) + Send + Sync>;

fn progress(args: &WatchedArgs, name: &str) -> (Option<Arc<dyn Listener>>, Say) {
    let plainly: Say = Arc::new(printer::note);
    let lines = || -> Option<Arc<dyn Listener>> {
        Some(Arc::new(HandoffLines::new(name, args.progress_interval)))
    };
    match args.progress {
        Progress::Auto if !printer::can_redraw() => (lines(), plainly),
        Progress::Auto | Progress::Bar => {
            let bar = Arc::new(HandoffBar::new(name));
            let drawn = Arc::downgrade(&bar);
            let say = move |text: &str| match drawn.upgrade() {
                Some(bar) => bar.say(text),
                None => printer::note(text),
            };
            (Some(bar), Arc::new(say))
        }
        Progress::Plain => (lines(), plainly),
        Progress::Json => (Some(Arc::new(crate::observe::JsonLines)), plainly),
        Progress::None => (None, plainly),
    }
}
