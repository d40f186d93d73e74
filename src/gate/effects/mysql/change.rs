//! The changes that clauses come down to, and what each costs alone: the matrix.

use super::super::Algorithm;
use super::shape::Shape;
use super::version::Flavor;

/// One change of a table, as the storage engine sees it. A clause may be several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Change {
    /// A default, a comment of a column, its visibility, a check less.
    Dictionary,
    /// Labels at the end of an enum or set that still fits.
    Labels,
    /// The table has another name.
    RenameTable,
    /// A comment, a default character set, statistics: options of the table.
    Option,
    /// Those of them that other engines than InnoDB write the table anew for.
    CostlyOption,
    /// A column has another name.
    RenameColumn,
    /// A column to which foreign keys of other tables refer has another name.
    RenameReferenced,
    /// A new column at the end.
    AddLast,
    /// A new column somewhere else.
    AddBetween,
    /// A new column of which no two rows may be the same, as the server counts them.
    AddCounter,
    /// A column less.
    DropColumn,
    /// Columns stand in another order.
    Reorder,
    /// A new column that is computed when read.
    AddVirtual,
    /// Such a column less.
    DropVirtual,
    /// What such a column computes.
    VirtualExpression,
    /// A longer string whose length takes as many bytes as before.
    Widen,
    /// A longer string whose length takes more bytes, which MariaDB has room for.
    WidenAcross,
    /// Another order of the values, not in an index.
    Collation,
    /// Another order of the values, in an index.
    IndexedCollation,
    /// A `CHAR` of `utf8mb3` is converted with its table.
    ConvertChar,
    /// `NULL` is forbidden.
    NotNull,
    /// `NULL` is allowed.
    Nullable,
    /// A new index.
    AddIndex,
    /// A new unique index.
    AddUnique,
    /// The first full-text index of the table.
    FirstFullText,
    /// A further full-text index.
    NextFullText,
    /// A spatial or vector index.
    AddSpatial,
    /// An index over an expression.
    AddExpressionIndex,
    /// An index less.
    DropIndex,
    /// A unique index less.
    DropUnique,
    /// An index has another name.
    RenameIndex,
    /// An index is no longer, or again, looked at.
    IndexVisibility,
    /// The rows are in the order of another key.
    Cluster,
    /// The rows are in no order of a key any more.
    Uncluster,
    /// A foreign key that is not checked.
    AddForeignKey,
    /// A foreign key less.
    DropForeignKey,
    /// `FORCE`, `ENGINE` as it is, `ROW_FORMAT`.
    Recreate,
    /// Anything that only a copy does.
    Copy,
}

/// What a change costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    /// If all changes with it are instant, too.
    pub alone: Algorithm,
    /// If one of the others is not.
    pub among: Algorithm,
    /// Whether writes wait while it works.
    pub blocks_writes: bool,
}

impl Cost {
    fn always(algorithm: Algorithm) -> Self {
        let blocks_writes = algorithm == Algorithm::Copy;
        Self { alone: algorithm, among: algorithm, blocks_writes }
    }

    fn instant_or(among: Algorithm) -> Self {
        Self { alone: Algorithm::Instant, among, blocks_writes: false }
    }

    fn blocking(algorithm: Algorithm) -> Self {
        Self { alone: algorithm, among: algorithm, blocks_writes: true }
    }
}

/// What a change costs on a table.
pub(super) fn cost(change: Change, shape: &Shape, flavor: Flavor) -> Cost {
    if !shape.innodb {
        return elsewhere(change);
    }
    if flavor.mariadb { mariadb(change, shape, flavor) } else { mysql(change, shape, flavor) }
}

