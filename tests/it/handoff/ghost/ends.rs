//! Runs that are ended, or end by themselves, before they are done.

use std::sync::atomic::Ordering;
use std::time::Duration;

use backstop::event::HandoffState;
use backstop::handoff::work::Ending;

use super::{CALM, CHANGE, CUT_OVER, ROWS, Run, Scene};
use crate::database::{Database, Engine, engine};
use crate::doubles::ghost::{CHUNK_MS, LOCK_MS, VALIDATE_MS};
use crate::handoff::{defaults_file, kill, reader::Reader, writer::Writer};
use crate::own_server::OwnServer;

/// How a run comes into a phase, and what is then there.
struct Phase {
    name: &'static str,
    flags: &'static [&'static str],
    status: u16,
    reach: fn(&mut Run<'_>),
    /// Whether it listens by then.
    listens: bool,
}

const SLOW: &[&str] = &["--nice-ratio=50", "--chunk-size=10"];

const PHASES: &[Phase] = &[
    Phase {
        name: "validation",
        flags: &[],
        status: 200,
        reach: |run| {
            run.until_it_is(HandoffState::Starting);
        },
        listens: false,
    },
    Phase {
        name: "copy",
        flags: SLOW,
        status: 200,
        reach: |run| run.until_it_copies(),
        listens: true,
    },
    Phase {
        name: "throttled",
        flags: SLOW,
        status: 429,
        reach: |run| {
            run.until("too many requests", |look| {
                look.progress.waits_for.as_ref().is_some_and(|why| why.contains("http=429"))
            });
        },
        listens: true,
    },
    Phase {
        name: "hibernating",
        flags: &["--critical-load=Threads_running=1", "--critical-load-hibernate-seconds=60"],
        status: 200,
        reach: |run| {
            run.until("hibernation", |look| {
                look.progress.waits_for.as_ref().is_some_and(|why| why.contains("hibernate"))
            });
        },
        listens: true,
    },
    Phase {
        name: "postponed",
        flags: &[],
        status: 200,
        reach: |run| {
            run.until_it_is(HandoffState::Postponed);
        },
        listens: true,
    },
];

/// Brings a run into each phase and ends it there; what follows holds for every one.
fn in_each_phase(engine: Engine, end: impl Fn(&mut Run<'_>, &Phase)) {
    let mut scene = Scene::new(engine);
    let writer = Writer::on(&scene.database, ROWS);
    let flags = scene.more.clone();
    for phase in PHASES {
        scene.more.clone_from(&flags);
        scene.more.extend(phase.flags.iter().map(|flag| (*flag).to_owned()));
        scene.watch.status.store(phase.status, Ordering::Relaxed);
        let variables: &[_] = if phase.listens { &[] } else { &[(VALIDATE_MS, "2000")] };
        let mut run = scene.start_with(None, variables);
        (phase.reach)(&mut run);
        end(&mut run, phase);
        let (ended, took) = run.until_its_end();
        assert!(took < Duration::from_secs(2), "{}: {took:?}", phase.name);
        assert!(!ended.well, "{}: {ended:?}", phase.name);
        println!("{}: {} after {took:?}", phase.name, ended.hint);
        assert!(!scene.is_changed(), "{}", phase.name);
        // Its tables are not there, or are left.
        assert!(scene.tables().contains("_t_gho") || !phase.listens, "{}", phase.name);
        drop(run);
        scene.clean_up();
    }
    let wrote = writer.end();
    scene.holds(&wrote, CALM);
}

pub(super) fn asked(engine: Engine) {
    in_each_phase(engine, |run, phase| {
        let told = run.scene.runtime.block_on(run.work.ask_to_end(Ending::Kill)).unwrap();
        assert_eq!(told.contains("panic"), phase.listens, "{}: {told}", phase.name);
    });
}

pub(super) fn forced(engine: Engine) {
    in_each_phase(engine, |run, phase| {
        let mark = run.work.mark();
        assert_eq!(mark.pid, Some(run.id.pid));
        if phase.listens {
            assert!(!mark.addresses.is_empty(), "{}", phase.name);
            // The socket is left, and the next run takes its place.
            assert!(run.scene.paths.socket().exists());
        }
        run.scene.runtime.block_on(run.work.force()).unwrap();
        let (ended, _) = run.until_its_end();
        assert!(ended.hint.contains("OS signal 9"), "{ended:?}");
    });
}

/// Killed while the server does something long for it: in a chunk, and in a cut-over that waits behind a reader,
/// with the application behind both.
pub(super) fn killed_at_work(engine: Engine) {
    let scene = Scene::new(engine);
    let writer = Writer::on(&scene.database, ROWS);
    let at_work = |run: &mut Run<'_>, statement: &str| {
        let sql = format!(
            "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE \
             '{statement}%'"
        );
        run.until(statement, |_| scene.database.value(&sql) != "0");
    };
    let killed = |mut run: Run<'_>| {
        let proof = scene.runtime.block_on(kill(&scene.database, run.work.as_mut()));
        assert!(proof.proven, "{proof:?}");
        assert!(!scene.is_changed());
    };

    let mut run = scene.start_with(None, &[(CHUNK_MS, "20000")]);
    at_work(&mut run, "insert /* gh-ost");
    killed(run);
    scene.clean_up();

    let mut run = scene.start();
    run.until_it_is(HandoffState::Postponed);
    let reader = Reader::of(&scene.database);
    scene.runtime.block_on(run.work.open_gate()).unwrap();
    at_work(&mut run, "lock /* gh-ost");
    killed(run);
    drop(reader);
    let wrote = writer.end();
    scene.clean_up();
    scene.holds(&wrote, CUT_OVER);
}

