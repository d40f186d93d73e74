//! Replicas of a test's own server.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::asking::Asker;
use crate::database::{Database, Login, engine};
use crate::harness::Said;
use crate::own_server::OwnServer;

/// Makes a standby of the PostgreSQL server in directory `$1`, called `$2`, which `$1` takes along when
/// it is removed. The script that starts the primary names all that differs.
const MAKE_STANDBY: &str = r#"
set -euo pipefail
primary=$1 name=$2 port=$3
home=$(dirname "$primary")/$name
source <(grep '^declare -a' "$primary/start")
as=("${launch[@]::${#launch[@]}-3}")
bin=$(dirname "${launch[-3]}")
IFS=: read -r _ primary_port _ user password <"$primary/pgpass"
export PGPASSWORD=${password//\\:/:}
mkdir -m 711 "$home"
chown --reference="$primary" "$home"
cd "$home"
"${as[@]}" "$bin/pg_basebackup" --pgdata="$home/data" --checkpoint=fast --no-sync --wal-method=stream \
	--write-recovery-conf \
	--dbname="host=127.0.0.1 port=$primary_port user=$user application_name=$name"
cat >>data/postgresql.conf <<CONF
port = $port
external_pid_file = '$home/pid'
# How long it takes a standby to find its primary again, and to tell it what it has replayed while
# nothing new arrives; the default is 5 s and 10 s.
wal_retrieve_retry_interval = '100ms'
wal_receiver_status_interval = '1s'
CONF
(umask 077 && sed "s/:$primary_port:/:$port:/" "$primary/pgpass" >pgpass)
sed "s#$primary/data#$home/data#; s#$primary/pgpass#$home/pgpass#; s#^cd $primary\$#cd $home#
	s/\"$primary_port\"/\"$port\"/" "$primary/start" >start
chmod 700 start
cp "$primary/stop-signal" stop-signal
./start 10
"#;

/// A streaming standby of a PostgreSQL server; it goes when that goes.
pub struct PgStandby {
    /// Its URL.
    pub url: String,
    home: PathBuf,
}

impl PgStandby {
    /// Makes one and starts it. It is called `name`, also in the primary's list of replicas.
    pub fn of(primary: &OwnServer, name: &str) -> Self {
        let mut url = url::Url::parse(&primary.url).unwrap();
        let port = free_port();
        url.set_port(Some(port)).unwrap();
        let mut make = Command::new("bash");
        make.args(["-c", MAKE_STANDBY, "-"]).arg(&primary.home).args([name, &port.to_string()]);
        Said::by(&mut make).expect(0);
        Self { url: url.into(), home: primary.home.with_file_name(name) }
    }

    /// Its URL with that database, which the primary has.
    pub fn url_of(&self, database: &Database) -> String {
        with_database(&self.url, database)
    }

    /// Receives the log and does not replay it any more.
    pub fn pause(&self) {
        Asker::at(&self.url).rows("SELECT pg_wal_replay_pause()::text");
    }

    /// Replays what it has received.
    pub fn resume(&self) {
        Asker::at(&self.url).rows("SELECT pg_wal_replay_resume()::text");
    }

    /// Kills it without a warning.
    pub fn kill(&self) {
        let pid = std::fs::read_to_string(self.home.join("pid")).unwrap();
        Said::by(Command::new("kill").args(["-KILL", pid.trim()])).expect(0);
    }

    /// Starts it again.
    pub fn restart(&self) {
        Said::by(Command::new(self.home.join("start")).stdin(Stdio::null())).expect(0);
    }
}

/// A MariaDB server and a replica of it.
pub struct MariaReplica {
    /// The primary.
    pub primary: OwnServer,
    /// The replica.
    pub replica: OwnServer,
}

impl MariaReplica {
    /// Starts both, and replicates what is written from now on.
    pub fn start() -> Self {
        let own = || OwnServer::of(engine("mariadb"));
        let other = std::thread::spawn(own);
        let pair = Self { primary: own(), replica: other.join().unwrap() };
        let settings = pair.replica.home.join("my.cnf");
        let settled = std::fs::read_to_string(&settings).unwrap();
        std::fs::write(&settings, settled.replace("server-id = 1", "server-id = 2")).unwrap();
        pair.execute("SET GLOBAL server_id = 2");

        let sql = "SELECT @@GLOBAL.gtid_current_pos";
        let from = Asker::at(&pair.primary.url).rows(sql).remove(0).remove(0);
        pair.execute(&format!("SET GLOBAL gtid_slave_pos = '{from}'"));
        let login = Login::of(&pair.primary.url);
        // A position that is kept beside the rows is right after a crash too.
        pair.execute(&format!(
            "CHANGE MASTER TO MASTER_HOST = '{}', MASTER_PORT = {}, MASTER_USER = '{}', \
             MASTER_PASSWORD = '{}', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1",
            login.host, login.port, login.user, login.password
        ));
        pair.execute("START SLAVE");
        pair
    }

    /// The replica's URL with that database, which the primary has.
    pub fn url_of(&self, database: &Database) -> String {
        with_database(&self.replica.url, database)
    }

    /// Runs a statement on the replica, such as `STOP SLAVE SQL_THREAD`.
    pub fn execute(&self, sql: &str) {
        Asker::at(&self.replica.url).rows(sql);
    }

    /// Kills the replica without a warning.
    pub fn kill(&self) {
        self.replica.kill();
    }

    /// Starts the replica again; it replicates on.
    pub fn restart(&self) {
        assert!(self.replica.restart().wait().unwrap().success());
    }
}

/// A program of the server's own release.
pub fn program_of(server: &OwnServer, name: &str) -> PathBuf {
    let start = std::fs::read_to_string(server.home.join("start")).unwrap();
    let postgres = start.split('"').find(|word| word.ends_with("/bin/postgres")).unwrap();
    Path::new(postgres).with_file_name(name)
}

fn with_database(url: &str, database: &Database) -> String {
    let mut url = url::Url::parse(url).unwrap();
    url.set_path(&database.login().database);
    url.into()
}

/// Below the range that the kernel gives to outgoing connections, like those of `tests/run`.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let from = u16::try_from(std::process::id() * 37 % 12_000).unwrap();
    loop {
        let port = 20_000 + (from + NEXT.fetch_add(1, Ordering::Relaxed)) % 12_000;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
