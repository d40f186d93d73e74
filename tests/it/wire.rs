//! Connections that are cut at the worst moment: a COMMIT that did not arrive, one whose answer was
//! lost, and everything at once. The runner finds out by the fence and goes on by itself.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Running, Said};
use crate::test;

const JOB: &str = r#"
[job]
name = "wired"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { n = "n + 1" }
exactly_once = true

[batch]
max_rows = 200
workers  = 2
pause    = "10ms"
"#;

const ROWS: u64 = 20_000;

const CUTS: u32 = 4;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available().filter(|engine| engine.url_env.is_some()) {
        let mut add = |name: &str, check: fn(Engine)| {
            trials.push(test(format!("wire: {name} on {}", engine.name), move || check(engine)));
        };
        add("a COMMIT that did not arrive", |engine| {
            let (retried, _) = goes_on(engine, Cut::BEFORE_COMMIT);
            let expected = if engine.family == "postgres" { CUTS } else { 0 };
            assert_eq!(retried, expected, "batches that were tried again by themselves");
        });
        add("a COMMIT whose answer was lost", |engine| {
            let (retried, _) = goes_on(engine, Cut::AFTER_COMMIT);
            assert_eq!(retried, 0, "a batch that had committed was tried again");
        });
        add("a connection cut at the beginning of a batch", |engine| {
            let (retried, _) = goes_on(engine, Cut::BEFORE_BATCH);
            let expected = if engine.family == "postgres" { CUTS } else { 0 };
            assert_eq!(retried, expected, "batches that were tried again by themselves");
        });
        if engine.family == "postgres" {
            add("connections cut again and again", again_and_again);
            add("a look ahead that nobody answers", no_answer_to_the_scout);
        }
        add("every connection cut at once", every_connection);
        add("a server out of reach after a COMMIT", out_of_reach);
    }
    trials
}

/// Where a connection is cut.
#[derive(Clone, Copy)]
struct Cut {
    /// When the client sends this: as PostgreSQL ends a query, or as MySQL begins one. Sessions
    /// also say READ COMMITTED.
    at: &'static [&'static str],
    /// Once the server has answered to it, though nobody reads that.
    answered: bool,
}

impl Cut {
    const BEFORE_COMMIT: Self = Self { at: &["COMMIT\0", "\x03COMMIT"], answered: false };
    const AFTER_COMMIT: Self = Self { at: &["COMMIT\0", "\x03COMMIT"], answered: true };
    const BEFORE_BATCH: Self =
        Self { at: &["BEGIN ISOLATION", "\x03START TRANSACTION"], answered: false };

    fn is_at(self, bytes: &[u8]) -> bool {
        self.at.iter().any(|word| bytes.windows(word.len()).any(|some| some == word.as_bytes()))
    }
}

/// Stands between runner and server, reads along, and cuts.
struct Proxy {
    port: u16,
    wire: Arc<Wire>,
}

struct Wire {
    server: String,
    cut: Cut,
    /// How many connections are still to be cut.
    armed: AtomicU32,
    /// Whether a cut is the end of everything.
    is_final: AtomicBool,
    is_down: AtomicBool,
    /// Whether a session that is named the scout gets no more answers, and how many were kept back.
    is_mute: AtomicBool,
    muted: AtomicU32,
    streams: Mutex<Vec<TcpStream>>,
}

impl Wire {
    fn is_cut_by(&self, bytes: &[u8]) -> bool {
        let one_less = |left: u32| left.checked_sub(1);
        self.cut.is_at(bytes)
            && self.armed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
    }

    fn cut_all(&self) {
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// From the client to the server, until the cut.
    fn carry(&self, mut client: TcpStream, mut server: TcpStream, is_deaf: &AtomicBool) {
        let mut buffer = [0; 16 * 1024];
        let mut is_scout = None;
        while let Ok(length @ 1..) = client.read(&mut buffer) {
            let named = || buffer[..length].windows(5).any(|some| some == b"scout");
            if *is_scout.get_or_insert_with(named) && self.is_mute.load(Ordering::SeqCst) {
                self.muted.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            if self.is_cut_by(&buffer[..length]) {
                is_deaf.store(self.cut.answered, Ordering::SeqCst);
                self.is_down.store(self.is_final.load(Ordering::SeqCst), Ordering::SeqCst);
                // The other direction ends the client's connection after the server's answer.
                if self.cut.answered && server.write_all(&buffer[..length]).is_ok() {
                    return;
                }
                break;
            }
            if server.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        self.end(&client, &server);
    }

    /// From the server to the client, until an answer that is not to arrive.
    fn answer(&self, mut server: TcpStream, mut client: TcpStream, is_deaf: &AtomicBool) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = server.read(&mut buffer) {
            if is_deaf.load(Ordering::SeqCst) || client.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        self.end(&client, &server);
    }

    fn end(&self, client: &TcpStream, server: &TcpStream) {
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
        if self.is_down.load(Ordering::SeqCst) {
            self.cut_all();
        }
    }
}

impl Proxy {
    fn before(database: &Database, cut: Cut) -> Self {
        let login = database.login();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = Arc::new(Wire {
            server: format!("{}:{}", login.host, login.port),
            cut,
            armed: AtomicU32::new(0),
            is_final: AtomicBool::new(false),
            is_down: AtomicBool::new(false),
            is_mute: AtomicBool::new(false),
            muted: AtomicU32::new(0),
            streams: Mutex::new(Vec::new()),
        });
        let shared = Arc::clone(&wire);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if !shared.is_down.load(Ordering::SeqCst) {
                    connect(&shared, &client);
                }
            }
        });
        Self { port, wire }
    }

