use proptest::prelude::*;

use super::*;
use crate::sql::parse::{Source, parse};
use crate::sql::statement::{Action, ConstraintKind, CreateTable, IndexPart};

const SQLITE: Source = Source { tokens: Tokens::Sqlite, mariadb: false, version: (3, 53, 0) };

fn what(text: &str) -> What {
    let mut read = parse(SQLITE, text).statements;
    assert_eq!(read.len(), 1, "{text}");
    assert_eq!(&text[read[0].span.clone()], text.trim_end_matches(';'));
    read.remove(0).what
}

fn created(text: &str) -> CreateTable {
    match what(text) {
        What::CreateTable(table) => *table,
        other => panic!("{text}: {other:?}"),
    }
}

fn action(text: &str) -> Action {
    match what(&format!("ALTER TABLE t {text}")) {
        What::AlterTable(mut alter) => alter.actions.remove(0).0,
        other => panic!("{text}: {other:?}"),
    }
}

const FORMS: &[&str] = &[
    "CREATE TABLE t (a)",
    "CREATE TEMP TABLE IF NOT EXISTS main.t (a INTEGER PRIMARY KEY AUTOINCREMENT) STRICT, WITHOUT ROWID",
    "CREATE TABLE t (a TEXT NOT NULL ON CONFLICT FAIL UNIQUE COLLATE NOCASE DEFAULT 'x', b UNSIGNED \
     BIG INT DEFAULT -1, c DECIMAL(10, 5) CONSTRAINT p CHECK (c > 0), d AS (a || b) STORED, e \
     GENERATED ALWAYS AS (1), f REFERENCES u (i) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED, \
     CONSTRAINT k PRIMARY KEY (a, b DESC), UNIQUE (c COLLATE NOCASE), CHECK (a <> b) FOREIGN KEY (f) \
     REFERENCES u)",
    "CREATE TABLE t (a INTEGER, PRIMARY KEY (a AUTOINCREMENT))",
    "CREATE TABLE t (a INT, b 'any type', UNIQUE (a, b) CHECK (a > 0))",
    "CREATE TABLE t AS SELECT * FROM u",
    "CREATE TABLE 'quoted name' (\"a b\" TEXT, [c d] INT, `e` BLOB)",
    "CREATE VIRTUAL TABLE t USING fts5 (a, b, tokenize = 'porter')",
    "CREATE UNIQUE INDEX IF NOT EXISTS main.i ON t (a, lower(b) DESC, c COLLATE NOCASE ASC) WHERE a > 5",
    "CREATE VIEW v (x) AS SELECT a FROM t",
    "CREATE TRIGGER r AFTER UPDATE OF a, b ON t FOR EACH ROW WHEN new.a > (SELECT 1 FROM w) BEGIN \
     UPDATE u SET c = CASE new.a WHEN 1 THEN 2 END; DELETE FROM v; SELECT RAISE(ABORT, 'x'); END",
    "CREATE TEMPORARY TRIGGER IF NOT EXISTS r INSTEAD OF DELETE ON v BEGIN SELECT 1; END",
    "ALTER TABLE t RENAME TO u",
    "ALTER TABLE t RENAME COLUMN a TO b",
    "ALTER TABLE main.t RENAME a TO b",
    "ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE t ADD a INT REFERENCES u",
    "ALTER TABLE t DROP COLUMN a",
    "ALTER TABLE t ALTER COLUMN a SET NOT NULL",
    "ALTER TABLE t ALTER a DROP NOT NULL",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
    "ALTER TABLE t DROP CONSTRAINT c",
    "DROP TABLE IF EXISTS t",
    "DROP INDEX main.i",
    "DROP VIEW v",
    "DROP TRIGGER r",
    "BEGIN",
    "BEGIN IMMEDIATE TRANSACTION",
    "BEGIN TRANSACTION named",
    "COMMIT",
    "END TRANSACTION",
    "ROLLBACK",
    "ROLLBACK TO SAVEPOINT s",
    "SAVEPOINT s",
    "RELEASE s",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA main.journal_mode('wal')",
    "PRAGMA foreign_keys",
    "PRAGMA table_info(t)",
    "PRAGMA foreign_key_check",
    "PRAGMA optimize",
    "VACUUM",
    "VACUUM main INTO 'x.db'",
    "REINDEX",
    "REINDEX main.t",
    "ANALYZE",
    "ANALYZE t",
    "ATTACH DATABASE 'x.db' AS y",
    "DETACH y",
    "EXPLAIN QUERY PLAN SELECT 1",
    "INSERT OR REPLACE INTO t (a) VALUES (1)",
    "INSERT INTO t DEFAULT VALUES",
    "INSERT INTO t SELECT * FROM u WHERE true ON CONFLICT DO NOTHING",
    "REPLACE INTO t VALUES (1)",
    "UPDATE OR IGNORE t SET a = u.a FROM u WHERE u.i = t.i RETURNING *",
    "DELETE FROM t WHERE a IN (SELECT a FROM u)",
    "WITH x AS MATERIALIZED (SELECT 1) SELECT * FROM x",
    "VALUES (1), (2)",
];

#[test]
fn every_form_is_read() {
    for text in FORMS {
        let what = what(text);
        let read = match &what {
            What::Unknown { .. } => false,
            What::AlterTable(alter) => !matches!(alter.actions[0].0, Action::Unknown { .. }),
            What::CreateTrigger { body: Some(body), .. } => {
                body.statements.iter().all(|one| !matches!(one.what, What::Unknown { .. }))
            }
            _ => true,
        };
        assert!(read, "{text}: {what:?}");
    }
}

