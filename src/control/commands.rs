//! Commands that other processes left in the journal.

use std::time::Duration;

use super::{Ask, Level, Source, Stop};
use crate::journal::{Action, Journal, Result};

/// How often the journal is asked: a command is seen within 250 ms, with time to spare for a slow
/// disk.
pub const POLL_EVERY: Duration = Duration::from_millis(100);

/// Reads commands for `job` for ever. Cancel it by dropping.
///
/// # Errors
///
/// The journal cannot be used any more; nothing else ends it.
pub async fn watch_commands(journal: &Journal, job: &str, stop: &Stop) -> Result<()> {
    let mut ticks = tokio::time::interval(POLL_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
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
