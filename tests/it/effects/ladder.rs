//! MySQL and MariaDB: for each case of `tests/effects/mysql.sql`, the first `ALGORITHM` and `LOCK`
//! that the server accepts is what it does when it is told nothing; whether it writes the table
//! anew, the number of the table shows.

use std::collections::{BTreeMap, BTreeSet};

use backstop::gate::effects::{Algorithm, Effects, Mode, effects};
use backstop::gate::{Engine as Product, Schema, Server, Surroundings};
use backstop::sql::statement::What;
use backstop::sql::{Source, Tokens, parse};
use libtest_mimic::Trial;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, MySqlConnection, Row as _};

use crate::database::{Database, Engine, available};
use crate::harness::root;
use crate::test;

pub fn trials() -> Vec<Trial> {
    available()
        .filter(|engine| engine.family == "mysql")
        .map(|engine| {
            test(format!("effects: the ladder on {}", engine.name), move || check(engine))
        })
        .collect()
}

/// The steps, the least first: the name of the algorithm, the lock, and how it is asked for.
const LADDER: [(&str, &str, &str); 9] = [
    ("INSTANT", "none", "ALGORITHM=INSTANT"),
    ("NOCOPY", "none", "ALGORITHM=NOCOPY, LOCK=NONE"),
    ("NOCOPY", "shared", "ALGORITHM=NOCOPY, LOCK=SHARED"),
    ("INPLACE", "none", "ALGORITHM=INPLACE, LOCK=NONE"),
    ("INPLACE", "shared", "ALGORITHM=INPLACE, LOCK=SHARED"),
    ("INPLACE", "exclusive", "ALGORITHM=INPLACE, LOCK=EXCLUSIVE"),
    ("COPY", "none", "ALGORITHM=COPY, LOCK=NONE"),
    ("COPY", "shared", "ALGORITHM=COPY, LOCK=SHARED"),
    ("COPY", "exclusive", "ALGORITHM=COPY, LOCK=EXCLUSIVE"),
];

/// The file: tables by name, each with what makes and fills it, and the cases.
struct File {
    tables: Vec<(String, Vec<String>)>,
    cases: Vec<Case>,
}

/// One case.
struct Case {
    /// For this server alone.
    only: Option<String>,
    /// Whether the server refuses it, or locks, for its rows or settings.
    data: bool,
    /// What prepares it, and last what is asked about.
    statements: Vec<String>,
    /// Names of tables that it mentions.
    words: BTreeSet<String>,
}

fn read() -> File {
    let text = std::fs::read_to_string(root().join("tests/effects/mysql.sql")).unwrap();
    let (head, body) = text.split_at(text.find("\n=== ").unwrap());
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for line in head.lines().filter(|line| !line.is_empty() && !line.starts_with("--")) {
        let name = line.split_whitespace().nth(2).unwrap().to_owned();
        match tables.iter_mut().find(|(have, _)| *have == name) {
            Some((_, lines)) => lines.push(line.to_owned()),
            None => tables.push((name, vec![line.to_owned()])),
        }
    }
    let cases = body.split("\n\n").map(str::trim).filter(|one| !one.is_empty());
    let cases = cases.filter_map(|paragraph| {
        let note = |name: &str| {
            let mut lines = paragraph.lines();
            lines.find_map(|line| line.strip_prefix(&format!("-- {name}: ")).map(str::to_owned))
        };
        let sql: Vec<_> = paragraph
            .lines()
            .filter(|line| !line.starts_with("--") && !line.starts_with("==="))
            .map(|line| line.split(" -- ").next().unwrap().trim_end_matches(';').to_owned())
            .filter(|line| line.contains(' '))
            .collect();
        let word = |c: char| !(c.is_alphanumeric() || c == '_');
        let mut words: BTreeSet<_> = paragraph.split(word).map(str::to_owned).collect();
        if words.contains("child") {
            words.insert("parent".to_owned());
        }
        let (only, data) = (note("only"), note("data").is_some());
        (!sql.is_empty()).then_some(Case { only, data, statements: sql, words })
    });
    let cases = cases.collect();
    File { tables, cases }
}

/// What a server did, or what it was thought to do.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Outcome {
    /// It refused.
    Refused(String),
    /// It accepted a step of the ladder: which, and whether the table was written anew, where that
    /// can be seen.
    Step(&'static str, &'static str, Option<bool>),
    /// It accepted a statement that has no ladder.
    Accepted(Option<bool>),
}