/// MySQL, InnoDB.
fn mysql(change: Change, shape: &Shape, flavor: Flavor) -> Cost {
    use Algorithm::{Copy, InPlace, Instant, Rebuild};

    // Before INSTANT there was a name, everything was INPLACE; it is the same work.
    let dictionary = if flavor.instant() { Instant } else { InPlace };
    let when = |can: bool, among| {
        if can { Cost::instant_or(among) } else { Cost::always(among) }
    };
    let roomy = !shape.compressed && shape.fulltext == 0 && !shape.hidden_key;
    match change {
        Change::Dictionary | Change::Labels | Change::RenameTable => Cost::always(dictionary),
        Change::RenameColumn => when(flavor.instant_rename_column(), InPlace),
        Change::AddLast => when(flavor.instant() && roomy, Rebuild),
        Change::AddBetween | Change::DropColumn => {
            when(flavor.instant_anywhere() && roomy, Rebuild)
        }
        Change::AddVirtual | Change::DropVirtual => when(flavor.instant(), InPlace),
        Change::RenameReferenced
        | Change::Option
        | Change::CostlyOption
        | Change::Widen
        | Change::Collation
        | Change::AddIndex
        | Change::AddUnique
        | Change::DropIndex
        | Change::DropUnique
        | Change::RenameIndex
        | Change::IndexVisibility
        | Change::AddForeignKey
        | Change::DropForeignKey => Cost::always(InPlace),
        Change::NextFullText | Change::AddSpatial | Change::AddExpressionIndex => {
            Cost::blocking(InPlace)
        }
        Change::Reorder
        | Change::NotNull
        | Change::Nullable
        | Change::Cluster
        | Change::Recreate => Cost::always(Rebuild),
        Change::AddCounter | Change::FirstFullText | Change::ConvertChar => Cost::blocking(Rebuild),
        Change::WidenAcross
        | Change::IndexedCollation
        | Change::VirtualExpression
        | Change::Uncluster
        | Change::Copy => Cost::always(Copy),
    }
}

/// MariaDB, InnoDB.
fn mariadb(change: Change, shape: &Shape, flavor: Flavor) -> Cost {
    use Algorithm::{Copy, Instant, NoCopy, Rebuild};

    let when = |can: bool, otherwise| Cost::always(if can { Instant } else { otherwise });
    let roomy =
        !shape.compressed && shape.fulltext == 0 && !shape.hidden_key && !shape.virtual_index;
    match change {
        Change::Dictionary
        | Change::Labels
        | Change::RenameTable
        | Change::Option
        | Change::CostlyOption
        | Change::RenameColumn
        | Change::RenameReferenced
        | Change::AddVirtual
        | Change::DropVirtual
        | Change::VirtualExpression
        | Change::IndexVisibility
        | Change::AddForeignKey
        | Change::DropForeignKey => when(flavor.instant(), NoCopy),
        Change::Widen => when(flavor.instant(), NoCopy),
        Change::WidenAcross | Change::Collation | Change::ConvertChar => {
            when(flavor.instant_types(), Copy)
        }
        Change::RenameIndex => when(flavor.instant_rename_index(), NoCopy),
        Change::AddLast => when(flavor.instant() && roomy, Rebuild),
        Change::AddBetween | Change::DropColumn => {
            when(flavor.instant_anywhere() && roomy, Rebuild)
        }
        Change::Reorder => when(flavor.instant_reorder() && roomy, Rebuild),
        // The oldest row format marks NULL in every field, whether it may be or not.
        Change::Nullable => when(flavor.instant_types() && shape.redundant, Rebuild),
        Change::AddIndex
        | Change::AddUnique
        | Change::AddExpressionIndex
        | Change::DropIndex
        | Change::DropUnique => Cost::always(NoCopy),
        Change::IndexedCollation => {
            Cost::always(if flavor.instant_types() { NoCopy } else { Copy })
        }
        Change::NextFullText | Change::AddSpatial => Cost::blocking(NoCopy),
        Change::NotNull | Change::Cluster | Change::Recreate => Cost::always(Rebuild),
        Change::AddCounter | Change::FirstFullText => Cost::blocking(Rebuild),
        Change::Uncluster | Change::Copy => Cost::always(Copy),
    }
}

/// MyISAM, Aria and the like: the server does what needs no engine, and copies for the rest.
fn elsewhere(change: Change) -> Cost {
    match change {
        Change::Dictionary
        | Change::Labels
        | Change::RenameTable
        | Change::Option
        | Change::RenameColumn
        | Change::RenameReferenced
        | Change::RenameIndex
        | Change::IndexVisibility => Cost::always(Algorithm::Instant),
        _ => Cost::always(Algorithm::Copy),
    }
}
