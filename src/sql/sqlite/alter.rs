//! `ALTER TABLE`.

use super::table::{column, constraint};
use crate::sql::cursor::Cursor;
use crate::sql::statement::{Action, AlterTable, Name, Online, What};

/// What stands behind `ALTER TABLE`. One statement of SQLite makes one change.
pub(super) fn alter_table(c: &mut Cursor<'_>) -> Option<What> {
    let name = c.qualified()?;
    let from = c.at();
    let mut ahead = *c;
    let read = action(&mut ahead).filter(|_| ahead.done());
    c.rest();
    let text = c.text_since(from).to_owned();
    let action = read.unwrap_or(Action::Unknown { text });
    Some(What::AlterTable(AlterTable {
        name,
        if_exists: false,
        only: false,
        actions: vec![(action, c.span_since(from))],
        online: Online::default(),
    }))
}

fn action(c: &mut Cursor<'_>) -> Option<Action> {
    if c.eat_all(&["RENAME", "TO"]) {
        return Some(Action::RenameTo(Name::plain(c.name()?)));
    }
    if c.eat("RENAME") {
        c.eat("COLUMN");
        let from = c.name()?;
        return c.eat("TO").then(|| c.name()).flatten().map(|to| Action::RenameColumn { from, to });
    }
    if c.eat("ADD") {
        // Checks by themselves: since 3.53.
        if c.is_any(&["CONSTRAINT", "CHECK"]) {
            let constraint = constraint(c)?;
            return Some(Action::AddConstraint { constraint, if_not_exists: false });
        }
        c.eat("COLUMN");
        let column = Box::new(column(c)?);
        return Some(Action::AddColumn { column, if_not_exists: false, place: None });
    }
    if c.eat_all(&["DROP", "CONSTRAINT"]) {
        return Some(Action::DropConstraint { name: c.name()?, if_exists: false, cascade: false });
    }
    if c.eat("DROP") {
        c.eat("COLUMN");
        return Some(Action::DropColumn { name: c.name()?, if_exists: false, cascade: false });
    }
    if !c.eat("ALTER") {
        return None;
    }
    c.eat("COLUMN");
    let column = c.name()?;
    if c.eat_all(&["SET", "NOT", "NULL"]) {
        if c.eat_all(&["ON", "CONFLICT"]) {
            c.name()?;
        }
        return Some(Action::SetNotNull { column });
    }
    c.eat_all(&["DROP", "NOT", "NULL"]).then_some(Action::DropNotNull { column })
}
