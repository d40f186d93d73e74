//! The safe way to write a statement, with the user's own names.
//!
//! Each safe way is one that the reference of the field measured; the pages of the rules show the
//! same ones, and a test runs those through the gate.

use crate::catalog::{Engine, Release};
use crate::sql::schema::{Schema, Table};
use crate::sql::statement::{
    Action, AlterTable, Column, Constraint, ConstraintKind, CreateIndex, IndexPart, Name,
    Statement, Type, What,
};

/// What to write instead, as text that can be pasted; none where there is no safe way in SQL. `text`
/// is the script that the statement stands in.
#[must_use]
pub fn instead(
    statement: &Statement,
    text: &str,
    schema: &Schema,
    server: Release,
) -> Option<String> {
    let written = text.get(statement.span.clone()).unwrap_or_default();
    match server.engine {
        Engine::Postgres => postgres(statement, written, schema, server.version.0),
        Engine::MySql | Engine::MariaDb => mysql(statement, server),
        Engine::Sqlite => None,
    }
}

fn postgres(statement: &Statement, written: &str, schema: &Schema, version: u16) -> Option<String> {
    match &statement.what {
        What::CreateIndex(index) => Some(index_concurrently(index, written, schema)),
        What::DropIndex { drop, .. } => {
            let each = |name: &Name| format!("DROP INDEX CONCURRENTLY {name};");
            Some(drop.names.iter().map(each).collect::<Vec<_>>().join("\n"))
        }
        What::Reindex { name: Some(name), of, .. } => {
            let of = format!("{of:?}").to_uppercase();
            Some(format!("REINDEX {of} CONCURRENTLY {name};"))
        }
        What::RefreshView { name, .. } => Some(format!(
            "-- once, in a file of its own, on columns that are unique in it:\nCREATE UNIQUE INDEX \
             CONCURRENTLY ON {name} (…);\nREFRESH MATERIALIZED VIEW CONCURRENTLY {name};"
        )),
        What::Maintenance { tables, .. } => tables.first().map(|table| {
            format!("-- pg_repack --table={table}\n-- it writes the table anew beside the old one")
        }),
        What::CreateTable(create) => {
            let (parent, _) = create.partition_of.as_ref()?;
            let name = &create.name;
            Some(format!(
                "CREATE TABLE {name} (LIKE {parent} INCLUDING ALL);\nALTER TABLE {name} ADD CHECK \
                 (…the bounds…);\n-- in a file of its own:\nALTER TABLE {parent} ATTACH PARTITION \
                 {name} FOR VALUES …;"
            ))
        }
        What::AlterTable(alter) => alter
            .actions
            .iter()
            .find_map(|(action, _)| postgres_action(alter, action, schema, version)),
        _ => None,
    }
}

/// `CREATE INDEX CONCURRENTLY`, which a partitioned table takes only by detours.
fn index_concurrently(index: &CreateIndex, written: &str, schema: &Schema) -> String {
    let partitioned = |table: &Table| table.partition_by.is_some();
    let parts: Vec<&str> = index
        .parts
        .iter()
        .map(|part| match part {
            IndexPart::Column(name, _) => name.as_str(),
            IndexPart::Expression(expression) => expression.text.as_str(),
        })
        .collect();
    let parts = parts.join(", ");
    let table = &index.table;
    let unique = if index.unique { "UNIQUE " } else { "" };
    let name = index.name.as_ref().map(|name| name.name.clone());
    let name = name.unwrap_or_else(|| format!("{}_{}_idx", table.name, index.parts.len()));
    let filter = index
        .predicate
        .as_ref()
        .map(|predicate| format!(" WHERE {}", predicate.text))
        .unwrap_or_default();
    if !schema.table(table).is_some_and(partitioned) {
        // As it was written: operator classes, orders and parameters are the user's.
        let word = written.to_lowercase().find("index").map_or(0, |at| at + "index".len());
        let concurrently = if index.concurrently { "" } else { " CONCURRENTLY" };
        let (head, tail) = written.split_at(word);
        return format!(
            "-- in a file of its own, outside of any transaction:\n{head}{concurrently}{tail};"
        );
    }
    let mut text = format!("CREATE {unique}INDEX {name} ON ONLY {table} ({parts}){filter};\n");
    let children: Vec<&Name> = schema.partitions_of(table).map(|(name, _)| name).collect();
    text.push_str("-- then, each outside of a transaction:\n");
    for child in children {
        let own = format!("{}_{name}", child.name);
        text.push_str(&format!(
            "CREATE {unique}INDEX CONCURRENTLY {own} ON {child} ({parts}){filter};\nALTER INDEX \
             {name} ATTACH PARTITION {own};\n"
        ));
    }
    text.trim_end().to_owned()
}

