//! Where the rows lie, without reading them: how many there are between two keys, and where to cut
//! so that the pieces hold about as many.
//!
//! The server estimates ([`Target::estimate`]): PostgreSQL by its histogram, InnoDB by a look into
//! the index. A wrong estimate makes uneven pieces, which the workers even out while they walk
//! ([`super::crew`]).

use super::Error;
use super::read::read_key;
use crate::event::Phase;
use crate::keyspace::{Key, Range, between, place};
use crate::plan::Plan;
use crate::spec::Walk;
use crate::target::{Class, Row, Session, Statement, Target};

/// Pieces are cut finer than they are needed, and then put together by their weights.
const FINENESS: usize = 4;

/// Looks for places to cut.
pub(super) struct Survey<'a> {
    pub plan: &'a Plan,
    pub target: &'a dyn Target,
    pub session: &'a mut dyn Session,
}

/// The keys above the end of the piece before it, up to and including `hi`.
struct Piece {
    hi: Key,
    rows: f64,
    /// Whether no place to cut it was found.
    whole: bool,
}

impl Survey<'_> {
    /// How many rows there may be above `after`, up to and including `upto`: what the server
    /// estimates, or where it has nothing to go by, their share of all values of the leading column.
    pub(super) async fn rows(
        &mut self,
        after: Option<&Key>,
        upto: &Key,
    ) -> Result<Option<u64>, Error> {
        let statement = self.plan.statements.rows_of(self.target.dialect(), after, upto);
        let guessed = self.plan.table.estimate.as_ref().is_none_or(|estimate| estimate.guessed);
        let estimated =
            if guessed { None } else { self.target.estimate(self.session, &statement).await? };
        match estimated {
            Some(rows) => Ok(Some(rows)),
            None => self.share_of_values(after, upto).await,
        }
    }

    /// By what an estimate is to be multiplied, so that those of all ranges add up to the catalog's
    /// number of rows: InnoDB takes a range of pages that are half full for twice its rows, and one of
    /// more than half the table for that half.
    pub(super) async fn scale(&mut self, ranges: &[Range], phase: Phase) -> Result<f64, Error> {
        let Some(rows) = self.plan.table.estimate.as_ref().map(|estimate| estimate.rows) else {
            return Ok(1.0);
        };
        if self.plan.statements_of(phase).walk == Walk::Predicate {
            return Ok(1.0);
        }
        let mut sum = 0;
        for range in ranges.iter().filter(|range| !range.hi.0.is_empty()) {
            sum += self.rows(range.lo.as_ref(), &range.hi).await?.unwrap_or(0);
        }
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        Ok(if sum == 0 || rows == 0 { 1.0 } else { rows as f64 / sum as f64 })
    }

    /// How many rows a walk of that range has still to count; `None` where it counts only those that
    /// match, for the server's answer is about all.
    pub(super) async fn left(
        &mut self,
        range: &Range,
        phase: Phase,
        scale: f64,
    ) -> Result<Option<u64>, Error> {
        if self.plan.statements_of(phase).walk == Walk::Predicate {
            return Ok(None);
        }
        let rows = self.rows(range.position(), &range.hi).await?;
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate, and a positive factor"
        )]
        Ok(rows.map(|rows| (rows as f64 * scale) as u64))
    }

    async fn share_of_values(
        &mut self,
        after: Option<&Key>,
        upto: &Key,
    ) -> Result<Option<u64>, Error> {
        let (dialect, statements) = (self.target.dialect(), &self.plan.statements);
        let Some(estimate) = &self.plan.table.estimate else { return Ok(None) };
        let Some(Ok(kind)) = statements.key.first().map(|column| column.key_kind.clone()) else {
            return Ok(None);
        };
        let first = self.key(&statements.first_key(dialect)).await?;
        let last = self.key(&statements.last_key(dialect)).await?;
        let (Some(first), Some(last)) = (first, last) else { return Ok(None) };
        let at = |key: &Key| place(kind, &first.0[0], &last.0[0], &key.0[0]);
        let share = at(upto).zip(after.map_or(Some(0.0), at)).map(|(to, from)| to - from);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate, and a share of 0 to 1 of it"
        )]
        Ok(share.map(|share| (estimate.rows as f64 * share.max(0.0)) as u64))
    }

    /// Keys, in order, that cut what lies above `after`, up to and including `upto`, into at most
    /// `wanted` pieces of about as many rows each.
    pub(super) async fn cuts(
        &mut self,
        after: Option<&Key>,
        upto: &Key,
        wanted: usize,
    ) -> Result<Vec<Key>, Error> {
        if wanted < 2 {
            return Ok(Vec::new());
        }
        let rows = self.weight(after, upto, None).await?;
        let mut pieces = vec![Piece { hi: upto.clone(), rows, whole: false }];
        while pieces.len() < wanted * FINENESS {
            let heaviest = (0..pieces.len())
                .filter(|at| !pieces[*at].whole)
                .max_by(|a, b| pieces[*a].rows.total_cmp(&pieces[*b].rows));
            let Some(at) = heaviest else { break };
            let lo = if at == 0 { after.cloned() } else { Some(pieces[at - 1].hi.clone()) };
            let hi = pieces[at].hi.clone();
            let Some(cut) = self.somewhere_between(lo.as_ref(), &hi).await? else {
                pieces[at].whole = true;
                continue;
            };
            let half = Some(pieces[at].rows / 2.0);
            let below = self.weight(lo.as_ref(), &cut, half).await?;
            pieces[at].rows = self.weight(Some(&cut), &hi, half).await?;
            pieces.insert(at, Piece { hi: cut, rows: below, whole: false });
        }
        Ok(even(&pieces, wanted))
    }

    /// The estimate, or what is assumed where there is none.
    async fn weight(
        &mut self,
        after: Option<&Key>,
        upto: &Key,
        assumed: Option<f64>,
    ) -> Result<f64, Error> {
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let rows = self.rows(after, upto).await?.map(|rows| rows as f64);
        Ok(rows.or(assumed).unwrap_or(1.0))
    }

    /// A key that exists, above `after` and below `upto`, about half-way by value.
    ///
    /// The keys part at some column. Where a value about half-way between the two is found in it, the
    /// cut is there. Else few values lie between, and one may have nearly all rows: the cut is where
    /// the first of them ends, or the last begins, and the pieces then part at a later column.
    async fn somewhere_between(
        &mut self,
        after: Option<&Key>,
        upto: &Key,
    ) -> Result<Option<Key>, Error> {
        let Self { plan, target, .. } = self;
        let (dialect, statements) = (target.dialect(), &plan.statements);
        let low = match after {
            Some(after) => after.clone(),
            None => match self.key(&statements.first_key(dialect)).await? {
                Some(first) => first,
                None => return Ok(None),
            },
        };
        let Some(column) = low.0.iter().zip(&upto.0).position(|(a, b)| a != b) else {
            return Ok(None);
        };
        let is_cut = |key: &Key| *key != low && key != upto;
        if let Some(Ok(kind)) = statements.key.get(column).map(|column| &column.key_kind)
            && let Some(guess) = between(*kind, &low.0[column], &upto.0[column])
        {
            let look = statements.first_from(dialect, &upto.0[..column], &guess, after, upto);
            if let Some(key) = self.key_below(&look).await?.filter(is_cut) {
                return Ok(Some(key));
            }
        }
        if column + 1 == low.0.len() {
            return Ok(None);
        }
        if let Some(next) = self.key_below(&statements.boundary(dialect, after, upto, 1)).await? {
            let look = statements.end_of_prefix(dialect, &next.0[..=column], true, after, upto);
            if let Some(key) = self.key_below(&look).await?.filter(is_cut) {
                return Ok(Some(key));
            }
        }
        let look = statements.end_of_prefix(dialect, &upto.0[..=column], false, after, upto);
        Ok(self.key_below(&look).await?.filter(is_cut))
    }

    async fn key(&mut self, statement: &Statement) -> Result<Option<Key>, Error> {
        one_key(self.plan, self.session.query(statement).await?)
    }

    /// The key that a statement finds, unless it lies past the end. A guess that is no value of the
    /// type is refused by the server, and finds nothing.
    async fn key_below(&mut self, statement: &Statement) -> Result<Option<Key>, Error> {
        let mut rows = match self.session.query(statement).await {
            Ok(rows) => rows,
            Err(error) if matches!(error.class, Class::Refused | Class::Poison) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let past = rows.first_mut().and_then(Vec::pop).flatten();
        if past.as_deref() == Some("0") { one_key(self.plan, rows) } else { Ok(None) }
    }
}

