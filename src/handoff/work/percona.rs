//! pt-online-schema-change as a running process: held, and asked, by a plugin of ours.
//!
//! The tool has no socket, looks at its pause file once a minute, and cuts over by itself; its exit code
//! says little. So a plugin ([`PLUGIN`]) waits in it between two chunks and at the gate, and tells what it
//! does in a file of events. What is asked of it is a file beside.
//!
//! **Invariants.** While the supervisor's file is old nothing is copied and nothing is cut over. A wait
//! holds no transaction. The triggers go on writing to the copy through every wait, which is what keeps
//! the copy whole; so they are the first thing to go when the copy does.

mod names;
mod said;
mod seen;
mod tail;

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rustix::process::Signal;

use super::child::Exit;
use super::{Carried, Child, Ended, Ending, Launch, Look, Paths, ProcessTool, Refused, Work};
use crate::event::HandoffState;
use crate::handoff::Plan;
use crate::rewrite::tool::{Command, Tool, Version};
use crate::target::Mark;
use said::Said;
use seen::{SWAPPED, Seen};
use tail::Tail;

/// The tool, as the supervisor starts it.
pub static PERCONA: ProcessTool =
    ProcessTool { tool: Tool::Percona, vector, prepare, resumable, take };

/// What is loaded into the tool.
const PLUGIN: &str = include_str!("percona/plugin.pm");

/// The first version with `--history` and `--resume`.
const KEEPS_HISTORY: Version = (3, 6, 0);

/// How long an answer is waited for: four chunks of the length that the tool aims at.
const ANSWERS_WITHIN: Duration = Duration::from_millis(1200);
/// How often it is looked for.
const LOOKS_EVERY: Duration = Duration::from_millis(25);

/// What whoever pauses must know of a tool that follows the table by triggers.
const TRIGGERS_WRITE: &str = "its triggers go on writing to the copy, so each write of the application \
     still costs two";

const SETTINGS: &[(&str, &str)] = &[
    ("chunk_size", "1000"),
    ("chunk_time", "0.25"),
    ("critical_load", "Threads_running=200"),
    ("max_lag", "2"),
    ("max_load", "Threads_running=25"),
];

fn vector(plan: &Plan, paths: &Paths, launch: &Launch) -> Vec<String> {
    let Some(command) = &plan.command else { return Vec::new() };
    let mut vector: Vec<String> = command
        .vector()
        .into_iter()
        // The tool looks at its own pause file once a minute; the plugin looks at ours.
        .filter(|word| !word.starts_with("--pause-file="))
        .map(|word| {
            let is_progress = word.starts_with("--progress=");
            if is_progress { "--progress=time,1".to_owned() } else { word }
        })
        .collect();
    let mut more = vec![
        format!("--plugin={}", absolute(&paths.plugin())),
        format!("--pid={}", absolute(&paths.pid())),
    ];
    if resumable(plan).is_ok() {
        let history = names::history(&plan.table);
        more.push("--history".to_owned());
        more.push(format!("--history-table={}.{history}", plan.database));
        // A run that fails must leave what a later one takes up; the plugin clears up behind one that succeeds.
        more.push("--no-drop-new-table".to_owned());
        more.push("--no-drop-triggers".to_owned());
        let job = match launch.resume.as_deref() {
            Some("") => job_of(paths),
            other => other.map(str::to_owned),
        };
        more.extend(job.map(|job| format!("--resume={job}")));
    }
    // Options stand before the table.
    let end = vector.len().saturating_sub(1);
    vector.splice(end..end, more);
    vector
}

/// The path as the tool finds it: a relative one it would look for among Perl's modules.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// The number by which the last run of these files can be taken up; none where it kept none.
#[must_use]
pub fn job_of(paths: &Paths) -> Option<String> {
    let mut seen = Seen::default();
    for line in Tail::from(paths.events(), 0).lines() {
        seen.fold(&line);
    }
    seen.job
}

