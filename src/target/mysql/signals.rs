//! What the server can be asked about its health.
//!
//! What InnoDB knows needs PROCESS, what `performance_schema` knows needs SELECT there, and replication
//! a right of its own; without them the server refuses, and says which it misses. The list of sessions
//! is the exception, of which it shows an account its own only: it is asked for sessions of ours alone,
//! or together with something that is refused without PROCESS. Costs were measured on MySQL 9.7 and
//! MariaDB 10.11.

use std::collections::BTreeSet;
use std::time::Duration;

use super::dialect::quote;
use super::flavor::Flavor;
use crate::catalog::TableName;
use crate::target::signals::cells;
use crate::target::{
    Answer, Bind, Error, Question, Reading, Result, Row, Session, Statement, waits,
};

/// What lets an account see what InnoDB and other sessions do.
const PROCESS: &str = "GRANT PROCESS ON *.* TO …";

/// What lets an account read the tables of `performance_schema`.
const PERFORMANCE_SCHEMA: &str = "GRANT SELECT ON performance_schema.* TO …";

/// Answers a question.
pub(super) async fn ask(
    session: &mut dyn Session,
    flavor: &Flavor,
    question: &Question,
) -> Result<Answer> {
    Ok(match question {
        Question::Positions => Answer::NotHere(
            "the server does not know how far its replicas are; name them in `replicas`, to be \
             asked themselves",
        ),
        Question::RetainedLog => Answer::NotHere(
            "the binary log is kept for a time (`binlog_expire_logs_seconds`), not for a consumer",
        ),
        Question::OwnLag => Answer::Read(own_lag(session, flavor).await?),
        Question::Heartbeat { table, column } => {
            Answer::one(heartbeat(session, table, column).await?)
        }
        Question::Blocked { sessions } => {
            let rows = waits(session, flavor, sessions).await?;
            Answer::one(waits::blocked(&rows, sessions))
        }
        Question::Active { sessions } => Answer::one(active(session, flavor, sessions).await?),
        Question::WalWritten => Answer::NotHere(
            "the server has no write-ahead log that others read; what replicas get is the binary log",
        ),
        Question::BinlogWritten => Answer::one(binlog_written(session, flavor).await?),
        Question::ArchiveBacklog => {
            Answer::NotHere("the server has no archive of its log that could fall behind")
        }
        Question::WraparoundVacuum { .. }
        | Question::Autovacuum { .. }
        | Question::DeadRows { .. } => Answer::NotHere(
            "the server has no vacuum; old versions of rows are in InnoDB's history list",
        ),
        Question::HistoryList => Answer::one(history_list(session, flavor).await?),
        Question::TransactionAge { sessions } => {
            let sql =
                format!("{TRANSACTION_AGE} AND trx_mysql_thread_id NOT IN ({})", list(sessions));
            one(session, &sql, PROCESS).await?
        }
        Question::DiskFree => disk_free(session, flavor).await?,
        Question::Number { sql } => {
            Answer::number(&session.query(&Statement::plain(sql.clone())).await?)
        }
    })
}

