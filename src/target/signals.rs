//! What a database can be asked about its health, so that a job knows when to step aside.
//!
//! A question is asked of a [`Target`](super::Target) by [`signal`](super::Target::signal), whose
//! SQL stands in the `signals.rs` of each engine. The table question × engine is total: each
//! engine matches every question, with readings or with [`Answer::NotHere`] and the reason. What a
//! number means to a job, from which value on it waits, and what counts as stale, is not decided
//! here but in `throttle`.

use super::Row;
use crate::catalog::TableName;

/// What is asked.
///
/// The sessions that a question names are those of the job itself, as [`Session::id`] gives them.
///
/// [`Session::id`]: super::Session::id
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Positions in the log of changes, in bytes from a fixed point: the first reading is the
    /// server's own (`of` is `None`), each other one how far a replica that is connected to it has
    /// replayed.
    Positions,
    /// Bytes of log that the server keeps for a replication slot, one reading each.
    RetainedLog,
    /// Seconds by which this server, a replica, is behind its primary. One reading for each source
    /// that it has.
    OwnLag,
    /// Seconds since the newest entry of a heartbeat table, by this server's clock. A time that
    /// carries no offset is taken for UTC: a text, a `timestamp without time zone` or a `DATETIME`.
    Heartbeat {
        /// The table.
        table: TableName,
        /// The column of it that holds the time of the beat.
        column: String,
    },
    /// Sessions that wait for a lock which one of these sessions holds.
    Blocked {
        /// The job's sessions.
        sessions: Vec<String>,
    },
    /// Sessions that are at work on a statement, without these and the one that asks.
    Active {
        /// The job's sessions.
        sessions: Vec<String>,
    },
    /// Bytes that the server has written to its write-ahead log since a fixed point.
    WalWritten,
    /// Bytes that the server has written to its binary log since a fixed point.
    BinlogWritten,
    /// Segments of the write-ahead log that wait to be archived.
    ArchiveBacklog,
    /// Vacuums against transaction ID wraparound that work on the table at this moment.
    WraparoundVacuum {
        /// The job's table; its partitions are meant too.
        table: TableName,
    },
    /// Autovacuums, of any reason, that work on the table at this moment.
    Autovacuum {
        /// The job's table; its partitions are meant too.
        table: TableName,
    },
    /// Dead rows of the table as a share of all its rows, dead and live, from 0 to 1.
    DeadRows {
        /// The job's table; of its partitions the worst one is meant.
        table: TableName,
    },
    /// Old versions of rows that wait to be purged (InnoDB's history list).
    HistoryList,
    /// Age in seconds of the oldest snapshot that another session holds, as it keeps old versions
    /// of rows from being removed; 0 where there is none.
    TransactionAge {
        /// The job's sessions.
        sessions: Vec<String>,
    },
    /// Free bytes of the disk that the data stand on.
    DiskFree,
    /// The number that a SELECT of the user's returns.
    Number {
        /// The statement.
        sql: String,
    },
}

impl Question {
    /// One of each, for tests that hold every engine to answer all of them.
    #[must_use]
    pub fn one_of_each(table: &TableName, sessions: &[String]) -> Vec<Self> {
        let (table, sessions) = (table.clone(), sessions.to_vec());
        vec![
            Self::Positions,
            Self::RetainedLog,
            Self::OwnLag,
            Self::Heartbeat { table: table.clone(), column: "at".into() },
            Self::Blocked { sessions: sessions.clone() },
            Self::Active { sessions: sessions.clone() },
            Self::WalWritten,
            Self::BinlogWritten,
            Self::ArchiveBacklog,
            Self::WraparoundVacuum { table: table.clone() },
            Self::Autovacuum { table: table.clone() },
            Self::DeadRows { table },
            Self::HistoryList,
            Self::TransactionAge { sessions },
            Self::DiskFree,
            Self::Number { sql: "SELECT 1".into() },
        ]
    }
}

/// What a database says to a [`Question`].
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The database has no such thing, or does not tell it in SQL; a sentence, for people.
    NotHere(&'static str),
    /// What was read. Nothing at all is an answer only to questions that ask for a list
    /// ([`Positions`](Question::Positions) without replicas, [`RetainedLog`](Question::RetainedLog)).
    Read(Vec<Reading>),
}

