//! What `sqlx` and the server say, sorted by what must happen next.

use std::io;

use sqlx::error::DatabaseError;
use sqlx::mysql::MySqlDatabaseError;

use crate::event::RetryReason;
use crate::target::{Class, Error};

/// "Unknown thread id": the session that `KILL` names has ended.
pub(super) const NO_SUCH_THREAD: &str = "1094";

/// "This command is not supported in the prepared statement protocol yet".
pub(super) const NOT_PREPARABLE: &str = "1295";

/// "Unhandled user-defined exception": what a trigger signals.
const SIGNALLED: &str = "45000";

/// The class of a server's error number. Numbers below 1900 mean the same on both products;
/// from 1900 on, those named here are used by one product only, except where a comment says so.
fn class(number: u16, message: &str) -> Class {
    match number {
        // Deadlock; the XA variant of it; 3058 is a deadlock of `GET_LOCK`.
        1213 | 1614 | 3058 => Class::Retry(RetryReason::Deadlock),
        // Row lock or metadata lock not granted in time. The server undoes the statement only:
        // the caller rolls back. 3572 is `NOWAIT` on MySQL; on MariaDB that is 1205 as well.
        1205 | 1613 | 3572 => Class::Retry(RetryReason::LockTimeout),
        // Record or table changed under us; a prepared statement outdated three times in a row;
        // Group Replication's certification chose another member's transaction.
        1020 | 1412 | 1615 | 3101 => Class::Retry(RetryReason::Serialization),
        // `max_statement_time` (MariaDB), `max_execution_time` (MySQL).
        1969 | 3024 => Class::Retry(RetryReason::StatementTimeout),
        // `KILL QUERY`; in the middle of a sort it is reported as the sort's failure.
        1317 => Class::Cancelled,
        1028 if message.contains("interrupted") => Class::Cancelled,
        // `KILL CONNECTION`, or the server shuts down: whoever knows that the server lives can tell
        // the two apart.
        1053 | 1927 | 3169 => Class::Terminated,
        // Shutdown, an aborted connection, a broken network; 4031 is `wait_timeout`. 1180 is a
        // failed COMMIT, whose outcome only the fence can tell.
        1077..=1079 | 1152 | 1158..=1161 | 1180 | 1184 | 4031 => Class::Lost,
        // No slot is free, for anybody or for this account: one is had again later.
        1040 | 1203 => Class::Lost,
        1226 if message.contains("max_user_connections") => Class::Lost,
        // Not let in: account, host, database, per-account limits.
        1044 | 1045 | 1049 | 1129 | 1130 | 1226 | 1251 | 1524 | 1698 | 3118 | 3168
        // Takes no writes: `read_only`, a read-only transaction, InnoDB read-only, a Galera node
        // out of its cluster, Group Replication refusing.
        | 1290 | 1792 | 1836 | 1874 | 1047 | 3100
        // Out of disk, memory or prepared statements: no other row would fare better.
        | 1021 | 1037 | 1041 | 1114 | 1135 | 1461 => Class::Unsuitable,
        _ if is_of_a_row(number) => Class::Poison,
        _ => Class::Refused,
    }
}

/// Whether the values of a row are at fault. Sources:
/// <https://dev.mysql.com/doc/mysql-errors/9.5/en/server-error-reference.html> and
/// <https://mariadb.com/docs/server/reference/error-codes>.
fn is_of_a_row(number: u16) -> bool {
    match number {
        // NULL where none may be; a unique key; a foreign key, from either side.
        1048 | 1263 | 1022 | 1062 | 1169 | 1586 | 1216 | 1217 | 1451 | 1452 | 1557 | 1761 | 1762
        // A check constraint (MySQL, MariaDB); the check option of a view; no partition for it.
        | 3819 | 4025 | 1369 | 1526 | 1748
        // A value that is out of range, cut, of a wrong form, or a division by zero.
        | 1264 | 1265 | 1292 | 1365 | 1366 | 1367 | 1406 | 1411 | 1416 | 1441 | 1690 | 3751 | 3752
        // A row that is too long for a page; a value that is too long for a packet.
        | 1118 | 1153
        // A subquery that gives several rows; what a trigger signals, or selects in vain.
        | 1172 | 1242 | 1329 | 1644 => true,
        // A JSON text, path, type or depth.
        3140..=3158 => true,
        _ => false,
    }
}

/// The error of a session that was open.
pub(super) fn of_session(error: sqlx::Error) -> Error {
    match error {
        sqlx::Error::Database(error) => {
            let number = number_of(error.as_ref());
            let message = error.message().to_owned();
            // Whoever wrote a trigger may give its signal a number of their own.
            let signalled = error.code().as_deref() == Some(SIGNALLED);
            let class = if signalled { Class::Poison } else { class(number, &message) };
            Error { class, code: Some(number.to_string()), message }
        }
        // A clean end of the stream: a network that breaks gives another error.
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => Error::new(
            Class::Terminated,
            "the server closed the connection: it was shut down, it crashed, or somebody killed \
             our session",
        ),
        sqlx::Error::Io(error) => {
            Error::new(Class::Lost, format!("the connection to the server broke: {error}"))
        }
        sqlx::Error::Protocol(message) => Error::new(
            Class::Lost,
            format!("the conversation with the server got out of step: {message}"),
        ),
        sqlx::Error::WorkerCrashed | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => {
            Error::new(Class::Lost, format!("the connection to the server broke: {error}"))
        }
        other => Error::new(Class::Refused, other.to_string()),
    }
}

