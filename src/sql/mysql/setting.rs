//! `SET`.

use super::types::{charset_name, eats_charset};
use crate::sql::cursor::Cursor;
use crate::sql::relations::query;
use crate::sql::rows::Said;
use crate::sql::statement::{Scope, Setting, Transaction, What};

/// What stands behind `SET`, but for `SET STATEMENT`. `locals`: variables of the block around it,
/// which are no settings.
pub(super) fn set(c: &mut Cursor<'_>, locals: &[String]) -> Option<Said> {
    let session = |name: &str, value: Option<String>| Setting {
        scope: Scope::Session,
        name: name.to_owned(),
        value,
    };
    if c.eat("NAMES") {
        let charset = if c.eat("DEFAULT") { None } else { Some(charset_name(c)?) };
        let mut settings = vec![session("names", charset)];
        if c.eat("COLLATE") {
            settings.push(session("collation_connection", Some(charset_name(c)?)));
        }
        return Some(("SET NAMES", What::Set(settings)));
    }
    if eats_charset(c) {
        let charset = if c.eat("DEFAULT") { None } else { Some(charset_name(c)?) };
        return Some(("SET CHARACTER SET", What::Set(vec![session("character_set", charset)])));
    }
    let mut ahead = *c;
    ahead.eat_any(&["GLOBAL", "SESSION", "LOCAL"]);
    if ahead.eat("TRANSACTION") {
        c.rest();
        return Some(("SET TRANSACTION", What::Transaction(Transaction::Set)));
    }
    let known = [&["PASSWORD"][..], &["ROLE"], &["DEFAULT", "ROLE"], &["RESOURCE", "GROUP"]];
    if !c.is_symbol_at(1, '=') && known.iter().any(|words| c.are(words)) || c.is("PASSWORD") {
        c.rest();
        return Some(("SET", What::Other));
    }
    let whole = *c;
    let mut scope = Scope::Session;
    let mut settings = Vec::new();
    for mut part in c.rest().split(',') {
        let Some((setting, next)) = assignment(&mut part, scope) else {
            *c = part;
            return None;
        };
        scope = next;
        settings.push(setting);
    }
    settings.retain(|setting| !is_local(&setting.name, locals));
    // A variable of the user is no setting. What it is given may read a table.
    let found = query(whole);
    let reads = !found.reads.is_empty();
    let own = settings.iter().all(|setting| setting.name.starts_with('@'));
    if own && (reads || settings.is_empty()) {
        return Some(("SET", What::Query(found)));
    }
    Some(("SET", What::Set(settings)))
}

/// Of `NEW.a` the column is set, of others a variable.
fn is_local(name: &str, locals: &[String]) -> bool {
    name.starts_with("new.") || locals.iter().any(|local| local.eq_ignore_ascii_case(name))
}

/// `name = value`, with its scope; `GLOBAL` holds for those that follow, too.
fn assignment(c: &mut Cursor<'_>, before: Scope) -> Option<(Setting, Scope)> {
    let mut scope = Scope::Session;
    let mut next = before;
    let mut name = String::new();
    if c.symbol('@') {
        if c.symbol('@') {
            if c.is_symbol_at(1, '.')
                && let Some(word) = c.eat_any(SCOPES)
            {
                scope = scope_of(word);
                c.symbol('.');
            }
        } else {
            name.push('@');
            if let Some(user) = c.string() {
                name.push_str(&user);
                return value(c, scope, name).map(|setting| (setting, next));
            }
        }
    } else if let Some(word) = c.eat_any(SCOPES) {
        scope = scope_of(word);
        next = scope;
    } else {
        scope = before;
    }
    name.push_str(&c.name()?);
    while c.symbol('.') {
        name.push('.');
        name.push_str(&c.name()?);
    }
    value(c, scope, name.to_lowercase()).map(|setting| (setting, next))
}

const SCOPES: &[&str] = &["GLOBAL", "SESSION", "LOCAL", "PERSIST", "PERSIST_ONLY"];

fn scope_of(word: &str) -> Scope {
    match word {
        "GLOBAL" | "PERSIST" | "PERSIST_ONLY" => Scope::Global,
        _ => Scope::Session,
    }
}

fn value(c: &mut Cursor<'_>, scope: Scope, name: String) -> Option<Setting> {
    c.symbol(':');
    if !c.symbol('=') || c.done() {
        return None;
    }
    let written = *c;
    let text = written.rest_text().to_owned();
    let string = c.string();
    let value = match string {
        Some(string) if c.done() => Some(string),
        _ if text.eq_ignore_ascii_case("default") => None,
        _ => Some(text),
    };
    c.rest();
    Some(Setting { scope, name, value })
}
