//! Handoffs: what is known of each, and what people ask of its supervisor.
//!
//! The supervisor of a handoff alone writes its row while it lives; whoever finds it silent for longer than
//! [`SILENT_AFTER`] may take the handoff up.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use serde_json::Value;

use super::jobs::write_event;
use super::{Journal, Result, now};
use crate::event::{HandoffProgress, HandoffState, Record};

/// A supervisor writes a sign of life each second; three that are missing are no accident.
pub const SILENT_AFTER: Duration = Duration::from_secs(4);

/// A handoff.
#[derive(Debug, Clone, PartialEq)]
pub struct HandoffRow {
    /// Its name: that of the migration's file, without the ending.
    pub name: String,
    /// The migration's file.
    pub migration: String,
    /// The environment variable with the target's URL.
    pub url_env: String,
    /// The target, without secrets.
    pub address: String,
    /// The table's schema or database.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Who makes the change: a tool's program, `native`, `instant`, `in place`.
    pub tool: String,
    /// The change, on one line.
    pub change: String,
    /// A hash of server, table and change: another change is not taken for this one.
    pub change_hash: String,
    /// The plan, as far as it is needed to go on.
    pub plan: Value,
    /// The table's shape before.
    pub before: Value,
    /// The shape of the tool's copy, once it was seen.
    pub copy: Option<Value>,
    /// The tool's process, and when it was started in ticks.
    pub process: Option<(u32, u64)>,
    /// What it is at, or how it ended.
    pub state: HandoffState,
    /// Why, in words.
    pub reason: Option<String>,
    /// How far it is.
    pub progress: HandoffProgress,
    /// Who supervises it: host and process.
    pub supervisor: Option<String>,
    /// The supervisor's newest sign of life.
    pub heartbeat_at: Option<String>,
    /// When it was first started.
    pub started_at: String,
    /// When anything was last written of it.
    pub updated_at: String,
    /// When it ended.
    pub ended_at: Option<String>,
}

impl HandoffRow {
    /// Whether a supervisor lives.
    #[must_use]
    pub fn is_supervised(&self) -> bool {
        let Some(at) = self.heartbeat_at.as_deref().filter(|_| self.supervisor.is_some()) else {
            return false;
        };
        let Ok(at) = at.parse::<Timestamp>() else { return false };
        let silent = Timestamp::now().duration_since(at);
        silent.unsigned_abs() < SILENT_AFTER
    }

    /// The handoff that it takes back, if it makes no change of its own.
    #[must_use]
    pub fn reverts(&self) -> Option<&str> {
        self.plan.pointer("/reverts/handoff").and_then(Value::as_str)
    }

    /// The call that takes it up, or begins it anew.
    #[must_use]
    pub fn call(&self) -> String {
        match self.reverts() {
            Some(name) => format!("backstop handoff revert {name}"),
            None => format!("backstop handoff run {} --target {}", self.migration, self.url_env),
        }
    }

    /// Whether it is at work, or may be: its end was not seen.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !self.state.has_ended()
    }
}

/// What a person asks of a supervisor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoffRequest {
    /// Its number.
    pub id: i64,
    /// What: `pause`, `tune`, …
    pub verb: String,
    /// With what.
    pub argument: Option<String>,
    /// By whom.
    pub by: String,
    /// Why, where it was said.
    pub reason: Option<String>,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandoffAnswer {
    /// Whether it was carried out.
    pub carried: bool,
    /// What the person should know.
    pub text: String,
}

const COLUMNS: &str = "name, migration, url_env, address, schema_name, table_name, tool, change, \
                       change_hash, plan, before, copy, pid, pid_started, state, reason, progress, \
                       supervisor, heartbeat_at, started_at, updated_at, ended_at";