pub(super) fn by_itself(engine: Engine) {
    let hint = |scene: &Scene| {
        let mut run = scene.start();
        let (ended, _) = run.until_its_end();
        assert!(!ended.well && ended.hint.contains("exit code 1"), "{ended:?}");
        ended.hint
    };
    // Rows that would be lost.
    let unique =
        Scene::of(engine, Database::new(engine), "ADD UNIQUE KEY u (c)", &defaults_file(engine));
    let why = hint(&unique);
    assert!(why.contains("Duplicate entry"), "{why}");
    assert_eq!(unique.database.value("SELECT CAST(COUNT(*) AS CHAR) FROM t"), ROWS.to_string());
    // What an earlier run left.
    let why = hint(&unique);
    assert!(why.contains("already exists"), "{why}");

    // Another run at the table.
    let scene = Scene::new(engine).slow();
    let mut first = scene.start();
    first.until_it_copies();
    let mut other = Scene::of(engine, Database::new(engine), CHANGE, &defaults_file(engine));
    other.plan.command.clone_from(&scene.plan.command);
    other.more.push(format!("--serve-socket-file={}", other.paths.socket().display()));
    let why = hint(&other);
    assert!(why.contains("already migrating"), "{why}");
    // A load that is too high for it.
    first.tune("critical_load", "Threads_running=1");
    let (ended, _) = first.until_its_end();
    assert!(ended.hint.contains("critical-load met"), "{ended:?}");
}

/// The connection that holds its lock is lost with the server.
pub(super) fn restarted() {
    let mariadb = engine("mariadb");
    let server = OwnServer::of(mariadb);
    let database = Database::on(mariadb, server.url.clone());
    let defaults = server.home.join("client.cnf").display().to_string();
    let scene = Scene::of(mariadb, database, CHANGE, &defaults).slow();
    let mut run = scene.start_with(None, &[(LOCK_MS, "3000")]);
    run.until_it_copies();
    server.stop();
    let seen = run.look();
    assert_eq!(seen.ended, None);
    assert!(server.restart().wait().unwrap().success());
    let (ended, took) = run.until_its_end();
    assert!(took < Duration::from_secs(50), "{took:?}");
    assert!(ended.hint.contains("connection lost"), "{ended:?}\n{}", scene.said());
    assert!(scene.tables().contains("_t_gho") && !scene.is_changed());
}
