//! Where the journal is.

use std::path::{Path, PathBuf};

/// The folder and file that are looked for upward from the working directory.
const LOCAL: &str = ".backstop/journal.db";

/// The outcome of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The journal, if one was found.
    pub path: Option<PathBuf>,
    /// Every place that was looked at, for the message when there is none.
    pub looked_at: Vec<PathBuf>,
}

/// Looks upward from `start`, then in the XDG state directory.
#[must_use]
pub fn find(start: &Path) -> Found {
    let mut looked_at: Vec<PathBuf> = start.ancestors().map(|folder| folder.join(LOCAL)).collect();
    looked_at.extend(in_state_home());
    let path = looked_at.iter().find(|path| path.is_file()).cloned();
    Found { path, looked_at }
}

/// Where a new journal goes: beside the working directory if that can be written, else into the
/// XDG state directory.
#[must_use]
pub fn default_path(start: &Path) -> PathBuf {
    let local = start.join(LOCAL);
    let folder = start.join(".backstop");
    if folder.is_dir() || std::fs::create_dir(&folder).is_ok() {
        return local;
    }
    in_state_home().unwrap_or(local)
}

fn in_state_home() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|p| p.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))?;
    Some(state.join("backstop/journal.db"))
}
