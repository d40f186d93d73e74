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
    /// What the first words of the statement make of it.
    head: Head,
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

    fn word(&mut self, word: &str) {
        let before = self.head;
        self.head = before.then(word);
        if self.parens != 0 {
            return;
        }
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        let opens = (self.head == Head::Routine && is("begin")) || (0 < self.blocks && is("case"));
        if opens {
            self.blocks += 1;
        } else if is("end") {
            self.blocks = self.blocks.saturating_sub(1);
        } else if before == Head::CopyFrom && is("stdin") {
            self.copies_stdin = true;
        }
    }
}

/// What the first words of a statement make of it, as far as its end depends on that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Head {
    /// No word was heard.
    #[default]
    Nothing,
    /// `CREATE`.
    Create,
    /// `CREATE OR`.
    Or,
    /// `CREATE OR REPLACE`.
    Replace,
    /// It creates a function or a procedure, whose body may be statements.
    Routine,
    /// `COPY`.
    Copy,
    /// `COPY`, and the last word was `FROM`.
    CopyFrom,
    /// Anything else.
    Other,
}

impl Head {
    /// With one more word.
    fn then(self, word: &str) -> Self {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        match self {
            Self::Copy | Self::CopyFrom if is("from") => Self::CopyFrom,
            Self::Copy | Self::CopyFrom => Self::Copy,
            Self::Routine | Self::Other => self,
            Self::Nothing if is("create") => Self::Create,
            Self::Nothing if is("copy") => Self::Copy,
            Self::Create if is("or") => Self::Or,
            Self::Or if is("replace") => Self::Replace,
            Self::Create | Self::Replace if is("function") || is("procedure") => Self::Routine,
            _ => Self::Other,
        }
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
            (Shape::Word, _) => self.word(token),
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
