//! Taking over from a runner that is frozen: on every engine, with the real binary.

use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Running, wait_for};
use crate::killing::{session_at, stranger};
use crate::stopping::{SLOW, Scene};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        let mut add = |name: &str, check: fn(Engine)| {
            let name = format!("taking over: {name} on {}", engine.name);
            trials.push(test(name, move || check(engine)));
        };
        add("from another journal", taken_over_elsewhere);
        add("in the same journal", taken_over_here);
        if engine.family == "sqlite" {
            add("inside a batch", taken_over_inside_batch);
        } else {
            add("between fence and COMMIT", taken_over_before_commit);
        }
    }
    trials
}

fn heir(scene: &Scene) -> Desk {
    let desk = Desk::at(&scene.database.url);
    desk.write("job.toml", &std::fs::read_to_string(scene.desk.path("job.toml")).unwrap());
    desk
}

fn taken_over_elsewhere(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    let heir = heir(&scene);
    heir.call(&["run", "job.toml"]).expect(2).says("is already being run by").says("--take-over");
    let old = freeze_between_batches(&scene, running);
    heir.call(&["run", "job.toml"]).expect(2).says("--take-over");
    let mut new = heir.start(&["run", "job.toml", "--take-over"]);
    heir.wait_until(&mut new, "slow", |status| 5 <= status["batches"].as_u64().unwrap_or(0));
    old.signal("CONT");
    let said = old.wait().expect(4).says("taken over by");
    assert!(said.err.contains(&format!("process {}", new.pid())), "{}", said.err);
    new.wait().expect(0);
    scene.exactly_once();
    // The one that lost says how far it came, and finds the job finished.
    assert_eq!(scene.desk.status("slow")["state"], "failed");
    scene.desk.call(&["run", "job.toml"]).expect(0).says("was finished before");
    scene.exactly_once();
}

/// Freezes the runner where it holds nothing that the heir needs: the lock of the journal or, on
/// SQLite, that of the target.
fn freeze_between_batches(scene: &Scene, running: Running) -> Running {
    wait_for("a moment between two batches", || {
        running.signal("STOP");
        let sqlite = scene.database.engine.family == "sqlite";
        let journal = is_free(&scene.desk.path(".backstop/journal.db"));
        let is_between = journal && (!sqlite || is_free(&file(&scene.database)));
        if !is_between {
            running.signal("CONT");
        }
        is_between
    });
    running
}

fn file(database: &Database) -> PathBuf {
    PathBuf::from(database.url.trim_start_matches("sqlite:"))
}

/// Whether nobody holds the lock of a SQLite file.
fn is_free(path: &Path) -> bool {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_millis(50)).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE; ROLLBACK").is_ok()
}

fn taken_over_here(engine: Engine) {
    let scene = Scene::new(engine);
    let old = freeze_between_batches(&scene, scene.start());
    let said = scene.desk.call(&["run", "job.toml"]).expect(2);
    said.says("is already being run by").says("--take-over");
    let before = scene.desk.status("slow")["batches"].as_u64().unwrap();
    let mut new = scene.desk.start(&["run", "job.toml", "--take-over"]);
    scene.wait_for_batches(&mut new, before + 3);
    let heir = format!("process {}", new.pid());
    old.signal("CONT");
    old.wait().expect(4).says(&heir);
    // What the old runner says as it leaves does not touch what the new one writes.
    let status = scene.desk.status("slow");
    assert_eq!(status["state"], "running", "{status}");
    assert_eq!(status["runner_alive"], true, "{status}");
    assert!(status["runner"].as_str().unwrap().ends_with(&heir), "{status}");
    scene.desk.call(&["pause", "slow"]).expect(0).says("slow is paused");
    let batches: u64 = scene.database.value("SELECT batches FROM backstop_fence").parse().unwrap();
    assert_eq!(scene.desk.status("slow")["batches"], batches);
    scene.desk.call(&["resume", "slow"]).expect(0);
    new.wait().expect(0);
    let status = scene.desk.status("slow");
    assert_eq!(status["state"], "completed", "{status}");
    assert_eq!(status["rows_changed"], 10_000, "{status}");
    scene.exactly_once();
}

