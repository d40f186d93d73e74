//! MySQL and MariaDB: a parser of our own, clause by clause.
//!
//! No crate reads all of what the two put into `ALTER TABLE`. What cannot be read is said to be so,
//! as small as it is: one clause, not the statement; and the server is the judge of the rest.

mod alter;
mod column;
mod create;
mod dml;
mod object;
mod partition;
mod routine;

use std::ops::Range;

pub(in crate::sql) use create::empty_table;

use super::cursor::Cursor;
use super::parse::{Source, unknown};
use super::statement::{
    Algorithm, LockClause, Online, Scope, Setting, Statement, Transaction, Wait, What,
};

/// Reads one statement.
pub(super) fn statement(source: Source, text: &str, span: Range<usize>) -> Statement {
    let mut parser = Parser::new(source, text, span.clone());
    if parser.cursor.is_done() {
        // A versioned comment that is for another server: nothing is left of it.
        return Statement { span, kind: "COMMENT".to_owned(), what: What::Other };
    }
    let (kind, what) = parser.statement();
    match what {
        Some(what) => Statement { span, kind, what },
        None => {
            let why = "it cannot be parsed here".to_owned();
            let known = unknown(text, span, why);
            Statement { kind, ..known }
        }
    }
}

/// Reads one statement, word by word.
pub(in crate::sql) struct Parser<'a> {
    source: Source,
    text: &'a str,
    span: Range<usize>,
    pub(in crate::sql) cursor: Cursor<'a>,
}

impl<'a> Parser<'a> {
    /// At the beginning of a statement.
    pub(in crate::sql) fn new(source: Source, text: &'a str, span: Range<usize>) -> Self {
        let cursor = Cursor::new(source, text, &span);
        Self { source, text, span, cursor }
    }

