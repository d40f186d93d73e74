//! Undoing what a job has written: which generation, by which job, and what becomes of each row.

use std::sync::Arc;
use std::time::Duration;

use super::prepare::connect;
use super::state::read_status;
use super::{Error, Team};
use crate::control::{Level, Stop};
use crate::journal::Journal;
use crate::keyspace::Key;
use crate::plan::images::{Images, job_name};
use crate::plan::{self, Restoring, Statements};
use crate::spec::{JobSpec, Restores, Verify, Walk};
use crate::target::fence::{self, Fence};
use crate::target::{Dialect, JobLock, LockAttempt, Session, Target};

/// Images that one statement looks at or removes: some milliseconds of work.
const WINDOW: u64 = 2_000;

/// Conflicts that a summary names, and rows that a dry run shows.
const SHOWN: usize = 5;

/// How often the session that keeps the job's runners out is used.
const PING_EVERY: Duration = Duration::from_secs(30);

/// The job that is meant by its name: its spec as the journal has it, the path of that, and the
/// generation if the name is that of an undo.
///
/// # Errors
///
/// The journal does not know it, or cannot be read.
pub fn undoable(journal: &Journal, job: &str) -> Result<(JobSpec, String, Option<u32>), Error> {
    let row = read_status(journal, job)?.job;
    let spec: JobSpec = serde_json::from_value(row.spec).map_err(|_| {
        Error::Undo(format!(
            "no run of `{job}` has begun by this journal; name the spec's file instead, and the \
             target knows what was written"
        ))
    })?;
    match &spec.restores {
        Some(Restores { job, generation }) => {
            let (spec, path, _) = undoable(journal, &job.clone())?;
            Ok((spec, path, Some(*generation)))
        }
        None => Ok((spec, row.spec_path, None)),
    }
}

/// Whether the journal knows this job, and as one that undoes the same generation.
///
/// # Errors
///
/// The journal cannot be read.
pub fn restores_begun(journal: &Journal, spec: &JobSpec) -> Result<bool, Error> {
    let known = journal.begun(&spec.job.name)?.map(|row| row.spec["restores"].clone());
    Ok(known.is_some_and(|restores| restores == spec.canonical()["restores"]))
}

/// A generation of a job that can be undone.
pub struct Undoing {
    /// The job that undoes it.
    pub spec: JobSpec,
    /// The generation.
    pub generation: u32,
    /// The job.
    pub job: String,
    target: Arc<dyn Target>,
    restoring: Restoring,
}

/// Keeps the runners of the job out as long as it lives.
pub struct KeptOut {
    task: tokio::task::JoinHandle<()>,
}

