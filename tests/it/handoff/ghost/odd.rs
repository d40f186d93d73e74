//! What is no gh-ost, and what the double must not let pass.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use backstop::event::HandoffState;
use backstop::handoff::work::{Ending, Refused};
use libtest_mimic::Trial;

use super::Scene;
use crate::database::engine;
use crate::doubles;
use crate::harness::{Desk, Said};
use crate::test;

pub fn trials() -> Vec<Trial> {
    vec![
        test("handoff: a gh-ost that prints garbage, and answers it, is reported", garbage),
        test("handoff: a gh-ost whose socket never answers is reported and ended", mute),
        test("handoff: the double of gh-ost refuses what the real one does", double),
    ]
}

/// A program in the place of gh-ost that does this in a shell.
fn impostor(script: &str) -> (Scene, String) {
    let scene = Scene::new(engine("mariadb"));
    scene.desk.write("impostor", script);
    let path = scene.desk.path("impostor").display().to_string();
    (scene, path)
}

fn start<'a>(scene: &'a Scene, path: &str) -> super::Run<'a> {
    (super::TOOL.prepare)(&scene.plan, &scene.paths).unwrap();
    let vector = ["sh", path].map(str::to_owned);
    let child = scene.runtime.block_on(async { super::Child::start(&vector, &scene.paths) });
    scene.take(child.unwrap())
}

fn garbage() {
    let (scene, path) =
        impostor("head -c 300000 /dev/urandom\necho 'Copy: 5/x %'\nexec sleep 60\n");
    let mut run = start(&scene, &path);
    assert_eq!(run.look().progress.state, HandoffState::Starting);
    let listener = UnixListener::bind(scene.paths.socket()).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 100]);
            let _ = stream.write_all(b"\xff\x00 220 smtp ready\r\n");
        }
    });
    let look = run.look();
    let why = look.progress.waits_for.unwrap();
    assert!(why.contains("no status") && why.contains("220 smtp ready"), "{why}");
    assert_eq!((look.ended, look.progress.copied), (None, None));
    let refused = scene.runtime.block_on(run.work.pause()).unwrap_err();
    assert!(matches!(&refused, Refused::NoAnswer(why) if why.contains("220 smtp")), "{refused}");
    for refused in [
        scene.runtime.block_on(run.work.tune("nice", "1")),
        scene.runtime.block_on(run.work.open_gate()),
        scene.runtime.block_on(run.work.watch_at("http://127.0.0.1:1/")),
    ] {
        assert!(refused.unwrap_err().to_string().contains("220 smtp"));
    }
    scene.runtime.block_on(run.work.ask_to_end(Ending::Stop)).unwrap();
    assert!(scene.paths.panic().exists());
    scene.runtime.block_on(run.work.ask_to_end(Ending::Stop)).unwrap();
    let (ended, _) = run.until_its_end();
    assert!(ended.hint.contains("OS signal 15") && !ended.well, "{ended:?}");
}

fn mute() {
    let line = "Copy: 70/100 70.0%; Applied: 8; Backlog: 1/1000; Time: 1s(total), 1s(copy); streamer: b.2:4; Lag: \
                0.01s, HeartbeatLag: 0.01s, State: migrating; ETA: 1s";
    let (scene, path) = impostor(&format!("echo '{line}'\nexec sleep 60\n"));
    let mut run = start(&scene, &path);
    let _listener = UnixListener::bind(scene.paths.socket()).unwrap();
    run.until("its output", |look| look.progress.copied == Some(70));
    let begun = Instant::now();
    let look = run.look();
    assert!(begun.elapsed() < Duration::from_millis(1500), "{:?}", begun.elapsed());
    // What its output says last is shown, and that nothing newer can be had.
    assert_eq!(look.progress.state, HandoffState::Copying);
    assert!(look.progress.waits_for.unwrap().contains("says nothing within"));
    let refused = scene.runtime.block_on(run.work.pause()).unwrap_err();
    assert!(matches!(refused, Refused::NoAnswer(_)), "{refused}");
    let begun = Instant::now();
    scene.runtime.block_on(run.work.ask_to_end(Ending::Kill)).unwrap();
    let (ended, _) = run.until_its_end();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    assert!(ended.hint.contains("OS signal 15"), "{ended:?}");
}

fn double() {
    let desk = Desk::new();
    let program = doubles::ghost::put(&desk, &[]);
    let call = |arguments: &[&str]| Said::by(Command::new(&program).args(arguments));
    call(&["--version"]).expect(0).says("1.");
    call(&["--alter=x", "--no-such-flag"]).expect(2).says("not defined: -no-such-flag");
    call(&["--chunk-size=many"]).expect(2).says("chunk-size");
    call(&["--database=d", "--table=t", "--execute"]).expect(1).says("FATAL");
    // Whoever reads its output must stay.
    let scene = Scene::new(engine("mariadb"));
    let vector = scene.plan.command.as_ref().unwrap().vector();
    let mut child = Command::new(&program)
        .args(&vector[1..])
        .args(&scene.more)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let status = child.wait().unwrap();
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    assert_eq!(signal, Some(13), "{status}");
    assert!(scene.tables().contains("_t_gho") && scene.paths.socket().exists());
    // A dry run makes its tables and drops them.
    scene.clean_up();
    std::fs::remove_file(scene.paths.socket()).unwrap();
    let trial = scene.plan.command.as_ref().unwrap().trial().vector();
    let flags: Vec<&str> = trial[1..].iter().chain(&scene.more).map(String::as_str).collect();
    call(&flags).expect(0).says("# Done");
    assert_eq!(scene.tables(), "NULL");
}
