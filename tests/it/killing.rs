//! Killing for good, and halting by SQL: on every engine, with the real binary.

use std::io::Read as _;
use std::net::TcpListener;
use std::time::Duration;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Running, wait_for};
use crate::stopping::{SLOW, Scene};
use crate::test;

type Check = fn(Engine);

const EVERYWHERE: [(&str, Check); 13] = [
    ("a killed job stays killed through a crash loop until it is released", latched),
    ("a job without a runner", without_runner),
    ("a runner that died", dead_runner),
    ("a finished job", finished),
    ("all jobs of a journal", all_of_a_journal),
    ("from a host without a journal", by_target),
    ("all jobs of a target", all_of_a_target),
    ("a target that is wrong", wrong_target),
    ("a halt by SQL, deleted by hand", halted_by_sql),
    ("a halt by SQL of everything, lifted by hand", halted_with_all),
    ("a kill of a job under a halt of everything", killed_under_a_halt_of_all),
    ("a halt by SQL while paused", halted_while_paused),
    ("a halt by SQL while verifying", halted_while_verifying),
];

const ON_SERVERS: [(&str, Check); 3] = [
    ("a session that is ended on the server", terminated),
    ("with every slot of the server taken", no_slot),
    ("while connecting", connecting),
];

pub fn trials() -> Vec<Trial> {
    let each = |engine: Engine| {
        let servers = engine.url_env.is_some().then_some(ON_SERVERS).into_iter().flatten();
        EVERYWHERE.into_iter().chain(servers).map(move |(name, check)| {
            test(format!("killing: {name} on {}", engine.name), move || check(engine))
        })
    };
    available().flat_map(each).collect()
}

/// How many halts of that scope stand.
fn halts(database: &Database, scope: &str) -> String {
    database.value(&format!(
        "SELECT count(*) FROM backstop_switch WHERE scope = '{scope}' AND released_at IS NULL"
    ))
}

fn written(database: &Database) -> String {
    database.value("SELECT count(*) FROM t WHERE a = 1")
}

/// The last event of a kind.
fn event(status: &Value, kind: &str) -> Value {
    let events = status["events"].as_array().unwrap();
    let found = events.iter().rev().find(|event| event["kind"] == kind);
    found.unwrap_or_else(|| panic!("no event `{kind}`: {status:#}")).clone()
}

/// Somebody with another journal, who knows the URL as `DB`.
pub fn stranger(database: &Database) -> Desk {
    Desk::new().set("DB", &database.url).set("USER", "oncall")
}

fn latched(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    scene.desk.call(&["kill", "slow", "--reason", "page 1234"]).expect(0).says("slow is killed");
    running.wait().expect(4).says("page 1234");
    assert_eq!(halts(&scene.database, "slow"), "1");
    let status = scene.desk.status("slow");
    assert_eq!(status["state"], "killed", "{status}");
    assert_eq!(status["latch"]["reason"], "page 1234", "{status}");
    assert!(status["latch"]["halt"].is_number(), "{status}");
    let latched = event(&status, "latched");
    assert_eq!(latched["data"]["by"], status["latch"]["by"], "{latched}");
    let before = written(&scene.database);
    for _ in 0..10 {
        let said = scene.desk.call(&["run", "job.toml"]).expect(4);
        let said = said.says("job `slow` was killed by").says("(page 1234)");
        said.says("`backstop release slow --reason TEXT`");
    }
    assert_eq!(written(&scene.database), before);

    scene.desk.call(&["release", "slow"]).expect(2).says("--reason");
    scene.desk.call(&["release", "slow", "--reason", " "]).expect(2).says("`--reason` is empty");
    assert_eq!(halts(&scene.database, "slow"), "1");
    scene.desk.call(&["release", "slow", "--reason", "mended"]).expect(0).says("may run again");
    assert_eq!(halts(&scene.database, "slow"), "0");
    let status = scene.desk.status("slow");
    assert_eq!(status["state"], "stopped", "{status}");
    let released = event(&status, "released");
    assert_eq!(released["data"]["reason"], "mended", "{released}");
    assert_eq!(released["data"]["by"], latched["data"]["by"], "{released}");
    scene.desk.call(&["release", "slow", "--reason", "again"]).expect(1).says("no kill of job");

    // The halt in the target holds whoever lost the journal, and whoever never had it.
    let running = scene.start();
    scene.desk.call(&["kill", "slow", "--reason", "page 5678"]).expect(0);
    running.wait().expect(4);
    std::fs::remove_dir_all(scene.desk.path(".backstop")).unwrap();
    let other = Desk::at(&scene.database.url);
    other.write("job.toml", SLOW);
    for desk in [&scene.desk, &other] {
        for _ in 0..2 {
            let said = desk.call(&["run", "job.toml"]).expect(4).says("(page 5678)");
            said.says("`backstop release slow --target DATABASE_URL --reason TEXT`");
        }
    }
    let release = ["release", "slow", "--target", "DATABASE_URL", "--reason", "mended"];
    other.call(&release).expect(0).says("may run again");
    scene.finish();
    let status = scene.desk.status("slow");
    assert_eq!(event(&status, "released")["data"]["reason"], "mended", "{status}");
}

