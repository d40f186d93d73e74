//! What a tool left is taken away in the order that harms nobody, and what is the user's is kept.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use backstop::handoff::cleanup::{self, Error, Facts, Left, Thing};
use backstop::handoff::verdict::Verdict;
use backstop::handoff::work::Paths;
use backstop::rewrite::tool::Tool;
use backstop::target::{Force, Leftover, Mark, Place};
use libtest_mimic::Trial;
use tempfile::TempDir;

use super::stage::{Stage, Stays, Writer, block_on, triggers};
use crate::database::{Database, available};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available().filter(|engine| engine.family == "mysql") {
        let mut add = |what: &str, run: fn(Database)| {
            let name = format!("handoff: {what} on {}", engine.name);
            trials.push(test(name, move || run(Stage::make(engine))));
        };
        add("triggers go before the copy, and the application sees no error", |database| {
            block_on(percona(&database));
        });
        add("the sentry goes, and the old table stays", |database| block_on(ghost(&database)));
        add("nothing goes while the tool is at work, or what is left may be needed", |database| {
            block_on(refused(&database));
        });
    }
    trials
}

/// A clean-up of one table.
struct Cleaning {
    tool: Tool,
    place: Place,
    paths: Paths,
    mark: Mark,
    verdict: Verdict,
    _folder: TempDir,
}

impl Cleaning {
    fn of(stage: &Stage, tool: Tool, mark: Mark) -> Self {
        let folder = TempDir::new().unwrap();
        let paths = Paths::new(&folder.path().join("ho").display().to_string());
        let place = stage.place("orders");
        Self { tool, place, paths, mark, verdict: Verdict::NotDone, _folder: folder }
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            tool: self.tool,
            place: &self.place,
            paths: &self.paths,
            mark: &self.mark,
            verdict: &self.verdict,
        }
    }

    async fn look(&self, stage: &mut Stage) -> Result<Vec<Left>, Error> {
        let target = stage.target.clone();
        cleanup::look(target.as_ref(), stage.session.as_mut(), &self.facts()).await
    }

    /// Looks and removes, each from a session that knows nothing.
    async fn clean(&self, stage: &mut Stage) -> cleanup::Removed {
        let shown = self.look(stage).await.unwrap();
        let target = stage.target.clone();
        let mut session = target.open("test").await.unwrap();
        let removed = cleanup::remove(target.as_ref(), session.as_mut(), &self.facts(), &shown)
            .await
            .unwrap();
        session.close().await;
        removed
    }
}

fn names(stage: &Stage, left: &[Left]) -> Vec<String> {
    left.iter().map(|left| left.thing.shown(stage.target.dialect())).collect()
}

async fn percona(database: &Database) {
    let mut stage = Stage::of(database).await;
    let schema = stage.place("orders").schema;
    let rows: Vec<String> = (1..=100).map(|id| format!("({id}, 0, 'x')")).collect();
    stage.run(&format!("INSERT INTO orders VALUES {}", rows.join(", "))).await;
    stage.run("CREATE TABLE _orders_new LIKE orders").await;
    stage.run(&triggers(&schema)).await;

    // The other order, to show that it breaks the application.
    let writer = Writer::on(&stage.url, 100).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    stage.run("RENAME TABLE _orders_new TO away").await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    stage.run("RENAME TABLE away TO _orders_new").await;
    let wrote = writer.stop().await;
    assert!(wrote.errors.iter().any(|error| error.contains("1146")), "{:?}", wrote.errors);

    let mark = Mark {
        comments: vec!["/*pt-online-schema-change".into()],
        triggers: format!("pt_osc_{schema}_orders_"),
        tables: vec!["_orders_new".into()],
        ..Mark::default()
    };
    let cleaning = Cleaning::of(&stage, Tool::Percona, mark);
    // Somebody reads in a long transaction, and leaves.
    let reader = stage.does(&["BEGIN", "SELECT COUNT(*) FROM orders"], Stays::Idle).await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let writer = Writer::on(&stage.url, 100).await;
    let target = stage.target.clone();
    let id = reader.id.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(800)).await;
        let mut session = target.open("test").await.unwrap();
        target.end_session(session.as_mut(), &id, Force::Terminate).await.unwrap();
        session.close().await;
    });
    let removed = cleaning.clean(&mut stage).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    writer.until(51).await;
    let wrote = writer.stop().await;
    assert_eq!(wrote.errors, Vec::<String>::new());
    assert!(wrote.longest < Duration::from_millis(900), "{:?}", wrote.longest);
    assert_eq!((&removed.failed, removed.rest.len()), (&None, 0));
    let done = names(&stage, &removed.done);
    assert_eq!(done.len(), 4, "{done:?}");
    assert!(done[..3].iter().all(|sql| sql.starts_with("DROP TRIGGER IF EXISTS")), "{done:?}");
    assert_eq!(done[3], format!("DROP TABLE IF EXISTS `{schema}`.`_orders_new`"));
    // Once more there is nothing; what was shown before is not done again.
    let target = stage.target.clone();
    let again =
        cleanup::remove(target.as_ref(), stage.session.as_mut(), &cleaning.facts(), &removed.done)
            .await;
    assert_eq!(again.unwrap(), cleanup::Removed::default());
    assert!(wrote.writes > 50, "{}", wrote.writes);
}

