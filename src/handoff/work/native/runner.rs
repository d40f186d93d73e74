//! The task that runs the statements of a plan, one by one.
//!
//! **Invariants.** No statement begins but after a look at the catalog that says that its effect is not
//! there, on a server where no session of an earlier attempt is at work. A statement is awaited to its
//! end; to end it early, a second session cancels it. What an attempt that was cut off has left is taken
//! away, or named.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::super::Ended;
use super::desk::{Desk, Kind, Wish};
use crate::event::HandoffState;
use crate::handoff::{Does, Step};
use crate::run::{Backoff, Bounds, seed};
use crate::target::{Class, Effect, Error, Force, Session, Standing, Target};

/// pgroll's pattern: many short attempts, from a second to a minute apart. Sixty of them take about an
/// hour; a table that has no free moment in an hour needs a person.
const ATTEMPTS: Bounds = Bounds {
    first: Duration::from_secs(1),
    longest: Duration::from_mins(1),
    time: Duration::from_hours(2),
    attempts: 60,
};

/// As long as a server may be away: a restart takes seconds, a fail-over minutes.
const AWAY: Bounds = Bounds {
    first: Duration::from_millis(200),
    longest: Duration::from_secs(5),
    time: Duration::from_mins(15),
    attempts: 1_000,
};

/// How often it is looked after a session that another has left.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Why it does not go on.
pub(super) enum End {
    /// Somebody asked.
    Asked,
    /// A sentence.
    Failed(String),
}

type Going<T = ()> = Result<T, End>;

/// The attempts at one step. The time that it stood still on request is not counted.
struct Tries {
    backoff: Backoff,
    spent: Duration,
}

impl Tries {
    fn next(&mut self) -> Option<Duration> {
        let pause = self.backoff.next(self.spent)?;
        self.spent += pause;
        Some(pause)
    }
}

pub(super) struct Runner {
    pub desk: Arc<Desk>,
    pub wish: watch::Receiver<Wish>,
    pub target: Arc<dyn Target>,
    pub steps: Vec<Step>,
    /// What every statement begins with.
    pub mark: String,
    /// How the server is told the longest wait for a lock.
    pub lock_wait: fn(Duration) -> String,
    pub session: Option<Box<dyn Session>>,
    pub control: Option<Box<dyn Session>>,
    /// The longest wait for a lock of the statements that follow, by the plan.
    pub wait: Duration,
    /// What the session was told.
    pub told: Vec<String>,
    /// The last statement was ended by us, or not begun.
    pub braked: bool,
}

impl Runner {
    /// Runs to the end, and says how it was.
    pub(super) async fn run(mut self) {
        let (mut at, mut outcome) = (0, self.begin().await);
        while outcome.is_ok() && at < self.steps.len() {
            outcome = self.step(at).await;
            at += 1;
        }
        let ended = match outcome {
            Ok(()) => Ended { hint: "every step is done".to_owned(), well: true },
            Err(end) => {
                let left = self.tidy().await;
                let how = match end {
                    End::Asked => "ended on request".to_owned(),
                    End::Failed(why) => why,
                };
                let hint = std::iter::once(how).chain(left).collect::<Vec<_>>().join("; ");
                Ended { hint, well: false }
            }
        };
        for session in [self.session.take(), self.control.take()].into_iter().flatten() {
            session.close().await;
        }
        let wish = *self.wish.borrow();
        self.desk.change(|seen| {
            seen.state = match (ended.well, wish) {
                (true, _) => HandoffState::Done,
                (false, Wish::Stop) => HandoffState::Stopped,
                (false, Wish::Kill) => HandoffState::Killed,
                (false, Wish::Go | Wish::Pause) => HandoffState::Failed,
            };
            seen.waits_for = None;
            seen.flight = None;
            seen.ended = Some(ended);
        });
    }

    async fn begin(&mut self) -> Going {
        self.obey().await?;
        self.connect().await?;
        self.outlast().await
    }

