//! A place in a statement's words, for the parsers that are written by hand.

use std::ops::Range;

use super::Tokens;
use super::parse::Source;
use super::script::lexis::{Shape, Token, token};
use super::statement::{Expression, Name};

/// A place in a statement's words.
#[derive(Debug, Clone)]
pub(in crate::sql) struct Cursor<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    /// At the first word of the statement that stands at `span`.
    pub(in crate::sql) fn new(source: Source, text: &'a str, span: &Range<usize>) -> Self {
        Self { text, tokens: words(source, text, span), at: 0, end: span.end }
    }

    /// The token that is next.
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    /// The text of the token that stands `ahead` of the next.
    pub(in crate::sql) fn text_at(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| &self.text[token.span.clone()])
    }

    /// The text of the next token; nothing at the end.
    pub(in crate::sql) fn text(&self) -> &'a str {
        self.text_at(0)
    }

    /// Whether all has been read.
    pub(in crate::sql) fn is_done(&self) -> bool {
        self.tokens.len() <= self.at
    }

    /// Where the next token begins, in the script.
    pub(in crate::sql) fn place(&self) -> usize {
        self.peek().map_or(self.end, |token| token.span.start)
    }

    /// Where the token before ends, in the script.
    pub(in crate::sql) fn behind(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).map_or(0, |token| token.span.end)
    }

    /// Passes the next token.
    pub(in crate::sql) fn pass(&mut self) {
        self.at = (self.at + 1).min(self.tokens.len());
    }

    /// What has been read since the place `from`, as written.
    pub(in crate::sql) fn since(&self, from: usize) -> &'a str {
        self.text.get(from..self.behind().max(from)).unwrap_or_default()
    }

    /// A mark to come back to.
    pub(in crate::sql) fn mark(&self) -> usize {
        self.at
    }

    /// Goes back to a mark.
    pub(in crate::sql) fn back(&mut self, mark: usize) {
        self.at = mark;
    }

    /// Whether the next words are these, without regard to case, and unquoted.
    pub(in crate::sql) fn is(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.text_at(ahead).eq_ignore_ascii_case(word))
    }

    /// Passes these words if they are next.
    pub(in crate::sql) fn eat(&mut self, words: &[&str]) -> bool {
        let found = self.is(words);
        if found {
            self.at += words.len();
        }
        found
    }

    /// Passes whichever of these words is next, and says which.
    pub(in crate::sql) fn eat_one<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        let found = words.iter().find(|word| self.is(&[word])).copied();
        if found.is_some() {
            self.pass();
        }
        found
    }

    /// Whether a name is next: a word, or one in quotes that make a name.
    pub(in crate::sql) fn is_name(&self) -> bool {
        self.peek().is_some_and(|token| {
            let first = self.text.as_bytes().get(token.span.start);
            match token.shape {
                Shape::Word => true,
                Shape::Quoted => matches!(first, Some(b'`' | b'"' | b'[')),
                _ => false,
            }
        })
    }

    /// Whether a text in quotes is next.
    pub(in crate::sql) fn is_string(&self) -> bool {
        self.peek().is_some_and(|token| token.shape == Shape::Quoted)
    }

    /// A name, without its quotes.
    pub(in crate::sql) fn name(&mut self) -> Option<String> {
        if !self.is_name() {
            return None;
        }
        let text = unquoted(self.text());
        self.pass();
        Some(text)
    }

    /// A word or a text, without its quotes: what stands where an option's value does.
    pub(in crate::sql) fn value(&mut self) -> Option<String> {
        let token = self.peek()?;
        if token.shape == Shape::Symbol && !matches!(self.text(), "-" | "+") {
            return None;
        }
        let signed = matches!(self.text(), "-" | "+");
        let from = self.place();
        if signed {
            self.pass();
        }
        let quoted = self.is_string();
        self.pass();
        // A number with a point is three tokens.
        while self.text() == "." && !quoted {
            self.pass();
            self.pass();
        }
        let text = self.since(from);
        Some(if quoted { unquoted(text) } else { text.to_owned() })
    }

    /// A name with what qualifies it.
    pub(in crate::sql) fn dotted(&mut self) -> Option<Name> {
        let mut name = Name::plain(self.name()?);
        while self.text() == "." {
            self.pass();
            name = Name { schema: Some(name.name), name: self.name()? };
        }
        Some(name)
    }

    /// Names with commas between them.
    pub(in crate::sql) fn dotted_list(&mut self) -> Vec<Name> {
        let mut names = Vec::new();
        while let Some(name) = self.dotted() {
            names.push(name);
            if !self.eat(&[","]) {
                break;
            }
        }
        names
    }

    /// Passes what stands between parentheses, and gives where: without the parentheses.
    pub(in crate::sql) fn parenthesised(&mut self) -> Option<Range<usize>> {
        if self.text() != "(" {
            return None;
        }
        let start = self.peek()?.span.end;
        let mut depth = 0_usize;
        while let Some(token) = self.peek() {
            let here = token.span.clone();
            match self.text() {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            self.pass();
            if depth == 0 {
                return Some(start..here.start);
            }
        }
        Some(start..self.end.max(start))
    }

    /// Passes all up to a comma, a closing parenthesis or the end that belongs to this level.
    pub(in crate::sql) fn skip_item(&mut self) {
        while !self.is_done() && !matches!(self.text(), "," | ")") {
            if self.parenthesised().is_none() {
                self.pass();
            }
        }
    }

    /// The expression between parentheses.
    pub(in crate::sql) fn inner(&mut self) -> Option<Expression> {
        let span = self.parenthesised()?;
        Some(self.expression(span))
    }

    /// The text at a place, as an expression.
    pub(in crate::sql) fn expression(&self, span: Range<usize>) -> Expression {
        let raw = self.text.get(span.clone()).unwrap_or_default();
        let lead = raw.len() - raw.trim_start().len();
        let text = raw.trim().to_owned();
        Expression { span: span.start + lead..span.start + lead + text.len(), text }
    }

    /// Everything that is left, as written; passes it.
    pub(in crate::sql) fn rest(&mut self) -> &'a str {
        let from = self.place();
        self.at = self.tokens.len();
        self.since(from)
    }

    /// The tokens that are left, as texts.
    pub(in crate::sql) fn left(&self) -> impl Iterator<Item = &'a str> {
        let text = self.text;
        self.tokens[self.at..].iter().map(move |token| &text[token.span.clone()])
    }
}

