//! As long as somebody holds an old snapshot, the rows that the job leaves dead cannot be removed.

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::Ask;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "transaction_age",
    unit: Unit::Seconds,
    said: |scene| said(scene.throttle.transaction_age.as_ref()),
    limit: |_| 1800.0,
    probe: |scene| {
        let (desk, sessions) = (scene.desk.clone(), scene.sessions.clone());
        Box::new(Ask {
            desk,
            question: move || Some(Question::TransactionAge { sessions: sessions() }),
        })
    },
    ..PLAIN
};
