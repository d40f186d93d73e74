//! What goes wrong in the middle: one clear message, the right exit code, nothing lost.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use libtest_mimic::Trial;

use crate::database::{Database, Engine, available};
use crate::harness::{Desk, Running, wait_for};
use crate::test;

const JOB: &str = r#"
[job]
name = "unlucky"

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
CREATE TABLE t (id {{id}}, a integer, other integer);
INSERT INTO t (a) SELECT NULL FROM numbers WHERE n <= 10000";

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        let mut add = |name: &str, check: fn(Engine)| {
            let name = format!("going wrong: {name} on {}", engine.name);
            trials.push(test(name, move || check(engine)));
        };
        add("a table that disappears", table_disappears);
        add("a column that is dropped", column_dropped);
        if engine.url_env.is_some() {
            add("a server that goes away in the middle", server_goes_away);
            add("no permission to write", no_permission);
            add("a full disk under the journal", full_disk);
            add("a batch that is cancelled on the server", cancelled_on_server);
        }
        if engine.family == "postgres" {
            add("a read-only server", read_only);
        }
    }
    trials
}

fn scene(engine: Engine) -> (Database, Desk) {
    let database = Database::new(engine);
    database.script(SCHEMA);
    let desk = Desk::at(&database.url);
    desk.write("job.toml", JOB);
    (database, desk)
}

/// Starts the job of a desk where it has not run before, and waits for some batches.
fn start(desk: &Desk) -> Running {
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "unlucky", |status| 3 <= status["batches"].as_u64().unwrap_or(0));
    running
}

#[track_caller]
fn exactly_once(database: &Database) {
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a = 1"), "10000");
}

fn table_disappears(engine: Engine) {
    let (database, desk) = scene(engine);
    let running = start(&desk);
    database.script("ALTER TABLE t RENAME TO t2");
    running.wait().expect(4).says("error: unlucky: ").says("run the job again");
    assert_eq!(desk.status("unlucky")["state"], "failed");
    desk.call(&["run", "job.toml"]).expect(2).says("there is no table `t`").says("`t2`");
    database.script("ALTER TABLE t2 RENAME TO t");
    desk.call(&["run", "job.toml"]).expect(0);
    exactly_once(&database);
}

fn column_dropped(engine: Engine) {
    let (database, desk) = scene(engine);
    desk.write(
        "job.toml",
        &JOB.replace("coalesce(a, 0) + 1", "coalesce(a, 0) + coalesce(other, 1)"),
    );
    let running = start(&desk);
    database.script("ALTER TABLE t DROP COLUMN other");
    running.wait().expect(4).says("failed and was rolled back").says("other");
    desk.call(&["run", "job.toml"]).expect(2).says("update.set.a").says("other");
    database.script("ALTER TABLE t ADD COLUMN other integer");
    desk.call(&["run", "job.toml"]).expect(0);
    exactly_once(&database);
}

/// Stands between runner and server, and can cut every line.
struct Proxy {
    address: String,
    streams: Arc<Mutex<Vec<TcpStream>>>,
    open: Arc<AtomicBool>,
}

