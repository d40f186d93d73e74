//! Servers whose replicas would be harmed by a table or a write that nobody told them of.

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::Desk;
use crate::own_server::OwnServer;
use crate::test;

const JOB: &str = r#"
[job]
name = "replicated"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { a = "a + 1" }
exactly_once = true
"#;

pub fn trials() -> Vec<Trial> {
    let of_family = |family: &'static str, name: &'static str, check: fn(Engine)| {
        available().filter(move |engine| engine.family == family).map(move |engine| {
            test(format!("replicating: {name} on {}", engine.name), move || check(engine))
        })
    };
    of_family("postgres", "a publication `FOR ALL TABLES`", all_tables)
        .chain(of_family("mysql", "`binlog_format` STATEMENT", statements))
        .collect()
}

fn scene(database: &Database) -> Desk {
    database.script("CREATE TABLE t (id {{id}}, a integer);\nINSERT INTO t (a) VALUES (1), (2)");
    let desk = Desk::at(&database.url);
    desk.write("job.toml", JOB);
    desk
}

/// A new table there stops the subscribers, which lack it: it is for people to create.
fn all_tables(engine: Engine) {
    let database = Database::new(engine);
    let desk = scene(&database);
    database.script("CREATE PUBLICATION \"Of All\" FOR ALL TABLES");
    for command in ["plan", "run"] {
        let said = desk.call(&[command, "job.toml"]).expect(2).says("`FOR ALL TABLES`");
        said.says("publication \"Of All\"").says("backstop plan --grants");
    }
    let made = "SELECT count(*) FROM pg_class WHERE relname LIKE 'backstop%'";
    assert_eq!(database.value(made), "0", "a table was created");

    let said = desk.call(&["plan", "job.toml", "--grants", "--json"]).expect(0);
    let grants: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    for table in grants["tables"].as_array().unwrap() {
        database.script(table.as_str().unwrap());
    }
    // With one of the two it would still create the other.
    database.script("ALTER TABLE backstop_switch RENAME TO elsewhere");
    desk.call(&["run", "job.toml"]).expect(2).says("\"backstop_switch\" does not exist");
    database.script("ALTER TABLE elsewhere RENAME TO backstop_switch");
    desk.call(&["run", "job.toml"]).expect(0).says("verified");
    assert_eq!(database.value("SELECT sum(a) FROM t"), "5");
}

/// InnoDB refuses to write at READ COMMITTED with such a log.
fn statements(engine: Engine) {
    let server = OwnServer::of(engine);
    let database = Database::on(engine, server.url.clone());
    let desk = scene(&database);
    database.script("SET GLOBAL binlog_format = 'STATEMENT'");
    for command in ["plan", "run"] {
        let said = desk.call(&[command, "job.toml"]).expect(2);
        said.says("`binlog_format` is STATEMENT").says("set it to ROW or MIXED");
    }
    assert_eq!(database.value("SELECT sum(a) FROM t"), "3");
    database.script("SET GLOBAL binlog_format = 'MIXED'");
    desk.call(&["run", "job.toml"]).expect(0).says("verified");
    assert_eq!(database.value("SELECT sum(a) FROM t"), "5");
}
