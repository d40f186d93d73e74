//! No work on rows while a lock of an earlier statement is held.

use super::{Check, Rule, long_lock};
use crate::gate::Severity;
use crate::gate::review::{Draft, Step};
use crate::gate::state::Taken;
use crate::sql::statement::{Verb, What};

/// The rule.
pub static RULE: Rule = Rule {
    id: "work-under-lock",
    title: "no statement works through rows while an earlier one of the same transaction holds a \
            lock that blocks",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("work_under_lock.md"),
    check: Check::Statement(check),
};

fn check(step: &Step) -> Vec<Draft> {
    if long_lock::blocked_by_work(step).is_some() {
        return Vec::new();
    }
    let Some(what) = work(step) else { return Vec::new() };
    let blocking = step.state.held.iter().find(|held| {
        held.lock.blocks().writes
            && !step.schema.is_born(&held.lock.relation)
            && !step
                .schema
                .indexes
                .get(&held.lock.relation)
                .is_some_and(|index| step.schema.is_born(&index.table))
    });
    let Some(held) = blocking else { return Vec::new() };
    let before = Taken::of(held, step.statements, step.text);
    let waits = if held.lock.blocks().reads { "reads and writes" } else { "writes" };
    let message = format!(
        "{what} while `{}` is still locked ({}) by the {} in {}: its {waits} wait until \
         this transaction ends",
        held.lock.relation, held.lock.mode, before.kind, before.place,
    );
    vec![
        Draft::at(step.statement.span.clone(), message)
            .why("a lock is held until its transaction ends, not until its statement ends")
            .instead(Some(
                "COMMIT;\n-- the rest stands in a migration of its own, or behind this COMMIT"
                    .to_owned(),
            )),
    ]
}

fn work(step: &Step) -> Option<String> {
    let lists = [&step.effects.rewrite, &step.effects.scan, &step.effects.index_build];
    let matters = lists
        .iter()
        .flat_map(|list| list.iter())
        .find(|table| !step.schema.is_born(table) && step.policy.class(table).matters());
    if let Some(table) = matters {
        let class = step.policy.class(table).words();
        return Some(format!("`{table}`, {class}, is worked through"));
    }
    // Rows that are written in a schema migration are another rule's; what reads for long is not.
    match &step.statement.what {
        What::Dml(dml) if dml.verb == Verb::InsertSelect => {
            let from = dml
                .reads
                .iter()
                .find(|table| !step.schema.is_born(table) && step.policy.class(table).matters())?;
            Some(format!("rows of `{from}` are copied"))
        }
        _ => None,
    }
}
