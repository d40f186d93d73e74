//! Errors by what must happen next: `tests/errors/` holds statements and how they fail, and what takes
//! two sessions is here.

use std::time::Duration;

use backstop::target::{Class, Error, Force, Session, Statement};
use libtest_mimic::Trial;

use crate::database::{Database, Engine, available, open};
use crate::harness::root;
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        trials.push(test(format!("errors: by statement on {}", engine.name), move || {
            by_statement(engine);
        }));
        if engine.url_env.is_some() {
            trials.push(test(format!("errors: of two sessions on {}", engine.name), move || {
                let database = Database::new(engine);
                let runtime = tokio::runtime::Builder::new_multi_thread();
                runtime_of(runtime).block_on(of_two_sessions(&database));
            }));
        }
    }
    trials
}

fn runtime_of(mut builder: tokio::runtime::Builder) -> tokio::runtime::Runtime {
    builder.worker_threads(2).enable_all().build().unwrap()
}

/// What must happen next, in the words of `tests/errors/`.
fn class(error: &Error) -> &'static str {
    match error.class {
        _ if error.is_closed() => "closed",
        Class::Retry(_) | Class::Lost | Class::Terminated => "transient",
        Class::Cancelled => "brake",
        Class::Poison => "poison",
        Class::Refused | Class::Unsuitable => "fatal",
    }
}

enum Expected {
    /// It succeeds.
    Success,
    /// It fails, with this class and code.
    Failure(String, String),
    /// It is for another product.
    Elsewhere,
}

fn expected(statement: &str, engine: Engine) -> Expected {
    let Some(line) = statement.lines().find_map(|line| line.strip_prefix("-- expect: ")) else {
        return Expected::Success;
    };
    let (class, codes) = line.split_once(' ').unwrap();
    let code = codes.split(", ").find_map(|code| match code.split_once(" on ") {
        Some((code, name)) => (name == engine.name).then_some(code),
        None => Some(code),
    });
    match code {
        Some(code) => Expected::Failure(class.to_owned(), code.to_owned()),
        None => Expected::Elsewhere,
    }
}

