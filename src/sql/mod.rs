//! Reading SQL text. Pure, and never fails: what cannot be read is reported as such.

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
    fn dialect(self) -> Box<dyn Dialect> {
        match self {
            Self::Postgres => Box::new(PostgreSqlDialect {}),
            Self::MySql => Box::new(MySqlDialect {}),
            Self::Sqlite => Box::new(SQLiteDialect {}),
        }
    }
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
}
