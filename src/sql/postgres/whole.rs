//! What belongs to the database as a whole: schemas, extensions, servers, event triggers, labels.

use squawk_syntax::ast::{self, AstNode, Stmt};

use super::names::{Reader, drop, name_of, names, word_of};
use super::object::commented;
use super::{kind, what as what_of};
use crate::sql::statement::{ConstraintKind, CreateTable, Name, Named, Statement, What};

/// What the statement says, if it is one of these.
pub(super) fn what(reader: &Reader, statement: &Stmt) -> Option<What> {
    Some(match statement {
        Stmt::CreateSchema(create) => schema(reader, create),
        Stmt::CreateExtension(create) => What::CreateNamed {
            of: Named::Extension,
            name: word_of(create.extension()),
            if_not_exists: create.if_not_exists().is_some(),
        },
        Stmt::CreateServer(create) => What::CreateNamed {
            of: Named::Server,
            name: word_of(create.server()),
            if_not_exists: create.if_not_exists().is_some(),
        },
        Stmt::DropServer(of) => What::DropNamed {
            of: Named::Server,
            drop: drop(
                names(of.server_refs()),
                of.if_exists().as_ref(),
                of.drop_behavior().as_ref(),
            ),
        },
        Stmt::CreateEventTrigger(create) => What::CreateEventTrigger {
            calls: name_of(create.call_expr().and_then(|call| call.expr())),
        },
        Stmt::ImportForeignSchema(import) => What::ImportSchema {
            server: word_of(import.server_clause().and_then(|clause| clause.server_ref())),
        },
        Stmt::SecurityLabel(label) => What::SecurityLabel {
            on: label
                .security_label_object()
                .and_then(|object| commented(ast::CommentObject::cast(object.syntax().clone())?)),
            provider: label.for_provider().is_some(),
        },
        _ => return None,
    })
}

/// `CREATE SCHEMA`. What is made in it stands in it, whatever schema is searched first; a name in
/// it means what is made there if there is such a one.
fn schema(reader: &Reader, create: &ast::CreateSchema) -> What {
    let name = match create.create_schema_target() {
        Some(ast::CreateSchemaTarget::NamedSchema(named)) => word_of(named.schema()),
        Some(ast::CreateSchemaTarget::AuthorizationSchema(of)) => word_of(of.role()),
        None => String::new(),
    };
    let read = |element: ast::SchemaElement| {
        let statement = Stmt::cast(element.syntax().clone())?;
        let span = reader.span(statement.syntax());
        let since = super::since::since(statement.syntax());
        Some(Statement { span, kind: kind(&statement), what: what_of(reader, &statement), since })
    };
    let mut elements: Vec<Statement> = create.schema_elements().filter_map(read).collect();
    let mut made: Vec<String> = Vec::new();
    for element in &elements {
        match &element.what {
            What::CreateTable(table) => made.push(table.name.name.clone()),
            What::CreateView { name, .. } => made.push(name.name.clone()),
            What::Sequence { drop, .. } => {
                made.extend(drop.names.iter().map(|name| name.name.clone()));
            }
            _ => {}
        }
    }
    let place = |of: &mut Name| {
        if of.schema.is_none() && made.contains(&of.name) {
            of.schema = Some(name.clone());
        }
    };
    for element in &mut elements {
        match &mut element.what {
            What::CreateTable(table) => place_table(table, &place),
            What::CreateView { name, reads, .. } => {
                place(name);
                reads.iter_mut().for_each(place);
            }
            What::CreateIndex(index) => {
                place(&mut index.table);
                if let Some(of) = &mut index.name {
                    of.schema.clone_from(&index.table.schema);
                }
            }
            What::Sequence { drop, .. } => drop.names.iter_mut().for_each(place),
            What::CreateTrigger { table, .. } => place(table),
            What::Grant(relations) => relations.iter_mut().for_each(place),
            _ => {}
        }
    }
    What::CreateSchema { name, elements }
}

fn place_table(table: &mut CreateTable, place: &impl Fn(&mut Name)) {
    place(&mut table.name);
    for column in &mut table.columns {
        column.references.iter_mut().for_each(|key| place(&mut key.table));
    }
    for constraint in &mut table.constraints {
        if let ConstraintKind::ForeignKey(key) = &mut constraint.kind {
            place(&mut key.table);
        }
    }
    table.inherits.iter_mut().chain(&mut table.like).for_each(place);
    table.partition_of.iter_mut().for_each(|(parent, _)| place(parent));
    table.from_query.iter_mut().flat_map(|query| &mut query.reads).for_each(place);
}
