//! The protocol of a batch, as a pure function: which step follows which answer.
//!
//! The executor ([`super::shape`]) takes these steps on a real session; the model in the tests takes
//! them on an imagined one, in every order in which two runners, crashes, halts and take-overs can
//! meet. What is proved of one holds for the other, because the order and the decisions stand here
//! alone.
//!
//! **The argument.** The write precedes the fence, and the fence is a statement of its own, so its
//! snapshot is younger than every row that was written: whoever committed a higher epoch or a halt
//! before it began is seen, and the batch is rolled back. Whoever commits one later waits for the
//! fence's row lock (a take-over) or comes after the batch (a halt). A COMMIT without an answer is
//! settled by taking the row anew: that waits for the old transaction to end, one way or the other,
//! and what the row then says is final.

use crate::keyspace::Range;

/// A step of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Begin the transaction.
    Begin,
    /// Write the rows.
    Write,
    /// Advance the fence's row, on condition of the epoch and that no halt stands.
    Fence,
    /// Commit.
    Commit,
    /// Take the fence's row anew on another session and read whether it moved.
    Settle,
    /// Roll back, and end so.
    Rollback(End),
    /// It is over.
    End(End),
}

/// How a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// It committed.
    Committed,
    /// Nothing of it is in the database; it may be tried again.
    RolledBack,
    /// Nothing of it is in the database, and it must not be tried again: the fence's row is
    /// another's, or a halt stands.
    Refused,
    /// Nobody can tell from here.
    Unknown,
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Done.
    Done,
    /// The statement ran, and its condition held for no row; or the batch that is being settled
    /// did not move the row.
    NotSo,
    /// The database refused it; the transaction is still open, or rolled back already.
    Failed,
    /// No answer: the connection is gone.
    Lost,
}

impl Step {
    /// The first step.
    pub const FIRST: Self = Self::Begin;

    /// The step after this one. Without a fence, the write is followed by the COMMIT, and one that
    /// was not answered counts as rolled back, for such jobs bear being written twice.
    #[must_use]
    pub const fn next(self, answer: Answer, fenced: bool) -> Self {
        match (self, answer) {
            (Self::Begin, Answer::Done) => Self::Write,
            (Self::Write, Answer::Done) if fenced => Self::Fence,
            (Self::Write | Self::Fence, Answer::Done) => Self::Commit,
            (Self::Fence, Answer::NotSo) => Self::Rollback(End::Refused),
            (Self::Commit | Self::Settle, Answer::Done) => Self::End(End::Committed),
            (Self::Commit, Answer::Lost) if fenced => Self::Settle,
            (Self::Settle, Answer::NotSo) => Self::End(End::RolledBack),
            (Self::Settle, Answer::Failed) => Self::End(End::Refused),
            (Self::Settle, Answer::Lost) => Self::End(End::Unknown),
            // The server rolls back by itself what a lost connection leaves behind.
            (Self::Begin | Self::Write | Self::Fence | Self::Commit, Answer::Lost) => {
                Self::End(End::RolledBack)
            }
            (Self::Begin | Self::Write | Self::Fence | Self::Commit, _) => {
                Self::Rollback(End::RolledBack)
            }
            (Self::Rollback(end) | Self::End(end), _) => Self::End(end),
        }
    }
}

/// Whether the fence's row, as it is found, says that the batch which was to leave it like `next`
/// committed.
#[must_use]
pub fn moved(found: &Range, next: &Range) -> bool {
    found.batches == next.batches && found.cursor == next.cursor
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERS: [Answer; 4] = [Answer::Done, Answer::NotSo, Answer::Failed, Answer::Lost];

    fn walk(fenced: bool, answers: &[Answer]) -> Step {
        answers.iter().fold(Step::FIRST, |step, answer| step.next(*answer, fenced))
    }

    #[test]
    fn the_fence_stands_between_the_write_and_the_commit() {
        assert_eq!(walk(true, &[Answer::Done; 2]), Step::Fence);
        assert_eq!(walk(true, &[Answer::Done; 3]), Step::Commit);
        assert_eq!(walk(true, &[Answer::Done; 4]), Step::End(End::Committed));
        assert_eq!(walk(false, &[Answer::Done; 3]), Step::End(End::Committed));
    }

    /// Whatever the answers, a batch ends, and only a COMMIT that was answered or settled counts.
    #[test]
    fn every_batch_ends_and_says_how() {
        for fenced in [true, false] {
            let mut steps = vec![(Step::FIRST, false, 0)];
            while let Some((step, committed, length)) = steps.pop() {
                assert!(length < 8, "{step:?} does not end");
                if let Step::End(end) = step {
                    assert_eq!(end == End::Committed, committed, "{end:?}");
                    continue;
                }
                for answer in ANSWERS {
                    let commits = matches!(step, Step::Commit | Step::Settle);
                    let committed = committed || (commits && answer == Answer::Done);
                    steps.push((step.next(answer, fenced), committed, length + 1));
                }
            }
        }
    }
}
