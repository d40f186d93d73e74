//! Each source of a signal holds a job and lets it go, and a job that waits can be killed.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::Duration;

use libtest_mimic::Trial;

use super::{Scene, free_address, metric, scrape, soon};
use crate::database::{Engine, available, engine};
use crate::test;

/// A way to make a job wait, and to let it go on.
struct Switch {
    signal: &'static str,
    sections: String,
    /// What the reason says.
    reason: String,
    on: Box<dyn Fn(&Scene)>,
    off: Box<dyn Fn(&Scene)>,
}

const LOOKS: &str = "[throttle]\nlook_every = \"100ms\"\nstale_after = \"1s\"\n";

fn file() -> Switch {
    Switch {
        signal: "file",
        sections: format!("{LOOKS}file = {{ path = \"WAIT\" }}"),
        reason: "exists: index build)".into(),
        on: Box::new(|scene| {
            scene.desk.write("unfinished", "index build\nmore");
            std::fs::rename(scene.desk.path("unfinished"), scene.desk.path("WAIT")).unwrap();
        }),
        off: Box::new(|scene| std::fs::remove_file(scene.desk.path("WAIT")).unwrap()),
    }
}

fn command() -> Switch {
    Switch {
        signal: "command",
        sections: format!(
            "{LOOKS}command = {{ run = [\"sh\", \"-c\", \"test ! -e BUSY || {{ echo the night batch; \
             exit 3; }}\"] }}"
        ),
        reason: "command 3 > 0 (`sh` exited with 3: the night batch)".into(),
        on: Box::new(|scene| scene.desk.write("BUSY", "")),
        off: Box::new(|scene| std::fs::remove_file(scene.desk.path("BUSY")).unwrap()),
    }
}

fn query() -> Switch {
    Switch {
        signal: "query",
        sections: format!(
            "{LOOKS}query = {{ sql = \"SELECT n FROM pressure\", pause_above = 10, resume_below = 4 }}"
        ),
        reason: "query 11 > 10".into(),
        on: Box::new(|scene| scene.database.script("UPDATE pressure SET n = 11")),
        off: Box::new(|scene| {
            // Below the upper limit is not enough.
            if scene.desk.status("slow")["state"] == "throttled" {
                scene.database.script("UPDATE pressure SET n = 5");
                std::thread::sleep(Duration::from_millis(400));
                assert_eq!(scene.desk.status("slow")["state"], "throttled");
            }
            scene.database.script("UPDATE pressure SET n = 4");
        }),
    }
}

/// A server that answers every request with the present status.
fn http() -> Switch {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let status = Arc::new(AtomicU16::new(200));
    let (answered, set, unset) = (Arc::clone(&status), Arc::clone(&status), status);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 1024]);
            let status = answered.load(Ordering::Relaxed);
            let body = if status == 200 { "ok" } else { "replica db-2 lags" };
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    Switch {
        signal: "http",
        sections: format!("{LOOKS}http = {{ url = \"http://{address}/check/shop\" }}"),
        reason: format!("http 1 > 0 (http://{address}/check/shop answered 429: replica db-2 lags)"),
        on: Box::new(move |_| set.store(429, Ordering::Relaxed)),
        off: Box::new(move |_| unset.store(200, Ordering::Relaxed)),
    }
}

const FREEZE: &str = "[[freeze]]\nfrom = \"2026-01-01T00:00\"\nuntil = \"2126-01-01T00:00\"\nzone = \
                      \"UTC\"\nreason = \"a century of rest\"\n";

/// One edit of a file that is shared holds the job.
fn freeze() -> Switch {
    Switch {
        signal: "freeze",
        sections: LOOKS.to_owned(),
        reason: "freeze 1 > 0 (a century of rest, until 2126-01-01T00:00 UTC)".into(),
        on: Box::new(|scene| scene.desk.write("freeze.toml", FREEZE)),
        off: Box::new(|scene| scene.desk.write("freeze.toml", "")),
    }
}