#[test]
fn tables_are_read_in_full() {
    let table = created(FORMS[2]);
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "e", "f"]);
    let column = |at: usize| &table.columns[at];
    assert!(column(0).not_null && column(0).unique);
    assert_eq!(column(0).default.as_ref().unwrap().text, "'x'");
    assert_eq!(column(1).ty.name, "unsigned big int");
    assert_eq!(column(1).default.as_ref().unwrap().text, "-1");
    assert_eq!(column(2).ty.modifiers, ["10", "5"]);
    assert_eq!(column(2).checks[0].name.as_deref(), Some("p"));
    assert!(column(3).generated.as_ref().unwrap().stored);
    assert!(!column(4).generated.as_ref().unwrap().stored);
    assert_eq!(column(5).references.as_ref().unwrap().on_delete.as_deref(), Some("CASCADE"));
    let kinds: Vec<_> = table.constraints.iter().map(|one| &one.kind).collect();
    assert!(matches!(
        kinds[..],
        [
            ConstraintKind::PrimaryKey { .. },
            ConstraintKind::Unique { .. },
            ConstraintKind::Check(_),
            ConstraintKind::ForeignKey(_)
        ]
    ));
    let options: Vec<_> = created(FORMS[1]).options.into_iter().map(|(name, _)| name).collect();
    assert_eq!(options, ["strict", "without rowid"]);
    let table = created("CREATE TABLE 'quoted name' (\"a b\" TEXT, [c d] INT, `e` BLOB)");
    assert_eq!(table.name.name, "quoted name");
    assert_eq!(table.columns[1].name, "c d");
    assert_eq!(created(FORMS[4]).constraints.len(), 2);
}

#[test]
fn changes_and_indexes_say_what_they_are() {
    let owned = str::to_owned;
    let cases = [
        ("RENAME TO u", Action::RenameTo(Name::plain("u"))),
        ("RENAME a TO b", Action::RenameColumn { from: owned("a"), to: owned("b") }),
        ("DROP a", Action::DropColumn { name: owned("a"), if_exists: false, cascade: false }),
        ("FROB a", Action::Unknown { text: owned("FROB a") }),
        ("ADD a TEXT NOT FROB", Action::Unknown { text: owned("ADD a TEXT NOT FROB") }),
    ];
    for (text, expected) in cases {
        assert_eq!(action(text), expected);
    }
    let What::CreateIndex(index) = what("CREATE INDEX i ON t (a DESC, lower(b) ASC) WHERE c > 5")
    else {
        panic!("no index")
    };
    assert_eq!(index.parts[0], IndexPart::Column("a".to_owned(), None));
    assert!(matches!(&index.parts[1], IndexPart::Expression(e) if e.text == "lower(b)"));
    assert_eq!(index.predicate.unwrap().text, "c > 5");
    let What::Set(settings) = what("PRAGMA main.Journal_Mode = 'wal'") else { panic!("no set") };
    assert_eq!(settings[0].name, "journal_mode");
    assert_eq!(settings[0].value.as_deref(), Some("wal"));
    for text in ["FROB t", "CREATE TABLE t", "DROP DATABASE d", "CREATE TABLE t (a) FROB"] {
        assert!(matches!(what(text), What::Unknown { .. }), "{text}");
    }
}

#[test]
fn triggers_are_looked_into() {
    let text = FORMS[10];
    let What::CreateTrigger { name, table, body, .. } = what(text) else { panic!("no trigger") };
    assert_eq!((name.name.as_str(), table.name.as_str()), ("r", "t"));
    let body = body.unwrap();
    let found: Vec<_> = body.statements.iter().map(|one| &text[one.span.clone()]).collect();
    assert_eq!(
        found,
        [
            "new.a > (SELECT 1 FROM w)",
            "UPDATE u SET c = CASE new.a WHEN 1 THEN 2 END",
            "DELETE FROM v",
            "SELECT RAISE(ABORT, 'x')",
        ]
    );
    assert!(body.text.starts_with("BEGIN") && body.text.ends_with("END"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn what_is_broken_is_read_without_harm(
        which in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<usize>(), any::<u8>()), 0..6),
    ) {
        let mut words: Vec<&str> = which.get(FORMS).split(' ').collect();
        for (at, how) in changes {
            let at = at % words.len();
            let other = (at + 1 + usize::from(how / 4)) % words.len();
            match how % 4 {
                0 if words.len() > 1 => std::mem::drop(words.remove(at)),
                1 => words.insert(other, words[at]),
                2 => words.swap(at, other),
                _ => words[at] = ["(", ")", ",", ";", "'", "[", "*/", "BEGIN", "é"][other % 9],
            }
        }
        let text = words.join(" ");
        for statement in parse(SQLITE, &text).statements {
            let outer = statement.span;
            let spans: Vec<Range<usize>> = match statement.what {
                What::AlterTable(alter) => alter.actions.into_iter().map(|(_, span)| span).collect(),
                What::CreateTrigger { body: Some(body), .. } => {
                    body.statements.into_iter().map(|one| one.span).collect()
                }
                _ => Vec::new(),
            };
            for span in spans {
                prop_assert!(outer.start <= span.start && span.end <= outer.end, "{}", text);
            }
        }
    }
}
