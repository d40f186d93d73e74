//! A backfill leaves a dead row for each that it changes. Where vacuum does not keep up, the table
//! grows, and every query that reads it reads the dead ones too.

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::Ask;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "dead_rows",
    unit: Unit::Share,
    said: |scene| said(scene.throttle.dead_rows.as_ref()),
    limit: |_| 0.2,
    probe: |scene| {
        let question = Question::DeadRows { table: scene.table.clone() };
        Box::new(Ask { desk: scene.desk.clone(), question: move || Some(question.clone()) })
    },
    ..PLAIN
};
