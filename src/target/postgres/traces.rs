//! What PostgreSQL shows of a change under way: its sessions, its locks, its triggers, its tables; and what
//! a table is.

use super::catalog::about;
use super::online::{DEFINITIONS, HOLDING, INVALID};
use crate::target::online::{Beside, Transaction};
use crate::target::{
    Bind, Class, Dialect, Error, Force, Leftover, Mark, Place, Result, Row, Session, Shape,
    Statement, Trace, Traces,
};

/// The table's number; no row where there is none of that name.
const FIND: &str = "\
SELECT c.oid::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')";

/// By its identity, by what it says, by where it comes from. The number alone is used again; see
/// [`super::terminate`]. What a session says counts only where it is of this database.
const SESSIONS: &str = "\
SELECT a.pid::text, CASE WHEN a.state = 'idle' THEN '' ELSE left(a.query, 200) END,
       greatest(0, extract(epoch FROM clock_timestamp() - coalesce(a.query_start, a.backend_start)))::bigint::text
FROM pg_stat_activity a
WHERE a.pid <> pg_backend_pid() AND (
    a.pid || '.' || (extract(epoch FROM a.backend_start) * 1000000)::bigint = ANY ($1::text[])
    OR host(a.client_addr) || ':' || a.client_port = ANY ($2::text[])
    OR (a.datname = current_database() AND a.state <> 'idle'
        AND EXISTS (SELECT FROM unnest($3::text[]) AS mark WHERE 0 < strpos(a.query, mark))
        AND EXISTS (SELECT FROM unnest($4::text[]) AS name WHERE 0 < strpos(a.query, name))))
ORDER BY a.pid";

/// Sessions of which this role may not see what they run, nor where they come from.
const HIDDEN: &str = "\
SELECT count(*)::text FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND datname = current_database() AND query = '<insufficient privilege>'";

const LOCKS: &str = "\
SELECT l.relation::regclass || ': ' || l.mode || CASE WHEN l.granted THEN '' ELSE ', waited for' END
       || ', session ' || l.pid
FROM pg_locks l WHERE l.relation = $1::oid AND l.pid = ANY ($2::integer[]) ORDER BY 1";

const TRIGGERS: &str = "\
SELECT tgname::text FROM pg_trigger
WHERE tgrelid = $1::oid AND NOT tgisinternal AND left(tgname::text, length($2)) = $2 ORDER BY 1";

const TABLES: &str = "\
SELECT c.relname::text, coalesce(obj_description(c.oid, 'pg_class'), '')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = ANY ($2::text[]) AND c.relkind IN ('r', 'p') ORDER BY 1";

/// A list as PostgreSQL reads it.
fn list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = items
        .into_iter()
        .map(|item| format!("\"{}\"", item.replace('\\', "\\\\").replace('"', "\\\"")))
        .collect();
    format!("{{{}}}", quoted.join(","))
}

async fn rows(session: &mut dyn Session, sql: &str, binds: &[&str]) -> Result<Vec<Row>> {
    let binds = binds.iter().map(|text| Bind::Text(Some((*text).to_owned()))).collect();
    session.query(&Statement { sql: sql.to_owned(), binds }).await
}

fn first(rows: Vec<Row>) -> Option<String> {
    rows.into_iter().flatten().next().flatten()
}

fn texts(rows: Vec<Row>) -> Vec<String> {
    rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect()
}

async fn find(session: &mut dyn Session, place: &Place) -> Result<Option<String>> {
    Ok(first(rows(session, FIND, &[&place.schema, &place.name]).await?))
}

/// See [`crate::target::Target::traces`].
pub(super) async fn traces(
    session: &mut dyn Session,
    place: &Place,
    mark: &Mark,
) -> Result<Traces> {
    let sessions = sessions(session, place, mark).await?;
    let mut found = Traces { sessions, ..Traces::default() };
    let asks_others = !mark.comments.is_empty() || !mark.addresses.is_empty();
    let hidden = first(rows(session, HIDDEN, &[]).await?).unwrap_or_default();
    if asks_others && hidden != "0" {
        found.unread.push(format!(
            "{hidden} sessions of other roles: the role may not see what they run; `GRANT \
             pg_read_all_stats TO …` would show it"
        ));
    }
    if let Some(oid) = find(session, place).await? {
        let pids = found.sessions.iter().map(|one| one.session.as_str());
        let pids = list(pids);
        found.locks = texts(rows(session, LOCKS, &[&oid, &pids]).await?);
        if !mark.triggers.is_empty() {
            found.triggers = texts(rows(session, TRIGGERS, &[&oid, &mark.triggers]).await?);
        }
    }
    let names = list(mark.tables.iter().map(String::as_str));
    for row in rows(session, TABLES, &[&place.schema, &names]).await? {
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        let name = cells.next().unwrap_or_default();
        found.tables.push(Beside { name, comment: cells.next().unwrap_or_default() });
    }
    Ok(found)
}

