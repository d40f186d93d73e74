//! Runs whose supervisor died, and runs that go on where an earlier one ended.

use super::*;

pub(super) fn supervisor_killed(ground: &Ground) {
    let scene = Scene::slowly(ground, 300);
    let writer = Writer::on(&scene.database, ROWS);
    let mut running = scene.start();
    scene
        .wait_until(&mut running, if ground.tool == Tool::GhOst { "copying" } else { "postponed" });
    let process = scene.process();
    running.signal("KILL");
    running.wait();
    assert!(!is_gone(process), "the tool dies with its supervisor");
    wait_for("the silence to be seen", || scene.status()["supervised"] == false);
    if ground.tool == Tool::Percona {
        // As if it had died before it noted which process it had started.
        let journal = rusqlite::Connection::open(scene.desk.path(".backstop/journal.db")).unwrap();
        journal.execute("UPDATE handoff SET pid = NULL, pid_started = NULL", []).unwrap();
    }
    if ground.tool == Tool::GhOst {
        // Nobody watches, so nothing is copied.
        std::thread::sleep(Duration::from_secs(2));
        // What the application inserts comes by another way.
        let copies = format!("SELECT CAST(COUNT(*) AS CHAR) FROM _t_gho WHERE id <= {ROWS}");
        let copied = scene.value(&copies);
        std::thread::sleep(Duration::from_secs(2));
        assert_eq!(scene.value(&copies), copied);
    }
    scene.handoff("pause", &[]).expect(2).says("nobody supervises `0042`");

    // Not by the file of another change, which would then seem to be under way.
    let own = std::fs::read_to_string(scene.desk.path("0042.sql")).unwrap();
    scene.desk.write("0042.sql", "ALTER TABLE t MODIFY c decimal(14,4);\n");
    scene.start_with(&[]).wait().expect(2).says("begun with another change");
    scene.desk.write("0042.sql", &own);
    let mut running = scene.start_with(&[]);
    wait_for("the new supervisor", || scene.status()["supervised"] == true);
    scene.wait_until(&mut running, "postponed");
    assert_eq!(scene.process(), process);
    scene.handoff("cut-over", &["--yes", "--reason", "now"]).expect(0);
    running.wait().expect(0).says("taken up");
    let wrote = writer.end();
    scene.nothing_is_lost(&wrote, CUT_OVER);
    assert!(scene.is_changed());
}

/// gh-ost goes on from its checkpoint after a stop, and after it was killed.
pub(super) fn resumed(ground: &Ground) {
    let scene = Scene::slowly(ground, 700);
    let writer = Writer::on(&scene.database, ROWS);
    let mut running = scene.start();
    wait_for("a checkpoint", || {
        assert!(!running.has_ended(), "{:?}", running.take_output());
        let progress = scene.status()["progress"]["copied"].as_u64().unwrap_or_default();
        2000 <= progress
    });
    scene.handoff("stop", &["--reason", "a busy hour"]).expect(0);
    running.wait().expect(3);
    let mut running = scene.start();
    scene.wait_until(&mut running, "postponed");
    scene.handoff("cut-over", &["--yes", "--reason", "now"]).expect(0);
    running.wait().expect(0).says("goes on with");
    let wrote = writer.end();
    scene.nothing_is_lost(&wrote, CUT_OVER);
    assert!(scene.is_changed());
}

/// What is left of one change is not taken for another: gh-ost would say `Done`, and the table would have got
/// the first.
pub(super) fn another_change(ground: &Ground) {
    let scene = Scene::slowly(ground, 300);
    let mut running = scene.start();
    scene.wait_until(&mut running, "copying");
    scene.handoff("stop", &[]).expect(0);
    running.wait().expect(3);
    scene.desk.write("0042.sql", "ALTER TABLE t MODIFY c decimal(14,4);\n");
    scene.start().wait().expect(2).says("belongs to another change");
    scene.clean();
    let mut running = scene.start();
    scene.wait_until(&mut running, "postponed");
    scene.handoff("kill", &[]).expect(0);
    running.wait().expect(4);
    scene.clean();
}
