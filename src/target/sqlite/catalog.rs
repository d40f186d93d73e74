//! What SQLite's schema says of a table.

use super::dialect::{Affinity, SQLITE};
use crate::catalog::{
    Column, Key, KeyColumn, KeyKind, Lookup, RowEstimate, Table, TableName, closest,
};
use crate::target::{Bind, Class, Dialect as _, Error, Result, Session, Statement};

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
    let triggers = triggers(session, &table).await?;
    let remark = |name| format!("trigger `{name}` may fire for every row that changes");
    let remarks = triggers.iter().map(remark).collect();
    Ok(Lookup::Found(Box::new(Table {
        schema: "main".to_owned(),
        identity: format!("main.{table}"),
        name: table,
        partition: None,
        columns: declared.into_iter().map(|declared| declared.column).collect(),
        keys,
        estimate,
        triggers,
        remarks,
    })))
}

struct Declared {
    column: Column,
    /// Position in the primary key, from 1; 0 if it is not part of it.
    pk: usize,
}

impl Declared {
    /// Whether its collation can matter.
    fn may_hold_text(&self) -> bool {
        matches!(Affinity::of(&self.column.type_sql), Affinity::Text | Affinity::Numeric)
    }
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
                self_updating: false,
                key_kind: key_kind(cell(row, 1)),
            },
            pk: cell(row, 3).parse().unwrap_or_default(),
        })
        .collect())
}

/// The kind of a key column. Where a column may hold numbers and texts side by side, a text that
/// looks like a number has become one, so that the two never share their spelling.
fn key_kind(declared: &str) -> Result<KeyKind, String> {
    match Affinity::of(declared) {
        Affinity::Integer => Ok(KeyKind::Integer),
        Affinity::Text => Ok(KeyKind::Text),
        Affinity::Numeric => {
            let upper = declared.to_ascii_uppercase();
            let is_number = ["NUM", "DEC", "BOOL"].iter().any(|part| upper.contains(part));
            Ok(if is_number { KeyKind::Integer } else { KeyKind::Text })
        }
        Affinity::Blob if !["", "ANY"].contains(&declared.to_ascii_uppercase().as_str()) => {
            Ok(KeyKind::Bytes)
        }
        Affinity::Blob => Err(
            "it is declared without a type, so it may hold a number and the text of it side by \
             side; a key needs a type such as INTEGER, TEXT, DATE or BLOB"
                .to_owned(),
        ),
        Affinity::Real => Err(format!(
            "it is declared as `{declared}`, and floating-point values do not survive being written \
             as text, so a cursor could come back as another key"
        )),
    }
}

/// The unique indexes, and the rowid where it is a column of the table: the primary key first, then
/// by number of columns.
async fn keys(
    session: &mut dyn Session,
    table: &str,
    declared: &[Declared],
    without_rowid: bool,
) -> Result<Vec<Key>> {
    let mut keys = Vec::new();
    let indexes = session
        .query(&ask(
            "SELECT name, partial, origin FROM pragma_index_list(?1) WHERE \"unique\" = 1 ORDER BY name",
            table,
        ))
        .await?;
    for index in &indexes {
        let (name, primary) = (cell(index, 0), cell(index, 2) == "pk");
        let columns = session
            .query(&ask(
                "SELECT name, cid, \"desc\", coll FROM pragma_index_xinfo(?1) WHERE key = 1 \
                 ORDER BY seqno",
                name,
            ))
            .await?;
        let of = |name: &str| declared.iter().find(|column| column.column.name == name);
        let may_be_null = |name: &str| of(name).is_none_or(|column| column.column.nullable);
        let unusable = if cell(index, 1) == "1" {
            Some("it covers only a part of the rows".to_owned())
        } else if columns.iter().any(|row| cell(row, 1) == "-2") {
            Some("it is over an expression".to_owned())
        } else if primary && without_rowid {
            None
        } else {
            columns.iter().map(|row| cell(row, 0)).find(|name| may_be_null(name)).map(|name| {
                let why = if primary { " (SQLite allows that in a primary key)" } else { "" };
                format!("`{name}` may be NULL{why}")
            })
        };
        let mut resolved = Vec::new();
        for row in &columns {
            let (name, descending) = (cell(row, 0).to_owned(), cell(row, 2) == "1");
            let text = of(&name).is_some_and(Declared::may_hold_text);
            let collation = if text {
                foreign_collation(session, table, &name, cell(row, 3)).await?
            } else {
                None
            };
            resolved.push(KeyColumn { name, descending, collation });
        }
        keys.push(Key {
            index: Some(name.to_owned()).filter(|_| !primary),
            columns: resolved,
            primary,
            unusable,
        });
    }
    // A primary key without an index is the rowid itself, which is never NULL.
    if !keys.iter().any(|key| key.primary)
        && let Some(rowid) = declared.iter().find(|column| column.pk == 1)
    {
        let columns = vec![KeyColumn::ascending(&rowid.column.name)];
        keys.push(Key { index: None, columns, primary: true, unusable: None });
    }
    keys.sort_by_key(|key| (!key.primary, key.columns.len()));
    Ok(keys)
}

