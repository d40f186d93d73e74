//! A script, read: its statements with what they say, and its comments.

use std::ops::Range;

use super::liquibase::{Changelog, Ends};
use super::script::{Kind, Piece, lexis, script};
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
    read.add(source, text, script(source.tokens, text));
    read
}

/// Reads a file of changesets, each cut as it says. Never fails.
#[must_use]
pub fn parse_changelog(source: Source, log: &Changelog) -> Script {
    let mut read = Script { statements: Vec::new(), comments: Vec::new() };
    for changeset in &log.changesets {
        let start = changeset.span.start;
        let part = &log.text[changeset.span.clone()];
        let pieces = match &changeset.ends {
            // MySQL's driver sends one text as one statement; PostgreSQL takes several in one.
            Ends::Never if source.tokens == Tokens::MySql => cut(source.tokens, part, None),
            Ends::Client | Ends::Never => script(source.tokens, part),
            Ends::Text(end) => cut(source.tokens, part, Some(end)),
            Ends::Unread(pattern) => {
                let whole = cut(source.tokens, part, None);
                let spans = whole.into_iter().filter(|piece| piece.kind == Kind::Statement);
                let why = format!("its statements end with the pattern `{pattern}`");
                read.statements.extend(
                    spans.map(|piece| unknown(&log.text, moved(&piece.span, start), why.clone())),
                );
                continue;
            }
        };
        let moved =
            pieces.into_iter().map(|piece| Piece { span: moved(&piece.span, start), ..piece });
        read.add(source, &log.text, moved);
    }
    read
}

fn moved(span: &Range<usize>, by: usize) -> Range<usize> {
    span.start + by..span.end + by
}

/// Cuts a text where `end` stands outside of quotes and comments, and nowhere else. Of white space in
/// `end`, only that before the rest counts: it must stand at the beginning of a line.
fn cut(tokens: Tokens, text: &str, end: Option<&str>) -> Vec<Piece> {
    let mark = end.map(str::trim).unwrap_or_default();
    let own_line = end.is_some_and(|end| end.starts_with(['\n', '\r']));
    let ends_at = |at: usize| {
        !mark.is_empty()
            && text[at..].starts_with(mark)
            && (!own_line || text[..at].trim_end_matches([' ', '\t']).ends_with('\n'))
    };
    let mut pieces = Vec::new();
    let mut begun: Option<Range<usize>> = None;
    let statement = |begun: &mut Option<Range<usize>>, pieces: &mut Vec<Piece>| {
        pieces.extend(begun.take().map(|span| Piece { kind: Kind::Statement, span }));
    };
    let mut at = 0;
    while at < text.len() {
        if ends_at(at) {
            statement(&mut begun, &mut pieces);
            at += mark.len();
            continue;
        }
        let token = lexis::token(tokens, text, at);
        let (shape, mut next) = (token.shape, token.span.end);
        // It may end in the middle of what is a word or a symbol otherwise: `END//`, `END$$`.
        let inside = (at + 1..next).filter(|at| text.is_char_boundary(*at));
        if matches!(shape, lexis::Shape::Word | lexis::Shape::Symbol) {
            next = inside.into_iter().find(|at| ends_at(*at)).unwrap_or(next);
        }
        match shape {
            lexis::Shape::Space => {}
            lexis::Shape::Comment if begun.is_none() => {
                pieces.push(Piece { kind: Kind::Comment, span: at..next });
            }
            lexis::Shape::Comment => {}
            _ => begun = Some(begun.map_or(at, |begun| begun.start)..next),
        }
        at = next;
    }
    statement(&mut begun, &mut pieces);
    pieces
}

impl Script {
    fn add(&mut self, source: Source, text: &str, pieces: impl IntoIterator<Item = Piece>) {
        for piece in pieces {
            match piece.kind {
                Kind::Statement => self.statements.push(statement(source, text, piece.span)),
                Kind::Comment => self.comments.push(piece.span),
                Kind::End | Kind::Space | Kind::Command | Kind::Data => {}
            }
        }
    }
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
    Statement { span, kind: first, what: What::Unknown { why: why.into() }, since: None }
}
