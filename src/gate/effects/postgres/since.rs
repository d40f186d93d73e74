//! What a version does not do yet, though it knows the words: by what the statement means, or by the
//! schema that it meets. What a version cannot even read, the parser notes.

use super::Judge;
use crate::sql::statement::{
    Column, Constraint, ConstraintKind, CreateIndex, CreateTable, Name, Setting, TypeAction,
};

/// Settings that are no older than the oldest version that is supported (release notes, E).
const SETTINGS: &[(&str, u16)] = &[
    ("jit", 11),
    ("plan_cache_mode", 12),
    ("idle_session_timeout", 14),
    ("client_connection_check_interval", 14),
    ("transaction_timeout", 17),
];

/// Settings that are no more, and the first version that lacks them.
const GONE: &[(&str, u16)] = &[
    ("operator_precedence_warning", 14),
    ("vacuum_cleanup_index_scale_factor", 14),
    ("force_parallel_mode", 16),
];

impl Judge<'_> {
    /// A version before the one that brought it refuses it.
    pub(super) fn came_with(&mut self, version: u16, what: &str) {
        if self.version() < version {
            self.fails(format!("{what} came with PostgreSQL {version}"));
        }
    }

    pub(super) fn set(&mut self, settings: &[Setting]) {
        for setting in settings {
            if let Some((name, version)) = GONE.iter().find(|(name, _)| *name == setting.name)
                && *version <= self.version()
            {
                self.fails(format!("the setting `{name}` went with PostgreSQL {version}"));
            }
            if let Some((name, version)) = SETTINGS.iter().find(|(name, _)| *name == setting.name) {
                self.came_with(*version, &format!("the setting `{name}`"));
            }
        }
    }

    /// What a new table could not be at first, or can be no more.
    pub(super) fn new_table(&mut self, create: &CreateTable) {
        let references = create.columns.iter().filter_map(|column| column.references.as_ref());
        let keys = create.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => Some(key),
            _ => None,
        });
        let references: Vec<Name> = references.chain(keys).map(|key| key.table.clone()).collect();
        if references.iter().any(|table| self.is_partitioned(table)) {
            self.came_with(12, "a foreign key that refers to a partitioned table");
        }
        if create.partition_by.is_none() {
            return;
        }
        let keyed =
            |column: &Column| column.primary_key || column.unique || column.references.is_some();
        let key = |constraint: &Constraint| {
            !matches!(constraint.kind, ConstraintKind::Check(_) | ConstraintKind::NotNull(_))
        };
        if create.columns.iter().any(keyed) || create.constraints.iter().any(key) {
            self.came_with(11, "a key of a partitioned table");
        }
        // Before, the word did nothing.
        if create.options.iter().any(|(name, _)| name == "unlogged") && 18 <= self.version() {
            self.fails("since PostgreSQL 18 a partitioned table cannot be unlogged");
        }
    }

    /// A column that numbers its rows, on a table with others below it.
    pub(super) fn identity_below(&mut self, table: &Name, column: &Column) {
        let below = self.around.schema.descendants(table);
        if !column.identity || below.is_empty() {
            return;
        }
        if self.is_partitioned(table) {
            self.came_with(17, "an identity column of a partitioned table with partitions");
        } else {
            self.fails("an identity column cannot be handed down to the tables that inherit");
        }
    }

    /// A check dropped from a partitioned table alone, with the partitions keeping theirs.
    pub(super) fn drop_check_only(&mut self, table: &Name, name: &str) {
        let known = self.around.schema.table(table).and_then(|table| table.constraint(name));
        let handed_down = known.is_some_and(|constraint| {
            matches!(constraint.kind, ConstraintKind::Check(_)) && !constraint.no_inherit
        });
        let has_partitions = self.around.schema.partitions_of(table).next().is_some();
        if handed_down && has_partitions {
            self.came_with(18, "`DROP CONSTRAINT` of a partitioned table alone");
        }
    }

    /// A type that the same transaction has made takes a label at once on every version.
    pub(super) fn add_value_inside(&mut self, ty: &Name, action: &TypeAction) {
        let adds = matches!(action, TypeAction::AddValue(_));
        if adds && self.around.in_transaction && !self.around.schema.is_born(ty) {
            self.came_with(12, "`ALTER TYPE … ADD VALUE` inside a transaction");
        }
    }

    /// What a partitioned table could not have at first.
    pub(super) fn constrain_partitioned(&mut self, table: &Name, constraint: &Constraint) {
        if let ConstraintKind::ForeignKey(key) = &constraint.kind
            && self.is_partitioned(&key.table)
        {
            self.came_with(12, "a foreign key that refers to a partitioned table");
        }
        if !self.is_partitioned(table) {
            return;
        }
        match &constraint.kind {
            ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. } => {
                self.came_with(11, "a key of a partitioned table");
            }
            ConstraintKind::ForeignKey(_) => {
                self.came_with(11, "a foreign key of a partitioned table");
            }
            ConstraintKind::Exclude(_) => {
                self.came_with(17, "an exclusion constraint of a partitioned table");
            }
            ConstraintKind::Check(_) | ConstraintKind::NotNull(_) => {}
        }
    }

    pub(super) fn index_partitioned(&mut self, index: &CreateIndex) {
        if self.is_partitioned(&index.table) {
            self.came_with(11, "an index of a partitioned table");
        }
    }
}
