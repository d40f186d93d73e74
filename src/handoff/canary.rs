//! What the application feels at the table while it is changed.
//!
//! A session of its own reads one row by its key, and takes the locks of one who writes it, five times a
//! second; the longest that either took is the stall.
//!
//! **The write writes nothing.** An UPDATE that sets a column to itself and is rolled back would lock the
//! same, but it fires the table's triggers, and what those do outside of the transaction stays (a
//! sequence, a table of MyISAM, a call by `dblink`); pt-online-schema-change's would write into the copy.
//! On PostgreSQL it leaves a dead row each time. So on PostgreSQL the canary takes the lock that DDL and
//! writers meet in (`LOCK TABLE … IN ROW EXCLUSIVE MODE`), and on MySQL and MariaDB the metadata lock and
//! the row's lock of a writer (`SELECT … FOR UPDATE`); both in a transaction that is rolled back.
//! Nothing of it is in a binary log or a replication stream.
//!
//! **It harms nobody.** It holds no lock while it waits for one, waits for none longer than two seconds,
//! and holds what it got for one round trip.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::catalog::{Column, Key, KeyColumn, Lookup, Table, TableName};
use crate::target::{Bind, Class, Error, Place, Session, Statement, Target};

/// How often it tries.
pub const EVERY: Duration = Duration::from_millis(200);

/// The longest that it waits for a lock. What a person waits for longer is an outage in any case, and an
/// outage is measured over several tries.
const PATIENCE: Duration = Duration::from_secs(2);

/// Between two attempts to open a session.
const AGAIN: Duration = Duration::from_secs(1);

/// So many keys are tried in turn, spread over the table: a tool locks one piece of it at a time.
const KEYS: i128 = 16;

/// What was felt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stall {
    /// What the last try took, from its beginning to its end; while one is refused again and again, since
    /// the first of them began.
    pub last: Duration,
    /// The longest of these.
    pub longest: Duration,
    /// How many tries there were.
    pub tries: u64,
    /// How many of them failed, also for want of a lock in two seconds.
    pub errors: u64,
    /// The last error, in the server's words.
    pub error: Option<String>,
    /// Why the write is not tried, where it is not: then a stall of writers alone is not seen.
    pub reads_only: Option<String>,
}

/// A canary at a table. It ends when it is dropped, or better by [`Canary::end`].
pub struct Canary {
    stall: Arc<Mutex<Stall>>,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// Puts one at a table. To be called within a runtime.
#[must_use]
pub fn start(target: Arc<dyn Target>, place: Place) -> Canary {
    let stall = Arc::new(Mutex::new(Stall::default()));
    let (stop, stopped) = watch::channel(false);
    let bird = Bird { target, place, stall: Arc::clone(&stall), stopped, since: None };
    Canary { stall, stop, task: tokio::spawn(bird.live()) }
}

impl Canary {
    /// What it has felt so far.
    #[must_use]
    pub fn stall(&self) -> Stall {
        self.stall.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends it, and its session; comes back within the time that it waits for a lock.
    pub async fn end(mut self) -> Stall {
        self.stop.send_replace(true);
        // One that hangs is left to its runtime.
        let _ = tokio::time::timeout(PATIENCE * 2, &mut self.task).await;
        self.stall()
    }
}

impl Drop for Canary {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

/// The task.
struct Bird {
    target: Arc<dyn Target>,
    place: Place,
    stall: Arc<Mutex<Stall>>,
    stopped: watch::Receiver<bool>,
    /// Since when every try was refused.
    since: Option<Instant>,
}

/// What is tried, for each key in turn.
struct Try {
    read: Statement,
    write: Option<Statement>,
}

impl Bird {
    async fn live(mut self) {
        while !*self.stopped.borrow() {
            let begun = Instant::now();
            let mut session = match self.open().await {
                Ok(session) => session,
                Err(error) => {
                    self.note(begun, Err(error));
                    self.rest(AGAIN).await;
                    continue;
                }
            };
            let lost = match self.tries(session.as_mut()).await {
                Ok(tries) => self.sing(session.as_mut(), tries).await,
                Err(error) => {
                    let lost = error.is_lost();
                    self.note(begun, Err(error));
                    self.rest(AGAIN).await;
                    lost
                }
            };
            if !lost {
                session.close().await;
            }
        }
    }

    async fn open(&self) -> Result<Box<dyn Session>, Error> {
        let mut session = self.target.open("canary").await?;
        for sql in self.target.dialect().wait_no_longer(PATIENCE) {
            session.execute(&Statement::plain(sql)).await?;
        }
        Ok(session)
    }

    /// Tries until it is to stop, or the session is gone, which is returned.
    async fn sing(&mut self, session: &mut dyn Session, mut tries: Vec<Try>) -> bool {
        let mut at = 0;
        while !*self.stopped.borrow() {
            let begun = Instant::now();
            let Some(one) = tries.get(at % tries.len().max(1)) else { return false };
            let done = one.run(session).await;
            at += 1;
            if let Err(error) = &done
                && error.is_denial()
                && one.write.is_some()
            {
                self.change(|stall| {
                    stall.reads_only =
                        Some(format!("the account may not lock rows as a writer does: {error}"));
                });
                for one in &mut tries {
                    one.write = None;
                }
                continue;
            }
            let lost = done.as_ref().is_err_and(Error::is_lost);
            self.note(begun, done);
            if lost {
                return true;
            }
            self.rest(EVERY.saturating_sub(begun.elapsed())).await;
        }
        false
    }

