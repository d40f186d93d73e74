//! Where one word, string or comment of a script ends. Just enough to find the ends of statements,
//! and never wrong about what is quoted: everything else is for the parsers.

use std::ops::Range;

use super::Tokens;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Shape {
    /// White space.
    Space,
    /// A comment that the server does not read.
    Comment,
    /// A keyword, a name without quotes or a number.
    Word,
    /// A string or a quoted name.
    Quoted,
    /// One character of anything else.
    Symbol,
}

/// A token and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sql) struct Token {
    pub(in crate::sql) shape: Shape,
    pub(in crate::sql) span: Range<usize>,
}

/// The token that begins at `at`, which is before the end and on a character's boundary. What is
/// never closed goes to the end of the text.
pub(in crate::sql) fn token(tokens: Tokens, text: &str, at: usize) -> Token {
    let rest = &text[at..];
    // A byte order mark is nobody's word where a file begins, and part of one elsewhere.
    let mark = (at == 0 && rest.starts_with('\u{feff}')).then_some('\u{feff}'.len_utf8());
    let (shape, length) = mark
        .or_else(|| length_while(rest, is_space))
        .map(|length| (Shape::Space, length))
        .or_else(|| comment(tokens, rest).map(|length| (Shape::Comment, length)))
        .or_else(|| quoted(tokens, rest).map(|length| (Shape::Quoted, length)))
        .or_else(|| word(rest).map(|length| (Shape::Word, length)))
        .unwrap_or_else(|| (Shape::Symbol, symbol(tokens, rest)));
    Token { shape, span: at..at + length }
}

fn length_while(text: &str, mut belongs: impl FnMut(char) -> bool) -> Option<usize> {
    let length = text.find(|letter| !belongs(letter)).unwrap_or(text.len());
    (0 < length).then_some(length)
}

/// What all of them take for space. To them anything that is not ASCII is part of a name, also what
/// Unicode calls a space.
fn is_space(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii()
}

fn word(text: &str) -> Option<usize> {
    let first = text.chars().next()?;
    if first == '$' {
        return None;
    }
    length_while(text, |letter| is_of_name(letter) || letter == '$')
}

/// MySQL and MariaDB run what stands between `/*!` and `*/`: its beginning is one symbol.
fn symbol(tokens: Tokens, text: &str) -> usize {
    if tokens == Tokens::MySql {
        for opening in ["/*!", "/*M!"] {
            if text.starts_with(opening) {
                return opening.len();
            }
        }
    }
    text.chars().next().map_or(0, char::len_utf8)
}

fn comment(tokens: Tokens, text: &str) -> Option<usize> {
    // psql ends a line at a carriage return, too.
    let is_end = |letter| letter == '\n' || (letter == '\r' && tokens == Tokens::Postgres);
    let to_end_of_line = || text.find(is_end).unwrap_or(text.len());
    if let Some(after) = text.strip_prefix("--") {
        // For MySQL `5--1` is a number less another.
        let begins = tokens != Tokens::MySql
            || after.chars().next().is_none_or(|next| next == ' ' || next.is_ascii_control());
        return begins.then(to_end_of_line);
    }
    if tokens == Tokens::MySql && text.starts_with('#') {
        return Some(to_end_of_line());
    }
    if !text.starts_with("/*") || (tokens == Tokens::MySql && 1 < symbol(tokens, text)) {
        return None;
    }
    Some(block_comment(text, tokens == Tokens::Postgres))
}

fn block_comment(text: &str, nests: bool) -> usize {
    let (mut depth, mut at) = (1_usize, 2);
    while 0 < depth {
        let Some(next) = text[at..].find(['/', '*']) else { return text.len() };
        at += next;
        if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
        } else if nests && text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else {
            at += 1;
        }
    }
    at
}

fn quoted(tokens: Tokens, text: &str) -> Option<usize> {
    let mut letters = text.chars();
    let first = letters.next()?;
    match (tokens, first) {
        (Tokens::Postgres, 'e' | 'E') if letters.next() == Some('\'') => {
            Some(1 + to_quote(&text[1..], '\'', true))
        }
        (Tokens::Postgres, '$') => dollar_quoted(text),
        (Tokens::MySql, '\'' | '"') => Some(to_quote(text, first, true)),
        (_, '\'' | '"') => Some(to_quote(text, first, false)),
        (Tokens::MySql | Tokens::Sqlite, '`') => Some(to_quote(text, '`', false)),
        (Tokens::Sqlite, '[') => Some(text.find(']').map_or(text.len(), |end| end + 1)),
        _ => None,
    }
}

/// The length of a text in quotes that begins with one. A doubled quote is a quote inside, as two
/// texts side by side, which for the ends of statements is the same.
fn to_quote(text: &str, quote: char, escapes: bool) -> usize {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        if letter == quote {
            return at + 1;
        }
        if escapes && letter == '\\' {
            letters.next();
        }
    }
    text.len()
}

/// `$tag$…$tag$`, where the tag may be empty.
fn dollar_quoted(text: &str) -> Option<usize> {
    let tag_end = text[1..].find('$')? + 2;
    let tag = &text[1..tag_end - 1];
    let first_is_digit = tag.starts_with(|first: char| first.is_ascii_digit());
    if first_is_digit || !tag.chars().all(is_of_name) {
        return None;
    }
    let closing = &text[..tag_end];
    let end = text[tag_end..].find(closing).map_or(text.len(), |end| tag_end + end + closing.len());
    Some(end)
}
