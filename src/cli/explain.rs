//! `backstop explain`.

use serde_json::json;

use super::args::ExplainArgs;
use super::exit::{Exit, Failure};
use super::printer;
use crate::catalog::closest;
use crate::gate::rules::{self, Rule};

pub(super) fn explain(args: &ExplainArgs) -> Result<Exit, Failure> {
    let Some(id) = &args.rule else {
        if args.json {
            printer::json(&rules::ALL.iter().map(|rule| as_json(rule)).collect());
        } else {
            let width = rules::ALL.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
            for rule in rules::ALL {
                printer::data(&format!(
                    "{:width$}  {:7}  {}",
                    rule.id,
                    rule.severity.word(),
                    rule.title
                ));
            }
        }
        return Ok(Exit::Done);
    };
    let Some(rule) = rules::by_id(id) else {
        let close = closest(id, rules::ALL.iter().map(|rule| rule.id));
        let hint = match close.first() {
            Some(close) => format!("did you mean `{close}`?"),
            None => "`backstop explain` lists them".to_owned(),
        };
        return Err(Failure::usage(format!("there is no rule `{id}`; {hint}")));
    };
    if args.json {
        printer::json(&as_json(rule));
    } else {
        printer::data(rule.page.trim_end());
    }
    Ok(Exit::Done)
}

fn as_json(rule: &Rule) -> serde_json::Value {
    json!({
        "rule": rule.id,
        "title": rule.title,
        "severity": rule.severity.word(),
        "non_negotiable": rule.non_negotiable,
        "page": rule.page,
    })
}
