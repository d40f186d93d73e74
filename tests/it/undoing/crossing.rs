//! Others are at work: a `kill -9`, and an application that writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::{digest, json, spec};
use crate::database::{Database, Engine, execute, open};
use crate::harness::Desk;

const SCHEMA: &str = "\
CREATE TABLE t (id {{id}}, n integer NOT NULL);
INSERT INTO t (id, n) SELECT n, n FROM numbers WHERE n <= 3000";

/// Both the run and its undo are killed in the middle, and go on; neither leaves a row half done.
pub fn killed(engine: Engine) {
    let database = Database::new(engine);
    database.script(SCHEMA);
    let before = digest(&database, "t", &["id", "n"], "id");
    let desk = Desk::at(&database.url);
    let update = "table = \"t\"\nset = { n = \"n + 1\" }\nexactly_once = true";
    desk.write("job.toml", &spec("crossed", update, "[batch]\nmax_rows = 100\npause = \"10ms\""));
    let mut run = desk.start(&["run", "job.toml", "--progress", "json"]);
    run.has_done_batches(5);
    // The undo of what is being run is refused.
    desk.call(&["undo", "job.toml"]).expect(2).says("is being run by");
    run.signal("KILL");
    run.wait();
    images_are_exact(&database, "n = id + 1");
    crate::harness::wait_for("the killed runner's lock is free", || {
        desk.call(&["run", "job.toml", "--progress", "none"]).code == 0
    });
    images_are_exact(&database, "n = id + 1");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE n = id + 1"), "3000");

    let mut undo = desk.start(&["undo", "crossed", "--progress", "json"]);
    undo.has_done_batches(5);
    undo.signal("KILL");
    undo.wait();
    let half: u64 = database.value("SELECT count(*) FROM t WHERE n = id").parse().unwrap();
    assert!((1..3000).contains(&half), "{half} rows were put back when it was killed");
    // Half undone, the job does not go on either.
    crate::harness::wait_for("the killed undo's locks are free", || {
        let said = desk.call(&["run", "job.toml"]);
        assert_eq!(said.code, 2, "{said:?}");
        said.err.contains("was undone")
    });
    let mut undo = desk.start(&["undo", "crossed", "--progress", "json"]);
    undo.has_done_batches(3);
    undo.signal("TERM");
    undo.wait().expect(3).says("to go on: backstop undo crossed");
    // A runner that is frozen is ended; its session on SQLite is a part of its process.
    if engine.family != "sqlite" {
        let mut frozen = desk.start(&["undo", "crossed", "--progress", "json"]);
        frozen.has_done_batches(2);
        frozen.signal("STOP");
        desk.call(&["undo", "crossed"]).expect(2).says("or undone already");
        let again = &["undo", "crossed", "--take-over", "--progress", "json"];
        let mut taken = desk.start(again);
        taken.has_done_batches(2);
        taken.signal("TERM");
        taken.wait().expect(3);
        frozen.signal("KILL");
    }
    desk.call(&["status", "crossed-undo-1"]).expect(0).says("to go on: backstop undo crossed");
    desk.call(&["undo", "crossed", "--progress", "none"]).expect(0);
    assert_eq!(digest(&database, "t", &["id", "n"], "id"), before);
    let done = json(&desk.call(&["undo", "crossed", "--json", "--progress", "none"]).expect(0));
    assert_eq!(done["restored"], 3000, "{done}");
}

/// Each row that was written has an image, and no other one.
fn images_are_exact(database: &Database, written: &str) {
    let table = images(database);
    let rows = database.value(&format!("SELECT count(*) FROM t WHERE {written}"));
    let kept = database.value(&format!("SELECT count(*) FROM {table}"));
    assert_eq!(rows, kept, "rows that were written, and images");
    let wrong = format!(
        "SELECT count(*) FROM {table} WHERE undo_old_n <> undo_key_id OR undo_new_n <> undo_key_id + 1"
    );
    assert_eq!(database.value(&wrong), "0");
}

