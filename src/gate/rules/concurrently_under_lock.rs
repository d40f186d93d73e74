//! What waits for every transaction does not wait for its own runner.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Step};
use crate::sql::statement::{Reindexed, What};

/// The rule.
pub static RULE: Rule = Rule {
    id: "concurrently-under-lock",
    title: "nothing CONCURRENTLY is run by a runner that keeps a transaction open beside it",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("concurrently_under_lock.md"),
    check: Check::Statement(check),
};

fn check(step: &Step) -> Vec<Draft> {
    let concurrently = match &step.statement.what {
        What::CreateIndex(index) => index.concurrently,
        What::DropIndex { concurrently, .. } => *concurrently,
        What::Reindex { concurrently, of: Reindexed::Index | Reindexed::Table, .. } => {
            *concurrently
        }
        _ => false,
    };
    if !concurrently || !step.policy.runner.waits_for_itself || step.state.in_transaction() {
        return Vec::new();
    }
    vec![
        Draft::at(
            step.statement.span.clone(),
            format!(
                "waits for every open transaction, and `{}` keeps one open for its own lock: both \
                 wait for ever",
                step.policy.runner.name
            ),
        )
        .why("`flyway.postgresql.transactional.lock=false` makes that lock one of the session"),
    ]
}
