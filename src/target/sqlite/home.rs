//! Where Backstop's tables stand in a SQLite file: in its only schema.

use crate::target::fence::{self, ColumnTypes, Home, Obstacle, Place};
use crate::target::{Bind, Result, Session, Statement, switch};

const TYPES: ColumnTypes = ColumnTypes {
    name: "TEXT",
    text: "TEXT",
    int: "INTEGER",
    bigint: "INTEGER",
    time: "TEXT",
    serial: "INTEGER PRIMARY KEY",
    time_now: "TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
    suffix: "",
};

/// Finds the tables, or their place.
///
/// # Errors
///
/// What SQLite says.
pub(super) async fn find(session: &mut dyn Session) -> Result<Home> {
    let (fence, a) = place(session, fence::TABLE, fence::ddl(fence::TABLE, &TYPES)).await?;
    let (switch, b) = place(session, switch::TABLE, switch::ddl(switch::TABLE, &TYPES)).await?;
    Ok(Home { fence, switch, schema_right: None, obstacle: a.or(b) })
}

/// See [`crate::target::Target::annex`].
pub(super) async fn annex(
    session: &mut dyn Session,
    name: &str,
    ddl: fence::Ddl<'_>,
) -> Result<(Place, Option<Obstacle>)> {
    place(session, name, ddl(name, &TYPES)).await
}

async fn place(
    session: &mut dyn Session,
    table: &str,
    ddl: String,
) -> Result<(Place, Option<Obstacle>)> {
    let sql = "SELECT type FROM main.sqlite_schema WHERE name = ?1".to_owned();
    let binds = vec![Bind::Text(Some(table.to_owned()))];
    let found = session.query(&Statement { sql, binds }).await?.into_iter().flatten().next();
    let kind = found.flatten();
    let obstacle = kind.as_ref().filter(|kind| *kind != "table").map(|kind| {
        Obstacle::Unfit(format!("`{table}` is a {kind} there, and we need that name for a table"))
    });
    Ok((Place { table: table.to_owned(), exists: kind.is_some(), ddl }, obstacle))
}
