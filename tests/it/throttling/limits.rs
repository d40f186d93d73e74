//! Rates, windows, and where a run ends.

use std::time::Duration;

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use libtest_mimic::Trial;

use super::Scene;
use crate::database::{Engine, available, engine, execute, open};
use crate::test;

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        test("throttling: the window closes, and the job has drained", || window(true)),
        test("throttling: the window opens, and the job begins", || window(false)),
    ];
    for on in available() {
        if ["postgres", "mariadb"].contains(&on.name) {
            trials.push(test(
                format!("throttling: four workers keep to a rate on {}", on.name),
                move || rate(on),
            ));
            trials.push(test(
                format!("throttling: too many errors end a run on {}", on.name),
                move || max_errors(on),
            ));
        }
        trials.push(test(
            format!("throttling: a run ends after so many rows, and after so long on {}", on.name),
            move || ends(on),
        ));
    }
    trials.push(test("throttling: nice sleeps in proportion", nice));
    trials
}

fn rate(on: Engine) {
    let scene = Scene::new(on, "[throttle]\nrows_per_second = 2500\n");
    scene.database.script(
        "INSERT INTO t (a) SELECT NULL FROM t;\nINSERT INTO t (a) SELECT NULL FROM t;\n\
         INSERT INTO t (a) SELECT NULL FROM t;\nINSERT INTO t (a) SELECT NULL FROM t",
    );
    let spec = std::fs::read_to_string(scene.desk.path("job.toml")).unwrap();
    let spec = spec.replace("max_rows = 100\npause    = \"20ms\"", "workers = 4");
    scene.desk.write("job.toml", &spec);
    let mut running = scene.start();
    scene.desk.wait_until(&mut running, "slow", |_| 4 <= scene.batches());
    std::thread::sleep(Duration::from_secs(33));
    running.signal("TERM");
    running.wait().expect(3);
    let batches: Vec<(Timestamp, f64)> = scene
        .events("batch_done")
        .iter()
        .map(|batch| {
            let at = batch["time"].as_str().unwrap().parse().unwrap();
            (at, batch["rows_scanned"].as_f64().unwrap())
        })
        .collect();
    // From one moment to that thirty seconds later, after the first second.
    let from = batches[0].0 + 1.second();
    let until = from + 30.seconds();
    assert!(until <= batches.last().unwrap().0, "it ended early: {batches:?}");
    let rows: f64 =
        batches.iter().filter(|(at, _)| from < *at && *at <= until).map(|(_, rows)| rows).sum();
    let rate = rows / 30.0;
    assert!((2375.0..=2625.0).contains(&rate), "{rate} rows a second in place of 2500");
}