fn read(row: &Row<'_>) -> rusqlite::Result<HandoffRow> {
    let json = |text: String| serde_json::from_str(&text).unwrap_or(Value::Null);
    let pid: Option<u32> = row.get(12)?;
    let started: Option<i64> = row.get(13)?;
    // A state of a newer version is one that nobody here can judge.
    let state =
        HandoffState::from_name(&row.get::<_, String>(14)?).unwrap_or(HandoffState::Unknown);
    let progress: String = row.get(16)?;
    Ok(HandoffRow {
        name: row.get(0)?,
        migration: row.get(1)?,
        url_env: row.get(2)?,
        address: row.get(3)?,
        schema: row.get(4)?,
        table: row.get(5)?,
        tool: row.get(6)?,
        change: row.get(7)?,
        change_hash: row.get(8)?,
        plan: json(row.get(9)?),
        before: json(row.get(10)?),
        copy: row.get::<_, Option<String>>(11)?.map(json),
        process: pid.zip(started.map(i64::cast_unsigned)),
        state,
        reason: row.get(15)?,
        progress: serde_json::from_str(&progress).unwrap_or_else(|_| HandoffProgress::at(state)),
        supervisor: row.get(17)?,
        heartbeat_at: row.get(18)?,
        started_at: row.get(19)?,
        updated_at: row.get(20)?,
        ended_at: row.get(21)?,
    })
}

