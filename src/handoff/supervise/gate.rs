//! Before the cut-over: table and copy are compared, whoever holds the table is waited for, and the gate is
//! opened for a bounded time, a bounded number of times.
//!
//! An attempt that meets a transaction which has merely read the table makes every writer wait for as long as
//! the tool waits for its lock: gh-ost 6 s at each of its 60 attempts. So the gate opens when nobody holds the
//! table, and is shut as soon as somebody does.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::{Error, Supervision};
use crate::control::{Ask, Level, Source, Stop};
use crate::event::{Event, HandoffEvent, HandoffProgress, HandoffState};
use crate::handoff::Decision;
use crate::handoff::compare::{self, Compared, How};
use crate::journal::{HandoffAnswer, HandoffRequest};
use crate::rewrite::tool::Tool;
use crate::target::{Place, online::Transaction};
use crate::throttle;

/// A transaction this old may stay; a younger one is one of the application's, and over in a moment.
const HOLDS_FROM: u64 = 1;

/// The time between two attempts.
const BETWEEN_ATTEMPTS: Duration = Duration::from_secs(3);

/// What is known of table and copy.
pub(super) enum Likeness {
    Unknown,
    Comparing(JoinHandle<Result<Compared, compare::Error>>, Stop, Instant),
    /// In words, and how long it took to find out.
    Equal(String, Duration),
    Differs(String),
    Failed(String, Instant),
}

/// A comparison that failed is tried again after that.
const COMPARE_AGAIN: Duration = Duration::from_secs(10);

/// A comparison that took no longer than this is made once more when the cut-over is asked for.
const COMPARE_ANEW: Duration = Duration::from_mins(1);

/// A cut-over that somebody wants.
pub(super) struct Wanted {
    /// The request that waits for its answer; none where the start already permitted it.
    request: Option<HandoffRequest>,
    since: Instant,
    attempts: u32,
    opened: Option<Instant>,
    /// The attempt was seen to begin.
    tried: bool,
    not_before: Instant,
}

impl Wanted {
    pub(super) fn new(request: Option<HandoffRequest>) -> Self {
        let now = Instant::now();
        Self { request, since: now, attempts: 0, opened: None, tried: false, not_before: now }
    }
}

impl Supervision {
    pub(super) fn want_cut_over(&mut self, request: HandoffRequest) -> Result<(), Error> {
        let at = self.progress.state;
        let refusal = match at {
            _ if self.wanted.is_some() => Some("a cut-over is under way already".to_owned()),
            HandoffState::Postponed => None,
            HandoffState::CuttingOver => Some("it is cutting over already".to_owned()),
            _ => Some(format!(
                "it is {}, and there is nothing to put in the table's place yet; ask again when it is \
                 postponed",
                at.name()
            )),
        };
        match refusal {
            Some(text) => self.answer(&request, &HandoffAnswer { carried: false, text }),
            None => {
                // What is cheap to know anew is looked at once more, so that nothing between then and now is missed.
                if matches!(&self.likeness, Likeness::Equal(_, took) if *took < COMPARE_ANEW) {
                    self.likeness = Likeness::Unknown;
                }
                self.wanted = Some(Wanted::new(Some(request)));
                Ok(())
            }
        }
    }

