//! Ending a change under way, in three steps, and showing that nothing of it is left.
//!
//! The tool is asked; its statements are ended on the server; its process is. Then the server is asked what
//! it still has of it. Whatever does not answer on the way is left where it is: all is over within five
//! seconds ([`WITHIN`]), and what could not be seen is not proven.
//!
//! **Invariants.** Triggers go only when nothing of the tool is at work any more: a tool that went on
//! without them would put a copy in the place of the table that lacks what the application wrote. Its tables
//! stay, for whoever takes the run up again or cleans up: they disturb nobody without the triggers.

use std::time::{Duration, Instant};

use tokio::time::Instant as Moment;

use super::work::{Ended, Ending, Work};
use crate::target::{self, Force, Leftover, Mark, Place, Session, Target, Trace, Traces};

/// All is over within that.
pub const WITHIN: Duration = Duration::from_secs(5);

/// It is looked once whether it has ended already.
const FIRST_LOOK: Duration = Duration::from_millis(300);
/// The tool has so long to leave by itself.
const ASKED: Duration = Duration::from_secs(1);
/// By then its statements have ended, and it may have left for that.
const STATEMENTS: Duration = Duration::from_millis(1600);
/// By then its process is gone.
const FORCED: Duration = Duration::from_millis(2600);
/// By then its sessions are.
const SESSIONS: Duration = Duration::from_millis(3800);
/// By then its triggers are.
const TRIGGERS: Duration = Duration::from_millis(4300);
/// By then the last look has ended.
const LAST: Duration = Duration::from_millis(4800);

/// No single call is waited for longer, the tool's or the server's.
const CALL: Duration = Duration::from_secs(1);
/// None is waited for less: what is cut off in its middle has to be begun anew.
const LEAST: Duration = Duration::from_millis(200);

/// How often is looked.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What was done, and what is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What was done, in its order.
    pub steps: Vec<Taken>,
    /// How the work ended, as it says.
    pub ended: Option<Ended>,
    /// Sessions of it that are left.
    pub sessions: Vec<Trace>,
    /// Locks that they have.
    pub locks: Vec<String>,
    /// Triggers of it that are left.
    pub triggers: Vec<String>,
    /// How long it took.
    pub after: Duration,
    /// The server was asked, and has nothing of it any more; and its process is gone.
    pub proven: bool,
    /// Why it is not proven; a sentence without its end.
    pub why_not: Option<String>,
}

impl Proof {
    /// In lines: what was done and when, and what the server shows of it now.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        let step = |taken: &Taken| format!("{:.2} s: {}", taken.at.as_secs_f64(), taken.what);
        let mut said: Vec<String> = self.steps.iter().map(step).collect();
        let after = self.after.as_secs_f64();
        said.push(match &self.why_not {
            None => format!(
                "{after:.2} s: the server shows no session, no lock and no trigger of it any more"
            ),
            Some(why) => format!("{after:.2} s: not proven: {why}"),
        });
        said
    }
}

/// Ends the work where the server cannot be asked: the tool, and then its process. What the server still does
/// for it is not known, so nothing is proven.
pub async fn end_unseen(work: &mut dyn Work, how: Ending, why: &str) -> Proof {
    let begun = Instant::now();
    let mut steps = Vec::new();
    let mut ended = work.look().await.ended;
    let mut note = |what: String| steps.push(Taken { at: begun.elapsed(), what });
    for force in [false, true] {
        if ended.is_some() {
            break;
        }
        let done = if force { work.force().await } else { work.ask_to_end(how).await };
        note(done.unwrap_or_else(|refused| format!("in vain: {refused}")));
        let until = begun.elapsed() + ASKED;
        while ended.is_none() && begun.elapsed() < until {
            tokio::time::sleep(LOOK_EVERY).await;
            ended = work.look().await.ended;
        }
    }
    let gone = if ended.is_some() { "its process is gone" } else { "its process is still there" };
    Proof {
        steps,
        ended,
        sessions: Vec::new(),
        locks: Vec::new(),
        triggers: Vec::new(),
        after: begun.elapsed(),
        proven: false,
        why_not: Some(format!("{gone}, and the server could not be asked: {why}")),
    }
}

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// How long after the beginning.
    pub at: Duration,
    /// What, and what came of it.
    pub what: String,
}

/// Ends the work, whatever it does. `session` may be unusable afterwards: where the server did not answer
/// in time, it is left in the middle of a statement.
///
/// `how` is what the tool is asked; the steps behind it are the same.
pub async fn end(
    work: &mut dyn Work,
    how: Ending,
    target: &dyn Target,
    session: &mut dyn Session,
    place: &Place,
) -> Proof {
    // Addresses vanish with the process.
    let mark = work.mark();
    let mut killing = Killing::new(target, session, place, mark);
    killing.ask(work, how).await;
    killing.end_statements(Some(&mut *work)).await;
    killing.force(work).await;
    killing.finish().await
}

