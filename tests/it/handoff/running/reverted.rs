//! The way back: the old table of a run of gh-ost that is done is put in its place again.

use super::*;

const CONSENT: [&str; 3] = ["--yes", "--reason", "PAY-8"];

const COLUMNS: &str = "SELECT CAST(GROUP_CONCAT(CONCAT_WS(' ', COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE) ORDER BY \
                       ORDINAL_POSITION) AS CHAR) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() \
                       AND TABLE_NAME = 't'";

const SUM: &str = "SELECT CAST(SUM(a) AS CHAR) FROM ";

impl Scene {
    /// With a run that is done, and asks about its way back from now on.
    fn done(ground: &Ground) -> Self {
        let mut scene = Self::new(ground);
        scene.run_to_its_end();
        scene.name = "0042-revert";
        scene
    }

    fn run_to_its_end(&self) {
        let mut running = self.start();
        self.wait_until(&mut running, "postponed");
        self.handoff("cut-over", &CONSENT).expect(0);
        running.wait().expect(0);
        assert!(self.is_changed());
    }

    fn back_with(&self, more: &[&str]) -> Running {
        let arguments = [
            "handoff",
            "revert",
            "0042",
            "--progress",
            "plain",
            "--progress-interval",
            "500ms",
            "--files",
            "files",
        ];
        self.desk.start(&[&arguments[..], more].concat())
    }

    fn back(&self) -> Running {
        self.back_with(&CONSENT)
    }

    /// That it says so, and begins nothing.
    #[track_caller]
    fn is_refused(&self, code: i32, words: &str) {
        let said = self.back().wait().expect(code);
        said.says(words);
        assert_eq!(
            self.value(
                "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST WHERE INFO LIKE \
                               '%/* gh-ost%' AND DB = DATABASE() AND ID <> CONNECTION_ID()"
            ),
            "0"
        );
    }
}

pub(super) fn plain(ground: &Ground) {
    let mut scene = Scene::new(ground);
    let before = scene.value(COLUMNS);
    let writer = Writer::on(&scene.database, ROWS);
    scene.run_to_its_end();
    scene.name = "0042-revert";
    let at_the_cut_over = scene.value(&format!("{SUM}_t_del"));
    std::thread::sleep(Duration::from_secs(1));

    // A person consents to the values that are lost.
    scene
        .back_with(&[])
        .wait()
        .expect(1)
        .says("the values of `note` are lost")
        .says("--yes --reason TEXT");
    let mut running = scene.back();
    scene.wait_until(&mut running, "postponed");
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(scene.state(), "postponed");
    assert!(scene.is_changed());
    wait_for("the comparison", || {
        let waits = scene.status()["progress"]["waits_for"].as_str().unwrap_or_default().to_owned();
        waits.contains("ready for the cut-over")
    });
    let status = scene.status();
    assert!(status["change"].as_str().unwrap().starts_with("revert of 0042 (MODIFY c"), "{status}");
    scene.back().wait().expect(2).says("is supervised by");
    // The migration is not taken for another run beside it.
    scene.start().wait().expect(1).says("gh-ost, by its lock");
    scene.handoff("pause", &[]).expect(0);
    scene.handoff("resume", &[]).expect(0);
    scene.handoff("cut-over", &[]).expect(1).says("put the old table of `0042` in the place of");
    scene.handoff("cut-over", &CONSENT).expect(0).says("the table is as planned");
    running
        .wait()
        .expect(0)
        .says("table and copy are equal")
        .says("the table that was replaced is kept");
    let wrote = writer.end();
    assert_eq!(scene.value(COLUMNS), before);
    scene.nothing_is_lost(&wrote, CUT_OVER);
    assert_ne!(scene.value(&format!("{SUM}t")), at_the_cut_over);
    assert_eq!(scene.beside(), "_t_ghk,_t_rev_del");
    scene.is_refused(1, "the old table stands in its place already");

    let kept = scene.handoff("cleanup", &["--dry-run"]).expect(0).says("kept:");
    kept.says("_t_rev_del").says("it stood in the place until the old table was put back");
    scene.handoff("cleanup", &CONSENT).expect(0);
    assert_eq!(scene.beside(), "_t_rev_del");
    scene.handoff("cleanup", &[&["--rename-old"][..], &CONSENT].concat()).expect(0);
    scene.handoff("cleanup", &[&["--drop-old"][..], &CONSENT].concat()).expect(0);
    assert_eq!(scene.beside(), "");
    // The same migration is made once more.
    scene.name = "0042";
    scene.run_to_its_end();
}

