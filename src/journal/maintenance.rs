//! What was done for the table of a job.

use rusqlite::params;

use super::{Journal, Result};

impl Journal {
    /// Whether that was done for the table since the job's present generation began.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub fn is_maintained(&self, job: &str, what: &str) -> Result<bool> {
        self.read(|connection| {
            connection
                .prepare_cached(
                    "SELECT EXISTS (SELECT 1 FROM event JOIN job ON job.name = event.job \
                     WHERE event.job = ?1 AND kind = 'maintained' AND data ->> '$.what' = ?2 \
                     AND job.started_at <= at)",
                )?
                .query_row(params![job, what], |row| row.get(0))
        })
    }
}