/// The same, where there is no process of it any more: what it left on the server is ended.
pub async fn end_without_process(
    mark: &Mark,
    target: &dyn Target,
    session: &mut dyn Session,
    place: &Place,
) -> Proof {
    let mut killing = Killing::new(target, session, place, mark.clone());
    killing.gone = true;
    killing.end_statements(None).await;
    killing.finish().await
}

struct Killing<'a> {
    begun: Instant,
    hand: Hand<'a>,
    place: &'a Place,
    mark: Mark,
    /// Nothing of it can begin anything new.
    gone: bool,
    ended: Option<Ended>,
    steps: Vec<Taken>,
}

impl<'a> Killing<'a> {
    fn new(
        target: &'a dyn Target,
        session: &'a mut dyn Session,
        place: &'a Place,
        mark: Mark,
    ) -> Self {
        let hand = Hand { target, given: Some(session), own: None };
        Self {
            begun: Instant::now(),
            hand,
            place,
            mark,
            gone: false,
            ended: None,
            steps: Vec::new(),
        }
    }

    fn note(&mut self, what: impl Into<String>) {
        self.steps.push(Taken { at: self.begun.elapsed(), what: what.into() });
    }

    /// What is left of the time until then, and of what a call may take.
    fn left(&self, until: Duration) -> Duration {
        until.saturating_sub(self.begun.elapsed()).clamp(LEAST, CALL)
    }

    fn is_over(&self, until: Duration) -> bool {
        until <= self.begun.elapsed()
    }

