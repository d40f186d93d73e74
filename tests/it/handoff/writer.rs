//! The application at work on a table that is being changed: a hundred writes a second on `t (id, a, c)`,
//! whose every error and every wait is noted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use backstop::event::RetryReason;
use backstop::target::{Class, Statement};

use crate::database::{Database, open};

/// A write that took longer than this waited for somebody.
pub const A_WAIT: Duration = Duration::from_millis(200);

/// What the application did, and how long it waited.
#[derive(Debug, Default)]
pub struct Wrote {
    /// Rows whose `a` it raised by one.
    pub updates: u64,
    /// Rows that it inserted, with an `a` of 0.
    pub inserts: u64,
    /// Of those, rows that it deleted.
    pub deletes: u64,
    /// Writes that the server made the victim of a deadlock.
    pub deadlocks: u64,
    /// The longest that a write took.
    pub longest: Duration,
    /// Every wait above [`A_WAIT`]: how long after the beginning it ended, and how long it was.
    pub waits: Vec<(Duration, Duration)>,
    /// On MariaDB, statements that were kept prepared and looked for the copy when it was gone: MDEV-26048, on
    /// 10.11.19. 95 of 9,100 with fifty statements run over and over, none where each is prepared anew, none
    /// on MySQL 9.7. This writer keeps its own, and connects anew when it meets one.
    pub stale: Vec<String>,
    /// Every other error.
    pub errors: Vec<String>,
}

/// The application, as long as it runs.
pub struct Writer {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<Wrote>>,
}

impl Writer {
    /// Starts it on a table whose rows have the keys 1 to `rows`.
    pub fn on(database: &Database, rows: u64) -> Self {
        let (url, stop) = (database.url.clone(), Arc::new(AtomicBool::new(false)));
        let (seen, mariadb) = (stop.clone(), database.engine.name == "mariadb");
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(write(&url, mariadb, rows, &seen))
        });
        Self { stop, thread: Some(thread) }
    }

    /// Ends it, and tells what it did.
    pub fn end(mut self) -> Wrote {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().unwrap();
        thread.join().unwrap()
    }
}

impl Drop for Writer {
    /// A test that failed leaves no writer behind.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

async fn write(url: &str, mariadb: bool, rows: u64, stop: &AtomicBool) -> Wrote {
    let mut session = open(url).await;
    let (mut wrote, begun) = (Wrote::default(), Instant::now());
    let mut at = 1_u64;
    let mut ticks = tokio::time::interval(Duration::from_millis(10));
    // After a wait it does not hurry.
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let row = (at >> 33) % rows + 1;
        // Rows of its own, so that the sums show each write that is lost.
        let (sql, count) = match row % 10 {
            0 | 5 => {
                let next = rows + wrote.inserts + 1;
                let sql = format!("INSERT INTO t (id, a, c) VALUES ({next}, 0, 1.5)");
                (sql, &mut wrote.inserts)
            }
            1 if wrote.deletes < wrote.inserts => {
                let first = rows + wrote.deletes + 1;
                (format!("DELETE FROM t WHERE id = {first}"), &mut wrote.deletes)
            }
            _ => (format!("UPDATE t SET a = a + 1 WHERE id = {row}"), &mut wrote.updates),
        };
        let started = Instant::now();
        match session.execute(&Statement::plain(sql.as_str())).await {
            Ok(1) => *count += 1,
            Ok(found) => wrote.errors.push(format!("{sql}: found {found} rows")),
            // Triggers of pt-online-schema-change write to the copy that a chunk holds: known, and said
            // by the plan.
            Err(error) if error.class == Class::Retry(RetryReason::Deadlock) => {
                wrote.deadlocks += 1;
            }
            Err(error) if mariadb && error.to_string().contains("_t_new' doesn't exist (1146)") => {
                wrote.stale.push(format!("{sql}: {error}"));
                // It fails for as long as it is kept: what the plan advises helps.
                session.close().await;
                session = open(url).await;
            }
            Err(error) => {
                wrote.errors.push(format!("{sql}: {error}"));
                if error.is_lost() {
                    return wrote;
                }
            }
        }
        let took = started.elapsed();
        wrote.longest = wrote.longest.max(took);
        if A_WAIT < took {
            wrote.waits.push((begun.elapsed(), took));
        }
    }
    session.close().await;
    wrote
}
