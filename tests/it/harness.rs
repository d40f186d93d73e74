//! The binary under test, as a person calls it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The root of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
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
        Self::from(command.stdin(Stdio::null()).output().unwrap())
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

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
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
        Said::from(self.command(arguments).output().unwrap())
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
        condition: impl Fn(&serde_json::Value) -> bool,
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
                started.elapsed() < Duration::from_secs(180),
                "waited for three minutes: {status}"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A call under way; killed when it is dropped.
pub struct Running(Option<Child>);

impl Running {
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

    fn has_ended(&mut self) -> bool {
        self.0.as_mut().unwrap().try_wait().unwrap().is_some()
    }

    fn take_output(&mut self) -> Said {
        Said::from(self.0.take().unwrap().wait_with_output().unwrap())
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
