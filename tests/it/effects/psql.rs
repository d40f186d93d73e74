//! psql as a session that is talked to. All that is read back comes on stderr, where the server's
//! messages keep their order with what `\warn` says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::database::Database;

fn start(database: &Database) -> Child {
    Command::new(std::env::var("BACKSTOP_TEST_PSQL").unwrap())
        .args(["-X", "-q", "-v", "VERBOSITY=verbose", "-f", "-", &database.url])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a whole script says.
pub fn all(database: &Database, script: &str) -> String {
    let mut child = start(database);
    let mut stdin = child.stdin.take().unwrap();
    let text = script.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let said = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    String::from_utf8(said.stderr).unwrap()
}

/// A session.
pub struct Psql {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    /// Its backend.
    pub pid: String,
}

/// The line after the last of an answer.
const END: &str = "@end";

impl Psql {
    pub fn open(database: &Database) -> Self {
        let mut child = start(database);
        let stdin = child.stdin.take().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (said, lines) = channel();
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if said.send(line).is_err() {
                    return;
                }
            }
        });
        let mut session = Self { child, stdin, lines, pid: String::new() };
        session.pid = session.value("SELECT pg_backend_pid() AS value");
        session
    }

    /// Says something, and does not wait.
    pub fn say(&mut self, script: &str) {
        writeln!(self.stdin, "{script}\n\\warn {END}").unwrap();
    }

    /// Adds what it answers within that time to `heard`; whether that was the end of it.
    pub fn hear(&mut self, heard: &mut Vec<String>, within: Duration) -> bool {
        while let Ok(line) = self.lines.recv_timeout(within) {
            if line == END {
                return true;
            }
            heard.push(line);
        }
        false
    }

    /// Says something, and gives all that it answers.
    #[track_caller]
    pub fn ask(&mut self, script: &str) -> Vec<String> {
        self.say(script);
        let mut heard = Vec::new();
        assert!(self.hear(&mut heard, Duration::from_secs(60)), "no end of {script}: {heard:?}");
        heard
    }

    /// The value that a query names `value`.
    #[track_caller]
    pub fn value(&mut self, query: &str) -> String {
        let answer = self.ask(&format!("{query} \\gset\n\\warn :value"));
        assert_eq!(answer.len(), 1, "{query}: {answer:?}");
        answer.into_iter().next().unwrap()
    }
}

impl Drop for Psql {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
