//! A server that is away: the job waits for it, says so, can be stopped meanwhile, and goes on where
//! the fence is, on the same server or on the one that took over. Every row exactly once.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use libtest_mimic::Trial;
use serde_json::Value;

use crate::asking::Asker;
use crate::database::{Database, Engine, available};
use crate::endurance::Dice;
use crate::harness::{Desk, Running, wait_for};
use crate::own_server::OwnServer;
use crate::relay::Relay;
use crate::replicas::{MariaReplica, PgStandby};
use crate::test;

const JOB: &str = r#"
[job]
name = "patient"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { n = "n + 1" }
exactly_once = true

[batch]
max_rows = 200
workers  = 2
pause    = "40ms"
"#;

/// Of accounts that two servers have in common.
const PASSWORD: &str = "h0ney";

const ROWS: u64 = 20_000;

/// What a kill may take, from the command's being heard to the end.
const AT_ONCE: Duration = Duration::from_millis(500);

pub fn trials() -> Vec<Trial> {
    type Check = fn(Engine);
    const CHECKS: [(&str, Check); 7] = [
        ("conflicts that pass", conflicts),
        ("cut at random, and out of reach for some seconds", out_of_reach),
        ("stopped and killed while it is out of reach", asked_meanwhile),
        ("paused while it is out of reach", paused_meanwhile),
        ("more patience, and less", tuned_meanwhile),
        ("restarted, and killed, and away for some seconds", restarted),
        ("another server at the address", another_server),
    ];
    let servers = || available().filter(|engine| engine.url_env.is_some());
    let each = |engine: Engine| {
        CHECKS.iter().map(move |(name, check)| {
            test(format!("outages: {name} on {}", engine.name), move || check(engine))
        })
    };
    // What is PostgreSQL's own in this is the same in both versions.
    let mut trials: Vec<_> =
        servers().filter(|engine| engine.name != "postgres18").flat_map(each).collect();
    for engine in servers().filter(|engine| engine.family == "postgres") {
        let name = format!("outages: a standby that takes over on {}", engine.name);
        trials.push(test(name, move || standby_takes_over(engine)));
    }
    trials.push(test("outages: a replica that takes over on mariadb", replica_takes_over));
    trials
}

struct Scene {
    database: Database,
    desk: Desk,
    relay: Relay,
}

impl Scene {
    /// One whose server the job comes to by way of a relay, on that account.
    fn as_user(database: Database, user: &str) -> Self {
        let scene = Self::on(database);
        let mut url = url::Url::parse(&scene.relay.url(&scene.database.url)).unwrap();
        url.set_username(user).unwrap();
        url.set_password(Some(PASSWORD)).unwrap();
        let desk = Desk::at(url.as_str());
        desk.write("job.toml", JOB);
        Self { desk, ..scene }
    }

    fn on(database: Database) -> Self {
        database.script(
            "CREATE TABLE t (id {{id}}, n integer NOT NULL);\n\
             INSERT INTO t (n) SELECT 0 FROM numbers",
        );
        let relay = Relay::to(&database.url);
        let desk = Desk::at(&relay.url(&database.url));
        desk.write("job.toml", JOB);
        Self { database, desk, relay }
    }

    fn new(engine: Engine) -> Self {
        Self::on(Database::new(engine))
    }

    /// Starts the job, and returns once its workers are at work.
    fn start(&self) -> Running {
        let mut running = self.desk.start(&["run", "job.toml", "--progress", "plain"]);
        self.wait_for_batches(&mut running, 6);
        running
    }

    fn status(&self) -> Value {
        self.desk.status("patient")
    }

    /// The batches that the journal knows; none before the job has begun.
    fn batches(&self) -> u64 {
        let said = self.desk.call(&["status", "patient", "--json"]);
        let status: Value = serde_json::from_str(&said.out).unwrap_or_default();
        status["batches"].as_u64().unwrap_or(0)
    }

    fn wait_for_batches(&self, running: &mut Running, batches: u64) {
        self.desk.wait_until(running, "patient", |status| {
            // MySQL and MariaDB end a session that somebody kills as a network that breaks does: the
            // job waits for a person to say what it was.
            if self.database.engine.family == "mysql" && status["state"] == "paused" {
                self.desk.call(&["resume", "patient"]);
            }
            batches <= status["batches"].as_u64().unwrap_or(0)
        });
    }

