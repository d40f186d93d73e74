//! What the server shows of a tool, and that nothing else is taken for it.

use std::process::{Command, Stdio};
use std::time::Duration;

use backstop::target::{Force, Mark, Traces};
use libtest_mimic::Trial;

use super::defaults_file;
use super::stage::{Stage, Stays, block_on, triggers};
use crate::database::{Engine, available, try_connect};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        let name = |what: &str| format!("handoff: {what} on {}", engine.name);
        match engine.family {
            "mysql" => {
                trials.push(test(name("a tool's sessions are told from all others"), move || {
                    let database = Stage::make(engine);
                    block_on(told(engine, &database));
                }));
                trials.push(test(name("what may not be seen is said"), move || {
                    let database = Stage::make(engine);
                    block_on(unread(&database));
                }));
                trials.push(test(name("who holds a table is told"), move || {
                    let database = Stage::make(engine);
                    block_on(held(engine, &database));
                }));
            }
            "postgres" => {
                trials.push(test(
                    name("sessions of ours, and who holds a table, are told"),
                    move || {
                        let database = Stage::make(engine);
                        block_on(on_postgres(&database));
                    },
                ));
            }
            _ => {}
        }
    }
    trials
}

fn ids(traces: &Traces) -> Vec<&str> {
    let mut ids: Vec<&str> = traces.sessions.iter().map(|one| one.session.as_str()).collect();
    ids.sort_unstable();
    ids
}

async fn look(stage: &mut Stage, mark: &Mark) -> Traces {
    let place = stage.place("orders");
    stage.target.traces(stage.session.as_mut(), &place, mark).await.unwrap()
}

async fn told(engine: Engine, database: &crate::database::Database) {
    let mut stage = Stage::of(database).await;
    stage.run("CREATE TABLE _orders_gho LIKE orders;\nCREATE TABLE strangers LIKE orders").await;
    stage
        .run("INSERT INTO orders VALUES (1, 1, 'x');\nINSERT INTO strangers VALUES (1, 1, 'x')")
        .await;
    let schema = stage.place("orders").schema;
    let lock = format!("gh-ost::{schema}.orders");
    let tables = ["CREATE TABLE _orders_new LIKE orders", "CREATE TABLE orders_x LIKE orders"];
    stage.run(&tables.join(";\n")).await;
    stage.run(&triggers(&schema)).await;
    stage.run(&triggers(&schema).replace("orders", "orders_x")).await;

    let busy = stage.does(&["SELECT /* gh-ost */ SLEEP(30), a FROM orders"], Stays::Busy).await;
    let holder = format!("SELECT GET_LOCK('{lock}', 0)");
    let locking = stage.does(&[&holder], Stays::Idle).await;
    let own = stage.does(&["SELECT 1"], Stays::Idle).await;
    let coming = stage.does(&["SELECT 1"], Stays::Idle).await;
    // What only looks like it: the comment on another table, the same table without the comment.
    let other = stage.does(&["SELECT /* gh-ost */ SLEEP(30), a FROM strangers"], Stays::Busy).await;
    let plain = stage.does(&["SELECT SLEEP(30), a FROM orders"], Stays::Busy).await;
    tokio::time::sleep(Duration::from_millis(200)).await;

    let none = look(&mut stage, &Mark::default()).await;
    assert_eq!(none, Traces::default());
    let mut mark = Mark { comments: vec!["/* gh-ost".into()], ..Mark::default() };
    let found = look(&mut stage, &mark).await;
    assert_eq!(ids(&found), [busy.id.as_str()], "{found:?}");
    assert!(found.sessions[0].statement.contains("SLEEP(30)"), "{found:?}");
    if engine.name == "mysql" {
        assert!(
            found.locks.iter().any(|lock| lock.starts_with("orders: SHARED_READ")),
            "{found:?}"
        );
    }
    let by = |mark: Mark| mark;
    let found = look(&mut stage, &by(Mark { lock: Some(lock), ..Mark::default() })).await;
    assert_eq!(ids(&found), [locking.id.as_str()]);
    let found =
        look(&mut stage, &by(Mark { own: vec![own.identity.clone()], ..Mark::default() })).await;
    assert_eq!(ids(&found), [own.id.as_str()]);
    // A number of ours that is another's by now.
    let alien = stage.value("SELECT CAST(CONNECTION_ID() + 100000 AS CHAR)").await;
    let found = look(&mut stage, &by(Mark { own: vec![alien], ..Mark::default() })).await;
    assert_eq!(found, Traces::default());
    let address = stage.address(&coming.id).await;
    let found = look(&mut stage, &by(Mark { addresses: vec![address], ..Mark::default() })).await;
    assert_eq!(ids(&found), [coming.id.as_str()]);
    let found =
        look(&mut stage, &by(Mark { addresses: vec!["127.0.0.1:1".into()], ..Mark::default() }))
            .await;
    assert_eq!(found, Traces::default());
    if engine.name == "mysql" {
        by_pid(&mut stage, engine).await;
    }

    // Tables, and triggers that stand on the table, but not those of a table whose name begins alike.
    mark.triggers = format!("pt_osc_{schema}_orders");
    mark.tables = vec!["_orders_new".into(), "_orders_gho".into(), "_orders_ghc".into()];
    let found = look(&mut stage, &mark).await;
    let named = |end: &str| format!("pt_osc_{schema}_orders_{end}");
    assert_eq!(found.triggers, ["del", "ins", "upd"].map(named));
    let tables: Vec<&str> = found.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(tables, ["_orders_gho", "_orders_new"]);

    // Statements are ended, then sessions; whoever is gone is no error.
    let hands = &mut stage.session;
    stage.target.end_session(hands.as_mut(), &busy.id, Force::Cancel).await.unwrap();
    busy.ended().await.unwrap_or_default();
    stage.target.end_session(hands.as_mut(), &locking.id, Force::Terminate).await.unwrap();
    let id = locking.id.clone();
    locking.ended().await.unwrap_err();
    stage.target.end_session(hands.as_mut(), &id, Force::Terminate).await.unwrap();
    stage.target.end_session(hands.as_mut(), &id, Force::Cancel).await.unwrap();
    assert!(stage.target.end_session(hands.as_mut(), "1; DROP", Force::Cancel).await.is_err());
    assert!(other.lives() && plain.lives(), "a stranger was ended");
    for one in [other, plain, own, coming] {
        stage.target.end_session(stage.session.as_mut(), &one.id, Force::Terminate).await.unwrap();
    }
}

