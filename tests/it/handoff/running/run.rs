//! Runs that come to their end.

use backstop::observe::handoff::HANDOFF_METRICS;

use super::*;
use crate::observing::{free_address, get, value};

pub(super) fn plain(ground: &Ground) {
    let scene = Scene::new(ground);
    let writer = Writer::on(&scene.database, ROWS);
    let mut running = scene.start();
    scene.wait_until(&mut running, "postponed");
    // It stays so until somebody decides.
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(scene.state(), "postponed");
    assert!(!scene.is_changed());
    wait_for("the comparison", || {
        let waits = scene.status()["progress"]["waits_for"].as_str().unwrap_or_default().to_owned();
        waits.contains("ready for the cut-over")
    });
    scene.handoff("cut-over", &[]).expect(1).says("--yes --reason TEXT");
    let said = scene.handoff("cut-over", &["--yes", "--reason", "quiet hour"]).expect(0);
    said.says("the table is as planned");
    let said = running.wait().expect(0).says("done").says("table and copy are equal");
    let wrote = writer.end();
    assert!(scene.is_changed());
    scene.nothing_is_lost(&wrote, CUT_OVER);
    assert_eq!(scene.triggers(), "0", "{said:?}");
    assert_eq!(scene.status()["progress_ratio"], 1.0);

    let kept = scene.handoff("cleanup", &["--dry-run"]).expect(0).says("kept:");
    let old = if ground.tool == Tool::GhOst { "_t_del" } else { "_t_old" };
    kept.says(old);
    scene.handoff("cleanup", &["--yes", "--reason", "over"]).expect(0);
    assert_eq!(scene.beside(), old);
    let consent = ["--yes", "--reason", "nobody needs it"];
    let drop = [&["--drop-old"][..], &consent].concat();
    scene.handoff("cleanup", &drop).expect(2).says("was not renamed yet");
    scene.handoff("cleanup", &[&["--rename-old"][..], &consent].concat()).expect(0);
    assert!(scene.beside().starts_with("_t_old_20"), "{}", scene.beside());
    scene.handoff("cleanup", &drop).expect(0);
    assert_eq!(scene.beside(), "");
}

/// What monitoring sees of a run, and that each metric is served.
pub(super) fn scraped(ground: &Ground) {
    let scene = Scene::new(ground);
    let address = free_address();
    let listen = ["--yes", "--reason", "PAY-7", "--listen", &address, "--cut-over"];
    let mut running = scene.start_with(&listen);
    let labels = format!(
        "{{database=\"{}\",handoff=\"0042\"",
        scene.database.url.rsplit('/').next().unwrap()
    );
    let mut last = String::new();
    wait_for("its end in the metrics", || {
        assert!(!running.has_ended(), "{:?}", running.take_output());
        // It does not listen from the first moment on.
        let Ok(stream) = std::net::TcpStream::connect(&address) else { return false };
        drop(stream);
        last = get(&address, "/metrics").1;
        value(&last, &format!("backstop_handoff_state{labels},state=\"done\"}}")) == 1.0
    });
    running.wait().expect(0);
    assert_eq!(value(&last, &format!("backstop_handoff_progress_ratio{labels}}}")), 1.0);
    assert_eq!(value(&last, &format!("backstop_handoff_rows_copied_total{labels}}}")), ROWS as f64);
    assert!(last.contains("backstop_handoff_info{"), "{last}");
    for metric in HANDOFF_METRICS {
        assert!(
            last.contains(&format!("# TYPE {} ", metric.name)),
            "{} is not served",
            metric.name
        );
    }
    // It was permitted with the start, and happened by itself.
    assert!(scene.is_changed());
}

