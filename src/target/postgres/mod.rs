//! PostgreSQL, from version 10 on.
//!
//! **Invariants.** Before a session is set up, [`direct`] has shown that no pooler shares it: a
//! setting must never reach a stranger. What the driver overrides is found once and set again in
//! every session ([`settings`]), so that all sessions of a run mean the same by the same text.

mod catalog;
mod dialect;
mod direct;
mod effects;
mod error;
mod home;
mod late_key;
mod lock;
mod maintenance;
mod online;
mod patience;
mod reads;
mod remarks;
mod server;
mod session;
mod settings;
mod signals;
mod terminate;
mod traces;
mod volatility;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use self::dialect::PgDialect;
use self::error::from_driver;
use self::session::PgSession;
use super::{
    Answer, AtWork, Bind, Chore, Class, Connecting, Dialect, Effect, Engine, Error, Footing, Force,
    Index, Leftover, Link, LockAttempt, Maintenance, Mark, Online, Patience, Place, Question,
    Result, Session, Shape, Standing, Statement, Target, Traces, Volatility, Watched, fence,
    online as facts,
};
use crate::catalog::{Column, Key, Lookup, Server, Setting, Table, TableName};
use crate::sql::Use;

/// PostgreSQL.
pub static ENGINE: Engine = Engine {
    schemes: &["postgres", "postgresql"],
    example: "postgres://user@host:5432/database",
    connect: |link| -> Connecting { Box::pin(connect(link)) },
};

/// Long enough for a far server under load, short enough for a person who waits for an answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A backend that was told to end does so at its next look around, which is a matter of
/// milliseconds unless it is stuck in the kernel.
const TERMINATE_WITHIN: Duration = Duration::from_secs(5);

/// PostgreSQL 10, the first with identity columns, publications and declarative partitions, which
/// the statements here ask for.
const OLDEST: u32 = 100_000;

/// A PostgreSQL server that was reached.
struct Postgres {
    options: PgConnectOptions,
    address: String,
    job: String,
    version: u32,
    /// The settings that the driver overrides, as the job's sessions have them.
    settings: Vec<Setting>,
    /// The statement that identifies the server, as far as this role may see.
    identity: &'static str,
}

async fn connect(link: Link) -> Result<Arc<dyn Target>> {
    // At the first contact nothing is worth a second attempt: a person waits for the reason.
    let target = reach(link).await.map_err(|error| Error { class: Class::Unsuitable, ..error })?;
    Ok(Arc::new(target))
}

async fn reach(link: Link) -> Result<Postgres> {
    let options: PgConnectOptions = link.url.reveal().parse().map_err(|error: sqlx::Error| {
        // Of a text that is no URL nobody knows which part is the password: only the reason.
        from_driver(error, "").while_doing("the target's URL cannot be read")
    })?;
    let options = options.extra_float_digits(None).disable_statement_logging();
    let address = address(&options);

    let named = named(&options, &link.job, "look");
    let mut first = open_connection(&named, &address).await?;
    let version = first.server_version_num().unwrap_or_default();
    if version < OLDEST {
        return Err(Error::new(
            Class::Unsuitable,
            format!("the server at {address} is older than PostgreSQL 10, the oldest supported"),
        ));
    }
    let settings =
        settings::find(&mut first, options.get_options(), link.time_zone.as_deref()).await?;
    let identity = server::identity_sql(&mut first).await?;

    let second = open_connection(&named, &address).await?;
    let mut first = PgSession::prepared(first, &[]).await?;
    let mut second = PgSession::prepared(second, &[]).await?;
    let direct = direct::prove_processes(&mut first, &mut second).await;
    Box::new(first).close().await;
    Box::new(second).close().await;
    direct.map_err(|error| error.while_doing(&address))?;

    Ok(Postgres { options, address, job: link.job, version, settings, identity })
}

/// Where the server is, without user and password.
fn address(options: &PgConnectOptions) -> String {
    let place = match options.get_socket() {
        Some(socket) => format!("{}:{}", socket.display(), options.get_port()),
        None => format!("{}:{}", options.get_host(), options.get_port()),
    };
    // Without a database the server takes the one that is called like the user.
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    format!("{place}/{database}")
}

/// The options of a session that a DBA recognizes by its `application_name`.
fn named(options: &PgConnectOptions, job: &str, purpose: &str) -> PgConnectOptions {
    let mut name = format!("backstop {job} {purpose}");
    // The server cuts at 63 bytes, if need be within a character; the purpose must stay.
    while 63 < name.len() {
        let Some(at) = name[..name.len() - purpose.len() - 1].char_indices().last() else { break };
        name.remove(at.0);
    }
    options.clone().application_name(&name)
}

