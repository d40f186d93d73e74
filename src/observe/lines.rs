//! Plain progress for logs and pipes: a line for every change of state, and one every few seconds.

use std::io::Write as _;
use std::time::Duration;

use jiff::Timestamp;

use super::Watched;
use super::ticker::Ticker;
use crate::event::{Event, Listener, Record};
use crate::report::{duration, status_line};

/// Prints lines until it is dropped.
pub struct Lines {
    _ticker: Ticker,
}

impl Lines {
    /// Prints a line about `watched` every `interval`, also when nothing happens: silence would
    /// look like a hang.
    #[must_use]
    pub fn new(watched: Watched, interval: Duration) -> Self {
        let ticker = Ticker::every(interval, move || {
            let now = Timestamp::now();
            let line = status_line(&watched.view(), now);
            say(now, &line);
        });
        Self { _ticker: ticker }
    }
}

impl Listener for Lines {
    fn on(&self, record: &Record) {
        if let Some(line) = line(&record.event) {
            say(record.at, &line);
        }
    }
}

/// The line for an event that people want to know of at once.
pub(super) fn line(event: &Event) -> Option<String> {
    Some(match event {
        Event::StateChanged { from, to, reason, .. } if from == to => {
            format!("{to}: {}", reason.as_ref()?)
        }
        Event::StateChanged { from, to, reason, .. } => match reason {
            Some(reason) => format!("{from} -> {to}: {reason}"),
            None => format!("{from} -> {to}"),
        },
        // Who sent a signal sits at this terminal, and was answered there.
        Event::Asked { source, .. } if source == "signal" => return None,
        Event::Asked { action, by, reason, .. } => match reason {
            Some(reason) => format!("{action} asked by {by}: {reason}"),
            None => format!("{action} asked by {by}"),
        },
        Event::BatchRetried { range, reason, message, attempt, .. } => {
            format!(
                "range {range}: {} at attempt {attempt}, trying again: {message}",
                reason.name()
            )
        }
        Event::MaintenanceBegun { what } => {
            format!("every row is written; {what} of the table begins")
        }
        Event::Maintained { what, seconds } => {
            format!("{what} of the table is done, in {}", duration(*seconds))
        }
        Event::RowQuarantined { range, key, code, message, .. } => {
            let code = code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            format!("range {range}: row {key} is in quarantine: {message}{code}")
        }
        Event::CancelSent { how, seconds } => {
            format!("{how} sent to the server {:.0} ms after the request", seconds * 1000.0)
        }
        Event::Tuned { setting, old, new, by, reason } => {
            let why = reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            format!("{setting} changed from {old} to {new} by {by}{why}")
        }
        Event::TuneRefused { message, by, .. } => {
            format!("a setting that {by} asked for is left as it is: {message}")
        }
        Event::WatchBegan { until } => {
            format!("watching until {}", until.strftime("%Y-%m-%dT%H:%M:%SZ"))
        }
        Event::WatchBroken { key } => format!("found wrong while watching: {key}"),
        Event::WatchMended { seconds } => {
            format!("every row is right again, after {seconds:.0} s")
        }
        Event::Released { scope, by, reason } => match reason {
            Some(reason) => format!("the kill of `{scope}` was lifted by {by}: {reason}"),
            None => format!("the kill of `{scope}` was lifted by {by}"),
        },
        _ => return None,
    })
}

fn say(at: Timestamp, line: &str) {
    // A closed stderr must not kill a run.
    let _ = writeln!(std::io::stderr().lock(), "{} {line}", at.strftime("%H:%M:%SZ"));
}
