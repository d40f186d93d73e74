//! A statement, applied to the schema.

use super::naming::{default_index, default_name, free_name};
use super::{Index, Schema, Table, Trigger, View, plain};
use crate::sql::statement::{
    Action, AlterTable, Column, Constraint, ConstraintKind, CreateIndex, CreateTable, DomainAction,
    Drop, Expression, IndexAction, IndexKind, IndexPart, Name, ObjectChange, Online,
    PartitionOperation, Place, SequenceAction, Statement, TypeAction, What,
};

impl Schema {
    /// The schema as it stands after the statement. What cannot be applied (a column of a table that
    /// was never seen) is left out: the server decides about errors.
    pub fn apply(&mut self, statement: &Statement) {
        match &statement.what {
            What::CreateTable(table) => {
                self.create_table(table);
                self.link(&plain(&table.name));
            }
            What::AlterTable(alter) => self.alter_table(alter),
            What::DropTable(drop) => drop.names.iter().for_each(|name| self.drop_table(name)),
            What::RenameTables(pairs) => {
                for (from, to) in pairs {
                    self.rename_table(from, to);
                }
            }
            What::CreateIndex(index) => self.create_index(index, false),
            What::DropIndex { drop, table, .. } => self.drop_indexes(drop, table.as_ref()),
            What::AlterIndex { name, action } => self.alter_index(name, action),
            What::CreateView { name, materialized, reads, mentions, .. } => {
                let view = View {
                    materialized: *materialized,
                    reads: reads.iter().map(plain).collect(),
                    mentions: mentions.clone(),
                };
                self.bear(name, !self.views.contains_key(&plain(name)));
                self.views.insert(plain(name), view);
            }
            What::DropView { drop, .. } => {
                drop.names.iter().for_each(|name| drop_from(&mut self.views, name));
            }
            What::Sequence { drop, action, owned_by } => {
                for name in &drop.names {
                    match action {
                        SequenceAction::Create => {
                            self.bear(name, true);
                            self.sequences.insert(plain(name), owner_of(owned_by));
                        }
                        SequenceAction::Alter => {
                            if let (Some(entry), Some(_)) =
                                (self.sequences.get_mut(&plain(name)), owned_by)
                            {
                                *entry = owner_of(owned_by);
                            }
                        }
                        SequenceAction::Drop => drop_from(&mut self.sequences, name),
                    }
                }
            }
            What::CreateTrigger { name, table, mentions, body } => {
                let body = body.as_ref().map(|body| body.text.clone()).unwrap_or_default();
                self.triggers.insert(
                    plain(name),
                    Trigger { table: plain(table), mentions: mentions.clone(), body },
                );
            }
            What::TableObject { table: Some(table), of, name, change } => {
                let key = (plain(table), *of, name.clone());
                match change {
                    ObjectChange::Made(mentions) => {
                        self.rules.insert(key, mentions.clone());
                    }
                    ObjectChange::Altered => {}
                    ObjectChange::Dropped => {
                        self.rules.remove(&key);
                    }
                }
            }
            What::DropTrigger { name, .. } => drop_from(&mut self.triggers, name),
            What::CreateRoutine { name, body } => {
                let body = body.as_ref().map(|body| body.text.clone()).unwrap_or_default();
                self.routines.insert(plain(name), body);
            }
            What::DropRoutine(drop) => {
                drop.names.iter().for_each(|name| drop_from(&mut self.routines, name));
            }
            What::CreateType { name, labels } => {
                self.types.insert(plain(name), labels.clone());
            }
            What::AlterType { name, action } => self.alter_type(name, action),
            What::DropType(drop) => {
                for name in &drop.names {
                    drop_from(&mut self.types, name);
                    drop_from(&mut self.domains, name);
                }
            }
            What::CreateDomain { name, base, constrained } => {
                self.domains.insert(plain(name), (base.clone(), *constrained));
            }
            What::AlterDomain { name, action } => {
                let constrains = !matches!(action, DomainAction::Other | DomainAction::Validate);
                if let Some((_, constrained)) = self.domains.get_mut(&plain(name)) {
                    *constrained |= constrains;
                }
            }
            _ => {}
        }
    }

