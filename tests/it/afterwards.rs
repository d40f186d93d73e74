//! What is done for the table when every row is written.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available, engine, execute, open};
use crate::harness::{Desk, wait_for};
use crate::test;

const SPEC: &str = r#"
[job]
name = "tidy"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { a = "b + 1" }
where = "a IS NULL"
"#;

const SCHEMA: &str = "\
CREATE TABLE t (id {{id}}, a integer, b integer NOT NULL);
CREATE INDEX t_b ON t (b);
INSERT INTO t (b) SELECT n FROM numbers WHERE n <= 5000";

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<_> = available()
        .map(|engine| {
            let name = format!("afterwards: the statistics are taken anew on {}", engine.name);
            test(name, move || analyzed(engine))
        })
        .collect();
    let postgres = available().filter(|engine| engine.family == "postgres");
    trials.extend(postgres.map(|engine| {
        let name = format!("afterwards: the space of dead rows is made free on {}", engine.name);
        test(name, move || vacuumed(engine))
    }));
    trials.extend([
        test("afterwards: vacuum is refused where there is none", refused),
        test("afterwards: who may not is told before the first write", may_not),
        test("afterwards: a vacuum steps aside and can be killed", steps_aside),
    ]);
    trials
}

fn desk(database: &Database, sections: &str) -> Desk {
    database.script(SCHEMA);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", &format!("{SPEC}{sections}"));
    desk
}

/// How often the table was analyzed, or vacuumed.
fn times(database: &Database, what: &str) -> String {
    let number = format!("SELECT {what}_count FROM pg_stat_user_tables WHERE relname = 't'");
    // The server counts a moment later.
    std::thread::sleep(Duration::from_millis(700));
    database.value(&number)
}

fn analyzed(engine: Engine) {
    let database = Database::new(engine);
    let desk = desk(&database, "[after]\nanalyze = true\n");
    let plan = desk.call(&["plan", "job.toml"]).expect(0);
    plan.says("ANALYZE").says("(when every row is written)");
    desk.call(&["run", "job.toml", "--progress", "plain"])
        .expect(0)
        .says("every row is written; analyze of the table begins")
        .says("analyze of the table is done, in ");
    let known = match engine.family {
        "postgres" => "SELECT count(*) FROM pg_stats WHERE tablename = 't' AND attname = 'a'",
        "sqlite" => "SELECT count(*) FROM sqlite_stat1 WHERE idx = 't_b'",
        _ => {
            "SELECT count(*) FROM mysql.innodb_table_stats WHERE table_name = 't' \
             AND database_name = DATABASE() AND n_rows BETWEEN 4000 AND 6000"
        }
    };
    assert_eq!(database.value(known), "1");
    // Once in a generation.
    let again = desk.call(&["run", "job.toml", "--progress", "plain"]).expect(0);
    assert!(!again.err.contains("analyze of the table"), "{}", again.err);
    desk.call(&["run", "job.toml", "--again", "--progress", "plain"])
        .expect(0)
        .says("analyze of the table is done");
}

fn vacuumed(engine: Engine) {
    let database = Database::new(engine);
    database.script("CREATE TABLE other (id integer)");
    let desk = desk(&database, "[after]\nanalyze = true\nvacuum = true\n");
    database.script("ALTER TABLE t SET (autovacuum_enabled = false)");
    desk.call(&["plan", "job.toml"]).expect(0).says("VACUUM (TRUNCATE false) \"public\".\"t\"");
    desk.call(&["run", "job.toml"]).expect(0);
    assert_eq!((times(&database, "vacuum"), times(&database, "analyze")), ("1".into(), "1".into()));
    let dead = "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 't'";
    assert_eq!(database.value(dead), "0");
}

fn refused() {
    let on = |name: &str| {
        let database = Database::new(engine(name));
        let desk = desk(&database, "[after]\nvacuum = true\n");
        let said = desk.call(&["run", "job.toml"]).expect(2);
        assert_eq!(database.value("SELECT count(*) FROM t WHERE a IS NOT NULL"), "0");
        said.says("`vacuum = true` in [after] cannot be had here: ")
            .says("take `vacuum` out of [after]")
    };
    on("sqlite").says("writes the whole file anew");
    on("mariadb").says("InnoDB has no VACUUM");
}

