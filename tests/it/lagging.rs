//! Replicas that are behind, that stand still and that are gone, as they and their primary tell it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use backstop::target::{Question, Reading};
use libtest_mimic::Trial;
use tempfile::TempDir;

use crate::asking::Asker;
use crate::database::{Database, Engine, available, engine};
use crate::harness::{Desk, wait_for};
use crate::own_server::OwnServer;
use crate::replicas::{MariaReplica, PgStandby, program_of};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let standbys = available().filter(|engine| engine.family == "postgres").map(|engine| {
        test(format!("lagging: standbys of {}", engine.name), move || standbys(engine))
    });
    let mut trials: Vec<_> = standbys.collect();
    trials.push(test("lagging: a replica of mariadb", maria));
    trials
}

/// A replica's name, and how far it is behind.
type Behind = (String, Result<f64, String>);

/// Bytes by which each replica is behind, by its name.
fn behind(asker: &mut Asker) -> Vec<Behind> {
    let mut readings = asker.readings(&Question::Positions).into_iter();
    let Some(Reading { of: None, value: Ok(own) }) = readings.next() else {
        panic!("the server's own position comes first");
    };
    let lag = |reading: Reading| (reading.of.unwrap(), reading.value.map(|at| own - at));
    readings.map(lag).collect()
}

#[track_caller]
fn wait_until(what: &str, asker: &mut Asker, is: impl Fn(&[Behind]) -> bool) {
    let mut seen = Vec::new();
    wait_for(what, || {
        seen = behind(asker);
        is(&seen)
    });
}

/// It is that far behind, the first of all.
fn first_is(replica: &str, by: impl Fn(f64) -> bool) -> impl Fn(&[Behind]) -> bool {
    move |all| matches!(all, [(name, Ok(lag)), ..] if name == replica && by(*lag))
}

#[track_caller]
fn wait_for_reason(replica: &mut Asker, part: &str) {
    wait_for(part, || {
        let readings = replica.readings(&Question::OwnLag);
        matches!(&readings[..], [Reading { value: Err(why), .. }] if why.contains(part))
    });
}

/// Programs that take the log.
struct Consumers {
    children: Vec<Child>,
    _folder: TempDir,
}

impl Consumers {
    fn of(server: &OwnServer, database: &Database) -> Self {
        let folder = TempDir::new().unwrap();
        database.script("CREATE PUBLICATION all_of_it FOR TABLE wide");
        database.value(
            "SELECT slot_name::text FROM pg_create_logical_replication_slot('rows', 'pgoutput')",
        );
        let start = |name: &str, arguments: &[&str]| {
            Command::new(program_of(server, name))
                .args(arguments)
                .arg("--dbname")
                .arg(&database.url)
                .current_dir(folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap()
        };
        let pgoutput = ["-o", "proto_version=1", "-o", "publication_names=all_of_it"];
        let mut rows = vec!["--start", "--slot=rows", "--file=rows", "--status-interval=1"];
        rows.extend(pgoutput);
        let log = ["--directory=.", "--no-loop", "--status-interval=1"];
        let children = vec![start("pg_recvlogical", &rows), start("pg_receivewal", &log)];
        Self { children, _folder: folder }
    }
}

impl Drop for Consumers {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn standbys(engine: Engine) {
    let server = OwnServer::of(engine);
    let database = Database::on(engine, server.url.clone());
    database
        .script("CREATE TABLE wide AS SELECT n, repeat('x', 100) AS w FROM numbers WHERE n < 2");
    let mut primary = Asker::at(&database.url);
    assert!(behind(&mut primary).is_empty());
    assert_eq!(primary.reason(&Question::OwnLag), "it is no replica");

    let standby = PgStandby::of(&server, "east");
    let mut replica = Asker::at(&standby.url_of(&database));
    wait_until("it has caught up", &mut primary, first_is("replica east", |lag| lag == 0.0));
    replica.wait_for(&Question::OwnLag, |seconds| seconds == 0.0);

    // One that has just been started, and stands still at once.
    standby.pause();
    database.script("INSERT INTO wide VALUES (0, 'x')");
    wait_for_reason(&mut replica, "no transaction yet");
    standby.resume();
    wait_until("it has caught up", &mut primary, first_is("replica east", |lag| lag == 0.0));

    // The log grows by what is written, which the standby receives and does not replay.
    standby.pause();
    let before = primary.value(&Question::WalWritten);
    database.script("INSERT INTO wide SELECT n, repeat('x', 100) FROM generate_series(1, 20000) n");
    let written = primary.value(&Question::WalWritten) - before;
    assert!((2e6..6e6).contains(&written), "{written}");
    wait_until("it stands still", &mut primary, first_is("replica east", |lag| written <= lag));
    std::thread::sleep(Duration::from_millis(1100));
    let seconds = replica.value(&Question::OwnLag);
    assert!(1.0 <= seconds, "{seconds}");
    // What a standby has received is its own log; a subscriber there would be behind it.
    assert!(before + written <= replica.readings(&Question::Positions)[0].value.clone().unwrap());

    standby.resume();
    wait_until("it has caught up", &mut primary, first_is("replica east", |lag| lag == 0.0));
    replica.wait_for(&Question::OwnLag, |seconds| seconds == 0.0);

