//! What the server can be asked about its health.
//!
//! A role that is no member of `pg_read_all_stats` (`pg_monitor` is one) is shown sessions, replicas
//! and vacuums of others with NULL in place of what they do. Whoever counts those rows would count
//! none, so what reads them asks for the membership first, at every time: a signal that is readable
//! only as long as nobody else is logged in would pause the job by chance. Sources:
//! <https://www.postgresql.org/docs/18/monitoring-stats.html>, and where 15 and 18 were seen to differ
//! from it, they themselves.

use super::catalog;
use super::dialect::quote;
use crate::catalog::TableName;
use crate::target::signals::cells;
use crate::target::{
    Answer, Bind, Class, Error, Question, Reading, Result, Row, Session, Statement, waits,
};

/// The first release with `pg_ls_archive_statusdir`.
const ARCHIVE_STATUS_SINCE: u32 = 120_000;

/// Answers a question. `version` is the server's `server_version_num`.
pub(super) async fn ask(
    session: &mut dyn Session,
    version: u32,
    question: &Question,
) -> Result<Answer> {
    Ok(match question {
        Question::Positions => Answer::Read(positions(session).await?),
        Question::RetainedLog => Answer::Read(retained_log(session).await?),
        Question::OwnLag => Answer::one(own_lag(session).await?),
        Question::Heartbeat { table, column } => {
            Answer::one(heartbeat(session, table, column).await?)
        }
        Question::Blocked { sessions } => {
            let rows = session.query(&Statement::plain(WAITS)).await?;
            Answer::one(waits::blocked(&rows, sessions))
        }
        Question::Active { sessions } => {
            may_see_others(session, "what other sessions do").await?;
            number(session, with_sessions(ACTIVE, sessions)).await?
        }
        Question::WalWritten => number(session, Statement::plain(END_OF_LOG)).await?,
        Question::BinlogWritten => {
            Answer::NotHere("PostgreSQL has no binary log; its log is the write-ahead log")
        }
        Question::ArchiveBacklog => archive_backlog(session, version).await?,
        Question::WraparoundVacuum { table } => {
            vacuums(session, table, "AND a.query LIKE '%(to prevent wraparound)'").await?
        }
        Question::Autovacuum { table } => vacuums(session, table, "").await?,
        Question::DeadRows { table } => {
            let oid = identify(session, table).await?;
            number(session, with_text(DEAD_ROWS, oid)).await?
        }
        Question::HistoryList => Answer::NotHere(
            "PostgreSQL keeps old versions of rows in the table and has no history list",
        ),
        Question::TransactionAge { sessions } => {
            may_see_others(session, "how old the transactions of others are").await?;
            number(session, with_sessions(TRANSACTION_AGE, sessions)).await?
        }
        Question::DiskFree => Answer::NotHere(
            "PostgreSQL cannot be asked for it; name a `path` to look at on its machine",
        ),
        Question::Number { sql } => {
            Answer::number(&session.query(&Statement::plain(as_text(sql))).await?)
        }
    })
}

/// The statement, with its number as text: sessions read no other type of number than a whole one.
fn as_text(sql: &str) -> String {
    // The line break ends a comment at the end of the statement.
    format!("SELECT n::text FROM (\n{}\n) AS asked (n)", sql.trim().trim_end_matches(';'))
}

/// The end of the log in bytes: what was written, and on a standby what has arrived or was replayed,
/// for it may replay from an archive. (`greatest` passes NULL over, so that it must never stand around
/// what may not be told.)
const END_OF_LOG: &str = "\
SELECT (CASE WHEN pg_is_in_recovery()
        THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
        ELSE pg_current_wal_lsn() END - '0/0')::text";

/// The replicas: who it is, whether it takes changes or rows, what it does, and how far it is. Not
/// every consumer of rows tells what it has applied, but each what it needs no more. A base backup is
/// no replica. Nor is what takes the log and replays nothing of it, such as `pg_receivewal`: it tells
/// how much it has written and never how much it has replayed, while a standby tells both at once.
const REPLICAS: &str = "\
SELECT CASE WHEN s.slot_type = 'logical' THEN 'subscriber' ELSE 'replica' END,
       coalesce(r.application_name, ''), coalesce(r.client_addr::text, ''),
       coalesce(r.client_port::text, ''), r.state,
       (CASE WHEN s.slot_type = 'logical'
             THEN coalesce(r.replay_lsn, r.flush_lsn, s.confirmed_flush_lsn)
             ELSE r.replay_lsn END - '0/0')::text
FROM pg_stat_replication r LEFT JOIN pg_replication_slots s ON s.active_pid = r.pid
WHERE r.state IS DISTINCT FROM 'backup'
  AND (s.slot_type = 'logical' OR r.replay_lsn IS NOT NULL OR r.write_lsn IS NULL)
