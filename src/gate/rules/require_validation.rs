//! A migration was tried before it is merged.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Whole};

/// The rule.
pub static RULE: Rule = Rule {
    id: "require-validation",
    title: "this very content has passed a dry run on a shadow of production",
    severity: Severity::Warning,
    non_negotiable: true,
    page: include_str!("require_validation.md"),
    check: Check::File(check),
};

fn check(whole: &Whole) -> Vec<Draft> {
    if whole.seen.is_empty() || whole.evidence.validated.iter().any(|hash| hash == whole.hash) {
        return Vec::new();
    }
    let first = whole.seen[0].statement.span.clone();
    vec![
        Draft::at(first, "no report says that this content was tried on a shadow of production")
            .why(format!("its SHA-256 is {}", whole.hash)),
    ]
}