impl Proxy {
    fn before(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (streams, open) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(true)));
        let (kept, gate) = (Arc::clone(&streams), Arc::clone(&open));
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                if !gate.load(Ordering::SeqCst) {
                    return;
                }
                let upstream = TcpStream::connect(&server).unwrap();
                for stream in [&client, &upstream] {
                    stream.set_nodelay(true).unwrap();
                    kept.lock().unwrap().push(stream.try_clone().unwrap());
                }
                pump(client.try_clone().unwrap(), upstream.try_clone().unwrap());
                pump(upstream, client);
            }
        });
        Self { address, streams, open }
    }

    fn cut(&self) {
        self.open.store(false, Ordering::SeqCst);
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        // Wakes the listener up, which then closes.
        let _ = TcpStream::connect(&self.address);
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            if to.write_all(&buffer[..length]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn server_goes_away(engine: Engine) {
    let (database, desk) = scene(engine);
    let mut url = url::Url::parse(&database.url).unwrap();
    let server = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap());
    // While it sets out, and with batches under way.
    for is_under_way in [false, true, false, true] {
        let proxy = Proxy::before(server.clone());
        let port = proxy.address.rsplit(':').next().unwrap().parse().unwrap();
        url.set_port(Some(port)).unwrap();
        let away = Desk::at(url.as_str());
        away.write("job.toml", &format!("{JOB}\n[limits]\nmax_outage = \"1s\"\n"));
        let running = if is_under_way {
            start(&away)
        } else {
            let mut running = away.start(&["run", "job.toml"]);
            away.wait_until(&mut running, "unlucky", |status| status["state"] == "running");
            running
        };
        proxy.cut();
        let said = running.wait();
        // Cut during a COMMIT, nobody can know: that is its own exit code, and as safe.
        assert!(said.code == 4 || said.code == 5, "{said:?}");
        let said = said.says("the server was away for 1s").says("attempts to reach it");
        said.says("again when the server answers");
    }
    desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
    exactly_once(&database);
}

fn no_permission(engine: Engine) {
    let (database, desk) = scene(engine);
    let mut url = url::Url::parse(&database.url).unwrap();
    let name = format!("ro_{}", url.path().trim_start_matches('/').trim_start_matches("bt_"));
    let database_name = url.path().trim_start_matches('/').to_owned();
    let (create, drop) = if engine.family == "postgres" {
        (
            format!(
                "CREATE ROLE {name} LOGIN PASSWORD 'h0ney';\n\
                 GRANT SELECT ON t TO {name};\nGRANT CREATE ON SCHEMA public TO {name}"
            ),
            format!("DROP OWNED BY {name};\nDROP ROLE {name}"),
        )
    } else {
        (
            format!(
                "CREATE USER '{name}'@'%' IDENTIFIED BY 'h0ney';\n\
                 GRANT SELECT, CREATE ON {database_name}.* TO '{name}'@'%'"
            ),
            format!("DROP USER '{name}'@'%'"),
        )
    };
    database.script(&create);
    url.set_username(&name).unwrap();
    url.set_password(Some("h0ney")).unwrap();
    let limited = Desk::at(url.as_str());
    limited.write("job.toml", JOB);
    let said = limited.call(&["run", "job.toml"]);
    database.script(&drop);
    let said = said.expect(2).says("denied");
    assert!(!said.err.contains("h0ney"), "{}", said.err);
    desk.call(&["run", "job.toml"]).expect(0);
    exactly_once(&database);
}

/// The operating system refuses to let the journal grow, as it does on a full disk.
fn full_disk(engine: Engine) {
    let (database, desk) = scene(engine);
    desk.write("job.toml", &JOB.replace("[batch]", "[batch]\nworkers = 2"));
    let call = desk.command(&["run", "job.toml"]);
    let mut limited = Command::new("bash");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 150; exec \"$@\"", "bash"])
        .arg(call.get_program())
        .args(call.get_args())
        .current_dir(call.get_current_dir().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    for (name, value) in call.get_envs() {
        match value {
            Some(value) => limited.env(name, value),
            None => limited.env_remove(name),
        };
    }
    let output = limited.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(4), "{said}");
    assert!(said.contains("no space left for the journal"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let half = database.value("SELECT count(*) FROM t WHERE a = 1");
    assert!(half != "0" && half != "10000", "it should have stopped in the middle: {half}");
    desk.call(&["run", "job.toml"]).expect(0);
    exactly_once(&database);
}

/// Somebody with rights on the server cancels the statement: that is a brake of theirs, and the job
/// waits until a person lets it go on.
fn cancelled_on_server(engine: Engine) {
    let (database, desk) = scene(engine);
    desk.write(
        "job.toml",
        &JOB.replace(
            "\"coalesce(a, 0) + 1\"",
            match engine.family {
                "postgres" => {
                    "\"coalesce(a, 0) + CASE WHEN pg_sleep(0.002) IS NULL THEN 0 ELSE 1 END\""
                }
                _ => "\"coalesce(a, 0) + 1 + sleep(0.002)\"",
            },
        ),
    );
    let mut running = start(&desk);
    let (find, cancel) = if engine.family == "postgres" {
        (
            "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() \
             AND query LIKE '/* backstop unlucky %*/ UPDATE%SET \"a\"%' AND state = 'active' AND pid <> pg_backend_pid()",
            "SELECT pg_cancel_backend({})::text",
        )
    } else {
        (
            "SELECT CAST(id AS CHAR) FROM information_schema.processlist WHERE db = database() \
             AND info LIKE '/* backstop unlucky %*/ UPDATE%SET `a`%' AND id <> connection_id()",
            "KILL QUERY {}",
        )
    };
    wait_for("the pause after a cancel", || {
        let id = database.value(find);
        if !id.is_empty() {
            database.script(&cancel.replace("{}", &id));
        }
        let said = desk.call(&["status", "unlucky", "--json"]).expect(0);
        assert!(!said.out.contains("\"failed\""), "{}", said.out);
        said.out.contains("\"paused\"")
    });
    let status = desk.status("unlucky");
    assert!(status["reason"].as_str().unwrap().contains("the batch was ended there"), "{status}");
    desk.call(&["resume", "unlucky"]).expect(0);
    let batches = status["batches"].as_u64().unwrap();
    desk.wait_until(&mut running, "unlucky", |now| batches < now["batches"].as_u64().unwrap_or(0));
    desk.call(&["stop", "unlucky"]).expect(0);
    running.wait().expect(3);
}

fn read_only(engine: Engine) {
    let (database, desk) = scene(engine);
    let name = url::Url::parse(&database.url).unwrap().path().trim_start_matches('/').to_owned();
    database.script(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on"));
    desk.call(&["run", "job.toml"]).expect(2).says("takes no writes").says("primary");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a IS NOT NULL"), "0");
}
