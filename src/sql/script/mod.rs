//! A script, cut into its statements where the database's own client cuts it.
//!
//! The cut comes before any parsing: a statement that no parser understands ends where it ends, and
//! takes nothing of the next one with it.

mod client;
pub(in crate::sql) mod lexis;
mod mysql;
mod psql;
mod sqlite3;

use std::ops::Range;

use super::Tokens;
use lexis::Shape;

/// A part of a script. All of them, one behind the other, are the whole text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes.
    pub span: Range<usize>,
}

/// What a part of a script is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What the server gets: from the first word to the last, comments between them included.
    Statement,
    /// What ends a statement: `;`, what `DELIMITER` chose, or `\g`. Also what throws it away (`\c` of
    /// mysql, `\r` of psql): a statement too many is looked at, one too few would hide.
    End,
    /// A comment before, between or behind statements, without its line's end.
    Comment,
    /// White space.
    Space,
    /// What the client takes for itself: `\connect` of psql, `DELIMITER` of mysql, `.read` of
    /// sqlite3. Inside of a statement it is part of that.
    Command,
    /// Rows that follow `COPY … FROM STDIN` or `\copy … from stdin`, with the line `\.` that ends
    /// them.
    Data,
}

/// Cuts a script. Never fails: a quote or a comment that is not closed goes to the end of the text.
///
/// What each client does is taken from its source: `psqlscan.l` of PostgreSQL (parentheses and the
/// bodies of `BEGIN ATOMIC` hold a `;`), `client/mysql.cc` of MySQL and MariaDB (`DELIMITER`), and
/// `sqlite3_complete` (a trigger ends with `; END ;`).
#[must_use]
pub fn script(tokens: Tokens, text: &str) -> Vec<Piece> {
    let mut cutter = Cutter { text, at: 0, begun: None, pieces: Vec::new(), behind: Vec::new() };
    let mut client = client::of(tokens);
    while cutter.at < text.len() {
        let alone = cutter.begun.is_none();
        match client.own(text, cutter.at, alone) {
            Some((Kind::Statement, length)) => {
                cutter.significant(length);
                continue;
            }
            Some((kind, length)) => {
                cutter.end_statement();
                cutter.cut(kind, length);
                continue;
            }
            None => {}
        }
        let token = lexis::token(tokens, text, cutter.at);
        let (shape, length) = (token.shape, token.span.len());
        let token = &text[token.span];
        match shape {
            Shape::Space => cutter.trivia(Kind::Space, length),
            Shape::Comment => cutter.trivia(Kind::Comment, length),
            Shape::Word => {
                let kept = client.keeps(text, cutter.at, length);
                client.hear(shape, &token[..kept]);
                cutter.significant(kept);
            }
            Shape::Quoted | Shape::Symbol => {
                client.hear(shape, token);
                cutter.significant(length);
            }
        }
    }
    cutter.end_statement();
    cutter.pieces
}

struct Cutter<'a> {
    text: &'a str,
    at: usize,
    /// Where the present statement begins, and where its last word so far ends.
    begun: Option<Range<usize>>,
    pieces: Vec<Piece>,
    /// Comments and space behind that word: part of the statement if another word follows.
    behind: Vec<Piece>,
}