fn check(engine: Engine) {
    let file = read();
    let database = Database::new(engine);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let wrong = runtime.block_on(async {
        // As text, several statements at a time: prepared ones take a minute longer.
        let mut session = MySqlConnection::connect(&database.url).await.unwrap();
        let row = session.fetch_one("SELECT VERSION()").await.unwrap();
        let version: String = row.get(0);
        let mut bench = Bench { session, mariadb: engine.name == "mariadb", file: &file };
        let mut wrong = Vec::new();
        let mut asked = 0;
        for case in &file.cases {
            if case.only.as_deref().is_some_and(|only| only != engine.name) {
                continue;
            }
            asked += 1;
            let truth = bench.ask(case).await;
            let (thought, effects) = predict(&file, case, engine, &version);
            if !agree(&truth, &thought, case.data) {
                let sql = case.statements.join("; ");
                let verdict = effects.map(|effects| effects.verdict);
                wrong.push(format!(
                    "{sql}\n    is      {truth:?}\n    thought {thought:?} {verdict:?}"
                ));
            }
        }
        bench.must("DROP DATABASE IF EXISTS effects_ladder").await;
        bench.session.close().await.unwrap();
        println!("effects on {}: {asked} cases, {} wrong", engine.name, wrong.len());
        wrong
    });
    assert!(wrong.is_empty(), "{} cases on {}:\n{}", wrong.len(), engine.name, wrong.join("\n"));
}

/// Whether the prediction is the truth. A refusal for the rows cannot be foreseen.
fn agree(truth: &Outcome, thought: &Outcome, data: bool) -> bool {
    let anew = |one: Option<bool>, other: Option<bool>| {
        one.is_none_or(|one| other.is_none_or(|other| one == other))
    };
    match (truth, thought) {
        (Outcome::Refused(_), _) if data => true,
        (Outcome::Refused(_), Outcome::Refused(_)) => true,
        (Outcome::Step(a, lock, one), Outcome::Step(b, other, two)) => {
            a == b && (lock == other || data) && anew(*one, *two)
        }
        (Outcome::Accepted(one), Outcome::Step(_, _, two) | Outcome::Accepted(two)) => {
            anew(*one, *two)
        }
        _ => false,
    }
}

/// What the library says.
fn predict(file: &File, case: &Case, engine: Engine, version: &str) -> (Outcome, Option<Effects>) {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u16>());
    let mut number = || numbers.next().and_then(Result::ok).unwrap_or(0);
    let version = (number(), number(), number());
    let mariadb = engine.name == "mariadb";
    let product = if mariadb { Product::MariaDb } else { Product::MySql };
    let source = Source { tokens: Tokens::MySql, mariadb, version };
    let mut schema = Schema::default();
    schema.complete = true;
    let mut apply = |sql: &str, checks: &mut bool| {
        for statement in parse(source, sql).statements {
            if let What::Set(settings) = &statement.what {
                *checks &= !settings.iter().any(|setting| {
                    setting.name == "foreign_key_checks" && setting.value.as_deref() == Some("0")
                });
            }
            schema.apply(&statement);
        }
    };
    let mut checks = true;
    for (name, lines) in &file.tables {
        if case.words.contains(name) {
            lines.iter().for_each(|line| apply(line, &mut checks));
        }
    }
    let (asked, before) = case.statements.split_last().unwrap();
    before.iter().for_each(|line| apply(line, &mut checks));
    let script = parse(source, asked);
    let [statement] = script.statements.as_slice() else {
        return (Outcome::Refused("it was read as several statements".to_owned()), None);
    };
    let around = Surroundings {
        server: Server { engine: product, version },
        schema: &schema,
        in_transaction: false,
        utc: None,
        foreign_key_checks: checks,
    };
    let effects = effects(statement, &around);
    (thought(&effects, asked), Some(effects))
}

fn thought(effects: &Effects, asked: &str) -> Outcome {
    if let Some(reason) = &effects.fails {
        return Outcome::Refused(reason.clone());
    }
    let table = table_of(asked).unwrap_or_default();
    let anew = effects.rewrite.iter().any(|name| name.name == table);
    let mode = effects.locks.iter().find(|lock| lock.relation.name == table).map(|lock| lock.mode);
    let lock = match mode {
        Some(Mode::Exclusive) => "exclusive",
        Some(Mode::Shared) => "shared",
        _ => "none",
    };
    match effects.algorithm {
        Some(Algorithm::Instant) => Outcome::Step("INSTANT", lock, Some(anew)),
        Some(Algorithm::NoCopy) => Outcome::Step("NOCOPY", lock, Some(anew)),
        Some(Algorithm::InPlace | Algorithm::Rebuild) => Outcome::Step("INPLACE", lock, Some(anew)),
        Some(Algorithm::Copy) => Outcome::Step("COPY", lock, Some(anew)),
        None => Outcome::Accepted(None),
    }
}

/// The table that a statement is about.
fn table_of(sql: &str) -> Option<&str> {
    let mut words = sql.split_whitespace();
    let behind = if sql.contains("INDEX") && !sql.starts_with("ALTER") { "ON" } else { "TABLE" };
    words.find(|word| *word == behind)?;
    words.next()
}

