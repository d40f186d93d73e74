//! Whatever a SELECT can tell.

use super::{PLAIN, Said, Signal};
use crate::target::Question;
use crate::throttle::Unit;
use crate::throttle::probe::{Ask, Desk};

/// The signal. Its session is its own: a SELECT of the user's that takes long delays no other look.
pub(super) static SIGNAL: Signal = Signal {
    name: "query",
    unit: Unit::Number,
    said: |scene| {
        let query = scene.throttle.query.as_ref()?;
        Some(Said { pause: Some(query.pause_above), resume: query.resume_below, off: false })
    },
    probe: |scene| {
        let sql = scene.throttle.query.as_ref().map(|query| query.sql.clone());
        let question = sql.map(|sql| Question::Number { sql });
        Box::new(Ask { desk: Desk::new(scene.target.clone()), question: move || question.clone() })
    },
    ..PLAIN
};
