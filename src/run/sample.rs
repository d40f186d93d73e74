//! Where a look at only a part of the rows is taken.

use super::Error;
use super::claim::split_table;
use super::survey::{Survey, one_key};
use crate::keyspace::{Checked, Key, Range};
use crate::plan::Plan;
use crate::target::{Session, Target};

/// Into so many pieces the table is cut at most, whose first rows are looked at.
const PLACES: u64 = 100;

/// Fewer rows at a place cost about as much to find as to read.
const LEAST: u64 = 100;

/// The ranges of a look over the whole table as it is now, and its last key. Where the spec wants a
/// sample, `expect` is evaluated in some of them, and the others are only there if something else is
/// looked at in every row.
pub(super) async fn whole_table(
    plan: &Plan,
    target: &dyn Target,
    session: &mut dyn Session,
) -> Result<(Vec<Checked>, Option<Key>), Error> {
    let statements = &plan.verification;
    let bound = one_key(plan, session.query(&statements.last_key(target.dialect())).await?)?;
    let rows = plan.table.estimate.as_ref().map_or(u64::MAX, |estimate| estimate.rows);
    let sample = plan.spec.verify.sample.filter(|sample| *sample < rows);
    let (Some(wanted), Some(hi)) = (sample, &bound) else {
        let ranges = split_table(plan, target, session).await?;
        return Ok((ranges.into_iter().map(|range| Checked::new(range, true)).collect(), bound));
    };
    let places = (wanted / LEAST).clamp(1, PLACES);
    // A place more here and there, so that the sum is what is wanted.
    let rows_at = |place: u64| wanted / places + u64::from(place < wanted % places);
    let pieces = usize::try_from(places).unwrap_or(1);
    let cuts = Survey { plan, target, session }.cuts(None, hi, pieces).await?;
    let all = statements.remaining || statements.checksum;
    let mut checks = Vec::new();
    let mut lo = None;
    for (place, upto) in (0..).zip(cuts.into_iter().chain([hi.clone()])) {
        let end = end_of_run(plan, target, session, lo.as_ref(), &upto, rows_at(place)).await?;
        let mut add = |lo: Option<Key>, hi: Key, expects| {
            let id = u32::try_from(checks.len()).unwrap_or(u32::MAX);
            checks.push(Checked::new(Range::new(id, lo, hi), expects));
        };
        match end {
            Some(end) => {
                add(lo, end.clone(), true);
                if all {
                    add(Some(end), upto.clone(), false);
                }
            }
            None => add(lo, upto.clone(), true),
        }
        lo = Some(upto);
    }
    Ok((checks, bound))
}

/// The key that so many rows above `lo` end with; `None` where `upto` comes before it.
async fn end_of_run(
    plan: &Plan,
    target: &dyn Target,
    session: &mut dyn Session,
    lo: Option<&Key>,
    upto: &Key,
    rows: u64,
) -> Result<Option<Key>, Error> {
    let look = plan.verification.boundary(target.dialect(), lo, upto, rows);
    let mut found = session.query(&look).await?;
    let past = found.first_mut().and_then(Vec::pop).flatten();
    if past.as_deref() != Some("0") {
        return Ok(None);
    }
    Ok(one_key(plan, found)?.filter(|key| key != upto))
}