impl Drop for KeptOut {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Finds what of the job can be undone: its newest generation that has images, or the given one.
/// Writes nothing.
///
/// # Errors
///
/// There is nothing, or the target cannot be used.
pub async fn undoing(
    spec: &JobSpec,
    team: &Team,
    generation: Option<u32>,
) -> Result<Undoing, Error> {
    let job = spec.job.name.clone();
    let target = connect(spec).await?;
    let mut session = target.open("undo").await.map_err(Error::Connect)?;
    let schema = team.config.fence.schema.as_deref();
    let restoring = plan::restoring(spec, &*target, session.as_mut(), schema).await?;
    let dialect = target.dialect();
    let found = if restoring.exists {
        let images = &restoring.images;
        if let Err(error) = plan::add_key(dialect, session.as_mut(), images).await {
            return Err(if error.is_denial() {
                not_ours(images, dialect, &error)
            } else {
                Error::Connect(error)
            });
        }
        newest(&restoring.images, dialect, session.as_mut(), generation)
            .await
            .map_err(Error::Connect)?
    } else {
        None
    };
    session.close().await;
    let Some(found) = found else {
        let why = if spec.undo.is_some() {
            "it has written nothing yet, or all of it is older than `[undo] keep`"
        } else {
            "its spec has no [undo], which would have kept them"
        };
        let of = generation.map(|number| format!("generation {number} of ")).unwrap_or_default();
        return Err(Error::Undo(format!("there are no old values of {of}job `{job}`: {why}")));
    };
    let generation = found;
    let Restoring { images, .. } = &restoring;
    let mut derived = spec.clone();
    derived.job.name = job_name(&job, generation);
    derived.job.description =
        Some(format!("Put back what generation {generation} of {job} wrote."));
    derived.update.set.0 = images.restoring(dialect, generation);
    derived.update.filter = Some(images.restorable(dialect, generation));
    derived.update.exactly_once = false;
    derived.batch.walk = Walk::Key;
    derived.verify = Verify { remaining: Some(false), ..Verify::default() };
    derived.undo = None;
    derived.restores = Some(Restores { job: job.clone(), generation });
    Ok(Undoing { spec: derived, generation, job, target, restoring })
}

/// The table of images lacks its key, and belongs to another account.
fn not_ours(images: &Images, dialect: &dyn Dialect, error: &crate::target::Error) -> Error {
    let add = images.late_key(dialect).map(|late| late.add).unwrap_or_default();
    Error::Undo(format!(
        "the old values in {} have no key yet by which their rows are found: {error}; have the owner of \
         the table run `{add}`, or undo the job with the account that ran it",
        images.table
    ))
}

impl Undoing {
    /// Keeps the runners of the job out: takes its lock, and raises its epochs, so that none that
    /// was cut off can commit any more. With `take_over` the session that has the lock is ended, if
    /// the undo has begun: then it is that of the undo's own runner.
    ///
    /// # Errors
    ///
    /// A runner has the job, or the target fails.
    pub async fn keep_out(&self, take_over: bool) -> Result<KeptOut, Error> {
        let job = &self.job;
        let busy = |holder: String| {
            Error::Undo(format!(
                "job `{job}` is being run by {holder}, or undone already, and what it writes from \
                 now on would stay; stop it first with `backstop stop {job}`, or its undo with \
                 `backstop stop {}`",
                self.spec.job.name
            ))
        };
        let (target, dialect) = (&self.target, self.target.dialect());
        let mut session = target.open("undo").await.map_err(Error::Connect)?;
        let mut begun = false;
        if let Some(home) = self.restoring.fence.as_ref().filter(|_| take_over) {
            let undo = Fence::of(home, &self.spec.job.name);
            let found = undo.load(dialect, session.as_mut()).await.map_err(Error::Connect)?;
            begun = found.is_some();
        }
        let lock = match target.lock(session.as_mut(), begun).await.map_err(Error::Connect)? {
            LockAttempt::Held(lock) => lock,
            LockAttempt::HeldBy(holder) => return Err(busy(holder)),
        };
        if let Some(home) = &self.restoring.fence {
            let fence = Fence::of(home, job);
            let cluster = target.server(session.as_mut()).await.map_err(Error::Connect)?.cluster;
            if cluster.is_some() {
                let holders = fence.holders(dialect, session.as_mut(), job).await;
                let holders = holders.map_err(Error::Connect)?;
                if let Some((_, holder)) =
                    holders.into_iter().find(|(_, holder)| fence::session_of(holder).is_some())
                {
                    return Err(busy(holder));
                }
            }
            fence.raise(dialect, session.as_mut(), job).await.map_err(Error::Connect)?;
        }
        Ok(KeptOut { task: tokio::spawn(hold(session, lock)) })
    }

    /// The key of an image for people.
    fn show(&self, values: Vec<Option<String>>) -> String {
        let values = values.into_iter().map(Option::unwrap_or_default).collect();
        Key(values).display(&self.restoring.key)
    }

    /// What became of each row that the generation has written. `each` is told of every row that
    /// others changed or deleted, in the order of the key. `None`: somebody asked to leave.
    ///
    /// # Errors
    ///
    /// The target fails.
    pub async fn fates(
        &self,
        stop: &Stop,
        each: Option<&mut (dyn FnMut(&Conflict) + Send)>,
    ) -> Result<Option<Fates>, Error> {
        let mut session = self.target.open("undo").await.map_err(Error::Connect)?;
        let told = self.count(session.as_mut(), stop, each).await.map_err(Error::Connect);
        session.close().await;
        told
    }

