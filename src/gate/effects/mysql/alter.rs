//! `ALTER TABLE`: its clauses as changes, what the server makes of them together, and the locks.

use super::super::{Algorithm, Effects, Mode, Relation};
use super::change::Change;
use super::clauses::clauses;
use super::combine::{Changes, Decision, decide};
use super::shape::Shape;
use super::version::Flavor;
use super::{breaks, partition, refuse, told, why};
use crate::gate::Surroundings;
use crate::sql::schema::{Schema, Table};
use crate::sql::statement::{Action, AlterTable, ConstraintKind, CreateIndex, Drop, Name, Online};

/// `ALTER TABLE`.
pub(super) fn alter(alter: &AlterTable, around: &Surroundings) -> Effects {
    let flavor = Flavor::of(around.server);
    let mut effects = Effects { commits: true, ..Effects::default() };
    let known = around.schema.table(&alter.name);
    if known.is_some_and(|table| table.temporary) {
        return Effects::none();
    }
    if known.is_none() && around.schema.complete {
        if !alter.if_exists {
            effects.fails = Some(format!("the table `{}` does not exist", alter.name));
        }
        return effects;
    }
    let unseen = Table::default();
    let shape = Shape::of(&alter.name, known.unwrap_or(&unseen), around.schema);
    let whole = known.is_some_and(|table| table.whole);
    if let Some(operation) = partition::of(alter) {
        partition::effects(operation, alter, &shape, whole, around, &mut effects);
        return effects;
    }
    let changes = clauses(alter, &shape, whole, around);
    let unread = alter.actions.iter().any(|(action, _)| matches!(action, Action::Unknown { .. }));
    let mut decision = decide(&changes, &shape, flavor, true);
    if let Some(what) = &changes.unknown {
        effects.assume(what.clone());
    }
    if !whole && !stands_without_shape(&changes) {
        decision = worst(flavor, &changes);
        effects.assume(format!(
            "the table `{}` was not seen whole: its definition would settle how it is changed",
            alter.name
        ));
    }
    let mut exclusive = false;
    if effects.fails.is_none() && whole {
        effects.fails = refuse::alter(alter, &shape, around);
    }
    match told::follow(alter.online, decision, &changes, &shape, flavor) {
        Ok((followed, exclusively)) => {
            decision = followed;
            exclusive = exclusively;
        }
        Err(reason) => {
            effects.fails.get_or_insert(reason);
        }
    }
    work(&alter.name, decision, exclusive, &mut effects);
    if !effects.rewrite.contains(&alter.name) && changes.all.iter().any(|change| builds(*change)) {
        effects.builds_index(&alter.name);
    }
    effects.why = why::why(decision, &changes, &shape, flavor);
    relatives(alter, &shape, around.schema, &mut effects);
    breaks::alter(alter, &shape, around.schema, flavor, &mut effects);
    if unread {
        effects.verdict =
            super::super::Verdict::NotEvaluated("a clause of it could not be read".to_owned());
    }
    effects
}

/// `CREATE INDEX`: as the clause of an `ALTER TABLE`.
pub(super) fn create_index(index: &CreateIndex, around: &Surroundings) -> Effects {
    let action = Action::AddIndex { index: Box::new(index.clone()) };
    alter(&on(index.table.clone(), vec![action], index.online), around)
}

/// `DROP INDEX … ON`: as the clause of an `ALTER TABLE`.
pub(super) fn drop_index(
    drop: &Drop,
    table: Option<&Name>,
    online: Online,
    around: &Surroundings,
) -> Effects {
    let Some(table) = table else {
        let mut effects = Effects { commits: true, ..Effects::default() };
        effects.fails = Some("`DROP INDEX` needs the table behind `ON`".to_owned());
        return effects;
    };
    let index = |name: &Name| match name.name.as_str() {
        primary if primary.eq_ignore_ascii_case("PRIMARY") => Action::DropPrimaryKey,
        name => Action::DropIndex { name: name.to_owned(), if_exists: drop.if_exists },
    };
    let actions = drop.names.iter().map(index).collect();
    let mut effects = alter(&on(table.clone(), actions, online), around);
    if Flavor::of(around.server).mariadb && (online.algorithm.is_some() || online.lock.is_some()) {
        effects.fails =
            Some("MariaDB takes no `ALGORITHM` or `LOCK` behind `DROP INDEX`".to_owned());
    }
    effects
}

