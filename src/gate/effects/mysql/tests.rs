use super::effects;
use crate::gate::effects::{Algorithm, Effects, Mode, Verdict};
use crate::gate::{Engine, Schema, Server, Surroundings};
use crate::sql::statement::Name;
use crate::sql::{Source, Tokens, parse};

const SCHEMA: &str = "\
CREATE TABLE parent (id int NOT NULL PRIMARY KEY, code int NOT NULL, UNIQUE KEY code (code)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE child (id int NOT NULL PRIMARY KEY, parent_id int, CONSTRAINT child_parent FOREIGN KEY (parent_id) REFERENCES parent (id)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE t (id int NOT NULL PRIMARY KEY, a int, b int NOT NULL DEFAULT 7, s varchar(20), l varchar(100), n decimal(10,2), e enum('x', 'y'), KEY by_a (a)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
CREATE TABLE u3 (id int NOT NULL PRIMARY KEY, s varchar(20)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb3;
CREATE TABLE k (id int NOT NULL PRIMARY KEY, a int, CONSTRAINT k_a CHECK (a > 0)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4;
";

fn with(
    before: &str,
    sql: &str,
    engine: Engine,
    version: (u16, u16, u16),
    complete: bool,
) -> Effects {
    let mariadb = engine == Engine::MariaDb;
    let source = Source { tokens: Tokens::MySql, mariadb, version };
    let mut schema = Schema::default();
    schema.complete = complete;
    for statement in parse(source, before).statements {
        schema.apply(&statement);
    }
    let around = Surroundings {
        server: Server { engine, version },
        schema: &schema,
        in_transaction: false,
        utc: None,
        foreign_key_checks: true,
    };
    effects(&parse(source, sql).statements[0], &around)
}

fn of(sql: &str, engine: Engine, version: (u16, u16, u16)) -> Effects {
    with(SCHEMA, sql, engine, version, true)
}

fn mysql(sql: &str) -> Effects {
    of(sql, Engine::MySql, (8, 4, 0))
}

fn mode(effects: &Effects, relation: &str) -> Option<Mode> {
    effects.locks.iter().find(|lock| lock.relation == Name::plain(relation)).map(|lock| lock.mode)
}

#[test]
fn both_sides_of_every_boundary() {
    use Algorithm::{Copy, InPlace, Instant, NoCopy, Rebuild};
    use Engine::{MariaDb, MySql};
    let table = [
        // sql, engine, the last version of before, how, the first version, how
        ("ALTER TABLE t ADD COLUMN q int", MySql, (8, 0, 11), Rebuild, (8, 0, 12), Instant),
        ("ALTER TABLE t ADD COLUMN q int FIRST", MySql, (8, 0, 28), Rebuild, (8, 0, 29), Instant),
        ("ALTER TABLE t ADD COLUMN q int AFTER a", MySql, (8, 0, 28), Rebuild, (8, 0, 29), Instant),
        ("ALTER TABLE t DROP COLUMN n", MySql, (8, 0, 28), Rebuild, (8, 0, 29), Instant),
        ("ALTER TABLE t RENAME COLUMN n TO m", MySql, (8, 0, 27), InPlace, (8, 0, 28), Instant),
        (
            "ALTER TABLE t ALTER COLUMN b SET DEFAULT 8",
            MySql,
            (5, 7, 44),
            InPlace,
            (8, 0, 12),
            Instant,
        ),
        (
            "ALTER TABLE t MODIFY e enum('x', 'y', 'z')",
            MySql,
            (8, 0, 11),
            InPlace,
            (8, 0, 12),
            Instant,
        ),
        ("ALTER TABLE t RENAME TO t2", MySql, (8, 0, 11), InPlace, (8, 0, 12), Instant),
        ("ALTER TABLE t ADD CHECK (a > 0)", MySql, (8, 0, 15), Instant, (8, 0, 16), Copy),
        (
            "ALTER TABLE t ADD COLUMN q int REFERENCES parent (id)",
            MySql,
            (8, 4, 9),
            Instant,
            (9, 0, 0),
            Copy,
        ),
        (
            "ALTER TABLE u3 MODIFY s varchar(20) CHARACTER SET utf8mb4",
            MySql,
            (8, 0, 36),
            Copy,
            (8, 0, 37),
            InPlace,
        ),
        (
            "ALTER TABLE t ADD COLUMN q int AFTER a",
            MariaDb,
            (10, 3, 39),
            Rebuild,
            (10, 4, 0),
            Instant,
        ),
        ("ALTER TABLE t ADD COLUMN q int", MariaDb, (10, 2, 44), Rebuild, (10, 3, 0), Instant),
        ("ALTER TABLE t DROP COLUMN n", MariaDb, (10, 3, 39), Rebuild, (10, 4, 0), Instant),
        (
            "ALTER TABLE t MODIFY n decimal(10,2) FIRST",
            MariaDb,
            (10, 3, 39),
            Rebuild,
            (10, 4, 0),
            Instant,
        ),
        ("ALTER TABLE t MODIFY s varchar(200)", MariaDb, (10, 4, 2), Copy, (10, 4, 3), Instant),
        (
            "ALTER TABLE t MODIFY s varchar(20) COLLATE utf8mb4_bin",
            MariaDb,
            (10, 4, 2),
            Copy,
            (10, 4, 3),
            Instant,
        ),
        (
            "ALTER TABLE t RENAME INDEX by_a TO of_a",
            MariaDb,
            (10, 5, 2),
            NoCopy,
            (10, 5, 3),
            Instant,
        ),
    ];
    for (sql, engine, before, how, since, then) in table {
        assert_eq!(of(sql, engine, before).algorithm, Some(how), "{sql} on {before:?}");
        assert_eq!(of(sql, engine, since).algorithm, Some(then), "{sql} on {since:?}");
    }
}

#[test]
fn a_copy_lets_writes_through_since_mariadb_11_2() {
    let sql = "ALTER TABLE t MODIFY a bigint";
    for (version, held) in [((11, 1, 9), Mode::Shared), ((11, 2, 0), Mode::MetadataExclusive)] {
        let effects = of(sql, Engine::MariaDb, version);
        assert_eq!(effects.algorithm, Some(Algorithm::Copy), "{version:?}");
        assert_eq!(mode(&effects, "t"), Some(held), "{version:?}");
        assert_eq!(effects.rewrite, [Name::plain("t")], "{version:?}");
    }
    let told = format!("{sql}, LOCK=NONE");
    assert!(of(&told, Engine::MariaDb, (11, 1, 9)).fails.is_some());
    assert!(of(&told, Engine::MariaDb, (11, 2, 0)).fails.is_none());
}

#[test]
fn how_often_a_table_changes_instantly_is_said() {
    let sql = "ALTER TABLE t ADD COLUMN q int";
    for (version, said) in [((8, 0, 28), None), ((8, 0, 29), Some("64")), ((9, 1, 0), Some("255"))]
    {
        let why = of(sql, Engine::MySql, version).why.join(" ");
        match said {
            Some(number) => assert!(why.contains(number), "{version:?}: {why}"),
            None => assert!(!why.contains("VERSIONS"), "{version:?}: {why}"),
        }
    }
    assert!(of(sql, Engine::MariaDb, (10, 11, 0)).why.is_empty());
}

#[test]
fn relatives_are_locked_for_a_moment() {
    let parent = |sql| mode(&mysql(sql), "parent");
    let brief = Some(Mode::MetadataExclusive);
    assert_eq!(
        parent("ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES parent (id)"),
        brief
    );
    assert_eq!(parent("ALTER TABLE child DROP FOREIGN KEY child_parent"), brief);
    assert_eq!(parent("DROP TABLE child"), brief);
    assert_eq!(
        parent(
            "CREATE TABLE c (id int PRIMARY KEY, p int, FOREIGN KEY (p) REFERENCES parent (id))"
        ),
        brief
    );
    assert_eq!(parent("ALTER TABLE child ADD COLUMN q int"), None);
}

#[test]
fn ddl_commits_and_rows_do_not() {
    for (sql, commits) in [
        ("ALTER TABLE t ADD COLUMN q int", true),
        ("CREATE TABLE c (id int)", true),
        ("DROP TABLE t", true),
        ("TRUNCATE TABLE t", true),
        ("RENAME TABLE t TO t2", true),
        ("OPTIMIZE TABLE t", true),
        ("UPDATE t SET a = 1 WHERE id = 1", false),
        ("INSERT INTO t (id) VALUES (1)", false),
    ] {
        assert_eq!(mysql(sql).commits, commits, "{sql}");
    }
}

#[test]
fn what_is_lost_and_what_breaks() {
    let table = [
        // sql, loses, breaks
        ("ALTER TABLE t DROP COLUMN n", true, true),
        ("ALTER TABLE t MODIFY s varchar(10)", true, false),
        ("ALTER TABLE t MODIFY s varchar(30)", false, false),
        ("ALTER TABLE t MODIFY a bigint", false, false),
        ("ALTER TABLE t MODIFY a smallint", true, false),
        ("ALTER TABLE t MODIFY n decimal(12,4)", false, false),
        ("ALTER TABLE t MODIFY n decimal(12,1)", true, false),
        ("ALTER TABLE t MODIFY e enum('x')", true, false),
        ("ALTER TABLE t MODIFY a int NOT NULL", false, true),
        ("ALTER TABLE t MODIFY b int NOT NULL", false, true),
        ("ALTER TABLE t CONVERT TO CHARACTER SET latin1", true, false),
        ("ALTER TABLE u3 CONVERT TO CHARACTER SET utf8mb4", false, false),
        ("ALTER TABLE t RENAME COLUMN n TO m", false, true),
        ("ALTER TABLE t ADD COLUMN q int NOT NULL", false, true),
        ("ALTER TABLE t ADD COLUMN q int NOT NULL DEFAULT 1", false, false),
        ("ALTER TABLE t RENAME TO t2", false, true),
        ("RENAME TABLE t TO old, u3 TO t", false, true),
        ("TRUNCATE TABLE t", true, false),
        ("DROP TABLE t", true, true),
    ];
    for (sql, loses, breaks) in table {
        let effects = mysql(sql);
        assert_eq!(!effects.loss.is_empty(), loses, "{sql}: {effects:?}");
        assert_eq!(!effects.breaks.is_empty(), breaks, "{sql}: {effects:?}");
    }
}

#[test]
fn triggers_and_views_that_name_a_column_are_found() {
    let before = format!(
        "{SCHEMA}CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.n = 1;
        CREATE VIEW vt AS SELECT id, n FROM t;"
    );
    let of = |sql| with(&before, sql, Engine::MySql, (8, 4, 0), true).breaks;
    for sql in ["ALTER TABLE t DROP COLUMN n", "ALTER TABLE t RENAME COLUMN n TO m"] {
        let breaks = of(sql);
        let says = |what: &str| breaks.iter().any(|broken| broken.what.contains(what));
        assert!(says("trigger `tr`") && says("view `vt`"), "{sql}: {breaks:?}");
    }
    assert_eq!(of("ALTER TABLE t DROP COLUMN s").len(), 1);
}

#[test]
fn of_what_was_never_seen_the_worst_is_taken() {
    let of = |sql| with("", sql, Engine::MySql, (8, 4, 0), false);
    for sql in ["ALTER TABLE w ADD COLUMN q int", "ALTER TABLE w MODIFY a bigint"] {
        let effects = of(sql);
        assert_eq!(effects.algorithm, Some(Algorithm::Copy), "{sql}");
        assert_eq!(mode(&effects, "w"), Some(Mode::Shared), "{sql}");
        assert!(matches!(effects.verdict, Verdict::Assumed(_)), "{sql}");
        assert!(effects.fails.is_none(), "{sql}");
    }
    // These cost the same on every table.
    for sql in ["ALTER TABLE w ADD INDEX by_a (a)", "ALTER TABLE w ALTER COLUMN a SET DEFAULT 1"] {
        assert_eq!(of(sql).verdict, Verdict::Proven, "{sql}");
    }
    assert!(mysql("ALTER TABLE w ADD COLUMN q int").fails.is_some());
}

#[test]
fn an_index_is_built_or_comes_with_the_table() {
    let effects = mysql("ALTER TABLE t ADD INDEX by_n (n)");
    assert_eq!(effects.index_build, [Name::plain("t")]);
    assert!(effects.rewrite.is_empty());
    let effects = mysql("ALTER TABLE t ADD COLUMN q int, ADD INDEX by_q (q)");
    assert!(effects.index_build.is_empty());
    assert_eq!(effects.rewrite, [Name::plain("t")]);
}

#[test]
fn clauses_that_are_cheap_alone_and_dear_together_are_told() {
    let said = |sql, engine, version| of(sql, engine, version).why.join(" ");
    let both = "ALTER TABLE t ADD COLUMN q int, MODIFY s varchar(30)";
    assert!(said(both, Engine::MySql, (8, 4, 0)).contains("together"));
    assert!(!said(both, Engine::MariaDb, (10, 11, 0)).contains("together"));
    let one = "ALTER TABLE t ADD COLUMN q int, MODIFY a int NOT NULL";
    assert!(!said(one, Engine::MySql, (8, 4, 0)).contains("together"));
}

#[test]
fn what_is_told_is_followed_or_refused() {
    let table = [
        // clause, refused by MySQL 8.4, refused by MariaDB 10.11
        ("ADD COLUMN q int, ALGORITHM=INSTANT", false, false),
        ("ADD COLUMN q int, ALGORITHM=INSTANT, LOCK=NONE", true, false),
        ("ADD COLUMN q int, ALGORITHM=NOCOPY", true, false),
        ("ADD COLUMN q int, ALGORITHM=INPLACE, LOCK=NONE", false, false),
        ("ADD COLUMN q int, ALGORITHM=COPY, LOCK=NONE", true, true),
        ("MODIFY a bigint, ALGORITHM=INPLACE", true, true),
        ("MODIFY s varchar(30), ALGORITHM=INSTANT", true, false),
        ("ADD FULLTEXT INDEX f (s), LOCK=NONE", true, true),
    ];
    for (clause, on_mysql, on_mariadb) in table {
        let sql = format!("ALTER TABLE t {clause}");
        assert_eq!(mysql(&sql).fails.is_some(), on_mysql, "{sql} on MySQL");
        let mariadb = of(&sql, Engine::MariaDb, (10, 11, 0));
        assert_eq!(mariadb.fails.is_some(), on_mariadb, "{sql} on MariaDB");
    }
    let rebuilt = mysql("ALTER TABLE t ADD COLUMN q int, ALGORITHM=INPLACE");
    assert_eq!(rebuilt.algorithm, Some(Algorithm::Rebuild));
    let locked = mysql("ALTER TABLE t ADD INDEX by_n (n), LOCK=EXCLUSIVE");
    assert_eq!(mode(&locked, "t"), Some(Mode::Exclusive));
}
