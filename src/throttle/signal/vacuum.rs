//! A vacuum against wraparound cannot be put off: the job makes way, and makes no dead rows for it.

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::Ask;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "vacuum",
    unit: Unit::Count,
    by_default: true,
    said: |scene| said(scene.throttle.vacuum.as_ref()),
    limit: |_| 0.0,
    probe: |scene| {
        let question = Question::WraparoundVacuum { table: scene.table.clone() };
        Box::new(Ask { desk: scene.desk.clone(), question: move || Some(question.clone()) })
    },
    ..PLAIN
};
