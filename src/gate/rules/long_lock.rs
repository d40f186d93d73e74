//! No exclusive lock on a production-sized table for as long as work on its rows takes.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::effects::{Effects, Lock};
use crate::gate::review::{Draft, Step};
use crate::gate::state::seen_by_others;
use crate::rewrite;
use crate::sql::statement::Name;

/// The rule.
pub static RULE: Rule = Rule {
    id: "long-lock",
    title: "no lock that blocks reads or writes is held while a production-sized table is worked \
            through",
    severity: Severity::Error,
    non_negotiable: true,
    page: include_str!("long_lock.md"),
    check: Check::Statement(check),
};

fn check(step: &Step) -> Vec<Draft> {
    let Some((lock, table)) = blocked_by_work(step) else { return Vec::new() };
    if super::hand_over::takes(step, &table) {
        return Vec::new();
    }
    let class = step.policy.class(&table);
    let waits = if lock.blocks().reads { "nobody reads or writes" } else { "nobody writes" };
    let others = others(step, &lock);
    let message = format!(
        "`{table}` {} under {}: {waits} `{}`{others} until it is done",
        work(step.effects, &table),
        lock.mode,
        lock.relation,
    );
    let mut draft = Draft::at(step.statement.span.clone(), message);
    draft.why.push(format!("`{table}` is {}", class.words()));
    draft.why.extend(step.effects.why.iter().cloned());
    draft.instead =
        rewrite::advice::instead(step.statement, step.text, step.schema, step.policy.server);
    vec![draft]
}

/// The strongest lock that others wait for while a table that matters is worked through, if there
/// is one.
pub(super) fn blocked_by_work(step: &Step) -> Option<(Lock, Name)> {
    let worked = [&step.effects.rewrite, &step.effects.scan, &step.effects.index_build];
    let known = |table: &&Name| {
        !step.schema.is_born(table)
            && !step.schema.table(table).is_some_and(|table| table.temporary)
            && step.policy.class(table).matters()
    };
    let table = worked.iter().flat_map(|list| list.iter()).find(known)?.clone();
    let lock = seen_by_others(step.effects, step.schema)
        .filter(|lock| lock.blocks().writes && !lock.mode.is_brief())
        .max_by_key(|lock| (lock.mode, lock.relation == table))?
        .clone();
    Some((lock, table))
}

fn work(effects: &Effects, table: &Name) -> &'static str {
    if effects.rewrite.contains(table) {
        "is written anew, row by row,"
    } else if effects.index_build.contains(table) {
        "is read whole, to build an index,"
    } else {
        "is read whole, to check every row,"
    }
}

fn others(step: &Step, lock: &Lock) -> String {
    let others: Vec<String> = seen_by_others(step.effects, step.schema)
        .filter(|other| other.relation != lock.relation && other.blocks().writes)
        .filter(|other| other.of != crate::gate::effects::Relation::Index)
        .map(|other| format!("`{}` ({})", other.relation, other.mode))
        .collect();
    if others.is_empty() {
        String::new()
    } else {
        format!(", and {} waits too,", others.join(", "))
    }
}
