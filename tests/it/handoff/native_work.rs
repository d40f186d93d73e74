//! PostgreSQL's own path, run beside an application.

use std::time::{Duration, Instant};

use backstop::event::HandoffState;
use backstop::handoff::work::{Ending, Refused};
use backstop::target::Statement;
use libtest_mimic::Trial;

use super::rig::{Rig, Writer};
use crate::database::{Database, Engine, available, execute, open};
use crate::own_server::OwnServer;
use crate::test;

/// No statement is to be left on the server for longer, after a stop or a kill.
const GONE_WITHIN: Duration = Duration::from_secs(5);

type Proof = (&'static str, fn(Engine));

const PROOFS: &[Proof] = &[
    ("each kind of statement", every_kind),
    ("a reader in front of an ALTER", behind_a_reader),
    ("a build that is cancelled", cancelled_build),
    ("an index that is not valid", invalid_index),
    ("a unique index on duplicates", duplicates),
    ("paused and resumed", paused),
    ("stopped and killed in each phase", ended_in_each_phase),
    ("taken up after the process is gone", taken_up),
    ("an index of a partitioned table", partitioned),
    ("a partition attached", attached),
    ("a partition that is half detached", half_detached),
    ("a server that is restarted", restarted),
];

const RAW: &[Proof] = &[
    ("behind an open transaction", raw_behind_a_transaction),
    ("paused, stopped and killed", raw_ended),
];

pub fn trials() -> Vec<Trial> {
    let of = |engine: Engine| {
        let proofs = match engine.family {
            "postgres" => PROOFS,
            "mysql" => RAW,
            _ => &[],
        };
        proofs.iter().map(move |(what, proof)| {
            test(format!("handoff: native work on {}: {what}", engine.name), move || proof(engine))
        })
    };
    available().flat_map(of).collect()
}

/// What a writer may meet: a queue behind a statement of ours for half a second, on a busy machine.
const STALL: Duration = Duration::from_secs(1);

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b text);\nINSERT INTO t SELECT n, n, 'x' || n \
                     FROM numbers";

/// What a reader does, whom an ALTER waits for.
const READ: &str = "SELECT count(*) FROM t";

/// What a writer does, whom a build waits for as well; the writer beside has other rows.
const HOLD: &str = "UPDATE t SET a = a WHERE id = 20000";

/// Whether there is an index that is not valid.
fn invalid(rig: &Rig) -> String {
    rig.database.value(
        "SELECT string_agg(indexrelid::regclass::text, ' ') FROM pg_index WHERE NOT indisvalid",
    )
}

fn every_kind(engine: Engine) {
    let rig = Rig::new(
        engine,
        &format!(
            "{TABLE};\nCREATE TABLE u (id int PRIMARY KEY);\nINSERT INTO u SELECT id FROM t;\nCREATE TABLE \
             p (id int) PARTITION BY RANGE (id);\nCREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9)"
        ),
    );
    let writer = Writer::new(&rig);
    for (sql, proof) in [
        (
            "ALTER TABLE t ADD COLUMN c int",
            "SELECT count(*)::text FROM pg_attribute WHERE attname = 'c' AND attrelid = 't'::regclass",
        ),
        (
            "CREATE INDEX t_b ON t (b DESC) WHERE a > 0",
            "SELECT count(*)::text FROM pg_index WHERE indexrelid = 't_b'::regclass AND indisvalid",
        ),
        (
            "CREATE INDEX ON t (b, a)",
            "SELECT count(*)::text FROM pg_index WHERE indexrelid = 't_b_a_idx'::regclass AND indisvalid",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT positive CHECK (a > -1)",
            "SELECT count(*)::text FROM pg_constraint WHERE conname = 'positive' AND convalidated",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT refers FOREIGN KEY (id) REFERENCES u (id)",
            "SELECT count(*)::text FROM pg_constraint WHERE conname = 'refers' AND convalidated",
        ),
        (
            "ALTER TABLE t ALTER COLUMN b SET NOT NULL, ADD CONSTRAINT once UNIQUE (b)",
            "SELECT count(*)::text FROM pg_constraint WHERE conname = 'once' AND convalidated",
        ),
        (
            "ALTER TABLE t ALTER COLUMN a SET DEFAULT 6 * 7, ALTER COLUMN b DROP DEFAULT",
            "SELECT count(*)::text FROM pg_attrdef WHERE adrelid = 't'::regclass AND adbin IS NOT NULL",
        ),
        (
            "ALTER TABLE t RENAME COLUMN c TO d",
            "SELECT count(*)::text FROM pg_attribute WHERE attname = 'd' AND attrelid = 't'::regclass",
        ),
        (
            "ALTER TABLE t DROP COLUMN d",
            "SELECT (1 - count(*))::text FROM pg_attribute WHERE attname = 'd' AND attrelid = 't'::regclass",
        ),
        (
            "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY",
            "SELECT (1 - count(*))::text FROM pg_inherits WHERE inhparent = 'p'::regclass",
        ),
    ] {
        let plan = rig.plan(sql);
        let look = rig.start(&plan).done();
        assert_eq!(rig.database.value(proof), "1", "{sql}: {look:?}");
        // What is there is not done again.
        let look = rig.start(&plan).done();
        assert_eq!(rig.database.value(proof), "1", "{sql}: {look:?}");
    }
    let suffered = writer.end();
    assert!(suffered.longest() < STALL, "{suffered:?}");
    assert_eq!(invalid(&rig), "NULL");
}

