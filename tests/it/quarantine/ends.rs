//! How jobs with rows in quarantine end, and go on.

use crate::database::{Database, Engine, engine};
use crate::harness::Desk;

const SCHEMA: &str = "\
CREATE TABLE t (id {{id}}, a integer NOT NULL CHECK (a < 1000), b integer);
INSERT INTO t (a) SELECT 1 FROM numbers WHERE n <= 5000";

/// Rows in which `a + 1` is too large, but not `a`.
fn spoil(database: &Database, ids: &str) {
    database.script(&format!("UPDATE t SET a = 999 WHERE id IN ({ids})"));
}

fn job(name: &str, rest: &str) -> String {
    format!(
        "[job]\nname = \"{name}\"\n[target]\nurl_env = \"DATABASE_URL\"\n[update]\ntable = \"t\"\n\
         set = {{ a = \"a + 1\" }}\nexactly_once = true\n{rest}\n"
    )
}

fn scene(engine: Engine) -> (Database, Desk) {
    let database = Database::new(engine);
    database.script(SCHEMA);
    let desk = Desk::at(&database.url);
    (database, desk)
}

pub(super) fn wrong_spec(engine: Engine) {
    let (database, desk) = scene(engine);
    desk.write("job.toml", &job("wrong", "").replace("a + 1", "a + 1000"));
    let said = desk.call(&["run", "job.toml"]).expect(4);
    let said = said.says("the row id=21 cannot be written: ");
    said.says("21 of the 21 rows that this run went through")
        .says("max_share` allows 10%")
        .says("`backstop tune wrong limits.quarantine.max_share=20%`");
    assert_eq!(super::keys(&desk, "wrong", "waiting").len(), 20, "they stay");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a = 1"), "5000");
    let status = desk.status("wrong");
    assert_eq!(status["state"], "failed");
    assert!(status["reason"].as_str().unwrap().contains("id=21"), "{status}");
}

pub(super) fn limits(engine: Engine) {
    let (database, desk) = scene(engine);
    spoil(&database, "300, 600, 900, 1200");
    desk.write("none.toml", &job("none", "[limits]\nquarantine = { max_rows = 0 }"));
    let said = desk.call(&["run", "none.toml"]).expect(4);
    said.says("the row id=300 cannot be written: ").says("`limits.quarantine.max_rows` is 0");
    assert_eq!(super::list(&desk, "none"), [0; 0]);
    assert_eq!(desk.status("none")["rows_changed"], 299);
    database.script("UPDATE t SET a = 1 WHERE a = 2");

    desk.write("two.toml", &job("two", "[limits]\nquarantine = { max_rows = 2 }"));
    let said = desk.call(&["run", "two.toml"]).expect(4);
    said.says("the row id=900 cannot be written: ").says("2 rows are in quarantine already");
    // Nothing has changed, and the row is where it was.
    desk.call(&["run", "two.toml"]).expect(4).says("the row id=900 cannot be written: ");
    desk.call(&["tune", "two", "limits.quarantine.max_rows=4"]).expect(0);
    desk.call(&["run", "two.toml"]).expect(1).says("4 rows are in quarantine: id=300; id=600; ");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a = 2"), "4996");
}

pub(super) fn given_up(engine: Engine) {
    let (database, desk) = scene(engine);
    spoil(&database, "1, 700, 701, 5000");
    let checks = "where = \"b IS NULL\"\n[verify]\nremaining = true\nexpect = \"b = 1\"";
    let spec = job("up", checks).replace("{ a =", "{ b = \"1\", a =");
    desk.write("job.toml", &spec);
    desk.call(&["run", "job.toml"]).expect(1).says("4 rows are in quarantine");

    // One is mended and one is not; the third is left alone.
    database.script("UPDATE t SET a = 1 WHERE id = 700");
    let only = ["quarantine", "retry", "up", "--key", "id=700", "--key", "701"];
    desk.call(&only).expect(1).says("3 rows are in quarantine: id=1; id=5000; id=701");
    let rows = super::list(&desk, "up");
    let row = |key: &str| rows.iter().find(|row| row["key_text"] == key).unwrap();
    assert_eq!(
        (&row("id=700")["state"], &row("id=700")["attempts"]),
        (&"written".into(), &2.into())
    );
    assert_eq!(
        (&row("id=701")["state"], &row("id=701")["attempts"]),
        (&"waiting".into(), &2.into())
    );
    assert_eq!(row("id=1")["attempts"], 1);
    assert_eq!(rows.last(), Some(row("id=701")), "the newest last");
    let retry = ["quarantine", "retry", "up", "--key", "700"];
    desk.call(&retry).expect(2).says("no row `700` of `up` waits");

    let release = |which: &[&str]| {
        let call = [&["quarantine", "release", "up", "--reason", "test rows"], which].concat();
        desk.call(&call)
    };
    release(&[]).expect(2);
    release(&["--key", "9"]).expect(2).says("no row `9` of `up` waits");
    release(&["--key", "1"]).expect(0).says("1 row is given up; 2 still wait");
    assert_eq!(desk.status("up")["state"], "incomplete");
    release(&["--all"])
        .expect(0)
        .says("the job is completed without them; to verify: backstop run");
    let status = desk.status("up");
    assert_eq!(status["state"], "completed", "{status}");
    let events = status["events"].as_array().unwrap();
    let given_up = events.iter().filter(|event| event["kind"] == "quarantine_released");
    assert_eq!(
        given_up.map(|event| event["data"]["reason"] == "test rows").collect::<Vec<_>>(),
        [true, true]
    );
    // The three match `where` still and violate `expect`, and that is known.
    desk.call(&["run", "job.toml"]).expect(0).says("verified (5,000 rows checked, nothing wrong)");
    assert_eq!(desk.status("up")["state"], "verified");
    // Others are counted as ever.
    database.script("UPDATE t SET b = NULL WHERE id IN (2, 3)");
    let said = desk.call(&["run", "job.toml"]).expect(1);
    said.says(
        "2 rows are left over and 2 rows violate `expect`, for example id=2; id=3; they came",
    );
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a = 2"), "4997");
    let said = desk.call(&["quarantine", "export", "up", "--format", "csv"]).expect(0);
    assert_eq!(said.out.lines().next().unwrap().split(',').next(), Some("key"));
    assert_eq!(said.out.matches("test rows").count(), 3, "{}", said.out);
    said.says("\"\"a\"\":\"\"999\"\"");
    desk.call(&["quarantine", "list", "up"]).expect(0).says("up: 0 waiting, 1 written, 3 released");
}

