//! Statements as SQLite cuts them.

use super::Kind;
use super::client::{Client, begins_line, rest_of_line};
use super::lexis::Shape;

/// By the source, `complete.c`: its states, under its names. A trigger ends with `; END ;`.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sqlite3 {
    #[default]
    Start,
    Normal,
    Explain,
    Create,
    Trigger,
    Semi,
    End,
}

impl Sqlite3 {
    const fn is_in_trigger(self) -> bool {
        matches!(self, Self::Trigger | Self::Semi)
    }
}

/// The shell takes `go` and `/`, alone on a line, for the end of a statement.
fn is_go(line: &str) -> bool {
    line.trim_end().eq_ignore_ascii_case("go")
}

impl Client for Sqlite3 {
    fn own(&mut self, text: &str, at: usize, alone: bool) -> Option<(Kind, usize)> {
        let rest = &text[at..];
        if begins_line(text, at) {
            let line = rest_of_line(rest);
            match rest.chars().next() {
                Some('.') if alone => return Some((Kind::Command, line)),
                Some('#') if alone => return Some((Kind::Comment, line)),
                _ => {}
            }
            let ends = rest[..line].trim_end() == "/" || is_go(&rest[..line]);
            if !alone && ends && !self.is_in_trigger() {
                *self = Self::Start;
                return Some((Kind::End, line));
            }
        }
        if !rest.starts_with(';') || self.is_in_trigger() {
            return None;
        }
        *self = Self::Start;
        Some((Kind::End, 1))
    }

    fn hear(&mut self, shape: Shape, token: &str) {
        let word = if shape == Shape::Word { token.to_ascii_lowercase() } else { String::new() };
        *self = match (*self, word.as_str()) {
            (Self::Trigger | Self::Semi, _) if token == ";" => Self::Semi,
            (Self::Semi, "end") => Self::End,
            (Self::Trigger | Self::Semi | Self::End, _) | (Self::Create, "trigger") => {
                Self::Trigger
            }
            (Self::Start | Self::Explain, "create") | (Self::Create, "temp" | "temporary") => {
                Self::Create
            }
            (Self::Start, "explain") => Self::Explain,
            (Self::Explain, word)
                if !matches!(word, "explain" | "temp" | "temporary" | "trigger" | "end") =>
            {
                Self::Explain
            }
            _ => Self::Normal,
        };
    }
}
