//! Keys, indexes and constraints, in a table's definition and by themselves.

use super::column::{checked, references};
use crate::sql::cursor::Cursor;
use crate::sql::statement::{
    Algorithm, Constraint, ConstraintKind, CreateIndex, IndexKind, IndexPart, LockClause, Name,
    Online, Wait,
};

/// A key of a table: one that is kept as an index, or one that demands something.
pub(super) enum Key {
    Index(CreateIndex),
    Constraint(Constraint),
}

/// Words that begin a key where a column may stand, too.
const BEGINS: &[&str] = &["INDEX", "KEY", "UNIQUE", "CONSTRAINT", "CHECK"];

/// Whether a key is next, and no column.
pub(super) fn is_key(c: &Cursor<'_>) -> bool {
    c.is_any(BEGINS)
        || c.are(&["PRIMARY", "KEY"])
        || c.are(&["FOREIGN", "KEY"])
        || ((c.is("FULLTEXT") || c.is("SPATIAL") || c.is("VECTOR")) && named_kind(c))
}

/// `VECTOR` and its like may be the name of a column, of a type that follows.
fn named_kind(c: &Cursor<'_>) -> bool {
    c.is_at(1, "INDEX")
        || c.is_at(1, "KEY")
        || c.is_symbol_at(1, '(')
        || c.is_symbol_at(2, '(') && !c.is("VECTOR")
}

/// A key, and whether it says `IF NOT EXISTS`.
pub(super) fn key(c: &mut Cursor<'_>, table: &Name) -> Option<(Key, bool)> {
    let kinds = ["PRIMARY", "UNIQUE", "FOREIGN", "CHECK", "IF"];
    let mut exists_not = false;
    let symbol = if c.eat("CONSTRAINT") {
        exists_not |= if_not_exists(c);
        c.name_unless(&kinds)
    } else {
        None
    };
    let (key, found) = if c.eat_all(&["PRIMARY", "KEY"]) {
        let found = if_not_exists(c);
        let index = index(c, table, false, IndexKind::Ordinary)?;
        let kind = ConstraintKind::PrimaryKey { columns: columns(&index), using_index: None };
        (Key::Constraint(constraint(symbol, kind, true)), found)
    } else if c.eat_all(&["FOREIGN", "KEY"]) {
        let found = if_not_exists(c);
        let name = if c.is_symbol('(') { None } else { Some(c.name()?) };
        let mut inner = c.group()?;
        let columns = inner.names().filter(|_| inner.done())?;
        if !c.eat("REFERENCES") {
            return None;
        }
        let kind = ConstraintKind::ForeignKey(references(c, columns)?);
        (Key::Constraint(constraint(symbol.or(name), kind, true)), found)
    } else if c.eat("CHECK") {
        let (expression, enforced) = checked(c)?;
        (Key::Constraint(constraint(symbol, ConstraintKind::Check(expression), enforced)), false)
    } else {
        let (unique, kind) = kind(c);
        let named = c.eat_any(&["INDEX", "KEY"]).is_some();
        if !named && !unique && kind == IndexKind::Ordinary {
            return None;
        }
        let found = if_not_exists(c);
        let mut index = index(c, table, unique, kind)?;
        index.if_not_exists = found || exists_not;
        index.name = index.name.or(symbol.map(Name::plain));
        (Key::Index(index), found)
    };
    Some((key, found || exists_not))
}

/// `UNIQUE`, `FULLTEXT` and so on.
pub(super) fn kind(c: &mut Cursor<'_>) -> (bool, IndexKind) {
    match c.eat_any(&["UNIQUE", "FULLTEXT", "SPATIAL", "VECTOR"]) {
        Some("UNIQUE") => (true, IndexKind::Ordinary),
        Some("FULLTEXT") => (false, IndexKind::FullText),
        Some("SPATIAL") => (false, IndexKind::Spatial),
        Some(_) => (false, IndexKind::Vector),
        None => (false, IndexKind::Ordinary),
    }
}

pub(super) fn if_not_exists(c: &mut Cursor<'_>) -> bool {
    c.eat_all(&["IF", "NOT", "EXISTS"])
}

pub(super) fn if_exists(c: &mut Cursor<'_>) -> bool {
    c.eat_all(&["IF", "EXISTS"])
}

fn constraint(name: Option<String>, kind: ConstraintKind, enforced: bool) -> Constraint {
    Constraint {
        name,
        kind,
        include: Vec::new(),
        not_valid: false,
        enforced,
        deferrable: false,
        no_inherit: false,
    }
}

