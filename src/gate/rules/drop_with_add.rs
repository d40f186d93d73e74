//! Nothing is dropped in the migration that adds.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Whole};
use crate::sql::statement::{Action, Name, Statement, What};

/// The rule.
pub static RULE: Rule = Rule {
    id: "drop-with-add",
    title: "nothing is dropped in the migration that adds",
    severity: Severity::Error,
    non_negotiable: true,
    page: include_str!("drop_with_add.md"),
    check: Check::File(check),
};

/// Something that is added or dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Thing {
    /// `column`, `table`, `constraint`, `index`, `type`, `view`.
    kind: &'static str,
    /// Its table; of a table, itself.
    table: Name,
    /// Its name.
    name: String,
    /// A column's type.
    ty: String,
    /// Where.
    span: std::ops::Range<usize>,
}

fn check(whole: &Whole) -> Vec<Draft> {
    let mut added = Vec::new();
    let mut dropped = Vec::new();
    for (at, seen) in whole.seen.iter().enumerate() {
        // A table that is made anew is neither added nor dropped.
        if !whole.remakes.iter().any(|remake| remake.create == at || remake.drop == at) {
            collect(seen.statement, &mut added, &mut dropped);
        }
    }
    // What is made anew under its own name is replaced, not dropped: an index that was left invalid,
    // a view, a foreign key that stood in the way. Of columns and tables that is the worst case, not
    // an excuse.
    let replaced = |thing: &Thing, others: &[Thing]| {
        let same = |other: &Thing| {
            other.kind == thing.kind
                && other.name == thing.name
                && (thing.kind != "constraint" || other.table == thing.table)
        };
        matches!(thing.kind, "index" | "view" | "constraint") && others.iter().any(same)
    };
    let pure: Vec<&Thing> = dropped.iter().filter(|thing| !replaced(thing, &added)).collect();
    let more: Vec<&Thing> = added.iter().filter(|thing| !replaced(thing, &dropped)).collect();
    let (Some(dropped), Some(first)) = (pure.first(), more.first()) else { return Vec::new() };
    // The pair that is a rename in disguise says more than the first of each.
    let disguised = pure.iter().find_map(|thing| {
        let twin = more.iter().find(|other| {
            other.kind == thing.kind
                && match thing.kind {
                    "column" => {
                        other.table == thing.table
                            && (other.ty == thing.ty || other.name == thing.name)
                    }
                    _ => thing.kind == "table",
                }
        })?;
        Some((*thing, *twin))
    });
    let draft = match disguised {
        Some((old, new)) if old.name == new.name => Draft::at(
            old.span.clone(),
            format!(
                "drops the {} `{}` and adds it again: all its values are lost",
                old.kind, old.name
            ),
        ),
        Some((old, new)) => Draft::at(
            old.span.clone(),
            format!(
                "drops the {} `{}` and adds `{}`: this is a rename in disguise, and the values of \
                 `{}` are lost",
                old.kind, old.name, new.name, old.name
            ),
        )
        .why("tools that compare two schemas write a rename as a drop and an add"),
        None => Draft::at(
            dropped.span.clone(),
            format!(
                "drops the {} `{}` in a migration that adds the {} `{}`",
                dropped.kind, dropped.name, first.kind, first.name
            ),
        ),
    };
    vec![
        draft
            .why(
                "the code that runs now needs what is dropped, the code that comes needs what is \
                 added: in one migration there is no moment when both are served",
            )
            .instead(Some(
                "-- this file, which only adds:\n-- backstop: phase expand\n\n-- a later file, once \
                 the data has moved and was verified:\n-- backstop: phase contract of THIS-FILE.sql"
                    .to_owned(),
            )),
    ]
}

fn collect(statement: &Statement, added: &mut Vec<Thing>, dropped: &mut Vec<Thing>) {
    let span = &statement.span;
    let thing = |kind, table: &Name, name: &str, span: &std::ops::Range<usize>| Thing {
        kind,
        table: table.clone(),
        name: name.to_owned(),
        ty: String::new(),
        span: span.clone(),
    };
    let itself = |kind, name: &Name| thing(kind, name, &name.name, span);
    match &statement.what {
        What::CreateTable(table) if !table.temporary => added.push(itself("table", &table.name)),
        What::DropTable(drop) if !drop.temporary => {
            dropped.extend(drop.names.iter().map(|name| itself("table", name)));
        }
        What::CreateIndex(index) => {
            added.extend(index.name.iter().map(|name| itself("index", name)));
        }
        What::DropIndex { drop, .. } => {
            dropped.extend(drop.names.iter().map(|name| itself("index", name)));
        }
        What::CreateView { name, .. } => added.push(itself("view", name)),
        What::DropView { drop, .. } => {
            dropped.extend(drop.names.iter().map(|name| itself("view", name)));
        }
        What::CreateType { name, .. } => added.push(itself("type", name)),
        What::DropType(drop) => {
            dropped.extend(drop.names.iter().map(|name| itself("type", name)));
        }
        What::DropSchema(drop) => {
            dropped.extend(drop.names.iter().map(|name| itself("schema", name)));
        }
        What::AlterTable(alter) => {
            for (action, span) in &alter.actions {
                match action {
                    Action::AddColumn { column, .. } => added.push(Thing {
                        ty: column.ty.name.clone(),
                        ..thing("column", &alter.name, &column.name, span)
                    }),
                    Action::DropColumn { name, .. } => dropped.push(Thing {
                        ty: String::new(),
                        ..thing("column", &alter.name, name, span)
                    }),
                    Action::AddConstraint { constraint, .. } => {
                        let name = constraint.name.as_deref().unwrap_or("without a name");
                        added.push(thing("constraint", &alter.name, name, span));
                    }
                    Action::DropConstraint { name, .. }
                    | Action::DropForeignKey { name, .. }
                    | Action::DropCheck { name } => {
                        dropped.push(thing("constraint", &alter.name, name, span));
                    }
                    Action::DropPrimaryKey => {
                        dropped.push(thing("constraint", &alter.name, "PRIMARY", span));
                    }
                    Action::AddIndex { index } => {
                        let name = index.name.as_ref().map_or("without a name", |name| &name.name);
                        added.push(thing("index", &alter.name, name, span));
                    }
                    Action::DropIndex { name, .. } => {
                        dropped.push(thing("index", &alter.name, name, span));
                    }
                    _ => {}
                }
            }
        }
        What::Do(body) => {
            body.statements.iter().for_each(|inner| collect(inner, added, dropped));
        }
        _ => {}
    }
}
