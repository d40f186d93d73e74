//! Segments of the write-ahead log that wait to be archived.

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::Ask;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "wal_archive_backlog",
    unit: Unit::Count,
    said: |scene| said(scene.throttle.wal_archive_backlog.as_ref()),
    limit: |_| 32.0,
    probe: |scene| {
        Box::new(Ask { desk: scene.desk.clone(), question: || Some(Question::ArchiveBacklog) })
    },
    ..PLAIN
};
