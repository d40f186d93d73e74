//! The clauses of an `ALTER TABLE`, each as the changes that it is.

use super::change::Change;
use super::column::{self, Beside};
use super::combine::Changes;
use super::shape::Shape;
use super::types::{Difference, difference};
use super::version::Flavor;
use super::{alter::is_named, order};
use crate::gate::Surroundings;
use crate::sql::statement::{
    Action, AlterTable, Column, ConstraintKind, CreateIndex, IndexKind, IndexPart,
};

/// What a statement's clauses come down to. `whole` means that all columns are known.
pub(super) fn clauses(
    alter: &AlterTable,
    shape: &Shape,
    whole: bool,
    around: &Surroundings,
) -> Changes {
    let flavor = Flavor::of(around.server);
    let order = order::of(alter, shape);
    let adds_primary = alter.actions.iter().any(|(action, _)| makes_primary(action));
    let beside =
        Beside { dropped: &order.dropped, adds_primary, checks: around.foreign_key_checks };
    let cascades = shape.table.foreign_keys().any(|(_, key)| {
        let acts = |action: &Option<String>| {
            action.as_deref().is_some_and(|action| !matches!(action, "RESTRICT" | "NO ACTION"))
        };
        acts(&key.on_delete) || acts(&key.on_update)
    });
    let virtual_moves = order.virtual_moves;
    let mut changes = Changes { virtual_moves, cascades, ..Changes::default() };
    if order.moves {
        changes.add(Change::Reorder);
    }
    let mut reader = Reader { shape, flavor, whole, around, beside, order: &order };
    for (action, _) in &alter.actions {
        if !reader.columns(action, &mut changes)
            && !reader.keys(action, &mut changes)
            && !reader.table(action, &mut changes)
        {
            changes.copy("a clause of it is not known here");
        }
    }
    changes
}

fn makes_primary(action: &Action) -> bool {
    match action {
        Action::AddConstraint { constraint, .. } => {
            matches!(constraint.kind, ConstraintKind::PrimaryKey { .. })
        }
        Action::AddColumn { column, .. } | Action::Modify { column, .. } => column.primary_key,
        _ => false,
    }
}

/// Reads clauses of one statement.
struct Reader<'a> {
    shape: &'a Shape<'a>,
    flavor: Flavor,
    whole: bool,
    around: &'a Surroundings<'a>,
    beside: Beside<'a>,
    order: &'a order::Order,
}

