//! Every key that a database can order: each value leads back to its row, and whatever the key is
//! made of, a job with stops in it visits each row once.

mod schema;
mod types;
mod walk;

use backstop::catalog::{Column, Lookup, TableName};
use backstop::target::{Bind, Dialect, Session, Statement};
use libtest_mimic::Trial;

use crate::database::{Database, Engine, available, open, try_connect};
use crate::endurance::Dice;
use crate::harness::{Desk, wait_for};
use crate::test;
use types::{KeyType, types};

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for engine in available() {
        trials.push(test(
            format!("keys: each row once by any key on {}", engine.name),
            move || {
                walk::any_key(engine);
            },
        ));
        trials.push(test(
            format!("keys: a value leads to its row on {}", engine.name),
            move || {
                each_value_leads_back(engine);
            },
        ));
        if engine.family == "postgres" {
            let name = format!("keys: mixed directions are no scan on {}", engine.name);
            trials.push(test(name, move || mixed_is_no_scan(engine)));
        }
    }
    trials
}

/// A database with all that the types need.
fn prepared(engine: Engine) -> (Database, Vec<KeyType>) {
    let database = Database::new(engine);
    if engine.family == "postgres" {
        database.script(types::POSTGRES_TYPES);
        let has = |question: &str| database.value(question) == "1";
        if has("SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'") {
            database.script("CREATE EXTENSION citext");
        }
        if has("SELECT count(*) FROM pg_collation WHERE collname = 'en-x-icu'") {
            database.script(types::POSTGRES_ICU);
        }
    }
    let types = types(engine, |question| database.value(question) == "1");
    (database, types)
}

/// An INSERT that leaves out rows whose key is there.
fn insert(engine: Engine, table: &str, columns: &str, rows: &[String]) -> String {
    let rows = rows.join(", ");
    match engine.family {
        "sqlite" => format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES {rows}"),
        "postgres" => {
            format!("INSERT INTO {table} ({columns}) VALUES {rows} ON CONFLICT DO NOTHING")
        }
        _ => format!("INSERT IGNORE INTO {table} ({columns}) VALUES {rows}"),
    }
}

/// How sessions may show values by the settings of a server.
const ODD_SETTINGS: &[&str] = &[
    "DateStyle = 'SQL, DMY'",
    "TimeZone = 'America/St_Johns'",
    "bytea_output = 'escape'",
    "standard_conforming_strings = off",
];