    // Who may not look is told so, and never that nothing is behind.
    database.script("CREATE ROLE blind LOGIN PASSWORD 'secret'");
    let as_blind = |url: &str| {
        let mut url = url::Url::parse(url).unwrap();
        url.set_username("blind").unwrap();
        url.set_password(Some("secret")).unwrap();
        url.to_string()
    };
    let refused = |url: &str, question: &Question| {
        let error = Asker::at(&as_blind(url)).ask(question).unwrap_err();
        assert!(error.message.contains("`GRANT pg_monitor TO …`"), "{error}");
    };
    refused(&database.url, &Question::Positions);
    wait_until("the role is there", &mut primary, first_is("replica east", |lag| lag == 0.0));
    refused(&standby.url_of(&database), &Question::OwnLag);

    // A subscriber is named as one, and what only keeps the log is no replica.
    let consumers = Consumers::of(&server, &database);
    wait_for("three are connected", || {
        database.value("SELECT count(*)::text FROM pg_stat_replication WHERE write_lsn IS NOT NULL")
            == "3"
    });
    let names: Vec<_> = behind(&mut primary).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["replica east", "subscriber pg_recvlogical"]);
    drop(consumers);

    // A standby that is gone is in the list no more: whoever expects it there has to miss it.
    standby.kill();
    wait_until("it is gone", &mut primary, <[_]>::is_empty);
    assert!(replica.ask(&Question::OwnLag).unwrap_err().is_lost());
    standby.restart();
    wait_until("it is back", &mut primary, first_is("replica east", |lag| lag == 0.0));
    if engine.name == "postgres" {
        cut_off(&server, &standby, &database);
    }
}

/// What a standby has is all that it knows of; that there may be more, it knows as well.
fn cut_off(server: &OwnServer, standby: &PgStandby, database: &Database) {
    let mut replica = Asker::at(&standby.url_of(database));
    replica.wait_for(&Question::OwnLag, |seconds| seconds == 0.0);
    server.kill();
    wait_for_reason(&mut replica, "cut off");
    assert!(server.restart().wait().unwrap().success());
    wait_for("it is back", || replica.readings(&Question::OwnLag)[0].value == Ok(0.0));

    let desk = Desk::at(&standby.url_of(database));
    desk.write("job.toml", JOB);
    desk.call(&["plan", "job.toml"]).expect(2).says("the server is a replica; give the URL");
}

const JOB: &str = r#"
[job]
name = "misled"

[target]
url_env = "DATABASE_URL"

[update]
table = "wide"
set   = { w = "'y'" }
where = "w = 'x'"
"#;

fn maria() {
    let pair = MariaReplica::start();
    let database = Database::on(engine("mariadb"), pair.primary.url.clone());
    database.script("CREATE TABLE t (id integer PRIMARY KEY);\nINSERT INTO t VALUES (1)");
    let mut primary = Asker::at(&database.url);
    let mut everywhere = Asker::at(&pair.replica.url);
    wait_for("the database is there", || {
        let sql = format!("SHOW DATABASES LIKE '{}'", database.login().database);
        !everywhere.rows(&sql).is_empty()
    });
    let mut replica = Asker::at(&pair.url_of(&database));
    let lag = Question::OwnLag;
    replica.wait_for(&lag, |seconds| seconds == 0.0);
    assert_eq!(primary.reason(&lag), "it is no replica");
    // Whoever sends the log to a replica is not at work on a statement.
    assert_eq!(primary.value(&Question::Active { sessions: Vec::new() }), 0.0);

    // A table that is locked there stops the log of the primary.
    let mut holder = replica.open();
    replica.run(&mut holder, "LOCK TABLES t READ");
    database.script("INSERT INTO t VALUES (2)");
    replica.wait_for(&lag, |seconds| 1.0 <= seconds);
    replica.run(&mut holder, "UNLOCK TABLES");
    replica.wait_for(&lag, |seconds| seconds == 0.0);

    for (thread, what) in [("SQL_THREAD", "what applies the log"), ("IO_THREAD", "what receives")] {
        pair.execute(&format!("STOP SLAVE {thread}"));
        let reason = replica.reason(&lag);
        assert!(reason.starts_with(what) && reason.contains("not running (`No`)"), "{reason}");
        pair.execute(&format!("START SLAVE {thread}"));
        wait_for("it runs again", || replica.readings(&lag)[0].value == Ok(0.0));
    }

    // A row that is there already: the reason is the server's.
    Asker::at(&pair.url_of(&database)).rows("INSERT INTO t VALUES (3)");
    database.script("INSERT INTO t VALUES (3)");
    wait_for_reason(&mut replica, "Duplicate entry '3'");
    Asker::at(&pair.url_of(&database)).rows("DELETE FROM t WHERE id = 3");
    pair.execute("START SLAVE");
    wait_for("it goes on", || replica.readings(&lag)[0].value == Ok(0.0));

    pair.kill();
    assert!(replica.ask(&lag).unwrap_err().is_lost());
    pair.restart();
    let mut replica = Asker::at(&pair.url_of(&database));
    wait_for("it is back", || replica.readings(&lag)[0].value == Ok(0.0));
    // Cut off, it has nothing to do and is not up to date all the same.
    pair.primary.kill();
    wait_for_reason(&mut replica, "`Connecting`");
}
