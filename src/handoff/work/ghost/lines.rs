//! What gh-ost says: its status, and why it ended.
//!
//! The forms are those of 1.0 to 1.1.10: the status printed once a second and answered to `sup`, where `Lag`
//! and `HeartbeatLag` are not always there. What is of no such form is no status: it is reported as it came.

use crate::event::{HandoffProgress, HandoffState};

/// The first line of a run in its files of output, to which the runs of one handoff are appended.
pub(super) const BEGINNING: &str = "# backstop starts gh-ost here";

/// The last word of a run that says that all went well.
const DONE: &str = "# Done";

/// A line of the log that is shown to a person is cut to so many letters.
const SHOWN: usize = 400;

/// A status.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Status {
    pub(super) copied: u64,
    /// 0 where gh-ost has none: then it says 100 % and `due` all along.
    pub(super) estimate: u64,
    pub(super) backlog: u64,
    /// The larger of its two lags, in seconds.
    pub(super) lag: Option<f64>,
    pub(super) state: State,
    /// Seconds that are left.
    pub(super) eta: Option<f64>,
}

/// What gh-ost says that it is at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    Migrating,
    CountingRows,
    Postponing,
    /// Somebody asked it to wait.
    Commanded,
    /// It waits for this.
    Throttled(String),
    /// Something that it does not say in the versions that were read.
    Other(String),
}

impl State {
    fn of(text: &str) -> Self {
        match (text, text.strip_prefix("throttled, ")) {
            ("migrating", _) => Self::Migrating,
            ("counting rows", _) => Self::CountingRows,
            ("postponing cut-over", _) => Self::Postponing,
            (_, Some("commanded by user")) => Self::Commanded,
            (_, Some(reason)) => Self::Throttled(reason.to_owned()),
            (other, None) => Self::Other(other.to_owned()),
        }
    }
}

impl Status {
    /// Whether every row is copied: the estimate is then set to what was copied.
    pub(super) const fn is_copied(&self) -> bool {
        self.copied == self.estimate && 0 < self.estimate
    }

    /// The same in our words. That a migrating gh-ost cuts over is not told by the status.
    pub(super) fn progress(&self) -> HandoffProgress {
        let (state, waits_for, step) = match &self.state {
            State::Migrating => (HandoffState::Copying, None, None),
            State::CountingRows => (HandoffState::Copying, None, Some("counting rows".to_owned())),
            State::Postponing => (HandoffState::Postponed, None, None),
            State::Commanded => (HandoffState::Paused, None, None),
            State::Throttled(reason) => (HandoffState::Throttled, Some(reason.clone()), None),
            // Nobody knows what it does: that it copies would be a guess.
            State::Other(text) => {
                let why = format!("gh-ost is in a state that is not known here: `{}`", shown(text));
                (HandoffState::Throttled, Some(why), None)
            }
        };
        HandoffProgress {
            copied: Some(self.copied),
            estimate: Some(self.estimate),
            backlog: Some(self.backlog),
            lag_seconds: self.lag,
            waits_for,
            step,
            eta_seconds: self.eta.filter(|_| 0 < self.estimate),
            ..HandoffProgress::at(state)
        }
    }
}

