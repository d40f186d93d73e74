//! The application as neighbour: it works on the same rows, and is never the one that suffers.

use std::collections::BTreeSet;
use std::fs::File;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use backstop::target::{Bind, Session, Statement};
use libtest_mimic::Trial;

use crate::database::{self, Database, Engine, available, execute, open};
use crate::harness::{Desk, Running, is_full, wait_for};
use crate::test;

/// Rows that the application and the job both write.
const ROWS: u64 = 10_000;

/// Rows that the application writes in one of its transactions.
const ROWS_OF_THE_APPLICATION: u64 = 5;

const WRITERS: u64 = 3;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available().filter(|engine| engine.url_env.is_some()) {
        let mut add = |name: &str, check: fn(Engine)| {
            let name = format!("neighbour: {name} on {}", engine.name);
            trials.push(test(name, move || check(engine)));
        };
        add("a writer in reverse order is never the victim", |e| reverse_order(e, "250ms"));
        add("a writer in reverse order is never the victim of long batches", |e| {
            reverse_order(e, "2s");
        });
        add("inserts between the rows of a batch do not wait", inserts_in_gaps);
        add("no transaction is open while the job waits", nothing_open_while_waiting);
    }
    for engine in available().filter(|engine| ["postgres", "mariadb"].contains(&engine.name)) {
        let name = format!("neighbour: the rows of a frozen runner are freed on {}", engine.name);
        trials.push(test(name, move || frozen(engine)));
    }
    for engine in available().filter(|engine| engine.family == "postgres") {
        let name = format!("neighbour: a cycle of waits ends at our side on {}", engine.name);
        trials.push(test(name, move || cycle(engine)));
    }
    for engine in available().filter(|engine| engine.family == "mysql") {
        let name = format!("neighbour: a batch that takes far too long is cut on {}", engine.name);
        trials.push(test(name, move || watchdog(engine)));
    }
    trials.push(test("neighbour: the lock step locks what the write changes", lock_step));
    trials
}

fn job(set: &str, batch: &str) -> String {
    format!(
        "[job]\nname = \"tenant\"\n[target]\nurl_env = \"DATABASE_URL\"\n\
         [update]\ntable = \"t\"\nset = {{ a = \"{set}\" }}\nexactly_once = true\n[batch]\n{batch}\n"
    )
}

fn scene(engine: Engine, rows: u64, job: &str) -> (Database, Desk) {
    let database = Database::new(engine);
    database.script(&format!(
        "CREATE TABLE t (id {{{{id}}}}, a integer, b integer NOT NULL DEFAULT 0);\n\
         INSERT INTO t (id, a) SELECT n * 10, 0 FROM numbers WHERE n <= {rows}"
    ));
    let desk = Desk::at(&database.url);
    desk.write("job.toml", job);
    (database, desk)
}

/// What became of one writer.
struct Writer {
    updates: u64,
    longest: Duration,
    errors: Vec<String>,
}

/// An application that locks rows from the highest key to the lowest, against the order of the
/// walk, and holds them for some milliseconds.
fn write_in_reverse(database: &Database, number: u64, stop: Arc<AtomicBool>) -> JoinHandle<Writer> {
    let (url, family) = (database.url.clone(), database.engine.family);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut session = open(&url).await;
            let mut writer = Writer { updates: 0, longest: Duration::ZERO, errors: Vec::new() };
            let mut random = number;
            while !stop.load(Ordering::Relaxed) {
                random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(number + 1);
                let top = 1 + (random >> 33) % (ROWS - 1);
                if let Err(error) =
                    one_transaction(session.as_mut(), family, top, &mut writer.longest).await
                {
                    writer.errors.push(error.to_string());
                    let _ = session.rollback().await;
                } else {
                    writer.updates += ROWS_OF_THE_APPLICATION;
                }
            }
            session.close().await;
            writer
        })
    })
}

