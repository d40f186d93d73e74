//! A table's columns and constraints.

use crate::sql::cursor::Cursor;
use crate::sql::operand::operand;
use crate::sql::statement::{
    Check, Column, Constraint, ConstraintKind, ForeignKey, Generated, IndexPart, Type,
};

/// Words that end a type and begin what is said of the column.
const BEGINS: &[&str] = &[
    "CONSTRAINT",
    "PRIMARY",
    "NOT",
    "NULL",
    "UNIQUE",
    "CHECK",
    "DEFAULT",
    "COLLATE",
    "REFERENCES",
    "GENERATED",
    "AS",
    "ON",
    "DEFERRABLE",
];

/// A column.
pub(super) fn column(c: &mut Cursor<'_>) -> Option<Column> {
    let name = c.name()?;
    let mut column = Column { name, ty: data_type(c)?, ..Column::default() };
    while !c.done() {
        said_of(c, &mut column)?;
    }
    Some(column)
}

/// Any words at all, and perhaps one or two numbers.
fn data_type(c: &mut Cursor<'_>) -> Option<Type> {
    let from = c.at();
    let mut words: Vec<String> = Vec::new();
    while !c.is_any(BEGINS)
        && let Some(word) = c.name()
    {
        words.push(word.to_lowercase());
    }
    let mut ty = Type { name: words.join(" "), ..Type::default() };
    if c.is_symbol('(') {
        let modifiers = c.group()?.split(',').into_iter();
        ty.modifiers = modifiers.map(|one| one.rest_text().to_owned()).collect();
    }
    c.text_since(from).clone_into(&mut ty.text);
    Some(ty)
}

/// One thing that is said of a column.
fn said_of(c: &mut Cursor<'_>, column: &mut Column) -> Option<()> {
    let name = if c.eat("CONSTRAINT") { Some(c.name()?) } else { None };
    if c.eat_all(&["PRIMARY", "KEY"]) {
        c.eat_any(&["ASC", "DESC"]);
        column.primary_key = true;
        conflict(c)?;
        column.auto_increment |= c.eat("AUTOINCREMENT");
    } else if c.eat_all(&["NOT", "NULL"]) {
        column.not_null = true;
        conflict(c)?;
    } else if c.eat("NULL") {
        column.null = true;
        conflict(c)?;
    } else if c.eat("UNIQUE") {
        column.unique = true;
        conflict(c)?;
    } else if c.eat("CHECK") {
        let expression = c.group()?.rest_expression()?;
        conflict(c)?;
        column.checks.push(Check { name, expression, enforced: true });
    } else if c.eat("DEFAULT") {
        column.default = Some(operand(c)?);
    } else if c.eat("COLLATE") {
        column.collation = Some(c.name()?);
    } else if c.eat_all(&["GENERATED", "ALWAYS", "AS"]) || c.eat("AS") {
        let expression = c.group()?.rest_expression()?;
        let stored = c.eat_any(&["STORED", "VIRTUAL"]) == Some("STORED");
        column.generated = Some(Generated { expression, stored });
    } else if c.eat("REFERENCES") {
        column.references = Some(references(c, Vec::new())?.0);
    } else {
        return None;
    }
    Some(())
}

/// `ON CONFLICT …`, if it is next.
fn conflict(c: &mut Cursor<'_>) -> Option<()> {
    if c.eat_all(&["ON", "CONFLICT"]) {
        c.eat_any(&["ROLLBACK", "ABORT", "FAIL", "IGNORE", "REPLACE"])?;
    }
    Some(())
}

/// What stands behind `REFERENCES`, and whether it may be looked at only when the transaction ends.
fn references(c: &mut Cursor<'_>, columns: Vec<String>) -> Option<(ForeignKey, bool)> {
    let table = c.qualified()?;
    let referenced = match c.group() {
        Some(mut inner) => inner.names().filter(|_| inner.done())?,
        None => Vec::new(),
    };
    let mut key = ForeignKey { columns, table, referenced, on_delete: None, on_update: None };
    let mut deferrable = false;
    loop {
        if c.eat_all(&["ON", "DELETE"]) {
            key.on_delete = Some(referential(c)?);
        } else if c.eat_all(&["ON", "UPDATE"]) {
            key.on_update = Some(referential(c)?);
        } else if c.eat("MATCH") {
            c.name()?;
        } else if c.eat_all(&["NOT", "DEFERRABLE"]) || c.is("DEFERRABLE") {
            deferrable |= c.eat("DEFERRABLE");
            if c.eat("INITIALLY") {
                c.eat_any(&["DEFERRED", "IMMEDIATE"])?;
            }
        } else {
            return Some((key, deferrable));
        }
    }
}

fn referential(c: &mut Cursor<'_>) -> Option<String> {
    const ACTIONS: [&[&str]; 5] =
        [&["SET", "NULL"], &["SET", "DEFAULT"], &["NO", "ACTION"], &["CASCADE"], &["RESTRICT"]];
    ACTIONS.iter().find(|words| c.eat_all(words)).map(|words| words.join(" "))
}

/// Whether a constraint is next, and no column.
pub(super) fn is_constraint(c: &Cursor<'_>) -> bool {
    c.is_any(&["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"])
}

/// A constraint of a table.
pub(super) fn constraint(c: &mut Cursor<'_>) -> Option<Constraint> {
    let name = if c.eat("CONSTRAINT") { Some(c.name()?) } else { None };
    let mut deferrable = false;
    let kind = if c.eat_all(&["PRIMARY", "KEY"]) {
        ConstraintKind::PrimaryKey { columns: key_columns(c)?, using_index: None }
    } else if c.eat("UNIQUE") {
        ConstraintKind::Unique { columns: key_columns(c)?, using_index: None }
    } else if c.eat("CHECK") {
        ConstraintKind::Check(c.group()?.rest_expression()?)
    } else if c.eat_all(&["FOREIGN", "KEY"]) {
        let mut inner = c.group()?;
        let columns = inner.names().filter(|_| inner.done())?;
        if !c.eat("REFERENCES") {
            return None;
        }
        let (key, defers) = references(c, columns)?;
        deferrable = defers;
        ConstraintKind::ForeignKey(key)
    } else {
        return None;
    };
    conflict(c)?;
    Some(Constraint {
        name,
        kind,
        include: Vec::new(),
        not_valid: false,
        enforced: true,
        deferrable,
        no_inherit: false,
    })
}

fn key_columns(c: &mut Cursor<'_>) -> Option<Vec<String>> {
    let parts = c.group()?.split(',').into_iter();
    parts
        .map(|mut one| {
            if let Some(IndexPart::Column(name, _)) = part(one) {
                return Some(name);
            }
            // `PRIMARY KEY (a AUTOINCREMENT)`
            let name = one.name()?;
            (one.eat("AUTOINCREMENT") && one.done()).then_some(name)
        })
        .collect()
}

/// A part of an index: a column, or an expression.
pub(super) fn part(mut c: Cursor<'_>) -> Option<IndexPart> {
    let whole = c;
    if let Some(name) = c.name() {
        if c.eat("COLLATE") {
            c.name()?;
        }
        c.eat_any(&["ASC", "DESC"]);
        if c.done() {
            return Some(IndexPart::Column(name, None));
        }
    }
    let mut c = whole;
    let expression = c.until(|c| c.left() == 1 && c.is_any(&["ASC", "DESC"]));
    c.eat_any(&["ASC", "DESC"]);
    Some(IndexPart::Expression(expression.rest_expression()?))
}