    async fn count(
        &self,
        session: &mut dyn Session,
        stop: &Stop,
        mut each: Option<&mut (dyn FnMut(&Conflict) + Send)>,
    ) -> crate::target::Result<Option<Fates>> {
        let (dialect, images) = (self.target.dialect(), &self.restoring.images);
        let generation = self.generation;
        let mut fates = Fates::default();
        let mut windows = Windows::of(images, generation);
        while let Some((after, upto)) = windows.next(&*self.target, images, session).await? {
            if Level::Drain <= stop.level() {
                return Ok(None);
            }
            let after = after.as_ref();
            let counted = session.query(&images.fates(dialect, generation, after, &upto)).await?;
            let conflicts = fates.add(&counted);
            let wanted =
                if each.is_some() { usize::MAX } else { SHOWN - fates.conflicts.len().min(SHOWN) };
            let most = usize::try_from(conflicts).unwrap_or(wanted).min(wanted);
            if 0 < most {
                let list = images.conflicts(dialect, generation, after, &upto, most);
                for mut row in session.query(&list).await? {
                    let gone = row.pop().flatten().as_deref() == Some("gone");
                    let conflict = Conflict { key: self.show(row), gone };
                    if let Some(each) = &mut each {
                        each(&conflict);
                    }
                    if fates.conflicts.len() < SHOWN {
                        fates.conflicts.push(conflict);
                    }
                }
            }
            if 0 < fates.written && fates.samples.len() < SHOWN {
                let rows = SHOWN - fates.samples.len();
                let list = images.samples(dialect, generation, after, &upto, rows);
                for row in session.query(&list).await? {
                    fates.samples.push(self.sample(row));
                }
            }
        }
        Ok(Some(fates))
    }

    fn sample(&self, mut row: Vec<Option<String>>) -> Sample {
        let values = row.split_off(self.restoring.key.len().min(row.len()));
        let columns = self.restoring.images.written().into_iter().map(str::to_owned);
        let pairs = values.chunks(2).map(|pair| {
            let at = |index: usize| pair.get(index).cloned().flatten();
            (at(0), at(1))
        });
        let values = columns.zip(pairs).map(|(name, (now, then))| (name, now, then)).collect();
        Sample { key: self.show(row), values }
    }

    /// Removes the images of every generation that are older than that, and returns how many.
    ///
    /// # Errors
    ///
    /// The target fails.
    pub async fn expire(&self, keep: Duration, stop: &Stop) -> Result<u64, Error> {
        expire(&*self.target, &self.restoring.images, keep, stop).await
    }
}

/// Holds the session to which the lock belongs.
async fn hold(mut session: Box<dyn Session>, _lock: JobLock) {
    loop {
        tokio::time::sleep(PING_EVERY).await;
        if session.ping().await.is_err() {
            return;
        }
    }
}

/// A row that is not put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Its key.
    pub key: String,
    /// Whether it was deleted; else it was changed.
    pub gone: bool,
}

/// A row that would be put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its key.
    pub key: String,
    /// Each column with its present value and the one that it would get, as text; `None` is NULL.
    pub values: Vec<(String, Option<String>, Option<String>)>,
}

/// What became of the rows that a generation has written.
#[derive(Debug, Clone, Default)]
pub struct Fates {
    /// Rows that hold what they held before the job.
    pub before: u64,
    /// Rows that hold what the job wrote.
    pub written: u64,
    /// Rows that others have changed since.
    pub changed: u64,
    /// Rows that others have deleted since.
    pub gone: u64,
    /// The first rows that are changed or gone.
    pub conflicts: Vec<Conflict>,
    /// The first rows that hold what the job wrote.
    pub samples: Vec<Sample>,
}

impl Fates {
    /// Adds the counts of a window; returns how many of its rows are not put back.
    fn add(&mut self, counted: &[Vec<Option<String>>]) -> u64 {
        let mut conflicts = 0;
        for row in counted {
            let [Some(fate), Some(rows)] = row.as_slice() else { continue };
            let rows: u64 = rows.parse().unwrap_or_default();
            match fate.as_str() {
                "before" => self.before += rows,
                "written" => self.written += rows,
                "gone" => self.gone += rows,
                _ => self.changed += rows,
            }
            if ["gone", "changed"].contains(&fate.as_str()) {
                conflicts += rows;
            }
        }
        conflicts
    }

