//! What PostgreSQL server this is, and how its sessions are set.

use sqlx::{PgConnection, Row as _};

use super::error::from_driver;
use crate::catalog::{Server, Setting};
use crate::target::{Class, Error, Footing, Result, Row, Session, Statement};

use super::direct::text;

/// A copy of a server has the same system identifier, so its start (to the microsecond) and port
/// belong to the identity. A restart changes it: compare it within one run only.
macro_rules! identity {
    ($system:literal) => {
        concat!(
            "SELECT concat_ws('/', ",
            $system,
            ", coalesce(inet_server_port()::text, current_setting('port')), \
             extract(epoch FROM pg_postmaster_start_time())::numeric::text, \
             (SELECT oid FROM pg_database WHERE datname = current_database())::text)"
        )
    };
}

const WITH_SYSTEM: &str = identity!("(SELECT system_identifier::text FROM pg_control_system())");
const WITHOUT_SYSTEM: &str = identity!("''");

const MAY_SEE_SYSTEM: &str =
    "SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE')::text";

/// The system identifier is that of the cluster's files, which a standby shares; with it goes the
/// database, which has the same number there. A server that takes over begins a new timeline, the
/// first eight digits of the log's file names
/// (<https://www.postgresql.org/docs/current/continuous-archiving.html#BACKUP-TIMELINES>); while it is
/// a standby it writes no log of its own.
macro_rules! footing {
    ($system:literal) => {
        concat!(
            "SELECT concat_ws('/', ",
            $system,
            ", (SELECT oid FROM pg_database WHERE datname = current_database())::text), \
             CASE WHEN pg_is_in_recovery() THEN NULL \
             ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END, \
             pg_is_in_recovery()::text, current_setting('default_transaction_read_only')"
        )
    };
}

const FOOTING_WITH_SYSTEM: &str =
    footing!("(SELECT system_identifier::text FROM pg_control_system())");
const FOOTING_WITHOUT_SYSTEM: &str = footing!("''");

/// Where the session stands. `identity` is the statement that identifies the server.
///
/// # Errors
///
/// What the server says.
pub(super) async fn footing(session: &mut dyn Session, identity: &str) -> Result<Footing> {
    let sql = if identity == WITH_SYSTEM { FOOTING_WITH_SYSTEM } else { FOOTING_WITHOUT_SYSTEM };
    let row = session.query(&Statement::plain(sql)).await?.into_iter().next().unwrap_or_default();
    let [data, copy, in_recovery, read_only] = row.as_slice() else {
        return Err(Error::new(Class::Unsuitable, "the server does not say what it is"));
    };
    let is = |cell: &Option<String>, word: &str| cell.as_deref() == Some(word);
    let closed = if is(in_recovery, "true") {
        Some("it is a standby, which was not promoted yet".to_owned())
    } else {
        is(read_only, "on").then(|| "`default_transaction_read_only` is on".to_owned())
    };
    Ok(Footing { data: data.clone(), copy: copy.clone(), closed })
}

/// The statement that identifies the server, as far as the role may see.
///
/// # Errors
///
/// What the server says.
pub(super) async fn identity_sql(connection: &mut PgConnection) -> Result<&'static str> {
    let row = sqlx::raw_sql(MAY_SEE_SYSTEM).fetch_one(connection).await;
    let may = row
        .and_then(|row| row.try_get_unchecked::<String, _>(0))
        .map_err(|error| from_driver(error, MAY_SEE_SYSTEM))?;
    Ok(if may == "true" { WITH_SYSTEM } else { WITHOUT_SYSTEM })
}

const FACTS: &str = "\
SELECT version(), current_setting('server_version'), current_database()::text,
       pg_is_in_recovery()::text, current_setting('default_transaction_read_only'),
       current_setting('standard_conforming_strings')";

/// What changes the meaning of an expression: the first four always, the others where they are not
/// as PostgreSQL has them by default. A setting of the startup message can only be the URL's.
const SETTINGS: &str = "\
SELECT name, setting,
       CASE source WHEN 'database' THEN 'database' WHEN 'user' THEN 'role'
            WHEN 'database user' THEN 'role' WHEN 'client' THEN 'url' ELSE 'server' END
FROM pg_settings
WHERE name IN ('TimeZone', 'DateStyle', 'IntervalStyle', 'search_path')
   OR name IN ('bytea_output', 'extra_float_digits', 'transform_null_equals', 'xmloption',
               'array_nulls', 'default_text_search_config', 'session_replication_role',
               'row_security')
      AND setting IS DISTINCT FROM boot_val AND source <> 'default'
ORDER BY name NOT IN ('TimeZone', 'DateStyle', 'IntervalStyle', 'search_path'), name DESC";

/// What the server is and how the session is set. `known` are the settings that we set ourselves,
/// with their true source.
///
/// # Errors
///
/// What the server says.
pub(super) async fn look(
    session: &mut dyn Session,
    identity: &'static str,
    known: &[Setting],
) -> Result<Server> {
    let rows = session.query(&Statement::plain(FACTS)).await?;
    let facts: Vec<&str> =
        rows.iter().flatten().map(|cell| cell.as_deref().unwrap_or_default()).collect();
    let [banner, version, database, in_recovery, read_only, conforming] = facts[..] else {
        return Err(Error::new(Class::Unsuitable, "the server does not say what it is"));
    };

    let mut unsuitable = Vec::new();
    if !banner.starts_with("PostgreSQL") {
        unsuitable.push(format!(
            "the server calls itself `{banner}`: it speaks PostgreSQL's protocol, and its \
             transactions and locks are not known to be PostgreSQL's"
        ));
    }
    if conforming != "on" {
        unsuitable.push(
            "`standard_conforming_strings` is off: a backslash in a string would be read \
             differently here and on the server; set it to `on` for this role"
                .to_owned(),
        );
    }
    let read_only = if in_recovery == "true" {
        Some("the server is a replica; give the URL of the primary".to_owned())
    } else {
        (read_only == "on").then(|| {
            "`default_transaction_read_only` is on for this role, database or server; somebody \
             wants no writes here"
                .to_owned()
        })
    };

    let settings = session.query(&Statement::plain(SETTINGS)).await?;
    Ok(Server {
        product: "PostgreSQL",
        version: version.to_owned(),
        database: database.to_owned(),
        identity: text(session, identity).await?.unwrap_or_default(),
        read_only,
        settings: settings.iter().filter_map(|row| setting(row, known)).collect(),
        unsuitable,
        cluster: None,
    })
}

fn setting(row: &Row, known: &[Setting]) -> Option<Setting> {
    let [Some(name), Some(value), Some(source)] = row.as_slice() else { return None };
    let source = known
        .iter()
        .find(|setting| setting.name == *name)
        .map_or_else(|| source.clone(), |setting| setting.source.clone());
    Some(Setting { name: name.clone(), value: value.clone(), source })
}
