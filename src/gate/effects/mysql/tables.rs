//! Statements about whole tables, and those that work with rows.

use super::super::{Algorithm, Effects, Mode, Relation, Verdict};
use super::breaks::{breaks, lose, table_dropped, table_renamed};
use super::refuse;
use crate::gate::Surroundings;
use crate::sql::statement::{
    ConstraintKind, CreateTable, Dml, Drop, ForeignKey, LockMode, Name, Query,
};

fn implicit_commit() -> Effects {
    Effects { commits: true, ..Effects::default() }
}

fn absent(name: &Name, around: &Surroundings) -> Option<String> {
    let schema = around.schema;
    let there = schema.table(name).is_some() || schema.views.contains_key(name);
    (schema.complete && !there).then(|| format!("the table `{name}` does not exist"))
}

/// `CREATE TABLE`.
pub(super) fn create(create: &CreateTable, around: &Surroundings) -> Effects {
    if create.temporary {
        return Effects::none();
    }
    let mut effects = implicit_commit();
    let taken = refuse::table_exists(&create.name, around.schema);
    if create.if_not_exists && taken.is_some() {
        return effects;
    }
    // Nobody waits for a table that is not there yet.
    if create.or_replace || taken.is_some() {
        effects.lock(Relation::Table, &create.name, Mode::MetadataExclusive);
    }
    effects.fails = taken;
    for (key, columns) in foreign_keys(create) {
        if key.table != create.name {
            effects.lock(Relation::Table, &key.table, Mode::MetadataExclusive);
            if effects.fails.is_none() && around.foreign_key_checks {
                let column = |name: &String| {
                    create.columns.iter().find(|have| have.name.eq_ignore_ascii_case(name))
                };
                let types = columns.iter().map(column).collect();
                effects.fails = refuse::foreign_key(key, types, around.schema);
            }
        }
    }
    for other in &create.like {
        effects.lock(Relation::Table, other, Mode::MetadataShared);
    }
    for read in create.from_query.iter().flat_map(|query| &query.reads) {
        effects.lock(Relation::Table, read, Mode::MetadataShared);
        effects.scans(read);
    }
    effects
}

/// The foreign keys of a new table, each with the columns that it is made of.
fn foreign_keys(create: &CreateTable) -> Vec<(&ForeignKey, Vec<String>)> {
    let of_table = create.constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey(key) => Some((key, key.columns.clone())),
        _ => None,
    });
    let of_columns = create.columns.iter().filter_map(|column| {
        column.references.as_ref().map(|key| (key, vec![column.name.clone()]))
    });
    of_table.chain(of_columns).collect()
}

/// `DROP TABLE`.
pub(super) fn drop(drop: &Drop, around: &Surroundings) -> Effects {
    if drop.temporary {
        return Effects::none();
    }
    let mut effects = implicit_commit();
    for name in &drop.names {
        if let Some(reason) = absent(name, around) {
            if !drop.if_exists {
                effects.fails.get_or_insert(reason);
            }
            continue;
        }
        if around.schema.table(name).is_some_and(|table| table.temporary) {
            continue;
        }
        effects.lock(Relation::Table, name, Mode::MetadataExclusive);
        for (_, key) in around.schema.foreign_keys_of(name) {
            effects.lock(Relation::Table, &key.table, Mode::MetadataExclusive);
        }
        let child = around
            .schema
            .referring_to(name)
            .map(|(child, ..)| child)
            .find(|child| !drop.names.contains(child) && *child != name);
        if let Some(child) = child
            && around.foreign_key_checks
        {
            effects.fails.get_or_insert(format!("a foreign key of `{child}` refers to `{name}`"));
        }
        table_dropped(name, around.schema, &mut effects);
    }
    effects
}

