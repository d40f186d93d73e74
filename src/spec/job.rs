//! The fields of a job spec. The doc comments here are the reference: `backstop schema job`
//! prints them.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Assignments;

/// A backfill job.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSpec {
    /// What the job is called and whose it is.
    pub job: Job,
    /// The database that it writes to.
    pub target: Target,
    /// What it writes.
    pub update: Update,
    /// How it is cut into batches.
    #[serde(default)]
    pub batch: Batch,
    /// What is checked at the end.
    #[serde(default)]
    pub verify: Verify,
}

/// What the job is called and whose it is.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The job's name: its identity in the journal, in the fence and in metrics. Lower-case
    /// letters, digits, `-` and `_`, at most 63 of them.
    pub name: String,
    /// One sentence for the people who meet the job at night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The ticket that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<String>,
}

/// The database that the job writes to. Exactly one of `url_env` and `url`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The target's name in metrics and messages; by default the database's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The environment variable that holds the URL: `postgres://`, `mysql://`, `mariadb://` or
    /// `sqlite:`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url_env: Option<String>,
    /// The URL itself, with `${VAR}` for every secret part. A password may not stand here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The session's time zone, for expressions that depend on it; by default the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// The session's `sql_mode` on MySQL and MariaDB; by default the server's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql_mode: Option<String>,
}

/// An update in place.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// The table: `orders`, `shop.orders`, or quoted as in SQL.
    pub table: String,
    /// Column = SQL expression over the row, in order. A row whose values would not change is not
    /// written.
    pub set: Assignments,
    /// The rows to change, as a SQL condition; by default all.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
}

/// How the job is cut into batches.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Batch {
    /// The duration that a batch should take; the number of rows follows. By default `250ms`, and
    /// `20ms` on SQLite, where a batch holds the file's only write lock. From `1ms` to `1m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_time: Option<Duration>,
    /// No batch has more rows than this, however fast they are: 1 to 1,000,000. By default 20,000:
    /// the batch that first meets rows that are slower by far is then still a small one.
    pub max_rows: u64,
    /// Ranges that are walked in parallel, each on its own connection: 1 to 64. SQLite has one
    /// writer and so takes 1.
    pub workers: u32,
    /// A pause after every batch of each worker. By default none, and on SQLite as long as the
    /// batch took, so that the application gets its turn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause: Option<Duration>,
    /// The columns to walk along: a unique key over columns that are not null. By default the
    /// primary key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Vec<String>>,
}

impl Default for Batch {
    fn default() -> Self {
        Self { target_time: None, max_rows: 20_000, workers: 1, pause: None, key: None }
    }
}

/// What is checked after the last batch, in one pass over the table.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Count the rows that still match `where` (without one: those that another run would
    /// change). By default on wherever there is a `where`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<bool>,
    /// A SQL condition that must be true for every row of the table afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
}

impl JobSpec {
    /// The canonical form: what the hash covers, what the journal keeps, what a changed spec is
    /// compared with. Holds no secret, because a spec holds none.
    #[must_use]
    pub fn canonical(&self) -> serde_json::Value {
        // Serializing a tree of strings, numbers and lists cannot fail.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The hash that pins what was reviewed: SHA-256 of the canonical form, in hexadecimal.
    #[must_use]
    pub fn hash(&self) -> String {
        use fmt::Write as _;
        let digest = Sha256::digest(self.canonical().to_string().as_bytes());
        digest.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// Whether the rows that still match are counted at the end.
    #[must_use]
    pub fn checks_remaining(&self) -> bool {
        self.verify.remaining.unwrap_or(self.update.filter.is_some())
    }
}

/// A duration such as `250ms`, `2s` or `1m 30s`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration(pub std::time::Duration);

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse::<jiff::SignedDuration>()
            .ok()
            .and_then(|signed| std::time::Duration::try_from(signed).ok())
            .map(Self)
            .ok_or_else(|| {
                serde::de::Error::custom(format!(
                    "`{text}` is not a duration; write for example \"250ms\", \"2s\" or \"1m 30s\""
                ))
            })
    }
}

impl Serialize for Duration {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            Ok(signed) => write!(f, "{signed:#}"),
            Err(_) => write!(f, "{:?}", self.0),
        }
    }
}

impl JsonSchema for Duration {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "A duration: `250ms`, `2s`, `1m 30s`.",
            "examples": ["250ms", "2s", "1m 30s"],
        })
    }
}
