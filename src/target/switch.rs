//! The switch: a small table in the target that stops every runner, also by hand.
//!
//! One row per halt. It binds whoever writes: the fence's statement of each batch looks for a row
//! that stands, so a batch whose fence statement starts after the row was committed cannot commit.
//! A halt that was lifted keeps its row, with who lifted it; one that was deleted by hand was lifted
//! by an unknown.

use super::fence::ColumnTypes;
use super::{Bind, Dialect, Result, Row, Session, Statement, Writer};
use crate::event::ALL_JOBS;

/// The table's name.
pub const TABLE: &str = "backstop_switch";

/// The DDL of the switch. Everything but the scope has a default, so that the line to paste at
/// night is short: `INSERT INTO backstop_switch (scope) VALUES ('*')`.
#[must_use]
pub fn ddl(table: &str, types: &ColumnTypes) -> String {
    let ColumnTypes { name, text, time, serial, time_now, suffix, .. } = types;
    format!(
        "CREATE TABLE {table} (\n\
         \x20 id {serial},\n\
         \x20 scope {name} NOT NULL,\n\
         \x20 who {text},\n\
         \x20 why {text},\n\
         \x20 halted_at {time_now},\n\
         \x20 released_at {time},\n\
         \x20 released_by {text},\n\
         \x20 release_reason {text}\n\
         ){suffix}"
    )
}

/// The switch, as the runner addresses it.
#[derive(Debug, Clone)]
pub struct Switch {
    /// The qualified and quoted name of the table.
    pub table: String,
}

/// A halt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Halt {
    /// Its number in the table.
    pub id: i64,
    /// A job's name, or [`ALL_JOBS`].
    pub scope: String,
    /// Who halted; `None` where the row was written by hand without a name.
    pub who: Option<String>,
    /// Why, where it was said.
    pub why: Option<String>,
    /// Who lifted it, and why, if it was lifted.
    pub released: Option<(String, String)>,
}

impl Halt {
    /// Who halted, for people.
    #[must_use]
    pub fn by(&self) -> String {
        self.who.clone().unwrap_or_else(|| format!("somebody, in SQL (halt {})", self.id))
    }
}

const COLUMNS: &str = "id, scope, who, why, released_by, release_reason, \
                       CASE WHEN released_at IS NULL THEN 0 ELSE 1 END";

impl Switch {
    /// The newest halt that stands and binds the job.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn standing(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        job: &str,
    ) -> Result<Option<Halt>> {
        let rows = session.query(&self.look(dialect, job)).await?;
        Ok(rows.first().map(read))
    }

    fn look(&self, dialect: &dyn Dialect, job: &str) -> Statement {
        let mut w = Writer::new(dialect);
        w.push("SELECT ").push(COLUMNS).push(" FROM ").push(&self.table).push(" WHERE ");
        push_binds(&mut w, job);
        w.push(" ORDER BY id DESC LIMIT 1");
        w.finish()
    }

    /// "No halt stands that binds this job", as a condition of another table's statement.
    pub(super) fn push_none(&self, w: &mut Writer<'_>, job: &str) {
        w.push("NOT EXISTS (SELECT 1 FROM ").push(&self.table).push(" WHERE ");
        push_binds(w, job);
        w.push(")");
    }

    /// The halt of that number, whether it stands or not.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn halt(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        id: i64,
    ) -> Result<Option<Halt>> {
        let mut w = Writer::new(dialect);
        w.push("SELECT ").push(COLUMNS).push(" FROM ").push(&self.table).push(" WHERE id = ");
        w.bind(Bind::Int(id));
        Ok(session.query(&w.finish()).await?.first().map(read))
    }

    /// Writes a halt, for one job or for all, and returns it. One that stands already stays.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn engage(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        scope: &str,
        who: &str,
        why: Option<&str>,
    ) -> Result<()> {
        let mut w = Writer::new(dialect);
        w.push("INSERT INTO ").push(&self.table).push(" (scope, who, why) VALUES (").text(scope);
        w.push(", ").text(who).push(", ").bind(Bind::Text(why.map(str::to_owned))).push(")");
        let statement = w.finish();
        session.begin().await?;
        session.execute(&statement).await?;
        session.commit().await
    }

    /// Lifts every halt of exactly this scope, and returns how many stood.
    ///
    /// # Errors
    ///
    /// What the server says.
    pub async fn release(
        &self,
        dialect: &dyn Dialect,
        session: &mut dyn Session,
        scope: &str,
        who: &str,
        why: &str,
    ) -> Result<u64> {
        let mut w = Writer::new(dialect);
        w.push("UPDATE ").push(&self.table).push(" SET released_at = ").push(dialect.now());
        w.push(", released_by = ").text(who).push(", release_reason = ").text(why);
        w.push(" WHERE scope = ").text(scope).push(" AND released_at IS NULL");
        let statement = w.finish();
        session.begin().await?;
        let lifted = session.execute(&statement).await?;
        session.commit().await?;
        Ok(lifted)
    }
}

/// "A halt stands that binds this job", as the condition of a row of the switch.
fn push_binds(w: &mut Writer<'_>, job: &str) {
    w.push("scope IN (").text(ALL_JOBS).push(", ").text(job).push(") AND released_at IS NULL");
}

fn read(row: &Row) -> Halt {
    let text = |column: usize| row.get(column).cloned().flatten();
    let released = (text(6).as_deref() == Some("1")).then(|| {
        let unknown = || "an unknown".to_owned();
        (text(4).unwrap_or_else(unknown), text(5).unwrap_or_default())
    });
    Halt {
        id: text(0).and_then(|id| id.parse().ok()).unwrap_or_default(),
        scope: text(1).unwrap_or_default(),
        who: text(2),
        why: text(3),
        released,
    }
}