fn without_runner(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    running.signal("INT");
    running.wait().expect(3);
    let said = scene.desk.call(&["kill", "slow", "--reason", "not tonight"]).expect(0);
    said.says("slow is killed").says("it is halted in the target").says("no session was at work");
    assert_eq!(halts(&scene.database, "slow"), "1");
    scene.desk.call(&["run", "job.toml"]).expect(4).says("(not tonight)");
    // A second kill is no second halt to lift.
    scene.desk.call(&["kill", "slow", "--reason", "really"]).expect(0);
    scene.desk.call(&["release", "slow", "--reason", "morning"]).expect(0);
    assert_eq!(halts(&scene.database, "slow"), "0");
    scene.desk.call(&["kill", "nobody"]).expect(2).says("knows no job `nobody`; it knows `slow`");
    scene.desk.call(&["release", "nobody", "--reason", "x"]).expect(2).says("knows no job");
    scene.finish();
}

fn dead_runner(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    running.signal("KILL");
    running.wait().expect(-1);
    scene.desk.call(&["kill", "slow"]).expect(0).says("slow is killed").says("is halted");
    assert_eq!(halts(&scene.database, "slow"), "1");
    let status = scene.desk.status("slow");
    assert_eq!(status["runner_alive"], Value::Null, "{status}");
    scene.desk.call(&["run", "job.toml"]).expect(4).says("was killed by");
    scene.desk.call(&["release", "slow", "--reason", "it was a crash"]).expect(0);
    scene.finish();
}

fn finished(engine: Engine) {
    let scene = Scene::new(engine);
    let quick = SLOW.replace("pause    = \"20ms\"", "");
    scene.desk.write("job.toml", &quick);
    scene.desk.call(&["run", "job.toml"]).expect(0);
    scene.desk.call(&["kill", "slow", "--reason", "never again"]).expect(0).says("is completed");
    for arguments in [&["run", "job.toml"][..], &["run", "job.toml", "--again"]] {
        scene.desk.call(arguments).expect(4).says("(never again)");
    }
    assert_eq!(scene.desk.status("slow")["state"], "completed");
    scene.desk.call(&["release", "slow", "--reason", "once more"]).expect(0);
    assert_eq!(scene.desk.status("slow")["state"], "completed");
    scene.desk.call(&["run", "job.toml"]).expect(0).says("was finished before");
    scene.exactly_once();
}

