//! Why a use case failed.

use crate::spec::SpecError;

/// Why a use case failed. The command line turns the variant into an exit code.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A spec or the config cannot be read.
    #[error("`{path}` cannot be read: {source}")]
    Unreadable {
        /// The file as it was named.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A spec or the config is wrong.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// What the gate was given is not what it needs.
    #[error("{0}")]
    Gate(String),
    /// `init` found a config.
    #[error("`{path}` is there already, and is left as it is; move it away, or edit it")]
    ConfigExists {
        /// The file.
        path: String,
    },
    /// `init` cannot write the config.
    #[error("`{path}` cannot be written: {source}")]
    ConfigUnwritable {
        /// The file.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The config names a variable that holds no token.
    #[error(
        "the environment variable `{variable}` {reason}, and `[control] token_env` in \
         `backstop.toml` names it as the place of the token of `POST /kill`; set it, for example \
         with `export {variable}=\"$(openssl rand -hex 32)\"`, or run without `--listen`"
    )]
    Token {
        /// The variable.
        variable: String,
        /// What is wrong with its value, in words that do not show it.
        reason: &'static str,
    },
    /// A kill file is there before the job begins.
    #[error(
        "job `{job}` does not begin: its kill file `{path}` is present{reason}, and kills every job \
         that watches it; find out who put it there and why, and remove it when the job may run"
    )]
    KillFile {
        /// The job.
        job: String,
        /// The file.
        path: String,
        /// Its reason in brackets, if it has one.
        reason: String,
    },
    /// The spec's URL cannot be resolved.
    #[error("{0}")]
    Url(String),
    /// The target cannot be reached or used.
    #[error("the target cannot be used: {0}")]
    Connect(crate::target::Error),
    /// The job cannot run.
    #[error(transparent)]
    Plan(#[from] crate::plan::Error),
    /// There is no plan for a handoff.
    #[error(transparent)]
    Handoff(#[from] crate::handoff::Error),
    /// Nobody consented to something that cannot be taken back.
    #[error("to {what} needs a person's consent: {why}; nothing was done")]
    NotPermitted {
        /// What.
        what: String,
        /// What is missing.
        why: String,
    },
    /// The journal knows no such handoff.
    #[error("the journal `{journal}` knows no handoff `{name}`{known}")]
    NoHandoff {
        /// The journal.
        journal: String,
        /// Its name.
        name: String,
        /// Those that it knows, with its own `; `.
        known: String,
    },
    /// A handoff cannot begin, or a command makes no sense for it now.
    #[error("{0}")]
    Handover(String),
    /// A kill of the handoff stands.
    #[error(
        "`{name}` was killed by {by}, and stays so until it is released: `backstop handoff release \
         {name} --reason TEXT`"
    )]
    HandoffKilled {
        /// The handoff.
        name: String,
        /// Who.
        by: String,
    },
    /// Its supervisor has to leave.
    #[error(transparent)]
    Supervise(#[from] crate::handoff::supervise::Error),
    /// A file of a handoff cannot be written.
    #[error("`{path}` cannot be written: {source}; nothing was started")]
    Ungenerated {
        /// The file or folder.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
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
    /// No row waits in quarantine.
    #[error(
        "no row of `{job}` waits in quarantine, so there is nothing to do; `backstop quarantine list \
         {job}` shows what became of those that did"
    )]
    NothingInQuarantine {
        /// The job.
        job: String,
    },
    /// No row of that key waits.
    #[error(
        "no row `{key}` of `{job}` waits in quarantine; `backstop quarantine list {job}` shows those \
         that do"
    )]
    NotInQuarantine {
        /// The job.
        job: String,
        /// The key, as it was named.
        key: String,
    },
    /// A row is about to be tried again.
    #[error(
        "the row {key} of `{job}` is about to be tried again, and may be written yet; let `backstop run \
         {spec_path}` come to its end, and release what is left then"
    )]
    InRetry {
        /// The job.
        job: String,
        /// The row.
        key: String,
        /// The spec's file.
        spec_path: String,
    },
    /// A setting cannot be changed so.
    #[error("{0}; nothing was changed")]
    Tune(String),
    /// A job cannot be undone.
    #[error("{0}; nothing was undone")]
    Undo(String),
    /// There is nothing in the target that could be halted.
    #[error(
        "there is no table {table} at {address}: no job with a fence has run there, or `[fence] \
         schema` names another place; nothing was halted"
    )]
    NoSwitch {
        /// The table.
        table: String,
        /// The target.
        address: String,
    },
    /// A runner's locks keep the target from being written.
    #[error(
        "the target was not halted: a lock in it is held ({0}). If that is a frozen runner, end its \
         process on its machine with `kill -9`: what it has in flight is rolled back; then call this \
         again, so that the job stays killed"
    )]
    Held(crate::target::Error),
    /// A halt of all jobs is left.
    #[error(
        "every job on {address} was halted by {by}, and that binds `{job}` as well; to lift it: \
         `backstop release --all --target URL_ENV --reason TEXT`"
    )]
    HaltStands {
        /// The job.
        job: String,
        /// Who halted.
        by: String,
        /// The target.
        address: String,
    },
    /// A latch of all jobs is left.
    #[error(
        "every job of this journal was killed by {by}, and that binds `{job}` as well; to lift it: \
         `backstop release --all --reason TEXT`"
    )]
    LatchStands {
        /// The job.
        job: String,
        /// Who killed.
        by: String,
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
