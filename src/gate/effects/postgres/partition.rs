//! Partitions attached, detached, and made in place.

use super::bounds::{conditions, excludes, implies};
use super::{Judge, Mode};
use crate::sql::schema::{Index, plain};
use crate::sql::statement::{ForeignKey, Name};

impl Judge<'_> {
    pub(super) fn attach(&mut self, parent: &Name, child: &Name, bounds: &str) {
        self.lock_tree(child, Mode::AccessExclusiveLock);
        let default = self.default_partition(parent);
        let unproven: Vec<Name> = if self.proves(child, parent, bounds) {
            Vec::new()
        } else {
            let rows = self.with_rows(child).into_iter();
            rows.filter(|one| !self.proves(one, parent, bounds)).collect()
        };
        if unproven.is_empty() {
            self.because("valid checks of the partition prove its bounds: no row is looked at");
        } else {
            self.because("no valid check proves the bounds, so every row of it is looked at");
        }
        for one in &unproven {
            self.effects.scans(one);
        }
        if let Some(default) = default {
            self.search_default(parent, &default, Some(bounds));
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
    pub(super) fn create_partition(&mut self, parent: &Name, bounds: Option<&str>) {
        self.lock(parent, Mode::AccessExclusiveLock);
        self.lock_indexes(parent, Mode::ShareUpdateExclusiveLock);
        for key in self.keys_of_line(parent) {
            self.lock_tree(&key.table, Mode::ShareRowExclusiveLock);
        }
        for referrer in self.referrers_of_line(parent) {
            self.lock_tree(&referrer, Mode::ShareRowExclusiveLock);
        }
        if let Some(default) = self.default_partition(parent) {
            self.search_default(parent, &default, bounds);
        }
        self.because(format!(
            "a partition that is made in place locks `{}`; made alone and attached later, it does \
             not",
            plain(parent)
        ));
    }

    /// Whether the valid checks of a table prove that its rows belong into a partition of `parent`
    /// with these bounds, and into all that `parent` is a partition of.
    fn proves(&self, table: &Name, parent: &Name, bounds: &str) -> bool {
        let schema = self.around.schema;
        let line = self.line(parent);
        let above = line.iter().map(|one| schema.table(one).and_then(|one| one.bounds.as_deref()));
        let mut all = line.iter().zip(std::iter::once(Some(bounds)).chain(above));
        all.all(|(parent, bounds)| match bounds {
            Some(bounds) => self.proves_one(table, parent, bounds).unwrap_or(false),
            None => false,
        })
    }

    fn proves_one(&self, table: &Name, parent: &Name, bounds: &str) -> Option<bool> {
        let schema = self.around.schema;
        let known = schema.table(table)?;
        if bounds.trim().eq_ignore_ascii_case("default") {
            // What no other partition takes: with no other, everything.
            let mut others = schema
                .partitions_of(parent)
                .filter(|(one, is_default)| !is_default && *one != table);
            return Some(others.all(|(one, _)| {
                let bounds = schema.table(one).and_then(|one| one.bounds.as_deref());
                let of = bounds.and_then(|text| self.bounds_below(parent, text));
                of.is_some_and(|(of, column)| excludes(&conditions(known, &column), &of))
            }));
        }
        let (of, column) = self.bounds_below(parent, bounds)?;
        let not_null = known.column(&column).is_some_and(|column| column.not_null)
            || known.proof_of_not_null(&column).is_some();
        Some((not_null || of.takes_null()) && implies(&conditions(known, &column), &of))
    }

    /// The default partition holds no row of the new one any more: every row is looked at, where no
    /// valid check proves it.
    fn search_default(&mut self, parent: &Name, default: &Name, bounds: Option<&str>) {
        let new = bounds.and_then(|text| self.bounds_below(parent, text));
        for one in self.tree(default) {
            self.lock(&one, Mode::AccessExclusiveLock);
            let known = self.around.schema.table(&one);
            let proof = |known| {
                let (bounds, column) = new.as_ref()?;
                excludes(&conditions(known, column), bounds).then_some(())
            };
            if known.and_then(proof).is_some() {
                self.because(format!(
                    "a valid check of `{one}` proves that no row of it belongs to the new partition"
                ));
            } else if !self.is_partitioned(&one) {
                self.because(format!(
                    "the default partition `{one}` is looked through for rows that belong to it"
                ));
                self.effects.scans(&one);
            }
        }
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
