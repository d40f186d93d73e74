//! The table itself, before and after.

use super::{ANY, COPYING, GHOST, Look, PERCONA, Seen, listed};
use crate::sql::schema::{Schema, Table};
use crate::sql::statement::{Action, Column, ConstraintKind, IndexPart, Name, PartitionOperation};

/// The most characters that a name may have, as characters.
const LONGEST_NAME: usize = 64;
/// The most bytes of a row without what lies outside of it. Source:
/// <https://dev.mysql.com/doc/refman/8.4/en/column-count-limit.html>.
const LONGEST_ROW: u64 = 65_535;

/// A key that tells every row, before and after.
pub(super) fn key(seen: &Seen) -> Look {
    let name = &seen.change.name;
    let (before, after) = (keys(&seen.change.before, name), keys(&seen.change.after, name));
    let renamed = renamed(seen);
    let shared: Vec<&Vec<String>> = before
        .iter()
        .filter(|key| after.contains(key))
        .filter(|key| !key.iter().any(|column| renamed.iter().any(|(from, _)| from == column)))
        .collect();
    let Some(first) = shared.first() else {
        let look = Look::at("none that is there before and after");
        return look.fail(
            COPYING,
            "a copy is walked along a primary or unique key of columns that are NOT NULL, and changes \
             find their rows by it; there must be one that the change leaves alone: add a key first, \
             in a file of its own",
        );
    };
    let look = Look::at(format!("({})", first.join(", ")));
    let computed = |column: &String| {
        let found = seen.change.before.column(name, column);
        found
            .and_then(|column| column.generated.as_ref())
            .is_some_and(|generated| !generated.stored)
    };
    if shared.iter().all(|key| key.iter().any(computed)) {
        return look.fail(
            COPYING,
            "every key that stays holds a column that is computed when read, which no copy is walked by",
        );
    }
    look
}

/// Keys of columns that are NOT NULL and whole.
fn keys(schema: &Schema, name: &Name) -> Vec<Vec<String>> {
    let Some(table) = schema.table(name) else { return Vec::new() };
    let lower = |columns: &[String]| columns.iter().map(|c| c.to_lowercase()).collect::<Vec<_>>();
    let primary = table.primary_key().map(lower);
    let filled = |column: &String| {
        let inside = primary.as_ref().is_some_and(|key| key.contains(&column.to_lowercase()));
        inside || table.column(column).is_some_and(|column| column.not_null)
    };
    let mut found: Vec<Vec<String>> = primary.iter().cloned().collect();
    let mut add = |columns: Vec<String>| {
        let columns_lower = lower(&columns);
        if !columns.is_empty() && columns.iter().all(filled) && !found.contains(&columns_lower) {
            found.push(columns_lower);
        }
    };
    for constraint in &table.constraints {
        if let ConstraintKind::Unique { columns, .. } = &constraint.kind {
            add(columns.clone());
        }
    }
    for (_, index) in schema.indexes_of(name).filter(|(_, index)| index.definition.unique) {
        let parts = index.definition.parts.iter().map(|part| match part {
            IndexPart::Column(name, None) => Some(name.clone()),
            _ => None,
        });
        if let Some(columns) = parts.collect::<Option<Vec<_>>>() {
            add(columns);
        }
    }
    found
}

/// Columns that get another name: from, to, in lower case.
fn renamed(seen: &Seen) -> Vec<(String, String)> {
    let actions = seen.change.alter().map(|alter| alter.actions.as_slice()).unwrap_or_default();
    let pair = |from: &str, to: &str| (from.to_lowercase(), to.to_lowercase());
    actions
        .iter()
        .filter_map(|(action, _)| match action {
            Action::RenameColumn { from, to } => Some(pair(from, to)),
            Action::Modify { from, column, .. } => Some(pair(from, &column.name)),
            _ => None,
        })
        .filter(|(from, to)| from != to)
        .collect()
}

pub(super) fn references(seen: &Seen) -> Look {
    let keys = &seen.facts.references;
    let look = Look::at(listed(keys.iter().map(|key| key.name.as_str()), "none"));
    let Some(first) = keys.first() else { return look };
    let look = look.fail(
        GHOST,
        format!("gh-ost takes no table with foreign keys, and `{}` is one", first.name),
    );
    match keys.iter().find(|key| key.cascades()) {
        Some(key) => look.fail(
            PERCONA,
            format!(
                "`{}` changes rows of this table by ON DELETE {}, ON UPDATE {} when `{}` changes, and \
                 InnoDB fires no triggers for those: pt-online-schema-change would copy rows that are \
                 gone; drop the cascade first, and let the application do its work",
                key.name, key.on_delete, key.on_update, key.table
            ),
        ),
        None => look.note(
            PERCONA,
            "the copy's foreign keys get a name with `_` before it, as two may not be called alike",
        ),
    }
}

