//! Facts about a database that the plan and the gate share: tables, columns, keys, sizes, versions.
//!
//! This room is pure. The dialects in `target` fill these types; nobody here asks a server.

mod release;

use std::fmt;

use serde::Serialize;

pub use release::{Engine, Release};

/// A table's name as a person wrote it: optionally qualified, each part optionally quoted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableName {
    /// The schema (PostgreSQL) or database (MySQL, MariaDB), when it was given.
    pub schema: Option<String>,
    /// The table.
    pub name: String,
    /// Whether the table's part was written in quotes, and so must match letter by letter.
    pub quoted: bool,
}

impl TableName {
    /// Reads `orders`, `shop.orders`, `"Odd.Name"`, `` `select` `` or `sales."Order"`.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts: Vec<(String, bool)> = Vec::new();
        let mut rest = text.trim();
        loop {
            let (part, tail) = match rest.chars().next() {
                Some(quote @ ('"' | '`')) => {
                    let (part, tail) = take_quoted(&rest[1..], quote)
                        .ok_or_else(|| format!("the quote in `{text}` is not closed"))?;
                    ((part, true), tail)
                }
                _ => {
                    let end = rest.find('.').unwrap_or(rest.len());
                    ((rest[..end].trim().to_owned(), false), &rest[end..])
                }
            };
            if part.0.is_empty() {
                return Err(format!("`{text}` has an empty part"));
            }
            parts.push(part);
            match tail.strip_prefix('.') {
                Some(tail) => rest = tail,
                None if tail.trim().is_empty() => break,
                None => return Err(format!("`{text}` goes on after the closing quote")),
            }
        }
        match parts.as_slice() {
            [(name, quoted)] => Ok(Self { schema: None, name: name.clone(), quoted: *quoted }),
            [(schema, _), (name, quoted)] => {
                Ok(Self { schema: Some(schema.clone()), name: name.clone(), quoted: *quoted })
            }
            _ => Err(format!("`{text}` has more than two parts; write `schema.table`")),
        }
    }
}

fn take_quoted(rest: &str, quote: char) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut chars = rest.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if c != quote {
            part.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            chars.next();
            part.push(quote);
        } else {
            return Some((part, &rest[at + quote.len_utf8()..]));
        }
    }
    None
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}.")?;
        }
        f.write_str(&self.name)
    }
}

/// What a key column's values are, as far as splitting the key space needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// Integers of any width and sign, and decimals without a fraction.
    Integer,
    /// Text, UUIDs and everything else that the server orders and shows as text.
    Text,
    /// Bytes, which travel as hexadecimal text.
    Bytes,
}

/// A column of a table.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    /// Its name, exactly.
    pub name: String,
    /// Its type in the server's own words, fit to stand in a `CAST` where the dialect uses one.
    pub type_sql: String,
    /// Whether it can hold NULL.
    pub nullable: bool,
    /// Whether its value is computed by the server and cannot be assigned.
    pub generated: bool,
    /// Whether the server itself sets it in every row that changes (`ON UPDATE CURRENT_TIMESTAMP`).
    pub self_updating: bool,
    /// What it is as a key column; an `Err` says why it cannot be one.
    pub key_kind: Result<KeyKind, String>,
}

/// A column of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KeyColumn {
    /// Its name, exactly.
    pub name: String,
    /// Whether the index descends in it.
    pub descending: bool,
    /// The index's collation, where a comparison has to name it to mean the order of the index.
    pub collation: Option<String>,
}

impl KeyColumn {
    /// One that ascends, and that comparisons need not say more of.
    #[must_use]
    pub fn ascending(name: impl Into<String>) -> Self {
        Self { name: name.into(), descending: false, collation: None }
    }
}

/// A primary key or a unique index, as a candidate for the walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Key {
    /// The index's name; SQLite's rowid has none.
    pub index: Option<String>,
    /// Its columns in order.
    pub columns: Vec<KeyColumn>,
    /// Whether it is the primary key (or SQLite's rowid).
    pub primary: bool,
    /// Why the walk cannot use it, if it cannot: partial, an expression, not valid, ….
    pub unusable: Option<String>,
}

impl Key {
    /// Its columns in the direction of the walk. An index that descends in all of them is walked
    /// from its end, upwards, like one that ascends in all of them.
    #[must_use]
    pub fn walked(&self) -> Vec<KeyColumn> {
        let backwards = self.columns.iter().all(|column| column.descending);
        let column = |column: &KeyColumn| KeyColumn {
            descending: column.descending && !backwards,
            ..column.clone()
        };
        self.columns.iter().map(column).collect()
    }

    /// The names of its columns.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.clone()).collect()
    }
}