/// `RENAME TABLE`.
pub(super) fn rename(pairs: &[(Name, Name)], around: &Surroundings) -> Effects {
    let mut effects = implicit_commit();
    effects.algorithm = Some(Algorithm::Instant);
    let mut freed: Vec<&Name> = Vec::new();
    let mut made: Vec<&Name> = Vec::new();
    for (from, to) in pairs {
        if !made.contains(&from)
            && let Some(reason) = absent(from, around)
        {
            effects.fails.get_or_insert(reason);
        }
        let taken = refuse::table_exists(to, around.schema).filter(|_| !freed.contains(&to));
        if let Some(reason) = taken {
            effects.fails.get_or_insert(reason);
        }
        freed.push(from);
        made.push(to);
        effects.lock(Relation::Table, from, Mode::MetadataExclusive);
        effects.lock(Relation::Table, to, Mode::MetadataExclusive);
        for (_, key) in around.schema.foreign_keys_of(from) {
            effects.lock(Relation::Table, &key.table, Mode::MetadataExclusive);
        }
        for (child, ..) in around.schema.referring_to(from) {
            effects.lock(Relation::Table, child, Mode::MetadataExclusive);
        }
    }
    // A table that takes the name of another in the same statement leaves nobody without one.
    for (from, _) in pairs.iter().filter(|(from, _)| !made.contains(&from)) {
        table_renamed(from, around.schema, &mut effects);
    }
    effects
}

/// `TRUNCATE`.
pub(super) fn truncate(tables: &[Name], around: &Surroundings) -> Effects {
    let mut effects = implicit_commit();
    for name in tables {
        if let Some(reason) = absent(name, around) {
            effects.fails.get_or_insert(reason);
            continue;
        }
        effects.lock(Relation::Table, name, Mode::MetadataExclusive);
        let mut children = around.schema.referring_to(name).map(|(child, ..)| child);
        if let Some(child) = children.find(|child| *child != name)
            && around.foreign_key_checks
        {
            effects.fails.get_or_insert(format!("a foreign key of `{child}` refers to `{name}`"));
        }
        lose(&mut effects, name, "all its rows");
    }
    effects
}

/// `ANALYZE TABLE`: it reads a sample.
pub(super) fn analyze(tables: &[Name]) -> Effects {
    let mut effects = implicit_commit();
    for name in tables {
        effects.lock(Relation::Table, name, Mode::MetadataShared);
    }
    effects
}

/// `LOCK TABLES`: until `UNLOCK TABLES`.
pub(super) fn lock(tables: &[(Name, LockMode)]) -> Effects {
    let mut effects = implicit_commit();
    for (name, mode) in tables {
        let mode = if *mode == LockMode::Read { Mode::Shared } else { Mode::Exclusive };
        effects.lock(Relation::Table, name, mode);
    }
    effects.why.push("the locks stay until `UNLOCK TABLES` or the end of the session".to_owned());
    effects
}

/// A view: its metadata alone.
pub(super) fn view(names: &[Name], reads: &[Name], gone: bool, around: &Surroundings) -> Effects {
    let mut effects = implicit_commit();
    for name in names {
        effects.lock(Relation::View, name, Mode::MetadataExclusive);
        if gone {
            breaks(&mut effects, name, format!("code that reads the view `{name}` fails"));
            for (other, _) in around.schema.views_of(name) {
                breaks(
                    &mut effects,
                    other,
                    format!("the view `{other}` reads `{name}`, and fails"),
                );
            }
        }
    }
    for read in reads {
        effects.lock(Relation::Table, read, Mode::MetadataShared);
    }
    effects
}

/// A trigger, or whatever else belongs to a table.
pub(super) fn belonging(table: Option<&Name>) -> Effects {
    let mut effects = implicit_commit();
    match table {
        Some(table) => effects.lock(Relation::Table, table, Mode::MetadataExclusive),
        None => effects.assume("its table was never seen: the definition would name it"),
    }
    effects
}

/// `INSERT`, `UPDATE`, `DELETE`, `REPLACE`, `LOAD DATA`.
pub(super) fn dml(dml: &Dml) -> Effects {
    let mut effects = Effects::none();
    match &dml.table {
        Some(table) => effects.lock(Relation::Table, table, Mode::MetadataShared),
        None => {
            let why = "the table that it writes could not be found".to_owned();
            effects.verdict = Verdict::NotEvaluated(why);
        }
    }
    for read in &dml.reads {
        effects.lock(Relation::Table, read, Mode::MetadataShared);
    }
    effects
}

/// `SELECT`.
pub(super) fn query(query: &Query) -> Effects {
    let mut effects = Effects::none();
    for read in &query.reads {
        effects.lock(Relation::Table, read, Mode::MetadataShared);
    }
    effects
}
