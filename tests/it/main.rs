//! The integration tests: one binary, most of it data.
//!
//! `tests/run` starts the servers and calls this. A test that needs a server fails without one.

mod afterwards;
mod architecture;
mod asking;
mod bad_input;
mod cases;
mod checking;
mod claiming;
mod config;
mod controls;
mod convergence;
mod cost;
mod crashing;
mod database;
mod docs;
mod doubles;
mod durability;
mod effects;
mod endurance;
mod errors;
mod fencing;
mod gate;
mod generated;
mod going_wrong;
mod handoff;
mod harness;
mod jobs;
mod journal;
mod keys;
mod killing;
mod lagging;
mod many_files;
mod model;
mod neighbour;
mod observing;
mod outages;
mod own_server;
mod poolers;
mod progress;
mod quarantine;
mod real_input;
mod relay;
mod replays;
mod replicas;
mod replicating;
mod rights;
mod scripts;
mod sharing;
mod signals;
mod sizing;
mod stopping;
mod taking_over;
mod throttling;
mod time_to_stop;
mod tuning;
mod undoing;
mod verifying;
mod wire;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::harness::patience;

/// How long each test took, for the list at the end.
static TIMES: Mutex<Vec<(Duration, String)>> = Mutex::new(Vec::new());

/// A test that notes how long it took, and fails if it hangs: whatever it waits for is left behind,
/// and the others go on.
pub fn test(name: impl Into<String>, f: impl FnOnce() + Send + 'static) -> Trial {
    let name = name.into();
    let noted = name.clone();
    Trial::test(name, move || {
        let started = Instant::now();
        let (ended, end) = channel();
        std::thread::spawn(move || {
            let _ = ended.send(catch_unwind(AssertUnwindSafe(f)));
        });
        let outcome = end
            .recv_timeout(patience())
            .map_err(|_| Failed::from(format!("it did not end within {:?}", patience())))?;
        TIMES.lock().unwrap().push((started.elapsed(), noted));
        outcome.unwrap_or_else(|panic| resume_unwind(panic));
        Ok::<(), Failed>(())
    })
}

fn main() {
    if crashing::is_child() {
        return crashing::live_and_die();
    }
    if doubles::ghost::is_called() {
        return doubles::ghost::run();
    }
    let mut arguments = Arguments::from_args();
    // Most tests wait for a server or a pause more than they compute.
    arguments.test_threads.get_or_insert(4);
    // The longest first, so that the others fill the time beside them.
    let trials = [
        real_input::trials(),
        crashing::trials(),
        model::trials(),
        rights::trials(),
        endurance::trials(),
        outages::trials(),
        fencing::trials(),
        keys::trials(),
        time_to_stop::trials(),
        afterwards::trials(),
        throttling::trials(),
        docs::trials(),
        durability::trials(),
        effects::trials(),
        errors::trials(),
        architecture::trials(),
        bad_input::trials(),
        cases::trials(),
        config::trials(),
        controls::trials(),
        checking::trials(),
        many_files::trials(),
        claiming::trials(),
        convergence::trials(),
        cost::trials(),
        gate::trials(),
        generated::trials(),
        going_wrong::trials(),
        handoff::trials(),
        jobs::trials(),
        journal::trials(),
        neighbour::trials(),
        killing::trials(),
        lagging::trials(),
        observing::trials(),
        poolers::trials(),
        progress::trials(),
        quarantine::trials(),
        replays::trials(),
        replicating::trials(),
        scripts::trials(),
        sharing::trials(),
        signals::trials(),
        sizing::trials(),
        stopping::trials(),
        taking_over::trials(),
        tuning::trials(),
        undoing::trials(),
        verifying::trials(),
        wire::trials(),
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
