//! What is lost for good, and what breaks in code that knows the schema of before.

use super::super::{Break, Effects, Loss};
use super::shape::Shape;
use super::types::{holds_all, loses};
use super::version::Flavor;
use crate::sql::schema::Schema;
use crate::sql::statement::{Action, AlterTable, Column, Name};
use crate::sql::{Tokens, mentions};

/// Notes what cannot be brought back.
pub(super) fn lose(effects: &mut Effects, relation: &Name, what: impl Into<String>) {
    let loss = Loss { relation: relation.clone(), what: what.into() };
    if !effects.loss.contains(&loss) {
        effects.loss.push(loss);
    }
}

/// Notes what breaks.
pub(super) fn breaks(effects: &mut Effects, relation: &Name, what: impl Into<String>) {
    let broken = Break { relation: relation.clone(), what: what.into() };
    if !effects.breaks.contains(&broken) {
        effects.breaks.push(broken);
    }
}

/// What an `ALTER TABLE` loses and breaks.
pub(super) fn alter(
    alter: &AlterTable,
    shape: &Shape,
    schema: &Schema,
    flavor: Flavor,
    effects: &mut Effects,
) {
    let table = &alter.name;
    for (action, _) in &alter.actions {
        match action {
            Action::AddColumn { column, .. } => new_column(table, column, effects),
            Action::DropColumn { name, .. } => {
                lose(effects, table, format!("the values of the column `{name}`"));
                breaks(effects, table, format!("code that names the column `{name}` fails"));
                dependents(table, name, schema, effects);
            }
            Action::RenameColumn { from, to } => renamed(table, from, to, schema, effects),
            Action::Modify { from, column, .. } => {
                if !from.eq_ignore_ascii_case(&column.name) {
                    renamed(table, from, &column.name, schema, effects);
                }
                if let Some(old) = shape.table.column(from) {
                    changed(table, old, column, shape, flavor, effects);
                }
            }
            Action::DropDefault { column } => {
                let required = shape.table.column(column).is_some_and(|column| column.not_null);
                if required {
                    breaks(effects, table, format!("an `INSERT` that leaves out `{column}` fails"));
                }
            }
            Action::ConvertCharset { charset, .. } => {
                for column in &shape.table.columns {
                    narrowed(table, column, charset, shape, effects);
                }
            }
            Action::RenameTo(_) => table_renamed(table, schema, effects),
            _ => {}
        }
    }
}

/// A table has another name.
pub(super) fn table_renamed(table: &Name, schema: &Schema, effects: &mut Effects) {
    breaks(effects, table, format!("code that names the table `{table}` fails"));
    for (view, _) in schema.views_of(table) {
        breaks(effects, view, format!("the view `{view}` still reads `{table}`, and fails"));
    }
    routines(&table.name, &format!("the table `{table}`"), schema, effects);
}

/// A table is gone.
pub(super) fn table_dropped(table: &Name, schema: &Schema, effects: &mut Effects) {
    lose(effects, table, "all its rows, and its triggers and rights");
    breaks(effects, table, format!("code that names the table `{table}` fails"));
    for (view, _) in schema.views_of(table) {
        breaks(effects, view, format!("the view `{view}` reads `{table}`, and fails"));
    }
    routines(&table.name, &format!("the table `{table}`"), schema, effects);
}

fn new_column(table: &Name, column: &Column, effects: &mut Effects) {
    let filled = column.default.is_some() || column.generated.is_some() || column.auto_increment;
    if column.not_null && !filled {
        breaks(
            effects,
            table,
            format!("an `INSERT` that does not know of `{}` fails: it has no default", column.name),
        );
    }
}

fn renamed(table: &Name, from: &str, to: &str, schema: &Schema, effects: &mut Effects) {
    if from.eq_ignore_ascii_case(to) {
        return;
    }
    breaks(effects, table, format!("code that names the column `{from}` fails"));
    dependents(table, from, schema, effects);
}

/// Triggers, views and routines that name a column. The server does not look at them.
fn dependents(table: &Name, column: &str, schema: &Schema, effects: &mut Effects) {
    for (trigger, have) in schema.triggers_of(table) {
        if mentions(Tokens::MySql, &have.body, column) {
            let what = format!(
                "the trigger `{trigger}` names `{column}`: every write that fires it fails"
            );
            breaks(effects, table, what);
        }
    }
    for (view, have) in schema.views_of(table) {
        if have.mentions.iter().any(|name| name.eq_ignore_ascii_case(column)) {
            breaks(effects, view, format!("the view `{view}` names `{column}`, and fails"));
        }
    }
    let told = |text: &str| {
        mentions(Tokens::MySql, text, &table.name) && mentions(Tokens::MySql, text, column)
    };
    for (routine, _) in schema.routines.iter().filter(|(_, have)| told(&have.body.text)) {
        breaks(effects, table, format!("the routine `{routine}` names `{column}`, and fails"));
    }
}

fn routines(name: &str, what: &str, schema: &Schema, effects: &mut Effects) {
    for (routine, have) in &schema.routines {
        if mentions(Tokens::MySql, &have.body.text, name) {
            breaks(effects, routine, format!("the routine `{routine}` names {what}, and fails"));
        }
    }
    for (trigger, have) in &schema.triggers {
        if mentions(Tokens::MySql, &have.body, name) && have.table.name != name {
            breaks(
                effects,
                &have.table,
                format!("the trigger `{trigger}` names {what}, and fails"),
            );
        }
    }
}

fn changed(
    table: &Name,
    old: &Column,
    new: &Column,
    shape: &Shape,
    flavor: Flavor,
    effects: &mut Effects,
) {
    let name = &new.name;
    if let Some(what) = loses(&old.ty, &new.ty) {
        lose(effects, table, format!("{what} in the column `{name}`"));
    }
    if let (Some(before), Some(after)) = (shape.charset(old), shape.charset(new))
        && new.ty.charset.is_some()
        && !holds_all(&before, &after)
    {
        lose(effects, table, format!("characters of `{name}` that `{after}` does not have"));
    }
    if !shape.is_not_null(old, flavor) && new.not_null {
        breaks(effects, table, format!("a write of NULL to `{name}` fails"));
    }
    if old.default.is_some() && new.default.is_none() && new.not_null && !new.auto_increment {
        breaks(
            effects,
            table,
            format!("an `INSERT` that leaves out `{name}` fails: its default is gone"),
        );
    }
}

fn narrowed(table: &Name, column: &Column, charset: &str, shape: &Shape, effects: &mut Effects) {
    let text = matches!(
        column.ty.name.as_str(),
        "varchar" | "char" | "tinytext" | "text" | "mediumtext" | "longtext" | "enum" | "set"
    );
    let charset = if charset == "utf8" { "utf8mb3" } else { charset };
    if text && shape.charset(column).is_some_and(|before| !holds_all(&before, charset)) {
        let what = format!("characters of `{}` that `{charset}` does not have", column.name);
        lose(effects, table, what);
    }
}
