//! SQLite's result codes, sorted by what must happen next.

use rusqlite::ErrorCode as Code;

use crate::event::RetryReason;
use crate::target::{Class, Error};

/// Sorts an error. Codes: <https://www.sqlite.org/rescode.html>.
pub(super) fn from_sqlite(error: &rusqlite::Error) -> Error {
    let class = match error.sqlite_error_code() {
        Some(Code::OperationInterrupted) => Class::Cancelled,
        Some(Code::DatabaseBusy | Code::DatabaseLocked) => Class::Retry(RetryReason::LockTimeout),
        Some(Code::NotADatabase | Code::DatabaseCorrupt | Code::CannotOpen | Code::ReadOnly) => {
            Class::Unsuitable
        }
        Some(Code::ConstraintViolation | Code::TooBig | Code::TypeMismatch) => Class::Poison,
        // Of the text itself this code is said while it is prepared, with the place in it; what a
        // statement comes to only when it has reached a row is about that row (an overflow, JSON that
        // is none).
        Some(Code::Unknown) if matches!(error, rusqlite::Error::SqliteFailure(..)) => Class::Poison,
        _ => Class::Refused,
    };
    let code = error.sqlite_error().map(|e| format!("SQLite code {}", e.extended_code));
    let message = match error {
        rusqlite::Error::SqliteFailure(_, Some(message)) => message.clone(),
        rusqlite::Error::SqlInputError { msg, sql, offset, .. } => near(msg, sql, *offset),
        other => other.to_string(),
    };
    Error { class, code, message }
}

/// The error of preparing a statement. What is wrong with the text comes out as such also where SQLite
/// does not say at which place.
pub(super) fn of_text(error: rusqlite::Error, sql: &str) -> rusqlite::Error {
    match error {
        rusqlite::Error::SqliteFailure(error, Some(msg)) if error.code == Code::Unknown => {
            rusqlite::Error::SqlInputError { error, msg, sql: sql.to_owned(), offset: -1 }
        }
        error => error,
    }
}

/// The message with the place in the statement that it is about.
fn near(message: &str, sql: &str, offset: i32) -> String {
    let rest =
        usize::try_from(offset).ok().and_then(|offset| sql.get(offset..)).unwrap_or_default();
    let excerpt: String = rest.chars().take(30).collect();
    if excerpt.is_empty() || message.contains("near \"") {
        message.to_owned()
    } else {
        format!("{message}, at `{}`", excerpt.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn what_a_row_is_at_fault_for_is_told_from_what_the_text_is() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CHECK (n < 9), j TEXT);
                 CREATE TRIGGER guard BEFORE UPDATE ON t WHEN NEW.n = 5
                 BEGIN SELECT RAISE(ABORT, 'not five'); END;
                 INSERT INTO t VALUES (1, 1, 'no json')",
            )
            .unwrap();
        let run =
            |sql: &str| connection.prepare(sql).map_err(|error| of_text(error, sql))?.execute([]);
        let class = |sql: &str| from_sqlite(&run(sql).unwrap_err()).class;
        assert_eq!(class("UPDATE t SET n = 10"), Class::Poison);
        assert_eq!(class("UPDATE t SET n = 5"), Class::Poison);
        assert_eq!(class("UPDATE t SET n = json_extract(j, '$.a')"), Class::Poison);
        assert_eq!(class("UPDATE t SET n = abs(-9223372036854775807 - n)"), Class::Poison);
        assert_eq!(class("UPDATE t SET m = 1"), Class::Refused);
        assert_eq!(class("UPDATE nowhere SET m = 1"), Class::Refused);
        assert_eq!(class("UPDATE t SET"), Class::Refused);
    }
}