/// What makes a switch.
type Maker = fn() -> Switch;

const SWITCHES: [(&str, Maker); 5] =
    [("file", file), ("command", command), ("query", query), ("http", http), ("freeze", freeze)];

pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for on in available() {
        for (name, switch) in SWITCHES {
            // What has nothing to do with the database is tried on two.
            if name == "query" || ["sqlite", "postgres"].contains(&on.name) {
                trials.push(test(
                    format!("throttling: {name} holds a job and lets it go on {}", on.name),
                    move || held_and_freed(on, &switch()),
                ));
            }
        }
    }
    trials.push(test("throttling: everybody says the same reason", same_reason));
    trials.push(test("throttling: what cannot be read any more holds the job", unreadable));
    trials.push(test("throttling: a URL that never answers delays no kill", silent_url));
    trials.push(test("throttling: verification steps aside as well", verification));
    trials.push(test("throttling: a job that waits can be paused, and resumed", paused));
    trials
}

fn scene(on: Engine, switch: &Switch) -> Scene {
    let scene = Scene::new(on, &switch.sections);
    scene.desk.write("backstop.toml", "[throttle]\nfreeze_file = \"freeze.toml\"");
    scene.desk.write("freeze.toml", "");
    scene
}

fn held_and_freed(on: Engine, switch: &Switch) {
    let scene = scene(on, switch);
    let mut running = scene.start();
    scene.wait_for_more(&mut running);
    (switch.on)(&scene);
    let status = scene.is_held(&mut running, &switch.reason);
    assert!(status["reason"].as_str().unwrap().starts_with(switch.signal), "{status}");
    (switch.off)(&scene);
    scene.goes_on(&mut running);
    (switch.on)(&scene);
    scene.wait_for_state(&mut running, "throttled");
    let (said, took) = scene.kill(running);
    assert!(took < Duration::from_millis(1500), "a whole kill, its process included: {took:?}");
    let events = scene.events("asked");
    let asked = events.iter().find(|event| event["action"] == "kill").expect("the kill");
    let ended = scene.events("ended").pop().unwrap();
    let at = |event: &serde_json::Value| {
        event["time"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    };
    let obeyed = at(&ended).duration_since(at(asked));
    assert!(obeyed.as_millis() < 500, "killed within {obeyed:?}: {said:?}");
    scene.desk.call(&["release", "slow", "--reason", "it was a test"]).expect(0);
    (switch.off)(&scene);
    scene.desk.call(&["run", "job.toml"]).expect(0);
    scene.finish();
}

fn same_reason() {
    let scene = scene(engine("postgres"), &file());
    let address = free_address();
    let mut running = scene.start_with(&["--listen", &address]);
    scene.wait_for_more(&mut running);
    soon("the signal in the metrics", || {
        scrape(&address).contains("backstop_signal_utilization_ratio{")
    });
    let body = scrape(&address);
    assert_eq!(metric(&body, "backstop_throttle_active", "file"), 0.0);
    assert_eq!(metric(&body, "backstop_throttle_seconds_total", "file"), 0.0);
    assert_eq!(metric(&body, "backstop_signal_utilization_ratio", "file"), 0.0);
    // Those by default are there as well.
    assert_eq!(metric(&body, "backstop_throttle_seconds_total", "blocked_sessions"), 0.0);
    let read = metric(&body, "backstop_signal_last_read_timestamp_seconds", "file");
    (file().on)(&scene);
    let status = scene.is_held(&mut running, "file 1 > 0");
    let reason = status["reason"].as_str().unwrap();
    scene.desk.call(&["status", "slow"]).expect(0).says(&format!("slow  throttled: {reason}"));
    soon("the wait in the metrics", || {
        1.0 < metric(&scrape(&address), "backstop_throttle_seconds_total", "file")
    });
    let body = scrape(&address);
    assert_eq!(metric(&body, "backstop_throttle_active", "file"), 1.0);
    assert!(1.0 < metric(&body, "backstop_signal_utilization_ratio", "file"));
    assert!(read < metric(&body, "backstop_signal_last_read_timestamp_seconds", "file"));
    assert!(body.contains("state=\"throttled\"} 1"), "{body}");
    // SIGUSR1 prints the line of the bar.
    running.signal("USR1");
    (file().off)(&scene);
    scene.goes_on(&mut running);
    let body = scrape(&address);
    assert_eq!(metric(&body, "backstop_throttle_active", "file"), 0.0);
    running.signal("TERM");
    running.wait().expect(3).says("rows scanned").says(reason);
}

fn unreadable() {
    let scene = scene(engine("postgres"), &query());
    // It is held twice, and goes on for a deadline before each.
    let spec = std::fs::read_to_string(scene.desk.path("job.toml")).unwrap();
    scene.desk.write("job.toml", &spec.replace("\"20ms\"", "\"150ms\""));
    let mut running = scene.start();
    scene.wait_for_more(&mut running);
    scene.database.script("ALTER TABLE pressure RENAME TO elsewhere");
    scene.is_held(&mut running, "query unread ");
    let reason = scene.desk.status("slow")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("> 1s (") && reason.contains("pressure"), "{reason}");
    scene.database.script("ALTER TABLE elsewhere RENAME TO pressure");
    scene.goes_on(&mut running);
    // A query that hangs is one that cannot be read, and delays nothing else.
    scene.database.script(
        "ALTER TABLE pressure RENAME TO elsewhere;\n\
         CREATE VIEW pressure AS SELECT n FROM elsewhere, pg_sleep(20)",
    );
    scene.is_held(&mut running, "query unread ");
    let (_, took) = scene.kill(running);
    assert!(took < Duration::from_millis(1500), "{took:?}");
}