/// A client that tells the server the number of its process.
async fn by_pid(stage: &mut Stage, engine: Engine) {
    let client = std::env::var("BACKSTOP_TEST_MYSQL_CLIENT").expect("`tests/run` sets it");
    let mut child = Command::new(client)
        .arg(format!("--defaults-file={}", defaults_file(engine)))
        .args(["-e", "SELECT SLEEP(30)"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mark = Mark { pid: Some(child.id()), ..Mark::default() };
    let mut found = Traces::default();
    for _ in 0..100 {
        found = look(stage, &mark).await;
        if !found.sessions.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(found.sessions.len(), 1, "{found:?}");
    let nobody = look(stage, &Mark { pid: Some(1), ..Mark::default() }).await;
    assert_eq!(nobody, Traces::default());
    let id = found.sessions[0].session.clone();
    stage.target.end_session(stage.session.as_mut(), &id, Force::Terminate).await.unwrap();
    let _ = child.wait();
}

/// An account that may read and write the table, and see no more.
async fn unread(database: &crate::database::Database) {
    let mut stage = Stage::of(database).await;
    let schema = stage.place("orders").schema;
    let account = format!("'modest_{schema}'@'%'");
    stage
        .run(&format!(
            "CREATE USER {account} IDENTIFIED BY 'secret';\nGRANT SELECT, UPDATE ON {schema}.orders TO {account}"
        ))
        .await;
    let mut url = url::Url::parse(&stage.url).unwrap();
    url.set_username(&format!("modest_{schema}")).unwrap();
    url.set_password(Some("secret")).unwrap();
    let target = try_connect(url.as_str()).await.unwrap();
    let mut session = target.open("test").await.unwrap();
    let mark = Mark {
        comments: vec!["/* gh-ost".into()],
        triggers: format!("pt_osc_{schema}_orders"),
        tables: vec!["_orders_new".into()],
        ..Mark::default()
    };
    let place = stage.place("orders");
    let found = target.traces(session.as_mut(), &place, &mark).await.unwrap();
    let said = found.unread.join(" | ");
    for right in ["GRANT PROCESS", "GRANT TRIGGER", "GRANT SELECT"] {
        assert!(said.contains(right), "{said}");
    }
    let told = target.holders(session.as_mut(), &place, &mark).await.unwrap();
    assert!(told.is_err(), "{told:?}");
    let stranger = stage.does(&["SELECT SLEEP(30)"], Stays::Busy).await;
    let denied = target.end_session(session.as_mut(), &stranger.id, Force::Terminate).await;
    let denied = denied.unwrap_err().to_string();
    assert!(denied.contains("CONNECTION"), "{denied}");
    stage.target.end_session(stage.session.as_mut(), &stranger.id, Force::Terminate).await.unwrap();
    // With the rights by a role, everything is seen.
    let role = format!("r_{schema}");
    stage.run(&format!("CREATE ROLE {role};\nGRANT SELECT, TRIGGER ON {schema}.* TO {role}")).await;
    stage.run(&format!("GRANT PROCESS ON *.* TO {account};\nGRANT {role} TO {account}")).await;
    session.close().await;
    let mut session = target.open("test").await.unwrap();
    session.execute(&backstop::target::Statement::plain(format!("SET ROLE {role}"))).await.unwrap();
    let found = target.traces(session.as_mut(), &place, &mark).await.unwrap();
    assert_eq!(found, Traces::default());
    session.close().await;
    stage.run(&format!("DROP USER {account};\nDROP ROLE {role}")).await;
}

async fn held(engine: Engine, database: &crate::database::Database) {
    let mut stage = Stage::of(database).await;
    stage.run("CREATE TABLE strangers LIKE orders").await;
    let place = stage.place("orders");
    let reader = stage.does(&["BEGIN", "SELECT COUNT(*) FROM orders"], Stays::Idle).await;
    let other = stage.does(&["BEGIN", "SELECT COUNT(*) FROM strangers"], Stays::Idle).await;
    let tool = stage.does(&["BEGIN", "SELECT COUNT(*) FROM orders"], Stays::Idle).await;
    let mark = Mark { own: vec![tool.identity.clone()], ..Mark::default() };
    let found = stage.target.holders(stage.session.as_mut(), &place, &mark).await.unwrap().unwrap();
    let found: Vec<&str> = found.iter().map(|one| one.session.as_str()).collect();
    assert!(found.contains(&reader.id.as_str()) && !found.contains(&tool.id.as_str()), "{found:?}");
    // MariaDB does not tell the tables without its plugin: there each open transaction may hold it.
    assert_eq!(found.contains(&other.id.as_str()), engine.name == "mariadb", "{found:?}");
    if engine.name == "mysql" {
        // Without a transaction, too.
        let locking = stage.does(&["LOCK TABLES orders READ"], Stays::Idle).await;
        let found =
            stage.target.holders(stage.session.as_mut(), &place, &mark).await.unwrap().unwrap();
        assert!(found.iter().any(|one| one.session == locking.id), "{found:?}");
        stage
            .target
            .end_session(stage.session.as_mut(), &locking.id, Force::Terminate)
            .await
            .unwrap();
    }
    for one in [reader, other, tool] {
        stage.target.end_session(stage.session.as_mut(), &one.id, Force::Terminate).await.unwrap();
    }
}

async fn on_postgres(database: &crate::database::Database) {
    let mut stage = Stage::of(database).await;
    let place = stage.place("orders");
    let own = stage.does(&["BEGIN", "LOCK TABLE orders", "SELECT pg_sleep(30)"], Stays::Busy).await;
    let reader = stage.does(&["BEGIN", "SELECT count(*) FROM pg_class"], Stays::Idle).await;
    let mark = Mark { own: vec![own.identity.clone()], ..Mark::default() };
    let found = look(&mut stage, &mark).await;
    assert_eq!(ids(&found), [own.id.as_str()]);
    assert!(found.sessions[0].statement.contains("pg_sleep"), "{found:?}");
    assert!(found.locks[0].contains("AccessExclusiveLock"), "{found:?}");
    let held = stage.target.holders(stage.session.as_mut(), &place, &Mark::default()).await;
    let held = held.unwrap().unwrap();
    assert_eq!(held.iter().map(|one| &one.session).collect::<Vec<_>>(), [&own.id]);
    let held = stage.target.holders(stage.session.as_mut(), &place, &mark).await.unwrap().unwrap();
    assert_eq!(held, []);
    // A comment counts with the table's name alone.
    let said =
        stage.does(&["SELECT /* backstop handoff orders */ pg_sleep(30)"], Stays::Busy).await;
    let comment = Mark { comments: vec!["/* backstop handoff".into()], ..Mark::default() };
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(ids(&look(&mut stage, &comment).await), [said.id.as_str()]);
    let hands = &mut stage.session;
    stage.target.end_session(hands.as_mut(), &own.id, Force::Cancel).await.unwrap();
    assert!(own.ended().await.unwrap_err().contains("57014"));
    stage.target.end_session(hands.as_mut(), &said.id, Force::Terminate).await.unwrap();
    let id = said.id.clone();
    said.ended().await.unwrap_err();
    stage.target.end_session(hands.as_mut(), &id, Force::Terminate).await.unwrap();
    stage.target.end_session(hands.as_mut(), &reader.id, Force::Terminate).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(look(&mut stage, &mark).await, Traces::default());
}
