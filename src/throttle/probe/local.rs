//! What the machine of the runner tells: files, disks, and the clock.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{Line, Present, Probe, Unread};
use crate::control;
use crate::throttle::freeze;
use crate::throttle::window::Gate;
use crate::throttle::window::Opening;

/// Runs what may wait for a file system.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Unread> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| error.to_string());
    done.and_then(|result| result).map_err(Unread::Failed)
}

/// Whether a file exists. One that cannot be looked at counts as one that does.
pub(in crate::throttle) struct Presence(pub PathBuf);

#[async_trait]
impl Probe for Presence {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let path = self.0.clone();
        let standing = aside(move || Ok(control::look(&path))).await?;
        let path = self.0.display();
        let note = match &standing {
            None => format!("`{path}` is absent"),
            Some(found) => match &found.reason {
                None => format!("`{path}` exists"),
                Some(reason) => format!("`{path}` exists: {reason}"),
            },
        };
        Ok(vec![Line::flag(standing.is_some(), Some(note))])
    }
}

/// Free bytes of the disk that a path is on, for an account without privileges.
pub(in crate::throttle) struct Disk(pub PathBuf);

#[async_trait]
impl Probe for Disk {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let path = self.0.clone();
        let bytes = aside(move || {
            let found = rustix::fs::statvfs(&path)
                .map_err(|error| format!("`{}` cannot be looked at: {error}", path.display()))?;
            Ok(found.f_bavail.saturating_mul(found.f_frsize))
        })
        .await?;
        #[expect(clippy::cast_precision_loss, reason = "a byte more or less does not matter")]
        let value = Ok(bytes as f64);
        Ok(vec![Line { of: Some(self.0.display().to_string()), value, note: None }])
    }
}

/// Whether the window is closed, or about to close.
pub(in crate::throttle) struct Clock {
    pub opening: Present<Opening>,
    /// How long before the end no batch is begun any more.
    pub margin: Duration,
}

#[async_trait]
impl Probe for Clock {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let now = Timestamp::now();
        let opening = (self.opening)();
        Ok(vec![match opening.at(now) {
            Gate::Closed(until) => {
                Line::flag(true, Some(format!("closed until {}", opening.show(until))))
            }
            Gate::Open(None) => Line::flag(false, Some("open".to_owned())),
            Gate::Open(Some(until)) => {
                let soon = until.duration_since(now).unsigned_abs() <= self.margin;
                let what = if soon { "closes at" } else { "open until" };
                Line::flag(soon, Some(format!("{what} {}", opening.show(until))))
            }
        }])
    }
}

/// Whether a freeze stands, or is about to begin.
pub(in crate::throttle) struct Calendar {
    pub file: PathBuf,
    /// How long before it begins no batch is begun any more.
    pub margin: Duration,
}

#[async_trait]
impl Probe for Calendar {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let (file, margin) = (self.file.clone(), self.margin);
        let standing = aside(move || {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| format!("`{}` cannot be read: {error}", file.display()))?;
            let freezes =
                freeze::parse(&text).map_err(|error| format!("`{}`: {error}", file.display()))?;
            let now = Timestamp::now();
            Ok(freeze::standing(&freezes, now, now + margin).cloned())
        })
        .await?;
        Ok(vec![Line::flag(standing.is_some(), standing.map(|freeze| freeze.reason))])
    }
}
