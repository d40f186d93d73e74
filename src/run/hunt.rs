//! Looking for the rows of a failed batch that cannot be written, and passing over them.

use std::sync::atomic::Ordering;
use std::time::Instant;

use super::bisect::{Search, Suspect};
use super::read::{read_count, read_key};
use super::shape::{Applied, Poison, Window};
use super::walk::Worker;
use super::window::find_window;
use super::{Error, Run};
use crate::event::Event;
use crate::journal::{Fate, Quarantined};
use crate::keyspace::{Key, Range};
use crate::plan::Statements;
use crate::spec::Walk;
use crate::target::{self, Class, Row};

/// Characters that are kept of a row's values, all together: enough for any row that people read, and
/// a journal that a hundred rows with documents in them do not blow up.
const VALUES: usize = 64 * 1024;

/// What stands at the end of a value that was cut.
const CUT: &str = "… (cut)";

/// The share of rows in quarantine says something of the spec once so many rows of the run are there.
const WEIGHED_FROM: u64 = 20;

/// A worker's search for rows that cannot be written.
#[derive(Default)]
pub(super) struct Hunt {
    /// What is known of the next rows.
    search: Option<Search>,
    /// The statements that find windows instead of the plan's: where those look at the condition of
    /// the spec, which fails on some row, they find none.
    by_key: Option<Box<Statements>>,
    /// The window that is being tried.
    tried: Option<Window>,
    /// What the last one failed with.
    error: Option<target::Error>,
}

impl Hunt {
    /// Whether windows are other ones than the sizer and the scout would want.
    pub(super) const fn is_on(&self) -> bool {
        self.search.is_some() || self.by_key.is_some()
    }

    /// A window is about to be tried.
    pub(super) fn begins(&mut self, window: &Window) {
        self.tried = Some(window.clone());
    }

    /// The window was written.
    pub(super) fn succeeds(&mut self, window: &Window) {
        self.tried = None;
        self.search = self.search.take().and_then(|search| search.after_success(window));
    }

    /// A batch failed; says whether for a row in its window.
    pub(super) fn fails(&mut self, error: &target::Error) -> bool {
        let tried = self.tried.take().filter(|_| error.class == Class::Poison);
        let Some(window) = tried else { return false };
        self.search = Some(Search::after_failure(window));
        self.error = Some(error.clone());
        true
    }

    fn suspect(&self) -> Option<&Suspect> {
        match &self.search {
            Some(Search::Among(suspect)) => Some(suspect),
            _ => None,
        }
    }
}

