//! A database for one test, on each of the engines.

use std::sync::atomic::{AtomicU32, Ordering};

use backstop::spec::Secret;
use backstop::target::{Class, Link, Session, Statement, connect};
use tempfile::TempDir;

/// A database product that tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Engine {
    /// Its name in test names, in case files and in file names.
    pub name: &'static str,
    /// Its family: what its SQL is like.
    pub family: &'static str,
    /// The variable that holds the server's URL; SQLite needs none.
    pub url_env: Option<&'static str>,
    /// Whether its tests are left out where there is no server; `tests/run` then says so.
    pub optional: bool,
}

/// Every engine.
pub const ALL: [Engine; 5] = [
    Engine { name: "sqlite", family: "sqlite", url_env: None, optional: false },
    Engine {
        name: "postgres",
        family: "postgres",
        url_env: Some("BACKSTOP_TEST_POSTGRES_URL"),
        optional: false,
    },
    Engine {
        name: "postgres18",
        family: "postgres",
        url_env: Some("BACKSTOP_TEST_POSTGRES18_URL"),
        optional: true,
    },
    Engine {
        name: "mariadb",
        family: "mysql",
        url_env: Some("BACKSTOP_TEST_MARIADB_URL"),
        optional: false,
    },
    Engine {
        name: "mysql",
        family: "mysql",
        url_env: Some("BACKSTOP_TEST_MYSQL_URL"),
        optional: true,
    },
];

/// A server that predictions are held against, and nothing else: what runs on 15 and on 18 runs on
/// the one between them, and would take its time a third time.
const POSTGRES16: Engine = Engine {
    name: "postgres16",
    family: "postgres",
    url_env: Some("BACKSTOP_TEST_POSTGRES16_URL"),
    optional: true,
};

/// The engines that can be tested here: all but the optional ones without a server.
pub fn available() -> impl Iterator<Item = Engine> {
    ALL.into_iter().filter(|engine| engine.is_here())
}

/// The servers of PostgreSQL that are here, for what the gate predicts of each version.
pub fn oracles() -> impl Iterator<Item = Engine> {
    let all = ALL.into_iter().filter(|engine| engine.family == "postgres").chain([POSTGRES16]);
    all.filter(|engine| engine.is_here())
}

/// The engine of that name.
pub fn engine(name: &str) -> Engine {
    ALL.into_iter().find(|engine| engine.name == name).expect("an engine of that name")
}

impl Engine {
    fn is_here(self) -> bool {
        !self.optional || self.url_env.is_none_or(|name| std::env::var(name).is_ok())
    }

    /// The URL of the server's maintenance database.
    pub fn server_url(self) -> String {
        let name = self.url_env.expect("SQLite has no server");
        std::env::var(name).unwrap_or_else(|_| {
            panic!("`{name}` is not set: `tests/run` starts the servers and sets it")
        })
    }
}

/// The parts of a URL, decoded, for programs that take no URL.
pub struct Login {
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: String,
    pub database: String,
}

impl Login {
    /// The parts of this one.
    pub fn of(url: &str) -> Self {
        let url = url::Url::parse(url).unwrap();
        let default = if url.scheme().starts_with("postgres") { 5432 } else { 3306 };
        Self {
            host: url.host_str().unwrap_or_default().to_owned(),
            port: url.port().unwrap_or(default),
            user: decoded(url.username()),
            password: decoded(url.password().unwrap_or_default()),
            database: url.path().trim_start_matches('/').to_owned(),
        }
    }
}

/// A fresh, empty database; gone when it is dropped.
pub struct Database {
    /// The engine.
    pub engine: Engine,
    /// Its URL.
    pub url: String,
    /// Where it is dropped from.
    server_url: String,
    name: String,
    runtime: tokio::runtime::Runtime,
    _folder: Option<TempDir>,
}

impl Database {
    /// Makes one on the server that all tests share.
    pub fn new(engine: Engine) -> Self {
        let server_url = engine.url_env.map(|_| engine.server_url()).unwrap_or_default();
        Self::on(engine, server_url)
    }

