//! What each database answers when it is asked after its health: every question, each in a situation
//! that was made for it.

use std::time::Duration;

use backstop::target::{Answer, Question, Reading};
use libtest_mimic::Trial;

use crate::asking::{Asker, table};
use crate::database::{Database, Engine, available, engine};
use crate::harness::Said;
use crate::own_server::OwnServer;
use crate::test;

pub fn trials() -> Vec<Trial> {
    type Check = fn(Engine);
    const FAMILIES: &[(&str, &[&str], Check)] = &[
        ("every question has its answer", &["sqlite", "postgres", "mysql"], every_question),
        ("sessions that wait for ours", &["postgres", "mysql"], blocked),
        ("sessions at work", &["postgres", "mysql"], active),
        ("old transactions", &["postgres", "mysql"], transaction_age),
        ("heartbeats", &["postgres", "mysql"], heartbeat),
        ("the log that is written", &["postgres", "mysql"], written),
        ("a right that is missing is named", &["postgres", "mysql"], rights),
        ("a slot's log", &["postgres"], slots),
        ("dead rows", &["postgres"], dead_rows),
        ("the history list", &["mysql"], history_list),
    ];
    let each = |engine: Engine| {
        let here = move |families: &[&str]| families.contains(&engine.family);
        FAMILIES.iter().filter(move |(_, families, _)| here(families)).map(
            move |(name, _, check)| {
                test(format!("signals: {name} on {}", engine.name), move || check(engine))
            },
        )
    };
    let one = |name: &str, engine_name: &'static str, check: Check| {
        test(format!("signals: {name} on {engine_name}"), move || check(engine(engine_name)))
    };
    let mut trials = vec![
        one("vacuums and the archive", "postgres", vacuums_and_archive),
        one("the plugin that knows disks", "mariadb", disks),
    ];
    trials.extend(available().flat_map(each));
    trials
}