    /// Waits until it is said that the job waits for the server.
    fn wait_until_it_waits(&self, running: &mut Running, why: &str) {
        self.desk.wait_until(running, "patient", |status| {
            let reason = status["reason"].as_str().unwrap_or_default();
            status["state"] == "throttled" && reason.contains("server away") && reason.contains(why)
        });
    }

    /// Stays so for a while, in which the job waits and its runner shows that it lives.
    fn stay(&self, seconds: u64) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(seconds) {
            let status = self.status();
            assert_eq!(status["state"], "throttled", "{status}");
            assert_eq!(status["runner_alive"], true, "{status}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Pauses between batches for so long that none of them is in flight at most moments: one whose
    /// COMMIT is cut is in doubt, and a run that ends then says that instead.
    fn rest_between_batches(&self) {
        self.desk.call(&["tune", "patient", "batch.pause=2s"]).expect(0);
        std::thread::sleep(Duration::from_millis(300));
    }

    fn come_back(&self) {
        self.relay.lead_to(&self.database.url);
    }
}

#[track_caller]
fn exactly_once(database: &Database) {
    let right = database.value("SELECT count(*) FROM t WHERE n = 1");
    let all = database.value("SELECT count(*) FROM t");
    assert_eq!((right, all), (ROWS.to_string(), ROWS.to_string()), "every row exactly once");
}

/// Each absence is told once, and so is its end.
#[track_caller]
fn says_that_it_waited(said: &str, times: std::ops::RangeInclusive<usize>) {
    let told = said.matches("running -> throttled: server away").count();
    assert!(times.contains(&told), "{said}");
    assert_eq!(said.matches("throttled -> running").count(), told, "{said}");
}

fn out_of_reach(engine: Engine) {
    let scene = Scene::new(engine);
    let mut dice = Dice::thrown_for(engine.name);
    let mut running = scene.start();
    for _ in 0..4 {
        std::thread::sleep(Duration::from_millis(dice.below(150)));
        scene.relay.cut();
        scene.wait_for_batches(&mut running, scene.batches() + 2);
    }
    scene.relay.close();
    scene.wait_until_it_waits(&mut running, "for at most 10m (cannot connect to");
    scene.desk.call(&["status", "patient"]).expect(0).says("server away, waiting for it");
    scene.stay(5);
    scene.come_back();
    // It was the network, and no person who ended a session.
    let batches = scene.batches();
    scene.desk.wait_until(&mut running, "patient", |status| {
        assert_ne!(status["state"], "paused", "{status}");
        batches + 4 <= status["batches"].as_u64().unwrap_or(0)
    });
    let said = running.wait().expect(0);
    // On a busy machine a cut may take so long to mend that it counts as an absence too.
    says_that_it_waited(&said.err, 1..=5);
    exactly_once(&scene.database);
}

/// How long it took from the request to the end of the run, by the runner's own events.
fn took(scene: &Scene, action: &str) -> Duration {
    let status = scene.status();
    let events = status["events"].as_array().unwrap();
    let at = |event: &Value| event["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let asked = |event: &&Value| event["kind"] == "asked" && event["data"]["action"] == action;
    let asked = events.iter().rev().find(asked).unwrap_or_else(|| panic!("{status:#}"));
    let ended = events.iter().rev().find(|event| event["kind"] == "ended").unwrap();
    at(ended).duration_since(at(asked)).unsigned_abs()
}

fn asked_meanwhile(engine: Engine) {
    type Away = fn(&Relay);
    const WAYS: [(Away, &str, &str, i32); 2] = [
        (Relay::close, "cannot connect", "stop", 3),
        (Relay::fall_silent, "does not answer", "kill", 4),
    ];
    let scene = Scene::new(engine);
    for (go, why, action, code) in WAYS {
        let mut running = scene.desk.start(&["run", "job.toml"]);
        scene.wait_for_batches(&mut running, scene.batches() + 2);
        scene.rest_between_batches();
        go(&scene.relay);
        scene.wait_until_it_waits(&mut running, why);
        scene.desk.call(&[action, "patient", "--reason", "enough"]).expect(0);
        running.wait().expect(code).says("enough");
        let took = took(&scene, action);
        assert!(took < AT_ONCE, "{action} took {took:?}");
        scene.come_back();
        scene.desk.call(&["tune", "patient", "--reset"]).expect(0);
    }
    scene.desk.call(&["run", "job.toml"]).expect(4).says("was killed by");
    scene.desk.call(&["release", "patient", "--reason", "it is back"]).expect(0);
    scene.desk.call(&["run", "job.toml"]).expect(0);
    exactly_once(&scene.database);
}

fn paused_meanwhile(engine: Engine) {
    let scene = Scene::new(engine);
    scene.desk.write("job.toml", &format!("{JOB}\n[limits]\nmax_outage = \"4s\"\n"));
    let mut running = scene.start();
    scene.relay.fall_silent();
    scene.wait_until_it_waits(&mut running, "does not answer");
    scene.desk.call(&["pause", "patient"]).expect(0).says("patient is paused");
    // Who is paused waits for a person, and not for the server: for as long as it takes.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        let status = scene.status();
        assert_eq!(status["state"], "paused", "{status}");
        assert_eq!(status["runner_alive"], true, "{status}");
        std::thread::sleep(Duration::from_millis(200));
    }
    scene.come_back();
    scene.desk.call(&["resume", "patient"]).expect(0);
    running.wait().expect(0);
    exactly_once(&scene.database);
}

fn tuned_meanwhile(engine: Engine) {
    let scene = Scene::new(engine);
    scene.desk.write("job.toml", &format!("{JOB}\n[limits]\nmax_outage = \"6s\"\n"));
    let mut running = scene.start();
    scene.desk.call(&["tune", "patient", "batch.target_time=100ms"]).expect(0);
    scene.rest_between_batches();
    scene.relay.close();
    scene.wait_until_it_waits(&mut running, "for at most 6s");
    let tune = |more: &[&str]| scene.desk.call(&[&["tune", "patient"], more].concat()).expect(0);
    // What a batch should take is asked of the server too, which is away.
    tune(&["limits.max_outage=1h", "batch.target_time=200ms"]);
    scene.stay(7);
    tune(&["limits.max_outage=1s"]);
    let said = running.wait().expect(4).says("attempts to reach it), and `max_outage` allows 1s");
    said.says("run the job again when the server answers");
    assert_eq!(scene.status()["state"], "failed");
    scene.come_back();
    scene.desk.call(&["tune", "patient", "--reset"]).expect(0);
    scene.desk.call(&["run", "job.toml"]).expect(0);
    exactly_once(&scene.database);
}

fn restarted(engine: Engine) {
    let server = OwnServer::of(engine);
    let scene = Scene::on(Database::on(engine, server.url.clone()));
    let mut running = scene.start();
    let away = [OwnServer::stop as fn(&OwnServer), OwnServer::kill];
    for go in away {
        let batches = scene.batches();
        go(&server);
        scene.wait_until_it_waits(&mut running, "cannot connect to");
        scene.stay(5);
        assert!(server.restart().wait().unwrap().success(), "the server does not come back");
        scene.desk.wait_until(&mut running, "patient", |status| {
            assert_ne!(status["state"], "paused", "{status}");
            batches + 8 <= status["batches"].as_u64().unwrap_or(0)
        });
    }
    let said = running.wait().expect(0);
    says_that_it_waited(&said.err, away.len()..=2 * away.len());
    exactly_once(&scene.database);
}

/// The address leads to a server with other data, or with none.
fn another_server(engine: Engine) {
    let family = |other: &Engine| other.family == engine.family && other.name != engine.name;
    let Some(other) = available().find(family) else { return };
    let (database, name) = (Database::new(engine), Database::new(other));
    let user = format!("both_{}", database.login().database);
    let (create, drop) = account(engine, &user);
    for server in [&database, &name] {
        server.script(&create);
    }
    let scene = Scene::as_user(database, &user);
    let mut url = url::Url::parse(&name.url).unwrap();
    let running = scene.start();
    // A database of the name, in which nothing is.
    let database = scene.database.login().database;
    name.script(&format!("CREATE DATABASE {database}"));
    url.set_path(&database);
    scene.relay.lead_to(url.as_str());
    let said = running.wait();
    // Cut during a COMMIT, it is in doubt on the server before: that is said as well.
    assert!([4, 5].contains(&said.code), "{said:?}");
    if said.code == 5 {
        said.says("whether it took effect");
    } else if engine.family == "postgres" {
        said.says("leads to another database").says("Nothing was written there");
    } else {
        said.says("backstop_fence");
    }
    name.script(&format!("DROP DATABASE {database}"));
    scene.come_back();
    scene.desk.call(&["run", "job.toml"]).expect(0);
    exactly_once(&scene.database);
    for server in [&scene.database, &name] {
        server.script(&drop);
    }
}

/// How an account that may do everything is made, and dropped again with what it owns.
fn account(engine: Engine, user: &str) -> (String, String) {
    if engine.family == "postgres" {
        let create = format!("CREATE ROLE {user} SUPERUSER LOGIN PASSWORD '{PASSWORD}'");
        return (create, format!("REASSIGN OWNED BY {user} TO CURRENT_USER;\nDROP ROLE {user}"));
    }
    let create = format!(
        "CREATE USER {user}@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO {user}@'%'"
    );
    (create, format!("DROP USER {user}@'%'"))
}

/// Conflicts that the application brings about come again and again, and pass: the same batch is tried
/// until it is written, once.
fn conflicts(engine: Engine) {
    let scene = Scene::new(engine);
    // A sequence, and a variable of the session, remember the turn though the batch is rolled back.
    scene.database.script(if engine.family == "postgres" {
        "CREATE SEQUENCE turn;\n\
         CREATE FUNCTION conflict() RETURNS trigger LANGUAGE plpgsql AS 'DECLARE turn bigint; \
         BEGIN IF NEW.id % 1000 = 500 THEN turn := nextval(''turn''); IF turn % 4 <> 0 THEN \
         RAISE EXCEPTION ''in the way'' USING ERRCODE = \
         (ARRAY[''40P01'', ''40001'', ''55P03''])[turn % 4]; END IF; END IF; RETURN NEW; END';\n\
         CREATE TRIGGER conflict BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION conflict()"
    } else {
        "CREATE TRIGGER conflict BEFORE UPDATE ON t FOR EACH ROW IF NEW.id % 1000 = 500 THEN \
         SET @turn = COALESCE(@turn, 0) + 1; \
         CASE @turn % 4 \
         WHEN 1 THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; \
         WHEN 2 THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1205; \
         WHEN 3 THEN SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1020; \
         ELSE BEGIN END; END CASE; END IF"
    });
    let fast = JOB.replace("40ms", "0s").replace("workers  = 2", "workers  = 1");
    scene.desk.write("job.toml", &fast);
    let said = scene.desk.call(&["run", "job.toml", "--progress", "json"]).expect(0);
    for reason in ["deadlock", "serialization", "lock_timeout"] {
        let times = said.out.matches(&format!("\"reason\":\"{reason}\"")).count();
        assert_eq!(times, 20, "{reason}");
    }
    exactly_once(&scene.database);
}

/// A job without a fence beside the other one: what the new server lacks, nothing there can tell.
const UNFENCED: &str = r#"
[job]
name = "unfenced"

[target]
url_env = "DATABASE_URL"

[update]
table = "u"
set   = { n = "id" }
fence = false

[batch]
max_rows = 20
pause    = "100ms"
"#;

/// The primary dies, its standby lacks the latest second, and is promoted some seconds later.
struct FailOver<'a> {
    scene: &'a Scene,
    primary: &'a OwnServer,
    /// The standby's URL for the job's database.
    standby: String,
}

impl FailOver<'_> {
    fn run(&self, detach: impl FnOnce(), promote: impl FnOnce()) {
        let Self { scene, primary, standby } = self;
        scene.database.script(
            "CREATE TABLE u (id {{id}}, n bigint);\n\
             INSERT INTO u (n) SELECT NULL FROM t WHERE id <= 10000",
        );
        // Slow enough that it is not done before its primary is, on however busy a machine.
        scene.desk.write("job.toml", &JOB.replace("40ms", "1s"));
        let mut running = scene.start();
        scene.desk.write("unfenced.toml", UNFENCED);
        let mut unfenced = scene.desk.start(&["run", "unfenced.toml"]);
        scene.desk.wait_until(&mut unfenced, "unfenced", |status| {
            1 <= status["batches"].as_u64().unwrap_or(0)
        });
        let mut replica = Asker::at(standby);
        wait_for("the standby to have the job", || {
            let first = "SELECT CAST(count(*) AS char(9)) FROM t WHERE n = 1";
            replica.try_rows(first).is_some_and(|rows| rows[0][0].trim() != "0")
        });
        detach();
        scene.desk.call(&["tune", "patient", "batch.pause=40ms"]).expect(0);
        // Ranges come to their end meanwhile, and others are shared: all of that is lost.
        scene.wait_for_batches(&mut running, 75.max(scene.batches() + 20));
        let lost = scene.batches();
        primary.kill();
        scene.relay.lead_to(standby);
        scene.wait_until_it_waits(&mut running, "");
        scene.stay(3);
        promote();
        let said = running.wait().expect(0);
        assert!(!said.err.contains("paused"), "{}", said.err);
        unfenced.wait().expect(4).says("another server has taken over").says("without a fence");

        let mut new = Asker::at(standby);
        let mut value = |sql: &str| new.rows(sql)[0][0].trim().to_owned();
        assert_eq!(value("SELECT CAST(count(*) AS char(9)) FROM t WHERE n = 1"), ROWS.to_string());
        assert_eq!(value("SELECT CAST(count(*) AS char(9)) FROM t"), ROWS.to_string());
        let changed = "SELECT CAST(sum(rows_changed) AS char(9)) FROM backstop_fence";
        assert_eq!(value(changed), ROWS.to_string(), "rows and fence went together");
        let open = "SELECT CAST(count(*) AS char(9)) FROM backstop_fence WHERE state <> 'done'";
        assert_eq!(value(open), "0");
        // The journal says what the fence says.
        let status = scene.status();
        assert_eq!(status["rows_changed"], ROWS, "{status}");
        println!("{lost} batches were done when the primary died");
    }
}