    /// A parser of what stands within.
    pub(in crate::sql) fn within(&self, span: &Range<usize>) -> Parser<'a> {
        Parser::new(self.source, self.text, span.clone())
    }

    /// The kind of the statement, and what it says if it can be read.
    fn statement(&mut self) -> (String, Option<What>) {
        let first = self.cursor.text().to_uppercase();
        let kind = |words: &str| words.to_owned();
        match first.as_str() {
            "ALTER" => self.alter(),
            "CREATE" => self.create(),
            "DROP" => self.drop(),
            "RENAME" => self.rename(),
            "TRUNCATE" | "OPTIMIZE" | "ANALYZE" | "CHECK" | "REPAIR" | "CHECKSUM" | "LOCK"
            | "UNLOCK" | "FLUSH" => self.maintenance(&first),
            "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "LOAD" | "WITH" | "SELECT" | "VALUES"
            | "TABLE" | "(" | "HANDLER" | "EXPLAIN" | "DESCRIBE" | "DESC" => self.rows(&first),
            "BEGIN" if !self.cursor.is(&["begin", "not", "atomic"]) => {
                (kind("BEGIN"), Some(What::Transaction(Transaction::Begin)))
            }
            "START" if self.cursor.is(&["start", "transaction"]) => {
                (kind("START TRANSACTION"), Some(What::Transaction(Transaction::Begin)))
            }
            "COMMIT" => (kind("COMMIT"), Some(What::Transaction(Transaction::Commit))),
            "ROLLBACK" if self.cursor.left().any(|word| word.eq_ignore_ascii_case("to")) => {
                (kind("ROLLBACK"), Some(What::Transaction(Transaction::Savepoint)))
            }
            "ROLLBACK" => (kind("ROLLBACK"), Some(What::Transaction(Transaction::Rollback))),
            "SAVEPOINT" | "RELEASE" => (first, Some(What::Transaction(Transaction::Savepoint))),
            "XA" => (kind("XA"), Some(What::Transaction(Transaction::Begin))),
            "SET" => (kind("SET"), self.set()),
            "CALL" | "PREPARE" | "EXECUTE" | "DO" | "BEGIN" => self.run(&first),
            "USE" | "SHOW" | "KILL" | "SIGNAL" | "RESIGNAL" | "DEALLOCATE" | "HELP" | "RESET"
            | "PURGE" | "CHANGE" | "STOP" | "START" | "BINLOG" | "INSTALL" | "UNINSTALL"
            | "SHUTDOWN" | "CACHE" | "GET" => (first, Some(What::Other)),
            "GRANT" | "REVOKE" => (first, Some(What::Grant(Vec::new()))),
            _ => (first, None),
        }
    }

    /// `SET`: every assignment; of the character set and the transaction, that it is one.
    fn set(&mut self) -> Option<What> {
        self.cursor.pass();
        let mark = self.cursor.mark();
        self.cursor.eat_one(&["global", "session", "local"]);
        if self.cursor.is(&["transaction"]) {
            return Some(What::Transaction(Transaction::Set));
        }
        self.cursor.back(mark);
        if ["names", "character", "charset", "password", "role", "default", "resource"]
            .iter()
            .any(|word| self.cursor.is(&[word]))
        {
            return Some(What::Other);
        }
        if self.cursor.eat(&["statement"]) {
            // MariaDB: SET STATEMENT a = 1 FOR …: the settings hold for that statement alone, and it
            // is the statement that counts.
            while !self.cursor.is_done() && !self.cursor.eat(&["for"]) {
                self.cursor.pass();
            }
            return self.statement().1;
        }
        let mut settings = Vec::new();
        loop {
            settings.extend(self.setting()?);
            if !self.cursor.eat(&[","]) {
                break;
            }
        }
        self.cursor.is_done().then_some(What::Set(settings))
    }

    /// One assignment; of a user variable nothing.
    fn setting(&mut self) -> Option<Option<Setting>> {
        let mut scope = Scope::Session;
        let mut of_word = |word: Option<&str>| {
            if matches!(word, Some("global" | "persist" | "persist_only")) {
                scope = Scope::Global;
            }
        };
        let scopes = ["global", "session", "local", "persist", "persist_only"];
        let mut user = false;
        if self.cursor.eat(&["@"]) {
            if self.cursor.eat(&["@"]) {
                let found = self.cursor.eat_one(&scopes);
                of_word(found);
                self.cursor.eat(&["."]);
            } else {
                user = true;
            }
        } else {
            let found = self.cursor.eat_one(&scopes);
            of_word(found);
        }
        let mut name = self.cursor.value()?.to_lowercase();
        while self.cursor.eat(&["."]) {
            name = self.cursor.value()?.to_lowercase();
        }
        self.cursor.eat(&[":"]);
        if !self.cursor.eat(&["="]) {
            return None;
        }
        let from = self.cursor.place();
        self.cursor.skip_item();
        let text = self.cursor.since(from).trim();
        let value = super::cursor::unquoted(text);
        let value = (!value.eq_ignore_ascii_case("default")).then_some(value);
        Some((!user).then_some(Setting { scope, name, value }))
    }

    /// `ALGORITHM =`, `LOCK =`, `WAIT n`, `NOWAIT`, if one is next; whether one was.
    fn online(&mut self, online: &mut Online) -> bool {
        if self.cursor.is(&["algorithm"]) {
            self.cursor.pass();
            self.cursor.eat(&["="]);
            online.algorithm =
                match self.cursor.eat_one(&["instant", "nocopy", "inplace", "copy", "default"]) {
                    Some("instant") => Some(Algorithm::Instant),
                    Some("nocopy") => Some(Algorithm::NoCopy),
                    Some("inplace") => Some(Algorithm::InPlace),
                    Some("copy") => Some(Algorithm::Copy),
                    Some(_) => Some(Algorithm::Default),
                    None => return false,
                };
            return true;
        }
        if self.cursor.is(&["lock"]) {
            self.cursor.pass();
            self.cursor.eat(&["="]);
            online.lock = match self.cursor.eat_one(&["none", "shared", "exclusive", "default"]) {
                Some("none") => Some(LockClause::None),
                Some("shared") => Some(LockClause::Shared),
                Some("exclusive") => Some(LockClause::Exclusive),
                Some(_) => Some(LockClause::Default),
                None => return false,
            };
            return true;
        }
        self.wait(online)
    }

    /// MariaDB's `WAIT n`, `NOWAIT`.
    fn wait(&mut self, online: &mut Online) -> bool {
        if self.cursor.eat(&["nowait"]) {
            online.wait = Some(Wait::No);
            return true;
        }
        if self.cursor.is(&["wait"])
            && let Ok(seconds) = self.cursor.text_at(1).parse()
        {
            self.cursor.pass();
            self.cursor.pass();
            online.wait = Some(Wait::Seconds(seconds));
            return true;
        }
        false
    }

    fn if_exists(&mut self) -> bool {
        self.cursor.eat(&["if", "exists"])
    }

    fn if_not_exists(&mut self) -> bool {
        self.cursor.eat(&["if", "not", "exists"])
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use crate::catalog::Release;

    fn read(server: &str, text: &str) -> String {
        let script = parse(Source::of(Release::parse(server).unwrap()), text);
        let said: Vec<_> = script.statements.iter().map(|one| format!("{:?}", one.what)).collect();
        said.join("\n")
    }

    /// Every form that the two databases have and no crate reads.
    #[test]
    fn clauses_are_all_read() {
        let clauses = [
            "ADD a int",
            "ADD COLUMN a int FIRST",
            "ADD a int AFTER b",
            "ADD (a int, b int NOT NULL)",
            "ADD COLUMN IF NOT EXISTS a int",
            "DROP a",
            "DROP COLUMN IF EXISTS a",
            "DROP KEY k",
            "DROP INDEX IF EXISTS k",
            "DROP PRIMARY KEY",
            "DROP FOREIGN KEY f",
            "DROP CHECK c",
            "DROP CONSTRAINT c",
            "MODIFY a bigint unsigned NOT NULL DEFAULT 0 COMMENT 'x' FIRST",
            "MODIFY COLUMN a varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
            "CHANGE a b int zerofill",
            "CHANGE COLUMN `a` `b` enum('x','y''z') NOT NULL",
            "ALTER a SET DEFAULT 5",
            "ALTER COLUMN a SET DEFAULT (uuid())",
            "ALTER a DROP DEFAULT",
            "ALTER a SET INVISIBLE",
            "ALTER INDEX k INVISIBLE",
            "ALTER INDEX k NOT IGNORED",
            "ALTER CHECK c NOT ENFORCED",
            "RENAME COLUMN a TO b",
            "RENAME INDEX a TO b",
            "RENAME KEY a TO b",
            "RENAME TO t2",
            "RENAME t2",
            "RENAME AS x.t2",
            "ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED",
            "ADD CHECK (a > 0)",
            "ADD PRIMARY KEY (a)",
            "ADD CONSTRAINT PRIMARY KEY USING BTREE (a, b)",
            "ADD UNIQUE (a)",
            "ADD UNIQUE KEY k (a)",
            "ADD UNIQUE INDEX IF NOT EXISTS k (a(10) DESC)",
            "ADD INDEX k ((a + b))",
            "ADD KEY k (a) COMMENT 'x' INVISIBLE",
            "ADD FULLTEXT INDEX f (a) WITH PARSER ngram",
            "ADD SPATIAL INDEX (g)",
            "ADD FOREIGN KEY (a) REFERENCES p (id) ON DELETE SET NULL",
            "ADD CONSTRAINT f FOREIGN KEY i (a, b) REFERENCES d.p (x, y) MATCH FULL ON UPDATE CASCADE",
            "CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci",
            "DEFAULT CHARACTER SET utf8mb4",
            "CHARSET = latin1",
            "COLLATE utf8mb4_bin",
            "ENGINE=InnoDB",
            "ROW_FORMAT=DYNAMIC",
            "KEY_BLOCK_SIZE=8",
            "COMMENT='x'",
            "AUTO_INCREMENT = 100",
            "STATS_PERSISTENT=1",
            "FORCE",
            "ORDER BY a, b DESC",
            "ENABLE KEYS",
            "DISABLE KEYS",
            "DISCARD TABLESPACE",
            "PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)",
            "PARTITION BY HASH (a) PARTITIONS 4",
            "REMOVE PARTITIONING",
            "ADD PARTITION (PARTITION p2 VALUES LESS THAN (30))",
            "ADD PARTITION PARTITIONS 2",
            "DROP PARTITION p0, p1",
            "TRUNCATE PARTITION ALL",
            "COALESCE PARTITION 2",
            "REORGANIZE PARTITION p0, p1 INTO (PARTITION p VALUES LESS THAN (20))",
            "EXCHANGE PARTITION p0 WITH TABLE u WITHOUT VALIDATION",
            "REBUILD PARTITION p0",
            "ANALYZE PARTITION ALL",
            "CHECK PARTITION p0 FOR UPGRADE",
            "REPAIR PARTITION p0",
            "CONVERT PARTITION p0 TO TABLE u",
            "ADD SYSTEM VERSIONING",
            "DROP SYSTEM VERSIONING",
            "ADD a int GENERATED ALWAYS AS (b + 1) VIRTUAL",
            "ADD a int AS (b) PERSISTENT",
            "ADD a timestamp(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)",
            "ADD a double precision DEFAULT -1.5",
            "ADD a char(3) DEFAULT _utf8mb4'x' COLLATE utf8mb4_bin",
            "ADD a int CHECK (a > 0)",
            "ADD a int REFERENCES p (id)",
            "ADD a bit(3) DEFAULT b'101'",
            "ADD a int AUTO_INCREMENT PRIMARY KEY",
            "ADD a national varchar(10)",
            "ADD a serial",
            "ADD a geometry NOT NULL SRID 4326",
            "ADD a int DEFAULT (1 + 2)",
            "ADD a uuid DEFAULT uuid()",
        ];
        for clause in clauses {
            let text = format!("ALTER TABLE t {clause}");
            let found = read("mariadb", &text);
            let known = clause.contains("FOR UPGRADE");
            assert!(known || !found.contains("Unknown"), "{text}: {found}");
            let text = format!("ALTER TABLE `d`.`t` {clause}, ALGORITHM=INPLACE, LOCK=NONE");
            let whole = clause.starts_with("ORDER BY") || clause.starts_with("PARTITION BY");
            let found = read("mysql", &text);
            let online = found.contains("algorithm: Some(InPlace), lock: Some(None)");
            assert!(known || whole || (online && !found.contains("Unknown")), "{text}: {found}");
        }
    }

    #[test]
    fn an_unread_clause_hides_no_other() {
        let found = read("mysql", "ALTER TABLE t FROBNICATE a (1, 2) now, DROP COLUMN b, ADD c");
        assert!(found.contains("Unknown { text: \"FROBNICATE a (1, 2) now\" }"), "{found}");
        assert!(found.contains("DropColumn { name: \"b\""), "{found}");
        assert!(found.contains("Unknown { text: \"ADD c\" }"), "{found}");
    }

    /// Of each statement what would be lost or taken for something else if it were read carelessly.
    #[test]
    fn statements_are_read_to_the_last_word() {
        let cases: [(&str, &str, &[&str]); 24] = [
            (
                "mysql",
                "/*!50003 CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN IF NEW.a THEN UPDATE u SET b = 1; END IF; END */",
                &["CreateTrigger", "Update", "\"u\""],
            ),
            ("mysql-8.0.20", "/*!80029 DROP TABLE t */", &["Other"]),
            ("mysql-8.0.30", "/*!80029 DROP TABLE t */", &["DropTable"]),
            ("mariadb", "/*M!100300 DROP TABLE t */", &["DropTable"]),
            ("mariadb", "/*!80000 DROP TABLE t */", &["Other"]),
            ("mysql", "/*M! DROP TABLE t */", &["Other"]),
            (
                "mysql",
                "CREATE TABLE t (id int NOT NULL AUTO_INCREMENT, a varchar(20) DEFAULT 'x', PRIMARY KEY (id), KEY k (a), CONSTRAINT f FOREIGN KEY (a) REFERENCES p (b)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='c'",
                &[
                    "auto_increment: true",
                    "PrimaryKey",
                    "ForeignKey",
                    "(\"engine\", \"innodb\")",
                    "(\"charset\", \"utf8mb4\")",
                ],
            ),
            ("mysql", "CREATE TABLE a LIKE b", &["like: [Name"]),
            ("mysql", "CREATE TABLE a AS SELECT * FROM b", &["from_query: Some([Name"]),
            (
                "mysql",
                "CREATE UNIQUE INDEX i ON t (a, b(5)) ALGORITHM=INPLACE LOCK=NONE",
                &["unique: true", "Column(\"b\", Some(5))", "InPlace"],
            ),
            ("mariadb", "ALTER TABLE t WAIT 5 ADD a int", &["Seconds(5)", "AddColumn"]),
            ("mysql", "RENAME TABLE a TO b, c TO d.e", &["RenameTables", "Some(\"d\")"]),
            (
                "mysql",
                "SET SESSION lock_wait_timeout = 5, @a := 1, GLOBAL x = DEFAULT",
                &["Session", "Some(\"5\")", "Global", "None"],
            ),
            (
                "mysql",
                "SET @@session.lock_wait_timeout=10",
                &["Session", "lock_wait_timeout", "10"],
            ),
            (
                "mysql",
                "UPDATE LOW_PRIORITY t JOIN u ON t.id = u.id SET t.a = u.b, b = concat(a, ',') WHERE t.c = 1 LIMIT 5",
                &[
                    "Update",
                    "reads: [Name { schema: None, name: \"u\" }]",
                    "(\"b\", \"concat(a, ',')\")",
                    "Some(\"t.c = 1\")",
                ],
            ),
            (
                "mysql",
                "DELETE FROM t WHERE a IN (SELECT b FROM u)",
                &["Delete", "name: \"u\"", "bounded: true"],
            ),
            (
                "mysql",
                "INSERT IGNORE INTO t (a, b) VALUES (1, 2), (3, 4)",
                &["Insert,", "columns: [\"a\", \"b\"]", "bounded: true"],
            ),
            ("mysql", "INSERT INTO t SELECT * FROM u", &["InsertSelect", "name: \"u\""]),
            ("mysql", "PREPARE s FROM 'DROP TABLE t'", &["put together"]),
            ("mysql", "CALL p(1)", &["procedure `p`"]),
            ("mysql", "DROP INDEX i ON t ALGORITHM=INPLACE", &["DropIndex", "table: Some"]),
            (
                "mysql",
                "CREATE DEFINER=`a`@`%` SQL SECURITY INVOKER VIEW v AS SELECT a.x FROM a LEFT JOIN d.b USING (id)",
                &["CreateView", "name: \"a\"", "Some(\"d\")"],
            ),
            ("mysql", "FLUSH TABLES WITH READ LOCK", &["Unknown"]),
            (
                "mysql",
                "CREATE PROCEDURE p() BEGIN DECLARE n int; WHILE n > 0 DO DELETE FROM t LIMIT 10; END WHILE; EXECUTE s; END",
                &["CreateRoutine", "Delete", "put together"],
            ),
        ];
        for (server, text, expected) in cases {
            let found = if text.contains("; END") {
                read(server, &format!("DELIMITER //\n{text}//"))
            } else {
                read(server, text)
            };
            for part in expected {
                assert!(found.contains(part), "{server} {text}: no {part} in {found}");
            }
        }
    }
}
