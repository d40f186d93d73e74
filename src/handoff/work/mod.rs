//! A change under way: what the supervisor asks of whoever makes it.
//!
//! Each tool is a file here, and so is the server's own path. The supervisor knows them by [`Work`]
//! alone: it looks, passes on what people ask, and judges the end by the database. What a tool says
//! of itself ([`Ended`]) is a hint and never the verdict.

mod child;
pub mod ghost;
pub mod native;
mod paths;
pub mod percona;

use async_trait::async_trait;

use crate::event::HandoffProgress;
use crate::handoff::Plan;
use crate::rewrite::tool::Tool;
use crate::target::Mark;

pub use child::{Child, ChildId};
pub use paths::Paths;

/// What was seen of the work.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// How far it is.
    pub progress: HandoffProgress,
    /// How it ended, once it has.
    pub ended: Option<Ended>,
}

/// How the work ended, as the tool says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// In a sentence, with the exit code or the OS signal where there is one, and the last words of the
    /// log that say why.
    pub hint: String,
    /// It says that all went well.
    pub well: bool,
}

/// A request that was carried out, with what the person should know of it: `paused; its triggers go on
/// writing to the copy`.
pub type Carried = Result<String, Refused>;

/// Why a request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It makes no sense at this moment, or here; a sentence.
    #[error("{0}")]
    NotNow(String),
    /// The tool did not answer, or answered something that nobody understands; what was sent, and what came.
    #[error("{0}")]
    NoAnswer(String),
}

/// How the work is asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// At the next place where it leaves the least behind.
    Stop,
    /// At once.
    Kill,
}

/// A change under way.
///
/// Each call comes back within about a second, whatever the tool does: what does not answer is reported as
/// that. None is called while another runs.
#[async_trait]
pub trait Work: Send {
    /// Looks how far it is. After the first look with `ended`, nothing else is called but this.
    async fn look(&mut self) -> Look;

    /// Makes it wait, effective within two seconds.
    async fn pause(&mut self) -> Carried;

    /// Lets it go on, effective within two seconds.
    async fn resume(&mut self) -> Carried;

    /// Changes a setting: `chunk_size`, `max_lag`, `max_load`, … ([`Self::settings`]).
    async fn tune(&mut self, name: &str, value: &str) -> Carried;

    /// The settings that [`Self::tune`] knows, with an example of a value each.
    fn settings(&self) -> &'static [(&'static str, &'static str)];

    /// Opens the gate before the cut-over. Work that has none refuses.
    async fn open_gate(&mut self) -> Carried;

    /// Closes the gate again: an attempt that has not succeeded is given up, and the work is postponed.
    async fn close_gate(&mut self) -> Carried;

    /// Asks the tool to end: the first step of a kill, and all of a stop.
    async fn ask_to_end(&mut self, how: Ending) -> Carried;

    /// Ends it whatever it does: SIGKILL, or the end of its session. The third step of a kill.
    async fn force(&mut self) -> Carried;

    /// Lets it ask another URL whether anybody watches: a supervisor that takes it up again listens
    /// elsewhere. Work that asks none has nothing to do.
    async fn watch_at(&mut self, _url: &str) -> Carried {
        Ok("it asks no URL".to_owned())
    }

    /// The table that is put in the place of the table at the end: a copy, or an old table that is put back. None
    /// where the server changes the table itself.
    fn copy(&self) -> Option<String> {
        None
    }

    /// By what everything that belongs to this work is known on the server.
    fn mark(&self) -> Mark;
}

/// What a tool is started with, besides its plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    /// Where it can ask whether anybody watches: a URL of ours, that answers 200 while the supervisor lives.
    pub watch_url: String,
    /// Takes up an earlier run where it ended, by that run's number; empty: the newest of these files.
    pub resume: Option<String>,
}

/// A tool that runs as a process of its own.
pub struct ProcessTool {
    /// Which.
    pub tool: Tool,
    /// The whole vector, from the plan's: with the files of this run, the dead-man switch, and what resuming
    /// needs.
    pub vector: fn(&Plan, &Paths, &Launch) -> Vec<String>,
    /// Writes the files that must be there before it starts: flags, a plugin.
    pub prepare: fn(&Plan, &Paths) -> std::io::Result<()>,
    /// Whether an earlier run can be taken up where it ended, or why not; asked of the plan, before anything
    /// starts.
    pub resumable: fn(&Plan) -> Result<(), &'static str>,
    /// Takes charge of a process, one that was just started or one that is found again.
    pub take: fn(&Plan, &Paths, Child) -> Box<dyn Work>,
}

/// The tool as a process.
#[must_use]
pub fn process_tool(tool: Tool) -> &'static ProcessTool {
    match tool {
        Tool::GhOst => &ghost::TOOL,
        Tool::Percona => &percona::PERCONA,
    }
}
