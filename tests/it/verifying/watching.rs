//! Whether it stays so, while the application writes.

use std::time::Duration;

use serde_json::Value;

use super::{Checks, Scene, on_one_of_each};
use crate::database::Engine;
use crate::harness::Running;

pub(super) const CHECKS: Checks = &[
    ("a violation ends a period, and its mending begins another", on_one_of_each, two_periods),
    ("rows that were written since are watched by their time", on_one_of_each, by_time),
];

fn has_event(status: &Value, kind: &str, since: jiff::Timestamp) -> bool {
    let events = status["events"].as_array().unwrap();
    let time = |event: &Value| event["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    events.iter().any(|event| event["kind"] == kind && since <= time(event))
}

impl Scene {
    fn wait_for_event(&self, running: &mut Running, kind: &str, since: jiff::Timestamp) {
        self.desk.wait_until(running, "late", |status| has_event(status, kind, since));
    }

    /// Watches, breaks a row in the middle, mends it, and waits for the end. A part of the watch must be
    /// right after that, so it lasts long enough for a slow machine; most of it is waited for.
    fn break_and_mend(&self, more: &[&str], wrong: &str, right: &str) -> Value {
        let began = jiff::Timestamp::now();
        let watch = ["verify", "late", "--watch", "12s", "--report", "report.json"];
        let watch = [&watch[..], more].concat();
        let mut running = self.desk.start(&watch);
        self.wait_for_event(&mut running, "watch_began", began);
        self.database.script(wrong);
        self.wait_for_event(&mut running, "watch_broken", began);
        self.database.script(right);
        self.wait_for_event(&mut running, "watch_mended", began);
        let said = running.wait().expect(1);
        said.says("1 rows were found wrong while it was watched").says("(first id=5001 at ");
        self.report("report.json")
    }
}

fn assert_two_periods(report: &Value) {
    let periods = report["periods"].as_array().unwrap();
    assert_eq!(periods.len(), 2, "{report}");
    assert_eq!(periods[0]["ended_by"], "id=5001", "{report}");
    assert_eq!(periods[1]["ended_by"], Value::Null, "{report}");
    let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    let order = [
        time(&report["started_at"]),
        time(&periods[0]["from"]),
        time(&periods[0]["until"]),
        time(&periods[1]["from"]),
        time(&periods[1]["until"]),
    ];
    assert!(order.is_sorted(), "{report}");
    assert_eq!(report["held_from"], periods[1]["from"], "{report}");
    assert_eq!(report["held_until"], periods[1]["until"], "{report}");
    assert_eq!(report["violations"], 1, "{report}");
    assert_eq!(report["violating_keys"], serde_json::json!(["id=5001"]), "{report}");
    assert_eq!(report["state"], "unverified", "{report}");
}

fn two_periods(engine: Engine) {
    let scene = Scene::verified(engine, "max_rows = 1000", "");
    let report = scene.break_and_mend(
        &[],
        "UPDATE t SET a = 1 WHERE id = 5001",
        "UPDATE t SET a = source * 2 WHERE id = 5001",
    );
    assert_two_periods(&report);
    assert!(4_000 < report["counts"]["rows_checked"].as_u64().unwrap(), "{report}");
    // All is right again, and new keys that are right are looked at; it ends early, as it is told to.
    let watch = ["verify", "late", "--watch", "24h", "--report", "report.json"];
    let began = jiff::Timestamp::now();
    let mut running = scene.desk.start(&watch);
    scene.wait_for_event(&mut running, "watch_began", began);
    scene.database.script("INSERT INTO t (id, source, a) VALUES (20001, 4, 8)");
    std::thread::sleep(Duration::from_millis(2_500));
    running.signal("INT");
    running.wait().expect(3).says("the watch was stopped by SIGINT");
    let report = scene.report("report.json");
    assert_eq!(report["periods"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(
        (&report["violations"], &report["state"]),
        (&0.into(), &"verified".into()),
        "{report}"
    );
    // A key that comes with a wrong value is found by the first look.
    let began = jiff::Timestamp::now();
    let mut running = scene.desk.start(&["verify", "late", "--watch", "3s"]);
    scene.wait_for_event(&mut running, "watch_began", began);
    scene.database.script("INSERT INTO t (id, source) VALUES (20003, 4)");
    running
        .wait()
        .expect(1)
        .says("1 rows were found wrong while it was watched (first id=20003 at ");
    scene.desk.call(&["verify", "late", "--watch", "3s"]).expect(1).says("1 rows are left over");
}

fn by_time(engine: Engine) {
    let scene = Scene::verified(engine, "max_rows = 1000", "");
    let spec = std::fs::read_to_string(scene.desk.path("job.toml")).unwrap();
    scene.desk.write("job.toml", &format!("{spec}changed_at = \"changed\"\n"));
    scene.desk.call(&["verify", "late", "--watch", "3s"]).expect(2).says("no column `changed`");
    let time = if engine.family == "mysql" { "datetime(6)" } else { "timestamp" };
    scene.database.script(&format!(
        "ALTER TABLE t ADD COLUMN changed {time};\nUPDATE t SET changed = '2026-01-01 00:00:00';\n\
         CREATE INDEX t_changed ON t (changed)"
    ));
    let now = match engine.family {
        "sqlite" => "strftime('%Y-%m-%d %H:%M:%f', 'now')",
        "postgres" => "clock_timestamp()",
        _ => "now(6)",
    };
    let report = scene.break_and_mend(
        &["--accept-changed-spec"],
        &format!("UPDATE t SET a = 1, changed = {now} WHERE id = 5001"),
        &format!("UPDATE t SET a = source * 2, changed = {now} WHERE id = 5001"),
    );
    assert_two_periods(&report);
    // Only what was written since is read.
    assert!(report["counts"]["rows_checked"].as_u64().unwrap() < 4_100, "{report}");
}
