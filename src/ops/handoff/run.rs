//! Starts a handoff, takes one up whose supervisor died, or goes on with one that ended before its end.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Asked;
use super::planned::{self, Planned};
use crate::control::{Level, Stop, watch_halts};
use crate::event::{Event, HandoffEvent, HandoffProgress, HandoffState, Listener, Record};
use crate::handoff::supervise::{Alive, Charge, Outcome, Rules, Supervision, latch_scope};
use crate::handoff::verdict::Verdict;
use crate::handoff::work::{self, Child, ChildId, Launch, Paths, Work, native};
use crate::handoff::{Decision, Plan};
use crate::journal::{HandoffRow, Journal};
use crate::ops::{Action, Consent, Error, Permit, Team, connect_to, permit, runner_name};
use crate::rewrite::tool::Tool;
use crate::run::Bus;
use crate::target::{self, Place, Shape, Target, fence::Fence};
use crate::throttle::Opening;

/// What a handoff is run with.
pub struct RunAsked<'a> {
    /// What is to be planned.
    pub plan: Asked,
    /// The handoff that is taken back, where no change is made: see [`super::revertible`].
    pub reverts: Option<HandoffRow>,
    /// Whether the cut-over is permitted together with the start.
    pub cut_over: bool,
    /// How the person consents.
    pub consent: Consent<'a>,
    /// Where the tool can ask whether anybody watches.
    pub watch_url: String,
    /// The sign of life behind it.
    pub alive: Alive,
    /// Whether a canary measures what the application feels.
    pub canary: bool,
}

/// The name of the handoff that is begun: of a migration, or of what takes one back.
#[must_use]
pub fn name_for(plan: &Asked, reverts: Option<&HandoffRow>) -> String {
    reverts.map_or_else(|| name_of(&plan.file), super::back::name_of)
}

/// What came of the attempt to begin.
pub enum Opened {
    /// It is under way.
    Ready(Box<Ready>),
    /// The plan forbids it.
    Refused(Box<Plan>),
    /// It had ended meanwhile, and nobody had seen how.
    Settled(Box<HandoffRow>),
}

/// A handoff that is under way.
pub struct Ready {
    supervision: Supervision,
    target: Arc<dyn Target>,
    stop: Stop,
    scope: String,
    schema: Option<String>,
    /// How it began.
    pub how: How,
    /// What is made, and by whom.
    pub plan: Plan,
}

/// How a supervision began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// With a new run.
    Started,
    /// With a run whose supervisor was gone.
    TakenUp,
    /// With an earlier run that had ended before its end.
    Resumed,
}

/// The handoff of a migration: its file's name, without the ending.
#[must_use]
pub fn name_of(file: &Path) -> String {
    file.file_stem().map_or_else(|| "handoff".into(), |stem| stem.to_string_lossy().into_owned())
}

/// The name of the target's database, for metrics; that of the variable where its URL tells none.
#[must_use]
pub fn database_of(url_env: &str) -> String {
    let url = std::env::var(url_env).ok().and_then(|url| url::Url::parse(&url).ok());
    let name = url.map(|url| url.path().trim_matches('/').to_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| url_env.to_owned())
}

/// A tool takes that long to come to a cut-over and back; a person who waits for a reader waits longer.
const PATIENCE: Duration = Duration::from_mins(10);

/// An unblocked cut-over took 0.3 to 3 s where it was measured.
const ATTEMPT: Duration = Duration::from_secs(6);

const ATTEMPTS: u32 = 3;

fn rules(team: &Team, when_ready: bool) -> Result<Rules, Error> {
    let config = &team.config.handoff;
    let window = config.window.as_ref().map(Opening::of).transpose().map_err(|why| {
        Error::Handover(format!("`[handoff] window` of `backstop.toml` cannot be kept: {why}"))
    })?;
    Ok(Rules {
        when_ready,
        attempts: config.cut_over_attempts.unwrap_or(ATTEMPTS),
        patience: config.cut_over_patience.map_or(PATIENCE, |patience| patience.0),
        attempt: ATTEMPT,
        window,
    })
}

/// Begins, takes up, or goes on, whichever it is.
///
/// # Errors
///
/// Another supervisor lives, a kill stands, nobody consented, or nothing can be planned or started.
pub async fn open(
    asked: RunAsked<'_>,
    team: &Team,
    journal: &Journal,
    stop: &Stop,
    listeners: Vec<Arc<dyn Listener>>,
) -> Result<Opened, Error> {
    let name = name_for(&asked.plan, asked.reverts.as_ref());
    refuse_killed(journal, &name)?;
    if let Some(kill_file) = team.kill_file()
        && let Some(standing) = crate::control::look(&kill_file)
    {
        return Err(Error::KillFile {
            job: name,
            path: standing.path.display().to_string(),
            reason: standing.reason.map(|why| format!(" ({why})")).unwrap_or_default(),
        });
    }
    let known = journal.handoff(&name)?;
    let target = connect_to(&asked.plan.target).await?;
    let opening = Attempt { asked, team, journal, stop, listeners, name, target };
    match known {
        Some(row) if row.is_open() => Box::pin(opening.take_up(row)).await,
        known => opening.begin(known).await,
    }
}