/// Cut off while it waits for a reader, a DETACH CONCURRENTLY has begun and not ended; whoever comes next ends it.
fn half_detached(engine: Engine) {
    let rig = Rig::new(
        engine,
        "CREATE TABLE p (id int) PARTITION BY RANGE (id);\n\
         CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);\nINSERT INTO p VALUES (1)",
    );
    let detach = "ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY";
    let plan = rig.plan(detach);
    let reader = rig.holder("SELECT count(*) FROM p");
    let cut_off = rig.runtime.block_on(async {
        let mut session = open(&rig.database.url).await;
        execute(session.as_mut(), "SET statement_timeout = '1s'").await;
        let cut_off = session.execute(&Statement::plain(detach)).await;
        session.close().await;
        cut_off
    });
    assert_eq!(cut_off.unwrap_err().code.as_deref(), Some("57014"));
    let pending =
        "SELECT coalesce(string_agg(inhdetachpending::text, ''), 'none') FROM pg_inherits";
    assert_eq!(rig.database.value(pending), "true");
    drop(reader);
    rig.start(&plan).done();
    assert_eq!(rig.database.value(pending), "none");
    assert_eq!(rig.database.value("SELECT count(*)::text FROM p1"), "1");
    // What is there is not done again.
    rig.start(&plan).done();
}

fn behind_a_reader(engine: Engine) {
    let rig = Rig::new(engine, TABLE);
    let writer = Writer::new(&rig);
    let reader = rig.holder(READ);
    let mut running = rig.begin("ALTER TABLE t ADD COLUMN c int");
    let waiting = running.until("its lock", |look| {
        look.progress.waits_for.as_ref().is_some_and(|whom| whom.contains("session"))
    });
    assert_eq!(waiting.progress.state, HandoffState::Throttled, "{waiting:?}");
    running.until("attempts", |look| look.progress.attempts > 1);
    std::thread::sleep(Duration::from_secs(1));
    drop(reader);
    let look = running.done();
    let step = look.progress.step.unwrap();
    assert!(look.progress.attempts > 1 && step.contains("nobody waited longer than"), "{step}");
    let suffered = writer.end();
    assert!(suffered.longest() < STALL, "{suffered:?}");
}