pub(super) fn lost_journal() {
    let (database, desk) = scene(engine("postgres"));
    spoil(&database, "10, 20");
    desk.write("job.toml", &job("lost", ""));
    desk.call(&["run", "job.toml"]).expect(1);
    let said = desk.call(&["run", "job.toml", "--state", "other.db"]).expect(1);
    let said =
        said.says("2 rows are in quarantine by the fence, and the keys were in another journal");
    said.says("`--again` would write every other row a second time");
    // A job that converges finds them again.
    database.script("UPDATE t SET b = 0");
    let converging = job("found", "").replace("a + 1\" }\nexactly_once = true", "1000 - b\" }");
    desk.write(
        "job.toml",
        &converging
            .replace("where", "")
            .replace("1000 - b", "CASE id WHEN 10 THEN 1000 ELSE 5 END"),
    );
    desk.call(&["run", "job.toml"]).expect(1).says("1 row is in quarantine: id=10");
    let other = ["run", "job.toml", "--state", "other.db"];
    desk.call(&other).expect(1).says("`backstop run job.toml --again` find them once more");
    let again = [&other[..], &["--again"]].concat();
    desk.call(&again).expect(1).says("1 row is in quarantine: id=10");
}

pub(super) fn changed_spec() {
    let (database, desk) = scene(engine("sqlite"));
    spoil(&database, "10, 20");
    desk.write("job.toml", &job("changed", ""));
    desk.call(&["run", "job.toml"]).expect(1);
    std::fs::rename(desk.path("job.toml"), desk.path("moved.toml")).unwrap();
    let said = desk.call(&["quarantine", "retry", "changed"]).expect(2);
    said.says("`job.toml` cannot be read").says("name the spec's file");
    desk.write("moved.toml", &job("changed", "").replace("a + 1", "min(a + 1, 999)"));
    desk.call(&["quarantine", "retry", "moved.toml"]).expect(2).says("--accept-changed-spec");
    let accepted = ["quarantine", "retry", "moved.toml", "--accept-changed-spec"];
    desk.call(&accepted).expect(0).says("the changed spec was accepted");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE a = 2"), "4998");
    assert_eq!(super::keys(&desk, "changed", "written").len(), 2);
    desk.write("moved.toml", &job("other", ""));
    desk.call(&["quarantine", "list", "moved.toml"]).expect(2).says("knows no job `other`");
}

pub(super) fn seen() {
    let (database, desk) = scene(engine("sqlite"));
    spoil(&database, "10, 20, 30");
    desk.write("job.toml", &job("seen", ""));
    let said = desk.call(&["run", "job.toml", "--progress", "json"]).expect(1);
    let events =
        said.out.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let rows: Vec<_> = events.filter(|event| event["message_type"] == "row_quarantined").collect();
    let keys: Vec<_> = rows.iter().map(|row| row["key"].as_str().unwrap()).collect();
    assert_eq!(keys, ["id=10", "id=20", "id=30"]);
    assert!(rows[0]["message"].as_str().unwrap().contains("a < 1000"), "{}", rows[0]);
    let said = desk.call(&["status", "seen"]).expect(0);
    said.says("3 rows in quarantine: backstop quarantine list seen")
        .says("quarantine retry job.toml");
    // Plain lines say so, each row and all of them.
    let said = desk.call(&["run", "job.toml", "--again"]).expect(1);
    said.says("row id=10 is in quarantine: CHECK constraint failed");
}