    /// The database's URL by way of the proxy, which reads no encrypted text.
    fn url(&self, database: &Database) -> String {
        let mut url = url::Url::parse(&database.url).unwrap();
        url.set_port(Some(self.port)).unwrap();
        let plain = if database.engine.family == "postgres" {
            "sslmode=disable"
        } else {
            "ssl-mode=disabled"
        };
        url.set_query(Some(plain));
        url.into()
    }

    fn arm(&self, cuts: u32) {
        self.wire.armed.store(cuts, Ordering::SeqCst);
    }

    fn has_cut(&self) -> bool {
        self.wire.armed.load(Ordering::SeqCst) == 0
    }
}

fn connect(wire: &Arc<Wire>, client: &TcpStream) {
    let server = TcpStream::connect(&wire.server).unwrap();
    let is_deaf = Arc::new(AtomicBool::new(false));
    for stream in [client, &server] {
        stream.set_nodelay(true).unwrap();
        wire.streams.lock().unwrap().push(stream.try_clone().unwrap());
    }
    let pair = || (client.try_clone().unwrap(), server.try_clone().unwrap(), Arc::clone(wire));
    let ((from, to, there), deaf) = (pair(), Arc::clone(&is_deaf));
    std::thread::spawn(move || there.carry(from, to, &deaf));
    let (to, from, back) = pair();
    std::thread::spawn(move || back.answer(from, to, &is_deaf));
}

struct Scene {
    database: Database,
    desk: Desk,
    proxy: Proxy,
}

impl Scene {
    fn new(engine: Engine, cut: Cut) -> Self {
        let database = Database::new(engine);
        database.script(
            "CREATE TABLE t (id {{id}}, n integer NOT NULL);\n\
             INSERT INTO t (n) SELECT 0 FROM numbers",
        );
        let proxy = Proxy::before(&database, cut);
        let desk = Desk::at(&proxy.url(&database));
        desk.write("job.toml", JOB);
        Self { database, desk, proxy }
    }

    /// With one worker: then only its batches begin and commit transactions, and each cut meets one.
    fn alone(engine: Engine, cut: Cut) -> Self {
        let scene = Self::new(engine, cut);
        scene.desk.write("job.toml", &JOB.replace("workers  = 2", "workers  = 1"));
        scene
    }

    /// Starts the job, and returns once its workers are at work.
    fn start(&self) -> Running {
        let mut running = self.desk.start(&["run", "job.toml", "--progress", "json"]);
        self.wait_for_batches(&mut running, 4);
        running
    }

    fn batches(&self) -> u64 {
        self.desk.status("wired")["batches"].as_u64().unwrap_or(0)
    }

    fn wait_for_batches(&self, running: &mut Running, batches: u64) {
        self.desk.wait_until(running, "wired", |status| {
            // MySQL and MariaDB end a session that somebody kills as a proxy that leaves does: the
            // job waits for a person to say that it was the proxy.
            if self.database.engine.family == "mysql" && status["state"] == "paused" {
                self.desk.call(&["resume", "wired"]);
            }
            batches <= status["batches"].as_u64().unwrap_or(0)
        });
    }

    /// Cuts once, and waits until the job has gone on for a while.
    fn cut(&self, running: &mut Running) {
        self.proxy.arm(1);
        self.desk.wait_until(running, "wired", |_| self.proxy.has_cut());
        self.wait_for_batches(running, self.batches() + 4);
    }

