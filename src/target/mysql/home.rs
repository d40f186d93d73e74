//! Where Backstop's tables stand on MySQL and MariaDB, or would be created.

use super::catalog::{Relation, find};
use super::dialect::quote;
use crate::target::fence::{self, ColumnTypes, Home, Obstacle, Place};
use crate::target::{Class, Result, Session, switch};

/// `TIMESTAMP` and not `DATETIME` for the time that the server gives by itself: a default of
/// `UTC_TIMESTAMP` needs MySQL 8.0.13, and a timestamp is an instant in every session's zone.
const TYPES: ColumnTypes = ColumnTypes {
    name: "VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin",
    text: "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    int: "INT",
    bigint: "BIGINT",
    time: "DATETIME(6)",
    serial: "BIGINT AUTO_INCREMENT PRIMARY KEY",
    time_now: "TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6)",
    suffix: " ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
};

/// See [`crate::target::Target::fence_home`].
pub(super) async fn home(session: &mut dyn Session, schema: &str) -> Result<Home> {
    let (fence, a) = place(
        session,
        schema,
        fence::TABLE,
        &fence::ddl,
        &[
            "INSERT INTO {} (job) VALUES (?)",
            "UPDATE {} SET epoch = 0 WHERE job = ?",
            "SELECT epoch FROM {} WHERE job = ?",
        ],
    )
    .await?;
    let (switch, b) = place(
        session,
        schema,
        switch::TABLE,
        &switch::ddl,
        &[
            "INSERT INTO {} (scope) VALUES (?)",
            "UPDATE {} SET released_at = NULL WHERE scope = ?",
            "SELECT scope FROM {} WHERE id = ?",
        ],
    )
    .await?;
    Ok(Home { fence, switch, schema_right: None, obstacle: a.or(b) })
}

/// See [`crate::target::Target::annex`].
pub(super) async fn annex(
    session: &mut dyn Session,
    schema: &str,
    name: &str,
    ddl: fence::Ddl<'_>,
) -> Result<(Place, Option<Obstacle>)> {
    let uses = [
        "INSERT INTO {} (undo_generation) VALUES (?)",
        "UPDATE {} SET undo_at = ? WHERE undo_generation = ?",
        "SELECT undo_at FROM {} WHERE undo_generation = ?",
        "DELETE FROM {} WHERE undo_generation = ?",
    ];
    place(session, schema, name, ddl, &uses).await
}

/// Finds one table. `uses` are the statements that it must allow, with `{}` for its name.
async fn place(
    session: &mut dyn Session,
    schema: &str,
    name: &str,
    ddl: fence::Ddl<'_>,
    uses: &[&str],
) -> Result<(Place, Option<Obstacle>)> {
    let table = format!("{}.{}", quote(schema), quote(name));
    let ddl = ddl(&table, &TYPES);
    let found = find(session, schema, name).await?;
    let mut obstacle = found.as_ref().and_then(Relation::not_a_table).map(|kind| {
        Obstacle::Unfit(format!("`{name}` exists there and is a {kind}; move it out of the way"))
    });
    // Preparing a statement checks our rights, with roles, and runs nothing.
    let uses = uses.iter().map(|sql| sql.replace("{}", &table));
    for sql in found.is_none().then(|| ddl.clone()).into_iter().chain(uses) {
        match session.prepare(&sql).await {
            Err(error) if error.is_denial() => {
                obstacle.get_or_insert_with(|| Obstacle::NoRight(error.to_string()));
            }
            Err(error) if error.code.as_deref() == Some(NO_SUCH_DATABASE) => {
                obstacle.get_or_insert_with(|| {
                    Obstacle::Unfit(format!(
                        "there is no database `{schema}`, which `[fence] schema` in \
                         `backstop.toml` names; make it, or name another"
                    ))
                });
            }
            // What is missing is the table itself, or a column of which the run will complain.
            Err(error) if error.class == Class::Refused => {}
            other => other?,
        }
    }
    Ok((Place { table, exists: found.is_some(), ddl }, obstacle))
}

const NO_SUCH_DATABASE: &str = "1049";
