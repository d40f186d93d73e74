//! Runs that are ended before their end.

use std::process::Command;

use super::*;

/// A job that makes Backstop's own tables.
const JOB: &str = "[job]\nname = \"j\"\n[target]\nurl_env = \"DATABASE_URL\"\n[update]\ntable = \"t\"\n\
                   set = { a = \"0\" }\nwhere = \"a <> 0\"\n";

/// What the rows hold, whatever the type of `c`.
const DIGEST: &str = "SELECT CONCAT(COUNT(*), ' ', SUM(CRC32(CONCAT_WS('/', id, a, CAST(c AS decimal(14, 4)))))) \
                      FROM t";

/// All is over within five seconds, and a call takes its part on a busy machine.
const WITHIN: Duration = Duration::from_secs(8);

pub(super) fn killed(ground: &Ground) {
    let phases: &[&str] = match ground.tool {
        Tool::GhOst => &["copying", "paused", "postponed"],
        _ => &["postponed", "paused"],
    };
    let scene = Scene::slowly(ground, 500);
    let before = scene.value("SELECT CAST(COUNT(*) AS CHAR) FROM t");
    for phase in phases {
        let mut running = scene.start();
        let first = if ground.tool == Tool::GhOst { "copying" } else { "postponed" };
        scene.wait_until(&mut running, if *phase == "paused" { first } else { phase });
        if *phase == "paused" {
            scene.handoff("pause", &[]).expect(0);
        }
        let process = scene.process();
        let begun = Instant::now();
        let said = scene.handoff("kill", &["--reason", "page 12"]).expect(0);
        assert!(begun.elapsed() < WITHIN, "{phase}: {:?}\n{said:?}", begun.elapsed());
        said.says("the server shows no session, no lock and no trigger of it any more");
        running.wait().expect(4).says("killed");
        assert!(is_gone(process), "{phase}");
        assert_eq!((scene.state().as_str(), scene.triggers().as_str()), ("killed", "0"), "{phase}");
        scene.start().wait().expect(4).says("handoff release 0042");
        scene.handoff("release", &["--reason", "over"]).expect(0);
        scene.clean();
        assert!(!scene.is_changed());
    }
    assert_eq!(scene.value("SELECT CAST(COUNT(*) AS CHAR) FROM t"), before);
}

/// SIGKILL of the tool: what it left goes, the state is told by the table.
pub(super) fn process_killed(ground: &Ground) {
    let scene = Scene::slowly(ground, 300);
    let writer = Writer::on(&scene.database, ROWS);
    let mut running = scene.start();
    scene
        .wait_until(&mut running, if ground.tool == Tool::GhOst { "copying" } else { "postponed" });
    let process = scene.process().to_string();
    assert!(Command::new("kill").args(["-KILL", &process]).status().unwrap().success());
    running.wait().expect(4).says("OS signal 9").says("the table is as it was");
    assert_eq!(scene.state(), "failed");
    scene.handoff("pause", &[]).expect(2).says("there is nothing to pause");
    scene.clean();
    let wrote = writer.end();
    scene.nothing_is_lost(&wrote, CALM);
    assert!(!scene.is_changed());
}

/// The server goes, and comes back. gh-ost's lock went with it, and ends it; pt-online-schema-change connects again,
/// and its triggers were there all the time.
pub(super) fn server_restarted(ground: &Ground) {
    let server = ground.server.as_ref().unwrap();
    let scene = Scene::slowly(ground, 300);
    let before = scene.value(DIGEST);
    let mut running = scene.start();
    let first = if ground.tool == Tool::GhOst { "copying" } else { "postponed" };
    scene.wait_until(&mut running, first);
    let process = scene.process();
    server.stop();
    std::thread::sleep(Duration::from_secs(2));
    assert!(server.restart().wait().unwrap().success());
    if ground.tool == Tool::GhOst {
        running.wait().expect(4).says("the table is as it was");
        assert_eq!(scene.state(), "failed");
        assert!(is_gone(process) && !scene.is_changed());
        scene.clean();
    } else {
        scene.wait_until(&mut running, "postponed");
        scene.database.plainly("UPDATE t SET a = a");
        scene.handoff("cut-over", &["--yes", "--reason", "now"]).expect(0);
        running.wait().expect(0);
        assert!(scene.is_changed());
    }
    assert_eq!(scene.value(DIGEST), before);
}

