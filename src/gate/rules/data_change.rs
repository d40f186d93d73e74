//! No data is changed in a step that changes the structure, and none on a large table at all.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Seen, Whole};
use crate::gate::state::Open;
use crate::rewrite;
use crate::sql::statement::{Dml, What};

/// The rule.
pub static RULE: Rule = Rule {
    id: "data-change",
    title: "a migration that changes the structure changes no data, and the data of a large table \
            is changed by a job",
    severity: Severity::Error,
    non_negotiable: true,
    page: include_str!("data_change.md"),
    check: Check::File(check),
};

fn check(whole: &Whole) -> Vec<Draft> {
    let structural = whole
        .seen
        .iter()
        .any(|seen| changes_structure(&seen.statement.what) && !whole.keeps_books(seen.statement));
    let mut drafts = Vec::new();
    for (at, seen) in whole.seen.iter().enumerate() {
        // The copy of a table that is made anew changes its form, no data. In a transaction it is work
        // under the lock of the step before; alone it locks what it writes, as any other.
        let in_transaction = seen.open != Open::No;
        if in_transaction && whole.remakes.iter().any(|remake| remake.copy == at) {
            continue;
        }
        for dml in writes(&seen.statement.what) {
            drafts.extend(judge(whole, seen, dml, structural));
        }
    }
    drafts
}

fn judge(whole: &Whole, seen: &Seen, dml: &Dml, structural: bool) -> Option<Draft> {
    let table = dml.table.as_ref()?;
    if whole.policy.runner.keeps(&table.name) {
        return None;
    }
    let class = whole.policy.class(table);
    // A list of rows is as large as it is written, whatever the table.
    let counted = dml.bounded && dml.verb == crate::sql::statement::Verb::Insert;
    let large = class.matters() && !seen.own_table && !counted;
    if !large && !structural {
        return None;
    }
    let span = seen.statement.span.clone();
    let draft = if large {
        Draft::at(
            span,
            format!(
                "writes `{table}`, {}, in one statement: its rows stay locked, and its dead rows \
                 stay, until it ends",
                class.words()
            ),
        )
        .why("it cannot be stopped half-way, throttled, or taken up again")
        .instead(rewrite::job::spec(dml, whole.policy.server))
    } else {
        Draft::at(span, format!("writes `{table}` in a migration that changes the structure"))
            .why(
                "the locks of the change are held while rows are written, and what failed half-way \
                 is neither the old state nor the new",
            )
            .instead(Some("-- a migration of its own, or a job".to_owned()))
    };
    // What fills a table that this script made hurts nobody who is there already.
    Some(if seen.own_table { draft.weighing(Severity::Warning) } else { draft })
}

/// The writes of a statement: its own, or those of a block that runs now.
fn writes(what: &What) -> Vec<&Dml> {
    match what {
        What::Dml(dml) => vec![dml],
        What::Do(body) => {
            body.statements.iter().flat_map(|statement| writes(&statement.what)).collect()
        }
        _ => Vec::new(),
    }
}

fn changes_structure(what: &What) -> bool {
    match what {
        What::Do(body) => {
            body.statements.iter().any(|statement| changes_structure(&statement.what))
        }
        What::CreateTable(table) => !table.temporary,
        What::AlterTable(_)
        | What::DropTable(_)
        | What::RenameTables(_)
        | What::CreateIndex(_)
        | What::DropIndex { .. }
        | What::CreateView { .. }
        | What::DropView { .. }
        | What::AlterView(_)
        | What::CreateTrigger { .. }
        | What::DropTrigger { .. }
        | What::CreateRoutine { .. }
        | What::DropRoutine(_)
        | What::CreateType { .. }
        | What::AlterType { .. }
        | What::DropType(_)
        | What::CreateDomain { .. }
        | What::AlterDomain { .. }
        | What::CreateSchema { .. }
        | What::DropSchema(_)
        | What::RenameSchema { .. }
        | What::TableObject { .. } => true,
        _ => false,
    }
}
