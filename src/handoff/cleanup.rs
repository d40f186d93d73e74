//! What a change under way left behind, and taking it away in the only order that harms nobody.
//!
//! Triggers go first: without the table that they write to, every write of the application fails. Then the
//! copies. What holds rows that are nowhere else is never dropped on the way: the old table is put aside
//! under a name that says so ([`rename_old`]), and dropped by a step of its own, later ([`drop_old`]).
//!
//! **Invariants.** Nothing is taken away while anything of the tool is at work, or while that cannot be
//! told. What is taken away was shown before and is found to be so still. Every step can be done again, by
//! any process: what is gone is no error.

use std::fmt;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;

use super::verdict::Verdict;
use super::work::Paths;
use crate::catalog::{Lookup, TableName};
use crate::rewrite::tool::Tool;
use crate::target::online::Beside;
use crate::target::{self, Dialect, Leftover, Mark, Place, Session, Statement, Target};

/// The comment by which gh-ost marks the table that only keeps a name during its cut-over.
pub(super) const SENTRY: &str = "ghost-cut-over-sentry";

/// The most characters of a table's name.
const LONGEST_NAME: usize = 64;

/// How often a step is tried whose table somebody holds, and the pause between two attempts, in which those
/// who wait behind the attempt go on.
const ATTEMPTS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(250);

/// Why gh-ost's checkpoints go where the change is done.
pub const WAY_BACK: &str = "the checkpoints; without them `handoff revert` cannot bring what was written since to the \
                            old table";

/// What is known of a change that has ended.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The tool that made it.
    pub tool: Tool,
    /// The table.
    pub place: &'a Place,
    /// The files of its run.
    pub paths: &'a Paths,
    /// By what it is known on the server.
    pub mark: &'a Mark,
    /// Whether the table was changed.
    pub verdict: &'a Verdict,
}

/// Something that is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// What.
    pub thing: Thing,
    /// Why it is taken away, or why not.
    pub why: String,
}

/// What can be left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Thing {
    /// On the server, and taken away by one statement.
    Sql(Leftover),
    /// A file, and removed.
    File(PathBuf),
    /// A table that holds the rows as they were: kept, until [`rename_old`] and [`drop_old`].
    OldTable(Place),
    /// A table that is kept until a person has looked.
    Kept(Place),
}

impl Thing {
    /// Whether [`remove`] takes it away.
    #[must_use]
    pub const fn goes(&self) -> bool {
        matches!(self, Self::Sql(_) | Self::File(_))
    }

    /// The statement, the file, or the table.
    #[must_use]
    pub fn shown(&self, dialect: &dyn Dialect) -> String {
        match self {
            Self::Sql(leftover) => dialect.removal(leftover),
            Self::File(path) => path.display().to_string(),
            Self::OldTable(place) | Self::Kept(place) => format!("{}.{}", place.schema, place.name),
        }
    }
}

/// Why nothing was looked at, or taken away.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Something of the tool is at work; what.
    #[error("{0} is at work still, so nothing may be taken away from it; end it first")]
    AtWork(String),
    /// It cannot be told whether anything is.
    #[error("it cannot be told whether anything of it is at work still: {0}")]
    Unseen(String),
    /// What was asked for is not done; a sentence.
    #[error("{0}")]
    Refused(String),
    /// The target could not be asked, or refuses.
    #[error("{0}")]
    Target(#[from] target::Error),
}

/// What is left, in the order in which it is taken away.
///
/// # Errors
///
/// Something of the tool is at work, or nobody can tell.
pub async fn look(
    target: &dyn Target,
    session: &mut dyn Session,
    facts: &Facts<'_>,
) -> Result<Vec<Left>, Error> {
    if let Some(what) = process_at_work(facts) {
        return Err(Error::AtWork(what));
    }
    let mark = with_usual_names(facts);
    let traces = target.traces(session, facts.place, &mark).await?;
    if let Some(one) = traces.sessions.first() {
        let statement = if one.statement.is_empty() { "idle" } else { &one.statement };
        return Err(Error::AtWork(format!("session {} (`{statement}`)", one.session)));
    }
    if !traces.unread.is_empty() {
        return Err(Error::Unseen(traces.unread.join("; ")));
    }
    let mut left: Vec<Left> = traces
        .triggers
        .into_iter()
        .map(|name| Left {
            thing: Thing::Sql(Leftover::Trigger { on: facts.place.clone(), name }),
            why: "it writes to the copy; without it the copy can go, and before that every write of the \
                  application would fail"
                .to_owned(),
        })
        .collect();
    let is_there = target.shape(session, facts.place).await?.is_some();
    let mut tables = Vec::new();
    for table in traces.tables {
        let role = Role::of(facts.place, &table);
        tables.push((role, judged(target, session, facts, is_there, role, table).await?));
    }
    tables.sort_by_key(|(role, _)| *role);
    let old = tables.iter().any(|(_, left)| matches!(left.thing, Thing::OldTable(_)));
    if old && *facts.verdict == Verdict::NotDone {
        tables
            .iter_mut()
            .filter(|(role, _)| *role == Role::Checkpoint)
            .for_each(|(_, left)| keep(left));
    }
    left.extend(tables.into_iter().map(|(_, left)| left));
    left.extend(files(facts.paths));
    Ok(left)
}