    /// Whether a session holds the job's lock.
    fn is_locked(&self) -> bool {
        let (url, family) =
            (url::Url::parse(&self.database.url).unwrap(), self.database.engine.family);
        let sql = match family {
            "postgres" => {
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = \
                           (SELECT oid FROM pg_database WHERE datname = current_database())"
                    .to_owned()
            }
            _ => format!("SELECT IS_USED_LOCK('backstop:{}:wired') IS NOT NULL", &url.path()[1..]),
        };
        self.database.value(&sql) != "0"
    }

    #[track_caller]
    fn exactly_once(&self) {
        let right = self.database.value("SELECT count(*) FROM t WHERE n = 1");
        assert_eq!(right, ROWS.to_string(), "every row exactly once");
    }
}

/// How often batches were tried again after a connection was lost, and for other reasons.
fn retries(said: &Said) -> (u32, u32) {
    let mut counts = (0, 0);
    for line in said.out.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        if event["message_type"] == "batch_retried" {
            let is_connection = event["reason"] == "connection";
            let count = if is_connection { &mut counts.0 } else { &mut counts.1 };
            *count += 1;
        }
    }
    counts
}

fn goes_on(engine: Engine, cut: Cut) -> (u32, u32) {
    let scene = Scene::alone(engine, cut);
    let mut running = scene.start();
    for _ in 0..CUTS {
        scene.cut(&mut running);
    }
    let said = running.wait().expect(0);
    scene.exactly_once();
    retries(&said)
}

/// Whatever two workers are about when it happens: taking a range, going on with it, coming back.
fn again_and_again(engine: Engine) {
    for cut in [Cut::BEFORE_BATCH, Cut::AFTER_COMMIT] {
        let scene = Scene::new(engine, cut);
        let short = JOB.replace("max_rows = 200", "max_rows = 2000");
        scene.desk.write("job.toml", &short);
        let mut running = scene.desk.start(&["run", "job.toml", "--progress", "json"]);
        running.has_done_batches(1);
        for _ in 0..CUTS {
            // Fewer at once than a session is opened anew.
            scene.proxy.arm(2);
            std::thread::sleep(Duration::from_millis(300));
        }
        running.wait().expect(0);
        scene.exactly_once();
    }
}

/// The window after the present one is looked for on a connection that went silent. It is a help and
/// no more: the job does without.
fn no_answer_to_the_scout(engine: Engine) {
    let scene = Scene::alone(engine, Cut::BEFORE_BATCH);
    let mut running = scene.start();
    scene.proxy.wire.is_mute.store(true, Ordering::SeqCst);
    scene
        .desk
        .wait_until(&mut running, "wired", |_| 0 < scene.proxy.wire.muted.load(Ordering::SeqCst));
    scene.wait_for_batches(&mut running, scene.batches() + 4);
    let said = running.wait().expect(0);
    assert_eq!(retries(&said), (0, 0), "batches that were tried again");
    scene.exactly_once();
}

fn every_connection(engine: Engine) {
    let scene = Scene::new(engine, Cut::BEFORE_COMMIT);
    // Long enough for all that is asked of it meanwhile.
    let long = JOB.replace("10ms", "300ms");
    scene.desk.write("job.toml", &long);
    let mut running = scene.start();
    for _ in 0..CUTS {
        scene.proxy.wire.cut_all();
        scene.wait_for_batches(&mut running, scene.batches() + 4);
    }
    // Whatever held the job holds it again, and can be asked.
    scene.desk.wait_until(&mut running, "wired", |_| scene.is_locked());
    let other = Desk::at(&scene.database.url);
    other.write("job.toml", &long);
    other.call(&["run", "job.toml"]).expect(2).says("is already being run by");
    scene.desk.call(&["kill", "wired"]).expect(0).says("wired is killed");
    running.wait().expect(4);
    scene.desk.call(&["release", "wired", "--reason", "it was a test"]).expect(0);
    scene.desk.write("job.toml", JOB);
    scene.desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
    scene.exactly_once();
}

fn out_of_reach(engine: Engine) {
    for cut in [Cut::BEFORE_COMMIT, Cut::AFTER_COMMIT] {
        let scene = Scene::new(engine, cut);
        scene.desk.write("job.toml", &format!("{JOB}\n[limits]\nmax_outage = \"1s\"\n"));
        let running = scene.start();
        scene.proxy.wire.is_final.store(true, Ordering::SeqCst);
        scene.proxy.arm(1);
        let said = running.wait().expect(5).says("whether it took effect").says("was away for 1s");
        said.says("Run the job again when the server answers: it reads the fence");
        assert!(scene.proxy.has_cut());
        let mut again = scene.desk.command(&["run", "job.toml"]);
        Said::by(again.env("DATABASE_URL", &scene.database.url)).expect(0);
        scene.exactly_once();
    }
}
