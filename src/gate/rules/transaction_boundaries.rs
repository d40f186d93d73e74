//! Several statements say where their transaction begins and ends.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::effects::Verdict;
use crate::gate::review::{Draft, Seen, Whole};
use crate::gate::state::Open;
use crate::sql::statement::What;

/// The rule.
pub static RULE: Rule = Rule {
    id: "transaction-boundaries",
    title: "several statements stand between BEGIN and COMMIT, or each in a file of its own",
    severity: Severity::Error,
    non_negotiable: true,
    page: include_str!("transaction_boundaries.md"),
    check: Check::File(check),
};

fn check(whole: &Whole) -> Vec<Draft> {
    let parts = whole.seen.chunk_by(|one, next| one.part == next.part);
    let mut drafts: Vec<Draft> = parts.flat_map(|part| between(whole, part)).collect();
    // A runner that opened one for the file commits whatever is open at its end.
    let ended = whole.policy.runner.opens_transaction(whole.policy.server.engine, whole.text);
    if let Open::ByScript(at) = whole.state.open
        && !ended
    {
        let begin = &whole.seen[at].statement;
        drafts.push(
            Draft::at(begin.span.clone(), "the transaction that begins here never ends")
                .why("the client leaves, the server rolls it back, and nothing has happened")
                .instead(Some("COMMIT;".to_owned())),
        );
    }
    drafts
}

/// Of what the runner commits by itself: the file, or each of its changesets.
fn between(whole: &Whole, part: &[Seen]) -> Vec<Draft> {
    let mut drafts = Vec::new();
    // If the runner's own books are torn off from the migration, that is no doing of its author.
    let own = |seen: &&Seen| !whole.keeps_books(seen.statement);
    let changing: Vec<&Seen> = part.iter().filter(own).filter(|seen| changes(seen)).collect();
    let committing: Vec<&&Seen> = changing.iter().filter(|seen| seen.effects.commits).collect();
    if let [_, second, ..] = committing.as_slice() {
        drafts.push(
            Draft::at(
                second.statement.span.clone(),
                "a second statement that commits by itself stands in one file",
            )
            .why(
                "here every DDL commits at once, and a BEGIN around it changes nothing: if this one \
                 fails, the ones before it have happened, and the file can neither go on nor be run \
                 again",
            )
            .instead(Some("-- one file for each of these statements".to_owned())),
        );
        return drafts;
    }
    let open = |seen: &&&Seen| seen.open == Open::No;
    let outside: Vec<&&Seen> = changing.iter().filter(open).collect();
    if 1 < changing.len()
        && let Some(first) = outside.first()
    {
        let alone = first.effects.fails.is_none()
            && part.iter().any(|seen| {
                matches!(&seen.statement.what, What::CreateIndex(index) if index.concurrently)
                    || matches!(&seen.statement.what, What::DropIndex { concurrently: true, .. })
            });
        let mut draft = Draft::at(
            first.statement.span.clone(),
            format!("{} statements, and nothing says where their transaction begins and ends", changing.len()),
        )
        .why("if one of them fails, the ones before it have happened, and running the file again fails at the first");
        draft.instead = Some(if alone {
            "-- what cannot run in a transaction stands alone in a file of its own".to_owned()
        } else {
            "BEGIN;\n-- the statements\nCOMMIT;".to_owned()
        });
        drafts.push(draft);
    }
    drafts
}

/// Whether it changes something that stays.
fn changes(seen: &Seen) -> bool {
    match &seen.statement.what {
        What::Transaction(_) | What::Set(_) | What::Query(_) | What::LockTables { .. } => false,
        What::Unknown { .. } => true,
        What::Other | What::Comment { .. } | What::Maintenance { .. } => {
            seen.effects.commits || matches!(seen.effects.verdict, Verdict::NotEvaluated(_))
        }
        _ => true,
    }
}
