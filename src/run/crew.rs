//! The ranges of a walk, and how the workers share them.
//!
//! A range belongs to one worker at a time. A worker that finds none left waits, and the others give
//! it half of what they have left ([`super::share`]), so that skew leaves nobody alone at the end.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::keyspace::Range;

/// The ranges of a walk.
pub(super) struct Crew {
    /// By what the server's estimates are multiplied ([`super::survey::Survey::scale`]).
    pub(super) scale: f64,
    inner: Mutex<Inner>,
    news: Notify,
}

struct Inner {
    /// Ranges that nobody walks, each with the state of the ground as of which it is known
    /// ([`super::ground`]).
    waiting: VecDeque<(Range, u32)>,
    /// Ranges that a worker has.
    walked: usize,
    /// Workers that wait for a range.
    idle: usize,
    /// The number of the next range that comes to be.
    next_id: u32,
}

/// What there is for a worker that has no range.
pub(super) enum Next {
    /// This range, known as of that state of the ground.
    Range(Range, u32),
    /// None yet, but the others still walk.
    Wait,
    /// All are walked.
    Nothing,
}

impl Crew {
    pub(super) fn new(ranges: Vec<Range>, scale: f64, breaks: u32) -> Self {
        let next_id = ranges.iter().map(|range| range.id + 1).max().unwrap_or(0);
        let open = ranges.into_iter().filter(|range| !range.done);
        let waiting = open.map(|range| (range, breaks)).collect();
        let inner = Inner { waiting, walked: 0, idle: 0, next_id };
        Self { scale, inner: Mutex::new(inner), news: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The news that end a wait. To miss none, begin to listen before asking for the next range.
    pub(super) fn news(&self) -> Notified<'_> {
        self.news.notified()
    }

    pub(super) fn next(&self) -> Next {
        let mut inner = self.lock();
        match inner.waiting.pop_front() {
            Some((range, breaks)) => {
                inner.walked += 1;
                Next::Range(range, breaks)
            }
            None if inner.walked == 0 => Next::Nothing,
            None => Next::Wait,
        }
    }

    /// Counts a worker as idle for as long as the value lives.
    pub(super) fn idle(&self) -> Idle<'_> {
        self.lock().idle += 1;
        Idle(self)
    }

    /// Whether somebody waits for a range, and none is there.
    pub(super) fn is_short(&self) -> bool {
        let inner = self.lock();
        inner.waiting.len() < inner.idle
    }

    /// The number of a range that comes to be.
    pub(super) fn new_id(&self) -> u32 {
        let mut inner = self.lock();
        inner.next_id += 1;
        inner.next_id - 1
    }

    /// A range that nobody walks yet.
    pub(super) fn add(&self, range: Range, breaks: u32) {
        self.lock().waiting.push_back((range, breaks));
        self.news.notify_waiters();
    }

    /// A worker has walked its range to the end.
    pub(super) fn finished(&self) {
        self.lock().walked -= 1;
        self.news.notify_waiters();
    }

    /// A worker leaves its range to whoever comes next.
    pub(super) fn put_back(&self, range: Range, breaks: u32) {
        let mut inner = self.lock();
        inner.walked -= 1;
        inner.waiting.push_front((range, breaks));
        drop(inner);
        self.news.notify_waiters();
    }

    /// Whether a range is not walked to its end.
    pub(super) fn is_open(&self) -> bool {
        let inner = self.lock();
        0 < inner.waiting.len() + inner.walked
    }
}

/// A worker that waits.
pub(super) struct Idle<'a>(&'a Crew);

impl Drop for Idle<'_> {
    fn drop(&mut self) {
        self.0.lock().idle -= 1;
    }
}
