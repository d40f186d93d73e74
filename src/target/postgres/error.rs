//! What PostgreSQL said, sorted by what must happen next.

use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use crate::event::RetryReason;
use crate::target::{Class, Error};

/// The error of the driver as one of ours. `sql` is the text that the server read, for the
/// positions in its errors.
pub(super) fn from_driver(error: sqlx::Error, sql: &str) -> Error {
    match error {
        sqlx::Error::Database(error) => match error.try_downcast::<PgDatabaseError>() {
            Ok(error) => from_server(&error, sql),
            Err(error) => Error::new(Class::Refused, error.to_string()),
        },
        // After a reply that the driver does not understand, nobody knows where in the stream the
        // next one begins: such a connection is as good as gone.
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => {
            Error::new(Class::Lost, format!("the connection to the server broke: {error}"))
        }
        sqlx::Error::Tls(error) => Error::new(Class::Unsuitable, format!("no TLS: {error}")),
        sqlx::Error::Configuration(error) => Error::new(Class::Unsuitable, error.to_string()),
        sqlx::Error::InvalidArgument(why) => Error::new(Class::Unsuitable, why),
        error => Error::new(Class::Refused, error.to_string()),
    }
}

fn from_server(error: &PgDatabaseError, sql: &str) -> Error {
    let mut message = error.message().to_owned();
    let near = match error.position() {
        Some(PgErrorPosition::Original(position)) => excerpt(sql, position),
        Some(PgErrorPosition::Internal { position, query }) => excerpt(query, position),
        None => None,
    };
    if let Some(near) = near {
        message.push_str(&format!(" near `{near}`"));
    }
    for (what, text) in [("detail", error.detail()), ("hint", error.hint())] {
        if let Some(text) = text {
            let line = text.replace('\n', " ");
            message.push_str(&format!("; {what}: {}", line.trim_end_matches('.')));
        }
    }
    if is_of_a_pooler(error.code()) {
        message.push_str(
            "; prepared statements do not live through a pooler that shares one server session \
             among several clients: connect to the server's own port",
        );
    }
    let class = classify(error.code(), error.message());
    Error { class, code: Some(error.code().to_owned()), message }
}

/// Prepared statements are ours alone and never closed by name while in use: one that is missing
/// or already there belongs to another client of the same server session.
fn is_of_a_pooler(code: &str) -> bool {
    matches!(code, "26000" | "42P05")
}

/// What must happen next after an error of this SQLSTATE.
fn classify(code: &str, message: &str) -> Class {
    match code {
        "40P01" => Class::Retry(RetryReason::Deadlock),
        "55P03" => Class::Retry(RetryReason::LockTimeout),
        "40001" => Class::Retry(RetryReason::Serialization),
        // One code for both. The words are translated where `lc_messages` is not English; the
        // session then tells them apart by the time that has passed.
        "57014" if message.contains("statement timeout") => {
            Class::Retry(RetryReason::StatementTimeout)
        }
        "57014" => Class::Cancelled,
        // `pg_terminate_backend`, or the server shuts down: whoever knows that the server lives can
        // tell the two apart.
        "57P01" => Class::Terminated,
        // Crash of another session, starting up; ended while idle (in a transaction) or for the
        // transaction's age; no free slot, which is had again later.
        "57P02" | "57P03" | "57P05" | "25P03" | "25P04" | "53300" | "40003" => Class::Lost,
        // A read-only transaction; a dropped or unknown database.
        "25006" | "57P04" | "3D000" => Class::Unsuitable,
        _ if is_of_a_pooler(code) => Class::Unsuitable,
        _ if code.starts_with("08") => Class::Lost,
        _ if code.starts_with("28") => Class::Unsuitable,
        _ if is_of_a_row(code) => Class::Poison,
        _ => Class::Refused,
    }
}

