//! A tool's process: started in a session of its own, found again after the supervisor died.
//!
//! Its output goes to files, never to pipes: gh-ost dies of SIGPIPE when the reader of either goes away.

use std::fs::{File, OpenOptions};
use std::io;
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process};
use serde::{Deserialize, Serialize};

use super::Paths;

/// What names a process and never another one: a number is used again, with another start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildId {
    /// The process's number.
    pub pid: u32,
    /// When it was started, in clock ticks since the host was.
    pub started: u64,
}

/// The process of a tool.
pub struct Child {
    id: ChildId,
    /// Where it is a child of this process, which must take its exit status.
    own: Option<tokio::process::Child>,
    status: Option<std::process::ExitStatus>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// With this code.
    Code(i32),
    /// By this OS signal.
    Signal(i32),
    /// It is gone, and its code went to another process.
    Gone,
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "OS signal {signal}"),
            Self::Gone => f.write_str("its exit code is not known"),
        }
    }
}

impl Child {
    /// Starts it.
    ///
    /// # Errors
    ///
    /// The program is not there, or a file cannot be written.
    pub fn start(vector: &[String], paths: &Paths) -> io::Result<Self> {
        let append = |path| OpenOptions::new().create(true).append(true).open(path);
        let (out, err): (File, File) = (append(paths.out())?, append(paths.err())?);
        // `setsid` makes the session and then is the tool: the number stays, because a child leads no
        // group. To call setsid(2) between fork and exec needs unsafe code.
        let child = tokio::process::Command::new("setsid")
            .args(vector)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .kill_on_drop(false)
            .spawn()?;
        let pid = child.id().ok_or_else(|| io::Error::other("it ended as it began"))?;
        let started = started(pid).unwrap_or_default();
        Ok(Self { id: ChildId { pid, started }, own: Some(child), status: None })
    }

    /// Finds it again; none if it is gone.
    #[must_use]
    pub fn attach(id: ChildId) -> Option<Self> {
        let child = Self { id, own: None, status: None };
        child.lives().then_some(child)
    }

    /// Finds the one whose output goes to these files: its supervisor may have died in the moment between the
    /// start and the note of its number. None if it is gone.
    #[must_use]
    pub fn writing_to(paths: &Paths) -> Option<Self> {
        let out = std::fs::canonicalize(paths.out()).ok()?;
        let mut found = procfs::process::all_processes().ok()?.flatten().filter(|process| {
            // Its own children write there too, and lead no session. Of processes of others nothing is told.
            let leads = process.stat().is_ok_and(|stat| stat.session == stat.pid);
            let said = std::fs::read_link(format!("/proc/{}/fd/1", process.pid));
            leads && said.is_ok_and(|file| file == out)
        });
        let pid = u32::try_from(found.next()?.pid).ok()?;
        Some(Self::known(ChildId { pid, started: started(pid)? }))
    }

    /// One that may be gone: whatever is asked of it then is answered as that.
    #[must_use]
    pub const fn known(id: ChildId) -> Self {
        Self { id, own: None, status: None }
    }

    /// What names it.
    #[must_use]
    pub const fn id(&self) -> ChildId {
        self.id
    }

    /// How it ended; none while it lives.
    pub fn exit(&mut self) -> Option<Exit> {
        use std::os::unix::process::ExitStatusExt as _;
        if self.status.is_none()
            && let Some(own) = &mut self.own
            && let Ok(Some(status)) = own.try_wait()
        {
            self.status = Some(status);
        }
        match self.status {
            Some(status) => Some(match (status.code(), status.signal()) {
                (Some(code), _) => Exit::Code(code),
                (None, Some(signal)) => Exit::Signal(signal),
                (None, None) => Exit::Gone,
            }),
            None if self.lives() => None,
            None if self.own.is_some() => None,
            None => Some(Exit::Gone),
        }
    }

    fn lives(&self) -> bool {
        started(self.id.pid) == Some(self.id.started)
    }

    /// Sends an OS signal; one that is gone is no error.
    ///
    /// # Errors
    ///
    /// The operating system refuses.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let pid = i32::try_from(self.id.pid).ok().and_then(Pid::from_raw);
        let Some(pid) = pid.filter(|_| self.lives()) else { return Ok(()) };
        match kill_process(pid, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The local addresses of its TCP connections, as the server's list of sessions shows them where nothing
    /// between translates addresses.
    #[must_use]
    pub fn addresses(&self) -> Vec<String> {
        let found = || -> procfs::ProcResult<Vec<String>> {
            use procfs::process::{FDTarget, Process};
            let process = Process::new(self.id.pid.try_into().unwrap_or_default())?;
            let mut sockets = Vec::new();
            for file in process.fd()?.flatten() {
                if let FDTarget::Socket(inode) = file.target {
                    sockets.push(inode);
                }
            }
            let mut all = process.tcp()?;
            all.extend(process.tcp6()?);
            let own = all.into_iter().filter(|entry| sockets.contains(&entry.inode));
            Ok(own.map(|entry| entry.local_address.to_string()).collect())
        };
        found().unwrap_or_default()
    }
}

/// When the process was started; none if it is gone, or ended and only waits for somebody to ask how.
fn started(pid: u32) -> Option<u64> {
    let process = procfs::process::Process::new(pid.try_into().ok()?).ok()?;
    let stat = process.stat().ok()?;
    (!matches!(stat.state, 'Z' | 'X')).then_some(stat.starttime)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_process_is_found_again_and_never_another_of_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths::new(&folder.path().join("x").display().to_string());
        let vector = ["sh", "-c", "echo said; echo wrong >&2; sleep 60"].map(str::to_owned);
        let mut child = Child::start(&vector, &paths).unwrap();
        assert_eq!(child.exit(), None);
        let again = Child::attach(child.id()).unwrap();
        assert!(Child::attach(ChildId { started: 1, ..child.id() }).is_none());
        // It leads a session, so that the end of ours is not the end of it.
        let stat = procfs::process::Process::new(child.id().pid.cast_signed()).unwrap().stat();
        while std::fs::read_to_string(paths.err()).unwrap() != "wrong\n" {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        let session = procfs::process::Process::new(child.id().pid.cast_signed()).unwrap().stat();
        assert_eq!(session.unwrap().session.unsigned_abs(), stat.unwrap().pid.unsigned_abs());
        assert_eq!(std::fs::read_to_string(paths.out()).unwrap(), "said\n");
        // Also where nobody knows its number.
        assert_eq!(Child::writing_to(&paths).map(|child| child.id()), Some(child.id()));
        let other = Paths::new(&folder.path().join("y").display().to_string());
        assert!(Child::writing_to(&other).is_none());
        again.signal(Signal::KILL).unwrap();
        while child.exit().is_none() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        assert_eq!(child.exit(), Some(Exit::Signal(9)));
        assert!(Child::attach(child.id()).is_none());
        assert!(Child::writing_to(&paths).is_none());
        again.signal(Signal::TERM).unwrap();
    }
}