    async fn step(&mut self, at: usize) -> Going {
        let step = self.steps[at].clone();
        let words = step.sql.as_deref().unwrap_or(&step.note);
        let words: String = words.chars().take(120).collect();
        self.desk.change(|seen| (seen.step, seen.words) = (at + 1, words));
        match (&step.does, &step.sql) {
            (Does::LockWait(wait), _) => self.wait = *wait,
            (Does::ByHand, _) | (_, None) => self.by_hand(&step.note).await?,
            (Does::Change { .. }, Some(sql)) => self.make(&step, sql).await?,
        }
        Ok(())
    }

    /// Waits while it is to wait.
    async fn obey(&mut self) -> Going {
        loop {
            let wish = *self.wish.borrow_and_update();
            match wish {
                Wish::Go => return Ok(()),
                Wish::Stop | Wish::Kill => return Err(End::Asked),
                Wish::Pause => {
                    self.desk.change(|seen| {
                        // One that holds by itself has said why.
                        if seen.state != HandoffState::Paused {
                            seen.waits_for = None;
                        }
                        seen.state = HandoffState::Paused;
                    });
                    if self.wish.changed().await.is_err() {
                        return Err(End::Asked);
                    }
                    self.desk.at(HandoffState::Copying, None);
                }
            }
        }
    }

