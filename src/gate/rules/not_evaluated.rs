//! Nothing passes because it was not looked at.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::effects::Verdict;
use crate::gate::review::{Draft, Seen, Whole};

/// The rule.
pub static RULE: Rule = Rule {
    id: "not-evaluated",
    title: "nothing passes because it was not looked at",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("not_evaluated.md"),
    check: Check::File(check),
};

fn check(whole: &Whole) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = whole.seen.iter().filter_map(statement).collect();
    drafts.extend(not_printed(whole));
    drafts
}

fn statement(seen: &Seen) -> Option<Draft> {
    let Verdict::NotEvaluated(why) = &seen.effects.verdict else { return None };
    let draft = Draft::at(seen.statement.span.clone(), format!("could not be judged: {why}"));
    Some(draft.why(NOT_KNOWN))
}

const NOT_KNOWN: &str = "what it locks, how long, and what it loses is not known";

/// What the runner does and cannot print.
fn not_printed(whole: &Whole) -> Vec<Draft> {
    let marks = whole.policy.runner.cannot_print;
    let places = marks
        .iter()
        .flat_map(|mark| whole.text.match_indices(mark).map(|(at, mark)| at..at + mark.len()));
    let draft = |place| {
        let message = format!(
            "could not be judged: `{}` runs code here that it cannot print as SQL",
            whole.policy.runner.name
        );
        Draft::at(place, message).why(NOT_KNOWN)
    };
    places.map(draft).collect()
}