pub(super) fn steered(ground: &Ground) {
    let scene = Scene::slowly(ground, 400);
    let writer = Writer::on(&scene.database, ROWS);
    let mut running = scene.start();
    if ground.tool == Tool::GhOst {
        scene.wait_until(&mut running, "copying");
    } else {
        scene.wait_until(&mut running, "postponed");
    }
    let begun = Instant::now();
    let said = scene.handoff("pause", &["--reason", "a look"]).expect(0);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    if ground.tool == Tool::Percona {
        said.says("triggers");
    }
    if ground.tool == Tool::GhOst {
        scene.wait_until(&mut running, "paused");
        // The chunk in flight is not taken back.
        std::thread::sleep(Duration::from_secs(1));
        let copied = scene.status()["progress"]["copied"].clone();
        std::thread::sleep(Duration::from_secs(1));
        assert_eq!(scene.status()["progress"]["copied"], copied);
    }
    scene.handoff("tune", &["no_such=1"]).expect(1).says("chunk");
    scene.handoff("tune", &["max_load=Threads_running=40"]).expect(0);
    scene.handoff("resume", &[]).expect(0);
    scene.wait_until(&mut running, "postponed");
    scene.handoff("stop", &["--reason", "seen enough"]).expect(0).says("no session, no lock");
    running.wait().expect(3);
    let wrote = writer.end();
    assert_eq!(scene.state(), "stopped");
    assert!(!scene.is_changed());
    scene.clean();
    scene.nothing_is_lost(&wrote, CALM);
}

pub(super) fn behind_a_reader(ground: &Ground) {
    let scene = Scene::new(ground);
    let mut running = scene.start();
    scene.wait_until(&mut running, "postponed");
    let reader = Reader::of(&scene.database);
    let writer = Writer::on(&scene.database, ROWS);
    let cut_over = scene.desk.start(&["handoff", "cut-over", "0042", "--yes", "--reason", "now"]);
    wait_for("the reader to be named", || {
        let waits = scene.status()["progress"]["waits_for"].as_str().unwrap_or_default().to_owned();
        waits.contains("open transactions that hold the table")
    });
    // For as long as an attempt takes, or much longer.
    std::thread::sleep(Duration::from_secs(if is_full() { 20 } else { 3 }));
    assert!(!scene.is_changed());
    // Nobody waits because of the reader.
    let wrote = writer.end();
    assert!(wrote.longest < CALM, "{:?}", wrote.waits);
    assert_eq!(wrote.errors, Vec::<String>::new());
    drop(reader);
    cut_over.wait().expect(0).says("session");
    running.wait().expect(0);
    assert!(scene.is_changed());
}

pub(super) fn native(ground: &Ground) {
    let database = Database::new(ground.engine);
    database.script(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, c numeric(10,2));\n\
         INSERT INTO t (id, a, c) SELECT n, 0, n % 900 FROM numbers WHERE n <= {ROWS}"
    ));
    let desk = Desk::at(&database.url);
    desk.write("0042.sql", "CREATE INDEX t_c ON t (c);\n");
    let writer = Writer::on(&database, ROWS);
    let arguments =
        ["handoff", "run", "0042.sql", "--target", "DATABASE_URL", "--progress", "plain"];
    let refused = desk.call(&arguments).expect(1);
    refused.says("--yes --reason TEXT");
    let consent = ["--yes", "--reason", "PAY-7"];
    let said = desk.call(&[&arguments[..], &consent].concat()).expect(0);
    said.says("the table is as planned").says("nothing is left to do for 0042");
    let wrote = writer.end();
    assert_eq!(wrote.errors, Vec::<String>::new());
    assert!(wrote.longest < CALM, "{:?}", wrote.waits);
    let valid = "SELECT CAST(COUNT(*) AS text) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid \
                 WHERE c.relname = 't_c' AND x.indisvalid";
    assert_eq!(database.value(valid), "1");
}