pub(super) fn killed(ground: &Ground) {
    let scene = Scene::done(ground);
    let writer = Writer::on(&scene.database, ROWS);
    let mut running = scene.back();
    scene.wait_until(&mut running, "postponed");
    let process = scene.process();
    let said = scene.handoff("kill", &["--reason", "page 12"]).expect(0);
    said.says("the server shows no session, no lock and no trigger of it any more");
    running.wait().expect(4).says("killed");
    assert!(is_gone(process));
    assert_eq!(scene.state(), "killed");
    assert!(scene.is_changed());
    scene.is_refused(4, "handoff release 0042-revert");
    scene.handoff("release", &["--reason", "over"]).expect(0);
    scene.is_refused(1, "`_t_ghc` is of a run");
    // What the way back needs is no leftover.
    scene.handoff("cleanup", &CONSENT).expect(0).says("still leads back to the old table");
    assert_eq!(scene.beside(), "_t_del,_t_ghk");
    let mut running = scene.back();
    scene.wait_until(&mut running, "postponed");
    scene.handoff("cut-over", &CONSENT).expect(0);
    running.wait().expect(0);
    let wrote = writer.end();
    assert!(!scene.is_changed());
    scene.nothing_is_lost(&wrote, CUT_OVER);
}

pub(super) fn taken_up(ground: &Ground) {
    let scene = Scene::done(ground);
    let writer = Writer::on(&scene.database, ROWS);
    let mut running = scene.back();
    scene.wait_until(&mut running, "postponed");
    let process = scene.process();
    running.signal("KILL");
    running.wait();
    wait_for("the silence to be seen", || scene.status()["supervised"] == false);
    scene.handoff("pause", &[]).expect(2).says("`backstop handoff revert 0042` takes it up");
    let mut running = scene.back_with(&[]);
    wait_for("the new supervisor", || scene.status()["supervised"] == true);
    scene.wait_until(&mut running, "postponed");
    assert_eq!(scene.process(), process);
    scene.handoff("cut-over", &CONSENT).expect(0);
    running.wait().expect(0).says("taken up");
    let wrote = writer.end();
    assert!(!scene.is_changed());
    scene.nothing_is_lost(&wrote, CUT_OVER);
}

