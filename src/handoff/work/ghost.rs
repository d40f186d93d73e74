//! gh-ost under way: driven by its socket, judged by nobody here.
//!
//! Everything is asked of the socket, because gh-ost prints its status only every 30 s on a long run. What
//! does not answer is reported with the last status of its output; it is never waited for.
//!
//! **One opening of the gate is one attempt.** The flag file stays while `unpostpone` lets gh-ost through, so
//! that an attempt that fails finds the file again and postpones: gh-ost alone would try 60 times, and keep all
//! writers waiting for 6 s each time while somebody reads in a long transaction. The file that is deleted in
//! place of that has no such end when the supervisor dies.

mod lines;
mod settings;
mod socket;

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rustix::process::Signal;

use super::child::Exit;
use super::{Carried, Child, Ended, Ending, Launch, Look, Paths, ProcessTool, Refused, Work};
use crate::event::{HandoffProgress, HandoffState};
use crate::handoff::Plan;
use crate::rewrite::tool::ghost::own_table;
use crate::rewrite::tool::{Command, Tool};
use crate::target::Mark;
use lines::{State, Status, shown};
use socket::Silence;

/// gh-ost.
pub static TOOL: ProcessTool = ProcessTool { tool: Tool::GhOst, vector, prepare, resumable, take };

/// gh-ost asks once a second whether it is still postponed.
const NOTICES: Duration = Duration::from_secs(3);

/// So much of the end of its output is read: a status has 300 bytes, and is printed once a second.
const TAIL: u64 = 64 * 1024;

/// A named lock with a longer name is refused by MySQL.
const LONGEST_LOCK: usize = 64;

fn vector(plan: &Plan, paths: &Paths, launch: &Launch) -> Vec<String> {
    let mut vector = plan.command.as_ref().map(Command::vector).unwrap_or_default();
    // Asked ten times a second: it throttles when nobody answers.
    vector.push(format!("--throttle-http={}", launch.watch_url));
    // With another gh-ost behind it, it must stay: that one could not be stopped any more.
    if socket::is_stale(&paths.socket()) {
        vector.push("--initially-drop-socket-file".to_owned());
    }
    // Without `--execute`, `--resume` drops the copy that it was to go on with (gh-ost#1769).
    if launch.resume.is_some() && vector.iter().any(|word| word == "--execute") {
        vector.push("--resume".to_owned());
    }
    vector
}

fn prepare(_: &Plan, paths: &Paths) -> std::io::Result<()> {
    // One that is there ends every run a second after it has made its tables.
    remove(&paths.panic())?;
    if socket::is_stale(&paths.socket()) {
        remove(&paths.socket())?;
    } else if paths.socket().exists() {
        let why = format!(
            "a process answers at `{}`: it is another gh-ost of this name",
            paths.socket().display()
        );
        return Err(std::io::Error::new(ErrorKind::AddrInUse, why));
    }
    let appended = |path| OpenOptions::new().create(true).append(true).open(path);
    appended(paths.postpone())?;
    for path in [paths.out(), paths.err()] {
        writeln!(appended(path)?, "{}", lines::BEGINNING)?;
    }
    Ok(())
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn resumable(plan: &Plan) -> Result<(), &'static str> {
    if plan.reverts.is_some() {
        return Err("a way back begins anew from the cut-over that it goes back to");
    }
    let vector = plan.command.as_ref().map(Command::vector).unwrap_or_default();
    if vector.iter().any(|word| word == "--checkpoint") {
        Ok(())
    } else {
        Err("it keeps no checkpoints (`--checkpoint`): a run that ended begins anew")
    }
}

fn take(plan: &Plan, paths: &Paths, child: Child) -> Box<dyn Work> {
    Box::new(Ghost {
        database: plan.database.clone(),
        table: plan.table.clone(),
        puts_back: plan.reverts.as_ref().map(|reverts| reverts.old.clone()),
        addresses: child.addresses(),
        paths: paths.clone(),
        child,
        last: HandoffProgress::at(HandoffState::Starting),
        paused: false,
        gate: Gate::Closed,
        attempts: 0,
        asked_to_end: false,
    })
}

