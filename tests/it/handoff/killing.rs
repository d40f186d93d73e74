//! That nothing of a change is left within five seconds, whatever it does.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use backstop::event::{HandoffProgress, HandoffState};
use backstop::handoff::kill::{self, Proof, WITHIN};
use backstop::handoff::work::{Carried, Ended, Ending, Look, Refused, Work};
use backstop::target::{Force, Mark};
use libtest_mimic::Trial;

use super::stage::{Stage, Stays, Writer, block_on, triggers};
use crate::database::{Database, available, try_connect};
use crate::relay::Relay;
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available().filter(|engine| engine.family == "mysql") {
        let name = |what: &str| format!("handoff: {what} on {}", engine.name);
        let mut add = |what: &str, run: fn(Database)| {
            trials.push(test(name(what), move || run(Stage::make(engine))));
        };
        add("a tool that ignores everything is gone within five seconds", |database| {
            block_on(ignores(&database));
        });
        add("a tool that cannot be ended keeps its triggers, and nothing is proven", |database| {
            block_on(lives_on(&database));
        });
        add("a server that does not answer proves nothing, in time", |database| {
            block_on(silent(&database));
        });
        add("a trigger whose table is held is said to be left", |database| {
            block_on(held(&database));
        });
    }
    trials
}

/// A tool of which only the worst is known.
struct Deaf {
    mark: Mark,
    /// It dies when it is forced.
    mortal: bool,
    dead: bool,
}

#[async_trait]
impl Work for Deaf {
    async fn look(&mut self) -> Look {
        let ended = self.dead.then(|| Ended { hint: "OS signal 9".into(), well: false });
        Look { progress: HandoffProgress::at(HandoffState::Copying), ended }
    }

    async fn pause(&mut self) -> Carried {
        Err(Refused::NotNow("no".into()))
    }

    async fn resume(&mut self) -> Carried {
        Err(Refused::NotNow("no".into()))
    }

    async fn tune(&mut self, _: &str, _: &str) -> Carried {
        Err(Refused::NotNow("no".into()))
    }