/// The statement, told how to go about it; none if it cannot be told.
fn told(sql: &str, how: &str, mariadb: bool) -> Option<String> {
    if sql.contains("ALGORITHM=") || sql.contains("LOCK=") {
        return None;
    }
    if sql.starts_with("CREATE ") && sql.contains("INDEX ") {
        return Some(format!("{sql} {}", how.replace(',', "")));
    }
    if let Some(rest) = sql.strip_prefix("DROP INDEX ") {
        let (index, table) = rest.split_once(" ON ")?;
        return Some(format!("ALTER TABLE {table} {how}, DROP INDEX {index}"));
    }
    let (table, clauses) = sql.strip_prefix("ALTER TABLE ")?.split_once(' ')?;
    let partitions = ["PARTITION BY", "REMOVE PARTITIONING"];
    if partitions.iter().any(|start| clauses.starts_with(start)) {
        return Some(format!("ALTER TABLE {table} {how} {clauses}"));
    }
    let of_partitions = clauses.contains("PARTITION p") || clauses.contains("PARTITION ");
    if mariadb && of_partitions {
        return None;
    }
    Some(format!("ALTER TABLE {table} {how}, {clauses}"))
}

struct Bench<'a> {
    session: MySqlConnection,
    mariadb: bool,
    file: &'a File,
}

impl Bench<'_> {
    /// What the server makes of a case.
    async fn ask(&mut self, case: &Case) -> Outcome {
        self.prepare(case).await;
        let asked = case.statements.last().unwrap();
        if told(asked, "", self.mariadb).is_none() {
            let before = self.numbers().await;
            return match self.run(asked).await {
                Ok(()) => Outcome::Accepted(self.anew(asked, &before).await),
                Err(error) => Outcome::Refused(error),
            };
        }
        let mut refusal = String::new();
        let mut before = self.numbers().await;
        for (algorithm, lock, how) in LADDER {
            if algorithm == "NOCOPY" && !self.mariadb {
                continue;
            }
            match self.run(&told(asked, how, self.mariadb).unwrap()).await {
                Ok(()) => {
                    let anew = self.anew(asked, &before).await;
                    if algorithm != "INPLACE"
                        && algorithm != "COPY"
                        && self.breaks_its_word(asked, anew)
                    {
                        self.prepare(case).await;
                        before = self.numbers().await;
                        continue;
                    }
                    return Outcome::Step(algorithm, lock, anew);
                }
                Err(error) => refusal = error,
            }
        }
        Outcome::Refused(refusal)
    }

    /// Whether it took the least step and copied the table all the same, as MariaDB does where the
    /// engine is not asked: it would take any step.
    fn breaks_its_word(&self, asked: &str, anew: Option<bool>) -> bool {
        let moved = !asked.contains("TRUNCATE PARTITION") && !asked.contains("EXCHANGE PARTITION");
        let from_elsewhere =
            asked.contains("ALTER TABLE my ENGINE=InnoDB") || asked.contains("ORDER BY");
        self.mariadb && ((moved && anew == Some(true)) || from_elsewhere)
    }

    async fn prepare(&mut self, case: &Case) {
        let mut script = String::from(
            "DROP DATABASE IF EXISTS effects_ladder;
            CREATE DATABASE effects_ladder CHARACTER SET utf8mb4;
            USE effects_ladder; SET foreign_key_checks = 1;\n",
        );
        let tables = self.file.tables.iter().filter(|(name, _)| case.words.contains(name));
        for sql in tables.flat_map(|(_, lines)| lines) {
            script.push_str(sql);
        }
        let (_, before) = case.statements.split_last().unwrap();
        for sql in before {
            script.push_str(&format!("{sql};\n"));
        }
        self.must(&script).await;
    }

    async fn must(&mut self, sql: &str) {
        self.run(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    async fn run(&mut self, sql: &str) -> Result<(), String> {
        let sql = AssertSqlSafe(sql.to_owned());
        sqlx::raw_sql(sql)
            .execute(&mut self.session)
            .await
            .map(drop)
            .map_err(|error| error.to_string())
    }

    /// The numbers of the files that a table consists of.
    async fn numbers(&mut self) -> BTreeMap<String, String> {
        let view = if self.mariadb { "INNODB_SYS_TABLES" } else { "INNODB_TABLES" };
        let sql = format!(
            "SELECT CONVERT(NAME, CHAR), CONVERT(CONCAT(TABLE_ID, '/', SPACE), CHAR) FROM information_schema.{view} \
             WHERE NAME LIKE 'effects\\_ladder/%'"
        );
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.session).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Whether the table was written anew; none where InnoDB did not have it.
    async fn anew(&mut self, asked: &str, before: &BTreeMap<String, String>) -> Option<bool> {
        let table = table_of(asked)?;
        let own = |name: &str| {
            let name = name.trim_start_matches("effects_ladder/");
            name.split(['#']).next().is_some_and(|name| name == table)
        };
        let before: BTreeMap<_, _> = before.iter().filter(|(name, _)| own(name)).collect();
        let emptied = ["TRUNCATE", "EXCHANGE PARTITION", "DROP TABLE", "RENAME TABLE"];
        if before.is_empty() || emptied.iter().any(|word| asked.contains(word)) {
            return None;
        }
        let after = self.numbers().await;
        let changed = before
            .iter()
            .any(|(name, number)| after.get(name.as_str()).is_some_and(|now| now != *number));
        let gone = before.values().all(|number| !after.values().any(|now| now == *number));
        Some(changed || gone)
    }
}