/// The columns of an index, without the lengths of their beginnings.
fn columns(index: &CreateIndex) -> Vec<String> {
    let name = |part: &IndexPart| match part {
        IndexPart::Column(name, _) => name.clone(),
        IndexPart::Expression(expression) => expression.text.clone(),
    };
    index.parts.iter().map(name).collect()
}

/// `[name] [USING type] (parts) [options]`
fn index(c: &mut Cursor<'_>, table: &Name, unique: bool, kind: IndexKind) -> Option<CreateIndex> {
    let is_using = c.is("USING") && c.is_symbol_at(2, '(');
    let name = if c.is_symbol('(') || is_using { None } else { Some(c.name()?) };
    let parts = parts(c)?;
    options(c)?;
    Some(CreateIndex {
        include: Vec::new(),
        name: name.map(Name::plain),
        table: table.clone(),
        only: false,
        unique,
        concurrently: false,
        if_not_exists: false,
        parts,
        predicate: None,
        kind,
        online: Online::default(),
    })
}

/// `[USING type] (parts)`
pub(super) fn parts(c: &mut Cursor<'_>) -> Option<Vec<IndexPart>> {
    using(c)?;
    c.group()?.split(',').into_iter().map(part).collect()
}

fn using(c: &mut Cursor<'_>) -> Option<()> {
    if c.eat_any(&["USING", "TYPE"]).is_some() {
        c.eat_any(&["BTREE", "HASH", "RTREE"])?;
    }
    Some(())
}

fn part(mut c: Cursor<'_>) -> Option<IndexPart> {
    let part = if let Some(inner) = c.group() {
        IndexPart::Expression(inner.rest_expression()?)
    } else if c.are(&["CAST"]) && c.is_symbol_at(1, '(') {
        let from = c.at();
        c.skip();
        c.group()?;
        IndexPart::Expression(c.expression_since(from)?)
    } else {
        let name = c.name()?;
        let length = match c.group() {
            Some(mut inner) => Some(inner.number()?.try_into().ok()?),
            None => None,
        };
        IndexPart::Column(name, length)
    };
    c.eat_any(&["ASC", "DESC"]);
    c.eat_all(&["WITHOUT", "OVERLAPS"]);
    c.done().then_some(part)
}

/// What may stand behind the parts. None of it changes what building the index costs.
pub(super) fn options(c: &mut Cursor<'_>) -> Option<()> {
    loop {
        if c.eat_any(&["KEY_BLOCK_SIZE", "M"]).is_some() {
            c.symbol('=');
            c.number()?;
        } else if c.is_any(&["USING", "TYPE"]) {
            using(c)?;
        } else if c.eat_all(&["WITH", "PARSER"]) {
            c.name()?;
        } else if c
            .eat_any(&["COMMENT", "ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"])
            .is_some()
        {
            c.symbol('=');
            c.string()?;
        } else if c.eat_any(&["DISTANCE", "CLUSTERING"]).is_some() {
            c.symbol('=');
            c.name()?;
        } else if c.eat_any(&["VISIBLE", "INVISIBLE", "IGNORED"]).is_none()
            && !c.eat_all(&["NOT", "IGNORED"])
        {
            return Some(());
        }
    }
}

/// `ALGORITHM` or `LOCK`, if one is next. None if it cannot be read.
pub(super) fn online(c: &mut Cursor<'_>, online: &mut Online) -> Option<bool> {
    if c.eat("ALGORITHM") {
        c.symbol('=');
        let words = ["INSTANT", "NOCOPY", "INPLACE", "COPY", "DEFAULT"];
        online.algorithm = Some(match c.eat_any(&words)? {
            "INSTANT" => Algorithm::Instant,
            "NOCOPY" => Algorithm::NoCopy,
            "INPLACE" => Algorithm::InPlace,
            "COPY" => Algorithm::Copy,
            _ => Algorithm::Default,
        });
    } else if c.eat("LOCK") {
        c.symbol('=');
        online.lock = Some(match c.eat_any(&["NONE", "SHARED", "EXCLUSIVE", "DEFAULT"])? {
            "NONE" => LockClause::None,
            "SHARED" => LockClause::Shared,
            "EXCLUSIVE" => LockClause::Exclusive,
            _ => LockClause::Default,
        });
    } else {
        return Some(false);
    }
    Some(true)
}

/// `WAIT n`, `NOWAIT` of MariaDB. What cannot be read is left.
pub(super) fn wait(c: &mut Cursor<'_>) -> Option<Wait> {
    if c.eat("NOWAIT") {
        return Some(Wait::No);
    }
    let mut ahead = *c;
    let seconds = if ahead.eat("WAIT") { ahead.number() } else { None };
    if seconds.is_some() {
        *c = ahead;
    }
    seconds.map(Wait::Seconds)
}
