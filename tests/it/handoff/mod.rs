//! `backstop handoff plan`: what it finds, what it decides, and that the commands work.

mod canary;
mod cleaning;
mod comparing;
mod decisions;
mod ghost;
mod killing;
mod native;
mod native_work;
mod percona;
mod percona_work;
mod preflight;
mod reader;
mod rig;
mod running;
mod stage;
mod traces;
mod verdicts;
mod writer;

use std::os::unix::fs::PermissionsExt as _;

use backstop::handoff::kill::{self, Proof};
use backstop::handoff::work::{Ending, Work};
use backstop::target::Place;
use libtest_mimic::Trial;
use serde_json::Value;

use crate::database::{Database, Engine, try_connect};
use crate::harness::{Desk, Said};

pub fn trials() -> Vec<Trial> {
    let mut trials = preflight::trials();
    trials.extend(decisions::trials());
    trials.extend(percona::trials());
    trials.extend(ghost::trials());
    trials.extend(percona_work::trials());
    trials.extend(native::trials());
    trials.extend(running::trials());
    trials.extend(traces::trials());
    trials.extend(killing::trials());
    trials.extend(comparing::trials());
    trials.extend(verdicts::trials());
    trials.extend(cleaning::trials());
    trials.extend(native_work::trials());
    trials.extend(canary::trials());
    trials
}

/// A table that every check can be provoked on, and a change of it that needs a copy.
const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, a int, b varchar(40), c decimal(10,2));\n\
                     INSERT INTO t SELECT n, n, concat('n', n % 9), n FROM numbers WHERE n <= 900";
const COPY: &str = "SET SESSION lock_wait_timeout = 5;\nALTER TABLE t MODIFY c decimal(12,3);\n";

/// A desk whose path begins with programs of ours: a `gh-ost` that says this as its version.
fn desk(database: &Database, ghost: &str) -> Desk {
    let desk = Desk::at(&database.url);
    desk.write("bin/gh-ost", &format!("#!/bin/sh\necho '{ghost}'\n"));
    let program = desk.path("bin/gh-ost");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", desk.path("bin").display(), std::env::var("PATH").unwrap());
    desk.set("PATH", &path)
}

/// The file with which the tools and the client get in.
fn defaults_file(engine: Engine) -> String {
    let dir = std::env::var(format!("BACKSTOP_TEST_{}_DIR", engine.name.to_uppercase()));
    format!("{}/client.cnf", dir.unwrap_or_else(|_| "/nowhere".to_owned()))
}

/// Kills the work at the table `t`, in all steps.
async fn kill(database: &Database, work: &mut dyn Work) -> Proof {
    let target = try_connect(&database.url).await.unwrap();
    let mut session = target.open("kill").await.unwrap();
    let place = Place { schema: database.login().database, name: "t".to_owned() };
    let proof = kill::end(work, Ending::Kill, target.as_ref(), session.as_mut(), &place).await;
    println!("{}", proof.said().join("\n"));
    assert!(proof.after < kill::WITHIN, "{:?}", proof.after);
    proof
}

/// Plans a migration.
fn plan(desk: &Desk, migration: &str, more: &[&str]) -> Said {
    desk.write("m.sql", migration);
    desk.call(&[&["handoff", "plan", "m.sql", "--target", "DATABASE_URL"], more].concat())
}

/// The same, as JSON.
fn planned(desk: &Desk, migration: &str, more: &[&str]) -> Value {
    let said = plan(desk, migration, &[&["--json"], more].concat());
    assert!(said.code == 0 || said.code == 1, "{said:?}");
    serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

/// What a check found against any path.
fn found(plan: &Value, check: &str) -> String {
    let checks = plan["checks"].as_array().unwrap();
    let check =
        checks.iter().find(|one| one["check"] == check).unwrap_or_else(|| panic!("{check}"));
    let messages =
        check["found"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap());
    format!("{} | {}", check["value"].as_str().unwrap(), messages.collect::<Vec<_>>().join(" | "))
}