fn all_of_a_journal(engine: Engine) {
    let scene = Scene::new(engine);
    let desk = &scene.desk;
    let id = if engine.family == "postgres" { "SELECT id, a FROM t" } else { "SELECT * FROM t" };
    scene
        .database
        .script(&format!("CREATE TABLE u (id {{{{id}}}}, a integer);\nINSERT INTO u (id, a) {id}"));
    // Slow enough that both still run when the last command comes.
    let named = |name: &str| SLOW.replace("\"slow\"", &format!("{name:?}")).replace("100", "20");
    desk.write("job.toml", &named("slow"));
    desk.write("other.toml", &named("other").replace("\"t\"", "\"u\""));
    desk.write("third.toml", &named("third"));
    let start = || {
        let first = scene.start();
        let before = desk.call(&["status", "other", "--json"]);
        let before: Value = serde_json::from_str(&before.out).unwrap_or_default();
        let before = before["batches"].as_u64().unwrap_or(0);
        let mut second = desk.start(&["run", "other.toml"]);
        desk.wait_until(&mut second, "other", |now| before < now["batches"].as_u64().unwrap_or(0));
        [first, second]
    };
    let states = || ["slow", "other"].map(|job| desk.status(job)["state"].clone());
    let both = start();
    desk.call(&["pause", "--all"]).expect(0);
    assert_eq!(states(), ["paused", "paused"]);
    desk.call(&["resume", "--all"]).expect(0);
    assert_eq!(states(), ["running", "running"]);
    desk.call(&["stop", "--all"]).expect(0);
    for running in both {
        running.wait().expect(3);
    }
    assert_eq!(states(), ["stopped", "stopped"]);
    desk.call(&["stop", "--all"]).expect(1).says("no job of this journal is running");

    let both = start();
    let said = desk.call(&["kill", "--all", "--reason", "all hands"]).expect(0);
    said.says("slow is killed").says("other is killed").says("backstop release --all");
    for running in both {
        running.wait().expect(4).says("all hands");
    }
    assert_eq!(states(), ["killed", "killed"]);
    for spec in ["job.toml", "other.toml", "third.toml"] {
        let said = desk.call(&["run", spec]).expect(4).says("(all hands)");
        said.says("`backstop release --all --reason TEXT`");
    }
    desk.call(&["status", "slow"]).expect(0).says("backstop release --all --reason TEXT, then");
    let said = desk.call(&["release", "slow", "--reason", "only this"]).expect(1);
    said.says("every job of this journal was killed by").says("backstop release --all --reason");
    desk.call(&["run", "job.toml"]).expect(4).says("`backstop release --all --reason TEXT`");
    desk.call(&["release", "--all", "--reason", "all clear"]).expect(0).says("every job may run");
    desk.call(&["run", "other.toml"]).expect(0);
    assert_eq!(scene.database.value("SELECT count(*) FROM u WHERE a = 1"), "10000");
    scene.finish();
    desk.call(&["run", "third.toml", "--dry-run"]).expect(0);
}

fn by_target(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    let oncall = stranger(&scene.database);
    let kill = ["kill", "slow", "--target", "DB", "--reason", "page 9"];
    oncall.call(&kill).expect(0).says("job `slow` is halted in the target");
    let said = running.wait().expect(4).says("killed by oncall@").says("page 9");
    assert!(!said.err.contains("error:"), "{}", said.err);
    let status = scene.desk.status("slow");
    assert_eq!(status["state"], "killed", "{status}");
    assert!(status["latch"]["by"].as_str().unwrap().starts_with("oncall@"), "{status}");
    scene.desk.call(&["run", "job.toml"]).expect(4).says("killed by oncall@");
    let release = ["release", "slow", "--target", "DB", "--reason", "slept"];
    oncall.call(&release).expect(0).says("job `slow` may run again");
    oncall.call(&release).expect(1).says("no kill of job `slow` stood");
    scene.finish();
    let released = event(&scene.desk.status("slow"), "released");
    assert!(released["data"]["by"].as_str().unwrap().starts_with("oncall@"), "{released}");

    // A job that only the target knows as killed is released from its journal as well.
    oncall.call(&kill).expect(0);
    scene.desk.call(&["release", "slow", "--reason", "done anyway"]).expect(0);
    assert_eq!(halts(&scene.database, "slow"), "0");
}

fn all_of_a_target(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    let oncall = stranger(&scene.database);
    oncall.call(&["kill", "--all", "--target", "DB"]).expect(0).says("every job is halted");
    running.wait().expect(4).says("killed by oncall@");
    let said = scene.desk.call(&["run", "job.toml"]).expect(4);
    said.says("`backstop release --all --target DATABASE_URL --reason TEXT`");
    let said = scene.desk.call(&["release", "slow", "--reason", "mine"]).expect(1);
    said.says("every job on").says("was halted by oncall@").says("release --all --target");
    let said = oncall.call(&["release", "slow", "--target", "DB", "--reason", "mine"]).expect(1);
    said.says("release --all --target URL_ENV");
    scene.desk.call(&["run", "job.toml"]).expect(4);
    oncall.call(&["release", "--all", "--target", "DB", "--reason", "slept"]).expect(0);
    scene.finish();
}

