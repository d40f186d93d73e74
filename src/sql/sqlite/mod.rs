//! SQLite: the statements of its own, and those that it shares with MySQL's parser, which reads the
//! same columns, keys and rows.

use std::ops::Range;

use super::Tokens;
use super::cursor::Cursor;
use super::mysql::Parser;
use super::parse::{Source, unknown};
use super::statement::{
    Action, AlterTable, Body, Column, Drop, IndexKind, Maintenance, Name, Online, Scope, Setting,
    Statement, Transaction, Type, What,
};

/// Reads one statement.
pub(super) fn statement(text: &str, span: Range<usize>) -> Statement {
    let source = Source { tokens: Tokens::Sqlite, mariadb: false, version: (3, 45, 0) };
    let mut parser = Parser::new(source, text, span.clone());
    let (kind, what) = read(&mut parser, text, &span);
    match what {
        Some(what) => Statement { span, kind, what },
        None => Statement { kind, ..unknown(text, span, "it cannot be parsed here") },
    }
}

fn read(parser: &mut Parser, text: &str, span: &Range<usize>) -> (String, Option<What>) {
    let first = parser.cursor.text().to_uppercase();
    let transaction = |of| Some(What::Transaction(of));
    let what = match first.as_str() {
        "BEGIN" => transaction(Transaction::Begin),
        "COMMIT" | "END" => transaction(Transaction::Commit),
        "ROLLBACK" if parser.cursor.left().any(|word| word.eq_ignore_ascii_case("to")) => {
            transaction(Transaction::Savepoint)
        }
        "ROLLBACK" => transaction(Transaction::Rollback),
        "SAVEPOINT" | "RELEASE" => transaction(Transaction::Savepoint),
        "PRAGMA" => pragma(&mut parser.cursor),
        "VACUUM" => Some(What::Maintenance { of: Maintenance::VacuumFull, tables: Vec::new() }),
        "REINDEX" => {
            parser.cursor.pass();
            Some(What::Reindex {
                of: super::statement::Reindexed::Index,
                name: parser.cursor.dotted(),
                concurrently: false,
            })
        }
        "ANALYZE" => Some(What::Maintenance { of: Maintenance::Analyze, tables: Vec::new() }),
        "ATTACH" | "DETACH" => Some(What::Other),
        "ALTER" => return ("ALTER TABLE".to_owned(), alter(parser)),
        "CREATE" => return create(parser, text, span),
        "DROP" => return drop(&mut parser.cursor),
        "EXPLAIN" => Some(What::Other),
        "INSERT" | "REPLACE" | "UPDATE" | "DELETE" | "WITH" | "SELECT" | "VALUES" => {
            return parser.rows(&first);
        }
        _ => None,
    };
    (first, what)
}

/// `PRAGMA name = value`, `PRAGMA name(value)`; one that only asks changes nothing.
fn pragma(cursor: &mut Cursor) -> Option<What> {
    cursor.pass();
    let name = cursor.dotted()?.name.to_lowercase();
    let value = if cursor.eat(&["="]) {
        cursor.value()
    } else {
        cursor.inner().map(|expression| expression.text)
    };
    Some(match value {
        Some(value) => What::Set(vec![Setting { scope: Scope::Session, name, value: Some(value) }]),
        None => What::Other,
    })
}

fn alter(parser: &mut Parser) -> Option<What> {
    let cursor = &mut parser.cursor;
    if !cursor.eat(&["alter", "table"]) {
        return None;
    }
    let name = cursor.dotted()?;
    let from = cursor.place();
    let action = if cursor.eat(&["rename", "to"]) {
        Action::RenameTo(Name::plain(cursor.name()?))
    } else if cursor.eat(&["rename"]) {
        cursor.eat(&["column"]);
        let from = cursor.name()?;
        if !cursor.eat(&["to"]) {
            return None;
        }
        Action::RenameColumn { from, to: cursor.name()? }
    } else if cursor.eat(&["drop"]) {
        cursor.eat(&["column"]);
        Action::DropColumn { name: cursor.name()?, if_exists: false, cascade: false }
    } else if cursor.eat(&["add"]) {
        cursor.eat(&["column"]);
        let column = Box::new(column(parser)?);
        Action::AddColumn { column, if_not_exists: false, place: None }
    } else {
        return None;
    };
    if !parser.cursor.is_done() {
        return None;
    }
    let span = from..parser.cursor.behind();
    let actions = vec![(action, span)];
    let online = Online::default();
    Some(What::AlterTable(AlterTable { name, if_exists: false, only: false, actions, online }))
}

