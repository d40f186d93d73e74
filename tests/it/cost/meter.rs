//! What a statement reads, counted by the database itself.

use std::collections::BTreeMap;
use std::ops::{Add, Sub};

use backstop::target::{Bind, Session, Statement};
use serde_json::Value;

use crate::database::{Database, open};

/// What a statement read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reads {
    /// Entries of indexes and rows of tables, found or passed over. On SQLite steps of its virtual
    /// machine, which are in proportion to them.
    pub rows: u64,
    /// Pages, where the server counts them by statement.
    pub pages: u64,
    /// Sorts.
    pub sorts: u64,
}

impl Add for Reads {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            pages: self.pages + other.pages,
            sorts: self.sorts + other.sorts,
        }
    }
}

impl Sub for Reads {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            rows: self.rows - other.rows,
            pages: self.pages - other.pages,
            sorts: self.sorts - other.sorts,
        }
    }
}

/// Runs statements of the product and counts what each reads.
pub struct Meter {
    kind: Kind,
    runtime: tokio::runtime::Runtime,
}

enum Kind {
    /// With the server's own plan cache between us, as in the product: from the sixth time on it
    /// may take a plan that knows no values.
    Postgres {
        session: Box<dyn Session>,
        prepared: BTreeMap<String, String>,
    },
    /// `own`: what the counting itself adds to the counters.
    MySql {
        session: Box<dyn Session>,
        own: Reads,
    },
    Sqlite {
        connection: rusqlite::Connection,
    },
}

impl Meter {
    pub fn new(database: &Database) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let kind = match database.engine.family {
            "sqlite" => {
                let path = database.url.strip_prefix("sqlite:").unwrap();
                Kind::Sqlite { connection: rusqlite::Connection::open(path).unwrap() }
            }
            family => runtime.block_on(async {
                let mut session = open(&database.url).await;
                if family == "postgres" {
                    return Kind::Postgres { session, prepared: BTreeMap::new() };
                }
                // What InnoDB passes over by itself is not in the counters.
                let seen = "SET SESSION optimizer_switch = 'index_condition_pushdown=off'";
                session.execute(&Statement::plain(seen)).await.unwrap();
                counters(session.as_mut()).await;
                let before = counters(session.as_mut()).await;
                let own = counters(session.as_mut()).await - before;
                Kind::MySql { session, own }
            }),
        };
        Self { kind, runtime }
    }

    /// Runs a statement that is not counted.
    pub fn run(&mut self, sql: &str) {
        match &mut self.kind {
            Kind::Sqlite { connection } => connection.execute_batch(sql).unwrap(),
            Kind::Postgres { session, .. } | Kind::MySql { session, .. } => {
                let done = self.runtime.block_on(async {
                    match sql {
                        "BEGIN" => session.begin().await,
                        "ROLLBACK" => session.rollback().await,
                        "COMMIT" => session.commit().await,
                        sql => session.execute(&Statement::plain(sql)).await.map(drop),
                    }
                });
                done.unwrap();
            }
        }
    }

    /// The rows of a statement that is not counted, as text.
    pub fn query(&mut self, statement: &Statement) -> Vec<Vec<Option<String>>> {
        match &mut self.kind {
            Kind::Sqlite { connection } => {
                let mut prepared = connection.prepare_cached(&statement.sql).unwrap();
                let columns = prepared.column_count();
                let rows = prepared.query_map(binds(statement), |row| {
                    (0..columns)
                        .map(|i| {
                            Ok(match row.get::<_, rusqlite::types::Value>(i)? {
                                rusqlite::types::Value::Null => None,
                                rusqlite::types::Value::Integer(n) => Some(n.to_string()),
                                rusqlite::types::Value::Text(text) => Some(text),
                                other => panic!("{other:?}"),
                            })
                        })
                        .collect()
                });
                rows.unwrap().map(Result::unwrap).collect()
            }
            Kind::Postgres { session, .. } | Kind::MySql { session, .. } => {
                self.runtime.block_on(session.query(statement)).unwrap()
            }
        }
    }

    /// Runs a write that is not counted.
    pub fn execute(&mut self, statement: &Statement) {
        match &mut self.kind {
            Kind::Sqlite { connection } => {
                connection
                    .prepare_cached(&statement.sql)
                    .unwrap()
                    .execute(binds(statement))
                    .unwrap();
            }
            Kind::Postgres { session, .. } | Kind::MySql { session, .. } => {
                self.runtime.block_on(session.execute(statement)).unwrap();
            }
        }
    }

    /// Runs a statement and counts.
    pub fn count(&mut self, statement: &Statement) -> Reads {
        match &mut self.kind {
            Kind::Sqlite { connection } => count_steps(connection, statement),
            Kind::Postgres { session, prepared } => {
                self.runtime.block_on(explain(session.as_mut(), prepared, statement))
            }
            Kind::MySql { session, own } => self.runtime.block_on(async {
                let before = counters(session.as_mut()).await;
                session.query(statement).await.unwrap();
                counters(session.as_mut()).await - before - *own
            }),
        }
    }
}

