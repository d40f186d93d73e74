//! What a handoff left behind: shown, removed, and its old table put aside and dropped.

use jiff::Timestamp;

use super::run::{place_of, plan_of};
use super::verbs::{judge, work_of};
use crate::event::{Event, HandoffEvent, Record};
use crate::handoff::Decision;
use crate::handoff::cleanup::{self, Facts, Left, Thing};
use crate::handoff::work::Paths;
use crate::journal::{HandoffRow, Journal};
use crate::ops::{Action, Consent, Error, Permit, Team, connect_to, permit};
use crate::target::Place;

/// What is wanted of the leftovers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// To be shown.
    Show,
    /// What is not needed any more goes.
    Remove,
    /// The old table gets a name that says so.
    RenameOld,
    /// The old table goes.
    DropOld,
}

/// A leftover, in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The statement, the file or the table.
    pub what: String,
    /// Why it goes, or why it stays.
    pub why: String,
    /// Whether it goes.
    pub goes: bool,
}

/// What was found and done.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cleaned {
    /// What was left, in the order in which it goes.
    pub left: Vec<Shown>,
    /// What is gone, or was renamed.
    pub done: Vec<String>,
    /// What could not be done, and why.
    pub failed: Option<String>,
}

/// Looks for what a handoff left behind, and does with it what is wished for. `shown` is called with what was
/// found before anybody is asked for consent.
///
/// # Errors
///
/// It is at work, nobody consented, or the target cannot be used.
pub async fn clean(
    journal: &Journal,
    row: &HandoffRow,
    wish: Wish,
    team: &Team,
    consent: &Consent<'_>,
    shown: impl FnOnce(&[Shown]),
) -> Result<Cleaned, Error> {
    let plan = plan_of(row)?;
    let Decision::Tool(tool) = plan.decision else {
        return Err(Error::Handover(format!(
            "`{}` was made by the server itself: it leaves no tables, triggers or files; run it again, and \
             what is half done is found and mended",
            row.name
        )));
    };
    if row.is_open() && row.is_supervised() {
        return Err(Error::Handover(format!(
            "`{}` is {} at this moment; end it first: `backstop handoff stop {0}`",
            row.name,
            row.state.name()
        )));
    }
    let target = connect_to(&row.url_env).await?;
    let target = target.as_ref();
    let mark = work_of(row, &plan).map(|work| work.mark()).unwrap_or_default();
    let (place, paths) = (place_of(row), Paths::new(&plan.files));
    let verdict = judge(row, target).await?;
    let facts = Facts { tool, place: &place, paths: &paths, mark: &mark, verdict: &verdict };
    let mut session = target.open("handoff").await.map_err(Error::Connect)?;
    let session = session.as_mut();
    let refused = |error: cleanup::Error| Error::Handover(format!("nothing was removed: {error}"));
    let left = cleanup::look(target, session, &facts).await.map_err(refused)?;
    let mut cleaned = Cleaned {
        left: left
            .iter()
            .map(|left| Shown {
                what: left.thing.shown(target.dialect()),
                why: left.why.clone(),
                goes: left.thing.goes(),
            })
            .collect(),
        ..Cleaned::default()
    };
    shown(&cleaned.left);
    let old = old_table(&left);
    let table = row.table.as_str();
    let ask = |what: String| permit(&Action { what, table }, &team.config.handoff, consent);
    let permitted = match wish {
        Wish::Show => return Ok(cleaned),
        Wish::Remove => {
            let count = left.iter().filter(|left| left.thing.goes()).count();
            if count == 0 {
                return Ok(cleaned);
            }
            let permitted =
                ask(format!("remove {count} leftovers of `{}`{}", row.name, way_back(&left)))?;
            let removed = cleanup::remove(target, session, &facts, &left).await.map_err(refused)?;
            let text = |left: &Left| left.thing.shown(target.dialect());
            cleaned.done = removed.done.iter().map(text).collect();
            cleaned.failed = removed
                .failed
                .as_ref()
                .map(|(left, why)| format!("{}: {why}; nothing after it was tried", text(left)));
            permitted
        }
        Wish::RenameOld => {
            let old = old.ok_or_else(|| none_of(row))?;
            let permitted = ask(format!("rename the old table `{}`", old.name))?;
            let today = Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
            let renamed = cleanup::rename_old(target, session, &place, &old, today).await;
            let name = renamed.map_err(refused)?;
            cleaned.done.push(format!("`{}` is `{name}` now", old.name));
            permitted
        }
        Wish::DropOld => {
            let aside = put_aside(journal, row)?.ok_or_else(|| not_aside(row))?;
            let permitted = ask(format!(
                "drop `{}`, the old table, with all of its rows: the way back is gone with it",
                aside.name
            ))?;
            cleanup::drop_old(target, session, &aside).await.map_err(refused)?;
            cleaned.done.push(format!("`{}` is dropped", aside.name));
            permitted
        }
    };
    write_down(journal, row, wish, &permitted, &cleaned)?;
    Ok(cleaned)
}

/// What goes with the checkpoints, where they are what the old table can be put back by.
fn way_back(left: &[Left]) -> &'static str {
    let goes = |left: &Left| left.thing.goes() && left.why == cleanup::WAY_BACK;
    if left.iter().any(goes) { ", and with them the way back by `handoff revert`" } else { "" }
}

fn old_table(left: &[Left]) -> Option<Place> {
    left.iter().find_map(|left| match &left.thing {
        Thing::OldTable(place) => Some(place.clone()),
        Thing::Sql(_) | Thing::File(_) | Thing::Kept(_) => None,
    })
}

fn none_of(row: &HandoffRow) -> Error {
    Error::Handover(format!(
        "there is no old table of `{}`: it was not cut over, or the table was renamed or dropped already",
        row.name
    ))
}

/// The name that the old table got, by the log; none if it was not renamed.
pub(super) fn put_aside(journal: &Journal, row: &HandoffRow) -> Result<Option<Place>, Error> {
    const NEWEST: u32 = 1000;
    let events = journal.events(&row.name, NEWEST)?;
    let name = events.iter().rev().find_map(|event| {
        let verb = event.data.get("verb")?.as_str()?;
        let answer = event.data.get("answer")?.as_str()?;
        (verb == VERB_RENAME).then(|| answer.rsplit('`').nth(1).map(str::to_owned)).flatten()
    });
    Ok(name.map(|name| Place { schema: row.schema.clone(), name }))
}

fn not_aside(row: &HandoffRow) -> Error {
    Error::Handover(format!(
        "the old table of `{}` was not renamed yet: `backstop handoff cleanup {0} --rename-old` does it, and \
         whoever uses it still is seen to fail while the way back is open",
        row.name
    ))
}

const VERB_RENAME: &str = "rename-old";

fn write_down(
    journal: &Journal,
    row: &HandoffRow,
    wish: Wish,
    permitted: &Permit,
    cleaned: &Cleaned,
) -> Result<(), Error> {
    let verb = match wish {
        Wish::Show | Wish::Remove => "cleanup",
        Wish::RenameOld => VERB_RENAME,
        Wish::DropOld => "drop-old",
    };
    let done = cleaned.done.join("; ");
    let answer = match &cleaned.failed {
        None => done,
        Some(why) => format!("{done}; failed: {why}"),
    };
    let event = Event::Handoff(HandoffEvent::Answered {
        verb: verb.to_owned(),
        by: permitted.to_string(),
        carried: cleaned.failed.is_none(),
        answer,
    });
    Ok(journal.log(&Record { at: Timestamp::now(), job: row.name.clone(), event })?)
}