/// A column, whose type may be left out.
fn column(parser: &mut Parser) -> Option<Column> {
    let name = parser.cursor.name()?;
    const ATTRIBUTES: [&str; 11] = [
        "constraint",
        "primary",
        "not",
        "null",
        "unique",
        "check",
        "default",
        "collate",
        "references",
        "generated",
        "as",
    ];
    let attribute = ATTRIBUTES.iter().any(|word| parser.cursor.is(&[word]));
    if attribute || parser.cursor.is_done() || parser.cursor.is(&[","]) {
        let mut column = Column { name, ty: Type::default(), ..Column::default() };
        while parser.attribute(&mut column) {}
        return Some(column);
    }
    // A type is as many words as there are.
    let mut ty = parser.ty()?;
    while parser.cursor.is_name() && !ATTRIBUTES.iter().any(|word| parser.cursor.is(&[word])) {
        ty.name = format!("{} {}", ty.name, parser.cursor.name()?.to_lowercase());
        if let Some(inner) = parser.cursor.inner() {
            ty.modifiers = inner.text.split(',').map(|part| part.trim().to_owned()).collect();
        }
    }
    let mut column = Column { name, ty, ..Column::default() };
    while parser.attribute(&mut column) || conflict_clause(&mut parser.cursor) {}
    Some(column)
}

/// `ON CONFLICT …`, `DEFERRABLE …`, `ASC`, `DESC`: they say nothing of the structure.
fn conflict_clause(cursor: &mut Cursor) -> bool {
    if cursor.eat(&["on", "conflict"]) {
        cursor.pass();
        return true;
    }
    if cursor.eat(&["not", "deferrable"]) || cursor.eat(&["deferrable"]) {
        if cursor.eat(&["initially"]) {
            cursor.pass();
        }
        return true;
    }
    cursor.eat_one(&["asc", "desc"]).is_some()
}

fn create(parser: &mut Parser, text: &str, span: &Range<usize>) -> (String, Option<What>) {
    parser.cursor.pass();
    let temporary = parser.cursor.eat_one(&["temp", "temporary"]).is_some();
    if parser.cursor.eat(&["virtual", "table"]) || parser.cursor.is(&["table"]) {
        parser.cursor.eat(&["table"]);
        return ("CREATE TABLE".to_owned(), create_table(parser, temporary));
    }
    let unique = parser.cursor.eat(&["unique"]);
    if parser.cursor.eat(&["index"]) {
        return ("CREATE INDEX".to_owned(), create_index(parser, unique));
    }
    if parser.cursor.is(&["view"]) {
        return parser.create_view();
    }
    if parser.cursor.eat(&["trigger"]) {
        return ("CREATE TRIGGER".to_owned(), create_trigger(parser, text, span));
    }
    (format!("CREATE {}", parser.cursor.text().to_uppercase()), None)
}

fn create_table(parser: &mut Parser, temporary: bool) -> Option<What> {
    let if_not_exists = parser.cursor.eat(&["if", "not", "exists"]);
    let name = parser.cursor.dotted()?;
    let mut table = super::mysql::empty_table(name.clone(), if_not_exists, temporary);
    if parser.cursor.eat(&["using"]) {
        // What a virtual table is made of, its module knows.
        table.options.push(("virtual".to_owned(), parser.cursor.rest().to_owned()));
        return Some(What::CreateTable(Box::new(table)));
    }
    if let Some(inside) = parser.cursor.parenthesised() {
        let mut inner = parser.within(&inside);
        while !inner.cursor.is_done() {
            match inner.add_key(&name) {
                Some(Action::AddConstraint { constraint, .. }) => {
                    table.constraints.push(constraint)
                }
                Some(_) => return None,
                None => table.columns.push(column(&mut inner)?),
            }
            while conflict_clause(&mut inner.cursor) {}
            if !inner.cursor.eat(&[","]) && !inner.cursor.is_done() {
                return None;
            }
        }
    }
    loop {
        if parser.cursor.eat(&["without", "rowid"]) {
            table.options.push(("without rowid".to_owned(), String::new()));
        } else if parser.cursor.eat(&["strict"]) {
            table.options.push(("strict".to_owned(), String::new()));
        } else if parser.cursor.eat(&["as"]) {
            table.from_query = Some(parser.reads(None));
            parser.cursor.rest();
        } else if !parser.cursor.eat(&[","]) {
            break;
        }
    }
    parser.cursor.is_done().then(|| What::CreateTable(Box::new(table)))
}

fn create_index(parser: &mut Parser, unique: bool) -> Option<What> {
    let if_not_exists = parser.cursor.eat(&["if", "not", "exists"]);
    let name = parser.cursor.dotted()?;
    if !parser.cursor.eat(&["on"]) {
        return None;
    }
    let table = parser.cursor.dotted()?;
    let mut index =
        parser.index_body(Some(name), &table, IndexKind::Ordinary, unique, if_not_exists)?;
    if parser.cursor.eat(&["where"]) {
        let from = parser.cursor.place();
        parser.cursor.rest();
        index.predicate = Some(parser.cursor.expression(from..parser.cursor.behind()));
    }
    parser.cursor.is_done().then(|| What::CreateIndex(Box::new(index)))
}