    /// One round at the gate. Returns what the handoff waits for there.
    pub(super) async fn at_the_gate(
        &mut self,
        progress: &HandoffProgress,
    ) -> Result<Option<String>, Error> {
        if !matches!(progress.state, HandoffState::Postponed | HandoffState::CuttingOver) {
            return Ok(None);
        }
        if self.copies() {
            self.compare().await;
        }
        // A step that a person has to do is not done because the cut-over was permitted.
        if self.wanted.is_none() && self.charge.rules.when_ready && self.copies() {
            self.wanted = Some(Wanted::new(None));
        }
        let Some(mut wanted) = self.wanted.take() else {
            self.held_before = None;
            return Ok(self.unasked());
        };
        if !self.copies() {
            return self.step_by_hand(&wanted).await;
        }
        if let Some(opened) = wanted.opened {
            return self.while_open(wanted, opened, progress).await;
        }
        if let Some(text) = self.in_the_way(&wanted) {
            return match text {
                Way::Waits(text) => {
                    self.wanted = Some(wanted);
                    Ok(Some(text))
                }
                Way::Forbidden(text) => self.give_up(&wanted, text),
            };
        }
        match self.holders().await {
            Ok(Held::NotYet) => {
                self.wanted = Some(wanted);
                Ok(Some("it is looked for whoever holds the table".to_owned()))
            }
            Err(why) => self.give_up(
                &wanted,
                format!("who holds the table cannot be told, so nothing was attempted: {why}"),
            ),
            Ok(Held::Unasked(error)) if wanted.since.elapsed() < self.charge.rules.patience => {
                self.wanted = Some(wanted);
                Ok(Some(format!("the server is asked again who holds the table: {error}")))
            }
            Ok(Held::Unasked(error)) => self.give_up(
                &wanted,
                format!("who holds the table cannot be told, so nothing was attempted: {error}"),
            ),
            Ok(Held::By(holders)) if !holders.is_empty() => {
                let shown = show(&holders);
                if self.charge.rules.patience <= wanted.since.elapsed() {
                    let text = format!(
                        "given up after {}: {shown}; end them, or ask again later",
                        crate::spec::Duration(self.charge.rules.patience)
                    );
                    return self.give_up(&wanted, text);
                }
                self.wanted = Some(wanted);
                Ok(Some(shown))
            }
            Ok(Held::By(_)) => {
                wanted.attempts += 1;
                match self.charge.work.open_gate().await {
                    Ok(_) => {
                        wanted.opened = Some(Instant::now());
                        self.wanted = Some(wanted);
                        Ok(None)
                    }
                    Err(refused) => self.give_up(&wanted, refused.to_string()),
                }
            }
        }
    }

    /// A person says that a step is done which nobody here can see: nothing is put in a table's place, so
    /// nobody is waited for, and what comes next is answered for by a request of its own.
    async fn step_by_hand(&mut self, wanted: &Wanted) -> Result<Option<String>, Error> {
        let (carried, text) = match self.charge.work.open_gate().await {
            Ok(said) => (true, said),
            Err(refused) => (false, refused.to_string()),
        };
        if let Some(request) = &wanted.request {
            self.answer(request, &HandoffAnswer { carried, text })?;
        }
        Ok(None)
    }

    /// The gate is open: it is shut again where somebody holds the table now, or it takes too long.
    async fn while_open(
        &mut self,
        mut wanted: Wanted,
        opened: Instant,
        progress: &HandoffProgress,
    ) -> Result<Option<String>, Error> {
        let held = match self.holders().await {
            Ok(Held::By(holders)) if !holders.is_empty() => Some(show(&holders)),
            Ok(_) => None,
            // The session may be the one that the cut-over itself disturbs; the time is bounded.
            Err(_) => None,
        };
        wanted.tried |= progress.state == HandoffState::CuttingOver;
        let failed = wanted.tried && progress.state == HandoffState::Postponed;
        let late = self.charge.rules.attempt <= opened.elapsed();
        if held.is_none() && !late && !failed {
            self.wanted = Some(wanted);
            return Ok(progress.waits_for.clone());
        }
        // What cannot be shut any more is over in a moment, and the next look shows how.
        let shut = self.charge.work.close_gate().await;
        let why = held.unwrap_or_else(|| {
            if failed { "the tool did not get the table's lock" } else { "it took too long" }
                .to_owned()
        });
        let text = match shut {
            Ok(said) => format!("attempt {} was given up: {why}; {said}", wanted.attempts),
            Err(refused) => format!("attempt {} is not over: {why}; {refused}", wanted.attempts),
        };
        if self.charge.rules.attempts <= wanted.attempts {
            return self.give_up(&wanted, format!("{text}; it is postponed again"));
        }
        (wanted.opened, wanted.tried) = (None, false);
        wanted.not_before = Instant::now() + BETWEEN_ATTEMPTS;
        self.wanted = Some(wanted);
        Ok(Some(text))
    }