fn refuse_killed(journal: &Journal, name: &str) -> Result<(), Error> {
    match journal.standing_latch(&latch_scope(name))? {
        Some(latch) if latch.scope == crate::event::ALL_JOBS => {
            Err(Error::LatchStands { job: name.to_owned(), by: latch.by })
        }
        Some(latch) => Err(Error::HandoffKilled { name: name.to_owned(), by: latch.by }),
        None => Ok(()),
    }
}

pub(super) struct Attempt<'a> {
    pub(super) asked: RunAsked<'a>,
    pub(super) team: &'a Team,
    pub(super) journal: &'a Journal,
    pub(super) stop: &'a Stop,
    listeners: Vec<Arc<dyn Listener>>,
    pub(super) name: String,
    pub(super) target: Arc<dyn Target>,
}

impl Attempt<'_> {
    /// One whose end nobody has seen: at work still, or ended meanwhile.
    async fn take_up(self, mut row: HandoffRow) -> Result<Opened, Error> {
        if row.is_supervised() {
            return Err(Error::Handover(format!(
                "`{}` is supervised by {} at this moment: `backstop handoff status {0}` shows how far it \
                 is; to run it from here, stop it there first",
                row.name,
                row.supervisor.as_deref().unwrap_or("another process")
            )));
        }
        if self.read()?.hash != row.change_hash {
            return Err(Error::Handover(format!(
                "`{}` was begun with another change (`{}`) or on another server, and its end was not seen; \
                 nothing was done with this file: take it up with the file that it was begun with, or end it: \
                 `backstop handoff kill {0}`",
                row.name, row.change
            )));
        }
        let plan = plan_of(&row)?;
        let paths = Paths::new(&plan.files);
        let child = super::verbs::child_of(&row, &paths);
        let Some(child) = child.filter(|_| plan.command.is_some()) else {
            return self.settle(row, plan).await;
        };
        let Decision::Tool(tool) = plan.decision else { return self.settle(row, plan).await };
        row.process = Some((child.id().pid, child.id().started));
        let work = (work::process_tool(tool).take)(&plan, &paths, child);
        let permit = Permit { by: "an earlier start".to_owned(), reason: None };
        self.ready(row, plan, work, How::TakenUp, &permit)
    }

    /// It ended while nobody watched: the database says how.
    async fn settle(self, mut row: HandoffRow, plan: Plan) -> Result<Opened, Error> {
        // The server's own path finds out by itself what is done, and goes on with the rest.
        if plan.command.is_none() {
            return self.begin(Some(row)).await;
        }
        let judged = super::verbs::judge(&row, self.target.as_ref()).await?;
        let (state, reason) = match judged {
            Verdict::Done => (
                HandoffState::Done,
                "it ended while nobody watched, and the table is as planned".to_owned(),
            ),
            Verdict::NotDone => (
                HandoffState::Failed,
                "it ended while nobody watched, and the table is as it was".to_owned(),
            ),
            Verdict::Unknown(why) => {
                (HandoffState::Unknown, format!("it ended while nobody watched: {why}"))
            }
        };
        let progress = HandoffProgress { state, ..row.progress.clone() };
        let event = HandoffEvent::Changed {
            from: row.state,
            to: state,
            reason: Some(reason.clone()),
            by: None,
        };
        self.journal.end_handoff(&row.name, &progress, Some(&reason), &self.record(event))?;
        row.state = state;
        row.reason = Some(reason);
        if state == HandoffState::Failed {
            return self.begin(Some(row)).await;
        }
        Ok(Opened::Settled(Box::new(row)))
    }

    /// Plans, asks for consent, and starts.
    async fn begin(mut self, known: Option<HandoffRow>) -> Result<Opened, Error> {
        let Planned { plan, hash, goes_on } = self.planned(known.as_ref()).await?;
        if plan.decision == Decision::Refuse {
            return Ok(Opened::Refused(Box::new(plan)));
        }
        let how = if goes_on { How::Resumed } else { How::Started };
        let action = Action { what: planned::what(&plan, how), table: &plan.table };
        let permit = permit(&action, &self.team.config.handoff, &self.asked.consent)?;
        let row = self.row(&plan, known, hash).await?;
        let supervisor = row.supervisor.clone();
        let taken = self.taken(&row, how, &permit);
        if let Some(other) = self.journal.take_handoff(&row, &taken)? {
            return Err(Error::Handover(format!("`{}` was begun by {other} just now", row.name)));
        }
        // The newest run of these files.
        let resume = goes_on.then(String::new);
        match self.start(&plan, resume) {
            Ok(work) => {
                let supervision = self.supervision(&row, &plan, work, how, taken)?;
                Ok(Opened::Ready(Box::new(self.under_way(supervision, how, plan))))
            }
            Err(error) => {
                let progress = HandoffProgress::at(HandoffState::Failed);
                let reason = error.to_string();
                let event = HandoffEvent::Changed {
                    from: HandoffState::Starting,
                    to: HandoffState::Failed,
                    reason: Some(reason.clone()),
                    by: supervisor,
                };
                let record = self.record(event);
                self.journal.end_handoff(&row.name, &progress, Some(&reason), &record)?;
                Err(error)
            }
        }
    }

    fn start(&mut self, plan: &Plan, resume: Option<String>) -> Result<Box<dyn Work>, Error> {
        let Decision::Tool(tool) = plan.decision else {
            return Ok(native::start(plan, Arc::clone(&self.target)));
        };
        let tool = work::process_tool(tool);
        let paths = Paths::new(&plan.files);
        let launch = Launch { watch_url: self.asked.watch_url.clone(), resume };
        let failed = |what: &str| {
            let what = what.to_owned();
            move |error: std::io::Error| {
                Error::Handover(format!("{what}: {error}; nothing was changed in the database"))
            }
        };
        (tool.prepare)(plan, &paths)
            .map_err(failed(&format!("a file beside `{}` cannot be written", plan.files)))?;
        let vector = (tool.vector)(plan, &paths, &launch);
        let child = Child::start(&vector, &paths)
            .map_err(failed(&format!("`{}` cannot be started", tool.tool.program())))?;
        let ChildId { pid, started } = child.id();
        self.journal.handoff_process(&self.name, (pid, started))?;
        Ok((tool.take)(plan, &paths, child))
    }

    async fn row(
        &self,
        plan: &Plan,
        known: Option<HandoffRow>,
        change_hash: String,
    ) -> Result<HandoffRow, Error> {
        let place = Place { schema: plan.database.clone(), name: plan.table.clone() };
        let mut session = self.target.open("handoff").await.map_err(Error::Connect)?;
        let before = self.target.shape(session.as_mut(), &place).await.map_err(Error::Connect)?;
        let put_back = match &plan.reverts {
            Some(reverts) => {
                let old = Place { schema: plan.database.clone(), name: reverts.old.clone() };
                let shape = self.target.shape(session.as_mut(), &old).await;
                let gone =
                    || Error::Handover(format!("`{}` is gone since it was planned", reverts.old));
                Some(shape.map_err(Error::Connect)?.ok_or_else(gone)?)
            }
            None => None,
        };
        session.close().await;
        let Some(before) = before else {
            return Err(Error::Handover(format!("`{}` is gone since it was planned", plan.table)));
        };
        let copy = match &put_back {
            Some(old) => Some(json(old)?),
            None => known.filter(|row| row.change_hash == change_hash).and_then(|row| row.copy),
        };
        let now = Timestamp::now().to_string();
        Ok(HandoffRow {
            name: self.name.clone(),
            migration: plan.file.clone(),
            url_env: plan.url_env.clone(),
            address: self.target.address().to_owned(),
            schema: plan.database.clone(),
            table: plan.table.clone(),
            tool: plan.decision.name().to_owned(),
            change: plan.clauses.clone(),
            change_hash,
            plan: json(plan)?,
            before: json(&before)?,
            copy,
            process: None,
            state: HandoffState::Starting,
            reason: None,
            progress: HandoffProgress::at(HandoffState::Starting),
            supervisor: Some(runner_name()),
            heartbeat_at: None,
            started_at: now.clone(),
            updated_at: now,
            ended_at: None,
        })
    }

    fn ready(
        self,
        mut row: HandoffRow,
        plan: Plan,
        work: Box<dyn Work>,
        how: How,
        permit: &Permit,
    ) -> Result<Opened, Error> {
        row.supervisor = Some(runner_name());
        let taken = self.taken(&row, how, permit);
        if let Some(other) = self.journal.take_handoff(&row, &taken)? {
            return Err(Error::Handover(format!(
                "`{}` was taken up by {other} just now",
                row.name
            )));
        }
        let supervision = self.supervision(&row, &plan, work, how, taken)?;
        Ok(Opened::Ready(Box::new(self.under_way(supervision, how, plan))))
    }

    fn supervision(
        &self,
        row: &HandoffRow,
        plan: &Plan,
        work: Box<dyn Work>,
        how: How,
        taken: Record,
    ) -> Result<Supervision, Error> {
        let charge = Charge {
            name: row.name.clone(),
            supervisor: row.supervisor.clone().unwrap_or_default(),
            work,
            plan: plan.clone(),
            place: place_of(row),
            paths: Paths::new(&plan.files),
            before: shape_of(&row.before)?,
            copy: row.copy.as_ref().map(shape_of).transpose()?,
            rules: rules(self.team, self.asked.cut_over)?,
            keeps_triggers: keeps_triggers(plan),
            canary: self.asked.canary,
            watch_url: (how == How::TakenUp).then(|| self.asked.watch_url.clone()),
        };
        let bus = Bus::new(&row.name, self.listeners.clone());
        bus.emit(taken.event);
        Ok(Supervision::new(
            charge,
            self.journal.clone(),
            Arc::clone(&self.target),
            bus,
            self.stop.clone(),
            self.asked.alive.clone(),
        ))
    }

    fn under_way(&self, supervision: Supervision, how: How, plan: Plan) -> Ready {
        Ready {
            supervision,
            target: Arc::clone(&self.target),
            stop: self.stop.clone(),
            scope: latch_scope(&self.name),
            schema: self.team.config.fence.schema.clone(),
            how,
            plan,
        }
    }

    fn taken(&self, row: &HandoffRow, how: How, permit: &Permit) -> Record {
        self.record(HandoffEvent::Taken {
            tool: row.tool.clone(),
            table: format!("{}.{}", row.schema, row.table),
            change: row.change.clone(),
            supervisor: row.supervisor.clone().unwrap_or_default(),
            goes_on: how != How::Started,
            by: permit.to_string(),
        })
    }

    fn record(&self, event: HandoffEvent) -> Record {
        Record { at: Timestamp::now(), job: self.name.clone(), event: Event::Handoff(event) }
    }
}

