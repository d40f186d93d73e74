//! What SQLite's schema says of a table.

use crate::catalog::{Column, Key, KeyKind, Lookup, RowEstimate, Table, TableName, closest};
use crate::target::{Bind, Class, Error, Result, Session, Statement};

fn ask(sql: &str, text: &str) -> Statement {
    Statement { sql: sql.to_owned(), binds: vec![Bind::Text(Some(text.to_owned()))] }
}

fn cell(row: &[Option<String>], i: usize) -> &str {
    row.get(i).and_then(Option::as_deref).unwrap_or_default()
}

/// Looks a table of the main database up; SQLite compares names without case.
pub(super) async fn look_up(session: &mut dyn Session, name: &TableName) -> Result<Lookup> {
    if let Some(schema) = &name.schema
        && !schema.eq_ignore_ascii_case("main")
    {
        return Err(Error::new(
            Class::Unsuitable,
            format!(
                "a SQLite file has only the schema `main`, not `{schema}`; write the table alone"
            ),
        ));
    }
    let found = session
        .query(&ask(
            "SELECT name, type, wr, strict FROM pragma_table_list \
             WHERE schema = 'main' AND name = ?1 COLLATE NOCASE",
            &name.name,
        ))
        .await?;
    let Some(row) = found.first() else {
        let all = session
            .query(&Statement::plain(
                "SELECT name FROM pragma_table_list \
                 WHERE schema = 'main' AND type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' \
                 ESCAPE '\\'",
            ))
            .await?;
        let names: Vec<String> = all.into_iter().flatten().flatten().collect();
        let close = closest(&name.name, names.iter().map(String::as_str));
        return Ok(Lookup::Missing { close });
    };
    match cell(row, 1) {
        "table" => {}
        "virtual" | "shadow" => return Ok(Lookup::NotATable { kind: "virtual table".to_owned() }),
        kind => return Ok(Lookup::NotATable { kind: kind.to_owned() }),
    }
    let table = cell(row, 0).to_owned();
    let without_rowid = cell(row, 2) == "1";
    let declared = declared_columns(session, &table).await?;
    let keys = keys(session, &table, &declared, without_rowid).await?;
    let estimate = estimate(session, &table, &declared, without_rowid).await?;
    let remarks = remarks(session, &table).await?;
    Ok(Lookup::Found(Box::new(Table {
        schema: "main".to_owned(),
        identity: format!("main.{table}"),
        name: table,
        columns: declared.into_iter().map(|declared| declared.column).collect(),
        keys,
        estimate,
        remarks,
    })))
}

struct Declared {
    column: Column,
    /// Position in the primary key, from 1; 0 if it is not part of it.
    pk: usize,
}

async fn declared_columns(session: &mut dyn Session, table: &str) -> Result<Vec<Declared>> {
    let rows = session
        .query(&ask(
            "SELECT name, type, \"notnull\", pk, hidden FROM pragma_table_xinfo(?1) WHERE hidden <> 1",
            table,
        ))
        .await?;
    Ok(rows
        .iter()
        .map(|row| Declared {
            column: Column {
                name: cell(row, 0).to_owned(),
                type_sql: cell(row, 1).to_owned(),
                nullable: cell(row, 2) == "0",
                generated: cell(row, 4) != "0",
                key_kind: key_kind(cell(row, 1)),
            },
            pk: cell(row, 3).parse().unwrap_or_default(),
        })
        .collect())
}

/// The kind of a key column by its declared type's affinity: the first rule that matches.
/// Source: <https://www.sqlite.org/datatype3.html>, section 3.1.
fn key_kind(declared: &str) -> Result<KeyKind, String> {
    let upper = declared.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| upper.contains(part));
    if has(&["INT"]) {
        Ok(KeyKind::Integer)
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        Ok(KeyKind::Text)
    } else if has(&["BLOB"]) {
        Ok(KeyKind::Bytes)
    } else {
        Err(format!(
            "its declared type `{declared}` lets it hold numbers and text side by side; a key needs \
             INTEGER, TEXT or BLOB"
        ))
    }
}