    fn bear(&mut self, name: &Name, anew: bool) {
        if self.judging && anew {
            self.born.push(plain(name));
        }
    }

    fn create_table(&mut self, create: &CreateTable) {
        let name = plain(&create.name);
        if create.if_not_exists && self.tables.contains_key(&name) {
            return;
        }
        // With IF NOT EXISTS the table may stand there already, as anything at all: only a schema
        // that is complete knows better.
        self.bear(&name, !create.if_not_exists || self.complete);
        let mut table = Table {
            partition_by: create.partition_by.clone(),
            partition_of: create.partition_of.as_ref().map(|(of, default)| (plain(of), *default)),
            inherits: create.inherits.iter().map(plain).collect(),
            temporary: create.temporary,
            options: create.options.iter().cloned().collect(),
            whole: create.from_query.is_none(),
            ..Table::default()
        };
        let parents = create.inherits.iter().chain(&create.like);
        for parent in parents.chain(create.partition_of.iter().map(|(of, _)| of)) {
            match self.table(parent) {
                Some(parent) => {
                    table.columns.extend(parent.columns.clone());
                    table.whole &= parent.whole;
                }
                None => table.whole = false,
            }
        }
        let above: Vec<Name> =
            table.partition_of.iter().map(|(of, _)| of).chain(&table.inherits).cloned().collect();
        table.constraints =
            above.iter().flat_map(|parent| self.handed_down(parent)).cloned().collect();
        self.tables.insert(name.clone(), table);
        for column in &create.columns {
            self.add_column(&name, column, None);
        }
        for constraint in &create.constraints {
            self.add_constraint(&name, constraint);
        }
        for index in &create.indexes {
            self.create_index(index, false);
        }
        if let Some((parent, _)) = &create.partition_of {
            let inherited: Vec<Name> =
                self.indexes_of(parent).map(|(index, _)| index.clone()).collect();
            for index in inherited {
                self.create_child_index(&index, &name);
            }
        }
    }

    fn add_column(&mut self, table: &Name, column: &Column, place: Option<&Place>) {
        let Some(entry) = self.tables.get_mut(table) else { return };
        if entry.column(&column.name).is_some() {
            return;
        }
        let at = match place {
            Some(Place::First) => 0,
            Some(Place::After(other)) => entry
                .columns
                .iter()
                .position(|column| column.name.eq_ignore_ascii_case(other))
                .map_or(entry.columns.len(), |at| at + 1),
            None => entry.columns.len(),
        };
        entry.columns.insert(at, column.clone());
        if column.identity || column.ty.name.ends_with("serial") {
            let sequence = Name {
                schema: table.schema.clone(),
                name: format!("{}_{}_seq", table.name, column.name),
            };
            self.sequences.insert(sequence, Some((table.clone(), column.name.clone())));
        }
        let own = |kind| Constraint {
            name: None,
            kind,
            not_valid: false,
            enforced: true,
            deferrable: false,
            include: Vec::new(),
            no_inherit: false,
        };
        let named = |name: &Option<String>, kind| Constraint { name: name.clone(), ..own(kind) };
        let names = &column.key_names;
        let columns = || vec![column.name.clone()];
        if column.primary_key {
            let kind = ConstraintKind::PrimaryKey { columns: columns(), using_index: None };
            self.add_constraint(table, &named(&names.primary_key, kind));
        }
        if column.unique {
            let kind = ConstraintKind::Unique { columns: columns(), using_index: None };
            self.add_constraint(table, &named(&names.unique, kind));
        }
        for check in &column.checks {
            let mut constraint = own(ConstraintKind::Check(check.expression.clone()));
            constraint.name.clone_from(&check.name);
            constraint.enforced = check.enforced;
            self.add_constraint(table, &constraint);
        }
        if let Some(references) = &column.references {
            let mut key = references.clone();
            key.columns = columns();
            let kind = ConstraintKind::ForeignKey(key);
            self.add_constraint(table, &named(&names.references, kind));
        }
    }

