//! The loop: workers take ranges and walk them window by window.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::read::{read_count, read_key};
use super::shape::{Applied, Shape, Window};
use super::{Error, PING_EVERY, Run, error};
use crate::control::{Ask, Level, Source};
use crate::event::{Event, Phase};
use crate::keyspace::{Range, Sizer};
use crate::plan::Pause;
use crate::target::{Class, Session};

/// A batch is tried this many times before its error counts as lasting: about two minutes of an
/// application that holds the same rows.
const ATTEMPTS: u32 = 20;

/// The wait before the first retry; it doubles each time, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// The ranges that nobody walks yet.
struct Queue {
    ranges: Mutex<VecDeque<Range>>,
    workers: AtomicU32,
    /// Ranges that are not walked to their end.
    open: AtomicU32,
}

/// Walks all ranges that are not done. Returns whether it was told to leave before their end.
pub(super) async fn walk(
    run: &Arc<Run>,
    shape: Arc<dyn Shape>,
    ranges: Vec<Range>,
) -> Result<bool, Error> {
    for range in &ranges {
        run.bus.emit(Event::RangeOpened {
            phase: shape.phase(),
            range: range.id,
            rows_scanned: range.rows_scanned,
            rows_changed: range.rows_changed,
            batches: range.batches,
            cursor: range.cursor.as_ref().map(|key| run.plan.show_key(key)),
            done: range.done,
        });
    }
    let open: VecDeque<Range> = ranges.into_iter().filter(|range| !range.done).collect();
    let crew = open.len().min(run.plan.pace.workers as usize);
    let ranges_open = AtomicU32::new(u32::try_from(open.len()).unwrap_or(u32::MAX));
    let queue =
        Arc::new(Queue { ranges: Mutex::new(open), workers: AtomicU32::new(0), open: ranges_open });
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..crew {
        run.lifecycle.enter();
        tasks.spawn(work(Arc::clone(run), Arc::clone(&shape), Arc::clone(&queue)));
    }
    let mut first_error = None;
    while let Some(joined) = tasks.join_next().await {
        let result = joined.unwrap_or_else(|panic| Err(Error::Worker(panic.to_string())));
        if let Err(error) = result
            && first_error.is_none()
        {
            run.stop.ask(error::drain_because(&error));
            first_error = Some(error);
        }
    }
    match first_error {
        Some(error) => Err(error),
        // A request that came when the last range had just ended changes nothing any more.
        None => Ok(0 < queue.open.load(Ordering::Relaxed)),
    }
}

async fn work(run: Arc<Run>, shape: Arc<dyn Shape>, queue: Arc<Queue>) -> Result<(), Error> {
    let number = queue.workers.fetch_add(1, Ordering::Relaxed);
    let result = async {
        let session = run.target.open(&format!("worker {number}")).await.map_err(Error::Session)?;
        let sizer = Sizer::new(run.plan.pace.target_time, run.plan.pace.max_rows);
        let mut worker = Worker { run: &run, shape: &*shape, session, sizer, number };
        let walked = worker.walk_ranges(&queue).await;
        worker.session.close().await;
        walked
    }
    .await;
    run.lifecycle.leave(&run.stop.present())?;
    result
}

struct Worker<'a> {
    run: &'a Run,
    shape: &'a dyn Shape,
    session: Box<dyn Session>,
    sizer: Sizer,
    number: u32,
}

