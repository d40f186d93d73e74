//! What an attempt that was cut off has left: taken away, or named.

use std::time::{Duration, Instant};

use super::flight::BRAKE_EVERY;
use super::runner::Runner;
use crate::handoff::Does;
use crate::target::{Class, Effect, Error, Force, Standing, Statement};

/// The longest that something is cleared away after a stop or a kill: no statement of ours is to be left
/// on the server five seconds after one.
const TIDY_WITHIN: Duration = Duration::from_secs(2);

impl Runner {
    /// Takes away what was left half made; in words what is left all the same.
    pub(super) async fn tidy(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        for step in self.steps.clone() {
            let Does::Change { leaves, .. } = &step.does else { continue };
            if !leaves.iter().any(makes_or_detaches) {
                continue;
            }
            match tokio::time::timeout(TIDY_WITHIN, self.found_broken(leaves)).await {
                Ok(Ok(None)) => {}
                Ok(Ok(Some((what, repair, true)))) => left.push(format!("{what}; run `{repair}`")),
                Ok(Ok(Some((what, repair, false)))) => {
                    if let Err(error) = self.clear(&repair).await {
                        left.push(format!(
                            "{what}, and could not be dropped now ({error}); run `{repair}`"
                        ));
                    }
                }
                Ok(Err(error)) => {
                    left.push(format!("what it left could not be looked up ({error})"));
                    break;
                }
                Err(_) => {
                    // What was dropped here is a look, which changes nothing and soon ends.
                    self.session = None;
                    left.push("what it left could not be looked up: no answer".to_owned());
                    break;
                }
            }
        }
        if let Some(last) = left.last_mut()
            && last.starts_with("what it left could not")
        {
            last.push_str("; look for an index that is not valid, and drop it");
        }
        left
    }

    async fn found_broken(
        &mut self,
        leaves: &[Effect],
    ) -> Result<Option<(String, String, bool)>, Error> {
        if self.session.is_none() {
            self.session = Some(self.target.open("handoff").await?);
            self.told.clear();
        }
        Ok(match self.look(leaves, &[]).await? {
            Standing::Broken { what, repair, completes } => Some((what, repair, completes)),
            _ => None,
        })
    }

    /// Runs a repair for a short time: what it waits for may last, and nothing of ours may.
    async fn clear(&mut self, repair: &str) -> Result<(), Error> {
        let gone = || Error::new(Class::Lost, "there is no session");
        let mut session = self.session.take().ok_or_else(gone)?;
        self.told.clear();
        let limit = Statement::plain((self.lock_wait)(TIDY_WITHIN));
        let statement = Statement::plain(format!("{} {repair}", self.mark));
        let brake = session.brake();
        let since = Instant::now();
        let done = {
            let run = async {
                session.execute(&limit).await?;
                session.execute(&statement).await
            };
            tokio::pin!(run);
            loop {
                let left = TIDY_WITHIN.saturating_sub(since.elapsed()).max(BRAKE_EVERY);
                tokio::select! {
                    done = &mut run => break done,
                    () = tokio::time::sleep(left) => {}
                }
                if TIDY_WITHIN * 2 <= since.elapsed() {
                    break Err(Error::new(Class::Lost, "the server does not answer"));
                }
                Self::apply(&self.target, &mut self.control, &brake, Force::Cancel).await;
            }
        };
        if !done.as_ref().is_err_and(Error::is_lost) {
            self.session = Some(session);
        }
        done.map(drop)
    }
}

/// Whether an attempt at it that is cut off leaves something.
fn makes_or_detaches(effect: &Effect) -> bool {
    match effect {
        Effect::Index(index) => !index.of.is_empty() && !index.only,
        Effect::Partition { attached, .. } => !attached,
        _ => false,
    }
}
