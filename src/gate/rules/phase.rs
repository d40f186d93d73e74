//! A clean-up names what it cleans up after, and that is done.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::directive::Said;
use crate::gate::review::{Draft, Whole};

/// The rule.
pub static RULE: Rule = Rule {
    id: "phase",
    title: "a contract names its expand and its job, and both are done",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("phase.md"),
    check: Check::File(check),
};

fn check(whole: &Whole) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut phases = 0;
    for directive in whole.directives {
        match &directive.what {
            Said::Contract { of, job } => {
                phases += 1;
                drafts.extend(contract(whole, directive.span.clone(), of, job.as_deref()));
            }
            Said::Expand => {
                phases += 1;
                let lost = whole.seen.iter().find(|seen| !seen.effects.loss.is_empty());
                if let Some(lost) = lost {
                    drafts.push(Draft::at(
                        lost.statement.span.clone(),
                        "an expand takes something away; that belongs to its contract",
                    ));
                }
            }
            _ => {}
        }
    }
    if phases == 0 && whole.policy.demand_phases {
        let trivial = |seen: &crate::gate::review::Seen| {
            seen.effects.loss.is_empty() && seen.effects.breaks.is_empty()
        };
        if let Some(seen) = whole.seen.iter().find(|seen| !trivial(seen)) {
            drafts.push(
                Draft::at(
                    seen.statement.span.clone(),
                    "this is half of a change, and the file does not say which",
                )
                .why("`demand_phases` is set: every change that is not trivial has two halves")
                .instead(Some("-- backstop: phase contract of EXPAND.sql job=JOB".to_owned())),
            );
        }
    }
    drafts
}

fn contract(
    whole: &Whole,
    span: std::ops::Range<usize>,
    of: &str,
    job: Option<&str>,
) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let same = |path: &str| path == of || path.ends_with(&format!("/{of}"));
    let judged = whole.before.iter().find(|(path, _)| same(path));
    let known = judged.is_some() || whole.evidence.files.iter().any(|path| same(path));
    if !known {
        drafts.push(
            Draft::at(span.clone(), format!("its expand `{of}` is not there"))
                .why("neither among the files that were checked before this one, nor beside it"),
        );
    } else if let Some((_, directives)) = judged
        && !directives.iter().any(|directive| directive.what == Said::Expand)
    {
        drafts.push(
            Draft::at(span.clone(), format!("`{of}` does not say that it is an expand"))
                .instead(Some("-- backstop: phase expand".to_owned())),
        );
    }
    let loses = whole.seen.iter().any(|seen| !seen.effects.loss.is_empty());
    match job {
        None if loses => drafts.push(
            Draft::at(span, "it takes data away, and names no job that moved it")
                .instead(Some(format!("-- backstop: phase contract of {of} job=NAME"))),
        ),
        None => {}
        Some(name) => match whole.evidence.jobs.iter().find(|job| job.name == name) {
            None => drafts
                .push(Draft::at(span, format!("nothing is known of the job `{name}`")).why(
                    "give its report with `--evidence`, or run the gate where its journal is",
                )),
            Some(job) if !job.verified => drafts.push(Draft::at(
                span,
                format!("the job `{name}` is not verified: some rows may not have been moved"),
            )),
            Some(job) if job.dual_write.is_none() && whole.policy.demand_phases => {
                drafts.push(Draft::at(
                    span,
                    format!(
                        "nothing says that the application writes both since the job `{name}` ran"
                    ),
                ));
            }
            Some(_) => {}
        },
    }
    drafts
}