/// What we know of the cut-over, which the status does not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gate {
    Closed,
    /// It was opened then, and gh-ost has not been seen to notice.
    Opened(Instant),
    /// An attempt is under way.
    Tried,
}

struct Ghost {
    database: String,
    table: String,
    /// The old table, where no copy is made.
    puts_back: Option<String>,
    paths: Paths,
    child: Child,
    /// Of its connections, when they were last seen: the server may know them for longer.
    addresses: Vec<String>,
    last: HandoffProgress,
    /// By us; while it is postponed, the status does not tell.
    paused: bool,
    gate: Gate,
    attempts: u32,
    asked_to_end: bool,
}

impl Ghost {
    /// Sends a command that is answered with a status when it was carried out, else with why not.
    async fn command(&self, command: &str) -> Result<String, Refused> {
        let answer = self.ask(command).await?;
        match lines::last_status(&answer) {
            Some(_) => Ok(answer),
            None if answer.trim().is_empty() => Err(Refused::NoAnswer(format!(
                "gh-ost closed the connection without a word after `{command}`; whether it was carried out \
                 is not known"
            ))),
            None if lines::is_refusal(&answer) => Err(Refused::NotNow(format!(
                "gh-ost does not carry out `{command}`: {}",
                shown(&answer)
            ))),
            None => Err(Refused::NoAnswer(format!(
                "gh-ost was sent `{command}`, and says what is not known here: {}",
                shown(&answer)
            ))),
        }
    }

    async fn ask(&self, command: &str) -> Result<String, Refused> {
        socket::ask(&self.paths.socket(), command).await.map_err(|silence| match silence {
            Silence::None => Refused::NotNow(
                "gh-ost can be talked to only while it copies and waits: it looks at the server and makes its \
                 tables before, or has ended"
                    .to_owned(),
            ),
            other => Refused::NoAnswer(format!("gh-ost was sent `{command}`, and {other}")),
        })
    }

    /// What a status says, with what we know of the gate.
    fn seen(&mut self, status: &Status) -> HandoffProgress {
        let mut progress = status.progress();
        self.gate = match (self.gate, &status.state) {
            (Gate::Opened(_), State::Migrating) => Gate::Tried,
            // It found the flag file again.
            (Gate::Tried, State::Postponing) => {
                self.attempts += 1;
                Gate::Closed
            }
            (Gate::Opened(at), State::Postponing) if NOTICES < at.elapsed() => {
                self.attempts += 1;
                Gate::Closed
            }
            (gate, _) => gate,
        };
        let tries = self.gate != Gate::Closed || !self.paths.postpone().exists();
        let at_the_end = match status.state {
            State::Migrating => status.is_copied() || self.gate == Gate::Tried,
            State::Postponing => self.gate != Gate::Closed,
            _ => false,
        };
        if tries && at_the_end {
            progress.state = HandoffState::CuttingOver;
        }
        if self.puts_back.is_some() {
            // It copies nothing, and tells the numbers of the run that it takes back.
            (progress.copied, progress.estimate, progress.eta_seconds) = (None, None, None);
            if progress.state == HandoffState::Copying {
                progress.step = Some("bringing the old table up to date".to_owned());
            }
        }
        if self.paused && progress.state == HandoffState::Postponed {
            progress.waits_for = Some("it is paused as well".to_owned());
        }
        // Another supervisor may have paused it.
        match status.state {
            State::Commanded => self.paused = true,
            State::Migrating => self.paused = false,
            _ => {}
        }
        progress.attempts = self.attempts;
        progress
    }

    /// What the output says last, where the socket says nothing.
    fn by_output(&mut self, complaint: Option<String>) -> HandoffProgress {
        let out = tail(&self.paths.out());
        let mut progress = match lines::last_status(lines::of_this_run(&out)) {
            Some(status) => self.seen(&status),
            None => HandoffProgress::at(HandoffState::Starting),
        };
        if complaint.is_some() {
            progress.waits_for = complaint;
        }
        progress.attempts = self.attempts;
        progress
    }

    fn ended(&self, exit: Exit) -> Ended {
        let (out, err) = (tail(&self.paths.out()), tail(&self.paths.err()));
        let done = lines::is_done(lines::of_this_run(&out));
        let well = done && matches!(exit, Exit::Code(0) | Exit::Gone);
        let why = match lines::why(lines::of_this_run(&err)) {
            Some(why) if !well => format!(": {why}"),
            _ if well => ", and said `# Done`".to_owned(),
            _ => String::new(),
        };
        Ended { hint: format!("gh-ost ended ({exit}){why}"), well }
    }

