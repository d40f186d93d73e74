//! Why a statement costs what it costs, where no single clause of it says so.

use super::super::Algorithm;
use super::change::Change;
use super::combine::{Changes, Decision, decide};
use super::shape::Shape;
use super::version::Flavor;

/// The reasons, each a sentence.
pub(super) fn why(
    decision: Decision,
    changes: &Changes,
    shape: &Shape,
    flavor: Flavor,
) -> Vec<String> {
    let mut why = changes.why.clone();
    let columns = [Change::AddLast, Change::AddBetween, Change::DropColumn];
    let has_columns = changes.all.iter().any(|change| columns.contains(change));
    let rewrites = matches!(decision.algorithm, Algorithm::Rebuild | Algorithm::Copy);
    if shape.innodb && rewrites {
        if shape.fulltext > changes.fulltext_dropped {
            let how = if flavor.mariadb { "writes wait" } else { "only a copy works" };
            why.push(format!(
                "the table has a full-text index: {how} when the table is written anew"
            ));
        }
        if shape.compressed && has_columns {
            why.push("a compressed table has no room for instant columns".to_owned());
        }
        if flavor.mariadb && shape.virtual_index {
            why.push("an index is over a column that is computed when read".to_owned());
        }
        if flavor.mariadb && changes.virtual_moves && decision.algorithm == Algorithm::Copy {
            why.push("a column that is computed when read gets another place".to_owned());
        }
        if is_dear_together(changes, shape, flavor) {
            why.push(
                "together the clauses write the table anew; each in a statement of its own, none would"
                    .to_owned(),
            );
        }
    } else if !shape.innodb && rewrites {
        why.push("the table is not one of InnoDB: every row is copied".to_owned());
    }
    if let Some(limit) = flavor.row_versions()
        && decision.algorithm == Algorithm::Instant
        && has_columns
    {
        why.push(format!(
            "`TOTAL_ROW_VERSIONS` counts such changes, and after {limit} the table is written anew"
        ));
    }
    why
}

/// Whether each change alone would leave the rows as they are.
fn is_dear_together(changes: &Changes, shape: &Shape, flavor: Flavor) -> bool {
    changes.all.len() > 1
        && changes.all.iter().all(|change| {
            let one = Changes { all: vec![*change], why: Vec::new(), ..changes.clone() };
            decide(&one, shape, flavor, true).algorithm < Algorithm::Rebuild
        })
}