impl Worker<'_> {
    async fn walk_ranges(&mut self, queue: &Queue) -> Result<(), Error> {
        loop {
            let next = queue.ranges.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(mut range) = next else { return Ok(()) };
            while !range.done {
                if !self.may_go_on().await? {
                    return Ok(());
                }
                let Some(batch) = self.batch(&mut range).await? else { return Ok(()) };
                self.run.rest(batch).await;
            }
            queue.open.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Waits while the job is paused; says whether to go on.
    async fn may_go_on(&mut self) -> Result<bool, Error> {
        while self.run.stop.level() == Level::Pause {
            self.run.lifecycle.park(&self.run.stop.present())?;
            while tokio::time::timeout(PING_EVERY, self.run.stop.unpaused()).await.is_err() {
                self.session.ping().await.map_err(Error::Session)?;
            }
            self.run.lifecycle.unpark(&self.run.stop.present())?;
        }
        Ok(self.run.stop.level() < Level::Drain)
    }

    /// One batch, tried again while its errors are passing ones. `None`: it was cancelled by
    /// request and rolled back.
    async fn batch(&mut self, range: &mut Range) -> Result<Option<Duration>, Error> {
        let mut attempt = 1;
        loop {
            match self.attempt(range).await {
                Ok((window, next, applied)) => {
                    self.sizer.observe(window.rows, applied.took);
                    self.record(range, next, &window, applied)?;
                    return Ok(Some(applied.took));
                }
                Err(Error::Target(error)) => match error.class {
                    Class::Cancelled if Level::Cancel <= self.run.stop.level() => return Ok(None),
                    Class::Cancelled => {
                        // Somebody on the server pulled a brake of their own: it is respected.
                        self.run.stop.ask(Ask {
                            level: Level::Pause,
                            source: Source::Server,
                            by: "somebody on the server".to_owned(),
                            reason: Some(format!("the batch was cancelled there: {error}")),
                        });
                        if !self.may_go_on().await? {
                            return Ok(None);
                        }
                    }
                    Class::Retry(reason) if attempt < ATTEMPTS => {
                        self.run.bus.emit(Event::BatchRetried {
                            range: range.id,
                            worker: self.number,
                            reason,
                            message: error.to_string(),
                            attempt,
                        });
                        self.sizer.back_off();
                        let wait = FIRST_WAIT * 2_u32.saturating_pow(attempt - 1);
                        self.run.wait(wait.min(LONGEST_WAIT)).await;
                        if !self.may_go_on().await? {
                            return Ok(None);
                        }
                        attempt += 1;
                    }
                    _ => return Err(self.explain(range, error)),
                },
                Err(error) => return Err(error),
            }
        }
    }

    /// Finds the window and applies the shape to it, ready to be cancelled at any moment.
    async fn attempt(&mut self, range: &Range) -> Result<(Window, Range, Applied), Error> {
        let brake = self.session.brake();
        let (run, shape, rows) = (self.run, self.shape, self.sizer.rows());
        let session = self.session.as_mut();
        run.braked(brake, async {
            let window = find_window(run, session, range, rows).await?;
            let next = after(range, &window);
            let started = Instant::now();
            let changed = shape.apply(run, session, &window, &next).await?;
            let applied = Applied { rows_changed: changed, took: started.elapsed() };
            Ok((window, next, applied))
        })
        .await
    }

    fn record(
        &self,
        range: &mut Range,
        mut next: Range,
        window: &Window,
        applied: Applied,
    ) -> Result<(), Error> {
        next.rows_changed = range.rows_changed + applied.rows_changed;
        if self.shape.phase() == Phase::Write {
            let job = &self.run.plan.spec.job.name;
            self.run.journal.checkpoint(job, self.run.generation, &next)?;
        }
        *range = next;
        self.run.bus.emit(Event::BatchDone {
            phase: self.shape.phase(),
            range: range.id,
            worker: self.number,
            rows_scanned: window.rows,
            rows_changed: applied.rows_changed,
            seconds: applied.took.as_secs_f64(),
            cursor: self.run.plan.show_key(&window.upto),
            next_rows: self.sizer.rows(),
            range_done: range.done,
        });
        Ok(())
    }

    fn explain(&self, range: &Range, cause: crate::target::Error) -> Error {
        let advice = match cause.class {
            Class::Lost => "; nothing is lost: run the job again when the server answers",
            Class::Retry(_) => "; it did not pass in several attempts: run the job again later",
            _ => "; earlier batches stay written: mend the cause and run the job again",
        };
        let from = range.position().map_or_else(
            || "at the beginning of the table".to_owned(),
            |key| format!("after {}", self.run.plan.show_key(key)),
        );
        Error::Batch { window: from, cause, advice }
    }
}

impl Run {
    /// The pause after a batch. No transaction is open here.
    async fn rest(&self, took: Duration) {
        match self.plan.pace.pause {
            Pause::None => {}
            Pause::AsLong => self.wait(took).await,
            Pause::Fixed(time) => self.wait(time).await,
        }
    }

    /// Sleeps, unless somebody asks to pause or to leave.
    async fn wait(&self, time: Duration) {
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            () = self.stop.reached(Level::Pause) => {}
        }
    }
}

/// The next `rows` rows of the range, or what is left of it.
async fn find_window(
    run: &Run,
    session: &mut dyn Session,
    range: &Range,
    rows: u64,
) -> Result<Window, Error> {
    let (dialect, statements) = (run.target.dialect(), &run.plan.statements);
    let position = range.position();
    let boundary = statements.boundary(dialect, position, &range.hi, rows);
    if let Some(mut row) = session.query(&boundary).await?.pop() {
        let past = row.pop().flatten();
        let key = read_key(&run.plan, row)?;
        if past.as_deref() == Some("0") {
            let last = key == range.hi;
            return Ok(Window { after: position.cloned(), upto: key, rows, last });
        }
    }
    let count = statements.count(dialect, position, &range.hi);
    let counted = session.query(&count).await?;
    let rows = read_count(&counted, 0)?;
    Ok(Window { after: position.cloned(), upto: range.hi.clone(), rows, last: true })
}

/// The range as it will be once the window is done, but for the rows changed.
fn after(range: &Range, window: &Window) -> Range {
    Range {
        cursor: Some(window.upto.clone()),
        batches: range.batches + 1,
        rows_scanned: range.rows_scanned + window.rows,
        done: window.last,
        ..range.clone()
    }
}