    fn signal(&self, signal: Signal, name: &str) -> Result<(), Refused> {
        self.child.signal(signal).map_err(|error| {
            Refused::NoAnswer(format!("the process {} got no {name}: {error}", self.child.id().pid))
        })
    }

    /// Puts the file there that gh-ost looks for once a second, but not while it hibernates.
    fn write_panic_file(&self) -> Carried {
        match File::create(self.paths.panic()) {
            Ok(_) => Ok("its socket does not answer, so its panic file was written: it looks for it once a \
                         second, but not while it hibernates"
                .to_owned()),
            Err(error) => {
                self.signal(Signal::TERM, "SIGTERM")?;
                Ok(format!("its panic file cannot be written ({error}), so it got SIGTERM"))
            }
        }
    }
}

/// The end of a file; what cannot be read is empty, like a file of nothing.
fn tail(path: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

#[async_trait]
impl Work for Ghost {
    async fn look(&mut self) -> Look {
        if let Some(exit) = self.child.exit() {
            return Look { progress: self.last.clone(), ended: Some(self.ended(exit)) };
        }
        let seen = self.child.addresses();
        if !seen.is_empty() {
            self.addresses = seen;
        }
        self.last = match socket::ask(&self.paths.socket(), "sup").await {
            Ok(answer) => match lines::last_status(&answer) {
                Some(status) => self.seen(&status),
                None => {
                    let said = shown(&answer);
                    self.by_output(Some(format!("its socket says what is no status: `{said}`")))
                }
            },
            Err(Silence::None) => self.by_output(None),
            Err(silence) => self.by_output(Some(silence.to_string())),
        };
        // It may have ended while it was asked.
        let ended = self.child.exit().map(|exit| self.ended(exit));
        Look { progress: self.last.clone(), ended }
    }

    async fn pause(&mut self) -> Carried {
        self.command("throttle").await?;
        self.paused = true;
        Ok("paused: it copies nothing and follows no change; the server must keep its binary log until it \
            has caught up"
            .to_owned())
    }

    async fn resume(&mut self) -> Carried {
        self.command("no-throttle").await?;
        self.paused = false;
        Ok("it goes on, unless it waits for something else as well".to_owned())
    }

    async fn tune(&mut self, name: &str, value: &str) -> Carried {
        let setting = settings::Setting::named(name)?;
        let value = (setting.value)(value).map_err(|why| {
            Refused::NotNow(format!("`{value}` is no `{name}`: {why}, as `{}`", setting.example))
        })?;
        self.command(&format!("{}={value}", setting.command)).await?;
        let took = self.ask(&format!("{}=?", setting.command)).await?;
        let took = took.trim();
        if settings::is_same(took, &value) {
            Ok(format!("`{name}` is {took} now (`{}`)", setting.command))
        } else if took.is_empty() || took.contains('\n') || took.contains("unknown command") {
            Err(Refused::NoAnswer(format!(
                "gh-ost was told `{}={value}`, and does not say what it took: {}",
                setting.command,
                shown(took)
            )))
        } else {
            Ok(format!("gh-ost was told `{}={value}`, and took {}", setting.command, shown(took)))
        }
    }

    fn settings(&self) -> &'static [(&'static str, &'static str)] {
        &settings::EXAMPLES
    }

    /// Lets it try once: see the head of this file.
    async fn open_gate(&mut self) -> Carried {
        if self.paused {
            return Err(Refused::NotNow(
                "gh-ost is paused, and would hold the table's lock while it waits: resume it first"
                    .to_owned(),
            ));
        }
        // Without the file, an attempt that fails would be followed by the next.
        OpenOptions::new().create(true).append(true).open(self.paths.postpone()).map_err(
            |error| {
                Refused::NotNow(format!(
                    "`{}` cannot be written ({error}), and without it gh-ost would try 60 times",
                    self.paths.postpone().display()
                ))
            },
        )?;
        self.command(&format!("unpostpone={}", self.table)).await?;
        self.gate = Gate::Opened(Instant::now());
        Ok("gh-ost tries once to cut over, and is postponed again if it cannot get the table's lock within \
            twice its `--cut-over-lock-timeout-seconds`"
            .to_owned())
    }

    async fn close_gate(&mut self) -> Carried {
        OpenOptions::new().create(true).append(true).open(self.paths.postpone()).map_err(
            |error| {
                Refused::NotNow(format!(
                    "`{}` cannot be written: {error}",
                    self.paths.postpone().display()
                ))
            },
        )?;
        Ok("no further attempt begins; one that has begun is not taken back: it succeeds, or ends within \
            twice gh-ost's `--cut-over-lock-timeout-seconds`"
            .to_owned())
    }

    async fn ask_to_end(&mut self, how: Ending) -> Carried {
        let again = std::mem::replace(&mut self.asked_to_end, true);
        match socket::ask(&self.paths.socket(), &format!("panic={}", self.table)).await {
            Ok(answer) if answer.contains("ignoring request") => {
                Err(Refused::NotNow(format!("gh-ost refuses to end: {}", shown(&answer))))
            }
            // It may die before the last word is out.
            Ok(answer) if answer.trim().is_empty() || answer.to_lowercase().contains("panic") => {
                Ok("gh-ost was told to panic, which ends it at once; its tables stay".to_owned())
            }
            // Before there is a socket, nothing but a signal is heard, and nothing is lost by it.
            Err(Silence::None) => {
                self.signal(Signal::TERM, "SIGTERM")?;
                Ok("gh-ost has no socket yet, so it got SIGTERM; tables that it has made stay"
                    .to_owned())
            }
            _ if again || how == Ending::Kill => {
                // Both: SIGTERM is heard while it hibernates, the file if it is held up otherwise.
                let _ = self.write_panic_file();
                self.signal(Signal::TERM, "SIGTERM")?;
                Ok("its socket does not answer, so it got SIGTERM; its tables and its socket stay"
                    .to_owned())
            }
            _ => self.write_panic_file(),
        }
    }

    async fn force(&mut self) -> Carried {
        self.signal(Signal::KILL, "SIGKILL")?;
        Ok("gh-ost got SIGKILL; a statement of it that the server runs goes on there until it is ended as \
            well"
            .to_owned())
    }

    async fn watch_at(&mut self, url: &str) -> Carried {
        self.command(&format!("throttle-http={url}")).await?;
        let took = self.ask("throttle-http=?").await?;
        if took.trim() == url {
            return Ok(format!("gh-ost asks `{url}` now whether it may write"));
        }
        Err(Refused::NoAnswer(format!(
            "gh-ost was told `throttle-http={url}`, and says {}",
            shown(&took)
        )))
    }

    fn copy(&self) -> Option<String> {
        Some(self.puts_back.clone().unwrap_or_else(|| own_table(&self.table, "gho")))
    }

    /// By what stands in its statements with the table's name: `/* gh-ost */` alone may be another run's.
    fn mark(&self) -> Mark {
        let Self { database, table, .. } = self;
        let of = |end: &str| own_table(table, end);
        let copy = self.copy().unwrap_or_default();
        let replaced = if self.puts_back.is_some() { "rev_del" } else { "del" };
        let comments = vec![
            format!("/* gh-ost `{database}`.`{table}` */"),
            format!("/* gh-ost `{database}`.`{copy}` */"),
            format!("/* gh-ost */ tables `{database}`.`{table}` write"),
            format!("/* gh-ost */ table `{database}`.`{table}` to"),
            format!("/* gh-ost */ table `{database}`.`{copy}`"),
            format!("/* gh-ost */ into `{database}`.`{}`", of("ghc")),
            format!("/* gh-ost */ into `{database}`.`{}`", of("ghk")),
        ];
        let lock = format!("gh-ost::{database}.{table}");
        Mark {
            comments,
            pid: Some(self.child.id().pid),
            addresses: self.addresses.clone(),
            own: Vec::new(),
            lock: (lock.chars().count() <= LONGEST_LOCK).then_some(lock),
            triggers: String::new(),
            tables: vec![copy, of("ghc"), of("ghk"), of(replaced)],
        }
    }
}
