//! Columns that come, go and change: the changes that they are.

use super::change::Change;
use super::combine::Changes;
use super::shape::{Key, Shape, keeps};
use super::types::{Difference, difference};
use super::version::Flavor;
use crate::sql::Tokens;
use crate::sql::statement::{Column, Expression, IndexKind};

/// What else a statement does that bears on a column of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Beside<'a> {
    /// All columns that it drops.
    pub dropped: &'a [String],
    /// Whether it adds a primary key.
    pub adds_primary: bool,
    /// Whether foreign keys are checked.
    pub checks: bool,
}

/// A new column. `last` means that no column of before stands behind it.
pub(super) fn added(
    column: &Column,
    last: bool,
    shape: &Shape,
    flavor: Flavor,
    beside: Beside,
    changes: &mut Changes,
) {
    match &column.generated {
        Some(generated) if generated.stored => changes.copy(format!(
            "the values of the generated column `{}` are written into every row",
            column.name
        )),
        Some(_) => changes.add(Change::AddVirtual),
        None if column.auto_increment || column.ty.name == "serial" => {
            changes.add(Change::AddCounter);
            changes.explain("`AUTO_INCREMENT` numbers every row");
        }
        None => changes.add(if last { Change::AddLast } else { Change::AddBetween }),
    }
    if let Some(default) = &column.default {
        default_of_new(column, default, shape, flavor, changes);
    }
    for check in &column.checks {
        if check.enforced && flavor.checks() && !flavor.mariadb {
            changes.copy("every row is checked against the new `CHECK`");
        } else {
            changes.add(Change::Dictionary);
        }
    }
    keys_of(column, shape, flavor, beside, changes);
}

/// Keys that are written behind a column.
fn keys_of(column: &Column, shape: &Shape, flavor: Flavor, beside: Beside, changes: &mut Changes) {
    if column.primary_key {
        changes.add(Change::Cluster);
    } else if column.unique {
        let clusters = column.not_null && shape.clustered(flavor).is_none();
        changes.add(if clusters { Change::Cluster } else { Change::AddUnique });
    }
    if column.references.is_some() && flavor.inline_references() && shape.innodb {
        foreign_key(beside.checks, changes);
    }
}

/// A new foreign key.
pub(super) fn foreign_key(checks: bool, changes: &mut Changes) {
    if checks {
        changes.copy("every row is checked against the table that the foreign key refers to");
    } else {
        changes.add(Change::AddForeignKey);
    }
}

/// A default that is no constant is computed for every row that stands there.
fn default_of_new(
    column: &Column,
    default: &Expression,
    shape: &Shape,
    flavor: Flavor,
    changes: &mut Changes,
) {
    let text = default.text.trim();
    if !flavor.mariadb {
        if text.starts_with('(') {
            changes.copy(format!("the default of `{}` is an expression", column.name));
        }
        return;
    }
    let lower = text.to_lowercase();
    let varies = ["uuid", "sys_guid", "nextval", "next value", "rand()", "sleep", "last_insert_id"]
        .iter()
        .any(|call| lower.contains(call));
    let mut others = shape.table.columns.iter();
    let mut names =
        |text: &str| others.any(|other| crate::sql::mentions(Tokens::MySql, text, &other.name));
    if varies || (text.starts_with('(') && names(text)) {
        changes.copy(format!("the default of `{}` differs from row to row", column.name));
    }
}

/// A column less, and with it what is left of its indexes.
pub(super) fn dropped(
    column: &Column,
    shape: &Shape,
    flavor: Flavor,
    beside: Beside,
    changes: &mut Changes,
) {
    let kept = column.generated.as_ref().is_none_or(|generated| generated.stored);
    changes.add(if kept { Change::DropColumn } else { Change::DropVirtual });
    for key in shape.keys.iter().filter(|key| key.covers(&column.name)) {
        let gone =
            |name: &String| beside.dropped.iter().any(|gone| gone.eq_ignore_ascii_case(name));
        let all = key.columns.iter().all(gone);
        if key.name == "PRIMARY" {
            let stays = beside.adds_primary || !all;
            changes.add(if stays { Change::Cluster } else { Change::Uncluster });
            continue;
        }
        index_dropped(key, shape, flavor, changes);
        if !all {
            changes.add(if key.unique { Change::AddUnique } else { Change::AddIndex });
            changes.explain(format!(
                "the index `{}` is built anew without the column `{}`",
                key.name, column.name
            ));
        }
    }
}

