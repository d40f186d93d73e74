//! Walks that are led by the predicate, and walks that are refused for what they would read.

use std::time::Duration;

use backstop::plan;
use backstop::spec::parse;
use backstop::target::Statement;
use libtest_mimic::Trial;

use super::batches;
use crate::database::{Database, Engine, available, open, try_connect};
use crate::harness::Desk;
use crate::test;

/// Rows of the table.
const ROWS: u64 = 200_000;

/// One in so many matches.
const ONE_IN: u64 = 10_000;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        let mut add = |name: &str, check: fn(Engine)| {
            trials.push(test(format!("cost: {name} on {}", engine.name), move || check(engine)));
        };
        add("a walk along the predicate", predicate);
        add("a walk along a predicate that no index serves is refused", unserved);
        add("a walk that scans or sorts is refused", refused);
        add("a measurement ends in time", ends_in_time);
        add("a rare match makes no long statement", bounded);
    }
    trials
}

fn job(batch: &str) -> String {
    format!(
        "[job]\nname = \"rare\"\n[target]\nurl_env = \"DATABASE_URL\"\n\
         [update]\ntable = \"t\"\nset = {{ total = \"id % 100\", n = \"n + 1\" }}\n\
         where = \"total IS NULL\"\nexactly_once = true\n[batch]\n{batch}\n"
    )
}

fn table(engine: Engine, rows: u64, index: bool) -> Database {
    let database = Database::new(engine);
    database.script(&format!(
        "CREATE TABLE t (id {{{{id}}}}, total integer, n integer NOT NULL DEFAULT 0, \
         filler varchar(100) NOT NULL DEFAULT 'some text that makes a row as wide as rows are');\n\
         INSERT INTO t (id, total) SELECT id, CASE WHEN id % {ONE_IN} = 0 THEN NULL ELSE 5 END \
         FROM (SELECT a.n + (b.n - 1) * 20000 AS id FROM numbers a, numbers b \
         WHERE b.n <= {}) AS made",
        rows / 20_000
    ));
    if index {
        database.script(match engine.family {
            "mysql" => "CREATE INDEX unset ON t (total)",
            _ => "CREATE INDEX unset ON t (id) WHERE total IS NULL",
        });
    }
    database.script(match engine.family {
        "postgres" => "VACUUM ANALYZE t",
        "mysql" => "ANALYZE TABLE t",
        _ => "ANALYZE",
    });
    database
}

/// Stopped in the middle, with rows inserted meanwhile.
fn predicate(engine: Engine) {
    let database = table(engine, ROWS, true);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", &job("max_rows = 1000"));
    let offer = desk.call(&["plan", "job.toml"]).expect(0);
    offer
        .says("rows match `where`, and the index `unset` finds them")
        .says("`walk = \"predicate\"`");

    let walk = "max_rows = 2\ntarget_time = \"1m\"\nwalk = \"predicate\"\npause = ";
    desk.write("job.toml", &job(&format!("{walk}\"10m\"")));
    let said = desk.call(&["plan", "job.toml"]).expect(0);
    said.says("rows that match `where`, by the index `unset`");
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "rare", |status| status["batches"] == 1);
    // Two that match ahead of the cursor, and two that do not, one of them above the last key.
    database.script(
        "DELETE FROM t WHERE id IN (123455, 123456, 123457);\n\
         INSERT INTO t (id, total) VALUES (123455, NULL), (123456, NULL), (123457, 5), (300000, 5)",
    );
    desk.call(&["stop", "rare"]).expect(0);
    running.wait().expect(3);
    let begun = desk.status("rare");
    assert_eq!((&begun["batches"], &begun["rows_scanned"]), (&1.into(), &2.into()), "{begun}");

    desk.write("job.toml", &job(&format!("{walk}\"0s\"")));
    let run = ["run", "job.toml", "--accept-changed-spec", "--progress", "json"];
    let said = desk.call(&run).expect(0);
    let matches = ROWS / ONE_IN + 2;
    let status = desk.status("rare");
    assert_eq!(status["rows_scanned"], matches, "{status}");
    assert_eq!(status["rows_changed"], matches, "{status}");
    // The last window may be an empty one.
    let written = 1 + batches(&said.out, "write");
    assert!((matches / 2..=matches / 2 + 1).contains(&written), "{written} batches");
    assert!(batches(&said.out, "verify") <= 1, "nothing matches any more: {}", said.out);
    let wrong = format!(
        "SELECT count(*) FROM t WHERE total IS NULL OR n <> \
         CASE WHEN id % {ONE_IN} = 0 AND id < 300000 OR id IN (123455, 123456) THEN 1 ELSE 0 END"
    );
    assert_eq!(database.value(&wrong), "0", "each match is written once, and nothing else");
}

