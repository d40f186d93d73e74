//! Commands that other processes left in the journal.

use std::time::Duration;

use super::{Ask, Level, Source, Stop};
use crate::journal::{Action, Journal, Result};

/// How often it is looked whether another process has written to the journal. A cancel is to be sent
/// within 100 ms of the command, most of which the cancel itself may need.
pub const POLL_EVERY: Duration = Duration::from_millis(20);

/// Reads commands for `job` for ever. Cancel it by dropping.
///
/// # Errors
///
/// The journal cannot be used any more; nothing else ends it.
pub async fn watch_commands(journal: &Journal, job: &str, stop: &Stop) -> Result<()> {
    let mut ticks = tokio::time::interval(POLL_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut seen = None;
    loop {
        ticks.tick().await;
        // Before the commands: what comes between the two looks is found by the next.
        let version = Some(journal.version()?);
        if seen == version {
            continue;
        }
        seen = version;
        for command in journal.unseen_commands(job)? {
            let level = match command.action {
                Action::Pause => Level::Pause,
                Action::Resume => Level::Go,
                Action::Stop => Level::Drain,
                Action::Kill => Level::Kill,
            };
            stop.ask(Ask { level, source: Source::Cli, by: command.by, reason: command.reason });
            journal.mark_seen(command.id)?;
        }
    }
}