impl Answer {
    /// The one number of a user's SELECT: the first column of its only row.
    #[must_use]
    pub fn number(rows: &[Row]) -> Self {
        let value = match rows {
            [] => Err("it returned no row".to_owned()),
            [row] => match row.as_slice() {
                [Some(text)] => figure(text),
                [None] => Err("it returned NULL".to_owned()),
                _ => Err(format!("it returned {} columns in place of one number", row.len())),
            },
            _ => Err(format!("it returned {} rows in place of one number", rows.len())),
        };
        Self::Read(vec![Reading { of: None, value }])
    }

    /// The value of the one thing that was asked for.
    pub(super) fn one(reading: Reading) -> Self {
        Self::Read(vec![reading])
    }
}

/// The first cells of a row; NULL and what is not there are `None`.
pub(super) fn cells<const N: usize>(row: Row) -> [Option<String>; N] {
    let mut cells = row.into_iter();
    std::array::from_fn(|_| cells.next().flatten())
}

/// A number as databases write it; truth values count as 1 and 0.
fn figure(text: &str) -> std::result::Result<f64, String> {
    match text.trim() {
        "t" | "true" => Ok(1.0),
        "f" | "false" => Ok(0.0),
        number => match number.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            _ => Err(format!("it returned `{number}`, which is no number")),
        },
    }
}

/// One line of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Whose value it is, where there are several: `replica db-2`, `slot debezium`.
    pub of: Option<String>,
    /// The value in the unit of the question, or why it cannot be told: that counts as bad.
    pub value: std::result::Result<f64, String>,
}

impl Reading {
    /// The value of the one thing that was asked for.
    #[must_use]
    pub const fn plain(value: f64) -> Self {
        Self { of: None, value: Ok(value) }
    }

    /// The value of one of several.
    #[must_use]
    pub fn of(name: impl Into<String>, value: std::result::Result<f64, String>) -> Self {
        Self { of: Some(name.into()), value }
    }

    /// Why the value of the one thing that was asked for cannot be told.
    pub(super) fn untold(reason: impl Into<String>) -> Self {
        Self { of: None, value: Err(reason.into()) }
    }

    /// What a server said in place of a number of ours: NULL is none.
    pub(super) fn told(of: Option<String>, text: Option<&str>) -> Self {
        let value = match text {
            Some(text) => figure(text),
            None => Err("the server answers with NULL".to_owned()),
        };
        Self { of, value }
    }

    /// The age of a heartbeat in seconds as the server reckons it, from times that it takes for UTC
    /// where they do not say. Clocks differ; a beat that is ahead by more than a second was written
    /// in another zone, or by a clock that is wrong, and then no lag can be told from it.
    pub(super) fn beat(age: Option<&str>) -> Self {
        let Some(age) = age else {
            return Self::untold(
                "the heartbeat table has no entry with a time; does whatever beats run?",
            );
        };
        let value = figure(age).and_then(|age| {
            if age < -1.0 {
                return Err(format!(
                    "its newest entry is {:.0} s in the future: a time without an offset is taken \
                     for UTC (`pt-heartbeat` needs `--utc` for that), and the clocks must agree",
                    -age
                ));
            }
            Ok(age.max(0.0))
        });
        Self { of: None, value }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_a_reason() {
        let told = |text| Reading::told(None, text).value;
        assert_eq!(told(Some("12.5")), Ok(12.5));
        assert_eq!(told(Some("true")), Ok(1.0));
        for bad in [None, Some(""), Some("NaN"), Some("infinity"), Some("off")] {
            assert!(told(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_heartbeat_from_the_future_tells_no_lag() {
        let beat = |age| Reading::beat(age).value;
        assert_eq!(beat(Some("3.25")), Ok(3.25));
        assert_eq!(beat(Some("-0.004")), Ok(0.0));
        assert!(beat(Some("-3600.5")).unwrap_err().contains("UTC"));
        assert!(beat(None).unwrap_err().contains("no entry"));
    }
}
