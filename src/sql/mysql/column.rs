//! A column's definition.

use super::types::{charset_name, data_type};
use crate::sql::cursor::Cursor;
use crate::sql::operand::operand;
use crate::sql::statement::{Check, Column, Expression, ForeignKey, Generated, Type};

/// A column: its name, and what it is made of.
pub(super) fn column(c: &mut Cursor<'_>) -> Option<Column> {
    let name = c.name()?;
    definition(c, name)
}

/// What a column is made of.
pub(super) fn definition(c: &mut Cursor<'_>, name: String) -> Option<Column> {
    let from = c.at();
    let mut column = if c.eat("SERIAL") {
        let text = c.text_since(from).to_owned();
        let ty = Type { name: "bigint".to_owned(), unsigned: true, text, ..Type::default() };
        let mut column = Column { name, ty, ..Column::default() };
        serial(&mut column);
        column
    } else {
        Column { name, ty: data_type(c)?, ..Column::default() }
    };
    while attribute(c, &mut column)? {}
    Some(column)
}

fn serial(column: &mut Column) {
    column.not_null = true;
    column.auto_increment = true;
    column.unique = true;
}

/// One attribute. False if none is next; none if it begins as one but cannot be read.
fn attribute(c: &mut Cursor<'_>, column: &mut Column) -> Option<bool> {
    if c.eat_all(&["NOT", "NULL"]) {
        (column.not_null, column.null) = (true, false);
    } else if c.eat("NULL") {
        (column.null, column.not_null) = (true, false);
    } else if c.eat_all(&["SERIAL", "DEFAULT", "VALUE"]) {
        serial(column);
    } else if c.eat("DEFAULT") {
        column.default = Some(operand(c)?);
    } else if c.eat_all(&["ON", "UPDATE"]) {
        column.on_update = Some(operand(c)?);
    } else if c.eat("AUTO_INCREMENT") {
        column.auto_increment = true;
    } else if c.eat("UNIQUE") {
        c.eat_any(&["KEY", "INDEX"]);
        column.unique = true;
    } else if c.eat_all(&["PRIMARY", "KEY"]) || c.eat("KEY") {
        column.primary_key = true;
        // Said or not.
        column.not_null = true;
    } else if c.eat("COMMENT") {
        column.comment = Some(c.string()?);
    } else if c.eat("COLLATE") {
        column.collation = Some(charset_name(c)?);
    } else if c.eat("INVISIBLE") {
        column.invisible = true;
    } else if c.eat_all(&["GENERATED", "ALWAYS", "AS", "ROW"]) || c.eat_all(&["AS", "ROW"]) {
        let from = c.at();
        c.eat_any(&["START", "END"])?;
        let expression = c.expression_since(from)?;
        column.generated = Some(Generated { expression, stored: true });
    } else if c.eat_all(&["GENERATED", "ALWAYS", "AS"]) || c.eat("AS") {
        let expression = c.group()?.rest_expression()?;
        let stored = c.eat_any(&["STORED", "PERSISTENT", "VIRTUAL"]);
        let stored = stored.is_some_and(|word| word != "VIRTUAL");
        column.generated = Some(Generated { expression, stored });
    } else if c.is("CHECK") || (c.is("CONSTRAINT") && names_check(c)) {
        column.checks.push(check(c)?);
    } else if c.eat("REFERENCES") {
        column.references = Some(references(c, Vec::new())?);
    } else {
        return Some(storage(c));
    }
    Some(true)
}

/// What says how a value is kept, which the model has no place for. Whether it was one; what cannot
/// be read is left.
fn storage(c: &mut Cursor<'_>) -> bool {
    const KEPT: &[&str] = &["DEFAULT", "FIXED", "DYNAMIC", "DISK", "MEMORY"];
    let mut ahead = *c;
    let is_read = if ahead.eat_any(&["COLUMN_FORMAT", "STORAGE"]).is_some() {
        ahead.eat_any(KEPT).is_some()
    } else if ahead.eat_any(&["SRID", "REF_SYSTEM_ID"]).is_some() {
        ahead.symbol('=');
        ahead.number().is_some()
    } else if ahead.eat_any(&["ENGINE_ATTRIBUTE", "SECONDARY_ENGINE_ATTRIBUTE"]).is_some() {
        ahead.symbol('=');
        ahead.string().is_some()
    } else if ahead.eat_any(&["WITH", "WITHOUT"]).is_some() {
        ahead.eat_all(&["SYSTEM", "VERSIONING"])
    } else if ahead.eat_all(&["NOT", "SECONDARY"]) || ahead.eat("VISIBLE") {
        true
    } else {
        // An engine of MariaDB may have attributes of its own.
        ahead.name_unless(&["ALGORITHM", "LOCK", "ENGINE"]).is_some()
            && ahead.symbol('=')
            && operand(&mut ahead).is_some()
    };
    if is_read {
        *c = ahead;
    }
    is_read
}

/// Whether a `CONSTRAINT` of a column is a check, and not that of the next element.
fn names_check(c: &Cursor<'_>) -> bool {
    c.is_at(1, "CHECK") || c.is_at(2, "CHECK")
}

/// `[CONSTRAINT [name]] CHECK (…) [[NOT] ENFORCED]`
fn check(c: &mut Cursor<'_>) -> Option<Check> {
    let name = if c.eat("CONSTRAINT") { c.name_unless(&["CHECK"]) } else { None };
    c.eat("CHECK");
    let (expression, enforced) = checked(c)?;
    Some(Check { name, expression, enforced })
}

/// What must hold, and whether it is looked at.
pub(super) fn checked(c: &mut Cursor<'_>) -> Option<(Expression, bool)> {
    let expression = c.group()?.rest_expression()?;
    let enforced = !c.eat_all(&["NOT", "ENFORCED"]);
    c.eat("ENFORCED");
    Some((expression, enforced))
}

/// What stands behind `REFERENCES`.
pub(super) fn references(c: &mut Cursor<'_>, columns: Vec<String>) -> Option<ForeignKey> {
    let table = c.qualified()?;
    let referenced = match c.group() {
        Some(mut inner) => inner.names().filter(|_| inner.done())?,
        None => Vec::new(),
    };
    let mut key = ForeignKey { columns, table, referenced, on_delete: None, on_update: None };
    loop {
        if c.eat("MATCH") {
            c.eat_any(&["FULL", "PARTIAL", "SIMPLE"])?;
        } else if c.eat_all(&["ON", "DELETE"]) {
            key.on_delete = Some(referential(c)?);
        } else if c.eat_all(&["ON", "UPDATE"]) {
            key.on_update = Some(referential(c)?);
        } else {
            return Some(key);
        }
    }
}

fn referential(c: &mut Cursor<'_>) -> Option<String> {
    const ACTIONS: [&[&str]; 5] =
        [&["SET", "NULL"], &["SET", "DEFAULT"], &["NO", "ACTION"], &["CASCADE"], &["RESTRICT"]];
    ACTIONS.iter().find(|words| c.eat_all(words)).map(|words| words.join(" "))
}
