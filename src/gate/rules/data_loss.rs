//! Nothing is lost without the other half of its change.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Step};

/// The rule.
pub static RULE: Rule = Rule {
    id: "data-loss",
    title: "data goes only in the contract half of a change, whose expand half has moved it",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("data_loss.md"),
    check: Check::Statement(check),
};

fn check(step: &Step) -> Vec<Draft> {
    if step.is_contract() {
        return Vec::new();
    }
    let lost = step.effects.loss.iter().find(|loss| !step.schema.is_born(&loss.relation));
    let Some(loss) = lost else { return Vec::new() };
    let mut draft = Draft::at(
        step.statement.span.clone(),
        format!("`{}` loses {}, and only a restore brings it back", loss.relation, loss.what),
    );
    for broken in &step.effects.breaks {
        draft = draft.why(broken.what.clone());
    }
    draft = draft.instead(Some(
        "-- after the code that used it is gone, and what it held was moved and verified:\n-- \
         backstop: phase contract of EXPAND.sql job=JOB"
            .to_owned(),
    ));
    vec![draft]
}
