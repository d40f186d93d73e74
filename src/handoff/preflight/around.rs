//! Who else is at the table, or has been.

use crate::rewrite::steps::index_name;
use crate::sql::statement::What;

use crate::rewrite::tool::Tool;

use super::{ANY, COPYING, GHOST, Look, PERCONA, RAW, Seen, listed};

/// What gh-ost's cut-over writes as the comment of its sentry, an empty table.
const SENTRY: &str = "ghost-cut-over-sentry";

/// A transaction that is open so long when a plan is made is one that a cut-over would wait for.
const LONG: u64 = 2;

/// Tables and triggers of an earlier run.
pub(super) fn leftovers(seen: &Seen) -> Look {
    let name = &seen.table.name;
    let of_percona: Vec<&str> =
        seen.facts.triggers.iter().map(String::as_str).filter(|one| is_of_percona(one)).collect();
    let beside = seen.facts.beside.iter().map(|beside| beside.name.as_str());
    let mut look = Look::at(listed(beside.chain(of_percona.iter().copied()), "none"));
    let goes_on = seen.request.resumes;
    if !of_percona.is_empty() && goes_on != Some(Tool::Percona) {
        look = look.fail(
            ANY,
            format!(
                "the triggers {} write every change of `{name}` into a copy: pt-online-schema-change \
                 is at work, or was killed; if it was, drop the triggers first and then `_{name}_new`: \
                 the other way round, every write of the application fails",
                listed(of_percona, "")
            ),
        );
    }
    for beside in &seen.facts.beside {
        let is = |suffix: &str| beside.name == format!("_{name}{suffix}");
        let found = &beside.name;
        let own = match goes_on {
            Some(Tool::GhOst) => is("_gho") || is("_ghc") || is("_ghk"),
            Some(Tool::Percona) => is("_new"),
            None => false,
        };
        if own {
            continue;
        }
        if is("_ghk") {
            look = look.fail(
                ANY,
                format!(
                    "`{found}` holds the checkpoints of a run of gh-ost; when that has ended, drop it: one that \
                     was stopped cannot be gone on with then, and one that is done cannot be taken back \
                     (`handoff revert`)"
                ),
            );
        } else if is("_gho") || is("_ghc") {
            look = look.fail(
                ANY,
                format!(
                    "`{found}` is of a run of gh-ost that is going on, or was ended; if it was, drop it \
                     (it is a copy), and gh-ost begins anew"
                ),
            );
        } else if is("_del") && beside.comment == SENTRY {
            look = look.fail(
                GHOST,
                format!(
                    "`{found}` is the sentry of a cut-over that was cut short, by its comment; nothing \
                     is in it: drop it"
                ),
            );
        } else if is("_del") || is("_old") {
            let against = if is("_del") { GHOST } else { PERCONA };
            look = look.fail(
                against,
                format!(
                    "`{found}` is no sentry, so it is your old table, with all of its rows, from an \
                     earlier change; rename it, or drop it when nobody needs the way back"
                ),
            );
        } else {
            let message = format!(
                "`{found}` is in the way of the copy; if pt-online-schema-change left it, drop its \
                 triggers first, then this; if it is yours, rename it"
            );
            look = look.fail(COPYING, message);
        }
    }
    look
}

fn is_of_percona(trigger: &str) -> bool {
    trigger.starts_with("pt_osc_")
}

/// A job of ours that writes the table.
pub(super) fn backfill(seen: &Seen) -> Look {
    let jobs = seen.backfills.iter().map(|(job, _)| job.as_str());
    let mut look = Look::at(listed(jobs, "none"));
    for (job, holder) in &seen.backfills {
        let holder = holder.as_ref().map(|holder| format!(", held last by {holder}"));
        look = look.fail(
            ANY,
            format!(
                "the backfill `{job}` is not done with the table{}; what it writes would be copied, \
                 or change under the change: let it end, or stop it and plan again when it is done",
                holder.unwrap_or_default()
            ),
        );
    }
    look
}

/// Another run of a tool.
pub(super) fn another_run(seen: &Seen) -> Look {
    if let Some(why) = unread(seen, crate::target::online::Fact::Sessions) {
        let message = format!("whether a tool is at work on the table is not known: {why}");
        return Look::at("not known").unknown(RAW, message.clone()).fail(COPYING, message);
    }
    let mut look = Look::at(match seen.facts.tools_at_work.as_slice() {
        [] => "none".to_owned(),
        some => some.join("; "),
    });
    if let Some(first) = seen.facts.tools_at_work.first() {
        look = look.fail(
            ANY,
            format!(
                "{first} is at work on `{}`: let it end, or stop it and clean up",
                seen.table.name
            ),
        );
    }
    look
}

/// Why a fact was not read, if it was not.
pub(super) fn unread<'a>(seen: &'a Seen, fact: crate::target::online::Fact) -> Option<&'a str> {
    seen.facts.unread.iter().find(|(of, _)| *of == fact).map(|(_, why)| why.as_str())
}

/// Transactions that a cut-over, or the brief lock of a raw change, would wait for.
pub(super) fn transactions(seen: &Seen) -> Look {
    if let Some(why) = unread(seen, crate::target::online::Fact::Transactions) {
        return Look::at("not known")
            .unknown(ANY, format!("the open transactions cannot be read: {why}"));
    }
    let open = &seen.facts.transactions;
    let oldest = open.iter().max_by_key(|one| one.seconds);
    let Some(oldest) = oldest else { return Look::at("none") };
    let whose = if seen.facts.tells_tables { "hold the table" } else { "are open on the server" };
    let mut look = Look::at(format!("{} {whose}, the oldest for {} s", open.len(), oldest.seconds));
    if LONG <= oldest.seconds {
        let which = if seen.facts.tells_tables {
            "it holds the table"
        } else {
            "which tables it holds, this server does not tell"
        };
        look = look.note(
            ANY,
            format!(
                "session {} of `{}` has a transaction open for {} s, and {which}: the brief lock at \
                 the end waits for it, and every statement of the application behind that lock; wait \
                 until it has ended before you let the change take the lock",
                oldest.session, oldest.user, oldest.seconds
            ),
        );
    }
    look
}

/// PostgreSQL: what an index that failed has left.
pub(super) fn invalid_indexes(seen: &Seen) -> Look {
    let invalid = &seen.facts.invalid_indexes;
    let look = Look::at(listed(invalid.iter().map(String::as_str), "none"));
    // One of the name that is wanted is dropped by the plan itself.
    let own = match &seen.change.statement.what {
        What::CreateIndex(index) => Some(index_name(index)),
        _ => None,
    };
    match invalid.iter().find(|name| Some(*name) != own.as_ref()) {
        None if !invalid.is_empty() => look.note(
            ANY,
            "an earlier CREATE INDEX CONCURRENTLY of that name failed; what it left is dropped before \
             the index is built"
                .to_owned(),
        ),
        None => look,
        Some(first) if first.contains("_ccnew") || first.contains("_ccold") => look.fail(
            ANY,
            format!(
                "the index `{first}` is not valid: a REINDEX CONCURRENTLY was cut off; the index beside it \
                 without the ending is sound; run `DROP INDEX CONCURRENTLY {first}` first"
            ),
        ),
        Some(first) => look.fail(
            ANY,
            format!(
                "the index `{first}` is not valid: an earlier CREATE INDEX CONCURRENTLY failed, and \
                 `IF NOT EXISTS` would pass over it; run `DROP INDEX CONCURRENTLY {first}` first"
            ),
        ),
    }
}
