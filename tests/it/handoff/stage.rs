//! A server, sessions on it that are made by hand, and an application that writes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use backstop::target::{Class, Place, Session, Statement, Target};
use tokio::task::JoinHandle;

use crate::database::{Database, Engine, execute, open, try_connect};

/// A database with a table `orders`, and what talks to it.
pub struct Stage {
    pub url: String,
    pub target: Arc<dyn Target>,
    /// Hands for what a test asks of the target.
    pub session: Box<dyn Session>,
    schema: String,
}

/// What a session of a test does until it is ended.
pub struct Doing {
    /// The server's number of it.
    pub id: String,
    /// See [`Session::identity`].
    pub identity: String,
    task: JoinHandle<Result<(), String>>,
}

impl Doing {
    /// How its last statement ended.
    pub async fn ended(self) -> Result<(), String> {
        tokio::time::timeout(Duration::from_secs(20), self.task).await.expect("it ends").unwrap()
    }

    pub fn lives(&self) -> bool {
        !self.task.is_finished()
    }
}

/// A test's own runtime.
pub fn block_on(future: impl Future<Output = ()>) {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().unwrap().block_on(future);
}

impl Stage {
    pub fn make(engine: Engine) -> Database {
        let database = Database::new(engine);
        database
            .plainly("CREATE TABLE orders (id int PRIMARY KEY, a int NOT NULL, note varchar(40))");
        database
    }

    pub async fn of(database: &Database) -> Self {
        let schema = match database.engine.family {
            "postgres" => "public".to_owned(),
            _ => database.login().database,
        };
        let target = try_connect(&database.url).await.unwrap();
        let session = target.open("test").await.unwrap();
        Self { url: database.url.clone(), target, session, schema }
    }

    pub fn place(&self, name: &str) -> Place {
        Place { schema: self.schema.clone(), name: name.to_owned() }
    }

    /// Runs statements in our own session.
    pub async fn run(&mut self, sql: &str) {
        for statement in sql.split(";\n") {
            execute(self.session.as_mut(), statement).await;
        }
    }

    pub async fn value(&mut self, sql: &str) -> String {
        let rows = self.session.query(&Statement::plain(sql)).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        rows.into_iter().flatten().next().flatten().unwrap_or_default()
    }

    /// A session that runs these, and stays in the last of them, or idle, until it is ended. It is
    /// begun when all but the last are done.
    pub async fn does(&self, statements: &[&str], stays: Stays) -> Doing {
        let mut session = self.target.open("test").await.unwrap();
        let (id, identity) = (session.id().to_owned(), session.identity().to_owned());
        let (last, first) = statements.split_last().unwrap();
        for sql in first {
            session.query(&Statement::plain(*sql)).await.unwrap();
        }
        let last = (*last).to_owned();
        if stays == Stays::Idle {
            session.query(&Statement::plain(last.as_str())).await.unwrap();
        }
        let task = tokio::spawn(async move {
            if stays == Stays::Busy {
                return match session.query(&Statement::plain(last)).await {
                    Ok(_) => Ok(()),
                    Err(error) => Err(error.to_string()),
                };
            }
            // Until somebody ends the session.
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                if let Err(error) = session.ping().await {
                    return Err(error.to_string());
                }
            }
        });
        Doing { id, identity, task }
    }

    /// Where the session comes from, as the operating system of its client says it.
    pub async fn address(&mut self, id: &str) -> String {
        let sql = format!("SELECT HOST FROM information_schema.PROCESSLIST WHERE ID = {id}");
        let host = self.value(&sql).await;
        format!("127.0.0.1:{}", host.rsplit_once(':').unwrap().1)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stays {
    Busy,
    Idle,
}

/// The application: a hundred writes a second, until it is told to stop.
pub struct Writer {
    stop: Arc<AtomicBool>,
    writes: Arc<AtomicU64>,
    task: JoinHandle<Wrote>,
}

pub struct Wrote {
    pub writes: u64,
    pub longest: Duration,
    pub errors: Vec<String>,
}

impl Writer {
    /// Writes to `orders`, whose ids are 1 to `rows`.
    pub async fn on(url: &str, rows: u64) -> Self {
        let mut session = open(url).await;
        let stop = Arc::new(AtomicBool::new(false));
        let writes = Arc::new(AtomicU64::new(0));
        let (stopped, written) = (stop.clone(), writes.clone());
        let task = tokio::spawn(async move {
            let mut wrote = Wrote { writes: 0, longest: Duration::ZERO, errors: Vec::new() };
            let mut at = 7_u64;
            while !stopped.load(Ordering::Relaxed) {
                at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let sql =
                    format!("UPDATE orders SET a = a + 1 WHERE id = {}", (at >> 33) % rows + 1);
                let begun = Instant::now();
                match session.execute(&Statement::plain(sql)).await {
                    Ok(_) => {
                        wrote.writes += 1;
                        written.store(wrote.writes, Ordering::Relaxed);
                    }
                    Err(error) if matches!(error.class, Class::Retry(_)) => {
                        wrote.errors.push(format!("waited in vain: {error}"));
                    }
                    Err(error) => wrote.errors.push(error.to_string()),
                }
                wrote.longest = wrote.longest.max(begun.elapsed());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            session.close().await;
            wrote
        });
        Self { stop, writes, task }
    }

    /// Waits until it has made so many writes.
    pub async fn until(&self, writes: u64) {
        let begun = Instant::now();
        while self.writes.load(Ordering::Relaxed) < writes {
            assert!(begun.elapsed() < Duration::from_secs(60), "it writes nothing any more");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn stop(self) -> Wrote {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.unwrap()
    }
}

/// Triggers as pt-online-schema-change makes them, for `orders` and its copy `_orders_new`.
pub fn triggers(schema: &str) -> String {
    let name = |end: &str| format!("pt_osc_{schema}_orders_{end}");
    format!(
        "CREATE TRIGGER {} AFTER DELETE ON orders FOR EACH ROW DELETE IGNORE FROM _orders_new WHERE id <=> \
         OLD.id;\nCREATE TRIGGER {} AFTER UPDATE ON orders FOR EACH ROW REPLACE INTO _orders_new (id, a, \
         note) VALUES (NEW.id, NEW.a, NEW.note);\nCREATE TRIGGER {} AFTER INSERT ON orders FOR EACH ROW \
         REPLACE INTO _orders_new (id, a, note) VALUES (NEW.id, NEW.a, NEW.note)",
        name("del"),
        name("upd"),
        name("ins")
    )
}
