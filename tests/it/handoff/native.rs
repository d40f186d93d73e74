//! PostgreSQL's own path, planned and run.

use std::process::Command;

use libtest_mimic::Trial;

use super::{found, plan, planned};
use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Said};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let engines = available().filter(|engine| engine.family == "postgres");
    engines
        .map(|engine| {
            test(format!("handoff: the native path on {}", engine.name), move || native(engine))
        })
        .collect()
}

fn native(engine: Engine) {
    let database = Database::new(engine);
    database.script(
        "CREATE TABLE t (id bigint PRIMARY KEY, a int, b text NOT NULL);\nINSERT INTO t SELECT n, n, 'x' FROM \
         numbers WHERE n <= 500;\nCREATE TABLE parts (id int, a int) PARTITION BY RANGE (id);\nCREATE TABLE \
         p1 PARTITION OF parts FOR VALUES FROM (0) TO (10)",
    );
    let desk = Desk::at(&database.url);
    let steps = |sql: &str| -> Vec<String> {
        let plan = planned(&desk, sql, &[]);
        assert_eq!(plan["decision"], "native", "{plan:#}");
        let steps = plan["steps"].as_array().unwrap().iter();
        steps.map(|step| step["sql"].as_str().unwrap_or("by hand").to_owned()).collect()
    };
    assert_eq!(
        steps("ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0);"),
        [
            "SET lock_timeout = '500ms'",
            "ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0) NOT VALID",
            "ALTER TABLE t VALIDATE CONSTRAINT k"
        ]
    );
    assert_eq!(
        steps("CREATE INDEX parts_a ON parts (a)"),
        [
            "SET lock_timeout = '500ms'",
            "CREATE INDEX parts_a ON ONLY parts (a)",
            "SET lock_timeout = 0",
            "CREATE INDEX CONCURRENTLY p1_parts_a ON p1 (a)",
            "SET lock_timeout = '500ms'",
            "ALTER INDEX parts_a ATTACH PARTITION p1_parts_a"
        ]
    );
    assert_eq!(steps("ALTER TABLE t ADD COLUMN n int").len(), 2);
    plan(&desk, "ALTER TABLE t ALTER COLUMN a TYPE bigint", &[])
        .expect(1)
        .says("PostgreSQL has no online path for")
        .says("ALTER TABLE t ADD COLUMN a_new bigint");

    // The generated script, run.
    let change = "ALTER TABLE t ALTER COLUMN a SET NOT NULL, ADD CONSTRAINT u UNIQUE (a);";
    plan(&desk, change, &["--generate-only", "--out", "ho"]).expect(0);
    let text = std::fs::read_to_string(desk.path("ho/run.sh")).unwrap();
    assert!(!text.contains(&database.login().password), "{text}");
    let psql = std::env::var("BACKSTOP_TEST_PSQL").unwrap();
    let folder = std::path::Path::new(&psql).parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap());
    let mut run = Command::new(desk.path("ho/run.sh"));
    Said::by(run.env("PATH", path).env("DATABASE_URL", &database.url)).expect(0);
    let not_null = "SELECT attnotnull::text FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'a'";
    assert_eq!(database.value(not_null), "true");
    let unique = "SELECT convalidated::text FROM pg_constraint WHERE conname = 'u'";
    assert_eq!(database.value(unique), "true");

    // What a failed index has left.
    database.script("CREATE TABLE d (id int, a int);\nINSERT INTO d VALUES (1, 1), (2, 1)");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut session = crate::database::open(&database.url).await;
        let index = "CREATE UNIQUE INDEX CONCURRENTLY broken ON d (a)";
        assert!(session.execute(&backstop::target::Statement::plain(index)).await.is_err());
        session.close().await;
    });
    let change = "CREATE UNIQUE INDEX IF NOT EXISTS broken ON d (a)";
    let plan = planned(&desk, change, &[]);
    assert!(found(&plan, "invalid indexes").contains("what it left is dropped"), "{plan:#}");
    assert_eq!(steps(change)[1], "DROP INDEX CONCURRENTLY broken");
    let refused = planned(&desk, "CREATE UNIQUE INDEX IF NOT EXISTS other ON d (a)", &[]);
    let said = found(&refused, "invalid indexes");
    assert!(said.contains("DROP INDEX CONCURRENTLY broken"), "{said}");
    assert_eq!(refused["decision"], "refuse");
}