    /// Adds a constraint under the name that the server would choose (PostgreSQL's way), with its
    /// index.
    pub(super) fn add_constraint(&mut self, table: &Name, constraint: &Constraint) {
        let Some(entry) = self.tables.get_mut(table) else { return };
        let mut constraint = constraint.clone();
        let chosen = constraint.name.clone().unwrap_or_else(|| {
            let base = default_name(table, entry, &constraint);
            let taken = |name: &str| {
                let name = Name { schema: table.schema.clone(), name: name.to_owned() };
                entry.constraint(&name.name).is_some() || self.indexes.contains_key(&name)
            };
            free_name(base, taken)
        });
        constraint.name = Some(chosen.clone());
        let index: Option<(Vec<IndexPart>, _)> = match &constraint.kind {
            ConstraintKind::PrimaryKey { columns, using_index }
            | ConstraintKind::Unique { columns, using_index } => {
                let parts = columns.iter().map(|column| IndexPart::Column(column.clone(), None));
                Some((parts.collect(), using_index.clone()))
            }
            ConstraintKind::Exclude(compared) => {
                Some((compared.iter().map(compared_part).collect(), None))
            }
            _ => None,
        };
        if let ConstraintKind::PrimaryKey { columns, .. } = &constraint.kind {
            for column in &mut entry.columns {
                column.not_null |= columns.contains(&column.name);
            }
        }
        if let ConstraintKind::NotNull(column) = &constraint.kind
            && !constraint.not_valid
            && let Some(column) = entry.columns.iter_mut().find(|have| have.name == *column)
        {
            column.not_null = true;
        }
        let unique = !matches!(constraint.kind, ConstraintKind::Exclude(_));
        let include = constraint.include.clone();
        entry.constraints.push(constraint);
        match index {
            Some((_, Some(used))) => {
                // The index takes the constraint's name.
                let used = Name { schema: table.schema.clone(), name: used };
                if let Some(mut index) = self.remove_index(&used) {
                    index.of_constraint = true;
                    let parts = index.definition.parts.clone();
                    let name = Name { schema: table.schema.clone(), name: chosen.clone() };
                    self.insert_index(name, index);
                    self.name_key_columns(table, &chosen, &parts);
                }
            }
            Some((parts, None)) => {
                let definition = CreateIndex {
                    name: Some(Name { schema: table.schema.clone(), name: chosen }),
                    table: table.clone(),
                    only: false,
                    unique,
                    concurrently: false,
                    if_not_exists: false,
                    parts,
                    include,
                    predicate: None,
                    kind: IndexKind::Ordinary,
                    online: Online::default(),
                };
                self.create_index(&definition, true);
            }
            None => {}
        }
    }

    /// A key that was made of an index has that index's columns.
    fn name_key_columns(&mut self, table: &Name, constraint: &str, parts: &[IndexPart]) {
        let Some(entry) = self.tables.get_mut(table) else { return };
        let named = |part: &IndexPart| match part {
            IndexPart::Column(name, _) => Some(name.clone()),
            IndexPart::Expression(_) => None,
        };
        let names: Vec<String> = parts.iter().filter_map(named).collect();
        for one in &mut entry.constraints {
            if one.name.as_deref() != Some(constraint) {
                continue;
            }
            match &mut one.kind {
                ConstraintKind::PrimaryKey { columns, .. } => {
                    columns.clone_from(&names);
                    for column in &mut entry.columns {
                        column.not_null |= names.contains(&column.name);
                    }
                }
                ConstraintKind::Unique { columns, .. } => columns.clone_from(&names),
                _ => {}
            }
        }
    }

