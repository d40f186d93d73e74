//! A server that one test has to itself, because the test kills it.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::database::{ALL, Engine};
use crate::harness::{Said, root, wait_for};

/// A server of a test's own; gone when it is dropped.
pub struct OwnServer {
    /// The URL of its maintenance database.
    pub url: String,
    /// Its own directory, with its settings and `data`.
    pub home: PathBuf,
    directory: PathBuf,
    pid_file: PathBuf,
    start: PathBuf,
}

impl OwnServer {
    /// Starts one with the script that starts the shared ones, in the directory of theirs where
    /// there is one: what a test that was itself killed leaves behind goes with it.
    pub fn of(engine: Engine) -> Self {
        let mut command = Command::new(root().join("tests/run"));
        command.args(["--servers-only", "--detach"]);
        if let Ok(run) = std::env::var("BACKSTOP_TEST_RUN_DIR") {
            command.env("TMPDIR", run);
        }
        for other in ALL {
            // One that is given is not started.
            match other.url_env {
                Some(name) if other == engine => command.env_remove(name),
                Some(name) => command.env(name, "none"),
                None => &mut command,
            };
        }
        let said = Said::by(&mut command).expect(0);
        let found =
            said.out.lines().find_map(|line| line.strip_prefix("to stop them: tests/run --stop "));
        let directory = PathBuf::from(found.unwrap_or_else(|| panic!("{said:?}")));
        let variable = |what: &str| {
            let script = format!(
                "source {}/env; echo \"$BACKSTOP_TEST_{}_{what}\"",
                directory.display(),
                engine.name.to_uppercase()
            );
            let said = Said::by(Command::new("bash").args(["-c", &script])).expect(0);
            said.out.trim().to_owned()
        };
        Self {
            url: variable("URL"),
            home: variable("DIR").into(),
            pid_file: variable("PID_FILE").into(),
            start: variable("START").into(),
            directory,
        }
    }

    /// Kills it without a warning.
    pub fn kill(&self) {
        let pid = std::fs::read_to_string(&self.pid_file).unwrap();
        Said::by(Command::new("kill").args(["-KILL", pid.trim()])).expect(0);
    }

    /// Shuts it down as an administrator does who does not wait for its clients; returns once it is
    /// down.
    pub fn stop(&self) {
        let pid = std::fs::read_to_string(&self.pid_file).unwrap();
        // PostgreSQL's fast shutdown; the others know one only.
        let signal = if self.url.starts_with("postgres") { "-INT" } else { "-TERM" };
        Said::by(Command::new("kill").args([signal, pid.trim()])).expect(0);
        let alive = || Said::by(Command::new("kill").args(["-0", pid.trim()])).code == 0;
        wait_for("the server to be down", || !alive());
    }

    /// Begins to start it again, as its machine would; wait for the child's end.
    pub fn restart(&self) -> Child {
        Command::new(&self.start).stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap()
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        let mut stop = Command::new(root().join("tests/run"));
        let _ = stop.arg("--stop").arg(&self.directory).stdin(Stdio::null()).output();
    }
}
