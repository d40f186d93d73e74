//! The tokens of one statement, and a place among them. What the parsers made by hand share.
//!
//! A statement is cut into tokens once. A cursor is two indexes into them and is copied at will, so
//! that a body or a parenthesis is looked into without cutting it again.

use std::ops::Range;

use super::Tokens;
use super::script::lexis::{self, Shape};
use super::statement::{Expression, Name};

/// A token that means something: no space, no comment.
#[derive(Debug, Clone, Copy)]
pub(in crate::sql) struct Token {
    shape: Shape,
    start: usize,
    end: usize,
    /// Of a parenthesis that is closed: the index of the token that closes it; of all others 0.
    close: usize,
}

/// What a token that begins a comment with a condition says: `/*!80029`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Opening {
    /// What follows is SQL, to the `*/`; so much is no part of it, in bytes.
    Runs(usize),
    /// It is a comment, so long in bytes.
    Hides(usize),
}

/// Cuts what stands at `span`. `condition` is asked about what begins with `/*!` or `/*M!`.
pub(in crate::sql) fn cut(
    dialect: Tokens,
    text: &str,
    span: &Range<usize>,
    condition: impl Fn(&str) -> Opening,
) -> Vec<Token> {
    let text = &text[..span.end];
    let mut found: Vec<Token> = Vec::with_capacity(span.len() / 5);
    let mut open: Vec<usize> = Vec::new();
    let (mut at, mut within) = (span.start, false);
    while at < text.len() {
        let token = lexis::token(dialect, text, at);
        at = token.span.end;
        let written = &text[token.span.clone()];
        match token.shape {
            Shape::Space | Shape::Comment => continue,
            Shape::Symbol if written.len() > 2 && written.starts_with("/*") => {
                at = match condition(&text[token.span.start..]) {
                    Opening::Runs(length) => {
                        within = true;
                        token.span.start + length
                    }
                    Opening::Hides(length) => token.span.start + length,
                };
                continue;
            }
            Shape::Symbol if within && text[token.span.start..].starts_with("*/") => {
                (at, within) = (token.span.start + 2, false);
                continue;
            }
            Shape::Quoted => {
                // A doubled quote is one text, not two.
                if let Some(last) = found.last_mut()
                    && last.shape == Shape::Quoted
                    && last.end == token.span.start
                    && text.as_bytes().get(last.start) == written.as_bytes().first()
                {
                    last.end = at;
                    continue;
                }
            }
            Shape::Symbol if written == "(" => open.push(found.len()),
            Shape::Symbol if written == ")" => {
                if let Some(opened) = open.pop() {
                    found[opened].close = found.len();
                }
            }
            Shape::Symbol | Shape::Word => {}
        }
        let Range { start, end } = token.span;
        found.push(Token { shape: token.shape, start, end, close: 0 });
    }
    found
}

/// A place among the tokens of a statement, and where it must not go on.
#[derive(Debug, Clone, Copy)]
pub(in crate::sql) struct Cursor<'a> {
    dialect: Tokens,
    text: &'a str,
    all: &'a [Token],
    at: usize,
    end: usize,
}

impl<'a> Cursor<'a> {
    /// Before the first token.
    pub(in crate::sql) fn new(dialect: Tokens, text: &'a str, all: &'a [Token]) -> Self {
        Self { dialect, text, all, at: 0, end: all.len() }
    }

