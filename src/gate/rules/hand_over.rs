//! A large table of MySQL or MariaDB is changed by an online-DDL tool.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::effects::Algorithm;
use crate::gate::review::{Draft, Step};
use crate::rewrite::tool;
use crate::sql::statement::{Maintenance, Name, What};

/// The rule.
pub static RULE: Rule = Rule {
    id: "hand-over",
    title: "a change that writes a production-sized table anew is given to gh-ost or \
            pt-online-schema-change",
    severity: Severity::Error,
    non_negotiable: false,
    page: include_str!("hand_over.md"),
    check: Check::Statement(check),
};

/// Whether a change of this table is for a tool, and not for the server itself.
pub(super) fn takes(step: &Step, table: &Name) -> bool {
    let What::AlterTable(_) = &step.statement.what else { return false };
    let anew = matches!(step.effects.algorithm, Some(Algorithm::Rebuild | Algorithm::Copy));
    anew && !step.schema.is_born(table) && step.policy.class(table).matters()
}

fn check(step: &Step) -> Vec<Draft> {
    if let What::Maintenance { of: Maintenance::Optimize, .. } = &step.statement.what {
        return optimize(step);
    }
    let What::AlterTable(alter) = &step.statement.what else { return Vec::new() };
    if !takes(step, &alter.name) {
        return Vec::new();
    }
    let class = step.policy.class(&alter.name).words();
    let how = if step.effects.algorithm == Some(Algorithm::Copy) { "copied" } else { "rebuilt" };
    let message = format!(
        "`{}`, {class}, is {how} by the server itself: every replica does the same afterwards, and \
         lags by as long",
        alter.name
    );
    let mut draft = Draft::at(step.statement.span.clone(), message);
    draft.why.clone_from(&step.effects.why);
    let mut given = tool::plan(alter, step.text, step.schema, step.policy.server);
    draft.why.append(&mut given.reasons);
    draft.instead = Some(instead(step, given.command));
    vec![draft]
}

/// The command that asks the server, and the tool's own as far as it is known without one.
fn instead(step: &Step, command: Option<String>) -> String {
    let changes =
        step.statements.iter().filter(|one| matches!(one.what, What::AlterTable(_))).count();
    // What came on standard input has no name yet.
    let (before, file) = match (changes, step.path) {
        (1, "-") => ("# saved as a file:\n", "MIGRATION.sql".to_owned()),
        (1, path) => ("", tool::quoted(path)),
        _ => ("# in a file of its own:\n", "MIGRATION.sql".to_owned()),
    };
    let plan = format!("{before}backstop handoff plan {file} --target DATABASE_URL");
    match command {
        Some(command) => format!(
            "{plan}\n# it looks at the server first, and gives the command with what this one needs; \
             without looking:\n{command}"
        ),
        None => plan,
    }
}

/// `OPTIMIZE TABLE` is `ALTER TABLE … FORCE` under another name.
fn optimize(step: &Step) -> Vec<Draft> {
    let large = |table: &&Name| !step.schema.is_born(table) && step.policy.class(table).matters();
    let Some(table) = step.effects.rewrite.iter().find(large) else { return Vec::new() };
    let message = format!(
        "`{table}`, {}, is rebuilt by the server itself: every replica does the same afterwards, and \
         lags by as long",
        step.policy.class(table).words()
    );
    vec![
        Draft::at(step.statement.span.clone(), message)
            .why("it is `ALTER TABLE … FORCE` under another name")
            .instead(Some(format!(
                "-- by gh-ost or pt-online-schema-change:\nALTER TABLE {table} FORCE;"
            ))),
    ]
}
