//! What SQLite can be asked about its health: next to nothing, for there is no server.

use crate::target::{Answer, Question, Result, Session, Statement};

/// Answers a question.
pub async fn ask(session: &mut dyn Session, question: &Question) -> Result<Answer> {
    Ok(match question {
        Question::Positions | Question::OwnLag | Question::Heartbeat { .. } => {
            Answer::NotHere("SQLite has no replication")
        }
        Question::RetainedLog | Question::ArchiveBacklog => {
            Answer::NotHere("SQLite keeps no log for others and archives none")
        }
        Question::Blocked { .. } => Answer::NotHere(
            "SQLite does not tell who waits for its one lock; batches are short there, with pauses \
             as long",
        ),
        Question::Active { .. } => {
            Answer::NotHere("SQLite has no server that could count sessions")
        }
        Question::WalWritten => {
            Answer::NotHere("SQLite does not count what it has written to its log")
        }
        Question::BinlogWritten => Answer::NotHere("SQLite has no binary log"),
        Question::WraparoundVacuum { .. }
        | Question::Autovacuum { .. }
        | Question::DeadRows { .. } => {
            Answer::NotHere("SQLite writes rows in place, so nothing has to be vacuumed")
        }
        Question::HistoryList => Answer::NotHere("SQLite has no InnoDB"),
        Question::TransactionAge { .. } => {
            Answer::NotHere("SQLite does not tell which transactions are open")
        }
        Question::DiskFree => {
            Answer::NotHere("SQLite cannot be asked for it; name a `path` to look at")
        }
        Question::Number { sql } => {
            Answer::number(&session.query(&Statement::plain(sql.clone())).await?)
        }
    })
}
