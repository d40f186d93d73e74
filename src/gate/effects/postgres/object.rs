//! Indexes, views, triggers, types, schemas, sequences, and maintenance.

use super::{Judge, Mode};
use crate::gate::effects::{Relation, Verdict};
use crate::sql::schema::{of_table, plain};
use crate::sql::statement::{
    Body, Dml, DomainAction, Drop, LockMode, Maintenance, Name, Named, ObjectAction,
    SequenceAction, TableObject, Type, TypeAction, Verb, What,
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
            What::CreateView { name, materialized, or_replace, reads, calls, columns, .. } => {
                self.refuse_view(name, *or_replace, columns);
                if *materialized {
                    for call in calls {
                        self.call(call);
                    }
                }
                if *or_replace && self.around.schema.views.contains_key(&plain(name)) {
                    self.effects.lock(Relation::View, &plain(name), Mode::AccessExclusiveLock);
                }
                for read in reads.iter().filter(|read| plain(read) != plain(name)) {
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
            What::CreateTrigger { name, table, or_replace, from, calls, .. } => {
                if let Some(function) = calls.as_ref().filter(|of| self.returns_else(of, "trigger"))
                {
                    self.fails(format!("`{function}` does not return `trigger`"));
                }
                if !or_replace && self.around.schema.triggers.contains_key(&of_table(table, name)) {
                    self.fails(format!("`{table}` has a trigger `{name}`"));
                }
                self.lock_partitions(table, Mode::ShareRowExclusiveLock);
                if let Some(from) = from {
                    self.lock(from, Mode::AccessShareLock);
                }
            }
            What::Sequence { drop, action } => self.sequence(drop, action),
            What::DropTrigger { name, table: Some(table), if_exists } => {
                if self.lacks_trigger(table, &name.name) {
                    if !if_exists {
                        self.fails(format!("`{table}` has no trigger `{name}`"));
                    }
                    return;
                }
                self.lock_partitions(table, Mode::AccessExclusiveLock);
            }
            What::CreateSchema { elements, .. } => {
                self.body(&Body { statements: elements.clone(), ..Body::default() });
            }
            What::TableObject {
                table: Some(table),
                of,
                name,
                action,
                lenient,
                reads,
                writes,
                ..
            } => {
                if *action == ObjectAction::Create && !lenient && self.has_object(table, *of, name)
                {
                    self.fails(format!("`{table}` has a `{name}` already"));
                }
                if self.lacks_object(table, *of, name, *action) {
                    if !lenient {
                        self.fails(format!("`{table}` has no `{name}`"));
                    }
                    return;
                }
                match of {
                    TableObject::Policy | TableObject::Rule => {
                        self.lock(table, Mode::AccessExclusiveLock);
                    }
                    TableObject::Trigger => self.lock_partitions(table, Mode::AccessExclusiveLock),
                }
                for read in reads {
                    self.lock(read, Mode::AccessShareLock);
                }
                for written in writes.iter().filter_map(|write| write.table.as_ref()) {
                    self.lock(written, Mode::RowExclusiveLock);
                }
            }
            What::Comment { on: Some(relation), part } => {
                let mode =
                    if *part { Mode::AccessShareLock } else { Mode::ShareUpdateExclusiveLock };
                self.lock(relation, mode);
            }
            What::SecurityLabel { on, provider } => {
                if let Some(relation) = on {
                    self.lock(relation, Mode::ShareUpdateExclusiveLock);
                }
                if !provider {
                    self.fails("no provider of labels is named, and a server as it comes has none");
                }
            }
            What::CreateNamed { of, name, if_not_exists } => {
                let there = self.around.schema.named.contains(&(*of, name.clone()));
                // Every new database has it, and no dump says so.
                let own = *of == Named::Extension && name == "plpgsql";
                if self.around.schema.complete && (there || own) && !if_not_exists {
                    self.fails(format!("`{name}` is there already"));
                }
            }
            What::DropNamed { of, drop } => {
                let named = &self.around.schema.named;
                let missing =
                    drop.names.iter().find(|name| !named.contains(&(*of, name.name.clone())));
                if let Some(name) =
                    missing.filter(|_| !drop.if_exists && self.around.schema.complete)
                {
                    self.fails(format!("there is no `{name}`"));
                }
            }
            What::CreateEventTrigger { calls } if self.returns_else(calls, "event_trigger") => {
                self.fails(format!("`{calls}` does not return `event_trigger`"));
            }
            What::ImportSchema { server } => {
                let known = self.around.schema.named.contains(&(Named::Server, server.clone()));
                if self.around.schema.complete && !known {
                    self.fails(format!("there is no server `{server}`"));
                }
                let why = format!("which tables it makes is known to the server `{server}` only");
                self.effects.verdict = Verdict::NotEvaluated(why);
            }
            What::Grant(relations) if self.version() >= 18 => {
                for one in relations {
                    self.lock(one, Mode::AccessShareLock);
                }
            }
            What::CreateStatistics { table: Some(table), .. } => {
                self.lock(table, Mode::ShareUpdateExclusiveLock);
            }
            What::DropStatistics(drop) => self.drop_statistics(drop),
            What::Publication(tables) => {
                for table in tables {
                    self.lock_tree(table, Mode::ShareUpdateExclusiveLock);
                }
            }
            What::Truncate { tables, cascade, restart, only } => {
                self.truncate(tables, only, *cascade, *restart);
            }
            What::Maintenance { of, tables } => self.maintain(*of, tables),
            What::LockTables { tables, only } => {
                for (table, mode) in tables {
                    if only.contains(table) && self.kind(table) == Relation::Table {
                        self.lock(table, mode_of(*mode));
                    } else {
                        self.lock_named(table, mode_of(*mode));
                    }
                }
            }
            What::AlterDomain { name, action } => self.alter_domain(name, action),
            What::AlterType { name, action } => {
                self.add_value_inside(name, action);
                self.alter_type(name, action);
            }
            What::DropType(drop) => self.drop_types(drop),
            What::DropSchema(drop) => self.drop_schemas(drop),
            What::RenameSchema { from, .. } => {
                let name = Name::plain(from);
                self.breaks(&name, "code that names the schema fails");
            }
            What::DropRoutine(drop) => self.drop_routines(drop),
            _ => {}
        }
    }

    /// What is made for each row of a partitioned table is made on every partition.
    fn lock_partitions(&mut self, table: &Name, mode: Mode) {
        if self.is_partitioned(table) {
            self.lock_tree(table, mode);
        } else {
            self.lock(table, mode);
        }
    }

    pub(super) fn lacks_trigger(&self, table: &Name, trigger: &str) -> bool {
        let schema = self.around.schema;
        let has = |of: &Name| schema.triggers.contains_key(&of_table(of, &Name::plain(trigger)));
        schema.complete && !self.line(table).iter().any(has)
    }

    fn has_object(&self, table: &Name, of: TableObject, name: &Name) -> bool {
        let key = (plain(table), of, name.name.clone());
        self.around.schema.dependents.contains_key(&key)
    }

    /// Whether a policy or rule that is changed or dropped is known not to be there.
    fn lacks_object(
        &self,
        table: &Name,
        of: TableObject,
        name: &Name,
        action: ObjectAction,
    ) -> bool {
        let schema = self.around.schema;
        schema.complete
            && action != ObjectAction::Create
            && of != TableObject::Trigger
            && schema.table(table).is_some_and(|table| table.whole)
            && !self.has_object(table, of, name)
    }

    fn sequence(&mut self, drop: &Drop, action: &SequenceAction) {
        let (mode, owner) = match action {
            SequenceAction::Create { owner } => (None, owner.as_ref()),
            SequenceAction::OwnedBy(owner) => (Some(Mode::ShareRowExclusiveLock), owner.as_ref()),
            SequenceAction::Alter => (Some(Mode::ShareRowExclusiveLock), None),
            SequenceAction::RenameTo(_)
            | SequenceAction::SetSchema(_)
            | SequenceAction::Whole
            | SequenceAction::Drop => (Some(Mode::AccessExclusiveLock), None),
        };
        for name in &drop.names {
            if drop.if_exists && self.is_missing(name) {
                continue;
            }
            if let Some(mode) = mode {
                self.effects.lock(Relation::Sequence, &plain(name), mode);
            }
        }
        if let Some((table, _)) = owner {
            self.lock(table, Mode::AccessShareLock);
        }
    }

    fn drop_statistics(&mut self, drop: &Drop) {
        for name in &drop.names {
            match self.around.schema.statistics.get(&plain(name)) {
                Some(table) => self.lock(table, Mode::ShareUpdateExclusiveLock),
                None if self.around.schema.complete => {}
                None => self.effects.assume(Self::unseen(&format!(
                    "which table the statistics `{name}` belong to, which is locked with them"
                ))),
            }
        }
    }

    /// A trigger needs its function, and goes with it.
    fn drop_routines(&mut self, drop: &Drop) {
        for name in &drop.names {
            self.breaks(name, "code that still calls it fails");
            let calls = Some(plain(name));
            let triggers = self.around.schema.triggers.values();
            let tables: Vec<Name> = triggers
                .filter(|trigger| trigger.calls == calls)
                .map(|trigger| trigger.table.clone())
                .collect();
            if drop.cascade {
                for table in &tables {
                    self.lock_partitions(table, Mode::AccessExclusiveLock);
                }
            } else if let Some(table) = tables.first() {
                self.fails(format!("a trigger of `{table}` calls it"));
            }
        }
    }

    fn truncate(&mut self, tables: &[Name], only: &[Name], cascade: bool, restart: bool) {
        let schema = self.around.schema;
        for name in tables {
            if matches!(self.kind(name), Relation::View | Relation::MaterializedView) {
                self.fails(format!("`{name}` is no table"));
            }
        }
        let mut all: Vec<Name> = Vec::new();
        for name in tables {
            if only.contains(name) {
                if self.is_partitioned(name) {
                    self.fails(format!(
                        "of `{name}` alone, which is partitioned, there are no rows"
                    ));
                }
                all.push(plain(name));
            } else {
                all.extend(self.tree(name));
            }
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
            if !self.is_partitioned(one) {
                self.lock_indexes(one, Mode::AccessExclusiveLock);
            }
            if restart {
                self.lock_sequences(one, None, Mode::AccessExclusiveLock);
            }
            self.loses(one, "all its rows");
            self.fire_triggers(one, &Dml::new(Verb::Truncate, Some(one.clone())));
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
            if of == (Maintenance::Cluster { named: false }) && self.was_never_clustered(name) {
                self.fails(format!("`{name}` was never clustered: name the index"));
            }
            match of {
                Maintenance::Cluster { .. } | Maintenance::VacuumFull => {
                    if of != Maintenance::VacuumFull && self.is_partitioned(name) {
                        self.came_with(15, "`CLUSTER` of a partitioned table");
                    }
                    if self.around.in_transaction && self.is_partitioned(name) {
                        self.fails("partition after partition cannot be one transaction");
                    }
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
                Maintenance::Vacuum
                | Maintenance::Analyze
                | Maintenance::Optimize
                | Maintenance::Check
                | Maintenance::Repair => {
                    for one in self.tree(name) {
                        if self.version() < 18 && one != plain(name) && self.is_heir(&one) {
                            // Its rows are counted among those of its parent.
                            self.lock(&one, Mode::AccessShareLock);
                            continue;
                        }
                        self.lock(&one, Mode::ShareUpdateExclusiveLock);
                        if !self.is_partitioned(&one) {
                            self.lock_indexes(&one, Mode::AccessShareLock);
                        }
                    }
                }
            }
        }
    }

    fn was_never_clustered(&self, name: &Name) -> bool {
        let schema = self.around.schema;
        let known = schema.table(name).filter(|table| table.whole && schema.complete);
        known.is_some_and(|table| !table.options.contains_key("clustered"))
    }

    /// Whether it inherits from a table, and is no partition.
    fn is_heir(&self, name: &Name) -> bool {
        self.around.schema.table(name).is_some_and(|table| !table.inherits.is_empty())
    }

    /// The tables that have a column of this type.
    pub(super) fn using(&self, wanted: &Name) -> Vec<Name> {
        let wanted = plain(wanted);
        let is =
            |ty: &Type| plain(&Name { schema: ty.schema.clone(), name: ty.name.clone() }) == wanted;
        let tables = self.around.schema.tables.iter();
        let using = tables.filter(|(_, table)| table.columns.iter().any(|column| is(&column.ty)));
        using.map(|(name, _)| name.clone()).collect()
    }

    /// The tables that were made `OF` this type.
    fn typed_of(&self, wanted: &Name) -> Vec<Name> {
        let wanted = wanted.to_string();
        let tables = self.around.schema.tables.iter();
        let typed = tables.filter(|(_, table)| table.options.get("of") == Some(&wanted));
        typed.map(|(name, _)| name.clone()).collect()
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
            TypeAction::Attributes { retyped } => {
                if *retyped && let Some(table) = self.using(name).first() {
                    self.fails(format!("`{table}` has a column of it"));
                }
                for table in self.typed_of(name) {
                    self.lock(&table, Mode::AccessExclusiveLock);
                    if *retyped {
                        self.rewrite(&table);
                    }
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
            let schema = self.around.schema;
            let is_inside = |one: &&Name| one.schema.as_deref().unwrap_or("public") == name.name;
            let tables: Vec<Name> = schema.tables.keys().filter(is_inside).cloned().collect();
            let views: Vec<Name> = schema.views.keys().filter(is_inside).cloned().collect();
            let sequences: Vec<Name> = schema.sequences.keys().filter(is_inside).cloned().collect();
            let first = tables.iter().chain(&views).chain(&sequences).next();
            if !drop.cascade
                && let Some(first) = first
            {
                self.fails(format!("`{first}` stands in it"));
            }
            self.drop_together(&tables, drop.cascade);
            self.lock_readers(&views);
            for sequence in sequences {
                self.effects.lock(Relation::Sequence, &sequence, Mode::AccessExclusiveLock);
            }
            if drop.cascade && !self.around.schema.complete {
                self.effects.assume(format!(
                    "what stands in the schema `{}`: give it with `--schema`",
                    name.name
                ));
            }
        }
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
