//! The server will not refuse it at night.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Step};
use crate::rewrite;

/// The rule.
pub static RULE: Rule = Rule {
    id: "will-fail",
    title: "the server takes the statement",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("will_fail.md"),
    check: Check::Statement(check),
};

fn check(step: &Step) -> Vec<Draft> {
    let Some(why) = &step.effects.fails else { return Vec::new() };
    let message = format!("{} will refuse this: {why}", step.policy.server);
    let mut draft = Draft::at(step.statement.span.clone(), message);
    draft.instead =
        rewrite::advice::instead(step.statement, step.text, step.schema, step.policy.server);
    vec![draft]
}
