//! Replicas that are behind, that are stopped and that are gone.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use super::{SCHEMA, SPEC, Scene};
use crate::database::{Database, engine};
use crate::harness::Desk;
use crate::own_server::OwnServer;
use crate::replicas::{MariaReplica, PgStandby};
use crate::test;

pub(super) fn trials() -> Vec<Trial> {
    vec![
        test("throttling: a standby whose replay is paused, and one that is killed", standby),
        test("throttling: a replica of mariadb that is stopped, and one that is killed", maria),
    ]
}

const LAG: &str = "[throttle]\nlook_every = \"500ms\"\nstale_after = \"3s\"\n";

fn scene(database: Database, sections: &str, replica: Option<&str>) -> Scene {
    let mut desk = Desk::at(&database.url);
    if let Some(url) = replica {
        desk = desk.set("REPLICA_URL", url);
    }
    // Slow enough that the replicas' lag is what is seen, and not the end.
    let spec = SPEC.replace("max_rows = 100", "max_rows = 20").replace("20ms", "100ms");
    desk.write("job.toml", &format!("{spec}\n{sections}"));
    Scene { database, desk }
}

fn standby() {
    let server = OwnServer::of(engine("postgres"));
    let standby = PgStandby::of(&server, "db-2");
    let database = Database::on(engine("postgres"), server.url.clone());
    database.script(SCHEMA);
    let lag = format!("{LAG}replica_lag = {{ pause_above = \"1s\", resume_below = \"200ms\" }}\n");
    let scene = scene(database, &lag, None);
    let mut running = scene.start();
    scene.wait_for_more(&mut running);
    standby.pause();
    let paused = Instant::now();
    let status = scene.wait_for_state(&mut running, "throttled");
    // A second until the lag is one, two looks until it is seen, and the machine's own time.
    assert!(paused.elapsed() < Duration::from_secs(5), "{:?}", paused.elapsed());
    let reason = status["reason"].as_str().unwrap();
    assert!(reason.starts_with("replica_lag 1") || reason.starts_with("replica_lag 2"), "{reason}");
    assert!(reason.ends_with("s > 1s (replica db-2)"), "{reason}");
    scene.is_held(&mut running, "replica_lag ");
    standby.resume();
    scene.goes_on(&mut running);

    standby.kill();
    let killed = Instant::now();
    scene.is_held(&mut running, "replica_lag unread ");
    assert!(Duration::from_secs(2) < killed.elapsed(), "before its deadline");
    let reason = scene.desk.status("slow")["reason"].as_str().unwrap().to_owned();
    assert!(reason.ends_with("> 3s (replica db-2: gone)"), "{reason}");
    standby.restart();
    scene.goes_on(&mut running);
    running.signal("TERM");
    running.wait().expect(3);
}

fn maria() {
    let replica = MariaReplica::start();
    let database = Database::on(engine("mariadb"), replica.primary.url.clone());
    database.script(SCHEMA);
    let lag = format!(
        "{LAG}replica_lag = {{ pause_above = \"2s\", resume_below = \"1s\", replicas = \
         [\"REPLICA_URL\"] }}\n"
    );
    let url = replica.url_of(&database);
    let scene = scene(database, &lag, Some(&url));
    let mut running = scene.start();
    scene.wait_for_more(&mut running);
    replica.execute("STOP SLAVE SQL_THREAD");
    scene.is_held(&mut running, "replica_lag unread ");
    let reason = scene.desk.status("slow")["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("(replica REPLICA_URL"), "{reason}");
    replica.execute("START SLAVE SQL_THREAD");
    scene.goes_on(&mut running);
    replica.kill();
    scene.is_held(&mut running, "replica_lag unread ");
    replica.restart();
    scene.goes_on(&mut running);
    running.signal("TERM");
    running.wait().expect(3);
}
