//! `backstop undo`.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::args::UndoArgs;
use super::exit::{Exit, Failure};
use super::run::{Shown, execute};
use super::{printer, runtime};
use crate::control::{Ask, Level, Stop, in_batches, watch_signals};
use crate::ops::{self, Conflict, Fates, Sample, Undoing};
use crate::plan::Plan;
use crate::report::count;
use crate::run::{Course, Ended, Options};
use crate::spec::JobSpec;
use crate::target::Target;

pub(super) fn undo(args: &UndoArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let (spec, path, named) = find(args, state)?;
    let team = ops::load_config()?;
    let runtime = runtime()?;
    let undoing = runtime.block_on(ops::undoing(&spec, &team, args.generation.or(named)))?;
    if args.expire {
        return expire(&spec, &undoing, &runtime, args.json);
    }
    if args.dry_run {
        return look(args, &undoing, &runtime, None);
    }
    let kept_out = runtime.block_on(undoing.keep_out(args.take_over))?;
    let switches = ops::arm(team, &undoing.spec, Path::new(&path), false)?;
    let journal = ops::open_or_create_journal(state)?;
    // What it puts back is settled by the generation; how fast may have been changed since.
    let begun = ops::restores_begun(&journal, &undoing.spec)?;
    let options = Options {
        course: Course::Work,
        again: args.again,
        accept_changed_spec: begun,
        take_over: args.take_over,
        retries: Vec::new(),
        spec_path: path,
        runner: ops::runner_name(),
    };
    let shown = Shown {
        progress: args.progress,
        interval: args.progress_interval,
        listen: None,
        linger: Duration::ZERO,
        report: None,
        json: false,
    };
    let exit = execute(&undoing.spec, &journal, &options, &shown, switches)?;
    drop(kept_out);
    if exit != Exit::Done {
        return Ok(exit);
    }
    let status = ops::read_status(&journal, &undoing.spec.job.name)?;
    look(args, &undoing, &runtime, Some(status.sum(|point| point.range.rows_changed)))
}

/// The job's spec and its file, and the generation that its name implies.
fn find(args: &UndoArgs, state: Option<&Path>) -> Result<(JobSpec, String, Option<u32>), Failure> {
    let path = Path::new(&args.job);
    if path.extension().is_some_and(|extension| extension == "toml") {
        return Ok((ops::load_spec(path)?, args.job.clone(), None));
    }
    Ok(ops::undoable(&ops::open_journal(state)?, &args.job)?)
}

/// Counts what became of the rows, and says it. `restored` are those that the undo has put back; `None`:
/// it was not run.
fn look(
    args: &UndoArgs,
    undoing: &Undoing,
    runtime: &tokio::runtime::Runtime,
    restored: Option<u64>,
) -> Result<Exit, Failure> {
    let stop = Stop::default();
    let _signals = watch_signals(stop.clone(), |level| printer::note(in_batches(level)), || {})
        .map_err(|error| Failure::usage(format!("signals cannot be handled: {error}")))?;
    let mut tell = |conflict: &Conflict| {
        let fate = if conflict.gone { "deleted" } else { "changed" };
        printer::data(&format!("{}\t{fate}", conflict.key));
    };
    let each: Option<&mut (dyn FnMut(&Conflict) + Send)> =
        if args.conflicts { Some(&mut tell) } else { None };
    let Some(fates) = runtime.block_on(undoing.fates(&stop, each))? else {
        let Ask { by, .. } = stop.present();
        printer::note(&format!("stopped by {by} while the rows were counted"));
        return Ok(Exit::Stopped);
    };
    if args.json {
        printer::json(&in_json(undoing, &fates, restored));
    } else {
        in_words(args, undoing, &fates, restored);
    }
    let whole = if restored.is_some() { fates.is_whole() } else { fates.changed + fates.gone == 0 };
    Ok(if whole { Exit::Done } else { Exit::No })
}

