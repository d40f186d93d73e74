//! How deep a statement nests. A parser that goes down with it overflows its stack, which ends the
//! process without a word; so what is deeper than anybody writes is not parsed.

use super::Tokens;
use super::script::lexis::{Shape, token};

/// Parentheses, brackets, blocks. PostgreSQL's own limit is the size of its stack, some thousands.
const NESTED: usize = 200;

/// Words between two commas: a chain of operators becomes a tree as deep as it is long.
const CHAINED: usize = 5_000;

/// Whether it is deeper than is read here; also what stands in it as the text of a body.
pub(super) fn is_too_deep(tokens: Tokens, text: &str) -> bool {
    let (mut nested, mut chained) = (0_usize, 0_usize);
    let mut at = 0;
    let mut ended = false;
    while at < text.len() {
        let next = token(tokens, text, at);
        at = next.span.end;
        let word = &text[next.span];
        match next.shape {
            Shape::Space | Shape::Comment => continue,
            Shape::Symbol => match word {
                "(" | "[" => nested += 1,
                ")" | "]" => nested = nested.saturating_sub(1),
                "," | ";" => chained = 0,
                _ => {}
            },
            Shape::Word => {
                let is = |other: &&str| word.eq_ignore_ascii_case(other);
                if is(&"end") {
                    nested = nested.saturating_sub(1);
                } else if !ended && ["begin", "if", "loop", "case"].iter().any(is) {
                    // END IF and END LOOP open nothing.
                    nested += 1;
                }
            }
            Shape::Quoted => {
                let body = word.trim_matches(['\'', '$', '"']);
                if CHAINED < word.len() && body.len() < text.len() && is_too_deep(tokens, body) {
                    return true;
                }
            }
        }
        ended = word.eq_ignore_ascii_case("end");
        chained += 1;
        if NESTED < nested || CHAINED < chained {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_writes_is_told_from_what_is_long() {
        let nested = |depth: usize| format!("SELECT {}1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(!is_too_deep(Tokens::Postgres, &nested(100)));
        assert!(is_too_deep(Tokens::Postgres, &nested(100_000)));
        let rows = format!("INSERT INTO t VALUES {}(1)", "(1, 'x'), ".repeat(100_000));
        assert!(!is_too_deep(Tokens::Postgres, &rows));
        let chain = format!("SELECT {}1", "1 + ".repeat(100_000));
        assert!(is_too_deep(Tokens::Postgres, &chain));
        let blocks = |count: usize| {
            format!("DO $$ {} NULL; {} $$", "BEGIN ".repeat(count), "END; ".repeat(count))
        };
        assert!(!is_too_deep(Tokens::Postgres, &blocks(50)));
        assert!(is_too_deep(Tokens::Postgres, &blocks(50_000)));
        let many = format!("DO $$ BEGIN {} END $$", "IF a THEN b := 1; END IF; ".repeat(5_000));
        assert!(!is_too_deep(Tokens::Postgres, &many));
    }
}
