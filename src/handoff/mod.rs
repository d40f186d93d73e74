//! Giving a schema change to gh-ost, to pt-online-schema-change, or to the server's own online path.
//!
//! A plan is made in three steps, and writes nothing: the **preflight** ([`preflight`]) reads facts and
//! holds each against the paths that a change can take; the **decision** ([`decide`]) takes the best path
//! that nothing stands against; the **invocation** is the argument vector that
//! [`crate::rewrite::tool`] makes for this pair of tool and server, or the statements themselves.
//!
//! **Invariants.** Nothing is taken for harmless because it could not be read. Whatever could lose rows is
//! shown to lose none, by a query on the data that are there, before a command is given. No secret is in
//! a command, in a plan, or in a file that is generated.

pub mod canary;
mod change;
pub mod cleanup;
pub mod compare;
mod decide;
mod estimate;
pub mod files;
pub mod kill;
mod leaves;
mod native;
pub mod preflight;
mod probe;
pub mod revert;
pub mod supervise;
mod tools;
pub mod verdict;
pub mod work;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::catalog::{Lookup, Release, Server, Table, TableName};
use crate::control::Stop;
use crate::rewrite::tool::pairs::Pair;
use crate::rewrite::tool::{Command, Tool};
use crate::target::{self, Effect, Online, Session, Target};

pub use estimate::Estimate;
pub use preflight::Checked;
pub use probe::{Asked, Outcome};
pub use tools::Installed;

/// What a plan is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// The migration's file, as it was named.
    pub file: String,
    /// Its text.
    pub text: String,
    /// The environment variable that holds the target's URL.
    pub url_env: String,
    /// Replicas that the user knows of.
    pub replicas: Option<u32>,
    /// The tool that the user wants.
    pub tool: Option<Tool>,
    /// The file with user and password, for the tool.
    pub defaults_file: String,
    /// The folder of sockets and flag files.
    pub folder: String,
    /// The longest that a query of ours may look for what would be lost.
    pub query_limit: Duration,
    /// Whether a raw change is tried on an empty copy of the table first.
    pub prove: bool,
    /// A table of so many rows is large.
    pub large_rows: u64,
    /// A table of so many bytes is large.
    pub large_bytes: u64,
    /// The longest that a statement may wait for a lock, and the application behind it.
    pub lock_wait: Duration,
    /// Where Backstop's tables stand, if not at home.
    pub fence_schema: Option<String>,
    /// The tool whose earlier run is taken up: what it left is no hindrance, but what it goes on with.
    pub resumes: Option<Tool>,
}

/// A way to make the change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// By the server, in the dictionary alone.
    Instant,
    /// By the server, in place, while the table is read and written.
    InPlace,
    /// By a tool.
    Tool(Tool),
    /// PostgreSQL's own online path.
    Native,
    /// By nothing.
    Refuse,
}

impl Decision {
    /// Its name in messages and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::InPlace => "in place",
            Self::Tool(tool) => tool.program(),
            Self::Native => "native",
            Self::Refuse => "refuse",
        }
    }
}

/// A statement to run, or something to do between two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The statement; none for something that a person or a job does.
    pub sql: Option<String>,
    /// Why, or what is to be done.
    pub note: String,
    /// It must not stand in a transaction.
    pub alone: bool,
    /// What it is to whoever runs it.
    pub does: Does,
}

/// What a step is to whoever runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// It says how long the statements after it wait for a lock; zero: as long as it takes.
    LockWait(Duration),
    /// A person or a job does it.
    ByHand,
    /// It is a statement of the change.
    Change {
        /// What is there once it is done. Empty where the catalog does not tell: then a second run
        /// changes nothing, or the server refuses it.
        leaves: Vec<Effect>,
        /// Once these are there it is not needed any more: it has made something that a later step uses
        /// and takes away again.
        spared_by: Vec<Effect>,
    },
}

/// What is to be done, and why. The journal keeps what is needed to go on with it; what was only looked at
/// is not kept, because it may have changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// The migration's file.
    pub file: String,
    /// The environment variable with the target's URL.
    pub url_env: String,
    /// The server: `MySQL 9.7.4`.
    pub server: String,
    /// Where it is.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The table's database or schema.
    pub database: String,
    /// The table.
    pub table: String,
    /// The change, on one line.
    pub clauses: String,
    /// What was decided.
    pub decision: Decision,
    /// Why so, and why not otherwise.
    pub reasons: Vec<String>,
    /// Statements, where the server makes the change.
    pub steps: Vec<Step>,
    /// The tool's command.
    pub command: Option<Command>,
    /// The flags of this pair of tool and server.
    #[serde(skip)]
    pub flags: Vec<&'static Pair>,
    /// What it takes.
    pub estimate: Estimate,
    /// The preflight.
    #[serde(skip)]
    pub checks: Vec<Checked>,
    /// What was asked about rows that would be lost.
    #[serde(skip)]
    pub losses: Vec<Asked>,
    /// The tools on the path.
    pub installed: Vec<Installed>,
    /// What else could be done.
    pub advice: Vec<String>,
    /// Begins the names of this run's files: socket and flags.
    pub files: String,
    /// The defaults file.
    pub defaults_file: String,
    /// The longest that a statement waits for a lock.
    pub lock_wait: Duration,
    /// The earlier change that is taken back, where no new one is made.
    #[serde(default)]
    pub reverts: Option<Reverts>,
}