async fn ghost(database: &Database) {
    let mut stage = Stage::of(database).await;
    let schema = stage.place("orders").schema;
    for name in ["_orders_gho", "_orders_ghc", "_orders_ghk"] {
        stage.run(&format!("CREATE TABLE {name} LIKE orders")).await;
    }
    stage.run("CREATE TABLE _orders_del (id int auto_increment primary key) COMMENT='ghost-cut-over-sentry'").await;
    let cleaning = Cleaning::of(&stage, Tool::GhOst, Mark::default());
    let paths = &cleaning.paths;
    // A socket that nobody listens at, and flags.
    drop(UnixListener::bind(paths.socket()).unwrap());
    std::fs::write(paths.panic(), "").unwrap();
    std::fs::write(paths.postpone(), "").unwrap();
    std::fs::write(paths.pid(), "4194304\n").unwrap();
    std::fs::write(paths.out(), "what it said").unwrap();
    let removed = cleaning.clean(&mut stage).await;
    assert_eq!(removed.failed, None);
    let drop = |name: &str| format!("DROP TABLE IF EXISTS `{schema}`.`{name}`");
    let file = |path: std::path::PathBuf| path.display().to_string();
    assert_eq!(
        names(&stage, &removed.done),
        [
            drop("_orders_gho"),
            drop("_orders_ghc"),
            drop("_orders_ghk"),
            drop("_orders_del"),
            file(paths.socket()),
            file(paths.postpone()),
            file(paths.panic()),
            file(paths.pid()),
        ]
    );
    assert!(paths.out().exists());
    assert_eq!(cleaning.look(&mut stage).await.unwrap(), []);

    // The same name is also that of the whole old table.
    for (make, why) in [
        ("CREATE TABLE _orders_del LIKE orders", "no comment"),
        (
            "CREATE TABLE _orders_del (id int PRIMARY KEY, a int) COMMENT='ghost-cut-over-sentry'",
            "two columns",
        ),
        ("CREATE TABLE _orders_del (id int PRIMARY KEY) COMMENT='ghost-cut-over-sentry'", "a row"),
    ] {
        stage.run(make).await;
        if why == "a row" {
            stage.run("INSERT INTO _orders_del VALUES (1)").await;
        }
        let left = cleaning.look(&mut stage).await.unwrap();
        let old = stage.place("_orders_del");
        assert_eq!(
            left.iter().map(|left| &left.thing).collect::<Vec<_>>(),
            [&Thing::OldTable(old)],
            "{why}"
        );
        assert_eq!(cleaning.clean(&mut stage).await, cleanup::Removed::default());
        stage.run("DROP TABLE _orders_del").await;
    }

    // Put aside with its date, and dropped by a step of its own.
    stage
        .run("CREATE TABLE _orders_del LIKE orders;\nINSERT INTO _orders_del VALUES (1, 1, 'x')")
        .await;
    let today = jiff::civil::date(2026, 11, 30);
    let (place, old) = (stage.place("orders"), stage.place("_orders_del"));
    let target = stage.target.clone();
    let early = cleanup::drop_old(target.as_ref(), stage.session.as_mut(), &old).await;
    assert!(early.unwrap_err().to_string().contains("was not put aside"));
    let own =
        cleanup::rename_old(target.as_ref(), stage.session.as_mut(), &place, &place, today).await;
    assert!(own.unwrap_err().to_string().contains("the table in use"));
    for (number, name) in ["_orders_old_20261130", "_orders_old_20261130_2"].into_iter().enumerate()
    {
        if 0 < number {
            stage.run("CREATE TABLE _orders_del LIKE orders").await;
        }
        let to = cleanup::rename_old(target.as_ref(), stage.session.as_mut(), &place, &old, today)
            .await
            .unwrap();
        assert_eq!(to, name);
    }
    assert_eq!(stage.value("SELECT CAST(COUNT(*) AS CHAR) FROM _orders_old_20261130").await, "1");
    // A rename that was cut off is no error when it is done again.
    let again = Leftover::Rename { from: old, to: "_orders_old_20261130".into() };
    target.remove(stage.session.as_mut(), &again).await.unwrap();
    assert_eq!(cleaning.look(&mut stage).await.unwrap(), []);
    let aside = stage.place("_orders_old_20261130");
    for _ in 0..2 {
        cleanup::drop_old(target.as_ref(), stage.session.as_mut(), &aside).await.unwrap();
    }
    assert_eq!(target.shape(stage.session.as_mut(), &aside).await.unwrap(), None);
}

