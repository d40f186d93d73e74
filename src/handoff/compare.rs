//! Whether a copy holds what the table holds, while it waits to take its place.
//!
//! Both are walked along a key that they share, a stretch at a time, and each stretch is looked at by one
//! statement, and so at one moment. Columns that keep their type are compared by a checksum, others by the
//! value that the server itself makes of the table's.
//!
//! A copy that is kept up by the binary log is behind by moments, so a row that differs is looked at again: it
//! counts once it was never seen to be equal, for as long as is waited.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::catalog::{Lookup, Table, TableName};
use crate::control::{Level, Stop};
use crate::keyspace::{Aim, Key, Sizer, Taken};
use crate::plan::{Pair, Statements, Stretch};
use crate::target::{self, Place, Row, Session, Statement, Target};

/// How it is compared.
#[derive(Debug, Clone, Copy)]
pub struct How {
    /// How long a stretch should take. After each is paused for as long.
    pub stretch: Duration,
    /// A stretch that takes longer than that is ended by the server, and looked at in smaller parts.
    pub limit: Duration,
    /// For how long rows that differ are looked at again, after the walk.
    pub patience: Duration,
}

impl Default for How {
    /// A reader that is busy half of the time, in statements that hold nothing for longer than a batch does. A
    /// copy is behind by less than two seconds when a tool that follows the log may cut over at all.
    fn default() -> Self {
        Self {
            stretch: Duration::from_millis(100),
            limit: Duration::from_secs(1),
            patience: Duration::from_secs(15),
        }
    }
}

/// A stretch has no more rows, so that its rows can be told one by one.
const MOST_ROWS: u64 = 5_000;

/// So many rows are looked at again. Where more differ, moments are not the reason.
const MOST_AGAIN: usize = 1_000;

/// So many are named.
const NAMED: usize = 10;

/// The pause between two looks at rows that differed.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compared {
    /// Rows of the table.
    pub rows_old: u64,
    /// Rows of the copy.
    pub rows_new: u64,
    /// Stretches that were looked at.
    pub chunks: u64,
    /// The checksum of the table's rows, of the columns that keep their type.
    pub checksum: String,
    /// Rows that differ, or are in one of the two alone.
    pub differing: u64,
    /// The first of them, by their keys, and how they differ.
    pub first: Vec<String>,
    /// Columns that were not compared, and why.
    pub left_out: Vec<String>,
    /// Nothing differs.
    pub equal: bool,
}

impl std::fmt::Display for Compared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.equal {
            write!(f, "{} rows, checksum {}", self.rows_old, self.checksum)?;
        } else {
            write!(
                f,
                "{} rows differ, of {} in the table and {} in the copy; the first: {}",
                self.differing,
                self.rows_old,
                self.rows_new,
                self.first.join("; ")
            )?;
        }
        if !self.left_out.is_empty() {
            write!(f, "; not compared: {}", self.left_out.join(", "))?;
        }
        Ok(())
    }
}

/// Why nothing was compared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The two cannot be compared; a sentence.
    #[error("{0}")]
    Impossible(String),
    /// Somebody asked to leave.
    #[error("stopped while the copy was compared with the table")]
    Stopped,
    /// The target could not be asked.
    #[error("the copy cannot be compared with the table: {0}")]
    Target(#[from] target::Error),
}

/// Compares the table `old` with its copy `new`. Nothing is written, and no row is locked.
///
/// # Errors
///
/// They have no key in common, the target cannot be asked, or somebody asked to leave.
pub async fn compare(
    target: &dyn Target,
    session: &mut dyn Session,
    old: &Place,
    new: &Place,
    stop: &Stop,
    how: &How,
) -> Result<Compared, Error> {
    let (own, its) = (table(target, session, old).await?, table(target, session, new).await?);
    let pair = Pair::new(target.dialect(), &own, &its).map_err(Error::Impossible)?;
    let mut walk = Walk { target, pair, stop, how, found: Found::default() };
    walk.go(session).await?;
    walk.look_again(session).await?;
    Ok(walk.compared())
}

async fn table(
    target: &dyn Target,
    session: &mut dyn Session,
    place: &Place,
) -> Result<Table, Error> {
    let name =
        TableName { schema: Some(place.schema.clone()), name: place.name.clone(), quoted: true };
    match target.look_up(session, &name).await? {
        Lookup::Found(table) => Ok(*table),
        Lookup::NotATable { kind } => {
            Err(Error::Impossible(format!("`{name}` is a {kind}, and no table")))
        }
        Lookup::Missing { .. } => Err(Error::Impossible(format!("there is no table `{name}`"))),
    }
}

/// How a row differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Missing,
    Extra,
    Different,
}