fn by_statement(engine: Engine) {
    let database = Database::new(engine);
    let path = root().join(format!("tests/errors/{}.sql", engine.family));
    let role = format!("nobody_{}", database.url.rsplit('/').next().unwrap());
    let text = std::fs::read_to_string(path).unwrap().replace("{{role}}", &role);
    let runtime = tokio::runtime::Builder::new_multi_thread();
    let wrong: Vec<String> = runtime_of(runtime).block_on(async {
        let mut session = open(&database.url).await;
        let mut wrong = Vec::new();
        let mut failed = 0;
        for statement in text.split(";\n") {
            let sql: Vec<_> =
                statement.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
            let sql = sql.join("\n").trim().to_owned();
            if sql.is_empty() {
                continue;
            }
            let expected = expected(statement, engine);
            if let Expected::Elsewhere = expected {
                continue;
            }
            let done = session.execute(&Statement::plain(sql.clone())).await;
            match (expected, done) {
                (Expected::Success, Ok(_)) | (Expected::Elsewhere, _) => {}
                (Expected::Success, Err(error)) => wrong.push(format!("{sql}: {error}")),
                (Expected::Failure(kind, code), Ok(_)) => {
                    wrong.push(format!("{sql}: no error, not {kind} {code}"));
                }
                (Expected::Failure(kind, code), Err(error)) => {
                    failed += 1;
                    // SQLite's codes have a word before them.
                    let found = error.code.as_deref().unwrap_or("-").split(' ').next_back();
                    if (class(&error), found) != (kind.as_str(), Some(code.as_str())) {
                        wrong.push(format!("{sql}: not {kind} {code}: {error:?}"));
                    }
                }
            }
        }
        assert!(14 <= failed, "only {failed} statements failed");
        session.close().await;
        wrong
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

async fn run(session: &mut dyn Session, sql: &str) -> Result<(), Error> {
    session.execute(&Statement::plain(sql)).await.map(drop)
}

#[track_caller]
fn is(error: Result<(), Error>, kind: &str, codes: &[&str]) {
    let error = error.expect_err(kind);
    let code = error.code.as_deref().unwrap_or("");
    assert!(class(&error) == kind && codes.contains(&code), "not {kind} {codes:?}: {error:?}");
}

async fn of_two_sessions(database: &Database) {
    let is_postgres = database.engine.family == "postgres";
    let mut one = open(&database.url).await;
    let mut other = open(&database.url).await;
    for sql in ["CREATE TABLE t (id int PRIMARY KEY, n int)", "INSERT INTO t VALUES (1, 1), (2, 2)"]
    {
        run(one.as_mut(), sql).await.unwrap();
    }
    let update = |id: u32| format!("UPDATE t SET n = n + 1 WHERE id = {id}");

    // A lock that is not had in time.
    one.begin().await.unwrap();
    run(one.as_mut(), &update(1)).await.unwrap();
    other.begin().await.unwrap();
    let patience = if is_postgres {
        "SET LOCAL lock_timeout = '50ms'"
    } else {
        "SET innodb_lock_wait_timeout = 1"
    };
    run(other.as_mut(), patience).await.unwrap();
    is(run(other.as_mut(), &update(1)).await, "transient", &["55P03", "1205"]);
    other.rollback().await.unwrap();
    other.begin().await.unwrap();
    let nowait = "SELECT id FROM t WHERE id = 1 FOR UPDATE NOWAIT";
    is(run(other.as_mut(), nowait).await, "transient", &["55P03", "1205", "3572"]);
    other.rollback().await.unwrap();

    // A deadlock: one of the two is its victim.
    if !is_postgres {
        run(other.as_mut(), "SET innodb_lock_wait_timeout = 10").await.unwrap();
    }
    other.begin().await.unwrap();
    run(other.as_mut(), &update(2)).await.unwrap();
    let (a, b) = (update(2), update(1));
    let (first, second) = tokio::join!(run(one.as_mut(), &a), run(other.as_mut(), &b));
    let victim = if first.is_err() { first } else { second };
    is(victim, "transient", &["40P01", "1213"]);
    one.rollback().await.unwrap();
    other.rollback().await.unwrap();

    // A row that was written since the transaction began to look.
    if is_postgres {
        run(one.as_mut(), "BEGIN ISOLATION LEVEL REPEATABLE READ").await.unwrap();
        one.query(&Statement::plain("SELECT count(*)::text FROM t")).await.unwrap();
        run(other.as_mut(), &update(1)).await.unwrap();
        is(run(one.as_mut(), &update(1)).await, "transient", &["40001"]);
        run(one.as_mut(), "ROLLBACK").await.unwrap();
    }
    if database.engine.name == "mariadb" {
        run(one.as_mut(), "SET max_statement_time = 0.03").await.unwrap();
        is(run(one.as_mut(), "SELECT sleep(5)").await, "transient", &["1969"]);
        run(one.as_mut(), "SET max_statement_time = 0").await.unwrap();
    }

    // Somebody ends the statement, and then the session. A sleep that is cancelled is no error on
    // MySQL; a wait for a row is.
    one.begin().await.unwrap();
    run(one.as_mut(), &update(1)).await.unwrap();
    for (force, kind, codes) in [
        (Force::Cancel, "brake", &["57014", "1317"][..]),
        (Force::Terminate, "transient", &["57P01", "1053", "1927", "3169", ""]),
    ] {
        let mut control = open(&database.url).await;
        let mut victim = open(&database.url).await;
        let brake = victim.brake();
        victim.begin().await.unwrap();
        let waits = update(1);
        let pull = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            brake.apply(control.as_mut(), force).await.unwrap();
        };
        let (ended, ()) = tokio::join!(run(victim.as_mut(), &waits), pull);
        is(ended, kind, codes);
        if force == Force::Terminate {
            let gone = victim.ping().await.unwrap_err();
            assert!(gone.is_lost(), "{gone:?}");
        }
        control.close().await;
    }
    one.rollback().await.unwrap();
    one.close().await;
    other.close().await;
}
