//! What a look over the table finds, range by range: counts, and the windows that have to be walked again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Key, Range};

/// Windows that are kept of one range; more are merged.
const MOST_OF_A_RANGE: usize = 16;

/// Windows that are walked again, of the whole table.
const MOST: usize = 64;

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows that were looked at.
    pub rows: u64,
    /// Those of them for which the expectation was evaluated.
    pub expected: u64,
    /// Rows that are left over.
    pub remaining: u64,
    /// Those of them that another write would change.
    pub unwritten: u64,
    /// Rows that violate the expectation.
    pub mismatched: u64,
}

impl Counts {
    fn with(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            rows: f(self.rows, other.rows),
            expected: f(self.expected, other.expected),
            remaining: f(self.remaining, other.remaining),
            unwritten: f(self.unwritten, other.unwritten),
            mismatched: f(self.mismatched, other.mismatched),
        }
    }

    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        self.with(other, u64::saturating_add)
    }

    /// Without those.
    #[must_use]
    pub fn minus(self, other: Self) -> Self {
        self.with(other, u64::saturating_sub)
    }

    /// Rows that are wrong; one that is left over and violates the expectation counts as two.
    #[must_use]
    pub const fn wrong(&self) -> u64 {
        self.remaining + self.mismatched
    }
}

/// Windows, one after the other, in which rows have to be written again, and perhaps what lies between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// The key that it begins after; `None` is the beginning of the table.
    pub lo: Option<Key>,
    /// Its last key.
    pub hi: Key,
    /// What was counted before it.
    pub before: Counts,
    /// What had been counted at its end.
    pub after: Counts,
}

impl Noted {
    /// What was counted in it.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.after.minus(self.before)
    }

    /// Rows between it and the next.
    const fn gap(&self, next: &Self) -> u64 {
        next.before.rows.saturating_sub(self.after.rows)
    }
}

/// A wrong row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrongKey {
    /// Its key, for people.
    pub key: String,
    /// Whether its window is noted, and so may be gone to once more.
    pub noted: bool,
}

/// What was found in a range up to its cursor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// What was counted.
    pub counts: Counts,
    /// The checksums of its windows, added up.
    #[serde(with = "in_digits")]
    pub checksum: u128,
    /// Wrong rows, the first ones.
    pub keys: Vec<WrongKey>,
    /// Where rows have to be written again.
    pub noted: Vec<Noted>,
}

impl Tally {
    /// How many keys are kept of rows in noted windows, or of the others.
    #[must_use]
    pub fn kept(&self, noted: bool) -> usize {
        self.keys.iter().filter(|key| key.noted == noted).count()
    }

    /// Adds a window; `noted`: one that has to be gone to once more.
    pub fn add(&mut self, lo: Option<&Key>, hi: &Key, found: Counts, noted: bool) {
        let before = self.counts;
        self.counts = before.plus(found);
        if !noted {
            return;
        }
        let after = self.counts;
        self.noted.push(Noted { lo: lo.cloned(), hi: hi.clone(), before, after });
        merge(&mut self.noted, MOST_OF_A_RANGE);
    }
}

/// A range with what was found in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The range.
    pub range: Range,
    /// Whether the expectation is evaluated in it.
    pub expects: bool,
    /// What was found up to its cursor.
    pub tally: Tally,
}

impl Checked {
    /// A range that was not looked at yet.
    #[must_use]
    pub fn new(range: Range, expects: bool) -> Self {
        Self { range, expects, tally: Tally::default() }
    }
}

/// The ranges in the order of the key, as far as each begins where another one ends.
#[must_use]
pub fn in_order(mut checks: Vec<Checked>) -> Vec<Checked> {
    let place = |key: &Option<Key>| key.as_ref().map(Key::to_json);
    let mut by_lo: BTreeMap<Option<String>, Checked> = BTreeMap::new();
    // Where two begin at one place, one of them is empty.
    checks.retain(|check| {
        let lo = place(&check.range.lo);
        let free = !by_lo.contains_key(&lo);
        if free {
            by_lo.insert(lo, check.clone());
        }
        !free
    });
    let mut ordered = Vec::with_capacity(by_lo.len() + checks.len());
    let mut at = None;
    while let Some(check) = by_lo.remove(&at) {
        at = place(&Some(check.range.hi.clone()));
        ordered.push(check);
    }
    ordered.extend(by_lo.into_values());
    ordered.extend(checks);
    ordered
}

