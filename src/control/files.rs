//! Kill files: a path whose existence kills.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use super::{Ask, Level, POLL_EVERY, Source, Stop};

/// What is read of a kill file for its reason. It may be any file of any size.
const REASON_BYTES: u64 = 1024;

/// `echo WHY > FILE` makes the file first and fills it a moment later. The kill waits that long for
/// its reason, and no longer.
const WHILE_FILLED: Duration = Duration::from_millis(10);

/// A kill file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Where it is.
    pub path: PathBuf,
    /// What it says, or why it counts as present.
    pub reason: Option<String>,
}

impl Standing {
    fn ask(self) -> Ask {
        let by = format!("kill file `{}`", self.path.display());
        Ask { level: Level::Kill, source: Source::File, by, reason: self.reason }
    }
}

/// Looks whether a kill file is there. Only "not found" means that it is not: a place that cannot
/// be looked at counts as one where it stands. A link is there also when what it names is not.
#[must_use]
pub fn look(path: &Path) -> Option<Standing> {
    let reason = match fs::symlink_metadata(path) {
        Ok(_) => first_line(path),
        Err(error) if error.kind() == ErrorKind::NotFound => return None,
        Err(error) => Some(format!(
            "it cannot be looked at ({error}), and what cannot be read counts as present"
        )),
    };
    Some(Standing { path: path.to_owned(), reason })
}

/// The reason that a kill file gives, if it can be read.
fn first_line(path: &Path) -> Option<String> {
    // Opening a named pipe would wait for its writer.
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut file = File::open(path).ok()?.take(REASON_BYTES);
    let mut bytes = Vec::new();
    if file.read_to_end(&mut bytes).ok()? == 0 {
        std::thread::sleep(WHILE_FILLED);
        file.read_to_end(&mut bytes).ok()?;
    }
    reason_in(&bytes)
}

/// The first line as a reason, without what a terminal would obey.
#[must_use]
pub fn reason_in(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let line: String = text.lines().next()?.chars().filter(|c| !c.is_control()).collect();
    let line = line.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// The watch over kill files, until this is dropped.
pub struct WatchedFiles {
    _end: mpsc::Sender<()>,
}

/// Asks for the kill as soon as one of the files is there. It has a thread of its own, which works
/// before there is a connection, when every task is busy, and when a file system does not answer.
///
/// # Errors
///
/// The operating system refuses the thread.
pub fn watch_files(files: Vec<PathBuf>, stop: Stop) -> io::Result<WatchedFiles> {
    let (end, ended) = mpsc::channel::<()>();
    if !files.is_empty() {
        std::thread::Builder::new().name("kill files".into()).spawn(move || {
            loop {
                if let Some(standing) = files.iter().find_map(|path| look(path)) {
                    stop.ask(standing.ask());
                    return;
                }
                if ended.recv_timeout(POLL_EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        })?;
    }
    Ok(WatchedFiles { _end: end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_not_found_is_absent() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        assert_eq!(look(&path("none")), None);
        assert_eq!(look(&path("no/such/folder")), None);

        fs::write(path("empty"), "").unwrap();
        assert_eq!(look(&path("empty")).unwrap().reason, None);
        fs::create_dir(path("folder")).unwrap();
        assert_eq!(look(&path("folder")).unwrap().reason, None);
        std::os::unix::fs::symlink(path("none"), path("link")).unwrap();
        assert_eq!(look(&path("link")).unwrap().reason, None);
        // A place below a file is neither there nor "not found".
        let reason = look(&path("empty/below")).unwrap().reason.unwrap();
        assert!(reason.contains("counts as present"), "{reason}");
    }

    #[test]
    fn the_reason_is_the_first_line_and_harmless() {
        assert_eq!(reason_in(b"  page 1234\r\nmore").unwrap(), "page 1234");
        assert_eq!(reason_in(b"\x1b[2Jred\x07\n").unwrap(), "[2Jred");
        assert_eq!(reason_in(b"a\xffb").unwrap(), "a\u{fffd}b");
        assert_eq!(reason_in(b""), None);
        assert_eq!(reason_in(b"\nsecond"), None);
        let folder = tempfile::tempdir().unwrap();
        let long = folder.path().join("long");
        fs::write(&long, "x".repeat(5000)).unwrap();
        assert_eq!(look(&long).unwrap().reason.unwrap().len(), 1024);
    }

    #[test]
    fn a_file_that_appears_kills() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("STOP");
        let stop = Stop::default();
        let _watched = watch_files(vec![folder.path().join("other"), path.clone()], stop.clone());
        assert_eq!(stop.level(), Level::Go);
        let unfinished = folder.path().join("unfinished");
        fs::write(&unfinished, "enough").unwrap();
        fs::rename(&unfinished, &path).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(stop.reached(Level::Kill));
        let ask = stop.present();
        assert_eq!((ask.source, ask.reason.as_deref()), (Source::File, Some("enough")));
        assert_eq!(ask.by, format!("kill file `{}`", path.display()));
    }
}
