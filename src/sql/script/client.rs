//! What each database's own client ends a statement with, and takes for itself.

use super::lexis::Shape;
use super::{Kind, Tokens, mysql::Mysql, psql::Psql, sqlite3::Sqlite3};

/// How a client reads a script. It is asked at the beginning of every token, and told of every one
/// that is part of a statement.
pub(super) trait Client {
    /// What begins at `at` and is not SQL, with its length in bytes: it ends the statement before it,
    /// unless it is called part of that. `alone`: no statement has begun.
    fn own(&mut self, text: &str, at: usize, alone: bool) -> Option<(Kind, usize)>;

    /// Takes note of a token of the present statement.
    fn hear(&mut self, shape: Shape, token: &str);

    /// How much of the word at `at`, of that length, belongs to the statement: what ends one may begin
    /// inside of it.
    fn keeps(&self, _text: &str, _at: usize, length: usize) -> usize {
        length
    }
}

pub(super) fn of(tokens: Tokens) -> Box<dyn Client> {
    match tokens {
        Tokens::Postgres => Box::new(Psql::default()),
        Tokens::MySql => Box::new(Mysql::default()),
        Tokens::Sqlite => Box::new(Sqlite3::default()),
    }
}

/// The length of the rest of the line, without its end.
pub(super) fn rest_of_line(text: &str) -> usize {
    text.find(['\r', '\n']).unwrap_or(text.len())
}

/// Whether a line begins there.
pub(super) fn begins_line(text: &str, at: usize) -> bool {
    at == 0 || text[..at].ends_with('\n')
}
