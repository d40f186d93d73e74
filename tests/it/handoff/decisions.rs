//! Which way a change takes, and what is refused.

use std::time::Duration;

use libtest_mimic::Trial;

use super::{COPY, TABLE, defaults_file, desk, plan, planned};
use crate::database::{Database, Engine, available};
use crate::harness::{Desk, wait_for};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available().filter(|engine| engine.family == "mysql") {
        let mut add = |name: &str, check: fn(Engine)| {
            let name = format!("handoff: {name} on {}", engine.name);
            trials.push(test(name, move || check(engine)));
        };
        add("each change takes its way", ways);
        add("rows that would be lost are counted, and refuse it", lost);
        add("a query for what would be lost ends with the command", killed);
        add("the raw change is proved on an empty copy", proved);
        add("the generated raw change works", raw_files);
        add("what is no change for a handoff is said", wrong_use);
    }
    trials
}

fn ways(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLE);
    database.script(
        "CREATE TABLE p (id int PRIMARY KEY);\nCREATE TABLE child (id int PRIMARY KEY, p int, c \
         decimal(10,2), FOREIGN KEY (p) REFERENCES p (id));\nINSERT INTO t SELECT id + 1000, a, 'x', c \
         FROM t WHERE id <= 200",
    );
    let with_ghost = desk(&database, "1.1.10");
    let decision = |desk: &Desk, sql: &str, more: &[&str]| planned(desk, sql, more);
    let instant = decision(&with_ghost, "ALTER TABLE t ADD note varchar(9)", &[]);
    assert_eq!(instant["decision"], "instant", "{instant:#}");
    let alter = instant["steps"][1]["sql"].as_str().unwrap();
    assert!(alter.ends_with("ADD note varchar(9), ALGORITHM=INSTANT"), "{alter}");
    assert_eq!(instant["steps"][0]["sql"], "SET SESSION lock_wait_timeout = 5");
    let in_place = decision(&with_ghost, "ALTER TABLE t ADD INDEX (b)", &[]);
    assert_eq!(in_place["decision"], "in place", "{in_place:#}");
    assert!(in_place["steps"][1]["sql"].as_str().unwrap().ends_with("LOCK=NONE"));

    // gh-ost, but where its lock cannot be watched.
    let copy = decision(&with_ghost, COPY, &[]);
    let tool = if engine.name == "mysql" { "gh-ost" } else { "pt-online-schema-change" };
    assert_eq!(copy["decision"], tool, "{copy:#}");
    assert_eq!(copy["arguments"][0], tool);
    assert_eq!(
        copy["arguments"].as_array().unwrap().last().unwrap() == "--execute",
        tool == "gh-ost"
    );
    if tool == "gh-ost" {
        ghost_files(&database, &with_ghost);
    }
    let child = decision(&with_ghost, "ALTER TABLE child MODIFY c decimal(12,3)", &[]);
    assert_eq!(child["decision"], "pt-online-schema-change", "{child:#}");
    let both = "ALTER TABLE t ADD z int, MODIFY c decimal(12,3)";
    let advice = decision(&with_ghost, both, &[])["advice"].to_string();
    assert!(advice.contains("`ADD z int` would be done at once in a file of its own"), "{advice}");
    // The tool that is asked for, also where the server could do it.
    let wanted =
        decision(&with_ghost, "ALTER TABLE t ADD z int", &["--tool", "pt-online-schema-change"]);
    assert_eq!(wanted["decision"], "pt-online-schema-change");
    // Without a tool here, the command is for where there is one.
    plan(&with_ghost, COPY, &[]).expect(0).says("arguments").says("--execute");
    // A large table with replicas is for a tool, as they would do the same behind it.
    with_ghost.write("backstop.toml", "[gate]\nlarge_rows = 100\n");
    let said = plan(&with_ghost, "ALTER TABLE t ADD INDEX (b)", &["--replicas", "1"]).expect(1);
    said.says("every replica does the same behind the server").says("1 replicas were declared");
}