/// A window that closes, or opens, at the next full minute.
fn window(closes: bool) {
    let now = || Timestamp::now().to_zoned(TimeZone::UTC);
    // With less than eight seconds left the job would have to hurry.
    while 52 < now().second() {
        std::thread::sleep(Duration::from_millis(200));
    }
    let turn = now()
        .round(jiff::ZonedRound::new().smallest(jiff::Unit::Minute).mode(jiff::RoundMode::Ceil));
    let turn = turn.unwrap();
    let turn = if turn <= now() { turn + 1.minute() } else { turn };
    let show = |time: &jiff::Zoned| time.strftime("%H:%M").to_string();
    let (from, to) = if closes {
        (turn.clone() - 10.minutes(), turn.clone())
    } else {
        (turn.clone(), turn.clone() + 10.minutes())
    };
    let sections = format!(
        "[limits]\nwindow = {{ between = \"{}-{}\", zone = \"UTC\" }}\n[throttle]\nlook_every = \
         \"100ms\"\nrows_per_second = 150\n",
        show(&from),
        show(&to)
    );
    let scene = Scene::new(engine("sqlite"), &sections);
    let mut running = scene.start();
    let at =
        |event: &serde_json::Value| event["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
    if closes {
        scene.wait_for_more(&mut running);
        let status = scene.is_held(&mut running, "window 1 > 0 (closes at ");
        assert!(status["reason"].as_str().unwrap().contains(" UTC)"), "{status}");
        while now() <= turn.clone() + 1.second() {
            std::thread::sleep(Duration::from_millis(100));
        }
        let last = at(&scene.events("batch_done").pop().unwrap());
        assert!(last < turn.timestamp(), "a batch at {last} of a window that closes at {turn}");
        assert_eq!(scene.desk.status("slow")["state"], "throttled");
    } else {
        scene.wait_for_state(&mut running, "throttled");
        assert_eq!(scene.batches(), 0);
        let reason = scene.desk.status("slow")["reason"].as_str().unwrap().to_owned();
        assert!(reason.starts_with("window 1 > 0 (closed until "), "{reason}");
        while now() <= turn.clone() - 1.second() {
            std::thread::sleep(Duration::from_millis(100));
        }
        scene.goes_on(&mut running);
        let first = at(&scene.events("batch_done")[0]);
        assert!(turn.timestamp() <= first, "a batch at {first}, and the window opens at {turn}");
    }
    running.signal("TERM");
    running.wait().expect(3);
}

fn ends(on: Engine) {
    let scene = Scene::new(on, "[limits]\nmax_rows = 730\n");
    let said = scene.desk.call(&["run", "job.toml"]).expect(3);
    said.says("max_rows 730 is reached").says("to go on: backstop run job.toml");
    assert_eq!(scene.database.value("SELECT count(*) FROM t WHERE a = 1"), "730");
    let status = scene.desk.status("slow");
    assert_eq!(status["state"], "stopped", "{status}");
    assert!(status["reason"].as_str().unwrap().contains("max_rows 730"), "{status}");
    // The next run has its own.
    scene.desk.call(&["run", "job.toml"]).expect(3);
    assert_eq!(scene.database.value("SELECT count(*) FROM t WHERE a = 1"), "1460");
    let spec = std::fs::read_to_string(scene.desk.path("job.toml")).unwrap();
    scene.desk.write("job.toml", &spec.replace("max_rows = 730", "max_runtime = \"600ms\""));
    let said = scene.desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(3);
    said.says("max_runtime 600ms is reached");
    scene.desk.write("job.toml", super::SPEC);
    scene.desk.call(&["run", "job.toml", "--accept-changed-spec"]).expect(0);
    scene.finish();
}

/// A row that somebody holds makes the batch fail again and again.
fn max_errors(on: Engine) {
    let scene =
        Scene::new(on, "[limits]\nmax_errors = 2\n[throttle]\nblocked_sessions = { off = true }\n");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut holder = runtime.block_on(async {
        let mut holder = open(&scene.database.url).await;
        holder.begin().await.unwrap();
        execute(holder.as_mut(), "UPDATE t SET a = a WHERE id = 250").await;
        holder
    });
    let said = scene.desk.call(&["run", "job.toml"]).expect(4);
    said.says("more than 2 batches were rolled back").says("`max_errors` allows");
    assert_eq!(scene.desk.status("slow")["state"], "failed");
    runtime.block_on(async {
        holder.rollback().await.unwrap();
        holder.close().await;
    });
    scene.desk.call(&["run", "job.toml"]).expect(0);
    scene.finish();
}

fn nice() {
    let scene = Scene::new(engine("sqlite"), "[throttle]\nnice = 3\n");
    let spec = std::fs::read_to_string(scene.desk.path("job.toml")).unwrap();
    scene.desk.write("job.toml", &spec.replace("pause    = \"20ms\"", "pause = \"0s\""));
    scene.start().wait().expect(0);
    let batches = scene.events("batch_done");
    let at = |n: usize| batches[n]["time"].as_str().unwrap().parse::<Timestamp>().unwrap();
    let worked: f64 = batches[1..].iter().map(|batch| batch["seconds"].as_f64().unwrap()).sum();
    let took = at(batches.len() - 1).duration_since(at(0)).as_secs_f64();
    // The sleep after the last but one is the last that is between two batches.
    let slept = took - worked;
    assert!(worked * 2.5 < slept, "it worked {worked} s and slept {slept} s");
    scene.finish();
}
