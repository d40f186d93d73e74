//! The command line: one file a command, and no decisions of its own.

mod args;
mod check;
mod command;
mod demo;
mod exit;
mod explain;
mod grants;
mod handoff;
mod init;
mod kill;
mod plan;
mod printer;
mod quarantine;
mod run;
mod schema;
mod spool;
mod status;
mod tune;
mod undo;
mod verify;

use std::process::ExitCode;

use clap::Parser;

pub use args::reference;
use args::{Args, Command};
use exit::{Exit, Failure};

/// Parses the arguments, runs the command, and says how it went.
#[must_use]
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // clap knows best whether this is help for stdout or an error for stderr.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    match dispatch(args) {
        Ok(exit) => exit.into(),
        Err(Failure { exit, message }) => {
            printer::error(&message);
            exit.into()
        }
    }
}

fn dispatch(args: Args) -> Result<Exit, Failure> {
    let state = args.state.as_deref();
    match args.command {
        Command::Demo(args) => demo::demo(&args),
        Command::Plan(args) if args.grants => grants::grants(&args.spec, args.json),
        Command::Init => init::init(),
        Command::Plan(args) => plan::plan(&args),
        Command::Run(args) => run::run(&args, state),
        Command::Verify(args) => verify::verify(&args, state),
        Command::Status(args) => status::status(&args, state),
        Command::Pause(args) => command::command(crate::journal::Action::Pause, &args, state),
        Command::Resume(args) => command::command(crate::journal::Action::Resume, &args, state),
        Command::Stop(args) => command::command(crate::journal::Action::Stop, &args, state),
        Command::Kill(args) => kill::kill(&args, state),
        Command::Release(args) => kill::release(&args, state),
        Command::Undo(args) => undo::undo(&args, state),
        Command::Tune(args) => tune::tune(&args, state),
        Command::Quarantine(args) => quarantine::quarantine(args.command, state),
        Command::Check(args) => check::check(&args, state),
        Command::Handoff(args) => handoff::handoff(&args, state),
        Command::Explain(args) => explain::explain(&args),
        Command::Schema(args) => Ok(schema::schema(&args)),
    }
}

/// Runs the work of a job. Whoever is asked in a thread of its own (a URL, a file system) cannot be
/// interrupted there; that is not waited for, because the person who kills waits.
fn run_job<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = runtime()?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// The runtime of a command that talks to databases. Two threads carry every worker: they wait for
/// servers and hardly compute.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::usage(format!("the runtime cannot be started: {error}")))
}
