//! The end of a job, and verification: as it happens while the application writes.

mod ending;
mod looking;
mod reporting;
mod watching;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::database::{Database, Engine, available, open};
use crate::harness::{Desk, Said};
use crate::test;

type Check = fn(Engine);

pub fn trials() -> Vec<Trial> {
    let checks = [ending::CHECKS, looking::CHECKS, reporting::CHECKS, watching::CHECKS];
    let each = |engine: Engine| {
        checks.into_iter().flatten().filter_map(move |(name, wants, check)| {
            let check: Check = *check;
            let name = format!("verifying: {name} on {}", engine.name);
            wants(engine).then(|| test(name, move || check(engine)))
        })
    };
    available().flat_map(each).collect()
}

/// What is tested, where, and how.
type Checks = &'static [(&'static str, fn(Engine) -> bool, Check)];

fn everywhere(_: Engine) -> bool {
    true
}

/// Where several write at once.
fn on_servers(engine: Engine) -> bool {
    engine.url_env.is_some()
}

fn on_postgres(engine: Engine) -> bool {
    engine.family == "postgres"
}

fn on_one_postgres(engine: Engine) -> bool {
    engine.name == "postgres"
}

/// Where it takes its time to wait, once of each family is enough.
fn on_one_of_each(engine: Engine) -> bool {
    engine.name != "postgres18"
}

/// A job that takes a second or two: 4,000 rows with odd keys in batches of 100.
const JOB: &str = r#"
[job]
name = "late"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { a = "source * 2" }
where = "a IS NULL"

[batch]
max_rows = 100
pause    = "20ms"
"#;

const ROWS: &str = "\
CREATE TABLE t (id {{id}}, source integer NOT NULL, a integer);
INSERT INTO t (id, source) SELECT 2 * n - 1, n FROM numbers WHERE n <= 4000";

/// Rows, and a desk with a job for them.
struct Scene {
    database: Database,
    desk: Desk,
}

impl Scene {
    fn new(engine: Engine, rows: &str, job: &str) -> Self {
        let database = Database::new(engine);
        database.script(rows);
        database.script(match engine.family {
            "mysql" => "ANALYZE TABLE t",
            "postgres" if rows.starts_with(ROWS) => {
                "ALTER TABLE t ALTER COLUMN id RESTART WITH 8001;\nANALYZE t"
            }
            _ => "ANALYZE t",
        });
        let desk = Desk::at(&database.url);
        desk.write("job.toml", job);
        Self { database, desk }
    }

    /// The rows of [`ROWS`], written and verified, and a job that expects what was written.
    fn verified(engine: Engine, batch: &str, verify: &str) -> Self {
        let job = JOB.replace("max_rows = 100\npause    = \"20ms\"", batch);
        let job = format!("{job}\n[verify]\nexpect = \"a = source * 2\"\n{verify}");
        let scene = Self::new(engine, &format!("{ROWS};\nUPDATE t SET a = source * 2"), &job);
        scene.desk.call(&["run", "job.toml"]).expect(0);
        scene
    }

    /// Runs the job and does something when so many batches are written. Killed, if that is wanted, when
    /// the sweep has written a batch.
    fn meanwhile(&self, batches: u32, then: impl FnOnce(), kills: bool) -> Said {
        let mut running = self.desk.start(&["run", "job.toml", "--progress", "json"]);
        let (out, done, then) = (RefCell::new(String::new()), Cell::new(0), Cell::new(Some(then)));
        let sweeps = Cell::new(false);
        let ended = running.has_said_such(|line| {
            out.borrow_mut().push_str(&format!("{line}\n"));
            done.set(done.get() + u32::from(line.contains("\"batch_done\"")));
            if batches <= done.get()
                && let Some(then) = then.take()
            {
                then();
            }
            sweeps.set(sweeps.get() || line.contains("are written now"));
            kills && sweeps.get() && line.contains("\"batch_done\"")
        });
        if ended {
            running.signal("KILL");
        }
        Said { out: out.into_inner(), ..running.wait() }
    }

    fn unwritten(&self) -> String {
        self.database.value("SELECT count(*) FROM t WHERE a IS NULL")
    }

    fn report(&self, name: &str) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.desk.path(name)).unwrap()).unwrap()
    }
}

/// Sessions that write as fast as they can, until they are stopped.
struct Writers {
    stop: Arc<AtomicBool>,
    rows: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Writers {
    /// `sessions` of them, each of which says `sql`, which inserts so many rows.
    fn start(database: &Database, sessions: usize, sql: &str, rows_of_one: u64) -> Self {
        let (stop, rows) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let writer = |_| {
            let (stop, rows, url) = (Arc::clone(&stop), Arc::clone(&rows), database.url.clone());
            let sql = backstop::target::Statement::plain(sql);
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                runtime.unwrap().block_on(async {
                    let mut session = open(&url).await;
                    while !stop.load(Ordering::Relaxed) {
                        // One that was in the way of the job tries again.
                        if session.execute(&sql).await.is_ok() {
                            rows.fetch_add(rows_of_one, Ordering::Relaxed);
                        }
                        // An application thinks between two statements.
                        tokio::time::sleep(Duration::from_millis(4)).await;
                    }
                    session.close().await;
                });
            })
        };
        let threads = (0..sessions).map(writer).collect();
        Self { stop, rows, threads }
    }

    /// Ends them, and tells how many rows they have written.
    fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        self.rows.load(Ordering::Relaxed)
    }
}