pub(super) fn by_the_other_switches(ground: &Ground) {
    let scene = Scene::slowly(ground, 300);
    let mut running = scene.start();
    scene.wait_until(&mut running, "copying");
    let said = scene.desk.call(&["kill", "--all", "--reason", "page 13"]).expect(0);
    said.says("0042 is killed").says("no session, no lock and no trigger");
    running.wait().expect(4);
    scene.start().wait().expect(1).says("backstop release --all");
    scene.desk.call(&["release", "--all", "--reason", "over"]).expect(0);
    scene.handoff("release", &["--reason", "over"]).expect(0);
    scene.clean();

    // A kill file that the team's config names.
    scene.desk.write("backstop.toml", "[control]\nkill_file = \"STOP\"\n");
    let mut running = scene.start();
    scene.wait_until(&mut running, "copying");
    scene.desk.write("STOP", "page 14\n");
    running.wait().expect(4).says("page 14");
    scene.start().wait();
    scene.handoff("release", &["--reason", "over"]).expect(0);
    scene.start().wait().expect(4).says("is present (page 14)");
    std::fs::remove_file(scene.desk.path("STOP")).unwrap();
    scene.clean();

    // A halt in the target, from wherever, binds handoffs as well.
    scene.desk.write("job.toml", JOB);
    scene.desk.call(&["run", "job.toml"]).expect(0);
    let mut running = scene.start();
    scene.wait_until(&mut running, "copying");
    let halt = ["kill", "--all", "--target", "DATABASE_URL", "--reason", "page 16"];
    scene.desk.call(&halt).expect(0);
    running.wait().expect(4).says("page 16");
    let lift = ["release", "--all", "--target", "DATABASE_URL", "--reason", "over"];
    scene.desk.call(&lift).expect(0);
    scene.handoff("release", &["--reason", "over"]).expect(0);
    scene.clean();

    // An OS signal ends it in its own way; a second one at once.
    let mut running = scene.start();
    scene.wait_until(&mut running, "copying");
    running.signal("INT");
    running.wait().expect(3).says("stopped");
    scene.clean();
}

pub(super) fn native_killed(ground: &Ground) {
    let database = Database::new(ground.engine);
    database.script(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, c numeric(10,2));\n\
         INSERT INTO t (id, a, c) SELECT n, 0, n % 900 FROM numbers WHERE n <= {ROWS}"
    ));
    let desk = Desk::at(&database.url);
    desk.write("0042.sql", "CREATE INDEX t_c ON t (c);\n");
    // A transaction that has written keeps a concurrent build waiting.
    let reader = Reader::that(&database, "UPDATE t SET a = a WHERE id = 1");
    let arguments = [
        "handoff",
        "run",
        "0042.sql",
        "--target",
        "DATABASE_URL",
        "--progress",
        "plain",
        "--yes",
        "--reason",
        "PAY-7",
    ];
    let running = desk.start(&arguments);
    wait_for("the build to wait", || {
        database.value("SELECT CAST(COUNT(*) AS text) FROM pg_stat_progress_create_index") == "1"
    });
    let begun = Instant::now();
    desk.call(&["handoff", "kill", "0042", "--reason", "page 15"]).expect(0);
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
    running.wait().expect(4);
    let at_work = "SELECT CAST(COUNT(*) AS text) FROM pg_stat_progress_create_index";
    assert_eq!(database.value(at_work), "0");
    drop(reader);
    desk.call(&["handoff", "release", "0042", "--reason", "over"]).expect(0);
    desk.call(&arguments).expect(0);
    let valid = "SELECT CAST(COUNT(*) AS text) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid \
                 WHERE c.relname = 't_c' AND x.indisvalid";
    assert_eq!(database.value(valid), "1");
}
