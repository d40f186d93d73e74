//! One statement in flight, and the session that cancels it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::desk::{Flight, Kind, Wish};
use super::runner::Runner;
use crate::target::{Brake, Class, Error, Force, Session, Statement, Target};

/// How often a cancel is sent again: one that comes before the server has begun with the statement is
/// lost.
pub(super) const BRAKE_EVERY: Duration = Duration::from_millis(100);

/// The longest that a control session may take: the statement is not awaited meanwhile.
const BRAKE_WITHIN: Duration = Duration::from_secs(1);

/// So many cancels that change nothing are followed by the end of the session, if it is to be killed.
const CANCELS: u32 = 20;

impl Runner {
    /// Runs one statement to its end. A second session cancels it when it is to end.
    pub(super) async fn execute(
        &mut self,
        sql: &str,
        wait: Duration,
        kind: Kind,
    ) -> Result<(), Error> {
        self.tell(wait).await?;
        let Some(mut session) = self.session.take() else {
            return Err(Error::new(Class::Lost, "there is no session"));
        };
        let statement = Statement::plain(format!("{} {sql}", self.mark));
        let brake = Arc::new(session.brake());
        let (since, number) = (Instant::now(), session.id().to_owned());
        let flight = Flight { kind, number: number.clone(), brake: Arc::clone(&brake), since };
        self.desk.change(|seen| seen.flight = Some(flight));
        // Whoever wants something from now on sees the flight; who wanted it before is seen here.
        if *self.wish.borrow() != Wish::Go {
            self.desk.change(|seen| seen.flight = None);
            self.session = Some(session);
            self.braked = true;
            return Err(Error::new(Class::Cancelled, "it was not begun"));
        }
        self.braked = false;
        let done = {
            let run = session.execute(&statement);
            tokio::pin!(run);
            let mut cancels = 0;
            loop {
                tokio::select! {
                    done = &mut run => break done,
                    () = Self::wanted(&mut self.wish, cancels) => {}
                }
                let wish = *self.wish.borrow_and_update();
                let cancel = match wish {
                    Wish::Go => false,
                    Wish::Stop | Wish::Kill => true,
                    Wish::Pause => {
                        kind == Kind::Brief
                            && Self::waits(&self.target, &mut self.control, &number).await
                    }
                };
                if cancel {
                    let hard = wish == Wish::Kill && CANCELS <= cancels;
                    let force = if hard { Force::Terminate } else { Force::Cancel };
                    self.braked = true;
                    Self::apply(&self.target, &mut self.control, &brake, force).await;
                    cancels += 1;
                }
            }
        };
        let took = since.elapsed();
        self.desk.change(|seen| {
            seen.flight = None;
            if kind == Kind::Brief && done.as_ref().is_err_and(Error::is_lock_timeout) {
                seen.longest_wait = seen.longest_wait.max(took);
            }
        });
        if !done.as_ref().is_err_and(Error::is_lost) {
            self.session = Some(session);
        }
        done.map(drop)
    }

    /// Comes back when somebody wants something, or a cancel is due again.
    async fn wanted(wish: &mut watch::Receiver<Wish>, cancels: u32) {
        let again = cancels > 0 || *wish.borrow() == Wish::Pause;
        tokio::select! {
            changed = wish.changed() => if changed.is_err() { std::future::pending::<()>().await },
            () = tokio::time::sleep(BRAKE_EVERY), if again => {}
        }
    }

    /// Whether the statement waits for its lock, as another session sees it.
    async fn waits(
        target: &Arc<dyn Target>,
        control: &mut Option<Box<dyn Session>>,
        number: &str,
    ) -> bool {
        let ask = async {
            let mut session = Self::control(target, control).await?;
            let seen = target.watch(session.as_mut(), number).await.ok()?;
            *control = Some(session);
            seen
        };
        let seen = tokio::time::timeout(BRAKE_WITHIN, ask).await;
        seen.ok().flatten().is_some_and(|seen| seen.waits)
    }

    /// Brakes the statement. One that fails, or gets no answer, is sent again by another session.
    pub(super) async fn apply(
        target: &Arc<dyn Target>,
        control: &mut Option<Box<dyn Session>>,
        brake: &Brake,
        force: Force,
    ) {
        let send = async {
            let mut session = Self::control(target, control).await?;
            brake.apply(session.as_mut(), force).await.ok()?;
            *control = Some(session);
            Some(())
        };
        let _ = tokio::time::timeout(BRAKE_WITHIN, send).await;
    }

    async fn control(
        target: &Arc<dyn Target>,
        control: &mut Option<Box<dyn Session>>,
    ) -> Option<Box<dyn Session>> {
        match control.take() {
            Some(session) => Some(session),
            None => target.open("handoff control").await.ok(),
        }
    }

    /// Tells the session its settings, as far as it does not have them yet.
    async fn tell(&mut self, wait: Duration) -> Result<(), Error> {
        if self.control.is_none() {
            // Opened beforehand: at the moment when it is needed there may be no free slot.
            self.control = self.target.open("handoff control").await.ok();
        }
        let tuned = self.desk.seen().tuned;
        let wait = if wait.is_zero() { wait } else { tuned.lock_wait.unwrap_or(wait) };
        let memory = tuned.memory.map(|memory| format!("SET maintenance_work_mem = '{memory}'"));
        let settings: Vec<String> = std::iter::once((self.lock_wait)(wait)).chain(memory).collect();
        if settings == self.told {
            return Ok(());
        }
        let Some(session) = self.session.as_mut() else {
            return Err(Error::new(Class::Lost, "there is no session"));
        };
        for (at, setting) in settings.iter().enumerate() {
            match session.execute(&Statement::plain(setting.clone())).await {
                Ok(_) => {}
                // More memory than the server has is no reason not to make the change.
                Err(error) if 0 < at && !error.is_lost() => {
                    self.desk.change(|seen| seen.tuned.memory = None);
                }
                Err(error) => return Err(error),
            }
        }
        self.told = settings;
        Ok(())
    }
}
