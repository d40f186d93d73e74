//! Everything that can stop a job, folded into one token.
//!
//! OS signals ([`signals`]) and commands in the journal ([`commands`]) end here as a [`Stop`];
//! the executor reads only that. Another way to stop is another file beside these two.

mod commands;
mod signals;
mod stop;

pub use commands::{POLL_EVERY, watch_commands};
pub use signals::{OsSignals, watch_signals};
pub use stop::{Ask, Level, Source, Stop};