    fn create_index(&mut self, index: &CreateIndex, of_constraint: bool) {
        let table = plain(&index.table);
        let name = index.name.clone().unwrap_or_else(|| {
            let columns = index.parts.iter().map(|part| match part {
                IndexPart::Column(name, _) => name.as_str(),
                IndexPart::Expression(_) => "expr",
            });
            let columns: Vec<_> = columns.collect();
            let name = format!("{}_{}_idx", table.name, columns.join("_"));
            Name { schema: table.schema.clone(), name }
        });
        if self.indexes.contains_key(&plain(&name)) && index.if_not_exists {
            return;
        }
        self.bear(&name, !index.if_not_exists || self.complete);
        // With its first full-text index InnoDB gives a table a hidden column, which stays.
        if index.kind == IndexKind::FullText
            && let Some(entry) = self.tables.get_mut(&table)
        {
            entry.options.insert("fts_doc_id".to_owned(), String::new());
        }
        let entry = Index {
            table: table.clone(),
            definition: index.clone(),
            attached_to: None,
            of_constraint,
        };
        let name = plain(&name);
        self.insert_index(name.clone(), entry);
        if !index.only {
            let children: Vec<Name> =
                self.partitions_of(&table).map(|(child, _)| child.clone()).collect();
            for child in children {
                self.create_child_index(&name, &child);
            }
        }
    }

    /// The index that a partition gets as its part of the parent's, under the name that PostgreSQL
    /// chooses.
    fn create_child_index(&mut self, parent: &Name, table: &Name) {
        let Some(of) = self.indexes.get(parent) else { return };
        let columns = of.definition.parts.iter().map(|part| match part {
            IndexPart::Column(name, _) => name.as_str(),
            IndexPart::Expression(_) => "expr",
        });
        let columns: Vec<_> = columns.collect();
        let name = if of.of_constraint && parent.name.ends_with("_pkey") {
            format!("{}_pkey", table.name)
        } else {
            let suffix = if of.of_constraint { "key" } else { "idx" };
            format!("{}_{}_{suffix}", table.name, columns.join("_"))
        };
        let name = Name { schema: table.schema.clone(), name };
        let mut definition = of.definition.clone();
        definition.name = Some(name.clone());
        definition.table = table.clone();
        let entry = Index {
            table: table.clone(),
            definition,
            attached_to: Some(parent.clone()),
            of_constraint: of.of_constraint,
        };
        self.insert_index(name.clone(), entry);
        let children: Vec<Name> =
            self.partitions_of(table).map(|(child, _)| child.clone()).collect();
        for child in children {
            self.create_child_index(&name, &child);
        }
    }

    fn drop_indexes(&mut self, drop: &Drop, table: Option<&Name>) {
        for name in &drop.names {
            match table {
                // Index names of MySQL and MariaDB belong to their table.
                Some(table) => {
                    let table = plain(table);
                    self.remove_indexes(&table, |have, _| {
                        have.name.eq_ignore_ascii_case(&name.name)
                    });
                }
                None => {
                    self.remove_index(&plain(name));
                }
            }
        }
    }

    fn alter_index(&mut self, name: &Name, action: &IndexAction) {
        match action {
            IndexAction::RenameTo(to) => {
                if let Some(index) = self.remove_index(&plain(name)) {
                    let to = Name { schema: plain(name).schema, name: to.clone() };
                    self.insert_index(to, index);
                }
            }
            IndexAction::Attach(child) => {
                if let Some(index) = self.indexes.get_mut(&plain(child)) {
                    index.attached_to = Some(plain(name));
                }
            }
            IndexAction::SetTablespace | IndexAction::Set => {}
        }
    }

    fn alter_type(&mut self, name: &Name, action: &TypeAction) {
        match action {
            TypeAction::AddValue(value) => {
                if let Some(Some(labels)) = self.types.get_mut(&plain(name)) {
                    labels.push(value.clone());
                }
            }
            TypeAction::RenameValue { from, to } => {
                if let Some(Some(labels)) = self.types.get_mut(&plain(name)) {
                    labels.iter_mut().filter(|label| *label == from).for_each(|label| {
                        label.clone_from(to);
                    });
                }
            }
            TypeAction::RenameTo(to) => {
                if let Some(labels) = self.types.remove(&plain(name)) {
                    let to = Name { schema: plain(name).schema, name: to.clone() };
                    self.types.insert(to, labels);
                }
            }
            TypeAction::Attributes | TypeAction::Other => {}
        }
    }

