//! What the statements of a plan leave in the catalog, by what the parser reads of them.

use std::time::Duration;

use crate::catalog::Table;
use crate::rewrite::steps;
use crate::sql::statement::{
    Action, AlterTable, CreateIndex, Drop, IndexAction, Name, SequenceAction, Statement, What,
};
use crate::sql::{Source, Tokens, parse};
use crate::target::{Effect, Index, Place};

/// How long PostgreSQL's statements wait for a lock; zero: as long as it takes.
pub(super) fn postgres_lock_wait(wait: Duration) -> String {
    match wait.as_millis() {
        0 => "SET lock_timeout = 0".to_owned(),
        millis => format!("SET lock_timeout = '{millis}ms'"),
    }
}

/// The same of MySQL and MariaDB, which count whole seconds.
pub(super) fn mysql_lock_wait(wait: Duration) -> String {
    let seconds = wait.as_secs() + u64::from(0 < wait.subsec_nanos());
    format!("SET SESSION lock_wait_timeout = {}", seconds.max(1))
}

/// What a statement of PostgreSQL leaves. Names without a schema that are not the table's are looked for
/// where the session looks.
pub(super) fn of(sql: &str, table: &Table) -> Vec<Effect> {
    let source = Source { tokens: Tokens::Postgres, mariadb: false, version: (0, 0, 0) };
    let script = parse(source, sql);
    let Some(statement) = script.statements.first() else { return Vec::new() };
    let place = |name: &Name| Place {
        schema: match &name.schema {
            Some(schema) => schema.clone(),
            None if name.name == table.name => table.schema.clone(),
            None => String::new(),
        },
        name: name.name.clone(),
    };
    match &statement.what {
        What::CreateIndex(index) => of_index(index, sql, &place).into_iter().collect(),
        What::DropIndex { drop: Drop { names, .. }, .. } => {
            names.iter().map(|name| Effect::NoIndex(place(name))).collect()
        }
        What::AlterIndex { name, action: IndexAction::Attach(child) } => {
            vec![Effect::IndexAttached { parent: place(name), child: place(child) }]
        }
        What::Sequence { drop, action: SequenceAction::Create { .. } } => {
            drop.names.iter().map(|name| Effect::Sequence(place(name))).collect()
        }
        What::AlterTable(alter) => of_alter(alter, sql, &place),
        _ => Vec::new(),
    }
}

fn of_index(index: &CreateIndex, sql: &str, place: &dyn Fn(&Name) -> Place) -> Option<Effect> {
    Some(Effect::Index(Index {
        name: index.name.as_ref()?.name.clone(),
        table: place(&index.table),
        unique: index.unique,
        of: steps::index_text(sql)?.of.to_owned(),
        only: index.only,
    }))
}

fn of_alter(alter: &AlterTable, sql: &str, place: &dyn Fn(&Name) -> Place) -> Vec<Effect> {
    let table = place(&alter.name);
    let of = |(action, span): &(Action, std::ops::Range<usize>)| -> Option<Vec<Effect>> {
        let table = table.clone();
        Some(match action {
            Action::AddColumn { column, .. } => {
                vec![Effect::Column {
                    table,
                    name: column.name.clone(),
                    ty: column.ty.text.clone(),
                }]
            }
            Action::DropColumn { name, .. } => {
                vec![Effect::NoColumn { table, name: name.clone() }]
            }
            Action::RenameColumn { from, to } => vec![
                Effect::Column { table: table.clone(), name: to.clone(), ty: String::new() },
                Effect::NoColumn { table, name: from.clone() },
            ],
            Action::SetDefault { column, to } => {
                // PostgreSQL keeps no default that is NULL.
                let is = if to.text.eq_ignore_ascii_case("null") { "" } else { &to.text };
                vec![Effect::Default { table, column: column.clone(), is: is.to_owned() }]
            }
            Action::DropDefault { column } => {
                vec![Effect::Default { table, column: column.clone(), is: String::new() }]
            }
            Action::SetNotNull { column } => {
                vec![Effect::NotNull { table, column: column.clone(), holds: true }]
            }
            Action::DropNotNull { column } => {
                vec![Effect::NotNull { table, column: column.clone(), holds: false }]
            }
            Action::AddConstraint { constraint, .. } => {
                let name = constraint.name.clone()?;
                let demands = demands(sql.get(span.clone())?, &name)?;
                let there =
                    Effect::Constraint { table: table.clone(), name: name.clone(), demands };
                let valid = (!constraint.not_valid).then_some(Effect::Validated { table, name });
                std::iter::once(there).chain(valid).collect()
            }
            Action::ValidateConstraint { name } => {
                vec![Effect::Validated { table, name: name.clone() }]
            }
            Action::DropConstraint { name, .. } => {
                vec![Effect::NoConstraint { table, name: name.clone() }]
            }
            Action::AttachPartition { child, .. } => {
                vec![Effect::Partition { parent: table, child: place(child), attached: true }]
            }
            Action::DetachPartition { child, .. } => {
                vec![Effect::Partition { parent: table, child: place(child), attached: false }]
            }
            _ => return None,
        })
    };
    // One clause whose effect nobody sees makes the others useless: they may have been there before.
    let all: Option<Vec<Vec<Effect>>> = alter.actions.iter().map(of).collect();
    all.unwrap_or_default().into_iter().flatten().collect()
}

