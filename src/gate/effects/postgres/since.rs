//! What a version does not do yet, though it knows the words: by what the statement means, or by the
//! schema that it meets. What a version cannot even read, the parser notes.

use super::Judge;
use crate::sql::statement::{Constraint, ConstraintKind, CreateIndex, Name, Setting, TypeAction};

/// Settings that are no older than the oldest version that is supported (release notes, E).
const SETTINGS: &[(&str, u16)] = &[
    ("jit", 11),
    ("plan_cache_mode", 12),
    ("idle_session_timeout", 14),
    ("client_connection_check_interval", 14),
    ("transaction_timeout", 17),
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
            if let Some((name, version)) = SETTINGS.iter().find(|(name, _)| *name == setting.name) {
                self.came_with(*version, &format!("the setting `{name}`"));
            }
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
