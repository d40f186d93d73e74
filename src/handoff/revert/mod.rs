//! Going back: the old table of a handoff that is done is put in its place again, with what was written since.
//!
//! gh-ost does it (`--revert`, from 1.1.8 on): it reads the binary log from its cut-over on, brings the old table up
//! to date, and cuts over once more. It writes to the **old table itself**, which after that is not as it was before
//! the change any more, also where the way back is given up in between; it can be begun again as long as the log is
//! there, since the same changes are made anew.
//!
//! **Invariants.** Nothing is begun where gh-ost would find out later that it cannot be: what it needs is looked for
//! beforehand. What is lost on the way is named, and consented to.

mod log;
mod reverse;

use super::preflight::{self, Path, Seen, Verdict as Found};
use super::verdict::{self, Verdict};
use super::{Decision, Error, Plan, Request, Reverts, cleanup, decide, estimate, probe};
use crate::catalog::{Engine, TableName};
use crate::control::Stop;
use crate::rewrite::losses::losses;
use crate::rewrite::tool::ghost::own_table;
use crate::rewrite::tool::{Tool, pairs};
use crate::sql::schema::Schema;
use crate::sql::{Source, parse};
use crate::target::{Online, Place, Session, Shape, Target};
use log::CutOver;
use reverse::Reverse;

/// A change that was made, and is to be taken back.
#[derive(Debug, Clone)]
pub struct Earlier {
    /// The name of its handoff.
    pub handoff: String,
    /// The table.
    pub place: Place,
    /// What was changed, on one line.
    pub clauses: String,
    /// The table's shape before it.
    pub before: Shape,
    /// The shape of the copy that took its place.
    pub copy: Option<Shape>,
    /// The name that a clean-up gave to the old table.
    pub aside: Option<String>,
}

/// Plans the way back. Nothing is written.
///
/// # Errors
///
/// The table is gone, or the target cannot be asked.
pub async fn make(
    request: &Request,
    earlier: &Earlier,
    target: &dyn Target,
    stop: &Stop,
) -> Result<Plan, Error> {
    let mut session = target.open("handoff").await?;
    let plan = make_in(request, earlier, target, session.as_mut(), stop).await;
    session.close().await;
    plan
}

