//! The most direct harm there is: somebody waits for a row that this job has written and not committed.

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::Ask;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "blocked_sessions",
    unit: Unit::Count,
    by_default: true,
    cancels: true,
    haste: 5,
    said: |scene| said(scene.throttle.blocked_sessions.as_ref()),
    limit: |_| 3.0,
    probe: |scene| {
        let (desk, sessions) = (scene.desk.clone(), scene.sessions.clone());
        let mut asked = false;
        Box::new(Ask {
            desk,
            question: move || {
                let sessions = sessions();
                // Who is in no batch holds no lock. Whether it can be asked at all is asked once.
                let idle = std::mem::replace(&mut asked, true) && sessions.is_empty();
                (!idle).then_some(Question::Blocked { sessions })
            },
        })
    },
    ..PLAIN
};