/// The ends of the pieces that lie nearest to where equal shares would end.
fn even(pieces: &[Piece], wanted: usize) -> Vec<Key> {
    let total: f64 = pieces.iter().map(|piece| piece.rows).sum();
    let mut below = 0.0;
    let ends: Vec<f64> = pieces[..pieces.len() - 1]
        .iter()
        .map(|piece| {
            below += piece.rows;
            below
        })
        .collect();
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let due = |share: usize| total * share as f64 / wanted as f64;
    let nearest = |share: usize| {
        let distance = |at: &usize| (ends[*at] - due(share)).abs();
        (0..ends.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)))
    };
    let mut cuts: Vec<usize> = (1..wanted).filter_map(nearest).collect();
    cuts.dedup();
    cuts.into_iter().map(|at| pieces[at].hi.clone()).collect()
}

pub(super) fn one_key(plan: &Plan, mut rows: Vec<Row>) -> Result<Option<Key>, Error> {
    rows.pop().map(|row| read_key(plan, row)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cuts(rows: &[f64], wanted: usize) -> Vec<usize> {
        let piece = |(at, rows): (usize, &f64)| Piece {
            hi: Key(vec![at.to_string()]),
            rows: *rows,
            whole: true,
        };
        let pieces: Vec<_> = rows.iter().enumerate().map(piece).collect();
        even(&pieces, wanted).iter().map(|key| key.0[0].parse().unwrap()).collect()
    }

    #[test]
    fn pieces_are_put_together_by_their_weights() {
        assert_eq!(cuts(&[1.0; 8], 4), [1, 3, 5]);
        assert_eq!(cuts(&[1.0; 8], 2), [3]);
        assert_eq!(cuts(&[6.0, 1.0, 1.0], 2), [0]);
        assert_eq!(cuts(&[1.0, 1.0, 6.0], 2), [1]);
        assert_eq!(cuts(&[5.0], 4), [0; 0]);
        // What cannot be cut is one part, however heavy.
        assert_eq!(cuts(&[90.0, 1.0, 1.0], 4), [0]);
    }
}