async fn make_in(
    request: &Request,
    earlier: &Earlier,
    target: &dyn Target,
    session: &mut dyn Session,
    stop: &Stop,
) -> Result<Plan, Error> {
    let server = target.server(session).await?;
    let release = super::release_of(&server)?;
    if release.engine == Engine::Postgres {
        return Err(Error::Usage("gh-ost works on MySQL and MariaDB alone".to_owned()));
    }
    let name = TableName {
        schema: Some(earlier.place.schema.clone()),
        name: earlier.place.name.clone(),
        quoted: true,
    };
    let table = super::found(target, session, &name, &server).await?;
    let facts = target.online(session, &table).await?;
    let mut refused = Vec::new();
    let old = old_table(earlier, &facts, target, session, &mut refused).await?;
    let mut before = Schema::default();
    for definition in &facts.definitions {
        parse(Source::of(release), definition).statements.iter().for_each(|one| before.apply(one));
    }
    // Without an old table there is nothing to lead back to, and what else stands against it is told all the same.
    let definition = old.as_ref().map_or(earlier.before.definition.as_str(), |old| &old.definition);
    let clauses = format!("revert of {} ({})", earlier.handoff, earlier.clauses);
    let reverse = Reverse::of(before, &table.name, definition, clauses, release);
    let Reverse { placed, lost, unfilled, filled } = reverse;
    let seen = super::seen(request, &server, &table, &facts, placed, target, session).await?;
    refused.extend(tool_in_the_way(&seen));
    let limit = request.query_limit;
    let probes = seen.change.alter().map(|alter| losses(alter, &seen.change.before, release));
    let asked = probe::ask(probes.unwrap_or_default(), target, session, stop, limit).await?;
    let checks = preflight::revert(&seen);
    let failed = checks.iter().flat_map(|check| check.on(Some(Path::GhOst)));
    let failed = failed.filter(|found| found.verdict == Found::Fail);
    refused.extend(failed.map(|found| found.message.clone()));
    refused.extend(asked.iter().filter_map(|loss| decide::against(loss, Path::GhOst)));
    let old = own_table(&table.name, "del");
    refused.extend(unfilled.iter().map(|column| {
        format!(
            "`{column}` of `{old}` is NOT NULL and has no default, and rows that were written since have no \
             value for it: gh-ost would fail at the first of them; give it one: `ALTER TABLE {old} ALTER {column} \
             SET DEFAULT …`"
        )
    }));
    let may = refused.is_empty();
    let decision = if may { Decision::Tool(Tool::GhOst) } else { Decision::Refuse };
    let mut reasons = refused;
    if may {
        reasons.push(format!(
            "gh-ost reads the binary log from its cut-over on, brings `{old}` up to date, and puts it in the place \
             of `{}`, which is kept as `{}`",
            table.name,
            own_table(&table.name, "rev_del")
        ));
    }
    reasons.extend(lost.iter().map(|column| {
        format!(
            "lost: `{old}` has no column `{column}`, so its values are in the replaced table alone"
        )
    }));
    reasons.extend(filled.iter().map(|column| {
        format!("`{column}` is in `{old}` alone: rows that were written since get its default")
    }));
    let files = decide::files(&seen);
    let command = may.then(|| decide::command(&seen, Tool::GhOst, &files).reverting(&old));
    let flags = if may {
        pairs::of(Tool::GhOst, release, seen.version(Tool::GhOst)).collect()
    } else {
        Vec::new()
    };
    // Nothing is copied.
    let estimate = estimate::of(&facts, Decision::Instant, false, seen.replicas());
    Ok(Plan {
        reasons,
        command,
        flags,
        checks,
        losses: asked,
        installed: seen.installed.clone(),
        files,
        defaults_file: request.defaults_file.clone(),
        reverts: Some(Reverts { handoff: earlier.handoff.clone(), old, lost }),
        ..Plan::about(&seen, decision, estimate)
    })
}

/// The old table, where it is the one that was replaced, and what gh-ost needs of it is there.
async fn old_table(
    earlier: &Earlier,
    facts: &Online,
    target: &dyn Target,
    session: &mut dyn Session,
    refused: &mut Vec<String>,
) -> Result<Option<Shape>, Error> {
    let Earlier { handoff, place, before, .. } = earlier;
    let table = &place.name;
    let own = |end: &str| Place { schema: place.schema.clone(), name: own_table(table, end) };
    let now = target.shape(session, place).await?;
    match verdict::judge(before, earlier.copy.as_ref(), now.as_ref()) {
        Verdict::Done => {}
        Verdict::NotDone => refused.push(format!(
            "`{table}` is as it was before `{handoff}`: the old table stands in its place already, and there is \
             nothing to take back"
        )),
        Verdict::Unknown(why) => refused.push(format!(
            "`{table}` is not what `{handoff}` made of it ({why}): the way back would undo that as well, without a \
             word; make a migration of its own in place of it"
        )),
    }
    let left = own("rev_del");
    if target.shape(session, &left).await?.is_some() {
        refused.push(format!(
            "`{}` is there, of an earlier way back, and gh-ost gives that name to the table that it replaces; \
             rename it, or drop it when nobody needs it: `backstop handoff cleanup {handoff}-revert`",
            left.name
        ));
    }
    let del = own("del");
    let found = target.shape(session, &del).await?;
    let comment = facts.beside.iter().find(|beside| beside.name == del.name);
    let is_sentry = comment.is_some_and(|beside| beside.comment == cleanup::SENTRY);
    let Some(old) = found.filter(|_| !is_sentry) else {
        refused.push(match (&earlier.aside, is_sentry) {
            (_, true) => format!(
                "`{}` is the sentry of a cut-over that was cut short, by its comment, and not the old table: there \
                 is nothing to put back; make a migration of its own",
                del.name
            ),
            (Some(aside), _) => format!(
                "the old table was put aside as `{aside}` by a clean-up, and what the way back needs may be gone \
                 with it; if it is there still: `RENAME TABLE {aside} TO {}`",
                del.name
            ),
            (None, _) => format!(
                "there is no `{}`: the old table was dropped or renamed, and with it the way back; if it is there \
                 under another name, give it this one; else make a migration of its own",
                del.name
            ),
        });
        return Ok(None);
    };
    let is_it = if before.identity.is_empty() || old.identity.is_empty() {
        verdict::judge(before, None, Some(&old)) == Verdict::NotDone
    } else {
        before.identity == old.identity
    };
    if !is_it {
        refused.push(format!(
            "`{}` is another table than the one that `{handoff}` replaced: what was written to it is not known, and \
             the log since the cut-over would not make it whole; make a migration of its own",
            del.name
        ));
    }
    let checkpoints = own("ghk");
    let cut_over = log::cut_over(target.dialect(), session, &checkpoints).await?;
    refused.extend(without_log(handoff, &checkpoints.name, cut_over));
    Ok(Some(old))
}