/// How a release spells what it says of replication. The columns are: the name of a source, whether
/// its log is received, why not, whether it is applied, why not, and the seconds behind.
struct Words {
    show: &'static str,
    columns: [&'static str; 6],
    grant: &'static str,
}

/// Sources: <https://dev.mysql.com/doc/refman/9.7/en/show-replica-status.html>,
/// <https://mariadb.com/kb/en/show-replica-status/>, and for the rights from MariaDB 10.5 on
/// <https://mariadb.com/kb/en/grant/#slave-monitor>.
const OF_MYSQL: Words = Words {
    show: "SHOW REPLICA STATUS",
    columns: [
        "Channel_Name",
        "Replica_IO_Running",
        "Last_IO_Error",
        "Replica_SQL_Running",
        "Last_SQL_Error",
        "Seconds_Behind_Source",
    ],
    grant: "GRANT REPLICATION CLIENT ON *.* TO …",
};

/// Before MySQL 8.0.22.
const OF_OLD_MYSQL: Words = Words {
    show: "SHOW SLAVE STATUS",
    columns: [
        "Channel_Name",
        "Slave_IO_Running",
        "Last_IO_Error",
        "Slave_SQL_Running",
        "Last_SQL_Error",
        "Seconds_Behind_Master",
    ],
    ..OF_MYSQL
};

const OF_MARIADB: Words = Words {
    show: "SHOW ALL SLAVES STATUS",
    columns: [
        "Connection_name",
        "Slave_IO_Running",
        "Last_IO_Error",
        "Slave_SQL_Running",
        "Last_SQL_Error",
        "Seconds_Behind_Master",
    ],
    grant: "GRANT SLAVE MONITOR ON *.* TO …",
};

/// Before MariaDB 10.5.
const OF_OLD_MARIADB: Words =
    Words { grant: "GRANT REPLICATION CLIENT ON *.* TO …", ..OF_MARIADB };

/// A stopped replica has NULL seconds on some releases and old ones on others, so both halves of it
/// have to run. `Connecting` is not running.
async fn own_lag(session: &mut dyn Session, flavor: &Flavor) -> Result<Vec<Reading>> {
    let words = match flavor {
        _ if flavor.is_mariadb_since((10, 5, 0)) => OF_MARIADB,
        _ if flavor.mariadb => OF_OLD_MARIADB,
        _ if flavor.is_mysql_since((8, 0, 22)) => OF_MYSQL,
        _ => OF_OLD_MYSQL,
    };
    let rows = session
        .query_columns(&Statement::plain(words.show), &words.columns)
        .await
        .map_err(|error| allowed_by(error, words.grant))?;
    if rows.is_empty() {
        return Ok(vec![Reading::untold("it is no replica")]);
    }
    let several = 1 < rows.len();
    Ok(rows.into_iter().map(|row| lag(row, several)).collect())
}

fn lag(row: Row, several: bool) -> Reading {
    let [source, receives, receive_error, applies, apply_error, seconds] = cells(row);
    let of = match source.unwrap_or_default() {
        name if !name.is_empty() => Some(format!("source {name}")),
        _ if several => Some("the unnamed source".to_owned()),
        _ => None,
    };
    let stopped = |what: &str, state: Option<String>, error: Option<String>| {
        let state = state.unwrap_or_else(|| "not told".to_owned());
        let why = error.filter(|error| !error.is_empty());
        let why = why.map_or_else(String::new, |error| format!(": {error}"));
        format!("{what} is not running (`{state}`){why}")
    };
    let runs = |state: &Option<String>| state.as_deref() == Some("Yes");
    if !runs(&receives) {
        let reason = stopped("what receives the log of its source", receives, receive_error);
        return Reading { of, value: Err(reason) };
    }
    if !runs(&applies) {
        let reason = stopped("what applies the log of its source", applies, apply_error);
        return Reading { of, value: Err(reason) };
    }
    Reading::told(of, seconds.as_deref())
}

/// A `TIMESTAMP` is a moment. What has no offset is taken for UTC: `DATETIME`, and texts such as
/// those of `pt-heartbeat --utc`. Whoever writes local time east of it is found out, for such a beat
/// lies in the future.
async fn heartbeat(session: &mut dyn Session, table: &TableName, column: &str) -> Result<Reading> {
    let schema = table.schema.as_deref();
    let place = schema.map_or_else(String::new, |schema| format!("{}.", quote(schema)));
    let (column_sql, table_sql) = (quote(column), quote(&table.name));
    let sql = format!(
        "SELECT CAST(CASE (SELECT DATA_TYPE FROM information_schema.COLUMNS \
         WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ? AND COLUMN_NAME = ?) \
         WHEN 'timestamp' THEN TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1000000 \
         - MAX(UNIX_TIMESTAMP({column_sql})) \
         ELSE TIMESTAMPDIFF(MICROSECOND, MAX({column_sql}), UTC_TIMESTAMP(6)) / 1000000 END AS CHAR) \
         FROM {place}{table_sql}"
    );
    let binds = [schema, Some(&table.name), Some(column)];
    let binds = binds.map(|text| Bind::Text(text.map(ToOwned::to_owned))).into();
    let age = first(session.query(&Statement { sql, binds }).await?);
    Ok(Reading::beat(age.as_deref()))
}

/// Rows that are waited for, and locks of tables. Of the latter the server tells who has one and who
/// waits for one, not who waits for whom: whoever has one is taken to be in the way. (What holds a
/// weaker lock on a table than a waiter minds is in practice ours only where a subquery reads it.)
/// Names of `GET_LOCK` are nobody's rows.
const WAITS_OF_MYSQL: &str = "\
SELECT CAST(waiter.PROCESSLIST_ID AS CHAR), CAST(holder.PROCESSLIST_ID AS CHAR)
FROM (SELECT REQUESTING_THREAD_ID AS waits, BLOCKING_THREAD_ID AS holds
      FROM performance_schema.data_lock_waits
      UNION
      SELECT w.OWNER_THREAD_ID, h.OWNER_THREAD_ID
      FROM performance_schema.metadata_locks w JOIN performance_schema.metadata_locks h
      ON h.OBJECT_TYPE = w.OBJECT_TYPE AND h.OBJECT_SCHEMA <=> w.OBJECT_SCHEMA
         AND h.OBJECT_NAME <=> w.OBJECT_NAME AND h.OWNER_THREAD_ID <> w.OWNER_THREAD_ID
      WHERE w.LOCK_STATUS = 'PENDING' AND h.LOCK_STATUS = 'GRANTED'
        AND w.OBJECT_TYPE <> 'USER LEVEL LOCK') AS waiting
JOIN performance_schema.threads waiter ON waiter.THREAD_ID = waits
JOIN performance_schema.threads holder ON holder.THREAD_ID = holds";

/// Who waits for a row and for whom, before MySQL 8.0 and on MariaDB.
const ROWS_WAITED_FOR: &str = "\
SELECT CAST(r.trx_mysql_thread_id AS CHAR), CAST(b.trx_mysql_thread_id AS CHAR)
FROM information_schema.INNODB_LOCK_WAITS w
JOIN information_schema.INNODB_TRX r ON r.trx_id = w.requesting_trx_id
JOIN information_schema.INNODB_TRX b ON b.trx_id = w.blocking_trx_id";

/// Who waits for a table; who has its lock, neither tells by default. A session of ours that is in a
/// transaction has that of the job's table, so whoever waits for a table is taken to wait for it.
fn tables_waited_for(sessions: &[String]) -> String {
    format!(
        "SELECT CAST(p.ID AS CHAR), CAST(t.trx_mysql_thread_id AS CHAR) \
         FROM information_schema.PROCESSLIST p JOIN information_schema.INNODB_TRX t \
         WHERE p.STATE LIKE 'Waiting for table%' AND t.trx_mysql_thread_id IN ({})",
        list(sessions)
    )
}

/// How many wait for a row and for a table at this very moment. The last value is there to be refused
/// without PROCESS, without which the list of sessions would be short.
fn waiting_now(flavor: &Flavor) -> String {
    let counters = if flavor.mariadb { "information_schema" } else { "performance_schema" };
    format!(
        "SELECT CAST((SELECT VARIABLE_VALUE FROM {counters}.global_status \
         WHERE VARIABLE_NAME = 'Innodb_row_lock_current_waits') AS CHAR), \
         CAST((SELECT COUNT(*) FROM information_schema.PROCESSLIST \
         WHERE STATE LIKE 'Waiting for table%') AS CHAR), \
         CAST((SELECT COUNT(*) FROM information_schema.INNODB_METRICS WHERE NAME = '') AS CHAR)"
    )
}

/// InnoDB copies its list of transactions for those who look at it, and not again before nobody has
/// looked for 100 ms (`CACHE_MIN_IDLE_TIME_NS` in `trx0i_s.cc`).
const COPY_IS_OLD: Duration = Duration::from_millis(110);

async fn waits(
    session: &mut dyn Session,
    flavor: &Flavor,
    sessions: &[String],
) -> Result<Vec<Row>> {
    if flavor.is_mysql_since((8, 0, 0)) {
        return query(session, WAITS_OF_MYSQL, PERFORMANCE_SCHEMA).await;
    }
    let now = query(session, &waiting_now(flavor), PROCESS).await?;
    let [for_rows, for_tables, _] = cells(now.into_iter().next().unwrap_or_default());
    let count = |text: Option<String>| text.and_then(|text| text.parse().ok()).unwrap_or(1);
    let (for_rows, for_tables): (usize, usize) = (count(for_rows), count(for_tables));
    if (for_rows, for_tables) == (0, 0) {
        return Ok(Vec::new());
    }
    for last in [false, true] {
        let mut rows = query(session, ROWS_WAITED_FOR, PROCESS).await?;
        let tables = query(session, &tables_waited_for(sessions), PROCESS).await?;
        let waiters: BTreeSet<_> = rows.iter().map(|row| row.first()).collect();
        let is_old = waiters.len() < for_rows || tables.is_empty() && 0 < for_tables;
        rows.extend(tables);
        if last || !is_old {
            return Ok(rows);
        }
        tokio::time::sleep(COPY_IS_OLD).await;
    }
    Ok(Vec::new())
}

/// Sessions that are at work on a statement, by the list of sessions. The counter `Threads_running`
/// counts those too that send the log to replicas, which never end. `performance_schema` refuses those
/// who may not look, and the asker is in it unless it is off; the list that MariaDB has is refused
/// together with what else needs PROCESS.
async fn active(
    session: &mut dyn Session,
    flavor: &Flavor,
    sessions: &[String],
) -> Result<Reading> {
    let ours = list(sessions);
    let (sql, grant) = if flavor.mariadb {
        let sql = format!(
            "SELECT CAST(COUNT(*) AS CHAR), \
             CAST((SELECT COUNT(*) FROM information_schema.INNODB_METRICS WHERE NAME = '') AS CHAR) \
             FROM information_schema.PROCESSLIST \
             WHERE COMMAND IN ('Query', 'Execute') AND ID NOT IN ({ours})"
        );
        (sql, PROCESS)
    } else {
        let sql = format!(
            "SELECT CAST(SUM(PROCESSLIST_COMMAND IN ('Query', 'Execute') \
             AND PROCESSLIST_ID NOT IN ({ours})) AS CHAR) \
             FROM performance_schema.threads WHERE TYPE = 'FOREGROUND' \
             HAVING SUM(PROCESSLIST_ID = CONNECTION_ID()) = 1"
        );
        (sql, PERFORMANCE_SCHEMA)
    };
    match query(session, &sql, grant).await? {
        rows if rows.is_empty() => Ok(Reading::untold(
            "`performance_schema` is off, and nothing else tells what other sessions do",
        )),
        rows => Ok(Reading::told(None, first(rows).as_deref())),
    }
}

/// Bytes that went to files of the binary log, which a change of the file does not disturb, other
/// than the position in it.
const BINLOG_OF_MYSQL: &str = "\
SELECT CAST(@@GLOBAL.log_bin AS CHAR),
       (SELECT CAST(SUM_NUMBER_OF_BYTES_WRITE AS CHAR)
        FROM performance_schema.file_summary_by_event_name
        WHERE EVENT_NAME = 'wait/io/file/sql/binlog'
          AND 'YES' = (SELECT ENABLED FROM performance_schema.setup_instruments
                       WHERE NAME = 'wait/io/file/sql/binlog')
          AND 'YES' = (SELECT ENABLED FROM performance_schema.setup_consumers
                       WHERE NAME = 'global_instrumentation'))";

/// A log that is off grows by nothing.
async fn binlog_written(session: &mut dyn Session, flavor: &Flavor) -> Result<Reading> {
    if flavor.mariadb {
        return status(session, "Binlog_bytes_written").await;
    }
    let rows = query(session, BINLOG_OF_MYSQL, PERFORMANCE_SCHEMA).await?;
    let [on, bytes] = cells(rows.into_iter().next().unwrap_or_default());
    match (on.as_deref(), bytes) {
        (Some("0"), _) => Ok(Reading::plain(0.0)),
        (_, Some(bytes)) => Ok(Reading::told(None, Some(&bytes))),
        (_, None) => Ok(Reading::untold(
            "`performance_schema` does not count what is written to the binary log; enable \
             `wait/io/file/sql/binlog` in `setup_instruments`, and `global_instrumentation` in \
             `setup_consumers`",
        )),
    }
}

const HISTORY_LIST: &str = "\
SELECT CAST(COUNT AS CHAR) FROM information_schema.INNODB_METRICS
WHERE NAME = 'trx_rseg_history_len' AND STATUS = 'enabled'";

/// MariaDB has it among its counters from 10.5 on, for every account.
async fn history_list(session: &mut dyn Session, flavor: &Flavor) -> Result<Reading> {
    if flavor.is_mariadb_since((10, 5, 0)) {
        return status(session, "Innodb_history_list_length").await;
    }
    let rows = query(session, HISTORY_LIST, PROCESS).await?;
    if rows.is_empty() {
        return Ok(Reading::untold(
            "InnoDB does not count it; `SET GLOBAL innodb_monitor_enable = \
             'trx_rseg_history_len'` makes it do so",
        ));
    }
    Ok(Reading::told(None, first(rows).as_deref()))
}

/// The times are those of the system's zone, whatever the session's is. What others that look make
/// older by a moment ([`COPY_IS_OLD`]) is nothing to an age.
const TRANSACTION_AGE: &str = "\
SELECT CAST(GREATEST(0, COALESCE(TIMESTAMPDIFF(MICROSECOND, MIN(trx_started),
       CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', 'SYSTEM')), 0)) / 1000000 AS CHAR)
FROM information_schema.INNODB_TRX WHERE TRUE";

/// The disk is the one that is mounted nearest to the data. Source:
/// <https://mariadb.com/kb/en/information-schema-disks-table/>.
const DISK_FREE: &str = "\
SELECT CAST(Available * 1024 AS CHAR) FROM information_schema.DISKS
WHERE LOCATE(CONCAT(TRIM(TRAILING '/' FROM Path), '/'), @@GLOBAL.datadir) = 1
ORDER BY CHAR_LENGTH(Path) DESC LIMIT 1";

/// "Unknown table … in `information_schema`".
const UNKNOWN_TABLE: &str = "1109";

async fn disk_free(session: &mut dyn Session, flavor: &Flavor) -> Result<Answer> {
    if !flavor.mariadb {
        return Ok(Answer::NotHere(
            "MySQL cannot be asked for it; name a `path` to look at on its machine",
        ));
    }
    match one(session, DISK_FREE, "GRANT FILE ON *.* TO …").await {
        Err(error) if error.code.as_deref() == Some(UNKNOWN_TABLE) => Ok(Answer::NotHere(
            "MariaDB tells it only with its plugin `DISKS` (`INSTALL SONAME 'disks'`); or name a \
             `path` to look at on its machine",
        )),
        answer => answer,
    }
}

/// A counter of the whole server.
async fn status(session: &mut dyn Session, name: &str) -> Result<Reading> {
    let show = Statement::plain(format!("SHOW GLOBAL STATUS LIKE '{name}'"));
    let [_, value] = cells(session.query(&show).await?.into_iter().next().unwrap_or_default());
    Ok(Reading::told(None, value.as_deref()))
}

/// The sessions for an `IN`, and the one that asks. They are numbers; what is none is no session.
fn list(sessions: &[String]) -> String {
    sessions
        .iter()
        .filter_map(|id| id.parse::<u64>().ok())
        .fold("CONNECTION_ID()".to_owned(), |list, id| format!("{list}, {id}"))
}

fn first(rows: Vec<Row>) -> Option<String> {
    rows.into_iter().flatten().next().flatten()
}

fn allowed_by(error: Error, grant: &str) -> Error {
    if error.is_denial() { error.with_grant(grant) } else { error }
}

async fn query(session: &mut dyn Session, sql: &str, grant: &str) -> Result<Vec<Row>> {
    let rows = session.query(&Statement::plain(sql)).await;
    rows.map_err(|error| allowed_by(error, grant))
}

async fn one(session: &mut dyn Session, sql: &str, grant: &str) -> Result<Answer> {
    let rows = query(session, sql, grant).await?;
    Ok(Answer::one(Reading::told(None, first(rows).as_deref())))
}