async fn refused(database: &Database) {
    let mut stage = Stage::of(database).await;
    stage.run("CREATE TABLE _orders_gho LIKE orders;\nINSERT INTO orders VALUES (1, 1, 'x')").await;
    let mark = Mark { comments: vec!["/* gh-ost".into()], ..Mark::default() };
    let mut cleaning = Cleaning::of(&stage, Tool::GhOst, mark);
    let shown = cleaning.look(&mut stage).await.unwrap();
    assert_eq!(shown.len(), 1);
    let busy = stage.does(&["SELECT /* gh-ost */ SLEEP(30), a FROM orders"], Stays::Busy).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    // Also between showing and removing.
    let target = stage.target.clone();
    let refused =
        cleanup::remove(target.as_ref(), stage.session.as_mut(), &cleaning.facts(), &shown).await;
    assert!(matches!(refused, Err(Error::AtWork(_))), "{refused:?}");
    target.end_session(stage.session.as_mut(), &busy.id, Force::Terminate).await.unwrap();
    let _ = busy.ended().await;
    // The server takes its time to forget it.
    let begun = std::time::Instant::now();
    while cleaning.look(&mut stage).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(10), "the session stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // A process that answers at its socket.
    let listener = UnixListener::bind(cleaning.paths.socket()).unwrap();
    let refused = cleaning.look(&mut stage).await;
    assert!(matches!(refused, Err(Error::AtWork(_))), "{refused:?}");
    drop(listener);
    std::fs::remove_file(cleaning.paths.socket()).unwrap();
    // Nobody knows whether it was changed, and then where the table is.
    cleaning.verdict = Verdict::Unknown("x".into());
    let left = cleaning.look(&mut stage).await.unwrap();
    assert!(matches!(left[0].thing, Thing::Kept(_)), "{left:?}");
    cleaning.verdict = Verdict::NotDone;
    stage.run("RENAME TABLE orders TO elsewhere").await;
    let left = cleaning.look(&mut stage).await.unwrap();
    assert!(matches!(left[0].thing, Thing::Kept(_)), "{left:?}");
    assert!(left[0].why.contains("all that is left of its rows"), "{left:?}");
    assert_eq!(cleaning.clean(&mut stage).await, cleanup::Removed::default());
    stage.run("RENAME TABLE elsewhere TO orders").await;
    // What was not shown is not taken away, and one that somebody holds is said.
    let removed = cleanup::remove(target.as_ref(), stage.session.as_mut(), &cleaning.facts(), &[])
        .await
        .unwrap();
    assert_eq!(removed, cleanup::Removed::default());
    assert_eq!(cleaning.clean(&mut stage).await.done.len(), 1);
}
