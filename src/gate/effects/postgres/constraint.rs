//! Constraints: added, validated, dropped.

use super::{Judge, Mode};
use crate::gate::effects::Relation;
use crate::sql::schema::plain;
use crate::sql::statement::{Constraint, ConstraintKind, ForeignKey, Name};

impl Judge<'_> {
    pub(super) fn add_constraint(&mut self, table: &Name, constraint: &Constraint, only: bool) {
        self.constrain_partitioned(table, constraint);
        match &constraint.kind {
            ConstraintKind::ForeignKey(key) => self.add_foreign_key(table, constraint, key),
            ConstraintKind::Check(_) => {
                if !constraint.not_valid && constraint.enforced {
                    self.because("the check is verified on every row");
                    self.scan_rows(table, only || constraint.no_inherit);
                }
            }
            ConstraintKind::NotNull(column) => {
                let known = self.around.schema.column(table, column);
                if !constraint.not_valid && !known.is_some_and(|column| column.not_null) {
                    self.because(format!("every row is looked at for NULL in `{column}`"));
                    self.scan_rows(table, only || constraint.no_inherit);
                }
            }
            ConstraintKind::Unique { using_index: Some(index), .. } => {
                self.use_index(table, constraint, index);
            }
            ConstraintKind::PrimaryKey { using_index: Some(index), .. } => {
                self.use_index(table, constraint, index);
                let index = Name { schema: plain(table).schema, name: index.clone() };
                let columns: Vec<String> = self
                    .around
                    .schema
                    .indexes
                    .get(&index)
                    .map(|index| {
                        index
                            .definition
                            .parts
                            .iter()
                            .filter_map(|part| match part {
                                crate::sql::statement::IndexPart::Column(name, _) => {
                                    Some(name.clone())
                                }
                                crate::sql::statement::IndexPart::Expression(_) => None,
                            })
                            .collect()
                    })
                    .unwrap_or_default();
                if columns.is_empty() {
                    self.effects
                        .assume(Self::unseen("whether the columns of the index are NOT NULL"));
                    self.effects.scans(&plain(table));
                }
                self.forbid_null(table, &columns);
            }
            ConstraintKind::Unique { .. } | ConstraintKind::Exclude(_) => {
                self.build_key(table);
            }
            ConstraintKind::PrimaryKey { columns, .. } => {
                self.build_key(table);
                self.forbid_null(table, columns);
            }
        }
    }

    /// An index becomes a constraint's, and gets its name.
    fn use_index(&mut self, table: &Name, constraint: &Constraint, index: &str) {
        let renamed = constraint.name.as_deref().is_some_and(|name| name != index);
        let mode = if renamed { Mode::ShareUpdateExclusiveLock } else { Mode::AccessShareLock };
        let index = Name { schema: plain(table).schema, name: index.to_owned() };
        self.effects.lock(Relation::Index, &index, mode);
        self.because("the index stands there already");
    }

    /// The index of a key is built on the table and all its partitions; tables that inherit have no
    /// part in it.
    fn build_key(&mut self, table: &Name) {
        self.because("the index is built under the lock");
        let mut open = vec![plain(table)];
        while let Some(one) = open.pop() {
            let known = self.around.schema.table(&one);
            if known.is_none_or(|table| table.partition_by.is_none()) {
                self.effects.builds_index(&one);
            }
            let partitions: Vec<Name> =
                self.around.schema.partitions_of(&one).map(|(name, _)| name.clone()).collect();
            for partition in &partitions {
                self.lock(partition, Mode::ShareLock);
            }
            open.extend(partitions);
        }
    }

    fn scan_rows(&mut self, table: &Name, only: bool) {
        let tables = if only { vec![plain(table)] } else { self.with_rows(table) };
        for one in &tables {
            self.effects.scans(one);
        }
    }

    /// A primary key makes its columns NOT NULL, which looks at every row where they are not yet.
    fn forbid_null(&mut self, table: &Name, columns: &[String]) {
        for one in self.with_rows(table) {
            let known = self.around.schema.table(&one);
            for column in columns {
                let proven = known.is_some_and(|table| {
                    table.column(column).is_some_and(|column| column.not_null)
                        || table.proof_of_not_null(column).is_some()
                });
                if proven {
                    continue;
                }
                if known.and_then(|table| table.column(column)).is_none() {
                    self.effects.assume(Self::unseen(&format!(
                        "whether `{column}` of `{one}` is NOT NULL"
                    )));
                }
                self.because(format!("`{column}` becomes NOT NULL, so every row is looked at"));
                self.effects.scans(&one);
            }
        }
    }

    fn add_foreign_key(&mut self, table: &Name, constraint: &Constraint, key: &ForeignKey) {
        let parent = key.table.clone();
        self.lock_tree(table, Mode::ShareRowExclusiveLock);
        self.lock_tree(&parent, Mode::ShareRowExclusiveLock);
        let partitioned =
            self.around.schema.table(table).is_some_and(|table| table.partition_by.is_some());
        if constraint.not_valid && partitioned && self.version() < 18 {
            self.fails(
                "before PostgreSQL 18 a foreign key of a partitioned table cannot be `NOT VALID`",
            );
        }
        if !constraint.not_valid && constraint.enforced {
            self.because("every row is looked up in the parent");
            for one in self.with_rows(table) {
                self.check_foreign_key(&one, &parent);
            }
        }
    }

    /// The query that looks for rows without a parent: it reads both tables and opens all their
    /// indexes.
    pub(super) fn check_foreign_key(&mut self, table: &Name, parent: &Name) {
        self.effects.scans(&plain(table));
        for one in self.tree(parent) {
            self.lock(&one, Mode::AccessShareLock);
            let known = self.around.schema.table(&one);
            let partitioned = known.is_some_and(|table| table.partition_by.is_some());
            // Since PostgreSQL 16 the planner looks at the indexes of a partitioned table, too.
            if !partitioned || self.version() >= 16 {
                self.lock_indexes(&one, Mode::AccessShareLock);
            }
        }
        self.lock_indexes(table, Mode::AccessShareLock);
    }

    pub(super) fn validate(&mut self, table: &Name, name: &str) {
        let schema = self.around.schema;
        let known = schema.table(table).and_then(|table| table.constraint(name)).cloned();
        match known {
            Some(constraint) if !constraint.not_valid && constraint.enforced => {
                self.because("it is valid already");
            }
            Some(constraint) => match &constraint.kind {
                ConstraintKind::ForeignKey(key) => {
                    self.lock(&key.table, Mode::RowShareLock);
                    for one in self.with_rows(table) {
                        self.check_foreign_key(&one, &key.table);
                    }
                }
                _ => {
                    for one in self.with_rows(table) {
                        self.effects.scans(&one);
                    }
                }
            },
            None => {
                self.effects.assume(Self::unseen(&format!("what the constraint `{name}` demands")));
                for one in self.with_rows(table) {
                    self.effects.scans(&one);
                }
            }
        }
    }

    /// PostgreSQL 18: the triggers of a foreign key are dropped, or made anew and the key checked.
    pub(super) fn enforce(&mut self, table: &Name, name: &str, enforced: bool) {
        let known = self.around.schema.table(table).and_then(|table| table.constraint(name));
        if let Some(ConstraintKind::ForeignKey(key)) = known.map(|known| known.kind.clone()) {
            let mode =
                if enforced { Mode::ShareRowExclusiveLock } else { Mode::AccessExclusiveLock };
            self.lock_tree(&key.table, mode);
        }
        if enforced {
            self.validate(table, name);
        }
    }

    /// The index of a constraint is called as the constraint is.
    pub(super) fn rename_constraint(&mut self, table: &Name, name: &str) {
        let index = Name { schema: plain(table).schema, name: name.to_owned() };
        let known = self.around.schema.indexes.get(&index);
        if known.is_some_and(|index| index.of_constraint) {
            self.effects.lock(Relation::Index, &index, Mode::ShareUpdateExclusiveLock);
        }
    }

    /// The index of a constraint, with all the parts that partitions have of it.
    fn index_tree(&self, table: &Name, constraint: &str) -> Vec<Name> {
        let schema = self.around.schema;
        let name = Name { schema: plain(table).schema, name: constraint.to_owned() };
        let mut all: Vec<Name> =
            schema.indexes.contains_key(&name).then_some(name).into_iter().collect();
        for one in schema.descendants(table) {
            // Those above come first, so that each finds the one that it is a part of.
            for (index, entry) in schema.indexes_of(&one) {
                if entry.attached_to.as_ref().is_some_and(|of| all.contains(of)) {
                    all.push(index.clone());
                }
            }
        }
        all
    }

    pub(super) fn drop_constraint(&mut self, table: &Name, name: &str, cascade: bool) {
        let schema = self.around.schema;
        let known = schema.table(table).and_then(|table| table.constraint(name)).cloned();
        match known.map(|constraint| constraint.kind) {
            Some(ConstraintKind::ForeignKey(key)) => {
                self.lock_tree(&key.table, Mode::AccessExclusiveLock);
            }
            Some(kind @ (ConstraintKind::Unique { .. } | ConstraintKind::PrimaryKey { .. })) => {
                for index in self.index_tree(table, name) {
                    self.effects.lock(Relation::Index, &index, Mode::AccessExclusiveLock);
                }
                self.drop_keys_to(table, &kind, cascade);
            }
            Some(ConstraintKind::Exclude(_)) => {
                for index in self.index_tree(table, name) {
                    self.effects.lock(Relation::Index, &index, Mode::AccessExclusiveLock);
                }
            }
            Some(_) => {}
            None => self.effects.assume(Self::unseen(&format!(
                "whether `{name}` is a foreign key, whose parent would be locked"
            ))),
        }
    }

    /// Foreign keys of other tables that count on a key go with CASCADE, or it fails.
    fn drop_keys_to(&mut self, table: &Name, dropped: &ConstraintKind, cascade: bool) {
        let schema = self.around.schema;
        let counts_on = |key: &ForeignKey| match dropped {
            ConstraintKind::PrimaryKey { columns, .. } => {
                key.referenced.is_empty() || same_columns(&key.referenced, columns)
            }
            ConstraintKind::Unique { columns, .. } => same_columns(&key.referenced, columns),
            _ => false,
        };
        let keys = schema.referring_to(table).filter(|(_, _, key)| counts_on(key));
        let children: Vec<Name> = keys.map(|(child, ..)| child.clone()).collect();
        if !cascade && let Some(child) = children.first() {
            self.fails(format!("a foreign key of `{child}` needs it"));
        }
        for child in children {
            self.lock_tree(&child, Mode::AccessExclusiveLock);
        }
    }
}

fn same_columns(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|column| other.contains(column))
}