fn in_words(args: &UndoArgs, undoing: &Undoing, fates: &Fates, restored: Option<u64>) {
    let Undoing { job, generation, spec, .. } = undoing;
    let Fates { before, written, changed, gone, conflicts, samples } = fates;
    // What is asked for goes to stdout, and beside a list of keys to stderr.
    let say = if args.conflicts || restored.is_some() { printer::note } else { printer::data };
    match restored {
        None => say(&format!(
            "generation {generation} of {job}: {} rows would be put back, {} are as they were before, \
             {} were changed and {} deleted since and would be left alone",
            count(*written),
            count(*before),
            count(*changed),
            count(*gone)
        )),
        Some(restored) => say(&format!(
            "generation {generation} of {job} is undone by {}: {} rows put back, {} changed since and \
             left alone, {} deleted since",
            spec.job.name,
            count(restored),
            count(*changed + *written),
            count(*gone)
        )),
    }
    if restored.is_none() {
        for Sample { key, values } in samples {
            let shown: Vec<_> = values.iter().map(shown).collect();
            say(&format!("  {key}: {}", shown.join(", ")));
        }
    }
    if args.conflicts {
        return;
    }
    for Conflict { key, gone } in conflicts {
        say(&format!("  {key} was {}", if *gone { "deleted" } else { "changed" }));
    }
    if (conflicts.len() as u64) < changed + gone {
        say(&format!("  … all of them: backstop undo {} --dry-run --conflicts", args.job));
    }
}

fn shown((name, now, then): &(String, Option<String>, Option<String>)) -> String {
    let cut = |value: &Option<String>| match value {
        None => "NULL".to_owned(),
        Some(text) if text.chars().count() <= 60 => text.clone(),
        Some(text) => format!("{}…", text.chars().take(60).collect::<String>()),
    };
    format!("{name} {} -> {}", cut(now), cut(then))
}

fn in_json(undoing: &Undoing, fates: &Fates, restored: Option<u64>) -> Value {
    let conflicts = fates.conflicts.iter().map(|conflict| {
        json!({ "key": conflict.key, "fate": if conflict.gone { "deleted" } else { "changed" } })
    });
    let samples = fates.samples.iter().map(|sample| {
        let values = sample.values.iter();
        let values =
            values.map(|(name, now, then)| json!({ "column": name, "now": now, "then": then }));
        json!({ "key": sample.key, "values": values.collect::<Vec<_>>() })
    });
    json!({
        "job": undoing.job,
        "generation": undoing.generation,
        "undo_job": undoing.spec.job.name,
        "dry_run": restored.is_none(),
        "restored": restored,
        "restorable": fates.written,
        "as_before": fates.before,
        "changed": fates.changed,
        "deleted": fates.gone,
        "first_conflicts": conflicts.collect::<Vec<_>>(),
        "samples": samples.collect::<Vec<_>>(),
    })
}

fn expire(
    spec: &JobSpec,
    undoing: &Undoing,
    runtime: &tokio::runtime::Runtime,
    json: bool,
) -> Result<Exit, Failure> {
    let Some(undo) = &spec.undo else {
        return Err(Failure::usage(format!(
            "the spec of `{}` has no [undo], so nothing says how long its old values are kept; name a \
             spec that says it",
            spec.job.name
        )));
    };
    let stop = Stop::default();
    let _signals = watch_signals(stop.clone(), |level| printer::note(in_batches(level)), || {})
        .map_err(|error| Failure::usage(format!("signals cannot be handled: {error}")))?;
    let removed = runtime.block_on(undoing.expire(undo.keep.0, &stop))?;
    if json {
        printer::json(&json!({ "job": spec.job.name, "expired": removed }));
    } else {
        printer::data(&format!(
            "{}: {} old values older than {} were removed; the table stays, also when it is empty",
            spec.job.name,
            count(removed),
            undo.keep
        ));
    }
    Ok(if stop.level() < Level::Drain { Exit::Done } else { Exit::Stopped })
}

/// Removes what is too old once a run has come to its end. What could not be removed is left to the
/// next run, and the job is done all the same.
pub(super) async fn expire_after(plan: &Plan, target: &dyn Target, ended: &Ended, stop: &Stop) {
    let Some(undo) = &plan.undo else { return };
    if ended.left.is_some() || ended.error.is_some() {
        return;
    }
    match ops::expire(target, &undo.images, undo.keep, stop).await {
        Ok(0) => {}
        Ok(rows) => {
            printer::note(&format!("{} old values had expired and were removed", count(rows)));
        }
        Err(error) => printer::note(&format!(
            "old values that have expired are still there ({error}); the next run removes them, or \
             `backstop undo {} --expire`",
            plan.spec.job.name
        )),
    }
}
