//! The team's `backstop.toml`: found upward, refused where it is wrong, written by `init`.

use libtest_mimic::Trial;

use crate::bad_input::GOOD;
use crate::database::{Database, Engine, available, engine};
use crate::harness::{Desk, Said, root};
use crate::test;

const FILE: &str = "backstop.toml";

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        test("config: the nearest one upward counts, alone", nearest),
        test("config: one that cannot be read is an error", unreadable),
        test("config: `init` writes one that works, and overwrites none", init),
    ];
    for engine in available().filter(|engine| engine.family != "sqlite") {
        trials.push(test(format!("config: the fence's schema on {}", engine.name), move || {
            fence_schema(engine);
        }));
    }
    let mut files: Vec<_> = std::fs::read_dir(root().join("tests/bad-configs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        trials.push(test(format!("bad config: {name}"), move || {
            let text = std::fs::read_to_string(&path).unwrap();
            let claim = text.lines().next().unwrap().strip_prefix("# expect: ").unwrap();
            let desk = Desk::new();
            desk.write("job.toml", GOOD);
            desk.write(FILE, &text);
            for command in ["plan", "run"] {
                let said = desk.call(&[command, "job.toml"]).expect(2).says("error: ").says(claim);
                assert!(!said.err.contains("h0ney"), "{}", said.err);
            }
            assert!(!desk.path(".backstop").exists(), "a journal was made");
        }));
    }
    trials
}

/// A desk with a database, and a folder in it.
fn scene() -> (Database, Desk) {
    let database = Database::new(engine("sqlite"));
    database.script("CREATE TABLE t (id {{id}}, a integer)");
    let desk = Desk::at(&database.url);
    std::fs::create_dir(desk.path("jobs")).unwrap();
    desk.write("jobs/job.toml", GOOD);
    (database, desk)
}

/// `plan --json` of the job, from its own folder.
fn plan(desk: &Desk) -> serde_json::Value {
    let said = in_jobs(desk, &["plan", "job.toml", "--json"]).expect(0);
    serde_json::from_str(&said.out).unwrap()
}

fn in_jobs(desk: &Desk, arguments: &[&str]) -> Said {
    Said::by(desk.command(arguments).current_dir(desk.path("jobs")))
}

fn nearest() {
    let (_database, desk) = scene();
    assert_eq!(plan(&desk)["config"], serde_json::Value::Null);
    in_jobs(&desk, &["plan", "job.toml"]).expect(0).says("defaults: no `backstop.toml` here");

    desk.write(FILE, "[control]\nkill_file = \"KILL\"");
    let shown = |name: &str| desk.path(name).canonicalize().unwrap().display().to_string();
    let found = plan(&desk);
    assert_eq!(found["config"], shown(FILE));
    let kill = desk.path("").canonicalize().unwrap().join("KILL").display().to_string();
    assert_eq!(found["kill_files"][0]["path"], kill, "it begins at the folder of the config");
    assert_eq!(found["kill_files"][0]["present"], false);
    in_jobs(&desk, &["plan", "job.toml"])
        .expect(0)
        .says(&format!("config        {}", shown(FILE)))
        .says(&format!("kill file     {kill} (absent)"));
    desk.write("KILL", "page 1234");
    in_jobs(&desk, &["plan", "job.toml"]).expect(0).says("is PRESENT").says("(page 1234)");
    assert_eq!(plan(&desk)["kill_files"][0]["reason"], "page 1234");

    desk.write("jobs/backstop.toml", "");
    let found = plan(&desk);
    assert_eq!(found["config"], shown("jobs/backstop.toml"));
    assert_eq!(found["kill_files"], serde_json::json!([]), "the nearest counts alone");
}

fn unreadable() {
    let (_database, desk) = scene();
    // A folder, and a link that leads nowhere: neither is "no config".
    std::fs::create_dir(desk.path(FILE)).unwrap();
    for command in ["plan", "run"] {
        in_jobs(&desk, &[command, "job.toml"]).expect(2).says("backstop.toml` cannot be read: ");
    }
    std::fs::remove_dir(desk.path(FILE)).unwrap();
    std::os::unix::fs::symlink("nowhere", desk.path(FILE)).unwrap();
    in_jobs(&desk, &["run", "job.toml"]).expect(2).says("backstop.toml` cannot be read: ");
    std::fs::remove_file(desk.path(FILE)).unwrap();
    std::fs::write(desk.path(FILE), [0xff, 0xfe, 0x00]).unwrap();
    in_jobs(&desk, &["run", "job.toml"]).expect(2).says("it is not UTF-8 text");
    assert!(!desk.path("jobs/.backstop").exists(), "a journal was made");
}