    /// Waits for the work's end.
    async fn await_end(&mut self, work: &mut dyn Work, until: Duration) {
        while !self.gone {
            let look = tokio::time::timeout(self.left(until), work.look()).await;
            if let Ok(Some(ended)) = look.map(|look| look.ended) {
                self.note(format!("it ended: {}", ended.hint));
                (self.gone, self.ended) = (true, Some(ended));
                return;
            }
            if self.is_over(until) || until == FIRST_LOOK {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn ask(&mut self, work: &mut dyn Work, how: Ending) {
        // Where it has ended already, nobody can be asked.
        self.await_end(work, FIRST_LOOK).await;
        if self.gone {
            return;
        }
        let asked = tokio::time::timeout(self.left(ASKED), work.ask_to_end(how)).await;
        self.note(match asked {
            Ok(Ok(said)) => format!("asked it to end: {said}"),
            Ok(Err(refused)) => format!("asked it to end, in vain: {refused}"),
            Err(_) => "asked it to end, and it did not answer".to_owned(),
        });
        self.await_end(work, ASKED).await;
    }

    /// Its statements first, so that the tool sees an error and can leave in its own way; then its sessions.
    async fn end_statements(&mut self, work: Option<&mut (dyn Work + '_)>) {
        let traces = match self.traces(STATEMENTS).await {
            Ok(traces) => traces,
            Err(why) => return self.note(format!("the server cannot be asked: {why}")),
        };
        for one in traces.sessions.iter().filter(|one| !one.statement.is_empty()) {
            if !self.is_over(STATEMENTS) {
                self.end_session(one, Force::Cancel, STATEMENTS).await;
            }
        }
        let Some(work) = work else { return };
        if !traces.sessions.is_empty() {
            self.await_end(work, STATEMENTS).await;
        }
    }

    async fn force(&mut self, work: &mut dyn Work) {
        if self.gone {
            return;
        }
        // What it has opened since has addresses as well.
        let now = work.mark();
        for address in now.addresses {
            if !self.mark.addresses.contains(&address) {
                self.mark.addresses.push(address);
            }
        }
        let forced = tokio::time::timeout(self.left(FORCED), work.force()).await;
        self.note(match forced {
            Ok(Ok(said)) => format!("forced it: {said}"),
            Ok(Err(refused)) => format!("forced it, in vain: {refused}"),
            Err(_) => "forced it, and nothing came of it in time".to_owned(),
        });
        self.await_end(work, FORCED).await;
    }

    async fn traces(&mut self, until: Duration) -> Result<Traces, String> {
        let until = Moment::now() + self.left(until);
        self.hand.traces(self.place, &self.mark, until).await
    }

    async fn end_session(&mut self, one: &Trace, force: Force, until: Duration) {
        let until = Moment::now() + self.left(until);
        let done = self.hand.end_session(&one.session, force, until).await;
        let what = match force {
            Force::Cancel => "ended the statement of session",
            Force::Terminate => "ended session",
        };
        let running = match one.statement.as_str() {
            "" => String::new(),
            statement => format!(": `{statement}`"),
        };
        self.note(match done {
            Ok(()) => format!("{what} {}{running}", one.session),
            Err(why) => format!("{what} {}, in vain: {why}", one.session),
        });
    }

    /// Sessions until none is left, then triggers, then the last look.
    async fn finish(mut self) -> Proof {
        let mut told: Vec<String> = Vec::new();
        let mut alone = false;
        loop {
            match self.traces(SESSIONS).await {
                Ok(traces) if traces.sessions.is_empty() => {
                    alone = true;
                    break;
                }
                Ok(traces) => {
                    for one in &traces.sessions {
                        // Twice is once too often: the server notes it, and rolls back.
                        if !told.contains(&one.session) && !self.is_over(SESSIONS) {
                            self.end_session(one, Force::Terminate, SESSIONS).await;
                            told.push(one.session.clone());
                        }
                    }
                }
                Err(_) => {}
            }
            if self.is_over(SESSIONS) {
                break;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        if alone && self.gone {
            self.drop_triggers().await;
        }
        let last = self.traces(LAST).await;
        self.prove(last)
    }

    async fn drop_triggers(&mut self) {
        if self.mark.triggers.is_empty() {
            return;
        }
        let triggers = match self.traces(TRIGGERS).await {
            Ok(traces) => traces.triggers,
            Err(why) => {
                return self.note(format!("the server cannot be asked for triggers: {why}"));
            }
        };
        for name in triggers {
            if self.is_over(TRIGGERS) {
                return;
            }
            let trigger = Leftover::Trigger { on: self.place.clone(), name };
            let statement = self.hand.target.dialect().removal(&trigger);
            let mut attempts = 0_u32;
            let done = loop {
                attempts += 1;
                let until = Moment::now() + self.left(TRIGGERS);
                match self.hand.remove(&trigger, until).await {
                    Err(_) if !self.is_over(TRIGGERS) => tokio::time::sleep(LOOK_EVERY).await,
                    done => break done,
                }
            };
            self.note(match done {
                Ok(()) => format!("`{statement}`"),
                Err(why) => format!("`{statement}`, in vain after {attempts} attempts: {why}"),
            });
        }
    }

    fn prove(self, last: Result<Traces, String>) -> Proof {
        let mut why_not = Vec::new();
        if !self.gone {
            why_not.push("its process, or what does its work, is still there".to_owned());
        }
        let found = last.unwrap_or_else(|why| {
            why_not.push(format!("the server could not be asked: {why}"));
            Traces::default()
        });
        why_not.extend(found.unread.iter().map(|unread| format!("not to be seen were {unread}")));
        let named = |what: &str, names: &[String]| match names {
            [] => None,
            names => Some(format!("{what} {}", names.join(", "))),
        };
        let sessions: Vec<String> = found
            .sessions
            .iter()
            .map(|one| match one.statement.as_str() {
                "" => one.session.clone(),
                statement => format!("{} (`{statement}`)", one.session),
            })
            .collect();
        let left = [
            named("left are the sessions", &sessions),
            named("left are the locks", &found.locks),
            named("left are the triggers", &found.triggers),
        ];
        why_not.extend(left.into_iter().flatten());
        Proof {
            steps: self.steps,
            ended: self.ended,
            sessions: found.sessions,
            locks: found.locks,
            triggers: found.triggers,
            after: self.begun.elapsed(),
            proven: why_not.is_empty(),
            why_not: (!why_not.is_empty()).then(|| why_not.join("; ")),
        }
    }
}

/// What asks the server: the session that was given, and one of our own once that one is lost or did not
/// answer in time.
struct Hand<'a> {
    target: &'a dyn Target,
    given: Option<&'a mut dyn Session>,
    own: Option<Box<dyn Session>>,
}

impl Hand<'_> {
    /// The session in use; none is opened for longer than until then.
    async fn session(&mut self, until: Moment) -> Result<&mut dyn Session, String> {
        if let Some(given) = self.given.as_mut() {
            return Ok(&mut **given);
        }
        if self.own.is_none() {
            let opened = tokio::time::timeout_at(until, self.target.open("kill")).await;
            let opened = opened.map_err(|_| "no connection in time".to_owned())?;
            self.own = Some(opened.map_err(|error| error.to_string())?);
        }
        match self.own.as_mut() {
            Some(own) => Ok(&mut **own),
            None => Err("no session".to_owned()),
        }
    }

    /// Takes a call's outcome. A session that is lost or hangs is not used again.
    fn settle<T>(
        &mut self,
        done: Result<target::Result<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, String> {
        let lost = match &done {
            Ok(done) => done.as_ref().is_err_and(target::Error::is_lost),
            Err(_) => true,
        };
        if lost && self.given.take().is_none() {
            self.own = None;
        }
        match done {
            Ok(done) => done.map_err(|error| error.to_string()),
            Err(_) => Err("it did not answer in time".to_owned()),
        }
    }

    async fn traces(
        &mut self,
        place: &Place,
        mark: &Mark,
        until: Moment,
    ) -> Result<Traces, String> {
        let target = self.target;
        let session = self.session(until).await?;
        let done = tokio::time::timeout_at(until, target.traces(session, place, mark)).await;
        self.settle(done)
    }

    async fn end_session(
        &mut self,
        number: &str,
        force: Force,
        until: Moment,
    ) -> Result<(), String> {
        let target = self.target;
        let session = self.session(until).await?;
        let done = tokio::time::timeout_at(until, target.end_session(session, number, force)).await;
        self.settle(done)
    }

    async fn remove(&mut self, leftover: &Leftover, until: Moment) -> Result<(), String> {
        let target = self.target;
        let session = self.session(until).await?;
        let done = tokio::time::timeout_at(until, target.remove(session, leftover)).await;
        self.settle(done)
    }
}
