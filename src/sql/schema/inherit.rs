//! What PostgreSQL hands down from a table to its partitions and to those that inherit from it.

use super::Schema;
use crate::sql::statement::{Action, Column, Constraint, ConstraintKind, KeyNames, Name};

impl Schema {
    /// The constraints of a table that one which is made below it has as well.
    pub(super) fn handed_down<'a>(
        &'a self,
        parent: &Name,
    ) -> impl Iterator<Item = &'a Constraint> + use<'a> {
        let constraints = self.table(parent).into_iter().flat_map(|table| &table.constraints);
        constraints.filter(|constraint| constraint.is_inherited())
    }

    /// Changes all below a table in the way in which the table itself was changed.
    pub(super) fn hand_down(&mut self, parent: &Name, action: &Action) {
        let below = self.descendants(parent);
        if below.is_empty() {
            return;
        }
        let action = match action {
            Action::AddColumn { column, if_not_exists, place } => Action::AddColumn {
                column: Box::new(column.without_keys()),
                if_not_exists: *if_not_exists,
                place: place.clone(),
            },
            Action::AddConstraint { constraint, .. } if constraint.is_inherited() => {
                for child in &below {
                    self.inherit_constraints(parent, child);
                }
                return;
            }
            Action::DropColumn { .. }
            | Action::RenameColumn { .. }
            | Action::ChangeType { .. }
            | Action::SetDefault { .. }
            | Action::DropDefault { .. }
            | Action::SetNotNull { .. }
            | Action::DropNotNull { .. }
            | Action::DropExpression { .. }
            | Action::DropConstraint { .. }
            | Action::ValidateConstraint { .. }
            | Action::RenameConstraint { .. } => action.clone(),
            _ => return,
        };
        for child in below {
            self.alter(&child, &action);
            self.inherit_constraints(parent, &child);
        }
    }

    /// Gives a table those constraints of the one above it that it lacks, under the same names.
    fn inherit_constraints(&mut self, parent: &Name, child: &Name) {
        let has = |constraint: &Constraint| {
            let name = constraint.name.as_deref();
            self.table(child)
                .is_some_and(|table| name.is_some_and(|n| table.constraint(n).is_some()))
        };
        let lacked: Vec<Constraint> =
            self.handed_down(parent).filter(|one| !has(one)).cloned().collect();
        for constraint in lacked {
            self.add_constraint(child, &constraint);
        }
    }
}

impl Constraint {
    /// Whether the tables below have it as well. Keys are each table's own; partitions get theirs
    /// with the parts of the parent's index.
    #[must_use]
    pub fn is_inherited(&self) -> bool {
        let kind = matches!(self.kind, ConstraintKind::Check(_) | ConstraintKind::NotNull(_));
        kind && !self.no_inherit
    }
}

impl Column {
    /// As the tables below get it: keys and numbers are not handed down, and checks under the name
    /// that they have above.
    fn without_keys(&self) -> Self {
        Self {
            primary_key: false,
            unique: false,
            references: None,
            identity: false,
            checks: Vec::new(),
            key_names: KeyNames::default(),
            ..self.clone()
        }
    }
}
