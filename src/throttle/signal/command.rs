//! Whatever a command can tell by its exit status.

use super::{PLAIN, Said, Signal};
use crate::throttle::Unit;
use crate::throttle::probe::ExitStatus;

/// The signal. Its value is the status.
pub(super) static SIGNAL: Signal = Signal {
    name: "command",
    unit: Unit::Flag,
    said: |scene| scene.throttle.command.as_ref().map(|_| Said::default()),
    probe: |scene| {
        let command = scene.throttle.command.as_ref();
        let run = command.map(|command| command.run.clone()).unwrap_or_default();
        Box::new(ExitStatus { run, folder: scene.folder.clone() })
    },
    ..PLAIN
};
