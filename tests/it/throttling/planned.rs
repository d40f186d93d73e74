//! What `plan` shows of signals, and what it refuses.

use libtest_mimic::Trial;
use serde_json::Value;

use super::Scene;
use crate::database::{Engine, available, engine};
use crate::test;

pub(super) fn trials() -> Vec<Trial> {
    let each = |on: Engine| {
        test(
            format!("throttling: plan shows what is watched by default on {}", on.name),
            move || {
                defaults(on);
            },
        )
    };
    let mut trials: Vec<_> = available().map(each).collect();
    trials.push(test("throttling: plan refuses what is asked for and cannot be read", refused));
    trials.push(test("throttling: plan shows values, limits and rates", shown));
    trials
}

fn defaults(on: Engine) {
    let scene = Scene::new(on, "");
    let plan = scene.desk.call(&["plan", "job.toml", "--json"]).expect(0);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    let signals = plan["signals"].as_array().unwrap().iter();
    let watched: Vec<_> = signals
        .clone()
        .filter(|signal| signal["watched"] == true)
        .map(|signal| signal["signal"].as_str().unwrap())
        .collect();
    let expected: &[&str] = match on.family {
        "postgres" => &["replica_lag", "blocked_sessions", "vacuum"],
        "mysql" => &["blocked_sessions"],
        _ => &[],
    };
    assert_eq!(watched, expected, "{plan}");
    assert_eq!(signals.len(), 3, "those that are not here are shown with the reason");
    let text = scene.desk.call(&["plan", "job.toml"]).expect(0);
    match on.family {
        "postgres" => text
            .says("replica_lag > 10s, goes on at 5s or less (by default); no replica is connected now")
            .says("blocked_sessions > 3, goes on at 1 or less (by default); now 0")
            .says("vacuum > 0 (by default); now 0"),
        "mysql" => text
            .says("vacuum > 0 (by default); not watched: ")
            .says("name them in `replicas`"),
        _ => text.says("blocked_sessions > 3").says("not watched: SQLite"),
    };
    // They can be turned off.
    let spec = format!(
        "{}\n[throttle]\nreplica_lag = {{ off = true }}\nblocked_sessions = {{ off = true }}\n\
         vacuum = {{ off = true }}\n",
        super::SPEC
    );
    scene.desk.write("job.toml", &spec);
    let plan = scene.desk.call(&["plan", "job.toml", "--json"]).expect(0);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!(plan["signals"], serde_json::json!([]));
}

fn refused() {
    let on = |name: &str, throttle: &str| {
        let scene = Scene::new(engine(name), throttle);
        let said = scene.desk.call(&["run", "job.toml"]).expect(2);
        assert_eq!(scene.database.value("SELECT count(*) FROM t WHERE a IS NOT NULL"), "0");
        said
    };
    on("sqlite", "[throttle]\nwal_rate = {}\n")
        .says("`wal_rate` cannot be watched here: SQLite does not count")
        .says("take `wal_rate` out of [throttle]");
    on("postgres", "[throttle]\nhistory_list = {}\n").says("`history_list` cannot be watched here");
    on("mariadb", "[throttle]\nreplica_lag = {}\n").says("name them in `replicas`");
    on("postgres", "[throttle]\nquery = { sql = \"SELECT n FROM nowhere\", pause_above = 1 }\n")
        .says("`query` cannot be read: ")
        .says("nowhere");
    on(
        "sqlite",
        "[throttle]\nquery = { sql = \"SELECT n FROM pressure WHERE n > 5\", pause_above = 1 }\n",
    )
    .says("it returned no row");
    on("sqlite", "[throttle]\ncommand = { run = [\"/no/such/program\"] }\n").says("cannot be run");
    on("sqlite", "[throttle]\ndisk_free = { path = \"/no/such/place\" }\n")
        .says("cannot be looked at");
    on("sqlite", "[throttle]\ndisk_free = {}\n").says("name a `path` to look at");
    on("sqlite", "[throttle]\nhttp = { url = \"http://127.0.0.1:9/\" }\n")
        .says("`http` cannot be read");
    on("postgres", "[throttle]\nreplica_lag = { replicas = [\"NO_SUCH_URL\"] }\n")
        .says("the environment variable `NO_SUCH_URL` is not set");
    // Whoever hangs is named, and no other one.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let scene =
        Scene::new(engine("mysql"), "[throttle]\nreplica_lag = { replicas = [\"SILENT_URL\"] }\n");
    let desk = scene.desk.set("SILENT_URL", &format!("mysql://root@{address}/x"));
    desk.call(&["plan", "job.toml"])
        .expect(2)
        .says("`replica_lag` cannot be read: replica SILENT_URL: no answer: ");
    on("sqlite", "[limits]\nwindow = { between = \"22:00-06:00\", zone = \"Europe/Berln\" }\n")
        .says("did you mean `Europe/Berlin`?");
}

fn shown() {
    let scene = Scene::new(
        engine("postgres"),
        "[throttle]\nrows_per_second = 20_000\nnice = 0.5\nactive_sessions = {}\n\
         transaction_age = { pause_above = \"10m\" }\nwal_rate = { pause_above = \"1GiB\" }\n\
         dead_rows = {}\ndisk_free = { path = \".\", pause_below = \"1B\" }\n\
         query = { sql = \"SELECT 41.5\", pause_above = 50 }\n\
         [limits]\nmax_runtime = \"12h\"\nmax_rows = 5000\nmax_errors = 9\n\
         window = { between = \"00:00-24:00\", zone = \"UTC\" }\n",
    );
    let plan = scene.desk.call(&["plan", "job.toml"]).expect(0);
    plan.says("at most 20,000 rows a second")
        .says("sleeps 0.5 times as long as it works")
        .says("a run ends after 12h")
        .says("a run ends after 5,000 changed rows")
        .says("more than 9 batches")
        .says("active_sessions > ")
        .says("transaction_age > 10m, goes on at 5m or less; now ")
        .says("wal_rate > 1GiB/s")
        .says("dead_rows > 0.2")
        .says("disk_free < 1B")
        .says("query > 50, goes on at 25 or less; now 41.5")
        .says("window; now 0 (open)");
    let plan = scene.desk.call(&["plan", "job.toml", "--json"]).expect(0);
    let plan: Value = serde_json::from_str(&plan.out).unwrap();
    assert_eq!(plan["pace"]["rows_per_second"], 20_000);
    let signals = plan["signals"].as_array().unwrap();
    let query = signals.iter().find(|signal| signal["signal"] == "query").unwrap();
    assert_eq!((&query["value"], &query["pause"]), (&41.5.into(), &50.0.into()), "{query}");
}