fn wrong_target(engine: Engine) {
    let database = Database::new(engine);
    let oncall = stranger(&database);
    for verb in ["kill", "release"] {
        let call = |env: &str| oncall.call(&[verb, "slow", "--target", env, "--reason", "x"]);
        call("NOT_SET").expect(2).says("the environment variable `NOT_SET` is not set");
        call("DB").expect(2).says("no job with a fence has run there");
    }
    let lost = Desk::new().set("DB", "oracle://somewhere");
    lost.call(&["kill", "--all", "--target", "DB"]).expect(2).says("unknown scheme");
    oncall.call(&["kill", "slow"]).expect(2).says("no journal found");
}

/// Halts by plain SQL; no batch commits after that.
fn halt(scene: &Scene, running: Running, scope: &str) {
    let insert = format!("INSERT INTO backstop_switch (scope) VALUES ('{scope}')");
    scene.database.script(&insert);
    let at_halt = written(&scene.database);
    let selector = if scope == "*" { "--all --target URL_ENV" } else { scope };
    let next = format!("when it may go on: backstop release {selector} --reason TEXT, then ");
    running.wait().expect(4).says("by somebody, in SQL").says(&next);
    scene.desk.call(&["status", "slow"]).expect(0).says(&next);
    let after = written(&scene.database);
    if scene.database.engine.family == "sqlite" {
        // The file has one writer: whoever wrote the halt was between two batches.
        assert_eq!(after, at_halt);
    }
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(written(&scene.database), after);
    let fence = "SELECT CAST(sum(rows_changed) AS CHAR(20)) FROM backstop_fence";
    assert_eq!(scene.database.value(fence).trim(), after, "rows and cursor commit together");
}

fn halted_by_sql(engine: Engine) {
    let scene = Scene::new(engine);
    if engine.family == "sqlite" {
        halt(&scene, scene.start(), "slow");
    } else {
        scene.start_blocked(|running| {
            halt(&scene, running, "slow");
            let blocked = "SELECT count(*) FROM t WHERE id BETWEEN 5000 AND 5010 AND a = 1";
            assert_eq!(scene.database.value(blocked), "0", "the batch in flight did not commit");
        });
    }
    let said = scene.desk.call(&["run", "job.toml"]).expect(4);
    said.says("was killed by somebody, in SQL (halt 1)");
    scene.database.script("DELETE FROM backstop_switch WHERE scope = 'slow'");
    scene.finish();
    let status = scene.desk.status("slow");
    let released = event(&status, "released");
    assert_eq!(released["data"]["by"], "an unknown", "{released}");
    assert_eq!(released["data"]["reason"], "halt 1 was deleted in the target", "{released}");
}

fn halted_with_all(engine: Engine) {
    let scene = Scene::new(engine);
    halt(&scene, scene.start(), "*");
    scene.desk.call(&["run", "job.toml"]).expect(4).says("release --all --target DATABASE_URL");
    scene.database.script("UPDATE backstop_switch SET released_at = CURRENT_TIMESTAMP");
    scene.finish();
    let released = event(&scene.desk.status("slow"), "released");
    assert_eq!(released["data"]["by"], "an unknown", "{released}");
}

/// A kill of the job outlives the halt of everything that was there before it.
fn killed_under_a_halt_of_all(engine: Engine) {
    let scene = Scene::new(engine);
    halt(&scene, scene.start(), "*");
    scene.desk.call(&["kill", "slow", "--reason", "it is wrong"]).expect(0);
    let lift = "UPDATE backstop_switch SET released_at = CURRENT_TIMESTAMP WHERE scope = '*'";
    scene.database.script(lift);
    let said = scene.desk.call(&["run", "job.toml"]).expect(4);
    said.says("`backstop release slow --reason TEXT`");
    scene.desk.call(&["release", "slow", "--reason", "it is right"]).expect(0);
    scene.finish();
}

fn halted_while_paused(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    scene.desk.call(&["pause", "slow"]).expect(0);
    halt(&scene, running, "slow");
    assert_eq!(scene.desk.status("slow")["state"], "killed");
    scene.desk.call(&["release", "slow", "--reason", "it was I"]).expect(0);
    scene.finish();
}

