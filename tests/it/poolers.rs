//! A pooler between runner and server: found out where it would leak locks and settings.

use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use crate::bad_input::GOOD;
use crate::database::{Database, engine};
use crate::harness::Desk;
use crate::test;

pub fn trials() -> Vec<Trial> {
    vec![
        test("poolers: PgBouncer in transaction mode is refused", || {
            let (_database, pooler) = scene("transaction");
            pooler
                .plan()
                .expect(2)
                .says("transaction or statement mode stands in between")
                .says("connect");
        }),
        test("poolers: PgBouncer in session mode is as good as a direct connection", || {
            let (database, pooler) = scene("session");
            pooler.plan().expect(0);
            pooler.desk.call(&["run", "job.toml"]).expect(0);
            assert_eq!(database.value("SELECT count(*) FROM t WHERE a = '1'"), "3");
        }),
    ]
}

struct Pooler {
    child: Child,
    desk: Desk,
}

impl Pooler {
    fn plan(&self) -> crate::harness::Said {
        self.desk.call(&["plan", "job.toml"])
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn scene(mode: &str) -> (Database, Pooler) {
    let database = Database::new(engine("postgres"));
    database.script(
        "CREATE TABLE t (id {{id}}, a text);\nINSERT INTO t (a) VALUES (NULL), ('1'), ('2')",
    );
    let login = database.login();
    let port = {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        socket.local_addr().unwrap().port()
    };
    let mut url = url::Url::parse(&database.url).unwrap();
    url.set_port(Some(port)).unwrap();
    let desk = Desk::at(url.as_str());
    desk.write("job.toml", GOOD);
    desk.write(
        "pgbouncer.ini",
        &format!(
            "[databases]\n\
             * = host={} port={} user={} password='{}'\n\
             [pgbouncer]\n\
             listen_addr = 127.0.0.1\n\
             listen_port = {port}\n\
             unix_socket_dir =\n\
             auth_type = any\n\
             pool_mode = {mode}\n\
             ignore_startup_parameters = extra_float_digits,options\n",
            login.host,
            login.port,
            login.user,
            login.password.replace('\'', "''"),
        ),
    );
    let program = std::env::var("BACKSTOP_TEST_PGBOUNCER")
        .expect("`BACKSTOP_TEST_PGBOUNCER` is not set: `tests/run` sets it");
    let mut command = Command::new(program);
    // It refuses to run as root, and must then read its file as somebody else.
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        std::fs::set_permissions(desk.path(""), Permissions::from_mode(0o755)).unwrap();
        command.args(["-u", "nobody"]);
    }
    let child = command
        .arg(desk.path("pgbouncer.ini"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pooler = Pooler { child, desk };
    let begun = Instant::now();
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "PgBouncer does not answer");
        std::thread::sleep(Duration::from_millis(50));
    }
    (database, pooler)
}
