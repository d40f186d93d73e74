//! Statements with their parameters, and how they are put together. Pure.

use super::Dialect;

/// A statement and the values of its parameters, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL, with the dialect's placeholders.
    pub sql: String,
    /// One value for each placeholder.
    pub binds: Vec<Bind>,
}

impl Statement {
    /// A statement without parameters.
    #[must_use]
    pub fn plain(sql: impl Into<String>) -> Self {
        Self { sql: sql.into(), binds: Vec::new() }
    }

    /// The same statement behind a comment, which the server shows in its list of sessions. The
    /// label must not hold `*/`.
    #[must_use]
    pub fn labelled(mut self, label: &str) -> Self {
        self.sql.insert_str(0, &format!("/* {label} */ "));
        self
    }
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bind {
    /// Text; key values travel so, and the SQL around the placeholder casts them.
    Text(Option<String>),
    /// A number that belongs to us and not to the user's table.
    Int(i64),
}

/// Collects binds while their placeholders are written.
pub struct Writer<'a> {
    dialect: &'a dyn Dialect,
    /// The SQL so far.
    pub sql: String,
    binds: Vec<Bind>,
}

impl<'a> Writer<'a> {
    /// An empty statement.
    #[must_use]
    pub fn new(dialect: &'a dyn Dialect) -> Self {
        Self { dialect, sql: String::new(), binds: Vec::new() }
    }

    /// Appends SQL.
    pub fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Appends a placeholder for the value.
    pub fn bind(&mut self, value: Bind) -> &mut Self {
        let placeholder = self.placeholder(value);
        self.sql.push_str(&placeholder);
        self
    }

    /// Takes the value and returns its placeholder, for SQL that is written around it.
    pub fn placeholder(&mut self, value: Bind) -> String {
        self.binds.push(value);
        self.dialect.placeholder(self.binds.len())
    }

    /// Appends a placeholder for a text.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.bind(Bind::Text(Some(value.to_owned())))
    }

    /// Appends a placeholder for a number.
    pub fn int(&mut self, value: u64) -> &mut Self {
        // Counters of rows and batches stay far below 2^63.
        self.bind(Bind::Int(i64::try_from(value).unwrap_or(i64::MAX)))
    }

    /// The finished statement.
    #[must_use]
    pub fn finish(self) -> Statement {
        Statement { sql: self.sql, binds: self.binds }
    }
}