async fn keys(
    session: &mut dyn Session,
    table: &str,
    declared: &[Declared],
    without_rowid: bool,
) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    let mut primary: Vec<&Declared> = declared.iter().filter(|column| 0 < column.pk).collect();
    primary.sort_by_key(|column| column.pk);
    // `INTEGER PRIMARY KEY`, spelt exactly so, is the rowid itself and never NULL.
    let is_rowid = !without_rowid
        && primary.len() == 1
        && primary[0].column.type_sql.eq_ignore_ascii_case("INTEGER");
    if !primary.is_empty() {
        let nullable = primary.iter().find(|column| column.column.nullable);
        keys.push(Key {
            index: None,
            columns: primary.iter().map(|column| column.column.name.clone()).collect(),
            primary: true,
            unusable: nullable.filter(|_| !is_rowid && !without_rowid).map(|column| {
                format!(
                    "`{}` may be NULL (SQLite allows that in a primary key)",
                    column.column.name
                )
            }),
        });
    }
    let indexes = session
        .query(&ask(
            "SELECT name, partial FROM pragma_index_list(?1) \
             WHERE \"unique\" = 1 AND origin <> 'pk' ORDER BY name",
            table,
        ))
        .await?;
    for index in &indexes {
        let name = cell(index, 0);
        let columns = session
            .query(&ask(
                "SELECT name, cid, coll FROM pragma_index_xinfo(?1) WHERE key = 1 ORDER BY seqno",
                name,
            ))
            .await?;
        let names: Vec<String> = columns.iter().map(|row| cell(row, 0).to_owned()).collect();
        let of = |name: &str| declared.iter().find(|column| column.column.name == name);
        let unusable = if cell(index, 1) == "1" {
            Some("it covers only a part of the rows".to_owned())
        } else if columns.iter().any(|row| cell(row, 1) == "-2") {
            Some("it is over an expression".to_owned())
        } else {
            names
                .iter()
                .find(|name| of(name).is_none_or(|column| column.column.nullable))
                .map(|name| format!("`{name}` may be NULL"))
        };
        keys.push(Key { index: Some(name.to_owned()), columns: names, primary: false, unusable });
    }
    keys[usize::from(!primary.is_empty())..].sort_by_key(|key| key.columns.len());
    Ok(keys)
}

/// `sqlite_stat1` after ANALYZE; else the width of the rowid, which two index look-ups give.
async fn estimate(
    session: &mut dyn Session,
    table: &str,
    declared: &[Declared],
    without_rowid: bool,
) -> Result<Option<RowEstimate>> {
    let analyzed = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'";
    if !session.query(&Statement::plain(analyzed)).await?.is_empty() {
        let rows = session
            .query(&ask(
                "SELECT max(CAST(stat AS INTEGER)) FROM sqlite_stat1 WHERE tbl = ?1",
                table,
            ))
            .await?;
        if let Some(rows) = rows.first().and_then(|row| cell(row, 0).parse().ok()) {
            return Ok(Some(RowEstimate { rows, source: "sqlite_stat1".to_owned() }));
        }
    }
    let shadowed = |name: &str| declared.iter().any(|d| d.column.name.eq_ignore_ascii_case(name));
    if without_rowid || shadowed("_rowid_") {
        return Ok(None);
    }
    let table = table.replace('"', "\"\"");
    // Two statements: SQLite answers min and max from the tree's ends only one at a time.
    let mut ends = [0_i64; 2];
    for (end, which) in ends.iter_mut().zip(["min", "max"]) {
        let sql = format!("SELECT {which}(_rowid_) FROM \"{table}\"");
        let rows = session.query(&Statement::plain(sql)).await?;
        let Some(value) = rows.first().and_then(|row| cell(row, 0).parse().ok()) else {
            return Ok(Some(RowEstimate { rows: 0, source: "an empty table".to_owned() }));
        };
        *end = value;
    }
    let width = i128::from(ends[1]) - i128::from(ends[0]) + 1;
    Ok(u64::try_from(width)
        .ok()
        .map(|rows| RowEstimate { rows, source: "first and last rowid".to_owned() }))
}

async fn remarks(session: &mut dyn Session, table: &str) -> Result<Vec<String>> {
    let triggers = session
        .query(&ask(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE \
             AND upper(sql) LIKE '%UPDATE%'",
            table,
        ))
        .await?;
    Ok(triggers
        .iter()
        .map(|row| format!("trigger `{}` may fire for every row that changes", cell(row, 0)))
        .collect())
}
