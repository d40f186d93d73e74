//! `backstop status`.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use super::args::StatusArgs;
use super::command::job_name;
use super::exit::{Exit, Failure};
use super::printer;
use crate::journal::{Freshness, JobStatus};
use crate::ops;
use crate::report::{status_json, status_text};

/// The time between two looks with `--watch`.
const WATCH_EVERY: Duration = Duration::from_secs(1);

pub(super) fn status(args: &StatusArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    let read = || -> Result<Vec<JobStatus>, Failure> {
        Ok(match &args.job {
            Some(job) => vec![ops::read_status(&journal, &job_name(job)?)?],
            None => ops::read_all(&journal)?,
        })
    };
    loop {
        let jobs = read()?;
        if args.json {
            let jobs: Vec<Value> = jobs.iter().map(status_json).collect();
            printer::json(&match (&args.job, jobs.as_slice()) {
                (Some(_), [one]) => one.clone(),
                _ => Value::from(jobs),
            });
        } else if jobs.is_empty() {
            printer::note("the journal knows no job yet");
        } else {
            let text: Vec<_> = jobs.iter().map(status_text).collect();
            printer::data(&text.join("\n\n"));
        }
        let alive = |status: &JobStatus| matches!(status.freshness(), Freshness::Alive(_));
        if !args.watch || !jobs.iter().any(alive) {
            return Ok(Exit::Done);
        }
        std::thread::sleep(WATCH_EVERY);
        printer::data("");
    }
}