async fn one_transaction(
    session: &mut dyn Session,
    family: &str,
    top: u64,
    longest: &mut Duration,
) -> backstop::target::Result<()> {
    let placeholder = if family == "postgres" { "$1" } else { "?" };
    session.begin().await?;
    for step in 0..ROWS_OF_THE_APPLICATION {
        // Far apart, so that a batch begins before the one row and ends after the other.
        let row = (top + ROWS - step * 37) % ROWS + 1;
        let statement = Statement {
            sql: format!("UPDATE t SET b = b + 1 WHERE id = {placeholder}"),
            binds: vec![Bind::Int(i64::try_from(row * 10).unwrap())],
        };
        let started = Instant::now();
        let found = session.execute(&statement).await?;
        *longest = (*longest).max(started.elapsed());
        assert_eq!(found, 1, "row {row}");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    session.commit().await
}

fn reverse_order(engine: Engine, target_time: &str) {
    let lasts = Duration::from_secs(if is_full() { 30 } else { 6 });
    let batch = format!("max_rows = 1000\nworkers = 2\ntarget_time = \"{target_time}\"");
    let (database, desk) = scene(engine, ROWS, &job("a + 1", &batch));
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> =
        (0..WRITERS).map(|n| write_in_reverse(&database, n, Arc::clone(&stop))).collect();
    let (started, mut runs, mut retries) = (Instant::now(), 0, 0);
    while started.elapsed() < lasts {
        let mut call = vec!["run", "job.toml", "--progress", "json"];
        if 0 < runs {
            call.push("--again");
        }
        let said = desk.call(&call).expect(0);
        retries += said.out.matches("batch_retried").count();
        runs += 1;
    }
    stop.store(true, Ordering::Relaxed);
    let writers: Vec<Writer> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
    let updates: u64 = writers.iter().map(|writer| writer.updates).sum();
    let longest = writers.iter().map(|writer| writer.longest).max().unwrap();
    println!(
        "{} with {target_time}: {runs} runs, {retries} batches tried again, {updates} updates of \
         the application, the longest took {longest:?}",
        engine.name
    );
    let errors: Vec<_> = writers.iter().flat_map(|writer| &writer.errors).collect();
    assert!(errors.is_empty(), "the application was harmed: {errors:?}");
    let wrong = format!("SELECT count(*) FROM t WHERE a <> {runs}");
    assert_eq!(database.value(&wrong), "0", "every row once in each of {runs} runs");
    let sum = "SELECT CAST(sum(b) AS char(20)) FROM t";
    assert_eq!(database.value(sum).trim(), updates.to_string(), "the application's own updates");
    assert!(0 < updates, "the application did nothing");
}

/// An expression of value 1 that takes this long for each row that it is evaluated for.
fn slow_one(engine: Engine, seconds: &str) -> String {
    match engine.family {
        "postgres" => format!("CASE WHEN pg_sleep({seconds}) IS NULL THEN 0 ELSE 1 END"),
        _ => format!("1 + sleep({seconds})"),
    }
}

/// A session that looks on, without connecting anew for each look.
struct Looker {
    runtime: tokio::runtime::Runtime,
    session: Box<dyn Session>,
    engine: Engine,
}

impl Looker {
    fn new(database: &Database) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let session = runtime.block_on(open(&database.url));
        Self { runtime, session, engine: database.engine }
    }

    /// The first value, if there is a row.
    fn value(&mut self, sql: &str) -> backstop::target::Result<Option<String>> {
        let rows = self.runtime.block_on(self.session.query(&Statement::plain(sql)))?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next()).flatten())
    }

    /// What identifies the batch whose write is being run, found by what the write says of itself.
    fn write_in_flight(&mut self) -> Option<String> {
        let label = "/* backstop tenant range 0; to stop it: backstop kill tenant */ UPDATE";
        let sql = match self.engine.family {
            "postgres" => format!(
                "SELECT xact_start::text FROM pg_stat_activity \
                 WHERE datname = current_database() AND state = 'active' \
                 AND query LIKE '{label} \"public\".\"t\"%'"
            ),
            _ => format!(
                "SELECT trx_started FROM (SELECT CAST(trx_id AS char(40)) AS trx_started, \
                 trx_mysql_thread_id FROM information_schema.innodb_trx) AS trx \
                 JOIN information_schema.processlist ON id = trx_mysql_thread_id \
                 WHERE db = database() AND info LIKE '{label} %`t`%'"
            ),
        };
        self.value(&sql).unwrap()
    }

    /// The key up to which the rows are written and committed.
    fn cursor(&mut self) -> u64 {
        let found = self.value("SELECT cursor_at FROM backstop_fence WHERE range_id = 0").unwrap();
        let key: Vec<String> = found.map_or_else(Vec::new, |t| serde_json::from_str(&t).unwrap());
        key.first().map_or(0, |key| key.parse().unwrap())
    }

    /// Whether nobody has locked the row.
    fn is_free(&mut self, key: u64) -> bool {
        self.value(&format!("SELECT id FROM t WHERE id = {key} FOR UPDATE NOWAIT")).is_ok()
    }
}