    fn drop_table(&mut self, name: &Name) {
        let name = plain(name);
        for child in self.descendants(&name) {
            if self.tables.get(&child).is_some_and(|table| table.partition_of.is_some()) {
                self.forget_table(&child);
            }
        }
        self.forget_table(&name);
    }

    fn forget_table(&mut self, name: &Name) {
        self.unlink(name);
        self.links.children.remove(name);
        self.tables.remove(name);
        self.remove_indexes(name, |_, _| true);
        self.sequences.retain(|_, owner| owner.as_ref().is_none_or(|(of, _)| of != name));
        self.triggers.retain(|_, trigger| trigger.table != *name);
        self.rules.retain(|(table, ..), _| table != name);
        for other in self.links.referrers.remove(name).unwrap_or_default() {
            let Some(table) = self.tables.get_mut(&other) else { continue };
            table.constraints.retain(|constraint| match &constraint.kind {
                ConstraintKind::ForeignKey(key) => plain(&key.table) != *name,
                _ => true,
            });
        }
    }

    fn rename_table(&mut self, from: &Name, to: &Name) {
        let from = plain(from);
        let to = Name { schema: to.schema.clone().or(from.schema.clone()), name: to.name.clone() };
        let to = plain(&to);
        if let Some(table) = self.tables.remove(&from) {
            self.tables.insert(to.clone(), table);
        }
        if let Some(view) = self.views.remove(&from) {
            self.views.insert(to.clone(), view);
        }
        for table in self.tables.values_mut() {
            for constraint in &mut table.constraints {
                if let ConstraintKind::ForeignKey(key) = &mut constraint.kind
                    && plain(&key.table) == from
                {
                    key.table.clone_from(&to);
                }
            }
            if let Some((of, _)) = &mut table.partition_of
                && *of == from
            {
                of.clone_from(&to);
            }
        }
        for index in self.links.indexes.remove(&from).unwrap_or_default() {
            if let Some(entry) = self.indexes.get_mut(&index) {
                entry.table.clone_from(&to);
                self.links.indexes.entry(to.clone()).or_default().insert(index);
            }
        }
        for trigger in self.triggers.values_mut().filter(|trigger| trigger.table == from) {
            trigger.table.clone_from(&to);
        }
        self.rules = std::mem::take(&mut self.rules)
            .into_iter()
            .map(|((table, of, name), mentions)| {
                (((if table == from { to.clone() } else { table }), of, name), mentions)
            })
            .collect();
        for (table, _) in self.sequences.values_mut().flatten() {
            if *table == from {
                table.clone_from(&to);
            }
        }
        // Views follow a rename; bodies of routines do not, which is why they are kept as text.
        for view in self.views.values_mut() {
            view.reads.iter_mut().filter(|read| **read == from).for_each(|read| {
                read.clone_from(&to);
            });
        }
        for born in self.born.iter_mut().filter(|born| **born == from) {
            born.clone_from(&to);
        }
        self.relink();
    }

    /// Finds anew who belongs to whom.
    fn relink(&mut self) {
        self.links.children.clear();
        self.links.referrers.clear();
        let names: Vec<Name> = self.tables.keys().cloned().collect();
        for name in names {
            self.link(&name);
        }
    }

    /// Notes to whom a table belongs, and to whom it refers.
    fn link(&mut self, name: &Name) {
        let Some(table) = self.tables.get(name) else { return };
        let parents = table.partition_of.iter().map(|(parent, _)| parent).chain(&table.inherits);
        for parent in parents {
            self.links.children.entry(plain(parent)).or_default().insert(name.clone());
        }
        for (_, key) in table.foreign_keys() {
            self.links.referrers.entry(plain(&key.table)).or_default().insert(name.clone());
        }
    }

