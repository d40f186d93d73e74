//! Many changes in one statement: the worst of them, and where the servers make exceptions.

use super::super::Algorithm;
use super::change::{Change, cost};
use super::shape::Shape;
use super::version::Flavor;

/// What all clauses of a statement come down to.
#[derive(Debug, Clone, Default)]
pub(super) struct Changes {
    /// Each once.
    pub all: Vec<Change>,
    /// Why, where a clause is dear.
    pub why: Vec<String>,
    /// What decides it but is not known.
    pub unknown: Option<String>,
    /// A column that is computed when read has another number in the table.
    pub virtual_moves: bool,
    /// An index is over a column that is new and computed when read.
    pub indexes_new_virtual: bool,
    /// How many full-text indexes go.
    pub fulltext_dropped: usize,
    /// How many full-text indexes come.
    pub fulltext_added: usize,
    /// How many spatial indexes go.
    pub spatial_dropped: usize,
    /// A foreign key of the table changes rows by itself.
    pub cascades: bool,
}

/// How the server goes about a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Decision {
    /// The first step of the ladder that it accepts.
    pub algorithm: Algorithm,
    /// Whether writes wait while it works.
    pub blocks_writes: bool,
}

impl Changes {
    /// Notes a change.
    pub(super) fn add(&mut self, change: Change) {
        if !self.all.contains(&change) {
            self.all.push(change);
        }
    }

    /// Notes a change that only a copy does, and why.
    pub(super) fn copy(&mut self, why: impl Into<String>) {
        self.add(Change::Copy);
        self.explain(why);
    }

    /// Says why.
    pub(super) fn explain(&mut self, why: impl Into<String>) {
        let why = why.into();
        if !self.why.contains(&why) {
            self.why.push(why);
        }
    }

    fn has(&self, one_of: &[Change]) -> bool {
        self.all.iter().any(|change| one_of.contains(change))
    }

    fn is_all_within(&self, list: &[&[Change]]) -> bool {
        self.all.iter().all(|change| list.iter().any(|some| some.contains(change)))
    }
}

/// Changes in the dictionary that go with everything on MySQL.
const FREE: &[Change] = &[Change::Dictionary, Change::Labels, Change::RenameTable];
/// Columns that are computed when read, new or gone.
const VIRTUAL: &[Change] = &[Change::AddVirtual, Change::DropVirtual];
/// Columns that are kept, new or gone.
const ADD: &[Change] = &[Change::AddLast, Change::AddBetween];
/// Indexes that go with a new column that is computed when read.
const PLAIN_INDEX: &[Change] = &[Change::AddIndex, Change::DropIndex];

/// How a server goes about the changes. With `instantly` false it is told not to be instant.
pub(super) fn decide(
    changes: &Changes,
    shape: &Shape,
    flavor: Flavor,
    instantly: bool,
) -> Decision {
    let mut decision = worst(changes, shape, flavor, instantly);
    if shape.innodb {
        if flavor.mariadb {
            mariadb(changes, shape, &mut decision);
        } else {
            mysql(changes, &mut decision);
        }
        fulltext(changes, shape, flavor, &mut decision);
        let spatial = shape.spatial.saturating_sub(changes.spatial_dropped);
        decision.blocks_writes |= decision.algorithm == Algorithm::Rebuild && spatial > 0;
    }
    if decision.algorithm == Algorithm::Copy {
        decision.blocks_writes = !copies_online(changes, flavor);
    }
    decision
}

/// Whether rows can be written while they are copied.
pub(super) fn copies_online(changes: &Changes, flavor: Flavor) -> bool {
    flavor.copies_online() && !changes.cascades
}

