//! What the plugin told, folded: where the run is, and what it waits for.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::event::{HandoffProgress, HandoffState};

/// What is known of a run by its plugin's events.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Seen {
    /// The tool has loaded the plugin.
    pub(super) loaded: bool,
    /// What it is at, in the plugin's words.
    pub(super) phase: String,
    /// Why it waits; empty while it does not.
    pub(super) waits: Vec<String>,
    /// Where it waits: `chunk`, `load`, `gate`.
    place: String,
    /// What it says of a load or a lag.
    why: String,
    rows: Option<u64>,
    /// What earlier runs of these files had copied, which counts where this one takes them up.
    earlier: u64,
    resumed: bool,
    estimate: Option<u64>,
    chunk_size: Option<u64>,
    attempts: u32,
    /// The copy's name.
    pub(super) copy: Option<String>,
    /// The number by which the tool takes this run up again.
    pub(super) job: Option<String>,
    /// The server's numbers of its sessions.
    pub(super) sessions: Vec<String>,
    /// Settings by name: the value, and why it was not taken; nothing if it was.
    pub(super) tuned: BTreeMap<String, (String, String)>,
    /// The last error of a statement, which is then tried again.
    pub(super) failed: Option<String>,
    /// What it could not take away at the end.
    pub(super) left: Vec<String>,
}

/// The tables are swapped.
pub(super) const SWAPPED: &str = "swapped";

