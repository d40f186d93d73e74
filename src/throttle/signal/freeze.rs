//! Periods in which no job of the team works, from `[throttle] freeze_file` in `backstop.toml`.

use super::{PLAIN, Said, Signal};
use crate::throttle::Unit;
use crate::throttle::probe::Calendar;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "freeze",
    unit: Unit::Flag,
    said: |scene| scene.freeze_file.as_ref().map(|_| Said::default()),
    probe: |scene| {
        let file = scene.freeze_file.clone().unwrap_or_default();
        Box::new(Calendar { file, margin: scene.margin })
    },
    ..PLAIN
};
