use super::effects;
use crate::gate::effects::{Effects, Mode, Verdict};
use crate::gate::{Engine, Schema, Server, Surroundings};
use crate::sql::{Source, Tokens, parse};

const SCHEMA: &str =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a int, b text, u int UNIQUE, c int, CHECK (c > 0));
CREATE INDEX by_b ON t (b);";

fn of(sql: &str, in_transaction: bool) -> Effects {
    let version = (3, 45, 0);
    let source = Source { tokens: Tokens::Sqlite, mariadb: false, version };
    let mut schema = Schema::default();
    schema.complete = true;
    for statement in parse(source, SCHEMA).statements {
        schema.apply(&statement);
    }
    let server = Server { engine: Engine::Sqlite, version };
    let around = Surroundings {
        server,
        schema: &schema,
        in_transaction,
        utc: None,
        foreign_key_checks: true,
    };
    effects(&parse(source, sql).statements[0], &around)
}

#[test]
fn what_is_written_read_and_refused() {
    let table = [
        // sql, rewrites, scans, builds an index, fails
        ("ALTER TABLE t ADD COLUMN q int", false, false, false, false),
        ("ALTER TABLE t ADD COLUMN q int NOT NULL DEFAULT 1", false, false, false, false),
        ("ALTER TABLE t ADD COLUMN q int CHECK (q > 0)", false, true, false, false),
        ("ALTER TABLE t ADD COLUMN q int UNIQUE", false, false, false, true),
        ("ALTER TABLE t ADD COLUMN a int", false, false, false, true),
        ("ALTER TABLE t ADD COLUMN q int NOT NULL AS (a + 1)", false, true, false, false),
        ("ALTER TABLE t DROP COLUMN c", true, false, false, true),
        ("ALTER TABLE t DROP COLUMN a", true, false, false, false),
        ("ALTER TABLE t DROP COLUMN b", true, false, false, true),
        ("ALTER TABLE t DROP COLUMN u", true, false, false, true),
        ("ALTER TABLE t RENAME COLUMN a TO d", false, false, false, false),
        ("ALTER TABLE t RENAME COLUMN a TO b", false, false, false, true),
        ("ALTER TABLE t RENAME TO t2", false, false, false, false),
        ("CREATE INDEX by_a ON t (a)", false, false, true, false),
        ("CREATE INDEX by_b ON t (a)", false, false, true, true),
        ("DROP INDEX by_b", false, false, false, false),
        ("DROP TABLE t", false, false, false, false),
        ("DROP TABLE absent", false, false, false, true),
        ("VACUUM", true, false, false, false),
        ("UPDATE t SET a = 1", false, false, false, false),
    ];
    for (sql, rewrites, scans, builds, fails) in table {
        let effects = of(sql, false);
        assert_eq!(!effects.rewrite.is_empty(), rewrites, "{sql}: {effects:?}");
        assert_eq!(!effects.scan.is_empty(), scans, "{sql}: {effects:?}");
        assert_eq!(!effects.index_build.is_empty(), builds, "{sql}: {effects:?}");
        assert_eq!(effects.fails.is_some(), fails, "{sql}: {effects:?}");
        assert_eq!(effects.locks.len(), 1, "{sql}: {effects:?}");
        assert_eq!(effects.locks[0].mode, Mode::Exclusive, "{sql}: {effects:?}");
        assert!(!effects.commits, "{sql}: {effects:?}");
    }
}

#[test]
fn what_depends_on_rows_is_assumed() {
    let effects = of("ALTER TABLE t ADD COLUMN q int NOT NULL", false);
    assert!(matches!(effects.verdict, Verdict::Assumed(_)), "{effects:?}");
}

#[test]
fn a_vacuum_needs_to_be_alone() {
    assert!(of("VACUUM", true).fails.is_some());
    assert!(of("VACUUM", false).fails.is_none());
}