fn postgres_action(
    alter: &AlterTable,
    action: &Action,
    schema: &Schema,
    version: u16,
) -> Option<String> {
    let table = &alter.name;
    match action {
        Action::SetNotNull { column } => Some(if version < 12 {
            format!(
                "ALTER TABLE {table} ADD CONSTRAINT {column}_not_null CHECK ({column} IS NOT NULL) \
                 NOT VALID;\n-- in a later transaction:\nALTER TABLE {table} VALIDATE CONSTRAINT \
                 {column}_not_null;"
            )
        } else {
            format!(
                "ALTER TABLE {table} ADD CONSTRAINT {column}_not_null CHECK ({column} IS NOT NULL) \
                 NOT VALID;\n-- in a later transaction:\nALTER TABLE {table} VALIDATE CONSTRAINT \
                 {column}_not_null;\n-- and then, without looking at a row:\nALTER TABLE {table} \
                 ALTER COLUMN {column} SET NOT NULL;\n-- the check can go in a migration of its own"
            )
        }),
        Action::AddConstraint { constraint, .. } => {
            constraint_safely(table, constraint, schema, version)
        }
        Action::AddColumn { column, .. } => Some(column_safely(table, column)),
        Action::ChangeType { column, to, .. } => Some(type_safely(table, column, to)),
        Action::RenameColumn { from, to } => {
            let ty = schema.column(table, from).map_or("…", |column| column.ty.text.as_str());
            Some(format!(
                "-- expand: the new column beside the old one\nALTER TABLE {table} ADD COLUMN {to} \
                 {ty};\n-- the application writes both; a job fills the rows that are there;\n-- \
                 then the contract drops {from}"
            ))
        }
        Action::RenameTo(to) => Some(format!(
            "ALTER TABLE {table} RENAME TO {};\n-- in the same transaction, so that the old code \
             goes on:\nCREATE VIEW {table} AS SELECT * FROM {};",
            to.name, to.name
        )),
        Action::AttachPartition { child, .. } => Some(format!(
            "ALTER TABLE {child} ADD CONSTRAINT {}_bounds CHECK (…the bounds…) NOT VALID;\n-- in a \
             later transaction:\nALTER TABLE {child} VALIDATE CONSTRAINT {}_bounds;\n-- and then \
             attach it",
            child.name, child.name
        )),
        Action::SetLogged { .. } | Action::SetTablespace | Action::SetAccessMethod => {
            Some(format!("-- pg_repack --table={table} writes it anew beside the old one"))
        }
        Action::DropDefault { column } => {
            Some(format!("-- keep the default of {column} until no code leaves the column out"))
        }
        _ => None,
    }
}

fn constraint_safely(
    table: &Name,
    constraint: &Constraint,
    schema: &Schema,
    version: u16,
) -> Option<String> {
    let later = "-- in a later transaction:";
    let named = |suffix: &str| {
        constraint.name.clone().unwrap_or_else(|| format!("{}_{suffix}", table.name))
    };
    match &constraint.kind {
        ConstraintKind::Check(check) => {
            let name = named("check");
            Some(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({}) NOT VALID;\n{later}\nALTER \
                 TABLE {table} VALIDATE CONSTRAINT {name};",
                check.text
            ))
        }
        ConstraintKind::ForeignKey(key) => {
            let name = named(&format!("{}_fkey", key.columns.join("_")));
            let partitioned = schema.table(table).is_some_and(|table| table.partition_by.is_some());
            if partitioned && version < 18 {
                return Some(format!(
                    "-- before PostgreSQL 18 a foreign key of a partitioned table cannot be NOT \
                     VALID: add it to each partition of {table} by itself, NOT VALID, and validate \
                     each in a later transaction"
                ));
            }
            let referenced = if key.referenced.is_empty() {
                String::new()
            } else {
                format!(" ({})", key.referenced.join(", "))
            };
            Some(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} FOREIGN KEY ({}) REFERENCES \
                 {}{referenced} NOT VALID;\n{later}\nALTER TABLE {table} VALIDATE CONSTRAINT {name};",
                key.columns.join(", "),
                key.table
            ))
        }
        ConstraintKind::Unique { columns, using_index: None } => {
            let name = named(&format!("{}_key", columns.join("_")));
            Some(format!(
                "-- in a file of its own, outside of any transaction:\nCREATE UNIQUE INDEX \
                 CONCURRENTLY {name} ON {table} ({});\n-- then:\nALTER TABLE {table} ADD CONSTRAINT \
                 {name} UNIQUE USING INDEX {name};",
                columns.join(", ")
            ))
        }
        ConstraintKind::PrimaryKey { columns, .. } => {
            let name = named("pkey");
            Some(format!(
                "-- in a file of its own, outside of any transaction:\nCREATE UNIQUE INDEX \
                 CONCURRENTLY {name} ON {table} ({});\n-- its columns must be NOT NULL already, else \
                 every row is looked at:\nALTER TABLE {table} ADD CONSTRAINT {name} PRIMARY KEY USING \
                 INDEX {name};",
                columns.join(", ")
            ))
        }
        ConstraintKind::NotNull(column) => {
            let name = named(&format!("{column}_not_null"));
            Some(format!(
                "ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {column} NOT VALID;\n{later}\n\
                 ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
            ))
        }
        _ => None,
    }
}