    /// Takes back what [`Self::link`] noted.
    fn unlink(&mut self, name: &Name) {
        let Some(table) = self.tables.get(name) else { return };
        let parents = table.partition_of.iter().map(|(parent, _)| parent).chain(&table.inherits);
        for parent in parents {
            if let Some(children) = self.links.children.get_mut(&plain(parent)) {
                children.remove(name);
            }
        }
        for (_, key) in table.foreign_keys() {
            if let Some(referrers) = self.links.referrers.get_mut(&plain(&key.table)) {
                referrers.remove(name);
            }
        }
    }

    fn insert_index(&mut self, name: Name, index: Index) {
        self.links.indexes.entry(index.table.clone()).or_default().insert(name.clone());
        self.indexes.insert(name, index);
    }

    fn remove_index(&mut self, name: &Name) -> Option<Index> {
        let index = self.indexes.remove(name)?;
        if let Some(names) = self.links.indexes.get_mut(&index.table) {
            names.remove(name);
        }
        Some(index)
    }

    /// Removes those of a table's indexes that are meant.
    fn remove_indexes(&mut self, table: &Name, meant: impl Fn(&Name, &Index) -> bool) {
        let names: Vec<Name> = self
            .indexes_of(table)
            .filter(|(name, index)| meant(name, index))
            .map(|(name, _)| name.clone())
            .collect();
        for name in names {
            self.remove_index(&name);
        }
    }

    fn alter_table(&mut self, alter: &AlterTable) {
        let name = plain(&alter.name);
        // A table that was never seen is known from now on by what is said of it.
        if !self.views.contains_key(&name) {
            self.tables.entry(name.clone()).or_default();
        }
        for (action, _) in &alter.actions {
            let child = match action {
                Action::AttachPartition { child, .. } | Action::DetachPartition { child, .. } => {
                    Some(plain(child))
                }
                _ => None,
            };
            let changed = child.as_ref().unwrap_or(&name);
            self.unlink(changed);
            self.alter(&name, action);
            self.link(changed);
            if !alter.only {
                self.hand_down(&name, action);
            }
        }
    }

    pub(super) fn alter(&mut self, name: &Name, action: &Action) {
        match action {
            Action::AddColumn { column, place, .. } => {
                self.add_column(name, column, place.as_ref());
            }
            Action::AddConstraint { constraint, .. } => self.add_constraint(name, constraint),
            Action::AddIndex { index } => self.create_index(index, false),
            Action::DropIndex { name: index, .. } => {
                self.remove_indexes(name, |have, _| have.name.eq_ignore_ascii_case(index));
            }
            Action::RenameIndex { from, to } => {
                let found = self.indexes_of(name).find_map(|(have, _)| {
                    have.name.eq_ignore_ascii_case(from).then(|| have.clone())
                });
                if let Some(found) = found
                    && let Some(index) = self.remove_index(&found)
                {
                    let to = Name { schema: found.schema, name: to.clone() };
                    self.insert_index(to, index);
                }
            }
            Action::RenameTo(to) => self.rename_table(name, to),
            Action::SetSchema(schema) => {
                let to = Name { schema: Some(schema.clone()), name: name.name.clone() };
                self.rename_table(name, &to);
            }
            Action::AttachPartition { child, default, .. } => {
                if let Some(table) = self.tables.get_mut(&plain(child)) {
                    table.partition_of = Some((name.clone(), *default));
                }
            }
            Action::DetachPartition { child, .. } => {
                if let Some(table) = self.tables.get_mut(&plain(child)) {
                    table.partition_of = None;
                }
            }
            Action::DropConstraint { name: constraint, .. }
            | Action::DropForeignKey { name: constraint, .. }
            | Action::DropCheck { name: constraint } => self.drop_constraint(name, constraint),
            Action::DropPrimaryKey => {
                if let Some(table) = self.tables.get_mut(name) {
                    let primary =
                        |one: &Constraint| matches!(one.kind, ConstraintKind::PrimaryKey { .. });
                    table.constraints.retain(|constraint| !primary(constraint));
                }
                let index = default_index(name);
                self.remove_index(&index);
            }
            Action::DropColumn { name: column, .. } => self.drop_column(name, column),
            Action::RenameColumn { from, to } => self.rename_column(name, from, to),
            _ => {
                if let Some(table) = self.tables.get_mut(name) {
                    table.alter(action);
                }
            }
        }
    }

