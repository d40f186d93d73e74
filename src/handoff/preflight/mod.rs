//! The preflight: each check reads facts, and says what stands against which path.
//!
//! A check is a line of [`ALL`]; its function is pure, so that a plan can be explained from the facts
//! alone.

mod around;
mod server;
mod table;

use serde::Serialize;

use super::change::Placed;
use super::{Request, tools::Installed};
use crate::catalog::{Server, Table};
use crate::rewrite::tool::{Tool, Version};
use crate::target::Online;

/// Everything that a check may look at.
pub struct Seen<'a> {
    /// What was asked.
    pub(super) request: &'a Request,
    /// The server.
    pub(super) server: &'a Server,
    /// The table.
    pub(super) table: &'a Table,
    /// What the server says of it.
    pub(super) facts: &'a Online,
    /// Jobs of ours that are not done with it, and who holds each.
    pub(super) backfills: Vec<(String, Option<String>)>,
    /// Free bytes of the disk, or why they are not known.
    pub(super) disk: Result<f64, String>,
    /// The change.
    pub(super) change: Placed,
    /// The tools on the path.
    pub(super) installed: Vec<Installed>,
}

impl Seen<'_> {
    /// The version of a tool, where it is known.
    pub(super) fn version(&self, tool: Tool) -> Option<Version> {
        self.found(tool).and_then(|found| found.version.clone().ok())
    }

    /// A tool, as it was found.
    pub(super) fn found(&self, tool: Tool) -> Option<&Installed> {
        self.installed.iter().find(|found| found.tool == tool)
    }

    /// A setting of the server; empty where it has none of that name.
    fn variable(&self, name: &str) -> &str {
        self.facts.variables.get(name).map_or("", String::as_str)
    }

    /// How many replicas there are: those that were seen, or more if more were declared.
    pub(super) fn replicas(&self) -> u32 {
        let seen = u32::try_from(self.facts.replicas.len()).unwrap_or(u32::MAX);
        seen.max(self.request.replicas.unwrap_or(0))
    }
}

/// How a change can be made: the paths that a check speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Path {
    /// By the server.
    Raw,
    /// By gh-ost.
    GhOst,
    /// By pt-online-schema-change.
    Percona,
}

const ANY: &[Path] = &[Path::Raw, Path::GhOst, Path::Percona];
const COPYING: &[Path] = &[Path::GhOst, Path::Percona];
const GHOST: &[Path] = &[Path::GhOst];
const PERCONA: &[Path] = &[Path::Percona];
const RAW: &[Path] = &[Path::Raw];

/// What a check comes to for some paths, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing stands against it.
    Pass,
    /// Worth knowing.
    Note,
    /// It could not be read.
    Unknown,
    /// The change cannot be made so.
    Fail,
}

impl Verdict {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Note => "note",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
        }
    }
}

/// What stands against some paths.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// How much it weighs.
    pub verdict: Verdict,
    /// Which paths.
    pub against: &'static [Path],
    /// What, why, and what to do.
    pub message: String,
}

/// A check, done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Which.
    pub check: &'static str,
    /// What was read, live.
    pub value: String,
    /// What stands against which path.
    pub found: Vec<Found>,
}

impl Checked {
    /// What it comes to for one path, or for all of them.
    #[must_use]
    pub fn verdict(&self, path: Option<Path>) -> Verdict {
        self.on(path).map(|found| found.verdict).max().unwrap_or(Verdict::Pass)
    }

    /// What stands against one path, or against any.
    pub fn on(&self, path: Option<Path>) -> impl Iterator<Item = &Found> {
        let meant = move |found: &&Found| path.is_none_or(|path| found.against.contains(&path));
        self.found.iter().filter(meant)
    }
}

/// What a check's function fills.
struct Look {
    value: String,
    found: Vec<Found>,
}

impl Look {
    fn at(value: impl Into<String>) -> Self {
        Self { value: value.into(), found: Vec::new() }
    }

    fn and(
        mut self,
        verdict: Verdict,
        against: &'static [Path],
        message: impl Into<String>,
    ) -> Self {
        self.found.push(Found { verdict, against, message: message.into() });
        self
    }

    fn fail(self, against: &'static [Path], message: impl Into<String>) -> Self {
        self.and(Verdict::Fail, against, message)
    }

    fn note(self, against: &'static [Path], message: impl Into<String>) -> Self {
        self.and(Verdict::Note, against, message)
    }

    fn unknown(self, against: &'static [Path], message: impl Into<String>) -> Self {
        self.and(Verdict::Unknown, against, message)
    }
}

/// A check: what it is called, and what it does.
struct Check {
    name: &'static str,
    look: fn(&Seen) -> Look,
    /// It matters only where a copy is made.
    of_a_copy: bool,
}

impl Check {
    const fn of(name: &'static str, look: fn(&Seen) -> Look) -> Self {
        Self { name, look, of_a_copy: false }
    }

    /// One that nobody asks where an old table is put back: nothing is copied then, and what an earlier run left is
    /// what is needed.
    const fn of_a_copy(name: &'static str, look: fn(&Seen) -> Look) -> Self {
        Self { name, look, of_a_copy: true }
    }
}

/// Every check of MySQL and MariaDB.
static ALL: &[Check] = &[
    Check::of("key", table::key),
    Check::of("foreign keys of the table", table::references),
    Check::of("foreign keys to the table", table::referring),
    Check::of("triggers", table::triggers),
    Check::of("generated columns", table::generated),
    Check::of_a_copy("renamed columns", table::renames),
    Check::of_a_copy("partitions", table::partitions),
    Check::of_a_copy("character sets", table::charsets),
    Check::of_a_copy("row size", table::row_size),
    Check::of_a_copy("name lengths", table::names),
    Check::of_a_copy("leftovers", around::leftovers),
    Check::of("backfill", around::backfill),
    Check::of("another run", around::another_run),
    Check::of("open transactions", around::transactions),
    Check::of("read-only", server::read_only),
    Check::of("cluster", server::cluster),
    Check::of("binary log", server::binlog),
    Check::of_a_copy("binary log's retention", server::retention),
    Check::of("replicas", server::replicas),
    Check::of("grants", server::grants),
    Check::of_a_copy("free disk", server::disk),
    Check::of("wait_timeout", server::wait_timeout),
    Check::of("metadata lock instrument", server::instrument),
    Check::of_a_copy("gh-ost's version", server::ghost_version),
];

/// Every check of PostgreSQL.
static POSTGRES: &[Check] = &[
    Check::of("backfill", around::backfill),
    Check::of("open transactions", around::transactions),
    Check::of("invalid indexes", around::invalid_indexes),
    Check::of("read-only", server::read_only),
    Check::of("owner", server::owner),
];

/// Makes every check.
pub(super) fn all(seen: &Seen) -> Vec<Checked> {
    run(ALL.iter(), seen)
}

/// Makes every check of an old table that is put back.
pub(super) fn revert(seen: &Seen) -> Vec<Checked> {
    run(ALL.iter().filter(|check| !check.of_a_copy), seen)
}

/// Makes every check of PostgreSQL.
pub(super) fn postgres(seen: &Seen) -> Vec<Checked> {
    run(POSTGRES.iter(), seen)
}

fn run<'a>(checks: impl Iterator<Item = &'a Check>, seen: &Seen) -> Vec<Checked> {
    let one = |check: &Check| {
        let Look { value, found } = (check.look)(seen);
        Checked { check: check.name, value, found }
    };
    checks.map(one).collect()
}

/// Names in backquotes, or what is said of none.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>, none: &str) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    if names.is_empty() { none.to_owned() } else { names.join(", ") }
}
