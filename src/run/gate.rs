//! Where workers wait between two batches: because people ask for it, because signals say so, and for
//! the sake of the pace. No transaction is open here.

use std::time::{Duration, Instant};

use super::lifecycle::Gate;
use super::walk::Worker;
use super::{Error, PING_EVERY, Run};
use crate::control::{Ask, Level, Source};
use crate::keyspace::Range;
use crate::plan::Pause;

impl Run {
    pub(super) fn gate(&self) -> Gate {
        Gate { ask: self.stop.present(), holds: self.board.holds() }
    }

    /// Sleeps, unless somebody asks to pause or to leave, or changes the pace.
    pub(super) async fn wait(&self, time: Duration) {
        let mut paces = self.pace.subscribe();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stop.reached(Level::Pause) => {}
            Ok(()) = paces.changed() => {}
        }
    }

    /// Asks to stop when the run has lasted as long as it may, for ever.
    pub(super) async fn watch_runtime(&self) -> std::convert::Infallible {
        let (begun, mut paces) = (Instant::now(), self.pace.subscribe());
        loop {
            let limit = paces.borrow_and_update().ends.max_runtime;
            let left = limit.map(|limit| limit.saturating_sub(begun.elapsed()));
            let ends = async {
                match left {
                    Some(left) => tokio::time::sleep(left).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = ends => {
                    let limit = crate::spec::Duration(limit.unwrap_or_default());
                    self.reach(format!("max_runtime {limit} is reached"));
                    return std::future::pending().await;
                }
                Ok(()) = paces.changed() => {}
            }
        }
    }

    /// Stops the run, because a limit of the spec says so.
    pub(super) fn reach(&self, reason: String) {
        let by = "the limits of the spec".to_owned();
        let reason = Some(reason);
        self.stop.ask(Ask { level: Level::Drain, source: Source::Limit, by, reason });
    }
}

impl Worker<'_> {
    /// Waits while the job is paused or has to step aside; says whether to go on.
    pub(super) async fn may_go_on(&mut self, range: &mut Range) -> Result<bool, Error> {
        let run = self.run;
        let (mut asks, mut holds) = (run.stop.watch(), run.board.watch());
        loop {
            asks.mark_unchanged();
            holds.mark_unchanged();
            let gate = run.gate();
            if !gate.is_shut() {
                return Ok(gate.ask.level < Level::Drain);
            }
            self.make_durable(range).await?;
            run.lifecycle.park(&gate)?;
            loop {
                tokio::select! {
                    _ = asks.changed() => break,
                    _ = holds.changed() => break,
                    () = tokio::time::sleep(PING_EVERY) => {
                        // A session that was lost meanwhile is replaced by the next batch.
                        let _ = self.seat.session.ping().await;
                    }
                }
            }
            run.lifecycle.unpark(&run.gate())?;
        }
    }

    /// The pause after a batch that was begun at `began`, as the pace wants it.
    pub(super) async fn rest(&mut self, rows: u64, took: Duration, began: Instant) {
        let (run, pace) = (self.run, self.run.pace());
        let pause = match pace.pause {
            Pause::None => Duration::ZERO,
            Pause::AsLong => took,
            Pause::Fixed(time) => time,
        };
        let now = Instant::now();
        let booked = pace.rows_per_second.map_or(Duration::ZERO, |rate| {
            let until = run.timetable.book(rows, rate, began, now);
            until.saturating_duration_since(now)
        });
        let rest = pause.max(took.mul_f64(pace.nice)).max(booked);
        if rest.is_zero() {
            return;
        }
        let rested = run.wait(rest);
        tokio::pin!(rested);
        while tokio::time::timeout(PING_EVERY, &mut rested).await.is_err() {
            let _ = self.seat.session.ping().await;
        }
    }
}
