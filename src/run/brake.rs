//! Ending a statement from outside, without dropping it.

use std::time::Duration;

use super::{Error, Run};
use crate::control::Level;
use crate::event::{Event, RetryReason};
use crate::target::{Brake, Class, Force};

/// How often the brake is applied again while the statement has not ended: the first may have hit
/// the moment between two statements.
const AGAIN_EVERY: Duration = Duration::from_millis(100);

/// A statement that a second of cancelling has not ended is in a place where the server does not
/// look for cancels; from then on its session is ended. (What InnoDB has to undo for it goes on
/// without the session.)
const TERMINATE_AFTER: u32 = 10;

/// A statement that has not ended this long after the first brake is on a connection that no
/// longer carries anything; waiting on would only hide that from the person who waits.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);

/// The control session answers within milliseconds. One that does not is stuck, and another one is
/// opened in its place.
const CONTROL_WITHIN: Duration = Duration::from_secs(1);

/// A batch that takes this many times its target was sized for another table than the one it met.
/// The sizer answers a tenfold slowdown in one step, but only after the batch.
const OVERRUN: u32 = 8;

/// No batch is cut off earlier than this: a checkpoint or a full disk cache slows an innocent batch
/// down by seconds, and to roll it back costs as much again.
const SHORTEST_LIMIT: Duration = Duration::from_secs(10);

/// How work under the brake ended.
pub(super) struct Braked<T> {
    /// What it came to.
    pub result: Result<T, Error>,
    /// Whether the runner itself pulled the brake. One more pull may still be on its way.
    pub by_us: bool,
}

/// Why the brake is pulled.
#[derive(Clone, Copy)]
enum Pull {
    /// Somebody asked to cancel or to kill.
    Asked,
    /// The work has taken far too long.
    Overran,
    /// Too many others wait for the locks of the batch.
    Yields,
}

impl Run {
    /// Awaits `work`, and applies the brake to it as soon as somebody cancels or kills, or when it
    /// has taken far too long: MySQL has no time-out for a statement that writes.
    pub(super) async fn braked<T>(
        &self,
        brake: Brake,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Braked<T> {
        self.braked_for(brake, work, self.overrun(), std::future::pending()).await
    }

    /// As [`braked`](Self::braked), for a row of short statements that may take long together.
    pub(super) async fn braked_by_people<T>(
        &self,
        brake: Brake,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Braked<T> {
        self.braked_for(brake, work, Duration::MAX, std::future::pending()).await
    }

    /// As [`braked`](Self::braked), for a statement that may take as long as it does: it is given up as
    /// soon as there is a reason to wait or to leave, and can be begun anew.
    pub(super) async fn braked_chore<T>(
        &self,
        brake: Brake,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Braked<T> {
        let yields = async {
            tokio::select! {
                () = self.board.held() => {}
                () = self.stop.reached(Level::Pause) => {}
            }
        };
        self.braked_for(brake, work, Duration::MAX, yields).await
    }

    fn overrun(&self) -> Duration {
        (self.pace().target_time * OVERRUN).max(SHORTEST_LIMIT)
    }

    /// As [`braked`](Self::braked), for work that holds locks: it is also given up when too many others
    /// wait for them.
    pub(super) async fn braked_batch<T>(
        &self,
        brake: Brake,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Braked<T> {
        self.braked_for(brake, work, self.overrun(), self.board.yields()).await
    }

    async fn braked_for<T>(
        &self,
        brake: Brake,
        work: impl Future<Output = Result<T, Error>>,
        limit: Duration,
        yields: impl Future<Output = ()>,
    ) -> Braked<T> {
        tokio::pin!(work);
        let pull = tokio::select! {
            result = &mut work => return Braked { result, by_us: false },
            () = self.stop.reached(Level::Cancel) => Pull::Asked,
            () = tokio::time::sleep(limit) => Pull::Overran,
            () = yields => Pull::Yields,
        };
        let given_up = tokio::time::sleep(GIVE_UP_AFTER);
        let (ended, was_ended) = tokio::sync::watch::channel(false);
        let brakes = self.brake_until(was_ended, &brake);
        let work = async {
            let result = tokio::select! {
                result = &mut work => result,
                () = given_up => Err(never_ended()),
            };
            // The receiver lives as long as the brakes.
            let _ = ended.send(true);
            result
        };
        // Both to their end: the control session goes on being used, so its statement is not
        // dropped.
        let (result, ()) = tokio::join!(work, brakes);
        let by_us = !matches!(pull, Pull::Asked);
        Braked { result: self.tell_own_cancel(result, pull, limit), by_us }
    }

    /// Applies the brake again and again until the work has ended.
    async fn brake_until(&self, mut ended: tokio::sync::watch::Receiver<bool>, brake: &Brake) {
        let (mut ticks, mut told) = (0, None);
        while !*ended.borrow() {
            // Nobody is in a hurry when it is the watchdog that brakes: then the statement is only
            // ever cancelled.
            let asked = Level::Cancel <= self.stop.level();
            let force =
                if asked && TERMINATE_AFTER <= ticks { Force::Terminate } else { Force::Cancel };
            let sent = self.apply(brake, force).await;
            if sent && asked && told != Some(force.name()) {
                told = Some(force.name());
                let seconds = self.stop.asked_since().as_secs_f64();
                self.tell(Event::CancelSent { how: force.name().to_owned(), seconds });
            }
            ticks += u32::from(asked);
            let _ = tokio::time::timeout(AGAIN_EVERY, ended.changed()).await;
        }
    }

    /// A cancel of our own is a reason to try a smaller batch. A person who cancels meanwhile is
    /// answered as such.
    fn tell_own_cancel<T>(
        &self,
        result: Result<T, Error>,
        pull: Pull,
        limit: Duration,
    ) -> Result<T, Error> {
        let cancelled =
            matches!(&result, Err(Error::Target(error)) if error.class == Class::Cancelled);
        if !cancelled || Level::Cancel <= self.stop.level() {
            return result;
        }
        let (reason, message) = match pull {
            Pull::Asked => return result,
            Pull::Overran => (
                RetryReason::StatementTimeout,
                format!(
                    "the batch took longer than {} s, so the runner cancelled it",
                    limit.as_secs()
                ),
            ),
            Pull::Yields => {
                let holds = self.board.holds();
                let why = holds.iter().find(|hold| hold.yields());
                let why = why.map_or("others waited for its locks", |hold| hold.reason.as_str());
                (RetryReason::BlockedSessions, format!("the runner cancelled the batch: {why}"))
            }
        };
        Err(Error::target(crate::target::Error::new(Class::Retry(reason), message)))
    }

    /// Applies the brake through the control session, which was opened beforehand because a server
    /// whose every slot is taken lets nobody in; only where it fails is another one opened.
    async fn apply(&self, brake: &Brake, force: Force) -> bool {
        let mut control = self.control.lock().await;
        let applied = tokio::time::timeout(CONTROL_WITHIN, brake.apply(control.as_mut(), force));
        if matches!(applied.await, Ok(Ok(()))) {
            return true;
        }
        // The old session is dropped with whatever it was waiting for.
        let Ok(fresh) = self.target.open("control").await else { return false };
        *control = fresh;
        brake.apply(control.as_mut(), force).await.is_ok()
    }
}

fn never_ended() -> Error {
    Error::target(crate::target::Error::new(
        Class::Lost,
        format!(
            "the server did not end the statement within {} s of its being cancelled",
            GIVE_UP_AFTER.as_secs()
        ),
    ))
}
