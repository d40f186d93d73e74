//! `backstop run`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::args::{PlanArgs, Progress, RunArgs, ShownArgs};
use super::exit::{Exit, Failure, of_ended};
use super::{printer, run_job};
use crate::control::{Ask, Level, Stop, in_batches, watch_files, watch_signals};
use crate::event::{Listener, View};
use crate::journal::{Journal, Latch};
use crate::observe::{Bars, JsonLines, Lines, Metrics, Watched};
use crate::ops::{self, Switches};
use crate::plan::Plan;
use crate::report::{count, duration, status_line};
use crate::run::{Course, Ended, InQuarantine, Options};
use crate::serve::{self, KillSwitch, Listening};
use crate::spec::JobSpec;

/// How a run shows itself.
pub(super) struct Shown {
    pub progress: Progress,
    pub interval: Duration,
    pub listen: Option<std::net::SocketAddr>,
    pub linger: Duration,
    /// The file for the report.
    pub report: Option<PathBuf>,
    /// Whether the report is printed.
    pub json: bool,
}

impl Shown {
    pub(super) fn of(args: &ShownArgs, report: Option<PathBuf>, json: bool) -> Self {
        Self {
            progress: args.progress,
            interval: args.progress_interval,
            listen: args.listen,
            linger: args.linger,
            report,
            json,
        }
    }
}

pub(super) fn run(args: &RunArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    if args.dry_run {
        return super::plan::plan(&PlanArgs {
            spec: args.spec.clone(),
            grants: false,
            prove: false,
            json: false,
        });
    }
    let spec = ops::load_spec(&args.spec)?;
    let team = ops::load_config()?;
    let switches = ops::arm(team, &spec, &args.spec, args.shown.listen.is_some())?;
    let journal = ops::open_or_create_journal(state)?;
    let options = Options {
        course: Course::Work,
        again: args.again,
        accept_changed_spec: args.accept_changed_spec,
        take_over: args.take_over,
        retries: Vec::new(),
        spec_path: args.spec.display().to_string(),
        runner: ops::runner_name(),
    };
    let shown = Shown::of(&args.shown, args.report.clone(), false);
    execute(&spec, &journal, &options, &shown, switches)
}

/// Runs a job with everything that a person and a monitoring system may want to see of it.
pub(super) fn execute(
    spec: &JobSpec,
    journal: &Journal,
    options: &Options,
    shown: &Shown,
    switches: Switches,
) -> Result<Exit, Failure> {
    let (stop, watched) = (Stop::default(), Watched::default());
    let (progress, say) = progress(shown, &watched);
    let (seen, say_status) = (watched.clone(), say.clone());
    let _signals = watch_signals(
        stop.clone(),
        move |level| say(in_batches(level)),
        move || {
            say_status(&status_line(&seen.view(), jiff::Timestamp::now()));
        },
    )
    .map_err(|error| Failure::usage(format!("signals cannot be handled: {error}")))?;
    let _files = watch_files(switches.files, stop.clone())
        .map_err(|error| Failure::usage(format!("kill files cannot be watched: {error}")))?;

    run_job(async {
        let begun = Instant::now();
        let name = &spec.job.name;
        let announced = ops::announce(spec, journal, options)?;
        let prepare = ops::prepare(spec, Path::new(&options.spec_path), &switches.team);
        let prepared = Box::pin(announced.unless_stopped(name, &stop, prepare)).await?;
        let Some(prepared) = prepared else { return Ok(stopped_before(&stop)) };
        let mut listeners: Vec<Arc<dyn Listener>> = vec![Arc::new(watched.clone())];
        listeners.extend(progress);
        let metrics = Metrics::new(&spec.job.name, &prepared.plan.target_name)
            .map_err(|error| Failure::usage(format!("metrics cannot be registered: {error}")))?;
        let metrics = Arc::new(metrics);
        listeners.push(metrics.clone());
        let text: serve::Text = Arc::new(move || metrics.text());
        let (job, token) = (spec.job.name.clone(), switches.token);
        let switch = KillSwitch { job, stop: stop.clone(), token };
        let listening = match shown.listen {
            None => None,
            Some(address) => Some(serve::listen(address, text, switch).await.map_err(|error| {
                Failure::usage(format!(
                    "`--listen {address}` is not possible: {error}; name a free address"
                ))
            })?),
        };
        if let Some(listening) = &listening {
            printer::note(&format!("metrics at http://{}/metrics", listening.address));
        }
        let plan = prepared.plan.clone();
        for watched in &plan.signals {
            if let Some(why) = watched.left_out() {
                printer::note(&format!(
                    "{} is not watched, and the job will not step aside for it: {why}",
                    watched.signal.name
                ));
            }
        }
        let target = Arc::clone(&prepared.target);
        let start = ops::start(prepared, &announced, stop.clone(), listeners, options);
        let start = Box::pin(announced.unless_stopped(name, &stop, start)).await?;
        let Some(start) = start else {
            close(listening).await;
            return Ok(stopped_before(&stop));
        };
        let (finished, resumed) = (start.was_finished(), start.is_resumed());
        if resumed && !finished {
            printer::note(&format!("going on with {} where it stopped", spec.job.name));
        }
        let (had_scanned, had_changed) = start.done_before();
        if let Some(change) = start.accepted() {
            printer::note(&format!("the changed spec was accepted:{change}"));
        }
        let ended = Box::pin(start.execute()).await?;
        let view = watched.view().clone();
        let latch = journal.standing_latch(name).ok().flatten();
        say_goodbye(&Goodbye {
            name: &spec.job.name,
            spec,
            spec_path: &options.spec_path,
            go_on: go_on(spec, options),
            ended: &ended,
            latch,
            view: &view,
            took: begun.elapsed(),
            finished,
            course: options.course,
            had_scanned,
            had_changed,
            unverified: unverified(&plan),
        });
        super::undo::expire_after(&plan, &*target, &ended, &stop).await;
        give_report(&ended, shown)?;
        let lingers = ended.left.is_none() && !shown.linger.is_zero();
        if let Some(listening) = listening.as_ref().filter(|_| lingers) {
            printer::note(&format!(
                "waiting for monitoring to fetch this from http://{}/metrics, at most {}; Ctrl-C \
                 leaves at once",
                listening.address,
                duration(shown.linger.as_secs_f64())
            ));
            tokio::select! {
                () = listening.linger(shown.linger) => {}
                () = stop.asked_to_leave() => {}
            }
        }
        close(listening).await;
        Ok(of_ended(&ended))
    })
}

