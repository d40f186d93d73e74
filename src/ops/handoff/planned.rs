//! What is to be done by a run: a new plan, or that of an earlier run that is gone on with.

use super::back;
use super::run::{Attempt, How, hash_of, place_of, plan_of};
use crate::event::HandoffState;
use crate::handoff::{self, Decision, Plan, work};
use crate::journal::HandoffRow;
use crate::ops::Error;
use crate::ops::prepare::read_text;
use crate::rewrite::tool::Tool;

/// A plan, and what it belongs to.
pub(super) struct Planned {
    pub(super) plan: Plan,
    /// Names the change.
    pub(super) hash: String,
    /// An earlier run is taken up where it ended.
    pub(super) goes_on: bool,
}

/// What was asked for, as it was read.
pub(super) struct Read {
    pub(super) file: String,
    pub(super) text: String,
    /// Names the change.
    pub(super) hash: String,
}

impl Attempt<'_> {
    /// What names the change, and what it is.
    pub(super) fn read(&self) -> Result<Read, Error> {
        let (file, text) = match &self.asked.reverts {
            Some(earlier) => (earlier.migration.clone(), back::text(earlier)),
            None => read_text(&self.asked.plan.file)?,
        };
        let hash = hash_of(self.target.as_ref(), &text);
        Ok(Read { file, text, hash })
    }

    /// Plans, where nothing is there that can be gone on with.
    pub(super) async fn planned(&self, known: Option<&HandoffRow>) -> Result<Planned, Error> {
        let Read { file, text, hash } = self.read()?;
        let mut request = super::request(&self.asked.plan, self.team, (file, text));
        if let Some(earlier) = &self.asked.reverts {
            let plan = Box::pin(back::plan(self, earlier, known, &request)).await?;
            return Ok(Planned { plan, hash, goes_on: false });
        }
        let leftover = match known {
            Some(row) => self.resumes(row).await?,
            None => None,
        };
        request.resumes = leftover.as_ref().and_then(|plan| match plan.decision {
            Decision::Tool(tool) => Some(tool),
            _ => None,
        });
        if let Some(tool) = request.resumes {
            request.tool = Some(tool);
        }
        let plan = match known.and_then(|row| half_done(row, &hash)) {
            Some(plan) => plan,
            None => Box::pin(handoff::make(&request, self.target.as_ref(), self.stop)).await?,
        };
        if let (Some(row), Some(_)) = (known, &leftover)
            && row.change_hash != hash
        {
            return Err(Error::Handover(format!(
                "`{}` ended before its end, and what is left of it belongs to another change (`{}`): the \
                 tool would go on with that one, and say that this one is done; clean up first: `backstop \
                 handoff cleanup {0}`",
                row.name, row.change
            )));
        }
        Ok(Planned { plan, hash, goes_on: leftover.is_some() })
    }

    /// The plan of an earlier run that can be taken up where it ended: its copy is there still.
    async fn resumes(&self, row: &HandoffRow) -> Result<Option<Plan>, Error> {
        let Some(plan) = Self::resumable(row) else { return Ok(None) };
        let Some(work) = super::verbs::work_of(row, &plan) else { return Ok(None) };
        let mut session = self.target.open("handoff").await.map_err(Error::Connect)?;
        let traces = self.target.traces(session.as_mut(), &place_of(row), &work.mark()).await;
        session.close().await;
        let traces = traces.map_err(Error::Connect)?;
        let copy = |name: &str| name.ends_with("_gho") || name.ends_with("_new");
        let there = traces.tables.iter().any(|table| copy(&table.name));
        Ok(there.then_some(plan))
    }

    fn resumable(row: &HandoffRow) -> Option<Plan> {
        let unfinished = matches!(
            row.state,
            HandoffState::Stopped | HandoffState::Killed | HandoffState::Failed
        );
        let plan = plan_of(row).ok().filter(|_| unfinished)?;
        let Decision::Tool(tool) = plan.decision else { return None };
        let resumes =
            (work::process_tool(tool).resumable)(&plan).is_ok() && followed(tool, row.state);
        resumes.then_some(plan)
    }
}

/// What a person consents to.
pub(super) fn what(plan: &Plan, how: How) -> String {
    let table = format!("`{}`.`{}`", plan.database, plan.table);
    let tool = plan.decision.name();
    if let Some(reverts) = &plan.reverts {
        return back::what(reverts, &table, tool, &plan.clauses);
    }
    let verb = if how == How::Resumed { "go on changing" } else { "change" };
    format!("{verb} {table} by {tool}: {}", plan.clauses)
}

/// The plan of a change that the server makes, if it was begun and has not come to its end: planned anew, its first
/// steps would be refused, because they are done.
fn half_done(row: &HandoffRow, hash: &str) -> Option<Plan> {
    let unfinished = row.state != HandoffState::Done && row.change_hash == hash;
    plan_of(row).ok().filter(|plan| unfinished && plan.command.is_none() && !plan.steps.is_empty())
}

/// Whether the table was followed from the end of the earlier run on: gh-ost reads the binary log from its
/// checkpoint; pt-online-schema-change's triggers are dropped by a stop and a kill, and what was written
/// without them is lost to its copy.
fn followed(tool: Tool, ended: HandoffState) -> bool {
    tool == Tool::GhOst || ended == HandoffState::Failed
}