/// A name or text without its quotes. Doubled quotes become one, and MySQL's escapes lose their
/// backslash, which is right for every letter but the few that stand for control characters.
pub(in crate::sql) fn unquoted(text: &str) -> String {
    let Some(quote) = text.chars().next().filter(|c| matches!(c, '`' | '"' | '\'' | '[')) else {
        return text.to_owned();
    };
    let closing = if quote == '[' { ']' } else { quote };
    let inner = &text[1..];
    let inner = inner.strip_suffix(closing).unwrap_or(inner);
    let mut plain = String::with_capacity(inner.len());
    let mut letters = inner.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if quote == '\'' => plain.extend(letters.next()),
            letter if letter == closing && letters.peek() == Some(&closing) => {
                letters.next();
                plain.push(letter);
            }
            letter => plain.push(letter),
        }
    }
    plain
}

/// The words of a statement: no space, no comments, and of versioned comments what this server
/// reads.
fn words(source: Source, text: &str, span: &Range<usize>) -> Vec<Token> {
    let mut words: Vec<Token> = Vec::new();
    let mut at = span.start;
    let mut opened = 0_usize;
    while at < span.end {
        let mut next = token(source.tokens, text, at);
        // A quote that is never closed goes on behind the statement.
        next.span.end = next.span.end.min(span.end);
        at = next.span.end.max(at + 1);
        let word = &text[next.span.clone()];
        match next.shape {
            Shape::Space | Shape::Comment => {}
            Shape::Symbol if word.starts_with("/*") && 2 < word.len() => {
                let digits = text[at..].bytes().take_while(u8::is_ascii_digit).count();
                let version = text[at..at + digits].parse::<u64>().ok();
                at += digits;
                if reads(source, word == "/*M!", version) {
                    opened += 1;
                } else {
                    at = text[at..span.end].find("*/").map_or(span.end, |end| at + end + 2);
                }
            }
            Shape::Symbol if 0 < opened && word == "*" && text[at..].starts_with('/') => {
                opened -= 1;
                at += 1;
            }
            // Two texts side by side are one with a quote in it.
            Shape::Quoted => match words.last_mut() {
                Some(last)
                    if last.shape == Shape::Quoted
                        && last.span.end == next.span.start
                        && text.as_bytes()[last.span.start] == text.as_bytes()[next.span.start] =>
                {
                    last.span.end = next.span.end;
                }
                _ => words.push(next),
            },
            Shape::Word | Shape::Symbol => words.push(next),
        }
    }
    words
}

/// Whether the server reads a versioned comment. MariaDB leaves out `/*!50700` to `/*!99999`, which
/// are MySQL's own since the two went apart (`sql_lex.cc`).
fn reads(source: Source, for_mariadb: bool, version: Option<u64>) -> bool {
    if source.tokens != Tokens::MySql {
        return false;
    }
    let (major, minor, patch) = source.version;
    let own = u64::from(major) * 10_000 + u64::from(minor) * 100 + u64::from(patch);
    match (source.mariadb, for_mariadb, version) {
        (false, true, _) => false,
        (_, _, None) => true,
        (true, false, Some(50_700..=99_999)) => false,
        (_, _, Some(version)) => version <= own,
    }
}
