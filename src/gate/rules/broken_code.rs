//! The code that runs now still works afterwards.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Step};
use crate::rewrite;

/// The rule.
pub static RULE: Rule = Rule {
    id: "broken-code",
    title: "the code that runs now goes on working after the migration",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("broken_code.md"),
    check: Check::Statement(check),
};

fn check(step: &Step) -> Vec<Draft> {
    // What is lost is the greater evil, and says this as well.
    if step.is_contract() || !step.effects.loss.is_empty() {
        return Vec::new();
    }
    let others = |relation| !step.schema.is_born(relation);
    let broken: Vec<_> =
        step.effects.breaks.iter().filter(|broken| others(&broken.relation)).collect();
    let Some(first) = broken.first() else { return Vec::new() };
    let mut draft = Draft::at(
        step.statement.span.clone(),
        format!("breaks what runs now on `{}`: {}", first.relation, first.what),
    );
    for more in broken.iter().skip(1) {
        draft = draft.why(more.what.clone());
    }
    draft.instead =
        rewrite::advice::instead(step.statement, step.text, step.schema, step.policy.server);
    vec![draft.why(
        "between the migration and the end of the deployment, old and new code run side by side",
    )]
}
