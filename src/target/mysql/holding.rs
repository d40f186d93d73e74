//! Who holds a table against a change of it: who has its metadata lock.

use super::catalog::{one, rows, texts};
use super::flavor::Flavor;
use crate::target::online::Transaction;
use crate::target::{Result, Session};

/// By what the server tells which tables a session holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// `performance_schema.metadata_locks`, whose instrument is on by default on MySQL as of 8.0 and off on
    /// MariaDB.
    Schema,
    /// MariaDB's plugin `metadata_lock_info`.
    Plugin,
    /// By nothing.
    Nothing,
}

/// By what this server tells it. What cannot be asked counts as not there.
pub(super) async fn told(session: &mut dyn Session, flavor: &Flavor) -> Result<Told> {
    let instrument = "SELECT ENABLED FROM performance_schema.setup_instruments \
                      WHERE NAME = 'wait/lock/metadata/sql/mdl' AND @@performance_schema = 1";
    match one(session, instrument, &[]).await {
        Ok([enabled]) if enabled == "YES" => return Ok(Told::Schema),
        Err(error) if error.is_lost() => return Err(error),
        _ => {}
    }
    if !flavor.mariadb {
        return Ok(Told::Nothing);
    }
    let plugin = "SELECT PLUGIN_STATUS FROM information_schema.PLUGINS \
                  WHERE PLUGIN_NAME = 'METADATA_LOCK_INFO'";
    match one(session, plugin, &[]).await {
        Ok([status]) if status == "ACTIVE" => Ok(Told::Plugin),
        Err(error) if error.is_lost() => Err(error),
        _ => Ok(Told::Nothing),
    }
}

/// `LOCK TABLES` holds a table without a transaction, hence the outer join.
const BY_SCHEMA: &str = "\
SELECT CAST(t.PROCESSLIST_ID AS CHAR), MAX(t.PROCESSLIST_USER),
       CAST(MAX(COALESCE(TIMESTAMPDIFF(SECOND, x.trx_started, NOW()), t.PROCESSLIST_TIME, 0)) AS CHAR)
FROM performance_schema.metadata_locks m
JOIN performance_schema.threads t ON t.THREAD_ID = m.OWNER_THREAD_ID
LEFT JOIN information_schema.INNODB_TRX x ON x.trx_mysql_thread_id = t.PROCESSLIST_ID
WHERE m.OBJECT_TYPE = 'TABLE' AND m.OBJECT_SCHEMA = ? AND m.OBJECT_NAME = ?
  AND m.LOCK_STATUS = 'GRANTED' AND t.PROCESSLIST_ID <> CONNECTION_ID()
GROUP BY t.PROCESSLIST_ID";

const BY_PLUGIN: &str = "\
SELECT CAST(m.THREAD_ID AS CHAR), MAX(p.USER),
       CAST(MAX(COALESCE(TIMESTAMPDIFF(SECOND, x.trx_started, NOW()), p.TIME, 0)) AS CHAR)
FROM information_schema.METADATA_LOCK_INFO m
LEFT JOIN information_schema.PROCESSLIST p ON p.ID = m.THREAD_ID
LEFT JOIN information_schema.INNODB_TRX x ON x.trx_mysql_thread_id = m.THREAD_ID
WHERE m.LOCK_TYPE = 'Table metadata lock' AND m.TABLE_SCHEMA = ? AND m.TABLE_NAME = ?
  AND m.THREAD_ID <> CONNECTION_ID()
GROUP BY m.THREAD_ID";

/// Every open transaction: where nobody tells the tables, each may hold this one.
const OPEN: &str = "\
SELECT CAST(x.trx_mysql_thread_id AS CHAR), p.USER,
       CAST(TIMESTAMPDIFF(SECOND, x.trx_started, NOW()) AS CHAR)
FROM information_schema.INNODB_TRX x
LEFT JOIN information_schema.PROCESSLIST p ON p.ID = x.trx_mysql_thread_id
WHERE x.trx_mysql_thread_id <> CONNECTION_ID() AND x.trx_mysql_thread_id <> 0";

/// Those who hold the table, or may, but for this session; and whether the server tells which tables.
pub(super) async fn transactions(
    session: &mut dyn Session,
    flavor: &Flavor,
    schema: &str,
    name: &str,
) -> Result<(Vec<Transaction>, bool)> {
    let told = told(session, flavor).await?;
    let read = match told {
        Told::Schema => rows(session, BY_SCHEMA, &[schema, name]).await?,
        Told::Plugin => rows(session, BY_PLUGIN, &[schema, name]).await?,
        Told::Nothing => rows(session, OPEN, &[]).await?,
    };
    let one = |[session, user, seconds]: [String; 3]| Transaction {
        session,
        user,
        seconds: seconds.parse().unwrap_or(0),
    };
    Ok((read.into_iter().map(texts).map(one).collect(), told != Told::Nothing))
}
