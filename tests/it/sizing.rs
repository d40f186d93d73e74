//! What a batch costs beside its work: waits for locks, which must not make the next one smaller, and
//! the server's log, which must.

use std::time::{Duration, Instant};

use backstop::target::{Session, Statement};
use libtest_mimic::Trial;
use serde_json::Value;

use crate::database::{Database, Engine, available, execute, open};
use crate::harness::{Desk, wait_for};
use crate::test;

const JOB: &str = r#"
[job]
name = "sized"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { n = "n + 1" }
exactly_once = true

[batch]
target_time = "100ms"
"#;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        let mut add = |name: &str, check: fn(Engine)| {
            trials.push(test(format!("sizing: {name} on {}", engine.name), move || check(engine)));
        };
        // Batches on MySQL and MariaDB wait for no row.
        if engine.family != "mysql" {
            add("a wait for a lock is no work", waits);
        }
        if engine.url_env.is_some() {
            add("the server's log is a limit", log);
        }
    }
    trials
}

fn scene(engine: Engine, schema: &str) -> (Database, Desk) {
    let database = Database::new(engine);
    database.script(schema);
    let desk = Desk::at(&database.url);
    (database, desk)
}

/// Each row takes a millisecond that no busy processor makes much longer.
const SLEEPY: &str = "\
CREATE TABLE t (id {{id}}, n integer NOT NULL);
INSERT INTO t (n) SELECT 0 FROM numbers WHERE n <= 4000;
CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS \
'BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END';
CREATE TRIGGER nap BEFORE UPDATE ON t FOR EACH ROW EXECUTE PROCEDURE nap()";

/// How often somebody holds what a batch needs.
const WAITS: usize = 8;

const PLAIN: &str = "\
CREATE TABLE t (id {{id}}, n integer NOT NULL);
INSERT INTO t (n) SELECT 0 FROM numbers";

fn batches(said: &str) -> Vec<Value> {
    said.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| event["message_type"] == "batch_done" && event["phase"] == "write")
        .collect()
}

fn number(event: &Value, field: &str) -> f64 {
    event[field].as_f64().unwrap_or_else(|| panic!("no {field} in {event}"))
}

/// Several times somebody holds what a batch needs, for twice as long as a batch takes. Most of each
/// wait is told apart from the work, and the batch after it is not made for a slow server. On a busy
/// machine some of them go wrong: a batch gives up, or is slow by itself.
fn waits(engine: Engine) {
    let postgres = engine.family == "postgres";
    let (database, desk) = scene(engine, if postgres { SLEEPY } else { PLAIN });
    // A writer of SQLite's gets in between two batches.
    let job =
        if postgres { JOB.to_owned() } else { format!("{JOB}max_rows = 500\npause = \"50ms\"\n") };
    desk.write("job.toml", &job);
    let mut running = desk.start(&["run", "job.toml", "--progress", "json"]);
    desk.wait_until(&mut running, "sized", |status| status["batches"].as_u64() >= Some(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut holder = open(&database.url).await;
        let mut watcher = open(&database.url).await;
        for _ in 1..=WAITS {
            holder.begin().await.unwrap();
            if postgres {
                // Two batches ahead, if the job has as many left.
                let row = "SELECT 1 FROM t WHERE id = \
                           (SELECT id FROM t WHERE n = 0 ORDER BY id OFFSET 200 LIMIT 1) FOR UPDATE";
                execute(holder.as_mut(), row).await;
                let begun = Instant::now();
                while begun.elapsed() < Duration::from_secs(5)
                    && !is_waited_for(watcher.as_mut()).await
                {}
            }
            // Of the 400 ms after which a batch on PostgreSQL gives up.
            tokio::time::sleep(Duration::from_millis(200)).await;
            holder.rollback().await.unwrap();
        }
        watcher.close().await;
        holder.close().await;
    });
    let said = running.wait().expect(0);
    assert_eq!(database.value("SELECT count(*) FROM t WHERE n <> 1"), "0");
    let waited: Vec<_> = batches(&said.out)
        .into_iter()
        .filter(|batch| 0.15 < number(batch, "lock_wait_seconds"))
        .collect();
    assert!(!waited.is_empty(), "no wait was told of: {}", said.out);
    let sized_by_work = waited.iter().filter(|batch| {
        let work = number(batch, "seconds") - number(batch, "lock_wait_seconds");
        assert!(0.0 <= work, "{batch}");
        // Counted as work, the wait would cut the next batch to less than a half.
        number(batch, "rows_scanned") < 2.0 * number(batch, "next_rows")
    });
    assert!(0 < sized_by_work.count(), "{waited:#?}");
}

async fn is_waited_for(watcher: &mut dyn Session) -> bool {
    let look = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                AND application_name LIKE 'backstop sized%' AND wait_event_type = 'Lock'";
    let rows = watcher.query(&Statement::plain(look)).await.unwrap();
    rows[0][0].as_deref() != Some("0")
}

/// Two kilobytes of log a row. What other tests write meanwhile counts on some servers, and makes
/// batches smaller, never larger; so the limit is looked at first.
fn log(engine: Engine) {
    let (database, desk) = scene(
        engine,
        "CREATE TABLE t (id {{id}}, n integer NOT NULL, pad varchar(2000));\n\
         INSERT INTO t (n) SELECT 0 FROM numbers",
    );
    let job = JOB
        .replace("n = \"n + 1\"", "n = \"n + 1\", pad = \"lpad(cast(id as char(20)), 1900, 'x')\"");
    let job = job.replace("100ms", "1s");
    desk.write("job.toml", &format!("{job}max_log = \"1MiB\"\n"));
    let said = desk.call(&["run", "job.toml", "--progress", "json"]).expect(0);
    let limited = batches(&said.out);
    let most = |batches: &[Value]| {
        batches.iter().map(|batch| number(batch, "rows_scanned")).fold(0.0, f64::max)
    };
    let known = limited.iter().filter(|batch| batch["log_bytes"].is_u64()).count();
    assert!(
        limited.len() <= known + 2,
        "what a batch writes is told of all but the first: {said:?}"
    );
    assert!(most(&limited) <= 600.0, "{} rows of 2 kB are more than a megabyte", most(&limited));
    let plan = desk.call(&["plan", "job.toml"]).expect(0);
    plan.says("at most 10,000 rows and 1MiB of the server's log");

    desk.write("job.toml", &job);
    let again = ["run", "job.toml", "--again", "--accept-changed-spec", "--progress", "json"];
    let said = desk.call(&again).expect(0);
    assert!(600.0 < most(&batches(&said.out)), "64 MiB are no limit here");
    wait_for("both generations", || {
        database.value("SELECT count(*) FROM t WHERE n <> 2 OR pad IS NULL") == "0"
    });
}