impl Seen {
    /// Folds an event; what is none is passed over.
    pub(super) fn fold(&mut self, line: &str) {
        let Ok(event) = serde_json::from_str::<Value>(line) else { return };
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        let texts = |name: &str| -> Vec<String> {
            let all = event[name].as_array().into_iter().flatten();
            all.map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned)).collect()
        };
        let numbers = [
            ("rows", &mut self.rows),
            ("estimate", &mut self.estimate),
            ("chunk_size", &mut self.chunk_size),
        ];
        for (name, number) in numbers {
            *number = event[name].as_u64().or(*number);
        }
        if let Some(attempt) = event["attempt"].as_u64() {
            self.attempts = u32::try_from(attempt).unwrap_or(u32::MAX);
        }
        match event["event"].as_str().unwrap_or_default() {
            // An earlier run of the same files.
            "prepared" => {
                let earlier = self.copied().unwrap_or_default();
                *self = Self { job: self.job.take(), earlier, ..Self::default() };
            }
            "loaded" => self.loaded = true,
            "sessions" => self.sessions = texts("ids"),
            "phase" => {
                self.phase = text("phase");
                self.waits.clear();
                self.attempts = 0;
            }
            "waiting" => {
                self.waits = texts("for");
                (self.place, self.why) = (text("where"), text("why"));
            }
            "going on" => self.waits.clear(),
            "table" => self.copy = Some(text("table")),
            "job" => {
                self.job = event["job"].as_u64().map(|job| job.to_string());
                self.resumed = event["resumed"] == "yes";
            }
            "tuned" | "not tuned" => {
                self.tuned.insert(text("name"), (text("value"), text("why")));
            }
            "failed" | "not connected" => self.failed = Some(text("why")),
            "attempt" => "swapping".clone_into(&mut self.phase),
            "swapped" => {
                SWAPPED.clone_into(&mut self.phase);
                self.waits.clear();
            }
            "left" => self.left.push(text("what")),
            _ => {}
        }
    }

    fn copied(&self) -> Option<u64> {
        let earlier = if self.resumed { self.earlier } else { 0 };
        self.rows.map(|rows| rows + earlier)
    }

    /// What it is at, for a sentence.
    pub(super) fn phase_words(&self) -> &str {
        if self.phase.is_empty() { "looking at the server" } else { &self.phase }
    }

    /// Whether it waits for this.
    pub(super) fn waits_for(&self, what: &str) -> bool {
        self.waits.iter().any(|one| one == what)
    }

    /// What it is at.
    pub(super) fn state(&self) -> HandoffState {
        if self.place == "gate" && self.waits_for("postponed") {
            return HandoffState::Postponed;
        }
        if self.waits_for("paused") {
            return HandoffState::Paused;
        }
        if !self.waits.is_empty() {
            return HandoffState::Throttled;
        }
        match self.phase.as_str() {
            "copying" => HandoffState::Copying,
            "copied" | "swapping" | SWAPPED | "done" => HandoffState::CuttingOver,
            _ => HandoffState::Starting,
        }
    }

    /// How far it is.
    pub(super) fn progress(&self) -> HandoffProgress {
        let words = self.waits.iter().map(|what| match what.as_str() {
            "postponed" => "somebody who lets it cut over".to_owned(),
            "paused" => "somebody who lets it go on".to_owned(),
            "unwatched" => "a supervisor: none has been seen for 3 s".to_owned(),
            "throttled" => self.why.clone(),
            other => other.to_owned(),
        });
        let waits_for: Vec<String> = words.collect();
        let size = self.chunk_size.map(|rows| format!(", in chunks of {rows} rows"));
        let step = match (self.phase.as_str(), &self.failed) {
            ("", _) => None,
            (phase, Some(why)) if 0 < self.attempts && phase != SWAPPED => {
                Some(format!("{phase}; tried again: {}", super::said::shortened(why)))
            }
            ("copying", _) => Some(format!("copying{}", size.unwrap_or_default())),
            (phase, _) => Some(phase.to_owned()),
        };
        HandoffProgress {
            copied: self.copied(),
            estimate: self.estimate,
            waits_for: (!waits_for.is_empty()).then(|| waits_for.join("; ")),
            step,
            attempts: self.attempts,
            ..HandoffProgress::at(self.state())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> Seen {
        let mut seen = Seen::default();
        for line in lines {
            seen.fold(line);
        }
        seen
    }

    /// As 3.7.1 with the plugin wrote them.
    const COPYING: &[&str] = &[
        r#"{"at":1796032990.633,"event":"loaded","pid":22073,"version":"3.7.1"}"#,
        r#"{"at":1796032990.634,"event":"sessions","ids":[10,11]}"#,
        r#"{"at":1796032990.726,"event":"phase","phase":"creating the copy","rows":0,"chunks":0}"#,
        r#"{"at":1796032990.746,"event":"table","table":"_t_new"}"#,
        r#"{"at":1796032990.855,"event":"phase","phase":"copying","rows":0,"chunks":0}"#,
        r#"{"at":1796032991.862,"event":"chunk","rows":174732,"chunks":6,"estimate":255916,"chunk_size":50762}"#,
    ];

    #[test]
    fn events_are_folded_into_what_it_is_at() {
        let mut seen = after(COPYING);
        let progress = seen.progress();
        assert_eq!((progress.copied, progress.estimate), (Some(174_732), Some(255_916)));
        assert_eq!(progress.state, HandoffState::Copying);
        assert_eq!(seen.sessions, ["10", "11"]);
        assert_eq!(seen.copy.as_deref(), Some("_t_new"));
        let cases = [
            (r#"{"event":"waiting","where":"chunk","for":["paused"]}"#, HandoffState::Paused),
            (
                r#"{"event":"waiting","where":"chunk","for":["paused","unwatched"]}"#,
                HandoffState::Paused,
            ),
            (r#"{"event":"waiting","where":"chunk","for":["unwatched"]}"#, HandoffState::Throttled),
            (r#"{"event":"going on","where":"chunk","for":[]}"#, HandoffState::Copying),
            (r#"{"event":"phase","phase":"copied"}"#, HandoffState::CuttingOver),
            (
                r#"{"event":"waiting","where":"gate","for":["postponed","paused"]}"#,
                HandoffState::Postponed,
            ),
            (r#"{"event":"going on","where":"gate","for":[]}"#, HandoffState::CuttingOver),
            (r#"{"event":"attempt","attempt":2}"#, HandoffState::CuttingOver),
            (r#"{"event":"swapped","table":"_t_old"}"#, HandoffState::CuttingOver),
            (r#"{"event":"prepared"}"#, HandoffState::Starting),
        ];
        for (line, state) in cases {
            seen.fold(line);
            assert_eq!(seen.state(), state, "{line}");
        }
        assert_eq!(seen.progress().copied, None);
        // A run that takes it up counts what was copied before; another begins anew.
        seen.fold(r#"{"event":"chunk","rows":7}"#);
        assert_eq!(seen.progress().copied, Some(7));
        seen.fold(r#"{"event":"job","job":2,"resumed":"yes"}"#);
        assert_eq!(seen.progress().copied, Some(174_739));
    }

    #[test]
    fn a_wait_says_for_what_and_garbage_says_nothing() {
        let mut seen = after(COPYING);
        let throttled = r#"{"event":"waiting","where":"load","for":["throttled"],"why":"Threads_running is 30, at or over 25"}"#;
        seen.fold(throttled);
        assert_eq!(
            seen.progress().waits_for.as_deref(),
            Some("Threads_running is 30, at or over 25")
        );
        let before = seen.clone();
        for garbage in ["", "null", "[1]", "{\"event\":7}", "{\"event\":\"waiti", "\u{fffd}"] {
            seen.fold(garbage);
        }
        assert_eq!(seen, before);
    }
}