impl Way {
    const fn words(self) -> &'static str {
        match self {
            Self::Missing => "is not in the copy",
            Self::Extra => "is in the copy alone",
            Self::Different => "is another in the copy",
        }
    }
}

/// A stretch, at one moment.
#[derive(Debug, Clone, Default)]
struct Seen {
    rows_old: u64,
    rows_new: u64,
    checksum: u128,
    /// Rows that differ, in the order of the statement.
    rows: Vec<(Vec<String>, Way)>,
}

/// A stretch in which rows differed, and those that were never seen to be equal since.
struct Doubtful {
    stretch: Stretch,
    seen: Seen,
}

#[derive(Default)]
struct Found {
    chunks: u64,
    /// Of the stretches that were equal.
    rows_old: u64,
    rows_new: u64,
    checksum: u128,
    doubtful: Vec<Doubtful>,
    /// Rows that are looked at again.
    again: usize,
}

struct Walk<'a> {
    target: &'a dyn Target,
    pair: Pair,
    stop: &'a Stop,
    how: &'a How,
    found: Found,
}

impl Walk<'_> {
    /// By the table's keys, and where those end by the copy's: rows that are in the copy alone may stand there.
    async fn go(&mut self, session: &mut dyn Session) -> Result<(), Error> {
        let rows = Aim { time: self.how.stretch, rows: MOST_ROWS, log_bytes: u64::MAX };
        let mut sizer = Sizer::new(rows);
        let mut after: Option<Key> = None;
        let mut sides = vec![self.pair.new.clone(), self.pair.old.clone()];
        loop {
            self.may_go_on().await?;
            let upto = match sides.last() {
                Some(side) => self.boundary(session, side, after.as_ref(), sizer.rows()).await?,
                None => None,
            };
            if upto.is_none() && 1 < sides.len() {
                sides.pop();
                continue;
            }
            let is_last = upto.is_none();
            let stretch = Stretch { after: after.clone(), upto };
            let begun = Instant::now();
            let Some(seen) = self.look(session, &stretch).await? else {
                if sizer.rows() == 1 {
                    return Err(Error::Impossible(format!(
                        "to look at one row takes longer than {:?}",
                        self.how.limit
                    )));
                }
                sizer.back_off();
                continue;
            };
            let time = begun.elapsed();
            sizer.observe(seen.rows_old.max(seen.rows_new), Taken { time, log_bytes: None });
            self.note(stretch.clone(), seen);
            if is_last {
                return Ok(());
            }
            after = stretch.upto;
            self.rest(time).await;
        }
    }

    async fn may_go_on(&self) -> Result<(), Error> {
        self.stop.unpaused().await;
        if Level::Drain <= self.stop.level() { Err(Error::Stopped) } else { Ok(()) }
    }

    async fn rest(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stop.reached(Level::Drain) => {}
        }
    }

    /// The key that is so many rows further in this table; none if fewer are left.
    async fn boundary(
        &self,
        session: &mut dyn Session,
        side: &Statements,
        after: Option<&Key>,
        rows: u64,
    ) -> Result<Option<Key>, Error> {
        let dialect = self.target.dialect();
        // Which key is asked for as the end does not matter, as nothing ends there; it must be one.
        let hi = match after {
            Some(after) => after.clone(),
            None => match session.query(&side.last_key(dialect)).await?.into_iter().next() {
                None => return Ok(None),
                Some(row) => self.key(row)?,
            },
        };
        let statement = side.boundary(dialect, after, &hi, rows);
        let Some(mut row) = session.query(&statement).await?.into_iter().next() else {
            return Ok(None);
        };
        row.pop();
        self.key(row).map(Some)
    }

    fn key(&self, row: Row) -> Result<Key, Error> {
        let values = row.into_iter().collect::<Option<Vec<_>>>();
        values.map(Key).ok_or_else(|| {
            let names = self.pair.key_names().join(", ");
            Error::Impossible(format!("a value of the key ({names}) cannot be read as a text"))
        })
    }

    /// The sums of a stretch, and its rows one by one only where those differ. None: it took too long.
    async fn look(
        &self,
        session: &mut dyn Session,
        stretch: &Stretch,
    ) -> Result<Option<Seen>, Error> {
        let sums = self.pair.sums(self.target.dialect(), stretch);
        let Some(rows) = session.query_within(&sums, self.how.limit).await? else {
            return Ok(None);
        };
        let cells: Vec<u128> = rows.first().map(numbers).unwrap_or_default();
        let [rows_old, sum_old, rows_new, sum_new, changed] = cells.as_slice() else {
            return Err(unreadable(&sums));
        };
        if (rows_old, sum_old, *changed) != (rows_new, sum_new, 0) {
            return self.look_closely(session, stretch).await;
        }
        let count = |number: &u128| u64::try_from(*number).unwrap_or(u64::MAX);
        Ok(Some(Seen {
            rows_old: count(rows_old),
            rows_new: count(rows_new),
            checksum: *sum_old,
            rows: Vec::new(),
        }))
    }

    async fn look_closely(
        &self,
        session: &mut dyn Session,
        stretch: &Stretch,
    ) -> Result<Option<Seen>, Error> {
        let each = self.pair.rows(self.target.dialect(), stretch);
        let Some(rows) = session.query_within(&each, self.how.limit).await? else {
            return Ok(None);
        };
        let mut seen = Seen::default();
        let (mut own, mut its) = (Vec::new(), std::collections::HashMap::new());
        let mut changed = BTreeSet::new();
        for mut row in rows {
            let sum = row.pop().flatten().and_then(|text| text.parse::<u128>().ok());
            let side = (!row.is_empty()).then(|| row.remove(0)).flatten();
            let (Some(sum), Some(side)) = (sum, side) else { return Err(unreadable(&each)) };
            let Key(key) = self.key(row)?;
            match side.as_str() {
                "0" => {
                    seen.rows_old += 1;
                    seen.checksum += sum;
                    own.push((key, sum));
                }
                "1" => {
                    seen.rows_new += 1;
                    its.insert(key, sum);
                }
                _ => drop(changed.insert(key)),
            }
        }
        for (key, sum) in own {
            let way = match its.remove(&key) {
                None => Some(Way::Missing),
                Some(other) if other != sum || changed.contains(&key) => Some(Way::Different),
                Some(_) => None,
            };
            seen.rows.extend(way.map(|way| (key, way)));
        }
        let mut extra: Vec<_> = its.into_keys().map(|key| (key, Way::Extra)).collect();
        extra.sort();
        seen.rows.extend(extra);
        Ok(Some(seen))
    }

    fn note(&mut self, stretch: Stretch, seen: Seen) {
        self.found.chunks += 1;
        if seen.rows.is_empty() {
            self.settle(&seen);
        } else {
            self.found.again += seen.rows.len();
            self.found.doubtful.push(Doubtful { stretch, seen });
        }
    }

    fn settle(&mut self, seen: &Seen) {
        self.found.rows_old += seen.rows_old;
        self.found.rows_new += seen.rows_new;
        self.found.checksum += seen.checksum;
    }

    /// Until no row is left that was never seen to be equal, or for as long as is waited.
    async fn look_again(&mut self, session: &mut dyn Session) -> Result<(), Error> {
        let begun = Instant::now();
        while !self.found.doubtful.is_empty()
            && self.found.again <= MOST_AGAIN
            && begun.elapsed() < self.how.patience
        {
            self.rest(AGAIN_AFTER).await;
            let mut left = Vec::new();
            for Doubtful { stretch, seen } in std::mem::take(&mut self.found.doubtful) {
                self.may_go_on().await?;
                let Some(mut now) = self.look_closely(session, &stretch).await? else {
                    left.push(Doubtful { stretch, seen });
                    continue;
                };
                let before: BTreeSet<&Vec<String>> = seen.rows.iter().map(|(key, _)| key).collect();
                now.rows.retain(|(key, _)| before.contains(key));
                if now.rows.is_empty() {
                    self.settle(&now);
                } else {
                    left.push(Doubtful { stretch, seen: now });
                }
            }
            self.found.doubtful = left;
        }
        Ok(())
    }

    fn compared(mut self) -> Compared {
        let names = self.pair.key_names();
        let mut first = Vec::new();
        let mut differing = 0_u64;
        for Doubtful { seen, .. } in std::mem::take(&mut self.found.doubtful) {
            self.settle(&seen);
            differing += u64::try_from(seen.rows.len()).unwrap_or(u64::MAX);
            let room = NAMED.saturating_sub(first.len());
            first.extend(
                seen.rows
                    .into_iter()
                    .take(room)
                    .map(|(key, way)| format!("{} {}", Key(key).display(&names), way.words())),
            );
        }
        Compared {
            rows_old: self.found.rows_old,
            rows_new: self.found.rows_new,
            chunks: self.found.chunks,
            checksum: self.found.checksum.to_string(),
            differing,
            first,
            left_out: self.pair.left_out,
            equal: differing == 0,
        }
    }
}

fn numbers(row: &Row) -> Vec<u128> {
    row.iter().filter_map(|cell| cell.as_deref()?.parse().ok()).collect()
}

fn unreadable(statement: &Statement) -> Error {
    Error::Impossible(format!(
        "the server gave something else than numbers for `{}`",
        statement.sql.chars().take(80).collect::<String>()
    ))
}
