//! Judges migrations: what is judged, against what, is put together here; the gate does the rest.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Error;
use super::in_order::in_order;
use super::prepare::read_text;
use super::state::read_all;
use super::team::Team;
use crate::catalog::Release;
use crate::event::JobState;
use crate::gate::review::{Evidence, File, JobDone, Read, Review};
use crate::gate::{Judged, Policy, Runner, Schema, Severity, Sizes, Sum, rules, runner};
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

/// A check that is about to begin: everything is known but the files themselves.
#[derive(Debug)]
pub struct Ready {
    files: Vec<Source>,
    schema: Schema,
    policy: Policy,
    evidence: Evidence,
}

/// Where the text of migrations stands.
#[derive(Debug, Clone)]
enum Source {
    /// In a file.
    File(PathBuf),
    /// It came on standard input.
    Stdin(String),
}

/// Prepares to judge what is asked. A journal, if there is one, knows which jobs are verified.
///
/// # Errors
///
/// Something that is named cannot be read, or is not what it should be.
pub fn prepare(asked: &Asked, team: &Team, journal: Option<&Journal>) -> Result<Ready, Error> {
    let policy = policy(asked, team)?;
    let mut schema = Schema::default();
    let given = team.config.gate.schema.iter().map(|path| team.beside(path));
    for path in given.chain(asked.schema.iter().cloned()) {
        apply(&mut schema, &migrations(&path)?, policy.server)?;
        schema.complete = true;
    }
    let mut files = Vec::new();
    for path in &asked.paths {
        if path == Path::new("-") {
            files.push(Source::Stdin(asked.stdin.clone().unwrap_or_default()));
            continue;
        }
        let found = migrations(path)?;
        let Some(revision) = &asked.since else {
            files.extend(found.into_iter().map(Source::File));
            continue;
        };
        let changed: HashSet<PathBuf> =
            changed_since(revision, path)?.into_iter().map(real).collect();
        let (judged, before): (Vec<PathBuf>, Vec<PathBuf>) =
            found.into_iter().partition(|file| changed.contains(&real(file.clone())));
        apply(&mut schema, &before, policy.server)?;
        files.extend(judged.into_iter().map(Source::File));
    }
    let evidence = evidence(asked, team, &files, journal)?;
    Ok(Ready { files, schema, policy, evidence })
}

impl Ready {
    /// Against which server it is judged: `PostgreSQL 15`.
    #[must_use]
    pub fn server(&self) -> String {
        self.policy.server.to_string()
    }

    /// Judges the files, and gives each to `take` as soon as it is judged, in their order. Files are
    /// read side by side, and only a few more are held than the one that is being judged.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or what `take` gives; those before it have been given by then.
    pub fn judge<E: From<Error>>(
        self,
        mut take: impl FnMut(Judged) -> Result<(), E>,
    ) -> Result<Sum, E> {
        let Self { files, schema, policy, evidence } = self;
        // Hardly any runner has to be asked about the files, and only then are they read once more.
        // One that cannot be read is said when it is judged.
        let texts = files.iter().filter_map(|source| source.file().ok()).map(|file| file.text);
        let together = policy.runner.runs_together(policy.server.engine, texts);
        let mut review = Review::new(schema, together, &policy, &evidence);
        let mut sum = Sum::default();
        let read = |source: &Source| Ok(source.file()?.read(policy.server));
        in_order(&files, read, |read: Result<Read, Error>| {
            let judged = review.judge(read?);
            sum.add(&judged);
            take(judged)
        })?;
        // The process ends soon; to free a schema of thousands of tables would only take time.
        std::mem::forget(review);
        Ok(sum)
    }
}

impl Source {
    /// The SQL.
    fn file(&self) -> Result<File, Error> {
        match self {
            Self::File(path) => read_file(path),
            Self::Stdin(text) => Ok(File { path: "-".to_owned(), text: text.clone() }),
        }
    }
}

/// The SQL of a file, whatever language it is written in.
fn read_file(path: &Path) -> Result<File, Error> {
    let (path, text) = read_text(path)?;
    let text = extract(&path, &text).unwrap_or(text);
    Ok(File { path, text })
}

/// Applies what stands before the migrations that are judged.
fn apply(schema: &mut Schema, files: &[PathBuf], server: Release) -> Result<(), Error> {
    in_order(
        files,
        |path| Ok(read_file(path)?.read(server)),
        |read: Result<Read, Error>| {
            read?.statements().iter().for_each(|statement| schema.apply(statement));
            Ok(())
        },
    )
}

/// The path without links and detours, so that one file is one path.
fn real(path: PathBuf) -> PathBuf {
    path.canonicalize().unwrap_or(path)
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
            let entry = entry.map_err(unreadable)?;
            // The kind stands in the folder itself, but for what a link leads to.
            let kind = entry.file_type().map_err(unreadable)?;
            let entry = entry.path();
            if kind.is_dir() || (kind.is_symlink() && entry.is_dir()) {
                open.push(entry);
            } else if is_migration(&entry) {
                found.push(entry);
            }
        }
    }
    found.sort_by(|one, other| {
        let (one, other) = (one.to_string_lossy(), other.to_string_lossy());
        order(&one).cmp(order(&other))
    });
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

/// A name, cut into texts and the numbers behind them, so that `V2` comes before `V10`.
fn order(name: &str) -> impl Iterator<Item = (&str, u128)> {
    let mut rest = name;
    std::iter::from_fn(move || {
        let number = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let text = rest.get(..number).filter(|_| !rest.is_empty())?;
        let digits = rest[number..].bytes().take_while(u8::is_ascii_digit);
        let (length, value) = digits.fold((0, 0_u128), |(length, value), digit| {
            (length + 1, value.saturating_mul(10).saturating_add((digit - b'0').into()))
        });
        rest = &rest[number + length..];
        Some((text, value))
    })
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

fn evidence<'a>(
    asked: &Asked,
    team: &Team,
    files: &'a [Source],
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
    let folder = |file: &'a Source| {
        let folder = match file {
            Source::File(path) => path.parent().unwrap_or(Path::new("")),
            Source::Stdin(_) => Path::new(""),
        };
        if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
    };
    let folders: BTreeSet<&Path> = files.iter().map(folder).collect();
    for folder in folders {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        evidence.files.extend(entries.map(|entry| entry.path().display().to_string()));
    }
    Ok(evidence)
}

#[cfg(test)]
mod tests {
    use super::order;

    #[test]
    fn numbers_in_names_are_compared_by_their_value() {
        let sorted = ["m/V1__a.sql", "m/V2.sql", "m/V2__a.sql", "m/V10.sql", "m/a/1.sql", "m/b"];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|one, other| order(one).cmp(order(other)));
        assert_eq!(names, sorted);
    }
}
