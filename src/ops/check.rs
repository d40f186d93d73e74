//! Judges migrations: what is judged, against what, is put together here; the gate does the rest.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Error;
use super::prepare::read_text;
use super::state::read_all;
use super::team::Team;
use crate::catalog::Release;
use crate::event::JobState;
use crate::gate::review::{Evidence, File, JobDone, Read, review};
use crate::gate::{Policy, Report, Runner, Schema, Severity, Sizes, rules, runner};
use crate::journal::Journal;
use crate::spec::Weight;
use crate::sql::extract;
use crate::sql::statement::Name;

/// What is asked of the gate.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Files and folders; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// What stands on standard input, if it is asked for.
    pub stdin: Option<String>,
    /// Only files that changed since this revision of git; the others before them count as schema.
    pub since: Option<String>,
    /// The database, in place of the config's.
    pub database: Option<String>,
    /// The runner, in place of the config's.
    pub runner: Option<String>,
    /// More of the schema.
    pub schema: Vec<PathBuf>,
    /// The statistics, in place of the config's.
    pub stats: Option<PathBuf>,
    /// More evidence.
    pub evidence: Vec<PathBuf>,
}

/// Judges what is asked. A journal, if there is one, knows which jobs are verified.
///
/// # Errors
///
/// Something that is named cannot be read, or is not what it should be.
pub fn check(asked: &Asked, team: &Team, journal: Option<&Journal>) -> Result<Report, Error> {
    let policy = policy(asked, team)?;
    let mut schema = Schema::default();
    let given = team.config.gate.schema.iter().map(|path| team.beside(path));
    for path in given.chain(asked.schema.iter().cloned()) {
        let mut files = Vec::new();
        for file in migrations(&path)? {
            files.push(read_file(&file)?);
        }
        apply(&mut schema, files, policy.server)?;
        schema.complete = true;
    }
    let mut files = Vec::new();
    for path in &asked.paths {
        if path == Path::new("-") {
            let text = asked.stdin.clone().unwrap_or_default();
            files.push(File { path: "-".to_owned(), text });
            continue;
        }
        let changed = match &asked.since {
            Some(revision) => Some(changed_since(revision, path)?),
            None => None,
        };
        let mut before = Vec::new();
        for file in migrations(path)? {
            let read = read_file(&file)?;
            let is_new = changed
                .as_ref()
                .is_none_or(|changed| changed.iter().any(|one| same_file(one, &file)));
            let to = if is_new { &mut files } else { &mut before };
            to.push(read);
        }
        apply(&mut schema, before, policy.server)?;
    }
    let evidence = evidence(asked, team, &files, journal)?;
    let read = read_side_by_side(files, policy.server)?;
    Ok(review(read, schema, &policy, &evidence))
}

/// A file's SQL, also out of one of another language.
fn read_file(file: &Path) -> Result<File, Error> {
    let (path, text) = read_text(file)?;
    let text = extract(&path, &text).unwrap_or(text);
    Ok(File { path, text })
}

/// The stack of a reader. A tree of PostgreSQL's statements is gone down into as deep as it nests.
const STACK: usize = 64 * 1024 * 1024;

/// Reads files side by side, a share for each core; their order stays.
fn read_side_by_side(files: Vec<File>, server: Release) -> Result<Vec<Read>, Error> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let share = files.len().div_ceil(cores).max(1);
    let mut shares: Vec<Vec<File>> = Vec::new();
    let mut files = files.into_iter().peekable();
    while files.peek().is_some() {
        shares.push(files.by_ref().take(share).collect());
    }
    let read = |share: Vec<File>| -> Vec<Read> {
        share.into_iter().map(|file| file.read(server)).collect()
    };
    std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for share in shares {
            let builder = std::thread::Builder::new().stack_size(STACK);
            let thread = builder.spawn_scoped(scope, move || read(share)).map_err(|error| {
                Error::Gate(format!("no thread can be started to read the files: {error}"))
            })?;
            threads.push(thread);
        }
        let join = |thread: std::thread::ScopedJoinHandle<'_, Vec<Read>>| {
            // A reader does not fail; a panic of one goes on here.
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        Ok(threads.into_iter().flat_map(join).collect())
    })
}

