//! A migration says that it goes forward only.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::directive::Said;
use crate::gate::review::{Draft, Whole};

/// The rule.
pub static RULE: Rule = Rule {
    id: "forward-only",
    title: "every migration says that it goes forward only",
    severity: Severity::Error,
    non_negotiable: true,
    page: include_str!("forward_only.md"),
    check: Check::File(check),
};

fn check(whole: &Whole) -> Vec<Draft> {
    let says = |directive: &crate::gate::directive::Directive| directive.what == Said::ForwardOnly;
    if whole.policy.is_forward_only(whole.path)
        || whole.directives.iter().any(says)
        || whole.seen.is_empty()
    {
        return Vec::new();
    }
    let first = whole.seen[0].statement.span.clone();
    vec![
        Draft::at(first, "nothing says that this migration goes forward only")
            .why(
                "at night the way back is a new migration that goes forward; whoever wrote this one \
                 should have thought of that now",
            )
            .instead(Some("-- backstop: forward-only".to_owned())),
    ]
}