impl Reader<'_> {
    /// Clauses about columns. Whether it was one.
    fn columns(&mut self, action: &Action, changes: &mut Changes) -> bool {
        let (shape, flavor) = (self.shape, self.flavor);
        match action {
            Action::AddColumn { column, .. } => {
                if shape.table.column(&column.name).is_some()
                    && !self
                        .beside
                        .dropped
                        .iter()
                        .any(|gone| gone.eq_ignore_ascii_case(&column.name))
                {
                    changes.add(Change::Dictionary);
                } else {
                    let last = self.order.is_last(&column.name);
                    column::added(column, last, shape, flavor, self.beside, changes);
                }
            }
            Action::DropColumn { name, .. } => match shape.table.column(name) {
                Some(column) => column::dropped(column, shape, flavor, self.beside, changes),
                None if self.whole => changes.add(Change::Dictionary),
                None => changes.add(Change::DropColumn),
            },
            Action::RenameColumn { from, .. } => self.rename(from, changes),
            Action::Modify { from, column, .. } => match shape.table.column(from) {
                Some(old) => {
                    column::modified(old, column, shape, flavor, self.beside, changes);
                    if let Some(at) = changes.all.iter().position(|c| *c == Change::RenameColumn)
                        && self.is_referenced(from)
                        && !old.name.eq_ignore_ascii_case(&column.name)
                    {
                        changes.all[at] = Change::RenameReferenced;
                    }
                }
                None if self.whole => changes.add(Change::Dictionary),
                None => {
                    changes.add(Change::Copy);
                    changes.unknown.get_or_insert(format!(
                        "what the column `{from}` is now is not known: its definition would settle it"
                    ));
                }
            },
            Action::SetDefault { .. }
            | Action::DropDefault { .. }
            | Action::ColumnVisibility { .. } => changes.add(Change::Dictionary),
            _ => return false,
        }
        true
    }

    fn rename(&self, from: &str, changes: &mut Changes) {
        if self.is_referenced(from) && !self.flavor.renames_referenced_instantly() {
            changes.explain(format!("foreign keys of other tables refer to `{from}`"));
            changes.add(Change::RenameReferenced);
        } else {
            changes.add(Change::RenameColumn);
        }
    }

    /// Whether foreign keys of other tables refer to a column.
    fn is_referenced(&self, column: &str) -> bool {
        self.around.schema.referring_to(&self.shape.name).any(|(_, _, key)| {
            let names = key.referenced.iter().any(|name| name.eq_ignore_ascii_case(column));
            names || (key.referenced.is_empty() && self.shape.is_primary(column))
        })
    }

    /// Clauses about keys and constraints. Whether it was one.
    fn keys(&mut self, action: &Action, changes: &mut Changes) -> bool {
        let (shape, flavor) = (self.shape, self.flavor);
        match action {
            Action::AddConstraint { constraint, .. } => match &constraint.kind {
                ConstraintKind::Check(_) if !(constraint.enforced && flavor.checks()) => {
                    changes.add(Change::Dictionary);
                }
                ConstraintKind::Check(_) => {
                    changes.copy("every row is checked against the new `CHECK`");
                }
                ConstraintKind::ForeignKey(_) if !shape.innodb => changes.add(Change::Dictionary),
                ConstraintKind::ForeignKey(key) => {
                    column::foreign_key(self.beside.checks, changes);
                    if !shape.keys.iter().any(|have| have.begins_with(&key.columns)) {
                        changes.add(Change::AddIndex);
                    }
                }
                ConstraintKind::PrimaryKey { columns, .. } => self.cluster(columns, changes),
                ConstraintKind::Unique { columns, .. } => {
                    self.unique(
                        &columns.iter().map(|name| (name, None)).collect::<Vec<_>>(),
                        changes,
                    );
                }
                ConstraintKind::Exclude(_) | ConstraintKind::NotNull(_) => return false,
            },
            Action::AddIndex { index } => self.index(index, changes),
            Action::DropIndex { name, .. } => self.drop_key(name, changes),
            Action::DropConstraint { name, .. } => self.drop_constraint(name, changes),
            Action::DropPrimaryKey => self.drop_primary(changes),
            Action::DropForeignKey { .. } => changes.add(Change::DropForeignKey),
            Action::DropCheck { .. } => changes.add(Change::Dictionary),
            Action::AlterConstraint { name, enforced } => {
                let held = shape.table.constraint(name).is_some_and(|have| have.enforced);
                if *enforced == Some(true) && !held {
                    changes.copy("every row is checked against the `CHECK`");
                } else {
                    changes.add(Change::Dictionary);
                }
            }
            Action::RenameIndex { .. } => changes.add(Change::RenameIndex),
            Action::IndexVisibility { .. } => changes.add(Change::IndexVisibility),
            _ => return false,
        }
        true
    }

    fn index(&self, index: &CreateIndex, changes: &mut Changes) {
        let virtual_column = |name: &String| self.order.added_virtual.contains(name);
        changes.indexes_new_virtual |= index
            .parts
            .iter()
            .any(|part| matches!(part, IndexPart::Column(name, _) if virtual_column(name)));
        let named = |name: &str| self.shape.key(name).is_some();
        if index.if_not_exists && index.name.as_ref().is_some_and(|name| named(&name.name)) {
            changes.add(Change::Dictionary);
            return;
        }
        if index.parts.iter().any(|part| matches!(part, IndexPart::Expression(_))) {
            changes.add(Change::AddExpressionIndex);
            changes.explain("an expression in an index is a hidden column");
            return;
        }
        match index.kind {
            IndexKind::FullText => {
                changes.fulltext_added += 1;
                let first = self.shape.fulltext == 0 && !self.shape.hidden_key;
                changes.add(if first { Change::FirstFullText } else { Change::NextFullText });
                changes.explain(if first {
                    "the first full-text index of a table adds a hidden column"
                } else {
                    "writes wait while a full-text index is built"
                });
            }
            IndexKind::Spatial | IndexKind::Vector => {
                changes.add(Change::AddSpatial);
                changes.explain("writes wait while such an index is built");
            }
            IndexKind::Ordinary if index.unique => {
                let parts: Vec<_> = index
                    .parts
                    .iter()
                    .filter_map(|part| match part {
                        IndexPart::Column(name, length) => Some((name, *length)),
                        IndexPart::Expression(_) => None,
                    })
                    .collect();
                self.unique(&parts, changes);
            }
            IndexKind::Ordinary => changes.add(Change::AddIndex),
        }
    }

    /// A unique index, in whose order InnoDB keeps the rows if it is the first without `NULL` and
    /// there is no primary key.
    fn unique(&self, parts: &[(&String, Option<u32>)], changes: &mut Changes) {
        let forbids = |name: &String| {
            let column = self.shape.table.column(name);
            column.is_some_and(|column| self.shape.is_not_null(column, self.flavor))
        };
        let clusters = self.shape.innodb
            && self.shape.clustered(self.flavor).is_none()
            && parts.iter().all(|(name, length)| length.is_none() && forbids(name));
        if clusters {
            changes.explain("without a primary key the rows are kept in the order of this index");
        }
        changes.add(if clusters { Change::Cluster } else { Change::AddUnique });
    }

    /// A new primary key.
    fn cluster(&self, columns: &[String], changes: &mut Changes) {
        let same = |key: &super::shape::Key| {
            key.name != "PRIMARY" && key.begins_with(columns) && key.columns.len() == columns.len()
        };
        let clustered = self.shape.clustered(self.flavor);
        if self.flavor.mariadb && clustered.is_some_and(same) {
            changes.add(Change::AddIndex);
            return;
        }
        changes.add(Change::Cluster);
        changes.explain("the rows are kept in the order of the primary key");
    }

    fn drop_primary(&self, changes: &mut Changes) {
        let next = self.shape.keys.iter().any(|key| {
            let forbids = |name: &String| {
                let column = self.shape.table.column(name);
                column.is_some_and(|column| self.shape.is_not_null(column, self.flavor))
            };
            key.name != "PRIMARY" && key.unique && !key.prefix && key.columns.iter().all(forbids)
        });
        if self.beside.adds_primary || (next && self.flavor.mariadb) {
            changes.add(Change::Cluster);
        } else {
            changes.add(Change::Uncluster);
        }
        changes.explain("the rows are kept in the order of the primary key");
    }

    fn drop_key(&self, name: &str, changes: &mut Changes) {
        if name.eq_ignore_ascii_case("PRIMARY") {
            self.drop_primary(changes);
            return;
        }
        match self.shape.key(name) {
            Some(key) => column::index_dropped(key, self.shape, self.flavor, changes),
            None if self.whole => changes.add(Change::Dictionary),
            None => changes.add(Change::DropIndex),
        }
    }

    fn drop_constraint(&self, name: &str, changes: &mut Changes) {
        let table = self.shape.table;
        let is = |have: &crate::sql::statement::Constraint| is_named(have.name.as_deref(), name);
        match table.constraints.iter().find(|have| is(have)).map(|have| &have.kind) {
            Some(ConstraintKind::ForeignKey(_)) => changes.add(Change::DropForeignKey),
            Some(ConstraintKind::Check(_)) => changes.add(Change::Dictionary),
            _ if self.shape.key(name).is_some() || name.eq_ignore_ascii_case("PRIMARY") => {
                self.drop_key(name, changes);
            }
            _ if self.whole => changes.add(Change::Dictionary),
            _ => {
                changes.add(Change::DropForeignKey);
                changes.unknown.get_or_insert(format!(
                    "what the constraint `{name}` is, is not known: the definition of the table would settle it"
                ));
            }
        }
    }

    /// Clauses about the table. Whether it was one.
    fn table(&mut self, action: &Action, changes: &mut Changes) -> bool {
        match action {
            Action::RenameTo(_) => changes.add(Change::RenameTable),
            Action::ConvertCharset { charset, collation } => {
                changes.add(Change::CostlyOption);
                for column in &self.shape.table.columns {
                    self.convert(column, charset, collation.as_ref(), changes);
                }
                if !self.whole {
                    changes.add(Change::IndexedCollation);
                }
            }
            Action::DefaultCharset { .. } => changes.add(Change::CostlyOption),
            Action::Engine(engine) => {
                let now = self.shape.table.options.get("engine").map(|name| name.to_lowercase());
                let now = now.unwrap_or_else(|| "innodb".to_owned());
                if engine.eq_ignore_ascii_case(&now) {
                    changes.add(Change::Recreate);
                    changes.explain("naming the engine that it has writes the table anew");
                } else {
                    changes.copy(format!("from `{now}` to `{engine}` every row is copied"));
                }
            }
            Action::RowFormat(_) => {
                changes.add(Change::Recreate);
                changes.explain("another row format writes the table anew");
            }
            Action::Force => changes.add(Change::Recreate),
            Action::OrderBy => changes.copy("`ORDER BY` copies the rows in another order"),
            Action::Keys { .. } => changes.add(Change::Dictionary),
            Action::TableOption { name, .. } => self.option(name, changes),
            Action::Unknown { .. } => changes.add(Change::Copy),
            _ => return false,
        }
        true
    }

    fn convert(
        &self,
        column: &Column,
        charset: &str,
        collation: Option<&String>,
        changes: &mut Changes,
    ) {
        let mut new = column.clone();
        new.ty.charset = Some(charset.to_owned());
        new.collation = collation.cloned();
        match difference(column, &new, self.shape, self.flavor, true) {
            Difference::None => {}
            Difference::Changes(list) => list.into_iter().for_each(|change| changes.add(change)),
            Difference::Copy(_) => changes
                .copy(format!("the values of `{}` are written anew in `{charset}`", column.name)),
            Difference::Unknown(what) => {
                changes.add(Change::Copy);
                changes.unknown.get_or_insert(what);
            }
        }
    }

    fn option(&self, name: &str, changes: &mut Changes) {
        const CHEAP: [&str; 12] = [
            "auto_increment",
            "stats_persistent",
            "stats_auto_recalc",
            "stats_sample_pages",
            "pack_keys",
            "checksum",
            "max_rows",
            "min_rows",
            "avg_row_length",
            "delay_key_write",
            "autoextend_size",
            "insert_method",
        ];
        match name {
            "comment" => changes.add(Change::Option),
            name if CHEAP.contains(&name) => changes.add(Change::CostlyOption),
            "encryption" if !self.flavor.mariadb => {
                changes.copy("every page is written anew with `ENCRYPTION`");
            }
            name => {
                changes.add(Change::Recreate);
                changes.unknown.get_or_insert(format!(
                    "what `{name}` costs is not known here: the ladder on a shadow would settle it"
                ));
            }
        }
    }
}
