//! Stopping, going on, and who may run a job: on every engine, with the real binary.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Running, wait_for};
use crate::test;

/// A job that takes long enough to be met: small batches with a pause after each.
pub const SLOW: &str = r#"
[job]
name = "slow"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { a = "coalesce(a, 0) + 1" }
exactly_once = true

[batch]
max_rows = 100
pause    = "20ms"
"#;

const SCHEMA: &str = "\
CREATE TABLE t (id {{id}}, a integer);
INSERT INTO t (a) SELECT NULL FROM numbers WHERE n <= 10000";

/// Makes the write of one row, far enough ahead that the job has not come there yet, take half a
/// minute. A row lock would not do: batches do not wait long for those. SQLite has one lock, which
/// they do wait for.
fn nap(family: &str) -> Option<&'static str> {
    match family {
        "postgres" => Some(
            "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.id = 5000 THEN \
             PERFORM pg_sleep(30); END IF; RETURN NEW; END';\n\
             CREATE TRIGGER nap BEFORE UPDATE ON t FOR EACH ROW EXECUTE PROCEDURE nap()",
        ),
        "mysql" => Some(
            "CREATE TRIGGER nap BEFORE UPDATE ON t FOR EACH ROW \
             IF NEW.id = 5000 THEN DO SLEEP(30); END IF",
        ),
        _ => None,
    }
}

type Check = fn(Engine);

const CHECKS: [(&str, Check); 12] = [
    ("a signal finishes the batch in flight, and a run goes on", signal_and_resume),
    ("the second signal cancels the batch in flight", second_signal),
    ("pause, resume and stop from another terminal", pause_resume_stop),
    ("kill from another terminal", kill),
    ("verification can be paused, and stopped, and goes on", during_verification),
    ("a pause is taken back before it took effect", pause_taken_back),
    ("a signal before the first batch", stopped_before_it_begins),
    ("kill -9 of the runner loses and repeats nothing", hard_kill),
    ("a lost journal loses and repeats nothing", lost_journal),
    ("a second runner is refused by name of the first", second_runner),
    ("a changed spec is refused with the difference", changed_spec),
    ("a run goes on with more workers", more_workers),
];

pub fn trials() -> Vec<Trial> {
    let each = |engine: Engine| {
        CHECKS.iter().map(move |(name, check)| {
            test(format!("stopping: {name} on {}", engine.name), move || check(engine))
        })
    };
    available().flat_map(each).collect()
}

/// A table, a job that fills it slowly, and a desk to run it from.
pub struct Scene {
    pub database: Database,
    pub desk: Desk,
}

impl Scene {
    pub fn new(engine: Engine) -> Self {
        let database = Database::new(engine);
        database.script(SCHEMA);
        let desk = Desk::at(&database.url);
        desk.write("job.toml", SLOW);
        Self { database, desk }
    }

    /// Starts the job and waits until it has done some batches.
    pub fn start(&self) -> Running {
        let before = self.desk.call(&["status", "slow", "--json"]);
        let before: serde_json::Value = serde_json::from_str(&before.out).unwrap_or_default();
        let mut running = self.desk.start(&["run", "job.toml"]);
        self.wait_for_batches(&mut running, before["batches"].as_u64().unwrap_or(0) + 3);
        running
    }

    /// Starts the job and lets a batch of it wait for a lock; `then` is called meanwhile.
    pub fn start_blocked(&self, then: impl FnOnce(Running)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let running = self.start();
        let mut blocker = runtime.block_on(async {
            let mut blocker = crate::database::open(&self.database.url).await;
            blocker.begin().await.unwrap();
            if self.database.engine.family != "sqlite" {
                // Far enough ahead that the job has not come there yet.
                let update = "UPDATE t SET a = a WHERE id BETWEEN 5000 AND 5010";
                crate::database::execute(blocker.as_mut(), update).await;
            }
            blocker
        });
        // It stands still when two looks, half a second apart, see the same.
        let batches = || self.desk.status("slow")["batches"].clone();
        let mut before = batches();
        wait_for("it to stand still", || {
            std::thread::sleep(Duration::from_millis(500));
            let now = batches();
            std::mem::replace(&mut before, now) == before
        });
        then(running);
        runtime.block_on(async {
            blocker.rollback().await.unwrap();
            blocker.close().await;
        });
    }

    /// Starts the job and lets a batch of it take very long; `then` is called meanwhile.
    fn start_napping(&self, then: impl FnOnce(Running)) {
        let Some(nap) = nap(self.database.engine.family) else { return self.start_blocked(then) };
        // Batches that are meant to be long may be.
        self.desk.write("job.toml", &SLOW.replace("pause", "target_time = \"1m\"\npause"));
        let mut running = self.start();
        self.database.script(nap);
        // The rows before it are done, and its own batch is under way.
        self.wait_for_batches(&mut running, 49);
        std::thread::sleep(Duration::from_millis(300));
        then(running);
        let of_table = if self.database.engine.family == "postgres" { " ON t" } else { "" };
        self.database.script(&format!("DROP TRIGGER nap{of_table}"));
    }

