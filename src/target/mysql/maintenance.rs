//! ANALYZE TABLE on MySQL and MariaDB.

use super::dialect::MySqlDialect;
use crate::catalog::Table;
use crate::target::{Chore, Dialect as _, Maintenance, Result, Session, Statement};

/// Before these releases, every query of the table that begins after ANALYZE TABLE waits until those
/// that ran before it have ended. Sources: <https://dev.mysql.com/doc/relnotes/mysql/8.0/en/news-8-0-24.html>,
/// <https://jira.mariadb.org/browse/MDEV-15101>.
const BLOCKS_NOBODY: ((u16, u16, u16), (u16, u16, u16)) = ((8, 0, 24), (10, 5, 4));

/// How it is done for the table.
///
/// # Errors
///
/// What the server says.
pub(super) async fn of(
    session: &mut dyn Session,
    dialect: &MySqlDialect,
    table: &Table,
    maintenance: Maintenance,
) -> Result<Chore> {
    if maintenance == Maintenance::Vacuum {
        return Ok(Err(
            "InnoDB has no VACUUM: its purge removes old versions of rows by itself, and \
                       the signal `history_list` waits for it"
                .to_owned(),
        ));
    }
    let (mysql, mariadb) = BLOCKS_NOBODY;
    let flavor = &dialect.flavor;
    let needed = if flavor.mariadb { mariadb } else { mysql };
    if flavor.version < needed {
        let (major, minor, patch) = needed;
        return Ok(Err(format!(
            "before {major}.{minor}.{patch} all queries that begin after ANALYZE TABLE wait for those \
             that ran before it"
        )));
    }
    let name = format!("{}.{}", dialect.quote(&table.schema), dialect.quote(&table.name));
    // It asks for the right to insert, which the server checks when it reads such a statement.
    if let Err(error) = session.prepare(&format!("INSERT INTO {name} () VALUES ()")).await
        && (error.is_denial() || error.is_lost())
    {
        if error.is_lost() {
            return Err(error);
        }
        return Ok(Err(format!("ANALYZE TABLE asks for SELECT and INSERT on it: {error}")));
    }
    Ok(Ok(vec![Statement::plain(format!("ANALYZE TABLE {name}"))]))
}
