//! `backstop handoff run` and what is asked of it, as a person calls it: each tool on each server.

mod ended;
mod reverted;
mod run;
mod taken_up;

use std::time::{Duration, Instant};

use libtest_mimic::Trial;
use serde_json::Value;

use super::defaults_file;
use super::reader::Reader;
use super::writer::{Writer, Wrote};
use crate::database::{Database, Engine, available, engine};
use crate::doubles;
use crate::harness::{Desk, Running, Said, is_full, wait_for};
use crate::own_server::OwnServer;
use crate::test;

/// Who makes the change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tool {
    GhOst,
    Percona,
    Native,
}

const ROWS: u64 = 4000;

/// The longest that the application may wait where nothing is cut over, on a machine that is busy with other
/// tests.
const CALM: Duration = Duration::from_secs(2);
/// The same with a cut-over, of which up to 3.02 s were measured.
const CUT_OVER: Duration = Duration::from_secs(6);

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (tool, engine) in ways() {
        let by = match tool {
            Tool::GhOst => "gh-ost",
            Tool::Percona => "pt-online-schema-change",
            Tool::Native => "the server",
        };
        let mut add = |name: &str, check: fn(&Ground)| {
            let name = format!("handoff: run by {by} on {}, {name}", engine.name);
            trials.push(test(name, move || check(&Ground::shared(tool, engine))));
        };
        if tool == Tool::Native {
            add("comes to its end", run::native);
            add("waits for a person who does a step", run::native_by_hand);
            add("is killed, and goes on when it is released", ended::native_killed);
            continue;
        }
        add("postponed, cut over, and cleaned up", run::plain);
        add("is paused, resumed and tuned", run::steered);
        add("waits for a reader before it cuts over", run::behind_a_reader);
        add("is killed in every phase, and the server shows that it is gone", ended::killed);
        add("is taken up after its supervisor was killed", taken_up::supervisor_killed);
        add("is judged by the table when its process was killed", ended::process_killed);
    }
    for engine in available().filter(|engine| engine.name == "mysql") {
        let mut add = |tool: Tool, name: &str, check: fn(&Ground)| {
            let name = format!("handoff: {name}");
            trials.push(test(name, move || check(&Ground::shared(tool, engine))));
        };
        add(
            Tool::GhOst,
            "a kill of everything reaches it, and so does a halt",
            ended::by_the_other_switches,
        );
        add(Tool::GhOst, "nothing is started without consent", run::without_consent);
        add(Tool::GhOst, "one run is refused beside another", run::beside_another);
        add(Tool::Percona, "a copy that differs is not cut over", run::differing);
        add(Tool::GhOst, "another change is not resumed", taken_up::another_change);
        add(Tool::GhOst, "a run goes on where it was stopped", taken_up::resumed);
        add(Tool::GhOst, "a run is scraped to its end", run::scraped);
        add(Tool::GhOst, "an old table is put back, with what was written since", reverted::plain);
        add(Tool::GhOst, "a way back is killed, and begun again", reverted::killed);
        add(
            Tool::GhOst,
            "a way back is taken up after its supervisor was killed",
            reverted::taken_up,
        );
        add(Tool::GhOst, "a way back is refused where it would not lead there", reverted::refused);
        add(Tool::Percona, "what gh-ost did not make has no way back", reverted::not_by_ghost);
    }
    trials.push(test("handoff: run by gh-ost on a mariadb that shows its locks", || {
        let ground = Ground::own(Tool::GhOst);
        run::plain(&ground);
        ended::killed(&ground);
        taken_up::supervisor_killed(&ground);
        reverted::plain(&ground);
    }));
    trials.push(test("handoff: a run whose server was started again ends, or goes on", || {
        let ground = Ground::own(Tool::GhOst);
        ended::server_restarted(&ground);
        ended::server_restarted(&Ground { tool: Tool::Percona, ..ground });
    }));
    trials
}

