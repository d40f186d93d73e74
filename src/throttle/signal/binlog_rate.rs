//! Bytes a second that go to the binary log.

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::Growth;

const MIB: f64 = 1_048_576.0;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "binlog_rate",
    unit: Unit::BytesPerSecond,
    said: |scene| said(scene.throttle.binlog_rate.as_ref()),
    limit: |_| 64.0 * MIB,
    probe: |scene| {
        Box::new(Growth { desk: scene.desk.clone(), question: Question::BinlogWritten, last: None })
    },
    ..PLAIN
};
