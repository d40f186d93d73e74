//! Changes of a table's partitions.

use super::super::{Algorithm, Effects, Mode, Relation};
use super::alter::work;
use super::breaks::lose;
use super::combine::{Changes, Decision, copies_online};
use super::shape::Shape;
use super::told;
use super::version::Flavor;
use crate::gate::Surroundings;
use crate::sql::statement::{Action, AlterTable, Online, PartitionOperation};
use crate::sql::{Tokens, mentions};

/// The change of partitions that a statement is: it stands alone.
pub(super) fn of(alter: &AlterTable) -> Option<&PartitionOperation> {
    alter.actions.iter().find_map(|(action, _)| match action {
        Action::Partition(operation) => Some(operation),
        _ => None,
    })
}

/// How an operation is made, and whether writes to the table wait.
fn row(operation: &PartitionOperation) -> (Algorithm, bool) {
    use Algorithm::{Copy, InPlace, Instant, Rebuild};
    match operation {
        PartitionOperation::PartitionBy | PartitionOperation::Remove => (Copy, true),
        PartitionOperation::Add { hash: false } | PartitionOperation::Drop(_) => (InPlace, false),
        PartitionOperation::Add { hash: true }
        | PartitionOperation::Coalesce
        | PartitionOperation::Reorganize(_)
        | PartitionOperation::Rebuild(_)
        | PartitionOperation::Split => (Rebuild, true),
        PartitionOperation::Truncate(_)
        | PartitionOperation::Exchange { .. }
        | PartitionOperation::Check(_)
        | PartitionOperation::Tablespace(_)
        | PartitionOperation::Convert(_) => (Instant, false),
    }
}

/// What a change of partitions does.
pub(super) fn effects(
    operation: &PartitionOperation,
    alter: &AlterTable,
    shape: &Shape,
    whole: bool,
    around: &Surroundings,
    effects: &mut Effects,
) {
    let flavor = Flavor::of(around.server);
    let changes = Changes::default();
    let (algorithm, blocks_writes) = row(operation);
    let online = algorithm == Algorithm::Copy && copies_online(&changes, flavor);
    let natural = Decision { algorithm, blocks_writes: blocks_writes && !online };
    let named = alter.online.algorithm.is_some() || alter.online.lock.is_some();
    let whole_table =
        matches!(operation, PartitionOperation::PartitionBy | PartitionOperation::Remove);
    let mut decision = natural;
    let mut exclusive = false;
    if whole {
        effects.fails = refused(operation, shape);
    }
    if flavor.mariadb && named && !whole_table {
        let reason = "MariaDB takes no `ALGORITHM` or `LOCK` with a change of partitions";
        effects.fails.get_or_insert_with(|| reason.to_owned());
    } else if !whole_table || alter.online != Online::default() {
        match told::follow(alter.online, natural, &changes, shape, flavor) {
            Ok((followed, exclusively)) => {
                decision =
                    if alter.online.algorithm.is_some() && natural.algorithm != Algorithm::Copy {
                        natural
                    } else {
                        followed
                    };
                exclusive = exclusively;
            }
            Err(reason) => {
                effects.fails.get_or_insert(reason);
            }
        }
    }
    work(&alter.name, decision, exclusive, effects);
    detail(operation, alter, effects);
}

fn detail(operation: &PartitionOperation, alter: &AlterTable, effects: &mut Effects) {
    let table = &alter.name;
    let list = |names: &[String]| names.join("`, `");
    match operation {
        PartitionOperation::Drop(names) | PartitionOperation::Truncate(names) => {
            lose(effects, table, format!("the rows of the partitions `{}`", list(names)));
        }
        PartitionOperation::Reorganize(names) | PartitionOperation::Rebuild(names) => {
            effects.why.push(format!("the rows of `{}` are written anew", list(names)));
        }
        PartitionOperation::Add { hash: true } | PartitionOperation::Coalesce => {
            effects.why.push("rows move from partition to partition".to_owned());
        }
        PartitionOperation::PartitionBy | PartitionOperation::Remove => {
            effects.why.push("every row is copied to where it belongs now".to_owned());
        }
        PartitionOperation::Exchange { with, validate, partition } => {
            effects.lock(Relation::Table, with, Mode::MetadataExclusive);
            if *validate {
                effects.lock(Relation::Table, with, Mode::Exclusive);
                effects.lock(Relation::Table, table, Mode::Exclusive);
                effects.scans(with);
                effects.why.push(format!("every row of `{with}` must belong in `{partition}`"));
            }
        }
        PartitionOperation::Check(_) => {
            effects.scans(table);
        }
        PartitionOperation::Convert(other) => {
            effects.lock(Relation::Table, other, Mode::MetadataExclusive);
        }
        PartitionOperation::Add { hash: false }
        | PartitionOperation::Tablespace(_)
        | PartitionOperation::Split => {}
    }
}

fn refused(operation: &PartitionOperation, shape: &Shape) -> Option<String> {
    if *operation == PartitionOperation::PartitionBy {
        let tied = shape.table.foreign_keys().next().is_some();
        return tied.then(|| "a partitioned table has no foreign keys".to_owned());
    }
    let Some(by) = &shape.table.partition_by else {
        return Some(format!("the table `{}` is not partitioned", shape.name));
    };
    let hashed = mentions(Tokens::MySql, by, "hash") || mentions(Tokens::MySql, by, "key");
    let ranged = mentions(Tokens::MySql, by, "range") || mentions(Tokens::MySql, by, "list");
    match operation {
        PartitionOperation::Drop(_) if hashed && !ranged => {
            Some("only partitions by range or list can be dropped".to_owned())
        }
        PartitionOperation::Add { hash: true } | PartitionOperation::Coalesce
            if ranged && !hashed =>
        {
            Some("only partitions by hash or key have a number".to_owned())
        }
        _ => None,
    }
}