/// A step that a person has to do waits for a person, also where the cut-over was permitted with the start.
pub(super) fn native_by_hand(ground: &Ground) {
    let database = Database::new(ground.engine);
    database.script(&format!(
        "CREATE TABLE t (id int PRIMARY KEY, a int NOT NULL, c numeric(10,2));\n\
         INSERT INTO t (id, a, c) SELECT n, 0, n % 900 FROM numbers WHERE n <= {ROWS}"
    ));
    let desk = Desk::at(&database.url);
    desk.write("0042.sql", "ALTER TABLE t ADD COLUMN f float DEFAULT random();\n");
    let arguments = [
        "handoff",
        "run",
        "0042.sql",
        "--target",
        "DATABASE_URL",
        "--progress",
        "plain",
        "--yes",
        "--reason",
        "PAY-7",
        "--cut-over",
    ];
    let mut running = desk.start(&arguments);
    let status = || -> Value {
        let said = desk.call(&["handoff", "status", "0042", "--json"]);
        serde_json::from_str(&said.out).unwrap_or_default()
    };
    wait_for("the step", || status()["state"] == "postponed");
    std::thread::sleep(Duration::from_secs(2));
    assert!(!running.has_ended());
    assert_eq!(status()["state"], "postponed", "{}", status());
    // Nobody is waited for: no lock is taken.
    let reader = Reader::of(&database);
    let said = ["handoff", "cut-over", "0042", "--yes", "--reason", "the job is verified"];
    desk.call(&said).expect(0).says("taken as done");
    drop(reader);
    running.wait().expect(0);
}

pub(super) fn without_consent(ground: &Ground) {
    let scene = Scene::new(ground);
    let before = scene.beside();
    scene.start_with(&[]).wait().expect(1).says("needs a person's consent");
    scene.start_with(&["--yes"]).wait().expect(2).says("--reason");
    scene.start_with(&["--yes", "--reason", " "]).wait().expect(1).says("--reason TEXT");
    assert_eq!(scene.beside(), before);
    scene.handoff("pause", &[]).expect(2).says("knows no handoff `0042`");
    // The plan's own refusals are those of a run.
    scene.database.script("UPDATE t SET a = 1");
    scene.desk.write("0042.sql", "ALTER TABLE t ADD UNIQUE KEY (a);\n");
    let refused = scene.start().wait().expect(1);
    refused.says(&format!("{}", ROWS - 1));
    scene.desk.write("0042.sql", "ALTER TABLE t RENAME TO u;\n");
    assert_ne!(scene.start().wait().code, 0);
    assert_eq!(scene.beside(), before);
}

pub(super) fn beside_another(ground: &Ground) {
    let scene = Scene::new(ground);
    let mut running = scene.start();
    scene.wait_until(&mut running, "postponed");
    scene.start().wait().expect(2).says("is supervised by");
    // Under another name, it is the table that says no.
    let sql = std::fs::read_to_string(scene.desk.path("0042.sql")).unwrap();
    scene.desk.write("0043.sql", &sql);
    let mut arguments = scene.arguments(&["--yes", "--reason", "twice"]);
    arguments[2] = "0043.sql";
    scene.desk.call(&arguments).expect(1).says("is at work on `t`");
    scene.handoff("kill", &[]).expect(0);
    running.wait().expect(4);
    scene.clean();
}

pub(super) fn differing(ground: &Ground) {
    let scene = Scene::new(ground);
    let mut running = scene.start();
    scene.wait_until(&mut running, "postponed");
    // As if the tool had lost it.
    scene.database.script("DELETE FROM _t_new WHERE id = 77");
    let asked = scene.handoff("cut-over", &["--yes", "--reason", "now"]);
    // It may have been compared before; a new comparison is what a cut-over has to wait for then.
    if asked.code == 0 {
        panic!("a copy that lacks a row was cut over: {asked:?}");
    }
    asked.says("77");
    assert_eq!(scene.value("SELECT CAST(COUNT(*) AS CHAR) FROM t"), ROWS.to_string());
    scene.handoff("kill", &["--reason", "it lost a row"]).expect(0);
    running.wait().expect(4);
    scene.clean();
}