/// The application holds the last row of a batch, and begins to wait for its first one before the
/// batch comes to the last: so it is the application that would look for a deadlock first.
fn cycle(engine: Engine) {
    let slow = slow_one(engine, "0.012");
    let (database, desk) = scene(engine, 20, &job(&format!("a + {slow}"), "max_rows = 20"));
    let mut application = Looker::new(&database);
    let mut looker = Looker::new(&database);
    application.runtime.block_on(application.session.begin()).unwrap();
    let mut update = |key: u64| {
        let sql = Statement::plain(format!("UPDATE t SET b = b + 1 WHERE id = {key}"));
        application.runtime.block_on(application.session.execute(&sql))
    };
    assert_eq!(update(200).unwrap(), 1);
    let events = desk.path("events");
    let child = desk
        .command(&["run", "job.toml", "--progress", "json"])
        .stdout(Stdio::from(File::create(&events).unwrap()))
        .spawn()
        .unwrap();
    let running = Running::of(child);
    // Some of the first rows are written by the time that the application asks for the first.
    wait_for("the write", || looker.write_in_flight().is_some());
    std::thread::sleep(Duration::from_millis(100));
    let asked = update(10);
    let waited = asked.unwrap_or_else(|error| panic!("the application is the victim: {error}"));
    assert_eq!(waited, 1);
    application.runtime.block_on(application.session.commit()).unwrap();
    running.wait().expect(0);
    let events = std::fs::read_to_string(&events).unwrap();
    assert!(events.contains("\"batch_retried\""), "the two never met: {events}");
    assert!(!events.contains("\"reason\":\"deadlock\""), "{events}");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a <> 1"), "0");
    assert_eq!(database.value("SELECT sum(b)::text FROM t"), "2");
}

/// Keys are ten apart. While a batch is being written, rows are inserted between its rows by a
/// session that bears no wait.
fn inserts_in_gaps(engine: Engine) {
    let slow = slow_one(engine, "0.02");
    let (database, desk) = scene(engine, 1_000, &job(&format!("a + {slow}"), "max_rows = 15"));
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "tenant", |status| 2 <= status["batches"].as_u64().unwrap_or(0));
    let mut looker = Looker::new(&database);
    let _ = looker.value(match engine.family {
        // Where a batch lasts less than a second, the limit must be less.
        "postgres" => "SELECT set_config('lock_timeout', '100ms', false)",
        _ => "SET SESSION innodb_lock_wait_timeout = 1",
    });
    let (mut caught, mut offset, began) = (0, 0, Instant::now());
    while caught < 3 {
        assert!(began.elapsed() < Duration::from_secs(60), "too few batches were met");
        let Some(before) = looker.write_in_flight() else { continue };
        // Within the first ten rows of the batch in flight, and never twice at the same place.
        offset += 1;
        let key = looker.cursor() + 11 + (offset * 10 + offset / 10) % 89;
        let insert = format!("INSERT INTO t (id, a) VALUES ({key}, 7)");
        let inserted = looker.runtime.block_on(looker.session.execute(&Statement::plain(insert)));
        match inserted {
            Ok(_) if looker.write_in_flight().as_ref() == Some(&before) => caught += 1,
            Ok(_) => {}
            // A row of the table, or inserted before.
            Err(error) if ["23505", "1062"].contains(&error.code.as_deref().unwrap_or("")) => {}
            Err(error) => panic!("an insert at {key}: {error}"),
        }
    }
    if engine.name == "mysql" {
        let kept = database.value(
            // Of this database: other tests have a job of that name, too.
            "SELECT count(*) FROM performance_schema.prepared_statements_instances \
             JOIN performance_schema.threads ON thread_id = owner_thread_id \
             WHERE sql_text LIKE '/* backstop tenant range%' AND processlist_db = database()",
        );
        let kept: u64 = kept.parse().unwrap();
        // Look-up, lock step and write, each with and without a lower bound, the fence, and on another
        // session the look-up of the next window.
        assert!((4..=8).contains(&kept), "one of a kind is kept, not one a batch: {kept}");
    }
    desk.call(&["stop", "tenant"]).expect(0);
    running.wait().expect(3);
    desk.write("job.toml", &job("a + 1", "max_rows = 100"));
    desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
    assert_eq!(database.value("SELECT count(*) FROM t WHERE id % 10 = 0 AND a <> 1"), "0");
}