ORDER BY r.application_name, r.client_addr, r.client_port";

/// The own end of the log comes first: what replicas are then seen to have replayed is later, and
/// their lag never looks longer than it is by the time that the question takes.
async fn positions(session: &mut dyn Session) -> Result<Vec<Reading>> {
    let own = first(session, Statement::plain(END_OF_LOG)).await?;
    let rows = session.query(&Statement::plain(REPLICAS)).await?;
    if rows.iter().any(|row| matches!(row.get(4), Some(None))) {
        may_see_others(session, "how far its replicas are").await?;
    }
    let mut readings = vec![Reading::told(None, own.as_deref())];
    readings.extend(replicas(&rows));
    Ok(readings)
}

/// Each replica under a name of its own: its `application_name`, with the address where that is the
/// default or taken twice, and the port where that is still not enough.
fn replicas(rows: &[Row]) -> Vec<Reading> {
    let texts = |row: &Row| -> [String; 4] {
        std::array::from_fn(|at| row.get(at).cloned().flatten().unwrap_or_default())
    };
    let all: Vec<[String; 4]> = rows.iter().map(texts).collect();
    let same = |mine: &[String]| all.iter().filter(|other| other.starts_with(mine)).count();
    rows.iter()
        .zip(&all)
        .map(|(row, who)| {
            let [kind, name, address, port] = who;
            let address = if address.is_empty() { "a local socket" } else { address };
            let mut full = format!("{kind} {name}");
            if ["", "walreceiver"].contains(&name.as_str()) || 1 < same(&who[..2]) {
                full.push_str(&format!(" at {address}"));
            }
            if 1 < same(&who[..3]) {
                full.push_str(&format!(":{port}"));
            }
            let cell = |at: usize| row.get(at).and_then(Option::as_deref);
            match (cell(4), cell(5)) {
                (Some(state), None) => {
                    let reason =
                        format!("it is connected (`{state}`), and has not told how far it is");
                    Reading::of(full, Err(reason))
                }
                (_, replayed) => Reading::told(Some(full), replayed),
            }
        })
        .collect()
}

/// Slots are shown to every role. A slot that has reserved nothing keeps nothing. `wal_status` is of
/// PostgreSQL 13 and later.
const SLOTS: &str = "\
SELECT s.slot_name::text, coalesce(to_jsonb(s)->>'wal_status', ''),
       CASE WHEN s.restart_lsn IS NULL THEN '0' ELSE
           (CASE WHEN pg_is_in_recovery()
                 THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
                 ELSE pg_current_wal_lsn() END - s.restart_lsn)::text END
FROM pg_replication_slots s ORDER BY s.slot_name";

async fn retained_log(session: &mut dyn Session) -> Result<Vec<Reading>> {
    let rows = session.query(&Statement::plain(SLOTS)).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let [name, status, bytes] = cells(row);
            let name = format!("slot {}", name.unwrap_or_default());
            if status.as_deref() == Some("lost") {
                let reason = "the log that it needs was removed; its consumer must begin anew, and \
                              the slot be dropped";
                return Reading::of(name, Err(reason.to_owned()));
            }
            Reading::told(Some(name), bytes.as_deref())
        })
        .collect())
}

/// Whether it is a standby, the WAL receiver's process and state, whether all that was received is
/// replayed, the age of the latest transaction replayed, and for how long the primary has been
/// silent beyond what an idle one is: after half of `wal_receiver_timeout` the receiver asks it to say
/// something (<https://www.postgresql.org/docs/18/runtime-config-replication.html>), which an answer
/// takes up to a few seconds.
const OWN_LAG: &str = "\
SELECT pg_is_in_recovery()::text, r.pid::text, r.status,
       (pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn())::text,
       extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::text,
       round(extract(epoch FROM clock_timestamp() - r.last_msg_receipt_time))::text,
       (r.last_msg_receipt_time + interval '5 s' + CASE s.setting WHEN '0' THEN NULL
            ELSE s.setting::integer / 2 * interval '1 ms' END < clock_timestamp())::text
FROM (SELECT setting FROM pg_settings WHERE name = 'wal_receiver_timeout') s
LEFT JOIN pg_stat_wal_receiver r ON true";

