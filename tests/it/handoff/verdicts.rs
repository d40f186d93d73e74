//! Whether a change was made is told by the database, on each server.

use backstop::handoff::verdict::{Verdict, judge};
use backstop::target::Shape;
use libtest_mimic::Trial;

use super::stage::{Stage, block_on};
use crate::database::{Database, Engine, available};
use crate::test;

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        match engine.family {
            "mysql" => trials.push(test(
                format!("handoff: the table itself says whether it was changed on {}", engine.name),
                move || {
                    let database = Database::new(engine);
                    database.plainly(TABLE);
                    block_on(swapped(engine, &database));
                },
            )),
            "postgres" => trials.push(test(
                format!(
                    "handoff: what a table is, is told with what is not valid on {}",
                    engine.name
                ),
                move || {
                    let database = Database::new(engine);
                    database.plainly(ON_POSTGRES);
                    block_on(told(&database));
                },
            )),
            _ => {}
        }
    }
    trials
}

async fn shape(stage: &mut Stage, name: &str) -> Option<Shape> {
    let place = stage.place(name);
    stage.target.shape(stage.session.as_mut(), &place).await.unwrap()
}

/// A table of everything that a copy has in its own way.
const TABLE: &str = "\
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE orders (
    id int AUTO_INCREMENT PRIMARY KEY, a int, c decimal(10,2), parent int, g int GENERATED ALWAYS AS (a + 1) STORED,
    CHECK (a < 100000), CONSTRAINT named CHECK (c < 100000), KEY (a),
    CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parents (id), FOREIGN KEY (a) REFERENCES parents (id))
    COMMENT 'AUTO_INCREMENT=5 it''s';
INSERT INTO orders (c) VALUES (1.5), (2.5)";

/// What a tool does, by hand. Its foreign keys are called otherwise, as pt-online-schema-change calls them.
async fn copied(stage: &mut Stage, change: &str) -> Shape {
    stage
        .run(&format!(
            "CREATE TABLE _orders_new LIKE orders;\nALTER TABLE _orders_new {change}, ADD CONSTRAINT _fk FOREIGN KEY \
             (parent) REFERENCES parents (id), ADD CONSTRAINT _orders_ibfk_1 FOREIGN KEY (a) REFERENCES parents (id)"
        ))
        .await;
    shape(stage, "_orders_new").await.unwrap()
}

fn blind(shape: &Shape) -> Shape {
    Shape { identity: String::new(), ..shape.clone() }
}