/// An index less.
pub(super) fn index_dropped(key: &Key, shape: &Shape, flavor: Flavor, changes: &mut Changes) {
    let clustered = shape.clustered(flavor).is_some_and(|clustered| clustered.name == key.name);
    if clustered && shape.innodb {
        changes.add(Change::Uncluster);
        changes.explain(format!("the rows are in the order of the index `{}`", key.name));
        return;
    }
    match key.kind {
        IndexKind::FullText => changes.fulltext_dropped += 1,
        IndexKind::Spatial => changes.spatial_dropped += 1,
        IndexKind::Ordinary | IndexKind::Vector => {}
    }
    changes.add(if key.unique { Change::DropUnique } else { Change::DropIndex });
}

/// `MODIFY`, `CHANGE`: all that differs between two definitions of a column but its place.
pub(super) fn modified(
    old: &Column,
    new: &Column,
    shape: &Shape,
    flavor: Flavor,
    beside: Beside,
    changes: &mut Changes,
) {
    let before = changes.all.len();
    if !old.name.eq_ignore_ascii_case(&new.name) {
        changes.add(Change::RenameColumn);
    }
    generated(old, new, shape, flavor, changes);
    match difference(old, new, shape, flavor, false) {
        Difference::None => {}
        Difference::Changes(list) => {
            for change in list {
                add_to_text(change, old, shape, changes);
            }
        }
        Difference::Copy(why) => changes.copy(why),
        Difference::Unknown(what) => {
            changes.add(Change::Copy);
            changes.unknown.get_or_insert(what);
        }
    }
    let mut renamed = new.clone();
    renamed.name.clone_from(&old.name);
    match (shape.is_not_null(old, flavor), shape.is_not_null(&renamed, flavor)) {
        (false, true) => {
            changes.add(Change::NotNull);
            changes.explain(format!("`NOT NULL` on `{}` writes every row anew", old.name));
        }
        (true, false) => {
            let clustered = shape.clustered(flavor);
            if shape.innodb && clustered.is_some_and(|key| key.covers(&old.name)) {
                changes.copy(format!("the rows are in the order of `{}`", old.name));
            } else {
                changes.add(Change::Nullable);
                changes.explain(format!("allowing `NULL` in `{}` writes every row anew", old.name));
            }
        }
        _ => {}
    }
    if old.auto_increment != new.auto_increment {
        if new.auto_increment || !flavor.mariadb {
            changes.copy(format!("`AUTO_INCREMENT` of `{}` changes", old.name));
        } else {
            changes.add(Change::Dictionary);
        }
    }
    for check in &new.checks {
        if check.enforced && flavor.checks() {
            changes.copy("every row is checked against the new `CHECK`");
        } else {
            changes.add(Change::Dictionary);
        }
    }
    keys_of(new, shape, flavor, beside, changes);
    if changes.all.len() == before {
        changes.add(Change::Dictionary);
    }
}

/// The order of a text that a full-text index is made of is no matter of an index that is built
/// anew.
fn add_to_text(change: Change, column: &Column, shape: &Shape, changes: &mut Changes) {
    let text =
        shape.keys.iter().any(|key| key.kind == IndexKind::FullText && key.covers(&column.name));
    if change == Change::IndexedCollation && text {
        changes.copy(format!("the collation of `{}` changes under a full-text index", column.name));
        return;
    }
    changes.add(change);
    if change == Change::IndexedCollation {
        changes.explain(format!(
            "`{}` stands in an index, whose order its collation decides",
            column.name
        ));
    }
}

/// What a generated column computes.
fn generated(old: &Column, new: &Column, shape: &Shape, flavor: Flavor, changes: &mut Changes) {
    let squeezed = |column: &Column| {
        let text =
            column.generated.as_ref().map(|generated| generated.expression.text.to_lowercase());
        text.map(|text| text.chars().filter(|c| !c.is_whitespace()).collect::<String>())
    };
    let differs = squeezed(old) != squeezed(new);
    match (&old.generated, &new.generated) {
        (None, None) => {}
        (Some(from), Some(to)) if !from.stored && !to.stored => {
            if differs && shape.is_indexed(&old.name) {
                changes.copy(format!("`{}` is computed anew for its index", old.name));
            } else if differs {
                changes.add(Change::VirtualExpression);
            }
        }
        _ if differs => changes.copy(format!("`{}` is computed anew for every row", old.name)),
        // MariaDB does not look whether the expression is the same.
        (Some(_), Some(_)) if flavor.mariadb && keeps(old) => {
            changes.copy(format!("the generated column `{}` is written anew", old.name));
        }
        _ => {}
    }
}
