//! A copy is held against its table, whatever its columns have become.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use backstop::control::{Ask, Level, Source, Stop};
use backstop::handoff::compare::{Compared, Error, How, compare};
use backstop::target::Statement;
use libtest_mimic::Trial;

use super::stage::{Stage, block_on};
use crate::database::{Database, Engine, available, open};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available().filter(|engine| engine.family == "mysql") {
        let mut add = |what: &str, run: fn(Engine)| {
            trials.push(test(format!("handoff: {what} on {}", engine.name), move || run(engine)));
        };
        add("a copy with other types is equal, and each way to differ is seen", values);
        add("a copy that is behind by moments is equal", behind);
        add("keys of several columns, empty tables and lost rows are compared", keys);
    }
    trials
}

const OLD: &str = "\
CREATE TABLE orders (
    id int unsigned PRIMARY KEY, kept varchar(40) CHARACTER SET utf8mb4, kept_f double, kept_b varbinary(9),
    d decimal(10,2), s varchar(40) CHARACTER SET latin1, n int, f float, t datetime, e enum('a','b','c'),
    ts timestamp NULL, g int GENERATED ALWAYS AS (n + 1) STORED, gone int, nul int,
    big longblob);
INSERT INTO orders (id, kept, kept_f, kept_b, d, s, n, f, t, e, ts, gone, nul, big)
    SELECT n, concat('k', n % 7), n / 3, unhex(hex(n)), n + 0.5, concat('grün ', n), n, n / 8, '2026-03-01 12:00:00',
    1 + n % 3, '2026-03-29 01:30:00', 5, NULL,
    repeat('b', 9) FROM numbers WHERE n <= 12000";
const NEW: &str = "\
CREATE TABLE _orders_gho (
    id bigint PRIMARY KEY, kept varchar(40) CHARACTER SET utf8mb4, kept_f double, kept_b varbinary(9),
    d decimal(12,3), s text CHARACTER SET utf8mb4, n bigint, f double, t datetime(3), e varchar(9), ts timestamp NULL,
    g bigint GENERATED ALWAYS AS (n + 1) STORED, added int NOT NULL DEFAULT 7, nul bigint,
    big longblob);
INSERT INTO _orders_gho (id, kept, kept_f, kept_b, d, s, n, f, t, e, ts, nul, big)
    SELECT id, kept, kept_f, kept_b, d, s, n, f, t, e, ts, nul, big FROM orders";

async fn held_together(stage: &mut Stage) -> Result<Compared, Error> {
    held_with(
        stage,
        &Stop::default(),
        &How { patience: Duration::from_millis(500), ..How::default() },
    )
    .await
}

async fn held_with(stage: &mut Stage, stop: &Stop, how: &How) -> Result<Compared, Error> {
    let (old, new) = (stage.place("orders"), stage.place("_orders_gho"));
    let target = stage.target.clone();
    compare(target.as_ref(), stage.session.as_mut(), &old, &new, stop, how).await
}

fn values(engine: Engine) {
    let database = Database::new(engine);
    database.script(OLD);
    database.plainly(NEW);
    block_on(async {
        let mut stage = Stage::of(&database).await;
        let found = held_together(&mut stage).await.unwrap();
        assert!(found.equal && found.first.is_empty(), "{found:?}");
        assert_eq!((found.rows_old, found.rows_new, found.differing), (12_000, 12_000, 0));
        assert!(3 < found.chunks, "{found:?}");
        let out = found.left_out.join(" | ");
        for words in ["`gone`: the copy has no", "`added`: the table has no", "`g`: the server"] {
            assert!(out.contains(words), "{out}");
        }
        let sum = found.checksum;
        stage
            .run(
                "DELETE FROM _orders_gho WHERE id = 5;\nUPDATE _orders_gho SET kept = 'other' WHERE id = 100;\n\
                 UPDATE _orders_gho SET d = d + 0.001 WHERE id = 6000;\n\
                 UPDATE _orders_gho SET s = 'grun 7000' WHERE id = 7000;\n\
                 UPDATE _orders_gho SET nul = 0 WHERE id = 7001;\n\
                 UPDATE _orders_gho SET kept = NULL WHERE id = 7002;\n\
                 UPDATE _orders_gho SET big = repeat('c', 9) WHERE id = 7003;\n\
                 INSERT INTO _orders_gho (id, n) VALUES (999999, 1)",
            )
            .await;
        let found = held_together(&mut stage).await.unwrap();
        assert_eq!((found.equal, found.differing), (false, 8), "{found:?}");
        assert_eq!(
            found.first,
            [
                "id=5 is not in the copy",
                "id=100 is another in the copy",
                "id=6000 is another in the copy",
                "id=7000 is another in the copy",
                "id=7001 is another in the copy",
                "id=7002 is another in the copy",
                "id=7003 is another in the copy",
                "id=999999 is in the copy alone",
            ]
        );
        assert_eq!((found.rows_old, found.rows_new), (12_000, 12_000));
        assert_eq!(found.checksum, sum);

        let stop = Stop::default();
        stop.ask(Ask { level: Level::Drain, source: Source::Cli, by: "test".into(), reason: None });
        let stopped = held_with(&mut stage, &stop, &How::default()).await;
        assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
        // A walk that is paused half of the time still ends; one that is asked to leave leaves at once.
        let stop = Stop::default();
        let asking = stop.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(150)).await;
            asking.ask(Ask {
                level: Level::Cancel,
                source: Source::Cli,
                by: "test".into(),
                reason: None,
            });
        });
        let slow = How { stretch: Duration::from_micros(500), ..How::default() };
        let begun = Instant::now();
        let stopped = held_with(&mut stage, &stop, &slow).await;
        assert!(matches!(stopped, Err(Error::Stopped)), "{stopped:?}");
        assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    });
}

