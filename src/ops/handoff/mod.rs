//! Handoffs: planned, generated, run, steered, ended, cleaned up.

mod back;
mod leftovers;
mod planned;
mod run;
mod verbs;

pub use back::{defaults_file_of, revertible};
pub use leftovers::{Cleaned, Shown, Wish, clean};
pub use run::{How, Opened, Ready, RunAsked, database_of, name_for, name_of, open};
pub use verbs::{EndedHandoff, ask, end, kill_all, known, release};

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Error;
use super::prepare::{connect_to, read_text};
use super::team::Team;
use crate::control::Stop;
use crate::gate::Policy;
use crate::handoff::{self, Plan, Request, files};
use crate::rewrite::tool::Tool;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The migration.
    pub file: PathBuf,
    /// The environment variable with the target's URL.
    pub target: String,
    /// Replicas that the user knows of.
    pub replicas: Option<u32>,
    /// The tool that the user wants.
    pub tool: Option<Tool>,
    /// The tool's file with user and password.
    pub defaults_file: Option<PathBuf>,
    /// The longest that each query may look for rows that would be lost.
    pub query_limit: Duration,
    /// Whether the server's own way is tried on an empty copy.
    pub prove: bool,
    /// The folder of generated files.
    pub out: Option<PathBuf>,
}

/// A socket's name has at most 107 bytes, and ours ends `/backstop-xxxxxxxx.postpone`.
const LONGEST_FOLDER: usize = 107 - 27;

/// Makes the plan.
///
/// # Errors
///
/// The file is no migration for a handoff, or the target cannot be asked.
pub async fn plan(asked: &Asked, team: &Team, stop: &Stop) -> Result<Plan, Error> {
    let target = connect_to(&asked.target).await?;
    let read = read_text(&asked.file)?;
    Ok(handoff::make(&request(asked, team, read), target.as_ref(), stop).await?)
}

/// What a plan is asked for, with what the team has settled: the file and its text stand there already.
fn request(asked: &Asked, team: &Team, (file, text): (String, String)) -> Request {
    // The gate's own defaults, whatever the server is.
    let usual = crate::catalog::Release {
        engine: crate::catalog::Engine::MySql,
        version: crate::catalog::Engine::MySql.usual(),
    };
    let policy = Policy::new(usual, "");
    let gate = &team.config.gate;
    Request {
        file,
        text,
        url_env: asked.target.clone(),
        replicas: asked.replicas,
        tool: asked.tool,
        defaults_file: absolute(asked.defaults_file.as_deref().unwrap_or(&own_defaults())),
        folder: folder(asked.out.as_deref()),
        query_limit: asked.query_limit,
        prove: asked.prove,
        large_rows: gate.large_rows.unwrap_or(policy.large_rows),
        large_bytes: gate.large_bytes.map_or(policy.large_bytes, |size| size.0),
        lock_wait: gate.lock_timeout.map_or(policy.longest_lock_wait, |wait| wait.0),
        fence_schema: team.config.fence.schema.clone(),
        resumes: None,
    }
}

fn own_defaults() -> PathBuf {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    PathBuf::from(home.unwrap_or_else(|| "/".into())).join(".my.cnf")
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Where the socket and the flag files of the run stand.
fn folder(out: Option<&Path>) -> String {
    let wanted = out.map(absolute).filter(|folder| folder.len() <= LONGEST_FOLDER);
    wanted.unwrap_or_else(|| absolute(&std::env::temp_dir()))
}

/// Writes the files of a plan into a folder, and returns their paths. What is there stays as it is.
///
/// # Errors
///
/// One of them is there, or cannot be written.
pub fn generate(plan: &Plan, out: &Path) -> Result<Vec<PathBuf>, Error> {
    let failed = |path: &Path| {
        let path = path.display().to_string();
        move |source| Error::Ungenerated { path, source }
    };
    std::fs::create_dir_all(out).map_err(failed(out))?;
    let files = files::files(plan);
    for file in &files {
        let path = out.join(file.name);
        if path.symlink_metadata().is_ok() {
            let source = std::io::Error::new(
                std::io::ErrorKind::AlreadyExists,
                "it is there already, perhaps of a run that is going on; name another folder",
            );
            return Err(failed(&path)(source));
        }
    }
    let mut written = Vec::new();
    for file in &files {
        let path = out.join(file.name);
        let mut open = std::fs::OpenOptions::new();
        open.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            open.mode(if file.runs { 0o755 } else { 0o644 });
        }
        let mut made = open.open(&path).map_err(failed(&path))?;
        made.write_all(file.text.as_bytes()).map_err(failed(&path))?;
        written.push(path);
    }
    Ok(written)
}