/// What was taken away, and what was not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removed {
    /// What is gone, in its order.
    pub done: Vec<Left>,
    /// What could not be taken away, and why; nothing after it was tried.
    pub failed: Option<(Left, String)>,
    /// What was not tried.
    pub rest: Vec<Left>,
}

/// Takes away what was `shown`, as far as it is found to be so still.
///
/// # Errors
///
/// As of [`look`]. That a step fails is no error, but said.
pub async fn remove(
    target: &dyn Target,
    session: &mut dyn Session,
    facts: &Facts<'_>,
    shown: &[Left],
) -> Result<Removed, Error> {
    let now = look(target, session, facts).await?;
    let mut to_go: Vec<Left> =
        now.into_iter().filter(|left| left.thing.goes() && shown.contains(left)).collect();
    to_go.reverse();
    let mut removed = Removed::default();
    while let Some(left) = to_go.pop() {
        match take_away(target, session, facts, &left).await {
            Ok(()) => removed.done.push(left),
            Err(Error::Target(error)) if error.is_lost() => return Err(Error::Target(error)),
            Err(error) => {
                removed.failed = Some((left, error.to_string()));
                to_go.reverse();
                removed.rest = to_go;
                break;
            }
        }
    }
    Ok(removed)
}

async fn take_away(
    target: &dyn Target,
    session: &mut dyn Session,
    facts: &Facts<'_>,
    left: &Left,
) -> Result<(), Error> {
    match &left.thing {
        Thing::Sql(leftover) => {
            if let Leftover::Table(_) = leftover {
                no_triggers(target, session, facts).await?;
            }
            patiently(target, session, leftover).await
        }
        Thing::File(path) => match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::Refused(format!("`{}` cannot be removed: {error}", path.display())))
            }
            _ => Ok(()),
        },
        Thing::OldTable(_) | Thing::Kept(_) => Ok(()),
    }
}

/// A run that somebody has begun since would have its copy taken from under its triggers.
async fn no_triggers(
    target: &dyn Target,
    session: &mut dyn Session,
    facts: &Facts<'_>,
) -> Result<(), Error> {
    let traces = target.traces(session, facts.place, &with_usual_names(facts)).await?;
    match traces.triggers.first() {
        Some(trigger) => Err(Error::Refused(format!(
            "the trigger `{trigger}` writes to it: dropped before it, every write of the application fails"
        ))),
        None => Ok(()),
    }
}

/// Tries it until nobody holds the table.
async fn patiently(
    target: &dyn Target,
    session: &mut dyn Session,
    leftover: &Leftover,
) -> Result<(), Error> {
    let mut attempts = 1;
    loop {
        match target.remove(session, leftover).await {
            Err(error) if error.is_lock_timeout() && attempts < ATTEMPTS => {
                attempts += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) if error.is_lock_timeout() => {
                return Err(Error::Refused(format!(
                    "somebody held the table at each of {attempts} attempts, and nobody was made to wait \
                     for longer: {error}; try again when it is quieter"
                )));
            }
            done => return Ok(done?),
        }
    }
}

/// What a table of the tool's is for. The order is that of taking them away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Role {
    /// The copy.
    Copy,
    /// gh-ost's notes.
    Notes,
    /// gh-ost's checkpoints.
    Checkpoint,
    /// The old table, or the sentry of gh-ost.
    Old,
    /// Of none of the names that are known.
    Other,
}

impl Role {
    fn of(place: &Place, table: &Beside) -> Self {
        // A name that would be too long is cut before its end.
        let ends = |end: &str| table.name.starts_with('_') && table.name.ends_with(end);
        if table.name == place.name {
            return Self::Other;
        }
        match () {
            () if ends("_gho") || ends("_new") => Self::Copy,
            () if ends("_ghc") => Self::Notes,
            () if ends("_ghk") => Self::Checkpoint,
            () if ends("_del") || ends("_old") => Self::Old,
            () => Self::Other,
        }
    }
}

/// The mark, with the names that the tools use of themselves: whoever cleans up may know nothing of the run.
fn with_usual_names(facts: &Facts<'_>) -> Mark {
    let ends: &[&str] = match facts.tool {
        Tool::GhOst => &["_gho", "_ghc", "_ghk", "_del"],
        Tool::Percona => &["_new", "_old"],
    };
    let mut mark = facts.mark.clone();
    for end in ends {
        let name = format!("_{}{end}", facts.place.name);
        if !mark.tables.contains(&name) {
            mark.tables.push(name);
        }
    }
    mark
}