async fn open_connection(options: &PgConnectOptions, address: &str) -> Result<PgConnection> {
    match tokio::time::timeout(CONNECT_TIMEOUT, PgConnection::connect_with(options)).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => {
            let help = match &error {
                sqlx::Error::Io(_) => {
                    "; is the server running, and the address reachable from here?"
                }
                sqlx::Error::Tls(_) => {
                    "; `sslmode` and `sslrootcert` in the URL say how to encrypt"
                }
                _ => "",
            };
            let mut error = match error {
                sqlx::Error::Io(error) => Error::new(Class::Lost, error.to_string()),
                error => from_driver(error, ""),
            };
            error.message.push_str(help);
            Err(error.while_doing(&format!("cannot connect to {address}")))
        }
        Err(_) => Err(Error::new(
            Class::Lost,
            format!(
                "cannot connect to {address}: no answer within {} seconds; is the address right, \
                 and does a firewall let it through?",
                CONNECT_TIMEOUT.as_secs()
            ),
        )),
    }
}

#[async_trait]
impl Target for Postgres {
    fn dialect(&self) -> &dyn Dialect {
        &PgDialect
    }

    fn address(&self) -> &str {
        &self.address
    }

    async fn open(&self, purpose: &str) -> Result<Box<dyn Session>> {
        let options = named(&self.options, &self.job, purpose);
        let connection = open_connection(&options, &self.address).await?;
        let set_up = settings::set_up(&self.settings, self.version);
        let session = PgSession::prepared(connection, &set_up).await.map_err(|error| Error {
            // A time zone that does not exist, for one: the same statements fail again.
            class: if error.is_lost() { Class::Lost } else { Class::Unsuitable },
            ..error.while_doing(&format!("cannot set up a session at {}", self.address))
        })?;
        Ok(Box::new(session))
    }

    async fn server(&self, session: &mut dyn Session) -> Result<Server> {
        server::look(session, self.identity, &self.settings).await
    }

    async fn look_up(&self, session: &mut dyn Session, name: &TableName) -> Result<Lookup> {
        catalog::look_up(session, name).await
    }

    async fn partition(
        &self,
        session: &mut dyn Session,
        table: &Table,
        name: &str,
    ) -> Result<Option<Lookup>> {
        catalog::partition(session, table, name).await
    }

    async fn volatility(&self, session: &mut dyn Session, uses: &[Use]) -> Result<Vec<Volatility>> {
        volatility::of(session, uses).await
    }

    async fn may_read(
        &self,
        session: &mut dyn Session,
        table: &Table,
        names: &[TableName],
    ) -> Result<Option<String>> {
        for name in names {
            let found = catalog::look_up(session, name).await?;
            if let Err(reason) = super::volatility::stands_apart(table, name, &found) {
                return Ok(Some(reason));
            }
        }
        if names.is_empty() || !volatility::inherits(session, table).await? {
            return Ok(None);
        }
        Ok(Some(format!(
            "a subquery reads another table, and `{table}` shares its rows with tables that inherit \
             from it or that it inherits from"
        )))
    }

    async fn prove_direct(&self, session: &mut dyn Session, other: &mut dyn Session) -> Result<()> {
        direct::prove_processes(session, other).await?;
        direct::prove_state(session, other, self.identity).await
    }

    async fn fence_home(
        &self,
        session: &mut dyn Session,
        schema: Option<&str>,
    ) -> Result<fence::Home> {
        home::find(session, schema).await
    }

    async fn annex(
        &self,
        session: &mut dyn Session,
        schema: Option<&str>,
        name: &str,
        ddl: fence::Ddl<'_>,
    ) -> Result<(fence::Place, Option<fence::Obstacle>)> {
        home::annex(session, schema, name, ddl).await
    }

    async fn declarations(
        &self,
        session: &mut dyn Session,
        table: &Table,
        _key: &Key,
        columns: &[&Column],
    ) -> Result<Vec<String>> {
        home::declarations(session, table, columns).await
    }

    /// <https://www.postgresql.org/docs/18/release-18.html>: OLD and NEW in RETURNING.
    fn returns_old(&self) -> bool {
        180_000 <= self.version
    }

    async fn grantee(&self, session: &mut dyn Session) -> Result<Option<String>> {
        let rows = session.query(&Statement::plain("SELECT quote_ident(current_user)")).await?;
        Ok(rows.into_iter().flatten().next().flatten())
    }

    async fn maintenance(
        &self,
        session: &mut dyn Session,
        table: &Table,
        maintenance: Maintenance,
    ) -> Result<Chore> {
        maintenance::of(session, self.version, table, maintenance).await
    }

    async fn online(&self, session: &mut dyn Session, table: &Table) -> Result<Online> {
        let place = (self.options.get_host(), self.options.get_port());
        online::online(session, table, place, self.version).await
    }

    async fn traces(
        &self,
        session: &mut dyn Session,
        place: &Place,
        mark: &Mark,
    ) -> Result<Traces> {
        traces::traces(session, place, mark).await
    }

    async fn end_session(
        &self,
        session: &mut dyn Session,
        number: &str,
        force: Force,
    ) -> Result<()> {
        traces::end_session(session, number, force).await
    }

