//! Autovacuums of any kind at work on the table.

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::Ask;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "autovacuum",
    unit: Unit::Count,
    said: |scene| said(scene.throttle.autovacuum.as_ref()),
    limit: |_| 0.0,
    probe: |scene| {
        let question = Question::Autovacuum { table: scene.table.clone() };
        Box::new(Ask { desk: scene.desk.clone(), question: move || Some(question.clone()) })
    },
    ..PLAIN
};