/// The status in a line; none if it is of another form.
pub(super) fn status(line: &str) -> Option<Status> {
    let rest = line.trim_end().strip_prefix("Copy: ")?;
    let (copied, rest) = rest.split_once('/')?;
    let (estimate, rest) = rest.split_once(' ')?;
    let (percent, rest) = rest.split_once("%; Applied: ")?;
    let (applied, rest) = rest.split_once("; Backlog: ")?;
    let (backlog, rest) = rest.split_once('/')?;
    let (room, rest) = rest.split_once("; Time: ")?;
    let (times, rest) = rest.split_once("; streamer: ")?;
    let (rest, eta) = rest.rsplit_once("; ETA: ")?;
    let (streamer, state) = rest.split_once(" State: ")?;
    let (total, copy) = times.split_once("(total), ")?;
    duration(total)?;
    duration(copy.strip_suffix("(copy)")?)?;
    percent.parse::<f64>().ok()?;
    let _: (u64, u64) = (applied.parse().ok()?, room.parse().ok()?);
    let lag = [" Lag: ", " HeartbeatLag: "].into_iter().filter_map(|name| {
        let (_, lag) = streamer.split_once(name)?;
        lag.split_once("s,")?.0.parse::<f64>().ok()
    });
    Some(Status {
        copied: copied.parse().ok()?,
        estimate: estimate.parse().ok()?,
        backlog: backlog.parse().ok()?,
        lag: lag.reduce(f64::max).filter(|lag| lag.is_finite()),
        state: State::of(state),
        // With --verbose the log's copy of the line ends so.
        eta: match eta.trim_end_matches(" []") {
            "due" => Some(0.0),
            other => duration(other),
        },
    })
}

/// The last status in a text.
pub(super) fn last_status(text: &str) -> Option<Status> {
    text.lines().rev().find_map(status)
}

/// Seconds of a duration as Go writes it: `1h2m3s`, `1.5s`, `300ms`.
fn duration(text: &str) -> Option<f64> {
    let (mut seconds, mut rest) = (0.0, text);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let number: f64 = number.parse().ok()?;
        seconds += number
            * match unit {
                "h" => 3600.0,
                "m" => 60.0,
                "s" => 1.0,
                "ms" => 1e-3,
                "us" | "µs" => 1e-6,
                "ns" => 1e-9,
                _ => return None,
            };
        rest = after;
    }
    (!text.is_empty()).then_some(seconds)
}

/// Whether a text is one of those by which gh-ost refuses a command: it has no code for that.
pub(super) fn is_refusal(text: &str) -> bool {
    const BEGINNINGS: [&str; 7] = [
        "unknown command",
        "user commanded",
        "you may only invoke this",
        "strconv.",
        "error ",
        "invalid ",
        "replication-lag-query is deprecated",
    ];
    let text = text.trim_start().to_lowercase();
    BEGINNINGS.iter().any(|beginning| text.starts_with(beginning))
}

/// What this run has said, of the end of a file to which earlier ones wrote as well.
pub(super) fn of_this_run(text: &str) -> &str {
    text.rfind(BEGINNING).map_or(text, |at| &text[at + BEGINNING.len()..])
}

/// Whether its output says that all went well.
pub(super) fn is_done(out: &str) -> bool {
    out.lines().any(|line| line.trim_end() == DONE)
}

/// Why it ended, by its log: what was fatal, else the last error, else the last words.
pub(super) fn why(log: &str) -> Option<String> {
    let marked = |mark: &str| {
        let line = log.lines().rev().find(|line| line.contains(mark))?;
        line.split_once(mark).map(|(_, text)| text)
    };
    let last = || log.lines().rev().map(str::trim).find(|line| !line.is_empty());
    let found = marked(" FATAL ").or_else(|| marked(" ERROR ")).or_else(last)?;
    Some(shown(found))
}

