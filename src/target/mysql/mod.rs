//! MySQL and MariaDB.
//!
//! One driver, one dialect; where the two products part, [`flavor::Flavor`] decides. Facts about
//! how they behave were taken from MySQL 9.7 and MariaDB 10.11 themselves.

mod binlog;
mod catalog;
mod column_type;
mod dialect;
mod differs;
mod effects;
mod error;
mod flavor;
mod functions;
mod holding;
mod home;
mod lock;
mod maintenance;
mod online;
mod reads;
mod session;
mod shape;
mod signals;
mod traces;
mod volatility;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::ConnectOptions;
use sqlx::mysql::MySqlConnectOptions;

use self::dialect::MySqlDialect;
use self::flavor::Flavor;
use self::session::{MySqlSession, plainly};
use crate::catalog::{Column, Key, Lookup, Server, Table, TableName};
use crate::spec::redact;
use crate::sql::Use;
use crate::target::{
    Answer, AtWork, Bind, Chore, Class, Connecting, Dialect, Effect, Engine, Error, Footing, Force,
    Leftover, Link, LockAttempt, Maintenance, Mark, Online, Patience, Place, Question, Result,
    Session, Shape, Standing, Statement, Target, Traces, Volatility, Watched, fence,
    online as facts,
};

/// MySQL and MariaDB.
pub static ENGINE: Engine =
    Engine { schemes: &["mysql", "mariadb"], example: "mysql://user@host:3306/database", connect };

/// An answer to a connection attempt takes milliseconds; after this the host is not there, or a
/// firewall swallows what we send.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Account names hold at most one `@` of their own kind: the last.
const GRANTEE: &str = "SELECT CONCAT(\
     QUOTE(LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - 1 \
     - CHAR_LENGTH(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))), '@', \
     QUOTE(SUBSTRING_INDEX(CURRENT_USER(), '@', -1)))";

/// A session that was told to end does so at its next look around, after its rollback.
const TERMINATE_WITHIN: Duration = Duration::from_secs(5);

/// What every session of ours sets.
///
/// READ COMMITTED keeps InnoDB from locking the gaps between the rows of a batch. A server may
/// have been configured to begin transactions read-only, not to commit by itself, to chain
/// transactions, or to cut results off: then the batch protocol would not mean what it says.
/// 10 s for a row lock is InnoDB's 50 s cut down to what a person still calls a hiccup (batches have
/// less, [`MySql::patience`]); the metadata lock's default is a day on MariaDB and a year on MySQL.
///
/// MariaDB ends the session of a runner that was frozen within a transaction after 10 s, and its
/// rows are free. MySQL reads the last part as a comment, for it has nothing of the kind; see
/// [`session::IDLE_WORKER`].
const PREPARE: [&str; 2] = [
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ WRITE",
    "SET SESSION autocommit = 1, completion_type = 0, sql_select_limit = 18446744073709551615, \
     innodb_lock_wait_timeout = 10, lock_wait_timeout = 10 \
     /*M! , idle_transaction_timeout = \
     IF(@@SESSION.idle_transaction_timeout BETWEEN 1 AND 10, @@SESSION.idle_transaction_timeout, 10), \
     idle_write_transaction_timeout = IF(@@SESSION.idle_write_transaction_timeout BETWEEN 1 AND 10, \
     @@SESSION.idle_write_transaction_timeout, 10) */",
];

/// Takes `IGNORE_SPACE`, which the driver's handshake adds, out of the session's `sql_mode` again,
/// unless the server has it. (Not simply the global value: `init_connect` may have set another.)
const RESTORE_SQL_MODE: &str = "SET SESSION sql_mode = \
     IF(FIND_IN_SET('IGNORE_SPACE', @@GLOBAL.sql_mode), @@SESSION.sql_mode, \
     TRIM(BOTH ',' FROM REPLACE(CONCAT(',', @@SESSION.sql_mode, ','), ',IGNORE_SPACE,', ',')))";

/// A server of this family that was reached.
struct MySql {
    options: MySqlConnectOptions,
    link: Link,
    address: String,
    database: String,
    dialect: MySqlDialect,
}

