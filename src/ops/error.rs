//! Why a use case failed.

use crate::spec::SpecError;

/// Why a use case failed. The command line turns the variant into an exit code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The spec's file cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    SpecFile {
        /// The file as it was named.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The spec is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The spec's URL cannot be resolved.
    #[error("{0}")]
    Url(String),
    /// The target cannot be reached or used.
    #[error("the target cannot be used: {0}")]
    Connect(crate::target::Error),
    /// The job cannot run.
    #[error(transparent)]
    Plan(#[from] crate::plan::Error),
    /// The run could not begin; nothing was written.
    #[error(transparent)]
    Begin(crate::run::Error),
    /// The run could not be brought to its end.
    #[error(transparent)]
    Run(crate::run::Error),
    /// The journal cannot be used.
    #[error(transparent)]
    Journal(#[from] crate::journal::Error),
    /// There is no journal.
    #[error(
        "no journal found; looked at {looked_at}. Go to the directory that the job was started from, \
         or name its journal with `--state PATH`"
    )]
    NoJournal {
        /// The places.
        looked_at: String,
    },
    /// The journal does not know the job.
    #[error("the journal `{journal}` knows no job `{job}`{known}")]
    NoJob {
        /// The journal.
        journal: String,
        /// The job.
        job: String,
        /// The jobs that it knows, with its own `; `.
        known: String,
    },
    /// A command makes no sense in the job's state.
    #[error("job `{job}` is {state}: there is nothing to {action}{advice}")]
    NothingTo {
        /// The job.
        job: String,
        /// Its state, in words.
        state: String,
        /// The command.
        action: &'static str,
        /// What to do instead, with its own `; `.
        advice: String,
    },
    /// The demo's folder cannot be used.
    #[error("the demo cannot be made in `{path}`: {reason}; name another folder with `--dir`")]
    Demo {
        /// The folder.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
}