    async fn holders(
        &self,
        session: &mut dyn Session,
        place: &Place,
        mark: &Mark,
    ) -> Result<std::result::Result<Vec<facts::Transaction>, String>> {
        traces::holders(session, place, mark).await
    }

    async fn shape(&self, session: &mut dyn Session, place: &Place) -> Result<Option<Shape>> {
        traces::shape(session, place).await
    }

    async fn remove(&self, session: &mut dyn Session, leftover: &Leftover) -> Result<()> {
        traces::remove(session, &PgDialect, leftover).await
    }

    async fn standing(&self, session: &mut dyn Session, effect: &Effect) -> Result<Standing> {
        effects::standing(session, self.version, effect).await
    }

    async fn duplicates(&self, session: &mut dyn Session, index: &Index) -> Result<Vec<String>> {
        effects::duplicates(session, index).await
    }

    async fn watch(&self, session: &mut dyn Session, number: &str) -> Result<Option<Watched>> {
        watch::watch(session, self.version, number).await
    }

    async fn at_work(&self, session: &mut dyn Session, text: &str) -> Result<Vec<AtWork>> {
        watch::at_work(session, text).await
    }

    async fn signal(&self, session: &mut dyn Session, question: &Question) -> Result<Answer> {
        signals::ask(session, self.version, question).await
    }

    /// The log is flushed in its order, whoever waits for it, so what a crash undoes is its end:
    /// <https://www.postgresql.org/docs/current/wal-async-commit.html>.
    fn unflushed_commits(&self) -> std::result::Result<(), &'static str> {
        Ok(())
    }

    async fn patience(&self, session: &mut dyn Session, target_time: Duration) -> Result<Patience> {
        patience::find(session, target_time).await
    }

    /// Of its own batches a role sees the waits without further rights. `extend` is a wait for the
    /// disk that makes the table's file longer, and so work.
    fn waiting(&self, sessions: &[String]) -> Option<Statement> {
        let sql = "SELECT pid::text FROM unnest($1::integer[]) AS number, \
                   pg_stat_get_activity(number) \
                   WHERE wait_event_type = 'Lock' AND wait_event <> 'extend'";
        let numbers = format!("{{{}}}", sessions.join(","));
        Some(Statement { sql: sql.to_owned(), binds: vec![Bind::Text(Some(numbers))] })
    }

    async fn uptime(&self, session: &mut dyn Session) -> Result<Option<Duration>> {
        let sql = "SELECT (extract(epoch FROM clock_timestamp() - pg_postmaster_start_time()) \
                   * 1000)::bigint";
        let rows = session.query(&Statement::plain(sql)).await?;
        let millis = rows.into_iter().flatten().flatten().next().and_then(|n| n.parse().ok());
        Ok(millis.map(Duration::from_millis))
    }

    async fn footing(&self, session: &mut dyn Session) -> Result<Footing> {
        server::footing(session, self.identity).await
    }

    async fn estimate(
        &self,
        session: &mut dyn Session,
        statement: &Statement,
    ) -> Result<Option<u64>> {
        let Statement { sql, binds } = statement;
        let explain =
            Statement { sql: format!("EXPLAIN (FORMAT JSON) {sql}"), binds: binds.clone() };
        let rows = session.query(&explain).await?;
        let plan = rows.into_iter().flatten().flatten().next().unwrap_or_default();
        let plan: serde_json::Value = serde_json::from_str(&plan).unwrap_or_default();
        Ok(plan.pointer("/0/Plan/Plan Rows").and_then(serde_json::Value::as_u64))
    }

    async fn lock(&self, session: &mut dyn Session, take_over: bool) -> Result<LockAttempt> {
        let attempt = lock::take(session, &self.job).await?;
        if take_over && let LockAttempt::HeldBy(_) = attempt {
            if let Some(identity) = lock::holder_identity(session, &self.job).await? {
                self.terminate(session, &self.job, &identity, TERMINATE_WITHIN).await?;
            }
            return lock::take(session, &self.job).await;
        }
        Ok(attempt)
    }

    async fn terminate(
        &self,
        session: &mut dyn Session,
        _job: &str,
        identity: &str,
        patience: Duration,
    ) -> Result<bool> {
        terminate::terminate(session, identity, patience).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_job_leaves_room_for_the_purpose() {
        let options = PgConnectOptions::new();
        let name = |job: &str| {
            named(&options, job, "worker 12").get_application_name().unwrap().to_owned()
        };
        assert_eq!(name("orders"), "backstop orders worker 12");
        let long = name(&"ä".repeat(60));
        assert!(long.len() <= 63 && long.ends_with("ä worker 12"), "{long}");
    }

    #[test]
    fn addresses_hold_no_credentials() {
        let options: PgConnectOptions = "postgres://app:s3cret@db:5433/shop".parse().unwrap();
        assert_eq!(address(&options), "db:5433/shop");
    }
}
