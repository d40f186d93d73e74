//! Runs that are ended, or end by themselves, before they are done.

use super::*;
use crate::handoff::kill;
use crate::handoff::reader::Reader;
use crate::own_server::OwnServer;

pub(super) fn asked(pair: Pair) {
    let stage = Stage::new(pair, ROWS);
    let writer = Writer::on(&stage.database, ROWS);

    // Nobody watches: it waits, until somebody does.
    let mut run = stage.start(None);
    run.until_copying();
    // 800 chunks: more than are copied until it is missed.
    run.tune("chunk_size", "100").unwrap();
    run.beat.on.store(false, Ordering::Relaxed);
    let gone = Instant::now();
    let waits = run.until_state(HandoffState::Throttled);
    assert!(gone.elapsed() < Duration::from_secs(5), "{:?}", gone.elapsed());
    assert!(waits.waits_for.as_deref().unwrap().contains("a supervisor"), "{waits:?}");
    // Not even with its gate open.
    std::fs::remove_file(stage.paths.postpone()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(run.look().0.copied, waits.copied);
    std::fs::write(stage.paths.postpone(), "").unwrap();
    run.beat.on.store(true, Ordering::Relaxed);
    run.until("watched again", |now| waits.copied < now.copied);
    // While it copies.
    end_by_term(&mut run);
    run.clean_up();

    // While it is paused.
    let mut run = stage.start(None);
    run.until_copying();
    run.pause();
    end_by_term(&mut run);
    run.clean_up();

    // While it is postponed.
    let mut run = stage.start(None);
    run.until_state(HandoffState::Postponed);
    end_by_term(&mut run);
    run.clean_up();

    // By SIGKILL, while it copies.
    let mut run = stage.start(None);
    run.until_copying();
    run.call(async |work| work.force().await).unwrap();
    let ended = run.until_ended();
    assert!(!ended.well && ended.hint.contains("OS signal 9"), "{ended:?}");
    assert_eq!(run.sessions(), "0");
    assert!(Child::attach(run.id).is_none());
    match (PERCONA.resumable)(&stage.plan) {
        Err(why) => {
            assert!(pair.version < (3, 6, 0) && why.contains("begins anew"), "{why}");
            run.clean_up();
        }
        Ok(()) => {
            assert_eq!(pair.version, NEWER.0);
            assert!(job_of(&stage.paths).is_some(), "{}", run.said());
            drop(run);
            let mut run = stage.start(Some(String::new()));
            run.until_state(HandoffState::Postponed);
            assert_eq!(stage.differing_rows(), "0");
            run.call(async |work| work.open_gate().await).unwrap();
            let ended = run.until_ended();
            assert!(ended.well, "{ended:?}\n{}", run.said());
            assert_eq!((stage.triggers(), stage.tables()), (String::new(), "_t_old".to_owned()));
        }
    }
    stage.check(&writer.end());
}

/// Killed while the server does something long for it: in a chunk that waits for a row, and in a swap that waits
/// behind a reader.
pub(super) fn killed_at_work(pair: Pair) {
    let stage = Stage::new(pair, ROWS);
    let writer = Writer::on(&stage.database, ROWS);
    let at_work = |run: &mut Run<'_>, what: &str, sql: &str| {
        run.until(what, |_| stage.database.value(sql) != "0");
    };

    let mut run = stage.start(None);
    run.until_copying();
    // A row that the writer leaves alone, as all that end with a zero.
    let last = "SELECT id FROM t WHERE id = 80000 FOR UPDATE";
    let holder = Reader::that(&stage.database, last);
    let waits = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND \
                 INFO LIKE '%80000%LOCK IN SHARE MODE%' AND ID <> CONNECTION_ID()";
    at_work(&mut run, "a chunk that waits", waits);
    let proof = stage.runtime.block_on(kill(&stage.database, run.work.as_mut()));
    assert!(!run.until_ended().well, "{proof:?}");
    // Who holds a row keeps the triggers from being dropped as well.
    assert_eq!((proof.sessions.len(), proof.triggers.len(), proof.proven), (0, 3, false));
    drop(holder);
    run.clean_up();

    let mut run = stage.start(None);
    run.until_state(HandoffState::Postponed);
    let reader = Reader::of(&stage.database);
    run.call(async |work| work.open_gate().await).unwrap();
    let swaps = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND \
                 INFO LIKE 'RENAME TABLE%'";
    at_work(&mut run, "a swap that waits", swaps);
    let proof = stage.runtime.block_on(kill(&stage.database, run.work.as_mut()));
    assert_eq!((proof.sessions.len(), proof.triggers.len(), proof.proven), (0, 3, false));
    drop(reader);
    let wrote = writer.end();
    assert_eq!(stage.columns(), "id,a,c");
    run.clean_up();
    assert_eq!(wrote.errors, Vec::<String>::new());
}

