//! Partitions attached, detached, and made in place.

use super::{Judge, Mode};
use crate::sql::schema::{Index, plain};
use crate::sql::statement::{ConstraintKind, ForeignKey, Name};

impl Judge<'_> {
    pub(super) fn attach(&mut self, parent: &Name, child: &Name) {
        self.lock_tree(child, Mode::AccessExclusiveLock);
        let default = self.default_partition(parent);
        let proven = self.around.schema.table(child).is_some_and(|table| {
            table.constraints.iter().any(|constraint| {
                matches!(constraint.kind, ConstraintKind::Check(_)) && !constraint.not_valid
            })
        });
        if proven {
            self.because(
                "a valid check of the partition may prove its bounds, and then no row is looked at",
            );
        } else {
            self.because("no valid check proves the bounds, so every row of it is looked at");
            for one in self.with_rows(child) {
                self.effects.scans(&one);
            }
        }
        if let Some(default) = default {
            self.search_default(&default);
        }
        self.attach_indexes(parent, child);
        self.attach_keys(parent, child);
    }

    pub(super) fn detach(&mut self, parent: &Name, child: &Name, concurrently: bool) {
        let is_partition = self.around.schema.table(child).is_some_and(|table| {
            table.partition_of.as_ref().is_some_and(|(of, _)| *of == plain(parent))
        });
        if self.around.schema.complete && !is_partition {
            self.fails(format!("`{child}` is no partition of it"));
        }
        let default = self.default_partition(parent);
        if concurrently {
            if default.is_some() {
                self.fails("it cannot be detached concurrently beside a default partition");
            }
            if self.around.in_transaction {
                self.fails("`DETACH … CONCURRENTLY` cannot run inside a transaction");
            }
            self.because("at its end it locks the partition, and nobody reads it for a moment");
        } else if let Some(default) = default {
            self.lock(&default, Mode::AccessExclusiveLock);
        }
        self.lock(child, Mode::AccessExclusiveLock);
        self.lock_indexes(child, Mode::AccessExclusiveLock);
        self.detach_keys(parent, child);
    }

    /// A partition that is made in place gets its part of the parent's indexes and keys.
    pub(super) fn create_partition(&mut self, parent: &Name) {
        self.lock(parent, Mode::AccessExclusiveLock);
        self.lock_indexes(parent, Mode::ShareUpdateExclusiveLock);
        for key in self.keys_of_line(parent) {
            self.lock_tree(&key.table, Mode::ShareRowExclusiveLock);
        }
        for referrer in self.referrers_of_line(parent) {
            self.lock_tree(&referrer, Mode::ShareRowExclusiveLock);
        }
        if let Some(default) = self.default_partition(parent) {
            self.search_default(&default);
        }
        self.because(format!(
            "a partition that is made in place locks `{}`; made alone and attached later, it does \
             not",
            plain(parent)
        ));
    }

    fn search_default(&mut self, default: &Name) {
        self.lock(default, Mode::AccessExclusiveLock);
        self.because(format!(
            "the default partition `{default}` is looked through for rows that belong to it"
        ));
        self.effects.scans(default);
    }

    pub(super) fn default_partition(&self, parent: &Name) -> Option<Name> {
        let mut partitions = self.around.schema.partitions_of(parent);
        partitions.find(|(_, default)| *default).map(|(name, _)| name.clone())
    }

    /// Of each index of the parent the partition needs one: its own if it has the same, or else one
    /// that is built now.
    fn attach_indexes(&mut self, parent: &Name, child: &Name) {
        let schema = self.around.schema;
        self.lock_indexes(parent, Mode::ShareUpdateExclusiveLock);
        for one in self.with_rows(child) {
            let missing = schema
                .indexes_of(parent)
                .any(|(_, wanted)| !schema.indexes_of(&one).any(|(_, have)| same(wanted, have)));
            if missing {
                self.because(format!("`{one}` lacks an index of the parent, which is built now"));
                self.effects.builds_index(&one);
            }
        }
    }

    /// The parent's foreign keys are verified on the partition, but for those that it has itself;
    /// and those that refer to the parent are made to refer to the partition as well.
    fn attach_keys(&mut self, parent: &Name, child: &Name) {
        let schema = self.around.schema;
        for key in self.keys_of_line(parent) {
            let same = |have: &ForeignKey| {
                plain(&have.table) == plain(&key.table) && have.columns == key.columns
            };
            if schema.foreign_keys_of(child).any(|(_, have)| same(have)) {
                // The triggers of its own key make way for those of the parent's.
                self.lock_tree(&key.table, Mode::AccessExclusiveLock);
                continue;
            }
            self.because(format!(
                "the rows are looked up in `{}`, to which the parent refers",
                plain(&key.table)
            ));
            self.lock_tree(&key.table, Mode::ShareRowExclusiveLock);
            for one in self.tree(&key.table) {
                self.lock_indexes(&one, Mode::AccessShareLock);
            }
            for one in self.with_rows(child) {
                self.lock_indexes(&one, Mode::AccessShareLock);
                self.effects.scans(&one);
            }
        }
        for referrer in self.referrers_of_line(parent) {
            self.lock_tree(&referrer, Mode::ShareRowExclusiveLock);
        }
    }

    /// The foreign keys are cut: no row of the partition may be referred to any more, and its own
    /// references get triggers of their own.
    fn detach_keys(&mut self, parent: &Name, child: &Name) {
        let keys = self.keys_of_line(parent);
        let referrers = self.referrers_of_line(parent);
        for key in &keys {
            self.lock_tree(&key.table, Mode::ShareRowExclusiveLock);
        }
        if !keys.is_empty() || !referrers.is_empty() {
            self.lock_tree(child, Mode::AccessExclusiveLock);
        }
        for referrer in &referrers {
            self.because(format!("the rows of `{referrer}` are looked up in the partition"));
            for one in self.tree(referrer) {
                self.lock(&one, Mode::AccessExclusiveLock);
                self.lock_indexes(&one, Mode::AccessShareLock);
            }
        }
        if !referrers.is_empty() {
            for one in self.tree(child) {
                self.lock_indexes(&one, Mode::AccessShareLock);
            }
            for above in self.line(parent) {
                self.lock(&above, Mode::AccessShareLock);
            }
        }
    }

    /// A table and those that it is a partition of, to the root.
    pub(super) fn line(&self, table: &Name) -> Vec<Name> {
        let mut line = vec![plain(table)];
        let above = |name: &Name| self.around.schema.table(name)?.partition_of.clone();
        while let Some((parent, _)) = line.last().and_then(above) {
            if line.contains(&parent) {
                break;
            }
            line.push(parent);
        }
        line
    }

    /// The foreign keys of a table, with those that it has as a partition.
    pub(super) fn keys_of_line(&self, table: &Name) -> Vec<ForeignKey> {
        let keys = |one: &Name| {
            let keys = self.around.schema.foreign_keys_of(one).map(|(_, key)| key.clone());
            keys.collect::<Vec<_>>()
        };
        self.line(table).iter().flat_map(keys).collect()
    }

    /// The tables that refer to a table, or to one that it is a partition of.
    pub(super) fn referrers_of_line(&self, table: &Name) -> Vec<Name> {
        let referrers = |one: &Name| {
            let names = self.around.schema.referring_to(one).map(|(child, ..)| child.clone());
            names.collect::<Vec<_>>()
        };
        let mut all: Vec<Name> = self.line(table).iter().flat_map(referrers).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// Whether an index of a partition can stand for that of the parent.
fn same(wanted: &Index, have: &Index) -> bool {
    let (wanted_is, have_is) = (&wanted.definition, &have.definition);
    let predicate = |index: &Index| {
        index.definition.predicate.as_ref().map(|predicate| predicate.text.to_lowercase())
    };
    let parts = |index: &Index| {
        index.definition.parts.iter().map(|part| format!("{part:?}")).collect::<Vec<_>>()
    };
    (have.of_constraint || !wanted.of_constraint)
        && wanted_is.unique == have_is.unique
        && predicate(wanted) == predicate(have)
        && parts(wanted) == parts(have)
}
