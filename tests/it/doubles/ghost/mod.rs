//! A double of gh-ost 1.1.10, where no package source has the real one.
//!
//! It speaks the real one's protocol: arguments, lines on stdout and stderr, socket, flag files, the URL that
//! is asked, states, exit codes; and it does to the database what that does: its tables, its lock, its
//! comments, its cut-over, and what it leaves behind when it is ended. In two things it differs. It has no
//! replica's connection to the binary log: it finds the changes by comparing the two tables again and again,
//! at last under the cut-over's lock, so that it loses no row either. And a test can make it slow, by the
//! variables below.

mod copy;
mod cut_over;
mod database;
mod flags;
mod revert;
mod server;
mod state;
mod throttle;
mod validate;

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGPIPE, SIGQUIT};

use crate::harness::Desk;
use copy::Copy;
use database::Database;
use flags::Flags;
use state::Double;

/// The variable that makes a test binary a gh-ost.
pub const CALLED: &str = "BACKSTOP_TEST_AS_GH_OST";

/// For so many milliseconds the statement of each chunk runs on the server.
pub const CHUNK_MS: &str = "BACKSTOP_TEST_GH_OST_CHUNK_MS";
/// In place of `--checkpoint-seconds`, of which the least is 10.
pub const CHECKPOINT_MS: &str = "BACKSTOP_TEST_GH_OST_CHECKPOINT_MS";
/// In place of the 30 s after which a lost connection of its lock was seen to end it.
pub const LOCK_MS: &str = "BACKSTOP_TEST_GH_OST_LOCK_MS";
/// For so many milliseconds it looks at the server before it makes its tables.
pub const VALIDATE_MS: &str = "BACKSTOP_TEST_GH_OST_VALIDATE_MS";

/// Puts a `gh-ost` into `bin` of a desk, and returns its path: the real one where the environment names one
/// (`BACKSTOP_TEST_GH_OST`), else this double, with these variables.
pub fn put(desk: &Desk, variables: &[(&str, &str)]) -> PathBuf {
    let mut script = "#!/bin/sh\n".to_owned();
    let program = match std::env::var("BACKSTOP_TEST_GH_OST") {
        Ok(real) => real,
        Err(_) => {
            for (name, value) in [(CALLED, "1")].iter().chain(variables) {
                script += &format!("export {name}={value}\n");
            }
            std::env::current_exe().expect("this program").display().to_string()
        }
    };
    desk.write("bin/gh-ost", &format!("{script}exec '{program}' \"$@\"\n"));
    let path = desk.path("bin/gh-ost");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
    path
}

/// Milliseconds that a test has set.
fn milliseconds(name: &str) -> Option<Duration> {
    std::env::var(name).ok().map(|text| Duration::from_millis(text.parse().expect("milliseconds")))
}

/// Whether this process is to be one.
pub fn is_called() -> bool {
    std::env::var_os(CALLED).is_some()
}

/// Is one.
pub fn run() {
    let flags = match Flags::read(std::env::args().skip(1)) {
        Ok(flags) => flags,
        Err(wrong) => {
            log(&format!("{wrong}\nUsage of gh-ost:"));
            std::process::exit(2);
        }
    };
    if flags.is("version") {
        return say("1.1.10 (git commit: double)");
    }
    if flags.is("help") {
        return say("Usage of gh-ost:");
    }
    hear_signals();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(migrate(&Arc::new(Double::new(flags))));
    std::process::exit(0);
}

/// SIGHUP reloads its settings, of which there are none here; SIGQUIT ends it as Go's runtime does. The others
/// have no handler.
fn hear_signals() {
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGQUIT]).expect("signals");
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if signal == SIGQUIT {
                log("SIGQUIT: quit\n\ngoroutine 1 [select]:");
                std::process::exit(2);
            }
        }
    });
}

/// A line on stdout.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).is_err() {
        die_of_the_pipe();
    }
}

/// A line on stderr.
fn log(line: &str) {
    if std::io::stderr().write_all(format!("{line}\n").as_bytes()).is_err() {
        die_of_the_pipe();
    }
}

/// Go lets SIGPIPE end a program that writes to a broken stdout or stderr; Rust ignores it.
fn die_of_the_pipe() -> ! {
    let _ = signal_hook::low_level::emulate_default_handler(SIGPIPE);
    std::process::abort();
}

/// The migration, from its beginning to its end.
async fn migrate(double: &Arc<Double>) {
    let mut applier = match Database::connect(double).await {
        Ok(applier) => applier,
        Err(error) => double.fatal(&error),
    };
    let shape = validate::all(double, &mut applier).await;
    let keeper = validate::lock(double).await;
    if double.reverts() {
        revert::tables(double, &mut applier).await;
    } else {
        validate::tables(double, &mut applier, &shape).await;
    }
    tokio::spawn(validate::keep_lock(double.clone(), keeper));
    double.touch_postpone_file();
    let shape = shape.with_copy(double, &mut applier).await;
    let mut copy = Copy::new(double.clone(), applier, shape);
    if !double.flags.is("execute") {
        copy.drop_tables(&["gho", "ghc", "ghk"]).await;
        double.hint_and_status();
        return say("# Done");
    }
    if double.flags.is("resume") {
        copy.take_up().await;
    }
    if double.reverts() {
        revert::look(&mut copy).await;
    }
    server::serve(double).await;
    if !double.reverts() {
        copy.count().await;
    }
    throttle::begin(double).await;
    state::begin_status(double).await;
    if !double.reverts() {
        copy.all().await;
    }
    double.copied_all();
    cut_over::until_done(&mut copy).await;
    if double.flags.is("checkpoint") && !double.reverts() {
        revert::note_cut_over(&mut copy).await;
    }
    // The table with the checkpoints stays for `--revert`, as the old table does.
    copy.drop_tables(&["ghc"]).await;
    double.remove_socket();
    say("# Done");
}
