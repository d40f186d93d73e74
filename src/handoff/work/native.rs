//! The server's own path: the statements of a plan, run one by one.
//!
//! PostgreSQL's online path, and the instant and in-place changes of MySQL and MariaDB. Each statement
//! waits for its lock but a moment and is tried again later, so that nobody stands behind it for
//! longer; how often and how long it waited is part of the progress.

mod desk;
mod flight;
mod judge;
mod runner;
mod tidy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::task::JoinHandle;

pub use self::judge::judge;

use self::desk::{Desk, Kind, Seen, Wish};
use self::runner::Runner;
use super::{Carried, Ended, Ending, Look, Refused, Work};
use crate::event::{HandoffProgress, HandoffState};
use crate::handoff::{Decision, Plan, leaves};
use crate::target::{Error, Force, Mark, Session, Target, Watched};

/// The longest that a call waits for the task, and for the server: callers are promised about a second.
const ANSWER: Duration = Duration::from_millis(900);

/// How long a pause waits for a brief statement to end, or to be cut off.
const PAUSE: Duration = Duration::from_millis(1500);

/// A lock is not waited for longer than this, however it is tuned: everybody waits behind it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What PostgreSQL's path can be tuned by.
const POSTGRES: &[(&str, &str)] =
    &[("lock_timeout", "500ms"), ("retry_pause", "2s"), ("maintenance_work_mem", "256MB")];

/// What MySQL's and MariaDB's can.
const MYSQL: &[(&str, &str)] = &[("lock_timeout", "2s"), ("retry_pause", "2s")];

/// Statements under way.
struct Native {
    desk: Arc<Desk>,
    target: Arc<dyn Target>,
    task: JoinHandle<()>,
    steps: usize,
    mark: String,
    settings: &'static [(&'static str, &'static str)],
    /// Looks, and brakes where the task cannot.
    eye: Option<Box<dyn Session>>,
    /// It was forced to end once already.
    forced: bool,
}

/// Runs the statements of a plan, from where the server shows that they are done up to. To be called
/// within a runtime.
#[must_use]
pub fn start(plan: &Plan, target: Arc<dyn Target>) -> Box<dyn Work> {
    let desk = Arc::new(Desk::new());
    let mark = mark_of(plan);
    let postgres = plan.decision == Decision::Native;
    let runner = Runner {
        desk: Arc::clone(&desk),
        wish: desk.wish.subscribe(),
        target: Arc::clone(&target),
        steps: plan.steps.clone(),
        mark: mark.clone(),
        lock_wait: if postgres { leaves::postgres_lock_wait } else { leaves::mysql_lock_wait },
        session: None,
        control: None,
        wait: plan.lock_wait,
        told: Vec::new(),
        braked: false,
    };
    Box::new(Native {
        desk,
        target,
        task: tokio::spawn(runner.run()),
        steps: plan.steps.len(),
        mark,
        settings: if postgres { POSTGRES } else { MYSQL },
        eye: None,
        forced: false,
    })
}

/// By what the sessions of this change are known that a process which is gone has left.
#[must_use]
pub fn left_by(plan: &Plan) -> Mark {
    Mark { comments: vec![mark_of(plan)], ..Mark::default() }
}

