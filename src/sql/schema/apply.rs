//! A statement, applied to the schema.

use super::naming::{default_name, free_name};
use super::{Schema, Table, View, of_table, plain};
use crate::sql::statement::{
    Action, AlterTable, Column, Constraint, ConstraintKind, CreateIndex, CreateTable, DomainAction,
    Expression, IndexKind, IndexPart, Name, Online, Place, SequenceAction, Statement, TypeAction,
    What,
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
            What::CreateView {
                name, materialized, reads, mentions, columns, calls, base, ..
            } => {
                let view = View {
                    materialized: *materialized,
                    reads: reads.iter().map(plain).collect(),
                    mentions: mentions.clone(),
                    columns: columns.clone(),
                    calls: calls.clone(),
                    base: base.as_ref().map(plain),
                };
                self.bear(name, !self.views.contains_key(&plain(name)));
                self.views.insert(plain(name), view);
            }
            What::DropView { drop, .. } => {
                drop.names.iter().for_each(|name| drop_from(&mut self.views, name));
            }
            What::Sequence { drop, action } => {
                for name in &drop.names {
                    match action {
                        SequenceAction::Create { owner } => {
                            self.bear(name, true);
                            self.sequences.insert(plain(name), owner.clone());
                        }
                        SequenceAction::OwnedBy(owner) => {
                            self.sequences.insert(plain(name), owner.clone());
                        }
                        SequenceAction::RenameTo(to) => {
                            let to = Name { schema: name.schema.clone(), name: to.clone() };
                            self.rename_sequence(name, &to);
                        }
                        SequenceAction::SetSchema(schema) => {
                            let schema = Some(schema.clone());
                            self.rename_sequence(name, &Name { schema, name: name.name.clone() });
                        }
                        SequenceAction::Alter | SequenceAction::Whole => {}
                        SequenceAction::Drop => drop_from(&mut self.sequences, name),
                    }
                }
            }
            What::DropTrigger { name, table: Some(table), .. } => {
                self.triggers.remove(&of_table(table, name));
            }
            What::DropTrigger { name, .. } => drop_from(&mut self.triggers, name),
            What::CreateStatistics { name, table: Some(table) } => {
                self.statistics.insert(plain(name), plain(table));
            }
            What::DropStatistics(drop) => {
                drop.names.iter().for_each(|name| drop_from(&mut self.statistics, name));
            }
            What::DropRoutine(drop) => {
                drop.names.iter().for_each(|name| drop_from(&mut self.routines, name));
            }
            What::CreateType { name, labels } => {
                self.bear(name, !self.types.contains_key(&plain(name)));
                self.types.insert(plain(name), labels.clone());
            }
            What::AlterType { name, action } => self.alter_type(name, action),
            What::DropType(drop) => {
                for name in &drop.names {
                    drop_from(&mut self.types, name);
                    drop_from(&mut self.domains, name);
                }
            }
            What::DropSchema(drop) => drop.names.iter().for_each(|name| self.drop_schema(name)),
            What::CreateDomain { name, base, constrained } => {
                self.domains.insert(plain(name), (base.clone(), *constrained));
            }
            What::AlterDomain { name, action } => {
                let constrains = !matches!(action, DomainAction::Other | DomainAction::Validate);
                if let Some((_, constrained)) = self.domains.get_mut(&plain(name)) {
                    *constrained |= constrains;
                }
            }
            other => self.apply_object(other),
        }
    }

    /// A schema goes with what stands in it.
    fn drop_schema(&mut self, schema: &Name) {
        let is_inside = |one: &Name| one.schema.as_deref().unwrap_or("public") == schema.name;
        let tables: Vec<Name> = self.tables.keys().filter(|one| is_inside(one)).cloned().collect();
        for table in &tables {
            self.drop_table(table);
        }
        self.views.retain(|name, _| !is_inside(name));
        self.sequences.retain(|name, _| !is_inside(name));
        self.types.retain(|name, _| !is_inside(name));
        self.domains.retain(|name, _| !is_inside(name));
        self.routines.retain(|name, _| !is_inside(name));
    }

    fn rename_sequence(&mut self, from: &Name, to: &Name) {
        if let Some(owner) = self.sequences.remove(&plain(from)) {
            self.sequences.insert(plain(to), owner);
        }
    }

    pub(super) fn bear(&mut self, name: &Name, anew: bool) {
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
            bounds: create.bounds.clone(),
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
        if create.options.iter().any(|(name, _)| name == "like") {
            self.be_like(&name, &create.like);
        }
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
        let of_index = match &constraint.kind {
            ConstraintKind::PrimaryKey { using_index, .. }
            | ConstraintKind::Unique { using_index, .. } => using_index.clone(),
            _ => None,
        };
        let chosen = constraint.name.clone().or(of_index).unwrap_or_else(|| {
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
            TypeAction::Attributes { .. } | TypeAction::Other => {}
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
        self.dependents.retain(|(table, ..), _| table != name);
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
        self.dependents = std::mem::take(&mut self.dependents)
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
            view.reads
                .iter_mut()
                .chain(&mut view.base)
                .filter(|read| **read == from)
                .for_each(|read| read.clone_from(&to));
        }
        for born in self.born.iter_mut().filter(|born| **born == from) {
            born.clone_from(&to);
        }
        self.relink();
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
            Action::AttachPartition { child, default, bounds } => {
                if let Some(table) = self.tables.get_mut(&plain(child)) {
                    table.partition_of = Some((name.clone(), *default));
                    table.bounds = Some(bounds.clone());
                }
            }
            Action::DetachPartition { child, .. } => {
                if let Some(table) = self.tables.get_mut(&plain(child)) {
                    table.partition_of = None;
                    table.bounds = None;
                }
            }
            Action::DropForeignKey { name: constraint, .. } => {
                self.keep_index(name, constraint);
                self.drop_constraint(name, constraint);
            }
            Action::DropConstraint { name: constraint, .. }
            | Action::DropCheck { name: constraint } => self.drop_constraint(name, constraint),
            Action::DropPrimaryKey => {
                if let Some(table) = self.tables.get_mut(name) {
                    let primary =
                        |one: &Constraint| matches!(one.kind, ConstraintKind::PrimaryKey { .. });
                    table.constraints.retain(|constraint| !primary(constraint));
                }
                let index = super::naming::default_index(name);
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
        if let Some(table_entry) = self.tables.get(table)
            && table_entry.constraint(constraint).is_none()
            && let Some(name) = table_entry.made_up(&table.name, constraint)
        {
            self.drop_constraint(table, &name);
            return;
        }
        if let Some(table) = self.tables.get_mut(table) {
            table.constraints.retain(|have| have.name.as_deref() != Some(constraint));
        }
        self.remove_indexes(table, |have, index| index.of_constraint && have.name == constraint);
    }
}

pub(super) fn drop_from<T>(map: &mut std::collections::BTreeMap<Name, T>, name: &Name) {
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
