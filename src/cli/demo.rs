//! `backstop demo`: the first thing that a person runs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::args::{DemoArgs, PlanArgs, Progress};
use super::exit::{Exit, Failure};
use super::run::{Shown, execute};
use super::{plan, printer, runtime};
use crate::ops::{self, demo};
use crate::report::count;
use crate::run::Options;

pub(super) fn demo(args: &DemoArgs) -> Result<Exit, Failure> {
    printer::note(&format!(
        "a SQLite shop with {} orders in `{}` …",
        count(args.orders),
        args.dir.display()
    ));
    let made = runtime()?.block_on(demo::make(&args.dir, args.orders, args.fresh))?;
    if !made {
        printer::note("it is there already, and the job goes on (`--fresh` makes it anew)");
    }
    let binary = binary();
    // From here on everything is as the person will type it: in the folder of the shop.
    std::env::set_current_dir(&args.dir).map_err(|error| {
        Failure::usage(format!("`{}` cannot be entered: {error}", args.dir.display()))
    })?;

    let job = PathBuf::from(demo::JOB);
    printer::note(&format!("\n$ {binary} plan {}", demo::JOB));
    plan::plan(&PlanArgs { spec: job.clone(), grants: false, prove: false, json: false })?;

    printer::note(&format!("\n$ {binary} run {}", demo::JOB));
    let spec = ops::load_spec(&job)?;
    let switches = ops::arm(ops::load_config()?, &spec, &job, false)?;
    let journal = ops::open_or_create_journal(Some(Path::new(".backstop/journal.db")))?;
    let options = Options {
        spec_path: demo::JOB.to_owned(),
        runner: ops::runner_name(),
        ..Options::default()
    };
    let shown = Shown {
        progress: Progress::Auto,
        interval: Duration::from_secs(1),
        listen: None,
        linger: Duration::ZERO,
        report: None,
        json: false,
    };
    let exit = execute(&spec, &journal, &options, &shown, switches)?;
    if exit != Exit::Done {
        return Ok(exit);
    }
    printer::note(&format!(
        "\nwhat you can type next:\n  \
         cd {}\n  \
         {binary} status\n  \
         {binary} run {}          # finished: changes nothing, and says so\n  \
         {binary} run {} --again  # from the start; Ctrl-C stops it, run goes on\n\
         then copy `{}`, and point `[target] url_env` at your own database",
        args.dir.display(),
        demo::JOB,
        demo::JOB,
        demo::JOB,
    ));
    Ok(exit)
}

/// How the person calls this binary from another directory.
fn binary() -> String {
    let on_path = std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join("backstop").is_file())
    });
    if on_path {
        return "backstop".to_owned();
    }
    std::env::current_exe()
        .map_or_else(|_| "backstop".to_owned(), |path| path.display().to_string())
}
