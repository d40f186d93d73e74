//! The integration tests: one binary, most of it data.
//!
//! `tests/run` starts the servers and calls this. A test that needs a server fails without one.

mod architecture;
mod bad_input;
mod cases;
mod database;
mod docs;
mod going_wrong;
mod harness;
mod jobs;
mod journal;
mod observing;
mod poolers;
mod real_input;
mod stopping;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};

/// How long each test took, for the list at the end.
static TIMES: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

/// A test that notes how long it took.
pub fn test(name: impl Into<String>, f: impl FnOnce() + Send + 'static) -> Trial {
    let name = name.into();
    let noted = name.clone();
    Trial::test(name, move || {
        let started = Instant::now();
        f();
        TIMES.lock().unwrap().push((started.elapsed(), noted));
        Ok::<(), Failed>(())
    })
}

fn main() {
    let mut arguments = Arguments::from_args();
    // Most tests wait for a server or a pause more than they compute.
    arguments.test_threads.get_or_insert(4);
    // The longest first, so that the others fill the time beside them.
    let trials = [
        real_input::trials(),
        docs::trials(),
        architecture::trials(),
        bad_input::trials(),
        cases::trials(),
        going_wrong::trials(),
        jobs::trials(),
        journal::trials(),
        observing::trials(),
        poolers::trials(),
        stopping::trials(),
    ];
    let conclusion = libtest_mimic::run(&arguments, trials.into_iter().flatten().collect());

    let mut times = TIMES.lock().unwrap().clone();
    times.sort_by(|a, b| b.cmp(a));
    println!("the slowest ten:");
    for (time, name) in times.iter().take(10) {
        println!("  {:7.2} s  {name}", time.as_secs_f64());
    }
    conclusion.exit();
}