async fn swapped(engine: Engine, database: &Database) {
    let mut stage = Stage::of(database).await;
    let swap = "RENAME TABLE orders TO _orders_old, _orders_new TO orders";
    let back = "RENAME TABLE orders TO _orders_new, _orders_old TO orders;\nDROP TABLE _orders_new";
    // One that shows, and one that does not.
    for change in ["MODIFY c decimal(12,3)", "ENGINE=InnoDB"] {
        let before = shape(&mut stage, "orders").await.unwrap();
        assert!(!before.identity.is_empty(), "{before:?}");
        let copy = copied(&mut stage, change).await;
        let now = shape(&mut stage, "orders").await;
        assert_eq!(judge(&before, Some(&copy), now.as_ref()), Verdict::NotDone, "{change}");
        stage.run("INSERT INTO orders (c) VALUES (3.5)").await;
        let now = shape(&mut stage, "orders").await;
        assert_eq!(judge(&before, Some(&copy), now.as_ref()), Verdict::NotDone, "{change}");
        stage.run(swap).await;
        let now = shape(&mut stage, "orders").await;
        assert_eq!(judge(&before, Some(&copy), now.as_ref()), Verdict::Done, "{change}: {now:?}");
        // Without the right to see the numbers: the names of the copy's keys tell it.
        let now = now.map(|now| blind(&now));
        assert_eq!(judge(&blind(&before), Some(&blind(&copy)), now.as_ref()), Verdict::Done);
        stage.run(back).await;
    }
    let before = shape(&mut stage, "orders").await.unwrap();
    let copy = copied(&mut stage, "MODIFY c decimal(12,3)").await;
    let now = |shape: Option<Shape>| judge(&before, Some(&copy), shape.as_ref());
    // Somebody else changed it meanwhile.
    stage.run("ALTER TABLE orders ADD stranger int").await;
    match now(shape(&mut stage, "orders").await) {
        Verdict::Unknown(why) => assert!(why.contains("stranger"), "{why}"),
        other => panic!("{other:?}"),
    }
    stage.run("RENAME TABLE orders TO elsewhere").await;
    assert!(matches!(now(shape(&mut stage, "orders").await), Verdict::Unknown(_)));
    // Without such keys nothing does, but the number.
    stage
        .run("CREATE TABLE plain (id int PRIMARY KEY, a int);\nCREATE TABLE _plain_new LIKE plain")
        .await;
    let (before, copy) = (shape(&mut stage, "plain").await, shape(&mut stage, "_plain_new").await);
    let (before, copy) = (before.unwrap(), copy.unwrap());
    stage.run("RENAME TABLE plain TO _plain_old, _plain_new TO plain").await;
    let now = shape(&mut stage, "plain").await.unwrap();
    assert_eq!(judge(&before, Some(&copy), Some(&now)), Verdict::Done);
    let judged = judge(&blind(&before), Some(&blind(&copy)), Some(&now));
    assert!(matches!(judged, Verdict::Unknown(_)), "{judged:?}");
    // The server itself made the change, in its place.
    let before = shape(&mut stage, "plain").await.unwrap();
    stage.run("CREATE TABLE _plain_gho LIKE plain;\nALTER TABLE _plain_gho MODIFY a bigint").await;
    let copy = shape(&mut stage, "_plain_gho").await.unwrap();
    stage.run("ALTER TABLE plain MODIFY a bigint").await;
    let now = shape(&mut stage, "plain").await;
    assert_eq!(judge(&before, Some(&copy), now.as_ref()), Verdict::Done);
    // An instant change keeps the table and its number, and still shows.
    let before = now.unwrap();
    stage.run("ALTER TABLE plain ADD b int, ALGORITHM=INSTANT").await;
    let after = shape(&mut stage, "plain").await.unwrap();
    println!("{}: INSTANT keeps the number: {}", engine.name, before.identity == after.identity);
    assert!(matches!(judge(&before, None, Some(&after)), Verdict::Unknown(_)));
    // Partitions have numbers each; a name with other letters is a file with other letters.
    stage
        .run("CREATE TABLE `odd-ones` (id int PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 3")
        .await;
    let parts = shape(&mut stage, "odd-ones").await.unwrap();
    assert_eq!(parts.identity.split(',').count(), 3, "{parts:?}");
    stage.run("CREATE VIEW v AS SELECT 1 AS a").await;
    let place = stage.place("v");
    assert!(stage.target.shape(stage.session.as_mut(), &place).await.is_err());
}

const ON_POSTGRES: &str = "\
CREATE TABLE parents (id int PRIMARY KEY);
CREATE TABLE orders (id int PRIMARY KEY, a int NOT NULL DEFAULT 3, b int);
INSERT INTO orders VALUES (1, 1, 1), (2, 1, 1)";

async fn told(database: &Database) {
    let mut stage = Stage::of(database).await;
    let before = shape(&mut stage, "orders").await.unwrap();
    assert_eq!(judge(&before, None, shape(&mut stage, "orders").await.as_ref()), Verdict::NotDone);
    let unique = "CREATE UNIQUE INDEX CONCURRENTLY one ON orders (a)";
    let failed = backstop::target::Statement::plain(unique);
    stage.session.execute(&failed).await.unwrap_err();
    let invalid = shape(&mut stage, "orders").await.unwrap();
    assert!(invalid.definition.contains("the index one is not valid"), "{invalid:?}");
    stage.run("ALTER TABLE orders ADD CONSTRAINT fk FOREIGN KEY (b) REFERENCES parents (id) NOT VALID").await;
    let now = shape(&mut stage, "orders").await.unwrap();
    assert!(now.definition.contains("NOT VALID"), "{now:?}");
    assert!(matches!(judge(&before, None, Some(&now)), Verdict::Unknown(_)));
    assert_eq!(now.identity, before.identity);
    assert_eq!(shape(&mut stage, "nothing").await, None);
}