    fn drop_constraint(&mut self, table: &Name, constraint: &str) {
        if let Some(table) = self.tables.get_mut(table) {
            table.constraints.retain(|have| have.name.as_deref() != Some(constraint));
        }
        let index = Name { schema: table.schema.clone(), name: constraint.to_owned() };
        if self.indexes.get(&index).is_some_and(|index| index.of_constraint) {
            self.remove_index(&index);
        }
    }

    fn drop_column(&mut self, name: &Name, column: &str) {
        let gone =
            |columns: &[String]| columns.iter().any(|have| have.eq_ignore_ascii_case(column));
        if let Some(table) = self.tables.get_mut(name) {
            table.columns.retain(|have| !have.name.eq_ignore_ascii_case(column));
            table.constraints.retain(|constraint| match &constraint.kind {
                ConstraintKind::PrimaryKey { columns, .. }
                | ConstraintKind::Unique { columns, .. } => !gone(columns),
                ConstraintKind::ForeignKey(key) => !gone(&key.columns),
                ConstraintKind::Check(check) => {
                    !crate::sql::mentions(crate::sql::Tokens::Postgres, &check.text, column)
                }
                ConstraintKind::NotNull(of) => !of.eq_ignore_ascii_case(column),
                ConstraintKind::Exclude(compared) => !compared.iter().any(|expression| {
                    crate::sql::mentions(crate::sql::Tokens::Postgres, &expression.text, column)
                }),
            });
        }
        self.remove_indexes(name, |_, index| index.covers(column));
    }

    fn rename_column(&mut self, name: &Name, from: &str, to: &str) {
        let Some(table) = self.tables.get_mut(name) else { return };
        let rename = |have: &mut String| {
            if have.eq_ignore_ascii_case(from) {
                to.clone_into(have);
            }
        };
        table.columns.iter_mut().for_each(|column| rename(&mut column.name));
        for constraint in &mut table.constraints {
            match &mut constraint.kind {
                ConstraintKind::PrimaryKey { columns, .. }
                | ConstraintKind::Unique { columns, .. } => columns.iter_mut().for_each(rename),
                ConstraintKind::ForeignKey(key) => key.columns.iter_mut().for_each(rename),
                ConstraintKind::NotNull(of) => rename(of),
                ConstraintKind::Check(_) | ConstraintKind::Exclude(_) => {}
            }
        }
        for index in self.links.indexes.get(name).into_iter().flatten() {
            let Some(index) = self.indexes.get_mut(index) else { continue };
            for part in &mut index.definition.parts {
                if let IndexPart::Column(column, _) = part {
                    rename(column);
                }
            }
        }
    }
}