/// How many rows a table has, as far as the catalog knows without reading it.
#[derive(Debug, Clone, Serialize)]
pub struct RowEstimate {
    /// Rows.
    pub rows: u64,
    /// Where the number is from, such as `pg_class.reltuples`.
    pub source: String,
    /// Whether nobody has counted, so that the distribution of the values is not known either.
    pub guessed: bool,
}

/// A table, resolved.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    /// The schema or database that holds it.
    pub schema: String,
    /// Its name, exactly.
    pub name: String,
    /// The partition that is meant, where partitions are no tables of their own (MySQL, MariaDB).
    pub partition: Option<String>,
    /// Identifies the table within its database across renames where the server has such a
    /// number (PostgreSQL's `oid`), else its qualified name.
    pub identity: String,
    /// Its columns in order.
    pub columns: Vec<Column>,
    /// Candidates for the key, the primary key first.
    pub keys: Vec<Key>,
    /// The size estimate; `None` where the catalog has none.
    pub estimate: Option<RowEstimate>,
    /// The triggers and rules that an update sets off: they may change what it writes.
    pub triggers: Vec<String>,
    /// Things a person should know before writing: triggers, foreign keys that cascade, ….
    pub remarks: Vec<String>,
}

impl Table {
    /// The column of that exact name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.schema, self.name)?;
        match &self.partition {
            Some(partition) => write!(f, " PARTITION ({partition})"),
            None => Ok(()),
        }
    }
}

/// What a look-up of a table found.
#[derive(Debug, Clone)]
pub enum Lookup {
    /// An ordinary or partitioned table.
    Found(Box<Table>),
    /// Something of that name that cannot be walked and written in batches.
    NotATable {
        /// `view`, `foreign table`, ….
        kind: String,
    },
    /// Nothing of that name; `close` are the names of tables that look like it.
    Missing {
        /// Tables of the database with a similar name.
        close: Vec<String>,
    },
}

/// The names out of `candidates` that a person may have meant by `wanted`, best first, at most three.
#[must_use]
pub fn closest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted, &name.to_lowercase()), name))
        // Below 0.8 the suggestion reads as noise: `orders` and `users` score 0.75.
        .filter(|(score, _)| 0.8 <= *score)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
}

/// The server behind a session.
#[derive(Debug, Clone, Serialize)]
pub struct Server {
    /// `PostgreSQL`, `MySQL`, `MariaDB` or `SQLite`.
    pub product: &'static str,
    /// Its version as it says it.
    pub version: String,
    /// The database that unqualified names resolve in.
    pub database: String,
    /// Differs between any two servers: proves that two sessions reached the same one. It may
    /// change when the server restarts, so it is compared within one run and never stored.
    pub identity: String,
    /// Why it takes no writes, if it takes none.
    pub read_only: Option<String>,
    /// Session settings that change what an expression means, as the job's sessions have them.
    pub settings: Vec<Setting>,
    /// Settings under which the batch protocol would not hold, each with its reason.
    pub unsuitable: Vec<String>,
    /// The cluster that it is a node of, whose nodes take writes but share no session locks.
    pub cluster: Option<&'static str>,
}

/// One session setting that changes what SQL means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// Its name on this server.
    pub name: String,
    /// The value that the job's sessions have.
    pub value: String,
    /// Where the value is from: `server`, `database`, `role`, `url`, `spec`, or `assumed`.
    pub source: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_names_are_read_part_by_part() {
        let cases = [
            ("orders", None, "orders", false),
            ("shop.orders", Some("shop"), "orders", false),
            ("\"Odd.Name\"", None, "Odd.Name", true),
            ("sales.\"a\"\"b\"", Some("sales"), "a\"b", true),
            ("`select`", None, "select", true),
        ];
        for (text, schema, name, quoted) in cases {
            let parsed = TableName::parse(text).unwrap();
            assert_eq!(parsed.schema.as_deref(), schema, "{text}");
            assert_eq!(parsed.name, name, "{text}");
            assert_eq!(parsed.quoted, quoted, "{text}");
        }
        for bad in ["", ".", "a.", "a.b.c", "\"open", "\"a\"b"] {
            assert!(TableName::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_mixture_of_directions_is_walked_downwards() {
        let walked = |descending: &[bool]| {
            let column = |descending: &bool| KeyColumn {
                descending: *descending,
                ..KeyColumn::ascending("c")
            };
            let columns = descending.iter().map(column).collect();
            let key = Key { index: None, columns, primary: true, unusable: None };
            key.walked().iter().map(|column| column.descending).collect::<Vec<_>>()
        };
        assert_eq!(walked(&[false, false]), [false, false]);
        assert_eq!(walked(&[true, true]), [false, false]);
        assert_eq!(walked(&[true, false]), [true, false]);
    }

    #[test]
    fn suggestions_are_close_or_absent() {
        assert_eq!(closest("ordrs", ["orders", "users"]), ["orders"]);
        assert!(closest("zebra", ["orders", "users"]).is_empty());
    }
}