    fn settings(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    async fn open_gate(&mut self) -> Carried {
        Err(Refused::NotNow("no".into()))
    }

    async fn close_gate(&mut self) -> Carried {
        Err(Refused::NotNow("no".into()))
    }

    /// Never answers.
    async fn ask_to_end(&mut self, _: Ending) -> Carried {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Ok("late".into())
    }

    async fn force(&mut self) -> Carried {
        if !self.mortal {
            return Err(Refused::NotNow("it does not die".into()));
        }
        self.dead = true;
        Ok("SIGKILL".into())
    }

    fn mark(&self) -> Mark {
        self.mark.clone()
    }
}

fn told(proof: &Proof) -> String {
    let steps = proof.steps.iter().map(|step| format!("{:?} {}", step.at, step.what));
    format!("{}\n{proof:?}", steps.collect::<Vec<_>>().join("\n"))
}

/// Rows, a copy, and the triggers of pt-online-schema-change.
async fn begun(database: &Database) -> (Stage, Mark) {
    let mut stage = Stage::of(database).await;
    let schema = stage.place("orders").schema;
    let rows: Vec<String> = (1..=100).map(|id| format!("({id}, 0, 'x')")).collect();
    stage.run(&format!("INSERT INTO orders VALUES {}", rows.join(", "))).await;
    stage.run("CREATE TABLE _orders_new LIKE orders").await;
    stage.run(&triggers(&schema)).await;
    let mark = Mark {
        comments: vec!["/*pt-online-schema-change 4711".into()],
        lock: Some(format!("tool::{schema}.orders")),
        triggers: format!("pt_osc_{schema}_orders_"),
        tables: vec!["_orders_new".into()],
        ..Mark::default()
    };
    (stage, mark)
}

async fn ignores(database: &Database) {
    let (mut stage, mark) = begun(database).await;
    let writer = Writer::on(&stage.url, 100).await;
    let copy = "INSERT IGNORE INTO _orders_new SELECT id + 1000, a, SLEEP(1) FROM orders LIMIT 60 \
                /*pt-online-schema-change 4711 copy nibble*/";
    let copying = stage.does(&[copy], Stays::Busy).await;
    let holder = format!("SELECT GET_LOCK('{}', 0)", mark.lock.clone().unwrap());
    let holding = stage.does(&[&holder], Stays::Idle).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let place = stage.place("orders");
    let mut work = Deaf { mark: mark.clone(), mortal: true, dead: false };
    let begun = Instant::now();
    let target = stage.target.clone();
    let proof =
        kill::end(&mut work, Ending::Kill, target.as_ref(), stage.session.as_mut(), &place).await;
    assert!(begun.elapsed() < WITHIN, "{:?}", begun.elapsed());
    assert!(proof.proven && proof.why_not.is_none(), "{}", told(&proof));
    copying.ended().await.unwrap_err();
    holding.ended().await.unwrap_err();
    let words: Vec<&str> = proof.steps.iter().map(|step| step.what.as_str()).collect();
    let at = |text: &str| {
        words
            .iter()
            .position(|word| word.contains(text))
            .unwrap_or_else(|| panic!("{text}: {words:?}"))
    };
    // In this order: asked, the statement, the process, the sessions, the triggers.
    let order =
        ["did not answer", "ended the statement", "SIGKILL", "ended session", "DROP TRIGGER"];
    assert!(order.map(at).is_sorted(), "{words:?}");
    let wrote = writer.stop().await;
    assert_eq!(wrote.errors, Vec::<String>::new());
    println!("{:?}, {} writes, worst wait {:?}", proof.after, wrote.writes, wrote.longest);
    assert_eq!(
        stage.value("SELECT CAST(SUM(a) AS CHAR) FROM orders").await,
        wrote.writes.to_string()
    );
    let left = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = \
                DATABASE()";
    assert_eq!(stage.value(left).await, "0");
    // Its tables stay for whoever cleans up. Once more is no harm.
    let again =
        kill::end_without_process(&mark, target.as_ref(), stage.session.as_mut(), &place).await;
    assert!(again.proven && again.steps.is_empty(), "{}", told(&again));
}

async fn lives_on(database: &Database) {
    let (mut stage, mark) = begun(database).await;
    let prefix = mark.triggers.clone();
    let mut work = Deaf { mark, mortal: false, dead: false };
    let copy = "SELECT SLEEP(30), a FROM orders /*pt-online-schema-change 4711 copy*/";
    let copying = stage.does(&[copy], Stays::Busy).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let place = stage.place("orders");
    let target = stage.target.clone();
    let proof =
        kill::end(&mut work, Ending::Kill, target.as_ref(), stage.session.as_mut(), &place).await;
    assert!(proof.after < WITHIN && !proof.proven, "{}", told(&proof));
    let why = proof.why_not.clone().unwrap();
    assert!(why.contains("is still there") && why.contains("left are the triggers"), "{why}");
    // It would swap in a copy that lacks what the application wrote since.
    assert_eq!(proof.triggers.len(), 3, "{}", told(&proof));
    assert!(proof.triggers.iter().all(|name| name.starts_with(&prefix)), "{}", told(&proof));
    assert_eq!(proof.sessions, []);
    let _ = copying.ended().await;
}

async fn silent(database: &Database) {
    let (stage, mark) = begun(database).await;
    let relay = Relay::to(&stage.url);
    let target = try_connect(&relay.url(&stage.url)).await.unwrap();
    let mut session = target.open("test").await.unwrap();
    relay.fall_silent();
    let place = stage.place("orders");
    let mut work = Deaf { mark: mark.clone(), mortal: true, dead: false };
    let proof = kill::end(&mut work, Ending::Kill, target.as_ref(), session.as_mut(), &place).await;
    assert!(proof.after < WITHIN && !proof.proven && work.dead, "{}", told(&proof));
    let why = proof.why_not.clone().unwrap();
    assert!(why.contains("the server could not be asked"), "{why}");
    // A connection that breaks is replaced, and all is shown.
    let relay = Relay::to(&stage.url);
    let target = try_connect(&relay.url(&stage.url)).await.unwrap();
    let mut session = target.open("test").await.unwrap();
    relay.cut();
    let proof = kill::end_without_process(&mark, target.as_ref(), session.as_mut(), &place).await;
    assert!(proof.proven, "{}", told(&proof));
}

async fn held(database: &Database) {
    let (mut stage, mark) = begun(database).await;
    let reader = stage.does(&["BEGIN", "SELECT COUNT(*) FROM orders"], Stays::Idle).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let writer = Writer::on(&stage.url, 100).await;
    let place = stage.place("orders");
    let target = stage.target.clone();
    let proof =
        kill::end_without_process(&mark, target.as_ref(), stage.session.as_mut(), &place).await;
    assert!(proof.after < WITHIN && !proof.proven, "{}", told(&proof));
    let in_vain = proof.steps.iter().any(|step| step.what.contains("in vain after"));
    assert!(in_vain && proof.triggers.len() == 3, "{}", told(&proof));
    stage.target.end_session(stage.session.as_mut(), &reader.id, Force::Terminate).await.unwrap();
    reader.ended().await.unwrap_err();
    let proof =
        kill::end_without_process(&mark, target.as_ref(), stage.session.as_mut(), &place).await;
    assert!(proof.proven, "{}", told(&proof));
    let wrote = writer.stop().await;
    assert_eq!(wrote.errors, Vec::<String>::new());
    // Nobody waited behind the attempts: MariaDB's wait for nothing, and on MySQL none is made.
    assert!(wrote.longest < Duration::from_millis(900), "{:?}", wrote.longest);
}