impl Cutter<'_> {
    fn piece(&mut self, kind: Kind, length: usize) -> Piece {
        let span = self.at..self.at + length;
        debug_assert!(self.text.is_char_boundary(span.end));
        self.at = span.end;
        Piece { kind, span }
    }

    fn cut(&mut self, kind: Kind, length: usize) {
        let piece = self.piece(kind, length);
        self.pieces.push(piece);
    }

    fn trivia(&mut self, kind: Kind, length: usize) {
        let piece = self.piece(kind, length);
        if self.begun.is_some() { self.behind.push(piece) } else { self.pieces.push(piece) }
    }

    fn significant(&mut self, length: usize) {
        let start = self.begun.as_ref().map_or(self.at, |begun| begun.start);
        self.at += length;
        self.begun = Some(start..self.at);
        self.behind.clear();
    }

    fn end_statement(&mut self) {
        if let Some(span) = self.begun.take() {
            self.pieces.push(Piece { kind: Kind::Statement, span });
            self.pieces.append(&mut self.behind);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: [Tokens; 3] = [Tokens::Postgres, Tokens::MySql, Tokens::Sqlite];

    fn statements(tokens: Tokens, text: &str) -> Vec<&str> {
        let pieces = script(tokens, text);
        covers(&pieces, text);
        let statements = pieces.into_iter().filter(|piece| piece.kind == Kind::Statement);
        statements.map(|piece| &text[piece.span]).collect()
    }

    fn covers(pieces: &[Piece], text: &str) {
        let mut end = 0;
        for piece in pieces {
            assert_eq!(piece.span.start, end, "a gap or an overlap in {text:?}: {pieces:?}");
            assert!(piece.span.start < piece.span.end, "an empty piece of {text:?}: {pieces:?}");
            end = piece.span.end;
        }
        assert_eq!(end, text.len(), "the end of {text:?} is lost: {pieces:?}");
    }

    #[test]
    fn a_delimiter_in_quotes_or_a_comment_ends_nothing() {
        for tokens in ALL {
            for quoted in ["';'", "'it''s;'", "\";\"", "-- ;\n", "/* ; */"] {
                let text = format!("SELECT {quoted} + 1; SELECT 2");
                let first = format!("SELECT {quoted} + 1");
                assert_eq!(statements(tokens, &text), [first.as_str(), "SELECT 2"], "{tokens:?}");
            }
        }
        let own: [(Tokens, &[&str]); 3] = [
            (Tokens::Postgres, &["$$;$$", "$a$;$$;$a$", "E'\\';'", "/* /* ; */ ; */ 1", "U&';'"]),
            (Tokens::MySql, &["'\\';'", "\"\\\";\"", "`;`", "# ;\n1"]),
            (Tokens::Sqlite, &["[;]", "`;`"]),
        ];
        for (tokens, all) in own {
            for quoted in all {
                let text = format!("SELECT {quoted};SELECT 2;");
                let first = format!("SELECT {quoted}");
                assert_eq!(statements(tokens, &text), [first.as_str(), "SELECT 2"], "{tokens:?}");
            }
        }
    }

    #[test]
    fn what_looks_like_a_quote_is_none() {
        let cases: [(Tokens, &str, usize); 7] = [
            (Tokens::Postgres, "SELECT '\\'; SELECT 2", 2),
            (Tokens::Postgres, "SELECT a$b$; SELECT c$b$", 2),
            (Tokens::Postgres, "SELECT $1; SELECT $1", 2),
            (Tokens::MySql, "SELECT 5--1; SELECT 2", 2),
            (Tokens::MySql, "SELECT 1 /* /* */; SELECT 2", 2),
            (Tokens::Sqlite, "SELECT 1 /* /* */; SELECT 2", 2),
            (Tokens::Sqlite, "SELECT '\\'; SELECT 2", 2),
        ];
        for (tokens, text, count) in cases {
            assert_eq!(statements(tokens, text).len(), count, "{text}");
        }
    }

    #[test]
    fn comments_around_a_statement_are_no_part_of_it() {
        for tokens in ALL {
            let text = "-- before\n/* and */ SELECT /* in */ 1 -- behind\n ; -- after";
            assert_eq!(statements(tokens, text), ["SELECT /* in */ 1"]);
            let comments = script(tokens, text);
            let comments = comments.iter().filter(|piece| piece.kind == Kind::Comment);
            let comments: Vec<_> = comments.map(|piece| &text[piece.span.clone()]).collect();
            assert_eq!(comments, ["-- before", "/* and */", "-- behind", "-- after"]);
        }
    }

    #[test]
    fn psql_holds_bodies_together() {
        let body = "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; \
                    SELECT 2; END";
        let rule = "CREATE RULE r AS ON INSERT TO t DO ALSO (SELECT 1; SELECT 2)";
        let text = format!("{body};\n{rule};\nBEGIN; SELECT 1; END;");
        assert_eq!(statements(Tokens::Postgres, &text), [body, rule, "BEGIN", "SELECT 1", "END"]);
    }

    #[test]
    fn psql_takes_its_commands_and_the_rows_of_copy() {
        let text =
            "\\connect shop\nCOPY t (a) FROM stdin;\n1;\tit's\n\\.\n\nSELECT 1 \\gx\nSELECT 2\n";
        let kinds: Vec<_> = script(Tokens::Postgres, text)
            .into_iter()
            .filter(|piece| piece.kind != Kind::Space)
            .map(|piece| (piece.kind, &text[piece.span]))
            .collect();
        assert_eq!(
            kinds,
            [
                (Kind::Command, "\\connect shop"),
                (Kind::Statement, "COPY t (a) FROM stdin"),
                (Kind::End, ";"),
                (Kind::Data, "\n1;\tit's\n\\.\n"),
                (Kind::Statement, "SELECT 1"),
                (Kind::End, "\\gx"),
                (Kind::Statement, "SELECT 2"),
            ]
        );
        // Without its end it is no data: nothing may hide in it.
        assert_eq!(statements(Tokens::Postgres, "COPY t FROM stdin; DROP TABLE t;").len(), 2);
    }

    #[test]
    fn psql_cuts_around_its_commands() {
        let cases: [(&str, &[&str]); 9] = [
            ("\\set x 1 \\\\ DELETE FROM t;", &["DELETE FROM t"]),
            ("SELECT 1\n\\echo don't\n; SELECT 2;", &["SELECT 1\n\\echo don't", "SELECT 2"]),
            ("DELETE FROM t \\r\nSELECT 1;", &["DELETE FROM t", "SELECT 1"]),
            ("SELECT $1 \\bind 1 \\g\nSELECT 2;", &["SELECT $1 \\bind 1", "SELECT 2"]),
            ("SELECT 1\\;\\; DELETE FROM t;", &["SELECT 1", "DELETE FROM t"]),
            ("SELECT (1\\;2);", &["SELECT (1\\;2)"]),
            ("\\copy t from stdin\n1\tit's; x\n\\.\nSELECT 1;", &["SELECT 1"]),
            (
                "BEGIN; COPY t FROM stdin; COMMIT;\n1;\n\\.\nSELECT 1",
                &["BEGIN", "COPY t FROM stdin", "COMMIT", "SELECT 1"],
            ),
            ("-- note\rSELECT 1;", &["SELECT 1"]),
        ];
        for (text, expected) in cases {
            assert_eq!(statements(Tokens::Postgres, text), expected, "{text}");
        }
    }

    #[test]
    fn postgres_has_its_own_names_and_strings() {
        let cases = [
            // psql forgets at the end of a line what kind of a string it was.
            ("SELECT E'a'\n'it\\'; SELECT 2", 2),
            ("SELECT $e\u{301}$ ; $e\u{301}$; SELECT 2", 2),
            ("SELECT $→$ ; $→$; SELECT 2", 2),
            ("SELECT a€$b$; SELECT 1 AS c€$b$", 2),
            ("SELECT 1 AS\u{a0}$$; SELECT 2", 2),
        ];
        for (text, count) in cases {
            assert_eq!(statements(Tokens::Postgres, text).len(), count, "{text}");
        }
    }

    #[test]
    fn mysql_takes_its_commands() {
        let table = "CREATE TABLE f (\n id int,\n delimiter char(1) NOT NULL\n)";
        let text = format!("{table};\nDELETE FROM t;");
        assert_eq!(statements(Tokens::MySql, &text), [table, "DELETE FROM t"]);
        let delete = ["DELETE FROM t"];
        for text in [
            "use shop\nDELETE FROM t;",
            "USE shop; DELETE FROM t;",
            "\\u shop; DELETE FROM t;",
            "\\w DELETE FROM t;",
            "source a.sql; DELETE FROM t;",
            "--don't run twice\nDELETE FROM t;",
            "--------\nDELETE FROM t;",
            "DELIMITER \"//\"\nDELETE FROM t//",
            "DELIMITER $$;\nDELETE FROM t$$;",
            "\\d x;\nDELETE FROM tx;",
        ] {
            assert_eq!(statements(Tokens::MySql, text), delete, "{text}");
        }
        assert_eq!(statements(Tokens::MySql, "SELECT 1 \\c\nDELETE FROM t;").len(), 2);
    }

    #[test]
    fn mysql_follows_the_delimiter() {
        let body = "CREATE TRIGGER t BEFORE INSERT ON o FOR EACH ROW BEGIN SET NEW.a = 1; END";
        for delimiter in ["$$", "//", ";;", "|"] {
            let text = format!(
                "SELECT 1;\ndelimiter {delimiter}\n{body}{delimiter}\nDELIMITER ;\nSELECT 2;"
            );
            assert_eq!(statements(Tokens::MySql, &text), ["SELECT 1", body, "SELECT 2"]);
        }
        let run = "/*!50003 CREATE TABLE a (b int) */";
        let text = format!("{run};SELECT 1\\G SELECT delimiter FROM t");
        assert_eq!(statements(Tokens::MySql, &text), [run, "SELECT 1", "SELECT delimiter FROM t"]);
    }

    #[test]
    fn sqlite_holds_triggers_together() {
        let body = "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT CASE 1 WHEN 1 \
                    THEN 2 END; END";
        let text = format!(".bail on\n{body};CREATE TABLE trigger_of (a); SELECT 1");
        let found = statements(Tokens::Sqlite, &text);
        assert_eq!(found, [body, "CREATE TABLE trigger_of (a)", "SELECT 1"]);
        let text = "# don't\nSELECT 1\ngo\nSELECT 2\n/\nSELECT 4\n/ 2;";
        assert_eq!(statements(Tokens::Sqlite, text), ["SELECT 1", "SELECT 2", "SELECT 4\n/ 2"]);
    }

    proptest! {
        /// Made of what matters to the cut, in any order.
        #[test]
        fn every_byte_is_in_one_piece(parts in proptest::collection::vec(prop_oneof![
            Just(";"), Just("'"), Just("\""), Just("`"), Just("$$"), Just("$a$"), Just("$"),
            Just("--"), Just("-- "), Just("#"), Just("/*"), Just("/*!"), Just("*/"), Just("["),
            Just("]"), Just("("), Just(")"), Just("\\"), Just("\\g"), Just("\\."), Just("\n"),
            Just(" "), Just("\u{feff}"), Just("é"), Just("E'"), Just("DELIMITER"), Just("//"),
            Just("CREATE"), Just("TRIGGER"), Just("FUNCTION"), Just("BEGIN"), Just("CASE"),
            Just("END"), Just("COPY"), Just("FROM"), Just("STDIN"), Just("x"), Just("."),
        ], 0..40)) {
            let text = parts.concat();
            for tokens in ALL {
                covers(&script(tokens, &text), &text);
            }
        }
    }
}