fn connect(link: Link) -> Connecting {
    Box::pin(async move {
        let target = MySql::reach(link).await.map_err(|error| match error.class {
            // Whoever connects for the first time has nothing to lose yet.
            Class::Lost => Error { class: Class::Unsuitable, ..error },
            _ => error,
        })?;
        Ok(Arc::new(target) as Arc<dyn Target>)
    })
}

impl MySql {
    async fn reach(link: Link) -> Result<Self> {
        let url = link.url.reveal();
        let address = redact(url);
        let options = url
            .split_once(':')
            .and_then(|(_, rest)| MySqlConnectOptions::from_str(&format!("mysql:{rest}")).ok())
            // The parser's own message may quote the URL, with its password.
            .ok_or_else(|| {
                Error::new(
                    Class::Unsuitable,
                    format!(
                        "the target's URL cannot be read; write it like `{}`, with `%40` for an \
                         `@` in the password",
                        ENGINE.example
                    ),
                )
            })?
            .pipes_as_concat(false)
            .no_engine_substitution(false)
            .timezone(None)
            .charset("utf8mb4")
            .disable_statement_logging();
        let Some(database) = options.get_database().map(ToOwned::to_owned) else {
            return Err(Error::new(
                Class::Unsuitable,
                format!(
                    "the target's URL `{address}` names no database, which the fence and \
                     unqualified tables need; write it like `{}`",
                    ENGINE.example
                ),
            ));
        };
        let dialect = MySqlDialect { flavor: Flavor::parse("") };
        let mut target = Self { options, link, address, database, dialect };
        let mut session = target.open("connect").await?;
        target.dialect.flavor = Flavor::parse(&catalog::version(session.as_mut()).await?);
        session.close().await;
        Ok(target)
    }

    fn ours(&self) -> traces::Ours<'_> {
        traces::Ours { flavor: &self.dialect.flavor, database: &self.database, job: &self.link.job }
    }

    async fn settle(&self, session: &mut MySqlSession) -> Result<()> {
        let pinned = [("sql_mode", &self.link.sql_mode), ("time_zone", &self.link.time_zone)];
        for (name, value) in pinned {
            let Some(value) = value else { continue };
            let statement = Statement {
                sql: format!("SET SESSION {name} = ?"),
                binds: vec![Bind::Text(Some(value.clone()))],
            };
            session.execute(&statement).await.map_err(|error| Error {
                class: if error.class == Class::Refused { Class::Unsuitable } else { error.class },
                ..error.while_doing(&format!("the spec pins `{name} = \"{value}\"`"))
            })?;
        }
        Ok(())
    }
}

#[async_trait]
impl Target for MySql {
    fn dialect(&self) -> &dyn Dialect {
        &self.dialect
    }

    fn address(&self) -> &str {
        &self.address
    }

    /// The driver sends no connection attributes, so the server's list of sessions cannot show
    /// the `_purpose`. An error is [`Class::Lost`] where the server may just be restarting.
    async fn open(&self, _purpose: &str) -> Result<Box<dyn Session>> {
        let attempt = tokio::time::timeout(CONNECT_TIMEOUT, self.options.connect()).await;
        let mut connection = match attempt {
            Ok(connected) => connected.map_err(|e| error::of_connecting(e, &self.address))?,
            Err(_) => {
                return Err(Error::new(
                    Class::Lost,
                    format!(
                        "cannot connect to `{}`: no answer within {} s; is the host right, and \
                         does a firewall let us through?",
                        self.address,
                        CONNECT_TIMEOUT.as_secs()
                    ),
                ));
            }
        };
        for sql in PREPARE.into_iter().chain([RESTORE_SQL_MODE]) {
            plainly(&mut connection, sql).await?;
        }
        let mut session = MySqlSession::new(connection, &self.dialect.flavor).await?;
        self.settle(&mut session).await?;
        lock::mark(&mut session, &self.database, &self.link.job).await?;
        Ok(Box::new(session))
    }

    async fn server(&self, session: &mut dyn Session) -> Result<Server> {
        catalog::server(session, &self.dialect.flavor, &self.link).await
    }

    async fn look_up(&self, session: &mut dyn Session, name: &TableName) -> Result<Lookup> {
        catalog::look_up(session, &self.dialect.flavor, name).await
    }

    async fn partition(
        &self,
        session: &mut dyn Session,
        table: &Table,
        name: &str,
    ) -> Result<Option<Lookup>> {
        catalog::partition(session, &self.dialect.flavor, table, name).await
    }

