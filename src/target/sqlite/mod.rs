//! SQLite as a target: a file that an application writes to at the same time.
//!
//! It has one writer. A batch takes the write lock with `BEGIN IMMEDIATE`, holds it for about
//! 20 ms, and the worker then rests at least as long, so that the application gets its turn. Waiting
//! for the lock is a loop of ours and not SQLite's busy handler, which an interrupt does not end.
//! The `journal_mode` of the file is the application's business and is never changed.

mod catalog;
mod checksum;
mod dialect;
mod error;
mod holder;
mod home;
mod lock;
mod maintenance;
mod reads;
mod session;
mod signals;
mod volatility;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::{
    Answer, Chore, Class, Dialect, Engine, Error, Link, LockAttempt, Maintenance, Manners,
    Question, Result, Session, Statement, Target, Volatility, fence,
};
use crate::catalog::{Column, Key, Lookup, Server, Table, TableName};
use crate::sql::Use;

/// SQLite.
pub static ENGINE: Engine = Engine {
    schemes: &["sqlite"],
    example: "sqlite:path/to/file.db",
    connect: |link| Box::pin(connect(link)),
};

struct Sqlite {
    path: PathBuf,
    address: String,
    job: String,
}

async fn connect(link: Link) -> Result<Arc<dyn Target>> {
    let text = link.url.reveal();
    let path = text.strip_prefix("sqlite:").unwrap_or(text);
    // `sqlite://relative` and `sqlite:///absolute` are how other tools write it.
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = PathBuf::from(path.split('?').next().unwrap_or(path));
    let unsuitable = |message: String| Error::new(Class::Unsuitable, message);
    if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
        return Err(unsuitable(
            "the target's URL names no file; a database in memory cannot be reached from another \
             process, so write `sqlite:path/to/file.db`"
                .to_owned(),
        ));
    }
    if !path.is_file() {
        return Err(unsuitable(format!(
            "there is no file `{}`; a missing database is not made, because nothing could be \
             backfilled in it",
            path.display()
        )));
    }
    let address = format!("sqlite:{}", path.display());
    let target = Sqlite { path, address, job: link.job };
    // A wrong file is reported now and not at the first batch.
    let probe = target.open("probe").await;
    probe.map_err(|error| error.while_doing(&target.address))?.close().await;
    Ok(Arc::new(target))
}

impl Sqlite {
    fn absolute(&self) -> PathBuf {
        std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone())
    }
}

#[async_trait]
impl Target for Sqlite {
    fn dialect(&self) -> &dyn Dialect {
        &dialect::SQLITE
    }

    fn address(&self) -> &str {
        &self.address
    }

    async fn open(&self, _purpose: &str) -> Result<Box<dyn Session>> {
        Ok(Box::new(session::SqliteSession::open(&self.path).await?))
    }

    async fn server(&self, session: &mut dyn Session) -> Result<Server> {
        let version = session.query(&Statement::plain("SELECT sqlite_version()")).await?;
        let version = version.into_iter().flatten().flatten().next().unwrap_or_default();
        let stem = self.path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        Ok(Server {
            product: "SQLite",
            version,
            database: stem.unwrap_or_default(),
            identity: self.absolute().display().to_string(),
            read_only: read_only(&self.path),
            settings: Vec::new(),
            unsuitable: Vec::new(),
            cluster: None,
        })
    }

    async fn look_up(&self, session: &mut dyn Session, name: &TableName) -> Result<Lookup> {
        catalog::look_up(session, name).await
    }

    async fn volatility(&self, session: &mut dyn Session, uses: &[Use]) -> Result<Vec<Volatility>> {
        volatility::of(session, uses).await
    }

    async fn prove_direct(&self, _: &mut dyn Session, _: &mut dyn Session) -> Result<()> {
        Ok(())
    }

    async fn fence_home(
        &self,
        session: &mut dyn Session,
        _schema: Option<&str>,
    ) -> Result<fence::Home> {
        home::find(session).await
    }

    async fn annex(
        &self,
        session: &mut dyn Session,
        _schema: Option<&str>,
        name: &str,
        ddl: fence::Ddl<'_>,
    ) -> Result<(fence::Place, Option<fence::Obstacle>)> {
        home::annex(session, name, ddl).await
    }

    async fn declarations(
        &self,
        session: &mut dyn Session,
        table: &Table,
        _key: &Key,
        columns: &[&Column],
    ) -> Result<Vec<String>> {
        catalog::declarations(session, table, columns).await
    }

    async fn grantee(&self, _: &mut dyn Session) -> Result<Option<String>> {
        Ok(None)
    }

    async fn lock(&self, _: &mut dyn Session, take_over: bool) -> Result<LockAttempt> {
        lock::take(&self.absolute(), &self.job, take_over)
    }

    /// A session here is a part of its process, which nobody else can end: the write lock of its
    /// open transaction is waited for instead.
    async fn terminate(
        &self,
        _: &mut dyn Session,
        _job: &str,
        identity: &str,
        _: Duration,
    ) -> Result<bool> {
        Ok(holder::has_ended(identity))
    }

    async fn maintenance(
        &self,
        _: &mut dyn Session,
        table: &Table,
        maintenance: Maintenance,
    ) -> Result<Chore> {
        Ok(maintenance::of(self.dialect(), table, maintenance))
    }

    async fn signal(&self, session: &mut dyn Session, question: &Question) -> Result<Answer> {
        signals::ask(session, question).await
    }

    fn unflushed_commits(&self) -> std::result::Result<(), &'static str> {
        // https://www.sqlite.org/pragma.html#pragma_synchronous
        Err(
            "`synchronous` decides there what a crash may do to the whole file, and that is for the \
             application to say whose file it is",
        )
    }

    fn manners(&self) -> Manners {
        Manners { target_time: Duration::from_millis(20), pause_as_long: true, max_workers: 1 }
    }
}

/// Why the file takes no writes. SQLite also writes beside it, so the folder counts.
fn read_only(path: &Path) -> Option<String> {
    let opened = std::fs::OpenOptions::new().append(true).open(path);
    opened.err().map(|error| format!("`{}` cannot be opened for writing: {error}", path.display()))
}
