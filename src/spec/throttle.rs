//! The fields of `[throttle]`. The doc comments here are the reference.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Duration, Size};

/// When the job steps aside, and how fast it may go at most. A signal that is named here and cannot
/// be read is a reason not to begin. Watched without being named, where the target tells them:
/// `replica_lag`, `blocked_sessions` and `vacuum`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Throttle {
    /// Rows that all workers together go through in a second, at most, changed or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_per_second: Option<u64>,
    /// After each batch a worker sleeps this many times as long as the batch took: 0 to 100. With 1
    /// the job works half of the time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nice: Option<f64>,
    /// The time between two looks at a signal, by default `1s` (`blocked_sessions` is looked at five
    /// times as often). From `100ms` to `10m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub look_every: Option<Duration>,
    /// A signal that was not read for so long counts as bad, and the job waits: by default ten times
    /// `look_every`, and no less than that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale_after: Option<Duration>,
    /// How far the replicas are behind, by default at most `10s`. On PostgreSQL those that stream from
    /// the target, or those that `replicas` names; on MySQL and MariaDB those that `replicas` names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica_lag: Option<ReplicaLag>,
    /// Bytes of log that a replica has still to replay (PostgreSQL), by default at most `256MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica_lag_bytes: Option<Limit<Size>>,
    /// Bytes of log that the server keeps for a replication slot, a logical one too (PostgreSQL), by
    /// default at most `4GiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retained_wal: Option<Limit<Size>>,
    /// Sessions that wait for a lock which the job holds, by default at most 3. Above it the batch in
    /// flight is cancelled, and the next one is smaller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocked_sessions: Option<Limit<u64>>,
    /// Sessions at work on the server, without the job's own (`Threads_running`), by default at most
    /// twice as many as when the job began, and ten more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub active_sessions: Option<Limit<u64>>,
    /// Bytes a second that go to the write-ahead log, the job's own included (PostgreSQL), by default
    /// at most `64MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wal_rate: Option<Limit<Size>>,
    /// Bytes a second that go to the binary log, the job's own included (MySQL, MariaDB), by default
    /// at most `64MiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binlog_rate: Option<Limit<Size>>,
    /// Segments of the write-ahead log that wait to be archived (PostgreSQL), by default at most 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wal_archive_backlog: Option<Limit<u64>>,
    /// Vacuums against transaction ID wraparound at work on the table (PostgreSQL), by default at most
    /// 0: the job waits until they are through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vacuum: Option<Limit<u64>>,
    /// Autovacuums of any kind at work on the table (PostgreSQL), by default at most 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autovacuum: Option<Limit<u64>>,
    /// Dead rows of the table as a share of all of its rows (PostgreSQL), by default at most `0.2`:
    /// the job waits for vacuum to catch up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dead_rows: Option<Limit<f64>>,
    /// Old versions of rows that wait to be purged (InnoDB's history list), by default at most
    /// 1,000,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history_list: Option<Limit<u64>>,
    /// Age of the oldest snapshot that another session holds, as it keeps the job's dead rows from
    /// being removed, by default at most `30m`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transaction_age: Option<Limit<Duration>>,
    /// Free bytes of a disk, by default at least `10GiB`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_free: Option<DiskFree>,
    /// The number that a SELECT of yours returns on the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<Query>,
    /// A URL that must answer 200, as freno's do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Http>,
    /// A command that must exit with 0. It can ask anything that has a command line, a Prometheus too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    /// A file: the job waits for as long as it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<WaitFile>,
}

/// From which value on the job waits, and from which on it goes on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limit<T> {
    /// The job waits while the value is above this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_above: Option<T>,
    /// Once it waits, it goes on when the value is at most this; by default half of `pause_above`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_below: Option<T>,
    /// Whether the signal is not looked at, also where it would be by default.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
}

impl<T> Default for Limit<T> {
    fn default() -> Self {
        Self { pause_above: None, resume_below: None, off: false }
    }
}

/// How far replicas may be behind.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReplicaLag {
    /// The job waits while a replica is further behind than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_above: Option<Duration>,
    /// Once it waits, it goes on when every replica is at most this far behind; by default half of
    /// `pause_above`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_below: Option<Duration>,
    /// Whether the signal is not looked at, also where it would be by default.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
    /// Environment variables with the URLs of the replicas to ask. Each is asked itself how far it is
    /// behind.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replicas: Vec<String>,
    /// A heartbeat table on the replicas, with the column that holds the time of the beat:
    /// `percona.heartbeat.ts`. The lag is then the age of its newest beat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<String>,
}

/// How much room a disk must have.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DiskFree {
    /// The job waits while fewer bytes are free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pause_below: Option<Size>,
    /// Once it waits, it goes on when at least this many are; by default a quarter more than
    /// `pause_below`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resume_above: Option<Size>,
    /// Whether the signal is not looked at.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub off: bool,
    /// A path on the disk to look at, on the machine of the runner. Without one the server is asked,
    /// which MariaDB answers where its plugin `disks` is installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

/// A SELECT that returns one number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Query {
    /// The statement, run on the target in a session of its own.
    pub sql: String,
    /// The job waits while the number is above this.
    pub pause_above: f64,
    /// Once it waits, it goes on when the number is at most this; by default half of `pause_above`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume_below: Option<f64>,
}

/// A URL that must answer 200.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// The URL, `http://` or `https://`. It is fetched with GET; any answer but 200 means wait.
    pub url: String,
}

/// A command that must exit with 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Command {
    /// The program and its arguments; no shell is between. Any status but 0 means wait, with the first
    /// line that it prints as the reason.
    pub run: Vec<String>,
}

/// A file whose existence means wait.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaitFile {
    /// Its path. A relative one begins at the folder of the spec. Its first line is the reason.
    pub path: String,
}

impl Throttle {
    /// Whether it says nothing. It is then no part of the canonical form.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
