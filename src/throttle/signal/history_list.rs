//! Old versions of rows that wait to be purged (InnoDB's history list).

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::Ask;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "history_list",
    unit: Unit::Count,
    said: |scene| said(scene.throttle.history_list.as_ref()),
    limit: |_| 1_000_000.0,
    probe: |scene| {
        Box::new(Ask { desk: scene.desk.clone(), question: || Some(Question::HistoryList) })
    },
    ..PLAIN
};