impl Plan {
    /// What the request, the server and the table say of any plan: no steps, no command, nothing that was asked.
    fn about(seen: &preflight::Seen, decision: Decision, estimate: Estimate) -> Self {
        Self {
            file: seen.request.file.clone(),
            url_env: seen.request.url_env.clone(),
            server: format!("{} {}", seen.server.product, seen.server.version),
            host: seen.facts.host.clone(),
            port: seen.facts.port,
            database: seen.table.schema.clone(),
            table: seen.table.name.clone(),
            clauses: seen.change.clauses.clone(),
            decision,
            reasons: Vec::new(),
            steps: Vec::new(),
            command: None,
            flags: Vec::new(),
            estimate,
            checks: Vec::new(),
            losses: Vec::new(),
            installed: Vec::new(),
            advice: Vec::new(),
            files: String::new(),
            defaults_file: String::new(),
            lock_wait: seen.request.lock_wait,
            reverts: None,
        }
    }
}

/// An earlier change whose old table is put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reverts {
    /// The name of its handoff.
    pub handoff: String,
    /// The old table's name, as the tool left it.
    pub old: String,
    /// Columns that the old table does not have: their values are lost.
    pub lost: Vec<String>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file, or what it asks for, is not for a handoff.
    #[error("{0}")]
    Usage(String),
    /// The target could not be asked.
    #[error("the target cannot be used: {0}")]
    Target(#[from] target::Error),
    /// Somebody asked to leave.
    #[error(
        "stopped while a query looked for rows that would be lost; it was cancelled on the server"
    )]
    Stopped,
}

/// Makes the plan. Nothing is written, but with `prove` an empty table that is dropped again.
///
/// # Errors
///
/// The file holds no change for a handoff, or the target cannot be asked.
pub async fn make(request: &Request, target: &dyn Target, stop: &Stop) -> Result<Plan, Error> {
    let mut session = target.open("handoff").await?;
    let plan = make_in(request, target, session.as_mut(), stop).await;
    session.close().await;
    plan
}

async fn make_in(
    request: &Request,
    target: &dyn Target,
    session: &mut dyn Session,
    stop: &Stop,
) -> Result<Plan, Error> {
    let server = target.server(session).await?;
    let release = release_of(&server)?;
    let change = change::read(request, release)?;
    let name = TableName {
        schema: change.name.schema.clone(),
        name: change.name.name.clone(),
        // PostgreSQL has folded it already, and MySQL folds by its own setting.
        quoted: true,
    };
    let table = found(target, session, &name, &server).await?;
    let mut facts = target.online(session, &table).await?;
    // A table that is to become a partition decides as much as the one that it becomes a part of.
    if let Some(name) = change.attached()
        && let Lookup::Found(child) = target.look_up(session, &name).await?
    {
        facts.definitions.extend(target.online(session, &child).await?.definitions);
    }
    let change = change.placed(&table, &facts);
    let seen = seen(request, &server, &table, &facts, change, target, session).await?;
    if facts.release.engine == crate::catalog::Engine::Postgres {
        return Ok(native::plan(&seen));
    }
    decide::plan(&seen, target, session, stop).await
}

/// The table of that name.
async fn found(
    target: &dyn Target,
    session: &mut dyn Session,
    name: &TableName,
    server: &Server,
) -> Result<Table, Error> {
    match target.look_up(session, name).await? {
        Lookup::Found(table) => Ok(*table),
        Lookup::NotATable { kind } => Err(Error::Usage(format!(
            "`{name}` is a {kind}, and only an ordinary table can be changed online; name the table behind it"
        ))),
        Lookup::Missing { close } => {
            let hint = match close.first() {
                Some(close) => format!("did you mean `{close}`?"),
                None => "check the name, and that the URL's user may see the table".to_owned(),
            };
            Err(Error::Usage(format!(
                "there is no table `{name}` in database `{}`; {hint}",
                server.database
            )))
        }
    }
}

/// Everything that a check may look at.
async fn seen<'a>(
    request: &'a Request,
    server: &'a Server,
    table: &'a Table,
    facts: &'a Online,
    change: change::Placed,
    target: &dyn Target,
    session: &mut dyn Session,
) -> Result<preflight::Seen<'a>, Error> {
    let home = target.fence_home(session, request.fence_schema.as_deref()).await?;
    let backfills = target::fence::open_on(&home, session, &table.identity).await?;
    let disk = match target.signal(session, &target::Question::DiskFree).await {
        Ok(target::Answer::Read(readings)) => readings
            .first()
            .and_then(|reading| reading.value.clone().ok())
            .ok_or_else(|| "the server told no number".to_owned()),
        Ok(target::Answer::NotHere(why)) => Err(why.to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let installed = tools::installed().await;
    Ok(preflight::Seen { request, server, table, facts, backfills, disk, change, installed })
}

/// The release that the server is.
fn release_of(server: &Server) -> Result<Release, Error> {
    let digits = |c: char| c.is_ascii_digit() || c == '.';
    let end = server.version.find(|c| !digits(c)).unwrap_or(server.version.len());
    let number: Vec<&str> =
        server.version[..end].split('.').filter(|part| !part.is_empty()).take(3).collect();
    let text = format!("{}-{}", server.product, number.join("."));
    Release::parse(&text).map_err(Error::Usage)
}