/// Whoever is asked in a thread of its own cannot be interrupted there, and is not waited for.
fn silent_url() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let silent = Arc::new(AtomicBool::new(false));
    let is_silent = Arc::clone(&silent);
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 1024]);
            if is_silent.load(Ordering::Relaxed) {
                kept.push(stream);
                continue;
            }
            let _ =
                write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    let scene =
        Scene::new(engine("sqlite"), &format!("{LOOKS}http = {{ url = \"http://{address}/\" }}"));
    let mut running = scene.start();
    scene.wait_for_more(&mut running);
    silent.store(true, Ordering::Relaxed);
    scene.is_held(&mut running, "http unread ");
    let (_, took) = scene.kill(running);
    assert!(took < Duration::from_millis(1500), "{took:?}");
}

fn verification() {
    let sections = format!(
        "{}\n[verify]\nexpect = \"a = 1 or pg_sleep(0.0005) is not null\"\n",
        file().sections
    );
    let scene = Scene::new(engine("postgres"), &sections);
    let mut running = scene.start();
    scene.desk.wait_until(&mut running, "slow", |status| status["verifying"] == true);
    (file().on)(&scene);
    soon("it to step aside", || !scene.events("held").is_empty());
    let before = scene.batches();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(scene.batches(), before);
    assert_eq!(scene.desk.status("slow")["state"], "completed");
    (file().off)(&scene);
    running.wait().expect(0);
    assert_eq!(scene.events("freed").len(), 1);
}

fn paused() {
    let scene = scene(engine("postgres"), &file());
    let mut running = scene.start();
    scene.wait_for_more(&mut running);
    (file().on)(&scene);
    scene.wait_for_state(&mut running, "throttled");
    scene.desk.call(&["pause", "slow"]).expect(0);
    scene.wait_for_state(&mut running, "paused");
    (file().off)(&scene);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(scene.desk.status("slow")["state"], "paused", "a person's pause is a person's");
    (file().on)(&scene);
    std::thread::sleep(Duration::from_millis(300));
    scene.desk.call(&["resume", "slow"]);
    scene.is_held(&mut running, "file 1 > 0");
    (file().off)(&scene);
    scene.goes_on(&mut running);
    running.signal("TERM");
    running.wait().expect(3);
}
