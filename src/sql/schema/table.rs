//! Clauses about columns and the table itself, applied.

use super::{Schema, Table, plain};
use crate::sql::statement::{
    Action, Column, Constraint, ConstraintKind, IndexPart, Name, PartitionOperation, Place,
};

impl Schema {
    pub(super) fn drop_column(&mut self, name: &Name, column: &str) {
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

    pub(super) fn rename_column(&mut self, name: &Name, from: &str, to: &str) {
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
    /// MySQL, MariaDB: new columns of the table are written like this.
    fn write_in(&mut self, charset: Option<&String>, collation: Option<&String>) {
        let of = |collation: &String| collation.split('_').next().map(str::to_owned);
        let charset = charset.cloned().or_else(|| collation.and_then(of));
        if let Some(charset) = charset {
            self.options.insert("charset".to_owned(), charset);
            self.options.remove("collate");
        }
        if let Some(collation) = collation {
            self.options.insert("collate".to_owned(), collation.clone());
        }
    }

    /// The constraint that MySQL or MariaDB calls so where the statement gave it no name: the schema
    /// calls it otherwise.
    pub(super) fn made_up(&self, table: &str, called: &str) -> Option<String> {
        let (suffix, number) = if let Some(rest) = called.strip_prefix(table) {
            let keys = rest.strip_prefix("_ibfk_").map(|number| ("_fkey", number));
            keys.or_else(|| rest.strip_prefix("_chk_").map(|number| ("_check", number)))?
        } else {
            ("_check", called.strip_prefix("CONSTRAINT_")?)
        };
        let number: usize = number.parse().ok()?;
        self.constraints
            .iter()
            .filter_map(|have| have.name.as_ref())
            .filter(|name| name.starts_with(table) && name.ends_with(suffix))
            .nth(number.checked_sub(1)?)
            .cloned()
    }

    /// What changes nothing but the table itself.
    pub(super) fn alter(&mut self, action: &Action) {
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
            Action::DropIdentity { column, .. } => of(column, &|have| have.identity = false),
            Action::DropExpression { column, .. } => of(column, &|have| have.generated = None),
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
            Action::ClusterOn { index } => {
                self.options.remove("clustered");
                if let Some(index) = index {
                    self.options.insert("clustered".to_owned(), index.clone());
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
                for column in &mut self.columns {
                    column.ty.charset = None;
                    column.collation = None;
                }
                self.write_in(Some(charset), collation.as_ref());
            }
            Action::DefaultCharset { charset, collation } => {
                // The columns that are there stay as they are.
                let text = [
                    "varchar",
                    "char",
                    "tinytext",
                    "text",
                    "mediumtext",
                    "longtext",
                    "enum",
                    "set",
                ];
                let option = |name: &str| self.options.get(name).cloned();
                let (before, order) = (option("charset"), option("collate"));
                for column in &mut self.columns {
                    let bare = column.ty.charset.is_none() && column.collation.is_none();
                    if bare && text.contains(&column.ty.name.as_str()) {
                        column.ty.charset.clone_from(&before);
                        column.collation.clone_from(&order);
                    }
                }
                self.write_in(charset.as_ref(), collation.as_ref());
            }
            Action::Partition(PartitionOperation::PartitionBy) => {
                self.partition_by = Some(String::new());
            }
            Action::Partition(PartitionOperation::Remove) => self.partition_by = None,
            _ => {}
        }
    }
}