fn binds(statement: &Statement) -> rusqlite::ParamsFromIter<&Vec<Bind>> {
    rusqlite::params_from_iter(&statement.binds)
}

fn count_steps(connection: &rusqlite::Connection, statement: &Statement) -> Reads {
    use rusqlite::StatementStatus::{Sort, VmStep};
    let mut prepared = connection.prepare(&statement.sql).unwrap();
    {
        let mut rows = prepared.query(binds(statement)).unwrap();
        while rows.next().unwrap().is_some() {}
    }
    let of = |status| u64::try_from(prepared.get_status(status)).unwrap();
    Reads { rows: of(VmStep), pages: 0, sorts: of(Sort) }
}

/// What the handlers of the storage engine have read for this session.
async fn counters(session: &mut dyn Session) -> Reads {
    let mut reads = Reads::default();
    let show = "SHOW SESSION STATUS WHERE variable_name LIKE 'Handler_read%' \
                OR variable_name = 'Sort_rows'";
    for row in session.query(&Statement::plain(show)).await.unwrap() {
        let [Some(name), value] = row.as_slice() else { panic!("{row:?}") };
        let number = || value.as_ref().unwrap().parse::<u64>().unwrap();
        if name.starts_with("Handler_read_") && !name.ends_with("_deleted") {
            reads.rows += number();
        } else if name == "Sort_rows" {
            reads.sorts += number();
        }
    }
    reads
}

async fn explain(
    session: &mut dyn Session,
    prepared: &mut BTreeMap<String, String>,
    statement: &Statement,
) -> Reads {
    let number = prepared.len();
    if !prepared.contains_key(&statement.sql) {
        let types: Vec<_> = statement
            .binds
            .iter()
            .map(|bind| match bind {
                Bind::Text(_) => "text",
                Bind::Int(_) => "bigint",
            })
            .collect();
        let types =
            if types.is_empty() { String::new() } else { format!("({})", types.join(", ")) };
        let sql = format!("PREPARE p{number} {types} AS {}", statement.sql);
        session.execute(&Statement::plain(sql)).await.unwrap();
        prepared.insert(statement.sql.clone(), format!("p{number}"));
    }
    let values: Vec<_> = statement
        .binds
        .iter()
        .map(|bind| match bind {
            Bind::Text(Some(text)) => format!("'{}'", text.replace('\'', "''")),
            Bind::Text(None) => "NULL".to_owned(),
            Bind::Int(number) => number.to_string(),
        })
        .collect();
    let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
    let sql = format!(
        "EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE {}{values}",
        prepared[&statement.sql]
    );
    let rows = session.query(&Statement::plain(sql)).await.unwrap();
    let text = rows.into_iter().flatten().next().flatten().unwrap();
    let plan: Value = serde_json::from_str(&text).unwrap();
    let top = &plan[0]["Plan"];
    let blocks = |kind: &str| top[kind].as_u64().unwrap();
    let mut reads = Reads::default();
    visit(top, &mut reads);
    reads.pages = blocks("Shared Hit Blocks") + blocks("Shared Read Blocks");
    reads
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rows are few")]
fn visit(node: &Value, reads: &mut Reads) {
    let kind = node["Node Type"].as_str().unwrap();
    let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
    let loops = number("Actual Loops");
    let found = if kind.ends_with("Scan") && !["Subquery Scan", "Bitmap Heap Scan"].contains(&kind)
    {
        number("Actual Rows")
    } else {
        0.0
    };
    let passed = number("Rows Removed by Filter") + number("Rows Removed by Index Recheck");
    reads.rows += ((found + passed) * loops).round() as u64;
    reads.sorts += u64::from(kind.contains("Sort"));
    for child in node["Plans"].as_array().into_iter().flatten() {
        visit(child, reads);
    }
}
