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