/// Why the log does not lead back.
fn without_log(handoff: &str, checkpoints: &str, cut_over: CutOver) -> Option<String> {
    let instead = "the old table lacks what was written since, and nothing can bring it there; make a migration \
                   of its own";
    match cut_over {
        CutOver::Logged => None,
        CutOver::NoCheckpoints => Some(format!(
            "there is no `{checkpoints}`, where gh-ost wrote down its cut-over (a clean-up of `{handoff}` takes it \
             away): {instead}"
        )),
        CutOver::OfACopy => Some(format!(
            "the newest checkpoint in `{checkpoints}` is none of a cut-over, so it is not known from where on the \
             log has to be read: {instead}"
        )),
        CutOver::Purged(at, left) => Some(format!(
            "the binary log was at `{at}` at the cut-over, and that is not on the server any more ({left}): \
             {instead}; keep the log longer next time (`binlog_expire_logs_seconds`)"
        )),
        CutOver::Unknown(why) => Some(format!(
            "whether the binary log since the cut-over is there cannot be told: {why}; without it gh-ost would fail"
        )),
    }
}

/// What stands against gh-ost itself.
fn tool_in_the_way(seen: &Seen) -> Vec<String> {
    let mut refused = Vec::new();
    let (least, name) = (pairs::REVERTS, &seen.table.name);
    let needed = format!("{}.{}.{} or newer", least.0, least.1, least.2);
    match seen.found(Tool::GhOst).map(|found| &found.version) {
        Some(Ok(version)) if *version < least => refused.push(format!(
            "gh-ost {}.{}.{} cannot go back (`--revert`): take {needed}",
            version.0, version.1, version.2
        )),
        Some(Ok(_)) => {}
        Some(Err(why)) => {
            refused.push(format!("{why}; the way back needs gh-ost {needed} on the path here"));
        }
        None => refused.push(format!("the way back needs gh-ost {needed} on the path here")),
    }
    for end in ["gho", "ghc", "new"] {
        let own = own_table(name, end);
        if seen.facts.beside.iter().any(|beside| beside.name == own) {
            refused.push(format!(
                "`{own}` is of a run that is going on, or was ended: two at a time would write to one table; \
                 `backstop handoff status` names it, and when it has ended, `backstop handoff cleanup` takes it away"
            ));
        }
    }
    if let Some(trigger) = seen.facts.triggers.iter().find(|name| name.starts_with("pt_osc_")) {
        refused.push(format!(
            "the trigger `{trigger}` writes every change of `{name}` into a copy: pt-online-schema-change is at \
             work, or was killed; let it end, or clean up after it"
        ));
    }
    refused
}
