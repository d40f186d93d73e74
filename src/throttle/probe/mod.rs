//! Where the value of a signal comes from.
//!
//! A [`Probe`] looks once when it is asked to. How often, for how long at most, and what is made of a
//! failure is the sampler's business.

mod command;
mod desk;
mod http;
mod local;
mod log_clock;
mod replicas;
mod target;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub(super) use command::ExitStatus;
pub(super) use desk::Desk;
pub(super) use http::Get;
pub(super) use local::{Calendar, Clock, Disk, Presence};
pub(super) use log_clock::LogClock;
pub(super) use replicas::Replicas;
pub(super) use target::{Ask, Backlog, Growth};

use super::window::Opening;
use crate::catalog::TableName;
use crate::spec::Throttle;
use crate::target::{Link, Target};

/// One value that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Whose it is, where there are several: `replica db-2`.
    pub of: Option<String>,
    /// The value, or why it cannot be told.
    pub value: Result<f64, String>,
    /// What a person should know beside the value.
    pub note: Option<String>,
}

impl Line {
    /// A value of the one thing that was asked for.
    #[must_use]
    pub const fn plain(value: f64) -> Self {
        Self { of: None, value: Ok(value), note: None }
    }

    /// A yes or no, with what a person should know beside it.
    #[must_use]
    pub fn flag(is: bool, note: Option<String>) -> Self {
        Self { of: None, value: Ok(if is { 1.0 } else { 0.0 }), note }
    }
}

/// What a look brought, or why it brought nothing.
pub type Read = Result<Vec<Line>, String>;

/// Why there is no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// There is no such thing here.
    NotHere(String),
    /// It could not be read.
    Failed(String),
}

/// Looks at one signal.
#[async_trait]
pub(super) trait Probe: Send {
    /// One look.
    async fn look(&mut self) -> Result<Vec<Line>, Unread>;
}

/// A replica that the spec names.
#[derive(Debug, Clone)]
pub struct Replica {
    /// The variable that holds its URL: its name in reasons.
    pub name: String,
    /// How to reach it.
    pub link: Link,
}

/// Something that changes while the job runs, as it is at this moment.
pub type Present<T> = Arc<dyn Fn() -> T + Send + Sync>;

/// All that probes need to know of a job.
#[derive(Clone)]
pub struct Scene {
    /// The target.
    pub target: Arc<dyn Target>,
    /// The table.
    pub table: TableName,
    /// What the spec says.
    pub throttle: Throttle,
    /// When the job may work, if that is limited.
    pub window: Option<Present<Opening>>,
    /// The folder of the spec, where relative paths begin.
    pub folder: PathBuf,
    /// The file with the freeze periods, if the team has one.
    pub freeze_file: Option<PathBuf>,
    /// The replicas that the spec names.
    pub replicas: Vec<Replica>,
    /// How old a value may be.
    pub stale_after: Duration,
    /// The sessions of the job that are in a batch.
    pub sessions: Present<Vec<String>>,
    /// How long before a window closes the job has to begin no more batches.
    pub margin: Duration,
    /// The session that questions to the target share.
    pub(super) desk: Desk,
}

impl Scene {
    /// The scene of a job of which nothing more is known. The rest is set by field.
    #[must_use]
    pub fn new(target: Arc<dyn Target>, table: TableName, throttle: Throttle) -> Self {
        let desk = Desk::new(Arc::clone(&target));
        Self {
            target,
            table,
            throttle,
            window: None,
            folder: PathBuf::new(),
            freeze_file: None,
            replicas: Vec::new(),
            stale_after: Duration::MAX,
            sessions: Arc::new(Vec::new),
            margin: Duration::ZERO,
            desk,
        }
    }

    /// Says goodbye to the server.
    pub async fn close(&self) {
        self.desk.close().await;
    }
}
