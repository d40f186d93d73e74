//! Tables made and dropped.

use super::{Judge, Mode};
use crate::gate::effects::Relation;
use crate::sql::schema::plain;
use crate::sql::statement::{ConstraintKind, CreateTable, Drop, Name};

impl Judge<'_> {
    /// Nobody waits for a table that is not there yet; but for those that it names.
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        if let Some((parent, _)) = &create.partition_of {
            self.lock(parent, Mode::AccessExclusiveLock);
            let default = self.around.schema.partitions_of(parent).find(|(_, default)| *default);
            if let Some(default) = default.map(|(name, _)| name.clone()) {
                self.lock(&default, Mode::AccessExclusiveLock);
                self.because(format!(
                    "the default partition `{default}` is looked through for rows that belong to it"
                ));
                self.effects.scans(&default);
            }
            self.because(format!(
                "a partition that is made in place locks `{}`; made alone and attached later, it \
                 does not",
                plain(parent)
            ));
        }
        for parent in &create.inherits {
            self.lock(parent, Mode::ShareUpdateExclusiveLock);
        }
        for like in &create.like {
            self.lock(like, Mode::AccessShareLock);
        }
        let of_columns = create.columns.iter().filter_map(|column| column.references.as_ref());
        let of_table = create.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => Some(key),
            _ => None,
        });
        for key in of_columns.chain(of_table) {
            if plain(&key.table) != plain(&create.name) {
                self.lock_tree(&key.table, Mode::ShareRowExclusiveLock);
            }
        }
        for read in create.from_query.iter().flatten() {
            self.read(read);
        }
    }

    pub(super) fn drop_tables(&mut self, drop: &Drop) {
        for name in &drop.names {
            if drop.if_exists && self.is_missing(name) {
                continue;
            }
            self.drop_table(name, drop.cascade);
        }
    }

    fn drop_table(&mut self, name: &Name, cascade: bool) {
        let schema = self.around.schema;
        self.loses(name, "all its rows");
        self.breaks(name, "code that still reads or writes it fails");
        if schema.table(name).is_none() && !schema.complete {
            self.effects.assume(Self::unseen(&format!(
                "which tables are locked with `{name}` because of foreign keys"
            )));
        }
        let all = self.tree(name);
        for one in &all {
            self.lock(one, Mode::AccessExclusiveLock);
            self.lock_indexes(one, Mode::AccessExclusiveLock);
            self.lock_sequences(one, None, Mode::AccessExclusiveLock);
            let parents: Vec<Name> =
                schema.foreign_keys_of(one).map(|(_, key)| key.table.clone()).collect();
            for parent in parents {
                self.lock_tree(&parent, Mode::AccessExclusiveLock);
            }
            if let Some((parent, _)) =
                schema.table(one).and_then(|table| table.partition_of.clone())
                && !all.contains(&parent)
            {
                self.lock(&parent, Mode::AccessExclusiveLock);
                let default = schema.partitions_of(&parent).find(|(_, default)| *default);
                if let Some(default) = default.map(|(name, _)| name.clone()) {
                    self.lock(&default, Mode::AccessExclusiveLock);
                }
            }
        }
        for one in &all {
            let children: Vec<Name> = schema
                .referring_to(one)
                .map(|(child, ..)| child.clone())
                .filter(|child| !all.contains(child))
                .collect();
            let views: Vec<(Name, bool)> = schema
                .views_of(one)
                .map(|(name, view)| (name.clone(), view.materialized))
                .collect();
            if !cascade && let Some(child) = children.first() {
                self.fails(format!("a foreign key of `{child}` refers to it"));
            }
            if !cascade && let Some((view, _)) = views.first() {
                self.fails(format!("the view `{view}` reads it"));
            }
            if cascade {
                for child in children {
                    self.lock_tree(&child, Mode::AccessExclusiveLock);
                }
                for (view, materialized) in views {
                    let of = if materialized { Relation::MaterializedView } else { Relation::View };
                    self.effects.lock(of, &view, Mode::AccessExclusiveLock);
                    self.lock_indexes(&view, Mode::AccessExclusiveLock);
                }
            }
        }
    }
}