/// Somebody else's cancel: what is left is dropped, it stands still and says so, and goes on when it is
/// told to.
fn cancelled_build(engine: Engine) {
    let rig = Rig::new(engine, TABLE);
    let writer = Writer::new(&rig);
    let holder = rig.holder(HOLD);
    let mut running = rig.begin("CREATE INDEX IF NOT EXISTS t_b ON t (b)");
    let look = running.until("the wait", |look| look.progress.state == HandoffState::Throttled);
    assert!(look.progress.waits_for.unwrap().contains("session"));
    let number = rig.wait_at_work("CREATE INDEX");
    rig.database.value(&format!("SELECT pg_cancel_backend({number})::text"));
    let look = running.until_state(HandoffState::Paused);
    assert!(look.progress.waits_for.unwrap().contains("somebody else has cancelled"));
    // What was left is named where its drop would wait for the same transaction.
    let left = running.look().progress.waits_for.unwrap();
    assert_eq!(invalid(&rig) == "NULL", !left.contains("DROP INDEX"), "{left}");
    // And so for somebody else's end of its session.
    running.ask(|work| work.resume()).unwrap();
    let number = rig.wait_at_work("INDEX CONCURRENTLY");
    rig.database.value(&format!("SELECT pg_terminate_backend({number})::text"));
    let look = running.until_state(HandoffState::Paused);
    assert!(look.progress.waits_for.unwrap().contains("somebody else has ended its session"));
    drop(holder);
    running.ask(|work| work.resume()).unwrap();
    running.done();
    assert_eq!(invalid(&rig), "NULL");
    assert_eq!(
        rig.database
            .value("SELECT indisvalid::text FROM pg_index WHERE indexrelid = 't_b'::regclass"),
        "true"
    );
    writer.end();
}

fn invalid_index(engine: Engine) {
    let rig = Rig::new(engine, TABLE);
    let make_invalid = || {
        rig.database
            .plainly("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 't_b'::regclass");
    };
    // Behind a plan that was made before it became so.
    let plan = rig.plan("CREATE INDEX CONCURRENTLY IF NOT EXISTS t_b ON t (b)");
    rig.database.plainly("CREATE INDEX t_b ON t (b)");
    make_invalid();
    rig.start(&plan).done();
    assert_eq!(invalid(&rig), "NULL");
    // And in the plan itself.
    make_invalid();
    let plan = rig.plan("CREATE INDEX CONCURRENTLY IF NOT EXISTS t_b ON t (b)");
    let drop = plan.steps.iter().filter_map(|step| step.sql.as_deref());
    assert_eq!(drop.filter(|sql| *sql == "DROP INDEX CONCURRENTLY t_b").count(), 1);
    rig.start(&plan).done();
    assert_eq!(invalid(&rig), "NULL");
    // One of another definition is no index of ours, and stays.
    rig.database.plainly("DROP INDEX t_b;\nCREATE INDEX t_b ON t (a)");
    let said = rig.start(&plan).ended();
    assert!(said.contains("another index of the name `t_b`") && said.contains("(a)"), "{said}");
    assert_eq!(
        rig.database.value(
            "SELECT count(*)::text FROM pg_indexes WHERE indexname = 't_b' AND indexdef LIKE '%(a)'"
        ),
        "1"
    );
}

fn duplicates(engine: Engine) {
    let rig = Rig::new(engine, TABLE);
    rig.database.plainly("UPDATE t SET b = 'twice' WHERE id IN (7, 8, 9)");
    let mut running = rig.begin("CREATE UNIQUE INDEX t_b ON t (b)");
    let said = running.ended();
    assert!(said.contains("twice (3 times)"), "{said}");
    assert_eq!(running.look().progress.state, HandoffState::Failed);
    assert_eq!(
        rig.database.value("SELECT count(*)::text FROM pg_class WHERE relname = 't_b'"),
        "0"
    );
}

fn paused(engine: Engine) {
    let rig = Rig::new(engine, TABLE);
    let writer = Writer::new(&rig);
    // While it waits for a lock.
    let reader = rig.holder(READ);
    let plan = rig.plan("ALTER TABLE t ADD COLUMN c int, ADD CONSTRAINT k CHECK (a > -1)");
    let mut running = rig.start(&plan);
    running.until_state(HandoffState::Throttled);
    running.ask(|work| work.pause()).unwrap();
    assert!(rig.at_work().is_empty());
    let before = running.look().progress;
    assert_eq!(before.state, HandoffState::Paused);
    drop(reader);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(running.look().progress, before);
    assert!(rig.at_work().is_empty());
    running.ask(|work| work.tune("lock_timeout", "200ms")).unwrap();
    running.ask(|work| work.tune("maintenance_work_mem", "100MB")).unwrap();
    assert!(running.ask(|work| work.tune("lock_timeout", "1m")).is_err());
    assert!(running.ask(|work| work.tune("maintenance_work_mem", "1; DROP TABLE t")).is_err());
    assert!(running.ask(|work| work.tune("chunk_size", "1")).is_err());
    assert!(running.ask(|work| work.close_gate()).is_err());
    assert!(running.ask(|work| work.open_gate()).is_err());
    running.ask(|work| work.resume()).unwrap();
    running.done();
    // A build cannot be paused, and says so; the application never waits for it.
    let holder = rig.holder(HOLD);
    let mut running = rig.begin("CREATE INDEX t_b ON t (b)");
    rig.wait_at_work("CREATE INDEX");
    let Err(Refused::NotNow(said)) = running.ask(|work| work.pause()) else {
        panic!("it was paused")
    };
    assert!(said.contains("cannot be paused"), "{said}");
    drop(holder);
    running.done();
    let suffered = writer.end();
    assert!(suffered.longest() < STALL, "{suffered:?}");
}

