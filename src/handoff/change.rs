//! The migration's file: one change of one table.

use super::{Error, Request};
use crate::catalog::{Engine, Release, Table, TableName};
use crate::rewrite::tool;
use crate::sql::schema::{Schema, plain};
use crate::sql::statement::{Action, AlterTable, Name, Statement, What};
use crate::sql::{Source, parse};
use crate::target::Online;

/// The one statement of a file.
#[derive(Debug, Clone)]
pub(super) struct Change {
    /// It.
    statement: Statement,
    /// The text that it stands in.
    text: String,
    /// The table, as it is named there.
    pub name: Name,
    release: Release,
}

/// A change, with the schema of the server.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The statement, its table by the name that the schema knows.
    pub(super) statement: Statement,
    /// The text that it stands in.
    pub(super) text: String,
    /// The table, by the name that the schema knows.
    pub(super) name: Name,
    /// As the server has it.
    pub(super) before: Schema,
    /// After the change.
    pub(super) after: Schema,
    /// The clauses, on one line.
    pub(super) clauses: String,
}

/// Finds the change in the file.
pub(super) fn read(request: &Request, release: Release) -> Result<Change, Error> {
    let text = request.text.as_str();
    let script = parse(Source::of(release), text);
    let line = |statement: &Statement| text[..statement.span.start].matches('\n').count() + 1;
    let wrong = |message: String| Err(Error::Usage(format!("{}{message}", request.file)));
    let mut changes: Vec<&Statement> = Vec::new();
    for statement in &script.statements {
        match &statement.what {
            What::Set(_) | What::Transaction(_) => {}
            What::AlterTable(_) => changes.push(statement),
            What::CreateIndex(_) if release.engine == Engine::Postgres => changes.push(statement),
            What::CreateIndex(index) => {
                return wrong(format!(
                    ":{}: a handoff takes an `ALTER TABLE`; write the index as `ALTER TABLE {} ADD \
                     INDEX …`",
                    line(statement),
                    index.table
                ));
            }
            What::Unknown { .. } => {
                return wrong(format!(
                    ":{}: this statement could not be read, so nobody knows what it does; a handoff \
                     takes one `ALTER TABLE` of {release}",
                    line(statement)
                ));
            }
            _ => {
                return wrong(format!(
                    ":{}: `{}` is no change for a handoff: the file holds one `ALTER TABLE`, and \
                     settings before it; put the rest into files of their own",
                    line(statement),
                    statement.kind
                ));
            }
        }
    }
    let statement = match changes.as_slice() {
        [one] => (*one).clone(),
        [] => {
            return wrong(
                ": it holds no `ALTER TABLE`, which is what a handoff plans; is it the right file?"
                    .to_owned(),
            );
        }
        several => {
            let lines: Vec<String> = several.iter().map(|one| line(one).to_string()).collect();
            return wrong(format!(
                ": it holds {} changes (lines {}), and a handoff takes one: a tool copies one table \
                 once; put several clauses of one table into one `ALTER TABLE`, and each table into \
                 a file of its own",
                several.len(),
                lines.join(", ")
            ));
        }
    };
    let name = match &statement.what {
        What::AlterTable(alter) => alter.name.clone(),
        What::CreateIndex(index) => index.table.clone(),
        _ => Name::default(),
    };
    Ok(Change { statement, text: request.text.clone(), name, release })
}

impl Change {
    /// The table that it makes a partition.
    pub(super) fn attached(&self) -> Option<TableName> {
        let What::AlterTable(alter) = &self.statement.what else { return None };
        alter.actions.iter().find_map(|(action, _)| match action {
            Action::AttachPartition { child, .. } => Some(TableName {
                schema: child.schema.clone(),
                name: child.name.clone(),
                quoted: true,
            }),
            _ => None,
        })
    }

    /// With the schema that the server has.
    pub(super) fn placed(&self, table: &Table, facts: &Online) -> Placed {
        let source = Source::of(self.release);
        let mut before = Schema::default();
        for definition in &facts.definitions {
            parse(source, definition).statements.iter().for_each(|one| before.apply(one));
        }
        let name = match self.release.engine {
            Engine::Postgres => {
                plain(&Name { schema: Some(table.schema.clone()), name: table.name.clone() })
            }
            _ => Name::plain(&table.name),
        };
        let mut statement = self.statement.clone();
        match &mut statement.what {
            What::AlterTable(alter) => alter.name = name.clone(),
            What::CreateIndex(index) => index.table = name.clone(),
            _ => {}
        }
        let mut after = before.clone();
        after.apply(&statement);
        let clauses = match &statement.what {
            What::AlterTable(alter) => tool::clauses(alter, &self.text),
            _ => self.text[statement.span.clone()].to_owned(),
        };
        let text = self.text.clone();
        Placed { statement, text, name, before, after, clauses }
    }
}

impl Placed {
    /// The `ALTER TABLE`, where it is one.
    pub(super) fn alter(&self) -> Option<&AlterTable> {
        match &self.statement.what {
            What::AlterTable(alter) => Some(alter),
            _ => None,
        }
    }
}
