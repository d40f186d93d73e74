//! OS signals.

use std::io;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::{Handle, Signals};

use super::{Ask, Level, Source, Stop};

/// The handlers, until this is dropped.
pub struct OsSignals {
    handle: Handle,
}

impl Drop for OsSignals {
    fn drop(&mut self) {
        self.handle.close();
    }
}

/// Turns SIGINT, SIGTERM and SIGHUP into requests: the first finishes the batch in flight, the
/// second cancels it. SIGUSR1 calls `on_usr1`. `say` is told what was understood.
///
/// # Errors
///
/// The operating system refuses the handlers.
pub fn watch_signals(
    stop: Stop,
    say: impl Fn(Level) + Send + 'static,
    on_usr1: impl Fn() + Send + 'static,
) -> io::Result<OsSignals> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGUSR1])?;
    let handle = signals.handle();
    // signal-hook's iterator blocks, so it has a thread of its own; it ends with the handle.
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            if signal == SIGUSR1 {
                on_usr1();
                continue;
            }
            let name = match signal {
                SIGINT => "SIGINT",
                SIGHUP => "SIGHUP",
                _ => "SIGTERM",
            };
            let ask = |level| Ask { level, source: Source::Signal, by: name.into(), reason: None };
            if stop.ask(ask(Level::Drain)) {
                say(Level::Drain);
            } else if stop.ask(ask(Level::Cancel)) {
                say(Level::Cancel);
            }
        }
    })?;
    Ok(OsSignals { handle })
}

/// What a job makes of a signal, in a sentence.
#[must_use]
pub const fn in_batches(understood: Level) -> &'static str {
    match understood {
        Level::Drain => "stopping after the batch in flight; once more cancels it",
        _ => "cancelling the batch in flight; it is rolled back",
    }
}
