//! Progress on a terminal. indicatif only draws: rate, ratio and time left are ours, because its
//! own estimate says "0 s" of a job that stands still.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use jiff::Timestamp;

use super::Watched;
use super::lines::line;
use super::screen::{self, Screen};
use super::ticker::Ticker;
use crate::event::{Event, Listener, Record};
use crate::report::{count, status_line};

/// Redraws per second: more only costs processor time that the database may want.
const REDRAWS_PER_SECOND: u8 = 4;

/// The time between two looks at the job. A little longer than the redraw limit, so that what is
/// seen is also drawn.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Steps of the bar.
const STEPS: u64 = 1000;

/// A line for the whole job and one for each worker.
pub struct Bars {
    drawing: Arc<Drawing>,
    _ticker: Ticker,
}

struct Drawing {
    watched: Watched,
    all: MultiProgress,
    drawn: Mutex<Drawn>,
}

struct Drawn {
    total: ProgressBar,
    workers: BTreeMap<u32, ProgressBar>,
    ended: bool,
}

impl Bars {
    /// Bars on stderr, for `watched`, which must hear of every event before this listener.
    #[must_use]
    pub fn new(watched: Watched) -> Self {
        let all = MultiProgress::with_draw_target(Screen::stderr(REDRAWS_PER_SECOND));
        let total = all.add(ProgressBar::new(STEPS));
        total.set_style(style("{bar:24.cyan} {msg}"));
        let drawn = Mutex::new(Drawn { total, workers: BTreeMap::new(), ended: false });
        let drawing = Arc::new(Drawing { watched, all, drawn });
        let ticked = Arc::clone(&drawing);
        let ticker = Ticker::every(LOOK_EVERY, move || ticked.draw(&mut ticked.lock()));
        Self { drawing, _ticker: ticker }
    }

    /// Prints a line above the bars, or where there are none yet, or no more, below what is there.
    pub fn say(&self, line: &str) {
        let drawn = self.drawing.lock();
        let begun = self.drawing.watched.view().started.is_some();
        if !begun || drawn.ended || self.drawing.all.is_hidden() {
            screen::write(line);
        } else {
            let _ = self.drawing.all.println(line);
        }
    }
}

impl Drawing {
    fn lock(&self) -> MutexGuard<'_, Drawn> {
        self.drawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, drawn: &mut Drawn) {
        let view = self.watched.view();
        if drawn.ended || view.started.is_none() {
            return;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a ratio of 0 to 1 times a thousand"
        )]
        drawn.total.set_position((view.ratio().unwrap_or(0.0) * STEPS as f64) as u64);
        drawn.total.set_message(status_line(&view, Timestamp::now()));
        let mut newest: BTreeMap<u32, String> = BTreeMap::new();
        for (id, range) in view.ranges.iter().filter(|(_, range)| !range.done) {
            if let (Some(worker), Some(cursor)) = (range.worker, &range.cursor) {
                let rows = count(range.next_rows);
                let text =
                    format!("worker {worker}: range {id} at {cursor}, next batch {rows} rows");
                newest.insert(worker, text);
            }
        }
        // One worker has nothing to add to the line of the whole.
        if view.started.as_ref().is_some_and(|started| 1 < started.workers) {
            for (worker, text) in newest {
                let bar = drawn.workers.entry(worker).or_insert_with(|| {
                    let bar = self.all.add(ProgressBar::new(1));
                    bar.set_style(style("  {msg:.dim}"));
                    bar
                });
                bar.set_message(text);
            }
        }
    }
}

impl Drop for Bars {
    /// A run that fails says so below the bars.
    fn drop(&mut self) {
        if self.drawing.watched.view().started.is_some() {
            self.drawing.lock().end();
        }
    }
}

impl Drawn {
    /// Takes the workers' lines away, leaves that of the whole, and goes below it.
    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        for bar in self.workers.values() {
            bar.finish_and_clear();
        }
        self.total.abandon();
        if !self.total.is_hidden() {
            screen::write("");
        }
    }
}

impl Listener for Bars {
    fn on(&self, record: &Record) {
        if let Event::Asked { .. } | Event::BatchRetried { .. } | Event::RowQuarantined { .. } =
            record.event
            && let Some(line) = line(&record.event)
        {
            self.say(&line);
        }
        let mut drawn = self.drawing.lock();
        // Batches come faster than anybody can read: the ticker shows them.
        if !matches!(record.event, Event::BatchDone { .. } | Event::RangeOpened { .. }) {
            self.drawing.draw(&mut drawn);
        }
        if matches!(record.event, Event::Ended { .. }) {
            drawn.end();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are literals of this file; one that did not parse would show the default bar.
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("━╸─")
}
