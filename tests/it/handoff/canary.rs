//! The canary feels what the application feels, and leaves no trace.

use std::sync::Arc;
use std::time::Duration;

use backstop::handoff::canary;
use backstop::target::Place;
use libtest_mimic::Trial;

use super::rig::Rig;
use crate::database::{Engine, available};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let engines = available().filter(|engine| engine.family != "sqlite");
    engines
        .map(|engine| {
            test(format!("handoff: the canary on {}", engine.name), move || feels(engine))
        })
        .collect()
}

fn feels(engine: Engine) {
    let postgres = engine.family == "postgres";
    let rig = Rig::new(
        engine,
        "CREATE TABLE t (id int PRIMARY KEY, a int);\nINSERT INTO t SELECT n, n FROM numbers;\nCREATE TABLE e (id \
         int PRIMARY KEY)",
    );
    let schema = if postgres { "public".to_owned() } else { rig.database.login().database };
    let at = |table: &str| {
        let _inside = rig.runtime.enter();
        let place = Place { schema: schema.clone(), name: table.to_owned() };
        canary::start(Arc::clone(&rig.target), place)
    };
    let tried = |canary: &canary::Canary, tries: u64| {
        crate::harness::wait_for("the canary", || canary.stall().tries >= tries);
    };
    // Every row is of the transaction that made it.
    let written = || {
        rig.database.value(if postgres {
            "SELECT (max(xmin::text::bigint) - min(xmin::text::bigint))::text FROM t"
        } else {
            "SELECT CAST(SUM(a) AS CHAR) FROM t"
        })
    };
    let before = written();
    let canary = at("t");
    tried(&canary, 8);
    let calm = canary.stall();
    assert_eq!((calm.errors, &calm.error, &calm.reads_only), (0, &None, &None), "{calm:?}");
    assert!(calm.longest < Duration::from_secs(1), "{calm:?}");
    // Readers go on, and writers wait.
    let lock = if postgres { "LOCK TABLE t IN SHARE MODE" } else { "LOCK TABLES t READ" };
    let holder = rig.holder(lock);
    std::thread::sleep(Duration::from_millis(1500));
    drop(holder);
    let so_far = canary.stall().tries;
    tried(&canary, so_far + 2);
    let felt = canary.stall();
    assert!(
        felt.longest > Duration::from_secs(1) && felt.last < Duration::from_secs(1),
        "{felt:?}"
    );
    // It is refused twice, and the wait is one.
    let holder = rig.holder(lock);
    crate::harness::wait_for("an error", || canary.stall().errors > 1);
    drop(holder);
    let so_far = canary.stall().tries;
    tried(&canary, so_far + 1);
    let felt = rig.runtime.block_on(canary.end());
    assert!(felt.longest > Duration::from_secs(4), "{felt:?}");
    assert_eq!(written(), before, "it has written");
    // A table without a row, and none at all.
    let canary = at("e");
    tried(&canary, 3);
    assert_eq!(rig.runtime.block_on(canary.end()).errors, 0);
    let canary = at("missing");
    tried(&canary, 1);
    let felt = rig.runtime.block_on(canary.end());
    assert!(felt.error.unwrap().contains("missing"));
}
