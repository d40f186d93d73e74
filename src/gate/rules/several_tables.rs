//! One transaction locks one table.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::effects::Relation;
use crate::gate::review::{Draft, Step};
use crate::gate::state::{Taken, seen_by_others};

/// The rule.
pub static RULE: Rule = Rule {
    id: "several-tables",
    title: "one transaction locks one table: a second one is waited for while the first blocks",
    severity: Severity::Warning,
    non_negotiable: false,
    page: include_str!("several_tables.md"),
    check: Check::Statement(check),
};

fn check(step: &Step) -> Vec<Draft> {
    if !step.state.in_transaction() {
        return Vec::new();
    }
    let held: Vec<_> = step
        .state
        .held
        .iter()
        .filter(|held| {
            held.lock.of == Relation::Table
                && held.lock.blocks().reads
                && !step.schema.is_born(&held.lock.relation)
        })
        .collect();
    let second = seen_by_others(step.effects, step.schema).find(|lock| {
        lock.of == Relation::Table
            && lock.blocks().reads
            && !held.iter().any(|held| held.lock.relation == lock.relation)
    });
    let (Some(second), Some(first)) = (second, held.first()) else { return Vec::new() };
    let since = Taken::of(first, step.statements, step.text).place;
    let message = format!(
        "waits for `{}` while `{}` is locked ({}) since {since}: nobody reads or writes `{}` as \
         long as it waits",
        second.relation, first.lock.relation, first.lock.mode, first.lock.relation,
    );
    vec![
        Draft::at(step.statement.span.clone(), message)
            .why(
                "whoever locks the two in the other order makes a deadlock, and the server ends one \
                 of the two",
            )
            .instead(Some("-- one migration, or one transaction, for each table".to_owned())),
    ]
}