async fn sessions(session: &mut dyn Session, place: &Place, mark: &Mark) -> Result<Vec<Trace>> {
    let addresses: Vec<String> = mark.addresses.iter().map(|text| address(text)).collect();
    let names = std::iter::once(&place.name).chain(&mark.tables).map(String::as_str);
    let binds = [
        list(mark.own.iter().map(String::as_str)),
        list(addresses.iter().map(String::as_str)),
        list(mark.comments.iter().map(String::as_str)),
        list(names),
    ];
    let binds: Vec<&str> = binds.iter().map(String::as_str).collect();
    let trace = |row: Row| {
        let mut cells = row.into_iter().map(Option::unwrap_or_default);
        Trace {
            session: cells.next().unwrap_or_default(),
            statement: cells.next().unwrap_or_default(),
            seconds: cells.next().and_then(|text| text.parse().ok()).unwrap_or(0),
        }
    };
    Ok(rows(session, SESSIONS, &binds).await?.into_iter().map(trace).collect())
}

/// As the server writes it: no brackets, and version 4 as such.
fn address(text: &str) -> String {
    let Some((host, port)) = text.rsplit_once(':') else { return text.to_owned() };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    format!("{}:{port}", host.strip_prefix("::ffff:").unwrap_or(host))
}

/// See [`crate::target::Target::end_session`].
pub(super) async fn end_session(
    session: &mut dyn Session,
    number: &str,
    force: Force,
) -> Result<()> {
    let number: i32 = number.parse().map_err(|_| {
        Error::new(Class::Refused, format!("`{number}` is no number of a session here"))
    })?;
    let call = match force {
        Force::Cancel => "pg_cancel_backend",
        Force::Terminate => "pg_terminate_backend",
    };
    // Out of the list, so that a number that is gone gives no warning.
    let sql = format!("SELECT {call}(pid)::text FROM pg_stat_activity WHERE pid = {number}");
    session.query(&Statement::plain(sql)).await.map(drop).map_err(|error| {
        if error.is_denial() { error.with_grant("GRANT pg_signal_backend TO …") } else { error }
    })
}

/// See [`crate::target::Target::holders`].
pub(super) async fn holders(
    session: &mut dyn Session,
    place: &Place,
    mark: &Mark,
) -> Result<std::result::Result<Vec<Transaction>, String>> {
    match holding(session, place, mark).await {
        Ok(holders) => Ok(Ok(holders)),
        Err(error) if error.is_lost() => Err(error),
        Err(error) => Ok(Err(error.to_string())),
    }
}

async fn holding(
    session: &mut dyn Session,
    place: &Place,
    mark: &Mark,
) -> Result<Vec<Transaction>> {
    let own = sessions(session, place, mark).await?;
    let Some(oid) = find(session, place).await? else { return Ok(Vec::new()) };
    let all = about(session, HOLDING, &oid).await?.into_iter().map(transaction);
    Ok(all.filter(|one| own.iter().all(|own| own.session != one.session)).collect())
}

/// A row of [`HOLDING`].
pub(super) fn transaction(row: Row) -> Transaction {
    let mut cells = row.into_iter().map(Option::unwrap_or_default);
    Transaction {
        session: cells.next().unwrap_or_default(),
        user: cells.next().unwrap_or_default(),
        seconds: cells.next().and_then(|text| text.parse().ok()).unwrap_or(0),
    }
}

/// See [`crate::target::Target::shape`].
pub(super) async fn shape(session: &mut dyn Session, place: &Place) -> Result<Option<Shape>> {
    let Some(oid) = find(session, place).await? else { return Ok(None) };
    let mut lines = texts(about(session, DEFINITIONS, &oid).await?);
    let invalid = texts(about(session, INVALID, &oid).await?);
    lines.extend(invalid.iter().map(|name| format!("-- the index {name} is not valid")));
    // It may have been dropped between two statements: then there is nothing, and not half of a table.
    if lines.is_empty() {
        return Ok(None);
    }
    Ok(Some(Shape { definition: lines.join("\n"), identity: oid }))
}

/// See [`crate::target::Target::remove`]. Whoever comes later waits behind the change, for so long at the
/// most.
pub(super) async fn remove(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    leftover: &Leftover,
) -> Result<()> {
    session.begin().await?;
    let done = removed(session, dialect, leftover).await;
    match done {
        Ok(()) => session.commit().await,
        Err(error) => {
            session.rollback().await?;
            Err(error)
        }
    }
}

async fn removed(
    session: &mut dyn Session,
    dialect: &dyn Dialect,
    leftover: &Leftover,
) -> Result<()> {
    session.execute(&Statement::plain("SET LOCAL lock_timeout = '100ms'")).await?;
    if let Leftover::Rename { from, to } = leftover {
        let new = Place { schema: from.schema.clone(), name: to.clone() };
        if find(session, from).await?.is_none() && find(session, &new).await?.is_some() {
            return Ok(());
        }
    }
    session.execute(&Statement::plain(dialect.removal(leftover))).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_any_text() {
        assert_eq!(list([]), "{}");
        assert_eq!(list(["a", "b,\"c\\"]), r#"{"a","b,\"c\\"}"#);
        assert_eq!(address("[::ffff:10.0.0.5]:4031"), "10.0.0.5:4031");
        assert_eq!(address("[::1]:4031"), "::1:4031");
    }
}