async fn own_lag(session: &mut dyn Session) -> Result<Reading> {
    let row = session.query(&Statement::plain(OWN_LAG)).await?.into_iter().next();
    let [standby, receiver, status, caught_up, age, silence, too_silent] =
        cells(row.unwrap_or_default());
    let yes = |text: &Option<String>| text.as_deref() == Some("true");
    let bad = |reason: &str| Ok(Reading::untold(reason));
    if !yes(&standby) {
        return bad("it is no replica");
    }
    if receiver.is_none() {
        return bad("it has no WAL receiver: it is cut off from its primary");
    }
    let Some(status) = status else {
        may_see_others(session, "whether the WAL receiver streams").await?;
        return bad("the server does not tell whether its WAL receiver streams");
    };
    if status != "streaming" {
        return bad(&format!("its WAL receiver does not stream: it is `{status}`"));
    }
    if yes(&too_silent) {
        let silence = silence.unwrap_or_default();
        return bad(&format!("it has not heard of its primary for {silence} s"));
    }
    if yes(&caught_up) {
        return Ok(Reading::plain(0.0));
    }
    if age.is_none() {
        return bad("it is behind, and has replayed no transaction yet by which to tell how much");
    }
    // The time is of the primary's clock.
    let Reading { of, value } = Reading::told(None, age.as_deref());
    Ok(Reading { of, value: value.map(|age| age.max(0.0)) })
}

/// A time without an offset is taken for UTC. Whoever writes local time east of it is found out, for
/// such a beat lies in the future.
async fn heartbeat(session: &mut dyn Session, table: &TableName, column: &str) -> Result<Reading> {
    let found = find(session, table).await?;
    // JSON writes times in ISO 8601 whatever `DateStyle` is, and texts as they are.
    let sql = format!(
        "SELECT extract(epoch FROM clock_timestamp() - (CASE WHEN beat ~ ':\\d\\d:\\d\\d(\\.\\d+)?$' \
         THEN beat || '+00' ELSE beat END)::timestamptz)::text \
         FROM (SELECT to_json(max({}))#>>'{{}}' AS beat FROM {}.{}) AS newest",
        quote(column),
        quote(&found.schema),
        quote(&found.name)
    );
    let age = first(session, Statement::plain(sql)).await?;
    Ok(Reading::beat(age.as_deref()))
}

/// Who waits for whom. Locks are shown to every role, other than what sessions do. A wait for
/// `extend` is one for the disk that makes a file longer.
const WAITS: &str = "\
SELECT w.pid::text, blocker::text
FROM (SELECT DISTINCT pid FROM pg_locks WHERE NOT granted AND locktype <> 'extend') w,
     unnest(pg_blocking_pids(w.pid)) AS blocker";

const ACTIVE: &str = "\
SELECT count(*)::text FROM pg_stat_activity
WHERE state = 'active' AND backend_type = 'client backend'
  AND pid <> pg_backend_pid() AND NOT pid = ANY ($1::integer[])";

/// What keeps old row versions of this database: a transaction with a snapshot or a number of its
/// own, prepared ones too. Vacuums hold nothing back. The snapshots that standbys and slots hold have
/// no time, and are not here: a slot that lags is seen in the log that it retains.
const TRANSACTION_AGE: &str = "\
SELECT greatest(0, coalesce(extract(epoch FROM clock_timestamp() - min(since)), 0))::text
FROM (SELECT xact_start AS since FROM pg_stat_activity
      WHERE datname = current_database() AND backend_type <> 'autovacuum worker'
        AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)
        AND pid <> pg_backend_pid() AND NOT pid = ANY ($1::integer[])
      UNION ALL
      SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()) AS others";

/// The table and what inherits from it.
macro_rules! tree {
    () => {
        "WITH RECURSIVE tree(id) AS (
             SELECT $1::oid
             UNION SELECT inhrelid FROM pg_inherits JOIN tree ON inhparent = id) "
    };
}

/// Rows that were never counted are none.
const DEAD_ROWS: &str = concat!(
    tree!(),
    "SELECT coalesce(max(n_dead_tup::float8 / (n_live_tup + n_dead_tup)), 0)::text
     FROM tree JOIN pg_stat_all_tables ON relid = id WHERE 0 < n_live_tup + n_dead_tup"
);

/// A vacuum is at work on the table's own file or on its TOAST table.
const VACUUMS: &str = concat!(
    tree!(),
    "SELECT count(DISTINCT p.pid)::text
     FROM tree JOIN pg_class c ON c.oid = id
     JOIN pg_stat_progress_vacuum p ON p.relid IN (c.oid, nullif(c.reltoastrelid, 0))
     JOIN pg_stat_activity a ON a.pid = p.pid
     WHERE p.datname = current_database() AND a.backend_type = 'autovacuum worker' "
);

async fn vacuums(session: &mut dyn Session, table: &TableName, also: &str) -> Result<Answer> {
    may_see_others(session, "what is vacuumed").await?;
    let oid = identify(session, table).await?;
    number(session, with_text(&format!("{VACUUMS}{also}"), oid)).await
}

