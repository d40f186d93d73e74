//! PostgreSQL: the syntax tree of `squawk-syntax`, in the words that all dialects share.
//!
//! The crate is pinned and named nowhere else. A statement in which it finds an error is unknown:
//! the grammar is the whole of PostgreSQL's through 19, so the server would refuse it as well, or is
//! newer than we are.

mod alter;
mod body;
mod dml;
mod maintenance;
mod names;
mod object;
mod setting;
mod since;
mod table;
mod whole;

use std::ops::Range;

use squawk_syntax::SourceFile;
use squawk_syntax::ast::{self, AstNode, Stmt};

use self::names::Reader;
use super::Tokens;
use super::depth::is_too_deep;
use super::parse::unknown;
use super::statement::{Statement, Transaction, What};

/// Reads one statement.
pub(super) fn statement(text: &str, span: Range<usize>) -> Statement {
    if is_too_deep(Tokens::Postgres, &text[span.clone()]) {
        return unknown(text, span, "it nests deeper than anything that is read here");
    }
    let parsed = SourceFile::parse(&text[span.clone()]);
    if let Some(error) = parsed.errors().first() {
        if let Some(read) = by_number(&text[span.clone()], span.start) {
            return Statement { span, ..read };
        }
        return unknown(text, span, format!("it cannot be parsed: {}", error.message()));
    }
    let Some(read) = parsed.tree().stmts().next() else {
        return unknown(text, span, "it holds no statement");
    };
    let reader = Reader::at(span.start);
    let since = since::since(read.syntax());
    Statement { span, kind: kind(&read), what: what(&reader, &read), since }
}

/// `ALTER TABLE i ALTER COLUMN 1 SET STATISTICS`: columns of an index have only numbers, which the
/// parser knows from `ALTER INDEX` alone.
fn by_number(text: &str, start: usize) -> Option<Statement> {
    let at = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let rest = text[at..].trim_start();
    let alter = text[..at].eq_ignore_ascii_case("alter");
    let table = rest.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("table"));
    if !(alter && table) {
        return None;
    }
    // Both words have five letters, so that every place stays where it is.
    let place = text.len() - rest.len();
    let of_index = format!("{}INDEX{}", &text[..place], &rest[5..]);
    let parsed = SourceFile::parse(&of_index);
    let read = parsed.tree().stmts().next().filter(|_| parsed.errors().is_empty())?;
    let Stmt::AlterIndex(alter) = &read else { return None };
    let Some(ast::AlterIndexAction::AlterSetStatistics(_)) = alter.action() else { return None };
    let what = what(&Reader::at(start), &read);
    Some(Statement { span: 0..0, kind: "ALTER TABLE".to_owned(), what, since: None })
}

/// The words that the manual calls it by: the node's own name, but for a few.
fn kind(statement: &Stmt) -> String {
    let node = format!("{:?}", statement.syntax().kind());
    match statement {
        Stmt::CompoundSelect(_) | Stmt::ParenSelect(_) | Stmt::Select(_) | Stmt::SelectInto(_) => {
            "SELECT".to_owned()
        }
        Stmt::Refresh(_) => "REFRESH MATERIALIZED VIEW".to_owned(),
        Stmt::SavepointCreate(_) => "SAVEPOINT".to_owned(),
        Stmt::Lock(_) => "LOCK TABLE".to_owned(),
        Stmt::Commit(_) => "COMMIT".to_owned(),
        Stmt::Rollback(_) => "ROLLBACK".to_owned(),
        _ => node.replace('_', " "),
    }
}

/// What one statement of the tree says.
fn what(reader: &Reader, statement: &Stmt) -> What {
    match statement {
        Stmt::Begin(_) => What::Transaction(Transaction::Begin),
        Stmt::Commit(_) => What::Transaction(Transaction::Commit),
        Stmt::PrepareTransaction(_) => What::Transaction(Transaction::Commit),
        Stmt::Rollback(ast::Rollback::RollbackToSavepoint(_))
        | Stmt::SavepointCreate(_)
        | Stmt::ReleaseSavepoint(_) => What::Transaction(Transaction::Savepoint),
        Stmt::Rollback(_) => What::Transaction(Transaction::Rollback),
        Stmt::SetTransaction(_) | Stmt::SetConstraints(_) => What::Transaction(Transaction::Set),
        Stmt::Set(set) => setting::set(set),
        Stmt::Reset(reset) => setting::reset(reset),
        Stmt::CreateTable(create) => table::create(reader, create),
        Stmt::CreateForeignTable(create) => table::create_foreign(reader, create),
        Stmt::CreateTableAs(create) => table::create_as(create),
        Stmt::SelectInto(select) => table::select_into(select),
        Stmt::AlterTable(alter) => alter::table(reader, alter),
        Stmt::AlterForeignTable(alter) => alter::foreign_table(reader, alter),
        Stmt::AlterView(alter) => alter::view(reader, alter),
        Stmt::AlterMaterializedView(alter) => alter::materialized_view(reader, alter),
        Stmt::Do(block) => What::Do(body::block(reader, block)),
        Stmt::Call(call) => What::Do(body::call(call)),
        Stmt::CreateFunction(create) => body::function(reader, create),
        Stmt::CreateProcedure(create) => body::procedure(reader, create),
        Stmt::Execute(_) | Stmt::Prepare(_) => What::Do(body::prepared(statement.syntax())),
        _ => object::what(reader, statement)
            .or_else(|| dml::what(statement))
            .unwrap_or_else(|| other(statement)),
    }
}

