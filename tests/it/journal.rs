//! Where the journal is found, and that a program can use the library as the binary does.

use std::process::Command;

use libtest_mimic::Trial;

use crate::database::{Database, engine};
use crate::harness::{Desk, Said, root};
use crate::test;

pub fn trials() -> Vec<Trial> {
    vec![
        test("journal: it is found upward from the working directory", found_upward),
        test("journal: --state names another one", named),
        test(
            "journal: in the XDG state directory when the working directory cannot be written",
            xdg,
        ),
        test(
            "journal: another database is not taken for the one that the job began on",
            other_target,
        ),
        test("journal: a job that runs on one target is not hidden by another", running_elsewhere),
        test("journal: first runs of several jobs at once", many_at_once),
        test("journal: --again is for finished jobs", again_unfinished),
        test("examples: each of them runs", examples),
    ]
}

const JOB: &str = r#"
[job]
name = "small"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { a = "1" }
"#;

fn scene() -> (Database, Desk) {
    let database = Database::new(engine("sqlite"));
    database.script("CREATE TABLE t (id {{id}}, a integer);\nINSERT INTO t (a) VALUES (NULL), (2)");
    let desk = Desk::at(&database.url);
    desk.write("job.toml", JOB);
    (database, desk)
}

fn found_upward() {
    let (_database, desk) = scene();
    desk.call(&["run", "job.toml"]).expect(0);
    assert!(desk.path(".backstop/journal.db").is_file());
    std::fs::create_dir_all(desk.path("deep/er")).unwrap();
    let mut command = desk.command(&["status", "small"]);
    Said::by(command.current_dir(desk.path("deep/er"))).expect(0).says("small  completed");
}

fn named() {
    let (_database, desk) = scene();
    desk.call(&["run", "job.toml", "--state", "elsewhere/my.db"]).expect(0);
    assert!(!desk.path(".backstop").exists());
    desk.call(&["status", "--state", "elsewhere/my.db"]).expect(0).says("small  completed");
    desk.call(&["status"]).expect(2).says("no journal found");
}

fn xdg() {
    let (_database, desk) = scene();
    // A file where the folder would be: nothing can be made there, not even by root.
    desk.write(".backstop", "");
    desk.call(&["run", "job.toml"]).expect(0);
    assert!(desk.path("state/backstop/journal.db").is_file());
    desk.call(&["status"]).expect(0).says("small  completed");
}

fn other_target() {
    let (_first, desk) = scene();
    desk.call(&["run", "job.toml"]).expect(0);
    let (second, _) = scene();
    let mut command = desk.command(&["run", "job.toml"]);
    Said::by(command.env("DATABASE_URL", &second.url))
        .expect(2)
        .says("this target's fence knows nothing of it");
    assert_eq!(second.value("SELECT count(*) FROM t WHERE a = 1"), "0");
}

/// A job that takes its time.
fn slowly(name: &str) -> String {
    JOB.replace("small", name) + "\n[batch]\nmax_rows = 10\npause = \"50ms\"\n"
}

fn running_elsewhere() {
    let (first, desk) = scene();
    first.script("INSERT INTO t (a) SELECT NULL FROM numbers WHERE n <= 2000");
    desk.write("job.toml", &slowly("small"));
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "small", |status| 1 <= status["batches"].as_u64().unwrap_or(0));
    let (second, _) = scene();
    let mut command = desk.command(&["run", "job.toml"]);
    Said::by(command.env("DATABASE_URL", &second.url)).expect(2).says("is being run on sqlite:");
    desk.call(&["stop", "small"]).expect(0);
    running.wait().expect(3);
}

fn many_at_once() {
    let database = Database::new(engine("postgres"));
    database.script("CREATE TABLE t (id {{id}}, a integer);\nINSERT INTO t (a) VALUES (NULL), (2)");
    let desk = Desk::at(&database.url);
    let running: Vec<_> = (0..4)
        .map(|i| {
            desk.write(&format!("job{i}.toml"), &JOB.replace("small", &format!("small{i}")));
            desk.start(&["run", &format!("job{i}.toml")])
        })
        .collect();
    for running in running {
        running.wait().expect(0);
    }
}

fn again_unfinished() {
    let (database, desk) = scene();
    database.script("INSERT INTO t (a) SELECT NULL FROM numbers WHERE n <= 2000");
    desk.write("job.toml", &slowly("small"));
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "small", |status| 1 <= status["batches"].as_u64().unwrap_or(0));
    desk.call(&["stop", "small"]).expect(0);
    running.wait().expect(3);
    desk.call(&["run", "job.toml", "--again"]).expect(2).says("is not finished");
}

fn examples() {
    for entry in std::fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let folder = tempfile::TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO"));
        // What cargo says of this test to the test would make it build half the tree again.
        for (variable, _) in std::env::vars() {
            if variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_") {
                command.env_remove(variable);
            }
        }
        let output = command
            .args(["run", "--quiet", "--locked", "--example", &name, "--manifest-path"])
            .arg(root().join("Cargo.toml"))
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{name}: {said}");
    }
}