    /// What was cancelled was also waited for: nothing of the job runs on the server any more.
    #[track_caller]
    fn is_quiet(&self) {
        let running = match self.database.engine.family {
            "postgres" => {
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND application_name LIKE 'backstop slow%' AND state = 'active'"
            }
            "mysql" => {
                "SELECT count(*) FROM information_schema.processlist WHERE db = database() \
                 AND command <> 'Sleep' AND info LIKE '/* backstop slow%'"
            }
            _ => return,
        };
        assert_eq!(self.database.value(running), "0", "statements of the job that still run");
    }

    pub fn wait_for_batches(&self, running: &mut Running, batches: u64) {
        self.desk.wait_until(running, "slow", |status| {
            batches <= status["batches"].as_u64().unwrap_or(0)
        });
    }

    /// A killed job is refused until it is released.
    #[track_caller]
    fn release(&self) {
        let said = self.desk.call(&["run", "job.toml"]).expect(4).says("was killed by");
        said.says("backstop release slow --reason TEXT");
        self.desk.call(&["release", "slow"]).expect(2).says("--reason");
        let said = self.desk.call(&["release", "slow", "--reason", "it was not us"]).expect(0);
        said.says("job `slow` may run again");
    }

    /// The job runs to its end, and every row was incremented exactly once.
    #[track_caller]
    pub fn finish(&self) {
        self.desk.call(&["run", "job.toml"]).expect(0);
        self.exactly_once();
        let status = self.desk.status("slow");
        assert_eq!(status["rows_scanned"], 10_000, "{status}");
        assert_eq!(status["rows_changed"], 10_000, "{status}");
    }

    #[track_caller]
    pub fn exactly_once(&self) {
        let spread = self.database.value("SELECT count(*) FROM t WHERE a = 1");
        assert_eq!(spread, "10000", "every row exactly once");
    }
}

fn signal_and_resume(engine: Engine) {
    let scene = Scene::new(engine);
    for signal in ["INT", "TERM"] {
        let running = scene.start();
        running.signal(signal);
        let said = running.wait().expect(3);
        let said = said.says(&format!("stopped by SIG{signal}")).says("done up to id=");
        said.says("to go on: backstop run job.toml");
        assert_eq!(scene.desk.status("slow")["state"], "stopped");
    }
    scene.desk.call(&["run", "job.toml"]).expect(0).says("going on with slow where it stopped");
    scene.exactly_once();
}

fn second_signal(engine: Engine) {
    let scene = Scene::new(engine);
    scene.start_napping(|running| {
        running.signal("INT");
        std::thread::sleep(Duration::from_millis(300));
        let cancelled = Instant::now();
        running.signal("INT");
        let said = running.wait().expect(3);
        assert!(cancelled.elapsed() < Duration::from_secs(5), "{:?}", cancelled.elapsed());
        said.says("cancelling the batch in flight");
        scene.is_quiet();
    });
    scene.finish();
}

fn pause_resume_stop(engine: Engine) {
    let scene = Scene::new(engine);
    let mut running = scene.start();
    let desk = &scene.desk;
    desk.call(&["pause", "slow", "--reason", "deploy freeze"]).expect(0).says("slow is paused");
    let before = desk.status("slow");
    assert_eq!(before["state"], "paused");
    assert_eq!(before["reason"], "deploy freeze");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(desk.status("slow")["batches"], before["batches"], "a paused job writes nothing");
    desk.call(&["pause", "slow"]).expect(0);
    desk.call(&["resume", "job.toml"]).expect(0).says("slow is running");
    scene.wait_for_batches(&mut running, before["batches"].as_u64().unwrap() + 2);
    desk.call(&["stop", "slow"]).expect(0).says("slow is stopped");
    running.wait().expect(3);
    desk.call(&["stop", "slow"]).expect(1).says("there is nothing to stop");
    desk.call(&["resume", "slow"]).expect(1).says("there is nothing to resume");
    desk.call(&["stop", "nobody"]).expect(2).says("knows no job `nobody`; it knows `slow`");
    scene.finish();
}

fn kill(engine: Engine) {
    let scene = Scene::new(engine);
    scene.start_napping(|running| {
        let said = scene.desk.call(&["kill", "slow", "--reason", "page 1234", "--json"]).expect(0);
        let said: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!(said["job"]["state"], "killed", "{said}");
        assert!(said["seconds"].as_f64().unwrap() < 5.0, "{said}");
        running.wait().expect(4).says("page 1234").says("backstop release slow --reason TEXT");
        scene.is_quiet();
    });
    scene.release();
    scene.finish();
}

