//! The fields of a job spec. The doc comments here are the reference: `backstop schema job`
//! prints them.

use std::fmt;
use std::ops::RangeInclusive;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{After, Assignments, Duration, Limits, Size, Throttle};

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
    /// When it steps aside, and how fast it may go.
    #[serde(default, skip_serializing_if = "Throttle::is_empty")]
    pub throttle: Throttle,
    /// When it may work, and how far one run goes.
    #[serde(default, skip_serializing_if = "Limits::is_empty")]
    pub limits: Limits,
    /// What is checked at the end.
    #[serde(default)]
    pub verify: Verify,
    /// What is done for the table when every row is written.
    #[serde(default, skip_serializing_if = "After::is_empty")]
    pub after: After,
    /// With this section the values that the job overwrites are kept, each with its row's key, in a
    /// table of the target beside the fence: written by the batch's own transaction, so that
    /// `backstop undo` can put back exactly what the job changed. It needs the fence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// What can kill it from outside.
    #[serde(default, skip_serializing_if = "Control::is_empty")]
    pub control: Control,
    /// The job whose writes this one undoes. No file can say so: it is no field of the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(skip)]
    pub restores: Option<Restores>,
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
    /// The partition to which the job keeps, by its name; by default the whole table. On MySQL and
    /// MariaDB also a subpartition. On PostgreSQL a partition is a table as well: `orders_2024`, or
    /// `archive.orders_2024`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// Column = SQL expression over the row, in order. A row whose values would not change is not
    /// written.
    pub set: Assignments,
    /// The rows to change, as a SQL condition; by default all.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// The result depends on how often a row is written (`n = n + 1`, a random value): the fence
    /// is then required, and each row is written once in every generation of the job.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exactly_once: bool,
    /// Whether rows and cursor commit together through the table `backstop_fence` in the target.
    /// Without it only a convergent job runs: one that gives the same result however often a row
    /// is written. By default on wherever the table may be created.
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub fence: bool,
}

const fn yes() -> bool {
    true
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
const fn is_true(value: &bool) -> bool {
    *value
}

/// What `target_time` may be.
pub const TARGET_TIMES: RangeInclusive<std::time::Duration> =
    std::time::Duration::from_millis(1)..=std::time::Duration::from_mins(1);

/// What `max_rows` may be.
pub const MAX_ROWS: RangeInclusive<u64> = 1..=1_000_000;

/// What `max_log` may be. Less is less than a single row may need.
pub const MAX_LOG: RangeInclusive<Size> = Size(64 << 10)..=Size(1 << 40);

/// What `workers` may be.
pub const WORKERS: RangeInclusive<u32> = 1..=64;

/// How the job is cut into batches.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Batch {
    /// The duration that a batch should take; the number of rows follows. By default `250ms`, and
    /// `20ms` on SQLite, where a batch holds the file's only write lock. From `1ms` to `1m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_time: Option<Duration>,
    /// No batch has more rows than this, however fast they are: 1 to 1,000,000. By default 10,000:
    /// the batch that first meets rows that are slower by far is then still a small one, and so is
    /// what a batch logs, all of which a commit of the application may have to write to disk first.
    pub max_rows: u64,
    /// No batch should add more than this to the server's log (the WAL on PostgreSQL, the binary log
    /// on MySQL and MariaDB), which replicas and archives have to take in: `64KiB` to `1TiB`, by
    /// default `64MiB`. The number of rows follows. Where the server counts for all of its sessions
    /// together (not MariaDB), what others write meanwhile counts as well, and where it does not
    /// tell, nothing is limited: SQLite, a server without a binary log, MySQL for an account without
    /// `REPLICATION CLIENT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_log: Option<Size>,
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
    /// Which rows a batch is counted in. By default `key`: all rows along the key, so that no
    /// statement reads more than `max_rows` of them, however few match `where`. `predicate`: the
    /// rows that match `where`, found by the index that serves it; worth it where few rows do.
    #[serde(skip_serializing_if = "Walk::is_key")]
    pub walk: Walk,
    /// What a batch's commit waits for. By default `sync`: for what the server is set to, as a rule
    /// its disk. `async`, on PostgreSQL and with the fence: for nothing (`synchronous_commit = off`).
    /// A crash of the server may then undo the latest batches, rows and cursor together, and the job
    /// goes on from before them; whenever the job stops, pauses or ends, all of it is on disk.
    #[serde(skip_serializing_if = "Durability::is_sync")]
    pub durability: Durability,
}

/// Which rows a batch is counted in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Walk {
    /// All rows along the key.
    #[default]
    Key,
    /// The rows that match `where`, in the order of the key.
    Predicate,
}

impl Walk {
    /// Whether it is the default, and so no part of the canonical form.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    const fn is_key(&self) -> bool {
        matches!(self, Self::Key)
    }
}

/// What a batch's commit waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// What the server is set to.
    #[default]
    Sync,
    /// Nothing; a stop and the end of a range wait for all that was written before.
    Async,
}

impl Durability {
    /// Whether it is the default, and so no part of the canonical form.
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    const fn is_sync(&self) -> bool {
        matches!(self, Self::Sync)
    }
}

impl Default for Batch {
    fn default() -> Self {
        Self {
            target_time: None,
            max_rows: 10_000,
            max_log: None,
            workers: 1,
            pause: None,
            key: None,
            walk: Walk::Key,
            durability: Durability::Sync,
        }
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
    /// Evaluate `expect` for about so many rows and not for all: the table is cut into up to 100 pieces
    /// of about as many rows each, and the first rows of every piece are looked at, one after the other
    /// along the key. Whether rows remain, and `checksum`, are about all rows all the same. In a table of
    /// no more rows than that, and after rows were written late, `expect` is evaluated for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample: Option<u64>,
    /// Put a checksum over the key and the assigned columns of all rows into the report: equal tables
    /// have equal ones, in whatever order their rows lie. It can be compared between tables of one
    /// database product. By default off, for it makes the server render each value as text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub checksum: bool,
    /// For `backstop verify --watch`: the column that tells when a row was last written, such as
    /// `updated_at`, which has an index. Then only rows that were written since are looked at, and not
    /// the whole table again and again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<String>,
}

/// What `keep` may be.
pub const KEEP: RangeInclusive<std::time::Duration> =
    std::time::Duration::from_hours(1)..=std::time::Duration::from_hours(10 * 365 * 24);

/// How what the job overwrites is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    /// How long a row's old values are kept: `30d`, `12h`, from `1h` to ten years. The end of each run
    /// removes those that are older, and so does `backstop undo JOB --expire`.
    pub keep: Duration,
}

/// Which writes a job undoes that `backstop undo` has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Restores {
    /// The job.
    pub job: String,
    /// Its generation.
    pub generation: u32,
}

/// What can kill the job from outside, beside OS signals, commands and the team's own switches.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Control {
    /// The kill file: as soon as something stands at this path the job is killed, and it does not
    /// begin as long as it stands there. Its first line is taken as the reason. A relative path
    /// begins at the folder of the spec.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_file: Option<String>,
}

impl Control {
    /// Whether it names nothing. It is then no part of the canonical form.
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
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
