//! What the model must find out: each a way to build the protocol wrong.

use backstop::run::protocol::{Answer, End, Step};

/// What could be built wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The fence's statement precedes the write.
    FenceBeforeWrite,
    /// The fence's statement does not look at the epoch.
    EpochNotChecked,
    /// The fence's statement does not look for halts.
    HaltNotChecked,
    /// Write and fence are one statement, which sees halts as they were when the write began. The
    /// epoch stands in the row that it updates, and of that it sees the newest version.
    OneSnapshot,
    /// After a lost COMMIT the row is read and not taken: the old transaction is not waited for.
    SettleWithoutWaiting,
    /// A claim commits first and reads its epoch and cursor afterwards.
    ClaimReadsLater,
    /// A claim leaves the epoch as it is.
    ClaimKeepsEpoch,
    /// The server never ends a transaction whose client is gone: no promise is broken, but nothing
    /// may go on any more.
    OrphansStay,
}

impl Fault {
    /// Those that break a promise.
    pub const UNSAFE: [Self; 7] = [
        Self::FenceBeforeWrite,
        Self::EpochNotChecked,
        Self::HaltNotChecked,
        Self::OneSnapshot,
        Self::SettleWithoutWaiting,
        Self::ClaimReadsLater,
        Self::ClaimKeepsEpoch,
    ];
}

/// The order of the steps: the runner's own, unless the fault is one of order.
pub fn after(step: Step, answer: Answer, fault: Option<Fault>) -> Step {
    match (fault, step, answer) {
        (Some(Fault::FenceBeforeWrite), Step::Begin, Answer::Done) => Step::Fence,
        (Some(Fault::FenceBeforeWrite), Step::Fence, Answer::Done) => Step::Write,
        (Some(Fault::FenceBeforeWrite | Fault::OneSnapshot), Step::Write, Answer::Done) => {
            Step::Commit
        }
        (Some(Fault::OneSnapshot), Step::Write, Answer::NotSo) => Step::Rollback(End::Refused),
        _ => step.next(answer, true),
    }
}
