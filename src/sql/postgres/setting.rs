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
    let Some(target) = set.set_target() else {
        return What::Unknown { why: "it says no setting".to_owned() };
    };
    let mut words = Vec::new();
    for token in tokens(target.syntax()) {
        words.push(token.text().to_owned());
    }
    let is_sign = |word: &String| word == "=" || word.eq_ignore_ascii_case("to");
    let (name, value) = match &target {
        ast::SetTarget::SetTimeZone(_) => ("timezone".to_owned(), words.split_off(2)),
        ast::SetTarget::SetSchemaValue(_) => ("search_path".to_owned(), words.split_off(1)),
        _ => match words.iter().position(is_sign) {
            Some(at) => {
                let value = words.split_off(at + 1);
                words.pop();
                (words.concat().to_lowercase(), value)
            }
            None => (words.remove(0).to_lowercase(), words),
        },
    };
    let value = value.concat();
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
