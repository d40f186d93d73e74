//! Bytes of log that a replica has still to replay.

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::Backlog;

const MIB: f64 = 1_048_576.0;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "replica_lag_bytes",
    unit: Unit::Bytes,
    nothing: "no replica is connected now",
    said: |scene| said(scene.throttle.replica_lag_bytes.as_ref()),
    limit: |_| 256.0 * MIB,
    probe: |scene| {
        Box::new(Backlog {
            desk: scene.desk.clone(),
            question: Question::Positions,
            positions: true,
        })
    },
    ..PLAIN
};