/// The server is stopped, and comes back.
pub(super) fn server_stopped() {
    let mariadb = engine("mariadb");
    let server = OwnServer::of(mariadb);
    let pair = Pair { engine: mariadb, version: (3, 2, 1) };
    let defaults = server.home.join("client.cnf").display().to_string();
    let database = Database::on(mariadb, server.url.clone());
    let stage = Stage::on(pair, database, &defaults, ROWS);
    let mut run = stage.start(None);
    run.until_copying();
    server.stop();
    let ended = run.until_ended();
    assert!(!ended.well, "{ended:?}");
    assert!(server.restart().wait().unwrap().success());
    // Its triggers are there, and what the application writes goes to the copy as well.
    assert_eq!(stage.columns(), "id,a,c");
    let triggers = stage.triggers();
    println!("{}: {triggers:?}, {}", ended.hint, stage.tables());
    let proof = stage.runtime.block_on(kill(&stage.database, run.work.as_mut()));
    assert!(proof.proven, "{proof:?}");
    assert_eq!((stage.triggers(), stage.tables()), (String::new(), "_t_new".to_owned()));
}

fn end_by_term(run: &mut Run) {
    let asked = Instant::now();
    let answer = run.call(async |work| work.ask_to_end(Ending::Stop).await).unwrap();
    let ended = run.until_ended();
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert!(answer.contains("first the triggers"), "{answer}");
    assert!(!ended.well && ended.hint.contains("exit code 1"), "{ended:?}");
    assert!(ended.hint.contains("Exiting on SIGTERM"), "{ended:?}");
    assert_eq!(run.sessions(), "0");
}

/// A program that is not there, one that prints garbage and says 0, and one that says nothing for ever.
pub(super) fn none_at_all() {
    let pair = Pair { engine: engine("mariadb"), version: (3, 2, 1) };
    let stage = Stage::new(pair, 20_000);
    let script = |text: &str| ["sh", "-c", text].map(str::to_owned).to_vec();

    let missing = "/nowhere/pt-online-schema-change".to_owned();
    let ended = stage.launch(&[missing]).until_ended();
    assert!(!ended.well && ended.hint.contains("/nowhere/pt-online-schema-change"), "{ended:?}");

    let garbage =
        "head -c 200000 /dev/urandom; head -c 5000 /dev/urandom >&2; echo 'Successfully altered'";
    let ended = stage.launch(&script(garbage)).until_ended();
    assert!(!ended.well && ended.hint.contains("exit code 0"), "{ended:?}");
    assert!(ended.hint.contains("it does not say whether"), "{ended:?}");
    assert!(!ended.hint.chars().any(char::is_control), "{ended:?}");

    let mut silent = stage.launch(&script("exec sleep 60"));
    assert_eq!(silent.look().0.state, HandoffState::Starting);
    let answer = silent.call(async |work| work.pause().await);
    assert!(matches!(answer, Err(Refused::NoAnswer(_))), "{answer:?}");
    let answer = silent.tune("chunk_size", "10");
    assert!(matches!(answer, Err(Refused::NoAnswer(_))), "{answer:?}");
    silent.call(async |work| work.ask_to_end(Ending::Kill).await).unwrap();
    assert!(silent.until_ended().hint.contains("OS signal 15"));
    drop(silent);

    // A tool whose inside is another is refused by the plugin, before it touches anything.
    let tool = stage.paths.plugin().with_extension("pl");
    let text = "package Percona::Toolkit; our $VERSION = '9.0.0'; package main; my ($file) = map { \
                m/^--plugin=(.*)/ } @ARGV; require $file; pt_online_schema_change_plugin->new();";
    std::fs::write(&tool, text).unwrap();
    let vector = (PERCONA.vector)(
        &stage.plan,
        &stage.paths,
        &Launch { watch_url: String::new(), resume: None },
    );
    let vector: Vec<String> = ["perl".to_owned(), tool.display().to_string()]
        .into_iter()
        .chain(vector.into_iter().skip(1))
        .collect();
    let ended = stage.launch(&vector).until_ended();
    assert!(!ended.well && ended.hint.contains("it cannot be held"), "{ended:?}");
    assert_eq!((stage.triggers(), stage.tables()), (String::new(), String::new()));
}