/// Hands over what became of the job. Where a file cannot be written, whoever waits for it has to know.
fn give_report(ended: &Ended, shown: &Shown) -> Result<(), Failure> {
    let Some(report) = &ended.report else {
        if shown.report.is_some() || shown.json {
            printer::note("there is nothing to report yet: the job is not at its end");
        }
        return Ok(());
    };
    if shown.json {
        printer::json(&serde_json::to_value(report).unwrap_or_default());
    }
    let Some(path) = &shown.report else { return Ok(()) };
    let text = serde_json::to_string_pretty(report).unwrap_or_default() + "\n";
    std::fs::write(path, text).map_err(|error| Failure {
        exit: of_ended(ended),
        message: format!(
            "the report cannot be written to `{}`: {error}; the job is {}, and `backstop verify` \
             makes another one",
            path.display(),
            ended.state
        ),
    })
}

async fn close(listening: Option<Listening>) {
    if let Some(listening) = listening {
        listening.close().await;
    }
}

/// Somebody asked to leave before the first batch.
fn stopped_before(stop: &Stop) -> Exit {
    let Ask { level, by, reason, .. } = stop.present();
    let (word, exit) = match level {
        Level::Kill => ("killed", Exit::Failed),
        _ => ("stopped", Exit::Stopped),
    };
    let why = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    printer::note(&format!("{word} before the first batch by {by}{why}; nothing was written"));
    exit
}

/// How a note reaches the person: above the bars where there are bars.
type Say = Arc<dyn Fn(&str) + Send + Sync>;

fn progress(shown: &Shown, watched: &Watched) -> (Option<Arc<dyn Listener>>, Say) {
    let plainly: Say = Arc::new(printer::note);
    match shown.progress {
        Progress::Auto if !printer::can_redraw() => {
            (Some(Arc::new(Lines::new(watched.clone(), shown.interval))), plainly)
        }
        Progress::Auto | Progress::Bar => {
            let bars = Arc::new(Bars::new(watched.clone()));
            let drawn = Arc::downgrade(&bars);
            let say = move |text: &str| match drawn.upgrade() {
                Some(bars) => bars.say(text),
                None => printer::note(text),
            };
            (Some(bars), Arc::new(say))
        }
        Progress::Plain => (Some(Arc::new(Lines::new(watched.clone(), shown.interval))), plainly),
        Progress::Json => (Some(Arc::new(JsonLines)), plainly),
        Progress::None => (None, plainly),
    }
}

struct Goodbye<'a> {
    name: &'a str,
    spec: &'a JobSpec,
    spec_path: &'a str,
    go_on: String,
    ended: &'a Ended,
    latch: Option<Latch>,
    view: &'a View,
    took: Duration,
    finished: bool,
    course: Course,
    had_scanned: u64,
    had_changed: u64,
    unverified: Option<&'static str>,
}

/// The command that goes on with the job.
fn go_on(spec: &JobSpec, options: &Options) -> String {
    match &spec.restores {
        Some(undone) => format!("backstop undo {}", undone.job),
        None => format!("backstop run {}", options.spec_path),
    }
}