fn may_not() {
    for engine in available().filter(|engine| engine.family != "sqlite") {
        let database = Database::new(engine);
        desk(&database, "");
        let name = format!("tidy_{}", database.login().database);
        database.script(&match engine.family {
            "postgres" => format!(
                "CREATE ROLE {name} LOGIN PASSWORD 'secret';\nGRANT SELECT, UPDATE ON t TO {name};\n\
                 GRANT CREATE ON SCHEMA public TO {name}"
            ),
            _ => format!(
                "CREATE USER '{name}'@'%' IDENTIFIED BY 'secret';\n\
                 GRANT SELECT, UPDATE, CREATE ON * TO '{name}'@'%'"
            ),
        });
        let mut url = url::Url::parse(&database.url).unwrap();
        url.set_username(&name).unwrap();
        url.set_password(Some("secret")).unwrap();
        let theirs = Desk::at(url.as_str());
        theirs.write("job.toml", &format!("{SPEC}[after]\nanalyze = true\n"));
        let said = theirs.call(&["plan", "job.toml"]).expect(2);
        let why = match engine.name {
            "postgres18" => "`GRANT MAINTAIN ON \"public\".\"t\" TO …` would let it",
            "postgres" => "only the owner of the table or of the database may",
            _ => "ANALYZE TABLE asks for SELECT and INSERT on it",
        };
        said.says("`analyze = true` in [after] cannot be had here: ").says(why);
        database.script(&match engine.family {
            "postgres" => format!("DROP OWNED BY {name};\nDROP ROLE {name}"),
            _ => format!("DROP USER '{name}'@'%'"),
        });
    }
}

/// Somebody has locked the table against it: meanwhile a signal is heard, and then a kill.
fn steps_aside() {
    let database = Database::new(engine("postgres"));
    let sections =
        "[throttle]\nlook_every = \"100ms\"\nfile = { path = \"WAIT\" }\n[after]\nvacuum = true\n";
    let desk = desk(&database, sections);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut other = runtime.block_on(async {
        let mut other = open(&database.url).await;
        other.begin().await.unwrap();
        execute(other.as_mut(), "LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE").await;
        other
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'VACUUM%' \
                 AND wait_event_type = 'Lock'";
    let is_waiting = || database.value(waits) == "1";
    let mut running = desk.start(&["run", "job.toml", "--progress", "plain"]);
    wait_for("a vacuum that waits", is_waiting);
    desk.write("WAIT", "for me");
    wait_for("a vacuum that stepped aside", || database.value(waits) == "0");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(database.value(waits), "0", "it came back while the file stands");
    std::fs::remove_file(desk.path("WAIT")).unwrap();
    wait_for("a vacuum that came back", is_waiting);
    desk.call(&["pause", "tidy"]).expect(0);
    wait_for("a vacuum that is paused", || database.value(waits) == "0");
    desk.call(&["resume", "tidy"]).expect(0);
    wait_for("a vacuum that goes on", is_waiting);
    assert!(!running.has_ended());
    let asked = Instant::now();
    running.signal("TERM");
    let said = running.wait().expect(3);
    assert!(asked.elapsed() < Duration::from_millis(1500), "{:?}", asked.elapsed());
    said.says("tidy: every row is written; what follows was stopped by SIGTERM");
    assert_eq!(desk.status("tidy")["state"], "completed");

    let running = desk.start(&["run", "job.toml"]);
    wait_for("a vacuum of the next run", is_waiting);
    let asked = Instant::now();
    desk.call(&["kill", "tidy", "--reason", "enough"]).expect(0);
    running.wait().expect(4);
    assert!(asked.elapsed() < Duration::from_millis(1500), "{:?}", asked.elapsed());
    assert_eq!(database.value(waits), "0");

    runtime.block_on(async {
        other.commit().await.unwrap();
        other.close().await;
    });
    desk.call(&["release", "tidy", "--reason", "go on"]).expect(0);
    desk.call(&["run", "job.toml"]).expect(0).says("verified");
    assert_eq!(times(&database, "vacuum"), "1");
}
