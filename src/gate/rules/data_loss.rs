//! Nothing is lost without the other half of its change.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::remake::Remake;
use crate::gate::review::{Draft, Step};
use crate::sql::statement::Name;

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
    if let Some(remake) = step.remake() {
        return made_anew(step, remake, &loss.relation);
    }
    let mut draft = Draft::at(
        step.statement.span.clone(),
        format!("`{}` loses {}, and only a restore brings it back", loss.relation, loss.what),
    );
    for broken in &step.effects.breaks {
        draft = draft.why(broken.what.clone());
    }
    vec![draft.instead(Some(INSTEAD.to_owned()))]
}

const INSTEAD: &str = "-- after the code that used it is gone, and what it held was moved and \
                       verified:\n-- backstop: phase contract of EXPAND.sql job=JOB";

/// What a table that is made anew does not get from the old one.
fn made_anew(step: &Step, remake: &Remake, table: &Name) -> Vec<Draft> {
    let at = |message| Draft::at(step.statement.span.clone(), message);
    if !step.state.in_transaction() {
        let message = format!(
            "`{table}` loses the rows that are written between the copy and this, and only a restore \
             brings them back"
        );
        let instead =
            "BEGIN IMMEDIATE;\n-- the new table, the copy, the drop and the rename\nCOMMIT;";
        return vec![at(message).instead(Some(instead.to_owned()))];
    }
    let gone = remake.gone(step.statements, step.text, step.schema);
    if gone.lost.is_empty() {
        return Vec::new();
    }
    let message = format!(
        "`{table}` loses the values of `{}`, which the table that takes its place does not get, and \
         only a restore brings them back",
        gone.lost.join("`, `")
    );
    vec![at(message).instead(Some(INSTEAD.to_owned()))]
}
