//! The fence is a statement of its own, after the write, and reads what is committed by then: a halt
//! that comes while a batch writes stops that batch, and no batch makes a halt wait.

use backstop::ops;
use backstop::spec::parse;
use backstop::target::fence::Fence;
use backstop::target::{Commit, Statement};
use libtest_mimic::Trial;

use crate::database::{Engine, available, execute, open, try_connect};
use crate::harness::wait_for;
use crate::stopping::{SLOW, Scene};
use crate::test;

const HALT: &str = "INSERT INTO backstop_switch (scope, who) VALUES ('slow', 'dba')";

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    // On SQLite nobody else writes while a batch does.
    for engine in available().filter(|engine| engine.url_env.is_some()) {
        let mut add = |name: &str, check: fn(Engine)| {
            trials.push(test(format!("fencing: {name} on {}", engine.name), move || check(engine)));
        };
        add("a halt that comes while a batch writes stops it", halted_while_writing);
        add("a halt and a batch do not wait for each other", halted_at_each_step);
    }
    trials
}

/// A scene where sessions begin at REPEATABLE READ, which is what MySQL and MariaDB come with.
fn scene(engine: Engine) -> Scene {
    let scene = Scene::new(engine);
    if engine.family == "postgres" {
        let login = scene.database.login();
        scene.database.script(&format!(
            "ALTER ROLE {} IN DATABASE {} SET default_transaction_isolation = 'repeatable read'",
            login.user, login.database
        ));
    }
    scene
}

/// A write that stands at a gate, until a row of `gate` or a lock of its name opens it.
struct Gate {
    trigger: &'static str,
    close: &'static str,
    open: &'static str,
    /// Counts the writes that stand there, and those that have not come to their end.
    waiting: &'static str,
    writing: &'static str,
}

const POSTGRES: Gate = Gate {
    trigger: "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN \
              WHILE NEW.id = 5000 AND NOT EXISTS (SELECT FROM gate) LOOP \
              PERFORM pg_sleep(0.05); END LOOP; RETURN NEW; END';\n\
              CREATE TRIGGER wait BEFORE UPDATE ON t FOR EACH ROW EXECUTE PROCEDURE wait()",
    close: "SELECT 1",
    open: "INSERT INTO gate VALUES (1)",
    waiting: "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
              AND application_name LIKE 'backstop slow%' AND wait_event = 'PgSleep'",
    writing: "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
              AND application_name LIKE 'backstop slow%' AND state = 'active'",
};

const MYSQL: Gate = Gate {
    trigger: "CREATE TRIGGER wait BEFORE UPDATE ON t FOR EACH ROW \
              IF NEW.id = 5000 THEN DO GET_LOCK(DATABASE(), 60), RELEASE_LOCK(DATABASE()); END IF",
    close: "SELECT GET_LOCK(DATABASE(), 10)",
    open: "SELECT RELEASE_LOCK(DATABASE())",
    waiting: "SELECT count(*) FROM information_schema.processlist WHERE db = database() \
              AND state = 'User lock'",
    writing: "SELECT count(*) FROM information_schema.processlist WHERE db = database() \
              AND command <> 'Sleep' AND info LIKE '/* backstop slow range%'",
};

/// The runner is frozen meanwhile, so that it is not the runner who sees the halt first.
fn halted_while_writing(engine: Engine) {
    let gate = if engine.family == "postgres" { POSTGRES } else { MYSQL };
    let scene = scene(engine);
    let database = &scene.database;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut keeper = runtime.block_on(open(&database.url));
    let mut keep = |sql: &str| {
        runtime.block_on(keeper.query(&Statement::plain(sql))).unwrap();
    };
    // A batch that is meant to be long may be.
    scene.desk.write("job.toml", &SLOW.replace("pause", "target_time = \"1m\"\npause"));
    database.script("CREATE TABLE gate (opened integer)");
    keep(gate.close);
    let mut running = scene.start();
    database.script(gate.trigger);
    scene.wait_for_batches(&mut running, 49);
    wait_for("a write that stands at the gate", || database.value(gate.waiting) == "1");
    running.signal("STOP");
    database.script(HALT);
    keep(gate.open);
    wait_for("the end of the write", || database.value(gate.writing) == "0");
    running.signal("CONT");
    running.wait().expect(4).says("dba");

    let fenced = database.value("SELECT CAST(sum(rows_changed) AS char(20)) FROM backstop_fence");
    assert_eq!(fenced.trim(), "4900", "no batch after the halt");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a = 1"), "4900");
    runtime.block_on(keeper.close());
}

/// Step by step, with the statements and the sessions of a run.
fn halted_at_each_step(engine: Engine) {
    let scene = scene(engine);
    let running = scene.start();
    running.signal("INT");
    running.wait().expect(3);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let spec = parse("job.toml", SLOW).unwrap();
        let target = try_connect(&scene.database.url).await.unwrap();
        let team = ops::Team::default();
        let plan =
            ops::prepare_on(target.clone(), &spec, "job.toml".as_ref(), &team).await.unwrap().plan;
        let dialect = target.dialect();
        let mut worker = target.open("worker").await.unwrap();
        let mut dba = open(&scene.database.url).await;
        if engine.family == "mysql" {
            execute(dba.as_mut(), "SET SESSION innodb_lock_wait_timeout = 2").await;
        }

        let fence = Fence::of(plan.fence.as_ref().unwrap(), "slow");
        let generation = fence.load(dialect, worker.as_mut()).await.unwrap().unwrap();
        let range = generation.ranges.iter().find(|range| !range.done).unwrap();
        let after = range.cursor.as_ref();
        let boundary = plan.statements.boundary(dialect, after, &range.hi, 100);
        let row = worker.query(&boundary).await.unwrap().remove(0);
        let upto = backstop::keyspace::Key(vec![row[0].clone().unwrap()]);
        let write = plan.statements.write(dialect, after, &upto);
        let advance = fence.advance(
            dialect,
            generation.number,
            range,
            &range.advanced(&upto, 100, 100, false),
        );

        worker.begin_batch(&plan.pace.patience, Commit::Own).await.unwrap();
        assert_eq!(worker.execute(&write).await.unwrap(), 100);
        execute(dba.as_mut(), HALT).await;
        let advanced = worker.execute(&advance).await.unwrap();
        assert_eq!(advanced, 0, "a halt that is committed after the write is seen");
        worker.rollback().await.unwrap();
        execute(dba.as_mut(), "DELETE FROM backstop_switch").await;

        worker.begin_batch(&plan.pace.patience, Commit::Own).await.unwrap();
        assert_eq!(worker.execute(&write).await.unwrap(), 100);
        assert_eq!(worker.execute(&advance).await.unwrap(), 1);
        // Before the batch is committed.
        dba.execute(&Statement::plain(HALT)).await.unwrap();
        worker.commit().await.unwrap();
        worker.close().await;
        dba.close().await;
    });
}
