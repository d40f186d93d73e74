//! Indexes made, changed, rebuilt and dropped.

use super::{Judge, Mode};
use crate::gate::effects::{Relation, Verdict};
use crate::sql::schema::plain;
use crate::sql::statement::{CreateIndex, Drop, IndexAction, Name, Reindexed};

impl Judge<'_> {
    pub(super) fn create_index(&mut self, index: &CreateIndex) {
        self.refuse_index(index);
        self.index_partitioned(index);
        let partitioned = self.is_partitioned(&index.table);
        if index.concurrently {
            self.lock(&index.table, Mode::ShareUpdateExclusiveLock);
            if partitioned {
                self.fails("an index of a partitioned table cannot be made concurrently");
            }
            if self.around.in_transaction {
                self.fails("`CREATE INDEX CONCURRENTLY` cannot run inside a transaction");
            }
            self.effects.builds_index(&plain(&index.table));
            return;
        }
        if index.only {
            self.lock(&index.table, Mode::ShareLock);
            if !partitioned {
                self.effects.builds_index(&plain(&index.table));
            }
            return;
        }
        let named = index.name.as_ref().map(plain);
        let there = named.is_some_and(|name| self.around.schema.indexes.contains_key(&name));
        if index.if_not_exists && there {
            self.lock(&index.table, Mode::ShareLock);
            return;
        }
        let partitions: Vec<Name> =
            if partitioned { self.tree(&index.table) } else { vec![plain(&index.table)] };
        for one in &partitions {
            self.lock(one, Mode::ShareLock);
        }
        for one in self.with_rows(&index.table) {
            if partitions.contains(&one) {
                self.effects.builds_index(&one);
            }
        }
    }

    /// The table of an index that was seen.
    pub(super) fn table_of(&mut self, index: &Name) -> Option<Name> {
        let found = self.around.schema.indexes.get(&plain(index)).map(|index| index.table.clone());
        if found.is_none() && !self.around.schema.complete {
            self.effects.assume(format!(
                "which table the index `{index}` belongs to, which is locked with it: give the \
                 schema with `--schema`"
            ));
        }
        found
    }

    pub(super) fn drop_indexes(&mut self, drop: &Drop, concurrently: bool) {
        let schema = self.around.schema;
        if concurrently && self.around.in_transaction {
            self.fails("`DROP INDEX CONCURRENTLY` cannot run inside a transaction");
        }
        if concurrently && drop.names.len() > 1 {
            self.fails("only one index can be dropped concurrently");
        }
        if concurrently && drop.cascade {
            self.fails("an index cannot be dropped concurrently with what depends on it");
        }
        let mode =
            if concurrently { Mode::ShareUpdateExclusiveLock } else { Mode::AccessExclusiveLock };
        for name in &drop.names {
            if self.is_missing(name) {
                if !drop.if_exists {
                    self.fails(format!("there is no index `{name}`"));
                }
                continue;
            }
            let table = self.table_of(name);
            self.effects.lock(Relation::Index, &plain(name), mode);
            let Some(table) = table else { continue };
            self.lock(&table, mode);
            if schema.table(&table).is_some_and(|of| of.partition_by.is_some()) {
                if concurrently {
                    self.fails("an index of a partitioned table cannot be dropped concurrently");
                }
                self.drop_children(&plain(name));
            }
            let known = schema.indexes.get(&plain(name));
            if known.is_some_and(|index| index.of_constraint) {
                self.fails(format!("a constraint of `{table}` needs it"));
            }
            if let Some(parent) = known.and_then(|index| index.attached_to.as_ref()) {
                self.fails(format!("it is a part of `{parent}`"));
            }
        }
    }

    fn drop_children(&mut self, parent: &Name) {
        let children: Vec<(Name, Name)> = self
            .around
            .schema
            .indexes
            .iter()
            .filter(|(_, index)| index.attached_to.as_ref() == Some(parent))
            .map(|(name, index)| (name.clone(), index.table.clone()))
            .collect();
        for (index, table) in children {
            self.effects.lock(Relation::Index, &index, Mode::AccessExclusiveLock);
            self.lock(&table, Mode::AccessExclusiveLock);
            self.drop_children(&index);
        }
    }

    pub(super) fn alter_index(&mut self, name: &Name, action: &IndexAction) {
        let index = plain(name);
        let renames = matches!(action, IndexAction::RenameTo(_));
        if !renames && self.is_missing(name) {
            return;
        }
        if !renames && self.around.schema.complete && self.kind(name) != Relation::Index {
            self.fails(format!("`{name}` is no index"));
        }
        match action {
            IndexAction::RenameTo(_) if self.is_missing(name) => {}
            // It renames any relation, each as its own statement would.
            IndexAction::RenameTo(_)
                if self.around.schema.complete && self.kind(name) != Relation::Index =>
            {
                self.lock(name, Mode::AccessExclusiveLock);
            }
            IndexAction::RenameTo(_) => {
                // Since PostgreSQL 12 whoever uses an index goes on while it is renamed.
                let mode = match self.version() {
                    ..12 => Mode::AccessExclusiveLock,
                    _ => Mode::ShareUpdateExclusiveLock,
                };
                self.effects.lock(Relation::Index, &index, mode);
            }
            IndexAction::Attach(child) => {
                self.effects.lock(Relation::Index, &index, Mode::ShareUpdateExclusiveLock);
                self.effects.lock(Relation::Index, &plain(child), Mode::AccessExclusiveLock);
                for of in [name, child] {
                    if let Some(table) = self.table_of(of) {
                        self.lock(&table, Mode::AccessShareLock);
                    }
                }
            }
            IndexAction::SetTablespace => {
                self.effects.lock(Relation::Index, &index, Mode::AccessExclusiveLock);
                self.because("the index is copied as it is");
            }
            IndexAction::Set => {
                self.effects.lock(Relation::Index, &index, Mode::ShareUpdateExclusiveLock);
            }
        }
    }

    pub(super) fn reindex(&mut self, of: Reindexed, name: Option<&Name>, concurrently: bool) {
        let (table, index) = if concurrently {
            (Mode::ShareUpdateExclusiveLock, Mode::ShareUpdateExclusiveLock)
        } else {
            (Mode::ShareLock, Mode::AccessExclusiveLock)
        };
        if let Some(name) = name
            && matches!(of, Reindexed::Index | Reindexed::Table)
            && self.is_missing(name)
        {
            self.fails(format!("there is no `{name}`"));
        }
        match (of, name) {
            (Reindexed::Index, Some(name)) if self.is_of_partitioned(name) => {
                self.came_with(14, "`REINDEX` of the index of a partitioned table");
                self.reindex_partitions(name, table, index);
            }
            (Reindexed::Table, Some(name)) if self.is_partitioned(name) => {
                self.reindex_tree(name, table);
                for one in self.with_rows(name) {
                    self.lock_indexes(&one, index);
                }
            }
            (Reindexed::Index, Some(name)) => {
                self.effects.lock(Relation::Index, &plain(name), index);
                if let Some(of) = self.table_of(name) {
                    self.lock(&of, table);
                    self.effects.builds_index(&of);
                }
            }
            (Reindexed::Table, Some(name)) => {
                for one in self.with_rows(name) {
                    self.lock(&one, table);
                    self.lock_indexes(&one, index);
                    if !self.lacks_indexes(&one) {
                        self.effects.builds_index(&one);
                    }
                }
            }
            _ => {
                let why = "it rebuilds the indexes of many tables, one after the other".to_owned();
                self.effects.verdict = Verdict::NotEvaluated(why);
            }
        }
        if concurrently && self.around.in_transaction {
            self.fails("`REINDEX CONCURRENTLY` cannot run inside a transaction");
        }
    }

    fn is_of_partitioned(&self, index: &Name) -> bool {
        let index = self.around.schema.indexes.get(&plain(index));
        index.is_some_and(|index| self.is_partitioned(&index.table))
    }

    fn lacks_indexes(&self, table: &Name) -> bool {
        let schema = self.around.schema;
        schema.complete
            && schema.table(table).is_some_and(|table| table.whole)
            && schema.indexes_of(table).next().is_none()
    }

    /// The partitions are locked together to be listed, also where each is rebuilt concurrently then.
    fn reindex_tree(&mut self, table: &Name, mode: Mode) {
        if self.around.in_transaction {
            self.fails("indexes of a partitioned table cannot be rebuilt inside a transaction");
        }
        self.lock(table, mode);
        for below in self.around.schema.descendants(table) {
            self.lock(&below, mode.max(Mode::ShareLock));
        }
        for one in self.with_rows(table) {
            self.effects.builds_index(&one);
        }
    }

    fn reindex_partitions(&mut self, parent: &Name, table: Mode, index: Mode) {
        let Some(of) = self.table_of(parent) else { return };
        self.reindex_tree(&of, table);
        let mut open = vec![plain(parent)];
        while let Some(one) = open.pop() {
            self.effects.lock(Relation::Index, &one, index);
            let all = self.around.schema.indexes.iter();
            let children = all.filter(|(_, index)| index.attached_to.as_ref() == Some(&one));
            open.extend(children.map(|(name, _)| name.clone()));
        }
    }
}
