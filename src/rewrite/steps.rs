//! The safe way to make a change of PostgreSQL, as an ordered list.

use super::{advice, partitions};
use crate::catalog::Release;
use crate::sql::schema::Schema;
use crate::sql::statement::{Action, CreateIndex, IndexPart, Statement, What};
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
    if let Some(statements) = by_partition(statement, text, schema) {
        return Ok(statements.iter().filter_map(|sql| doing(sql, server)).collect());
    }
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

/// What goes through the partitions one by one.
fn by_partition(statement: &Statement, text: &str, schema: &Schema) -> Option<Vec<String>> {
    match &statement.what {
        What::CreateIndex(index) => {
            schema.table(&index.table)?.partition_by.as_ref()?;
            let written = index_text(text.get(statement.span.clone())?)?;
            Some(partitions::index(&written, &index_name(index), &index.table, schema))
        }
        What::AlterTable(alter) => match alter.actions.as_slice() {
            [(Action::AttachPartition { child, bounds, default: false }, _)] => {
                partitions::attach(&alter.name, child, bounds, schema)
            }
            _ => None,
        },
        _ => None,
    }
}

/// A statement of ours, read.
fn doing(sql: &str, server: Release) -> Option<Doing> {
    let statement = parse(Source::of(server), sql).statements.into_iter().next()?;
    let note = match &statement.what {
        What::CreateIndex(index) if index.only => {
            "it holds no row, and is not valid until each partition has its part"
        }
        What::AlterTable(alter) => match alter.actions.first() {
            Some((Action::AddConstraint { .. }, _)) => {
                "it holds for new rows from now on, and proves the bounds once it is validated"
            }
            Some((Action::ValidateConstraint { .. }, _)) => {
                "the rows are looked at here, while they are read and written"
            }
            Some((Action::AttachPartition { .. }, _)) => {
                "valid checks prove the bounds, so that no row is looked at"
            }
            Some((Action::DropConstraint { .. }, _)) => {
                "the bounds of the partition say the same now"
            }
            _ => "",
        },
        _ => "",
    };
    Some(Doing::Statement(Box::new(statement), sql.to_owned(), note.to_owned()))
}

/// A `CREATE INDEX` of PostgreSQL, taken apart as it was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexText<'a> {
    /// Up to the name: `CREATE INDEX CONCURRENTLY IF NOT EXISTS`.
    pub head: &'a str,
    /// The name; empty if it has none.
    pub name: &'a str,
    /// `UNIQUE`.
    pub unique: bool,
    /// From `ON` on.
    pub on: &'a str,
    /// What stands behind the table: `USING btree (a DESC) WHERE b`.
    pub of: &'a str,
}

/// Takes a `CREATE INDEX` apart; none if it is none, or nobody could read it.
#[must_use]
pub fn index_text(written: &str) -> Option<IndexText<'_>> {
    let words = words(written);
    let is = |at: usize, word: &str| {
        words.get(at).is_some_and(|span| written[span.clone()].eq_ignore_ascii_case(word))
    };
    let mut at = 1;
    let unique = is(at, "unique");
    at += usize::from(unique);
    if !is(0, "create") || !is(at, "index") {
        return None;
    }
    at += 1;
    at += usize::from(is(at, "concurrently"));
    if is(at, "if") && is(at + 1, "not") && is(at + 2, "exists") {
        at += 3;
    }
    let head = written.get(..words.get(at)?.start)?.trim_end();
    let name = if is(at, "on") { "" } else { written.get(words.get(at)?.clone())? };
    at += usize::from(!name.is_empty());
    if !is(at, "on") {
        return None;
    }
    let on = written.get(words.get(at)?.start..)?;
    at += 1;
    at += usize::from(is(at, "only"));
    let of = written.get(words.get(at)?.end..)?.trim();
    let of = of.strip_prefix('*').unwrap_or(of).trim_start();
    (!of.is_empty()).then_some(IndexText { head, name, unique, on, of: of.trim_end_matches(';') })
}

/// Where the words of a statement stand, up to the first parenthesis; a qualified name is one.
fn words(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut words: Vec<std::ops::Range<usize>> = Vec::new();
    let (mut quoted, mut open) = (false, false);
    for (at, letter) in text.char_indices() {
        let inside = quoted || letter == '"' || letter == '.' || letter == '_' || letter == '$';
        if letter == '"' {
            quoted = !quoted;
        }
        if letter == '(' && !quoted {
            break;
        }
        let end = at + letter.len_utf8();
        match words.last_mut().filter(|_| open) {
            _ if !inside && !letter.is_alphanumeric() => open = false,
            Some(last) => last.end = end,
            None => {
                words.push(at..end);
                open = true;
            }
        }
    }
    words
}

/// Its name, or the one that the server would choose: from the table and the columns.
#[must_use]
pub fn index_name(index: &CreateIndex) -> String {
    if let Some(name) = &index.name {
        return name.name.clone();
    }
    let parts = index.parts.iter().map(|part| match part {
        IndexPart::Column(name, _) => name.as_str(),
        IndexPart::Expression(_) => "expr",
    });
    format!("{}_{}_idx", index.table.name, parts.collect::<Vec<_>>().join("_"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_taken_apart_as_it_was_written() {
        let text = index_text(
            "create unique index concurrently if not exists \"My on\" ON ONLY \"S x\".t using gist (a, (b(c))) \
             WHERE d",
        )
        .unwrap();
        assert_eq!(text.head, "create unique index concurrently if not exists");
        assert_eq!(text.name, "\"My on\"");
        assert_eq!(text.of, "using gist (a, (b(c))) WHERE d");
        assert!(text.unique);
        let bare = index_text("CREATE INDEX ON s.t(a)").unwrap();
        assert_eq!(
            (bare.head, bare.name, bare.on, bare.of),
            ("CREATE INDEX", "", "ON s.t(a)", "(a)")
        );
        assert_eq!(index_text("CREATE TABLE t (a int)"), None);
    }
}
