//! Lag in seconds from positions in the log.
//!
//! What a server says itself of the time by which a replica is behind stands still while the replica
//! does (PostgreSQL's `replay_lag` is that of the last report, and NULL without one). The positions do
//! not lie: a replica is as far behind as the time since the server was where the replica is now.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::{Desk, Line, Probe, Unread};
use crate::target::Question;

/// So many positions are remembered: an hour and more of one look a second. A replica that is further
/// behind than that is behind by at least that.
const REMEMBERED: usize = 4096;

/// Remembers where the server was when.
pub(in crate::throttle) struct LogClock {
    pub desk: Desk,
    clock: Clock,
    begun: Instant,
}

impl LogClock {
    pub(in crate::throttle) fn new(desk: Desk) -> Self {
        Self { desk, clock: Clock::default(), begun: Instant::now() }
    }
}

#[async_trait]
impl Probe for LogClock {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let (own, replicas) = own_and_others(self.desk.ask(&Question::Positions).await?)?;
        let now = self.begun.elapsed();
        self.clock.note(now, own);
        let lag = |line: Line| Line {
            value: line.value.map(|position| self.clock.since(now, position).as_secs_f64()),
            ..line
        };
        Ok(replicas.into_iter().map(lag).collect())
    }
}

/// The server's own position, and the other lines.
pub(super) fn own_and_others(lines: Vec<Line>) -> Result<(f64, Vec<Line>), Unread> {
    let mut lines = lines.into_iter();
    match lines.next().map(|line| line.value) {
        Some(Ok(own)) => Ok((own, lines.collect())),
        Some(Err(why)) => Err(Unread::Failed(why)),
        None => Err(Unread::Failed("the server did not tell its own position".to_owned())),
    }
}

#[derive(Default)]
struct Clock(VecDeque<(Duration, f64)>);

impl Clock {
    fn note(&mut self, now: Duration, position: f64) {
        // While the server stands still, the first moment at a position is the one that counts.
        if self.0.back().is_some_and(|(_, last)| position <= *last) {
            return;
        }
        self.0.push_back((now, position));
        if REMEMBERED < self.0.len() {
            self.0.pop_front();
        }
    }

    /// How long the server has been beyond that position.
    fn since(&self, now: Duration, position: f64) -> Duration {
        let beyond = self.0.partition_point(|(_, own)| *own <= position);
        self.0.get(beyond).map_or(Duration::ZERO, |(time, _)| now.saturating_sub(*time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_behind_by_the_time_since_the_server_was_there() {
        let at = Duration::from_secs;
        let mut clock = Clock::default();
        for (second, position) in [(0, 100.0), (1, 200.0), (2, 300.0), (9, 300.0)] {
            clock.note(at(second), position);
        }
        assert_eq!(clock.since(at(9), 300.0), at(0), "it has all");
        assert_eq!(clock.since(at(9), 250.0), at(7));
        assert_eq!(clock.since(at(9), 100.0), at(8));
        assert_eq!(clock.since(at(9), 10.0), at(9), "at least since the first look");
    }
}