/// Applies what stands before the migrations that are judged.
fn apply(schema: &mut Schema, files: Vec<File>, server: Release) -> Result<(), Error> {
    for read in read_side_by_side(files, server)? {
        read.statements().iter().for_each(|statement| schema.apply(statement));
    }
    Ok(())
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => one == other,
    }
}

fn policy(asked: &Asked, team: &Team) -> Result<Policy, Error> {
    let gate = &team.config.gate;
    let database = asked.database.as_ref().or(gate.database.as_ref());
    let server = match database {
        Some(text) => Release::parse(text).map_err(Error::Gate)?,
        None => {
            return Err(Error::Gate(
                "which database the migrations are for is not known, and it decides what every \
                 statement does; say `--database postgres-15`, or `[gate] database` in \
                 `backstop.toml`"
                    .to_owned(),
            ));
        }
    };
    let today = jiff::Zoned::now().date().to_string();
    let mut policy = Policy::new(server, today);
    if let Some(name) = asked.runner.as_ref().or(gate.runner.as_ref()) {
        policy.runner = Runner::by_name(name).ok_or_else(|| {
            let known: Vec<&str> = runner::ALL.iter().map(|runner| runner.name).collect();
            Error::Gate(format!(
                "`{name}` is no runner that is known here; there are `{}`",
                known.join("`, `")
            ))
        })?;
    }
    if let Some(rows) = gate.large_rows {
        policy.large_rows = rows;
    }
    if let Some(bytes) = gate.large_bytes {
        policy.large_bytes = bytes.0;
    }
    if let Some(longest) = gate.lock_timeout {
        policy.longest_lock_wait = longest.0;
    }
    policy.forward_only.clone_from(&gate.forward_only);
    policy.demand_phases = gate.demand_phases;
    policy.utc = gate.utc;
    for (name, rows) in &gate.large_rows_of {
        policy.large_rows_of.insert(table_name(name), *rows);
    }
    for (id, weight) in &gate.severity {
        let rule = rules::by_id(id).ok_or_else(|| {
            let close = crate::catalog::closest(id, rules::ALL.iter().map(|rule| rule.id));
            let hint = close.first().map(|id| format!("; did you mean `{id}`?"));
            Error::Gate(format!(
                "`[gate] severity` names the rule `{id}`, and there is none{}",
                hint.unwrap_or_default()
            ))
        })?;
        policy.severities.insert(rule.id.to_owned(), severity(*weight));
    }
    let stats = asked.stats.clone().or_else(|| gate.stats.as_ref().map(|path| team.beside(path)));
    if let Some(path) = stats {
        let (shown, text) = read_text(&path)?;
        policy.sizes = Sizes::parse(&shown, &text).map_err(Error::Gate)?;
    }
    Ok(policy)
}

fn table_name(text: &str) -> Name {
    match text.split_once('.') {
        Some(("public", name)) => Name::plain(name),
        Some((schema, name)) => Name { schema: Some(schema.to_owned()), name: name.to_owned() },
        None => Name::plain(text),
    }
}

fn severity(weight: Weight) -> Option<Severity> {
    match weight {
        Weight::Off => None,
        Weight::Note => Some(Severity::Note),
        Weight::Warning => Some(Severity::Warning),
        Weight::Error => Some(Severity::Error),
    }
}

/// The migrations at a path: itself, or all in the folder and below it, in the order in which
/// runners take them: by name, numbers by their value.
fn migrations(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable =
        |source: std::io::Error| Error::Unreadable { path: path.display().to_string(), source };
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?.path();
            if entry.is_dir() {
                open.push(entry);
            } else if is_migration(&entry) {
                found.push(entry);
            }
        }
    }
    found.sort_by_cached_key(|path| order(&path.to_string_lossy()));
    if found.is_empty() {
        return Err(Error::Gate(format!(
            "`{}` holds no migration: no file in it ends in `.sql`, and no `.ts` or `.js` holds a \
             `queryRunner.query`",
            path.display()
        )));
    }
    Ok(found)
}

