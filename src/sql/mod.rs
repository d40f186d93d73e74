//! Reading SQL text. Pure, and never fails: what cannot be read is reported as such.

mod condition;
mod cursor;
mod depth;
mod extract;
mod liquibase;
mod mysql;
mod operand;
mod parse;
mod postgres;
mod reading;
mod relations;
mod rows;
pub mod schema;
pub mod script;
mod sqlite;
pub mod statement;
mod subquery;
mod text;
mod truth;

pub use condition::{
    Check, Comparison, Condition, Literal, Outcome, condition, outcome, outcome_besides,
};
pub use extract::{NO_TRANSACTION, extract};
pub use liquibase::{Changelog, Changeset, Ends, changelog};
pub use parse::{Script, Source, parse, parse_changelog};
pub use reading::{Call, ColumnRef, Reading, Unread, Use, read};
pub use truth::{Possible, evaluate};

use crate::catalog::Engine;
use sqlparser::dialect::{Dialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::tokenizer::{Token, Tokenizer};

/// Whose tokens a text is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokens {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    MySql,
    /// SQLite.
    Sqlite,
}

impl Tokens {
    /// Those of a database.
    #[must_use]
    pub fn of(engine: Engine) -> Self {
        match engine {
            Engine::Postgres => Self::Postgres,
            Engine::MySql | Engine::MariaDb => Self::MySql,
            Engine::Sqlite => Self::Sqlite,
        }
    }

    fn dialect(self) -> Box<dyn Dialect> {
        match self {
            Self::Postgres => Box::new(PostgreSqlDialect {}),
            Self::MySql => Box::new(MySqlDialect {}),
            Self::Sqlite => Box::new(SQLiteDialect {}),
        }
    }
}

/// Whether the word, unquoted, is a function that is called without parentheses. Names that only
/// some versions reserve are among them.
fn niladic(tokens: Tokens, word: &str) -> bool {
    const STANDARD: [&str; 3] = ["current_date", "current_time", "current_timestamp"];
    let own: &[&str] = match tokens {
        Tokens::Postgres => &[
            "localtime",
            "localtimestamp",
            "current_user",
            "session_user",
            "system_user",
            "user",
            "current_role",
            "current_catalog",
            "current_schema",
        ],
        Tokens::MySql => &[
            "localtime",
            "localtimestamp",
            "utc_date",
            "utc_time",
            "utc_timestamp",
            "sysdate",
            "current_user",
            "current_role",
            "rownum",
        ],
        Tokens::Sqlite => &[],
    };
    STANDARD.iter().chain(own).any(|known| known.eq_ignore_ascii_case(word))
}

/// Whether the expression mentions the column, outside of strings and comments. Identifiers are
/// compared without case, which may find too much and never too little. A text that is not made of
/// this dialect's tokens mentions everything.
#[must_use]
pub fn mentions(tokens: Tokens, expression: &str, column: &str) -> bool {
    let dialect = tokens.dialect();
    let Ok(found) = Tokenizer::new(dialect.as_ref(), expression).tokenize() else { return true };
    found.iter().any(|token| match token {
        Token::Word(word) => word.value.eq_ignore_ascii_case(column),
        // SQLite and MySQL (with ANSI_QUOTES) may read a double-quoted text as an identifier.
        Token::DoubleQuotedString(text) => text.eq_ignore_ascii_case(column),
        _ => false,
    })
}

/// Why a text cannot stand where one expression is expected, if it cannot.
///
/// The text is put between parentheses of ours. One that closes them by itself (`a) OR (b`) would
/// change the meaning of everything around it, and a parameter of its own would take the values
/// that belong to ours. A text that is not made of this dialect's tokens is refused, too.
///
/// # Errors
///
/// The reason, as the end of a sentence.
pub fn single_expression(tokens: Tokens, expression: &str) -> Result<(), String> {
    let dialect = tokens.dialect();
    let found = Tokenizer::new(dialect.as_ref(), expression)
        .tokenize()
        .map_err(|error| format!("it cannot be read: {error}"))?;
    let mut depth = 0_i32;
    for token in &found {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            Token::SemiColon => return Err("it holds a `;`".to_owned()),
            Token::Placeholder(name) => return Err(format!("it holds the parameter `{name}`")),
            Token::Colon | Token::AtSign if tokens == Tokens::Sqlite => {
                return Err("it holds a parameter (`:name` or `@name`)".to_owned());
            }
            _ => {}
        }
        if depth < 0 {
            return Err("it closes a parenthesis that it did not open".to_owned());
        }
    }
    if depth == 0 {
        Ok(())
    } else {
        Err("it opens a parenthesis that it does not close".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_outside_of_strings_and_comments() {
        let cases = [
            ("a + 1", true),
            ("upper(t.A)", true),
            ("`a`", true),
            ("'a'", false),
            ("ab + ba", false),
            ("1 /* a */", false),
            ("'unclosed", true),
        ];
        for (expression, expected) in cases {
            assert_eq!(mentions(Tokens::MySql, expression, "a"), expected, "{expression}");
        }
    }

    #[test]
    fn one_expression_is_told_from_a_text_that_breaks_out() {
        let good = [
            (Tokens::Postgres, "a::int + (b - 1)"),
            (Tokens::Postgres, "data ? 'key' AND name = 'a)b'"),
            (Tokens::MySql, "concat('?', `a`) -- :-)"),
            (Tokens::Sqlite, "'it''s (' || \"a\""),
        ];
        for (tokens, text) in good {
            assert_eq!(single_expression(tokens, text), Ok(()), "{text}");
        }
        let bad = [
            (Tokens::Postgres, "a < 0) OR (1 = 1"),
            (Tokens::Postgres, "$1::text"),
            (Tokens::MySql, "a = ?"),
            (Tokens::Sqlite, "?1"),
            (Tokens::Sqlite, ":name"),
            (Tokens::Sqlite, "@name"),
            (Tokens::Sqlite, "1; DROP TABLE t"),
            (Tokens::MySql, "(a"),
            (Tokens::Postgres, "'open"),
        ];
        for (tokens, text) in bad {
            assert!(single_expression(tokens, text).is_err(), "{text}");
        }
    }
}
