//! Every limit and rate, changed while the job runs.

use libtest_mimic::Trial;

use super::Scene;
use crate::database::engine;
use crate::test;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        test("throttling: the limits of a signal are tuned while the job waits", signals),
        test("throttling: rates and ends are tuned while the job runs", rates),
        test("throttling: a window is opened by hand while the job waits for it", window),
    ]
}

fn signals() {
    let scene = Scene::new(
        engine("postgres"),
        "[throttle]\nlook_every = \"100ms\"\nfile = { path = \"WAIT\" }\n\
         query = { sql = \"SELECT n FROM pressure\", pause_above = 10, resume_below = 4 }\n",
    );
    scene.database.script("UPDATE pressure SET n = 11");
    let mut running = scene.start();
    scene.is_held(&mut running, "query 11 > 10");
    let tune = |setting: &str| scene.desk.call(&["tune", "slow", setting]);
    tune("throttle.query.pause_above=20").expect(0).says("from 10 to 20");
    // It waits, and goes on only at the lower limit.
    scene.is_held(&mut running, "query 11 > ");
    tune("throttle.query.resume_below=30").expect(1).says("waits from 20 on");
    tune("throttle.query.resume_below=15").expect(0).says("from 4 to 15");
    scene.goes_on(&mut running);
    scene.desk.write("WAIT", "");
    scene.is_held(&mut running, "file 1 > 0");
    tune("throttle.file.off=true").expect(0).says("from false to true");
    scene.goes_on(&mut running);
    tune("throttle.wal_rate.off=true").expect(1).says("does not watch it");
    tune("throttle.query.pause_abov=2")
        .expect(2)
        .says("did you mean `throttle.query.pause_above`?");
    tune("throttle.query.pause_above=many").expect(2).says("no number");
    scene.desk.call(&["status", "slow"]).expect(0).says("tuned     throttle.file.off = true");
    running.wait().expect(0);
    scene.finish();
}

/// The window of a job that waits for it is opened by hand.
fn window() {
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let at = |hours: i64| (&now + jiff::Span::new().hours(hours)).strftime("%H:%M").to_string();
    let scene = Scene::new(
        engine("sqlite"),
        &format!(
            "[limits]\nwindow = {{ between = \"{}-{}\", zone = \"UTC\" }}\n[throttle]\n\
             look_every = \"100ms\"\n",
            at(2),
            at(3)
        ),
    );
    let mut running = scene.start();
    scene.is_held(&mut running, "window 1 > 0 (closed until ");
    let (closed, open) = (format!("{}-{}", at(2), at(3)), format!("{}-{}", at(-1), at(3)));
    let tune =
        |value: &str| scene.desk.call(&["tune", "slow", &format!("limits.window.between={value}")]);
    tune("never").expect(2).says("`never` is not a time of the day");
    tune(&open).expect(0).says(&format!("from {closed} to {open}"));
    scene.goes_on(&mut running);
    running.wait().expect(0);
    scene.finish();
}

fn rates() {
    let scene = Scene::new(engine("postgres"), "[throttle]\nrows_per_second = 4\n");
    let mut running = scene.start();
    scene.desk.wait_until(&mut running, "slow", |_| 0 < scene.batches());
    assert_eq!(scene.events("batch_done")[0]["rows_scanned"], 1, "a batch is a slice of the rate");
    let tune = |setting: &str| scene.desk.call(&["tune", "slow", setting]);
    tune("throttle.rows_per_second=2000").expect(0).says("from 4 to 2000");
    // Who slept at the old rate does not sleep on.
    scene.wait_for_more(&mut running);
    tune("throttle.nice=0.1").expect(0).says("from 0 to 0.1");
    tune("limits.max_errors=3").expect(0).says("from none to 3");
    tune("limits.max_runtime=2h").expect(0).says("from none to 2h");
    tune("limits.max_rows=1").expect(0).says("from none to 1");
    running.wait().expect(3).says("max_rows 1 is reached");
    scene
        .desk
        .call(&["tune", "slow", "limits.max_rows=none", "throttle.rows_per_second=none"])
        .expect(0);
    scene.desk.call(&["run", "job.toml"]).expect(0);
    scene.finish();
}