/// What a database is to say of a question.
#[derive(Debug, Clone, Copy)]
enum Expect {
    /// It has no such thing; the reason holds this.
    Not(&'static str),
    /// A number, or several.
    Number,
    /// It cannot be told, for this reason.
    Bad(&'static str),
    /// A list that is empty here.
    Nothing,
}

/// The whole table: question × SQLite, PostgreSQL, MariaDB, MySQL. The `match` is what holds it to be
/// whole.
const fn expected(question: &Question) -> [Expect; 4] {
    use Expect::{Bad, Not, Nothing, Number};
    const VACUUM: [Expect; 4] =
        [Not("in place"), Number, Not("has no vacuum"), Not("has no vacuum")];
    match question {
        Question::Positions => {
            [Not("no replication"), Number, Not("`replicas`"), Not("`replicas`")]
        }
        Question::RetainedLog => {
            [Not("keeps no log"), Nothing, Not("for a time"), Not("for a time")]
        }
        Question::OwnLag => {
            const NONE: Expect = Bad("it is no replica");
            [Not("no replication"), NONE, NONE, NONE]
        }
        Question::Heartbeat { .. } => [Not("no replication"), Number, Number, Number],
        Question::Blocked { .. } => [Not("does not tell who waits"), Number, Number, Number],
        Question::Active { .. } => [Not("no server"), Number, Number, Number],
        Question::WalWritten => {
            [Not("does not count"), Number, Not("no write-ahead"), Not("no write-ahead")]
        }
        Question::BinlogWritten => [Not("no binary log"), Not("no binary log"), Number, Number],
        Question::ArchiveBacklog => {
            [Not("archives none"), Number, Not("no archive"), Not("no archive")]
        }
        Question::WraparoundVacuum { .. }
        | Question::Autovacuum { .. }
        | Question::DeadRows { .. } => VACUUM,
        Question::HistoryList => [Not("no InnoDB"), Not("no history list"), Number, Number],
        Question::TransactionAge { .. } => [Not("does not tell"), Number, Number, Number],
        Question::DiskFree => [Not("`path`"), Not("`path`"), Not("`DISKS`"), Not("`path`")],
        Question::Number { .. } => [Number, Number, Number, Number],
    }
}

fn of(engine: Engine, columns: [Expect; 4]) -> Expect {
    let column = match (engine.family, engine.name) {
        ("sqlite", _) => 0,
        ("postgres", _) => 1,
        (_, "mariadb") => 2,
        _ => 3,
    };
    columns[column]
}

const T: &str = "\
CREATE TABLE t (id bigint PRIMARY KEY, a bigint, at varchar(40));
INSERT INTO t VALUES (1, 0, '2026-01-01T12:00:00.000120'), (2, 0, NULL)";

fn scene(engine: Engine) -> (Database, Asker) {
    let database = Database::new(engine);
    database.script(T);
    let asker = Asker::at(&database.url);
    (database, asker)
}

fn blocked_by(sessions: &[&str]) -> Question {
    Question::Blocked { sessions: sessions.iter().map(|id| (*id).to_owned()).collect() }
}

fn active_beside(sessions: &[&str]) -> Question {
    Question::Active { sessions: sessions.iter().map(|id| (*id).to_owned()).collect() }
}

fn age_beside(sessions: &[&str]) -> Question {
    Question::TransactionAge { sessions: sessions.iter().map(|id| (*id).to_owned()).collect() }
}

fn every_question(engine: Engine) {
    let (_database, mut asker) = scene(engine);
    let other = asker.open();
    for question in Question::one_of_each(&table("t"), &[other.id]) {
        let expected = of(engine, expected(&question));
        let answer = asker.ask(&question);
        let is_it = match (expected, &answer) {
            (Expect::Not(part), Ok(Answer::NotHere(reason))) => reason.contains(part),
            (Expect::Number, Ok(Answer::Read(all))) => {
                !all.is_empty() && all.iter().all(|one| one.value.is_ok_and_positive())
            }
            (Expect::Bad(part), Ok(Answer::Read(all))) => {
                matches!(all.as_slice(), [Reading { value: Err(why), .. }] if why.contains(part))
            }
            (Expect::Nothing, Ok(Answer::Read(all))) => {
                // Slots of other tests on the same server are no slots of ours.
                all.iter().all(|one| one.value.is_ok_and_positive())
            }
            _ => false,
        };
        assert!(is_it, "{question:?}: expected {expected:?}, and it was {answer:?}");
    }
    if engine.name == "mysql" {
        stopped_channel(&mut asker);
    }
}

/// Here, for it makes a replica of the server that all tests share: a test beside this one must not
/// ask whether it is one.
fn stopped_channel(asker: &mut Asker) {
    asker.rows(
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = 1 FOR CHANNEL 'of_a_test'",
    );
    let readings = asker.readings(&Question::OwnLag);
    asker.rows("RESET REPLICA ALL FOR CHANNEL 'of_a_test'");
    let [Reading { of, value: Err(why) }] = readings.as_slice() else { panic!("{readings:?}") };
    assert_eq!(of.as_deref(), Some("source of_a_test"));
    assert!(why.contains("not running (`No`)"), "{why}");
}

/// No value of any question is negative.
trait Plausible {
    fn is_ok_and_positive(&self) -> bool;
}

impl Plausible for Result<f64, String> {
    fn is_ok_and_positive(&self) -> bool {
        self.as_ref().is_ok_and(|value| 0.0 <= *value)
    }
}

fn blocked(engine: Engine) {
    let (_database, mut asker) = scene(engine);
    let (mut ours, mut theirs) = (asker.open(), asker.open());
    asker.begin(&mut ours);
    asker.run(&mut ours, "UPDATE t SET a = 1 WHERE id = 1");
    asker.begin(&mut theirs);
    asker.run(&mut theirs, "UPDATE t SET a = 1 WHERE id = 2");
    let question = blocked_by(&[&ours.id]);
    assert_eq!(asker.value(&question), 0.0);

    let row = asker.start("UPDATE t SET a = 2 WHERE id = 1");
    asker.wait_for(&question, |waiters| waiters == 1.0);
    let queue = asker.start("UPDATE t SET a = 3 WHERE id = 1");
    asker.wait_for(&question, |waiters| waiters == 2.0);
    let others = asker.start("UPDATE t SET a = 2 WHERE id = 2");
    asker.wait_for(&blocked_by(&[&theirs.id]), |waiters| waiters == 1.0);
    assert_eq!(asker.value(&question), 2.0, "who waits for another is not blocked by us");
    // A session of the job's that waits for the job is no harm.
    assert_eq!(asker.value(&blocked_by(&[&ours.id, &row.id, &queue.id])), 0.0);
    asker.roll_back(&mut theirs);
    asker.finish(others);

    // It waits for our lock of the table; and the reader, in the queue behind it.
    let lock = asker.start("ALTER TABLE t ADD COLUMN b integer");
    asker.wait_for(&question, |waiters| waiters == 3.0);
    let reader = asker.start("SELECT a FROM t WHERE id = 2");
    asker.wait_for(&question, |waiters| waiters == 4.0);

    asker.roll_back(&mut ours);
    for busy in [row, queue, lock, reader] {
        asker.finish(busy);
    }
    assert_eq!(asker.value(&question), 0.0);
}

/// Tests beside this one are at work on the same server as well, now and then.
fn active(engine: Engine) {
    let (_database, mut asker) = scene(engine);
    let sleep =
        if engine.family == "postgres" { "SELECT pg_sleep(60)" } else { "SELECT sleep(60)" };
    let busy = [asker.start(sleep), asker.start(sleep), asker.start(sleep)];
    let idle = asker.open();
    asker.wait_for(&active_beside(&[]), |count| count == 3.0);
    asker.wait_for(&active_beside(&[&busy[0].id, &idle.id]), |count| count == 2.0);
    let all: Vec<&str> = busy.iter().map(|busy| busy.id.as_str()).collect();
    asker.wait_for(&active_beside(&all), |count| count == 0.0);
    for busy in busy {
        asker.stop(busy);
    }
}

fn transaction_age(engine: Engine) {
    let (_database, mut asker) = scene(engine);
    let mut old = asker.open();
    asker.begin(&mut old);
    asker.run(&mut old, "UPDATE t SET a = 1 WHERE id = 1");
    std::thread::sleep(Duration::from_millis(2100));
    let age = asker.value(&age_beside(&[]));
    assert!(2.0 <= age, "{age}");
    // On PostgreSQL the transactions of other databases hold nothing back here; on MySQL tests beside
    // this one have theirs, now and then.
    let beside = age_beside(&[&old.id]);
    asker.wait_for(&beside, |others| others < 1.0);
    asker.roll_back(&mut old);
    if engine.family == "postgres" {
        assert!(age < 60.0, "{age}");
        asker.begin(&mut old);
        asker.run(&mut old, "SELECT 1");
        assert_eq!(asker.value(&age_beside(&[])), 0.0, "it holds nothing back between statements");
    }
}

fn heartbeat(engine: Engine) {
    let (database, mut asker) = scene(engine);
    let postgres = engine.family == "postgres";
    let (moment, zoneless, past) = if postgres {
        ("timestamptz", "timestamp", "(clock_timestamp() - interval '90 s')")
    } else {
        ("timestamp(6) NULL", "datetime(6)", "(UTC_TIMESTAMP(6) - INTERVAL 90 SECOND)")
    };
    database.script(&format!(
        "CREATE TABLE beats (id bigint PRIMARY KEY, moment {moment}, zoneless {zoneless}, \
         text varchar(40))"
    ));
    let ask = |column: &str| Question::Heartbeat { table: table("beats"), column: column.into() };
    assert!(asker.reason(&ask("moment")).contains("no entry"));

    let iso = if postgres {
        format!("to_char({past} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US')")
    } else {
        format!("DATE_FORMAT({past}, '%Y-%m-%dT%H:%i:%s.%f')")
    };
    let (moment, zoneless) = if postgres {
        (past.to_owned(), format!("{past} AT TIME ZONE 'UTC'"))
    } else {
        // The session's zone is the server's own.
        ("NOW(6) - INTERVAL 90 SECOND".to_owned(), past.to_owned())
    };
    database.script(&format!(
        "INSERT INTO beats VALUES (1, {moment}, {zoneless}, {iso}), (2, NULL, NULL, NULL)"
    ));
    for column in ["moment", "zoneless", "text"] {
        let age = asker.value(&ask(column));
        assert!((90.0..100.0).contains(&age), "{column}: {age}");
    }
    // `pt-heartbeat` without `--utc`, east of Greenwich.
    database.script("UPDATE beats SET text = '2099-01-01T12:00:00.000120' WHERE id = 1");
    assert!(asker.reason(&ask("text")).contains("taken for UTC"));
    let missing = Question::Heartbeat { table: table("no_beats"), column: "at".into() };
    assert!(asker.ask(&missing).unwrap_err().message.contains("no_beats"));
    if postgres {
        database.script("UPDATE beats SET text = text || '+02' WHERE id = 1");
        assert!(asker.reason(&ask("text")).contains("in the future"));
    }
}

/// Others write as well, so there is no upper bound here; `lagging` has one, on a server of its own.
fn written(engine: Engine) {
    let (database, mut asker) = scene(engine);
    let question =
        if engine.family == "postgres" { Question::WalWritten } else { Question::BinlogWritten };
    let before = asker.value(&question);
    database.script(
        "CREATE TABLE wide (n integer PRIMARY KEY, w varchar(200));\n\
         INSERT INTO wide SELECT n, repeat('x', 100) FROM numbers",
    );
    // `numbers` has 20,000 rows.
    asker.wait_for(&question, |now| 2_000_000.0 < now - before);
}

fn slots(engine: Engine) {
    let (database, mut asker) = scene(engine);
    let name = format!("slot_of_{}", database.login().database);
    database.value(&format!("SELECT pg_create_physical_replication_slot('{name}', true)::text"));
    database.value(&format!("SELECT pg_create_physical_replication_slot('{name}_2')::text"));
    database.script("CREATE TABLE wide AS SELECT n, repeat('x', 100) AS w FROM numbers");
    let readings = asker.readings(&Question::RetainedLog);
    let bytes = |name: &str| {
        let of = Some(format!("slot {name}"));
        let found = readings.iter().find(|reading| reading.of == of);
        found.unwrap_or_else(|| panic!("{readings:?}")).value.clone().unwrap()
    };
    let (kept, nothing) = (bytes(&name), bytes(&format!("{name}_2")));
    for name in [format!("{name}_2"), name] {
        database.value(&format!("SELECT pg_drop_replication_slot('{name}')::text"));
    }
    assert!((2_000_000.0..1e9).contains(&kept), "{kept}");
    assert_eq!(nothing, 0.0, "a slot that has reserved nothing");
}

fn dead_rows(engine: Engine) {
    let (database, mut asker) = scene(engine);
    database.script(
        "CREATE TABLE parts (n integer, p integer) PARTITION BY LIST (p);\n\
         CREATE TABLE \"Few Dead\" PARTITION OF parts FOR VALUES IN (0) WITH (autovacuum_enabled = false);\n\
         CREATE TABLE many_dead PARTITION OF parts FOR VALUES IN (1) WITH (autovacuum_enabled = false);\n\
         INSERT INTO parts SELECT n, n % 2 FROM numbers WHERE n <= 2000;\n\
         DELETE FROM parts WHERE p = 0 AND n <= 200 OR p = 1 AND n <= 800",
    );
    let dead = |name: &str| Question::DeadRows { table: table(name) };
    assert_eq!(asker.value(&dead("t")), 0.0);
    asker.wait_for(&dead("parts"), |share| share == 0.4);
    assert_eq!(asker.value(&dead("\"Few Dead\"")), 0.1);
    assert_eq!(asker.value(&dead("MANY_DEAD")), 0.4);
    assert!(asker.ask(&dead("nowhere")).unwrap_err().message.contains("`nowhere`"));
}

fn history_list(engine: Engine) {
    let (_database, mut asker) = scene(engine);
    let (mut old, mut writer) = (asker.open(), asker.open());
    asker.run(&mut old, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ");
    asker.run(&mut old, "START TRANSACTION WITH CONSISTENT SNAPSHOT");
    for _ in 0..50 {
        asker.run(&mut writer, "UPDATE t SET a = a + 1 WHERE id = 1");
    }
    let length = asker.value(&Question::HistoryList);
    assert!(50.0 <= length, "{length}");
    asker.roll_back(&mut old);
}

/// Of what an account may not see, none of it reads as a number.
fn rights(engine: Engine) {
    let (database, _) = scene(engine);
    let login = database.login();
    let name = format!("blind_{}", login.database);
    let (create, clean_up) = if engine.family == "postgres" {
        (
            format!("CREATE ROLE {name} LOGIN PASSWORD 'secret';\nGRANT SELECT ON t TO {name}"),
            format!("DROP OWNED BY {name};\nDROP ROLE {name}"),
        )
    } else {
        (
            format!(
                "CREATE USER '{name}'@'%' IDENTIFIED BY 'secret';\n\
                 GRANT SELECT ON {}.* TO '{name}'@'%'",
                login.database
            ),
            format!("DROP USER '{name}'@'%'"),
        )
    };
    database.script(&create);
    let mut url = url::Url::parse(&database.url).unwrap();
    url.set_username(&name).unwrap();
    url.set_password(Some("secret")).unwrap();
    let mut asker = Asker::at(url.as_str());
    for question in Question::one_of_each(&table("t"), &["1".to_owned()]) {
        let needed = needed(&question, engine);
        match asker.ask(&question) {
            Err(error) => assert!(
                needed.is_some_and(|grant| error.message.contains(grant)),
                "{question:?}: {error}"
            ),
            Ok(answer) => assert!(needed.is_none(), "{question:?}: {answer:?}"),
        }
    }
    // What it may see of others is no less than what there is.
    if engine.family == "postgres" {
        let mut all = Asker::at(&database.url);
        let mut ours = all.open();
        all.begin(&mut ours);
        all.run(&mut ours, "UPDATE t SET a = 1 WHERE id = 1");
        let busy = all.start("UPDATE t SET a = 2 WHERE id = 1");
        asker.wait_for(&blocked_by(&[&ours.id]), |waiters| waiters == 1.0);
        all.stop(busy);
    }
    drop(asker);
    database.script(&clean_up);
}

/// The right that an account needs for it beyond SELECT on the table.
fn needed(question: &Question, engine: Engine) -> Option<&'static str> {
    let innodb = Some("GRANT PROCESS ON *.* TO");
    let schema = Some("GRANT SELECT ON performance_schema.* TO");
    match (question, engine.family, engine.name) {
        (
            Question::Active { .. }
            | Question::TransactionAge { .. }
            | Question::WraparoundVacuum { .. }
            | Question::Autovacuum { .. },
            "postgres",
            _,
        ) => Some("GRANT pg_monitor TO"),
        (Question::OwnLag, _, "mariadb") => Some("GRANT SLAVE MONITOR ON *.* TO"),
        (Question::OwnLag, _, "mysql") => Some("GRANT REPLICATION CLIENT ON *.* TO"),
        (Question::Blocked { .. } | Question::Active { .. }, _, "mariadb") => innodb,
        (
            Question::Blocked { .. } | Question::Active { .. } | Question::BinlogWritten,
            _,
            "mysql",
        ) => schema,
        (Question::TransactionAge { .. }, "mysql", _) | (Question::HistoryList, _, "mysql") => {
            innodb
        }
        _ => None,
    }
}

/// On a server of its own, which is set to look for something to vacuum every second.
fn vacuums_and_archive(engine: Engine) {
    let server = OwnServer::of(engine);
    let database = Database::on(engine, server.url.clone());
    for setting in [
        "autovacuum_naptime = '1s'",
        "archive_mode = on",
        "archive_command = 'false'",
        "synchronous_commit = off",
    ] {
        database.script(&format!("ALTER SYSTEM SET {setting}"));
    }
    assert_eq!(Asker::at(&database.url).value(&Question::ArchiveBacklog), 0.0, "it is off yet");
    server.kill();
    assert!(server.restart().wait().unwrap().success());
    let mut asker = Asker::at(&database.url);

    // A vacuum that sleeps after each page, in a partition.
    database.script(
        "CREATE TABLE parts (n integer, w text) PARTITION BY RANGE (n);\n\
         CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (100000)
         WITH (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
               autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0);\n\
         CREATE TABLE calm (n integer);\n\
         INSERT INTO parts SELECT n, repeat('x', 500) FROM numbers;\n\
         DELETE FROM parts WHERE n <= 5000",
    );
    let autovacuum = |name: &str| Question::Autovacuum { table: table(name) };
    let wraparound = |name: &str| Question::WraparoundVacuum { table: table(name) };
    asker.wait_for(&autovacuum("parts"), |count| count == 1.0);
    assert_eq!(asker.value(&autovacuum("part")), 1.0);
    assert_eq!(asker.value(&autovacuum("calm")), 0.0);
    assert_eq!(asker.value(&wraparound("parts")), 0.0);

    // The same, because the table is old: transaction numbers are used up. The vacuum that is at work
    // is ended by whoever locks the table.
    database.script("ALTER TABLE part SET (autovacuum_freeze_max_age = 100000)");
    database.script(
        "DO $$ BEGIN FOR i IN 1..100001 LOOP PERFORM txid_current(); COMMIT; END LOOP; END $$",
    );
    database.value("SELECT pg_terminate_backend(pid)::text FROM pg_stat_progress_vacuum");
    asker.wait_for(&wraparound("parts"), |count| count == 1.0);
    assert_eq!(asker.value(&autovacuum("parts")), 1.0);
    assert_eq!(asker.value(&wraparound("calm")), 0.0);

    for _ in 0..3 {
        database.value("SELECT pg_logical_emit_message(false, 'a', 'b')::text");
        database.value("SELECT pg_switch_wal()::text");
    }
    assert!(3.0 <= asker.value(&Question::ArchiveBacklog));
    database.script("ALTER SYSTEM SET archive_command = 'true'");
    database.value("SELECT pg_reload_conf()::text");
    asker.wait_for(&Question::ArchiveBacklog, |segments| segments == 0.0);
}

fn disks(engine: Engine) {
    let server = OwnServer::of(engine);
    let database = Database::on(engine, server.url.clone());
    let mut asker = Asker::at(&database.url);
    assert!(matches!(asker.ask(&Question::DiskFree), Ok(Answer::NotHere(_))));
    database.script("INSTALL SONAME 'disks'");
    let datadir = database.value("SELECT CAST(@@datadir AS CHAR)");
    let said = Said::by(std::process::Command::new("df").args([
        "--block-size=1",
        "--output=avail",
        &datadir,
    ]));
    let free: f64 = said.expect(0).out.lines().last().unwrap().trim().parse().unwrap();
    let told = asker.value(&Question::DiskFree);
    // Others write to this disk meanwhile.
    assert!((told - free).abs() < 2e9, "{told}, and `df` says {free}");
}