pub(super) fn refused(ground: &Ground) {
    let mut scene = Scene::new(ground);
    let mut running = scene.start();
    scene.wait_until(&mut running, "postponed");
    scene.is_refused(2, "`0042` is postponed and not done");
    scene.desk.call(&["handoff", "revert", "0099"]).expect(2).says("knows no handoff `0099`");
    scene.handoff("cut-over", &CONSENT).expect(0);
    running.wait().expect(0);
    scene.name = "0042-revert";
    let during = |changes: &str, words: &str, undone: &str| {
        scene.database.script(changes);
        scene.is_refused(1, words);
        scene.database.script(undone);
    };

    during("ALTER TABLE t ADD z int", "is not what `0042` made of it", "ALTER TABLE t DROP z");
    during("RENAME TABLE _t_del TO aside", "there is no `_t_del`", "RENAME TABLE aside TO _t_del");
    during(
        "RENAME TABLE _t_del TO aside;\n CREATE TABLE _t_del (id int AUTO_INCREMENT PRIMARY KEY) \
         COMMENT='ghost-cut-over-sentry'",
        "`_t_del` is the sentry",
        "DROP TABLE _t_del;\n RENAME TABLE aside TO _t_del",
    );
    during(
        "RENAME TABLE _t_del TO aside;\n CREATE TABLE _t_del LIKE aside",
        "`_t_del` is another table than the one that `0042` replaced",
        "DROP TABLE _t_del;\n RENAME TABLE aside TO _t_del",
    );
    during("RENAME TABLE _t_ghk TO aside", "there is no `_t_ghk`", "RENAME TABLE aside TO _t_ghk");
    during(
        "CREATE TABLE aside LIKE _t_ghk;\n INSERT INTO aside SELECT * FROM _t_ghk;\n UPDATE _t_ghk SET \
         gh_ost_is_cutover = 0",
        "is none of a cut-over",
        "DROP TABLE _t_ghk;\n RENAME TABLE aside TO _t_ghk",
    );
    during(
        "CREATE TABLE aside LIKE _t_ghk;\n INSERT INTO aside SELECT * FROM _t_ghk;\n UPDATE _t_ghk SET \
         gh_ost_chk_coords = 'gone.000001:4'",
        "the binary log was at `gone.000001:4` at the cut-over, and that is not on the server any more",
        "DROP TABLE _t_ghk;\n RENAME TABLE aside TO _t_ghk",
    );
    for own in ["_t_gho", "_t_ghc"] {
        let (made, dropped) = (format!("CREATE TABLE {own} (id int)"), format!("DROP TABLE {own}"));
        during(&made, &format!("`{own}` is of a run that is going on"), &dropped);
    }
    during(
        "CREATE TABLE _t_rev_del (id int)",
        "`_t_rev_del` is there, of an earlier way back",
        "DROP TABLE _t_rev_del",
    );
    during(
        "INSERT INTO t (id, a, c) VALUES (9000001, 0, 123456789.5)",
        "values of `c` that do not fit `decimal(10,2)`",
        "DELETE FROM t WHERE id = 9000001",
    );
    during(
        "ALTER TABLE _t_del ADD x int NOT NULL",
        "`x` of `_t_del` is NOT NULL and has no default",
        "ALTER TABLE _t_del DROP x",
    );
    during(
        "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.a = 0",
        "gh-ost takes no table with triggers",
        "DROP TRIGGER tr",
    );

    let own = std::fs::read_to_string(scene.desk.path("bin/gh-ost")).unwrap();
    scene.desk.write("bin/gh-ost", "#!/bin/sh\necho 1.1.7\n");
    scene.is_refused(1, "gh-ost 1.1.7 cannot go back");
    std::fs::remove_file(scene.desk.path("bin/gh-ost")).unwrap();
    scene.is_refused(1, "no `gh-ost` is on the path here");
    scene.desk.write("bin/gh-ost", &own);
    std::fs::set_permissions(
        scene.desk.path("bin/gh-ost"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();

    // Nothing of it is in the journal, and the way is open still.
    scene.handoff("status", &[]).expect(2).says("knows no handoff `0042-revert`");
    let mut running = scene.back();
    scene.wait_until(&mut running, "postponed");
    scene.handoff("stop", &[]).expect(0);
    running.wait().expect(3);
    scene.desk.call(&["handoff", "revert", "0042-revert"]).expect(2).says("is itself a way back");
    scene.handoff("cleanup", &CONSENT).expect(0);
    scene.name = "0042";
    scene.handoff("cleanup", &[]).expect(1).says("the way back by `handoff revert`");
    scene.handoff("cleanup", &[&["--rename-old"][..], &CONSENT].concat()).expect(0);
    scene.is_refused(1, "the old table was put aside as `_t_old_");
}

pub(super) fn not_by_ghost(ground: &Ground) {
    let scene = Scene::new(ground);
    scene.run_to_its_end();
    scene
        .desk
        .call(&["handoff", "revert", "0042"])
        .expect(2)
        .says("its triggers went with the swap");
    scene.desk.write("0043.sql", "ALTER TABLE t ADD z int;\n");
    let run = ["handoff", "run", "0043.sql", "--target", "DATABASE_URL", "--progress", "plain"];
    scene.desk.call(&[&run[..], &CONSENT].concat()).expect(0);
    scene
        .desk
        .call(&["handoff", "revert", "0043"])
        .expect(2)
        .says("keeps no old table to put back");
}
