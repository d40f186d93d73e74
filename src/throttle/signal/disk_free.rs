//! Room on the disk: a backfill that fills it takes the server down.

use super::{Amount as _, PLAIN, Said, Signal};
use crate::target::Question;
use crate::throttle::probe::{Ask, Disk};
use crate::throttle::{Side, Unit};

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "disk_free",
    unit: Unit::Bytes,
    said: |scene| {
        scene.throttle.disk_free.as_ref().map(|disk| Said {
            pause: disk.pause_below.map(|size| size.amount()),
            resume: disk.resume_above.map(|size| size.amount()),
            off: disk.off,
        })
    },
    limit: |_| 10.0 * 1_073_741_824.0,
    side: Side::Below,
    probe: |scene| match scene.throttle.disk_free.as_ref().and_then(|disk| disk.path.as_ref()) {
        Some(path) => Box::new(Disk(scene.folder.join(path))),
        None => Box::new(Ask { desk: scene.desk.clone(), question: || Some(Question::DiskFree) }),
    },
    ..PLAIN
};
