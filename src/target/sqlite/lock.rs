//! The lock that excludes two runners of one job: an advisory lock on a small file beside the
//! database. SQLite itself has no lock that outlives a transaction.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use crate::target::{Class, Error, JobLock, LockAttempt, Result};

struct Held {
    file: File,
    path: PathBuf,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Removed while it is still locked: who opens the path from now on makes a new file, and
        // who has already opened this one finds out below that it is no longer the one at the path.
        // One that was taken over from us is not ours to remove.
        if is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
        let _ = self.file.unlock();
    }
}

/// Tries to take the lock for `job` on the database at `database`. To take it over is to put another
/// file in the place of the one that is locked; its holder is kept out by the fence.
pub(super) fn take(database: &Path, job: &str, take_over: bool) -> Result<LockAttempt> {
    let mut name = database.as_os_str().to_owned();
    name.push(format!(".backstop-{job}.lock"));
    let path = PathBuf::from(name);
    let fail = |error: std::io::Error| {
        Error::new(
            Class::Unsuitable,
            format!("the lock file `{}` cannot be used: {error}", path.display()),
        )
    };
    loop {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(fail)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) if take_over => {
                std::fs::remove_file(&path).map_err(fail)?;
                continue;
            }
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(fail)?;
                return Ok(LockAttempt::HeldBy(holder));
            }
            Err(TryLockError::Error(error)) => return Err(fail(error)),
        }
        if !is_at(&file, &path) {
            continue;
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(fail)?;
        write!(file, "process {} on this machine", std::process::id()).map_err(fail)?;
        return Ok(LockAttempt::Held(JobLock { guard: Some(Box::new(Held { file, path })) }));
    }
}

/// Whether the open file is still the one that the path names.
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(open), Ok(named)) => open.ino() == named.ino() && open.dev() == named.dev(),
        _ => false,
    }
}
