//! From text to a syntax tree, where both mean the same to the server and to the parser.

use sqlparser::ast::Expr;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};

use super::Tokens;
use super::reading::Unread;

/// More tokens than this are not read: the tree of a chain is as deep as the chain is long.
const MOST_TOKENS: usize = 4_000;

/// Parses one expression.
pub(super) fn parse(tokens: Tokens, expression: &str) -> Result<Expr, Unread> {
    refuse_ambiguous(tokens, expression)?;
    let dialect = tokens.dialect();
    let reason = |error: &dyn std::fmt::Display| Unread(format!("it could not be read: {error}"));
    let found = Tokenizer::new(dialect.as_ref(), expression)
        .tokenize_with_location()
        .map_err(|error| reason(&error))?;
    if MOST_TOKENS < found.len() {
        return Err(Unread(format!("it is too long to be read ({} tokens)", found.len())));
    }
    let mut parser = Parser::new(dialect.as_ref()).with_tokens_with_locations(found);
    let parsed = parser.parse_expr().map_err(|error| reason(&error))?;
    match parser.peek_token().token {
        Token::EOF => Ok(parsed),
        token => Err(Unread(format!("it could not be read from `{token}` on"))),
    }
}

/// Refuses what one server reads as a comment, a string or code, and another setting or version
/// reads otherwise.
fn refuse_ambiguous(tokens: Tokens, expression: &str) -> Result<(), Unread> {
    let refuse = |reason: &str| Err(Unread(reason.to_owned()));
    // Whether the backslash is part of the text or hides the quote is a setting
    // (`NO_BACKSLASH_ESCAPES`, `standard_conforming_strings`).
    if tokens != Tokens::Sqlite && (expression.contains("\\'") || expression.contains("\\\"")) {
        return refuse(
            "a backslash before a quote means different things under different settings",
        );
    }
    if tokens == Tokens::MySql {
        if expression.contains("/*!") || expression.to_ascii_uppercase().contains("/*M!") {
            return refuse("the text of a `/*!` comment runs on some versions of the server");
        }
        // Without a space, MySQL reads two minus signs.
        let mut rest = expression;
        while let Some(at) = rest.find("--") {
            rest = &rest[at + 2..];
            if rest.chars().next().is_some_and(|c| !c.is_whitespace()) {
                return refuse("`--` without a space after it is no comment to this server");
            }
        }
    }
    // Whether comments nest differs from server to server.
    if let Some((_, rest)) = expression.split_once("/*")
        && rest.split("*/").next().is_some_and(|comment| comment.contains("/*"))
    {
        return refuse("it holds a comment within a comment");
    }
    Ok(())
}
