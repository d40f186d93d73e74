//! Ending a statement from outside, without dropping it.

use std::time::Duration;

use super::{Error, Run};
use crate::control::Level;
use crate::target::{Brake, Class};

/// How often the brake is applied again while the statement has not ended: the first may have hit
/// the moment between two statements.
const AGAIN_EVERY: Duration = Duration::from_millis(100);

/// A statement that has not ended this long after the first brake is on a connection that no
/// longer carries anything; waiting on would only hide that from the person who waits.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);

impl Run {
    /// Awaits `work`, and applies the brake to it as soon as somebody cancels or kills.
    pub(super) async fn braked<T>(
        &self,
        brake: Brake,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        tokio::pin!(work);
        tokio::select! {
            result = &mut work => return result,
            () = self.stop.reached(Level::Cancel) => {}
        }
        let brakes = async {
            let mut ticks = tokio::time::interval(AGAIN_EVERY);
            loop {
                ticks.tick().await;
                let mut control = self.control.lock().await;
                // A control session that fails leaves only the wait, which is bounded below.
                let _ = brake.apply(control.as_mut()).await;
            }
        };
        tokio::pin!(brakes);
        let given_up = tokio::time::sleep(GIVE_UP_AFTER);
        tokio::select! {
            result = &mut work => result,
            () = &mut brakes => unreachable!("the loop does not end"),
            () = given_up => Err(Error::target(crate::target::Error::new(
                Class::Lost,
                format!(
                    "the server did not end the statement within {} s of its being cancelled",
                    GIVE_UP_AFTER.as_secs()
                ),
            ))),
        }
    }
}