/// The error of an attempt to connect to `address`. It is [`Class::Lost`] where the server may
/// just be restarting, so that a runner that reconnects can tell this from a wrong password.
pub(super) fn of_connecting(error: sqlx::Error, address: &str) -> Error {
    // rustls reports a certificate that it rejects as an I/O error with invalid data.
    let error = match error {
        sqlx::Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            sqlx::Error::Tls(Box::new(error))
        }
        other => other,
    };
    let advice = match &error {
        sqlx::Error::Io(_) => "is the server up, and does the URL name the right host and port?",
        sqlx::Error::Tls(_) => {
            "the URL's `ssl-mode` and `ssl-ca` say what is asked of the server's certificate"
        }
        sqlx::Error::Database(_) => match number(&error) {
            1045 | 1698 => "check the user and the password in the URL, and the account's host",
            1044 => "the account has no right to the database that the URL names",
            1049 => "the URL names a database that does not exist there",
            1040 | 1203 | 1226 => "the server has no connection left for this account",
            _ => "the server did not let us in",
        },
        _ => "the server's greeting was not understood",
    };
    let error = match error {
        // Not a broken connection: there was none yet.
        sqlx::Error::Io(error) => Error::new(Class::Lost, error.to_string()),
        sqlx::Error::Tls(error) => Error::new(Class::Unsuitable, format!("no TLS: {error}")),
        sqlx::Error::Database(_) => of_session(error),
        other => Error { class: Class::Unsuitable, ..of_session(other) },
    };
    let lost = error.is_lost();
    let Error { code, message, .. } = error;
    Error {
        class: if lost { Class::Lost } else { Class::Unsuitable },
        code,
        message: format!("cannot connect to `{address}`: {message}; {advice}"),
    }
}

/// The server's error number, or 0 where it is not the server that speaks.
fn number(error: &sqlx::Error) -> u16 {
    error.as_database_error().map_or(0, number_of)
}

fn number_of(error: &dyn DatabaseError) -> u16 {
    error.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_sorted_by_what_must_happen_next() {
        let cases = [
            (1213, Class::Retry(RetryReason::Deadlock)),
            (1205, Class::Retry(RetryReason::LockTimeout)),
            (3572, Class::Retry(RetryReason::LockTimeout)),
            (1020, Class::Retry(RetryReason::Serialization)),
            (1969, Class::Retry(RetryReason::StatementTimeout)),
            (3024, Class::Retry(RetryReason::StatementTimeout)),
            (1317, Class::Cancelled),
            (1053, Class::Terminated),
            (1927, Class::Terminated),
            (1180, Class::Lost),
            (1040, Class::Lost),
            (1203, Class::Lost),
            (1045, Class::Unsuitable),
            (1290, Class::Unsuitable),
            (1114, Class::Unsuitable),
            (1048, Class::Poison),
            (1062, Class::Poison),
            (1644, Class::Poison),
            (3140, Class::Poison),
            (3819, Class::Poison),
            (4025, Class::Poison),
            (1054, Class::Refused),
            (1064, Class::Refused),
            (1142, Class::Refused),
            (1264, Class::Poison),
        ];
        for (number, expected) in cases {
            assert_eq!(class(number, ""), expected, "{number}");
        }
    }

    #[test]
    fn a_sort_that_was_killed_is_told_from_one_that_failed() {
        assert_eq!(class(1028, "Sort aborted: Query execution was interrupted"), Class::Cancelled);
        assert_eq!(class(1028, "Sort aborted: no space left on device"), Class::Refused);
    }

    #[test]
    fn a_broken_wire_is_lost_and_a_failed_conversion_is_not() {
        let reset = || sqlx::Error::Io(io::ErrorKind::ConnectionReset.into());
        assert_eq!(of_session(reset()).class, Class::Lost);
        assert_eq!(of_session(sqlx::Error::Protocol("odd packet".into())).class, Class::Lost);
        assert_eq!(of_session(sqlx::Error::RowNotFound).class, Class::Refused);
        let refused = of_connecting(reset(), "mysql://db:3306/shop");
        assert_eq!(refused.class, Class::Lost);
        assert!(refused.message.contains("`mysql://db:3306/shop`"), "{refused}");
        let tls = of_connecting(sqlx::Error::Tls("no certificate".into()), "mysql://db/shop");
        assert_eq!(tls.class, Class::Unsuitable);
        assert!(tls.message.contains("`ssl-mode`"), "{tls}");
    }
}