/// The only table of images.
pub fn images(database: &Database) -> String {
    let sql = match database.engine.family {
        "sqlite" => {
            "SELECT name FROM sqlite_schema WHERE name LIKE 'backstop_undo_%' AND type = 'table'"
        }
        "postgres" => {
            "SELECT relname::text FROM pg_class WHERE relname LIKE 'backstop_undo_%' AND relkind = 'r'"
        }
        _ => {
            "SELECT table_name FROM information_schema.tables WHERE table_schema = database() AND \
             table_name LIKE 'backstop_undo_%'"
        }
    };
    let name = database.value(sql);
    assert!(name.starts_with("backstop_undo_"), "{name}");
    name
}

/// An application adds to the rows, inserts and deletes while they are written and their old values
/// kept: nothing that it writes is lost, and every image is of what was overwritten.
pub fn writers(engine: Engine) {
    let database = Database::new(engine);
    database.script(
        "CREATE TABLE t (id {{id}}, n integer NOT NULL, hits integer NOT NULL);\n\
         INSERT INTO t (n, hits) SELECT 0, 0 FROM numbers WHERE n <= 2000",
    );
    let desk = Desk::at(&database.url);
    let update = "table = \"t\"\nset = { n = \"n + 1000\" }\nexactly_once = true";
    let batch = "[batch]\nmax_rows = 100\npause = \"10ms\"";
    desk.write("job.toml", &spec("busy", update, batch));
    let over = Arc::new(AtomicBool::new(false));
    let (ended, url) = (Arc::clone(&over), database.url.clone());
    let sqlite = engine.family == "sqlite";
    let application = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut session = open(&url).await;
            let mut added = 0_u64;
            let mut id = 1_u64;
            while !ended.load(Ordering::Relaxed) {
                id = (id * 7 + 13) % 2000 + 1;
                let sql = format!("UPDATE t SET n = n + 1, hits = hits + 1 WHERE id = {id}");
                execute(session.as_mut(), &sql).await;
                let insert =
                    format!("INSERT INTO t (id, n, hits) VALUES ({}, 0, 0)", 10_000 + added);
                execute(session.as_mut(), &insert).await;
                added += 1;
                tokio::time::sleep(Duration::from_millis(if sqlite { 5 } else { 1 })).await;
            }
            session.close().await;
            added
        })
    });
    let run = desk.call(&["run", "job.toml", "--progress", "none"]);
    over.store(true, Ordering::Relaxed);
    let added = application.join().unwrap();
    run.expect(0);
    assert!(20 < added, "the application did little: {added}");
    let hits = database.value("SELECT sum(hits) FROM t");
    assert_eq!(hits, added.to_string(), "no write of the application is lost");
    let table = images(&database);
    let wrong = format!(
        "SELECT count(*) FROM {table} WHERE undo_new_n <> undo_old_n + 1000 OR undo_old_n < 0"
    );
    assert_eq!(database.value(&wrong), "0");
    // A row has what the job added exactly once, if it was written; and then it has an image.
    let lost = format!(
        "SELECT count(*) FROM t LEFT JOIN {table} ON id = undo_key_id WHERE \
         n <> hits + CASE WHEN undo_new_n IS NULL THEN 0 ELSE 1000 END"
    );
    assert_eq!(database.value(&lost), "0");
    // The rows that the application has changed since are left alone, and the others put back.
    let looked = json(&desk.call(&["undo", "busy", "--dry-run", "--json"]));
    let undone = json(&desk.call(&["undo", "busy", "--json", "--progress", "none"]));
    assert_eq!(undone["restored"], looked["restorable"], "{undone} {looked}");
    assert_eq!(undone["changed"], looked["changed"], "{undone} {looked}");
    assert_eq!(database.value("SELECT sum(hits) FROM t"), added.to_string());
}
