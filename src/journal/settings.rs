//! What a person has changed of a job's settings.

use rusqlite::params;
use serde::Serialize;

use super::{Journal, Result, now};

/// A setting as somebody wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tuned {
    /// Its name: `batch.target_time`.
    pub name: String,
    /// The value, as it was written; `None`: the spec's again.
    pub value: Option<String>,
    /// Who wants it so.
    pub by: String,
    /// Why, where it was said.
    pub reason: Option<String>,
}

impl Journal {
    /// Writes down how somebody wants a job's settings: all of them or none.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn tune(&self, job: &str, settings: &[Tuned]) -> Result<()> {
        self.write(|tx| {
            for Tuned { name, value, by, reason } in settings {
                tx.execute(
                    "INSERT OR REPLACE INTO setting (job, name, value, at, by_whom, reason) \
                     VALUES (?, ?, ?, ?, ?, ?)",
                    params![job, name, value.as_deref().unwrap_or_default(), now(), by, reason],
                )?;
            }
            Ok(())
        })
    }

    /// Forgets every change of a job's settings: a finished job begins again by its spec.
    ///
    /// # Errors
    ///
    /// The journal cannot be written.
    pub fn forget_tuning(&self, job: &str) -> Result<()> {
        self.write_own(job, |tx| tx.execute("DELETE FROM setting WHERE job = ?", [job]).map(drop))
    }

    /// How people want the job's settings, in the order of their names.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn tuned(&self, job: &str) -> Result<Vec<Tuned>> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT name, value, by_whom, reason FROM setting WHERE job = ? ORDER BY name",
                )?
                .query_map([job], |row| {
                    Ok(Tuned {
                        name: row.get(0)?,
                        value: Some(row.get(1)?).filter(|value: &String| !value.is_empty()),
                        by: row.get(2)?,
                        reason: row.get(3)?,
                    })
                })?
                .collect()
        })
    }
}