fn halted_while_verifying(engine: Engine) {
    let scene = Scene::new(engine);
    let verified = |batch: &str| {
        format!(
            "{}\n[verify]\nexpect = \"a = 1\"\n",
            SLOW.replace("max_rows = 100\npause    = \"20ms\"", batch)
        )
    };
    scene.desk.write("job.toml", &verified("max_rows = 5000"));
    scene.desk.call(&["run", "job.toml"]).expect(0);
    scene.desk.write("job.toml", &verified("max_rows = 10\npause = \"20ms\""));
    let mut running = scene.desk.start(&["run", "job.toml", "--accept-changed-spec"]);
    scene.desk.wait_until(&mut running, "slow", |status| status["verifying"] == true);
    scene.database.script("INSERT INTO backstop_switch (scope, who) VALUES ('slow', 'dba')");
    running.wait().expect(4).says("every row is written").says("by dba");
    scene.desk.call(&["run", "job.toml"]).expect(4).says("was killed by dba");
    scene.database.script("DELETE FROM backstop_switch");
    scene.desk.write("job.toml", &verified("max_rows = 5000"));
    scene.desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0).says("verified");
    scene.exactly_once();
}

/// The session that runs a statement which begins so.
pub fn session_at(database: &Database, statement: &str) -> String {
    database.value(&if database.engine.family == "postgres" {
        format!(
            "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() \
             AND query LIKE '{statement}' AND state = 'active' AND pid <> pg_backend_pid()"
        )
    } else {
        format!(
            "SELECT CAST(id AS CHAR) FROM information_schema.processlist WHERE db = database() \
             AND info LIKE '{statement}' AND id <> connection_id()"
        )
    })
}

/// Batches of two seconds, so that a statement of theirs can be met.
fn lengthy(scene: &Scene) {
    let one = match scene.database.engine.family {
        "postgres" => "CASE WHEN pg_sleep(0.02) IS NULL THEN 0 ELSE 1 END",
        _ => "1 + sleep(0.02)",
    };
    let batch = "[batch]\ntarget_time = \"60s\"";
    let spec = SLOW.replace("+ 1\"", &format!("+ {one}\"")).replace("[batch]", batch);
    scene.desk.write("job.toml", &spec);
}

const WRITE: &str = "%UPDATE%SET%a%coalesce%";

fn end_session(database: &Database, session: &str) {
    if database.engine.family == "postgres" {
        database.value(&format!("SELECT pg_terminate_backend({session})::text"));
    } else {
        database.script(&format!("KILL {session}"));
    }
}

fn terminated(engine: Engine) {
    let scene = Scene::new(engine);
    lengthy(&scene);
    let mut running = scene.desk.start(&["run", "job.toml"]);
    let mut session = String::new();
    // A session that is ended between two statements looks like one that was lost, and is replaced:
    // on a machine that is busy with others, the write may be over before the word arrives.
    for _ in 0..10 {
        wait_for("a write", || {
            session = session_at(&scene.database, WRITE);
            !session.is_empty()
        });
        let before = scene.desk.status("slow")["batches"].as_u64().unwrap();
        end_session(&scene.database, &session);
        scene.desk.wait_until(&mut running, "slow", |status| {
            status["state"] == "paused" || before + 2 <= status["batches"].as_u64().unwrap()
        });
        if scene.desk.status("slow")["state"] == "paused" {
            break;
        }
    }
    let status = scene.desk.status("slow");
    assert_eq!(status["state"], "paused", "{status}");
    assert!(status["reason"].as_str().unwrap().contains("the batch was ended there"), "{status}");
    let batches = status["batches"].as_u64().unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(scene.desk.status("slow")["batches"], batches, "it is not tried again");
    scene.desk.call(&["resume", "slow"]).expect(0);
    scene.wait_for_batches(&mut running, batches + 1);
    let now = session_at(&scene.database, WRITE);
    assert_ne!(now, session, "it goes on in another session");
    scene.desk.call(&["stop", "slow"]).expect(0);
    running.wait().expect(3);
    scene.desk.write("job.toml", SLOW);
    scene.desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
    scene.exactly_once();
}

