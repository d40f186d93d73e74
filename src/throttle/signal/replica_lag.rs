//! How far the replicas are behind, in seconds.

use super::{Amount as _, PLAIN, Said, Signal};
use crate::catalog::TableName;
use crate::target::Question;
use crate::throttle::probe::{LogClock, Probe, Replicas};
use crate::throttle::{Scene, Unit};

/// The signal.
pub(super) static SIGNAL: Signal = Signal {
    name: "replica_lag",
    unit: Unit::Seconds,
    by_default: true,
    nothing: "no replica is connected now",
    said: |scene| {
        scene.throttle.replica_lag.as_ref().map(|lag| Said {
            pause: lag.pause_above.map(|time| time.amount()),
            resume: lag.resume_below.map(|time| time.amount()),
            off: lag.off,
        })
    },
    limit: |_| 10.0,
    probe,
    ..PLAIN
};

fn probe(scene: &Scene) -> Box<dyn Probe> {
    if scene.replicas.is_empty() {
        return Box::new(LogClock::new(scene.desk.clone()));
    }
    let heartbeat = scene.throttle.replica_lag.as_ref().and_then(|lag| lag.heartbeat.as_deref());
    let question = heartbeat.and_then(beat).unwrap_or(Question::OwnLag);
    Box::new(Replicas::new(&scene.replicas, question, scene.stale_after))
}

/// The question after the column that `schema.table.column` or `table.column` names.
fn beat(path: &str) -> Option<Question> {
    let (table, column) = path.rsplit_once('.')?;
    let (schema, name) = match table.split_once('.') {
        Some((schema, name)) => (Some(schema.to_owned()), name),
        None => (None, table),
    };
    let table = TableName { schema, name: name.to_owned(), quoted: false };
    Some(Question::Heartbeat { table, column: column.to_owned() })
}