pub(super) fn referring(seen: &Seen) -> Look {
    let keys = &seen.facts.referring;
    let look = Look::at(listed(keys.iter().map(|key| key.table.as_str()), "none"));
    let Some(first) = keys.first() else { return look };
    let look = look.fail(
        GHOST,
        format!(
            "gh-ost takes no table that others refer to, and `{}` does by `{}`",
            first.table, first.name
        ),
    );
    look.note(
        PERCONA,
        format!(
            "the keys of {} are made anew at the end, each by an ALTER TABLE that copies or locks that \
             table: mind its size",
            listed(keys.iter().map(|key| key.table.as_str()), "")
        ),
    )
}

pub(super) fn triggers(seen: &Seen) -> Look {
    let own = seen.facts.triggers.iter().filter(|name| !name.starts_with("pt_osc_"));
    let own: Vec<&str> = own.map(String::as_str).collect();
    let look = Look::at(listed(own.iter().copied(), "none"));
    match own.first() {
        None => look,
        Some(first) => look
            .fail(GHOST, format!("gh-ost takes no table with triggers, and `{first}` is one"))
            .note(PERCONA, "its triggers are made anew on the copy, which is done under a lock"),
    }
}

pub(super) fn generated(seen: &Seen) -> Look {
    let table = seen.change.before.table(&seen.change.name);
    let columns = table.map(|table| table.columns.as_slice()).unwrap_or_default();
    let names = columns.iter().filter(|column| column.generated.is_some());
    let names: Vec<&str> = names.map(|column| column.name.as_str()).collect();
    let look = Look::at(listed(names.iter().copied(), "none"));
    let actions = seen.change.alter().map(|alter| alter.actions.as_slice()).unwrap_or_default();
    let turned = actions.iter().find_map(|(action, _)| match action {
        Action::Modify { from, column, .. } => {
            let was = seen.change.before.column(&seen.change.name, from)?.generated.is_some();
            (was != column.generated.is_some()).then_some(from)
        }
        _ => None,
    });
    match turned {
        None => look,
        Some(column) => look.fail(
            COPYING,
            format!(
                "`{column}` is computed on one side of the change only, and a copy takes columns that \
                 both have: its values would be lost; add a new column and fill it by a job"
            ),
        ),
    }
}

pub(super) fn renames(seen: &Seen) -> Look {
    let renamed = renamed(seen);
    let look = Look::at(listed(renamed.iter().map(|(from, _)| from.as_str()), "none"));
    let actions = seen.change.alter().map(|alter| alter.actions.as_slice()).unwrap_or_default();
    let table = actions.iter().any(|(action, _)| matches!(action, Action::RenameTo(_)));
    let look = if table {
        look.fail(
            COPYING,
            "a rename of the table is no work for a tool, which renames tables itself: put it into a \
             file of its own",
        )
    } else {
        look
    };
    match renamed.first() {
        None => look,
        Some((from, to)) => look.fail(
            COPYING,
            format!(
                "`{from}` gets the name `{to}`: to a copy, one column is gone and another one is new, \
                 and the values are lost; rename in a file of its own, where it is done at once"
            ),
        ),
    }
}

pub(super) fn partitions(seen: &Seen) -> Look {
    let table = seen.change.before.table(&seen.change.name);
    let by = table.and_then(|table| table.partition_by.as_deref());
    let look = Look::at(by.map_or("none".to_owned(), |by| format!("by {}", by.trim())));
    let actions = seen.change.alter().map(|alter| alter.actions.as_slice()).unwrap_or_default();
    let moves = actions.iter().find_map(|(action, _)| match action {
        Action::Partition(operation) => Some(operation),
        _ => None,
    });
    match moves {
        None | Some(PartitionOperation::PartitionBy | PartitionOperation::Remove) => look,
        Some(_) => look.fail(
            COPYING,
            "single partitions are changed by the server itself: a tool would copy the whole table for it",
        ),
    }
}

