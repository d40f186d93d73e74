//! The arguments, as Go's `flag` package takes them.

use std::collections::HashMap;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Switch,
    Number,
    Text,
}

use Kind::{Number, Switch, Text};

/// Every flag that is known, of those that gh-ost 1.1.10 has: others end it with 2.
const KNOWN: &[(&str, Kind)] = &[
    ("allow-on-master", Switch),
    ("allow-setup-metadata-lock-instruments", Switch),
    ("alter", Text),
    ("assume-rbr", Switch),
    ("checkpoint", Switch),
    ("checkpoint-seconds", Number),
    ("chunk-size", Number),
    ("conf", Text),
    ("critical-load", Text),
    ("critical-load-hibernate-seconds", Number),
    ("critical-load-interval-millis", Number),
    ("cut-over-lock-timeout-seconds", Number),
    ("database", Text),
    ("default-retries", Number),
    ("dml-batch-size", Number),
    ("exact-rowcount", Switch),
    ("execute", Switch),
    ("help", Switch),
    ("hooks-hint-token", Text),
    ("host", Text),
    ("initially-drop-ghost-table", Switch),
    ("initially-drop-socket-file", Switch),
    ("max-lag-millis", Number),
    ("max-load", Text),
    ("nice-ratio", Text),
    ("old-table", Text),
    ("panic-flag-file", Text),
    ("panic-on-warnings", Switch),
    ("port", Number),
    ("postpone-cut-over-flag-file", Text),
    ("replica-server-id", Number),
    ("resume", Switch),
    ("revert", Switch),
    ("serve-socket-file", Text),
    ("skip-metadata-lock-check", Switch),
    ("table", Text),
    ("throttle-control-replicas", Text),
    ("throttle-flag-file", Text),
    ("throttle-http", Text),
    ("verbose", Switch),
    ("version", Switch),
];

/// What was asked for.
pub struct Flags(HashMap<&'static str, String>);

impl Flags {
    /// Reads them, or says what is wrong as Go does.
    pub fn read(words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut given = HashMap::new();
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let bare = word.strip_prefix("--").or_else(|| word.strip_prefix('-'));
            let Some(bare) = bare.filter(|bare| !bare.is_empty()) else { break };
            let (name, value) = match bare.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (bare, None),
            };
            let Some((name, kind)) = KNOWN.iter().find(|(known, _)| *known == name) else {
                return Err(format!("flag provided but not defined: -{name}"));
            };
            let value = match (kind, value) {
                (Switch, None) => "true".to_owned(),
                (_, Some(value)) => value,
                (_, None) => {
                    words.next().ok_or_else(|| format!("flag needs an argument: -{name}"))?
                }
            };
            if *kind == Number && value.parse::<i64>().is_err() {
                return Err(format!("invalid value \"{value}\" for flag -{name}: parse error"));
            }
            given.insert(*name, value);
        }
        Ok(Self(given))
    }

    /// Whether a switch is on.
    pub fn is(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value == "true" || value == "1")
    }

    /// The text of a flag, empty where it was not given.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The number of a flag.
    pub fn number(&self, name: &str, otherwise: u64) -> u64 {
        self.0.get(name).and_then(|value| value.parse().ok()).unwrap_or(otherwise)
    }
}

/// Status variables with their limits: `Threads_running=25,Threads_connected=100`.
pub fn load(text: &str) -> Result<Vec<(String, u64)>, String> {
    let parts = text.split(',').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let wrong = || format!("error parsing load info: {text}");
            let (name, limit) = part.split_once('=').ok_or_else(wrong)?;
            let limit = limit.parse();
            Ok((name.to_owned(), limit.map_err(|_| wrong())?))
        })
        .collect()
}
