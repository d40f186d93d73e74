//! The names that PostgreSQL chooses.

use super::Table;
use crate::sql::statement::{Constraint, ConstraintKind, Name};

/// The index of a primary key that nobody named.
pub(super) fn default_index(table: &Name) -> Name {
    Name { schema: table.schema.clone(), name: format!("{}_pkey", table.name) }
}

/// The name itself, or with the first number behind it that makes it one that is not taken.
pub(super) fn free_name(base: String, taken: impl Fn(&str) -> bool) -> String {
    if !taken(&base) {
        return base;
    }
    let numbered = (1_u32..).map(|number| format!("{base}{number}"));
    numbered.into_iter().find(|name| !taken(name)).unwrap_or(base)
}

/// The name that PostgreSQL chooses (`ChooseConstraintName`), without its number for the second of
/// that name, and without cutting it at 63 bytes.
pub(super) fn default_name(table: &Name, known: &Table, constraint: &Constraint) -> String {
    let with =
        |columns: &[String], suffix: &str| format!("{}_{}_{suffix}", table.name, columns.join("_"));
    match &constraint.kind {
        ConstraintKind::PrimaryKey { .. } => format!("{}_pkey", table.name),
        ConstraintKind::Unique { columns, .. } => with(columns, "key"),
        ConstraintKind::ForeignKey(key) => with(&key.columns, "fkey"),
        ConstraintKind::Check(check) => {
            // It is called after its column if it names exactly one.
            let mut named = known.columns.iter().filter(|column| {
                crate::sql::mentions(crate::sql::Tokens::Postgres, &check.text, &column.name)
            });
            match (named.next(), named.next()) {
                (Some(only), None) => with(std::slice::from_ref(&only.name), "check"),
                _ => format!("{}_check", table.name),
            }
        }
        ConstraintKind::Exclude(compared) => {
            let columns: Vec<String> = compared.iter().map(|part| part.text.clone()).collect();
            with(&columns, "excl")
        }
        ConstraintKind::NotNull(column) => format!("{}_{column}_not_null", table.name),
    }
}
