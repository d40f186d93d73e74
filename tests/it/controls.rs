//! Kill switches that need no command: kill files and `POST /kill`, with the real binary.
//!
//! A job that was killed is not run again here: whether it may is another matter.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Running};
use crate::test;

/// Small batches with a pause after each, so that the job can be met.
const SLOW: &str = r#"
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
INSERT INTO t (a) SELECT NULL FROM numbers WHERE n <= 10000";

const OWN: &str = "\n[control]\nkill_file = \"STOP\"\n";
const GLOBAL: &str = "[control]\nkill_file = \"team/KILL\"\n";
const TOKEN: &str = "h0ney-3f9c41d0";
const WITH_TOKEN: &str = "[control]\ntoken_env = \"KILL_TOKEN\"\n";

type Check = fn(Engine);

const CHECKS: [(&str, Check); 5] = [
    ("the kill file of a job", own_file),
    ("the kill file of the team kills every job", global_file),
    ("a kill file that is there already", there_before),
    ("a place that cannot be looked at counts as a kill file", unreadable_place),
    ("POST /kill", post_kill),
];

pub fn trials() -> Vec<Trial> {
    let each = |engine: Engine| {
        CHECKS.iter().map(move |(name, check)| {
            test(format!("controls: {name} on {}", engine.name), move || check(engine))
        })
    };
    let mut trials: Vec<_> = available().flat_map(each).collect();
    trials.push(test("controls: a kill file while the server does not answer", while_connecting));
    trials.push(test("controls: POST /kill needs its token", token_needed));
    trials.push(test("controls: a token that is not there or cannot be sent", bad_tokens));
    trials
}

struct Scene {
    database: Database,
    desk: Desk,
}

impl Scene {
    fn new(engine: Engine, spec: &str) -> Self {
        let database = Database::new(engine);
        database.script(SCHEMA);
        let desk = Desk::at(&database.url).set("KILL_TOKEN", TOKEN);
        desk.write("job.toml", spec);
        Self { database, desk }
    }

    /// Starts a job and waits until it has done some batches.
    fn start(&self, job: &str, arguments: &[&str]) -> Running {
        let mut running = self.desk.start(arguments);
        self.desk.wait_until(&mut running, job, |status| {
            3 <= status["batches"].as_u64().unwrap_or_default()
        });
        running
    }

    /// Makes a kill file, whole at once.
    fn throw(&self, path: &str, reason: &str) {
        self.desk.write("unfinished", reason);
        std::fs::rename(self.desk.path("unfinished"), self.desk.path(path)).unwrap();
    }