    /// What has to be waited for before the gate may open, or forbids it.
    fn in_the_way(&self, wanted: &Wanted) -> Option<Way> {
        match &self.likeness {
            Likeness::Equal(..) => {}
            Likeness::Differs(text) => {
                return Some(Way::Forbidden(format!(
                    "the copy is not like the table, and cutting over would lose that: {text}; stop \
                     it, look at these rows, and begin anew"
                )));
            }
            Likeness::Failed(why, _) => {
                let text = format!("table and copy could not be compared yet: {why}");
                return Some(if self.charge.rules.patience <= wanted.since.elapsed() {
                    Way::Forbidden(text)
                } else {
                    Way::Waits(text)
                });
            }
            Likeness::Unknown | Likeness::Comparing(..) => {
                return Some(Way::Waits("table and copy are being compared".to_owned()));
            }
        }
        let now = jiff::Timestamp::now();
        if let Some(throttle::Gate::Closed(until)) =
            self.charge.rules.window.as_ref().map(|window| window.at(now))
        {
            let until = self.charge.rules.window.as_ref().map(|window| window.show(until));
            return Some(Way::Waits(format!(
                "the window of `[handoff]` opens at {}",
                until.unwrap_or_default()
            )));
        }
        (Instant::now() < wanted.not_before)
            .then(|| Way::Waits("the next attempt follows in a moment".to_owned()))
    }

    fn give_up(&mut self, wanted: &Wanted, text: String) -> Result<Option<String>, Error> {
        match &wanted.request {
            Some(request) => {
                self.answer(request, &HandoffAnswer { carried: false, text })?;
                Ok(None)
            }
            // Permitted from the start: it stays wanted, and begins to wait anew.
            None => {
                let mut again = Wanted::new(None);
                again.not_before = Instant::now() + BETWEEN_ATTEMPTS;
                self.wanted = Some(again);
                Ok(Some(text))
            }
        }
    }

    /// What a handoff that nobody has asked to cut over shows.
    fn unasked(&self) -> Option<String> {
        let said = match &self.likeness {
            _ if !self.copies() => return self.progress.waits_for.clone(),
            Likeness::Unknown | Likeness::Comparing(..) => {
                "table and copy are being compared".to_owned()
            }
            Likeness::Equal(text, ..) => format!("ready for the cut-over: {text}"),
            Likeness::Differs(text) => format!("the copy is not like the table: {text}"),
            Likeness::Failed(why, _) => format!("table and copy could not be compared: {why}"),
        };
        Some(said)
    }

    /// Begins to compare, or takes note of what came of it.
    async fn compare(&mut self) {
        match std::mem::replace(&mut self.likeness, Likeness::Unknown) {
            Likeness::Unknown => self.begin_comparing(),
            Likeness::Failed(_, when) if COMPARE_AGAIN <= when.elapsed() => self.begin_comparing(),
            Likeness::Comparing(task, _, begun) if task.is_finished() => {
                self.likeness = match task.await {
                    Ok(Ok(compared)) if compared.equal => {
                        Likeness::Equal(compared.to_string(), begun.elapsed())
                    }
                    Ok(Ok(compared)) => Likeness::Differs(compared.to_string()),
                    Ok(Err(error)) => Likeness::Failed(error.to_string(), Instant::now()),
                    Err(error) => Likeness::Failed(error.to_string(), Instant::now()),
                };
                let (equal, said) = match &self.likeness {
                    Likeness::Equal(said, ..) => (true, said.clone()),
                    Likeness::Differs(said) | Likeness::Failed(said, _) => (false, said.clone()),
                    Likeness::Unknown | Likeness::Comparing(..) => return,
                };
                self.tell(HandoffEvent::Compared { equal, said });
            }
            other => self.likeness = other,
        }
    }

