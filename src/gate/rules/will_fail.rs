//! The server will not refuse it at night.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Step};
use crate::rewrite;
use crate::sql::statement::{Name, What};
use crate::sql::{Tokens, mentions};

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
    let Some(why) = step.effects.fails.clone().or_else(|| new_label(step)) else {
        return Vec::new();
    };
    let message = format!("{} will refuse this: {why}", step.policy.server);
    let mut draft = Draft::at(step.statement.span.clone(), message);
    draft.instead =
        rewrite::advice::instead(step.statement, step.text, step.schema, step.policy.server);
    vec![draft]
}

/// The label of an enum that this transaction has added and this statement uses: it can only be used
/// once it is committed, but for a type that is itself as new.
fn new_label(step: &Step) -> Option<String> {
    if matches!(step.statement.what, What::AlterType { .. } | What::Comment { .. }) {
        return None;
    }
    let text = step.text.get(step.statement.span.clone())?;
    let (ty, label) = step.state.labels.iter().find(|(ty, label)| {
        let of_type = |table: &Name| {
            let table = step.schema.table(table);
            table.is_some_and(|table| table.columns.iter().any(|column| column.ty.name == ty.name))
        };
        !step.schema.is_born(ty)
            && text.contains(&format!("'{}'", label.replace('\'', "''")))
            && (mentions(Tokens::Postgres, text, &ty.name)
                || step.effects.locks.iter().any(|lock| of_type(&lock.relation)))
    })?;
    Some(format!(
        "`{label}` was added to `{ty}` by this very transaction, and cannot be used before it has \
         committed"
    ))
}
