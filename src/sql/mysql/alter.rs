//! `ALTER TABLE`.

use super::column::column;
use super::key::{self, Key, if_exists, if_not_exists, is_key, key};
use super::option::actions;
use super::partition;
use super::types::{charset_name, eats_charset};
use crate::sql::cursor::Cursor;
use crate::sql::operand::operand;
use crate::sql::statement::{Action, AlterTable, Name, Online, Place, What};

/// What stands behind `ALTER TABLE`.
pub(super) fn alter_table(c: &mut Cursor<'_>) -> Option<What> {
    let if_exists = if_exists(c);
    let name = c.qualified()?;
    let wait = key::wait(c);
    let online = Online { wait, ..Online::default() };
    let mut alter = AlterTable { name, if_exists, only: false, actions: Vec::new(), online };
    while !c.done() {
        clause(c, &mut alter);
    }
    Some(What::AlterTable(alter))
}

/// One clause, and the comma behind it. One that cannot be read is taken to its end.
fn clause(c: &mut Cursor<'_>, alter: &mut AlterTable) {
    let from = c.at();
    let mut ahead = *c;
    let (read, online) = (alter.actions.len(), alter.online);
    let is_read = read_clause(&mut ahead, alter).is_some() && ends(&ahead);
    if is_read {
        *c = ahead;
        let span = c.span_since(from);
        // Those of a list in parentheses have their own place.
        for (_, place) in &mut alter.actions[read..] {
            if place.start == place.end {
                place.clone_from(&span);
            }
        }
    } else {
        alter.actions.truncate(read);
        alter.online = online;
        *c = ahead_of(c);
        let span = c.span_since(from);
        alter.actions.push((Action::Unknown { text: c.text_since(from).to_owned() }, span));
    }
    if c.symbol(',') && c.done() {
        alter.actions.push((Action::Unknown { text: String::new() }, c.span_since(c.at() - 1)));
    }
}

/// Behind the clause that begins here.
fn ahead_of<'a>(c: &Cursor<'a>) -> Cursor<'a> {
    let mut ahead = *c;
    ahead.until(|c| c.is_symbol(','));
    ahead
}

/// Partitions may be changed behind the last clause, without a comma.
fn ends(c: &Cursor<'_>) -> bool {
    c.done()
        || c.is_symbol(',')
        || c.are(&["PARTITION", "BY"])
        || c.are(&["REMOVE", "PARTITIONING"])
}

fn read_clause(c: &mut Cursor<'_>, alter: &mut AlterTable) -> Option<()> {
    if key::online(c, &mut alter.online)? {
        return Some(());
    }
    if partition::is_next(c) {
        alter.actions.push((partition::action(c)?, 0..0));
        return Some(());
    }
    let action = if c.eat("ADD") {
        return add(c, alter);
    } else if c.eat("DROP") {
        drop(c)?
    } else if c.eat("MODIFY") {
        c.eat("COLUMN");
        let if_exists = if_exists(c);
        let column = Box::new(column(c)?);
        Action::Modify { from: column.name.clone(), column, if_exists, place: place(c) }
    } else if c.eat("CHANGE") {
        c.eat("COLUMN");
        let if_exists = if_exists(c);
        let from = c.name()?;
        let column = Box::new(column(c)?);
        Action::Modify { from, column, if_exists, place: place(c) }
    } else if c.eat("ALTER") {
        alter_part(c)?
    } else if c.eat("RENAME") {
        rename(c)?
    } else if c.eat_all(&["CONVERT", "TO"]) {
        if !eats_charset(c) {
            return None;
        }
        let charset = charset_name(c)?;
        let collation = if c.eat("COLLATE") { Some(charset_name(c)?) } else { None };
        Action::ConvertCharset { charset, collation }
    } else if c.eat("FORCE") {
        Action::Force
    } else if c.eat_all(&["ORDER", "BY"]) {
        order_by(c)?;
        Action::OrderBy
    } else if c.eat_all(&["ENABLE", "KEYS"]) {
        Action::Keys { enable: true }
    } else if c.eat_all(&["DISABLE", "KEYS"]) {
        Action::Keys { enable: false }
    } else if c.eat_all(&["DISCARD", "TABLESPACE"]) {
        option("tablespace", "discard")
    } else if c.eat_all(&["IMPORT", "TABLESPACE"]) {
        option("tablespace", "import")
    } else if let Some(word) = c.eat_any(&["WITH", "WITHOUT"]) {
        if !c.eat("VALIDATION") {
            return None;
        }
        option("validation", if word == "WITH" { "with" } else { "without" })
    } else if c.eat("SECONDARY_LOAD") {
        option("secondary_load", "")
    } else if c.eat("SECONDARY_UNLOAD") {
        option("secondary_unload", "")
    } else {
        let found = actions(c);
        if found.is_empty() {
            return None;
        }
        alter.actions.extend(found.into_iter().map(|action| (action, 0..0)));
        return Some(());
    };
    alter.actions.push((action, 0..0));
    Some(())
}