/// The application writes, and the copy follows a third of a second later, as gh-ost's does.
fn behind(engine: Engine) {
    let database = Database::new(engine);
    database.script(
        "CREATE TABLE orders (id int PRIMARY KEY, a int NOT NULL, d decimal(10,2));\n\
         INSERT INTO orders SELECT n, 0, n FROM numbers WHERE n <= 3000",
    );
    database.plainly(
        "CREATE TABLE _orders_gho LIKE orders;\nALTER TABLE _orders_gho MODIFY d decimal(12,3);\n\
         INSERT INTO _orders_gho SELECT * FROM orders",
    );
    block_on(async {
        let mut stage = Stage::of(&database).await;
        let url = stage.url.clone();
        let stop = Arc::new(AtomicBool::new(false));
        let log: Arc<Mutex<VecDeque<(Instant, u64)>>> = Arc::default();
        let (stopped, written) = (stop.clone(), log.clone());
        let mut session = open(&url).await;
        let writer = tokio::spawn(async move {
            let mut at = 7_u64;
            while !stopped.load(Ordering::Relaxed) {
                at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let id = (at >> 33) % 3200 + 1;
                let sql = format!(
                    "INSERT INTO orders VALUES ({id}, 1, 1.5) ON DUPLICATE KEY UPDATE a = a + 1, d = d + 0.5"
                );
                session.execute(&Statement::plain(sql)).await.unwrap();
                written.lock().unwrap().push_back((Instant::now(), id));
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            session.close().await;
        });
        let (stopped, written) = (stop.clone(), log.clone());
        let mut session = open(&url).await;
        let applier = tokio::spawn(async move {
            loop {
                let next = written.lock().unwrap().front().copied();
                match next {
                    Some((at, id)) if Duration::from_millis(300) < at.elapsed() => {
                        let sql = format!(
                            "REPLACE INTO _orders_gho SELECT * FROM orders WHERE id = {id}"
                        );
                        session.execute(&Statement::plain(sql)).await.unwrap();
                        written.lock().unwrap().pop_front();
                    }
                    None if stopped.load(Ordering::Relaxed) => break,
                    _ => tokio::time::sleep(Duration::from_millis(2)).await,
                }
            }
            session.close().await;
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        let found = held_with(&mut stage, &Stop::default(), &How::default()).await.unwrap();
        assert!(found.equal, "{found:?}");
        // A row that is really missing is found among those that are on their way.
        let id = stage.value("SELECT CAST(MIN(id) AS CHAR) FROM orders WHERE a = 0").await;
        stage.run(&format!("UPDATE _orders_gho SET d = d + 0.001 WHERE id = {id}")).await;
        let how = How { patience: Duration::from_secs(3), ..How::default() };
        let found = held_with(&mut stage, &Stop::default(), &how).await.unwrap();
        stop.store(true, Ordering::Relaxed);
        writer.await.unwrap();
        applier.await.unwrap();
        let applied = format!("SELECT CAST(a AS CHAR) FROM orders WHERE id = {id}");
        // Unless the writer has met that very row.
        if stage.value(&applied).await == "0" {
            assert_eq!(found.first, [format!("id={id} is another in the copy")], "{found:?}");
        }
    });
}

fn keys(engine: Engine) {
    let database = Database::new(engine);
    database.script(
        "CREATE TABLE orders (tenant varchar(9), at datetime(3), n int, PRIMARY KEY (tenant, at, n));\n\
         INSERT INTO orders SELECT concat('t', n % 5), '2026-01-01' + INTERVAL n SECOND, n FROM numbers \
         WHERE n <= 3000",
    );
    database.plainly("CREATE TABLE _orders_gho LIKE orders");
    block_on(async {
        let mut stage = Stage::of(&database).await;
        // All rows are lost: counted without looking at each again.
        let begun = Instant::now();
        let found = held_with(&mut stage, &Stop::default(), &How::default()).await.unwrap();
        assert_eq!((found.rows_old, found.rows_new, found.differing), (3000, 0, 3000), "{found:?}");
        assert!(begun.elapsed() < Duration::from_secs(10) && found.first.len() == 10, "{found:?}");
        assert_eq!(found.first[0], "tenant=t0, at=2026-01-01 00:00:05.000, n=5 is not in the copy");
        stage.run("INSERT INTO _orders_gho SELECT * FROM orders").await;
        let found = held_together(&mut stage).await.unwrap();
        assert!(found.equal && found.rows_new == 3000, "{found:?}");
        stage.run("DELETE FROM orders").await;
        let found = held_together(&mut stage).await.unwrap();
        assert_eq!((found.rows_old, found.rows_new, found.differing), (0, 3000, 3000), "{found:?}");
        stage.run("DELETE FROM _orders_gho").await;
        let found = held_together(&mut stage).await.unwrap();
        assert!(found.equal && found.rows_new == 0, "{found:?}");
        stage.run("ALTER TABLE _orders_gho DROP PRIMARY KEY, ADD PRIMARY KEY (at, n)").await;
        let none = held_together(&mut stage).await.unwrap_err();
        assert!(none.to_string().contains("no key in common"), "{none}");
        stage.run("DROP TABLE _orders_gho").await;
        let none = held_together(&mut stage).await.unwrap_err();
        assert!(none.to_string().contains("there is no table"), "{none}");
    });
}