impl Journal {
    /// The handoff of that name.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn handoff(&self, name: &str) -> Result<Option<HandoffRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!("SELECT {COLUMNS} FROM handoff WHERE name = ?"))?
                .query_row([name], read)
                .optional()
        })
    }

    /// Every handoff, the newest first.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn handoffs(&self) -> Result<Vec<HandoffRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM handoff ORDER BY started_at DESC, name"
                ))?
                .query_map([], read)?
                .collect()
        })
    }

    /// Takes a handoff for a supervisor, unless another lives: writes the row as given. Returns who has
    /// it instead.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn take_handoff(&self, row: &HandoffRow, record: &Record) -> Result<Option<String>> {
        self.write(|tx| {
            let known = tx
                .query_row(
                    &format!("SELECT {COLUMNS} FROM handoff WHERE name = ?"),
                    [&row.name],
                    read,
                )
                .optional()?;
            if let Some(known) = &known
                && known.is_supervised()
                && known.supervisor != row.supervisor
            {
                return Ok(known.supervisor.clone());
            }
            let (pid, started) = row.process.unzip();
            tx.execute(
                &format!(
                    "INSERT OR REPLACE INTO handoff ({COLUMNS}) VALUES \
                     (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                ),
                params![
                    row.name,
                    row.migration,
                    row.url_env,
                    row.address,
                    row.schema,
                    row.table,
                    row.tool,
                    row.change,
                    row.change_hash,
                    row.plan.to_string(),
                    row.before.to_string(),
                    row.copy.as_ref().map(Value::to_string),
                    pid,
                    started.map(u64::cast_signed),
                    row.state.name(),
                    row.reason,
                    json(&row.progress),
                    row.supervisor,
                    now(),
                    row.started_at,
                    now(),
                    row.ended_at,
                ],
            )?;
            // What was asked of a supervisor that is gone was never answered.
            tx.execute(
                "UPDATE handoff_request SET answered_at = ?, carried = 0, \
                 answer = 'nobody supervised it then; ask again' \
                 WHERE handoff = ? AND answered_at IS NULL",
                params![now(), row.name],
            )?;
            write_event(tx, record)?;
            Ok(None)
        })
    }

    /// Writes down the tool's process.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn handoff_process(&self, name: &str, process: (u32, u64)) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE handoff SET pid = ?, pid_started = ?, updated_at = ? WHERE name = ?",
                params![process.0, process.1.cast_signed(), now(), name],
            )
            .map(drop)
        })
    }

    /// Writes down the shape of the tool's copy.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn handoff_copy(&self, name: &str, copy: &Value) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE handoff SET copy = ?, updated_at = ? WHERE name = ?",
                params![copy.to_string(), now(), name],
            )
            .map(drop)
        })
    }

    /// The supervisor's sign of life, with how far it is. Returns whether the handoff is still this
    /// supervisor's.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn handoff_beat(
        &self,
        name: &str,
        supervisor: &str,
        progress: &HandoffProgress,
    ) -> Result<bool> {
        self.write(|tx| {
            let written = tx.execute(
                "UPDATE handoff SET heartbeat_at = ?1, updated_at = ?1, progress = ?2, state = ?3 \
                 WHERE name = ?4 AND supervisor = ?5",
                params![now(), json(progress), progress.state.name(), name, supervisor],
            )?;
            Ok(0 < written)
        })
    }

    /// Writes down how it ended, and that nobody supervises it any more.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn end_handoff(
        &self,
        name: &str,
        progress: &HandoffProgress,
        reason: Option<&str>,
        record: &Record,
    ) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE handoff SET state = ?1, reason = ?2, progress = ?3, supervisor = NULL, \
                 heartbeat_at = NULL, updated_at = ?4, ended_at = ?4 WHERE name = ?5",
                params![progress.state.name(), reason, json(progress), now(), name],
            )?;
            write_event(tx, record)
        })
    }

    /// Leaves the handoff without an end: somebody else may take it up at once.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn leave_handoff(&self, name: &str, supervisor: &str) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE handoff SET supervisor = NULL, heartbeat_at = NULL, updated_at = ? \
                 WHERE name = ? AND supervisor = ?",
                params![now(), name, supervisor],
            )
            .map(drop)
        })
    }

    /// Asks something of a handoff's supervisor, and returns the request's number.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn ask_handoff(
        &self,
        handoff: &str,
        verb: &str,
        argument: Option<&str>,
        by: &str,
        reason: Option<&str>,
    ) -> Result<i64> {
        self.write(|tx| {
            tx.execute(
                "INSERT INTO handoff_request (at, handoff, verb, argument, by_whom, reason) \
                 VALUES (?, ?, ?, ?, ?, ?)",
                params![now(), handoff, verb, argument, by, reason],
            )?;
            Ok(tx.last_insert_rowid())
        })
    }

    /// The oldest request that nobody has answered, of those after that number.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn next_handoff_request(
        &self,
        handoff: &str,
        after: i64,
    ) -> Result<Option<HandoffRequest>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT id, verb, argument, by_whom, reason FROM handoff_request \
                     WHERE handoff = ? AND id > ? AND answered_at IS NULL ORDER BY id LIMIT 1",
                )?
                .query_row(params![handoff, after], |row| {
                    Ok(HandoffRequest {
                        id: row.get(0)?,
                        verb: row.get(1)?,
                        argument: row.get(2)?,
                        by: row.get(3)?,
                        reason: row.get(4)?,
                    })
                })
                .optional()
        })
    }

    /// Answers a request, and writes the event that says so.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn answer_handoff(&self, id: i64, answer: &HandoffAnswer, record: &Record) -> Result<()> {
        self.write(|tx| {
            tx.execute(
                "UPDATE handoff_request SET answered_at = ?, carried = ?, answer = ? WHERE id = ?",
                params![now(), answer.carried, answer.text, id],
            )?;
            write_event(tx, record)
        })
    }

    /// The answer to a request; none while there is none.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn handoff_answer(&self, id: i64) -> Result<Option<HandoffAnswer>> {
        self.read(|connection| {
            let answer: Option<(Option<bool>, Option<String>)> = connection
                .prepare_cached(
                    "SELECT carried, answer FROM handoff_request \
                     WHERE id = ? AND answered_at IS NOT NULL",
                )?
                .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
                .optional()?;
            Ok(answer.map(|(carried, text)| HandoffAnswer {
                carried: carried.unwrap_or_default(),
                text: text.unwrap_or_default(),
            }))
        })
    }
}