    fn note(&mut self, begun: Instant, done: Result<(), Error>) {
        let since = self.since.get_or_insert(begun);
        let took = since.elapsed();
        if done.is_ok() {
            self.since = None;
        }
        self.change(|stall| {
            stall.tries += 1;
            stall.last = took;
            stall.longest = stall.longest.max(took);
            if let Err(error) = done {
                stall.errors += 1;
                stall.error = Some(error.to_string());
            }
        });
    }

    fn change(&self, change: impl FnOnce(&mut Stall)) {
        change(&mut self.stall.lock().unwrap_or_else(PoisonError::into_inner));
    }

    async fn rest(&mut self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = self.stopped.changed() => {}
        }
    }

    /// What can be tried at the table as it is now.
    async fn tries(&self, session: &mut dyn Session) -> Result<Vec<Try>, Error> {
        let Place { schema, name } = &self.place;
        let wanted = TableName { schema: Some(schema.clone()), name: name.clone(), quoted: true };
        let Lookup::Found(table) = self.target.look_up(session, &wanted).await? else {
            return Err(Error::new(Class::Refused, format!("there is no table `{schema}.{name}`")));
        };
        let dialect = self.target.dialect();
        let place = format!("{}.{}", dialect.quote(schema), dialect.quote(name));
        let key = table.keys.iter().find(|key| key.unusable.is_none());
        let keys = match key {
            Some(key) => self.keys(session, &place, &table, key).await?,
            None => Vec::new(),
        };
        let one = |filter: &str, binds: Vec<Bind>| Try {
            read: Statement { sql: format!("SELECT 1 FROM {place}{filter}"), binds: binds.clone() },
            write: Some(dialect.lock_as_writer(&place, filter, binds)),
        };
        let Some(key) = key.filter(|_| !keys.is_empty()) else {
            // Without a row there is none to lock, and the table is locked all the same.
            return Ok(vec![one(" LIMIT 1", Vec::new())]);
        };
        let tries = keys.into_iter().map(|values| {
            let columns = key.columns.iter().filter_map(|column| table.column(&column.name));
            let equal = columns.enumerate().map(|(at, column)| {
                let value = dialect.key_from_text(column, &dialect.placeholder(at + 1));
                format!("{} = {value}", dialect.quote(&column.name))
            });
            let filter = format!(" WHERE {}", equal.collect::<Vec<_>>().join(" AND "));
            let binds = values.into_iter().map(|value| Bind::Text(Some(value))).collect();
            one(&filter, binds)
        });
        Ok(tries.collect())
    }

    /// Keys of rows that are there: the first, the last and, where they are numbers, some between.
    async fn keys(
        &self,
        session: &mut dyn Session,
        place: &str,
        table: &Table,
        key: &Key,
    ) -> Result<Vec<Vec<String>>, Error> {
        let dialect = self.target.dialect();
        let columns: Vec<&Column> =
            key.columns.iter().filter_map(|column| table.column(&column.name)).collect();
        let texts: Vec<String> = columns.iter().map(|column| dialect.key_as_text(column)).collect();
        let order = |descending: bool| {
            let one = |column: &KeyColumn| {
                let down = if column.descending == descending { "" } else { " DESC" };
                format!("{}{down}", dialect.quote(&column.name))
            };
            key.columns.iter().map(one).collect::<Vec<_>>().join(", ")
        };
        let select = format!("SELECT {} FROM {place}", texts.join(", "));
        let mut found: Vec<Vec<String>> = Vec::new();
        for descending in [false, true] {
            let sql = format!("{select} ORDER BY {} LIMIT 1", order(descending));
            let rows = session.query(&Statement::plain(sql)).await?;
            found.extend(rows.into_iter().filter_map(|row| row.into_iter().collect()));
        }
        if let (Some([least]), Some([most]), [column]) =
            (found.first().map(Vec::as_slice), found.get(1).map(Vec::as_slice), columns.as_slice())
            && let (Ok(least), Ok(most)) = (least.parse::<i128>(), most.parse::<i128>())
        {
            for part in 1..KEYS {
                let at = least + (most - least) / KEYS * part;
                let sql = format!(
                    "{select} WHERE {} >= {} ORDER BY {} LIMIT 1",
                    dialect.quote(&column.name),
                    dialect.key_from_text(column, &dialect.placeholder(1)),
                    order(false)
                );
                let bind = Bind::Text(Some(at.to_string()));
                let rows = session.query(&Statement { sql, binds: vec![bind] }).await?;
                found.extend(rows.into_iter().filter_map(|row| row.into_iter().collect()));
            }
        }
        found.dedup();
        Ok(found)
    }
}

impl Try {
    async fn run(&self, session: &mut dyn Session) -> Result<(), Error> {
        session.query(&self.read).await?;
        let Some(write) = &self.write else { return Ok(()) };
        session.begin().await?;
        let done = session.query(write).await;
        let undone = session.rollback().await;
        done?;
        undone
    }
}