impl Ready {
    /// Watches until it has ended. A halt in the target, of everything, kills it as well.
    ///
    /// # Errors
    ///
    /// The supervisor has to leave before.
    pub async fn run(self) -> Result<Outcome, Error> {
        let Self { supervision, target, stop, scope, schema, .. } = self;
        let watching = tokio::spawn(async move {
            // One that cannot be read is tried again; a target without Backstop's tables may get them.
            while stop.level() < Level::Drain {
                let read = halts(&target, schema.as_deref(), &scope, &stop).await;
                let again = if read.is_ok() { NO_SWITCH } else { UNREAD };
                tokio::time::sleep(again).await;
            }
        });
        let outcome = supervision.run().await;
        watching.abort();
        Ok(outcome?)
    }
}

/// A switch that could not be read is tried again after that.
const UNREAD: Duration = Duration::from_secs(1);

/// A target that has none is looked at again after that: each look opens a session.
const NO_SWITCH: Duration = Duration::from_secs(30);

/// Reads the switch until it cannot be read any more; comes back at once where there is none.
async fn halts(
    target: &Arc<dyn Target>,
    schema: Option<&str>,
    scope: &str,
    stop: &Stop,
) -> target::Result<()> {
    let mut session = target.open("halts").await?;
    let home = target.fence_home(session.as_mut(), schema).await?;
    if home.exists() {
        let fence = Fence::of(&home, scope);
        watch_halts(&fence.switch, target.dialect(), session.as_mut(), scope, stop).await?;
    }
    session.close().await;
    Ok(())
}

