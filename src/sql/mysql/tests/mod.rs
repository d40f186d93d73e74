mod broken;
mod forms;

use forms::{CLAUSES, STATEMENTS, WRITTEN};

use super::*;
use crate::sql::parse::{Script, parse};
use crate::sql::statement::{
    Action, Algorithm, AlterTable, Column, ConstraintKind, CreateTable, Dml, IndexKind, IndexPart,
    LockClause, LockMode, Maintenance, Name, PartitionOperation, Place, Scope, Transaction, Verb,
    Wait,
};

const MYSQL: Source = Source { tokens: Tokens::MySql, mariadb: false, version: (8, 0, 36) };
const MARIADB: Source = Source { tokens: Tokens::MySql, mariadb: true, version: (11, 8, 2) };

fn script(source: Source, text: &str) -> Script {
    parse(source, text)
}

fn one(text: &str) -> Statement {
    let mut read = script(MYSQL, text).statements;
    assert_eq!(read.len(), 1, "{text}");
    read.remove(0)
}

fn what(text: &str) -> What {
    one(text).what
}

fn altered(text: &str) -> AlterTable {
    match what(text) {
        What::AlterTable(alter) => alter,
        other => panic!("{text}: {other:?}"),
    }
}

fn action(clause: &str) -> Action {
    let text = format!("ALTER TABLE t {clause}");
    let mut actions = altered(&text).actions;
    assert_eq!(actions.len(), 1, "{text}: {actions:?}");
    let (action, span) = actions.remove(0);
    assert_eq!(&text[span], clause);
    action
}

fn created(text: &str) -> CreateTable {
    match what(text) {
        What::CreateTable(table) => *table,
        other => panic!("{text}: {other:?}"),
    }
}

fn column(definition: &str) -> Column {
    match action(&format!("ADD COLUMN {definition}")) {
        Action::AddColumn { column, .. } => *column,
        other => panic!("{definition}: {other:?}"),
    }
}