/// Where it may be when it is to end.
fn ended_in_each_phase(engine: Engine) {
    let slow = "CREATE FUNCTION slow(n int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM \
                pg_sleep(0.02); RETURN true; END $$";
    let rig = Rig::new(engine, &format!("{TABLE};\n{slow}"));
    let writer = Writer::new(&rig);
    for how in [Ending::Stop, Ending::Kill] {
        let state = if how == Ending::Stop { HandoffState::Stopped } else { HandoffState::Killed };
        let end = |mut running: super::rig::Running| {
            let begun = Instant::now();
            running.ask(|work| work.ask_to_end(how)).unwrap();
            let said = running.ended();
            assert!(begun.elapsed() < GONE_WITHIN, "{:?}: {said}", begun.elapsed());
            assert!(rig.at_work().is_empty(), "{said}");
            assert_eq!(running.look().progress.state, state);
            said
        };
        // Waiting for a lock, and between two attempts.
        for attempts in [0, 1] {
            let reader = rig.holder(READ);
            let mut running = rig.begin("ALTER TABLE t ADD COLUMN c int");
            running.until("that phase", |look| {
                look.progress.state == HandoffState::Throttled && attempts <= look.progress.attempts
            });
            end(running);
            drop(reader);
        }
        // A build that waits for a transaction: its index is dropped, or named where the drop would wait
        // for the same transaction.
        let holder = rig.holder(HOLD);
        let mut running = rig.begin("CREATE INDEX t_b ON t (b)");
        running.until_state(HandoffState::Throttled);
        let said = end(running);
        assert_eq!(invalid(&rig) == "NULL", !said.contains("DROP INDEX"), "{said}");
        drop(holder);
        rig.database.plainly("DROP INDEX IF EXISTS t_b");
        // A build that builds.
        let running = rig.begin("CREATE INDEX t_s ON t (slow(a))");
        rig.wait_at_work("CREATE INDEX");
        std::thread::sleep(Duration::from_millis(300));
        end(running);
        assert_eq!(invalid(&rig), "NULL");
        // A constraint that is being validated.
        let running = rig.begin("ALTER TABLE t ADD CONSTRAINT k CHECK (slow(a))");
        rig.wait_at_work("VALIDATE");
        end(running);
        rig.database.plainly("ALTER TABLE t DROP CONSTRAINT k");
        // A step that waits for a person.
        let mut running = rig.begin("ALTER TABLE t ADD COLUMN f float DEFAULT random()");
        running.until_state(HandoffState::Postponed);
        end(running);
        rig.database.plainly("ALTER TABLE t DROP COLUMN f");
    }
    // One that is forced.
    let mut running = rig.begin("CREATE INDEX t_s ON t (slow(a))");
    rig.wait_at_work("CREATE INDEX");
    let begun = Instant::now();
    running.ask(|work| work.force()).unwrap();
    running.ended();
    assert!(begun.elapsed() < GONE_WITHIN, "{:?}", begun.elapsed());
    assert!(rig.at_work().is_empty());
    assert_eq!(invalid(&rig), "NULL");
    // A step by hand, done.
    let mut running = rig.begin("ALTER TABLE t ADD COLUMN f float DEFAULT random()");
    let look = running.until_state(HandoffState::Postponed);
    assert!(look.progress.waits_for.unwrap().contains("job"));
    running.ask(|work| work.open_gate()).unwrap();
    running.done();
    let suffered = writer.end();
    assert!(suffered.longest() < STALL, "{suffered:?}");
}