/// The runbook of gh-ost, with the real names, in the order in which it is needed.
fn ghost_files(database: &Database, desk: &Desk) {
    plan(desk, COPY, &["--generate-only", "--out", "gho"]).expect(0);
    let read = |name: &str| std::fs::read_to_string(desk.path("gho").join(name)).unwrap();
    let (run, runbook, clean) = (read("run.sh"), read("runbook.md"), read("clean-up.md"));
    let order = [
        "## Start",
        "## Watch",
        "## Pause",
        "## Cut over",
        "## Stop",
        "## Going back",
        "## Clean up",
    ];
    let places: Vec<usize> = order.iter().map(|title| runbook.find(title).expect(title)).collect();
    assert!(places.is_sorted(), "{runbook}");
    let socket =
        run.split("--serve-socket-file=").nth(1).unwrap().split_whitespace().next().unwrap();
    assert!(runbook.contains(&format!("echo panic | nc -U {socket}")), "{runbook}");
    assert!(clean.contains("ghost-cut-over-sentry") && clean.contains(socket), "{clean}");
    // What goes back changes nothing, and is no trial.
    let back = run.split("= revert ]").nth(1).unwrap().split("\nfi").next().unwrap();
    assert!(back.contains("--revert") && back.contains("--old-table=_"), "{run}");
    assert!(back.contains("--execute") && !back.contains("--alter"), "{run}");
    let password = database.login().password;
    assert!([&run, &runbook, &clean].iter().all(|text| !text.contains(&password)));
    // The program of that name here ends at once, with its output in the log.
    let path = format!("{}:{}", desk.path("bin").display(), std::env::var("PATH").unwrap());
    for trial in [&["trial"][..], &[], &["revert"]] {
        let mut command = std::process::Command::new(desk.path("gho/run.sh"));
        crate::harness::Said::by(command.args(trial).env("PATH", &path)).expect(0);
    }
}

fn lost(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLE);
    database.script("INSERT INTO t VALUES (9001, NULL, 'ü', 12.34)");
    let desk = desk(&database, "1.1.10");
    for (change, says) in [
        ("ADD UNIQUE KEY u (b)", "there are 891 such rows (first: n0 × 100; n1 × 100"),
        ("MODIFY a int NOT NULL", "there are 1 such rows (first: 9001)"),
        ("MODIFY b varchar(1)", "there are 900 such rows"),
        ("MODIFY c int", "there are 1 such rows (first: 12.34)"),
        ("CONVERT TO CHARACTER SET ascii", "there are 1 such rows (first: ü)"),
        ("ADD CONSTRAINT k CHECK (a < 900)", "there are 1 such rows (first: 900)"),
        ("MODIFY a json", "no query can show it beforehand"),
    ] {
        let said = plan(&desk, &format!("ALTER TABLE t {change}"), &[]).expect(1);
        said.says("refuse").says(says);
    }
    // What loses nothing goes on; a new key goes to no tool that would not see a row written later.
    database.script("CREATE TABLE clean (id int PRIMARY KEY, b varchar(40))");
    database.script("INSERT INTO clean VALUES (1, 'x'), (2, 'y'), (3, NULL), (4, NULL)");
    let unique = "ALTER TABLE clean ADD UNIQUE KEY u (b)";
    assert_eq!(planned(&desk, unique, &[])["decision"], "in place");
    let said = plan(&desk, unique, &["--tool", "pt-online-schema-change"]).expect(1);
    said.says("pt-online-schema-change has no `--panic-on-warnings`");
}

/// Runs until it is asked to leave, and then not a moment longer, on the server as well.
fn killed(engine: Engine) {
    let database = Database::new(engine);
    database.script("CREATE TABLE big (id int PRIMARY KEY, a int, b varchar(200))");
    database.script("INSERT INTO big SELECT n, n % 977, repeat(n, 20) FROM numbers");
    let slow = "ALTER TABLE big ADD CONSTRAINT k CHECK (sleep(0.01) = 0 AND a >= 0)";
    let desk = desk(&database, "1.1.10");
    desk.write("m.sql", slow);
    let said = plan(&desk, slow, &["--query-limit", "300ms"]).expect(1);
    said.says("the query did not end within 300ms");
    let running = desk.start(&["handoff", "plan", "m.sql", "--target", "DATABASE_URL"]);
    let own = database.login().database;
    let at_work = format!(
        "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST WHERE DB = '{own}' AND INFO \
         LIKE 'SELECT CAST(COUNT(*) AS CHAR) FROM `big`%'"
    );
    wait_for("the query runs", || database.value(&at_work) == "1");
    running.signal("TERM");
    running.wait().expect(3).says("it was cancelled on the server");
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(database.value(&at_work), "0");
}