async fn judged(
    target: &dyn Target,
    session: &mut dyn Session,
    facts: &Facts<'_>,
    is_there: bool,
    role: Role,
    table: Beside,
) -> Result<Left, Error> {
    let place = Place { schema: facts.place.schema.clone(), name: table.name.clone() };
    let goes =
        |place, why: &str| Left { thing: Thing::Sql(Leftover::Table(place)), why: why.to_owned() };
    let kept = |place, why: String| Left { thing: Thing::Kept(place), why };
    Ok(match role {
        Role::Copy if !is_there => kept(
            place,
            format!(
                "there is no table `{}`, so this may be all that is left of its rows; give it its name \
                 back, or look for the table, first",
                facts.place.name
            ),
        ),
        Role::Copy | Role::Checkpoint if matches!(facts.verdict, Verdict::Unknown(_)) => kept(
            place,
            "whether the table was changed could not be told, so what might be needed stays".to_owned(),
        ),
        Role::Copy => goes(place, "the copy, which nothing writes to any more"),
        Role::Notes => goes(place, "what the tool noted for itself"),
        Role::Checkpoint if *facts.verdict == Verdict::Done => goes(place, WAY_BACK),
        Role::Checkpoint => {
            goes(place, "the checkpoints; without them the run cannot be taken up where it ended")
        }
        Role::Old if is_sentry(target, session, &place, &table).await? => goes(
            place,
            "it only kept a name free during the cut-over: its comment says so, and it has no rows",
        ),
        Role::Old if table.name.ends_with("_rev_del") => Left {
            thing: Thing::OldTable(place),
            why: "it stood in the place until the old table was put back, and holds the rows as they were then; it \
                  gets another name first, and is dropped later, by steps of their own"
                .to_owned(),
        },
        Role::Old => Left {
            thing: Thing::OldTable(place),
            why: "it holds the rows as they were before the swap, and is the way back; it gets another \
                  name first, and is dropped later, by steps of their own"
                .to_owned(),
        },
        Role::Other => kept(place, "it has none of the names that the tool gives".to_owned()),
    })
}

/// An old table that was not put back can be, as long as it is known where the log has to be read from.
fn keep(left: &mut Left) {
    if let Thing::Sql(Leftover::Table(place)) = &left.thing {
        let why = "the checkpoints, with which `handoff revert` still leads back to the old table";
        *left = Left { thing: Thing::Kept(place.clone()), why: why.to_owned() };
    }
}

/// Whether it is the sentry, and not the whole old table, which has the same name.
async fn is_sentry(
    target: &dyn Target,
    session: &mut dyn Session,
    place: &Place,
    table: &Beside,
) -> Result<bool, Error> {
    if table.comment != SENTRY {
        return Ok(false);
    }
    let name =
        TableName { schema: Some(place.schema.clone()), name: place.name.clone(), quoted: true };
    let Lookup::Found(found) = target.look_up(session, &name).await? else { return Ok(false) };
    if found.columns.len() != 1 || found.columns[0].name != "id" {
        return Ok(false);
    }
    let dialect = target.dialect();
    let (schema, name) = (dialect.quote(&place.schema), dialect.quote(&place.name));
    let first = Statement::plain(format!("SELECT 1 FROM {schema}.{name} LIMIT 1"));
    Ok(session.query(&first).await?.is_empty())
}

/// The tool's process, if one of its kind uses the files of this run.
fn process_at_work(facts: &Facts<'_>) -> Option<String> {
    let program = facts.tool.program();
    if std::os::unix::net::UnixStream::connect(facts.paths.socket()).is_ok() {
        return Some(format!("{program}, which answers at `{}`,", facts.paths.socket().display()));
    }
    let text = std::fs::read_to_string(facts.paths.pid()).ok()?;
    let pid: i32 = text.trim().parse().ok()?;
    let command = procfs::process::Process::new(pid).ok()?.cmdline().ok()?;
    command.iter().any(|word| word.contains(program)).then(|| format!("{program}, process {pid},"))
}

fn files(paths: &Paths) -> Vec<Left> {
    let left = |path: PathBuf| {
        let is_socket =
            |path: &Path| path.symlink_metadata().is_ok_and(|found| found.file_type().is_socket());
        let why = if is_socket(&path) {
            "nobody listens at it, and the next run could not"
        } else if path == paths.pid() {
            "its process is gone"
        } else if path == paths.panic() {
            "the next run would end at once"
        } else if path == paths.postpone() || path == paths.pause() {
            "the next run would wait for it"
        } else {
            "nobody reads it any more"
        };
        Left { thing: Thing::File(path), why: why.to_owned() }
    };
    let there = |path: &PathBuf| path.symlink_metadata().is_ok();
    paths.transient().into_iter().filter(there).map(left).collect()
}

