//! `backstop plan`.

use std::path::{Path, PathBuf};

use super::args::PlanArgs;
use super::exit::{Exit, Failure};
use super::{printer, runtime};
use crate::ops::{self, Prepared};
use crate::report::{plan_json, plan_text};

pub(super) fn plan(args: &PlanArgs) -> Result<Exit, Failure> {
    if !args.spec.is_dir() {
        let plan = make(&args.spec)?;
        if args.json {
            printer::json(&plan.json);
        } else {
            printer::data(plan.text.trim_end());
        }
        return Ok(Exit::Done);
    }
    let mut exit = Exit::Done;
    let mut plans = Vec::new();
    for spec in specs_in(&args.spec)? {
        let path = spec.display().to_string();
        match make(&spec) {
            Ok(plan) if args.json => plans.push(plan.json),
            Ok(plan) => printer::data(&format!("{path}:\n{}\n", plan.text.trim_end())),
            Err(failure) => {
                exit = failure.exit;
                printer::error(&format!("{path}: {}", failure.message));
                plans.push(serde_json::json!({ "file": path, "error": failure.message }));
            }
        }
    }
    if args.json {
        printer::json(&serde_json::Value::from(plans));
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

/// A plan in both of its forms.
struct Shown {
    text: String,
    json: serde_json::Value,
}

fn make(path: &Path) -> Result<Shown, Failure> {
    let spec = ops::load_spec(path)?;
    runtime()?.block_on(async {
        let Prepared { plan, target, control } = ops::prepare(&spec).await?;
        control.close().await;
        let dialect = target.dialect();
        Ok(Shown { text: plan_text(&plan, dialect), json: plan_json(&plan, dialect) })
    })
}