fn ways() -> Vec<(Tool, Engine)> {
    let mut ways = Vec::new();
    for engine in available() {
        match engine.family {
            "mysql" => {
                if engine.name == "mysql" {
                    ways.push((Tool::GhOst, engine));
                }
                ways.push((Tool::Percona, engine));
            }
            "postgres" => ways.push((Tool::Native, engine)),
            _ => {}
        }
    }
    ways
}

/// Who makes the change, and where.
struct Ground {
    tool: Tool,
    engine: Engine,
    /// Where no other test is.
    server: Option<OwnServer>,
}

impl Ground {
    const fn shared(tool: Tool, engine: Engine) -> Self {
        Self { tool, engine, server: None }
    }

    /// On a MariaDB with `performance_schema`. The one of the other tests has none, as MariaDB comes, and the
    /// preflight forbids gh-ost there.
    fn own(tool: Tool) -> Self {
        let engine = engine("mariadb");
        let server = OwnServer::of(engine);
        let settings = server.home.join("my.cnf");
        let text = std::fs::read_to_string(&settings).unwrap();
        std::fs::write(&settings, text + "performance-schema = ON\n").unwrap();
        server.stop();
        assert!(server.restart().wait().unwrap().success());
        Self { tool, engine, server: Some(server) }
    }

    fn database(&self) -> Database {
        match &self.server {
            Some(server) => Database::on(self.engine, server.url.clone()),
            None => Database::new(self.engine),
        }
    }

    fn defaults_file(&self) -> String {
        match &self.server {
            Some(server) => server.home.join("client.cnf").display().to_string(),
            None => defaults_file(self.engine),
        }
    }
}

/// A table, a change of it, and a place to call from.
struct Scene {
    database: Database,
    desk: Desk,
    tool: Tool,
    defaults: String,
    /// The handoff that is asked about.
    name: &'static str,
}

const CHANGE: &str =
    "ALTER TABLE t MODIFY c decimal(12,3), ADD note varchar(20) NOT NULL DEFAULT 'it''s'";

impl Scene {
    fn new(ground: &Ground) -> Self {
        Self::slowly(ground, 20)
    }

    /// Each chunk takes at least so many milliseconds.
    fn slowly(ground: &Ground, chunk: u32) -> Self {
        let database = ground.database();
        database.script(&format!(
            "CREATE TABLE t (id int AUTO_INCREMENT PRIMARY KEY, a int NOT NULL, c decimal(10,2));\n\
             INSERT INTO t (id, a, c) SELECT n, 0, n % 900 FROM numbers WHERE n <= {ROWS};\n\
             ANALYZE TABLE t"
        ));
        let desk = Desk::at(&database.url);
        let chunk = chunk.to_string();
        // The real one keeps a checkpoint each ten seconds at the most often.
        let variables =
            [(doubles::ghost::CHUNK_MS, chunk.as_str()), (doubles::ghost::CHECKPOINT_MS, "300")];
        doubles::ghost::put(&desk, &variables);
        let path = format!("{}:{}", desk.path("bin").display(), std::env::var("PATH").unwrap());
        let desk = desk.set("PATH", &path);
        desk.write("0042.sql", &format!("SET SESSION lock_wait_timeout = 5;\n{CHANGE};\n"));
        Self { database, desk, tool: ground.tool, defaults: ground.defaults_file(), name: "0042" }
    }