pub(super) fn charsets(seen: &Seen) -> Look {
    let Some(table) = seen.change.before.table(&seen.change.name) else {
        return Look::at("not known");
    };
    let default = table.options.get("charset").map_or("", String::as_str);
    let mut names: Vec<&str> = table
        .columns
        .iter()
        .filter(|column| is_text(column))
        .map(|column| column.ty.charset.as_deref().unwrap_or(default))
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    let look = Look::at(if names.is_empty() { "no text".to_owned() } else { names.join(", ") });
    let known = ["utf8mb4", "utf8mb3", "utf8", "latin1", "ascii", "binary"];
    match names.iter().find(|name| !known.contains(&name.to_lowercase().as_str())) {
        None => look,
        Some(odd) => look.note(
            GHOST,
            format!(
                "texts in `{odd}` come to gh-ost by the binary log, and are written in `utf8mb4`: \
                 compare some rows of the copy before the cut-over"
            ),
        ),
    }
}

fn is_text(column: &Column) -> bool {
    ["varchar", "char", "tinytext", "text", "mediumtext", "longtext", "enum", "set"]
        .contains(&column.ty.name.as_str())
}

pub(super) fn row_size(seen: &Seen) -> Look {
    let Some(table) = seen.change.after.table(&seen.change.name) else {
        return Look::at("not known");
    };
    let bytes: u64 = table.columns.iter().map(|column| column_bytes(column, table)).sum();
    let look = Look::at(format!("at most {bytes} bytes after the change, of {LONGEST_ROW}"));
    if LONGEST_ROW < bytes {
        return look.fail(
            ANY,
            format!(
                "a row may have {LONGEST_ROW} bytes besides its long texts, and these columns add up \
                 to {bytes}: the server refuses the table; make a `varchar` a `text`"
            ),
        );
    }
    look
}

/// The most bytes of a column within its row. Source:
/// <https://dev.mysql.com/doc/refman/8.4/en/storage-requirements.html>.
fn column_bytes(column: &Column, table: &Table) -> u64 {
    let ty = &column.ty;
    let length = |default: u64| {
        ty.modifiers.first().and_then(|text| text.trim().parse().ok()).unwrap_or(default)
    };
    let charset = ty.charset.as_deref().or_else(|| {
        let collation = column.collation.as_deref().and_then(|name| name.split('_').next());
        collation.or_else(|| table.options.get("charset").map(String::as_str))
    });
    let letter = match charset.unwrap_or("utf8mb4").to_lowercase().as_str() {
        "utf8mb4" | "utf16" | "utf16le" | "utf32" | "gb18030" => 4,
        "utf8" | "utf8mb3" | "eucjpms" | "ujis" => 3,
        "ucs2" | "gbk" | "gb2312" | "big5" | "sjis" | "cp932" | "euckr" => 2,
        _ => 1,
    };
    let varying = |bytes: u64| bytes + if bytes < 256 { 1 } else { 2 };
    match ty.name.as_str() {
        "varchar" => varying(length(0) * letter),
        "char" => length(1) * letter,
        "varbinary" => varying(length(0)),
        "binary" => length(1),
        "tinyint" | "bool" | "boolean" | "year" => 1,
        "smallint" => 2,
        "mediumint" | "date" => 3,
        "int" | "integer" | "float" => 4,
        "decimal" | "numeric" => length(10) / 2 + 1,
        "enum" | "set" => 2,
        "bit" => length(1).div_ceil(8),
        "tinytext" | "tinyblob" => 9,
        "text" | "blob" => 10,
        "mediumtext" | "mediumblob" => 11,
        "longtext" | "longblob" | "json" => 12,
        _ => 8,
    }
}

pub(super) fn names(seen: &Seen) -> Look {
    let name = &seen.table.name;
    // `_t_gho`, `_t_del`, `_t_new`: five more characters.
    let length = name.chars().count() + 5;
    let look = Look::at(format!("`_{name}_gho` has {length} characters, of {LONGEST_NAME}"));
    let both = [name.as_str(), seen.table.schema.as_str()];
    let odd = |c: char| c == ',' || c == '=' || c == '/' || c.is_whitespace() || c.is_control();
    let look = match both.iter().find(|name| name.contains(odd)) {
        None => look,
        Some(odd) => look.fail(
            COPYING,
            format!(
                "`{odd}` holds a character that a tool's arguments or file names cannot hold: a space, \
                 `,`, `=` or `/`"
            ),
        ),
    };
    let triggers = format!("pt_osc_{}_{name}_ins", seen.table.schema).chars().count();
    let look = if LONGEST_NAME < triggers {
        look.note(
            PERCONA,
            "its triggers would have longer names than a name may have, so the tool cuts them: look \
             for `pt_osc_` when you clean up",
        )
    } else {
        look
    };
    if LONGEST_NAME < length {
        return look.fail(
            COPYING,
            format!(
                "a name has at most {LONGEST_NAME} characters, and the copy's would have {length}: \
                 rename the table to something shorter, for the time of the change"
            ),
        );
    }
    look
}
