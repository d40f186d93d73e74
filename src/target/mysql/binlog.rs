//! How much a batch adds to the binary log.
//!
//! MariaDB counts the bytes of each session. MySQL does not, but shows where the log ends, to
//! accounts with REPLICATION CLIENT; what others write meanwhile counts there as well. Sources:
//! <https://mariadb.com/kb/en/replication-and-binary-log-status-variables/#binlog_bytes_written>,
//! <https://dev.mysql.com/doc/refman/9.7/en/show-binary-log-status.html>.

use super::flavor::Flavor;
use crate::target::{Class, Result, Row, Statement};

/// The log as a session sees it grow.
pub(super) struct Binlog {
    /// The question; `None` where it has no answer.
    sql: Option<&'static str>,
    /// Whether what others write makes it grow as well.
    shared: bool,
    /// What the session saw last: a name, and a number of bytes.
    seen: Option<(String, u64)>,
}

impl Binlog {
    pub(super) fn of(flavor: &Flavor) -> Self {
        let sql = if flavor.mariadb {
            "SHOW SESSION STATUS LIKE 'Binlog_bytes_written'"
        } else if flavor.is_mysql_since((8, 2, 0)) {
            "SHOW BINARY LOG STATUS"
        } else {
            "SHOW MASTER STATUS"
        };
        Self { sql: Some(sql), shared: !flavor.mariadb, seen: None }
    }

    /// The question, unless it is known to have no answer.
    pub(super) fn look(&self) -> Option<Statement> {
        self.sql.map(Statement::plain)
    }

    /// Whether what was seen last is not where the next batch begins. (Each look takes MariaDB 0.3 ms,
    /// which fills in the whole of its status for it.)
    pub(super) fn is_stale(&self) -> bool {
        self.shared || self.seen.is_none()
    }

    /// Takes the answer; by how much the log has grown since the one before. `None`: there was none
    /// before, the log goes on in another file, there is no log, or the account may not see it.
    pub(super) fn grown(&mut self, answer: Result<Vec<Row>>) -> Option<u64> {
        let rows = match answer {
            Ok(rows) => rows,
            // It says nothing of the log, and the next statement meets it as well.
            Err(error) if error.is_lost() || error.class == Class::Cancelled => return None,
            Err(_) => Vec::new(),
        };
        let now = match rows.first().map(Vec::as_slice) {
            Some([Some(name), Some(bytes), ..]) => {
                bytes.parse().ok().map(|bytes| (name.clone(), bytes))
            }
            _ => None,
        };
        if now.is_none() {
            self.sql = None;
        }
        let before = std::mem::replace(&mut self.seen, now.clone());
        let ((file, from), (same, to)) = before.zip(now)?;
        if file == same { to.checked_sub(from) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Error;

    fn answer(name: &str, bytes: &str) -> Vec<Row> {
        vec![vec![Some(name.to_owned()), Some(bytes.to_owned()), None]]
    }

    #[test]
    fn only_growth_within_a_file_is_known() {
        let mut binlog = Binlog::of(&Flavor::parse("9.7.4"));
        assert_eq!(binlog.grown(Ok(answer("binlog.1", "100"))), None);
        assert_eq!(binlog.grown(Ok(answer("binlog.1", "350"))), Some(250));
        assert_eq!(binlog.grown(Ok(answer("binlog.2", "900"))), None);
        assert_eq!(binlog.grown(Ok(answer("binlog.2", "901"))), Some(1));
    }

    #[test]
    fn what_has_no_answer_is_not_asked_again() {
        let denied = Err(Error::new(Class::Refused, "access denied"));
        for answer in [denied, Ok(Vec::new())] {
            let mut binlog = Binlog::of(&Flavor::parse("10.11.14-MariaDB"));
            assert!(binlog.look().is_some());
            assert_eq!(binlog.grown(answer), None);
            assert!(binlog.look().is_none());
        }
    }
}
