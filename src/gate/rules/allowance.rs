//! An allowance has a reason, has not run out, and is needed.

use super::{Check, Rule, by_id};
use crate::gate::Severity;
use crate::gate::directive::{Directive, Said};
use crate::gate::finding::{Allowance, Finding};
use crate::gate::review::{Draft, Whole, is_day};

/// The rule.
pub static RULE: Rule = Rule {
    id: "allowance",
    title: "an allowance has a reason, has not run out, and is needed; and no comment alone allows \
            one of the five",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("allowance.md"),
    check: Check::File(unreadable),
};

/// What looks like a directive and is none must not be overlooked.
fn unreadable(whole: &Whole) -> Vec<Draft> {
    let wrong = |directive: &Directive| match &directive.what {
        Said::Unreadable(why) => Some(Draft::at(
            directive.span.clone(),
            format!("this looks like a directive, and is none: {why}"),
        )),
        _ => None,
    };
    whole.directives.iter().filter_map(wrong).collect()
}

/// Lays the allowances of a file over its findings, and says what is wrong with them.
pub(in crate::gate) fn lay(findings: &mut [Finding], whole: &Whole) -> Vec<Draft> {
    let mut wrong = Vec::new();
    for directive in whole.directives {
        let Said::Allow { rule, reason, owner, until } = &directive.what else { continue };
        let mut refuse = |message: String| wrong.push(Draft::at(directive.span.clone(), message));
        let Some(rule) = by_id(rule) else {
            let known = super::ALL.iter().map(|rule| rule.id);
            let close = crate::catalog::closest(rule, known);
            let hint = close.first().map(|id| format!("; did you mean `{id}`?"));
            refuse(format!("there is no rule `{rule}`{}", hint.unwrap_or_default()));
            continue;
        };
        let Some(reason) = reason.clone() else {
            refuse(format!("it allows `{}` and gives no reason", rule.id));
            continue;
        };
        let allowance = Allowance {
            reason,
            owner: owner.clone(),
            until: until.clone(),
            span: directive.span.clone(),
        };
        if let Some(until) = until
            && !is_day(until)
        {
            refuse(format!("`{until}` is no day; write it as `2026-12-31`"));
            continue;
        }
        if !allowance.holds(&whole.policy.today) {
            let until = until.as_deref().unwrap_or_default();
            refuse(format!("it allowed `{}` until {until}, which is over", rule.id));
            continue;
        }
        let place = covered(directive, whole);
        let mut used = false;
        for finding in findings.iter_mut() {
            if finding.rule != rule.id || !place.contains(&finding.span.start) {
                continue;
            }
            used = true;
            let approved = whole
                .evidence
                .approved
                .iter()
                .any(|(hash, id)| hash == whole.hash && id == rule.id);
            if rule.non_negotiable && !approved {
                wrong.push(
                    Draft::at(
                        directive.span.clone(),
                        format!("`{}` is one of the rules that nobody allows themselves", rule.id),
                    )
                    .why("another person must approve this very content"),
                );
                break;
            }
            finding.allowed = Some(allowance.clone());
        }
        if !used {
            wrong.push(Draft::at(
                directive.span.clone(),
                format!("it allows `{}`, which is not found here", rule.id),
            ));
        }
    }
    wrong
}

/// An allowance covers the statement behind it; of one that stands before the first statement, also
/// what is said of the file.
fn covered(directive: &Directive, whole: &Whole) -> std::ops::Range<usize> {
    let next = whole.seen.iter().find(|seen| directive.span.end <= seen.statement.span.start);
    match next {
        Some(seen) => {
            directive.span.start..seen.statement.span.end.max(seen.statement.span.start + 1)
        }
        None => directive.span.clone(),
    }
}
