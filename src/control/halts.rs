//! Halts in the target: rows that somebody wrote beside the fence, from wherever.

use std::time::Duration;

use super::{Ask, Level, Source, Stop};
use crate::target::switch::{Halt, Switch};
use crate::target::{Class, Dialect, Result, Session};

/// How often the switch is read. No batch commits past a halt in any case; this is for the statement
/// in flight, the pause and the verification, and a few lookups of an empty table a second cost
/// nothing.
const POLL_EVERY: Duration = Duration::from_millis(250);

/// The request that a halt makes.
#[must_use]
pub fn ask_of(halt: &Halt) -> Ask {
    Ask { level: Level::Kill, source: Source::Sql, by: halt.by(), reason: halt.why.clone() }
}

/// Reads the switch for ever, on a session of its own. Cancel it by dropping, and the session with
/// it.
///
/// # Errors
///
/// The switch cannot be read any more; nothing else ends it.
pub async fn watch_halts(
    switch: &Switch,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    job: &str,
    stop: &Stop,
) -> Result<()> {
    let mut ticks = tokio::time::interval(POLL_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match switch.standing(dialect, session, job).await {
            Ok(Some(halt)) => {
                stop.ask(ask_of(&halt));
            }
            Ok(None) => {}
            // A file that another process has for itself just now.
            Err(error) if matches!(error.class, Class::Retry(_)) => {}
            Err(error) => return Err(error),
        }
    }
}