/// What every statement of this change begins with, in every process that makes it: so a session that
/// another process has left is known again.
fn mark_of(plan: &Plan) -> String {
    let what = [&plan.database, &plan.table, &plan.clauses];
    // FNV-1a, which is the same in every process.
    let bytes = what.iter().flat_map(|text| text.bytes().chain([0]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("/* backstop handoff {hash:016x} */")
}

impl Native {
    /// Asks the server by a session that is opened when it is needed, within the time of an answer.
    async fn watched(&mut self, number: &str) -> Result<Option<Watched>, Error> {
        let ask = async {
            let mut eye = match self.eye.take() {
                Some(eye) => eye,
                None => self.target.open("handoff look").await?,
            };
            let seen = self.target.watch(eye.as_mut(), number).await;
            if !seen.as_ref().is_err_and(Error::is_lost) {
                self.eye = Some(eye);
            }
            seen
        };
        match tokio::time::timeout(ANSWER, ask).await {
            Ok(seen) => seen,
            Err(_) => Err(Error::new(crate::target::Class::Lost, "the server does not answer")),
        }
    }

    async fn rest(&mut self) {
        if let Some(eye) = self.eye.take() {
            eye.close().await;
        }
    }

    fn progress(&self, seen: &Seen) -> HandoffProgress {
        let mut step = format!("step {} of {}: {}", seen.step.max(1), self.steps, seen.words);
        if 0 < seen.attempts {
            step.push_str(&format!(
                "; {} attempts failed for want of its lock, and nobody waited longer than {:.2} s behind it",
                seen.attempts,
                seen.longest_wait.as_secs_f64()
            ));
        }
        HandoffProgress {
            waits_for: seen.waits_for.clone(),
            step: (0 < seen.step).then_some(step),
            attempts: seen.attempts,
            ..HandoffProgress::at(seen.state)
        }
    }

    /// The statement in hand, for messages.
    fn words(seen: &Seen) -> String {
        match seen.words.as_str() {
            "" => "the statement of an earlier run".to_owned(),
            words => format!("`{words}`"),
        }
    }
}

#[async_trait]
impl Work for Native {
    async fn look(&mut self) -> Look {
        let seen = self.desk.seen();
        let mut progress = self.progress(&seen);
        if let Some(ended) = &seen.ended {
            self.rest().await;
            return Look { progress, ended: Some(ended.clone()) };
        }
        if self.task.is_finished() {
            // It says how it ended before it ends: this one was cut off.
            self.rest().await;
            progress.state = HandoffState::Unknown;
            let hint = "the task that ran the statements is gone; look what is done".to_owned();
            return Look { progress, ended: Some(Ended { hint, well: false }) };
        }
        if let Some(flight) = &seen.flight {
            let phase = match self.watched(&flight.number).await {
                Ok(Some(watched)) if watched.at_work => {
                    (progress.copied, progress.estimate) = (watched.done, watched.total);
                    if watched.waits {
                        progress.state = HandoffState::Throttled;
                        progress.waits_for = Some(match watched.waits_for {
                            Some(whom) => format!("a lock or a transaction of {whom}"),
                            None => "a lock".to_owned(),
                        });
                    }
                    watched.phase
                }
                Ok(_) => None,
                Err(error) => Some(format!("what the server does is not known: {error}")),
            };
            if let (Some(phase), Some(step)) = (phase, &mut progress.step) {
                step.push_str(&format!("; {phase}"));
            }
        }
        Look { progress, ended: None }
    }

    async fn pause(&mut self) -> Carried {
        let seen = self.desk.seen();
        if *self.desk.wish.borrow() == Wish::Pause {
            return Ok("it is paused already".to_owned());
        }
        if let Some(flight) = seen.flight.as_ref().filter(|flight| flight.kind == Kind::Build) {
            return Err(Refused::NotNow(format!(
                "{} has been at work for {} s and cannot be paused; it locks nobody out: let it end, tune \
                 `maintenance_work_mem` for the next, or stop it, which cancels it and drops what it left",
                Self::words(&seen),
                flight.since.elapsed().as_secs()
            )));
        }
        self.desk.wish.send_replace(Wish::Pause);
        let paused = |seen: &Seen| seen.state == HandoffState::Paused || seen.ended.is_some();
        if self.desk.until(PAUSE, paused).await {
            return Ok("paused: no statement is in flight, and none begins".to_owned());
        }
        self.desk.wish.send_if_modified(|wish| {
            let paused = *wish == Wish::Pause;
            if paused {
                *wish = Wish::Go;
            }
            paused
        });
        Err(Refused::NotNow(format!(
            "{} has its lock and is at work, and cannot be paused: let it end, or stop it, which cancels \
             it",
            Self::words(&self.desk.seen())
        )))
    }

    async fn resume(&mut self) -> Carried {
        let resumed = self.desk.wish.send_if_modified(|wish| {
            let paused = *wish == Wish::Pause;
            if paused {
                *wish = Wish::Go;
            }
            paused
        });
        if resumed {
            let _ = self.desk.until(ANSWER, |seen| seen.state != HandoffState::Paused).await;
            Ok("it goes on".to_owned())
        } else {
            Err(Refused::NotNow("it is not paused".to_owned()))
        }
    }

    async fn tune(&mut self, name: &str, value: &str) -> Carried {
        let time = |least: Duration, most: Duration| {
            let time = value.parse::<crate::spec::Duration>().map_err(Refused::NotNow)?.0;
            if (least..=most).contains(&time) {
                return Ok(time);
            }
            Err(Refused::NotNow(format!(
                "`{name}` is from {} ms to {} s",
                least.as_millis(),
                most.as_secs()
            )))
        };
        match name {
            "lock_timeout" => {
                let wait = time(Duration::from_millis(10), LONGEST_WAIT)?;
                self.desk.change(|seen| seen.tuned.lock_wait = Some(wait));
            }
            "retry_pause" => {
                let pause = time(Duration::from_millis(100), Duration::from_mins(1))?;
                self.desk.change(|seen| seen.tuned.pause = pause);
            }
            "maintenance_work_mem" if self.settings.iter().any(|(known, _)| *known == name) => {
                let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
                let unit = &value[digits.len()..];
                let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                if !number || !["kB", "MB", "GB"].contains(&unit) {
                    return Err(Refused::NotNow(format!(
                        "`{value}` is no size of PostgreSQL's; write for example `256MB`"
                    )));
                }
                self.desk.change(|seen| seen.tuned.memory = Some(value.to_owned()));
            }
            _ => {
                let known: Vec<String> =
                    self.settings.iter().map(|(name, _)| format!("`{name}`")).collect();
                return Err(Refused::NotNow(format!(
                    "there is no setting `{name}` here; known are {}",
                    known.join(", ")
                )));
            }
        }
        Ok(format!("`{name}` is {value} from the next attempt on"))
    }

    fn settings(&self) -> &'static [(&'static str, &'static str)] {
        self.settings
    }

    async fn open_gate(&mut self) -> Carried {
        let seen = self.desk.seen();
        if seen.state != HandoffState::Postponed {
            return Err(Refused::NotNow(
                "nothing waits for a person: the server makes the change statement by statement, and \
                 there is no cut-over"
                    .to_owned(),
            ));
        }
        self.desk.gate.notify_one();
        let _ = self.desk.until(ANSWER, |seen| seen.state != HandoffState::Postponed).await;
        Ok(format!("taken as done: {}", seen.words))
    }

    async fn close_gate(&mut self) -> Carried {
        Err(Refused::NotNow(
            "there is no cut-over that could be put off: each statement is done or not done; pause it, \
             or stop it"
                .to_owned(),
        ))
    }

    async fn ask_to_end(&mut self, how: Ending) -> Carried {
        let wish = match how {
            Ending::Stop => Wish::Stop,
            Ending::Kill => Wish::Kill,
        };
        self.desk.wish.send_if_modified(|now| {
            let harder = *now != Wish::Kill && *now != wish;
            if harder {
                *now = wish;
            }
            harder
        });
        let ended = self.desk.until(ANSWER, |seen| seen.ended.is_some()).await;
        let said = if ended {
            "ended"
        } else {
            "its statement is cancelled, and what it left is cleared away"
        };
        Ok(said.to_owned())
    }

    async fn force(&mut self) -> Carried {
        self.desk.wish.send_replace(Wish::Kill);
        let seen = self.desk.seen();
        let end = async {
            let mut eye = match self.eye.take() {
                Some(eye) => eye,
                None => self.target.open("handoff look").await?,
            };
            if let Some(flight) = &seen.flight {
                flight.brake.apply(eye.as_mut(), Force::Terminate).await?;
            }
            for one in self.target.at_work(eye.as_mut(), &self.mark).await? {
                one.brake.apply(eye.as_mut(), Force::Terminate).await?;
            }
            self.eye = Some(eye);
            Ok::<(), Error>(())
        };
        let begun = Instant::now();
        let sent = match tokio::time::timeout(ANSWER, end).await {
            Ok(sent) => sent.map_err(|error| error.to_string()),
            Err(_) => Err("the server does not answer".to_owned()),
        };
        let left = ANSWER.saturating_sub(begun.elapsed()).max(Duration::from_millis(200));
        if self.desk.until(left, |seen| seen.ended.is_some()).await {
            return Ok("its session has ended".to_owned());
        }
        if !std::mem::replace(&mut self.forced, true) {
            return match sent {
                Ok(()) => {
                    Ok("its session was ended on the server; what it left is cleared away"
                        .to_owned())
                }
                Err(why) => {
                    Err(Refused::NoAnswer(format!("its session could not be ended: {why}")))
                }
            };
        }
        // It had the time to clear away, and there is nothing more that it could wait for.
        self.task.abort();
        let hint = "it was given up while the server did not answer; an index that was being built may be \
                    left, and is not valid: clean up"
            .to_owned();
        self.desk.change(|seen| {
            if seen.ended.is_none() {
                seen.state = HandoffState::Killed;
                seen.ended = Some(Ended { hint, well: false });
            }
        });
        match sent {
            Ok(()) => Ok("its session was ended on the server, and it was given up".to_owned()),
            Err(why) => Err(Refused::NoAnswer(format!("its session could not be ended: {why}"))),
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            comments: vec![self.mark.clone()],
            own: self.desk.seen().identities,
            ..Mark::default()
        }
    }
}

impl Drop for Native {
    fn drop(&mut self) {
        // Whoever drops it is leaving: the next process finds the statement by its mark.
        self.task.abort();
    }
}
