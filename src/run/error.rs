//! Why a run ended without being asked to.

use std::fmt;

use crate::control::{Ask, Level, Source};
use crate::event::IllegalTransition;
use crate::plan::Chore;

/// What changed in a spec since the job began.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecChange {
    /// One line for each field: `batch.workers: 1 -> 2`. Empty when the old text is not known.
    pub lines: Vec<String>,
}

impl fmt::Display for SpecChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.lines {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

/// Why a run ended, or could not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The target said no, or is gone.
    #[error("{}{}", .0, way_on(.0))]
    Target(#[from] crate::target::Error),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] crate::journal::Error),
    /// Another runner has the job.
    #[error(
        "job `{job}` is already being run by {holder}; two runners would do the same work twice, so \
         stop that one first with `backstop stop {job}`, or, if it is frozen or cut off, end it with \
         `--take-over`"
    )]
    HeldBy {
        /// The job.
        job: String,
        /// The other runner, in words.
        holder: String,
    },
    /// The fence says that another runner has the job, on a cluster where that cannot be checked.
    #[error(
        "job `{job}` is held by {holder}, says the fence; the nodes of {cluster} share no locks, so \
         from here nobody can tell whether that runner still lives. If it does not, or is to be \
         ended, add `--take-over`: its next batch is then refused"
    )]
    HeldInCluster {
        /// The job.
        job: String,
        /// The other runner, in words.
        holder: String,
        /// What kind of cluster.
        cluster: &'static str,
    },
    /// A transaction of an earlier runner has not ended.
    #[error(
        "the fence of `{job}` is locked ({cause}): {holder} has a transaction open in it that has \
         not ended. Nothing can go wrong, but nothing goes on either: end that process (with \
         `kill -9` if it is frozen), or its session, and run the job again"
    )]
    StillHeld {
        /// The job.
        job: String,
        /// Who, as the fence has it.
        holder: String,
        /// What the server said.
        cause: crate::target::Error,
    },
    /// A kill stands.
    #[error(
        "job `{job}` was killed by {by} at {at}{reason}, and stays so until a person lifts that: \
         nothing was written. When it may go on: `backstop release {selector} --reason TEXT`"
    )]
    Killed {
        /// The job.
        job: String,
        /// Who killed it.
        by: String,
        /// When.
        at: String,
        /// Why, in parentheses.
        reason: String,
        /// What has to be released, as the command takes it.
        selector: String,
    },
    /// The spec is not the one that the job began with.
    #[error(
        "the spec of `{job}` has changed since the job began, and the rows written so far were \
         written by the old one:{change}\nto go on with the new spec add `--accept-changed-spec`; to \
         write every row again, finish the job and use `--again`"
    )]
    SpecChanged {
        /// The job.
        job: String,
        /// The difference.
        change: SpecChange,
    },
    /// The fence belongs to another table of that name.
    #[error(
        "the fence knows job `{job}` on another table (`{known}`, now `{found}`): it was dropped and \
         made again, or the spec names another one; a cursor of one table means nothing in another, \
         so give the job a new name"
    )]
    OtherTable {
        /// The job.
        job: String,
        /// The identity of the table that the job began with.
        known: String,
        /// The identity of the table now.
        found: String,
    },
    /// The journal knows progress that the target does not.
    #[error(
        "the journal `{path}` knows {batches} batches of job `{job}`, but this target's fence knows \
         nothing of it: another database, or the fence was dropped; look first, then use another \
         journal with `--state PATH` to begin anew"
    )]
    OtherTarget {
        /// The journal.
        path: String,
        /// The job.
        job: String,
        /// The batches that the journal knows.
        batches: u64,
    },
    /// Somebody else owns the range now.
    #[error(
        "range {range} was taken over by {holder}: its epoch is no longer ours, so this batch was \
         rolled back; nothing is lost, and the other runner goes on with it"
    )]
    FencedOff {
        /// The range.
        range: u32,
        /// Who has it, in words.
        holder: String,
    },
    /// The answer to a COMMIT was lost and the fence cannot be asked.
    #[error(
        "the connection was lost during a COMMIT ({cause}), and the fence cannot be asked whether it \
         took effect; either the whole batch up to {upto} is written or none of it. Run the job \
         again when the server answers: it reads the fence and goes on from there"
    )]
    OutcomeUnknown {
        /// What the connection said.
        cause: String,
        /// The end of the batch.
        upto: String,
    },
    /// A batch failed with an error that trying again does not cure.
    #[error("the batch {window} failed and was rolled back: {cause}{advice}")]
    Batch {
        /// The keys of the batch.
        window: String,
        /// What the server said.
        cause: crate::target::Error,
        /// What to do, with its own `; `.
        advice: String,
    },
    /// A session cannot be opened, or was lost while nothing was being done in it.
    #[error(
        "a session with the target is not to be had: {0}; nothing is lost: run the job again when \
         the server answers"
    )]
    Session(crate::target::Error),
    /// The server was away for longer than a run waits for one.
    #[error(
        "the server was away for {away} ({attempts} attempts to reach it), and `max_outage` allows \
         {limit}; the last one: {last}. Nothing is lost: run the job again when the server answers"
    )]
    Away {
        /// For how long, without pauses.
        away: crate::spec::Duration,
        /// How often it was tried.
        attempts: u32,
        /// What the spec allows.
        limit: crate::spec::Duration,
        /// The last error.
        last: crate::target::Error,
    },
    /// The address leads to other data than at the beginning.
    #[error(
        "{address} leads to another database than when this run of `{job}` began: not to a standby \
         that took over, but to other data. Nothing was written there; mend the address, and run the \
         job again"
    )]
    OtherData {
        /// Where it leads.
        address: String,
        /// The job.
        job: String,
    },
    /// Another server took over, and there is no fence.
    #[error(
        "another server has taken over at {address}, and job `{job}` runs without a fence: the new one \
         may lack the latest batches, which the journal calls done, and nothing there could tell. \
         Every row that matches may safely be written again: with a journal that knows nothing of \
         the job (`--state PATH`), run it again"
    )]
    OtherCopy {
        /// Where it took over.
        address: String,
        /// The job.
        job: String,
    },
    /// The fence knows nothing of the run any more.
    #[error(
        "the fence at {address} knows nothing of this run of `{job}`: the server that answers now is \
         another one, and older than the job, or the fence was dropped. Nothing was written there; \
         find out which server it is before you run the job again"
    )]
    FenceGone {
        /// Where the fence is.
        address: String,
        /// The job.
        job: String,
    },
    /// A key in the table cannot be read as the key's type.
    #[error(
        "a row of `{table}` has a key ({key}) that cannot be told as text of its type, so nothing \
         could say where the walk is; mend the row, or walk another unique key with `[batch] key`"
    )]
    UnreadableKey {
        /// The table.
        table: String,
        /// The key's columns.
        key: String,
    },
    /// A count came back as something else.
    #[error("the server answered a count with `{found}`, which is no number")]
    UnreadableCount {
        /// What came back.
        found: String,
    },
    /// What the job has written was undone.
    #[error(
        "generation {generation} of job `{job}` was undone, so there is nothing of it to go on with; \
         to write the rows once more, mend the spec and begin anew with `--again`"
    )]
    Undone {
        /// The job.
        job: String,
        /// The generation.
        generation: u32,
    },
    /// `--again` on a job that is not finished.
    #[error(
        "job `{job}` is not finished, so it cannot begin again: `--again` is for a job whose every \
         range is walked; run it without, and it goes on where it stopped"
    )]
    NotFinished {
        /// The job.
        job: String,
    },
    /// `verify` on a job that has rows left to write.
    #[error(
        "job `{job}` cannot be verified: {why}, and what is not written cannot be right; nothing was \
         read. Finish it first with `backstop run`, which verifies at its end"
    )]
    NotWalked {
        /// The job.
        job: String,
        /// What is left.
        why: &'static str,
    },
    /// `verify` on a job whose spec has nothing that could be verified.
    #[error(
        "job `{job}` has nothing to verify: its spec has no `where`, and [verify] neither `expect` nor \
         `checksum`; add an `expect` that must be true for every row"
    )]
    NothingToVerify {
        /// The job.
        job: String,
    },
    /// `verify --watch` by a column that no index serves.
    #[error(
        "`changed_at` names `{column}`, and no index finds the rows that were written lately, so every \
         look would read the whole table; make an index on `{column}`, or leave `changed_at` out"
    )]
    NoChangeIndex {
        /// The column.
        column: String,
    },
    /// The journal's job is being run on another target.
    #[error(
        "job `{job}` of the journal `{path}` is being run on {address} by {runner}; a second run of \
         that name on another target would hide it from `stop` and `kill`, so use another journal \
         with `--state PATH`, or another name"
    )]
    RunningElsewhere {
        /// The job.
        job: String,
        /// The journal.
        path: String,
        /// Where it runs.
        address: String,
        /// Who runs it.
        runner: String,
    },
    /// More batches had to be tried again than the spec allows.
    #[error(
        "more than {limit} batches were rolled back and had to be tried again, which is what \
         `max_errors` allows; the last one: {last}. Earlier batches stay written: find who is in the \
         way, and run the job again"
    )]
    TooManyErrors {
        /// What the spec allows.
        limit: u64,
        /// The last error.
        last: crate::target::Error,
    },
    /// A row cannot be written, and no more rows may be put into quarantine.
    #[error(
        "the row {key} cannot be written: {cause}; {limit}. Earlier batches stay written, and what is in \
         quarantine stays there: mend the cause, and run the job again"
    )]
    TooMuchPoison {
        /// The row.
        key: String,
        /// What the server said.
        cause: crate::target::Error,
        /// Which limit, and how to set another one.
        limit: String,
    },
    /// The table could not be looked after.
    #[error(
        "{what} of the table failed: {cause}. Every row is written: mend the cause and run the job \
         again, which does only this and verifies, or take `{what}` out of [after] and do it by hand \
         (`{sql}`)"
    )]
    Chore {
        /// `vacuum` or `analyze`.
        what: &'static str,
        /// The statement.
        sql: String,
        /// What the server said.
        cause: crate::target::Error,
    },
    /// A state change that the table of states does not know: a defect of ours.
    #[error("internal: {0}")]
    State(#[from] IllegalTransition),
    /// A task of the run panicked: a defect of ours.
    #[error("internal: a worker failed: {0}; its batch was rolled back by the server")]
    Worker(String),
}