    /// The job is killed by `by`, and what the fence has counted is what is written.
    #[track_caller]
    fn is_killed(&self, job: &str, by: &str) {
        let status = self.desk.status(job);
        assert_eq!(status["state"], "killed", "{status}");
        let reason = status["reason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("by {by}")), "{reason}");
        // The request itself is on record too, however fast the job has obeyed it.
        let events = status["events"].as_array().unwrap();
        let asked = events.iter().filter(|event| event["kind"] == "asked");
        assert_eq!(asked.count(), 1, "{status}");
        let fence = format!("SELECT rows_changed FROM backstop_fence WHERE job = '{job}'");
        assert_eq!(self.database.value(&fence), status["rows_changed"].to_string());
    }

    /// The rows that the job has written.
    fn written(&self) -> u64 {
        self.database.value("SELECT count(*) FROM t WHERE a IS NOT NULL").parse().unwrap()
    }

    /// Nothing was written: no row, no fence, no journal.
    #[track_caller]
    fn is_untouched(&self) {
        assert_eq!(self.written(), 0);
        let catalog = match self.database.engine.family {
            "sqlite" => "sqlite_schema WHERE name",
            "postgres" => "pg_class WHERE relname",
            _ => "information_schema.tables WHERE table_schema = database() AND table_name",
        };
        let fence = format!("SELECT count(*) FROM {catalog} = 'backstop_fence'");
        assert_eq!(self.database.value(&fence), "0", "a fence was made");
        assert!(!self.desk.path(".backstop").exists(), "a journal was made");
    }
}

fn own_file(engine: Engine) {
    let scene = Scene::new(engine, &format!("{SLOW}{OWN}"));
    let running = scene.start("slow", &["run", "job.toml"]);
    scene.throw("STOP", "page 1234\nand more");
    let path = scene.desk.path("STOP").display().to_string();
    let said = running.wait().expect(4).says(&format!("killed by kill file `{path}`: page 1234;"));
    assert!(!said.err.contains("and more"), "{}", said.err);
    scene.is_killed("slow", &format!("kill file `{path}`: page 1234"));
    let (written, status) = (scene.written(), scene.desk.status("slow"));
    assert_eq!(status["rows_changed"], written, "{status}");
    assert!(3 <= status["batches"].as_u64().unwrap() && written < 10_000, "{status}");
}

fn global_file(engine: Engine) {
    let scene = Scene::new(engine, SLOW);
    scene
        .database
        .script("CREATE TABLE u (id {{id}}, a integer);\nINSERT INTO u SELECT id, a FROM t");
    let other = SLOW.replace("\"slow\"", "\"other\"").replace("\"t\"", "\"u\"");
    scene.desk.write("other.toml", &other);
    std::fs::create_dir(scene.desk.path("team")).unwrap();
    scene.desk.write("backstop.toml", GLOBAL);
    let running = scene.start("slow", &["run", "job.toml"]);
    let other = scene.start("other", &["run", "other.toml"]);
    scene.throw("team/KILL", "");
    let by = format!("kill file `{}`", scene.desk.path("team/KILL").display());
    running.wait().expect(4).says(&format!("killed by {by};"));
    other.wait().expect(4).says(&format!("killed by {by};"));
    scene.is_killed("slow", &by);
    scene.is_killed("other", &by);
}

fn there_before(engine: Engine) {
    for (spec, config, path) in
        [(format!("{SLOW}{OWN}"), "", "STOP"), (SLOW.to_owned(), GLOBAL, "team/KILL")]
    {
        let scene = Scene::new(engine, &spec);
        std::fs::create_dir(scene.desk.path("team")).unwrap();
        scene.desk.write("backstop.toml", config);
        scene.desk.write(path, "page 1234");
        scene
            .desk
            .call(&["run", "job.toml"])
            .expect(4)
            .says("job `slow` does not begin")
            .says(&scene.desk.path(path).display().to_string())
            .says("(page 1234)")
            .says("remove it when the job may run");
        scene.is_untouched();
        std::fs::remove_file(scene.desk.path(path)).unwrap();
        let running = scene.start("slow", &["run", "job.toml"]);
        running.signal("TERM");
        running.wait().expect(3);
    }
}

fn unreadable_place(engine: Engine) {
    let below = OWN.replace("STOP", "folder/STOP");
    let scene = Scene::new(engine, &format!("{SLOW}{below}"));
    std::fs::create_dir(scene.desk.path("folder")).unwrap();
    let running = scene.start("slow", &["run", "job.toml"]);
    // What is below a file can be neither there nor found missing.
    scene.desk.write("file", "");
    std::fs::remove_dir(scene.desk.path("folder")).unwrap();
    std::fs::rename(scene.desk.path("file"), scene.desk.path("folder")).unwrap();
    running.wait().expect(4).says("what cannot be read counts as present");
    let path = scene.desk.path("folder/STOP").display().to_string();
    scene.is_killed("slow", &format!("kill file `{path}`: it cannot be looked at"));
    let refused = scene.desk.call(&["run", "job.toml"]).expect(4);
    refused.says("what cannot be read counts as present");
}

/// A server that takes connections and never says a word.
fn while_connecting() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    for scheme in ["postgres", "mysql"] {
        let desk = Desk::at(&format!("{scheme}://app@{address}/shop"));
        desk.write("job.toml", &format!("{SLOW}{OWN}"));
        let running = desk.start(&["run", "job.toml"]);
        // The connection is there, so the runner is past its first look at the kill file.
        let _held = silent.accept().unwrap();
        desk.write("STOP", "");
        running.wait().expect(4).says("killed before the first batch by kill file");
    }
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

/// One call by hand: its answer, head and body.
fn call(address: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "{head}Host: {address}\r\nConnection: close\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn post(authorization: &str, length: usize) -> String {
    let authorization = match authorization {
        "" => String::new(),
        value => format!("Authorization: {value}\r\n"),
    };
    format!("POST /kill HTTP/1.1\r\n{authorization}Content-Length: {length}\r\n")
}

#[track_caller]
fn answers(answer: &str, status: &str, says: &str) {
    assert!(
        answer.starts_with(&format!("HTTP/1.1 {status} ")) && answer.contains(says),
        "{answer}"
    );
    assert!(!answer.contains("h0ney"), "{answer}");
}

fn post_kill(engine: Engine) {
    // A reason that is whole, and one of which only a part ever comes: the kill waits for neither.
    for (length, reason) in [(14, "page 1234\nmore"), (9000, "page 1234\n")] {
        let scene = Scene::new(engine, SLOW);
        scene.desk.write("backstop.toml", WITH_TOKEN);
        let address = free_address();
        let running = scene.start("slow", &["run", "job.toml", "--listen", &address]);
        answers(&call(&address, &post("Bearer h0ney-3f9c41d1", 0), ""), "401", "Bearer");
        answers(&call(&address, &post("", 0), ""), "401", "Authorization: Bearer TOKEN");
        answers(&call(&address, &post("Basic aDBuZXk6", 0), ""), "401", "Bearer");
        answers(&call(&address, "GET /kill HTTP/1.1\r\n", ""), "405", "allow: POST");
        assert_eq!(scene.desk.status("slow")["state"], "running");

        let answer = call(&address, &post(&format!("Bearer {TOKEN}"), length), reason);
        answers(&answer, "202", "{\"job\":\"slow\",\"state\":\"killing\"}\n");
        let said = running.wait().expect(4).says("killed by POST /kill from 127.0.0.1:");
        let said = said.says(": page 1234;");
        assert!(!format!("{}{}", said.out, said.err).contains("h0ney"), "{}", said.err);
        scene.is_killed("slow", "POST /kill from 127.0.0.1:");
    }
}

fn token_needed() {
    let scene = Scene::new(crate::database::engine("sqlite"), SLOW);
    let address = free_address();
    let running = scene.start("slow", &["run", "job.toml", "--listen", &address]);
    for authorization in ["", "Bearer ", &format!("Bearer {TOKEN}")] {
        let answer = call(&address, &post(authorization, 0), "");
        answers(&answer, "403", "`[control] token_env = \"BACKSTOP_TOKEN\"`");
    }
    assert_eq!(scene.desk.status("slow")["state"], "running");
    running.signal("TERM");
    running.wait().expect(3);
}

fn bad_tokens() {
    let scene = Scene::new(crate::database::engine("sqlite"), SLOW);
    let listen = ["run", "job.toml", "--listen", "127.0.0.1:0"];
    for (value, what) in [
        (None, "`NO_TOKEN` is not set"),
        (Some(" \n"), "`NO_TOKEN` is empty"),
        (Some("h0ney h0ney"), "`NO_TOKEN` holds a character that no HTTP header can carry"),
        (Some("h0neyß"), "`NO_TOKEN` holds a character that no HTTP header can carry"),
    ] {
        scene.desk.write("backstop.toml", &WITH_TOKEN.replace("KILL_TOKEN", "NO_TOKEN"));
        let mut command = scene.desk.command(&listen);
        match value {
            Some(value) => command.env("NO_TOKEN", value),
            None => command.env_remove("NO_TOKEN"),
        };
        let said = crate::harness::Said::by(&mut command).expect(2).says(what);
        assert!(!said.err.contains("h0ney"), "{}", said.err);
        scene.is_untouched();
    }
    // Where nothing listens, no secret is asked for.
    let running = scene.start("slow", &["run", "job.toml"]);
    running.signal("TERM");
    running.wait().expect(3);
}
