//! Scripts are cut into statements as the database's own client cuts them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use backstop::sql::Tokens;
use backstop::sql::script::{Kind, script};
use libtest_mimic::Trial;
use rusqlite::Connection;
use rusqlite::fallible_iterator::FallibleIterator as _;

use crate::database::{Database, Engine, available};
use crate::harness::root;
use crate::test;

pub fn trials() -> Vec<Trial> {
    let each = |engine: Engine| {
        test(format!("scripts: cut as the client does on {}", engine.name), move || {
            as_the_client(engine);
        })
    };
    available().map(each).collect()
}

fn as_the_client(engine: Engine) {
    let path = root().join(format!("tests/scripts/{}.sql", engine.family));
    let text = std::fs::read_to_string(path).unwrap();
    let (tokens, expected) = match engine.family {
        "postgres" => (Tokens::Postgres, psql(engine, &text)),
        "mysql" => (Tokens::MySql, mysql(engine, &text)),
        _ => (Tokens::Sqlite, sqlite(&text)),
    };
    let pieces = script(tokens, &text);
    let statements = pieces.into_iter().filter(|piece| piece.kind == Kind::Statement);
    let statements: Vec<_> = statements.map(|piece| bare(&text[piece.span])).collect();
    assert!(10 <= statements.len(), "{statements:#?}");
    assert_eq!(statements, expected);
}

/// Without what a client may keep or drop: the comment at the top of the file, and the `;`.
fn bare(statement: &str) -> String {
    let lines = statement.trim().lines().skip_while(|line| line.starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.trim().trim_end_matches(';').trim_end().to_owned()
}

fn output(command: &mut Command, text: &str) -> String {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// psql says what it sends, and after each how long that took.
fn psql(engine: Engine, text: &str) -> Vec<String> {
    let database = Database::new(engine);
    let psql = std::env::var("BACKSTOP_TEST_PSQL").unwrap();
    let mut command = Command::new(psql);
    command.args(["-X", "-e", "-o", "/dev/null", "-c", "\\timing on", "-f", "-", &database.url]);
    let said = output(&mut command, text);
    let mut statements = vec![String::new()];
    for line in said.lines().filter(|line| *line != "Timing is on.") {
        if line.starts_with("Time: ") {
            statements.push(String::new());
        } else if let Some(statement) = statements.last_mut() {
            statement.push_str(line);
            statement.push('\n');
        }
    }
    statements.iter().map(|statement| bare(statement)).filter(|text| !text.is_empty()).collect()
}

/// The client says what it sends between two lines of dashes.
fn mysql(engine: Engine, text: &str) -> Vec<String> {
    const LINE: &str = "--------------";
    let database = Database::new(engine);
    let login = database.login();
    let client = std::env::var("BACKSTOP_TEST_MYSQL_CLIENT").unwrap();
    let mut command = Command::new(client);
    command
        .args([
            "--no-defaults",
            "--protocol=tcp",
            "--comments",
            "--force",
            "-v",
            "--host",
            &login.host,
        ])
        .args(["--port", &login.port.to_string(), "--user", &login.user, &login.database])
        .env("MYSQL_PWD", &login.password);
    let said = output(&mut command, text);
    let mut lines = said.lines();
    let mut statements = Vec::new();
    while lines.by_ref().any(|line| line == LINE) {
        let statement: Vec<_> = lines.by_ref().take_while(|line| *line != LINE).collect();
        statements.push(bare(&statement.join("\n")));
    }
    // A comment alone is sent, too.
    statements.retain(|statement| !statement.is_empty());
    statements
}

/// SQLite says where a statement that it prepared ends.
fn sqlite(text: &str) -> Vec<String> {
    let connection = Connection::open_in_memory().unwrap();
    let mut statements = Vec::new();
    let mut batch = rusqlite::Batch::new(&connection, text);
    while let Some(mut statement) = batch.next().unwrap() {
        statement.query([]).unwrap().next().unwrap();
        statements.push(bare(&statement.expanded_sql().unwrap()));
    }
    statements
}