/// What to do when a session was lost while nothing of it could be in doubt.
fn way_on(error: &crate::target::Error) -> &'static str {
    if error.is_lost() {
        "; nothing is lost: run the job again when the server answers"
    } else {
        ""
    }
}

impl Error {
    pub(super) fn chore(chore: &Chore, cause: crate::target::Error) -> Self {
        let (what, sql) = (chore.maintenance.name(), chore.sql().to_owned());
        Self::Chore { what, sql, cause }
    }

    pub(super) const fn target(error: crate::target::Error) -> Self {
        Self::Target(error)
    }

    /// What happened, without what it means here: for a sentence that says that itself.
    pub(super) fn in_short(&self) -> String {
        match self {
            Self::Target(error) | Self::Session(error) => error.to_string(),
            Self::Away { away, attempts, .. } => {
                format!("the server was away for {away} ({attempts} attempts to reach it)")
            }
            error => error.to_string(),
        }
    }

    /// Whether another runner has the job by now.
    pub(super) const fn is_ousted(&self) -> bool {
        matches!(self, Self::Journal(crate::journal::Error::Ousted { .. }))
    }

    /// What the target said, where it may say something else a moment later.
    pub(super) fn passing(&self) -> Option<&crate::target::Error> {
        match self {
            Self::Target(error) => Some(error).filter(|e| e.is_passing()),
            // A MySQL that shuts down interrupts the statements of a session that was just opened
            // (1317), as if somebody had cancelled them. Nothing of such a session is in doubt.
            Self::Session(error) => {
                Some(error).filter(|e| e.is_passing() || e.class == crate::target::Class::Cancelled)
            }
            _ => None,
        }
    }
}

/// The request that makes the other workers leave when one has failed.
pub(super) fn drain_because(error: &Error) -> Ask {
    Ask {
        level: Level::Drain,
        source: Source::Runner,
        by: "the runner".to_owned(),
        reason: Some(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Class;

    #[test]
    fn a_cancel_passes_where_a_session_was_opened_and_nowhere_else() {
        let cancelled = || crate::target::Error::new(Class::Cancelled, "interrupted");
        assert!(Error::Session(cancelled()).passing().is_some());
        // Somebody's brake on a batch is obeyed.
        assert!(Error::Target(cancelled()).passing().is_none());
        let denied = crate::target::Error::new(Class::Refused, "denied");
        assert!(Error::Session(denied).passing().is_none());
    }
}