    fn arguments<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        let tool = match self.tool {
            Tool::GhOst => "gh-ost",
            Tool::Percona => "pt-online-schema-change",
            Tool::Native => unreachable!("the server is no tool"),
        };
        let mut arguments = vec![
            "handoff",
            "run",
            "0042.sql",
            "--target",
            "DATABASE_URL",
            "--defaults-file",
            &self.defaults,
            "--tool",
            tool,
            "--progress",
            "plain",
            "--progress-interval",
            "500ms",
            "--files",
            "files",
        ];
        arguments.extend(more);
        arguments
    }

    fn start(&self) -> Running {
        self.start_with(&["--yes", "--reason", "PAY-7"])
    }

    fn start_with(&self, more: &[&str]) -> Running {
        std::fs::create_dir_all(self.desk.path("files")).unwrap();
        self.desk.start(&self.arguments(more))
    }

    fn status(&self) -> Value {
        let said = self.desk.call(&["handoff", "status", self.name, "--json"]);
        serde_json::from_str(&said.out).unwrap_or_default()
    }

    fn state(&self) -> String {
        self.status()["state"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until it is at that.
    #[track_caller]
    fn wait_until(&self, running: &mut Running, state: &str) {
        let begun = Instant::now();
        while self.state() != state {
            if running.has_ended() {
                panic!(
                    "it ended before it was {state}: {:?}\n{}",
                    running.take_output(),
                    self.files()
                );
            }
            assert!(begun.elapsed() < Duration::from_secs(90), "{state}: {}", self.status());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// What the tool said.
    fn files(&self) -> String {
        let Ok(entries) = std::fs::read_dir(self.desk.path("files")) else { return String::new() };
        let mut text = String::new();
        for path in entries.map(|entry| entry.unwrap().path()) {
            let said = path.extension().is_some_and(|end| end == "out" || end == "err");
            if said {
                text +=
                    &format!("{}:\n{}\n", path.display(), std::fs::read_to_string(&path).unwrap());
            }
        }
        text
    }

    fn handoff(&self, verb: &str, more: &[&str]) -> Said {
        self.desk.call(&[&["handoff", verb, self.name], more].concat())
    }

    /// The process of the tool.
    fn process(&self) -> u64 {
        self.status()["process"].as_u64().unwrap()
    }

    fn value(&self, sql: &str) -> String {
        self.database.value(sql)
    }

    /// The names of tables beside `t`.
    fn beside(&self) -> String {
        self.value(
            "SELECT COALESCE(GROUP_CONCAT(TABLE_NAME ORDER BY TABLE_NAME), '') FROM \
             information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE '%\\_t\\_%'",
        )
    }

    fn triggers(&self) -> String {
        self.value(
            "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = \
             DATABASE()",
        )
    }

    /// Whether the table has its new column.
    fn is_changed(&self) -> bool {
        self.value(
            "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = \
             DATABASE() AND TABLE_NAME = 't' AND COLUMN_NAME = 'note'",
        ) == "1"
    }

    /// That the application wrote what it wrote, and waited no longer than that.
    #[track_caller]
    fn nothing_is_lost(&self, wrote: &Wrote, wait: Duration) {
        assert_eq!(wrote.errors, Vec::<String>::new());
        assert!(wrote.stale.len() <= 3, "{:?}", wrote.stale);
        assert!(wrote.longest < wait, "{:?}: {:?}", wrote.longest, wrote.waits);
        let rows = ROWS + wrote.inserts - wrote.deletes;
        assert_eq!(self.value("SELECT CAST(COUNT(*) AS CHAR) FROM t"), rows.to_string());
        let sum = self.value("SELECT CAST(SUM(a) AS CHAR) FROM t");
        assert_eq!(sum, wrote.updates.to_string());
    }

    /// That nothing is left of the tool after `cleanup`, and the table is as it was.
    #[track_caller]
    fn clean(&self) {
        self.handoff("cleanup", &["--yes", "--reason", "over"]).expect(0);
        assert_eq!((self.beside(), self.triggers()), (String::new(), "0".to_owned()));
        let left: Vec<_> = std::fs::read_dir(self.desk.path("files"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with(".out") && !name.ends_with(".err"))
            .collect();
        assert_eq!(left, Vec::<String>::new());
    }
}

fn is_gone(process: u64) -> bool {
    !std::path::Path::new(&format!("/proc/{process}")).exists()
}
