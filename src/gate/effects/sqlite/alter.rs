//! `ALTER TABLE` on SQLite: five clauses, of which one writes every row.

use super::{breaks, loses, writes};
use crate::gate::Surroundings;
use crate::gate::effects::{Effects, Verdict};
use crate::sql::schema::{Schema, Table};
use crate::sql::statement::{Action, AlterTable, Column, ConstraintKind, Name};
use crate::sql::{Tokens, mentions};

/// `ALTER TABLE`.
pub(super) fn alter(alter: &AlterTable, around: &Surroundings) -> Effects {
    let mut effects = writes();
    let table = around.schema.table(&alter.name);
    if table.is_none() && around.schema.complete {
        effects.fails = Some(format!("the table `{}` does not exist", alter.name));
        return effects;
    }
    for (action, _) in &alter.actions {
        clause(action, &alter.name, table, around, &mut effects);
    }
    effects
}

fn clause(
    action: &Action,
    name: &Name,
    table: Option<&Table>,
    around: &Surroundings,
    effects: &mut Effects,
) {
    let whole = table.filter(|table| table.whole);
    match action {
        Action::AddColumn { column, .. } => {
            if table.is_some_and(|table| table.column(&column.name).is_some()) {
                effects.fails = Some(format!("the column `{}` exists already", column.name));
            }
            let strict = table.is_some_and(|table| table.options.contains_key("strict"));
            add_column(name, column, strict, effects);
        }
        Action::DropColumn { name: column, .. } => {
            if around.server.version < (3, 35, 0) {
                effects.fails = Some("`DROP COLUMN` came with SQLite 3.35".to_owned());
            }
            effects.rewrites(name);
            effects.why.push("every row is written anew without the column".to_owned());
            loses(effects, name, format!("the values of the column `{column}`"));
            breaks(effects, name, format!("code that names the column `{column}` fails"));
            if let Some(reason) = whole.and_then(|table| kept(name, table, column, around.schema)) {
                effects.fails = Some(reason);
            }
        }
        Action::RenameColumn { from, to } => {
            if around.server.version < (3, 25, 0) {
                effects.fails = Some("`RENAME COLUMN` came with SQLite 3.25".to_owned());
            }
            breaks(effects, name, format!("code that names the column `{from}` fails"));
            if whole.is_some_and(|table| table.column(from).is_none()) {
                effects.fails = Some(format!("the table `{name}` has no column `{from}`"));
            } else if table.is_some_and(|table| table.column(to).is_some()) {
                effects.fails = Some(format!("the column `{to}` exists already"));
            }
        }
        Action::RenameTo(to) => {
            breaks(effects, name, format!("code that names the table `{name}` fails"));
            if around.schema.table(to).is_some() {
                effects.fails = Some(format!("the table `{to}` exists already"));
            }
        }
        Action::Unknown { .. } => {
            effects.verdict = Verdict::NotEvaluated("a clause of it could not be read".to_owned());
        }
        _ => {
            effects.fails =
                Some("SQLite's `ALTER TABLE` adds, drops and renames, and nothing else".to_owned());
        }
    }
}

/// A new column is a word in the catalog, and a constant default another. Rows are looked at for a
/// `CHECK`, for a `NOT NULL` that is computed, and in a `STRICT` table.
fn add_column(table: &Name, column: &Column, strict: bool, effects: &mut Effects) {
    let name = &column.name;
    if column.primary_key || column.unique {
        effects.fails = Some(format!("`{name}` cannot be added with a key of its own"));
    }
    if column.generated.as_ref().is_some_and(|generated| generated.stored) {
        effects.fails = Some(format!("`{name}` cannot be added: its values would be kept"));
    }
    let default = column.default.as_ref().map(|default| default.text.trim().to_lowercase());
    let null = default.as_deref().is_none_or(|default| default == "null");
    let varies = default.as_deref().is_some_and(|default| {
        default.starts_with('(')
            || matches!(default, "current_time" | "current_date" | "current_timestamp")
    });
    let generated = column.generated.is_some();
    if column.not_null && null && !generated {
        effects.assume(format!(
            "`{name}` needs a default unless the table is empty: the number of rows would settle it"
        ));
        breaks(effects, table, format!("an `INSERT` that does not know of `{name}` fails"));
    } else if varies {
        effects.assume(format!(
            "the default of `{name}` is no constant, which fails unless the table is empty: the number of rows would settle it"
        ));
    }
    if !column.checks.is_empty() || (column.not_null && generated) || strict {
        effects.scans(table);
        effects.why.push("every row is checked against the new column".to_owned());
    }
}

/// Why a column cannot be dropped.
fn kept(name: &Name, table: &Table, column: &str, schema: &Schema) -> Option<String> {
    let Some(have) = table.column(column) else {
        return Some(format!("the table `{name}` has no column `{column}`"));
    };
    let in_key = table
        .primary_key()
        .is_some_and(|key| key.iter().any(|name| name.eq_ignore_ascii_case(column)));
    if in_key || have.primary_key || have.unique {
        return Some(format!("`{column}` is part of a key"));
    }
    if let Some((index, _)) = schema.indexes_of(name).find(|(_, index)| index.covers(column)) {
        return Some(format!("the index `{index}` is made of `{column}`"));
    }
    let made_of = table.columns.iter().find(|other| {
        !other.name.eq_ignore_ascii_case(column)
            && other.generated.as_ref().is_some_and(|generated| {
                mentions(Tokens::Sqlite, &generated.expression.text, column)
            })
    });
    if let Some(other) = made_of {
        return Some(format!("the generated column `{}` is made of `{column}`", other.name));
    }
    // A check that stands with the column goes with it.
    let own = |text: &str| have.checks.iter().any(|check| check.expression.text == text);
    let checked = table.constraints.iter().any(|constraint| match &constraint.kind {
        ConstraintKind::Check(check) => {
            mentions(Tokens::Sqlite, &check.text, column) && !own(&check.text)
        }
        _ => false,
    });
    if checked {
        return Some(format!("a check of the table speaks of `{column}`"));
    }
    let trigger = schema
        .triggers_of(name)
        .find(|(_, trigger)| mentions(Tokens::Sqlite, &trigger.body, column));
    if let Some((trigger, _)) = trigger {
        return Some(format!("the trigger `{trigger}` names `{column}`"));
    }
    let reads = |(_, view): &(&Name, &crate::sql::schema::View)| {
        view.mentions.iter().any(|name| name.eq_ignore_ascii_case(column))
    };
    let (view, _) = schema.views_of(name).find(reads)?;
    Some(format!("the view `{view}` names `{column}`"))
}
