//! Runs that come to their end.

use std::time::{Duration, Instant};

use backstop::event::HandoffState;
use backstop::handoff::Reverts;
use backstop::handoff::work::{Child, Refused};
use backstop::target::Statement;

use super::{CALM, CUT_OVER, ROWS, Scene, Watch};
use crate::database::{Engine, open};
use crate::doubles::ghost::CHECKPOINT_MS;
use crate::handoff::writer::Writer;
use crate::harness::wait_for;

pub(super) fn plain(engine: Engine) {
    let scene = Scene::new(engine);
    let writer = Writer::on(&scene.database, ROWS);
    let mut run = scene.start();
    run.until_it_is(HandoffState::Postponed);
    let progress = run.look().progress;
    assert!(progress.estimate_is_valid() && progress.ratio() == Some(0.999), "{progress:?}");
    // It follows what the application writes until then, and changes nothing of the table.
    std::thread::sleep(Duration::from_secs(1));
    assert!(!scene.is_changed());
    run.until_it_is(HandoffState::Postponed);
    run.cut_over();
    let wrote = writer.end();
    scene.holds(&wrote, CUT_OVER);
    let tables = scene.tables();
    assert!(tables.contains("_t_del") && !tables.contains("_t_gho"), "{tables}");
    assert!(!scene.paths.socket().exists());
}

pub(super) fn paused_and_tuned(engine: Engine) {
    let scene = Scene::new(engine).slow();
    let writer = Writer::on(&scene.database, ROWS);
    let mut run = scene.start();
    run.until_it_copies();
    let now = |run: &mut super::Run| run.look().progress.copied;

    scene.runtime.block_on(run.work.pause()).unwrap();
    let took = run.until_it_is(HandoffState::Paused);
    assert!(took < Duration::from_secs(2), "{took:?}");
    // The chunk that was under way may still end.
    std::thread::sleep(Duration::from_millis(200));
    let copied = now(&mut run);
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(now(&mut run), copied);
    scene.runtime.block_on(run.work.resume()).unwrap();
    let took = run.until("more rows", |look| copied < look.progress.copied);
    assert!(took < Duration::from_secs(3), "{took:?}");

    let refused = scene.runtime.block_on(run.work.open_gate()).unwrap_err();
    assert!(refused.to_string().contains("actively postponing"), "{refused}");
    for (name, example) in run.work.settings() {
        let told = run.tune(name, example);
        assert!(told.contains("now") || told.contains("took"), "{told}");
    }
    assert!(run.tune("chunk_size", "1").contains("took 10"));
    assert!(run.tune("max_lag", "1m").contains("60000"));
    for (name, value) in [("chunk_size", "many"), ("speed", "1"), ("max_load", "5\npanic")] {
        let refused = scene.runtime.block_on(run.work.tune(name, value)).unwrap_err();
        assert!(matches!(&refused, Refused::NotNow(why) if why.contains(name)), "{refused}");
    }
    run.hurry();
    run.until_it_is(HandoffState::Postponed);
    // Paused, it would hold the lock and wait.
    scene.runtime.block_on(run.work.pause()).unwrap();
    let refused = scene.runtime.block_on(run.work.open_gate()).unwrap_err();
    assert!(refused.to_string().contains("resume it first"), "{refused}");
    scene.runtime.block_on(run.work.resume()).unwrap();
    scene.runtime.block_on(run.work.close_gate()).unwrap();
    run.cut_over();
    let wrote = writer.end();
    scene.holds(&wrote, CUT_OVER);
}

pub(super) fn taken_up_again(engine: Engine) {
    let mut scene = Scene::new(engine).slow();
    let writer = Writer::on(&scene.database, ROWS);
    let id = {
        let mut run = scene.start();
        run.until_it_copies();
        let id = run.id;
        // What a supervisor does that dies: nothing.
        std::mem::forget(run);
        id
    };
    // Its listener goes with it.
    let first = std::mem::replace(&mut scene.watch, Watch::new());
    drop(first);
    let child = Child::attach(id).expect("it lives on");
    let mut run = scene.take(child);
    let took = run.until("nobody to watch", |look| {
        look.progress.state == HandoffState::Throttled
            && look.progress.waits_for.as_ref().is_some_and(|why| why.contains("http=-1"))
    });
    assert!(took < Duration::from_secs(2), "{took:?}");
    let copied = run.look().progress.copied;
    scene.runtime.block_on(run.work.watch_at(&scene.watch.url)).unwrap();
    let took = run.until("more rows", |look| copied < look.progress.copied);
    assert!(took < Duration::from_secs(4), "{took:?}");
    run.hurry();
    run.cut_over();
    let wrote = writer.end();
    scene.holds(&wrote, CUT_OVER);
}

