//! Sessions at work on the server, without the job's own.

use super::{PLAIN, Signal, said};
use crate::target::Question;
use crate::throttle::Now;
use crate::throttle::Unit;
use crate::throttle::probe::Ask;

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "active_sessions",
    unit: Unit::Count,
    said: |scene| said(scene.throttle.active_sessions.as_ref()),
    limit: twice_as_many,
    probe: |scene| {
        let (desk, sessions) = (scene.desk.clone(), scene.sessions.clone());
        Box::new(Ask { desk, question: move || Some(Question::Active { sessions: sessions() }) })
    },
    ..PLAIN
};

/// Twice as many as at the beginning, and ten more: on an idle server a handful of queries is no
/// crowd.
fn twice_as_many(now: &Now) -> f64 {
    let Now::Read(lines) = now else { return 10.0 };
    let first = lines.first().and_then(|line| line.value.as_ref().ok().copied());
    first.unwrap_or(0.0) * 2.0 + 10.0
}