fn create_trigger(parser: &mut Parser, text: &str, span: &Range<usize>) -> Option<What> {
    parser.cursor.eat(&["if", "not", "exists"]);
    let name = parser.cursor.dotted()?;
    while !parser.cursor.is_done() && !parser.cursor.eat(&["on"]) {
        parser.cursor.pass();
    }
    let table = parser.cursor.dotted()?;
    while !parser.cursor.is_done() && !parser.cursor.eat(&["begin"]) {
        parser.cursor.pass();
    }
    let from = parser.cursor.place();
    let mut body = Body {
        language: "sql".to_owned(),
        statements: Vec::new(),
        unread: Vec::new(),
        text: text.get(from..span.end).unwrap_or_default().to_owned(),
    };
    while !parser.cursor.is_done() && !parser.cursor.is(&["end"]) {
        let start = parser.cursor.place();
        while !parser.cursor.is_done() && !parser.cursor.is(&[";"]) {
            parser.cursor.pass();
        }
        let end = parser.cursor.behind();
        parser.cursor.pass();
        body.statements.push(statement(text, start..end.max(start)));
    }
    Some(What::CreateTrigger { name, table, mentions: Vec::new(), body: Some(body) })
}

fn drop(cursor: &mut Cursor) -> (String, Option<What>) {
    cursor.pass();
    let word = cursor.text().to_uppercase();
    cursor.pass();
    let if_exists = cursor.eat(&["if", "exists"]);
    let what = cursor.dotted().filter(|_| cursor.is_done()).and_then(|name| {
        let drop = Drop { names: vec![name.clone()], if_exists, cascade: false, temporary: false };
        match word.as_str() {
            "TABLE" => Some(What::DropTable(drop)),
            "INDEX" => Some(What::DropIndex {
                drop,
                table: None,
                concurrently: false,
                online: Online::default(),
            }),
            "VIEW" => Some(What::DropView { drop, materialized: false }),
            "TRIGGER" => Some(What::DropTrigger { name, table: None, if_exists }),
            _ => None,
        }
    });
    (format!("DROP {word}"), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of each statement what would be lost or taken for something else if it were read carelessly.
    #[test]
    fn statements_are_read_to_the_last_word() {
        let cases: [(&str, &[&str]); 17] = [
            (
                "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a, b VARYING CHARACTER(20) \
                 NOT NULL ON CONFLICT IGNORE DEFAULT 'x', c AS (a + 1) STORED, UNIQUE (a, b) ON \
                 CONFLICT REPLACE, FOREIGN KEY (a) REFERENCES p (x) ON DELETE CASCADE DEFERRABLE \
                 INITIALLY DEFERRED) STRICT, WITHOUT ROWID",
                &[
                    "auto_increment: true",
                    "name: \"varying character\", modifiers: [\"20\"]",
                    "stored: true",
                    "Unique",
                    "ForeignKey",
                    "without rowid",
                    "strict",
                ],
            ),
            ("CREATE TABLE a AS SELECT * FROM b", &["from_query: Some([Name"]),
            ("CREATE VIRTUAL TABLE f USING fts5(x)", &["virtual"]),
            ("ALTER TABLE t ADD COLUMN a INT NOT NULL DEFAULT 5", &["AddColumn", "not_null: true"]),
            ("ALTER TABLE t ADD a", &["AddColumn"]),
            ("ALTER TABLE t RENAME TO u", &["RenameTo"]),
            ("ALTER TABLE t RENAME a TO b", &["RenameColumn"]),
            ("ALTER TABLE t DROP COLUMN a", &["DropColumn"]),
            ("ALTER TABLE t ALTER COLUMN a DROP NOT NULL", &["Unknown"]),
            ("CREATE UNIQUE INDEX i ON t (a, lower(b)) WHERE c > 0", &["unique: true", "c > 0"]),
            ("DROP INDEX IF EXISTS main.i", &["DropIndex", "Some(\"main\")"]),
            (
                "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE u SET a = 1; DELETE FROM v; END",
                &["CreateTrigger", "Update", "Delete"],
            ),
            ("PRAGMA busy_timeout = 5000", &["busy_timeout", "5000"]),
            ("PRAGMA foreign_keys", &["Other"]),
            ("BEGIN IMMEDIATE", &["Begin"]),
            ("UPDATE t SET a = 1 WHERE b = 2", &["Update", "Some(\"b = 2\")"]),
            ("VACUUM", &["VacuumFull"]),
        ];
        for (text, expected) in cases {
            let found = format!("{:?}", statement(text, 0..text.len()).what);
            for part in expected {
                assert!(found.contains(part), "{text}: no {part} in {found}");
            }
        }
    }
}
