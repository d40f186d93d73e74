//! What a DBA has to run so that a role with few rights can do the job.

use super::Error;
use super::prepare::connect;
use crate::catalog::{Lookup, Table, TableName};
use crate::plan;
use crate::spec::JobSpec;
use crate::target::{self, Dialect, Session, Target, fence::Home};

/// The SQL for a DBA, in the order in which it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grants {
    /// The tables that are not there yet.
    pub tables: Vec<String>,
    /// The least rights of the role that runs the job; empty where the database has no roles.
    pub rights: Vec<String>,
}

/// Reads what is there and what is missing. Writes nothing, and does not need the rights that it
/// names.
///
/// # Errors
///
/// The target cannot be reached.
pub async fn grants(spec: &JobSpec, schema: Option<&str>) -> Result<Grants, Error> {
    let target = connect(spec).await?;
    let mut session = target.open("planner").await.map_err(Error::Connect)?;
    let session = session.as_mut();
    let dialect = target.dialect();
    let home = target.fence_home(session, schema).await.map_err(Error::Connect)?;
    let missing = home.places().into_iter().filter(|place| !place.exists);
    let mut tables: Vec<_> = missing.map(|place| place.ddl.clone()).collect();
    let found = find(spec, target.as_ref(), session).await.map_err(Error::Connect)?;
    let undo = match (&spec.undo, &found) {
        (Some(_), Some(_)) => Some(plan::images_of(spec, &*target, session, schema).await?),
        _ => None,
    };
    tables.extend(undo.iter().filter(|undo| !undo.exists).map(|undo| undo.ddl.clone()));
    let Some(role) = target.grantee(session).await.map_err(Error::Connect)? else {
        return Ok(Grants { tables, rights: Vec::new() });
    };
    // A role without any right may not even see it.
    let table = found.map_or_else(
        || spec.update.table.clone(),
        |table| format!("{}.{}", dialect.quote(&table.schema), dialect.quote(&table.name)),
    );
    let mut rights = rights(spec, dialect, &home, &table, &role);
    let kept = undo.map(|undo| undo.table);
    rights.extend(
        kept.map(|table| format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}")),
    );
    Ok(Grants { tables, rights })
}

/// The table that the job writes to: the partition, where that is a table.
async fn find(
    spec: &JobSpec,
    target: &dyn Target,
    session: &mut dyn Session,
) -> target::Result<Option<Table>> {
    let Ok(name) = TableName::parse(&spec.update.table) else { return Ok(None) };
    let Lookup::Found(table) = target.look_up(session, &name).await? else { return Ok(None) };
    let Some(partition) = &spec.update.partition else { return Ok(Some(*table)) };
    Ok(match target.partition(session, &table, partition).await? {
        Some(Lookup::Found(part)) => Some(*part),
        _ => None,
    })
}

fn rights(
    spec: &JobSpec,
    dialect: &dyn Dialect,
    home: &Home,
    table: &str,
    role: &str,
) -> Vec<String> {
    let columns: Vec<_> = spec.update.set.0.iter().map(|(name, _)| dialect.quote(name)).collect();
    let mut rights: Vec<String> = home.schema_right.iter().cloned().collect();
    rights.extend(home.places().map(|place| format!("SELECT, INSERT, UPDATE ON {}", place.table)));
    rights.push(format!("SELECT, UPDATE ({}) ON {table}", columns.join(", ")));
    rights.into_iter().map(|right| format!("GRANT {right} TO {role}")).collect()
}
