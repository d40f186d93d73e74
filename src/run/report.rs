//! What became of the job, as the document that the gate reads as evidence.

use jiff::Timestamp;

use super::verdict::Verdict;
use super::{Error, Run};
use crate::gate::evidence::{FORMAT, JobCounts, JobEvidence};

impl Run {
    /// The document as of now.
    pub(super) fn evidence(&self, verdict: Option<&Verdict>) -> Result<JobEvidence, Error> {
        let (rows_scanned, rows_changed) = self.written_rows()?;
        let seen = verdict.and_then(|verdict| verdict.watched.as_ref());
        let wrong = verdict.map_or(0, Verdict::wrong) + seen.map_or(0, |seen| seen.violations);
        let rows = verdict.map_or(0, |verdict| verdict.rows) + seen.map_or(0, |seen| seen.rows);
        let periods = seen.map_or_else(Vec::new, |seen| seen.periods.clone());
        let held = periods.last();
        let finished = verdict.map_or_else(Timestamp::now, |verdict| verdict.finished_at);
        Ok(JobEvidence {
            format: FORMAT,
            job: self.plan.spec.job.name.clone(),
            spec_hash: self.plan.spec_hash.clone(),
            generation: self.generation.into(),
            table: self.plan.table.to_string(),
            state: self.state(),
            counts: JobCounts { rows_scanned, rows_changed, rows_checked: rows, rows_wrong: wrong },
            checksum: verdict.and_then(|verdict| verdict.checksum.clone()),
            sample_rows: verdict.and_then(|verdict| verdict.sampled),
            held_from: held.map(|period| period.from.clone()),
            held_until: held.map(|period| period.until.clone()),
            violations: wrong,
            violating_keys: verdict.map_or_else(Vec::new, |verdict| verdict.keys.clone()),
            started_at: verdict.map(|verdict| verdict.started_at.to_string()),
            finished_at: finished.to_string(),
            periods,
        })
    }
}
