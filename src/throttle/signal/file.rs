//! A file that people or scripts make when the job has to wait.

use super::{PLAIN, Said, Signal};
use crate::throttle::Unit;
use crate::throttle::probe::Presence;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "file",
    unit: Unit::Flag,
    said: |scene| scene.throttle.file.as_ref().map(|_| Said::default()),
    probe: |scene| {
        let path = scene.throttle.file.as_ref().map_or("", |file| file.path.as_str());
        Box::new(Presence(scene.folder.join(path)))
    },
    ..PLAIN
};
