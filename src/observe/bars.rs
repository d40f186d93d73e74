//! Progress on a terminal. indicatif only draws: rate, ratio and time left are ours, because its
//! own estimate says "0 s" of a job that stands still.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Watched;
use super::lines::line;
use crate::event::{Event, Listener, Record};
use crate::report::{count, status_line};

/// Redraws per second: more only costs processor time that the database may want.
const REDRAWS_PER_SECOND: u8 = 4;

/// Steps of the bar.
const STEPS: u64 = 1000;

/// A line for the whole job and one for each worker.
pub struct Bars {
    watched: Watched,
    all: MultiProgress,
    drawn: Mutex<Drawn>,
}

struct Drawn {
    total: ProgressBar,
    workers: BTreeMap<u32, ProgressBar>,
    at: Option<Instant>,
}

impl Bars {
    /// Bars on stderr, for `watched`, which must hear of every event before this listener.
    #[must_use]
    pub fn new(watched: Watched) -> Self {
        let target = ProgressDrawTarget::stderr_with_hz(REDRAWS_PER_SECOND);
        let all = MultiProgress::with_draw_target(target);
        let total = all.add(ProgressBar::new(STEPS));
        total.set_style(style("{bar:24.cyan} {msg}"));
        Self {
            watched,
            all,
            drawn: Mutex::new(Drawn { total, workers: BTreeMap::new(), at: None }),
        }
    }

    /// Prints a line above the bars.
    pub fn say(&self, line: &str) {
        let _ = self.all.println(line);
    }

    fn draw(&self, drawn: &mut Drawn) {
        let view = self.watched.view();
        drawn.at = Some(Instant::now());
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a ratio of 0 to 1 times a thousand"
        )]
        drawn.total.set_position((view.ratio().unwrap_or(0.0) * STEPS as f64) as u64);
        drawn.total.set_message(status_line(&view));
        let mut newest: BTreeMap<u32, String> = BTreeMap::new();
        for (id, range) in view.ranges.iter().filter(|(_, range)| !range.done) {
            if let (Some(worker), Some(cursor)) = (range.worker, &range.cursor) {
                newest.insert(
                    worker,
                    format!(
                        "worker {worker}: range {id} at {cursor}, next batch {} rows",
                        count(range.next_rows)
                    ),
                );
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

impl Drawn {
    /// Takes the workers' lines away, and leaves that of the whole.
    fn end(&self) {
        for bar in self.workers.values() {
            bar.finish_and_clear();
        }
        self.total.abandon();
    }
}

impl Listener for Bars {
    fn on(&self, record: &Record) {
        let mut drawn = self.drawn.lock().unwrap_or_else(PoisonError::into_inner);
        if let Event::Asked { .. } | Event::BatchRetried { .. } = record.event
            && let Some(line) = line(&record.event)
        {
            self.say(&line);
        }
        let period = Duration::from_millis(1000 / u64::from(REDRAWS_PER_SECOND));
        let routine = matches!(record.event, Event::BatchDone { .. });
        if !routine || drawn.at.is_none_or(|at| period <= at.elapsed()) {
            self.draw(&mut drawn);
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