fn json(progress: &HandoffProgress) -> String {
    serde_json::to_string(progress).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, HandoffEvent};

    fn row(supervisor: &str) -> HandoffRow {
        HandoffRow {
            name: "0042".to_owned(),
            migration: "0042.sql".to_owned(),
            url_env: "DATABASE_URL".to_owned(),
            address: "db:3306/shop".to_owned(),
            schema: "shop".to_owned(),
            table: "orders".to_owned(),
            tool: "gh-ost".to_owned(),
            change: "ADD note text".to_owned(),
            change_hash: "h".to_owned(),
            plan: serde_json::json!({ "table": "orders" }),
            before: Value::Null,
            copy: None,
            process: Some((7, u64::MAX)),
            state: HandoffState::Starting,
            reason: None,
            progress: HandoffProgress::at(HandoffState::Starting),
            supervisor: Some(supervisor.to_owned()),
            heartbeat_at: None,
            started_at: now(),
            updated_at: now(),
            ended_at: None,
        }
    }

    fn record() -> Record {
        let event = HandoffEvent::Answered {
            verb: "pause".to_owned(),
            by: "ann".to_owned(),
            carried: true,
            answer: "paused".to_owned(),
        };
        let event = Event::Handoff(event);
        Record { at: Timestamp::now(), job: "0042".to_owned(), event }
    }

    #[test]
    fn a_handoff_has_one_supervisor() {
        let folder = tempfile::TempDir::new().unwrap();
        let journal = Journal::create_or_open(&folder.path().join("journal.db")).unwrap();
        assert_eq!(journal.take_handoff(&row("one"), &record()).unwrap(), None);
        assert_eq!(journal.take_handoff(&row("two"), &record()).unwrap(), Some("one".to_owned()));
        let known = journal.handoff("0042").unwrap().unwrap();
        assert_eq!(
            (known.process, known.plan["table"].as_str()),
            (Some((7, u64::MAX)), Some("orders"))
        );
        assert!(known.is_supervised() && known.is_open());
        let progress = HandoffProgress::at(HandoffState::Copying);
        assert!(journal.handoff_beat("0042", "one", &progress).unwrap());
        assert!(!journal.handoff_beat("0042", "two", &progress).unwrap());
        journal.leave_handoff("0042", "one").unwrap();
        assert_eq!(journal.take_handoff(&row("two"), &record()).unwrap(), None);
        let done = HandoffProgress::at(HandoffState::Done);
        journal.end_handoff("0042", &done, Some("as planned"), &record()).unwrap();
        let known = journal.handoff("0042").unwrap().unwrap();
        assert_eq!((known.state, known.supervisor), (HandoffState::Done, None));
        assert!(known.ended_at.is_some());
    }

    #[test]
    fn a_request_is_answered_once_and_one_to_nobody_is_said_to_be() {
        let folder = tempfile::TempDir::new().unwrap();
        let journal = Journal::create_or_open(&folder.path().join("journal.db")).unwrap();
        let id = journal.ask_handoff("0042", "tune", Some("max_lag=2s"), "ann", None).unwrap();
        assert_eq!(journal.handoff_answer(id).unwrap(), None);
        let asked = journal.next_handoff_request("0042", 0).unwrap().unwrap();
        assert_eq!((asked.id, asked.argument.as_deref()), (id, Some("max_lag=2s")));
        let answer = HandoffAnswer { carried: true, text: "max_lag is 2s".to_owned() };
        journal.answer_handoff(id, &answer, &record()).unwrap();
        assert_eq!(journal.handoff_answer(id).unwrap(), Some(answer));
        assert_eq!(journal.next_handoff_request("0042", 0).unwrap(), None);
        let lost = journal.ask_handoff("0042", "pause", None, "ann", None).unwrap();
        journal.take_handoff(&row("one"), &record()).unwrap();
        let answer = journal.handoff_answer(lost).unwrap().unwrap();
        assert!(!answer.carried && answer.text.contains("ask again"), "{answer:?}");
    }
}