    async fn volatility(&self, session: &mut dyn Session, uses: &[Use]) -> Result<Vec<Volatility>> {
        volatility::of(session, uses).await
    }

    async fn prove_direct(&self, session: &mut dyn Session, other: &mut dyn Session) -> Result<()> {
        // A proxy that multiplexes gives two idle clients one connection, and may give a client
        // another one while the first is held by a transaction.
        catalog::prove_pair(session, other).await?;
        session.begin().await?;
        let mut proof = Ok(());
        for _ in 0..3 {
            proof = catalog::prove_pair(session, other).await;
            if proof.is_err() {
                break;
            }
        }
        session.rollback().await?;
        proof
    }

    async fn fence_home(
        &self,
        session: &mut dyn Session,
        schema: Option<&str>,
    ) -> Result<fence::Home> {
        home::home(session, schema.unwrap_or(&self.database)).await
    }

    async fn annex(
        &self,
        session: &mut dyn Session,
        schema: Option<&str>,
        name: &str,
        ddl: fence::Ddl<'_>,
    ) -> Result<(fence::Place, Option<fence::Obstacle>)> {
        home::annex(session, schema.unwrap_or(&self.database), name, ddl).await
    }

    async fn declarations(
        &self,
        _: &mut dyn Session,
        _table: &Table,
        key: &Key,
        columns: &[&Column],
    ) -> Result<Vec<String>> {
        let is_key = |column: &Column| key.columns.iter().any(|part| part.name == column.name);
        Ok(columns.iter().map(|column| column_type::declared(column, is_key(column))).collect())
    }

    async fn grantee(&self, session: &mut dyn Session) -> Result<Option<String>> {
        let rows = session.query(&Statement::plain(GRANTEE)).await?;
        Ok(rows.into_iter().flatten().next().flatten())
    }

    /// InnoDB looks for a deadlock whenever somebody begins to wait, and rolls back the transaction
    /// that has changed fewer rows (<https://dev.mysql.com/doc/refman/9.7/en/innodb-deadlock-detection.html>):
    /// between a batch and the application that is the application. So a batch must not begin to
    /// wait at all while it holds rows.
    ///
    /// MariaDB knows a wait of zero for every lock of a session, and then nothing is asked first. On
    /// MySQL the least is 1 s, so a statement before the write locks the rows with `NOWAIT`; for
    /// batches of 10,000 rows it was measured at a tenth of the batch's time (MySQL 9.7, median of 14
    /// alternating pairs). The write can then still wait for what is not its row: a foreign key's
    /// parent, an entry of another unique or secondary index. MySQL 5.7 has no `NOWAIT`.
    async fn patience(&self, _: &mut dyn Session, _target_time: Duration) -> Result<Patience> {
        let flavor = &self.dialect.flavor;
        let wait = if flavor.mariadb { Duration::ZERO } else { Duration::from_secs(1) };
        Ok(Patience {
            lock_first: flavor.is_mysql_since(dialect::NOWAIT_SINCE),
            lock_wait: Some(wait),
            statement: None,
        })
    }

    async fn maintenance(
        &self,
        session: &mut dyn Session,
        table: &Table,
        maintenance: Maintenance,
    ) -> Result<Chore> {
        maintenance::of(session, &self.dialect, table, maintenance).await
    }

    async fn online(&self, session: &mut dyn Session, table: &Table) -> Result<Online> {
        let place = (self.options.get_host(), self.options.get_port());
        online::online(session, &self.dialect.flavor, table, place).await
    }

    async fn try_on_copy(
        &self,
        session: &mut dyn Session,
        table: &Table,
        copy: &str,
        clauses: &str,
    ) -> Result<std::result::Result<(), String>> {
        online::try_on_copy(session, table, copy, clauses).await
    }

    async fn under_handoff(
        &self,
        session: &mut dyn Session,
        table: &Table,
    ) -> Result<Option<String>> {
        online::under_handoff(session, table).await
    }

    async fn traces(
        &self,
        session: &mut dyn Session,
        place: &Place,
        mark: &Mark,
    ) -> Result<Traces> {
        traces::traces(session, &self.ours(), place, mark).await
    }

