//! `backstop plan`.

use std::path::{Path, PathBuf};

use super::args::PlanArgs;
use super::exit::{Exit, Failure};
use super::{printer, runtime};
use crate::ops::{self, Prepared};
use crate::report::{plan_json, plan_text};

pub(super) fn plan(args: &PlanArgs) -> Result<Exit, Failure> {
    if !args.spec.is_dir() {
        return show(&args.spec, args.json).map(|()| Exit::Done);
    }
    let specs = specs_in(&args.spec)?;
    let mut exit = Exit::Done;
    for spec in specs {
        printer::note(&format!("{}:", spec.display()));
        if let Err(failure) = show(&spec, args.json) {
            printer::error(&failure.message);
            exit = failure.exit;
        }
    }
    Ok(exit)
}

fn specs_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable =
        |error| Failure::usage(format!("`{}` cannot be read: {error}", folder.display()));
    let mut specs: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(unreadable)?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    specs.sort();
    if specs.is_empty() {
        return Err(Failure::usage(format!("`{}` holds no `.toml` file", folder.display())));
    }
    Ok(specs)
}

fn show(path: &Path, json: bool) -> Result<(), Failure> {
    let spec = ops::load_spec(path)?;
    runtime()?.block_on(async {
        let Prepared { plan, target, control } = ops::prepare(&spec).await?;
        control.close().await;
        if json {
            printer::json(&plan_json(&plan, target.dialect()));
        } else {
            printer::data(plan_text(&plan, target.dialect()).trim_end());
        }
        Ok(())
    })
}
