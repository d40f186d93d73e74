//! An index that failed is not taken for one that is there.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Step};
use crate::sql::statement::What;

/// The rule.
pub static RULE: Rule = Rule {
    id: "if-not-exists-index",
    title: "an index that was left invalid is not taken for one that is there",
    severity: Severity::Warning,
    non_negotiable: false,
    page: include_str!("if_not_exists_index.md"),
    check: Check::Statement(check),
};

fn check(step: &Step) -> Vec<Draft> {
    let What::CreateIndex(index) = &step.statement.what else { return Vec::new() };
    let Some(name) = index.name.as_ref().filter(|_| index.concurrently && index.if_not_exists)
    else {
        return Vec::new();
    };
    let dropped = step.statements[..step.at].iter().any(
        |before| matches!(&before.what, What::DropIndex { drop, .. } if drop.names.contains(name)),
    );
    if dropped {
        return Vec::new();
    }
    vec![
        Draft::at(
            step.statement.span.clone(),
            format!("an earlier try that failed leaves `{name}` invalid, and this one then says that it is there"),
        )
        .why("an invalid index costs every write and serves no query")
        .instead(Some(format!(
            "DROP INDEX CONCURRENTLY IF EXISTS {name};\n-- and, in a file of its own, the CREATE \
             INDEX CONCURRENTLY without IF NOT EXISTS"
        ))),
    ]
}
