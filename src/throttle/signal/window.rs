//! The time of the day at which the job may work, from `[limits] window`.

use std::sync::Arc;

use super::{PLAIN, Said, Signal};
use crate::throttle::Unit;
use crate::throttle::probe::{Clock, Presence};

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "window",
    unit: Unit::Flag,
    said: |scene| scene.window.as_ref().map(|_| Said::default()),
    probe: |scene| match &scene.window {
        Some(opening) => Box::new(Clock { opening: Arc::clone(opening), margin: scene.margin }),
        // Nobody looks at a window that there is not.
        None => Box::new(Presence(scene.folder.clone())),
    },
    ..PLAIN
};
