//! Whether what a statement leaves is there, and what a session does, on MySQL and MariaDB.

use super::catalog::rows;
use super::dialect::quote;
use super::flavor::Flavor;
use crate::target::{
    AtWork, Brake, Class, Effect, Error, Place, Result, Session, Standing, Statement, Trace,
    Watched,
};

/// The sessions that the account may see, on every version of both products.
const SESSIONS: &str = "SHOW FULL PROCESSLIST";

/// The table's definition, without the counter that every insert moves.
pub(super) fn settled(definition: &str) -> String {
    let mut words = definition.split(' ').filter(|word| !word.starts_with("AUTO_INCREMENT="));
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| text + " " + word)
}

/// See [`crate::target::Target::standing`].
pub(super) async fn standing(session: &mut dyn Session, effect: &Effect) -> Result<Standing> {
    let there = |is: bool| if is { Standing::There } else { Standing::Absent };
    match effect {
        Effect::Altered { table, before } => {
            let show = format!("SHOW CREATE TABLE {}.{}", quote(&table.schema), quote(&table.name));
            let found = rows(session, &show, &[]).await?;
            let now = found.into_iter().next().and_then(|row| row.into_iter().nth(1)).flatten();
            let now = now.ok_or_else(|| {
                Error::new(Class::Refused, format!("there is no table `{}`", table.name))
            })?;
            Ok(there(settled(&now) != settled(before)))
        }
        Effect::Column { table, name, .. } => Ok(there(has_column(session, table, name).await?)),
        Effect::NoColumn { table, name } => Ok(there(!has_column(session, table, name).await?)),
        Effect::Index(index) => Ok(there(has_index(session, &index.table, &index.name).await?)),
        _ => Err(Error::new(Class::Refused, "this effect is of PostgreSQL alone")),
    }
}

async fn has_column(session: &mut dyn Session, table: &Place, name: &str) -> Result<bool> {
    let sql = "SELECT COLUMN_NAME FROM information_schema.COLUMNS \
               WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND COLUMN_NAME = ?";
    Ok(!rows(session, sql, &[&table.schema, &table.name, name]).await?.is_empty())
}

async fn has_index(session: &mut dyn Session, table: &Place, name: &str) -> Result<bool> {
    let sql = "SELECT INDEX_NAME FROM information_schema.STATISTICS \
               WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ? AND INDEX_NAME = ?";
    Ok(!rows(session, sql, &[&table.schema, &table.name, name]).await?.is_empty())
}

/// See [`crate::target::Target::watch`]. MariaDB says how far it is in the list of sessions, MySQL in the
/// stages of `performance_schema`, where those are switched on.
pub(super) async fn watch(
    session: &mut dyn Session,
    flavor: &Flavor,
    number: &str,
) -> Result<Option<Watched>> {
    let list = Statement::plain(SESSIONS);
    let found = session.query_columns(&list, &["Id", "Command", "State", "Progress"]).await?;
    let Some(row) = found.into_iter().find(|row| row.first() == Some(&Some(number.to_owned())))
    else {
        return Ok(None);
    };
    let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
    let state = cell(2);
    let mut seen = Watched {
        at_work: matches!(cell(1).as_str(), "Query" | "Execute"),
        waits: state.starts_with("Waiting for") && state.ends_with("lock"),
        phase: (!state.is_empty()).then(|| state.clone()),
        ..Watched::default()
    };
    if flavor.mariadb {
        // Of the stage that it is in, in percent.
        let percent: f64 = cell(3).parse().unwrap_or(0.0);
        if 0.0 < percent {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a share of 100 in thousandths"
            )]
            let done = (percent * 1000.0).min(100_000.0) as u64;
            (seen.done, seen.total) = (Some(done), Some(100_000));
        }
    } else if number.bytes().all(|byte| byte.is_ascii_digit()) {
        let stages = format!(
            "SELECT CAST(s.WORK_COMPLETED AS CHAR), CAST(s.WORK_ESTIMATED AS CHAR) \
             FROM performance_schema.events_stages_current s JOIN performance_schema.threads t \
             ON t.THREAD_ID = s.THREAD_ID WHERE t.PROCESSLIST_ID = {number} AND 0 < s.WORK_ESTIMATED"
        );
        // Whoever may not read it knows less of the way, and nothing else.
        if let Ok(found) = session.query(&Statement::plain(stages)).await
            && let Some(row) = found.into_iter().next()
        {
            let number = |at: usize| row.get(at).cloned().flatten().and_then(|n| n.parse().ok());
            (seen.done, seen.total) = (number(0), number(1));
        }
    }
    Ok(Some(seen))
}

/// See [`crate::target::Target::at_work`].
pub(super) async fn at_work(session: &mut dyn Session, text: &str) -> Result<Vec<AtWork>> {
    let own = session.id().to_owned();
    let list = Statement::plain(SESSIONS);
    let found = session.query_columns(&list, &["Id", "Time", "Info"]).await?;
    let one = |row: Vec<Option<String>>| {
        let [id, seconds, statement] = <[Option<String>; 3]>::try_from(row).ok()?;
        let (id, statement) = (id?, statement?);
        if id == own || !statement.contains(text) {
            return None;
        }
        let kill = |what: &str| Statement::plain(format!("KILL {what} {id}"));
        let brake = Brake::Statements { cancel: kill("QUERY"), terminate: kill("CONNECTION") };
        let seconds = seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
        Some(AtWork { trace: Trace { session: id, statement, seconds }, brake })
    };
    Ok(found.into_iter().filter_map(one).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_is_no_part_of_the_definition() {
        let of =
            |counter: &str| settled(&format!("CREATE TABLE `t` (\n) ENGINE=InnoDB{counter} A=1"));
        assert_eq!(of(" AUTO_INCREMENT=7"), of(""));
        assert_ne!(of(""), of(" COMMENT='x'"));
    }
}