    fn token(&self, ahead: usize) -> Option<&'a Token> {
        let at = self.at.checked_add(ahead).filter(|at| *at < self.end)?;
        self.all.get(at)
    }

    fn written(&self, token: &Token) -> &'a str {
        &self.text[token.start..token.end]
    }

    /// Whether nothing is left.
    pub(in crate::sql) fn done(&self) -> bool {
        self.end <= self.at
    }

    /// Which token is next; the number says something only next to another one.
    pub(in crate::sql) fn at(&self) -> usize {
        self.at
    }

    /// How many tokens are left.
    pub(in crate::sql) fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// The next word without quotes.
    pub(in crate::sql) fn word(&self) -> Option<&'a str> {
        self.word_at(0)
    }

    /// The word without quotes so many tokens further.
    pub(in crate::sql) fn word_at(&self, ahead: usize) -> Option<&'a str> {
        let token = self.token(ahead).filter(|token| token.shape == Shape::Word)?;
        Some(self.written(token))
    }

    /// Whether the next is this word.
    pub(in crate::sql) fn is(&self, word: &str) -> bool {
        self.is_at(0, word)
    }

    /// Whether it is this word so many tokens further.
    pub(in crate::sql) fn is_at(&self, ahead: usize, word: &str) -> bool {
        self.word_at(ahead).is_some_and(|have| have.eq_ignore_ascii_case(word))
    }

    /// Whether the next is one of these words.
    pub(in crate::sql) fn is_any(&self, words: &[&str]) -> bool {
        self.word().is_some_and(|have| words.iter().any(|word| have.eq_ignore_ascii_case(word)))
    }

    /// Whether these words are next.
    pub(in crate::sql) fn are(&self, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(ahead, word)| self.is_at(ahead, word))
    }

    /// Takes the word if it is next.
    pub(in crate::sql) fn eat(&mut self, word: &str) -> bool {
        let is = self.is(word);
        self.at += usize::from(is);
        is
    }

    /// Takes these words if all of them are next.
    pub(in crate::sql) fn eat_all(&mut self, words: &[&str]) -> bool {
        let are = self.are(words);
        self.at += if are { words.len() } else { 0 };
        are
    }

    /// Takes whichever of these words is next.
    pub(in crate::sql) fn eat_any<'w>(&mut self, words: &[&'w str]) -> Option<&'w str> {
        let have = self.word()?;
        let found = words.iter().find(|word| have.eq_ignore_ascii_case(word))?;
        self.at += 1;
        Some(found)
    }

    /// Takes as many of these words as there are, in any order.
    pub(in crate::sql) fn eat_while(&mut self, words: &[&str]) {
        while self.eat_any(words).is_some() {}
    }

    /// Whether the next is this symbol.
    pub(in crate::sql) fn is_symbol(&self, symbol: char) -> bool {
        self.is_symbol_at(0, symbol)
    }

    /// Whether it is this symbol so many tokens further.
    pub(in crate::sql) fn is_symbol_at(&self, ahead: usize, symbol: char) -> bool {
        self.token(ahead).is_some_and(|token| {
            token.shape == Shape::Symbol && self.written(token).starts_with(symbol)
        })
    }

    /// Takes the symbol if it is next.
    pub(in crate::sql) fn symbol(&mut self, symbol: char) -> bool {
        let is = self.is_symbol(symbol);
        self.at += usize::from(is);
        is
    }

    /// Whether the next follows the one before it without a space.
    pub(in crate::sql) fn is_adjacent(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.all.get(at));
        before.zip(self.token(0)).is_some_and(|(before, next)| before.end == next.start)
    }

    /// Whether the next is a string, and no name in quotes.
    pub(in crate::sql) fn is_string(&self) -> bool {
        self.token(0).is_some_and(|token| self.quotes_text(token))
    }

    fn quotes_text(&self, token: &Token) -> bool {
        let quote = self.written(token).as_bytes().first();
        let double = self.dialect == Tokens::MySql && quote == Some(&b'"');
        token.shape == Shape::Quoted && (double || quote == Some(&b'\''))
    }

    /// The name that is next, without its quotes. A text in double quotes counts where a name must
    /// stand: it is one under `ANSI_QUOTES`, and an error otherwise.
    pub(in crate::sql) fn name(&mut self) -> Option<String> {
        let token = self.token(0)?;
        let written = self.written(token);
        let is_name = match token.shape {
            Shape::Word => !written.bytes().all(|letter| letter.is_ascii_digit()),
            Shape::Quoted => self.dialect == Tokens::Sqlite || !written.starts_with('\''),
            _ => false,
        };
        self.at += usize::from(is_name);
        is_name.then(|| self.unquoted(written))
    }

    /// The name that is next, if it is in quotes as a name or a word that is none of these.
    pub(in crate::sql) fn name_unless(&mut self, words: &[&str]) -> Option<String> {
        if self.is_any(words) || self.is_string() { None } else { self.name() }
    }

    /// The name of something that may stand in a schema.
    pub(in crate::sql) fn qualified(&mut self) -> Option<Name> {
        let first = self.name()?;
        let mut further = *self;
        if further.symbol('.')
            && let Some(name) = further.name()
        {
            *self = further;
            return Some(Name { schema: Some(first), name });
        }
        Some(Name::plain(first))
    }

    /// Names with commas between them; as many as there are.
    pub(in crate::sql) fn qualified_list(&mut self) -> Option<Vec<Name>> {
        let mut names = vec![self.qualified()?];
        while self.symbol(',') {
            names.push(self.qualified()?);
        }
        Some(names)
    }

    /// Names without a schema, with commas between them.
    pub(in crate::sql) fn names(&mut self) -> Option<Vec<String>> {
        let mut names = vec![self.name()?];
        while self.symbol(',') {
            names.push(self.name()?);
        }
        Some(names)
    }

    /// The value of the string that is next; several side by side are one.
    pub(in crate::sql) fn string(&mut self) -> Option<String> {
        let mut value: Option<String> = None;
        while let Some(token) = self.token(0).filter(|token| self.quotes_text(token)) {
            value.get_or_insert_default().push_str(&self.unquoted(self.written(token)));
            self.at += 1;
        }
        value
    }

    /// The whole number that is next.
    pub(in crate::sql) fn number(&mut self) -> Option<u64> {
        let number = self.word()?.parse().ok()?;
        self.at += 1;
        Some(number)
    }

    fn unquoted(&self, written: &str) -> String {
        let mut letters = written.chars();
        let Some(quote @ ('\'' | '"' | '`' | '[')) = letters.next() else {
            return written.to_owned();
        };
        let closing = if quote == '[' { ']' } else { quote };
        let body = &written[quote.len_utf8()..];
        let body = body.strip_suffix(closing).unwrap_or(body);
        let escapes = self.dialect == Tokens::MySql && quote != '`';
        let plain = !(body.contains(quote) || escapes && body.contains('\\'));
        if plain {
            return body.to_owned();
        }
        let mut value = String::with_capacity(body.len());
        let mut letters = body.chars().peekable();
        while let Some(letter) = letters.next() {
            if letter == quote && letters.peek() == Some(&quote) {
                letters.next();
                value.push(letter);
            } else if letter == '\\' && escapes {
                let Some(escaped) = letters.next() else { break };
                match escaped {
                    'n' => value.push('\n'),
                    't' => value.push('\t'),
                    'r' => value.push('\r'),
                    '0' => value.push('\0'),
                    'b' => value.push('\u{8}'),
                    'Z' => value.push('\u{1a}'),
                    // These keep their backslash, for LIKE.
                    '%' | '_' => value.extend(['\\', escaped]),
                    other => value.push(other),
                }
            } else {
                value.push(letter);
            }
        }
        value
    }

    /// What stands in the parentheses that are next; they are taken, too.
    pub(in crate::sql) fn group(&mut self) -> Option<Cursor<'a>> {
        let close = self.token(0).map(|token| token.close).filter(|close| 0 < *close)?;
        if self.end <= close {
            return None;
        }
        let inner = Cursor { at: self.at + 1, end: close, ..*self };
        self.at = close + 1;
        Some(inner)
    }

    /// Takes the next token, or all of a parenthesis.
    pub(in crate::sql) fn skip(&mut self) {
        if self.group().is_none() && !self.done() {
            self.at += 1;
        }
    }

    /// Takes all up to where `stop` holds, outside of parentheses, or to the end.
    pub(in crate::sql) fn until(&mut self, stop: impl Fn(&Self) -> bool) -> Cursor<'a> {
        let from = *self;
        while !self.done() && !stop(self) {
            self.skip();
        }
        Cursor { end: self.at, ..from }
    }

    /// Takes the rest.
    pub(in crate::sql) fn rest(&mut self) -> Cursor<'a> {
        let rest = *self;
        self.at = self.end;
        rest
    }

    /// What is left, cut at this symbol where it stands outside of parentheses. Nothing has no parts.
    pub(in crate::sql) fn split(mut self, symbol: char) -> Vec<Cursor<'a>> {
        let mut parts = Vec::new();
        while !self.done() {
            parts.push(self.until(|c| c.is_symbol(symbol)));
            if self.symbol(symbol) && self.done() {
                parts.push(self);
            }
        }
        parts
    }

    /// What was taken since, in bytes of the script. Nothing taken is an empty range there.
    pub(in crate::sql) fn span_since(&self, mark: usize) -> Range<usize> {
        let last = self.at.checked_sub(1).and_then(|at| self.all.get(at));
        match (self.all.get(mark), last) {
            (Some(first), Some(last)) if mark < self.at => first.start..last.end,
            (Some(first), _) => first.start..first.start,
            (None, last) => last.map_or(0..0, |last| last.end..last.end),
        }
    }

    /// What was taken since, as written.
    pub(in crate::sql) fn text_since(&self, mark: usize) -> &'a str {
        &self.text[self.span_since(mark)]
    }

    /// What was taken since, as an expression; none if nothing was.
    pub(in crate::sql) fn expression_since(&self, mark: usize) -> Option<Expression> {
        let span = self.span_since(mark);
        (!span.is_empty()).then(|| Expression { text: self.text[span.clone()].to_owned(), span })
    }

    /// What was taken since, to be looked at again.
    pub(in crate::sql) fn part_since(&self, mark: usize) -> Cursor<'a> {
        Cursor { at: mark, end: self.at, ..*self }
    }

    /// All that is left, as written.
    pub(in crate::sql) fn rest_text(mut self) -> &'a str {
        let from = self.at;
        self.rest();
        self.text_since(from)
    }

    /// All that is left, as an expression; none if nothing is.
    pub(in crate::sql) fn rest_expression(mut self) -> Option<Expression> {
        let from = self.at;
        self.rest();
        self.expression_since(from)
    }

    /// Why reading ends here, as the end of a sentence.
    pub(in crate::sql) fn unread(&self) -> String {
        match self.token(0) {
            Some(token) => format!("it could not be read from `{}` on", self.written(token)),
            None => "it ends too early".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(text: &str, look: impl FnOnce(Cursor<'_>) -> T) -> T {
        let tokens = cut(Tokens::MySql, text, &(0..text.len()), |text| Opening::Hides(text.len()));
        look(Cursor::new(Tokens::MySql, text, &tokens))
    }

    #[test]
    fn names_and_strings_lose_their_quotes() {
        let names = [("a", "a"), ("`a``b`", "a`b"), ("\"a\"\"b\"", "a\"b"), ("1a", "1a")];
        for (text, expected) in names {
            assert_eq!(with(text, |mut c| c.name()).as_deref(), Some(expected), "{text}");
        }
        let strings =
            [("'a''b'", "a'b"), (r"'a\'b\n'", "a'b\n"), (r"'\%'", r"\%"), ("'a' 'b'", "ab")];
        for (text, expected) in strings {
            assert_eq!(with(text, |mut c| c.string()).as_deref(), Some(expected), "{text}");
        }
        for text in ["12", "'a'", "(", ""] {
            assert_eq!(with(text, |mut c| c.name()), None, "{text}");
        }
    }

    #[test]
    fn parentheses_are_taken_whole() {
        with("(a, (b, c)) d", |mut c| {
            let inner = c.group().unwrap();
            let parts: Vec<_> = inner.split(',').into_iter().map(Cursor::rest_text).collect();
            assert_eq!(parts, ["a", "(b, c)"]);
            assert!(c.eat("D") && c.done());
        });
        with("(a (b)", |mut c| assert!(c.group().is_none()));
        with("a,", |c| assert_eq!(c.split(',').len(), 2));
    }
}
