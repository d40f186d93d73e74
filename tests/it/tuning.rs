//! Settings that are changed while the job runs, on every engine.

use libtest_mimic::Trial;
use serde_json::Value;

use crate::database::{Engine, available};
use crate::harness::{Running, wait_for};
use crate::stopping::{SLOW, Scene};
use crate::test;

type Check = fn(Engine);

const CHECKS: [(&str, Check); 4] = [
    ("the next batches are smaller, and it is written down who wanted it", smaller),
    ("a change outlives the runner, and not the job", outlives),
    ("what cannot be is refused, and nothing is changed", refused),
    ("workers come and go", workers),
];

pub fn trials() -> Vec<Trial> {
    let each = |engine: Engine| {
        CHECKS.iter().map(move |(name, check)| {
            test(format!("tuning: {name} on {}", engine.name), move || check(engine))
        })
    };
    available().flat_map(each).collect()
}

/// Events of a kind that the journal holds, newest last.
fn events(scene: &Scene, kind: &str) -> Vec<Value> {
    let status = scene.desk.status("slow");
    let events = status["events"].as_array().unwrap().iter();
    events.filter(|event| event["kind"] == kind).map(|event| event["data"].clone()).collect()
}

fn more_batches(scene: &Scene, running: &mut Running) {
    let before = scene.desk.status("slow")["batches"].as_u64().unwrap();
    scene.wait_for_batches(running, before + 6);
}

fn smaller(engine: Engine) {
    let scene = Scene::new(engine);
    let mut running = scene.desk.start(&["run", "job.toml", "--progress", "json"]);
    scene.wait_for_batches(&mut running, 3);
    let said = scene.desk.call(&[
        "tune",
        "slow",
        "batch.max_rows=7",
        "batch.pause=1ms",
        "--reason",
        "the replicas lag",
    ]);
    let said = said.expect(0).says("batch.max_rows changed from 100 to 7, from the next batch on");
    said.says("batch.pause changed from 20ms to 1ms");
    more_batches(&scene, &mut running);
    let tuned = events(&scene, "tuned");
    assert_eq!(tuned.len(), 2, "{tuned:?}");
    assert_eq!((&tuned[0]["old"], &tuned[0]["new"]), (&"100".into(), &"7".into()), "{tuned:?}");
    assert_eq!(tuned[0]["reason"], "the replicas lag");
    assert!(tuned[0]["by"].as_str().unwrap().contains('@'), "{tuned:?}");
    let shown = scene.desk.call(&["status", "slow"]).expect(0);
    shown.says("tuned     batch.max_rows = 7, by ").says(": the replicas lag");

    scene.desk.call(&["tune", "slow", "--reset"]).expect(0).says("from 7 to 100");
    scene.desk.call(&["tune", "slow", "--reset"]).expect(0).says("nothing to take back");
    let said = running.wait().expect(0);
    let told: Vec<Value> =
        said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sizes = |events: &[Value]| -> Vec<u64> {
        let batches = events.iter().filter(|event| event["message_type"] == "batch_done");
        batches.map(|event| event["rows_scanned"].as_u64().unwrap()).collect()
    };
    let is_of_size = |event: &Value| event["setting"] == "batch.max_rows";
    let from = told.iter().position(is_of_size).expect("no event of the change");
    let to = told.iter().rposition(is_of_size).unwrap();
    let (before, small, after) = (sizes(&told[..from]), sizes(&told[from..to]), sizes(&told[to..]));
    assert!(before.iter().any(|size| 7 < *size), "{before:?}");
    // The first was under way; and a slow moment makes a batch smaller still.
    assert!(6 <= small.len() && small[1..].iter().all(|size| *size <= 7), "{small:?}");
    assert!(after.iter().any(|size| 7 < *size), "it did not go back: {after:?}");
    scene.exactly_once();
}

fn outlives(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    scene.desk.call(&["tune", "slow", "batch.max_rows=50"]).expect(0);
    running.signal("KILL");
    assert_eq!(running.wait().code, -1);
    let mut running = scene.start();
    wait_for("the change in the next run", || !events(&scene, "tuned").is_empty());
    let tuned = events(&scene, "tuned").pop().unwrap();
    assert_eq!(tuned["new"], "50", "{tuned}");
    scene.wait_for_batches(&mut running, 10);
    running.signal("TERM");
    running.wait().expect(3);

    // Without a runner it is kept for the next run.
    let said = scene.desk.call(&["tune", "slow", "batch.max_rows=1000", "batch.pause=0s"]);
    said.expect(0).says("it holds from the next run on");
    scene.desk.call(&["run", "job.toml"]).expect(0);
    scene.exactly_once();
    assert!(!scene.desk.status("slow")["tuned"].as_array().unwrap().is_empty());
    // A new generation begins by the spec.
    let running = scene.desk.start(&["run", "job.toml", "--again"]);
    wait_for("the next generation", || scene.desk.status("slow")["generation"] == 2);
    assert_eq!(scene.desk.status("slow")["tuned"], serde_json::json!([]));
    running.signal("TERM");
    running.wait();
}

fn refused(engine: Engine) {
    let scene = Scene::new(engine);
    let running = scene.start();
    let tune = |setting: &str| scene.desk.call(&["tune", "slow", setting]);
    tune("batch.max_row=5").expect(2).says("did you mean `batch.max_rows`?");
    tune("batch.max_rows=none").expect(2).says("not a whole number from 1 to 1000000");
    tune("batch.target_time=2h").expect(2).says("`2h` is not from 1ms to 1m");
    tune("batch.workers").expect(2).says("batch.target_time=100ms");
    scene.desk.call(&["tune", "fast", "batch.max_rows=5"]).expect(2).says("it knows `slow`");
    assert_eq!(scene.desk.status("slow")["tuned"], serde_json::json!([]));
    if engine.family == "sqlite" {
        tune("batch.workers=2").expect(1).says("one writer at a time").says("left as it is");
        assert_eq!(events(&scene, "tune_refused").len(), 1);
    }
    running.signal("TERM");
    running.wait().expect(3);
}

fn workers(engine: Engine) {
    if engine.family == "sqlite" {
        return;
    }
    let scene = Scene::new(engine);
    scene.desk.write("job.toml", &SLOW.replace("20ms", "50ms"));
    let events = scene.desk.path("events");
    let file = std::fs::File::create(&events).unwrap();
    let mut command = scene.desk.command(&["run", "job.toml", "--progress", "json"]);
    let mut running = Running::of(command.stdout(file).spawn().unwrap());
    // The workers of the newest batches.
    let at_work = |newest: usize| {
        let text = std::fs::read_to_string(&events).unwrap();
        let batches: Vec<Value> = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|event| event["message_type"] == "batch_done")
            .collect();
        let begin = batches.len().saturating_sub(newest);
        batches[begin..].iter().map(|event| event["worker"].as_u64().unwrap()).max()
    };
    scene.wait_for_batches(&mut running, 3);
    scene.desk.call(&["tune", "slow", "batch.workers=3"]).expect(0).says("from 1 to 3");
    wait_for("the third worker", || at_work(3) == Some(2));
    scene.desk.call(&["tune", "slow", "batch.workers=1"]).expect(0).says("from 3 to 1");
    wait_for("the others to leave", || at_work(6) == Some(0));
    scene.desk.call(&["tune", "slow", "batch.workers=2", "batch.pause=1ms"]).expect(0);
    running.wait().expect(0);
    scene.exactly_once();
}