    /// Makes one on a server of that engine.
    pub fn on(engine: Engine, server_url: String) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("bt_{}_{number}", std::process::id());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        if engine.family == "sqlite" {
            let folder = TempDir::new().unwrap();
            let path = folder.path().join("test.db");
            // A zero-length file is an empty database.
            std::fs::write(&path, "").unwrap();
            let url = format!("sqlite:{}", path.display());
            return Self { engine, url, server_url, name, runtime, _folder: Some(folder) };
        }
        let mut url = url::Url::parse(&server_url).unwrap();
        runtime.block_on(async {
            let mut session = open(url.as_str()).await;
            execute(session.as_mut(), &format!("CREATE DATABASE {name}")).await;
            session.close().await;
        });
        url.set_path(&name);
        Self { engine, url: url.into(), server_url, name, runtime, _folder: None }
    }

    /// How a program that takes no URL gets in.
    pub fn login(&self) -> Login {
        Login::of(&self.url)
    }

    /// Runs statements that are separated by `;` at the end of a line. `{{id}}` becomes the
    /// engine's way to write an automatic primary key; a text that reads `numbers` gets a table
    /// `numbers (n)` of 1 to 20,000.
    pub fn script(&self, sql: &str) {
        let id = match self.engine.family {
            "sqlite" => "INTEGER PRIMARY KEY",
            "postgres" => "bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
            _ => "bigint AUTO_INCREMENT PRIMARY KEY",
        };
        let sql = sql.replace("{{id}}", id);
        self.runtime.block_on(async {
            let mut session = open(&self.url).await;
            if sql.contains("numbers") {
                for statement in NUMBERS.split(";\n") {
                    execute(session.as_mut(), statement).await;
                }
            }
            session.close().await;
        });
        self.plainly(&sql);
    }

    /// The same, where everything that is read is there already.
    pub fn plainly(&self, sql: &str) {
        self.runtime.block_on(async {
            let mut session = open(&self.url).await;
            for statement in sql.split(";\n") {
                let bare: Vec<_> =
                    statement.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
                let bare = bare.join("\n");
                if !bare.trim().is_empty() {
                    execute(session.as_mut(), bare.trim().trim_end_matches(';')).await;
                }
            }
            session.close().await;
        });
    }

    /// The first value that a query gives, `NULL` for NULL, empty if it gives no row.
    pub fn value(&self, sql: &str) -> String {
        self.runtime.block_on(async {
            let mut session = open(&self.url).await;
            let rows = session.query(&Statement::plain(sql)).await;
            session.close().await;
            let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
            match rows.into_iter().next().and_then(|row| row.into_iter().next()) {
                Some(value) => value.unwrap_or_else(|| "NULL".to_owned()),
                None => String::new(),
            }
        })
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.engine.family == "sqlite" {
            return;
        }
        let force = if self.engine.family == "postgres" { " WITH (FORCE)" } else { "" };
        let sql = format!("DROP DATABASE {}{force}", self.name);
        self.runtime.block_on(async {
            // A server that a test has killed takes its databases with it when it is removed.
            let Ok(target) = try_connect(&self.server_url).await else { return };
            if let Ok(mut session) = target.open("test").await {
                let _ = session.execute(&Statement::plain(sql)).await;
                session.close().await;
            }
        });
    }
}

/// A component of a URL without its percent-encoding.
fn decoded(component: &str) -> String {
    let mut pieces = component.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let (code, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(code, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}

const NUMBERS: &str = "\
CREATE TABLE digits (d int PRIMARY KEY);
INSERT INTO digits VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9);
CREATE TABLE numbers (n int PRIMARY KEY);
INSERT INTO numbers SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d + 1
FROM digits a, digits b, digits c, digits e, digits f WHERE f.d < 2";

/// The target behind the URL, on behalf of no job.
pub async fn try_connect(
    url: &str,
) -> Result<std::sync::Arc<dyn backstop::target::Target>, backstop::target::Error> {
    connect(Link {
        url: Secret::new(url.to_owned()),
        job: "test".to_owned(),
        time_zone: None,
        sql_mode: None,
    })
    .await
}

/// A session of our own.
pub async fn open(url: &str) -> Box<dyn Session> {
    let target = try_connect(url).await.unwrap_or_else(|error| panic!("{error}"));
    target.open("test").await.unwrap()
}

/// Runs one statement; a lock that another test's DDL holds for a moment is waited for.
pub async fn execute(session: &mut dyn Session, sql: &str) {
    for _ in 0..20 {
        match session.execute(&Statement::plain(sql)).await {
            Ok(_) => return,
            // `CREATE DATABASE` on PostgreSQL needs its template to itself.
            Err(error)
                if matches!(error.class, Class::Retry(_))
                    || error.code.as_deref().is_some_and(|code| code.contains("55006")) =>
            {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            Err(error) => panic!("{sql}: {error}"),
        }
    }
    panic!("{sql}: still refused after many attempts");
}