/// Transactions of the runner that stay open. On PostgreSQL each statement of a watcher is one for as long as it
/// runs: what stays is the same in two looks.
fn transactions_that_stay(database: &Database) -> String {
    if database.engine.family != "postgres" {
        return open_transactions(database);
    }
    let look = || -> BTreeSet<String> {
        let found = database.value(
            "SELECT coalesce(string_agg(pid || ' ' || xact_start, ','), '') FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name LIKE 'backstop tenant %' \
             AND xact_start IS NOT NULL",
        );
        found.split(',').filter(|one| !one.is_empty()).map(str::to_owned).collect()
    };
    let first = look();
    std::thread::sleep(Duration::from_millis(50));
    first.intersection(&look()).count().to_string()
}

/// Transactions of the runner that are open on the server.
fn open_transactions(database: &Database) -> String {
    database.value(match database.engine.family {
        "postgres" => {
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name LIKE 'backstop tenant %' AND xact_start IS NOT NULL"
        }
        _ => {
            "SELECT count(*) FROM information_schema.innodb_trx \
             JOIN information_schema.processlist ON id = trx_mysql_thread_id \
             WHERE db = database() AND id <> connection_id()"
        }
    })
}

fn nothing_open_while_waiting(engine: Engine) {
    let (database, desk) = scene(engine, 300, &job("a + 1", "max_rows = 100\npause = \"10m\""));
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "tenant", |status| status["batches"] == 1);
    for _ in 0..20 {
        assert_eq!(transactions_that_stay(&database), "0", "in the pause after a batch");
    }
    desk.call(&["pause", "tenant"]).expect(0).says("tenant is paused");
    for _ in 0..20 {
        assert_eq!(transactions_that_stay(&database), "0", "while paused");
    }
    desk.call(&["stop", "tenant"]).expect(0);
    running.wait().expect(3);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let holder = runtime.block_on(async {
        let mut holder = open(&database.url).await;
        holder.begin().await.unwrap();
        // The next row of the walk: a smaller batch needs it as well.
        execute(holder.as_mut(), "UPDATE t SET b = 1 WHERE id = 1010").await;
        holder
    });
    let events = desk.path("events");
    let child = desk
        .command(&["run", "job.toml", "--progress", "json"])
        .stdout(Stdio::from(File::create(&events).unwrap()))
        .spawn()
        .unwrap();
    let running = Running::of(child);
    // After the seventh attempt it waits for more than three seconds.
    wait_for("the seventh attempt", || {
        std::fs::read_to_string(&events).unwrap().contains("\"attempt\":7")
    });
    // The holder's own is seen where sessions have no names.
    let of_the_holder = if engine.family == "postgres" { "0" } else { "1" };
    assert_eq!(transactions_that_stay(&database), of_the_holder, "between two attempts");
    runtime.block_on(async {
        let mut holder = holder;
        holder.rollback().await.unwrap();
        holder.close().await;
    });
    desk.call(&["stop", "tenant"]).expect(0);
    running.wait().expect(3);
    let events = std::fs::read_to_string(&events).unwrap();
    assert!(events.contains("\"reason\":\"lock_timeout\""), "{events}");
}

