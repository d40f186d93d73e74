//! The spec of a job that is named.

use std::path::{Path, PathBuf};

use super::{Error, open_journal, read_status};

/// The spec's file: what is named, if that is one, else the one with which the journal's job of that name
/// was run.
///
/// # Errors
///
/// There is no journal, or it does not know the job.
pub fn spec_of(job: &str, state: Option<&Path>) -> Result<PathBuf, Error> {
    let named = Path::new(job);
    if named.extension().is_some_and(|extension| extension == "toml") || named.is_file() {
        return Ok(named.to_owned());
    }
    let journal = open_journal(state)?;
    let path = PathBuf::from(read_status(&journal, job)?.job.spec_path);
    // It was named from where the job was run, which is where the journal's folder stands.
    let beside = journal.path().parent().and_then(Path::parent).map(|folder| folder.join(&path));
    Ok(match beside {
        Some(beside) if !path.is_file() && beside.is_file() => beside,
        _ => path,
    })
}
