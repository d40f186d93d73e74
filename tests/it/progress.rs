//! Progress that is true: by what the server knows of the key, and not by a number of rows that was
//! counted or guessed at the start.

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::Desk;
use crate::test;

const JOB: &str = r#"
[job]
name = "true"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { n = "n + 1" }
exactly_once = true

[batch]
max_rows = 50
workers  = 2
pause    = "20ms"
"#;

pub fn trials() -> Vec<Trial> {
    let each = |engine: Engine| {
        test(format!("progress: random keys, and rows that go, on {}", engine.name), move || {
            random_keys(engine);
        })
    };
    available().map(each).collect()
}

/// Keys without any order, of which the last fifth is deleted while the job runs.
fn random_keys(engine: Engine) {
    let database = Database::new(engine);
    let key = match engine.family {
        "postgres" => "md5(n::text)::uuid::text",
        "mysql" => "substr(sha2(n, 256), 1, 36)",
        // Spreads the numbers over 2^32.
        _ => "printf('%08x', (n * 2654435761) % 4294967296)",
    };
    database.script(&format!(
        "CREATE TABLE t (id varchar(40) NOT NULL PRIMARY KEY, n integer NOT NULL);\n\
         INSERT INTO t SELECT {key}, 0 FROM numbers WHERE n <= 10000"
    ));
    database.script(match engine.family {
        "mysql" => "ANALYZE TABLE t",
        _ => "ANALYZE t",
    });
    let desk = Desk::at(&database.url);
    desk.write("job.toml", JOB);
    let mut running = desk.start(&["run", "job.toml"]);
    let (mut seen, mut deleted) = (Vec::new(), false);
    desk.wait_until(&mut running, "true", |status| {
        let number = |field: &str| status[field].as_f64().unwrap_or(0.0);
        if let Some(ratio) = status["progress_ratio"].as_f64() {
            seen.push((number("rows_scanned"), ratio));
        }
        if !deleted && 1_000.0 < number("rows_scanned") {
            deleted = true;
            database.script("DELETE FROM t WHERE 'd' <= id");
        }
        status["state"] == "completed"
    });
    running.wait().expect(0);
    let (total, _) = *seen.last().unwrap();
    let mut errors: Vec<f64> = seen
        .iter()
        .map(|(rows, ratio)| (rows / total, ratio))
        .filter(|(truth, _)| (0.05..1.0).contains(truth))
        .map(|(truth, ratio)| {
            assert!(*ratio < 1.0, "{ratio} before its end");
            (truth - ratio).abs()
        })
        .collect();
    errors.sort_by(f64::total_cmp);
    assert!(5 <= errors.len(), "seen too rarely: {seen:?}");
    let median = errors[errors.len() / 2];
    println!("{}: progress was off by {median:.3} in the median of {}", engine.name, errors.len());
    assert!(median <= 0.15, "off by {median}: {seen:?}");
}
