//! Statements as psql cuts them.

use super::Kind;
use super::client::{Client, rest_of_line};
use super::lexis::Shape;

/// Commands that send the statement before them.
const SENDING: [&str; 9] =
    ["g", "gx", "gdesc", "gexec", "gset", "crosstabview", "parse", "sendpipeline", "watch"];

/// Commands that throw it away.
const RESETTING: [&str; 2] = ["r", "reset"];

/// By the source: `psqlscan.l` counts parentheses and the blocks of a `BEGIN ATOMIC` body, in which
/// a `;` ends nothing.
#[derive(Debug, Default)]
pub(super) struct Psql {
    parens: u32,
    blocks: u32,
    /// The first words of the statement, in lower case.
    first: Vec<String>,
    /// The last word, in lower case.
    last: String,
    copies_stdin: bool,
    /// On the next line, because a statement before it on this one was such a `COPY`.
    data_follows: bool,
    /// No line that ends data is left.
    no_more_data: bool,
}

impl Psql {
    fn end(&mut self, length: usize) -> (Kind, usize) {
        *self = Self {
            data_follows: self.data_follows || self.copies_stdin,
            no_more_data: self.no_more_data,
            ..Self::default()
        };
        (Kind::End, length)
    }

    /// The length of the rows from the end of this line on, with the line `\.` that ends them. Where
    /// none does, what follows is not taken for data: statements that hide there would be lost.
    fn rows(&mut self, text: &str) -> Option<usize> {
        self.data_follows = false;
        if self.no_more_data {
            return None;
        }
        let mut length = 0;
        for line in text.split_inclusive('\n') {
            length += line.len();
            if line.trim_end_matches(['\r', '\n']) == "\\." {
                return Some(length);
            }
        }
        self.no_more_data = true;
        None
    }

    /// Whether the statement creates a function or a procedure, whose body may be statements.
    fn creates_routine(&self) -> bool {
        let first: Vec<_> = self.first.iter().map(String::as_str).collect();
        matches!(
            first.as_slice(),
            ["create", "function" | "procedure", ..]
                | ["create", "or", "replace", "function" | "procedure", ..]
        )
    }

    fn word(&mut self, word: String) {
        if self.first.len() < 4 {
            self.first.push(word.clone());
        }
        if self.parens == 0 {
            match word.as_str() {
                "begin" if self.creates_routine() => self.blocks += 1,
                "case" if 0 < self.blocks => self.blocks += 1,
                "end" => self.blocks = self.blocks.saturating_sub(1),
                "stdin" if self.last == "from" && self.first[0] == "copy" => {
                    self.copies_stdin = true;
                }
                _ => {}
            }
        }
        self.last = word;
    }
}

impl Client for Psql {
    fn own(&mut self, text: &str, at: usize, alone: bool) -> Option<(Kind, usize)> {
        let rest = &text[at..];
        if self.data_follows
            && rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n')
            && let Some(length) = self.rows(rest)
        {
            return Some((Kind::Data, length));
        }
        if rest.starts_with(';') && self.parens == 0 && self.blocks == 0 {
            return Some(self.end(1));
        }
        let command = rest.strip_prefix('\\')?;
        if command.starts_with(';') {
            let ends = self.parens == 0 && self.blocks == 0;
            return Some(if ends { self.end(2) } else { (Kind::Statement, 2) });
        }
        let name = command.split(|letter: char| !letter.is_ascii_alphabetic()).next()?;
        if SENDING.contains(&name) || RESETTING.contains(&name) {
            return Some(self.end(length_of_command(rest)));
        }
        if !alone {
            // psql runs it at once, and goes on with the statement behind it.
            let taken = rest[1..].find(['\\', '\r', '\n']).map_or(rest.len(), |end| end + 1);
            return Some((Kind::Statement, rest[..taken].trim_ascii_end().len()));
        }
        let length = length_of_command(rest);
        self.data_follows |= name == "copy" && reads_stdin(&rest[..length]);
        Some((Kind::Command, length))
    }

    fn hear(&mut self, shape: Shape, token: &str) {
        match (shape, token) {
            (Shape::Word, _) => self.word(token.to_ascii_lowercase()),
            (Shape::Symbol, "(") => self.parens += 1,
            (Shape::Symbol, ")") => self.parens = self.parens.saturating_sub(1),
            _ => {}
        }
    }
}

/// The length of a command with what it takes: to the end of the line, or to the `\\` behind which
/// SQL goes on.
fn length_of_command(text: &str) -> usize {
    let line = &text[..rest_of_line(text)];
    line.find("\\\\").map_or(line.len(), |end| end + 2)
}

/// Whether a `\copy` reads rows from the script.
fn reads_stdin(command: &str) -> bool {
    let words: Vec<_> = command.split_whitespace().map(str::to_ascii_lowercase).collect();
    words.windows(2).any(|pair| pair[0] == "from" && pair[1].trim_end_matches(';') == "stdin")
}