fn each_value_leads_back(engine: Engine) {
    let (database, types) = prepared(engine);
    let mut dice = Dice::of(walk::seed(), 0);
    for (number, kind) in types.iter().enumerate() {
        let name = format!("r{number}");
        let mut values = kind.odd.clone();
        values.extend((0..12).map(|_| (kind.any)(&mut dice)));
        let rows: Vec<_> =
            values.iter().enumerate().map(|(row, value)| format!("({row}, {value})")).collect();
        let ddl = kind.ddl;
        database.script(&format!(
            "CREATE TABLE {name} (row_id int NOT NULL, k {ddl} NOT NULL);\n\
             CREATE UNIQUE INDEX {name}_k ON {name} (k);\n{}",
            insert(engine, &name, "row_id, k", &rows),
        ));
    }
    if engine.family == "postgres" {
        let name = database.login().database;
        let settings = ODD_SETTINGS.iter().map(|set| format!("ALTER DATABASE {name} SET {set}"));
        database.script(&settings.collect::<Vec<_>>().join(";\n"));
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut wrong = Vec::new();
    runtime.block_on(async {
        let target = try_connect(&database.url).await.unwrap();
        let mut session = target.open("keys").await.unwrap();
        for (number, kind) in types.iter().enumerate() {
            let name = TableName::parse(&format!("r{number}")).unwrap();
            let Lookup::Found(table) = target.look_up(session.as_mut(), &name).await.unwrap()
            else {
                panic!("{}: no table", kind.ddl);
            };
            let column = table.column("k").unwrap();
            if let Err(reason) = &column.key_kind {
                wrong.push(format!("{}: {reason}", kind.ddl));
                continue;
            }
            let values = Values { table: &table.name, column, dialect: target.dialect() };
            values.lead_back(session.as_mut(), kind.ddl, &mut wrong).await;
        }
        session.close().await;
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The values of a column.
struct Values<'a> {
    table: &'a str,
    column: &'a Column,
    dialect: &'a dyn Dialect,
}

impl Values<'_> {
    /// Each value's text, sent back, finds its row, and has as many rows before it as it has in
    /// the server's own order.
    async fn lead_back(&self, session: &mut dyn Session, ddl: &str, wrong: &mut Vec<String>) {
        let text = self.dialect.key_as_text(self.column);
        let all = format!("SELECT row_id, {text} FROM {0} ORDER BY {0}.k", self.table);
        let rows = session.query(&Statement::plain(all)).await.unwrap();
        assert!(2 <= rows.len(), "{ddl}: hardly any values");
        for (before, row) in rows.iter().enumerate() {
            let [Some(row_id), value] = row.as_slice() else { panic!("{ddl}: {row:?}") };
            let from_text =
                |n| self.dialect.key_from_text(self.column, &self.dialect.placeholder(n));
            let look = Statement {
                sql: format!(
                    "SELECT count(CASE WHEN k = {} THEN 1 END), \
                     min(CASE WHEN k = {} THEN row_id END), count(CASE WHEN k < {} THEN 1 END) \
                     FROM {}",
                    from_text(1),
                    from_text(2),
                    from_text(3),
                    self.table
                ),
                binds: vec![Bind::Text(value.clone()); 3],
            };
            let expected = ["1".to_owned(), row_id.clone(), before.to_string()].map(Some);
            match session.query(&look).await {
                Ok(found) if found[0] == expected => {}
                Ok(found) => wrong.push(format!("{ddl}: {value:?}: {:?} {expected:?}", found[0])),
                Err(error) => wrong.push(format!("{ddl}: {value:?}: {error}")),
            }
        }
    }
}

/// On 20,000 rows that nearly all share the first column of a key that mixes directions.
const MIXED: &str = r#"
[job]
name = "mixed"

[target]
url_env = "DATABASE_URL"

[update]
table = "mixed"
set = { n = "n + 1" }
exactly_once = true

[batch]
key = ["a", "b", "c"]
max_rows = 100
"#;

fn mixed_is_no_scan(engine: Engine) {
    let database = Database::new(engine);
    database.script(
        "CREATE TABLE mixed (a int NOT NULL, b int NOT NULL, c int NOT NULL, n int NOT NULL);\n\
         CREATE UNIQUE INDEX mixed_key ON mixed (a, b DESC, c);\n\
         INSERT INTO mixed SELECT CASE WHEN n % 100 = 0 THEN n % 7 ELSE 1 END, floor(n / 1000), n, 0 \
         FROM numbers;\nANALYZE mixed",
    );
    let desk = Desk::at(&database.url);
    desk.write("job.toml", MIXED);
    desk.call(&["run", "job.toml"]).expect(0);
    assert_eq!(database.value("SELECT count(*) FROM mixed WHERE n = 1"), "20000");
    let read = || {
        let sql = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'mixed_key'";
        database.value(sql).parse::<u64>().unwrap()
    };
    // Sessions report what they read when they end.
    wait_for("the statistics", || 20_000 <= read());
    let read = read();
    println!("{read} index entries for 20000 rows of a key that mixes directions");
    // A boundary reads at most a batch along each of the three stretches after the cursor, the write
    // its rows once more, and the plan's own measurement about as much as the table: 100 entries
    // more or fewer, by where a batch ends. A scan would read half the table for every batch, a
    // hundred entries a row.
    assert!(read < 6 * 20_000, "{read} index entries for 20,000 rows");
}