fn option(name: &str, value: &str) -> Action {
    Action::TableOption { name: name.to_owned(), value: value.to_owned() }
}

/// Where a column is put. What cannot be read is left.
fn place(c: &mut Cursor<'_>) -> Option<Place> {
    if c.eat("FIRST") {
        return Some(Place::First);
    }
    let mut ahead = *c;
    let after = if ahead.eat("AFTER") { ahead.name() } else { None };
    if after.is_some() {
        *c = ahead;
    }
    after.map(Place::After)
}

/// Columns as far as they are in the list; what follows may be another clause.
fn order_by(c: &mut Cursor<'_>) -> Option<()> {
    loop {
        c.qualified()?;
        c.eat_any(&["ASC", "DESC"]);
        let mut ahead = *c;
        let column = ahead.symbol(',') && ahead.qualified().is_some();
        ahead.eat_any(&["ASC", "DESC"]);
        if !(column && (ahead.done() || ahead.is_symbol(','))) || c.is_at(1, "FORCE") {
            return Some(());
        }
        c.symbol(',');
    }
}

fn add(c: &mut Cursor<'_>, alter: &mut AlterTable) -> Option<()> {
    if c.eat_all(&["SYSTEM", "VERSIONING"]) {
        alter.actions.push((option("system versioning", "add"), 0..0));
        return Some(());
    }
    if c.are(&["PERIOD", "FOR"]) {
        let name = period(c)?;
        alter.actions.push((option("period", &name), 0..0));
        return Some(());
    }
    if is_key(c) {
        alter.actions.push((add_key(c, &alter.name)?, 0..0));
        return Some(());
    }
    c.eat("COLUMN");
    let if_not_exists = if_not_exists(c);
    if !c.is_symbol('(') {
        let column = Box::new(column(c)?);
        let action = Action::AddColumn { column, if_not_exists, place: place(c) };
        alter.actions.push((action, 0..0));
        return Some(());
    }
    for mut element in c.group()?.split(',') {
        let from = element.at();
        let action = if is_key(&element) {
            add_key(&mut element, &alter.name)?
        } else if element.are(&["PERIOD", "FOR"]) {
            option("period", &period(&mut element)?)
        } else {
            let column = Box::new(column(&mut element)?);
            Action::AddColumn { column, if_not_exists, place: None }
        };
        if !element.done() {
            return None;
        }
        alter.actions.push((action, element.span_since(from)));
    }
    Some(())
}

/// `PERIOD FOR name (begin, end)`: the name.
pub(super) fn period(c: &mut Cursor<'_>) -> Option<String> {
    c.eat_all(&["PERIOD", "FOR"]);
    if_not_exists(c);
    let name = c.name()?;
    c.group()?;
    Some(name.to_lowercase())
}

