//! `--progress json`: every event as a line of JSON on stdout.

use std::io::Write as _;

use crate::event::{Listener, Record};

/// Writes events as lines of JSON. Fields are only ever added.
#[derive(Debug, Default)]
pub struct JsonLines;

impl Listener for JsonLines {
    fn on(&self, record: &Record) {
        if let Ok(line) = serde_json::to_string(record) {
            // A reader that went away must not kill a run.
            let _ = writeln!(std::io::stdout().lock(), "{line}");
        }
    }
}
