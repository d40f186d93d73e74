//! What verification reports, and who believes it.

use super::{Checks, JOB, ROWS, Scene, everywhere, on_one_of_each};
use crate::database::Engine;
use crate::harness::Desk;

pub(super) const CHECKS: Checks = &[
    ("the gate takes a report for evidence", on_one_of_each, evidence),
    ("a job is verified by name, by spec, and without its journal", everywhere, by_name),
    ("a job that is not at its end is not verified", on_one_of_each, refused),
    ("equal tables have equal checksums", on_one_of_each, checksums),
];

fn evidence(engine: Engine) {
    let scene = Scene::new(engine, ROWS, &JOB.replace("100\npause    = \"20ms\"", "1000"));
    scene.desk.call(&["run", "job.toml", "--report", "job.json"]).expect(0);
    let report = scene.report("job.json");
    assert_eq!(report["counts"]["rows_changed"], 4_000, "{report}");
    assert_eq!(report["counts"]["rows_checked"], 4_000, "{report}");
    let contract = "-- backstop: forward-only\n-- backstop: phase contract of 1.sql job=late\n\
                    SET lock_timeout = '5s';\nALTER TABLE t DROP COLUMN source;\n";
    let expand = "-- backstop: forward-only\n-- backstop: phase expand\n\
                  SET lock_timeout = '5s';\nALTER TABLE t ADD COLUMN a integer;\n";
    let gate = Desk::new();
    gate.write("m/1.sql", expand);
    gate.write("m/2.sql", contract);
    let check = |exit| {
        let check = ["check", "m", "--database", "postgres-15", "--evidence", "job.json"];
        gate.call(&check).expect(exit)
    };
    let copy = || std::fs::copy(scene.desk.path("job.json"), gate.path("job.json")).unwrap();
    copy();
    check(0);
    scene.database.script("UPDATE t SET a = NULL WHERE id = 3");
    let said = scene.desk.call(&["verify", "late", "--report", "job.json", "--json"]).expect(1);
    let printed: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(printed, scene.report("job.json"));
    assert_eq!(printed["violating_keys"], serde_json::json!(["id=3"]), "{printed}");
    assert_eq!(printed["violations"], 1, "{printed}");
    copy();
    assert!(check(1).out.contains("is not verified"));
    let status = scene.desk.call(&["status", "late"]).expect(0);
    assert!(status.out.contains("checked   wrong at "), "{}", status.out);
    assert!(status.out.contains("4,000 rows, 1 wrong"), "{}", status.out);
}

fn by_name(engine: Engine) {
    let scene = Scene::verified(engine, "max_rows = 1000", "");
    scene.desk.call(&["verify", "late"]).expect(0).says("late: verified (4,000 rows checked");
    scene.desk.call(&["verify", "nobody"]).expect(2).says("knows no job `nobody`");
    std::fs::create_dir(scene.desk.path("deeper")).unwrap();
    let mut deeper = scene.desk.command(&["verify", "late"]);
    deeper.current_dir(scene.desk.path("deeper"));
    crate::harness::Said::by(&mut deeper).expect(0).says("late: verified");
    std::fs::remove_dir_all(scene.desk.path(".backstop")).unwrap();
    scene.desk.call(&["verify", "late"]).expect(2).says("no journal found");
    scene.desk.call(&["verify", "job.toml"]).expect(0).says("late: verified (4,000 rows checked");
    let status = scene.desk.status("late");
    assert_eq!(status["state"], "verified", "{status}");
    assert_eq!(scene.unwritten(), "0");
}

fn refused(engine: Engine) {
    // Slow enough that another command has its say while it runs.
    let scene = Scene::new(engine, ROWS, &JOB.replace("20ms", "300ms"));
    scene.desk.call(&["verify", "job.toml"]).expect(1).says("not every range is walked");
    let mut running = scene.desk.start(&["run", "job.toml"]);
    scene.desk.wait_until(&mut running, "late", |status| 2 <= status["batches"].as_u64().unwrap());
    scene.desk.call(&["verify", "late"]).expect(2).says("already being run by");
    running.signal("INT");
    running.wait().expect(3);
    scene.desk.call(&["verify", "late"]).expect(1).says("not every range is walked");
    let watch = ["verify", "late", "--watch", "1s"];
    scene.desk.call(&watch).expect(2).says("add `expect` to [verify]");
    let all = JOB.replace("where = \"a IS NULL\"\n", "").replace("\"late\"", "\"bare\"");
    scene.desk.write("bare.toml", &all);
    scene.desk.call(&["verify", "bare.toml"]).expect(2).says("has nothing to verify");
}

/// Two tables of the same rows, that were inserted in another order.
const TWINS: &str = "\
CREATE TABLE t (id {{id}}, source integer NOT NULL, a varchar(40), b numeric(12, 3), c timestamp NULL);
CREATE TABLE u (id {{id}}, source integer NOT NULL, a varchar(40), b numeric(12, 3), c timestamp NULL);
INSERT INTO t (id, source) SELECT n, n FROM numbers WHERE n <= 3000 ORDER BY n;
INSERT INTO u (id, source) SELECT n, n FROM numbers WHERE n <= 3000 ORDER BY n DESC";

fn checksums(engine: Engine) {
    let set = "set   = { a = \"concat('ü:', source)\", b = \"source / 8.0\", \
               c = \"'2026-01-02 03:04:05'\" }";
    let set = match engine.family {
        "sqlite" => set.replace("concat('ü:', source)", "'ü:' || source"),
        _ => set.to_owned(),
    };
    let job = JOB.replace("set   = { a = \"source * 2\" }", &set);
    let job = job.replace("100\npause    = \"20ms\"", "700");
    let job = format!("{job}\n[verify]\nchecksum = true\n");
    let scene = Scene::new(engine, TWINS, &job);
    let other = job.replace("\"t\"", "\"u\"").replace("\"late\"", "\"other\"");
    let other = other.replace("700", "450\nworkers = 3");
    scene.desk.write("other.toml", &other);
    let sum_of = |spec: &str, command: &str| {
        let call = [command, spec, "--accept-changed-spec", "--report", "report.json"];
        scene.desk.call(&call).expect(0);
        scene.report("report.json")["checksum"].as_str().unwrap().to_owned()
    };
    let (one, twin) = (sum_of("job.toml", "run"), sum_of("other.toml", "run"));
    assert_eq!(one, twin);
    assert!(one.trim_start_matches('0').len() > 10, "{one}");
    for (change, back) in [
        ("a = 'x'", "a = 'ü:17'"),
        ("a = 'Ü:17', b = 2.125", "a = 'ü:17'"),
        ("b = NULL", "b = 2.125"),
    ] {
        scene.database.script(&format!("UPDATE u SET {change} WHERE id = 17"));
        assert_ne!(sum_of("other.toml", "verify"), one, "{change}");
        scene.database.script(&format!("UPDATE u SET {back} WHERE id = 17"));
    }
    if engine.family == "postgres" {
        // A row on which the condition itself fails is wrong, and its values count as ever.
        let failing = "checksum = true\nexpect = \"0 <= 8 / abs(source - 17)\"";
        scene.desk.write("other.toml", &other.replace("checksum = true", failing));
        let look = ["verify", "other.toml", "--accept-changed-spec", "--report", "failing.json"];
        scene.desk.call(&look).expect(1).says("1 rows violate `expect`, for example id=17 (");
        assert_eq!(scene.report("failing.json")["checksum"], one.as_str());
        scene.desk.write("other.toml", &other);
    }
    scene.database.script("DELETE FROM u WHERE id = 17");
    assert_ne!(sum_of("other.toml", "verify"), one);
}