/// The windows of all ranges, which are in order and follow each other without a gap: as few as it takes,
/// the nearest merged.
#[must_use]
pub fn to_walk_again(checks: &[Checked]) -> Vec<Noted> {
    let mut windows: Vec<Noted> = Vec::new();
    let mut before = Counts::default();
    for Checked { tally, .. } in checks {
        windows.extend(tally.noted.iter().map(|noted| Noted {
            before: noted.before.plus(before),
            after: noted.after.plus(before),
            ..noted.clone()
        }));
        before = before.plus(tally.counts);
    }
    let follows = |pair: &[Checked]| pair[1].range.lo.as_ref() == Some(&pair[0].range.hi);
    if checks.windows(2).all(follows) {
        merge(&mut windows, MOST);
    }
    windows
}

/// Merges windows that touch, and then the nearest ones until there are at most so many.
fn merge(windows: &mut Vec<Noted>, most: usize) {
    loop {
        let gaps = windows.windows(2).map(|pair| pair[0].gap(&pair[1])).enumerate();
        let Some((at, gap)) = gaps.min_by_key(|(_, gap)| *gap) else { return };
        if 0 < gap && windows.len() <= most {
            return;
        }
        let next = windows.remove(at + 1);
        windows[at] = Noted { hi: next.hi, after: next.after, ..windows[at].clone() };
    }
}

/// A number of 128 bits as a text, for JSON's numbers end at 64.
mod in_digits {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(number: &u128, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&number.to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u128, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map_err(|_| D::Error::custom("no number"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u64) -> Key {
        Key(vec![n.to_string()])
    }

    fn lo(n: u64) -> Option<Key> {
        (0 < n).then(|| key(n))
    }

    /// A tally of windows of ten rows from `from` on, of which those in `unwritten` have to be written.
    fn tally(from: u64, to: u64, unwritten: &[u64]) -> Tally {
        let mut tally = Tally::default();
        for start in (from..to).step_by(10) {
            let unwritten = u64::from(unwritten.contains(&start));
            let found = Counts { rows: 10, remaining: unwritten, unwritten, ..Counts::default() };
            tally.add(lo(start).as_ref(), &key(start + 10), found, 0 < unwritten);
        }
        tally
    }

    fn checked(id: u32, from: u64, to: u64, unwritten: &[u64]) -> Checked {
        let range = Range { done: true, ..Range::new(id, lo(from), key(to)) };
        Checked { range, expects: true, tally: tally(from, to, unwritten) }
    }

    fn bounds(windows: &[Noted]) -> Vec<(u64, u64)> {
        let number = |key: &Key| key.0[0].parse().unwrap();
        windows.iter().map(|w| (w.lo.as_ref().map_or(0, number), number(&w.hi))).collect()
    }

    #[test]
    fn windows_that_touch_are_one_also_across_ranges() {
        let checks = vec![checked(3, 100, 200, &[100, 110, 190]), checked(0, 0, 100, &[20, 90])];
        let checks = in_order(checks);
        assert_eq!(checks[0].range.id, 0);
        let windows = to_walk_again(&checks);
        assert_eq!(bounds(&windows), [(20, 30), (90, 120), (190, 200)]);
        assert_eq!(windows[1].counts().unwritten, 3);
        assert_eq!(windows[1].counts().rows, 30);
    }

    #[test]
    fn the_nearest_are_merged_and_everything_stays_covered() {
        let every_third: Vec<u64> = (0..3_000).step_by(30).collect();
        let checks = [checked(0, 0, 3_000, &every_third)];
        assert_eq!(checks[0].tally.noted.len(), MOST_OF_A_RANGE);
        let windows = to_walk_again(&checks);
        let unwritten: u64 = windows.iter().map(|w| w.counts().unwritten).sum();
        assert_eq!(unwritten, 100);
        for start in every_third {
            assert!(bounds(&windows).iter().any(|(lo, hi)| *lo <= start && start + 10 <= *hi));
        }
    }

    #[test]
    fn what_the_journal_keeps_comes_back() {
        let tally = Tally { checksum: u128::MAX - 1, ..tally(0, 100, &[50]) };
        let text = serde_json::to_string(&tally).unwrap();
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
    }
}
