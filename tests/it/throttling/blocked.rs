//! Others who wait for the job's locks: the batch makes way, and the next one is smaller.

use std::time::{Duration, Instant};

use libtest_mimic::Trial;

use super::Scene;
use crate::database::{Engine, available, execute, open};
use crate::test;

pub(super) fn trials() -> Vec<Trial> {
    let servers = available().filter(|engine| engine.family != "sqlite");
    let each = servers.map(|engine| {
        test(
            format!(
                "throttling: a session that waits for a row makes the batch give up on {}",
                engine.name
            ),
            move || gives_up(engine),
        )
    });
    each.collect()
}

/// Makes every row take 30 ms.
fn drag(family: &str) -> &'static str {
    match family {
        "postgres" => {
            "CREATE FUNCTION drag() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM \
             pg_sleep(0.03); RETURN NEW; END';\n\
             CREATE TRIGGER drag BEFORE UPDATE ON t FOR EACH ROW EXECUTE PROCEDURE drag()"
        }
        _ => "CREATE TRIGGER drag BEFORE UPDATE ON t FOR EACH ROW DO SLEEP(0.03)",
    }
}

fn gives_up(engine: Engine) {
    let sections = "[throttle]\nlook_every = \"500ms\"\nblocked_sessions = { pause_above = 0 }\n";
    let scene = Scene::new(engine, sections);
    // Batches that are meant to be long may be: 100 rows take three seconds.
    let spec = std::fs::read_to_string(scene.desk.path("job.toml")).unwrap();
    scene.desk.write("job.toml", &spec.replace("pause    =", "target_time = \"5s\"\npause    ="));
    let mut running = scene.start();
    scene.wait_for_more(&mut running);
    scene.database.script(drag(engine.family));
    let done = |scene: &Scene| scene.batches();
    let before = done(&scene);
    scene.desk.wait_until(&mut running, "slow", |_| before < done(&scene));
    // The first row after the cursor is the first that the batch under way has written.
    let cursor = scene.events("batch_done").pop().unwrap()["cursor"].as_str().unwrap().to_owned();
    let row: u64 = cursor.rsplit('=').next().unwrap().parse().unwrap();
    std::thread::sleep(Duration::from_millis(400));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let waited = runtime.block_on(async {
        let mut session = open(&scene.database.url).await;
        let begun = Instant::now();
        let sql =
            format!("UPDATE pressure SET n = (SELECT id FROM t WHERE id = {} FOR UPDATE)", row + 1);
        execute(session.as_mut(), &sql).await;
        let waited = begun.elapsed();
        session.close().await;
        waited
    });
    assert!(waited < Duration::from_millis(1500), "the other session waited {waited:?}");
    scene.desk.wait_until(&mut running, "slow", |_| !scene.events("batch_retried").is_empty());
    let retried = scene.events("batch_retried").remove(0);
    assert_eq!(retried["reason"], "blocked_sessions", "{retried}");
    let message = retried["message"].as_str().unwrap();
    assert!(message.contains("blocked_sessions 1 > 0"), "{message}");
    let before = scene.batches();
    scene.desk.wait_until(&mut running, "slow", |_| before < scene.batches());
    let next = scene.events("batch_done")[before]["rows_scanned"].as_u64().unwrap();
    assert!(next <= 50, "the next batch is smaller: {next}");
    let of_table = if engine.family == "postgres" { " ON t" } else { "" };
    scene.database.script(&format!("DROP TRIGGER drag{of_table}"));
    running.wait().expect(0);
    scene.finish();
}
