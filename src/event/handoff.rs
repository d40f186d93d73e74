//! What happens to a handoff: a change of a table that a tool, or the server, makes online.

use serde::{Deserialize, Serialize};

/// What a handoff is at, as far as can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffState {
    /// The tool looks at the server, and makes its copy of the table.
    Starting,
    /// It copies, or the server works.
    Copying,
    /// It waits by itself: a load, a lag, nobody who watches.
    Throttled,
    /// It waits because somebody asked it to.
    Paused,
    /// All is copied, and it waits for a person before it puts the new table in the place of the old.
    Postponed,
    /// It puts the new table in the place of the old.
    CuttingOver,
    /// The table is as planned.
    Done,
    /// Ended before its end, on request; the table is as it was.
    Stopped,
    /// Ended by the kill switch; the table is as it was. It stays so until it is released.
    Killed,
    /// It ended by itself, and the table is as it was.
    Failed,
    /// It ended, and whether the table was changed could not be told.
    Unknown,
}

impl HandoffState {
    /// Every state, for displays and metrics that must show a zero for each.
    pub const ALL: [Self; 11] = [
        Self::Starting,
        Self::Copying,
        Self::Throttled,
        Self::Paused,
        Self::Postponed,
        Self::CuttingOver,
        Self::Done,
        Self::Stopped,
        Self::Killed,
        Self::Failed,
        Self::Unknown,
    ];

    /// The name used in the journal, in messages and as a metric label.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Copying => "copying",
            Self::Throttled => "throttled",
            Self::Paused => "paused",
            Self::Postponed => "postponed",
            Self::CuttingOver => "cutting_over",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Killed => "killed",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
        }
    }

    /// The state of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing of it is at work any more.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        match self {
            Self::Starting
            | Self::Copying
            | Self::Throttled
            | Self::Paused
            | Self::Postponed
            | Self::CuttingOver => false,
            Self::Done | Self::Stopped | Self::Killed | Self::Failed | Self::Unknown => true,
        }
    }
}

/// How far a handoff is: the same for every tool. What a tool does not tell is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HandoffProgress {
    /// What it is at.
    pub state: HandoffState,
    /// Rows copied, or blocks or tuples that the server has gone through.
    pub copied: Option<u64>,
    /// How many there are, estimated when it began.
    pub estimate: Option<u64>,
    /// Changes of the application that were read and wait to be applied.
    pub backlog: Option<u64>,
    /// How far the copy is behind the table, in seconds.
    pub lag_seconds: Option<f64>,
    /// What it waits for, in the tool's words or ours.
    pub waits_for: Option<String>,
    /// Which step of how many, or the tool's own phase.
    pub step: Option<String>,
    /// The time that is left, in seconds, by the tool.
    pub eta_seconds: Option<f64>,
    /// Retries so far: of a statement that waited for its lock, of a cut-over.
    pub attempts: u32,
}

impl HandoffProgress {
    /// One of which nothing is known but what it is at.
    #[must_use]
    pub const fn at(state: HandoffState) -> Self {
        Self {
            state,
            copied: None,
            estimate: None,
            backlog: None,
            lag_seconds: None,
            waits_for: None,
            step: None,
            eta_seconds: None,
            attempts: 0,
        }
    }

    /// Whether the estimate can be believed: gh-ost on MySQL 9 reads 0, and says 100 % all along; copies
    /// of 205 and 348 % were reported (gh-ost#572, #767). InnoDB's own are off by some per cent.
    #[must_use]
    pub fn estimate_is_valid(&self) -> bool {
        match (self.copied, self.estimate) {
            (Some(copied), Some(estimate)) => {
                0 < estimate && copied <= estimate.saturating_add(estimate / 4)
            }
            _ => false,
        }
    }

    /// The share that is copied, from 0 to 1; none where it cannot be told. Before the end it is never 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share for people, of counts below 2^53")]
    pub fn ratio(&self) -> Option<f64> {
        match self.state {
            HandoffState::Done => return Some(1.0),
            HandoffState::Postponed | HandoffState::CuttingOver => return Some(0.999),
            _ => {}
        }
        let (copied, estimate) = (self.copied?, self.estimate?);
        self.estimate_is_valid().then(|| (copied as f64 / estimate as f64).min(0.999))
    }
}

/// What happens to a handoff.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum HandoffEvent {
    /// A supervisor took it.
    Taken {
        /// Who makes the change.
        tool: String,
        /// The table, with its schema.
        table: String,
        /// The change, on one line.
        change: String,
        /// The supervisor.
        supervisor: String,
        /// Whether it was at work already, or goes on with an earlier run.
        goes_on: bool,
        /// Who permitted it, and why.
        by: String,
    },
    /// How far it is.
    Progress(HandoffProgress),
    /// It is at something else, or has ended.
    Changed {
        /// What it was at.
        from: HandoffState,
        /// What it is at.
        to: HandoffState,
        /// Why, in words.
        reason: Option<String>,
        /// Who asked, where somebody did.
        by: Option<String>,
    },
    /// Somebody asked something of its supervisor.
    Answered {
        /// What.
        verb: String,
        /// Who.
        by: String,
        /// Whether it was carried out.
        carried: bool,
        /// What was answered.
        answer: String,
    },
    /// How long the application waits for the table, as the canary feels it.
    Stall {
        /// The last read and write, in seconds.
        last_seconds: f64,
        /// The longest so far, in seconds.
        longest_seconds: f64,
    },
    /// It was ended, and the server was asked what is left of it.
    Ended {
        /// Whether the server shows nothing of it any more.
        proven: bool,
        /// How long it took, in seconds.
        seconds: f64,
        /// What was done, in order, and what is left.
        said: Vec<String>,
    },
    /// The table and the copy were compared.
    Compared {
        /// Whether they are equal.
        equal: bool,
        /// In words.
        said: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_their_states() {
        for state in HandoffState::ALL {
            assert_eq!(HandoffState::from_name(state.name()), Some(state));
        }
        assert_eq!(HandoffState::from_name("dropped"), None);
    }

    #[test]
    fn an_estimate_that_cannot_be_believed_gives_no_share() {
        let of = |copied, estimate| HandoffProgress {
            copied: Some(copied),
            estimate: Some(estimate),
            ..HandoffProgress::at(HandoffState::Copying)
        };
        assert_eq!(of(78_000, 0).ratio(), None);
        assert_eq!(of(205, 100).ratio(), None);
        assert_eq!(of(50, 100).ratio(), Some(0.5));
        assert_eq!(of(100, 100).ratio(), Some(0.999));
        // InnoDB's estimate of a table of 400,000 rows was 396,720.
        assert_eq!(of(400_000, 396_720).ratio(), Some(0.999));
        assert!(!of(78_000, 0).estimate_is_valid());
        let done = HandoffProgress { state: HandoffState::Done, ..of(78_000, 0) };
        assert_eq!(done.ratio(), Some(1.0));
    }
}
