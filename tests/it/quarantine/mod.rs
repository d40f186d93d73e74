//! Rows that cannot be written: every other one is, and these are kept, tried again, and given up.

mod ends;
mod kinds;

use std::collections::BTreeSet;

use libtest_mimic::Trial;
use serde_json::Value;

use crate::database::{Database, Engine, available, engine};
use crate::harness::{Desk, is_full};
use crate::test;

type Check = fn(Engine);

const CHECKS: [(&str, Check); 4] = [
    ("37 rows of many, at awkward places", awkward),
    ("a spec that fits no row ends after about twenty", ends::wrong_spec),
    ("the limits, and going on beyond them", ends::limits),
    ("tried again, given up, verified", ends::given_up),
];

pub fn trials() -> Vec<Trial> {
    let each = |engine: Engine| {
        CHECKS.iter().map(move |(name, check)| {
            test(format!("quarantine: {name} on {}", engine.name), move || check(engine))
        })
    };
    // What a row's fault is called does not differ between two versions of a product.
    let twice = |engine: &Engine| engine.name == "postgres18";
    let mut trials: Vec<_> = available().flat_map(each).collect();
    trials.extend(available().filter(|engine| !twice(engine)).map(|engine| {
        let name =
            format!("quarantine: each kind of row that cannot be written on {}", engine.name);
        test(name, move || kinds::each(engine))
    }));
    trials.extend([
        test("quarantine: a row is found within few statements", few_statements),
        test("quarantine: a condition that fails on a row", kinds::conditions),
        test("quarantine: the journal is lost", ends::lost_journal),
        test("quarantine: a changed spec, and a spec that has moved", ends::changed_spec),
        test("quarantine: it is seen everywhere", ends::seen),
    ]);
    trials
}

/// The rows of `quarantine list --json`.
fn list(desk: &Desk, job: &str) -> Vec<Value> {
    let said = desk.call(&["quarantine", "list", job, "--json"]).expect(0);
    serde_json::from_str(&said.out).unwrap()
}

/// The keys of those in a state.
fn keys(desk: &Desk, job: &str, state: &str) -> BTreeSet<String> {
    let rows = list(desk, job);
    let of_state = rows.iter().filter(|row| row["state"] == state);
    of_state.map(|row| row["key_text"].as_str().unwrap().to_owned()).collect()
}

const JOB: &str = r#"
[job]
name = "awkward"

[target]
url_env = "DATABASE_URL"

[update]
table = "t"
set   = { v = "v + 1" }
exactly_once = true

[batch]
workers  = 2
max_rows = 1000

[throttle]
file = { path = "WAIT" }

[limits]
quarantine = { max_share = "100%" }

[verify]
expect = "v = 2"
"#;