/// What no table feels. Everything else that is not read above is unknown.
fn other(statement: &Stmt) -> What {
    match statement {
        Stmt::AlterAggregate(_)
        | Stmt::AlterCollation(_)
        | Stmt::AlterConversion(_)
        | Stmt::AlterDatabase(_)
        | Stmt::AlterDefaultPrivileges(_)
        | Stmt::AlterEventTrigger(_)
        | Stmt::AlterForeignDataWrapper(_)
        | Stmt::AlterFunction(_)
        | Stmt::AlterGroup(_)
        | Stmt::AlterLanguage(_)
        | Stmt::AlterLargeObject(_)
        | Stmt::AlterOperator(_)
        | Stmt::AlterOperatorClass(_)
        | Stmt::AlterOperatorFamily(_)
        | Stmt::AlterProcedure(_)
        | Stmt::AlterRole(_)
        | Stmt::AlterRoutine(_)
        | Stmt::AlterServer(_)
        | Stmt::AlterSystem(_)
        | Stmt::AlterTablespace(_)
        | Stmt::AlterTextSearchConfiguration(_)
        | Stmt::AlterTextSearchDictionary(_)
        | Stmt::AlterTextSearchParser(_)
        | Stmt::AlterTextSearchTemplate(_)
        | Stmt::AlterUser(_)
        | Stmt::AlterUserMapping(_)
        | Stmt::Checkpoint(_)
        | Stmt::Close(_)
        | Stmt::CreateAccessMethod(_)
        | Stmt::CreateAggregate(_)
        | Stmt::CreateCast(_)
        | Stmt::CreateCollation(_)
        | Stmt::CreateConversion(_)
        | Stmt::CreateDatabase(_)
        | Stmt::CreateForeignDataWrapper(_)
        | Stmt::CreateGroup(_)
        | Stmt::CreateLanguage(_)
        | Stmt::CreateOperator(_)
        | Stmt::CreateOperatorClass(_)
        | Stmt::CreateOperatorFamily(_)
        | Stmt::CreateRole(_)
        | Stmt::CreateSubscription(_)
        | Stmt::CreateTablespace(_)
        | Stmt::CreateTextSearchConfiguration(_)
        | Stmt::CreateTextSearchDictionary(_)
        | Stmt::CreateTextSearchParser(_)
        | Stmt::CreateTextSearchTemplate(_)
        | Stmt::CreateTransform(_)
        | Stmt::CreateUser(_)
        | Stmt::CreateUserMapping(_)
        | Stmt::Deallocate(_)
        | Stmt::Discard(_)
        | Stmt::DropAccessMethod(_)
        | Stmt::DropCollation(_)
        | Stmt::DropConversion(_)
        | Stmt::DropEventTrigger(_)
        | Stmt::DropForeignDataWrapper(_)
        | Stmt::DropGroup(_)
        | Stmt::DropPublication(_)
        | Stmt::DropRole(_)
        | Stmt::DropSubscription(_)
        | Stmt::DropTablespace(_)
        | Stmt::DropTextSearchConfig(_)
        | Stmt::DropTextSearchDict(_)
        | Stmt::DropTextSearchParser(_)
        | Stmt::DropTextSearchTemplate(_)
        | Stmt::DropTransform(_)
        | Stmt::DropUser(_)
        | Stmt::DropUserMapping(_)
        | Stmt::EmptyStmt(_)
        | Stmt::Fetch(_)
        | Stmt::Listen(_)
        | Stmt::Move(_)
        | Stmt::Notify(_)
        | Stmt::ResetRole(_)
        | Stmt::ResetSessionAuth(_)
        | Stmt::SetRole(_)
        | Stmt::SetSessionAuth(_)
        | Stmt::Show(_)
        | Stmt::Unlisten(_) => What::Other,
        _ => What::Unknown { why: "what it does to tables is not known here".to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        format!("{:?}", statement(text, 0..text.len()).what)
    }

    /// Of each statement what would be lost or taken for something else if it were read carelessly.
    #[test]
    fn statements_are_read_to_the_last_word() {
        let cases: [(&str, &[&str]); 26] = [
            (
                "ALTER TABLE ONLY public.orders ADD COLUMN IF NOT EXISTS total numeric(10, 2) \
                 DEFAULT 0 NOT NULL CHECK (total > 0), ALTER \"Col\" TYPE timestamp(3) with time \
                 zone USING now()",
                &[
                    "schema: Some(\"public\")",
                    "only: true",
                    "if_not_exists: true",
                    "name: \"numeric\", modifiers: [\"10\", \"2\"]",
                    "not_null: true",
                    "text: \"total > 0\"",
                    "column: \"Col\"",
                    "name: \"timestamptz\", modifiers: [\"3\"]",
                    "text: \"now()\"",
                ],
            ),
            (
                "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES s.p (x, y) ON DELETE \
                 SET NULL (a) NOT VALID",
                &[
                    "columns: [\"a\", \"b\"]",
                    "referenced: [\"x\", \"y\"]",
                    "on_delete: Some(\"SET NULL\")",
                    "not_valid: true",
                ],
            ),
            (
                "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a text[], b int \
                 GENERATED ALWAYS AS (id * 2) STORED, UNIQUE (a, b), LIKE o) PARTITION BY RANGE (id)",
                &[
                    "identity: true",
                    "array: true",
                    "name: \"integer\"",
                    "stored: true",
                    "Unique { columns: [\"a\", \"b\"]",
                    "like: [Name",
                    "partition_by: Some",
                ],
            ),
            ("SET LOCAL lock_timeout = '5s'", &["Local", "lock_timeout", "Some(\"5s\")"]),
            ("SET TIME ZONE 'UTC'", &["timezone", "Some(\"UTC\")"]),
            ("SET statement_timeout TO DEFAULT", &["statement_timeout", "None"]),
            ("RESET lock_timeout", &["lock_timeout", "value: None"]),
            (
                "DO $$ BEGIN IF x THEN ALTER TABLE t DROP COLUMN c; END IF; EXECUTE 'DROP TABLE u'; \
                 EXECUTE 'x' || y; PERFORM f(1); UPDATE t SET a = 1; END $$",
                &[
                    "DropColumn",
                    "DropTable",
                    "put together when it runs",
                    "(\"f\", [\"1\"])",
                    "Update",
                ],
            ),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY i ON ONLY s.t USING btree (a DESC, lower(b)) WHERE \
                 c > 0",
                &[
                    "unique: true",
                    "concurrently: true",
                    "only: true",
                    "Column(\"a\", None)",
                    "lower(b)",
                    "c > 0",
                ],
            ),
            ("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", &["Dml", "Delete", "\"t\""]),
            (
                "DROP FUNCTION IF EXISTS f(int), s.g(text) CASCADE",
                &["\"f\"", "\"g\"", "cascade: true"],
            ),
            ("CLUSTER i ON s.t", &["Cluster", "Some(\"s\")", "\"t\""]),
            ("REINDEX (CONCURRENTLY) TABLE t", &["of: Table", "concurrently: true"]),
            ("VACUUM (FULL, ANALYZE) t", &["VacuumFull"]),
            ("COMMENT ON COLUMN s.t.c IS 'x'", &["Some(\"s\")", "name: \"t\""]),
            ("ALTER TYPE e ADD VALUE 'x' BEFORE 'y'", &["AddValue(\"x\")"]),
            ("ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1)", &["FOR VALUES IN (1)"]),
            (
                "ALTER TABLE t ADD CONSTRAINT n NOT NULL c NOT VALID",
                &["NotNull(\"c\")", "not_valid: true"],
            ),
            ("ALTER TABLE t ADD PRIMARY KEY USING INDEX i", &["using_index: Some(\"i\")"]),
            (
                "CREATE VIEW v AS WITH w AS (SELECT 1) SELECT x FROM a JOIN s.b ON true, w",
                &[
                    "reads: [Name { schema: None, name: \"a\" }, Name { schema: Some(\"s\")",
                    "mentions",
                ],
            ),
            ("GRANT SELECT ON t, u TO r", &["\"t\"", "\"u\""]),
            (
                "SELECT * INTO TEMP x FROM y",
                &["name: \"x\"", "temporary: true", "from_query: Some"],
            ),
            ("ALTER TABLE t ALTER c TYPE \"char\"", &["name: \"\\\"char\\\"\""]),
            ("INSERT INTO t VALUES (1), (2)", &["Insert,", "bounded: true"]),
            ("INSERT INTO t SELECT * FROM u", &["InsertSelect", "bounded: false"]),
            ("frobnicate the table", &["Unknown"]),
        ];
        for (text, expected) in cases {
            let found = read(text);
            for part in expected {
                assert!(found.contains(part), "{text}: no {part} in {found}");
            }
        }
    }

    #[test]
    fn places_are_those_of_the_script() {
        let text = "-- é\nALTER TABLE t ADD c int DEFAULT 7, DROP d;";
        let start = text.find("ALTER").unwrap();
        let read = statement(text, start..text.len() - 1);
        let What::AlterTable(alter) = read.what else { panic!("{read:?}") };
        let places: Vec<_> = alter.actions.iter().map(|(_, span)| &text[span.clone()]).collect();
        assert_eq!(places, ["ADD c int DEFAULT 7", "DROP d"]);
    }
}