/// The classes of SQLSTATE that the server uses itself. Any other was chosen by whoever wrote a trigger
/// or a function.
const OF_THE_SERVER: &[&str] = &[
    "00", "01", "02", "03", "08", "09", "0A", "0B", "0F", "0L", "0P", "0Z", "10", "20", "21", "22",
    "23", "24", "25", "26", "27", "28", "2B", "2D", "2F", "34", "38", "39", "3B", "3D", "3F", "40",
    "42", "44", "53", "54", "55", "57", "58", "72", "F0", "HV", "P0", "XX",
];

/// Whether the values of a row are at fault: data exceptions, integrity constraints, the check option
/// of a view, a subquery that gives several rows, what a trigger raises, and a row or an index entry
/// that is too long. Source: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn is_of_a_row(code: &str) -> bool {
    let class = code.get(..2).unwrap_or_default();
    matches!(class, "22" | "23" | "44")
        || !OF_THE_SERVER.contains(&class)
        || matches!(code, "21000" | "39004" | "40002" | "54000")
        || matches!(code, "P0001" | "P0002" | "P0003" | "P0004")
}

/// What stands in the statement at that position (in characters, from 1), up to the end of the
/// line and at most 40 characters.
fn excerpt(sql: &str, position: usize) -> Option<String> {
    let rest = sql.chars().skip(position.checked_sub(1)?);
    let near: String = rest.take_while(|c| *c != '\n').take(40).collect();
    let near = near.trim_end();
    (!near.is_empty()).then(|| near.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_classes() {
        let cases = [
            ("40P01", Class::Retry(RetryReason::Deadlock)),
            ("55P03", Class::Retry(RetryReason::LockTimeout)),
            ("40001", Class::Retry(RetryReason::Serialization)),
            ("57P01", Class::Terminated),
            ("57P02", Class::Lost),
            ("57P03", Class::Lost),
            ("25P03", Class::Lost),
            ("53300", Class::Lost),
            ("08006", Class::Lost),
            ("25006", Class::Unsuitable),
            ("28P01", Class::Unsuitable),
            ("28000", Class::Unsuitable),
            ("3D000", Class::Unsuitable),
            ("26000", Class::Unsuitable),
            ("42P05", Class::Unsuitable),
            ("53100", Class::Refused),
            ("58030", Class::Refused),
            ("22001", Class::Poison),
            ("22P02", Class::Poison),
            ("23505", Class::Poison),
            ("23514", Class::Poison),
            ("44000", Class::Poison),
            ("P0001", Class::Poison),
            ("54000", Class::Poison),
            ("U0014", Class::Poison),
            ("45000", Class::Poison),
            ("54001", Class::Refused),
            ("42703", Class::Refused),
            ("42501", Class::Refused),
            ("42601", Class::Refused),
            ("0A000", Class::Refused),
            ("XX000", Class::Refused),
        ];
        for (code, class) in cases {
            assert_eq!(classify(code, ""), class, "{code}");
        }
    }

    #[test]
    fn a_time_out_is_told_from_a_cancel_by_its_words() {
        let timeout = "canceling statement due to statement timeout";
        let cancel = "canceling statement due to user request";
        assert_eq!(classify("57014", timeout), Class::Retry(RetryReason::StatementTimeout));
        assert_eq!(classify("57014", cancel), Class::Cancelled);
    }

    #[test]
    fn a_broken_connection_is_lost() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert_eq!(from_driver(sqlx::Error::Io(broken), "").class, Class::Lost);
        assert_eq!(from_driver(sqlx::Error::Protocol("?".into()), "").class, Class::Lost);
        assert_eq!(from_driver(sqlx::Error::RowNotFound, "").class, Class::Refused);
    }

    #[test]
    fn excerpts_count_characters_and_end_with_the_line() {
        assert_eq!(excerpt("SELECT ä, b\nFROM t", 11).as_deref(), Some("b"));
        assert_eq!(excerpt("SELECT 1", 8).as_deref(), Some("1"));
        assert_eq!(excerpt("SELECT 1", 9), None);
        assert_eq!(excerpt("SELECT 1", 0), None);
    }
}