impl Table {
    /// What changes nothing but the table itself.
    fn alter(&mut self, action: &Action) {
        let mut of = |name: &str, change: &dyn Fn(&mut Column)| {
            let same = |column: &&mut Column| column.name.eq_ignore_ascii_case(name);
            if let Some(column) = self.columns.iter_mut().find(same) {
                change(column);
            }
        };
        match action {
            Action::ChangeType { column, to, collation, .. } => of(column, &|have| {
                have.ty = to.clone();
                if collation.is_some() {
                    have.collation.clone_from(collation);
                }
            }),
            Action::SetDefault { column, to } => {
                of(column, &|have| have.default = Some(to.clone()));
            }
            Action::DropDefault { column } => of(column, &|have| have.default = None),
            Action::SetNotNull { column } => of(column, &|have| have.not_null = true),
            Action::DropNotNull { column } => of(column, &|have| have.not_null = false),
            Action::AddIdentity { column } => of(column, &|have| have.identity = true),
            Action::DropIdentity { column } => of(column, &|have| have.identity = false),
            Action::DropExpression { column } => of(column, &|have| have.generated = None),
            Action::Modify { from, column, place, .. } => {
                let same = |have: &Column| have.name.eq_ignore_ascii_case(from);
                let Some(at) = self.columns.iter().position(same) else { return };
                self.columns.remove(at);
                let to = match place {
                    None => at,
                    Some(Place::First) => 0,
                    Some(Place::After(other)) => self
                        .columns
                        .iter()
                        .position(|have| have.name.eq_ignore_ascii_case(other))
                        .map_or(at, |at| at + 1),
                };
                self.columns.insert(to.min(self.columns.len()), (**column).clone());
            }
            Action::ValidateConstraint { name } => {
                let same = |have: &&mut Constraint| have.name.as_deref() == Some(name);
                if let Some(constraint) = self.constraints.iter_mut().find(same) {
                    constraint.not_valid = false;
                    if let ConstraintKind::NotNull(column) = &constraint.kind {
                        let column = column.clone();
                        let same = |have: &&mut Column| have.name == column;
                        if let Some(column) = self.columns.iter_mut().find(same) {
                            column.not_null = true;
                        }
                    }
                }
            }
            Action::AlterConstraint { name, enforced: Some(enforced) } => {
                let same = |have: &&mut Constraint| have.name.as_deref() == Some(name);
                if let Some(constraint) = self.constraints.iter_mut().find(same) {
                    constraint.enforced = *enforced;
                }
            }
            Action::RenameConstraint { from, to } => {
                let same = |have: &&mut Constraint| have.name.as_deref() == Some(from);
                if let Some(constraint) = self.constraints.iter_mut().find(same) {
                    constraint.name = Some(to.clone());
                }
            }
            Action::Inherit(parent) => self.inherits.push(plain(parent)),
            Action::NoInherit(parent) => {
                let parent = plain(parent);
                self.inherits.retain(|have| *have != parent);
            }
            Action::SetLogged { logged } => {
                self.options.remove("unlogged");
                if !logged {
                    self.options.insert("unlogged".to_owned(), String::new());
                }
            }
            Action::Engine(engine) => {
                self.options.insert("engine".to_owned(), engine.clone());
            }
            Action::RowFormat(format) => {
                self.options.insert("row_format".to_owned(), format.clone());
            }
            Action::ConvertCharset { charset, collation } => {
                self.options.insert("charset".to_owned(), charset.clone());
                for column in &mut self.columns {
                    if column.ty.charset.is_some() {
                        column.ty.charset = Some(charset.clone());
                        column.collation.clone_from(collation);
                    }
                }
            }
            Action::DefaultCharset { charset: Some(charset), .. } => {
                self.options.insert("charset".to_owned(), charset.clone());
            }
            Action::Partition(PartitionOperation::PartitionBy) => {
                self.partition_by = Some(String::new());
            }
            Action::Partition(PartitionOperation::Remove) => self.partition_by = None,
            _ => {}
        }
    }
}

fn drop_from<T>(map: &mut std::collections::BTreeMap<Name, T>, name: &Name) {
    map.remove(&plain(name));
}

/// A part of an exclusion: a column where it is nothing but a name.
fn compared_part(compared: &Expression) -> IndexPart {
    let text = compared.text.trim();
    let name = text.chars().all(|c| c == '_' || c.is_alphanumeric());
    if name {
        IndexPart::Column(text.to_lowercase(), None)
    } else {
        IndexPart::Expression(compared.clone())
    }
}

/// The column that a sequence belongs to, if to any.
fn owner_of(owned_by: &Option<Option<(Name, String)>>) -> Option<(Name, String)> {
    let (table, column) = owned_by.as_ref()?.as_ref()?;
    Some((plain(table), column.clone()))
}
