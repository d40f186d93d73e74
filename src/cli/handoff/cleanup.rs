//! `backstop handoff cleanup`.

use std::path::Path;

use serde_json::json;

use super::super::args::HandoffCleanupArgs;
use super::super::exit::{Exit, Failure};
use super::super::{printer, runtime};
use super::verbs::with_consent;
use crate::ops::handoff::{self, Cleaned, Shown, Wish};
use crate::ops::{self};

pub(super) fn cleanup(args: &HandoffCleanupArgs, state: Option<&Path>) -> Result<Exit, Failure> {
    let journal = ops::open_journal(state)?;
    let row = handoff::known(&journal, &args.handoff)?;
    let team = ops::load_config()?;
    let wish = match (args.dry_run, args.rename_old, args.drop_old) {
        (true, ..) => Wish::Show,
        (_, true, _) => Wish::RenameOld,
        (.., true) => Wish::DropOld,
        _ => Wish::Remove,
    };
    let show = |left: &[Shown]| {
        if !args.json {
            printer::data(shown_text(&row.name, left).trim_end());
        }
    };
    let cleaned = with_consent(&args.consent, |consent| {
        runtime()?.block_on(async {
            let cleaned = handoff::clean(&journal, &row, wish, &team, consent, show).await;
            cleaned.map_err(Failure::from)
        })
    })?;
    if args.json {
        printer::json(&cleaned_json(&cleaned));
    } else {
        for done in &cleaned.done {
            printer::note(&format!("done: {done}"));
        }
        if let Some(failed) = &cleaned.failed {
            printer::note(&format!("failed: {failed}"));
        }
    }
    Ok(if cleaned.failed.is_some() { Exit::No } else { Exit::Done })
}

fn shown_text(name: &str, left: &[Shown]) -> String {
    if left.is_empty() {
        return format!("nothing is left of {name}");
    }
    let mut text = String::new();
    for (goes, title) in [(true, "to be removed, in this order:"), (false, "kept:")] {
        let some: Vec<&Shown> = left.iter().filter(|one| one.goes == goes).collect();
        if some.is_empty() {
            continue;
        }
        text.push_str(&format!("{title}\n"));
        for one in some {
            text.push_str(&format!("  {}\n      {}\n", one.what, one.why));
        }
    }
    text
}

fn cleaned_json(cleaned: &Cleaned) -> serde_json::Value {
    let left: Vec<_> = cleaned
        .left
        .iter()
        .map(|one| json!({ "what": one.what, "why": one.why, "goes": one.goes }))
        .collect();
    json!({ "left": left, "done": cleaned.done, "failed": cleaned.failed })
}
