//! Bytes of log that the server keeps for a replication slot.

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::Backlog;

const MIB: f64 = 1_048_576.0;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "retained_wal",
    unit: Unit::Bytes,
    remembers: false,
    nothing: "there is no replication slot now",
    said: |scene| said(scene.throttle.retained_wal.as_ref()),
    limit: |_| 4096.0 * MIB,
    probe: |scene| {
        Box::new(Backlog {
            desk: scene.desk.clone(),
            question: Question::RetainedLog,
            positions: false,
        })
    },
    ..PLAIN
};
