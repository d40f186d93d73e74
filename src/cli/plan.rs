//! `backstop plan`.

use std::path::{Path, PathBuf};

use super::args::PlanArgs;
use super::exit::{Exit, Failure};
use super::{printer, run_job};
use crate::control::look;
use crate::ops::{self, Prepared};
use crate::plan::Proof;
use crate::report::{Surroundings, plan_json, plan_text, proof_json};

pub(super) fn plan(args: &PlanArgs) -> Result<Exit, Failure> {
    if !args.spec.is_dir() {
        let plan = make(&args.spec, args.prove)?;
        if args.json {
            printer::json(&plan.json);
        } else {
            printer::data(plan.text.trim_end());
        }
        return Ok(plan.exit);
    }
    let mut exit = Exit::Done;
    let mut plans = Vec::new();
    for spec in specs_in(&args.spec)? {
        let path = spec.display().to_string();
        let made = make(&spec, args.prove);
        if let Ok(Shown { exit: refuted @ Exit::Usage, .. }) = &made {
            exit = *refuted;
        }
        match made {
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
    exit: Exit,
}

fn make(path: &Path, prove: bool) -> Result<Shown, Failure> {
    let spec = ops::load_spec(path)?;
    let team = ops::load_config()?;
    let kill_files = team.kill_files(&spec, path).into_iter().map(|file| {
        let standing = look(&file);
        (file, standing)
    });
    let around = Surroundings { kill_files: kill_files.collect(), config: team.file.clone() };
    run_job(async {
        let Prepared { plan, target, control } = ops::prepare(&spec, path, &team).await?;
        control.close().await;
        let dialect = target.dialect();
        let mut shown = Shown {
            text: plan_text(&plan, dialect, &around),
            json: plan_json(&plan, dialect, &around),
            exit: Exit::Done,
        };
        if prove {
            let proof = ops::prove(&plan, &*target).await?;
            shown.text.push_str(&format!("{:<12}  {}\n", "proof", proof.text()));
            shown.json["proof"] = proof_json(&proof);
            if matches!(proof, Proof::Refuted { .. }) {
                shown.exit = Exit::Usage;
            }
        }
        Ok(shown)
    })
}