fn init() {
    let (_database, desk) = scene();
    desk.call(&["init"]).expect(0).says("backstop.toml` is written");
    let text = std::fs::read_to_string(desk.path(FILE)).unwrap();
    in_jobs(&desk, &["plan", "job.toml"]).expect(0).says(FILE);

    // Every field of it is one when its comment sign is taken away.
    desk.write(FILE, &text.replace("# kill_file", "kill_file").replace("# schema", "schema"));
    let found = plan(&desk);
    assert!(found["kill_files"][0]["path"].as_str().unwrap().ends_with("/KILL"), "{found}");
    desk.write(FILE, &text.replace("# token_env", "token_env"));
    in_jobs(&desk, &["run", "job.toml", "--listen", "127.0.0.1:0"])
        .expect(2)
        .says("the environment variable `BACKSTOP_TOKEN` is not set");

    desk.write(FILE, "[control]\nkill_file = \"KILL\"\n");
    desk.call(&["init"]).expect(2).says("is there already, and is left as it is");
    let kept = std::fs::read_to_string(desk.path(FILE)).unwrap();
    assert_eq!(kept, "[control]\nkill_file = \"KILL\"\n");
    in_jobs(&desk, &["init"]).expect(0).says("does not count any more, nor its kill file");
}

/// The tables stand where the config says, and `kill` and `release` find them there.
fn fence_schema(engine: Engine) {
    let database = Database::new(engine);
    database
        .script("CREATE TABLE t (id {{id}}, a integer);\nINSERT INTO t (a) VALUES (NULL), (NULL)");
    // A schema of MySQL is a database of its own: another test's serves, and goes with it.
    let other = Database::new(engine);
    let schema = match engine.family {
        "postgres" => {
            database.script("CREATE SCHEMA keeper");
            "keeper".to_owned()
        }
        _ => other.login().database,
    };
    let desk = Desk::at(&database.url);
    desk.write("job.toml", GOOD);
    desk.write(FILE, &format!("[fence]\nschema = \"{schema}\""));
    desk.call(&["run", "job.toml"]).expect(0);
    let count = |table: &str| database.value(&format!("SELECT count(*) FROM {schema}.{table}"));
    assert_eq!(count("backstop_fence"), "1");
    desk.call(&["kill", "good", "--target", "DATABASE_URL", "--reason", "page"]).expect(0);
    assert_eq!(count("backstop_switch"), "1");
    desk.call(&["run", "job.toml", "--again"]).expect(4).says("page");
    desk.call(&["release", "good", "--reason", "done"]).expect(0);

    // By way of the journal the job is looked for where it was run.
    desk.call(&["kill", "good", "--reason", "page 2"]).expect(0).says("page 2");
    let standing = format!(
        "SELECT count(*) FROM {schema}.backstop_switch WHERE released_at IS NULL AND why = 'page 2'"
    );
    assert_eq!(database.value(&standing), "1");
    desk.call(&["run", "job.toml", "--again"]).expect(4).says("page 2");
    desk.call(&["release", "good", "--reason", "done 2"]).expect(0);
    assert_eq!(database.value(&standing), "0");
    desk.call(&["run", "job.toml", "--again"]).expect(0);
    desk.call(&["kill", "good", "--target", "DATABASE_URL", "--reason", "page 3"]).expect(0);

    // A config that somebody has broken holds up everything but a kill.
    desk.write(FILE, "[fense]");
    desk.call(&["release", "good", "--target", "DATABASE_URL", "--reason", "ok"]).expect(2);
    let said = desk.call(&["kill", "good", "--target", "DATABASE_URL", "--reason", "again"]);
    said.says("unknown section `fense`").says("the kill goes on as if there were no config");
}