impl Worker<'_> {
    /// The next window of at most `rows` rows, and of no more than the search wants.
    pub(super) async fn next_window(&mut self, range: &Range, rows: u64) -> Result<Window, Error> {
        match self.find_window(range, rows).await {
            Err(Error::Target(error)) if self.is_blind(&error) => {
                self.look_by_key(range, None).await?;
                self.find_window(range, rows).await
            }
            result => result,
        }
    }

    async fn find_window(&mut self, range: &Range, rows: u64) -> Result<Window, Error> {
        let (run, hunt) = (self.run, &self.hunt);
        let by_plan = run.plan.statements_of(self.shape.phase());
        let statements = hunt.by_key.as_deref().unwrap_or(by_plan);
        let Some(suspect) = hunt.suspect() else {
            return find_window(run, statements, &mut self.seat, range, rows).await;
        };
        let suspected = Range { hi: suspect.upto.clone(), ..range.clone() };
        let rows = suspect.half().min(rows);
        let window = find_window(run, statements, &mut self.seat, &suspected, rows).await?;
        Ok(Window { last: window.upto == range.hi, ..window })
    }

    /// Whether the condition of the spec, by which windows are found, failed on some row.
    fn is_blind(&self, error: &target::Error) -> bool {
        error.class == Class::Poison
            && self.hunt.by_key.is_none()
            && self.run.plan.statements_of(self.shape.phase()).walk == Walk::Predicate
    }

    /// From now on finds windows by the key alone; what is suspected up to `upto` is counted so.
    async fn look_by_key(&mut self, range: &Range, upto: Option<Key>) -> Result<(), Error> {
        let by_key = self.run.plan.statements_of(self.shape.phase()).by_key();
        self.hunt.by_key = Some(Box::new(by_key));
        let suspected = || self.hunt.suspect().map(|suspect| suspect.upto.clone());
        match upto.or_else(suspected) {
            Some(upto) => self.suspect(range, upto).await,
            None => Ok(()),
        }
    }

    /// Suspects every row up to that key.
    async fn suspect(&mut self, range: &Range, upto: Key) -> Result<(), Error> {
        let run = self.run;
        let by_plan = run.plan.statements_of(self.shape.phase());
        let statements = self.hunt.by_key.as_deref().unwrap_or(by_plan);
        let count = statements.count(run.target.dialect(), range.position(), &upto);
        let count = count.labelled(&run.plan.label(range.id));
        let rows = read_count(&self.seat.session.query(&count).await?, 0)?;
        self.hunt.search = (0 < rows).then_some(Search::Among(Suspect { upto, rows }));
        Ok(())
    }

    /// Passes over the row that was found, if one was.
    pub(super) async fn pass_over(
        &mut self,
        range: &mut Range,
    ) -> Result<Option<(Window, Applied)>, Error> {
        let Some(Search::Found(window)) = &self.hunt.search else { return Ok(None) };
        let (run, window) = (self.run, window.clone());
        let mut rows = match self.read_rows(&window, range).await {
            Err(Error::Target(error)) if self.is_blind(&error) => {
                self.look_by_key(range, Some(window.upto)).await?;
                return Ok(None);
            }
            rows => rows?,
        };
        let (Some((key, values)), true) = (rows.pop(), rows.is_empty()) else {
            // Rows came or went meanwhile: the window is no longer what has failed.
            self.suspect(range, window.upto).await?;
            return Ok(None);
        };
        let Some(error) = self.hunt.error.clone() else { return Ok(None) };
        let last = window.last && key == window.upto;
        let window = Window { upto: key.clone(), rows: 1, last, ..window };
        let poison = Poison { key, values, error };
        let started = Instant::now();
        self.shape.pass_over(run, &mut self.seat, &window, range, &poison).await?;
        let took = started.elapsed();
        let cost = self.seat.session.cost().await;
        self.hunt = Hunt::default();
        Ok(Some((window, Applied { rows_changed: 0, took, cost })))
    }

    /// The rows of a window, at most two, with their values where those can be read.
    async fn read_rows(
        &mut self,
        window: &Window,
        range: &Range,
    ) -> Result<Vec<(Key, serde_json::Value)>, Error> {
        let run = self.run;
        let by_plan = run.plan.statements_of(self.shape.phase());
        let statements = self.hunt.by_key.as_deref().unwrap_or(by_plan);
        let (after, upto) = (window.after.as_ref(), &window.upto);
        let select = |columns| {
            let dialect = run.target.dialect();
            let select = statements.first_rows(dialect, after, upto, columns, VALUES + 1);
            select.labelled(&run.plan.label(range.id))
        };
        let session = self.seat.session.as_mut();
        let rows = match session.query(&select(&run.plan.table.columns)).await {
            // A column that we may not read, or whose text cannot be had. The key is enough.
            Err(error) if matches!(error.class, Class::Poison | Class::Refused) => {
                session.query(&select(&[])).await?
            }
            rows => rows?,
        };
        rows.into_iter().map(|row| split(run, row)).collect()
    }
}

/// The key in a row, and what follows it as an object of column and text.
fn split(run: &Run, mut row: Row) -> Result<(Key, serde_json::Value), Error> {
    let values = row.split_off(run.plan.statements.key.len().min(row.len()));
    let key = read_key(&run.plan, row)?;
    let mut left = VALUES;
    let names = run.plan.table.columns.iter().map(|column| column.name.clone());
    let values = names.zip(values).map(|(name, value)| (name, shorten(value, &mut left).into()));
    Ok((key, serde_json::Value::Object(values.collect())))
}

