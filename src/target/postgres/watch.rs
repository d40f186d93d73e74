//! What a session is doing, as another one sees it.

use crate::target::{AtWork, Bind, Brake, Result, Row, Session, Statement, Trace, Watched};

/// A session: whether it works and waits, and who holds what it waits for. Waiting for a transaction to
/// end is a lock as well (`virtualxid`).
const WATCH: &str = "\
SELECT (a.state = 'active')::text, (a.wait_event_type = 'Lock')::text,
       (SELECT string_agg(format('session %s (%s, %s, in a transaction for %s s)', b.pid,
               coalesce(nullif(b.application_name, ''), b.usename::text, b.backend_type), b.state,
               extract(epoch FROM now() - b.xact_start)::bigint), ', ')
        FROM pg_stat_activity b WHERE b.pid = ANY (pg_blocking_pids(a.pid)))
FROM pg_stat_activity a WHERE a.pid = $1::integer";

/// The build of an index (PostgreSQL 12 and later). Of the phases, some count lockers, some blocks, and
/// some tuples.
const BUILD: &str = "\
SELECT phase, CASE WHEN 0 < blocks_total THEN blocks_done ELSE tuples_done END::text,
       CASE WHEN 0 < blocks_total THEN blocks_total ELSE tuples_total END::text,
       lockers_done::text, lockers_total::text
FROM pg_stat_progress_create_index WHERE pid = $1::integer";

/// Sessions whose statement has a text in it. Process numbers are used again, so each is ended by its
/// beginning as well.
const AT_WORK: &str = "\
SELECT pid::text, pid || '.' || (extract(epoch FROM backend_start) * 1000000)::bigint,
       left(query, 200), extract(epoch FROM now() - query_start)::bigint::text
FROM pg_stat_activity
WHERE state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()
  AND 0 < position($1 IN query)";

fn number(text: Option<&String>) -> Option<u64> {
    text.and_then(|text| text.parse().ok())
}

/// See [`crate::target::Target::watch`].
pub(super) async fn watch(
    session: &mut dyn Session,
    version: u32,
    of: &str,
) -> Result<Option<Watched>> {
    let binds = || vec![Bind::Text(Some(of.to_owned()))];
    let rows = session.query(&Statement { sql: WATCH.to_owned(), binds: binds() }).await?;
    let Some([works, waits, whom]) = rows.into_iter().next().and_then(three) else {
        return Ok(None);
    };
    let mut seen = Watched {
        at_work: works.as_deref() == Some("true"),
        waits: waits.as_deref() == Some("true"),
        waits_for: whom,
        ..Watched::default()
    };
    if 120_000 <= version {
        let rows = session.query(&Statement { sql: BUILD.to_owned(), binds: binds() }).await?;
        if let Some([phase, done, total, lockers_done, lockers]) =
            rows.into_iter().next().and_then(|row| <[_; 5]>::try_from(row).ok())
        {
            seen.phase = match (number(lockers_done.as_ref()), number(lockers.as_ref())) {
                (Some(done), Some(all)) if 0 < all => {
                    phase.map(|phase| format!("{phase} ({done} of {all})"))
                }
                _ => phase,
            };
            let of = number(total.as_ref()).filter(|total| 0 < *total);
            seen.done = of.and(number(done.as_ref()));
            seen.total = of;
        }
    }
    Ok(Some(seen))
}

fn three(row: Row) -> Option<[Option<String>; 3]> {
    row.try_into().ok()
}

/// See [`crate::target::Target::at_work`].
pub(super) async fn at_work(session: &mut dyn Session, text: &str) -> Result<Vec<AtWork>> {
    let binds = vec![Bind::Text(Some(text.to_owned()))];
    let rows = session.query(&Statement { sql: AT_WORK.to_owned(), binds }).await?;
    let one = |row: Row| {
        let [pid, identity, statement, seconds] = <[Option<String>; 4]>::try_from(row).ok()?;
        let (pid, identity) = (pid?, identity?);
        let call = |name: &str| {
            Statement::plain(format!(
                "SELECT {name}(pid)::text FROM pg_stat_activity WHERE pid = {pid} AND pid || '.' || \
                 (extract(epoch FROM backend_start) * 1000000)::bigint = '{identity}'"
            ))
        };
        let brake = Brake::Statements {
            cancel: call("pg_cancel_backend"),
            terminate: call("pg_terminate_backend"),
        };
        let trace = Trace {
            session: pid,
            statement: statement.unwrap_or_default(),
            seconds: number(seconds.as_ref()).unwrap_or(0),
        };
        Some(AtWork { trace, brake })
    };
    Ok(rows.into_iter().filter_map(one).collect())
}
