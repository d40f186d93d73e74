//! Statements as the clients of MySQL and MariaDB cut them.

use super::Kind;
use super::client::{Client, begins_line, rest_of_line};
use super::lexis::Shape;

/// Commands that have a name, and are taken where no statement has begun.
const NAMED: [&str; 26] = [
    "?",
    "charset",
    "clear",
    "connect",
    "edit",
    "ego",
    "exit",
    "go",
    "help",
    "nopager",
    "notee",
    "nowarning",
    "pager",
    "print",
    "prompt",
    "query_attributes",
    "quit",
    "rehash",
    "resetconnection",
    "source",
    "ssl_session_data_print",
    "status",
    "system",
    "tee",
    "use",
    "warnings",
];

/// Letters behind a backslash that take what follows.
const TAKING: [char; 8] = ['.', '!', 'C', 'P', 'R', 'T', 'r', 'u'];

/// By the source, `client/mysql.cc`: a statement ends with the delimiter, wherever it stands outside
/// of quotes and comments, or with `\g` or `\G`.
#[derive(Debug)]
pub(super) struct Mysql {
    delimiter: String,
}

impl Default for Mysql {
    fn default() -> Self {
        Self { delimiter: ";".to_owned() }
    }
}

impl Mysql {
    /// What a command takes: up to the delimiter, or the end of the line.
    fn taken(&self, text: &str) -> usize {
        let line = &text[..rest_of_line(text)];
        line.find(&self.delimiter).unwrap_or(line.len())
    }

    /// `DELIMITER` takes the rest of the line, whatever stands there.
    fn delimit(&mut self, line: &str) {
        let chosen = line.split_whitespace().nth(1).unwrap_or_default();
        let bare = chosen.trim_matches(['\'', '"', '`']);
        // Without one the client complains, and the old one stays.
        if !bare.is_empty() {
            bare.clone_into(&mut self.delimiter);
        }
    }
}

impl Client for Mysql {
    fn own(&mut self, text: &str, at: usize, alone: bool) -> Option<(Kind, usize)> {
        let rest = &text[at..];
        if alone && (is_command(rest, "delimiter") || rest.starts_with("\\d")) {
            let line = rest_of_line(rest);
            self.delimit(&rest[..line]);
            return Some((Kind::Command, line));
        }
        if rest.starts_with(&self.delimiter) {
            return Some((Kind::End, self.delimiter.len()));
        }
        if let Some(letter) = rest.strip_prefix('\\').and_then(|after| after.chars().next()) {
            return match letter {
                'g' | 'G' | 'c' => Some((Kind::End, 2)),
                _ if !alone => None,
                letter if TAKING.contains(&letter) => Some((Kind::Command, self.taken(rest))),
                letter if letter.is_ascii_alphabetic() => Some((Kind::Command, 2)),
                _ => None,
            };
        }
        // MariaDB's client drops such a line, and no statement of MySQL begins so.
        if alone && rest.starts_with("--") && begins_line(text, at) {
            return Some((Kind::Comment, rest_of_line(rest)));
        }
        let is_named = alone && NAMED.iter().any(|name| is_command(rest, name));
        is_named.then(|| (Kind::Command, self.taken(rest)))
    }

    fn hear(&mut self, _: Shape, _: &str) {}

    /// `END$$`, after `DELIMITER $$`, would be one name.
    fn keeps(&self, text: &str, at: usize, length: usize) -> usize {
        let word = text[at..at + length].char_indices();
        word.map(|(offset, _)| offset)
            .find(|offset| text[at + offset..].starts_with(&self.delimiter))
            .unwrap_or(length)
    }
}

fn is_command(text: &str, name: &str) -> bool {
    let begins = text.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name));
    let ends = |next: char| next.is_ascii_whitespace() || next == ';';
    begins && text[name.len()..].chars().next().is_none_or(ends)
}