/// What stands behind the name in `ADD CONSTRAINT name …`.
fn demands(clause: &str, name: &str) -> Option<String> {
    let at = clause.to_ascii_lowercase().find("constraint")? + "constraint".len();
    let rest = clause.get(at..)?.trim_start();
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    let rest = match rest.strip_prefix(&quoted) {
        Some(rest) => rest,
        None => rest.get(name.len()..).filter(|_| {
            rest.get(..name.len()).is_some_and(|written| written.eq_ignore_ascii_case(name))
        })?,
    };
    Some(rest.trim().to_owned())
}

/// What an `ALTER TABLE` of MySQL or MariaDB leaves: another definition than now, and what of it can be
/// told by name.
pub(super) fn of_raw(statement: &Statement, table: &Table, definitions: &[String]) -> Vec<Effect> {
    let What::AlterTable(alter) = &statement.what else { return Vec::new() };
    let place = Place { schema: table.schema.clone(), name: table.name.clone() };
    let Some(before) = definitions.first().cloned() else { return Vec::new() };
    let mut leaves = vec![Effect::Altered { table: place.clone(), before }];
    for (action, _) in &alter.actions {
        let table = place.clone();
        match action {
            Action::AddColumn { column, .. } => {
                leaves.push(Effect::Column { table, name: column.name.clone(), ty: String::new() });
            }
            Action::DropColumn { name, .. } => {
                leaves.push(Effect::NoColumn { table, name: name.clone() });
            }
            Action::AddIndex { index } => leaves.extend(index.name.as_ref().map(|name| {
                Effect::Index(Index {
                    name: name.name.clone(),
                    table,
                    unique: index.unique,
                    of: String::new(),
                    only: false,
                })
            })),
            _ => {}
        }
    }
    leaves
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constraint_is_what_stands_behind_its_name() {
        let of = |clause: &str, name: &str| demands(clause, name);
        assert_eq!(of("ADD CONSTRAINT k CHECK (a > 0)", "k").unwrap(), "CHECK (a > 0)");
        assert_eq!(of("ADD CONSTRAINT \"K 1\" UNIQUE (a)", "K 1").unwrap(), "UNIQUE (a)");
        assert_eq!(of("ADD constraint K CHECK (a > 0)", "k").unwrap(), "CHECK (a > 0)");
        assert_eq!(of("ADD CHECK (a > 0)", "k"), None);
    }

    #[test]
    fn mysql_counts_whole_seconds() {
        let of = |millis| mysql_lock_wait(Duration::from_millis(millis));
        assert_eq!(of(0), "SET SESSION lock_wait_timeout = 1");
        assert_eq!(of(1_200), "SET SESSION lock_wait_timeout = 2");
        assert_eq!(postgres_lock_wait(Duration::ZERO), "SET lock_timeout = 0");
        assert_eq!(postgres_lock_wait(Duration::from_millis(500)), "SET lock_timeout = '500ms'");
    }
}
