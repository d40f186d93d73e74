//! What the server refuses because of the schema alone. A schema that is not whole refuses nothing.

use super::Judge;
use crate::gate::effects::Relation;
use crate::sql::schema::{Index, Table, of_table, plain};
use crate::sql::statement::{
    Action, AlterTable, ConstraintKind, CreateIndex, CreateTable, IndexPart, Name,
};
use crate::sql::{Tokens, mentions};

impl Judge<'_> {
    /// Whether it is known that such a relation is there.
    pub(super) fn exists(&self, name: &Name) -> bool {
        self.around.schema.complete && !self.is_missing(name)
    }

    pub(super) fn refuse_table(&mut self, create: &CreateTable) {
        // A temporary table hides one that has its name.
        if !create.if_not_exists && !create.temporary && self.exists(&create.name) {
            self.fails(format!("`{}` is there already", create.name));
        }
    }

    pub(super) fn refuse_index(&mut self, index: &CreateIndex) {
        if self.around.schema.complete && self.kind(&index.table) == Relation::View {
            self.fails(format!("`{}` is a view", index.table));
        }
        let mut name = index.name.clone();
        if let Some(name) = &mut name {
            name.schema.clone_from(&index.table.schema);
            if !index.if_not_exists && self.exists(name) {
                self.fails(format!("`{name}` is there already"));
            }
        }
        let Some(table) = self.around.schema.table(&index.table) else { return };
        let Some((_, key)) = table.partition_by.as_deref().and_then(|by| by.split_once('(')) else {
            return;
        };
        let covered = |column: &str| {
            index
                .parts
                .iter()
                .any(|part| matches!(part, IndexPart::Column(name, _) if name == column))
        };
        let mut columns = table.columns.iter().map(|column| column.name.as_str());
        let lacking =
            columns.find(|column| mentions(Tokens::Postgres, key, column) && !covered(column));
        if index.unique
            && let Some(column) = lacking
        {
            self.fails(format!("it must have `{column}`, by which the table is partitioned"));
        }
    }

    pub(super) fn refuse_alter(&mut self, alter: &AlterTable) {
        if self.is_missing(&alter.name) {
            self.fails(format!("there is no table `{}`", alter.name));
        }
        if !self.around.schema.complete {
            return;
        }
        let Some(table) = self.around.schema.table(&alter.name) else { return };
        for (action, _) in &alter.actions {
            if let Some(why) = self.refused(alter, table, action) {
                self.fails(why);
            }
        }
    }

    fn refused(&self, alter: &AlterTable, table: &Table, action: &Action) -> Option<String> {
        let whole = table.whole;
        let has_heirs = !self.around.schema.descendants(&alter.name).is_empty();
        let type_of = |name: &Name| self.using(name).into_iter().next();
        match action {
            Action::SetOptions(names) if !names.is_empty() && table.partition_by.is_some() => {
                Some("a partitioned table has no storage parameters".to_owned())
            }
            Action::SetLogged { logged } => self.refused_persistence(&alter.name, table, *logged),
            Action::ReplicaIdentity { index: Some(index) } => {
                let name = Name { schema: plain(&alter.name).schema, name: index.clone() };
                let index = self.around.schema.indexes.get(&name)?;
                identifies(table, index).err().map(|why| format!("the index `{name}` {why}"))
            }
            Action::Inherit(parent) => {
                let parent = self.around.schema.table(parent)?;
                let lacks = parent.columns.iter().find(|of| table.column(&of.name).is_none())?;
                whole.then(|| format!("it lacks the column `{}`", lacks.name))
            }
            Action::DropIdentity { column, if_exists: false } => {
                let has = table.column(column).is_none_or(|column| column.identity);
                (whole && !has).then(|| format!("`{column}` is no identity column"))
            }
            Action::DropExpression { column, if_exists: false } => {
                let has = table.column(column).is_none_or(|column| column.generated.is_some());
                (whole && !has).then(|| format!("`{column}` is not generated"))
            }
            Action::Triggers { name: Some(name), .. } => {
                // Those of foreign keys have names that the server makes up.
                let own = name.starts_with("RI_ConstraintTrigger_");
                (whole && !own && self.lacks_trigger(&alter.name, name))
                    .then(|| format!("there is no trigger `{name}`"))
            }
            Action::Rules { name } => {
                let rule = of_table(&alter.name, &Name::plain(name));
                (whole && !self.around.schema.rules.contains_key(&rule))
                    .then(|| format!("there is no rule `{name}`"))
            }
            Action::AddIdentity { column } => {
                let forbidden = alter.actions.iter().any(
                    |(other, _)| matches!(other, Action::SetNotNull { column: of } if of == column),
                );
                let nullable = table.column(column).is_some_and(|column| !column.not_null);
                (nullable && !forbidden).then(|| format!("`{column}` is not declared NOT NULL"))
            }
            Action::RenameColumn { from, to } => {
                if whole && table.column(from).is_none() {
                    Some(format!("there is no column `{from}`"))
                } else if table.columns.iter().any(|column| column.name == *to) {
                    Some(format!("there is a column `{to}` already"))
                } else if alter.only && has_heirs {
                    Some("the column must be renamed below it as well".to_owned())
                } else {
                    None
                }
            }
            Action::RenameTo(to) => {
                let to = Name { schema: alter.name.schema.clone(), name: to.name.clone() };
                self.exists(&to).then(|| format!("`{to}` is there already"))
            }
            Action::DropColumn { name, cascade: false, .. } => {
                // A name in a view of several tables may be a column of any of them.
                let mut views = self.around.schema.views_of(&alter.name);
                let (view, _) = views.find(|(_, view)| {
                    view.reads.len() == 1
                        && view.mentions.iter().any(|word| word == name || word == "*")
                })?;
                table.column(name).map(|_| format!("the view `{view}` uses the column"))
            }
            Action::AddConstraint { constraint, .. } => {
                if let ConstraintKind::PrimaryKey { using_index: Some(index), .. }
                | ConstraintKind::Unique { using_index: Some(index), .. } = &constraint.kind
                {
                    let name = Name { schema: plain(&alter.name).schema, name: index.clone() };
                    let index = &self.around.schema.indexes.get(&name)?.definition;
                    let is_column = |part: &IndexPart| matches!(part, IndexPart::Column(..));
                    let fits = index.unique
                        && index.predicate.is_none()
                        && index.parts.iter().all(is_column);
                    return (!fits).then(|| format!("the index `{name}` cannot stand for a key"));
                }
                (constraint.is_inherited() && alter.only && has_heirs)
                    .then(|| "the constraint must be added to the tables below as well".to_owned())
            }
            Action::ValidateConstraint { name } => {
                // Those of a parent are not kept with its children.
                let alone = table.partition_of.is_none() && table.inherits.is_empty();
                let added = alter.actions.iter().any(|(other, _)| {
                    matches!(other, Action::AddConstraint { constraint, .. }
                        if constraint.name.as_deref() == Some(name))
                });
                (whole && alone && !added && table.constraint(name).is_none())
                    .then(|| format!("there is no constraint `{name}`"))
            }
            Action::AddColumn { column, .. } if column.default.is_some() => {
                type_of(&alter.name).map(|user| format!("`{user}` has a column of its row type"))
            }
            Action::ChangeType { .. } => {
                type_of(&alter.name).map(|user| format!("`{user}` has a column of its row type"))
            }
            _ => None,
        }
    }

    /// A table whose rows outlive a crash cannot refer to one whose rows do not.
    fn refused_persistence(&self, name: &Name, table: &Table, logged: bool) -> Option<String> {
        let schema = self.around.schema;
        let is_unlogged = |name: &Name| {
            schema.table(name).is_some_and(|table| table.options.contains_key("unlogged"))
        };
        let of = plain(name);
        if logged {
            let mut parents = table.foreign_keys().map(|(_, key)| plain(&key.table));
            let parent = parents.find(|parent| *parent != of && is_unlogged(parent))?;
            return Some(format!("it refers to `{parent}`, which is unlogged"));
        }
        let mut children = schema.referring_to(name).map(|(child, ..)| child);
        let child = children.find(|child| **child != of && !is_unlogged(child))?;
        Some(format!("`{child}`, which is logged, refers to it"))
    }
}

/// Whether an index can tell rows apart for replication, or why it cannot.
fn identifies(table: &Table, index: &Index) -> Result<(), &'static str> {
    if !index.definition.unique {
        return Err("is not unique");
    }
    if index.definition.predicate.is_some() {
        return Err("does not cover every row");
    }
    for part in &index.definition.parts {
        match part {
            IndexPart::Expression(_) => return Err("holds an expression"),
            IndexPart::Column(name, _) => {
                if table.column(name).is_some_and(|column| !column.not_null) {
                    return Err("holds a column that may be NULL");
                }
            }
        }
    }
    Ok(())
}
