//! `SET` and `RESET`.

use squawk_syntax::ast::{self, AstNode};

use super::names::tokens;
use crate::sql::statement::{Scope, Setting, What};

/// `SET`.
pub(super) fn set(set: &ast::Set) -> What {
    let scope = match set.set_scope() {
        Some(ast::SetScope::LocalScope(_)) => Scope::Local,
        _ => Scope::Session,
    };
    let words: Vec<String> = match set.set_target() {
        Some(target) => tokens(target.syntax()).map(|token| token.text().to_owned()).collect(),
        None => Vec::new(),
    };
    let is_sign = |word: &String| word == "=" || word.eq_ignore_ascii_case("to");
    let (name, value) = match set.set_target() {
        Some(ast::SetTarget::SetTimeZone(_)) => ("timezone".to_owned(), words.get(2..)),
        Some(ast::SetTarget::SetSchemaValue(_)) => ("search_path".to_owned(), words.get(1..)),
        _ => {
            // A target has no words where the parser went on behind a mistake.
            let end = words.iter().position(is_sign).unwrap_or(1.min(words.len()));
            let value = if words.get(end).is_some_and(is_sign) { end + 1 } else { end };
            (words[..end].concat().to_lowercase(), words.get(value..))
        }
    };
    if name.is_empty() {
        return What::Unknown { why: "it says no setting".to_owned() };
    }
    let value = value.unwrap_or_default().concat();
    let default = value.eq_ignore_ascii_case("default");
    let value = (!default).then(|| unquoted(&value));
    What::Set(vec![Setting { scope, name, value }])
}

/// `RESET`: back to what the session began with.
pub(super) fn reset(reset: &ast::Reset) -> What {
    let name = reset.reset_target().map(|target| target.syntax().text().to_string().to_lowercase());
    let name = name.unwrap_or_default();
    let name = if name.starts_with("time") { "timezone".to_owned() } else { name };
    What::Set(vec![Setting { scope: Scope::Session, name, value: None }])
}

fn unquoted(text: &str) -> String {
    match text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')) {
        Some(inner) if !inner.replace("''", "").contains('\'') => inner.replace("''", "'"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use crate::catalog::Release;
    use crate::sql::statement::What;
    use crate::sql::{Source, parse};

    #[test]
    fn half_a_statement_of_a_block_is_read_as_half_a_statement() {
        let source = Source::of(Release::parse("postgres").unwrap());
        for half in ["SET", "SET x", "SET x TO", "SET LOCAL", "SET TIME", "SET SCHEMA", "RESET"] {
            for text in [format!("DO $$BEGIN {half}; END$$"), format!("DO $$BEGIN {half} END$$")] {
                let read = parse(source, &text).statements.remove(0).what;
                assert!(matches!(read, What::Do(_) | What::Unknown { .. }), "{text}: {read:?}");
            }
        }
        let text = "DO $$BEGIN ALTER TYPE e ADD VALUE; END$$";
        assert_eq!(parse(source, text).statements.len(), 1);
    }
}