/// The process is gone, and the server goes on with its statement.
fn taken_up(engine: Engine) {
    let rig = Rig::new(engine, TABLE);
    let plan = rig.plan("CREATE INDEX t_b ON t (b)");
    let holder = rig.holder(HOLD);
    let leave = || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let inside = runtime.enter();
        let work = backstop::handoff::work::native::start(&plan, rig.target.clone());
        let number = rig.wait_at_work("CREATE INDEX");
        drop(inside);
        runtime.shutdown_background();
        drop(work);
        number
    };
    let number = leave();
    assert_eq!(rig.at_work().len(), 1, "the server goes on");
    let mut running = rig.start(&plan);
    let look = running.until("the earlier one", |look| {
        look.progress.waits_for.as_ref().is_some_and(|what| what.contains("of an earlier run"))
    });
    assert!(look.progress.waits_for.unwrap().contains(&number));
    assert_eq!(rig.at_work().len(), 1, "never twice");
    drop(holder);
    running.done();
    assert_eq!(invalid(&rig), "NULL");
    rig.database.plainly("DROP INDEX t_b");
    // And killed while it waits for that.
    let holder = rig.holder(HOLD);
    leave();
    let mut running = rig.start(&plan);
    running.until("the earlier one", |look| {
        look.progress.waits_for.as_ref().is_some_and(|what| what.contains("of an earlier run"))
    });
    running.ask(|work| work.ask_to_end(Ending::Kill)).unwrap();
    let said = running.ended();
    assert!(rig.at_work().is_empty());
    assert!(said.contains("DROP INDEX") || invalid(&rig) == "NULL", "{said}");
    drop(holder);
    // What it left is dropped by whoever takes it up.
    rig.start(&plan).done();
    assert_eq!(invalid(&rig), "NULL");
}

fn partitioned(engine: Engine) {
    let rig = Rig::new(
        engine,
        "CREATE TABLE t (id int, a int, b int) PARTITION BY RANGE (id);\nCREATE TABLE p1 PARTITION OF t FOR \
         VALUES FROM (0) TO (5000);\nCREATE TABLE p2 PARTITION OF t FOR VALUES FROM (5000) TO (99999) \
         PARTITION BY LIST (b);\nCREATE TABLE p2a PARTITION OF p2 FOR VALUES IN (0);\nCREATE TABLE p2b \
         PARTITION OF p2 DEFAULT;\nINSERT INTO t SELECT n, n, n % 3 FROM numbers",
    );
    let writer = Writer::new(&rig);
    let plan = rig.plan("CREATE INDEX t_ab ON t (a DESC, b) INCLUDE (id)");
    // It is cut off on the second partition, where an invalid index is left.
    let holder = rig.holder("UPDATE p2b SET a = a WHERE id = 20000");
    let mut running = rig.start(&plan);
    rig.wait_at_work("ON p2b");
    running.until_state(HandoffState::Throttled);
    running.ask(|work| work.ask_to_end(Ending::Kill)).unwrap();
    running.ended();
    drop(holder);
    // Somebody makes a partition meanwhile.
    rig.database.plainly("CREATE TABLE p3 PARTITION OF t FOR VALUES FROM (99999) TO (100000)");
    rig.start(&plan).done();
    assert_eq!(invalid(&rig), "NULL");
    let lacking = "SELECT count(*)::text FROM pg_partition_tree('t') p WHERE NOT EXISTS (SELECT FROM pg_indexes \
                   WHERE tablename = p.relid::regclass::text AND indexdef LIKE '%(a DESC, b) INCLUDE (id)')";
    assert_eq!(rig.database.value(lacking), "0");
    let suffered = writer.end();
    assert!(suffered.longest() < STALL, "{suffered:?}");
}