fn column_safely(table: &Name, column: &Column) -> String {
    let name = &column.name;
    let collation =
        column.collation.as_ref().map(|of| format!(" COLLATE {of}")).unwrap_or_default();
    let ty = match column.ty.name.as_str() {
        "serial" => "integer",
        "bigserial" => "bigint",
        "smallserial" => "smallint",
        _ => column.ty.text.as_str(),
    };
    let mut text = format!("ALTER TABLE {table} ADD COLUMN {name} {ty}{collation};\n");
    if let Some(default) = &column.default {
        text.push_str(&format!(
            "-- new rows get it from now on:\nALTER TABLE {table} ALTER COLUMN {name} SET DEFAULT \
             {};\n",
            default.text
        ));
    } else if column.identity || column.ty.name.ends_with("serial") {
        text.push_str(&format!(
            "CREATE SEQUENCE {}_{name}_seq OWNED BY {table}.{name};\nALTER TABLE {table} ALTER \
             COLUMN {name} SET DEFAULT nextval('{}_{name}_seq');\n",
            table.name, table.name
        ));
    } else if column.generated.is_some() {
        text.push_str("-- a trigger keeps it up to date for rows that are written\n");
    }
    for check in &column.checks {
        text.push_str(&format!(
            "ALTER TABLE {table} ADD CONSTRAINT {}_{name}_check CHECK ({}) NOT VALID;\n",
            table.name, check.expression.text
        ));
    }
    if column.unique {
        text.push_str(&format!(
            "-- in a file of its own, outside of any transaction:\nCREATE UNIQUE INDEX CONCURRENTLY \
             {0}_{name}_key ON {table} ({name});\n-- then:\nALTER TABLE {table} ADD CONSTRAINT \
             {0}_{name}_key UNIQUE USING INDEX {0}_{name}_key;\n",
            table.name
        ));
    }
    text.push_str("-- the rows that are there are filled by a job");
    if column.not_null {
        text.push_str("; then NOT NULL by way of a check that is validated");
    }
    text
}

fn type_safely(table: &Name, column: &str, to: &Type) -> String {
    format!(
        "-- expand: a new column beside the old one\nALTER TABLE {table} ADD COLUMN {column}_new \
         {};\n-- the application writes both; a job fills the rows that are there, and verifies \
         them;\n-- the contract makes {column}_new the column and drops the old one",
        to.text
    )
}

fn mysql(statement: &Statement, server: Release) -> Option<String> {
    match &statement.what {
        What::AlterTable(alter) => alter.actions.iter().find_map(|(action, _)| match action {
            Action::RenameColumn { from, to } => Some(format!(
                "-- expand: the new column beside the old one, written by the application and filled \
                 by a job;\n-- contract: drop `{from}` when nothing reads it any more (`{to}` takes \
                 its place)"
            )),
            Action::AddConstraint { constraint, .. }
                if matches!(constraint.kind, ConstraintKind::Check(_))
                    && server.engine == Engine::MySql =>
            {
                let name = constraint.name.clone().unwrap_or_else(|| "chk".to_owned());
                let ConstraintKind::Check(check) = &constraint.kind else { return None };
                Some(format!(
                    "ALTER TABLE {} ADD CONSTRAINT {name} CHECK ({}) NOT ENFORCED;\n-- it documents; \
                     enforcing it reads the whole table",
                    alter.name, check.text
                ))
            }
            _ => None,
        }),
        _ => None,
    }
}