    fn begin_comparing(&mut self) {
        let Some(copy) = self.charge.work.copy() else {
            let why = "the tool's copy is not known".to_owned();
            self.likeness = Likeness::Failed(why, Instant::now());
            return;
        };
        let stop = Stop::default();
        let (target, old, heard) = (self.target.clone(), self.charge.place.clone(), stop.clone());
        let mut how = How::default();
        // Its triggers write to the copy in the application's own transaction: it is never behind.
        if self.charge.plan.decision == Decision::Tool(Tool::Percona) {
            how.patience = Duration::ZERO;
        }
        let new = Place { schema: old.schema.clone(), name: copy };
        let task = tokio::spawn(async move {
            let mut session = target.open("handoff").await?;
            let done = compare::compare(&*target, session.as_mut(), &old, &new, &heard, &how).await;
            session.close().await;
            done
        });
        self.likeness = Likeness::Comparing(task, stop, Instant::now());
    }

    /// Ends a comparison that is under way: nobody needs it any more.
    pub(super) async fn stop_comparing(&mut self) {
        if let Likeness::Comparing(task, stop, _) =
            std::mem::replace(&mut self.likeness, Likeness::Unknown)
        {
            stop.ask(Ask {
                level: Level::Cancel,
                source: Source::Runner,
                by: "the handoff's end".to_owned(),
                reason: None,
            });
            // It is cancelled on the server; one that does not come back ends with the process.
            let _ = tokio::time::timeout(Duration::from_secs(1), task).await;
        }
    }

    /// Who holds the table: those that are open for a second, or were there at the look before. An application
    /// at work has new ones at every look, which are over in a moment.
    async fn holders(&mut self) -> Result<Held, String> {
        let (target, place, mark) =
            (self.target.clone(), self.charge.place.clone(), self.charge.work.mark());
        let asked = match self.line.session().await {
            Ok(session) => target.holders(session, &place, &mark).await,
            Err(error) => Err(error),
        };
        match asked {
            Ok(Ok(found)) => {
                let now: Vec<String> = found.iter().map(|one| one.session.clone()).collect();
                let Some(before) = self.held_before.replace(now) else { return Ok(Held::NotYet) };
                let stays =
                    |one: &Transaction| HOLDS_FROM <= one.seconds || before.contains(&one.session);
                Ok(Held::By(found.into_iter().filter(stays).collect()))
            }
            Ok(Err(why)) => Err(why),
            Err(error) => {
                self.line.lost();
                if error.is_passing() { Ok(Held::Unasked(error)) } else { Err(error.to_string()) }
            }
        }
    }

    /// Says of the cut-over that it came to its end: answers who asked for it.
    pub(super) fn settle_cut_over(&mut self, done: bool, text: &str) -> Result<(), Error> {
        let Some(Wanted { request: Some(request), .. }) = self.wanted.take() else { return Ok(()) };
        self.answer(&request, &HandoffAnswer { carried: done, text: text.to_owned() })
    }

    fn tell(&self, event: HandoffEvent) {
        let record = self.bus.emit(Event::Handoff(event));
        // What the journal misses of this is no state; the next beat shows whether it can be written.
        let _ = self.journal.log(&record);
    }
}

/// What two looks at the table's holders show.
enum Held {
    /// There was one look only.
    NotYet,
    /// The server did not answer; it may have been started again, and the session with it.
    Unasked(crate::target::Error),
    By(Vec<Transaction>),
}

/// What stands between a wish and the gate.
enum Way {
    Waits(String),
    Forbidden(String),
}

fn show(holders: &[Transaction]) -> String {
    let shown: Vec<String> = holders
        .iter()
        .take(5)
        .map(|one| format!("session {} of `{}` ({} s)", one.session, one.user, one.seconds))
        .collect();
    let more = if shown.len() < holders.len() { ", …" } else { "" };
    format!("open transactions that hold the table, or may: {}{more}", shown.join(", "))
}
