//! Tables made and dropped.

use super::{Judge, Mode};
use crate::sql::schema::plain;
use crate::sql::statement::{ConstraintKind, CreateTable, Drop, Name};

impl Judge<'_> {
    /// Nobody waits for a table that is not there yet; but for those that it names.
    pub(super) fn create_table(&mut self, create: &CreateTable) {
        self.refuse_table(create);
        self.new_table(create);
        if let Some((parent, _)) = &create.partition_of {
            self.create_partition(parent, create.bounds.as_deref());
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
                self.lock_referenced(&key.table);
            }
        }
        match &create.from_query {
            // It is looked at and not run.
            Some(query)
                if create.without_data || (create.if_not_exists && self.exists(&create.name)) =>
            {
                query.reads.iter().for_each(|read| self.lock(read, Mode::AccessShareLock));
            }
            Some(query) => self.query(query),
            None => {}
        }
    }

    /// The table that a new foreign key refers to: its partitions get triggers as well, while a row
    /// of a table that inherits from it counts for nothing.
    fn lock_referenced(&mut self, table: &Name) {
        if self.is_partitioned(table) {
            self.lock_tree(table, Mode::ShareRowExclusiveLock);
        } else {
            self.lock(table, Mode::ShareRowExclusiveLock);
        }
    }

    pub(super) fn drop_tables(&mut self, drop: &Drop) {
        let (missing, present): (Vec<Name>, Vec<Name>) =
            drop.names.iter().cloned().partition(|name| self.is_missing(name));
        if let Some(name) = missing.first()
            && !drop.if_exists
        {
            self.fails(format!("there is no table `{name}`"));
        }
        self.drop_together(&present, drop.cascade);
    }

    /// Drops tables at once: what hangs on one of them and goes as well is in nobody's way.
    pub(super) fn drop_together(&mut self, names: &[Name], cascade: bool) {
        let mut all: Vec<Name> = names.iter().flat_map(|name| self.tree(name)).collect();
        all.dedup();
        for name in names {
            self.loses(name, "all its rows");
            self.breaks(name, "code that still reads or writes it fails");
            if self.around.schema.table(name).is_none() && !self.around.schema.complete {
                self.effects.assume(Self::unseen(&format!(
                    "which tables are locked with `{name}` because of foreign keys"
                )));
            }
        }
        for one in &all {
            self.drop_one(one, &all);
            self.drop_dependents(one, &all, cascade);
            if !cascade {
                self.refuse_heirs(one, names);
            }
        }
    }

    /// What goes with a table in any case.
    fn drop_one(&mut self, one: &Name, all: &[Name]) {
        let schema = self.around.schema;
        self.lock(one, Mode::AccessExclusiveLock);
        self.lock_indexes(one, Mode::AccessExclusiveLock);
        self.lock_sequences(one, None, Mode::AccessExclusiveLock);
        for key in self.keys_of_line(one) {
            self.lock_tree(&key.table, Mode::AccessExclusiveLock);
        }
        if let Some((parent, _)) = schema.table(one).and_then(|table| table.partition_of.clone())
            && !all.contains(&parent)
        {
            self.lock(&parent, Mode::AccessExclusiveLock);
            if let Some(default) = self.default_partition(&parent) {
                self.lock(&default, Mode::AccessExclusiveLock);
            }
        }
    }

    /// What refers to a table or reads it: it is in the way, or goes with it.
    fn drop_dependents(&mut self, one: &Name, all: &[Name], cascade: bool) {
        let mut referrers = self.referrers_of_line(one);
        referrers.retain(|referrer| !all.contains(referrer));
        let readers = self.readers_of(one);
        let ruled = self.tables_ruled_with(one);
        if !cascade {
            if let Some(referrer) = referrers.first() {
                self.fails(format!("a foreign key of `{referrer}` refers to it"));
            }
            if let Some(view) = readers.first() {
                self.fails(format!("the view `{view}` reads it"));
            }
            if let Some(routine) = self.routine_on(one) {
                self.fails(format!("the function `{routine}` depends on it"));
            }
            if let Some(table) = ruled.iter().find(|table| !all.contains(table)) {
                self.fails(format!("a rule of `{table}` names it"));
            }
            return;
        }
        for referrer in referrers {
            self.lock_tree(&referrer, Mode::AccessExclusiveLock);
        }
        for table in ruled {
            self.lock(&table, Mode::AccessExclusiveLock);
        }
        self.lock_readers(&readers);
    }

    /// Partitions go with their table; tables that inherit from it are in its way.
    fn refuse_heirs(&mut self, one: &Name, names: &[Name]) {
        let named = |name: &Name| names.iter().any(|have| plain(have) == *name);
        let heir = self.around.schema.descendants(one).into_iter().find(|below| {
            let inherits = self
                .around
                .schema
                .table(below)
                .is_some_and(|table| table.inherits.iter().any(|parent| plain(parent) == *one));
            inherits && !named(below)
        });
        if let Some(heir) = heir {
            self.fails(format!("`{heir}` inherits from it"));
        }
    }
}