fn is_migration(path: &Path) -> bool {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("sql") => true,
        Some("ts" | "js") => {
            std::fs::read_to_string(path).is_ok_and(|text| text.contains("queryRunner"))
        }
        _ => false,
    }
}

/// A name, cut into texts and numbers, so that `V2` comes before `V10`.
fn order(name: &str) -> Vec<(String, u128)> {
    let mut parts: Vec<(String, u128)> = vec![(String::new(), 0)];
    let mut in_number = false;
    for c in name.chars() {
        let digit = c.to_digit(10);
        if digit.is_none() && in_number {
            parts.push((String::new(), 0));
        }
        in_number = digit.is_some();
        if let Some(last) = parts.last_mut() {
            match digit {
                Some(digit) => last.1 = last.1.saturating_mul(10).saturating_add(digit.into()),
                None => last.0.push(c),
            }
        }
    }
    parts
}

/// The files below a path that were added or changed since a revision.
fn changed_since(revision: &str, path: &Path) -> Result<Vec<PathBuf>, Error> {
    let folder = if path.is_dir() { path } else { path.parent().unwrap_or(Path::new(".")) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let git = |arguments: &[&str]| -> Result<String, Error> {
        let said = Command::new("git").arg("-C").arg(folder).args(arguments).output();
        let said = said.map_err(|error| {
            Error::Gate(format!("`--since` asks git, which cannot be run: {error}"))
        })?;
        if !said.status.success() {
            return Err(Error::Gate(format!(
                "git knows nothing of `{revision}`: {}",
                String::from_utf8_lossy(&said.stderr).trim()
            )));
        }
        Ok(String::from_utf8_lossy(&said.stdout).into_owned())
    };
    // A revision that looks like an option must not become one.
    if revision.starts_with('-') {
        return Err(Error::Gate(format!("`{revision}` is no revision of git")));
    }
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let top = Path::new(top.trim_end());
    let range = format!("{revision}...HEAD");
    let mut names = git(&["diff", "--name-only", "-z", "--diff-filter=AMR", &range, "--"])?;
    // What is not committed yet is what will be.
    names.push_str(&git(&["diff", "--name-only", "-z", "--diff-filter=AMR", "HEAD", "--"])?);
    let others = git(&["ls-files", "--others", "--exclude-standard", "--full-name", "-z"])?;
    names.push_str(&others);
    Ok(names.split('\0').filter(|name| !name.is_empty()).map(|name| top.join(name)).collect())
}

fn evidence(
    asked: &Asked,
    team: &Team,
    files: &[File],
    journal: Option<&Journal>,
) -> Result<Evidence, Error> {
    let mut evidence = Evidence::default();
    let given = team.config.gate.evidence.iter().map(|path| team.beside(path));
    for path in given.chain(asked.evidence.iter().cloned()) {
        let (shown, text) = read_text(&path)?;
        evidence.add(&shown, &text)?;
    }
    if let Some(journal) = journal {
        for status in read_all(journal)? {
            // A report that was given says more than the journal: also of the dual write.
            if evidence.jobs.iter().all(|job| job.name != status.job.name) {
                evidence.jobs.push(JobDone {
                    verified: status.job.state == JobState::Verified,
                    name: status.job.name,
                    dual_write: None,
                });
            }
        }
    }
    // A contract names its expand by its path: beside it, or from where the gate runs.
    let folder = |file: &File| {
        let folder = Path::new(&file.path).parent().unwrap_or(Path::new(""));
        if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder.to_owned() }
    };
    let folders: BTreeSet<PathBuf> = files.iter().map(folder).collect();
    for folder in folders {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        evidence.files.extend(entries.map(|entry| entry.path().display().to_string()));
    }
    Ok(evidence)
}
