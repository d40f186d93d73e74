//! The binary under test, as a person calls it.

use std::cell::Cell;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether `tests/run --full` asks for the long proofs.
pub fn is_full() -> bool {
    std::env::var("BACKSTOP_TEST_FULL").is_ok_and(|full| full == "1")
}

/// How long a test may wait for a program to end, or for the longest test. On a machine of two
/// cores the slowest takes two minutes, and most of `--full` half an hour; what takes much longer
/// hangs, and must be named rather than waited for.
pub fn patience() -> Duration {
    Duration::from_secs(if is_full() { 3 * 3600 } else { 600 })
}

/// Waits until it is so.
#[track_caller]
pub fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited for a minute: {what}");
        // Out of step with the pauses of the jobs, of 10 and 20 ms.
        std::thread::sleep(Duration::from_millis(7));
    }
}

/// A working directory with a journal of its own.
pub struct Desk {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// How a call went.
#[derive(Debug)]
pub struct Said {
    /// The exit code; -1 for a signal.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Said {
    /// Calls a program other than the one under test.
    pub fn by(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Self::at_the_end_of(command.spawn().unwrap())
    }

    /// Waits for the end, and makes one of what has none.
    fn at_the_end_of(child: Child) -> Self {
        let pid = child.id().to_string();
        let (ended, watched) = channel::<()>();
        let watch = std::thread::spawn(move || {
            let hangs = watched.recv_timeout(patience() / 2) == Err(RecvTimeoutError::Timeout);
            if hangs {
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
            hangs
        });
        let said = Self::from(child.wait_with_output().unwrap());
        drop(ended);
        assert!(!watch.join().unwrap(), "it hung, and was killed: {said:?}");
        said
    }

    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Demands an exit code, and shows everything if it is another.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "exit code\n--- stdout\n{}\n--- stderr\n{}",
            self.out, self.err
        );
        assert!(!self.err.contains("panicked"), "a panic reached the user:\n{}", self.err);
        self
    }

    /// Demands that one of the streams holds a text.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.err.contains(text) || self.out.contains(text),
            "`{text}` is not said\n--- stdout\n{}\n--- stderr\n{}",
            self.out,
            self.err
        );
        self
    }
}

impl Desk {
    /// An empty one.
    pub fn new() -> Self {
        Self { folder: TempDir::new().unwrap(), environment: Vec::new() }
    }

    /// One whose `DATABASE_URL` is set.
    pub fn at(url: &str) -> Self {
        Self::new().set("DATABASE_URL", url)
    }

    /// Sets a variable for every call.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and makes the folder that it stands in.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// The call, not yet made.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_backstop"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"))
            .env_remove("DATABASE_URL")
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Calls and waits.
    pub fn call(&self, arguments: &[&str]) -> Said {
        Said::by(&mut self.command(arguments))
    }

    /// Calls and goes on.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running(Some(self.command(arguments).spawn().unwrap()))
    }

    /// The job's state as `status --json` has it.
    pub fn status(&self, job: &str) -> serde_json::Value {
        let said = self.call(&["status", job, "--json"]).expect(0);
        serde_json::from_str(&said.out).unwrap()
    }

    /// Waits until the status satisfies the condition, as long as the runner lives.
    #[track_caller]
    pub fn wait_until(
        &self,
        running: &mut Running,
        job: &str,
        mut condition: impl FnMut(&serde_json::Value) -> bool,
    ) {
        let started = Instant::now();
        loop {
            let said = self.call(&["status", job, "--json"]);
            let status = serde_json::from_str(&said.out).unwrap_or_default();
            if said.code == 0 && condition(&status) {
                return;
            }
            if running.has_ended() {
                panic!("the runner has ended: {:?}\n{status}", running.take_output());
            }
            assert!(
                started.elapsed() < patience() / 2,
                "waited for {:?}: {status}",
                patience() / 2
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A call under way; killed when it is dropped.
pub struct Running(Option<Child>);

impl Running {
    /// A call that was started by hand.
    pub fn of(child: Child) -> Self {
        Self(Some(child))
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let status =
            Command::new("kill").arg(format!("-{name}")).arg(self.pid().to_string()).status();
        assert!(status.unwrap().success(), "kill -{name}");
    }

    /// Reads its standard output until a line satisfies the condition; what it says after that is
    /// lost. Returns whether there was such a line.
    pub fn has_said_such(&mut self, condition: impl Fn(&str) -> bool) -> bool {
        let Some(out) = self.0.as_mut().unwrap().stdout.take() else { return false };
        BufReader::new(out).lines().any(|line| condition(&line.unwrap()))
    }

    /// Waits until it has reported that many batches, or has ended.
    pub fn has_done_batches(&mut self, batches: u32) {
        let done = Cell::new(0);
        self.has_said_such(|line| {
            done.set(done.get() + u32::from(line.contains("\"batch_done\"")));
            batches <= done.get()
        });
    }

    /// Whether it has.
    pub fn has_ended(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    /// What it said, once it has ended.
    pub fn take_output(&mut self) -> Said {
        Said::at_the_end_of(self.0.take().unwrap())
    }

    /// Waits for its end.
    pub fn wait(mut self) -> Said {
        self.take_output()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
