//! What comes while the job runs.

use std::time::Instant;

use super::{
    Checks, JOB, ROWS, Scene, Writers, everywhere, on_one_postgres, on_postgres, on_servers,
};
use crate::database::{Engine, execute, open};

pub(super) const CHECKS: Checks = &[
    ("rows that came behind the cursor and above the bound are written", everywhere, late_rows),
    // Elsewhere the job waits for such a row, for its writer holds it.
    ("a row that is committed late below the cursor is written", on_postgres, late_commit),
    ("what the application does not write makes the job unverified", on_servers, no_dual_write),
    ("thousands of inserts a second, and the job ends", on_one_postgres, flood),
    ("a job that writes each row once does not go back", everywhere, exactly_once),
    ("a sweep that was killed goes on", everywhere, killed_sweep),
];

/// Even keys, of which the job has passed the first, and others above its last.
const LATE: &str = "\
INSERT INTO t (id, source) SELECT 2 * (a.d + 10 * b.d + 1), 3 FROM digits a, digits b WHERE b.d < 3;
INSERT INTO t (id, source) SELECT 100000 + a.d + 10 * b.d, 3 FROM digits a, digits b WHERE b.d < 7";

fn late_rows(engine: Engine) {
    let scene = Scene::new(engine, ROWS, JOB);
    let said = scene.meanwhile(5, || scene.database.script(LATE), false).expect(0);
    said.says("100 rows are left over in 2 places, and are written now").says("late: verified (4,");
    assert_eq!(scene.unwritten(), "0");
    let status = scene.desk.status("late");
    assert_eq!(status["rows_changed"], 4_100, "{status}");
    // The windows of the sweep hold rows that were written before, and no more than they need.
    let scanned = status["rows_scanned"].as_u64().unwrap();
    assert!((4_100..4_400).contains(&scanned), "{status}");
    let seen = &status["report"]["report"];
    assert_eq!(seen["counts"]["rows_checked"], 4_100, "{status}");
    assert_eq!(seen["state"], "verified", "{status}");
    // What comes when nobody runs the job is written when somebody does.
    scene.database.script("INSERT INTO t (id, source) VALUES (62, 1)");
    scene.desk.call(&["verify", "late"]).expect(1).says("`backstop run` writes 1 of them");
    assert_eq!(scene.unwritten(), "1");
    scene.desk.call(&["run", "job.toml"]).expect(0).says("1 rows are left over in one place");
    assert_eq!(scene.unwritten(), "0");
}

fn late_commit(engine: Engine) {
    let scene = Scene::new(engine, ROWS, JOB);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut late = runtime.block_on(async {
        let mut session = open(&scene.database.url).await;
        session.begin().await.unwrap();
        execute(session.as_mut(), "INSERT INTO t (id, source) VALUES (2, 7)").await;
        session
    });
    let said = scene.meanwhile(5, || runtime.block_on(late.commit()).unwrap(), false);
    said.expect(0).says("1 rows are left over in one place").says("late: verified (4,001 rows");
    assert_eq!(scene.unwritten(), "0");
}

fn no_dual_write(engine: Engine) {
    let scene = Scene::new(engine, ROWS, JOB);
    let insert = "INSERT INTO t (source) VALUES (1), (2), (3)";
    let writers = Writers::start(&scene.database, 1, insert, 3);
    let said = scene.desk.call(&["run", "job.toml"]).expect(1);
    let said = said.says("late: unverified: ").says("for example id=").says("no dual write");
    said.says("are written now");
    let came = writers.stop();
    // It writes both from now on, so another run finds an end.
    scene.desk.call(&["run", "job.toml"]).expect(0).says("verified");
    assert_eq!(scene.unwritten(), "0", "{came} came");
}

/// Whether it ends does not depend on how fast rows come.
fn flood(engine: Engine) {
    for (value, exit) in [("n * 2", 0), ("NULL", 1)] {
        let quick = JOB.replace("max_rows = 100\npause    = \"20ms\"", "max_rows = 5000");
        let scene = Scene::new(engine, ROWS, &quick);
        let insert =
            format!("INSERT INTO t (source, a) SELECT n, {value} FROM generate_series(1, 20) n");
        let writers = Writers::start(&scene.database, 3, &insert, 20);
        let began = Instant::now();
        let said = scene.desk.call(&["run", "job.toml"]).expect(exit);
        let took = began.elapsed();
        let came = writers.stop();
        println!("{came} rows came in {took:?}, with {value}");
        assert!(1_000.0 < came as f64 / took.as_secs_f64(), "{came} in {took:?}");
        said.says(if exit == 0 { "late: verified (" } else { "no dual write" });
    }
}

fn exactly_once(engine: Engine) {
    let once = JOB.replace("a IS NULL\"", "a IS NULL\"\nexactly_once = true");
    let once = once.replace("source * 2", "coalesce(a, 0) + source");
    let scene = Scene::new(engine, ROWS, &once);
    let late = "INSERT INTO t (id, source) VALUES (2, 1), (4, 1)";
    let said = scene.meanwhile(5, || scene.database.script(late), false);
    let said = said.expect(1).says("2 rows are left over, for example id=2; id=4");
    said.says("so it does not go back for them");
    assert_eq!(scene.unwritten(), "2");
    assert_eq!(scene.desk.status("late")["rows_changed"], 4_000);
}

fn killed_sweep(engine: Engine) {
    let scene = Scene::new(engine, ROWS, JOB);
    // Among rows that are written, so that the sweep has some batches to go.
    let late = "INSERT INTO t (id, source) SELECT 2 * (a.d + 10 * b.d + 100 * c.d + 1), 3 \
                FROM digits a, digits b, digits c";
    assert_eq!(scene.meanwhile(25, || scene.database.script(late), true).code, -1);
    std::thread::sleep(std::time::Duration::from_millis(100));
    scene.desk.call(&["verify", "job.toml"]).expect(1).says("not every range is walked");
    scene.desk.call(&["run", "job.toml"]).expect(0).says("late: verified (5,000 rows checked");
    assert_eq!(scene.unwritten(), "0");
    assert_eq!(scene.desk.status("late")["rows_changed"], 5_000);
}
