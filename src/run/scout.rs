//! The next window, looked for while the present one is written.
//!
//! To find where a batch ends, the server passes over the index entries of all of its rows, which
//! takes it about a twentieth of what their write takes, and on another session goes on beside it.
//! One such session serves all workers of a run: a worker who finds it busy looks for itself, as one
//! does whose batches are not of one size yet.
//!
//! **Invariant.** A window is only where a batch begins and ends, and is right whenever it was looked
//! for; what is written is what lies within when it is written. So whatever goes wrong here is no
//! error, and finds nothing.

use std::time::{Duration, Instant};

use super::shape::Window;
use super::window::boundary_window;
use super::{PING_EVERY, Run};
use crate::control::Level;
use crate::keyspace::{Key, Range};
use crate::plan::Statements;
use crate::target::Session;

/// A window is not used when it is older than the longest batch: after a pause of hours, rows that
/// came meanwhile could make its batch too large.
const FRESH: Duration = Duration::from_mins(1);

/// How far the number of rows that is wanted by then may be from what was looked for.
const ABOUT_AS_MANY: std::ops::RangeInclusive<f64> = 0.8..=1.25;

/// How long a batch that is written waits for the look to end. A worker without it would look for
/// itself, and take as long; so this is only for a look that never ends.
const END_WITHIN: Duration = Duration::from_secs(1);

/// Looks for windows on a session of its own, opened when it is first of use.
#[derive(Default)]
pub(super) struct Scout {
    kept: tokio::sync::Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    session: Option<Box<dyn Session>>,
    /// When it was last used, or last tried in vain.
    last: Option<Instant>,
}

impl Scout {
    pub(super) async fn close(self) {
        if let Some(session) = self.kept.into_inner().session {
            session.close().await;
        }
    }
}

/// A window that was looked for ahead.
pub(super) struct Ahead {
    window: Window,
    /// Of the range, where it was looked for.
    end: Key,
    at: Instant,
}

impl Ahead {
    /// The window, where it is the range's next one and about as large as wanted.
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    pub(super) fn fitting(self, range: &Range, rows: u64, at_most: u64) -> Option<Window> {
        let fits = self.window.after.as_ref() == range.position()
            && self.end == range.hi
            && self.window.rows <= at_most
            && ABOUT_AS_MANY.contains(&(self.window.rows as f64 / rows as f64))
            && self.at.elapsed() < FRESH;
        fits.then_some(self.window)
    }
}

impl Run {
    /// Looks for a window of that many rows behind `present`, which does not end its range.
    pub(super) async fn scout(
        &self,
        statements: &Statements,
        present: &Window,
        range: &Range,
        rows: u64,
    ) -> Option<Ahead> {
        // Beside the one writer of SQLite, a reader may keep it from committing.
        if self.plan.pace.most_workers == 1 {
            return None;
        }
        let mut kept = self.scout.kept.try_lock().ok()?;
        let lately = kept.last.is_some_and(|last| last.elapsed() < PING_EVERY);
        kept.last = Some(Instant::now());
        let mut session = match kept.session.take() {
            Some(session) if lately => session,
            // A server that let nobody in is not asked with every batch.
            None if lately => return None,
            // One that was idle for longer may be gone without a word, and would not answer.
            _ => tokio::select! {
                session = self.target.open("scout") => session.ok()?,
                () = self.stop.reached(Level::Cancel) => return None,
            },
        };
        let brake = session.brake();
        let at = Instant::now();
        let ahead = Range { cursor: Some(present.upto.clone()), ..range.clone() };
        let look = boundary_window(self, statements, session.as_mut(), &ahead, rows);
        let looked = self.braked(brake, look).await;
        // After an error, or when a brake may still be on its way to it, it is of no more use.
        let window = looked.result.ok().filter(|_| !looked.by_us)?;
        *kept = Kept { session: Some(session), last: Some(Instant::now()) };
        Some(Ahead { window: window?, end: range.hi.clone(), at })
    }
}

/// Both at the same time: what `work` comes to, and what `look` finds by then or soon after.
pub(super) async fn beside<T>(
    work: impl Future<Output = T>,
    look: impl Future<Output = Option<Ahead>>,
) -> (T, Option<Ahead>) {
    tokio::pin!(work, look);
    tokio::select! {
        done = &mut work => {
            let found = tokio::time::timeout(END_WITHIN, look).await;
            (done, found.ok().flatten())
        }
        found = &mut look => (work.await, found),
    }
}