fn prepare(_: &Plan, paths: &Paths) -> io::Result<()> {
    write(&paths.plugin(), PLUGIN)?;
    write(&paths.postpone(), "")?;
    write(&paths.beat(), "")?;
    for old in [paths.pause(), paths.settings()] {
        remove(&old)?;
    }
    // What an earlier run of these files said is not of this one.
    let size = |path: PathBuf| fs::metadata(path).map_or(0, |about| about.len());
    let (out, err) = (size(paths.out()), size(paths.err()));
    let mut events = OpenOptions::new().create(true).append(true).open(paths.events())?;
    events.write_all(
        format!("\n{}\n", serde_json::json!({ "event": "prepared", "out": out, "err": err }))
            .as_bytes(),
    )
}

/// Writes a file that is ours: the tool runs one as its own code, so that whatever stood there goes first,
/// and a file of somebody else's is an error.
fn write(path: &Path, text: &str) -> io::Result<()> {
    remove(path)?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn resumable(plan: &Plan) -> Result<(), &'static str> {
    if !plan.server.starts_with("MySQL ") {
        return Err(
            "on MariaDB pt-online-schema-change refuses its own history table at the second use, so \
             that a run that ends begins anew",
        );
    }
    let installed = plan.installed.iter().find(|one| one.tool == Tool::Percona);
    let version = installed.and_then(|one| one.version.as_ref().ok());
    if version.is_none_or(|&version| version < KEEPS_HISTORY) {
        return Err(
            "pt-online-schema-change before 3.6 keeps no history of its chunks, so that a run \
             that ends begins anew",
        );
    }
    if !names::is_plain(&plan.database) || !names::is_plain(&plan.table) {
        return Err(
            "pt-online-schema-change takes no history table whose name has a point, a quote, a \
             backslash or a `%` in it, so that a run that ends begins anew",
        );
    }
    let asked = std::process::Command::new("perl")
        .args(["-MJSON", "-e", "1"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if !asked.is_ok_and(|status| status.success()) {
        return Err(
            "pt-online-schema-change keeps its history with Perl's module `JSON`, which is not \
             there (Debian: `libjson-perl`), so that a run that ends begins anew",
        );
    }
    Ok(())
}

fn take(plan: &Plan, paths: &Paths, child: Child) -> Box<dyn Work> {
    let mut events = Tail::from(paths.events(), 0);
    let (mut out, mut err) = (0, 0);
    let mut seen = Seen::default();
    for line in events.lines() {
        seen.fold(&line);
        if let Ok(event) = serde_json::from_str::<serde_json::Value>(&line)
            && event["event"] == "prepared"
        {
            out = event["out"].as_u64().unwrap_or_default();
            err = event["err"].as_u64().unwrap_or_default();
        }
    }
    Box::new(Percona {
        database: plan.database.clone(),
        table: plan.table.clone(),
        history: resumable(plan).is_ok().then(|| names::history(&plan.table)),
        gives_up: gives_up(plan),
        events,
        out: Tail::from(paths.out(), out),
        err: Tail::from(paths.err(), err),
        paths: paths.clone(),
        child,
        exit: None,
        seen,
        said: Said::default(),
    })
}

/// What the command has as `lock_wait_timeout`.
fn gives_up(plan: &Plan) -> String {
    let words = plan.command.iter().flat_map(Command::vector);
    let mut settings = words.filter(|word| word.starts_with("--set-vars="));
    let set = settings.next().map(|word| word.replacen("--set-vars=", "", 1));
    let set = set.unwrap_or_default();
    let value = set.split(',').find_map(|one| one.strip_prefix("lock_wait_timeout="));
    value.unwrap_or("some").to_owned()
}

struct Percona {
    database: String,
    table: String,
    /// The table in which it notes how far it is.
    history: Option<String>,
    /// The seconds after which an attempt to swap the tables gives up, as the command says.
    gives_up: String,
    paths: Paths,
    child: Child,
    exit: Option<Exit>,
    events: Tail,
    out: Tail,
    err: Tail,
    seen: Seen,
    said: Said,
}

impl Percona {
    /// Reads what was told since.
    fn read(&mut self) {
        // Before the files: what was told up to its end is then all there.
        self.exit = self.exit.or_else(|| self.child.exit());
        for line in self.events.lines() {
            self.seen.fold(&line);
        }
        let mut lines = self.out.lines();
        lines.extend(self.err.lines());
        if self.exit.is_some() {
            lines.extend(self.out.rest());
            lines.extend(self.err.rest());
        }
        for line in lines {
            self.said.fold(&line);
        }
    }

    /// Reads until this holds, or the tool has ended, or nobody answers.
    async fn until(&mut self, holds: impl Fn(&Seen) -> bool + Send) -> bool {
        let asked = Instant::now();
        loop {
            self.read();
            if holds(&self.seen) {
                return true;
            }
            if self.exit.is_some() || ANSWERS_WITHIN <= asked.elapsed() {
                return false;
            }
            tokio::time::sleep(LOOKS_EVERY).await;
        }
    }

    /// Refuses where the tables are swapped already, or the tool is gone.
    fn still_copies(&self) -> Result<(), Refused> {
        if self.exit.is_some() {
            return Err(Refused::NotNow("pt-online-schema-change has ended".to_owned()));
        }
        if self.seen.phase == SWAPPED || self.seen.phase == "done" {
            let why = "the tables are swapped already; it only takes its triggers away";
            return Err(Refused::NotNow(why.to_owned()));
        }
        Ok(())
    }

    /// What did not answer, and when it will.
    fn silent(&self, asked: &str) -> Refused {
        let within = ANSWERS_WITHIN.as_secs_f64();
        let why = if self.exit.is_some() {
            "pt-online-schema-change has ended meanwhile".to_owned()
        } else if self.seen.state() == HandoffState::Starting {
            format!(
                "it is still {}, and looks for it before its first chunk",
                self.seen.phase_words()
            )
        } else {
            format!(
                "no answer within {within} s: it looks for it between two statements, and one is under \
                 way; it takes effect when that ends, or is cancelled on the server"
            )
        };
        Refused::NoAnswer(format!("{asked}; {why}"))
    }

    fn why_ended(&self, exit: Exit) -> Ended {
        let well = self.said.altered == Some(true);
        let mut hint = exit.to_string();
        match self.said.altered {
            Some(true) => hint.push_str("; it says that the table was altered"),
            Some(false) => hint.push_str("; it says that the table was not altered"),
            None => hint.push_str("; it does not say whether the table was altered"),
        }
        let mut words = self.said.words.clone();
        if words.is_empty() && !well {
            words.extend(self.seen.failed.as_deref().map(said::shortened));
        }
        for word in words {
            hint.push_str("; ");
            hint.push_str(&word);
        }
        for left in &self.seen.left {
            hint.push_str("; it could not take away: ");
            hint.push_str(left);
        }
        Ended { hint, well }
    }
}

fn failed(what: &str, path: &Path, error: &io::Error) -> Refused {
    Refused::NoAnswer(format!("cannot {what} `{}`, by which it is asked: {error}", path.display()))
}

#[async_trait]
impl Work for Percona {
    async fn look(&mut self) -> Look {
        self.read();
        let mut progress = self.seen.progress();
        progress.estimate = progress.estimate.or(self.said.estimate);
        if progress.state == HandoffState::Copying {
            progress.eta_seconds = self.said.eta;
        }
        let ended = self.exit.map(|exit| self.why_ended(exit));
        if let Some(ended) = &ended {
            let state = if ended.well { HandoffState::Done } else { HandoffState::Failed };
            (progress.state, progress.waits_for) = (state, None);
        }
        Look { progress, ended }
    }

    async fn pause(&mut self) -> Carried {
        self.read();
        self.still_copies()?;
        let path = self.paths.pause();
        write(&path, "").map_err(|error| failed("write", &path, &error))?;
        if self.until(|seen| seen.waits_for("paused")).await {
            return Ok(format!("paused; {TRIGGERS_WRITE}"));
        }
        Err(self.silent("the pause is asked for"))
    }

    async fn resume(&mut self) -> Carried {
        self.read();
        let path = self.paths.pause();
        remove(&path).map_err(|error| failed("remove", &path, &error))?;
        if !self.until(|seen| !seen.waits_for("paused")).await {
            return Err(self.silent("the pause is taken back"));
        }
        Ok(match self.seen.progress().waits_for {
            Some(what) => format!("no longer paused; it still waits for {what}"),
            None => "it goes on".to_owned(),
        })
    }

    async fn tune(&mut self, name: &str, value: &str) -> Carried {
        self.read();
        self.still_copies()?;
        let value = valid(name, value)?;
        let path = self.paths.settings();
        let asked = (value.clone(), String::new());
        if self.seen.tuned.get(name) == Some(&asked) {
            return Ok(format!("`{name}` is {value} already"));
        }
        self.seen.tuned.remove(name);
        set(&path, name, &value).map_err(|error| failed("write", &path, &error))?;
        let answered = self.until(|seen| seen.tuned.contains_key(name)).await;
        match self.seen.tuned.get(name).filter(|_| answered) {
            Some((_, why)) if why.is_empty() => {
                Ok(format!("`{name}` is {value} from the next chunk on"))
            }
            Some((_, why)) => Err(Refused::NotNow(format!("`{name}` stays as it was: {why}"))),
            None => Err(self.silent(&format!("`{name}` is written as {value}"))),
        }
    }

    fn settings(&self) -> &'static [(&'static str, &'static str)] {
        SETTINGS
    }

    async fn open_gate(&mut self) -> Carried {
        self.read();
        self.still_copies()?;
        if self.seen.state() != HandoffState::Postponed {
            let state = self.seen.state().name();
            let why = format!(
                "it does not wait at the gate: it is {state}; without its file it would cut over as soon \
                 as all is copied, unseen"
            );
            return Err(Refused::NotNow(why));
        }
        let path = self.paths.postpone();
        remove(&path).map_err(|error| failed("remove", &path, &error))?;
        if !self.until(|seen| !seen.waits_for("postponed")).await {
            return Err(self.silent("the gate is opened"));
        }
        Ok(match self.seen.progress().waits_for {
            Some(what) => format!("the gate is open; it still waits for {what}"),
            None => "the gate is open: it swaps the tables".to_owned(),
        })
    }

    async fn close_gate(&mut self) -> Carried {
        self.read();
        self.still_copies()?;
        let path = self.paths.postpone();
        if self.seen.waits_for("postponed") {
            return Ok("it waits at the gate".to_owned());
        }
        write(&path, "").map_err(|error| failed("write", &path, &error))?;
        if self.seen.state() != HandoffState::CuttingOver {
            return Ok("the gate is closed; it will wait there once all is copied".to_owned());
        }
        if self.until(|seen| seen.waits_for("postponed") || seen.phase == SWAPPED).await {
            self.still_copies()?;
            return Ok("it waits at the gate again".to_owned());
        }
        Ok(format!(
            "the gate is closed; the attempt under way gives up within {} s, if it does not succeed",
            self.gives_up
        ))
    }

    async fn ask_to_end(&mut self, _: Ending) -> Carried {
        // It has one way to end, and leaves the same behind: triggers and copy.
        self.child.signal(Signal::TERM).map_err(|error| {
            Refused::NoAnswer(format!("SIGTERM could not be sent to it: {error}"))
        })?;
        self.until(|_| false).await;
        let left = "its triggers and its copy are left: first the triggers go, then the copy";
        if self.exit.is_some() {
            return Ok(format!("it ended by SIGTERM; {left}"));
        }
        Ok(format!(
            "SIGTERM is sent, and it ends after the statement under way, or at once when that is \
             cancelled on the server; {left}"
        ))
    }

    async fn force(&mut self) -> Carried {
        self.child.signal(Signal::KILL).map_err(|error| {
            Refused::NoAnswer(format!("SIGKILL could not be sent to it: {error}"))
        })?;
        self.until(|_| false).await;
        Ok("it was ended by SIGKILL; a statement that it ran goes on on the server, with its locks, until \
            its session is ended there; its triggers and its copy are left"
            .to_owned())
    }

    fn copy(&self) -> Option<String> {
        Some(self.seen.copy.clone().unwrap_or_else(|| names::copy(&self.table)))
    }

    fn mark(&self) -> Mark {
        let pid = self.child.id().pid;
        Mark {
            comments: vec![
                // Closed by a blank, or by the comment's end: 12 is not 123.
                format!("pt-online-schema-change {pid} "),
                format!("pt-online-schema-change {pid}*/"),
            ],
            pid: Some(pid),
            addresses: self.child.addresses(),
            own: Vec::new(),
            lock: None,
            triggers: names::triggers(&self.database, &self.table),
            tables: [self.copy(), self.history.clone()].into_iter().flatten().collect(),
        }
    }
}

/// The value as the plugin takes it.
fn valid(name: &str, value: &str) -> Result<String, Refused> {
    let wrong = |what: &str| {
        Err(Refused::NotNow(format!("`{value}` is no value for `{name}`: it takes {what}")))
    };
    let number = |text: &str| {
        let fits = !text.is_empty() && text.len() <= 9;
        (fits && text.chars().all(|c| c.is_ascii_digit()))
            .then(|| text.parse::<u32>().ok())
            .flatten()
    };
    match name {
        "chunk_size" => match number(value) {
            Some(1..=1_000_000) => Ok(value.to_owned()),
            _ => wrong("rows, from 1 to 1000000"),
        },
        "chunk_time" | "max_lag" => match value.parse::<f64>() {
            Ok(seconds) if (0.01..=3600.0).contains(&seconds) => Ok(seconds.to_string()),
            _ => wrong("seconds, from 0.01 to 3600"),
        },
        "max_load" | "critical_load" => match value.split_once('=') {
            Some((variable, limit))
                if !variable.is_empty()
                    && variable.chars().all(|c| c.is_ascii_alphabetic() || c == '_')
                    && number(limit).is_some_and(|limit| 0 < limit) =>
            {
                Ok(value.to_owned())
            }
            _ => wrong("a status variable and its limit, as `Threads_running=25`"),
        },
        _ => {
            let known: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
            Err(Refused::NotNow(format!(
                "pt-online-schema-change has no setting `{name}` that can be changed while it runs; it \
                 has {}",
                known.join(", ")
            )))
        }
    }
}

/// Adds a setting to the file of settings, which is there whole or not at all.
fn set(path: &Path, name: &str, value: &str) -> io::Result<()> {
    let before = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    let key = format!("{name}=");
    let others = before.lines().filter(|line| !line.starts_with(&key));
    let mut text: String = others.flat_map(|line| [line, "\n"]).collect();
    text.push_str(&format!("{key}{value}\n"));
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    write(Path::new(&new), &text)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_before_they_are_written() {
        let taken = [
            ("chunk_size", "500", "500"),
            ("chunk_time", "0.10", "0.1"),
            ("max_lag", "30", "30"),
            ("max_load", "Threads_running=40", "Threads_running=40"),
        ];
        for (name, value, written) in taken {
            assert_eq!(valid(name, value).unwrap(), written);
        }
        let refused = [
            ("chunk_size", "0"),
            ("chunk_size", "1\nmax_lag=9"),
            ("chunk_time", "nan"),
            ("max_lag", "-1"),
            ("max_load", "Threads_running"),
            ("max_load", "Threads running=3"),
            ("critical_load", "Threads_running=0"),
            ("nice_ratio", "1"),
        ];
        for (name, value) in refused {
            assert!(valid(name, value).is_err(), "{name}={value}");
        }
    }

    #[test]
    fn a_setting_replaces_its_own_line_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.settings");
        set(&path, "max_lag", "2").unwrap();
        set(&path, "max_load", "Threads_running=3").unwrap();
        set(&path, "max_lag", "5").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "max_load=Threads_running=3\nmax_lag=5\n");
    }

    #[test]
    fn a_file_of_somebody_elses_choice_is_not_written_through() {
        let folder = tempfile::tempdir().unwrap();
        let (other, path) = (folder.path().join("other"), folder.path().join("plugin.pm"));
        fs::write(&other, "theirs").unwrap();
        std::os::unix::fs::symlink(&other, &path).unwrap();
        write(&path, "ours").unwrap();
        assert_eq!(fs::read_to_string(&other).unwrap(), "theirs");
        assert_eq!(fs::read_to_string(&path).unwrap(), "ours");
    }
}