fn unserved(engine: Engine) {
    let database = table(engine, ROWS, false);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", &job("walk = \"predicate\""));
    let said = desk.call(&["plan", "job.toml"]).expect(2);
    said.says("the look-up of a batch's end reads about").says("take `walk = \"predicate\"` out");
    desk.write("job.toml", &job(""));
    let said = desk.call(&["plan", "job.toml"]).expect(0);
    assert!(!said.out.contains("predicate"), "nothing to offer: {}", said.out);
}

/// What keeps the planner from the index, by its own means.
fn refused(engine: Engine) {
    let database = Database::new(engine);
    database.script(
        "CREATE TABLE t (one integer NOT NULL DEFAULT 1, id bigint NOT NULL, total integer, \
         n integer NOT NULL DEFAULT 0);\n\
         CREATE UNIQUE INDEX by_id ON t (one, id);\n\
         INSERT INTO t (id) SELECT a.n + (b.n - 1) * 20000 FROM numbers a, numbers b WHERE b.n <= 6",
    );
    let spoil = match engine.name {
        "mysql" => "SET SESSION range_optimizer_max_mem_size = 1",
        // It then uses no more than the first column of the key.
        "mariadb" => "SET SESSION optimizer_max_sel_arg_weight = 1",
        "sqlite" => {
            // Source: <https://www.sqlite.org/fileformat2.html>, section 2.6.3.
            database.script(
                "ANALYZE;\nUPDATE sqlite_stat1 SET stat = '120000 120000 1 unordered' WHERE idx = 'by_id'",
            );
            "PRAGMA user_version"
        }
        _ => {
            "SELECT set_config('enable_indexscan', 'off', false), \
             set_config('enable_indexonlyscan', 'off', false), \
             set_config('enable_bitmapscan', 'off', false)"
        }
    };
    let spec = parse("job.toml", &job("")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let target = try_connect(&database.url).await.unwrap();
        let mut control = target.open("control").await.unwrap();
        let mut worker = target.open("planner").await.unwrap();
        if engine.family != "sqlite" {
            let around = plan::Around::default();
            let made = plan::make(&spec, &target, control.as_mut(), worker.as_mut(), &around);
            made.await.expect("nothing is wrong with the table itself");
        }
        worker.query(&Statement::plain(spoil)).await.unwrap();
        let made =
            plan::make(&spec, &target, control.as_mut(), worker.as_mut(), &plan::Around::default())
                .await;
        let error = made.expect_err("it reads too much").to_string();
        for part in ["for a batch of 100", "grow with the table", "run ANALYZE on"] {
            assert!(error.contains(part), "{error}");
        }
        println!("{}: {error}", engine.name);
    });
}

/// Along the key, with one match in ten thousand: no batch goes through more rows than it may.
fn bounded(engine: Engine) {
    let database = table(engine, 40_000, true);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", &job("max_rows = 700"));
    let said = desk.call(&["run", "job.toml", "--progress", "json"]).expect(0);
    let mut scanned = 0;
    for line in said.out.lines().filter(|line| line.contains("\"batch_done\"")) {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        let rows = event["rows_scanned"].as_u64().unwrap();
        assert!(rows <= 700, "{line}");
        scanned += if event["phase"] == "write" { rows } else { 0 };
    }
    assert_eq!(scanned, 40_000);
    assert_eq!(desk.status("rare")["rows_changed"], 4);
    assert_eq!(database.value("SELECT count(*) FROM t WHERE n = 1"), "4");
}

/// What takes hours is ended, and the session is as before.
fn ends_in_time(engine: Engine) {
    let database = Database::new(engine);
    database.script("CREATE TABLE t (id {{id}});\nINSERT INTO t (id) SELECT n FROM numbers");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut session = open(&database.url).await;
        let settings = "SHOW SESSION VARIABLES WHERE variable_name IN \
                        ('max_statement_time', 'max_execution_time', 'optimizer_switch')";
        let settings = Statement::plain(match engine.family {
            "mysql" => settings,
            "postgres" => "SELECT current_setting('statement_timeout')",
            _ => "SELECT 1",
        });
        let before = session.query(&settings).await.unwrap();
        let long =
            Statement::plain("SELECT count(*) FROM t a, t b, t c, t d WHERE a.id < d.id + c.id");
        let limit = Duration::from_millis(200);
        assert_eq!(session.measure(&long, limit).await.unwrap(), None);
        let wrong = Statement::plain("SELECT nothing FROM t");
        session.measure(&wrong, limit).await.unwrap_err();
        let short = Statement::plain("SELECT count(*) FROM t WHERE id % 7 = 0");
        let reads = session.measure(&short, Duration::from_mins(1)).await.unwrap().unwrap();
        // On SQLite about.
        assert!((5_000..=25_000).contains(&reads.rows) && !reads.sorts, "{reads:?}");
        assert_eq!(session.query(&settings).await.unwrap(), before);
    });
}