/// The collation of an index, if it is another than the column's own, which a bare comparison would
/// use: that would sort the table for every batch, and take rows that it calls equal for one. To
/// name one that is the column's own would keep a comparison of rows from the index
/// (<https://www.sqlite.org/rowvalue.html>, section 3.3).
async fn foreign_collation(
    session: &mut dyn Session,
    table: &str,
    column: &str,
    of_index: &str,
) -> Result<Option<String>> {
    let own = own_collation(session, table, column).await?;
    Ok(Some(of_index.to_owned()).filter(|name| !name.eq_ignore_ascii_case(&own)))
}

/// The collation that a column was declared with.
async fn own_collation(session: &mut dyn Session, table: &str, column: &str) -> Result<String> {
    // No pragma tells it, but a UNION compares as its first part does.
    let quote = |name: &str| SQLITE.quote(name);
    let look = format!(
        "SELECT CASE WHEN x = 'A' THEN 'NOCASE' WHEN x = 'a ' THEN 'RTRIM' ELSE 'BINARY' END \
         FROM (SELECT {} AS x FROM {} WHERE 0 UNION ALL SELECT 'a')",
        quote(column),
        quote(table)
    );
    let rows = session.query(&Statement::plain(look)).await?;
    Ok(rows.first().map(|row| cell(row, 0).to_owned()).unwrap_or_default())
}

/// See [`crate::target::Target::declarations`]. `ANY` converts nothing in a STRICT table and texts
/// to numbers elsewhere, so it becomes no type, which converts nothing.
pub(super) async fn declarations(
    session: &mut dyn Session,
    table: &Table,
    columns: &[&Column],
) -> Result<Vec<String>> {
    let mut declared = Vec::with_capacity(columns.len());
    for column in columns {
        let own = own_collation(session, &table.name, &column.name).await?;
        let bare = Some(column.type_sql.as_str()).filter(|name| !name.eq_ignore_ascii_case("any"));
        let collate = if own == "BINARY" { String::new() } else { format!(" COLLATE {own}") };
        declared.push(format!("{}{collate}", bare.unwrap_or_default()));
    }
    Ok(declared)
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
            return Ok(Some(RowEstimate {
                rows,
                source: "sqlite_stat1".to_owned(),
                guessed: false,
            }));
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
            return Ok(Some(RowEstimate {
                rows: 0,
                source: "an empty table".to_owned(),
                guessed: false,
            }));
        };
        *end = value;
    }
    let width = i128::from(ends[1]) - i128::from(ends[0]) + 1;
    Ok(u64::try_from(width).ok().map(|rows| RowEstimate {
        rows,
        source: "first and last rowid".to_owned(),
        guessed: true,
    }))
}

async fn triggers(session: &mut dyn Session, table: &str) -> Result<Vec<String>> {
    let triggers = session
        .query(&ask(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE \
             AND upper(sql) LIKE '%UPDATE%'",
            table,
        ))
        .await?;
    Ok(triggers.iter().map(|row| cell(row, 0).to_owned()).collect())
}