    async fn end_session(
        &self,
        session: &mut dyn Session,
        number: &str,
        force: Force,
    ) -> Result<()> {
        traces::end_session(session, &self.dialect.flavor, number, force).await
    }

    async fn holders(
        &self,
        session: &mut dyn Session,
        place: &Place,
        mark: &Mark,
    ) -> Result<std::result::Result<Vec<facts::Transaction>, String>> {
        traces::holders(session, &self.ours(), place, mark).await
    }

    async fn shape(&self, session: &mut dyn Session, place: &Place) -> Result<Option<Shape>> {
        shape::shape(session, &self.dialect.flavor, place).await
    }

    async fn remove(&self, session: &mut dyn Session, leftover: &Leftover) -> Result<()> {
        shape::remove(session, &self.dialect, leftover).await
    }

    async fn standing(&self, session: &mut dyn Session, effect: &Effect) -> Result<Standing> {
        effects::standing(session, effect).await
    }

    async fn watch(&self, session: &mut dyn Session, number: &str) -> Result<Option<Watched>> {
        effects::watch(session, &self.dialect.flavor, number).await
    }

    async fn at_work(&self, session: &mut dyn Session, text: &str) -> Result<Vec<AtWork>> {
        effects::at_work(session, text).await
    }

    async fn signal(&self, session: &mut dyn Session, question: &Question) -> Result<Answer> {
        signals::ask(session, &self.dialect.flavor, question).await
    }

    fn unflushed_commits(&self) -> std::result::Result<(), &'static str> {
        Err("`innodb_flush_log_at_trx_commit` is there for the whole server, the application's \
             transactions included")
    }

    /// The server takes the present time and that of its start in whole seconds, and one from the
    /// other, so its answer may be up to a second too long. Then a session that a crash ended within
    /// its first second would seem to have been ended by a person.
    async fn uptime(&self, session: &mut dyn Session) -> Result<Option<Duration>> {
        let rows = session.query(&Statement::plain("SHOW GLOBAL STATUS LIKE 'Uptime'")).await?;
        let seconds = rows.into_iter().flatten().flatten().nth(1).and_then(|n| n.parse().ok());
        Ok(seconds.map(|seconds: u64| Duration::from_secs(seconds.saturating_sub(1))))
    }

    async fn footing(&self, session: &mut dyn Session) -> Result<Footing> {
        catalog::footing(session).await
    }

    /// InnoDB looks into the index for each range of the statement: a few pages, which it counts as
    /// samples. The number of rows is the last column but one of the plan on MariaDB; MySQL has one
    /// more after it. Where the index is forced, MySQL has nothing to choose, and does not look
    /// (<https://dev.mysql.com/doc/refman/9.7/en/range-optimization.html>, "skip index dives").
    async fn estimate(
        &self,
        session: &mut dyn Session,
        statement: &Statement,
    ) -> Result<Option<u64>> {
        let Statement { sql, binds } = statement;
        let format = if self.dialect.flavor.mariadb { "" } else { "FORMAT=TRADITIONAL " };
        let sql = sql.replacen(" FORCE INDEX (", " USE INDEX (", 1);
        let explain = Statement { sql: format!("EXPLAIN {format}{sql}"), binds: binds.clone() };
        let behind = if self.dialect.flavor.mariadb { 2 } else { 3 };
        let row = session.query(&explain).await?.into_iter().next().unwrap_or_default();
        let rows = row.len().checked_sub(behind).and_then(|at| row.get(at)?.as_deref());
        Ok(rows.and_then(|rows| rows.parse().ok()))
    }

    async fn lock(&self, session: &mut dyn Session, take_over: bool) -> Result<LockAttempt> {
        let name = lock::name(&self.database, &self.link.job);
        let attempt = lock::take(session, &self.dialect.flavor, &name).await?;
        if take_over && let LockAttempt::HeldBy(_) = attempt {
            if let Some(id) = lock::holder_id(session, &name).await? {
                self.terminate(session, &self.link.job, &id, TERMINATE_WITHIN).await?;
            }
            return lock::take(session, &self.dialect.flavor, &name).await;
        }
        Ok(attempt)
    }

    async fn terminate(
        &self,
        session: &mut dyn Session,
        job: &str,
        identity: &str,
        patience: Duration,
    ) -> Result<bool> {
        lock::terminate(session, &self.database, job, identity, patience).await
    }
}
