//! Comparisons of composite keys, spelled out column by column.
//!
//! A row comparison `(a, b) > (x, y)` is one condition on PostgreSQL's index, but as an *upper*
//! bound PostgreSQL 15 reads far past it, and MySQL and MariaDB scan the whole table for either
//! side. The expansions here are conditions that every engine turns into index ranges:
//! [`within`] gives at most `2n - 1` ranges for `n` columns by peeling the common prefix.

use super::Key;

/// Which of the two keys of an interval a value is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The exclusive lower end.
    Lower,
    /// The inclusive upper end.
    Upper,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// Equal.
    Eq,
    /// Greater.
    Gt,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// Greater or equal.
    Ge,
}

impl Op {
    /// The operator in SQL.
    #[must_use]
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Gt => ">",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Ge => ">=",
        }
    }

    /// The operator for a column in which the walk goes down.
    #[must_use]
    pub const fn flipped(self) -> Self {
        match self {
            Self::Eq => Self::Eq,
            Self::Gt => Self::Lt,
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Ge => Self::Le,
        }
    }
}

/// One comparison: key column `column` against that column's value in the key of `side`. "Greater"
/// means "later in the walk", also where the walk goes down in that column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Comparison {
    /// Index of the key column.
    pub column: usize,
    /// The operator.
    pub op: Op,
    /// The key that the value is taken from.
    pub side: Side,
}

const fn compare(column: usize, op: Op, side: Side) -> Comparison {
    Comparison { column, op, side }
}

/// "Above the lower key", for `columns` key columns: a disjunction of conjunctions.
#[must_use]
pub fn above(columns: usize) -> Vec<Vec<Comparison>> {
    lexicographic(columns, Op::Gt, Op::Gt, Side::Lower)
}

/// "At most the upper key", for `columns` key columns: a disjunction of conjunctions.
#[must_use]
pub fn at_most(columns: usize) -> Vec<Vec<Comparison>> {
    lexicographic(columns, Op::Lt, Op::Le, Side::Upper)
}

fn lexicographic(columns: usize, op: Op, last: Op, side: Side) -> Vec<Vec<Comparison>> {
    (0..columns)
        .map(|depth| {
            let op = if depth + 1 == columns { last } else { op };
            let mut conjunction: Vec<_> =
                (0..depth).map(|column| compare(column, Op::Eq, side)).collect();
            conjunction.push(compare(depth, op, side));
            conjunction
        })
        .collect()
}

/// The index ranges that together cover everything above `lower` up to `upper`.
///
/// A single range is exactly that. Several cover *at least* that: where two values are spelt
/// differently but equal to the server (`'A'` and `'a'` under a case-insensitive collation), the
/// ranges of the two ends overlap. The caller therefore adds [`above`] and [`at_most`] as filters
/// to several ranges between two keys; the ranges then only tell the engine where to look.
#[must_use]
pub fn within(lower: Option<&Key>, upper: &Key) -> Vec<Vec<Comparison>> {
    let columns = upper.0.len();
    let Some(lower) = lower else { return at_most(columns) };
    let last = columns - 1;
    // Of two equal keys, whose interval is empty, the last column is left to say so.
    let common = lower.0.iter().zip(&upper.0).take(last).take_while(|(l, u)| l == u).count();
    let prefix = || (0..common).map(|column| compare(column, Op::Eq, Side::Upper));
    let mut ranges = Vec::with_capacity(2 * (columns - common) - 1);
    // Below the point where the keys part, the lower end: deepest first, which is key order.
    for depth in (common + 1..columns).rev() {
        let mut range: Vec<_> = prefix().collect();
        range.extend((common..depth).map(|column| compare(column, Op::Eq, Side::Lower)));
        range.push(compare(depth, Op::Gt, Side::Lower));
        ranges.push(range);
    }
    let mut middle: Vec<_> = prefix().collect();
    middle.push(compare(common, Op::Gt, Side::Lower));
    middle.push(compare(common, if common == last { Op::Le } else { Op::Lt }, Side::Upper));
    ranges.push(middle);
    for depth in common + 1..columns {
        let mut range: Vec<_> = prefix().collect();
        range.extend((common..depth).map(|column| compare(column, Op::Eq, Side::Upper)));
        range.push(compare(depth, if depth == last { Op::Le } else { Op::Lt }, Side::Upper));
        ranges.push(range);
    }
    ranges
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(ranges: &[Vec<Comparison>], row: &[u8], lower: &[u8], upper: &[u8]) -> usize {
        ranges
            .iter()
            .filter(|range| {
                range.iter().all(|c| {
                    let value = if c.side == Side::Lower { lower } else { upper }[c.column];
                    match c.op {
                        Op::Eq => row[c.column] == value,
                        Op::Gt => row[c.column] > value,
                        Op::Lt => row[c.column] < value,
                        Op::Le => row[c.column] <= value,
                        Op::Ge => row[c.column] >= value,
                    }
                })
            })
            .count()
    }

    fn key(values: &[u8]) -> Key {
        Key(values.iter().map(ToString::to_string).collect())
    }

    proptest! {
        #[test]
        fn ranges_are_exactly_the_interval_and_disjoint(
            (row, a, b) in (1usize..6).prop_flat_map(|n| {
                let one = || prop::collection::vec(0u8..3, n);
                (one(), one(), one())
            })
        ) {
            let (lower, upper) = if a <= b { (a, b) } else { (b, a) };
            let inside = lower < row && row <= upper;
            let ranges = within(Some(&key(&lower)), &key(&upper));
            prop_assert!(ranges.len() < 2 * row.len());
            prop_assert_eq!(holds(&ranges, &row, &lower, &upper), usize::from(inside));
            let open = within(None, &key(&upper));
            prop_assert_eq!(holds(&open, &row, &lower, &upper), usize::from(row <= upper));
            prop_assert_eq!(holds(&above(row.len()), &row, &lower, &upper), usize::from(lower < row));
        }
    }
}
