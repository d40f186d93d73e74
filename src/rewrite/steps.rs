//! The safe way to make a change of PostgreSQL, as an ordered list.

use super::advice;
use crate::catalog::Release;
use crate::sql::schema::Schema;
use crate::sql::statement::{Action, Statement, What};
use crate::sql::{Source, parse};

/// A statement, or something that a person or a job does in between.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doing {
    /// A statement, and what is to be said of it.
    Statement(Box<Statement>, String, String),
    /// Something else.
    Besides(String),
}

/// What [`advice::instead`] says, in order.
///
/// # Errors
///
/// There is no way by statements alone: the advice, or none.
pub fn instead(
    statement: &Statement,
    text: &str,
    schema: &Schema,
    server: Release,
) -> Result<Vec<Doing>, Option<String>> {
    let Some(advice) = advice::instead(statement, text, schema, server) else { return Err(None) };
    let script = parse(Source::of(server), &advice);
    let unreadable = |one: &Statement| matches!(one.what, What::Unknown { .. });
    if script.statements.is_empty() || advice.contains('…') || needs_the_application(statement) {
        return Err(Some(advice));
    }
    if script.statements.iter().any(unreadable) {
        return Err(Some(advice));
    }
    let mut parts: Vec<(usize, Doing)> = script
        .statements
        .iter()
        .map(|one| {
            let sql = advice[one.span.clone()].to_owned();
            (one.span.start, Doing::Statement(Box::new(one.clone()), sql, String::new()))
        })
        .collect();
    for comment in &script.comments {
        let note = advice[comment.clone()].trim_start_matches('-').trim().to_owned();
        parts.push((comment.start, Doing::Besides(note)));
    }
    parts.sort_by_key(|(at, _)| *at);
    // What is said before a statement belongs to it, if it is nothing to be done.
    let mut doing: Vec<Doing> = Vec::new();
    for (_, part) in parts {
        match (part, doing.last()) {
            (Doing::Statement(one, sql, _), Some(Doing::Besides(said))) if !is_work(said) => {
                let said = said.clone();
                doing.pop();
                doing.push(Doing::Statement(one, sql, said.trim_end_matches(':').to_owned()));
            }
            (part, _) => doing.push(part),
        }
    }
    // What is said at the end, and asks for nothing, belongs to what stands before it.
    if let Some(Doing::Besides(said)) = doing.last().cloned()
        && !is_work(&said)
    {
        doing.pop();
        if let Some(Doing::Statement(_, _, note)) = doing.last_mut() {
            *note = if note.is_empty() { said } else { format!("{note}; {said}") };
        }
    }
    Ok(doing)
}

/// Whether a comment asks for work.
fn is_work(said: &str) -> bool {
    said.contains("job") || said.contains("application")
}

/// Whether code that runs has to change in between, so that no list of statements is the way.
fn needs_the_application(statement: &Statement) -> bool {
    let What::AlterTable(alter) = &statement.what else { return false };
    alter.actions.iter().any(|(action, _)| {
        matches!(
            action,
            Action::ChangeType { .. } | Action::RenameColumn { .. } | Action::RenameTo(_)
        )
    })
}
