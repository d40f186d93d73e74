//! Nothing passes because it was not looked at.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::effects::Verdict;
use crate::gate::review::{Draft, Step};

/// The rule.
pub static RULE: Rule = Rule {
    id: "not-evaluated",
    title: "nothing passes because it was not looked at",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("not_evaluated.md"),
    check: Check::Statement(check),
};

fn check(step: &Step) -> Vec<Draft> {
    let Verdict::NotEvaluated(why) = &step.effects.verdict else { return Vec::new() };
    vec![
        Draft::at(step.statement.span.clone(), format!("could not be judged: {why}"))
            .why("what it locks, how long, and what it loses is not known"),
    ]
}
