//! Everything that can stop a job, folded into one token.
//!
//! OS signals ([`signals`]), commands in the journal ([`commands`]), kill files ([`files`]) and halts
//! in the target ([`halts`]) end here as a [`Stop`]; the executor reads only that. Another way to stop is another file beside
//! these. HTTP calls reach the token from `serve`.

mod commands;
mod files;
mod halts;
mod signals;
mod stop;

pub use commands::{POLL_EVERY, watch_commands};
pub use files::{Standing, WatchedFiles, look, reason_in, watch_files};
pub use halts::{ask_of, watch_halts};
pub use signals::{OsSignals, in_batches, watch_signals};
pub use stop::{Ask, Level, Source, Stop};
