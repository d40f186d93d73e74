//! What a script has done up to a statement: the transaction that is open, the time-outs that hold,
//! the locks that are held.

use std::time::Duration;

use super::effects::{Effects, Lock};
use super::{Engine, Schema, Server};
use crate::sql::statement::{Name, Scope, Setting, Statement, Transaction, TypeAction, Wait, What};

/// A transaction that is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Open {
    /// None is.
    No,
    /// The script said so, in the statement at this place among the file's.
    ByScript(usize),
    /// Who runs it opened one for the file.
    ByRunner,
}

/// A lock that is held, and the statement (its place among the file's) that took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The lock.
    pub lock: Lock,
    /// Who took it.
    pub since: usize,
    /// Who took it, if that was a statement of an earlier file of the same transaction.
    pub earlier: Option<Taken>,
}

/// The statement that took a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What it is: `ALTER TABLE`.
    pub kind: String,
    /// Where it is: "line 3", "line 3 of `1-Initial.ts`".
    pub place: String,
}

impl Taken {
    /// The statement that took it, of this file or an earlier one.
    #[must_use]
    pub fn of(held: &Held, statements: &[Statement], text: &str) -> Self {
        held.earlier.clone().unwrap_or_else(|| {
            let statement = &statements[held.since];
            let line = text[..statement.span.start].matches('\n').count() + 1;
            Self { kind: statement.kind.clone(), place: format!("line {line}") }
        })
    }
}

/// How long a lock is waited for; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit(Option<Duration>);

/// What a script has done so far.
#[derive(Debug, Clone)]
pub struct State {
    server: Server,
    /// The transaction.
    pub open: Open,
    /// Until when a lock is waited for, in this session; `None` is for ever.
    session_wait: Limit,
    /// The same, for this transaction only.
    local_wait: Option<Limit>,
    /// Whether anything in this script set it.
    pub wait_was_set: bool,
    /// Locks held by the open transaction.
    pub held: Vec<Held>,
    /// Labels that the open transaction has added to enums; none of them can be used before it ends.
    pub labels: Vec<(Name, String)>,
    /// PostgreSQL: whether the session's zone is UTC.
    pub utc: Option<bool>,
    /// `foreign_key_checks` of MySQL and MariaDB, `foreign_keys` of SQLite.
    pub foreign_key_checks: bool,
}

impl State {
    /// At the beginning of a file: a new session.
    #[must_use]
    pub fn new(
        server: Server,
        in_transaction: bool,
        utc: Option<bool>,
        foreign_key_checks: bool,
    ) -> Self {
        Self {
            server,
            open: if in_transaction { Open::ByRunner } else { Open::No },
            session_wait: Limit(None),
            local_wait: None,
            wait_was_set: false,
            held: Vec::new(),
            labels: Vec::new(),
            utc,
            foreign_key_checks,
        }
    }

    /// How long the next statement waits for a lock; `None` is for ever, or what the server's own
    /// settings say.
    #[must_use]
    pub fn lock_wait(&self) -> Option<Duration> {
        self.local_wait.unwrap_or(self.session_wait).0
    }

