//! `backstop verify`.

use std::path::Path;

use super::args::VerifyArgs;
use super::exit::{Exit, Failure};
use super::run::{Shown, execute};
use crate::ops;
use crate::run::{Course, Options};

pub(super) fn verify(args: &VerifyArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let path = ops::spec_of(&args.job, state)?;
    let spec = ops::load_spec(&path)?;
    let team = ops::load_config()?;
    let switches = ops::arm(team, &spec, &path, args.shown.listen.is_some())?;
    let journal = ops::open_or_create_journal(state)?;
    if args.watch.is_some() && spec.verify.expect.is_none() {
        return Err(Failure::usage(
            "`--watch` compares the old value with the new one in each row, and the spec does not say \
             how: add `expect` to [verify], such as `expect = \"total_cents = round(total * 100)\"`",
        ));
    }
    let options = Options {
        course: args.watch.map_or(Course::Verify, Course::Watch),
        again: false,
        accept_changed_spec: args.accept_changed_spec,
        take_over: false,
        retries: Vec::new(),
        spec_path: path.display().to_string(),
        runner: ops::runner_name(),
    };
    let shown = Shown::of(&args.shown, args.report.clone(), args.json);
    execute(&spec, &journal, &options, &shown, switches)
}
