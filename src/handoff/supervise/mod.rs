//! Watches over a change under way, whoever makes it: one loop for every tool.
//!
//! Four times a second it looks at the work, writes down how far it is, hears what people ask, and holds the
//! gate before the cut-over. It may die at any moment: the tool then waits ([`watch`]), everything that is
//! needed to go on stands in the journal and in the database, and another supervisor takes the work up again.
//! How it ended is asked of the database ([`end`]).

mod end;
mod gate;
mod requests;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Plan;
use super::canary::{self, Canary};
use super::work::{Ending, Paths, Work};
use crate::control::{Level, Source, Stop};
use crate::event::{ALL_JOBS, Event, HandoffEvent, HandoffProgress, HandoffState};
use crate::journal::{self, HandoffRequest, Journal};
use crate::run::Bus;
use crate::target::{self, Place, Session, Shape, Target};
use crate::throttle::Opening;

pub use end::{Outcome, verdict_of};
use gate::{Likeness, Wanted};
pub use requests::Verb;
pub use watch::Alive;

/// The time between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// The time between two signs of life in the journal.
const BEAT_EVERY: Duration = Duration::from_secs(1);

/// A server that does not answer within this is away, and the loop goes on without it.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// What is settled for the cut-over.
#[derive(Debug, Clone)]
pub struct Rules {
    /// It was permitted from the start, and follows when everything is ready.
    pub when_ready: bool,
    /// The attempts that one request makes.
    pub attempts: u32,
    /// The longest that whoever holds the table is waited for.
    pub patience: Duration,
    /// The longest that one attempt takes.
    pub attempt: Duration,
    /// When it may happen.
    pub window: Option<Opening>,
}

/// Why a supervisor leaves before the work has ended. The work itself waits then, and another supervisor may
/// take it up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The journal cannot be used.
    #[error("{0}; the handoff waits until somebody supervises it again")]
    Journal(#[from] journal::Error),
    /// Another one has taken the handoff.
    #[error("another supervisor has taken `{0}`, and this one leaves it alone")]
    TakenOver(String),
}

/// What a supervisor is in charge of.
pub struct Charge {
    /// The handoff's name.
    pub name: String,
    /// This supervisor: host and process.
    pub supervisor: String,
    /// The work.
    pub work: Box<dyn Work>,
    /// What is done.
    pub plan: Plan,
    /// The table.
    pub place: Place,
    /// Its files.
    pub paths: Paths,
    /// The table's shape before.
    pub before: Shape,
    /// The shape of the tool's copy, once it was seen, by this supervisor or one before.
    pub copy: Option<Shape>,
    /// What is settled for the cut-over.
    pub rules: Rules,
    /// Whether a tool that ended by itself leaves triggers that its next run goes on with.
    pub keeps_triggers: bool,
    /// Where a tool that was taken up has to be told to ask whether anybody watches.
    pub watch_url: Option<String>,
    /// Whether a canary measures what the application feels.
    pub canary: bool,
}

/// A handoff, and everything that its supervisor needs.
pub struct Supervision {
    charge: Charge,
    journal: Journal,
    target: Arc<dyn Target>,
    bus: Bus,
    stop: Stop,
    alive: Alive,
    line: Line,
    progress: HandoffProgress,
    seen: i64,
    endings: Vec<HandoffRequest>,
    likeness: Likeness,
    wanted: Option<Wanted>,
    /// The sessions that held the table at the last look.
    held_before: Option<Vec<String>>,
    beaten: Option<Instant>,
    learned: Option<Instant>,
}

/// The scope of a latch that holds a handoff.
#[must_use]
pub fn latch_scope(name: &str) -> String {
    format!("handoff:{name}")
}

/// A session that is opened again when it is lost.
pub(super) struct Line {
    target: Arc<dyn Target>,
    session: Option<Box<dyn Session>>,
}

impl Line {
    pub(super) fn to(target: &Arc<dyn Target>) -> Self {
        Self { target: Arc::clone(target), session: None }
    }

    /// The session, opened anew if it was lost.
    pub(super) async fn session(&mut self) -> target::Result<&mut dyn Session> {
        if self.session.is_none() {
            let opened = tokio::time::timeout(CONNECT_WITHIN, self.target.open("handoff")).await;
            let opened = opened.unwrap_or_else(|_| {
                let why = format!("the server does not answer within {CONNECT_WITHIN:?}");
                Err(target::Error::new(target::Class::Lost, why))
            })?;
            self.session = Some(opened);
        }
        match &mut self.session {
            Some(session) => Ok(session.as_mut()),
            None => Err(target::Error::new(target::Class::Lost, "there is no session")),
        }
    }

    /// It is lost, or in doubt.
    pub(super) fn lost(&mut self) {
        self.session = None;
    }
}

impl Supervision {
    /// Takes charge of the work: on this database, with events to there, until that token says otherwise.
    #[must_use]
    pub fn new(
        charge: Charge,
        journal: Journal,
        target: Arc<dyn Target>,
        bus: Bus,
        stop: Stop,
        alive: Alive,
    ) -> Self {
        let line = Line::to(&target);
        Self {
            charge,
            journal,
            target,
            bus,
            stop,
            alive,
            line,
            progress: HandoffProgress::at(HandoffState::Starting),
            seen: 0,
            endings: Vec::new(),
            likeness: Likeness::Unknown,
            wanted: None,
            held_before: None,
            beaten: None,
            learned: None,
        }
    }

