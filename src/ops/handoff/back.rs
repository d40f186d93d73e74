//! Going back: a handoff of its own, that puts the old table of one that is done in its place again.

use std::path::PathBuf;

use super::leftovers;
use super::run::{Attempt, place_of, plan_of, shape_of};
use super::verbs::known;
use crate::event::HandoffState;
use crate::handoff::revert::{self, Earlier};
use crate::handoff::{Decision, Plan, Request, Reverts};
use crate::journal::{HandoffRow, Journal};
use crate::ops::Error;
use crate::rewrite::tool::Tool;

/// The name of the handoff that takes this one back.
pub(super) fn name_of(earlier: &HandoffRow) -> String {
    format!("{}-revert", earlier.name)
}

/// The handoff that is meant, if it is one that can be taken back by what the journal knows of it.
///
/// # Errors
///
/// The journal knows none, it is not done, or it was not made by gh-ost.
pub fn revertible(journal: &Journal, text: &str) -> Result<HandoffRow, Error> {
    let row = known(journal, text)?;
    let plan = plan_of(&row)?;
    let name = &row.name;
    let refused = |why: String| Err(Error::Handover(why));
    if let Some(reverts) = &plan.reverts {
        return refused(format!(
            "`{name}` is itself a way back, and gh-ost writes down no cut-over of one: to change the table again, \
             run `{}` once more: `backstop handoff run {} --target {}`",
            reverts.handoff, row.migration, row.url_env
        ));
    }
    match plan.decision {
        Decision::Tool(Tool::GhOst) => {}
        Decision::Tool(Tool::Percona) => {
            return refused(format!(
                "`{name}` was made by pt-online-schema-change, which has no way back: its triggers went with the \
                 swap, so the old table lacks what was written since; make a migration of its own that undoes it"
            ));
        }
        _ => {
            return refused(format!(
                "`{name}` was made by the server itself, which keeps no old table to put back; make a migration of \
                 its own that undoes it"
            ));
        }
    }
    if row.state != HandoffState::Done {
        let instead = if row.is_open() {
            format!("to give it up: `backstop handoff stop {name}`")
        } else {
            format!("what it left behind: `backstop handoff cleanup {name}`")
        };
        return refused(format!(
            "`{name}` is {} and not done, so no old table was replaced that could be put back; {instead}",
            row.state.name()
        ));
    }
    Ok(row)
}

/// The tool's file with user and password, as it was given then.
#[must_use]
pub fn defaults_file_of(row: &HandoffRow) -> Option<PathBuf> {
    plan_of(row)
        .ok()
        .map(|plan| plan.defaults_file.into())
        .filter(|file: &PathBuf| file.is_absolute())
}

/// What names the way back. Another run of the same migration is another change to take back.
pub(super) fn text(earlier: &HandoffRow) -> String {
    format!("revert {} {} {}", earlier.name, earlier.change_hash, earlier.started_at)
}

/// What a person consents to.
pub(super) fn what(reverts: &Reverts, table: &str, tool: &str, clauses: &str) -> String {
    let lost = match reverts.lost.as_slice() {
        [] => String::new(),
        lost => format!("; the values of `{}` are lost", lost.join("`, `")),
    };
    format!(
        "put the old table of `{}` in the place of {table} again by {tool}, with what was written since: {clauses}{lost}",
        reverts.handoff
    )
}

/// Plans it.
pub(super) async fn plan(
    attempt: &Attempt<'_>,
    earlier: &HandoffRow,
    known: Option<&HandoffRow>,
    request: &Request,
) -> Result<Plan, Error> {
    if let Some(other) = known {
        let reverts = plan_of(other).ok().and_then(|plan| plan.reverts);
        if reverts.is_none_or(|reverts| reverts.handoff != earlier.name) {
            return Err(Error::Handover(format!(
                "`{}` is the name of another handoff (`{}`), which the way back would take the place of in the \
                 journal; give that migration's file another name",
                other.name, other.change
            )));
        }
    }
    let earlier = Earlier {
        handoff: earlier.name.clone(),
        place: place_of(earlier),
        clauses: earlier.change.clone(),
        before: shape_of(&earlier.before)?,
        copy: earlier.copy.as_ref().map(shape_of).transpose()?,
        aside: leftovers::put_aside(attempt.journal, earlier)?.map(|place| place.name),
    };
    Ok(revert::make(request, &earlier, attempt.target.as_ref(), attempt.stop).await?)
}
