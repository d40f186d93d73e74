//! Commands: how other processes ask a runner for something.

use rusqlite::params;
use serde::Serialize;

use super::{Journal, Result, now};

/// What a person can ask of a running job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Wait after the batch in flight.
    Pause,
    /// Go on.
    Resume,
    /// Leave after the batch in flight.
    Stop,
    /// Cancel the statement in flight and leave.
    Kill,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 4] = [Self::Pause, Self::Resume, Self::Stop, Self::Kill];

    /// The name used in the journal, in messages and as a metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
            Self::Kill => "kill",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// A command as the runner reads it.
#[derive(Debug, Clone)]
pub struct Command {
    /// Its number in the journal.
    pub id: i64,
    /// What is asked.
    pub action: Action,
    /// By whom.
    pub by: String,
    /// Why, where it was said.
    pub reason: Option<String>,
}

impl Journal {
    /// Appends a command for a job's runner and returns its number.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn ask(&self, job: &str, action: Action, by: &str, reason: Option<&str>) -> Result<i64> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO command (at, job, action, by_whom, reason) VALUES (?, ?, ?, ?, ?)",
                params![now(), job, action.name(), by, reason],
            )?;
            Ok(tx.last_insert_rowid())
        })
    }

    /// A number that is another one as soon as another process has written: far cheaper to ask for
    /// than what it wrote (<https://sqlite.org/pragma.html#pragma_data_version>).
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn version(&self) -> Result<i64> {
        self.read(|connection| {
            connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
        })
    }

    /// The commands for a job that nobody has seen, oldest first. A command of an unknown name, by
    /// a newer version, is passed over: it stays unseen, and its sender is told so.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn unseen_commands(&self, job: &str) -> Result<Vec<Command>> {
        self.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, action, by_whom, reason FROM command \
                 WHERE job = ? AND seen_at IS NULL ORDER BY id",
            )?;
            let rows = statement.query_map([job], |row| {
                Ok((row.get(0)?, row.get::<_, String>(1)?, row.get(2)?, row.get(3)?))
            })?;
            let mut commands = Vec::new();
            for row in rows {
                let (id, action, by, reason) = row?;
                if let Some(action) = Action::from_name(&action) {
                    commands.push(Command { id, action, by, reason });
                }
            }
            Ok(commands)
        })
    }

    /// Marks a command as seen by the runner.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn mark_seen(&self, id: i64) -> Result<()> {
        self.write(|tx| {
            tx.execute("UPDATE command SET seen_at = ? WHERE id = ?", params![now(), id]).map(drop)
        })
    }

    /// Whether the runner has seen the command.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn was_seen(&self, id: i64) -> Result<bool> {
        self.read(|connection| {
            connection.query_row(
                "SELECT seen_at IS NOT NULL FROM command WHERE id = ?",
                [id],
                |row| row.get(0),
            )
        })
    }
}