pub(super) fn behind_a_reader(engine: Engine) {
    let scene = Scene::new(engine).with("--cut-over-lock-timeout-seconds=1");
    let writer = Writer::on(&scene.database, ROWS);
    let mut run = scene.start();
    run.until_it_is(HandoffState::Postponed);
    let url = scene.database.url.clone();
    scene.runtime.block_on(async {
        let mut reader = open(&url).await;
        reader.begin().await.unwrap();
        reader.query(&Statement::plain("SELECT COUNT(*) FROM t")).await.unwrap();
        run.work.open_gate().await.unwrap();
        let mut states = Vec::new();
        // For longer than an attempt takes, and less than the 10 s after which MariaDB ends an idle transaction
        // of a session of ours.
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(7) {
            let look = run.work.look().await;
            assert_eq!(look.ended, None);
            if states.last() != Some(&(look.progress.state, look.progress.attempts)) {
                states.push((look.progress.state, look.progress.attempts));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // One attempt, of twice the limit, and no second one.
        let cutting = (HandoffState::CuttingOver, 0);
        assert_eq!(states, [cutting, (HandoffState::Postponed, 1)], "{states:?}");
        reader.rollback().await.unwrap();
        reader.close().await;
    });
    assert!(!scene.is_changed() && scene.paths.postpone().exists());
    run.cut_over();
    let wrote = writer.end();
    let long = wrote.waits.iter().filter(|(_, took)| Duration::from_millis(1500) < *took).count();
    assert!(long <= 2, "{:?}", wrote.waits);
    scene.holds(&wrote, CUT_OVER);
}

pub(super) fn resumed(engine: Engine) {
    let scene = Scene::new(engine).slow().with("--checkpoint-seconds=10");
    let often = [(CHECKPOINT_MS, "200")];
    let writer = Writer::on(&scene.database, ROWS);
    assert_eq!((super::TOOL.resumable)(&scene.plan), Ok(()));
    // Killed before its first checkpoint, it cannot go on.
    for resume in [None, Some("")] {
        let mut none = scene.start_with(resume, &[]);
        if resume.is_none() {
            none.until_it_copies();
            scene.runtime.block_on(none.work.force()).unwrap();
        }
        let (ended, _) = none.until_its_end();
        let says = if resume.is_some() { "unable to resume" } else { "OS signal 9" };
        assert!(!ended.well && ended.hint.contains(says), "{ended:?}");
    }
    scene.clean_up();
    let mut first = scene.start_with(None, &often);
    let saved = "SELECT CAST(COUNT(*) AS CHAR) FROM _t_ghk";
    first.until_it_copies();
    wait_for("a checkpoint", || scene.database.value(saved) != "0");
    scene.runtime.block_on(first.work.force()).unwrap();
    first.until_its_end();
    drop(first);
    let mut second = scene.start_with(Some(""), &often);
    second.until_it_copies();
    second.hurry();
    second.cut_over();
    drop(second);
    let wrote = writer.end();
    scene.holds(&wrote, CUT_OVER.max(CALM));
}

/// What the real one needs for its way back, and says where that is not there: `go/logic/migrator.go` of 1.1.10.
pub(super) fn reverted(engine: Engine) {
    let mut scene = Scene::new(engine);
    let writer = Writer::on(&scene.database, ROWS);
    let mut run = scene.start();
    run.cut_over();
    drop(run);
    let back = scene.plan.command.as_ref().unwrap().reverting("_t_del");
    scene.plan.command = Some(back);
    let (handoff, old) = ("m".to_owned(), "_t_del".to_owned());
    scene.plan.reverts = Some(Reverts { handoff, old, lost: vec!["note".to_owned()] });
    let aside = "CREATE TABLE aside LIKE _t_ghk;\n INSERT INTO aside SELECT * FROM _t_ghk;\n UPDATE _t_ghk SET";
    let again = "DROP TABLE _t_ghk;\n RENAME TABLE aside TO _t_ghk";
    for (changes, words, undone) in [
        ("RENAME TABLE _t_del TO aside", "doesn't exist", "RENAME TABLE aside TO _t_del"),
        (
            "RENAME TABLE _t_ghk TO aside",
            "no checkpoint found, unable to revert",
            "RENAME TABLE aside TO _t_ghk",
        ),
        (&*format!("{aside} gh_ost_is_cutover = 0"), "last checkpoint is not after cutover", again),
        (
            &*format!("{aside} gh_ost_chk_coords = 'gone.000001:4'"),
            "Could not find first log",
            again,
        ),
        (
            "RENAME TABLE _t_del TO aside;\n CREATE TABLE _t_del (x int)",
            "No shared unique key",
            "DROP TABLE _t_del;\n RENAME TABLE aside TO _t_del",
        ),
    ] {
        scene.database.script(changes);
        let mut run = scene.start();
        let (ended, _) = run.until_its_end();
        assert!(!ended.well && ended.hint.contains("exit code 1"), "{ended:?}");
        assert!(ended.hint.contains(words), "{words}: {ended:?}");
        drop(run);
        scene.database.script(undone);
    }

    let mut run = scene.start();
    run.until_it_is(HandoffState::Postponed);
    let progress = run.look().progress;
    assert_eq!((progress.copied, progress.estimate), (None, None));
    assert_eq!(run.work.copy().as_deref(), Some("_t_del"));
    scene.runtime.block_on(run.work.open_gate()).unwrap();
    let (ended, _) = run.until_its_end();
    assert!(ended.well, "{ended:?}\n{}", scene.said());
    let wrote = writer.end();
    assert!(!scene.is_changed());
    scene.holds(&wrote, CUT_OVER);
    assert_eq!(scene.tables(), "_t_ghk,_t_rev_del");
}
