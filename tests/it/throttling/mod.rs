//! Jobs that step aside: what makes them, what everybody says of it, and that nothing else stops
//! working meanwhile.

mod blocked;
mod limits;
mod planned;
mod replicas;
mod sources;
mod tuned;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;

use crate::database::{Database, Engine};
use crate::harness::{Desk, Running, Said, wait_for};

/// Small batches with a short pause, looked after ten times a second.
const SPEC: &str = r#"
[job]
name = "slow"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { a = "coalesce(a, 0) + 1" }
exactly_once = true

[batch]
max_rows = 100
pause    = "20ms"
"#;

const SCHEMA: &str = "\
CREATE TABLE t (id {{id}}, a integer);
INSERT INTO t (a) SELECT NULL FROM numbers WHERE n <= 10000;
CREATE TABLE pressure (n integer);
INSERT INTO pressure VALUES (0)";

pub fn trials() -> Vec<Trial> {
    let mut trials = limits::trials();
    trials.extend(replicas::trials());
    trials.extend(sources::trials());
    trials.extend(blocked::trials());
    trials.extend(planned::trials());
    trials.extend(tuned::trials());
    trials
}

/// A job whose spec ends with these sections.
struct Scene {
    database: Database,
    desk: Desk,
}

impl Scene {
    fn new(engine: Engine, sections: &str) -> Self {
        let database = Database::new(engine);
        database.script(SCHEMA);
        let desk = Desk::at(&database.url);
        desk.write("job.toml", &format!("{SPEC}\n{sections}"));
        Self { database, desk }
    }

    /// Starts the job with its events in the file `events`.
    fn start(&self) -> Running {
        self.start_with(&[])
    }

    fn start_with(&self, more: &[&str]) -> Running {
        let file = std::fs::File::create(self.desk.path("events")).unwrap();
        let arguments = [&["run", "job.toml", "--progress", "json"], more].concat();
        let mut command = self.desk.command(&arguments);
        Running::of(command.stdout(file).spawn().unwrap())
    }

    fn events(&self, kind: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.desk.path("events")).unwrap_or_default();
        // The last line may be half written.
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.filter(|event| event["message_type"] == kind).collect()
    }

    fn batches(&self) -> usize {
        self.events("batch_done").len()
    }

    #[track_caller]
    fn wait_for_state(&self, running: &mut Running, state: &str) -> Value {
        self.desk.wait_until(running, "slow", |status| status["state"] == state);
        self.desk.status("slow")
    }

    #[track_caller]
    fn wait_for_more(&self, running: &mut Running) {
        let before = self.batches();
        self.desk.wait_until(running, "slow", |_| before + 3 <= self.batches());
    }

    /// It waits for this reason, which the journal, the events and the state agree on, and begins no
    /// batch.
    #[track_caller]
    fn is_held(&self, running: &mut Running, reason: &str) -> Value {
        let status = self.wait_for_state(running, "throttled");
        let said = status["reason"].as_str().unwrap_or_default().to_owned();
        assert!(said.contains(reason), "{said}\n{status}");
        let before = self.batches();
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(self.batches(), before, "it waits, and begins batches");
        let held = self.events("held").pop().expect("an event of it");
        let reasons: Vec<_> = held["holds"]
            .as_array()
            .unwrap()
            .iter()
            .map(|hold| hold["reason"].as_str().unwrap())
            .collect();
        assert_eq!(reasons.join("; "), said);
        status
    }

    #[track_caller]
    fn goes_on(&self, running: &mut Running) {
        self.wait_for_state(running, "running");
        self.wait_for_more(running);
        assert!(!self.events("freed").is_empty());
    }

    /// Kills the job while it waits, and says how long that took.
    #[track_caller]
    fn kill(&self, running: Running) -> (Said, Duration) {
        let begun = Instant::now();
        let pid = running.pid();
        self.desk.call(&["kill", "slow", "--reason", "enough"]).expect(0);
        let said = running.wait();
        let took = begun.elapsed();
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
        (said.expect(4), took)
    }

    #[track_caller]
    fn finish(&self) {
        let sum = || self.database.value("SELECT count(*) FROM t WHERE a = 1");
        assert_eq!(sum(), "10000", "every row exactly once");
    }
}

/// The body that a GET of the runner's metrics brings.
fn scrape(address: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The value of a metric of a signal.
fn metric(body: &str, name: &str, signal: &str) -> f64 {
    let part = format!("signal=\"{signal}\"");
    let is_it = |line: &&str| line.starts_with(&format!("{name}{{")) && line.contains(&part);
    let line = body.lines().find(is_it).unwrap_or_else(|| panic!("no {name} of {signal}: {body}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn free_address() -> String {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

#[track_caller]
fn soon(what: &str, condition: impl FnMut() -> bool) {
    wait_for(what, condition);
}
