//! The table of a job, or the partition of it.

use super::{Error, Refusal};
use crate::catalog::{Lookup, Server, Table, TableName};
use crate::spec::JobSpec;
use crate::target::{Session, Target};

/// Finds what the job walks.
///
/// # Errors
///
/// Why there is nothing that can be walked; or that the database could not be asked.
pub(super) async fn find(
    spec: &JobSpec,
    target: &dyn Target,
    control: &mut dyn Session,
    server: &Server,
) -> Result<Table, Error> {
    let refuse = |refusal| Err(Error::Refused(vec![refusal]));
    let name = match TableName::parse(&spec.update.table) {
        Ok(name) => name,
        Err(reason) => {
            return refuse(Refusal::new(
                format!("`update.table` is not a table's name: {reason}"),
                "",
                "write `table`, `schema.table`, or quote the parts as in SQL",
            ));
        }
    };
    let table = match target.look_up(control, &name).await? {
        Lookup::Found(table) => *table,
        Lookup::NotATable { kind } => return refuse(no_table(&name.to_string(), &kind)),
        Lookup::Missing { close } => {
            let fix = did_you_mean(&close).unwrap_or_else(|| {
                "check the name, the schema, and that the URL's user may see the table".to_owned()
            });
            return refuse(Refusal::new(
                format!("there is no table `{name}` in database `{}`", server.database),
                "",
                fix,
            ));
        }
    };
    match &spec.update.partition {
        Some(partition) => find_partition(target, control, table, partition).await,
        None => Ok(table),
    }
}

/// A copy that follows by triggers or by the log takes every row of a batch a second time, and both
/// wait for each other's rows.
///
/// # Errors
///
/// A tool is at work on the table, or has left something on it; or the database could not be asked.
pub(super) async fn refuse_under_handoff(
    target: &dyn Target,
    control: &mut dyn Session,
    table: &Table,
) -> Result<(), Error> {
    let Some(sign) = target.under_handoff(control, table).await? else { return Ok(()) };
    Err(Error::Refused(vec![Refusal::new(
        format!("table `{table}` is under a handoff: {sign}"),
        "what the job writes would be written to the copy as well, by another session, and they would \
         wait for each other",
        "run the job when the change has ended; if it has, remove what it left: triggers first, then \
         the copy",
    )]))
}

async fn find_partition(
    target: &dyn Target,
    control: &mut dyn Session,
    table: Table,
    name: &str,
) -> Result<Table, Error> {
    let refusal = match target.partition(control, &table, name).await? {
        Some(Lookup::Found(mut part)) => {
            part.remarks.push(format!(
                "only the rows of the partition `{name}` are walked; the others of `{table}` stay \
                 as they are"
            ));
            return Ok(*part);
        }
        Some(Lookup::NotATable { kind }) => no_table(name, &kind),
        Some(Lookup::Missing { close }) => Refusal::new(
            format!("table `{table}` has no partition `{name}`"),
            "",
            did_you_mean(&close).unwrap_or_else(|| "check `update.partition`".to_owned()),
        ),
        None => Refusal::new(
            format!("table `{table}` has no partitions"),
            format!("the job is to keep to its partition `{name}`"),
            "take `partition` out of [update]",
        ),
    };
    Err(Error::Refused(vec![refusal]))
}

fn no_table(name: &str, kind: &str) -> Refusal {
    Refusal::new(
        format!("`{name}` is a {kind}"),
        "batches walk a key and commit one by one, which only an ordinary table allows",
        "name the table behind it",
    )
}

fn did_you_mean(close: &[String]) -> Option<String> {
    let close: Vec<_> = close.iter().map(|name| format!("`{name}`")).collect();
    (!close.is_empty()).then(|| format!("did you mean {}?", close.join(", ")))
}