/// A name that says what a table was, and when it was put aside.
#[derive(Debug, Clone, PartialEq, Eq)]
struct OldName {
    table: String,
    date: Date,
    number: u32,
}

impl fmt::Display for OldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut end = format!("_old_{}", self.date.strftime("%Y%m%d"));
        if 1 < self.number {
            end.push_str(&format!("_{}", self.number));
        }
        let room = LONGEST_NAME - 1 - end.len();
        let table: String = self.table.chars().take(room).collect();
        write!(f, "_{table}{end}")
    }
}

/// Whether a table has such a name.
#[must_use]
pub fn is_put_aside(name: &str) -> bool {
    let Some((before, after)) = name.rsplit_once("_old_") else { return false };
    let (date, number) = after.split_once('_').unwrap_or((after, "2"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    1 < before.len() && before.starts_with('_') && date.len() == 8 && digits(date) && digits(number)
}

/// Puts an old table aside: it gets a name that says so, with the date. Nobody uses it, so the rename waits
/// for nobody. Returns the name.
///
/// # Errors
///
/// It is the table itself, or the server refuses.
pub async fn rename_old(
    target: &dyn Target,
    session: &mut dyn Session,
    place: &Place,
    old: &Place,
    today: Date,
) -> Result<String, Error> {
    if old == place {
        return Err(Error::Refused(format!("`{}` is the table in use", old.name)));
    }
    for number in 1..=MOST_OF_A_DAY {
        let to = OldName { table: place.name.clone(), date: today, number }.to_string();
        let new = Place { schema: old.schema.clone(), name: to.clone() };
        if target.shape(session, &new).await?.is_some() {
            continue;
        }
        patiently(target, session, &Leftover::Rename { from: old.clone(), to: to.clone() }).await?;
        return Ok(to);
    }
    Err(Error::Refused(format!(
        "there are {MOST_OF_A_DAY} old tables of `{}` of this day already; drop some of them",
        place.name
    )))
}

/// So many tables are put aside of one table on one day.
const MOST_OF_A_DAY: u32 = 20;

/// Drops a table that was put aside.
///
/// One `DROP TABLE`, and not its rows first in batches: those would all be written to the logs, here and on
/// every replica. What made a drop stall was the search through the buffer pool for the table's pages, which
/// MySQL leaves out since 8.0.23
/// (<https://dev.mysql.com/blog-archive/a-250x-improvement-to-tablespace-truncation-in-mysql-server-8-0-23/>),
/// and the removal of the file, which MariaDB does outside of its lock on the dictionary
/// (MDEV-8069). Time between putting it aside and dropping it helps on every version: few of its pages are in
/// memory then, and nobody reads it.
///
/// # Errors
///
/// It was not put aside, or the server refuses: tables refer to it.
pub async fn drop_old(
    target: &dyn Target,
    session: &mut dyn Session,
    old: &Place,
) -> Result<(), Error> {
    if !is_put_aside(&old.name) {
        return Err(Error::Refused(format!(
            "`{}` was not put aside: an old table gets another name first, so that whoever uses it still \
             is seen to fail while the way back is open",
            old.name
        )));
    }
    patiently(target, session, &Leftover::Table(old.clone())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_old_tables_say_so_and_fit() {
        let date = jiff::civil::date(2026, 11, 30);
        let name =
            |table: &str, number| OldName { table: table.to_owned(), date, number }.to_string();
        assert_eq!(name("orders", 1), "_orders_old_20261130");
        assert_eq!(name("orders", 2), "_orders_old_20261130_2");
        assert_eq!(name(&"a".repeat(64), 3).len(), 64);
        for own in [name("orders", 1), name("orders", 2), name(&"a".repeat(64), 3)] {
            assert!(is_put_aside(&own), "{own}");
        }
        for other in
            ["orders", "_orders_old", "_orders_del", "_old_20261130", "orders_old_20261130"]
        {
            assert!(!is_put_aside(other), "{other}");
        }
    }

    #[test]
    fn a_table_is_told_by_its_name() {
        let place = Place { schema: "shop".into(), name: "orders_old".into() };
        let role = |name: &str| {
            Role::of(&place, &Beside { name: name.to_owned(), comment: String::new() })
        };
        assert_eq!(role("_orders_old_gho"), Role::Copy);
        assert_eq!(role("__orders_old_new"), Role::Copy);
        assert_eq!(role("_orders_old_del"), Role::Old);
        assert_eq!(role("orders_old"), Role::Other);
        assert!(
            Role::Copy < Role::Notes
                && Role::Notes < Role::Checkpoint
                && Role::Checkpoint < Role::Old
        );
    }
}