fn during_verification(engine: Engine) {
    let scene = Scene::new(engine);
    let quick = SLOW.replace("max_rows = 100\npause    = \"20ms\"", "max_rows = 5000");
    scene.desk.write("job.toml", &format!("{quick}\n[verify]\nexpect = \"a = 1\"\n"));
    scene.desk.call(&["run", "job.toml"]).expect(0).says("verified (10,000 rows checked");
    let slow = format!("{SLOW}\n[verify]\nexpect = \"a = 1\"\n").replace("= 100", "= 10");
    scene.desk.write("job.toml", &slow);
    // The rows are written; what takes its time now is the verification.
    let mut running = scene.desk.start(&["run", "job.toml", "--accept-changed-spec"]);
    scene.desk.wait_until(&mut running, "slow", |status| status["verifying"] == true);
    scene.desk.call(&["pause", "slow"]).expect(0).says("verifying");
    scene.desk.call(&["resume", "slow"]).expect(0);
    scene.desk.call(&["stop", "slow"]).expect(0);
    let said = running.wait().expect(3).says("what follows was stopped by");
    said.says("to go on: backstop run job.toml");
    let mut running = scene.desk.start(&["run", "job.toml"]);
    scene.desk.wait_until(&mut running, "slow", |status| status["verifying"] == true);
    scene.desk.call(&["kill", "slow"]).expect(0);
    running.wait().expect(4).says("every row is written");
    let status = scene.desk.status("slow");
    assert_eq!(status["runner_alive"], serde_json::Value::Null, "{status}");
    scene.release();
    scene.desk.write("job.toml", &format!("{quick}\n[verify]\nexpect = \"a = 1\"\n"));
    scene.desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0).says("verified");
    scene.exactly_once();
}

fn pause_taken_back(engine: Engine) {
    let scene = Scene::new(engine);
    scene.start_napping(|running| {
        let mut pause = scene.desk.command(&["pause", "slow"]).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(400));
        // The batch waits for a lock, so the job is not paused yet.
        assert_eq!(scene.desk.status("slow")["state"], "running");
        scene.desk.call(&["resume", "slow"]).expect(0);
        pause.kill().unwrap();
        pause.wait().unwrap();
        let killed = scene.desk.call(&["kill", "slow", "--json"]).expect(0);
        let killed: serde_json::Value = serde_json::from_str(&killed.out).unwrap();
        assert_eq!(killed["job"]["state"], "killed", "{killed}");
        running.wait().expect(4);
    });
    scene.release();
    scene.finish();
}

fn stopped_before_it_begins(engine: Engine) {
    let scene = Scene::new(engine);
    scene.desk.call(&["run", "job.toml", "--dry-run"]).expect(0);
    let running = scene.desk.start(&["run", "job.toml"]);
    // At any moment of the start: before the handlers stand, while it connects, or after it began.
    std::thread::sleep(Duration::from_millis(30));
    // A shell that starts something in the background has it ignore SIGINT.
    running.signal("TERM");
    let said = running.wait();
    assert!(said.code == 3 || said.code == -1, "{said:?}");
    scene.finish();
}

fn hard_kill(engine: Engine) {
    let scene = Scene::new(engine);
    for _ in 0..3 {
        let running = scene.start();
        running.signal("KILL");
        assert_eq!(running.wait().code, -1);
        // The server may still be busy with the dead runner's last statement.
        std::thread::sleep(Duration::from_millis(100));
    }
    scene.finish();
}

fn lost_journal(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    running.signal("INT");
    running.wait().expect(3);
    std::fs::remove_dir_all(scene.desk.path(".backstop")).unwrap();
    scene.finish();
    std::fs::remove_dir_all(scene.desk.path(".backstop")).unwrap();
    scene.desk.call(&["run", "job.toml"]).expect(0).says("was finished before");
    scene.exactly_once();
}

fn second_runner(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    let other = Desk::at(&scene.database.url);
    other.write("job.toml", SLOW);
    let said = other.call(&["run", "job.toml"]).expect(2);
    said.says("job `slow` is already being run by").says("backstop stop slow");
    running.signal("INT");
    running.wait().expect(3);
    scene.finish();
}

fn changed_spec(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    running.signal("INT");
    running.wait().expect(3);
    scene.desk.write("job.toml", &SLOW.replace("max_rows = 100", "max_rows = 500"));
    scene
        .desk
        .call(&["run", "job.toml"])
        .expect(2)
        .says("batch.max_rows: 100 -> 500")
        .says("--accept-changed-spec");
    scene.desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
    scene.exactly_once();
}

fn more_workers(engine: Engine) {
    let scene = Scene::new(engine);
    scene.desk.write("job.toml", &SLOW.replace("pause", "workers = 2\npause"));
    let running = scene.start();
    running.signal("INT");
    running.wait().expect(3);
    scene.desk.write("job.toml", &SLOW.replace("pause", "workers = 4\npause"));
    scene.desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
    scene.exactly_once();
    let status = scene.desk.status("slow");
    assert_eq!(status["rows_changed"], 10_000, "{status}");
}