    /// Sleeps, unless somebody wants something.
    async fn sleep(&mut self, time: Duration) -> Going {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = self.wish.changed() => self.wish.mark_changed(),
        }
        self.obey().await
    }

    /// Stands still until a person resumes it.
    async fn hold(&mut self, why: String) -> Going {
        self.desk.at(HandoffState::Paused, Some(why));
        self.desk.wish.send_if_modified(|wish| {
            let go = *wish == Wish::Go;
            if go {
                *wish = Wish::Pause;
            }
            go
        });
        self.obey().await
    }

    async fn by_hand(&mut self, note: &str) -> Going {
        loop {
            self.obey().await?;
            self.desk.at(HandoffState::Postponed, Some(note.to_owned()));
            let desk = Arc::clone(&self.desk);
            tokio::select! {
                () = desk.gate.notified() => {
                    self.desk.at(HandoffState::Copying, None);
                    return Ok(());
                }
                _ = self.wish.changed() => self.wish.mark_changed(),
            }
        }
    }

    /// Opens the session, for as long as the server may be away.
    async fn connect(&mut self) -> Going {
        let (mut backoff, begun) = (Backoff::new(AWAY, seed()), Instant::now());
        while self.session.is_none() {
            match self.target.open("handoff").await {
                Ok(session) => {
                    let identity = session.identity().to_owned();
                    self.desk.change(|seen| seen.identities.push(identity));
                    self.session = Some(session);
                    self.told.clear();
                }
                Err(error) if error.is_passing() => {
                    let Some(pause) = backoff.next(begun.elapsed()) else {
                        return Err(End::Failed(format!("the server stays away: {error}")));
                    };
                    self.desk.at(HandoffState::Throttled, Some(format!("the server: {error}")));
                    self.sleep(pause).await?;
                }
                Err(error) => return Err(End::Failed(error.to_string())),
            }
        }
        Ok(())
    }

    /// Waits for statements of an earlier session that are still at work: a server goes on when its
    /// client is gone. Nothing is ever run beside its own twin.
    async fn outlast(&mut self) -> Going {
        let mut asked = 0;
        loop {
            self.connect().await?;
            let Some(session) = self.session.as_mut() else { continue };
            let found = match self.target.at_work(session.as_mut(), &self.mark).await {
                Ok(found) => found,
                Err(error) if error.is_lost() => {
                    self.session = None;
                    continue;
                }
                Err(error) => {
                    return Err(End::Failed(format!(
                        "whether an earlier session is still at work could not be asked: {error}"
                    )));
                }
            };
            let Some(first) = found.first() else {
                return if self.wish.borrow().ends() { Err(End::Asked) } else { Ok(()) };
            };
            let wish = *self.wish.borrow_and_update();
            if wish.ends() {
                let force = if asked < 3 { Force::Cancel } else { Force::Terminate };
                asked += 1;
                for one in &found {
                    let _ = one.brake.apply(session.as_mut(), force).await;
                }
            } else {
                let waits = format!(
                    "session {} of an earlier run, which is still at work: {}",
                    first.trace.session, first.trace.statement
                );
                self.desk.at(HandoffState::Copying, Some(waits));
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = self.wish.changed() => self.wish.mark_changed(),
            }
        }
    }

    /// Makes a step's effect, however many attempts that takes.
    async fn make(&mut self, step: &Step, sql: &str) -> Going {
        let first = self.desk.seen().tuned.pause;
        let bounds = Bounds { first, ..ATTEMPTS };
        let mut tries = Tries { backoff: Backoff::new(bounds, seed()), spent: Duration::ZERO };
        let kind = if step.alone && self.wait.is_zero() { Kind::Build } else { Kind::Brief };
        loop {
            self.obey().await?;
            match self.standing(step).await? {
                Standing::There => return Ok(()),
                Standing::Absent => {}
                Standing::Broken { what, repair, completes } => {
                    self.desk.at(HandoffState::Copying, Some(format!("{what}: {repair}")));
                    let wait = if completes { self.wait } else { Duration::ZERO };
                    let kind = if completes { Kind::Brief } else { Kind::Build };
                    if let Err(error) = self.execute(&repair, wait, kind).await {
                        self.after(error, &mut tries).await?;
                    }
                    continue;
                }
                Standing::InTheMaking(number) => {
                    let waits = format!("session {number}, which is building the same index");
                    self.desk.at(HandoffState::Copying, Some(waits));
                    self.sleep(LOOK_EVERY).await?;
                    continue;
                }
                Standing::Other(why) => return Err(End::Failed(why)),
            }
            self.desk.at(HandoffState::Copying, None);
            match self.execute(sql, self.wait, kind).await {
                // A build is believed when the catalog shows a valid index: `IF NOT EXISTS` passes over
                // whatever has the name.
                Ok(()) if !is_index(step) => return Ok(()),
                Ok(()) => match tries.next() {
                    Some(_) => {}
                    None => return Err(End::Failed("the index does not become valid".to_owned())),
                },
                Err(error) if error.class == Class::Poison => {
                    return Err(End::Failed(self.poisoned(step, error).await));
                }
                Err(error) => self.after(error, &mut tries).await?,
            }
        }
    }

    /// Decides what an error means for the next attempt.
    async fn after(&mut self, error: Error, tries: &mut Tries) -> Going {
        match error.class {
            Class::Retry(reason) if reason != crate::event::RetryReason::StatementTimeout => {
                let Some(pause) = tries.next() else {
                    return Err(End::Failed(format!(
                        "given up after {} attempts: {error}; look who holds the table, and run it again",
                        tries.backoff.failed()
                    )));
                };
                self.desk.change(|seen| {
                    seen.attempts += 1;
                    seen.state = HandoffState::Throttled;
                    seen.waits_for = Some(format!(
                        "{error}; attempt {} of {} in {:.1} s, so that nobody waits behind it",
                        tries.backoff.failed() + 1,
                        ATTEMPTS.attempts,
                        pause.as_secs_f64()
                    ));
                });
                self.sleep(pause).await
            }
            Class::Cancelled => {
                if !self.braked {
                    // Nobody knows how long it stands still: what was left would slow every write.
                    let left = self.tidy().await;
                    let why =
                        "somebody else has cancelled its statement, a DBA or a watchdog; ask who, \
                               then resume or stop it"
                            .to_owned();
                    let all: Vec<String> = std::iter::once(why).chain(left).collect();
                    self.hold(all.join("; ")).await?;
                }
                self.obey().await
            }
            Class::Lost | Class::Terminated => {
                let died = Instant::now();
                self.session = None;
                // A statement that takes the server down each time must not go on for ever.
                if tries.next().is_none() {
                    return Err(End::Failed(format!("given up: {error}")));
                }
                self.connect().await?;
                self.outlast().await?;
                let strange = error.class == Class::Terminated && !self.braked;
                if strange && self.is_up_since(died).await {
                    self.hold(
                        "somebody else has ended its session, and the server was not restarted; ask who, \
                         then resume or stop it"
                            .to_owned(),
                    )
                    .await?;
                }
                self.obey().await
            }
            _ => Err(End::Failed(match error.code.as_deref() {
                Some("57014" | "1969" | "3024") => format!(
                    "{error}: the server ends what this account runs after a time; take that limit off \
                     for it"
                ),
                _ => error.to_string(),
            })),
        }
    }

    /// Whether the server was up before that, so that it was no restart that ended the session.
    async fn is_up_since(&mut self, since: Instant) -> bool {
        let Some(session) = self.session.as_mut() else { return false };
        // A second for clocks, and for the way of the news.
        let least = since.elapsed() + Duration::from_secs(1);
        matches!(self.target.uptime(session.as_mut()).await, Ok(Some(up)) if least < up)
    }

    /// How the catalog stands to a step, on a session that lives.
    async fn standing(&mut self, step: &Step) -> Going<Standing> {
        let Does::Change { leaves, spared_by } = &step.does else { return Ok(Standing::Absent) };
        loop {
            self.connect().await?;
            match self.look(leaves, spared_by).await {
                Ok(standing) => return Ok(standing),
                Err(error) if error.is_lost() => {
                    self.session = None;
                    self.connect().await?;
                    self.outlast().await?;
                }
                Err(error) if error.is_passing() => {
                    self.desk.at(
                        HandoffState::Throttled,
                        Some(format!("a look at the catalog: {error}")),
                    );
                    self.sleep(LOOK_EVERY).await?;
                }
                Err(error) => {
                    return Err(End::Failed(format!(
                        "whether the step is done already could not be looked up: {error}"
                    )));
                }
            }
        }
    }

    pub(super) async fn look(
        &mut self,
        leaves: &[Effect],
        spared: &[Effect],
    ) -> Result<Standing, Error> {
        let Some(session) = self.session.as_mut() else {
            return Err(Error::new(Class::Lost, "there is no session"));
        };
        let mut found = Vec::new();
        for effect in leaves {
            let standing = self.target.standing(session.as_mut(), effect).await?;
            found.push((effect.words(), standing));
        }
        let standing = Standing::of_all(found);
        if spared.is_empty() || standing == Standing::There {
            return Ok(standing);
        }
        for effect in spared {
            if self.target.standing(session.as_mut(), effect).await? != Standing::There {
                return Ok(standing);
            }
        }
        Ok(Standing::There)
    }

    /// What a row has against the change, with others like it, in words.
    async fn poisoned(&mut self, step: &Step, error: Error) -> String {
        let Some(index) = unique_index(step) else { return error.to_string() };
        let Some(session) = self.session.as_mut() else { return error.to_string() };
        match self.target.duplicates(session.as_mut(), index).await {
            Ok(found) if !found.is_empty() => {
                format!("{error}; values that are there more than once: {}", found.join(", "))
            }
            Ok(_) => error.to_string(),
            Err(why) => format!("{error}; how many there are could not be asked: {why}"),
        }
    }
}

/// Whether the step makes an index, which is there only when it is valid.
fn is_index(step: &Step) -> bool {
    let Does::Change { leaves, .. } = &step.does else { return false };
    leaves.iter().any(|effect| matches!(effect, Effect::Index(index) if !index.of.is_empty()))
}

fn unique_index(step: &Step) -> Option<&crate::target::Index> {
    let Does::Change { leaves, .. } = &step.does else { return None };
    leaves.iter().find_map(|effect| match effect {
        Effect::Index(index) if index.unique => Some(index),
        _ => None,
    })
}