/// `OPTIMIZE TABLE`: as `FORCE`.
pub(super) fn optimize(tables: &[Name], around: &Surroundings) -> Effects {
    let mut effects = Effects { commits: true, ..Effects::default() };
    for table in tables {
        let one = alter(&on(table.clone(), vec![Action::Force], Online::default()), around);
        super::merge(&mut effects, one);
    }
    effects
}

fn on(name: Name, actions: Vec<Action>, online: Online) -> AlterTable {
    let actions = actions.into_iter().map(|action| (action, 0..0)).collect();
    AlterTable { name, if_exists: false, only: false, actions, online }
}

/// The locks on a table, and whether it is written anew.
pub(super) fn work(table: &Name, decision: Decision, exclusive: bool, effects: &mut Effects) {
    effects.algorithm = Some(decision.algorithm);
    effects.lock(Relation::Table, table, Mode::MetadataExclusive);
    if decision.blocks_writes {
        effects.lock(Relation::Table, table, Mode::Shared);
    }
    if exclusive && decision.algorithm != Algorithm::Instant {
        effects.lock(Relation::Table, table, Mode::Exclusive);
    }
    if matches!(decision.algorithm, Algorithm::Rebuild | Algorithm::Copy) {
        effects.rewrites(table);
    }
}

/// The worst that can become of a table of which too little is known.
pub(super) fn worst(flavor: Flavor, changes: &Changes) -> Decision {
    let blocks_writes = !super::combine::copies_online(changes, flavor);
    Decision { algorithm: Algorithm::Copy, blocks_writes }
}

/// Whether the changes cost the same on every table of InnoDB.
fn stands_without_shape(changes: &Changes) -> bool {
    changes.all.iter().all(|change| {
        matches!(
            change,
            Change::Dictionary
                | Change::RenameTable
                | Change::Option
                | Change::CostlyOption
                | Change::RenameIndex
                | Change::IndexVisibility
                | Change::AddIndex
                | Change::DropIndex
                | Change::AddForeignKey
                | Change::DropForeignKey
                | Change::Copy
        )
    })
}

fn builds(change: Change) -> bool {
    matches!(
        change,
        Change::AddIndex
            | Change::AddUnique
            | Change::FirstFullText
            | Change::NextFullText
            | Change::AddSpatial
            | Change::AddExpressionIndex
            | Change::IndexedCollation
    )
}

/// The locks on tables that foreign keys tie to this one.
fn relatives(alter: &AlterTable, shape: &Shape, schema: &Schema, effects: &mut Effects) {
    let mut parents: Vec<&Name> = Vec::new();
    let referred = |name: &str| {
        let mut keys = shape.table.foreign_keys();
        keys.find(|(constraint, _)| is_named(constraint.name.as_deref(), name))
            .map(|(_, key)| &key.table)
    };
    for (action, _) in &alter.actions {
        match action {
            Action::AddConstraint { constraint, .. } => {
                if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                    parents.push(&key.table);
                }
            }
            Action::AddColumn { column, .. } | Action::Modify { column, .. } => {
                parents.extend(column.references.iter().map(|key| &key.table));
            }
            Action::DropForeignKey { name, .. } | Action::DropConstraint { name, .. } => {
                parents.extend(referred(name));
            }
            Action::RenameTo(_) => {
                parents.extend(shape.table.foreign_keys().map(|(_, key)| &key.table));
                parents.extend(schema.referring_to(&alter.name).map(|(child, ..)| child));
            }
            _ => {}
        }
    }
    for parent in parents {
        if *parent != alter.name {
            effects.lock(Relation::Table, parent, Mode::MetadataExclusive);
        }
    }
}

/// Whether a constraint has that name.
pub(super) fn is_named(have: Option<&str>, name: &str) -> bool {
    have.is_some_and(|have| have.eq_ignore_ascii_case(name))
}