/// A kill needs no new connection: the one that cancels was opened beforehand.
fn no_slot(engine: Engine) {
    let scene = Scene::new(engine);
    lengthy(&scene);
    let login = scene.database.login();
    let name = format!("few_{}", login.database.trim_start_matches("bt_"));
    let (create, limit, drop) = if engine.family == "postgres" {
        (
            format!(
                "CREATE ROLE {name} LOGIN PASSWORD 'h0ney';\n\
                 GRANT ALL ON ALL TABLES IN SCHEMA public TO {name};\n\
                 GRANT ALL ON SCHEMA public TO {name}"
            ),
            format!("ALTER ROLE {name} CONNECTION LIMIT 1"),
            format!("DROP OWNED BY {name};\nDROP ROLE {name}"),
        )
    } else {
        let limit = if engine.name == "mariadb" {
            format!("GRANT USAGE ON *.* TO '{name}'@'%' WITH MAX_USER_CONNECTIONS 1")
        } else {
            format!("ALTER USER '{name}'@'%' WITH MAX_USER_CONNECTIONS 1")
        };
        (
            format!(
                "CREATE USER '{name}'@'%' IDENTIFIED BY 'h0ney';\n\
                 GRANT ALL ON {}.* TO '{name}'@'%'",
                login.database
            ),
            limit,
            format!("DROP USER '{name}'@'%'"),
        )
    };
    scene.database.script(&create);
    let mut url = url::Url::parse(&scene.database.url).unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("h0ney")).unwrap();
    let desk = Desk::at(url.as_str());
    desk.write("job.toml", &std::fs::read_to_string(scene.desk.path("job.toml")).unwrap());
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "slow", |status| 1 <= status["batches"].as_u64().unwrap_or(0));
    scene.database.script(&limit);
    wait_for("a write", || !session_at(&scene.database, WRITE).is_empty());
    let killed = desk.call(&["kill", "slow", "--json"]);
    let said = running.wait();
    let left = session_at(&scene.database, WRITE);
    let status = desk.status("slow");
    // It halted the target through that connection as well.
    let halted = halts(&scene.database, "slow");
    scene.database.script(&drop);
    assert_eq!(halted, "1");
    let said = said.expect(4).says("killed by");
    assert!(!said.err.contains("h0ney"), "{}", said.err);
    assert_eq!(left, "", "no statement is running");
    let killed: Value = serde_json::from_str(&killed.expect(0).out).unwrap();
    assert_eq!(killed["reached"], true, "{killed}");
    assert_eq!(killed["job"]["state"], "killed", "{killed}");
    let cancel = event(&status, "cancel_sent");
    assert_eq!(cancel["data"]["how"], "cancel", "{cancel}");
}

/// A server that accepts and says nothing.
fn connecting(engine: Engine) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut clients: Vec<_> = Vec::new();
        for client in listener.incoming() {
            let client = client.unwrap();
            let mut heard = client.try_clone().unwrap();
            clients.push(client);
            std::thread::spawn(move || {
                let mut buffer = [0; 1024];
                while let Ok(1..) = heard.read(&mut buffer) {}
            });
        }
    });
    let url = format!("{}://somebody:h0ney@{address}/shop", engine.family);
    let desk = Desk::at(&url);
    desk.write("job.toml", SLOW);
    for (verb, code, state) in [("stop", 3, "queued"), ("kill", 4, "killed")] {
        let mut running = desk.start(&["run", "job.toml"]);
        desk.wait_until(&mut running, "slow", |status| status["runner_alive"] == true);
        // A second one, which connects as well, does not take the command away from the first.
        let second = desk.start(&["run", "job.toml"]);
        std::thread::sleep(Duration::from_millis(300));
        desk.call(&[verb, "slow"]).expect(0);
        running.wait().expect(code).says("before the first batch by").says("nothing was written");
        second.signal("INT");
        second.wait().expect(3);
        let status = desk.status("slow");
        assert_eq!(status["state"], state, "{status}");
        assert_eq!(status["runner_alive"], Value::Null, "{status}");
    }
    desk.call(&["run", "job.toml"]).expect(4).says("was killed by");
    desk.call(&["release", "slow", "--reason", "the server is back"]).expect(0);
    assert_eq!(desk.status("slow")["state"], "stopped");
}
