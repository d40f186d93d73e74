//! Code that runs statements: triggers, procedures, functions, events, and what is run at once.

use std::ops::Range;

use super::{Parser, statement};
use crate::sql::statement::{Body, What};

impl Parser<'_> {
    /// `TRIGGER name time event ON table FOR EACH ROW body`
    pub(super) fn create_trigger(&mut self) -> Option<What> {
        self.cursor.pass();
        self.if_not_exists();
        let name = self.cursor.dotted()?;
        while !self.cursor.is_done() && !self.cursor.eat(&["on"]) {
            self.cursor.pass();
        }
        let table = self.cursor.dotted()?;
        if !self.cursor.eat(&["for", "each", "row"]) {
            return None;
        }
        if self.cursor.eat_one(&["follows", "precedes"]).is_some() {
            self.cursor.name();
        }
        let body = Some(self.body());
        Some(What::CreateTrigger { name, table, mentions: Vec::new(), body })
    }

    /// `PROCEDURE | FUNCTION | EVENT name … body`: the body begins with `BEGIN`, or is the rest.
    pub(super) fn create_routine(&mut self) -> Option<What> {
        let event = self.cursor.is(&["event"]);
        self.cursor.pass();
        self.if_not_exists();
        let name = self.cursor.dotted()?;
        self.cursor.parenthesised();
        let starts = if event { "do" } else { "begin" };
        let mark = self.cursor.mark();
        while !self.cursor.is_done() && !self.cursor.is(&[starts]) {
            self.cursor.pass();
        }
        if self.cursor.is_done() {
            self.cursor.back(mark);
        }
        self.cursor.eat(&["do"]);
        Some(What::CreateRoutine { name, body: Some(self.body()) })
    }

    /// What runs now: `CALL`, `PREPARE`, `EXECUTE`, `DO`, MariaDB's `BEGIN NOT ATOMIC`.
    pub(super) fn run(&mut self, first: &str) -> (String, Option<What>) {
        let text = self.text[self.span.clone()].to_owned();
        let mut body = Body {
            language: "sql".to_owned(),
            statements: Vec::new(),
            unread: Vec::new(),
            text: text.clone(),
        };
        match first {
            "CALL" => {
                self.cursor.pass();
                let name = self.cursor.dotted().unwrap_or_default();
                body.unread.push(format!("what the procedure `{name}` does stands elsewhere"));
            }
            "BEGIN" => body = self.body(),
            "DO" => return ("DO".to_owned(), self.evaluated()),
            _ => body.unread.push("it runs SQL that is put together when it runs".to_owned()),
        }
        (first.to_owned(), Some(What::Do(body)))
    }

    /// `DO expr`: it reads, and may call.
    fn evaluated(&mut self) -> Option<What> {
        let (_, what) = self.rows("SELECT");
        what
    }

    /// The body that begins here.
    fn body(&mut self) -> Body {
        let span = self.cursor.place()..self.span.end;
        let mut body = Body {
            language: "sql".to_owned(),
            statements: Vec::new(),
            unread: Vec::new(),
            text: self.text.get(span.clone()).unwrap_or_default().to_owned(),
        };
        for piece in self.pieces() {
            let read = statement(self.source, self.text, piece);
            match &read.what {
                What::Do(inner) => body.unread.extend(inner.unread.iter().cloned()),
                What::Unknown { .. } if is_of_the_language(&read.kind) => continue,
                _ => {}
            }
            body.statements.push(read);
        }
        body.unread.dedup();
        body
    }

    /// The statements of a body, whatever branch they stand in: cut at `;` and at the words that
    /// only frame others.
    fn pieces(&mut self) -> Vec<Range<usize>> {
        const FRAMES: [&str; 9] =
            ["begin", "then", "else", "do", "loop", "repeat", "end", "try", "until"];
        let mut pieces = Vec::new();
        let mut start: Option<usize> = None;
        let mut end = self.cursor.place();
        while !self.cursor.is_done() {
            let first = start.is_none();
            let frames = FRAMES.iter().any(|word| self.cursor.is(&[word]))
                // CASE … THEN … END within an expression frames nothing.
                && (first || self.cursor.is(&["then"]) || self.cursor.is(&["do"]));
            let place = self.cursor.place();
            if self.cursor.is(&[";"]) || frames {
                if let Some(start) = start.take() {
                    pieces.push(start..end);
                }
                let ended = self.cursor.is(&["end"]);
                self.cursor.pass();
                if ended {
                    self.cursor.eat_one(&["if", "case", "while", "loop", "repeat"]);
                }
                continue;
            }
            start.get_or_insert(place);
            if self.cursor.parenthesised().is_none() {
                self.cursor.pass();
            }
            end = self.cursor.behind();
        }
        pieces.extend(start.map(|start| start..end));
        pieces
    }
}

/// Words of the language around the statements: conditions, variables, cursors.
fn is_of_the_language(first: &str) -> bool {
    const WORDS: [&str; 16] = [
        "IF", "ELSEIF", "CASE", "WHEN", "WHILE", "DECLARE", "RETURN", "LEAVE", "ITERATE", "OPEN",
        "CLOSE", "FETCH", "UNTIL", "FOR", "RAISE", "EXIT",
    ];
    WORDS.contains(&first)
}
