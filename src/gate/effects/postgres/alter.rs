//! `ALTER TABLE`, clause by clause.

use super::{Judge, Mode};
use crate::gate::effects::Relation;
use crate::sql::schema::{Table, plain};
use crate::sql::statement::{
    Action, AlterTable, Constraint, ConstraintKind, Name, PartitionOperation,
};

impl Judge<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        if alter.if_exists && self.is_missing(&alter.name) {
            return;
        }
        self.refuse_alter(alter);
        for (action, _) in &alter.actions {
            let mode = self.level_here(action);
            self.refuse(&alter.name, action, alter);
            if alter.only || !self.recurses(&alter.name, action) {
                self.lock(&alter.name, mode);
                // A constraint that is dropped here alone becomes their own.
                if matches!(action, Action::DropConstraint { .. }) {
                    for child in self.around.schema.children_of(&alter.name) {
                        self.lock(child, mode);
                    }
                }
            } else {
                self.lock_tree(&alter.name, mode);
            }
            self.action(&alter.name, action, alter);
        }
    }

    pub(super) fn alter_view(&mut self, alter: &AlterTable) {
        if alter.if_exists && self.is_missing(&alter.name) {
            return;
        }
        for (action, _) in &alter.actions {
            let mode = level(action);
            self.lock(&alter.name, mode);
            match action {
                Action::RenameTo(_) | Action::SetSchema(_) | Action::RenameColumn { .. } => {
                    self.breaks(&alter.name, "queries that use the old name fail");
                }
                // Its indexes stay where they are.
                Action::SetTablespace => self.effects.rewrites(&plain(&alter.name)),
                Action::SetAccessMethod => self.rewrite(&alter.name),
                Action::ClusterOn { index: Some(index) } => {
                    let index = Name { schema: plain(&alter.name).schema, name: index.clone() };
                    self.effects.lock(Relation::Index, &index, mode);
                }
                _ => {}
            }
        }
    }

    fn action(&mut self, table: &Name, action: &Action, alter: &AlterTable) {
        match action {
            Action::AddColumn { column, if_not_exists, .. } => {
                let there = self.around.schema.column(table, &column.name).is_some();
                if !(*if_not_exists && there) {
                    self.add_column(table, column);
                }
            }
            Action::DropColumn { name, cascade, .. } => {
                self.drop_column(table, name, *cascade, alter.only);
            }
            Action::RenameColumn { from, .. } => {
                self.breaks(table, format!("code that still says `{from}` fails"));
                self.mentioned_in_routines(table, from);
            }
            Action::ChangeType { column, to, collation, using } => {
                self.change_type(table, column, to, collation.as_deref(), using.as_ref(), alter);
            }
            Action::SetNotNull { column } => self.set_not_null(table, column, alter),
            Action::DropNotNull { column } => {
                self.breaks(table, format!("code that counts on a value in `{column}` meets NULL"));
            }
            Action::AddIdentity { .. } | Action::SetDefault { .. } | Action::DropDefault { .. } => {
                self.change_default(table, action);
            }
            Action::SetExpression { column, .. } => self.set_expression(table, column),
            Action::AddConstraint { constraint, .. } => {
                self.add_constraint(table, constraint, alter.only);
            }
            Action::DropConstraint { name, cascade, .. } => {
                if alter.only {
                    self.drop_check_only(table, name);
                }
                self.drop_constraint(table, name, *cascade);
            }
            Action::ValidateConstraint { name } => self.validate(table, name),
            Action::AlterConstraint { name, enforced: Some(enforced) } => {
                self.enforce(table, name, *enforced);
            }
            Action::RenameConstraint { from, .. } => self.rename_constraint(table, from),
            Action::RenameTo(to) => {
                self.breaks(table, format!("code that still says `{}` fails", plain(table)));
                let _ = to;
                self.table_in_routines(table);
            }
            Action::SetSchema(_) => {
                self.breaks(table, "code that names its schema, or searches only there, fails");
                self.lock_sequences(table, None, Mode::AccessExclusiveLock);
                self.table_in_routines(table);
            }
            Action::AttachPartition { child, bounds, .. } => self.attach(table, child, bounds),
            Action::DetachPartition { child, concurrently, finalize } => {
                self.detach(table, child, *concurrently || *finalize);
            }
            Action::Partition(PartitionOperation::Split) => {
                self.lock_tree(table, Mode::AccessExclusiveLock);
                self.rewrite(table);
            }
            Action::SetLogged { logged } => {
                let is_logged =
                    self.around.schema.table(table).is_some_and(|table| {
                        table.whole && !table.options.contains_key("unlogged")
                    });
                if *logged && is_logged {
                    return;
                }
                for one in self.with_rows_of_self(table) {
                    self.rewrite(&one);
                }
            }
            Action::SetTablespace | Action::SetAccessMethod => {
                for one in self.with_rows_of_self(table) {
                    self.rewrite(&one);
                }
            }
            Action::Inherit(parent) | Action::NoInherit(parent) => {
                let mode = match action {
                    Action::Inherit(_) => Mode::ShareUpdateExclusiveLock,
                    _ => Mode::AccessShareLock,
                };
                self.lock(parent, mode);
            }
            Action::ClusterOn { index: Some(index) }
            | Action::ReplicaIdentity { index: Some(index) } => {
                let mode = match action {
                    Action::ClusterOn { .. } => Mode::ShareUpdateExclusiveLock,
                    _ => Mode::ShareLock,
                };
                let index = Name { schema: plain(table).schema, name: index.clone() };
                self.effects.lock(Relation::Index, &index, mode);
            }
            Action::AlterIdentity { column } | Action::DropIdentity { column, .. } => {
                let mode = match action {
                    Action::AlterIdentity { .. } => Mode::ShareRowExclusiveLock,
                    _ => Mode::AccessExclusiveLock,
                };
                let known = self.around.schema.column(table, column);
                if known.is_none_or(|column| column.identity) {
                    self.lock_sequences(table, Some(column), mode);
                }
            }
            Action::Unknown { text } => {
                let why = format!("`{text}` cannot be read");
                self.effects.verdict = super::Verdict::NotEvaluated(why);
            }
            _ => {}
        }
    }

    /// The lock of a clause on this version.
    fn level_here(&self, action: &Action) -> Mode {
        match action {
            // A partition is attached beside the queries on the others since PostgreSQL 12.
            Action::AttachPartition { .. } if self.version() < 12 => Mode::AccessExclusiveLock,
            _ => level(action),
        }
    }

    /// Whether a clause reaches the tables below this one.
    fn recurses(&self, table: &Name, action: &Action) -> bool {
        let known = self.around.schema.table(table);
        match action {
            // PostgreSQL 18 locks all below before it asks whether they are meant.
            Action::AddConstraint { constraint, .. } if self.version() < 18 => {
                match &constraint.kind {
                    ConstraintKind::Unique { .. } | ConstraintKind::Exclude(_) => false,
                    ConstraintKind::Check(_) => !constraint.no_inherit,
                    // The key itself goes down as its index does; NOT NULL, where it is missing, as a
                    // clause of its own.
                    ConstraintKind::PrimaryKey { columns, .. } => {
                        let proven = |column: &String| {
                            let column = known.and_then(|table| table.column(column));
                            column.is_some_and(|column| column.not_null)
                        };
                        columns.is_empty() || !columns.iter().all(proven)
                    }
                    _ => true,
                }
            }
            Action::RenameConstraint { from, .. } => {
                known.and_then(|table| table.constraint(from)).is_none_or(Constraint::is_inherited)
            }
            // Since PostgreSQL 18 NOT NULL is a constraint, and where there is none nothing is handed
            // down.
            Action::DropNotNull { column } if self.version() >= 18 => {
                known.and_then(|table| table.column(column)).is_none_or(|column| column.not_null)
            }
            _ => recurses(action),
        }
    }

    /// The table itself, if it holds rows.
    pub(super) fn with_rows_of_self(&self, table: &Name) -> Vec<Name> {
        let partitioned = |table: &Table| table.partition_by.is_some();
        if self.around.schema.table(table).is_some_and(partitioned) {
            Vec::new()
        } else {
            vec![plain(table)]
        }
    }
}