fn shown(names: &[Name]) -> String {
    names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// Whether nothing of it is unread.
fn is_read(statement: &Statement) -> bool {
    match &statement.what {
        What::Unknown { .. } => false,
        What::AlterTable(alter) => {
            alter.actions.iter().all(|(action, _)| !matches!(action, Action::Unknown { .. }))
        }
        What::CreateTrigger { body: Some(body), .. }
        | What::CreateRoutine { body: Some(body), .. }
        | What::Do(body) => body.statements.iter().all(is_read),
        _ => true,
    }
}

#[test]
fn every_form_is_read() {
    for source in [MYSQL, MARIADB] {
        for clause in CLAUSES {
            let text = format!("ALTER TABLE `d`.`t` {clause}");
            let read = script(source, &text).statements;
            assert!(read.len() == 1 && is_read(&read[0]), "{text}: {read:?}");
            let What::AlterTable(alter) = &read[0].what else { panic!("{text}: {read:?}") };
            assert!(!alter.actions.is_empty(), "{text}");
            assert_eq!(alter.name.to_string(), "d.t");
        }
        for text in STATEMENTS.iter().chain(WRITTEN) {
            let read = script(source, text).statements;
            assert!(read.len() == 1 && is_read(&read[0]), "{text}: {read:?}");
            assert_eq!(read[0].span, 0..text.len(), "{text}");
        }
    }
}

#[test]
fn what_cannot_be_read_stays_small() {
    let text = "ALTER TABLE t ADD a INT, FROB (x, y) z, DROP b, ADD c FOO(1)";
    let alter = altered(text);
    let unknown: Vec<_> = alter
        .actions
        .iter()
        .filter_map(|(action, span)| match action {
            Action::Unknown { text: unread } => Some((unread.as_str(), &text[span.clone()])),
            _ => None,
        })
        .collect();
    assert_eq!(alter.actions.len(), 4);
    assert_eq!(unknown, [("FROB (x, y) z", "FROB (x, y) z"), ("ADD c FOO(1)", "ADD c FOO(1)")]);

    for text in [
        "FROB t",
        "CREATE TABLE t (a FOO)",
        "CREATE OR REPLACE DATABASE d",
        "DROP TABLE",
        "CREATE TABLE t (a INT",
        "TRUNCATE t u",
        "ALTER DATABASE d READ ONLY = 1",
        "END",
    ] {
        let read = one(text);
        assert!(matches!(read.what, What::Unknown { .. }), "{text}: {read:?}");
        assert_eq!(Some(read.kind.as_str()), text.split(' ').next());
    }
    let What::Unknown { why } = what("CREATE TABLE t (a INT, b FOO(1))") else { panic!("read") };
    assert_eq!(why, "it could not be read from `FOO` on");
    assert!(altered("ALTER TABLE t ADD a INT,").actions.len() == 2);
}

#[test]
fn columns_are_read_in_full() {
    let read = column(
        "a VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT 'x' COMMENT 'it''s'",
    );
    assert_eq!((read.name.as_str(), read.ty.name.as_str()), ("a", "varchar"));
    assert_eq!(read.ty.modifiers, ["20"]);
    assert_eq!(read.ty.charset.as_deref(), Some("utf8mb4"));
    assert_eq!(read.collation.as_deref(), Some("utf8mb4_bin"));
    assert_eq!(read.comment.as_deref(), Some("it's"));
    assert!(read.not_null && !read.null);
    assert_eq!(read.default.unwrap().text, "'x'");

    let types = [
        ("a INT(11) UNSIGNED ZEROFILL", "int", "INT(11) UNSIGNED ZEROFILL"),
        ("a DOUBLE PRECISION NULL", "double precision", "DOUBLE PRECISION"),
        ("a long varchar", "long varchar", "long varchar"),
        ("a ENUM('x','it''s',\"y\")", "enum", "ENUM('x','it''s',\"y\")"),
        (
            "a NATIONAL CHARACTER VARYING(3)",
            "national character varying",
            "NATIONAL CHARACTER VARYING(3)",
        ),
        ("a SERIAL", "bigint", "SERIAL"),
    ];
    for (definition, name, text) in types {
        let ty = column(definition).ty;
        assert_eq!((ty.name.as_str(), ty.text.as_str()), (name, text), "{definition}");
    }
    assert_eq!(column("a ENUM('x','it''s',\"y\")").ty.modifiers, ["x", "it's", "y"]);
    let serial = column("a SERIAL");
    assert!(serial.ty.unsigned && serial.not_null && serial.auto_increment && serial.unique);

    let defaults = [
        ("-1", "-1"),
        ("1.5e-3", "1.5e-3"),
        (".5", ".5"),
        ("NULL", "NULL"),
        ("(uuid())", "(uuid())"),
        ("uuid()", "uuid()"),
        ("CURRENT_TIMESTAMP(6)", "CURRENT_TIMESTAMP(6)"),
        ("b'0'", "b'0'"),
        ("_utf8mb4'x' ", "_utf8mb4'x'"),
        ("DATE '2020-01-01'", "DATE '2020-01-01'"),
        (
            "CASE WHEN b THEN 1 ELSE CASE 2 WHEN 2 THEN 3 END END",
            "CASE WHEN b THEN 1 ELSE CASE 2 WHEN 2 THEN 3 END END",
        ),
        ("NEXT VALUE FOR d.s", "NEXT VALUE FOR d.s"),
    ];
    for (written, expected) in defaults {
        let read = column(&format!("a INT DEFAULT {written} NOT NULL"));
        assert_eq!(read.default.unwrap().text, expected);
        assert!(read.not_null, "{written}");
    }

    let read = column(
        "a INT AS (b + 1) STORED CHECK (a > 0) NOT ENFORCED REFERENCES u (i) ON UPDATE SET NULL",
    );
    let generated = read.generated.unwrap();
    assert_eq!((generated.expression.text.as_str(), generated.stored), ("b + 1", true));
    assert_eq!(read.checks.len(), 1);
    assert!(!read.checks[0].enforced);
    let key = read.references.unwrap();
    assert_eq!(
        (key.referenced, key.on_update.as_deref()),
        (vec!["i".to_owned()], Some("SET NULL"))
    );
    let read = column("a TIMESTAMP DEFAULT now() ON UPDATE now()");
    assert_eq!(read.on_update.unwrap().text, "now()");
}

#[test]
fn clauses_say_what_they_change() {
    let owned = str::to_owned;
    let cases = [
        ("DROP a", Action::DropColumn { name: owned("a"), if_exists: false, cascade: false }),
        ("DROP KEY k", Action::DropIndex { name: owned("k"), if_exists: false }),
        ("DROP PRIMARY KEY", Action::DropPrimaryKey),
        ("RENAME `a b`", Action::RenameTo(Name::plain("a b"))),
        ("RENAME COLUMN a TO b", Action::RenameColumn { from: owned("a"), to: owned("b") }),
        ("ENGINE=InnoDB", Action::Engine(owned("innodb"))),
        ("KEY_BLOCK_SIZE=8", Action::RowFormat(owned("key_block_size=8"))),
        ("ROW_FORMAT=DYNAMIC", Action::RowFormat(owned("dynamic"))),
        (
            "COLLATE = utf8mb4_bin",
            Action::DefaultCharset { charset: None, collation: Some(owned("utf8mb4_bin")) },
        ),
        (
            "CHARSET utf8mb4 COLLATE utf8mb4_bin",
            Action::DefaultCharset {
                charset: Some(owned("utf8mb4")),
                collation: Some(owned("utf8mb4_bin")),
            },
        ),
        (
            "CONVERT TO CHARACTER SET utf8mb4",
            Action::ConvertCharset { charset: owned("utf8mb4"), collation: None },
        ),
        ("ALTER INDEX k IGNORED", Action::IndexVisibility { name: owned("k"), visible: false }),
        ("ALTER INDEX k NOT IGNORED", Action::IndexVisibility { name: owned("k"), visible: true }),
        (
            "ALTER CHECK c NOT ENFORCED",
            Action::AlterConstraint { name: owned("c"), enforced: Some(false) },
        ),
        (
            "DROP PARTITION p0, p1",
            Action::Partition(PartitionOperation::Drop(vec![owned("p0"), owned("p1")])),
        ),
        ("ADD PARTITION PARTITIONS 4", Action::Partition(PartitionOperation::Add { hash: true })),
        (
            "EXCHANGE PARTITION p WITH TABLE u WITHOUT VALIDATION",
            Action::Partition(PartitionOperation::Exchange {
                partition: owned("p"),
                with: Name::plain("u"),
                validate: false,
            }),
        ),
        ("COMMENT 'x'", Action::TableOption { name: owned("comment"), value: owned("x") }),
    ];
    for (clause, expected) in cases {
        assert_eq!(action(clause), expected);
    }

    let Action::Modify { from, column, place, .. } = action("CHANGE a b INT AFTER c") else {
        panic!("no change")
    };
    assert_eq!((from.as_str(), column.name.as_str()), ("a", "b"));
    assert_eq!(place, Some(Place::After("c".to_owned())));
    let Action::AddIndex { index } = action("ADD CONSTRAINT k UNIQUE (a(5), (lower(b)))") else {
        panic!("no index")
    };
    assert!(index.unique);
    assert_eq!(index.name, Some(Name::plain("k")));
    assert_eq!(index.parts[0], IndexPart::Column("a".to_owned(), Some(5)));
    assert!(matches!(&index.parts[1], IndexPart::Expression(e) if e.text == "lower(b)"));
    let Action::AddIndex { index } = action("ADD VECTOR KEY (a)") else { panic!("no index") };
    assert_eq!((index.kind, index.name), (IndexKind::Vector, None));
    let Action::AddColumn { column, .. } = action("ADD vector VECTOR(3)") else { panic!("none") };
    assert_eq!(column.name, "vector");

    let alter = altered("ALTER TABLE t WAIT 5 ADD (a INT, KEY (a)), ALGORITHM=INSTANT, LOCK NONE");
    assert_eq!(alter.actions.len(), 2);
    assert_eq!(alter.online.algorithm, Some(Algorithm::Instant));
    assert_eq!(alter.online.lock, Some(LockClause::None));
    assert_eq!(alter.online.wait, Some(Wait::Seconds(5)));
    let alter =
        altered("ALTER TABLE t ENGINE=InnoDB ROW_FORMAT=DYNAMIC, ADD a INT PARTITION BY HASH (a)");
    assert_eq!(alter.actions.len(), 4);
    let alter = altered("ALTER TABLE t ORDER BY a, b DESC, ADD c INT, FORCE");
    assert_eq!(alter.actions.len(), 3);
}

#[test]
fn tables_are_read_in_full() {
    let table = created(
        "CREATE TABLE IF NOT EXISTS d.t (id INT PRIMARY KEY, a INT, UNIQUE KEY u (a), CONSTRAINT f \
         FOREIGN KEY k (a) REFERENCES v (b), CHECK (a > 0)) ENGINE=InnoDB, DEFAULT CHARSET=utf8mb4 \
         PARTITION BY HASH (id) PARTITIONS 4 AS SELECT * FROM s",
    );
    assert!(table.if_not_exists && !table.or_replace);
    assert_eq!(table.columns.len(), 2);
    assert!(table.columns[0].primary_key);
    assert!(table.indexes.len() == 1 && table.indexes[0].unique);
    let kinds: Vec<_> = table.constraints.iter().map(|one| &one.kind).collect();
    assert!(matches!(kinds[..], [ConstraintKind::ForeignKey(_), ConstraintKind::Check(_)]));
    assert_eq!(table.constraints[0].name.as_deref(), Some("f"));
    let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(table.options, [option("engine", "innodb"), option("charset", "utf8mb4")]);
    assert_eq!(table.partition_by.as_deref(), Some("HASH (id) PARTITIONS 4"));
    assert_eq!(shown(&table.from_query.unwrap().reads), "s");
    assert_eq!(shown(&created("CREATE TABLE t (LIKE d.u)").like), "d.u");
    assert!(created("CREATE OR REPLACE TABLE t (a INT)").or_replace);
}

#[test]
fn comments_with_a_condition_are_read_as_the_server_does() {
    let dump = "/*!40101 SET NAMES utf8 */;\n/*!50503 SET character_set_client = utf8mb4 */;\n\
                /*!80000 SET SESSION information_schema_stats_expiry=0 */;\n\
                CREATE TABLE `t` (`a` int /*!80023 INVISIBLE */, `b` int) /*!50100 PARTITION BY HASH \
                (a) */;\nDELIMITER ;;\n/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`%`*/ /*!50003 TRIGGER \
                `x` BEFORE INSERT ON `t` FOR EACH ROW BEGIN SET NEW.a = 1; DELETE FROM u; END */;;\n\
                DELIMITER ;\n/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50001 VIEW `v` AS select 1 from \
                `t` */;\n/*M!999999\\- enable the sandbox mode */";
    let kinds = |source| -> Vec<String> {
        let read = script(source, dump).statements;
        assert!(read.iter().all(is_read), "{read:?}");
        read.into_iter().map(|statement| statement.kind).collect()
    };
    let mysql =
        ["SET NAMES", "SET", "SET", "CREATE TABLE", "CREATE TRIGGER", "CREATE VIEW", "COMMENT"];
    assert_eq!(kinds(MYSQL), mysql);
    let mariadb =
        ["SET NAMES", "SET", "COMMENT", "CREATE TABLE", "CREATE TRIGGER", "CREATE VIEW", "COMMENT"];
    assert_eq!(kinds(MARIADB), mariadb);
    let visible = |source| match &script(source, dump).statements[3].what {
        What::CreateTable(table) => !table.columns[0].invisible,
        other => panic!("{other:?}"),
    };
    assert_eq!((visible(MYSQL), visible(MARIADB)), (false, true));
    assert!(matches!(what("SELECT /*+ MAX_EXECUTION_TIME(1) */ 1"), What::Query(_)));
}

#[test]
fn bodies_are_looked_into() {
    let text = "CREATE PROCEDURE p (IN n INT)\nmain: BEGIN\n  DECLARE i, j INT DEFAULT 0;\n  DECLARE c \
                CURSOR FOR SELECT end FROM s;\n  DECLARE CONTINUE HANDLER FOR NOT FOUND, SQLSTATE \
                '02000' BEGIN SET i = 1; END;\n  SET i = i + 1, j = (SELECT max(x) FROM m);\n  SET \
                foreign_key_checks = 0;\n  IF EXISTS (SELECT 1 FROM q) THEN\n    ALTER TABLE t ADD a \
                INT;\n  ELSEIF CASE n WHEN 1 THEN 1 ELSE 0 END THEN\n    DROP TABLE u;\n  ELSE \
                DELETE FROM v;\n  END IF;\n  WHILE i < 5 DO UPDATE w SET a = i; END WHILE;\n  REPEAT \
                INSERT INTO x VALUES (1); UNTIL i > 3 END REPEAT;\n  CASE n WHEN 1 THEN TRUNCATE y; \
                ELSE BEGIN END; END CASE;\n  l: LOOP LEAVE l; END LOOP l;\n  CALL other(1);\n  EXECUTE \
                IMMEDIATE 'x';\n  DO SLEEP(1);\nEND";
    let script = format!("DELIMITER $$\n{text}$$");
    let read = parse(MYSQL, &script).statements;
    assert_eq!(read.len(), 1);
    let What::CreateRoutine { body: Some(body), .. } = &read[0].what else { panic!("{read:?}") };
    assert!(is_read(&read[0]), "{body:#?}");
    let found: Vec<_> =
        body.statements.iter().map(|one| script[one.span.clone()].to_owned()).collect();
    let found: Vec<_> = found.iter().map(|one| one.split('\n').next().unwrap()).collect();
    assert_eq!(
        found,
        [
            "CURSOR FOR SELECT end FROM s",
            "SET i = i + 1, j = (SELECT max(x) FROM m)",
            "SET foreign_key_checks = 0",
            "EXISTS (SELECT 1 FROM q)",
            "ALTER TABLE t ADD a INT",
            "DROP TABLE u",
            "DELETE FROM v",
            "UPDATE w SET a = i",
            "INSERT INTO x VALUES (1)",
            "TRUNCATE y",
            "DO SLEEP(1)",
        ]
    );
    assert_eq!(body.unread.len(), 2);
    assert!(body.text.starts_with("main: BEGIN") && body.text.ends_with("END"));

    let What::Do(body) = what("CALL d.p(1, 2)") else { panic!("no call") };
    assert_eq!(body.unread, ["what the procedure `d.p` does stands elsewhere"]);
}

#[test]
fn settings_have_their_scope() {
    type Read = &'static [(Scope, &'static str, Option<&'static str>)];
    let cases: [(&str, Read); 6] = [
        ("SET lock_wait_timeout = 5", &[(Scope::Session, "lock_wait_timeout", Some("5"))]),
        (
            "SET GLOBAL a = 'x', B = DEFAULT",
            &[(Scope::Global, "a", Some("x")), (Scope::Global, "b", None)],
        ),
        ("SET @@PERSIST.a = 1 + 1", &[(Scope::Global, "a", Some("1 + 1"))]),
        (
            "SET @OLD=@@sql_mode, sql_mode='ANSI'",
            &[
                (Scope::Session, "@old", Some("@@sql_mode")),
                (Scope::Session, "sql_mode", Some("ANSI")),
            ],
        ),
        ("SET NAMES utf8mb4", &[(Scope::Session, "names", Some("utf8mb4"))]),
        ("SET LOCAL a = ON", &[(Scope::Session, "a", Some("ON"))]),
    ];
    for (text, expected) in cases {
        let What::Set(settings) = what(text) else { panic!("{text}") };
        let read: Vec<_> = settings
            .iter()
            .map(|setting| (setting.scope, setting.name.as_str(), setting.value.as_deref()))
            .collect();
        assert_eq!(read, expected, "{text}");
    }
    assert!(
        matches!(what("SET @a = (SELECT 1 FROM t)"), What::Query(query) if query.reads.len() == 1)
    );
    assert!(matches!(one("SET STATEMENT a = 1, b = 2 FOR DROP TABLE t").what, What::DropTable(_)));
}

#[test]
fn other_statements_say_what_they_touch() {
    let locks = [("a".to_owned(), LockMode::Read), ("b".to_owned(), LockMode::Write)];
    let What::LockTables { tables: locked, .. } =
        what("LOCK TABLES a READ LOCAL, b x LOW_PRIORITY WRITE")
    else {
        panic!("no lock")
    };
    let locked: Vec<_> = locked.into_iter().map(|(name, mode)| (name.name, mode)).collect();
    assert_eq!(locked, locks);
    let read = one("FLUSH TABLES WITH READ LOCK");
    assert_eq!(read.kind, "FLUSH TABLES WITH READ LOCK");
    assert!(matches!(read.what, What::Unknown { .. }));
    assert!(matches!(what("REPAIR TABLE t"), What::Maintenance { of: Maintenance::Repair, .. }));
    assert!(
        matches!(what("GRANT SELECT ON d.t TO u"), What::Grant(names) if shown(&names) == "d.t")
    );
    assert!(matches!(what("GRANT SELECT ON d.* TO u"), What::Grant(names) if names.is_empty()));
    assert!(matches!(what("XA COMMIT 'x'"), What::Transaction(Transaction::Commit)));
    assert!(matches!(what("ROLLBACK TO s"), What::Transaction(Transaction::Savepoint)));
    assert!(matches!(what("EXPLAIN UPDATE t SET a = 1"), What::Other));
    for text in ["EXPLAIN ANALYZE UPDATE t, u SET a = 1", "ANALYZE FORMAT=JSON DELETE FROM t"] {
        assert!(matches!(what(text), What::Dml(_)), "{text}");
    }
    let What::Dml(Dml { verb, table, .. }) = what("LOAD DATA INFILE 'x' INTO TABLE d.t") else {
        panic!("no load")
    };
    assert_eq!((verb, table.unwrap().to_string().as_str()), (Verb::Load, "d.t"));
    let What::CreateView { reads, mentions, .. } =
        what("CREATE VIEW v (x) AS SELECT t.a AS x, lower(`b c`) FROM d.t AS t WHERE a > 5")
    else {
        panic!("no view")
    };
    assert_eq!(shown(&reads), "d.t");
    assert_eq!(mentions, ["t", "a", "b c", "d"]);
}
