//! The code that runs now still works afterwards.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::remake::Remake;
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
    if step.is_contract() {
        return Vec::new();
    }
    if let Some(remake) = step.remake() {
        return made_anew(step, remake);
    }
    // What is lost is the greater evil, and says this as well.
    if !step.effects.loss.is_empty() {
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
    vec![draft.why(SIDE_BY_SIDE)]
}

const SIDE_BY_SIDE: &str =
    "between the migration and the end of the deployment, old and new code run side by side";

/// What a table that is made anew demands of whoever knows the old one.
fn made_anew(step: &Step, remake: &Remake) -> Vec<Draft> {
    let table = step.effects.loss.first().map(|loss| &loss.relation);
    let Some(table) = table.filter(|table| !step.schema.is_born(table)) else { return Vec::new() };
    let gone = remake.gone(step.statements, step.text, step.schema);
    // What is lost is the greater evil, and says this as well.
    if !gone.lost.is_empty() {
        return Vec::new();
    }
    let renamed =
        gone.renamed.iter().map(|column| format!("code that names the column `{column}` fails"));
    let demanded = remake.demanded(step.statements, step.schema);
    let demanded = demanded
        .iter()
        // The values of a column that is renamed come from somewhere.
        .filter(|_| gone.renamed.is_empty())
        .map(|column| format!("an `INSERT` that leaves out `{column}` fails: it is NOT NULL"));
    let mut broken = renamed.chain(demanded);
    let Some(first) = broken.next() else { return Vec::new() };
    let draft = Draft::at(
        step.statement.span.clone(),
        format!("the table that takes the place of `{table}` breaks what runs now: {first}"),
    );
    let draft = broken.fold(draft, Draft::why);
    vec![draft.why(SIDE_BY_SIDE)]
}