/// A million rows with `--full`, else 20,000; in the order of the key they are numbered by `id`.
fn awkward(engine: Engine) {
    let rows: u32 = if is_full() { 1_000_000 } else { 20_000 };
    let database = Database::new(engine);
    let each = rows / 20_000;
    database.script(
        &format!(
            "CREATE TABLE t (tenant integer NOT NULL, id integer NOT NULL, v integer NOT NULL \
         CHECK (v < 1000), PRIMARY KEY (tenant, id));\n\
         INSERT INTO t SELECT (n - 1) / 5000, (n - 1) * {each} + k, 1 FROM numbers, \
         (SELECT n AS k FROM numbers WHERE n <= {each}) AS more"
        )
        .replace(
            "(n - 1) / 5000",
            if engine.family == "mysql" { "(n - 1) DIV 5000" } else { "(n - 1) / 5000" },
        ),
    );
    let desk = Desk::at(&database.url);
    desk.write("job.toml", JOB);

    // The ranges are made, and nothing is written.
    desk.write("WAIT", "");
    let mut running = desk.start(&["run", "job.toml"]);
    desk.wait_until(&mut running, "awkward", |status| status["state"] == "throttled");
    desk.call(&["stop", "awkward"]).expect(0);
    running.wait().expect(3);
    std::fs::remove_file(desk.path("WAIT")).unwrap();
    let status = desk.status("awkward");
    let end = |range: &Value| range["hi"][1].as_str().unwrap().parse::<u32>().unwrap();
    let ends: Vec<u32> = status["ranges"].as_array().unwrap().iter().map(end).collect();

    // The first ones, the last ones, both sides of each bound, many in one batch, and here and there.
    let mut bad: BTreeSet<u32> = [1, 2, rows - 1, rows].into();
    bad.extend(ends.iter().flat_map(|end| [*end, end + 1]).filter(|id| *id <= rows));
    bad.extend((0..15).map(|n| rows / 3 + 2 * n));
    bad.extend((1..40).map(|n| n * rows / 41).take(37 - bad.len()));
    assert_eq!(bad.len(), 37, "{bad:?}");
    let list_of = bad.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    database.script(&format!("UPDATE t SET v = 999 WHERE id IN ({list_of})"));

    let said = desk.call(&["run", "job.toml"]).expect(1).says("37 rows are in quarantine: tenant=");
    said.says("backstop quarantine retry job.toml");
    let part = rows / 4;
    let shown = |id: &u32| format!("tenant={}, id={id}", (id - 1) / part);
    let expected: BTreeSet<String> = bad.iter().map(shown).collect();
    assert_eq!(keys(&desk, "awkward", "waiting"), expected);
    let others = (rows - 37).to_string();
    assert_eq!(database.value("SELECT count(*) FROM t WHERE v = 2"), others);
    assert_eq!(database.value("SELECT count(*) FROM t WHERE v = 999"), "37");
    let status = desk.status("awkward");
    assert_eq!(
        (&status["state"], &status["rows_in_quarantine"]),
        (&"incomplete".into(), &37.into())
    );
    let row = &list(&desk, "awkward")[0];
    assert_eq!(row["values"]["v"], "999", "{row}");
    assert_eq!(row["attempts"], 1, "{row}");
    let passed = "SELECT trim(CAST(sum(rows_quarantined) AS CHAR(9))) FROM backstop_fence";
    assert_eq!(database.value(passed), "37");

    // Nothing is tried again by itself.
    desk.call(&["run", "job.toml"]).expect(1).says("37 rows are in quarantine");
    assert_eq!(list(&desk, "awkward")[0]["attempts"], 1);

    database.script("UPDATE t SET v = 1 WHERE v = 999");
    let said = desk.call(&["quarantine", "retry", "awkward"]).expect(0);
    said.says(&format!("verified ({} rows checked", backstop::report::count(rows.into())));
    assert_eq!(database.value("SELECT count(*) FROM t WHERE v = 2"), rows.to_string());
    assert_eq!(keys(&desk, "awkward", "written"), expected);
    assert_eq!(database.value(passed), "0");
    desk.call(&["quarantine", "retry", "awkward"]).expect(1).says("no row of `awkward` waits");
}

/// How many statements that write the table has seen, also of those that were rolled back: a sequence
/// is not.
fn few_statements() {
    let database = Database::new(engine("postgres"));
    database.script(
        "CREATE TABLE t (id {{id}}, v integer NOT NULL, CHECK (v < 100));\n\
         INSERT INTO t (v) SELECT 0 FROM numbers WHERE n <= 1000;\n\
         CREATE SEQUENCE writes;\n\
         CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN PERFORM nextval('writes'); RETURN NULL; END $$;\n\
         CREATE TRIGGER writes BEFORE UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION count_write()",
    );
    let desk = Desk::at(&database.url);
    let job = JOB.replace("workers  = 2\nmax_rows = 1000", "max_rows = 100\ntarget_time = \"10s\"");
    let job = job.split("[throttle]").next().unwrap();
    let writes = |bad: &[u32]| {
        let list = bad.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        database.script(&format!(
            "UPDATE t SET v = CASE WHEN id IN ({list}) THEN 99 ELSE 0 END;\n\
             ALTER SEQUENCE writes RESTART"
        ));
        desk.write(
            "job.toml",
            &format!("{job}\n[limits]\nquarantine = {{ max_share = \"100%\" }}"),
        );
        let code = if bad == [0] { 0 } else { 1 };
        desk.call(&["run", "job.toml", "--again"]).expect(code);
        database.value("SELECT last_value::text FROM writes").parse::<u32>().unwrap()
    };
    let clean = writes(&[0]);
    assert_eq!(clean, 10, "ten batches of 100 rows");
    // Of a batch of 100, each row is within 2 * 7 statements more than without it.
    for bad in [vec![137], vec![200, 250, 251]] {
        let extra = writes(&bad) - clean;
        println!("quarantine: {bad:?} took {extra} statements more");
        assert!(0 < extra && extra <= 14 * u32::try_from(bad.len()).unwrap(), "{bad:?}: {extra}");
    }
}
