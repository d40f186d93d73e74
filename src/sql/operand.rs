//! The value that a column may have by default.

use super::cursor::Cursor;
use super::statement::Expression;

/// An operand without operators: a literal with its sign, a call, or an expression in parentheses.
/// MariaDB takes all of these for a default, and more stands only in parentheses.
pub(in crate::sql) fn operand(c: &mut Cursor<'_>) -> Option<Expression> {
    let from = c.at();
    while c.symbol('-') || c.symbol('+') {}
    if c.group().is_some() || c.string().is_some() {
        return c.expression_since(from);
    }
    if c.symbol('.') {
        c.word()?;
        c.skip();
    } else if c.symbol('@') {
        c.symbol('@');
        c.name()?;
        while c.symbol('.') {
            c.name()?;
        }
    } else if c.eat("CASE") {
        case(c)?;
    } else if c.eat_all(&["NEXT", "VALUE", "FOR"]) || c.eat_all(&["PREVIOUS", "VALUE", "FOR"]) {
        c.qualified()?;
    } else if c.word().is_some_and(|word| word.starts_with(|first: char| first.is_ascii_digit())) {
        number(c);
    } else {
        let introduces = c.word().is_some();
        c.name()?;
        if introduces && c.is_string() {
            // `x'00'`, `_utf8mb4'a'`, `DATE '2020-01-01'`
            c.string()?;
        }
        while c.symbol('.') {
            c.name()?;
        }
        let _ = c.group();
    }
    c.expression_since(from)
}

/// `1`, `1.5`, `1e-5`: cut into several tokens.
fn number(c: &mut Cursor<'_>) {
    loop {
        let exponent = c.word().is_some_and(|word| {
            word.ends_with(['e', 'E']) && !word.starts_with("0x") && !word.starts_with("0X")
        });
        c.skip();
        if c.is_adjacent() && exponent && (c.symbol('-') || c.symbol('+')) && c.word().is_some() {
            continue;
        }
        if !(c.is_adjacent() && c.symbol('.') && c.is_adjacent() && c.word().is_some()) {
            return;
        }
    }
}

/// The rest of a `CASE`, to its `END`.
fn case(c: &mut Cursor<'_>) -> Option<()> {
    let mut depth = 1_u32;
    while 0 < depth {
        if c.done() {
            return None;
        }
        depth += u32::from(c.is("CASE"));
        depth -= u32::from(c.is("END"));
        c.skip();
    }
    Some(())
}
