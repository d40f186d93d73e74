//! VACUUM and ANALYZE on PostgreSQL.

use super::dialect::PgDialect;
use crate::catalog::Table;
use crate::target::{Bind, Chore, Dialect as _, Maintenance, Result, Session, Statement};

/// The pace of autovacuum by default, and a bound on the wait for whoever changes the table; the job's
/// own kill switches end the statement, so no other time-out does.
/// <https://www.postgresql.org/docs/current/runtime-config-resource.html#RUNTIME-CONFIG-RESOURCE-VACUUM-COST>
const GENTLY: [&str; 3] =
    ["SET vacuum_cost_delay TO '2ms'", "SET lock_timeout TO '10s'", "SET statement_timeout TO 0"];

/// From here on VACUUM can be told to leave the end of the file alone, which it would cut off under an
/// ACCESS EXCLUSIVE lock, on the standbys too: a queue behind every reader there.
/// <https://www.postgresql.org/docs/12/sql-vacuum.html>
const CAN_KEEP_END: u32 = 120_000;

/// From here on there is a right to it: <https://www.postgresql.org/docs/17/release-17.html>.
const HAS_MAINTAIN: u32 = 170_000;

/// How it is done for the table. A role without the right would get a warning and not an error: the
/// table would be skipped.
///
/// # Errors
///
/// What the server says.
pub(super) async fn of(
    session: &mut dyn Session,
    version: u32,
    table: &Table,
    maintenance: Maintenance,
) -> Result<Chore> {
    let name = format!("{}.{}", PgDialect.quote(&table.schema), PgDialect.quote(&table.name));
    let maintain =
        if HAS_MAINTAIN <= version { " OR has_table_privilege(c.oid, 'MAINTAIN')" } else { "" };
    let may = Statement {
        sql: format!(
            "SELECT (pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE'){maintain})::text \
             FROM pg_class c, pg_database d \
             WHERE c.oid = $1::regclass AND d.datname = current_database()"
        ),
        binds: vec![Bind::Text(Some(name.clone()))],
    };
    let rows = session.query(&may).await?;
    if rows.first().and_then(|row| row.first()?.as_deref()) != Some("true") {
        let grant = if HAS_MAINTAIN <= version {
            format!("; `GRANT MAINTAIN ON {name} TO …` would let it")
        } else {
            String::new()
        };
        return Ok(Err(format!(
            "only the owner of the table or of the database may, and the role of the job is neither: \
             the server would skip the table{grant}"
        )));
    }
    let statement = match maintenance {
        Maintenance::Analyze => format!("ANALYZE {name}"),
        Maintenance::Vacuum if CAN_KEEP_END <= version => {
            format!("VACUUM (TRUNCATE false) {name}")
        }
        Maintenance::Vacuum => format!("VACUUM {name}"),
    };
    Ok(Ok(GENTLY.into_iter().map(str::to_owned).chain([statement]).map(Statement::plain).collect()))
}
