//! Which key the batches walk along.

use super::Refusal;
use crate::catalog::{Key as Index, KeyColumn, Table};

/// Chooses the index: the one whose columns the spec names, else the primary key, else the first
/// usable unique index. Also says why.
///
/// # Errors
///
/// The refusal, with every candidate and what is wrong with it.
pub(super) fn choose(table: &Table, wanted: Option<&[String]>) -> Result<(Index, String), Refusal> {
    match wanted {
        Some(columns) => choose_named(table, columns),
        None => choose_default(table),
    }
}

/// Why the walk cannot go along this index, if it cannot.
pub(super) fn obstacle(table: &Table, index: &Index) -> Option<String> {
    if let Some(reason) = &index.unusable {
        return Some(reason.clone());
    }
    index.columns.iter().find_map(|KeyColumn { name, .. }| {
        match table.column(name).map(|column| &column.key_kind) {
            Some(Ok(_)) => None,
            Some(Err(reason)) => Some(format!("column `{name}`: {reason}")),
            None => Some(format!("column `{name}` is not visible")),
        }
    })
}

fn label(index: &Index) -> String {
    let columns = index.names().join(", ");
    match &index.index {
        Some(name) => format!("`{name}` ({columns})"),
        None => format!("({columns})"),
    }
}

fn choose_named(table: &Table, columns: &[String]) -> Result<(Index, String), Refusal> {
    let same = |index: &&Index| {
        index.columns.len() == columns.len()
            && index.columns.iter().zip(columns).all(|(a, b)| a.name.eq_ignore_ascii_case(b))
    };
    let named = columns.join(", ");
    let Some(index) = table.keys.iter().find(same) else {
        return Err(Refusal::new(
            format!("`[batch] key` ({named}) is not a unique key of `{table}`"),
            "two rows with one key value could fall on both sides of a cursor, and one of them \
             would be skipped",
            candidates(table),
        ));
    };
    match obstacle(table, index) {
        None => Ok((index.clone(), "named by `[batch] key`".to_owned())),
        Some(reason) => Err(Refusal::new(
            format!("`[batch] key` ({named}) cannot be walked"),
            reason,
            candidates(table),
        )),
    }
}

fn choose_default(table: &Table) -> Result<(Index, String), Refusal> {
    let usable = table.keys.iter().find(|index| obstacle(table, index).is_none());
    let Some(index) = usable else {
        return Err(Refusal::new(
            format!("`{table}` has no key to walk along"),
            "batches need a primary key, or a unique index over columns that are not null",
            candidates(table),
        ));
    };
    let reason = if index.primary {
        "the primary key".to_owned()
    } else {
        match table.keys.iter().find(|index| index.primary) {
            Some(primary) => format!(
                "a unique index; the primary key cannot be walked: {}",
                obstacle(table, primary).unwrap_or_default()
            ),
            None => "a unique index over columns that are not null; there is no primary key".into(),
        }
    };
    Ok((index.clone(), reason))
}

fn candidates(table: &Table) -> String {
    if table.keys.is_empty() {
        return "the table has no unique index; create one (online) and run again".to_owned();
    }
    let listed: Vec<String> = table
        .keys
        .iter()
        .map(|index| match obstacle(table, index) {
            None => format!("{} can be walked", label(index)),
            Some(reason) => format!("{} cannot: {reason}", label(index)),
        })
        .collect();
    format!("its unique keys: {}", listed.join("; "))
}