fn add_key(c: &mut Cursor<'_>, table: &Name) -> Option<Action> {
    Some(match key(c, table)? {
        (Key::Index(index), _) => Action::AddIndex { index: Box::new(index) },
        (Key::Constraint(constraint), if_not_exists) => {
            Action::AddConstraint { constraint, if_not_exists }
        }
    })
}

fn drop(c: &mut Cursor<'_>) -> Option<Action> {
    if c.eat_all(&["PRIMARY", "KEY"]) {
        return Some(Action::DropPrimaryKey);
    }
    if c.eat_all(&["FOREIGN", "KEY"]) {
        let if_exists = if_exists(c);
        return Some(Action::DropForeignKey { name: c.name()?, if_exists });
    }
    if c.eat_any(&["INDEX", "KEY"]).is_some() {
        let if_exists = if_exists(c);
        return Some(Action::DropIndex { name: c.name()?, if_exists });
    }
    if c.eat("CHECK") {
        return Some(Action::DropCheck { name: c.name()? });
    }
    if c.eat("CONSTRAINT") {
        let if_exists = if_exists(c);
        return Some(Action::DropConstraint { name: c.name()?, if_exists, cascade: false });
    }
    if c.eat_all(&["SYSTEM", "VERSIONING"]) {
        return Some(option("system versioning", "drop"));
    }
    if c.eat_all(&["PERIOD", "FOR"]) {
        if_exists(c);
        c.name()?;
        return Some(option("period", "drop"));
    }
    c.eat("COLUMN");
    let if_exists = if_exists(c);
    let name = c.name()?;
    // Both words are taken and mean nothing.
    c.eat_any(&["RESTRICT", "CASCADE"]);
    Some(Action::DropColumn { name, if_exists, cascade: false })
}

fn alter_part(c: &mut Cursor<'_>) -> Option<Action> {
    if c.eat_any(&["INDEX", "KEY"]).is_some() {
        if_exists(c);
        let name = c.name()?;
        let hidden = c.eat_all(&["NOT", "IGNORED"]);
        if hidden {
            return Some(Action::IndexVisibility { name, visible: true });
        }
        let visible = c.eat_any(&["VISIBLE", "INVISIBLE", "IGNORED"])? == "VISIBLE";
        return Some(Action::IndexVisibility { name, visible });
    }
    if c.eat_any(&["CHECK", "CONSTRAINT"]).is_some() {
        let name = c.name()?;
        let enforced = !c.eat("NOT");
        return c
            .eat("ENFORCED")
            .then_some(Action::AlterConstraint { name, enforced: Some(enforced) });
    }
    c.eat("COLUMN");
    if_exists(c);
    let column = c.name()?;
    if c.eat_all(&["SET", "DEFAULT"]) {
        return Some(Action::SetDefault { column, to: operand(c)? });
    }
    if c.eat_all(&["DROP", "DEFAULT"]) {
        return Some(Action::DropDefault { column });
    }
    if !c.eat("SET") {
        return None;
    }
    let visible = c.eat_any(&["VISIBLE", "INVISIBLE"])? == "VISIBLE";
    Some(Action::ColumnVisibility { column, visible })
}

fn rename(c: &mut Cursor<'_>) -> Option<Action> {
    if c.is("COLUMN") {
        c.skip();
        if_exists(c);
        let from = c.name()?;
        return if c.eat("TO") { Some(Action::RenameColumn { from, to: c.name()? }) } else { None };
    }
    if c.is_any(&["INDEX", "KEY"]) {
        c.skip();
        if_exists(c);
        let from = c.name()?;
        return if c.eat("TO") { Some(Action::RenameIndex { from, to: c.name()? }) } else { None };
    }
    if c.eat_any(&["TO", "AS"]).is_none() {
        c.symbol('=');
    }
    Some(Action::RenameTo(c.qualified()?))
}
