//! `durability = "async"`: batches whose commits wait for nothing, and stops that wait for the disk.

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, wait_for};
use crate::own_server::OwnServer;
use crate::stopping::{SLOW, Scene};
use crate::test;

/// Less log than any batch of 50 rows writes. Behind a stop the server may write a few records of
/// its own.
const LESS_THAN_A_BATCH: u64 = 3_000;

pub fn trials() -> Vec<Trial> {
    type Check = fn(Engine);
    const HERE: [(&str, Check); 5] = [
        ("batches commit without waiting", without_waiting),
        ("every stop is on disk", every_stop),
        ("a server that is killed loses rows and cursor together", killed),
        ("a server that is killed keeps all that was done without a fence", killed_without_fence),
        ("it needs the fence", fence_needed),
    ];
    const ELSEWHERE: [(&str, Check); 1] = [("it is refused", refused)];
    let each = |engine: Engine| {
        let checks = if engine.family == "postgres" { &HERE[..] } else { &ELSEWHERE };
        checks.iter().map(move |(name, check)| {
            test(format!("durability: {name} on {}", engine.name), move || check(engine))
        })
    };
    available().flat_map(each).collect()
}

fn asynchronous() -> String {
    format!("{SLOW}durability = \"async\"\n")
}

fn without_waiting(engine: Engine) {
    let scene = Scene::new(engine);
    scene.database.script(
        "CREATE TABLE seen (id bigint, commit text);\n\
         CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
         INSERT INTO seen VALUES (NEW.id, current_setting('synchronous_commit')); RETURN NEW; \
         END $$;\n\
         CREATE TRIGGER see AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION see()",
    );
    scene.desk.write("job.toml", &asynchronous());
    let said = scene.desk.call(&["plan", "job.toml"]).expect(0);
    said.says("commit").says("waits for nothing").says("rows and cursor together");
    let running = scene.start();
    running.signal("INT");
    running.wait().expect(3);
    scene.finish();
    let seen = |what: &str| scene.database.value(&format!("SELECT ({what})::text FROM seen"));
    assert_eq!(seen("count(*)"), "10000");
    let on = "FILTER (WHERE commit = 'on')";
    let off = "FILTER (WHERE commit = 'off')";
    assert_eq!(seen(&format!("count(*) {on} + count(*) {off}")), "10000");
    assert_eq!(seen(&format!("count(*) {on} BETWEEN 1 AND 100")), "true", "the last batch");
    assert_eq!(seen(&format!("max(id) {off} < min(id) {on}")), "true", "the last batch");

    // As the role has it, where the job does not say otherwise; but for the end of a range.
    let role = scene.database.login().user;
    for (spec, own, expected) in [
        (SLOW.to_owned(), "on", "on"),
        (SLOW.to_owned(), "local", "local"),
        (SLOW.to_owned(), "off", "off,on"),
        (asynchronous(), "local", "local,off"),
    ] {
        scene.database.script(&format!(
            "TRUNCATE seen;\n\
             ALTER ROLE {role} IN DATABASE {} SET synchronous_commit = {own}",
            scene.database.login().database
        ));
        scene.desk.write("job.toml", &spec.replace("pause    = \"20ms\"", ""));
        let again = ["run", "job.toml", "--again", "--accept-changed-spec"];
        scene.desk.call(&again).expect(0);
        assert_eq!(seen("string_agg(DISTINCT commit, ',' ORDER BY commit)"), sorted(expected));
    }
}

/// A list in the order of its texts.
fn sorted(list: &str) -> String {
    let mut parts: Vec<_> = list.split(',').collect();
    parts.sort_unstable();
    parts.join(",")
}

/// A scene on a server of its own that flushes its log only when it is told to, or every 10 s.
fn lazy_scene(server: &OwnServer, engine: Engine, job: &str) -> Scene {
    let database = Database::on(engine, server.url.clone());
    database.script(
        "ALTER SYSTEM SET wal_writer_delay = '10s';\n\
         ALTER SYSTEM SET wal_writer_flush_after = '1GB';\n\
         ALTER SYSTEM SET autovacuum = off;\n\
         SELECT pg_reload_conf();\n\
         CREATE TABLE t (id {{id}}, a integer);\n\
         INSERT INTO t (a) SELECT NULL FROM numbers WHERE n <= 10000",
    );
    let desk = Desk::at(&database.url);
    desk.write("job.toml", job);
    Scene { database, desk }
}

/// How much of the log is not on disk.
fn unflushed(database: &Database) -> u64 {
    let behind = database.value(
        "SELECT greatest(0, pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn())::bigint",
    );
    behind.parse().unwrap()
}