fn proved(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLE);
    let desk = desk(&database, "1.1.10");
    plan(&desk, "ALTER TABLE t ADD z int", &["--prove"]).expect(0).says("proved: the server made");
    let left = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.TABLES WHERE TABLE_NAME LIKE \
                '\\_backstop\\_%' AND TABLE_SCHEMA = DATABASE()";
    assert_eq!(database.value(left), "0");
    assert_eq!(database.value("SELECT CAST(COUNT(*) AS CHAR) FROM t"), "900");
}

fn raw_files(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLE);
    let client = std::env::var("BACKSTOP_TEST_MYSQL_CLIENT").unwrap();
    let desk = desk(&database, "1.1.10");
    std::os::unix::fs::symlink(client, desk.path("bin/mysql")).unwrap();
    let file = defaults_file(engine);
    let more = ["--generate-only", "--out", "ho", "--defaults-file", &file];
    plan(&desk, "ALTER TABLE t ADD z int DEFAULT 7", &more).expect(0).says("run.sh");
    let path = format!("{}:{}", desk.path("bin").display(), std::env::var("PATH").unwrap());
    let mut run = std::process::Command::new(desk.path("ho/run.sh"));
    crate::harness::Said::by(run.env("PATH", path)).expect(0);
    assert_eq!(database.value("SELECT CAST(SUM(z) AS CHAR) FROM t"), "6300");
    // What is there stays as it is.
    plan(&desk, "ALTER TABLE t ADD y int", &more).expect(2).says("it is there already");
    // A plan that refuses writes nothing.
    let more = ["--generate-only", "--out", "none"];
    plan(&desk, "ALTER TABLE t ADD UNIQUE KEY (b)", &more).expect(1);
    assert!(!desk.path("none").exists());
}

fn wrong_use(engine: Engine) {
    let database = Database::new(engine);
    database.script(TABLE);
    database.script("CREATE VIEW v AS SELECT id FROM t");
    let desk = desk(&database, "1.1.10");
    for (sql, says) in [
        ("ALTER TABLE t ADD x int; ALTER TABLE t ADD y int;", "it holds 2 changes (lines 1, 1)"),
        ("-- nothing\n", "it holds no `ALTER TABLE`"),
        ("UPDATE t SET a = 1;", "m.sql:1: `UPDATE` is no change for a handoff"),
        ("CREATE INDEX i ON t (a);", "write the index as `ALTER TABLE t ADD INDEX"),
        ("ALTER TABEL t ADD x int;", "could not be read"),
        ("ALTER TABLE tt ADD x int;", "there is no table `tt`"),
        ("ALTER TABLE v ADD x int;", "`v` is a view"),
    ] {
        plan(&desk, sql, &[]).expect(2).says(says);
    }
    desk.call(&["handoff", "plan", "none.sql", "--target", "DATABASE_URL"])
        .expect(2)
        .says("none.sql");
    desk.call(&["handoff", "plan", "m.sql", "--target", "NOWHERE"])
        .expect(2)
        .says("`NOWHERE` is not set");
    desk.call(&["handoff", "plan", "m.sql"]).expect(2).says("--target");
    plan(&desk, COPY, &["--out", "x"]).expect(2).says("--generate-only");
    plan(&desk, COPY, &["--tool", "spirit"]).expect(2).says("gh-ost");
    let sqlite = Database::new(crate::database::engine("sqlite"));
    sqlite.script("CREATE TABLE t (id integer PRIMARY KEY)");
    let desk = Desk::at(&sqlite.url);
    plan(&desk, "ALTER TABLE t ADD x int;", &[]).expect(2).says("nothing to hand over");
}