/// pt-online-schema-change goes on where its triggers have followed the table all the time.
fn keeps_triggers(plan: &Plan) -> bool {
    let Decision::Tool(tool) = plan.decision else { return false };
    tool == Tool::Percona && (work::process_tool(tool).resumable)(plan).is_ok()
}

fn json(value: &impl serde::Serialize) -> Result<serde_json::Value, Error> {
    serde_json::to_value(value)
        .map_err(|error| Error::Handover(format!("the plan cannot be written down: {error}")))
}

pub(super) fn plan_of(row: &HandoffRow) -> Result<Plan, Error> {
    serde_json::from_value(row.plan.clone()).map_err(|error| {
        Error::Handover(format!("the journal's plan of `{}` cannot be read: {error}", row.name))
    })
}

pub(super) fn shape_of(value: &serde_json::Value) -> Result<Shape, Error> {
    serde_json::from_value(value.clone())
        .map_err(|error| Error::Handover(format!("the journal's shape cannot be read: {error}")))
}

pub(super) fn place_of(row: &HandoffRow) -> Place {
    Place { schema: row.schema.clone(), name: row.table.clone() }
}

/// What names a change: the target, and the migration without its white space. Another one is never taken for it.
pub(super) fn hash_of(target: &dyn Target, text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let digest = Sha256::digest(format!("{} {}", target.address(), words.join(" ")).as_bytes());
    digest.iter().fold(String::new(), |mut hash, byte| {
        // Writing to memory cannot fail.
        let _ = write!(hash, "{byte:02x}");
        hash
    })
}