fn every_stop(engine: Engine) {
    let server = OwnServer::of(engine);
    // Enough batches for all that is done meanwhile.
    let job = asynchronous().replace("= 100", "= 50").replace("20ms", "40ms");
    let scene = lazy_scene(&server, engine, &job);
    let unflushed = || unflushed(&scene.database);
    let is_behind = || wait_for("log that is not on disk", || LESS_THAN_A_BATCH < unflushed());
    let is_flushed = |what: &str| {
        let behind = unflushed();
        assert!(behind < LESS_THAN_A_BATCH, "{what}: {behind} bytes are not on disk");
    };

    scene.start_blocked(|running| {
        is_behind();
        running.signal("INT");
        running.signal("INT");
        running.wait().expect(3);
        is_flushed("cancelled");
    });

    let mut running = scene.start();
    is_behind();
    scene.desk.call(&["pause", "slow"]).expect(0);
    is_flushed("paused");
    scene.desk.call(&["resume", "slow"]).expect(0);
    let batches = scene.desk.status("slow")["batches"].as_u64().unwrap();
    scene.wait_for_batches(&mut running, batches + 2);
    is_behind();
    running.signal("INT");
    running.wait().expect(3);
    is_flushed("stopped");

    scene.desk.write("job.toml", &asynchronous().replace("20ms", "0s"));
    scene.desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
    // Before anybody reads the table: a read may tidy up a page, which is written to the log.
    is_flushed("completed");
    scene.exactly_once();
}

fn killed(engine: Engine) {
    let server = OwnServer::of(engine);
    // Ranges that end early as well as late.
    let job = asynchronous().replace("pause", "workers = 3\npause");
    let scene = lazy_scene(&server, engine, &job);
    let agree = || {
        let sums = "SELECT (SELECT count(*) FROM t WHERE a = 1) || ' ' || \
                    (SELECT sum(rows_changed) FROM backstop_fence)";
        let sums = scene.database.value(sums);
        let (rows, fence) = sums.split_once(' ').unwrap();
        assert_eq!(rows, fence, "rows and cursor commit together");
        rows.parse::<u64>().unwrap()
    };
    let crash = || {
        server.kill();
        assert!(server.restart().wait().unwrap().success(), "the server does not come back");
    };

    // What the journal of a runner that is gone says, and what the server has.
    let running = scene.start();
    running.signal("KILL");
    running.wait().expect(-1);
    crash();
    let said = scene.desk.status("slow")["rows_changed"].as_u64().unwrap();
    println!("{}: {said} rows said, {} there", engine.name, agree());

    // A runner that lives through it, or says that it can go on.
    let running = scene.start();
    crash();
    agree();
    let said = running.wait();
    assert!([0, 3, 4, 5].contains(&said.code), "{said:?}");
    if said.code != 0 {
        assert!(said.err.contains("the job again"), "{said:?}");
        scene.desk.call(&["run", "job.toml"]).expect(0);
    }
    scene.exactly_once();
    assert_eq!(agree(), 10_000);
    crash();
    scene.exactly_once();
}

/// Without a fence the journal alone says how far the job is, and a crash of the server leaves it as
/// it is: so every batch is on disk, also where the role waits for nothing.
fn killed_without_fence(engine: Engine) {
    let server = OwnServer::of(engine);
    let job = CONVERGENT.replace("durability = \"async\"", "max_rows = 100\npause = \"20ms\"");
    let scene = lazy_scene(&server, engine, &job);
    let login = scene.database.login();
    scene.database.script(&format!(
        "ALTER ROLE {} IN DATABASE {} SET synchronous_commit = off",
        login.user, login.database
    ));
    let running = scene.start();
    running.signal("KILL");
    running.wait().expect(-1);
    server.kill();
    assert!(server.restart().wait().unwrap().success(), "the server does not come back");
    let said = scene.desk.status("slow")["rows_changed"].as_u64().unwrap();
    let there: u64 = scene.database.value("SELECT count(*) FROM t WHERE a = 1").parse().unwrap();
    assert!(0 < said && said <= there, "{said} rows said, {there} there");
    scene.desk.call(&["run", "job.toml"]).expect(0);
    scene.exactly_once();
}

const CONVERGENT: &str = r#"
[job]
name = "slow"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { a = "1" }
fence = false

[batch]
durability = "async"
"#;

fn fence_needed(engine: Engine) {
    let scene = Scene::new(engine);
    scene.desk.write("job.toml", CONVERGENT);
    for command in ["plan", "run"] {
        let said = scene.desk.call(&[command, "job.toml"]).expect(2);
        let said = said.says("`durability = \"async\"` in [batch] cannot be had here");
        said.says("without the fence").says("take `durability` out of [batch]");
    }
    scene.desk.write("job.toml", &CONVERGENT.replace("fence = false", ""));
    scene.desk.call(&["run", "job.toml"]).expect(0);
    scene.exactly_once();
}

fn refused(engine: Engine) {
    let scene = Scene::new(engine);
    scene.desk.write("job.toml", &asynchronous());
    let reason = if engine.family == "sqlite" {
        "`synchronous` decides there"
    } else {
        "`innodb_flush_log_at_trx_commit` is there for the whole server"
    };
    for command in ["plan", "run"] {
        let said = scene.desk.call(&[command, "job.toml"]).expect(2);
        let said = said.says("`durability = \"async\"` in [batch] cannot be had here");
        said.says(reason).says("take `durability` out of [batch]");
    }
    assert_eq!(scene.database.value("SELECT count(*) FROM t WHERE a = 1"), "0");
}