/// The runner is frozen while its write runs; the server ends the write, waits for the next
/// statement, and after its time-out lets the rows go.
fn frozen(engine: Engine) {
    let slow = slow_one(engine, "0.02");
    let (database, desk) = scene(engine, 300, &job(&format!("a + {slow}"), "max_rows = 10"));
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "tenant", |status| 2 <= status["batches"].as_u64().unwrap_or(0));
    let mut looker = Looker::new(&database);
    // Frozen before the write had its first row, or after its COMMIT was sent, it holds nothing.
    let held = loop {
        wait_for("a write", || {
            assert!(!running.has_ended(), "no batch was met: {:?}", desk.status("tenant"));
            looker.write_in_flight().is_some()
        });
        running.signal("STOP");
        wait_for("the write's end", || looker.write_in_flight().is_none());
        let next = looker.cursor() + 10;
        if !looker.is_free(next) {
            break next;
        }
        running.signal("CONT");
    };
    let frozen = Instant::now();
    while !looker.is_free(held) {
        assert!(frozen.elapsed() < Duration::from_secs(120), "the rows are still locked");
        std::thread::sleep(Duration::from_millis(100));
    }
    println!("{}: the rows were free after {:?}", engine.name, frozen.elapsed());
    assert_eq!(open_transactions(&database), "0");
    running.signal("CONT");
    // Nobody has killed it: it goes on on another session, by itself.
    running.wait().expect(0);
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a <> 1"), "0");
}

/// Each row takes a second in each of up to three evaluations: four are too many for one batch.
fn watchdog(engine: Engine) {
    // MySQL evaluates the expression once more, for the lock step.
    let seconds = if engine.name == "mysql" { "1" } else { "1.5" };
    let slow = slow_one(engine, seconds);
    let (database, desk) = scene(engine, 4, &job(&format!("a + {slow}"), "max_rows = 4"));
    let said = desk.call(&["run", "job.toml", "--progress", "json"]).expect(0);
    assert!(said.out.contains("\"reason\":\"statement_timeout\""), "{}", said.out);
    assert!(!said.out.contains("\"paused\""), "its own cancel is nobody else's: {}", said.out);
    said.says("so the runner cancelled it");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a = 1"), "4");
}

/// Seen in the server's own list of locks, on the databases that take the step.
fn lock_step() {
    let Some(engine) = available().find(|engine| engine.name == "mysql") else { return };
    let (database, desk) = scene(engine, 40, &job("5", "max_rows = 40"));
    database.script("UPDATE t SET a = 5 WHERE id % 20 = 0");
    let plan = desk.call(&["plan", "job.toml", "--json"]).expect(0);
    let plan: serde_json::Value = serde_json::from_str(&plan.out).unwrap();
    let lock = plan["sql"]["lock"].as_str().unwrap();
    assert!(lock.contains("FOR UPDATE NOWAIT"), "{lock}");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let locked = runtime.block_on(async {
        let mut session = open(&database.url).await;
        session.begin().await.unwrap();
        let bind = |key: &str| Bind::Text(Some(key.to_owned()));
        let statement = Statement { sql: lock.to_owned(), binds: vec![bind("100"), bind("200")] };
        let counted = session.query(&statement).await.unwrap();
        assert_eq!(counted, [[Some("5".to_owned())]]);
        let look = "SELECT group_concat(lock_mode, ' ', lock_data ORDER BY lock_data + 0) \
                    FROM performance_schema.data_locks \
                    WHERE object_schema = database() AND lock_type = 'RECORD'";
        let rows = session.query(&Statement::plain(look)).await.unwrap();
        session.rollback().await.unwrap();
        session.close().await;
        rows.into_iter().flatten().next().flatten().unwrap()
    });
    let expected: Vec<_> =
        [110, 130, 150, 170, 190].map(|key| format!("X,REC_NOT_GAP {key}")).into();
    assert_eq!(locked, expected.join(","));
    // Long batches take the step on PostgreSQL, and no others.
    for (target_time, takes) in [("250ms", false), ("2s", true)] {
        let batch = format!("target_time = \"{target_time}\"");
        let (_database, desk) = scene(database::engine("postgres"), 4, &job("5", &batch));
        let plan = desk.call(&["plan", "job.toml", "--json"]).expect(0);
        let says = plan.out.contains("FOR NO KEY UPDATE NOWAIT");
        assert_eq!(says, takes, "{target_time}: {}", plan.out);
    }
}