fn attached(engine: Engine) {
    let rig = Rig::new(
        engine,
        "CREATE TABLE m (id int NOT NULL, a int) PARTITION BY RANGE (id);\nCREATE TABLE m0 PARTITION OF m FOR \
         VALUES FROM (-9) TO (0);\nCREATE TABLE rest PARTITION OF m DEFAULT;\nCREATE TABLE t (id int NOT \
         NULL, a int);\nINSERT INTO t SELECT n, n FROM numbers",
    );
    let writer = Writer::new(&rig);
    let plan = rig.plan("ALTER TABLE m ATTACH PARTITION t FOR VALUES FROM (1) TO (20001)");
    rig.start(&plan).done();
    let checks = "SELECT count(*)::text FROM pg_constraint WHERE conname LIKE '%bounds'";
    assert_eq!(rig.database.value(checks), "0");
    assert_eq!(rig.database.value("SELECT count(*)::text FROM m"), "20000");
    // Once it is attached, the checks that prepared it are not made again.
    rig.start(&plan).done();
    assert_eq!(rig.database.value(checks), "0");
    let suffered = writer.end();
    assert!(suffered.longest() < STALL, "{suffered:?}");
}

/// The server goes away in the middle of a build, and comes back.
fn restarted(engine: Engine) {
    let server = OwnServer::of(engine);
    let rig = Rig::with(Database::on(engine, server.url.clone()), TABLE);
    let holder = rig.holder(HOLD);
    let mut running = rig.begin("CREATE INDEX t_b ON t (b)");
    rig.wait_at_work("CREATE INDEX");
    server.stop();
    let look = running.until("the loss", |look| {
        look.progress.waits_for.as_ref().is_some_and(|what| what.contains("the server"))
    });
    assert_eq!(look.progress.state, HandoffState::Throttled);
    assert!(server.restart().wait().unwrap().success());
    running.done();
    assert_eq!(invalid(&rig), "NULL");
    drop(holder);
}

/// MySQL and MariaDB wait for whole seconds.
const RAW_STALL: Duration = Duration::from_millis(1600);

fn raw_behind_a_transaction(engine: Engine) {
    let rig = Rig::new(engine, RAW_TABLE);
    let writer = Writer::new(&rig);
    for (sql, proof) in [
        (
            "ALTER TABLE t ADD COLUMN c int",
            "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME = 'c'",
        ),
        (
            "ALTER TABLE t ADD INDEX t_b (b)",
            "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND INDEX_NAME = 't_b'",
        ),
    ] {
        let plan = rig.plan(sql);
        let reader = rig.holder(READ);
        let mut running = rig.start(&plan);
        running.until("attempts", |look| look.progress.attempts > 0);
        drop(reader);
        let look = running.done();
        assert_eq!(rig.database.value(proof), "1", "{look:?}");
        rig.start(&plan).done();
        assert_eq!(rig.database.value(proof), "1");
    }
    let suffered = writer.end();
    assert!(suffered.longest() < RAW_STALL, "{suffered:?}");
    // Somebody else has changed the table otherwise since the plan was made.
    let plan = rig.plan("ALTER TABLE t ADD COLUMN d int");
    rig.database.plainly("ALTER TABLE t DROP COLUMN c");
    let said = rig.start(&plan).ended();
    assert!(said.contains("somebody else has changed the table"), "{said}");
}

const RAW_TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(40));\nINSERT INTO t SELECT n, n, \
                         concat('x', n) FROM numbers";

fn raw_ended(engine: Engine) {
    let rig = Rig::new(engine, RAW_TABLE);
    let writer = Writer::new(&rig);
    for how in [Ending::Stop, Ending::Kill] {
        for attempts in [0, 1] {
            let reader = rig.holder(READ);
            let mut running = rig.begin("ALTER TABLE t ADD COLUMN c int");
            running.until("that phase", |look| {
                look.progress.state == HandoffState::Throttled && attempts <= look.progress.attempts
            });
            running.ask(|work| work.pause()).unwrap();
            assert!(rig.at_work().is_empty());
            running.ask(|work| work.resume()).unwrap();
            let begun = Instant::now();
            running.ask(|work| work.ask_to_end(how)).unwrap();
            let said = running.ended();
            assert!(begun.elapsed() < GONE_WITHIN, "{:?}: {said}", begun.elapsed());
            assert!(rig.at_work().is_empty(), "{said}");
            drop(reader);
        }
    }
    let suffered = writer.end();
    assert!(suffered.longest() < RAW_STALL, "{suffered:?}");
}
