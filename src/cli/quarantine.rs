//! `backstop quarantine`.

use std::path::Path;

use serde_json::json;

use super::args::{
    ExportArgs, ExportFormat, ListArgs, QuarantineCommand, ReleaseRowsArgs, RetryArgs,
};
use super::command::job_name;
use super::exit::{Exit, Failure};
use super::printer;
use super::run::{Shown, execute};
use crate::ops;
use crate::report::{count, quarantine_csv, quarantine_json, quarantine_text};
use crate::run::{Course, Options};

pub(super) fn quarantine(
    command: QuarantineCommand,
    state: Option<&Path>,
) -> Result<Exit, Failure> {
    match command {
        QuarantineCommand::List(args) => list(&args, state),
        QuarantineCommand::Retry(args) => retry(&args, state),
        QuarantineCommand::Release(args) => release(&args, state),
        QuarantineCommand::Export(args) => export(&args, state),
    }
}

fn list(args: &ListArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let quarantine = ops::read_quarantine(&ops::open_journal(state)?, &job_name(&args.job)?)?;
    let (job, rows) = (&quarantine.job, &quarantine.rows);
    if args.json {
        printer::json(&quarantine_json(&job.key_columns, rows));
    } else {
        printer::data(&quarantine_text(&job.name, &job.key_columns, rows));
    }
    Ok(Exit::Done)
}

fn export(args: &ExportArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let quarantine = ops::read_quarantine(&ops::open_journal(state)?, &job_name(&args.job)?)?;
    let (columns, rows) = (&quarantine.job.key_columns, &quarantine.rows);
    match args.format {
        ExportFormat::Json => printer::json(&quarantine_json(columns, rows)),
        ExportFormat::Csv => printer::data(&quarantine_csv(columns, rows)),
    }
    Ok(Exit::Done)
}

fn release(args: &ReleaseRowsArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    if args.reason.trim().is_empty() {
        return Err(Failure::usage(
            "`--reason` is empty; say why the rows may stay as they are, for those who come after you",
        ));
    }
    let (journal, job) = (ops::open_journal(state)?, job_name(&args.job)?);
    let given_up = ops::release_rows(&journal, &job, &args.key, &ops::person(), &args.reason)?;
    if args.json {
        printer::json(&json!({
            "job": job,
            "released": given_up.rows,
            "waiting": given_up.waiting,
            "completed": given_up.completed,
        }));
        return Ok(Exit::Done);
    }
    let rows = if given_up.rows == 1 { "1 row is" } else { &format!("{} rows are", given_up.rows) };
    let next = if given_up.completed {
        let spec = journal.job(&job).map_err(ops::Error::from)?.map(|row| row.spec_path);
        format!(
            "the job is completed without them; to verify: backstop run {}",
            spec.unwrap_or_default()
        )
    } else {
        format!("{} still wait", count(given_up.waiting))
    };
    printer::note(&format!("{job}: {rows} given up; {next}"));
    Ok(Exit::Done)
}

/// Takes the job as `backstop run` does, with the rows that wait as more work.
fn retry(args: &RetryArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    let quarantine = ops::read_quarantine(&journal, &job_name(&args.job)?)?;
    let job = &quarantine.job;
    let is_file = Path::new(&args.job).extension().is_some_and(|extension| extension == "toml");
    let path = if is_file { args.job.clone() } else { job.spec_path.clone() };
    let spec = ops::load_spec(Path::new(&path)).map_err(|error| {
        let hint = if is_file { "" } else { "; name the spec's file in the place of the job" };
        Failure::usage(format!("{error}{hint}"))
    })?;
    if spec.job.name != job.name {
        return Err(Failure::usage(format!(
            "`{path}` is by now the spec of `{}`, and not of `{}`; name the right file in the place of \
             the job",
            spec.job.name, job.name
        )));
    }
    let retries = quarantine.choose(&args.key)?;
    let team = ops::load_config()?;
    let switches = ops::arm(team, &spec, Path::new(&path), args.shown.listen.is_some())?;
    let options = Options {
        course: Course::Work,
        again: false,
        accept_changed_spec: args.accept_changed_spec,
        take_over: args.take_over,
        retries,
        spec_path: path,
        runner: ops::runner_name(),
    };
    execute(&spec, &journal, &options, &Shown::of(&args.shown, None, false), switches)
}