    /// Whether a transaction is open.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        self.open != Open::No
    }

    /// Takes note of a statement that has run.
    pub fn after(&mut self, at: usize, statement: &Statement, effects: &Effects) {
        if effects.commits {
            self.end();
        }
        match &statement.what {
            // A BEGIN inside of a transaction only warns.
            What::Transaction(Transaction::Begin) if self.open == Open::No => {
                self.open = Open::ByScript(at);
            }
            What::Transaction(Transaction::Commit | Transaction::Rollback) => self.end(),
            What::Set(settings) => settings.iter().for_each(|setting| self.set(setting)),
            What::Query(query) => {
                for (name, arguments) in &query.calls {
                    if name.strip_prefix("pg_catalog.").unwrap_or(name) == "set_config" {
                        self.set_config(arguments);
                    }
                }
            }
            What::AlterType { name, action: TypeAction::AddValue(label) }
                if self.in_transaction() =>
            {
                self.labels.push((name.clone(), label.clone()));
            }
            _ => {}
        }
        if self.in_transaction() {
            for lock in &effects.locks {
                let stronger = |held: &Held| {
                    held.lock.relation == lock.relation && lock.mode <= held.lock.mode
                };
                if !lock.mode.is_brief() && !self.held.iter().any(stronger) {
                    self.held.push(Held { lock: lock.clone(), since: at, earlier: None });
                }
            }
        }
    }

    /// Goes on in the next file of the same transaction.
    pub fn next_file(&mut self, path: &str, statements: &[Statement], text: &str) {
        // Its statement is one of this file.
        if let Open::ByScript(_) = self.open {
            self.open = Open::ByRunner;
        }
        for held in &mut self.held {
            let mut taken = Taken::of(held, statements, text);
            if held.earlier.is_none() {
                taken.place.push_str(&format!(" of `{path}`"));
            }
            held.earlier = Some(taken);
        }
    }

    fn end(&mut self) {
        self.open = Open::No;
        self.local_wait = None;
        self.held.clear();
        self.labels.clear();
    }

    /// A part of the file begins that its runner commits apart from what stood before: the session
    /// goes on, and a transaction of the runner's is open or not.
    pub fn part(&mut self, in_transaction: bool) {
        self.end();
        self.open = if in_transaction { Open::ByRunner } else { Open::No };
    }

    fn set(&mut self, setting: &Setting) {
        let name = setting.name.as_str();
        let value = setting.value.as_deref();
        match (self.server.engine, name) {
            (Engine::Postgres, "lock_timeout") => {
                let wait = value.and_then(|value| duration(value, Duration::from_millis(1)));
                self.wait(setting.scope, wait);
            }
            (Engine::Postgres, "statement_timeout") => {
                // It ends the wait for a lock as well, if it is shorter.
                let limit = value.and_then(|value| duration(value, Duration::from_millis(1)));
                if limit.is_some() && self.lock_wait().is_none() {
                    self.wait(setting.scope, limit);
                }
            }
            (Engine::MySql | Engine::MariaDb, "lock_wait_timeout") => {
                let wait = value.and_then(|value| duration(value, Duration::from_secs(1)));
                self.wait(setting.scope, wait);
            }
            (Engine::MySql | Engine::MariaDb, "foreign_key_checks") => {
                self.foreign_key_checks =
                    !matches!(value.map(str::to_lowercase).as_deref(), Some("0" | "off" | "false"));
            }
            // Inside of a transaction it does nothing (<https://sqlite.org/pragma.html#pragma_foreign_keys>).
            (Engine::Sqlite, "foreign_keys") if !self.in_transaction() => {
                let off = ["0", "off", "false", "no"];
                let value = value.map(|value| value.trim_matches('\'').to_lowercase());
                self.foreign_key_checks = !value.is_some_and(|value| off.contains(&value.as_str()));
            }
            (Engine::Postgres, "timezone") => {
                self.utc = value.map(|zone| {
                    matches!(zone.to_lowercase().as_str(), "utc" | "gmt" | "etc/utc" | "zulu" | "0")
                });
            }
            (Engine::Sqlite, "busy_timeout") => {
                let wait = value.and_then(|value| duration(value, Duration::from_millis(1)));
                self.wait(setting.scope, wait);
            }
            (Engine::Postgres, "all") if value.is_none() => self.wait(Scope::Session, None),
            _ => {}
        }
    }

    fn wait(&mut self, scope: Scope, wait: Option<Duration>) {
        match scope {
            // Outside of a transaction SET LOCAL does nothing but warn.
            Scope::Local if self.in_transaction() => self.local_wait = Some(Limit(wait)),
            Scope::Local => {}
            Scope::Session => {
                self.session_wait = Limit(wait);
                self.local_wait = None;
            }
            // It holds for sessions that begin later, so not for this one.
            Scope::Global => {}
        }
        self.wait_was_set = true;
    }

    fn set_config(&mut self, arguments: &[String]) {
        let [name, value, local] = arguments else { return };
        let bare = |text: &str| text.trim_matches('\'').to_lowercase();
        let scope = if bare(local) == "true" { Scope::Local } else { Scope::Session };
        self.set(&Setting { scope, name: bare(name), value: Some(bare(value)) });
    }
}

/// How long a statement itself says that it waits (`WAIT n`, `NOWAIT` of MariaDB).
pub(super) fn own_wait(statement: &Statement) -> Option<Duration> {
    let online = match &statement.what {
        What::AlterTable(alter) => alter.online,
        What::CreateIndex(index) => index.online,
        What::DropIndex { online, .. } => *online,
        _ => return None,
    };
    online.wait.map(|wait| match wait {
        Wait::No => Duration::ZERO,
        Wait::Seconds(seconds) => Duration::from_secs(seconds),
    })
}

/// A time-out's value: a number of the unit, or with one of its own. None for zero, which means for
/// ever, and for what cannot be read.
#[must_use]
pub fn duration(text: &str, unit: Duration) -> Option<Duration> {
    let text = text.trim().trim_matches('\'').trim();
    let digits = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let number: f64 = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim() {
        "" => unit.as_secs_f64(),
        "us" => 0.000_001,
        "ms" => 0.001,
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    };
    let seconds = number * unit;
    (seconds > 0.0).then(|| Duration::try_from_secs_f64(seconds).ok()).flatten()
}

/// The relations of a statement's locks that others can wait for: not those that this script made.
pub(super) fn seen_by_others<'a>(
    effects: &'a Effects,
    schema: &Schema,
) -> impl Iterator<Item = &'a Lock> {
    let born: Vec<Name> = effects
        .locks
        .iter()
        .map(|lock| lock.relation.clone())
        .filter(|name| {
            schema.is_born(name)
                || schema.indexes.get(name).is_some_and(|index| schema.is_born(&index.table))
                || schema.table(name).is_some_and(|table| table.temporary)
        })
        .collect();
    effects.locks.iter().filter(move |lock| !born.contains(&lock.relation))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_outs_are_read_with_their_units() {
        let milli = Duration::from_millis(1);
        let cases = [
            ("5s", Some(5000)),
            ("5000", Some(5000)),
            ("'2 min'", Some(120_000)),
            ("0", None),
            ("soon", None),
            ("1.5s", Some(1500)),
        ];
        for (text, expected) in cases {
            assert_eq!(duration(text, milli), expected.map(Duration::from_millis), "{text}");
        }
        assert_eq!(duration("5", Duration::from_secs(1)), Some(Duration::from_secs(5)));
    }
}
