//! Nothing goes that nobody named.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Step};
use crate::sql::statement::{Action, What};

/// The rule.
pub static RULE: Rule = Rule {
    id: "cascade",
    title: "everything that goes is named: CASCADE takes what nobody has looked at",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("cascade.md"),
    check: Check::Statement(check),
};

fn check(step: &Step) -> Vec<Draft> {
    let cascades = match &step.statement.what {
        What::DropTable(drop)
        | What::DropView { drop, .. }
        | What::DropType(drop)
        | What::DropSchema(drop)
        | What::DropRoutine(drop)
        | What::DropIndex { drop, .. } => drop.cascade,
        What::Truncate { cascade, .. } => *cascade,
        What::AlterTable(alter) => alter.actions.iter().any(|(action, _)| {
            matches!(
                action,
                Action::DropColumn { cascade: true, .. }
                    | Action::DropConstraint { cascade: true, .. }
            )
        }),
        _ => false,
    };
    if !cascades {
        return Vec::new();
    }
    vec![
        Draft::at(
            step.statement.span.clone(),
            "CASCADE drops whatever depends on it, and nothing here says what that is",
        )
        .why("a view, a foreign key or a default that was made since is gone with it")
        .instead(Some("-- drop each of them by its name, without CASCADE".to_owned())),
    ]
}
