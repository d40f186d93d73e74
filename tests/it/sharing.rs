//! Workers share what is left of a range, so that none is alone at the end; whatever happens
//! meanwhile, every row is written once.

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::Desk;
use crate::test;

const ROWS: u64 = 20_000;

const JOB: &str = r#"
[job]
name = "shared"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { n = "n + 1" }
exactly_once = true

[batch]
key      = ["tenant", "id"]
max_rows = 100
workers  = 1
pause    = "5ms"
"#;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available().filter(|engine| engine.url_env.is_some()) {
        let mut add = |name: &str, check: fn(Engine)| {
            trials.push(test(format!("sharing: {name} on {}", engine.name), move || check(engine)));
        };
        add("one range among four workers", one_among_four);
        add("runners that are killed again and again", killed);
        add("without a fence", without_fence);
        add("a skewed key is cut by rows", cut_by_rows);
    }
    trials
}

/// Nearly all rows are one tenant's.
fn scene(engine: Engine) -> (Database, Desk) {
    let database = Database::new(engine);
    database.script(&format!(
        "CREATE TABLE t (tenant integer NOT NULL, id integer NOT NULL, n integer NOT NULL, \
         PRIMARY KEY (tenant, id));\n\
         INSERT INTO t SELECT CASE WHEN n <= 300 THEN 1 WHEN n <= 600 THEN 900 ELSE 2 END, n, 0 \
         FROM numbers WHERE n <= {ROWS}"
    ));
    analyze(&database);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", JOB);
    (database, desk)
}

fn analyze(database: &Database) {
    let postgres = database.engine.family == "postgres";
    database.script(if postgres { "ANALYZE t" } else { "ANALYZE TABLE t" });
}

#[track_caller]
fn exactly_once(database: &Database) {
    let right = database.value("SELECT count(*) FROM t WHERE n = 1");
    assert_eq!(right, ROWS.to_string(), "every row exactly once");
}

/// Begins with one worker, and so with one range.
fn begin(desk: &Desk) {
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "shared", |now| 3 <= now["batches"].as_u64().unwrap_or(0));
    running.signal("INT");
    running.wait().expect(3);
    assert_eq!(desk.status("shared")["ranges"].as_array().unwrap().len(), 1);
}

/// Rows that each worker has written, by what the run says.
fn rows_by_worker(out: &str) -> Vec<u64> {
    let mut rows = vec![0; 4];
    for line in out.lines().filter(|line| line.contains("\"batch_done\"")) {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        if event["phase"] == "write" {
            let worker = usize::try_from(event["worker"].as_u64().unwrap()).unwrap();
            rows[worker] += event["rows_scanned"].as_u64().unwrap();
        }
    }
    rows
}

fn one_among_four(engine: Engine) {
    let (database, desk) = scene(engine);
    begin(&desk);
    desk.write("job.toml", &JOB.replace("workers  = 1", "workers  = 4"));
    let said =
        desk.call(&["run", "job.toml", "--accept-changed-spec", "--progress", "json"]).expect(0);
    exactly_once(&database);
    let rows = rows_by_worker(&said.out);
    let (least, most) = (rows.iter().min().unwrap(), rows.iter().max().unwrap());
    assert!(most / 3 <= *least, "one did most of the work: {rows:?}");
    let status = desk.status("shared");
    assert_eq!(status["rows_scanned"], ROWS, "{status}");
    // The fence and the journal know the same ranges, which touch each other and do not overlap.
    let ranges = status["ranges"].as_array().unwrap();
    let fence = database.value("SELECT count(*) FROM backstop_fence WHERE state = 'done'");
    assert_eq!(fence, ranges.len().to_string(), "{status}");
    let open = "SELECT count(*) FROM backstop_fence AS a WHERE NOT EXISTS \
                (SELECT 1 FROM backstop_fence AS b WHERE b.lo = a.hi)";
    assert_eq!(database.value(open), "1", "but for the last, each ends where another begins");
}

/// Each of them begins with few ranges, and is killed while it shares them.
fn killed(engine: Engine) {
    let (database, desk) = scene(engine);
    begin(&desk);
    desk.write("job.toml", &JOB.replace("workers  = 1", "workers  = 4"));
    for _ in 0..6 {
        let mut running =
            desk.start(&["run", "job.toml", "--accept-changed-spec", "--progress", "json"]);
        running.has_said_such(|line| line.contains("\"range_opened\""));
        running.has_done_batches(1);
        running.signal("KILL");
        assert_eq!(running.wait().code, -1);
    }
    desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
    exactly_once(&database);
    assert_eq!(desk.status("shared")["rows_scanned"], ROWS);
}

fn without_fence(engine: Engine) {
    let (database, desk) = scene(engine);
    let job = JOB
        .replace("exactly_once = true", "fence = false")
        .replace("\"n + 1\" }", "\"1\" }\nwhere = \"n = 0\"");
    desk.write("job.toml", &job);
    begin(&desk);
    desk.write("job.toml", &job.replace("workers  = 1", "workers  = 4"));
    desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0).says("verified");
    exactly_once(&database);
    let status = desk.status("shared");
    assert!(4 <= status["ranges"].as_array().unwrap().len(), "{status}");
    assert_eq!(status["rows_scanned"], ROWS, "{status}");
}

/// From the start: the pieces hold about as many rows, though one value of the first column has
/// nearly all of them.
fn cut_by_rows(engine: Engine) {
    let (database, desk) = scene(engine);
    desk.write("job.toml", &JOB.replace("workers  = 1", "workers  = 2"));
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "shared", |now| 1 <= now["batches"].as_u64().unwrap_or(0));
    running.signal("INT");
    running.wait().expect(3);
    let end = |at: u32| {
        let sql = "SELECT hi FROM backstop_fence ORDER BY range_id LIMIT 1 OFFSET";
        database.value(&format!("{sql} {at}"))
    };
    let mut below = 0;
    for end in (0..3).map(end) {
        let key: Vec<i64> = serde_json::from_str::<Vec<String>>(&end)
            .unwrap()
            .iter()
            .map(|value| value.parse().unwrap())
            .collect();
        let upto = database.value(&format!(
            "SELECT count(*) FROM t WHERE tenant < {0} OR (tenant = {0} AND id <= {1})",
            key[0], key[1]
        ));
        let upto: u64 = upto.parse().unwrap();
        let share = upto - below;
        assert!((ROWS / 12..=ROWS / 2).contains(&share), "a piece has {share} rows, up to {end}");
        below = upto;
    }
}