/// A frozen process that holds the file's lock cannot be ended from outside by SQL: the heir says
/// which process it is.
fn taken_over_inside_batch(engine: Engine) {
    let scene = Scene::new(engine);
    scene.desk.write(
        "job.toml",
        &SLOW.replace(
            "coalesce(a, 0) + 1",
            "coalesce(a, 0) + 1 + 0 * (SELECT count(*) FROM digits x, digits y, digits z)",
        ),
    );
    let old = scene.start();
    wait_for("a moment inside a batch", || {
        old.signal("STOP");
        let is_inside = !is_free(&file(&scene.database));
        if !is_inside {
            old.signal("CONT");
        }
        is_inside
    });
    let heir = heir(&scene);
    let said = heir.call(&["run", "job.toml", "--take-over"]).expect(2);
    said.says(&format!("(process {} on this machine", old.pid())).says("kill -9");
    let oncall = stranger(&scene.database);
    let said = oncall.call(&["kill", "slow", "--target", "DB"]).expect(2);
    said.says(&format!("process {}", old.pid())).says("kill -9");
    old.signal("CONT");
    old.signal("KILL");
    old.wait().expect(-1);
    heir.call(&["run", "job.toml", "--take-over"]).expect(0);
    scene.exactly_once();
}

/// Makes the fence's statement take its time while the table `slowly` has a row.
fn slow_fence(engine: Engine) -> &'static str {
    if engine.family == "postgres" {
        "CREATE TABLE slowly (x integer PRIMARY KEY);\n\
         CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         IF NEW.cursor_at IS DISTINCT FROM OLD.cursor_at AND EXISTS (SELECT FROM slowly) \
         THEN PERFORM pg_sleep(3); END IF; RETURN NEW; END $$;\n\
         CREATE TRIGGER linger BEFORE UPDATE ON backstop_fence \
         FOR EACH ROW EXECUTE FUNCTION linger()"
    } else {
        "CREATE TABLE slowly (x integer PRIMARY KEY);\n\
         CREATE TRIGGER linger BEFORE UPDATE ON backstop_fence FOR EACH ROW \
         IF NOT (NEW.cursor_at <=> OLD.cursor_at) AND EXISTS (SELECT 1 FROM slowly) \
         THEN DO SLEEP(3); END IF"
    }
}

/// How many sessions wait in an open transaction for their client.
fn idle_transactions(database: &Database) -> u32 {
    let sql = if database.engine.family == "postgres" {
        "SELECT count(*) FROM pg_stat_activity \
         WHERE datname = current_database() AND state = 'idle in transaction'"
    } else {
        "SELECT count(*) FROM information_schema.innodb_trx JOIN information_schema.processlist \
         ON id = trx_mysql_thread_id WHERE db = database() AND command = 'Sleep'"
    };
    database.value(sql).parse().unwrap()
}

fn taken_over_before_commit(engine: Engine) {
    let scene = Scene::new(engine);
    // A batch that is meant to last longer has no time-out that the slow fence would meet.
    let batch = "\n[batch]\ntarget_time = \"60s\"";
    scene.desk.write("job.toml", &SLOW.replace("\n[batch]", batch));
    // The fence must exist before its trigger.
    let running = scene.start();
    running.signal("INT");
    running.wait().expect(3);
    scene.database.script(slow_fence(engine));
    scene.database.script("INSERT INTO slowly VALUES (1)");
    let old = scene.desk.start(&["run", "job.toml"]);
    // In a trigger, MySQL and MariaDB show its own statement in the list.
    let postgres = engine.family == "postgres";
    let fence = if postgres { "%UPDATE%backstop_fence%cursor_at%" } else { "%SLEEP(3)%" };
    wait_for("a moment between fence and COMMIT", || {
        wait_for("the fence's statement", || !session_at(&scene.database, fence).is_empty());
        old.signal("STOP");
        wait_for("its end", || session_at(&scene.database, fence).is_empty());
        let is_before_commit = 0 < idle_transactions(&scene.database);
        if !is_before_commit {
            old.signal("CONT");
        }
        is_before_commit
    });
    scene.database.script("DELETE FROM slowly");
    let heir = heir(&scene);
    let mut new = heir.start(&["run", "job.toml", "--take-over"]);
    heir.wait_until(&mut new, "slow", |status| 5 <= status["batches"].as_u64().unwrap_or(0));
    let name = format!("process {}", new.pid());
    old.signal("CONT");
    old.wait().expect(4).says("taken over by").says(&name);
    new.wait().expect(0);
    scene.exactly_once();
}