/// The lock that a clause takes on the table itself (`AlterTableGetLockLevel`).
fn level(action: &Action) -> Mode {
    match action {
        Action::ValidateConstraint { .. }
        | Action::SetStatistics { .. }
        | Action::ColumnOptions { .. }
        | Action::ClusterOn { .. }
        | Action::AttachPartition { .. } => Mode::ShareUpdateExclusiveLock,
        Action::DetachPartition { concurrently, finalize, .. } => {
            if *concurrently || *finalize {
                Mode::ShareUpdateExclusiveLock
            } else {
                Mode::AccessExclusiveLock
            }
        }
        Action::SetOptions(names) => options_level(names),
        Action::Triggers { .. } => Mode::ShareRowExclusiveLock,
        Action::AddConstraint { constraint, .. } => match &constraint.kind {
            ConstraintKind::ForeignKey(_) => Mode::ShareRowExclusiveLock,
            _ => Mode::AccessExclusiveLock,
        },
        _ => Mode::AccessExclusiveLock,
    }
}

/// `AlterTableGetRelOptionsLockLevel`: the strongest among the parameters that are named.
fn options_level(names: &[String]) -> Mode {
    let calm = |name: &String| {
        let name = name.strip_prefix("toast.").unwrap_or(name);
        name.starts_with("autovacuum_")
            || matches!(
                name,
                "fillfactor"
                    | "toast_tuple_target"
                    | "parallel_workers"
                    | "vacuum_index_cleanup"
                    | "vacuum_truncate"
                    | "vacuum_max_eager_freeze_failure_rate"
                    | "log_autovacuum_min_duration"
            )
    };
    if names.iter().all(calm) { Mode::ShareUpdateExclusiveLock } else { Mode::AccessExclusiveLock }
}

/// Whether a clause reaches the partitions and children as well.
fn recurses(action: &Action) -> bool {
    !matches!(
        action,
        Action::AttachPartition { .. }
            | Action::DetachPartition { .. }
            | Action::RenameTo(_)
            | Action::SetSchema(_)
            | Action::SetOptions(_)
            | Action::RowSecurity
            | Action::Rules { .. }
            | Action::ReplicaIdentity { .. }
            | Action::OwnerTo
            | Action::SetTablespace
            | Action::SetAccessMethod
            | Action::SetLogged { .. }
            | Action::ClusterOn { .. }
            | Action::Inherit(_)
            | Action::NoInherit(_)
            | Action::OfType
            | Action::Partition(_)
            | Action::SetCompression { .. }
            | Action::ColumnOptions { .. }
    )
}
