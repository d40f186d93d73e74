//! Indexes, views, triggers, types, schemas, sequences, and maintenance.

use super::{Judge, Mode};
use crate::gate::effects::{Relation, Verdict};
use crate::sql::schema::plain;
use crate::sql::statement::{
    CreateIndex, DomainAction, Drop, IndexAction, LockMode, Maintenance, Name, Reindexed,
    SequenceAction, TableObject, Type, TypeAction, What,
};

impl Judge<'_> {
    pub(super) fn object(&mut self, what: &What) {
        match what {
            What::CreateIndex(index) => self.create_index(index),
            What::DropIndex { drop, concurrently, .. } => self.drop_indexes(drop, *concurrently),
            What::AlterIndex { name, action } => self.alter_index(name, action),
            What::Reindex { of, name, concurrently } => {
                self.reindex(*of, name.as_ref(), *concurrently);
            }
            What::CreateView { name, materialized, or_replace, reads, .. } => {
                if *or_replace && self.around.schema.views.contains_key(&plain(name)) {
                    self.effects.lock(Relation::View, &plain(name), Mode::AccessExclusiveLock);
                }
                for read in reads {
                    if *materialized {
                        self.read(read);
                    } else {
                        self.lock(read, Mode::AccessShareLock);
                    }
                }
            }
            What::DropView { drop, materialized } => self.drop_views(drop, *materialized),
            What::RefreshView { name, concurrently, with_data } => {
                self.refresh(name, *concurrently, *with_data);
            }
            // A trigger for each row of a partitioned table is made on every partition.
            What::CreateTrigger { table, .. } => {
                let partitions =
                    self.around.schema.table(table).is_some_and(|of| of.partition_by.is_some());
                if partitions {
                    self.lock_tree(table, Mode::ShareRowExclusiveLock);
                } else {
                    self.lock(table, Mode::ShareRowExclusiveLock);
                }
            }
            What::Sequence { drop, action, .. } => {
                let mode = match action {
                    SequenceAction::Create => return,
                    SequenceAction::Alter => Mode::ShareRowExclusiveLock,
                    SequenceAction::Drop => Mode::AccessExclusiveLock,
                };
                for name in &drop.names {
                    self.effects.lock(Relation::Sequence, &plain(name), mode);
                }
            }
            What::DropTrigger { table: Some(table), .. } => {
                self.lock(table, Mode::AccessExclusiveLock);
            }
            What::TableObject { table: Some(table), of, .. } => match of {
                TableObject::Policy | TableObject::Rule => {
                    self.lock(table, Mode::AccessExclusiveLock);
                }
                TableObject::Trigger => self.lock(table, Mode::AccessExclusiveLock),
            },
            What::Comment(Some(relation)) => self.lock(relation, Mode::ShareUpdateExclusiveLock),
            What::Grant(relations) if self.version() >= 18 => {
                for one in relations {
                    self.lock(one, Mode::AccessShareLock);
                }
            }
            What::CreateStatistics(Some(table)) => {
                self.lock(table, Mode::ShareUpdateExclusiveLock);
            }
            What::Truncate { tables, cascade } => self.truncate(tables, *cascade),
            What::Maintenance { of, tables } => self.maintain(*of, tables),
            What::LockTables(tables) => {
                for (table, mode) in tables {
                    self.lock_tree(table, mode_of(*mode));
                }
            }
            What::AlterDomain { name, action } => self.alter_domain(name, action),
            What::AlterType { name, action } => self.alter_type(name, action),
            What::DropType(drop) => self.drop_types(drop),
            What::DropSchema(drop) => self.drop_schemas(drop),
            What::RenameSchema { from, .. } => {
                let name = Name::plain(from);
                self.breaks(&name, "code that names the schema fails");
            }
            What::DropRoutine(drop) => {
                for name in &drop.names {
                    self.breaks(name, "code that still calls it fails");
                }
            }
            _ => {}
        }
    }

    fn create_index(&mut self, index: &CreateIndex) {
        let partitioned =
            self.around.schema.table(&index.table).is_some_and(|of| of.partition_by.is_some());
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
    fn table_of(&mut self, index: &Name) -> Option<Name> {
        let found = self.around.schema.indexes.get(&plain(index)).map(|index| index.table.clone());
        if found.is_none() && !self.around.schema.complete {
            self.effects.assume(format!(
                "which table the index `{index}` belongs to, which is locked with it: give the \
                 schema with `--schema`"
            ));
        }
        found
    }

    fn drop_indexes(&mut self, drop: &Drop, concurrently: bool) {
        let schema = self.around.schema;
        if concurrently && self.around.in_transaction {
            self.fails("`DROP INDEX CONCURRENTLY` cannot run inside a transaction");
        }
        let mode =
            if concurrently { Mode::ShareUpdateExclusiveLock } else { Mode::AccessExclusiveLock };
        for name in &drop.names {
            if drop.if_exists && self.is_missing(name) {
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
            if schema.indexes.get(&plain(name)).is_some_and(|index| index.of_constraint) {
                self.fails(format!("a constraint of `{table}` needs it"));
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

    fn alter_index(&mut self, name: &Name, action: &IndexAction) {
        let index = plain(name);
        match action {
            IndexAction::RenameTo(_) => {
                self.effects.lock(Relation::Index, &index, Mode::ShareUpdateExclusiveLock);
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
                if let Some(table) = self.table_of(name) {
                    self.effects.builds_index(&table);
                }
            }
            IndexAction::Set => {
                self.effects.lock(Relation::Index, &index, Mode::ShareUpdateExclusiveLock);
            }
        }
    }

    fn reindex(&mut self, of: Reindexed, name: Option<&Name>, concurrently: bool) {
        let (table, index) = if concurrently {
            (Mode::ShareUpdateExclusiveLock, Mode::ShareUpdateExclusiveLock)
        } else {
            (Mode::ShareLock, Mode::AccessExclusiveLock)
        };
        match (of, name) {
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
                    self.effects.builds_index(&one);
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

    fn drop_views(&mut self, drop: &Drop, materialized: bool) {
        let of = if materialized { Relation::MaterializedView } else { Relation::View };
        for name in &drop.names {
            self.effects.lock(of, &plain(name), Mode::AccessExclusiveLock);
            self.lock_indexes(name, Mode::AccessExclusiveLock);
            self.breaks(name, "code that still reads it fails");
        }
    }

    fn refresh(&mut self, name: &Name, concurrently: bool, with_data: bool) {
        let view = plain(name);
        let mode = if concurrently { Mode::ExclusiveLock } else { Mode::AccessExclusiveLock };
        self.effects.lock(Relation::MaterializedView, &view, mode);
        if with_data {
            let reads = self.around.schema.views.get(&view).map(|view| view.reads.clone());
            for read in reads.iter().flatten() {
                self.read(read);
            }
        }
        if concurrently {
            self.lock_indexes(name, Mode::RowExclusiveLock);
            self.effects.scans(&view);
        } else {
            self.rewrite(name);
        }
    }

    fn truncate(&mut self, tables: &[Name], cascade: bool) {
        let schema = self.around.schema;
        let mut all: Vec<Name> = Vec::new();
        for name in tables {
            all.extend(self.tree(name));
        }
        let mut at = 0;
        while at < all.len() {
            let children: Vec<Name> =
                schema.referring_to(&all[at]).map(|(child, ..)| child.clone()).collect();
            for child in children {
                if !all.contains(&child) {
                    if cascade {
                        all.push(child);
                    } else {
                        self.fails(format!("a foreign key of `{child}` refers to it"));
                    }
                }
            }
            at += 1;
        }
        for one in &all {
            self.lock(one, Mode::AccessExclusiveLock);
            self.lock_indexes(one, Mode::AccessExclusiveLock);
            self.loses(one, "all its rows");
        }
    }

    fn maintain(&mut self, of: Maintenance, tables: &[Name]) {
        if tables.is_empty() {
            let why = "it works through every table of the database".to_owned();
            self.effects.verdict = Verdict::NotEvaluated(why);
        }
        if matches!(of, Maintenance::Vacuum | Maintenance::VacuumFull) && self.around.in_transaction
        {
            self.fails("`VACUUM` cannot run inside a transaction");
        }
        for name in tables {
            match of {
                Maintenance::Cluster | Maintenance::VacuumFull => {
                    for one in self.with_rows(name) {
                        self.lock(&one, Mode::AccessExclusiveLock);
                        self.rewrite(&one);
                    }
                }
                Maintenance::Repack { concurrently } => {
                    let mode = if concurrently {
                        Mode::ShareUpdateExclusiveLock
                    } else {
                        Mode::AccessExclusiveLock
                    };
                    self.lock(name, mode);
                    self.effects.rewrites(&plain(name));
                }
                Maintenance::Vacuum | Maintenance::Analyze | Maintenance::Optimize => {
                    for one in self.tree(name) {
                        self.lock(&one, Mode::ShareUpdateExclusiveLock);
                        self.lock_indexes(&one, Mode::AccessShareLock);
                    }
                }
            }
        }
    }

    /// The tables that have a column of this type.
    fn using(&self, wanted: &Name) -> Vec<Name> {
        let wanted = plain(wanted);
        let is =
            |ty: &Type| plain(&Name { schema: ty.schema.clone(), name: ty.name.clone() }) == wanted;
        let tables = self.around.schema.tables.iter();
        let using = tables.filter(|(_, table)| table.columns.iter().any(|column| is(&column.ty)));
        using.map(|(name, _)| name.clone()).collect()
    }

    /// The columns of a table that are of this type.
    fn columns_of_type(&self, table: &Name, wanted: &Name) -> Vec<String> {
        let wanted = plain(wanted);
        let known = self.around.schema.table(table).into_iter();
        let of_type = known.flat_map(|table| &table.columns).filter(|column| {
            let ty = &column.ty;
            plain(&Name { schema: ty.schema.clone(), name: ty.name.clone() }) == wanted
        });
        of_type.map(|column| column.name.clone()).collect()
    }

    fn alter_domain(&mut self, name: &Name, action: &DomainAction) {
        let checks = match action {
            DomainAction::AddConstraint { not_valid } => !not_valid,
            DomainAction::SetNotNull | DomainAction::Validate => true,
            DomainAction::Other => false,
        };
        if !checks {
            return;
        }
        if !self.around.schema.complete {
            self.effects.assume(format!(
                "which tables have a column of the domain `{name}`, which are locked and read \
                 whole: give the schema with `--schema`"
            ));
        }
        let mode = Mode::ShareLock;
        for table in self.using(name) {
            self.lock(&table, mode);
            self.effects.scans(&table);
        }
    }

    fn alter_type(&mut self, name: &Name, action: &TypeAction) {
        match action {
            TypeAction::Attributes => {
                for table in self.using(name) {
                    self.lock(&table, Mode::AccessExclusiveLock);
                }
                self.breaks(name, "code that reads its attributes may fail");
            }
            TypeAction::RenameValue { from, .. } => {
                self.breaks(name, format!("code that still says `{from}` fails"));
            }
            TypeAction::RenameTo(_) => self.breaks(name, "code that casts to the old name fails"),
            TypeAction::AddValue(_) | TypeAction::Other => {}
        }
    }

    fn drop_types(&mut self, drop: &Drop) {
        for name in &drop.names {
            let using = self.using(name);
            if drop.cascade {
                for table in using {
                    self.lock(&table, Mode::AccessExclusiveLock);
                    for column in self.columns_of_type(&table, name) {
                        self.drop_with_column(&table, &column);
                    }
                    self.loses(&table, format!("the columns of the type `{name}`"));
                }
            } else if let Some(table) = using.first() {
                self.fails(format!("`{table}` has a column of it"));
            }
        }
    }

    fn drop_schemas(&mut self, drop: &Drop) {
        for name in &drop.names {
            self.loses(name, "all that stands in the schema");
            let inside: Vec<Name> = self
                .around
                .schema
                .tables
                .keys()
                .filter(|table| table.schema.as_deref().unwrap_or("public") == name.name)
                .cloned()
                .collect();
            for table in inside {
                self.lock(&table, Mode::AccessExclusiveLock);
            }
            if drop.cascade && !self.around.schema.complete {
                self.effects.assume(format!(
                    "what stands in the schema `{}`: give it with `--schema`",
                    name.name
                ));
            }
        }
    }
}

fn mode_of(mode: LockMode) -> Mode {
    match mode {
        LockMode::AccessShare | LockMode::Read => Mode::AccessShareLock,
        LockMode::RowShare => Mode::RowShareLock,
        LockMode::RowExclusive => Mode::RowExclusiveLock,
        LockMode::ShareUpdateExclusive => Mode::ShareUpdateExclusiveLock,
        LockMode::Share => Mode::ShareLock,
        LockMode::ShareRowExclusive => Mode::ShareRowExclusiveLock,
        LockMode::Exclusive => Mode::ExclusiveLock,
        LockMode::AccessExclusive | LockMode::Write => Mode::AccessExclusiveLock,
    }
}