/// The worst of the changes, each taken by itself.
fn worst(changes: &Changes, shape: &Shape, flavor: Flavor, instantly: bool) -> Decision {
    // On MySQL a column that comes or goes instantly takes the order of the others along.
    let columns = changes.has(ADD) || changes.has(&[Change::DropColumn]);
    let ordered = !flavor.mariadb && columns && flavor.instant_anywhere();
    let costs: Vec<_> = changes
        .all
        .iter()
        .filter(|change| !(ordered && **change == Change::Reorder))
        .map(|change| cost(*change, shape, flavor))
        .collect();
    let lowest = if flavor.instant() { Algorithm::Instant } else { Algorithm::InPlace };
    let all_instant = instantly && costs.iter().all(|cost| cost.alone == Algorithm::Instant);
    let of = |cost: &super::change::Cost| if all_instant { cost.alone } else { cost.among };
    Decision {
        algorithm: costs.iter().map(of).max().unwrap_or(lowest),
        blocks_writes: costs.iter().any(|cost| cost.blocks_writes),
    }
}

fn mysql(changes: &Changes, decision: &mut Decision) {
    // A row keeps the columns that it was written with, unless it is written anew.
    if !changes.has(VIRTUAL) {
        return;
    }
    let swapped = changes.has(&[Change::DropVirtual]) && changes.has(ADD);
    if decision.algorithm == Algorithm::Instant && !swapped {
        return;
    }
    if changes.is_all_within(&[VIRTUAL, FREE, PLAIN_INDEX]) && !swapped {
        decision.algorithm = Algorithm::InPlace;
        decision.blocks_writes = changes.indexes_new_virtual;
    } else {
        decision.algorithm = Algorithm::Copy;
    }
}

fn mariadb(changes: &Changes, shape: &Shape, decision: &mut Decision) {
    let indexes = [
        Change::AddIndex,
        Change::AddUnique,
        Change::NextFullText,
        Change::AddSpatial,
        Change::IndexedCollation,
    ];
    let columns = changes.has(ADD) || changes.has(&[Change::DropColumn, Change::Reorder]);
    // An index cannot be built of rows that are still in their old shape.
    if columns && changes.has(&indexes) {
        decision.algorithm = decision.algorithm.max(Algorithm::Rebuild);
    }
    if changes.has(&[Change::RenameIndex])
        && changes.has(&[Change::Option, Change::CostlyOption])
        && decision.algorithm == Algorithm::Instant
    {
        decision.algorithm = Algorithm::NoCopy;
    }
    if changes.has(&[Change::NotNull, Change::Nullable])
        && decision.algorithm == Algorithm::Rebuild
        && (shape.stored || shape.virtual_index)
    {
        decision.algorithm = Algorithm::Copy;
    }
    if shape.partitioned && changes.has(&[Change::Cluster]) {
        decision.algorithm = Algorithm::Copy;
    }
    virtual_columns(changes, decision);
    decision.blocks_writes |= decision.algorithm == Algorithm::Rebuild && shape.virtual_index;
}

/// MariaDB: columns that are computed when read come and go with hardly anything else.
fn virtual_columns(changes: &Changes, decision: &mut Decision) {
    let instant = decision.algorithm == Algorithm::Instant;
    if changes.has(VIRTUAL) {
        let rest = changes.all.iter().filter(|change| !VIRTUAL.contains(change));
        let only = |list: &[Change]| rest.clone().all(|change| list.contains(change));
        if only(PLAIN_INDEX) {
            decision.blocks_writes = changes.indexes_new_virtual;
        } else if !(instant && only(&[Change::DropColumn])) {
            decision.algorithm = Algorithm::Copy;
        }
    }
    let shrinks = instant
        && changes.has(&[Change::DropColumn])
        && !changes.has(ADD)
        && !changes.has(&[Change::Reorder]);
    if changes.virtual_moves && !shrinks {
        decision.algorithm = Algorithm::Copy;
    }
}

/// Full-text indexes are built one at a time, and not while rows are written.
fn fulltext(changes: &Changes, shape: &Shape, flavor: Flavor, decision: &mut Decision) {
    let stay = shape.fulltext.saturating_sub(changes.fulltext_dropped);
    let after = stay + changes.fulltext_added;
    let rebuilds = decision.algorithm == Algorithm::Rebuild;
    let too_many = if flavor.mariadb {
        stay > 0 && changes.fulltext_added > 0
    } else {
        shape.fulltext > 0 && after > 0
    };
    if changes.fulltext_added > 1 || (rebuilds && too_many) {
        decision.algorithm = Algorithm::Copy;
    } else if rebuilds && after > 0 {
        decision.blocks_writes = true;
    }
}
