//! A script, read: its statements with what they say, and its comments.

use std::ops::Range;

use super::script::{Kind, script};
use super::statement::{Statement, What};
use super::{Tokens, mysql, postgres, sqlite};
use crate::catalog::{Engine, Release};

/// What a script is written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source {
    /// Whose tokens it is made of.
    pub tokens: Tokens,
    /// Of MySQL's tokens: whether it is for MariaDB.
    pub mariadb: bool,
    /// The server's version, which decides what a comment such as `/*!80029 … */` hides: major,
    /// minor, patch.
    pub version: (u16, u16, u16),
}

impl Source {
    /// Of a release of a database.
    #[must_use]
    pub fn of(release: Release) -> Self {
        Self {
            tokens: Tokens::of(release.engine),
            mariadb: release.engine == Engine::MariaDb,
            version: release.version,
        }
    }
}

/// A script, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Its statements, in order. What no parser could read is among them, as
    /// [`What::Unknown`].
    pub statements: Vec<Statement>,
    /// Where its comments stand outside of statements, in bytes.
    pub comments: Vec<Range<usize>>,
}

/// Reads a script. Never fails.
#[must_use]
pub fn parse(source: Source, text: &str) -> Script {
    let mut read = Script { statements: Vec::new(), comments: Vec::new() };
    for piece in script(source.tokens, text) {
        match piece.kind {
            Kind::Statement => read.statements.push(statement(source, text, piece.span)),
            Kind::Comment => read.comments.push(piece.span),
            Kind::End | Kind::Space | Kind::Command | Kind::Data => {}
        }
    }
    read
}

/// Reads what stands at `span` as one statement.
fn statement(source: Source, text: &str, span: Range<usize>) -> Statement {
    match source.tokens {
        Tokens::Postgres => postgres::statement(text, span),
        Tokens::MySql => mysql::statement(source, text, span),
        Tokens::Sqlite => sqlite::statement(text, span),
    }
}

/// A statement that nobody could read. Its kind is its first word.
pub(super) fn unknown(text: &str, span: Range<usize>, why: impl Into<String>) -> Statement {
    let word = |c: char| !(c.is_alphanumeric() || c == '_');
    let first = text[span.clone()].split(word).next().unwrap_or_default().to_uppercase();
    Statement { span, kind: first, what: What::Unknown { why: why.into() } }
}
