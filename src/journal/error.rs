//! What can be wrong with the journal.

use std::path::{Path, PathBuf};

/// An error of the journal, in words for the person who has to mend it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be made.
    #[error(
        "the journal's folder `{}` cannot be made: {source}; without a journal nobody can see or \
         stop the job, so name another place with `--state PATH`", path.display()
    )]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is something else.
    #[error(
        "`{}` is not a Backstop journal, and is left as it is; name another file with \
         `--state PATH`", path.display()
    )]
    NotAJournal {
        /// The file.
        path: PathBuf,
    },
    /// The file is damaged.
    #[error(
        "the journal `{}` is damaged: {source}; the target knows how far each job is, so move the \
         file away and run again", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file was written by another version.
    #[error(
        "the journal `{}` has format {version}, and this version of Backstop knows none above {known}; \
         use the version that wrote it, or name another file with `--state PATH`", path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format.
        version: i32,
        /// The newest format of this build.
        known: i32,
    },
    /// The job belongs to another runner by now.
    #[error(
        "job `{job}` was taken over by {runner}; this runner writes nothing any more, and a batch that \
         it had in flight is known to the other one as written or as rolled back"
    )]
    Ousted {
        /// The job.
        job: String,
        /// Who has it.
        runner: String,
    },
    /// The disk is full.
    #[error(
        "no space left for the journal `{}`; the target is unharmed and knows how far the job is, \
         so free some space and run again", path.display()
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The file may not be written.
    #[error(
        "the journal `{}` cannot be opened for writing; without it nobody can see or stop the job, \
         so mend its permissions or name another place with `--state PATH`", path.display()
    )]
    Permission {
        /// The file.
        path: PathBuf,
    },
    /// Anything else that SQLite says.
    #[error(
        "the journal `{}` cannot be used: {source}; mend that, or name another file with \
         `--state PATH`", path.display()
    )]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A value that this version does not know.
    #[error(
        "the journal `{}` holds a {what} that this version cannot read: `{value}`", path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// The text.
        value: String,
    },
}

/// The result of everything that touches the journal.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Whether another process has the file for itself just now.
    pub(super) fn is_busy(&self) -> bool {
        use rusqlite::ErrorCode as Code;
        matches!(self, Self::Sqlite { source, .. } if matches!(
            source.sqlite_error_code(),
            Some(Code::DatabaseBusy | Code::DatabaseLocked)
        ))
    }

    pub(super) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode as Code;
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(Code::NotADatabase) => Self::NotAJournal { path },
            Some(Code::DatabaseCorrupt) => Self::Damaged { path, source },
            Some(Code::DiskFull) => Self::Full { path },
            Some(Code::SystemIoFailure) if is_write_failure(&source) => Self::Full { path },
            Some(Code::CannotOpen | Code::ReadOnly | Code::PermissionDenied) => {
                Self::Permission { path }
            }
            _ => Self::Sqlite { path, source },
        }
    }
}

/// In WAL mode a full disk shows as a failed write, not as `SQLITE_FULL`.
fn is_write_failure(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error().map(|e| e.extended_code),
        Some(rusqlite::ffi::SQLITE_IOERR_WRITE | rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
    )
}