fn standby_takes_over(engine: Engine) {
    let server = OwnServer::of(engine);
    let standby = PgStandby::of(&server, "heir");
    let scene = Scene::on(Database::on(engine, server.url.clone()));
    let url = standby.url_of(&scene.database);
    let ask = |sql: &str| drop(Asker::at(&standby.url).rows(sql));
    FailOver { scene: &scene, primary: &server, standby: url }.run(
        || {
            ask("ALTER SYSTEM SET primary_conninfo = ''");
            ask("SELECT pg_reload_conf()::text");
            wait_for("the standby to receive nothing any more", || {
                let receivers = "SELECT count(*)::text FROM pg_stat_wal_receiver";
                Asker::at(&standby.url).rows(receivers)[0][0] == "0"
            });
        },
        || ask("SELECT pg_promote()::text"),
    );
}

fn replica_takes_over() {
    let pair = MariaReplica::start();
    pair.execute("SET GLOBAL read_only = 1");
    let engine = crate::database::engine("mariadb");
    let database = Database::on(engine, pair.primary.url.clone());
    // The two servers have passwords of their own; what is done on the primary is done on both.
    database.script(&account(engine, "heir").0);
    let scene = Scene::as_user(database, "heir");
    let url = pair.url_of(&scene.database);
    wait_for("the replica to have the table", || {
        let there = "SELECT count(*) FROM information_schema.tables WHERE table_name = 't'";
        Asker::at(&pair.replica.url).rows(there)[0][0] == "1"
    });
    FailOver { scene: &scene, primary: &pair.primary, standby: url }.run(
        || pair.execute("STOP SLAVE"),
        || {
            pair.execute("RESET SLAVE ALL");
            pair.execute("SET GLOBAL read_only = 0");
        },
    );
}