    /// Whether every row is as it was before the job.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.written == 0 && self.changed == 0 && self.gone == 0
    }
}

/// A walk along the images of a generation, window by window.
struct Windows {
    walk: Statements,
    generation: u32,
    after: Option<Key>,
    hi: Option<Key>,
    over: bool,
}

impl Windows {
    fn of(images: &Images, generation: u32) -> Self {
        Self { walk: images.walk(generation), generation, after: None, hi: None, over: false }
    }

    /// The key that the next window begins after, and its last key.
    async fn next(
        &mut self,
        target: &dyn Target,
        images: &Images,
        session: &mut dyn Session,
    ) -> crate::target::Result<Option<(Option<Key>, Key)>> {
        if self.over {
            return Ok(None);
        }
        let dialect = target.dialect();
        if self.hi.is_none() {
            self.hi = key(session.query(&images.last_key(dialect, self.generation)).await?);
        }
        let Some(hi) = self.hi.clone() else { return Ok(None) };
        let boundary = self.walk.boundary(dialect, self.after.as_ref(), &hi, WINDOW);
        let mut found = session.query(&boundary).await?;
        let past = found.first_mut().and_then(Vec::pop).flatten();
        let upto = key(found).filter(|_| past.as_deref() == Some("0")).unwrap_or(hi.clone());
        self.over = upto == hi;
        Ok(Some((self.after.replace(upto.clone()), upto)))
    }
}

/// The generation, if it has images; by default the newest one that has.
async fn newest(
    images: &Images,
    dialect: &dyn Dialect,
    session: &mut dyn Session,
    wanted: Option<u32>,
) -> crate::target::Result<Option<u32>> {
    let Some(wanted) = wanted else {
        return Ok(number(session.query(&images.newest_generation()).await?));
    };
    let any = session.query(&images.last_key(dialect, wanted)).await?;
    Ok(Some(wanted).filter(|_| !any.is_empty()))
}

/// The key in the first row, where it is one.
fn key(rows: Vec<Vec<Option<String>>>) -> Option<Key> {
    rows.into_iter().next()?.into_iter().collect::<Option<Vec<_>>>().map(Key)
}

/// The number in the first row, where it is one.
fn number(rows: Vec<Vec<Option<String>>>) -> Option<u32> {
    rows.into_iter().flatten().flatten().next()?.parse().ok()
}

/// Removes the images that are older than `keep`, in short transactions, until somebody asks to
/// leave. Returns how many.
///
/// # Errors
///
/// The target fails.
pub async fn expire(
    target: &dyn Target,
    images: &Images,
    keep: Duration,
    stop: &Stop,
) -> Result<u64, Error> {
    let mut session = target.open("expiry").await.map_err(Error::Connect)?;
    let removed = remove(target, images, keep.as_secs(), session.as_mut(), stop).await;
    session.close().await;
    removed.map_err(Error::Connect)
}

async fn remove(
    target: &dyn Target,
    images: &Images,
    seconds: u64,
    session: &mut dyn Session,
    stop: &Stop,
) -> crate::target::Result<u64> {
    let dialect = target.dialect();
    let (mut removed, mut last) = (0, 0);
    while let Some(generation) = number(session.query(&images.next_generation(last)).await?) {
        last = generation;
        if session.query(&images.any_older(dialect, generation, seconds)).await?.is_empty() {
            continue;
        }
        plan::add_key(dialect, session, images).await?;
        let mut windows = Windows::of(images, generation);
        while let Some((after, upto)) = windows.next(target, images, session).await? {
            if Level::Drain <= stop.level() {
                return Ok(removed);
            }
            let expire = images.expire(dialect, generation, seconds, after.as_ref(), &upto);
            session.begin().await?;
            match session.execute(&expire).await {
                Ok(rows) => removed += rows,
                Err(error) => {
                    // The first error is the one that matters.
                    let _ = session.rollback().await;
                    return Err(error);
                }
            }
            session.commit().await?;
        }
    }
    Ok(removed)
}