const ARCHIVE_MODE: &str = "SELECT current_setting('archive_mode')";

const READY: &str =
    "SELECT count(*)::text FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";

/// Before PostgreSQL 12 the folder has no function of its own.
const READY_BEFORE_12: &str = "SELECT count(*)::text FROM pg_ls_dir('pg_wal/archive_status') AS name WHERE name LIKE '%.ready'";

async fn archive_backlog(session: &mut dyn Session, version: u32) -> Result<Answer> {
    let mode = first(session, Statement::plain(ARCHIVE_MODE)).await?;
    if mode.as_deref() == Some("off") {
        return Ok(Answer::one(Reading::plain(0.0)));
    }
    let (sql, grant) = if ARCHIVE_STATUS_SINCE <= version {
        (READY, "GRANT pg_monitor TO …")
    } else {
        (READY_BEFORE_12, "GRANT EXECUTE ON FUNCTION pg_ls_dir(text) TO …")
    };
    number(session, Statement::plain(sql))
        .await
        .map_err(|error| if error.is_denial() { error.with_grant(grant) } else { error })
}

/// A membership that is inherited: the rights of one that has to be `SET` do not count here.
const MAY_SEE_OTHERS: &str = "SELECT pg_has_role('pg_read_all_stats', 'USAGE')::text";

/// Refuses what the server would answer with NULL or with less than there is.
async fn may_see_others(session: &mut dyn Session, what: &str) -> Result<()> {
    if first(session, Statement::plain(MAY_SEE_OTHERS)).await?.as_deref() == Some("true") {
        return Ok(());
    }
    let message = format!("the server does not show this role {what}");
    Err(Error::new(Class::Refused, message).with_grant("GRANT pg_monitor TO …"))
}

async fn find(session: &mut dyn Session, table: &TableName) -> Result<catalog::Place> {
    catalog::find(session, table).await?.ok_or_else(|| {
        Error::new(Class::Refused, format!("there is no table `{table}` here to look at"))
    })
}

async fn identify(session: &mut dyn Session, table: &TableName) -> Result<String> {
    Ok(find(session, table).await?.oid)
}

fn with_text(sql: &str, value: String) -> Statement {
    Statement { sql: sql.to_owned(), binds: vec![Bind::Text(Some(value))] }
}

fn with_sessions(sql: &str, sessions: &[String]) -> Statement {
    with_text(sql, format!("{{{}}}", sessions.join(",")))
}

async fn first(session: &mut dyn Session, statement: Statement) -> Result<Option<String>> {
    Ok(session.query(&statement).await?.into_iter().flatten().next().flatten())
}

async fn number(session: &mut dyn Session, statement: Statement) -> Result<Answer> {
    let text = first(session, statement).await?;
    Ok(Answer::one(Reading::told(None, text.as_deref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: &str, name: &str, address: &str, port: &str, at: Option<&str>) -> Row {
        let texts = [kind, name, address, port, "streaming"];
        texts
            .iter()
            .map(|text| Some((*text).to_owned()))
            .chain([at.map(ToOwned::to_owned)])
            .collect()
    }

    fn names(rows: &[Row]) -> Vec<String> {
        replicas(rows).into_iter().filter_map(|reading| reading.of).collect()
    }

    #[test]
    fn each_replica_has_a_name_of_its_own() {
        let rows = [
            row("replica", "east", "10.0.0.1", "1", Some("7")),
            row("subscriber", "east", "10.0.0.1", "2", Some("7")),
            row("replica", "twice", "10.0.0.1", "3", Some("7")),
            row("replica", "twice", "10.0.0.2", "4", Some("7")),
            row("replica", "walreceiver", "10.0.0.3", "5", Some("7")),
            row("replica", "walreceiver", "", "", Some("7")),
        ];
        let expected = [
            "replica east",
            "subscriber east",
            "replica twice at 10.0.0.1",
            "replica twice at 10.0.0.2",
            "replica walreceiver at 10.0.0.3",
            "replica walreceiver at a local socket",
        ];
        assert_eq!(names(&rows), expected);
        let rows = [
            row("replica", "walreceiver", "10.0.0.1", "1", Some("7")),
            row("replica", "walreceiver", "10.0.0.1", "2", Some("7")),
        ];
        let expected = ["replica walreceiver at 10.0.0.1:1", "replica walreceiver at 10.0.0.1:2"];
        assert_eq!(names(&rows), expected);
    }

    #[test]
    fn a_replica_that_says_nothing_is_bad() {
        let told = replicas(&[row("replica", "east", "", "", None)]);
        assert!(
            matches!(told.as_slice(), [Reading { value: Err(why), .. }] if why.contains("`streaming`"))
        );
    }
}