/// The value, or as much of it as is left to keep.
fn shorten(value: Option<String>, left: &mut usize) -> Option<String> {
    let mut value = value?;
    if let Some((end, _)) = value.char_indices().nth(*left) {
        value.truncate(end);
        value.push_str(CUT);
        *left = 0;
    } else {
        *left -= value.chars().count();
    }
    Some(value)
}

impl Run {
    /// Writes down that a row cannot be written, before the cursor passes it.
    ///
    /// A row that waits already was put there by an earlier attempt, and counts for no limit again.
    pub(super) fn quarantine(
        &self,
        range: &Range,
        after: Option<&Key>,
        statement: &str,
        poison: &Poison,
    ) -> Result<(), Error> {
        let (job, limits) = (&self.plan.spec.job.name, self.pace().ends.quarantine);
        let too_much = |limit: String, setting: &str| Error::TooMuchPoison {
            key: self.plan.show_key(&poison.key),
            cause: poison.error.clone(),
            limit: format!(
                "{limit} (another limit: `backstop tune {job} limits.quarantine.{setting}`, or in the \
                 spec)"
            ),
        };
        let known = self.journal.is_quarantined(job, self.generation, &poison.key)?;
        let rows = self.counts.rows_quarantined.load(Ordering::Relaxed);
        let scanned = self.counts.rows_scanned.load(Ordering::Relaxed);
        let share = limits.max_share;
        if !known && WEIGHED_FROM <= rows && share.is_exceeded(rows + 1, scanned + 1) {
            let limit = format!(
                "{} of the {} rows that this run went through cannot be, and \
                 `limits.quarantine.max_share` allows {share}: is the spec right?",
                rows + 1,
                scanned + 1
            );
            return Err(too_much(limit, "max_share=20%"));
        }
        let row = Quarantined {
            key: poison.key.clone(),
            after: after.cloned(),
            range: range.id,
            values: poison.values.clone(),
            code: poison.error.code.clone(),
            message: poison.error.message.clone(),
            statement: statement.to_owned(),
            at: jiff::Timestamp::now(),
            attempts: 1,
            state: Fate::Waiting,
            released_at: None,
            released_by: None,
            release_reason: None,
            retry_range: None,
        };
        let most = limits.max_rows;
        match self.journal.quarantine(job, self.generation, &row, most)? {
            (true, _) => {}
            (false, waiting) => {
                let limit = match most {
                    0 => "`limits.quarantine.max_rows` is 0, so that ended the run".to_owned(),
                    _ => format!(
                        "{waiting} rows are in quarantine already, and `limits.quarantine.max_rows` \
                         allows {most}"
                    ),
                };
                return Err(too_much(limit, "max_rows=N"));
            }
        }
        self.counts.rows_quarantined.fetch_add(u64::from(!known), Ordering::Relaxed);
        Ok(())
    }

    /// Says that a row is in quarantine, once the cursor has passed it.
    pub(super) fn tell_quarantined(&self, range: u32, worker: u32, poison: &Poison) {
        self.tell(Event::RowQuarantined {
            range,
            worker,
            key: self.plan.show_key(&poison.key),
            code: poison.error.code.clone(),
            message: poison.error.message.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_kept_whole_until_there_are_too_many() {
        let mut left = 5;
        assert_eq!(shorten(Some("äbc".into()), &mut left).unwrap(), "äbc");
        assert_eq!(shorten(None, &mut left), None);
        assert_eq!(shorten(Some("de".into()), &mut left).unwrap(), "de");
        assert_eq!(shorten(Some(String::new()), &mut left).unwrap(), "");
        assert_eq!(shorten(Some("f".into()), &mut left).unwrap(), "… (cut)");
        let mut left = 2;
        assert_eq!(shorten(Some("äöü".into()), &mut left).unwrap(), "äö… (cut)");
    }
}
