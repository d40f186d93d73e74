//! Tables that no one here made up, a million rows each, while an application that no one here
//! made up writes to them: every row right, no error in the application, and the job interrupted
//! twice in its middle.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use rusqlite::{Connection, params};

use crate::database::{Database, engine};
use crate::harness::{Desk, Said};
use crate::test;

const ROWS: u64 = 1_000_000;

pub fn trials() -> Vec<Trial> {
    vec![
        test("real input: pgbench at work on its tables, on postgres", pgbench),
        test("real input: sysbench at work on its table, on mariadb", sysbench),
        test("real input: customers in the demo's shop, on sqlite", shop),
    ]
}

/// An application at work, from before the job's first batch until after its last.
struct Application<T> {
    closing: Arc<AtomicBool>,
    thread: Option<JoinHandle<T>>,
}

impl<T: Send + 'static> Application<T> {
    /// Opens it; `work` returns soon after the flag is set.
    fn open(work: impl FnOnce(&AtomicBool) -> T + Send + 'static) -> Self {
        let closing = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&closing);
        Self { closing, thread: Some(std::thread::spawn(move || work(&flag))) }
    }

    /// Closes it; fails as it has failed.
    fn close(mut self) -> T {
        self.closing.store(true, Ordering::Relaxed);
        let joined = self.thread.take().unwrap().join();
        joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl<T> Drop for Application<T> {
    /// After a failed assertion too, nothing may still use the database that is dropped next.
    fn drop(&mut self) {
        self.closing.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Calls `make`'s program again and again and adds up a figure of its reports. A benchmark cannot
/// be told to end in time: one that is killed reports nothing, and one that runs for a fixed time
/// ends before a slow job does. Between two calls lie a few milliseconds.
fn in_shifts(
    closing: &AtomicBool,
    mut make: impl FnMut() -> Command,
    check: impl Fn(&Said) -> u64,
) -> u64 {
    let mut done = 0;
    while !closing.load(Ordering::Relaxed) {
        done += check(&Said::by(&mut make()).expect(0));
    }
    done
}

/// The number in a report's line `label: 123 ...`.
fn figure(said: &Said, label: &str) -> Option<u64> {
    let lines = said.out.lines().map(str::trim);
    let found = lines.filter_map(|line| line.strip_prefix(label)?.strip_prefix(':')).next()?;
    Some(found.split_whitespace().next()?.parse().unwrap())
}

/// A program that `tests/run` has found.
fn tool(name: &str) -> String {
    let name = format!("BACKSTOP_TEST_{name}");
    std::env::var(&name).unwrap_or_else(|_| panic!("`{name}` is not set: `tests/run` sets it"))
}

/// Starts the job by `start`, interrupts it in its middle by SIGINT and by `kill -9`, and lets a
/// third run finish it.
fn interrupt_and_finish(desk: &Desk, job: &str, start: &[&str], spec: &str) {
    let scanned = |status: &serde_json::Value| status["rows_scanned"].as_u64().unwrap_or(0);
    for (signal, after, code) in [("INT", ROWS / 4, 3), ("KILL", ROWS / 2, -1)] {
        let mut running = desk.start(start);
        desk.wait_until(&mut running, job, |status| after <= scanned(status));
        running.signal(signal);
        running.wait().expect(code);
        let status = desk.status(job);
        assert!((after..ROWS).contains(&scanned(&status)), "not in the middle: {status}");
    }
    let said = desk.call(&["run", spec]).expect(0);
    said.says(&format!("going on with {job} where it stopped"));
    let status = desk.status(job);
    assert_eq!(status["state"], "verified", "{status}");
}

/// The assignment to `abalance`, which every transaction of pgbench changes too, cannot be done
/// twice unseen, and pgbench's own history says what it must come to, row by row.
const ACCOUNTS: &str = r#"
[job]
name = "accounts"

[target]
url_env = "DATABASE_URL"

[update]
table = "pgbench_accounts"
set   = { branch_label = "'branch ' || bid || ', account ' || aid", abalance = "abalance + 1000000" }
exactly_once = true

[batch]
workers = 2

[verify]
expect = "branch_label IS NOT NULL"
"#;

fn pgbench() {
    let database = Database::new(engine("postgres"));
    let (program, login) = (tool("PGBENCH"), database.login());
    let call = move |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command
            .args(arguments)
            .env("PGHOST", &login.host)
            .env("PGPORT", login.port.to_string())
            .env("PGUSER", &login.user)
            .env("PGPASSWORD", &login.password)
            .env("PGDATABASE", &login.database);
        command
    };
    Said::by(&mut call(&["-i", "-s", "10", "-q"])).expect(0);
    database.script("ALTER TABLE pgbench_accounts ADD branch_label text");
    let desk = Desk::at(&database.url);
    desk.write("job.toml", ACCOUNTS);

    let application = Application::open(move |closing| {
        in_shifts(
            closing,
            || call(&["-c", "2", "-j", "1", "-T", "2", "-n"]),
            |said| {
                assert_eq!(said.err, "", "pgbench complains\n{}", said.out);
                // Older ones have no such line, and give up with an exit code.
                assert_eq!(figure(said, "number of failed transactions").unwrap_or(0), 0);
                figure(said, "number of transactions actually processed").unwrap()
            },
        )
    });
    interrupt_and_finish(&desk, "accounts", &["run", "job.toml"], "job.toml");
    let transactions = application.close();

    let status = desk.status("accounts");
    assert_eq!(status["rows_scanned"], ROWS, "{status}");
    assert_eq!(status["rows_changed"], ROWS, "{status}");
    let wrong = database.value(
        "SELECT count(*) FROM pgbench_accounts
         LEFT JOIN (SELECT aid, sum(delta) AS delta FROM pgbench_history GROUP BY aid) h USING (aid)
         WHERE branch_label IS DISTINCT FROM format('branch %s, account %s', bid, aid)
         OR abalance <> 1000000 + coalesce(delta, 0)",
    );
    assert_eq!(wrong, "0", "rows are wrong");
    let sum = |sql: &str| database.value(sql).parse::<i64>().unwrap();
    let delta = sum("SELECT coalesce(sum(delta), 0) FROM pgbench_history");
    let added = i64::try_from(ROWS).unwrap() * 1_000_000;
    assert_eq!(sum("SELECT sum(abalance) FROM pgbench_accounts") - added, delta);
    assert_eq!(sum("SELECT sum(tbalance) FROM pgbench_tellers"), delta);
    assert_eq!(sum("SELECT sum(bbalance) FROM pgbench_branches"), delta);
    let history = database.value("SELECT count(*) FROM pgbench_history");
    assert_eq!(history, transactions.to_string(), "a transaction of pgbench is lost");
    assert!(0 < transactions, "pgbench did nothing");
    println!("pgbench: {transactions} transactions during the job");
}

/// `passes` counts how often the job came by. sysbench adds 1 to `k` meanwhile, and counts too.
const SBTEST: &str = r#"
[job]
name = "sbtest"

[target]
url_env = "DATABASE_URL"

[update]
table = "sbtest1"
set   = { pad = "concat('row ', id, ': ', left(c, 11))", passes = "passes + 1" }
exactly_once = true

[batch]
workers = 2

[verify]
expect = "passes = 1"
"#;

fn sysbench() {
    let database = Database::new(engine("mariadb"));
    let desk = Desk::at(&database.url);
    desk.write("job.toml", SBTEST);
    let login = database.login();
    // A file, because everybody on the machine may read a command line.
    desk.write(
        "sysbench.conf",
        &format!(
            "mysql-host={}\nmysql-port={}\nmysql-user={}\nmysql-password={}\nmysql-db={}\n",
            login.host, login.port, login.user, login.password, login.database
        ),
    );
    let program = PathBuf::from(tool("SYSBENCH"));
    // Statements on one row each by its key: any number of such threads cannot deadlock with each
    // other, and so each error would be the job's doing.
    let script = Path::new(&tool("SYSBENCH_LUA")).join("oltp_update_index.lua");
    let configuration = format!("--config-file={}", desk.path("sysbench.conf").display());
    let call = move |arguments: &[&str]| {
        let mut command = Command::new(&program);
        // What belongs to the script is not looked for in the file.
        command.arg(&configuration).arg(&script).arg(format!("--table-size={ROWS}"));
        command.args(arguments);
        command
    };
    Said::by(&mut call(&["prepare"])).expect(0);
    database.script("ALTER TABLE sbtest1 ADD passes int NOT NULL DEFAULT 0");
    let sum = || database.value("SELECT sum(k) FROM sbtest1").parse::<u64>().unwrap();
    let before = sum();

    let application = Application::open(move |closing| {
        in_shifts(
            closing,
            || call(&["--threads=2", "--time=2", "run"]),
            |said| {
                // Deadlocks and lock waits without end.
                assert_eq!(figure(said, "ignored errors"), Some(0), "{}", said.out);
                assert_eq!(figure(said, "reconnects"), Some(0), "{}", said.out);
                figure(said, "transactions").unwrap()
            },
        )
    });
    interrupt_and_finish(&desk, "sbtest", &["run", "job.toml"], "job.toml");
    let updates = application.close();

    let status = desk.status("sbtest");
    assert_eq!(status["rows_scanned"], ROWS, "{status}");
    assert_eq!(status["rows_changed"], ROWS, "{status}");
    let right = database.value(
        "SELECT count(*) FROM sbtest1
         WHERE passes = 1 AND pad = concat('row ', id, ': ', left(c, 11))",
    );
    assert_eq!(right, ROWS.to_string(), "rows are wrong");
    assert_eq!(sum() - before, updates, "an update of sysbench is lost");
    assert!(0 < updates, "sysbench did nothing");
    println!("sysbench: {updates} updates during the job");
}

/// What the customers did, and how it went.
struct Customers {
    /// The total that was written last, by order.
    totals: HashMap<i64, (String, i64)>,
    writes: u64,
    longest: Duration,
}

/// Changes old orders and places new ones, all the time, as an application in its new release
/// does it: with both columns. It waits for the file's lock as long as most applications would.
fn customers(shop: &Path, closing: &AtomicBool) -> Customers {
    let is_closing = || closing.load(Ordering::Relaxed);
    let mut seen = Customers { totals: HashMap::new(), writes: 0, longest: Duration::ZERO };
    while !shop.exists() && !is_closing() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let shop = Connection::open(shop).unwrap();
    shop.busy_timeout(Duration::from_secs(5)).unwrap();
    let mut change =
        shop.prepare("UPDATE orders SET total = ?1, total_cents = ?2 WHERE id = ?3").unwrap();
    let mut place = shop
        .prepare("INSERT INTO orders (total, total_cents, placed_at) VALUES (?1, ?2, 'now')")
        .unwrap();
    for number in 1_i64.. {
        if is_closing() {
            break;
        }
        let cents = number * 7919 % 100_000;
        let total = format!("{}.{:02}", cents / 100, cents % 100);
        let begun = Instant::now();
        let id = if number % 3 == 0 {
            place.execute(params![total, cents]).unwrap();
            shop.last_insert_rowid()
        } else {
            // Coprime to the number of orders: each comes up once, here and there in the table.
            let id = number * 611_953 % 1_000_000 + 1;
            // Some orders were deleted.
            if change.execute(params![total, cents, id]).unwrap() == 0 { 0 } else { id }
        };
        seen.longest = seen.longest.max(begun.elapsed());
        seen.writes += 1;
        if id != 0 {
            seen.totals.insert(id, (total, cents));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    seen
}

/// What an order's total comes to, by another way than the job's: in whole numbers.
fn cents(total: &str) -> Option<i64> {
    let bare = total.replace('€', "").replace("EUR", "").replace(',', ".");
    let (sign, bare) = bare.trim().strip_prefix('-').map_or((1, bare.trim()), |rest| (-1, rest));
    let (whole, hundredths) = bare.split_once('.')?;
    assert_eq!(hundredths.len(), 2, "{total}");
    Some(sign * (whole.parse::<i64>().unwrap() * 100 + hundredths.parse::<i64>().unwrap()))
}

fn shop() {
    let desk = Desk::new();
    let file = desk.path("shop.db");
    let shop = file.clone();
    let application = Application::open(move |closing| customers(&shop, closing));
    let spec = "orders-total-cents.toml";
    interrupt_and_finish(&desk, "orders-total-cents", &["demo", "--dir", "."], spec);
    let mut seen = application.close();

    let shop = Connection::open(&file).unwrap();
    let mut orders = shop.prepare("SELECT id, total, total_cents FROM orders").unwrap();
    let mut orders = orders.query([]).unwrap();
    let mut count = 0;
    while let Some(order) = orders.next().unwrap() {
        let id: i64 = order.get(0).unwrap();
        let total: Option<String> = order.get(1).unwrap();
        let filled: Option<i64> = order.get(2).unwrap();
        assert_eq!(filled, total.as_deref().and_then(cents), "order {id}: {total:?}");
        if let Some(written) = seen.totals.remove(&id) {
            assert_eq!(Some(written), total.zip(filled), "order {id}: the customer's total");
        }
        count += 1;
    }
    assert!(ROWS < count, "{count} orders");
    assert!(seen.totals.is_empty(), "customers' orders are gone: {:?}", seen.totals);
    println!("shop: {} writes during the job, the longest took {:?}", seen.writes, seen.longest);
}
