//! Its connections: each statement carries the comment, and a connection that is lost is made anew.

use std::sync::Arc;

use backstop::spec::Secret;
use backstop::target::{Error, Link, Row, Session, Statement, Target, connect};

use super::state::Double;

/// A connection.
pub struct Database {
    target: Arc<dyn Target>,
    session: Option<Box<dyn Session>>,
}

/// User and password, as the file of `--conf` has them.
fn credentials(path: &str) -> Result<(String, String), String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("open {path}: {error}"))?;
    let of = |name: &str| {
        let value = text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then(|| value.trim())
        });
        value.map(|value| value.trim_matches('"').to_owned()).unwrap_or_default()
    };
    Ok((of("user"), of("password")))
}

/// A text as a part of a URL.
fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(letter).collect()
}

impl Database {
    /// Makes one.
    pub async fn connect(double: &Double) -> Result<Self, String> {
        let flags = &double.flags;
        let (user, password) = credentials(flags.text("conf"))?;
        let url = format!(
            "mysql://{}:{}@{}:{}/{}",
            encoded(&user),
            encoded(&password),
            flags.text("host"),
            flags.number("port", 3306),
            encoded(flags.text("database"))
        );
        let link = Link {
            url: Secret::new(url),
            job: "gh-ost".to_owned(),
            time_zone: None,
            sql_mode: None,
        };
        let target = connect(link).await.map_err(|error| error.to_string())?;
        let mut database = Self { target, session: None };
        database.session().await.map_err(|error| error.to_string())?;
        Ok(database)
    }

    /// Another one to the same server.
    pub fn another(&self) -> Self {
        Self { target: self.target.clone(), session: None }
    }

    /// The session, made anew where it was lost.
    pub async fn session(&mut self) -> Result<&mut dyn Session, Error> {
        if self.session.is_none() {
            self.session = Some(self.target.open("gh-ost").await?);
        }
        Ok(self.session.as_mut().expect("it was just made").as_mut())
    }

    fn note<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if result.as_ref().is_err_and(Error::is_lost) {
            self.session = None;
        }
        result
    }

    /// Runs a statement; the rows that it touched.
    pub async fn execute(&mut self, sql: &str) -> Result<u64, Error> {
        assert!(sql.contains("/* gh-ost"), "every statement is known by its comment: {sql}");
        let done = self.session().await?.execute(&Statement::plain(sql)).await;
        self.note(done)
    }

    /// Runs a query.
    pub async fn query(&mut self, sql: &str) -> Result<Vec<Row>, Error> {
        assert!(sql.contains("/* gh-ost"), "every statement is known by its comment: {sql}");
        let rows = self.session().await?.query(&Statement::plain(sql)).await;
        self.note(rows)
    }

    /// Runs a query whose columns are known by their names only.
    pub async fn named(&mut self, sql: &str, names: &[&str]) -> Result<Vec<Row>, Error> {
        let rows = self.session().await?.query_columns(&Statement::plain(sql), names).await;
        self.note(rows)
    }

    /// The first column of what a query gives, without its NULLs.
    pub async fn column(&mut self, sql: &str) -> Result<Vec<String>, Error> {
        let rows = self.query(sql).await?;
        Ok(rows.into_iter().filter_map(|row| row.into_iter().next().flatten()).collect())
    }

    /// The first number that a query gives.
    pub async fn number(&mut self, sql: &str) -> Result<u64, Error> {
        let column = self.column(sql).await?;
        Ok(column.first().and_then(|text| text.parse().ok()).unwrap_or_default())
    }
}

/// A name between quotes.
pub fn name(text: &str) -> String {
    format!("`{text}`")
}

/// A text between quotes.
pub fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