/// A text as it can be shown on one line.
pub(super) fn shown(text: &str) -> String {
    let text = text.trim();
    let mut shown: String =
        text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines in the forms of the real gh-ost, each with what is read from it.
    const GOLDEN: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/handoff/gh-ost-lines.txt"));

    fn told(status: &Status) -> String {
        let progress = status.progress();
        let number = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
        format!(
            "{} {}/{} backlog {} lag {} eta {}{}",
            progress.state.name(),
            status.copied,
            status.estimate,
            status.backlog,
            number(progress.lag_seconds),
            number(progress.eta_seconds),
            progress.waits_for.or(progress.step).map(|why| format!(": {why}")).unwrap_or_default()
        )
    }

    #[test]
    fn every_line_of_the_real_one_is_read() {
        let mut lines = GOLDEN.lines().filter(|line| !line.starts_with('#')).peekable();
        let mut read = 0;
        while let Some(line) = lines.next() {
            let status = status(line).unwrap_or_else(|| panic!("not read: {line}"));
            assert_eq!(Some(format!("  = {}", told(&status)).as_str()), lines.next(), "{line}");
            read += 1;
        }
        assert!(15 <= read, "{read} lines");
    }

    #[test]
    fn garbage_is_no_status() {
        let line = GOLDEN.lines().find(|line| line.starts_with("Copy: ")).unwrap();
        for (at, _) in line.char_indices().skip(1) {
            // A line that is cut in its last word cannot be told from a whole one.
            if at <= line.rfind("; ETA: ").unwrap() {
                assert_eq!(status(&line[..at]), None, "{}", &line[..at]);
            }
        }
        for text in [
            "",
            "Copy: ",
            "Copying `shop`.`orders`:  22% 00:03 remain",
            "# Migrating `shop`.`orders`; Ghost table is `shop`.`_orders_gho`",
            "unknown command: sup",
            "\u{0}\u{1}\u{2}",
            &line.replace("Copy: ", "Copy: -"),
            &line.replace("Backlog: ", "Backlog: x"),
            &line.replace("%;", "%%;"),
        ] {
            assert_eq!(status(text), None, "{text}");
        }
    }

    #[test]
    fn an_estimate_of_none_promises_nothing() {
        let line = "Copy: 78000/0 100.0%; Applied: 0; Backlog: 0/1000; Time: 5s(total), 5s(copy); streamer: \
                    b.000002:4; Lag: 0.01s, HeartbeatLag: 0.01s, State: migrating; ETA: due";
        let status = status(line).unwrap();
        let progress = status.progress();
        assert!(!progress.estimate_is_valid() && !status.is_copied());
        assert_eq!((progress.ratio(), progress.eta_seconds), (None, None));
    }

    #[test]
    fn refusals_are_told_from_what_nobody_understands() {
        for text in [
            "unknown command: x\n",
            "strconv.Atoi: parsing \"x\": invalid syntax\n",
            "user commanded 'panic' on a, but migrated table is b; ignoring request\n",
            "You may only invoke this when gh-ost is actively postponing migration. At this time it is not.\n",
        ] {
            assert!(is_refusal(text), "{text}");
        }
        for text in ["", "220 smtp ready", "Copy: 1/2"] {
            assert!(!is_refusal(text), "{text}");
        }
    }

    #[test]
    fn durations_are_read_as_go_writes_them() {
        for (text, seconds) in [
            ("1h2m3s", Some(3723.0)),
            ("2m0s", Some(120.0)),
            ("1.5s", Some(1.5)),
            ("300ms", Some(0.3)),
            ("0s", Some(0.0)),
            ("N/A", None),
            ("5", None),
            ("s", None),
            ("1y", None),
            ("", None),
        ] {
            assert_eq!(duration(text), seconds, "{text}");
        }
    }

    #[test]
    fn the_reason_of_an_end_is_found_in_the_log() {
        let log = "2026-11-22 07:15:41 ERROR Error 1205: Lock wait timeout exceeded\n\
                   2026-11-22 07:15:42 FATAL critical-load met: Threads_running=2, >=1\n\
                   2026/11/22 07:15:43 INFO closing the binlog streamer\n";
        assert_eq!(why(log).unwrap(), "critical-load met: Threads_running=2, >=1");
        assert_eq!(why("panic: runtime error\n\n").unwrap(), "panic: runtime error");
        assert_eq!(why("\n"), None);
        assert_eq!(why(&"x".repeat(9000)).unwrap().chars().count(), SHOWN + 1);
        let twice = format!("{BEGINNING}\n# Done\n{BEGINNING}\nCopy: \n");
        assert!(is_done(&twice) && !is_done(of_this_run(&twice)));
    }
}