    /// Watches until the work has ended.
    ///
    /// # Errors
    ///
    /// This supervisor has to leave, and the work goes on without it: it waits.
    pub async fn run(mut self) -> Result<Outcome, Error> {
        let canary = self
            .charge
            .canary
            .then(|| canary::start(Arc::clone(&self.target), self.charge.place.clone()));
        let outcome = self.watch(canary.as_ref()).await;
        if let Some(canary) = canary {
            self.feel(&canary);
            canary.end().await;
        }
        outcome
    }

    async fn watch(&mut self, canary: Option<&Canary>) -> Result<Outcome, Error> {
        let _touching = watch::touch(&self.alive, &self.charge.paths);
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut asked = self.stop.watch();
        loop {
            self.alive.beat();
            let look = self.charge.work.look().await;
            let mut progress = look.progress;
            if look.ended.is_none()
                && let Some(waits) = self.at_the_gate(&progress).await?
            {
                progress.waits_for = Some(waits);
            }
            self.see(progress);
            if let Some(canary) = canary {
                self.feel(canary);
            }
            if let Some(ended) = look.ended {
                return self.ended(&ended).await;
            }
            self.beat()?;
            self.hear_latch()?;
            self.requests().await?;
            if let Some(how) = self.how_to_end() {
                return self.end(how).await;
            }
            self.learn_copy().await?;
            if let Some(url) = &self.charge.watch_url
                && self.charge.work.watch_at(url).await.is_ok()
            {
                self.charge.watch_url = None;
            }
            tokio::select! {
                _ = ticks.tick() => {}
                // The token lives as long as this does.
                _ = asked.changed() => {}
            }
        }
    }

    /// Whether a tool makes a copy, which is put in the table's place at the end.
    fn copies(&self) -> bool {
        self.charge.work.copy().is_some()
    }

    fn see(&mut self, mut progress: HandoffProgress) {
        // How it ended is what the database says, and is told once.
        if progress.state.has_ended() {
            progress.state = self.progress.state;
        }
        if progress.state != self.progress.state {
            let record = self.bus.emit(Event::Handoff(HandoffEvent::Changed {
                from: self.progress.state,
                to: progress.state,
                reason: progress.waits_for.clone(),
                by: None,
            }));
            // The next sign of life shows whether the journal can be written.
            let _ = self.journal.log(&record);
        }
        self.progress = progress;
        self.bus.emit(Event::Handoff(HandoffEvent::Progress(self.progress.clone())));
    }

    /// Says what the canary feels.
    fn feel(&self, canary: &Canary) {
        let stall = canary.stall();
        self.bus.emit(Event::Handoff(HandoffEvent::Stall {
            last_seconds: stall.last.as_secs_f64(),
            longest_seconds: stall.longest.as_secs_f64(),
        }));
    }

    fn beat(&mut self) -> Result<(), Error> {
        if self.beaten.is_some_and(|at| at.elapsed() < BEAT_EVERY) {
            return Ok(());
        }
        self.beaten = Some(Instant::now());
        if self.journal.handoff_beat(&self.charge.name, &self.charge.supervisor, &self.progress)? {
            return Ok(());
        }
        Err(Error::TakenOver(self.charge.name.clone()))
    }

    /// A kill of this handoff, or of everything, may have been written by whoever did not find us.
    fn hear_latch(&self) -> Result<(), Error> {
        let scope = latch_scope(&self.charge.name);
        if let Some(latch) = self.journal.standing_latch(&scope)? {
            let what = if latch.scope == ALL_JOBS { "everything" } else { "the handoff" };
            let by = format!("{}, who killed {what}", latch.by);
            let reason = latch.reason;
            self.stop.ask(crate::control::Ask {
                level: Level::Kill,
                source: Source::Cli,
                by,
                reason,
            });
        }
        Ok(())
    }

    /// How it is to end, if somebody asks for that. A pause is a request to the tool.
    fn how_to_end(&self) -> Option<Ending> {
        match self.stop.level() {
            Level::Go | Level::Pause => None,
            Level::Drain => Some(Ending::Stop),
            Level::Cancel | Level::Kill => Some(Ending::Kill),
        }
    }

    /// Takes note of the shape of the tool's copy: what the table is to look like at the end. It is read
    /// again from time to time, because a first look may come before the tool has altered its copy.
    async fn learn_copy(&mut self) -> Result<(), Error> {
        const AGAIN: Duration = Duration::from_secs(5);
        let known = self.learned.is_some_and(|at| at.elapsed() < AGAIN);
        if known || self.progress.state == HandoffState::Starting || !self.copies() {
            return Ok(());
        }
        let Some(name) = self.charge.work.copy() else { return Ok(()) };
        let place = Place { schema: self.charge.place.schema.clone(), name };
        let target = Arc::clone(&self.target);
        let Ok(session) = self.line.session().await else { return Ok(()) };
        match target.shape(session, &place).await {
            Ok(Some(shape)) => {
                self.learned = Some(Instant::now());
                if self.charge.copy.as_ref() != Some(&shape) {
                    let value = serde_json::to_value(&shape).unwrap_or_default();
                    self.journal.handoff_copy(&self.charge.name, &value)?;
                    self.charge.copy = Some(shape);
                }
            }
            Ok(None) => {}
            Err(_) => self.line.lost(),
        }
        Ok(())
    }
}