/// Why a job has nothing to verify, if it has not.
fn unverified(plan: &Plan) -> Option<&'static str> {
    match plan.spec.update.filter {
        _ if plan.spec.restores.is_some() => None,
        _ if plan.statements.verifies() => None,
        Some(_) => Some("the spec has `remaining = false` and no `[verify] expect`"),
        None => Some("the spec has no `where` and no `[verify] expect`"),
    }
}

/// The last words of a run: what state it left, and what to do next.
fn say_goodbye(goodbye: &Goodbye<'_>) {
    let Goodbye { name, go_on, ended, view, took, .. } = goodbye;
    let done = format!(
        "{} rows scanned, {} changed, {}",
        count(view.rows_scanned.saturating_sub(goodbye.had_scanned)),
        count(view.rows_changed.saturating_sub(goodbye.had_changed)),
        duration(took.as_secs_f64())
    );
    if let Some(error) = &ended.error {
        printer::error(&format!("{name}: {error}"));
        say_where(view);
        return;
    }
    if let Some(left) = ended.left {
        let reason = ended.reason.as_deref().unwrap_or("on request");
        if view.verifying || view.maintaining.is_some() || view.watch.is_some() {
            printer::note(&format!("{name}: {reason}"));
        } else {
            printer::note(&format!("{name}: {} {reason}; {done} in this run", ended.state));
        }
        say_where(view);
        printer::note(&match left {
            Level::Kill => {
                let selector = goodbye.latch.as_ref().map_or(*name, Latch::selector);
                format!(
                    "when it may go on: backstop release {selector} --reason TEXT, then {go_on}"
                )
            }
            _ => format!("to go on: {go_on}"),
        });
        return;
    }
    if let Some(rows) = &ended.quarantine {
        let reason = ended.reason.as_deref().unwrap_or_default();
        printer::note(&format!("{name}: {}: {reason}; {done}", ended.state));
        say_ways_on(goodbye, rows);
        return;
    }
    if goodbye.finished && goodbye.course == Course::Work {
        printer::note(&format!(
            "{name}: was finished before, so nothing was changed (a new pass: {go_on} --again)"
        ));
    }
    match (&ended.verdict, ended.reason.as_deref()) {
        (Some(verdict), Some(reason)) => printer::note(&format!(
            "{name}: {}: {reason} ({})\nevery batch is written; look at these rows, mend the cause, \
             and run {go_on} to verify again",
            ended.state,
            verdict.extent(count)
        )),
        (Some(verdict), None) => printer::note(&format!(
            "{name}: {} ({}, nothing wrong); {} changed, {}",
            ended.state,
            verdict.extent(count),
            count(view.rows_changed.saturating_sub(goodbye.had_changed)),
            duration(took.as_secs_f64())
        )),
        (None, _) => printer::note(&format!("{name}: {}; {done}", ended.state)),
    }
    if let Some(why) = goodbye.unverified {
        printer::note(&format!("nothing was verified: {why}"));
    }
}

/// What can be done about rows in quarantine.
fn say_ways_on(goodbye: &Goodbye<'_>, rows: &InQuarantine) {
    let Goodbye { name, spec_path, go_on, .. } = goodbye;
    // What an undo puts back is no file that could be mended, and it finds by itself what it has not.
    let retry = match goodbye.spec.restores {
        Some(_) => format!("once they are mended: {go_on} --again"),
        None => format!("once they or the spec are mended: backstop quarantine retry {spec_path}"),
    };
    printer::note("every other row is written; nothing is verified before these are dealt with");
    if 0 < rows.waiting {
        printer::note(&format!(
            "  to look at them: backstop quarantine list {name}\n  \
             {retry}\n  \
             to give them up: backstop quarantine release {name} --all --reason TEXT"
        ));
    }
    if 0 < rows.unknown {
        printer::note(&if rows.converges {
            format!(
                "  those of another journal: use that one (`--state PATH`), or let `backstop run \
                 {spec_path} --again` find them once more; it changes no other row"
            )
        } else {
            "  those of another journal: use that one (`--state PATH`); `--again` would write every \
             other row a second time, so without it they have to be found by their values"
                .to_owned()
        });
    }
}

/// Where each open range is, so that nobody has to ask the database.
fn say_where(view: &View) {
    if view.verifying {
        return;
    }
    let mut waiting = 0;
    for (id, range) in view.ranges.iter().filter(|(_, range)| !range.done) {
        match &range.cursor {
            Some(cursor) => printer::note(&format!("  range {id}: done up to {cursor}")),
            None => waiting += 1,
        }
    }
    if 0 < waiting {
        printer::note(&format!("  ranges not begun: {waiting}"));
    }
}
