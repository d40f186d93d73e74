//! The arguments of `backstop quarantine`.

use clap::{Subcommand, ValueEnum};

use super::ShownArgs;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct QuarantineArgs {
    #[command(subcommand)]
    pub command: QuarantineCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum QuarantineCommand {
    /// Show the rows, why each cannot be written, and what became of it; the newest last
    List(ListArgs),
    /// Write the rows that wait, once they or the spec are mended, and go on to the end as `run` does
    Retry(RetryArgs),
    /// Give rows up: they stay as they are, and the job can be completed without them
    Release(ReleaseRowsArgs),
    /// Print all that is known of the rows, with their values when they failed
    Export(ExportArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ListArgs {
    /// The job's name, or its spec
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct RetryArgs {
    /// The job's spec, or its name, where the spec is still the file that it was run with
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Only the row of this key, as `list` shows it: `id=5`, or `5`; by default all that wait
    #[arg(long, value_name = "KEY")]
    pub key: Vec<String>,
    /// Go on although the spec has changed since the job began
    #[arg(long)]
    pub accept_changed_spec: bool,
    /// End the runner that has the job, also one that is frozen or cut off, and go on in its place
    #[arg(long)]
    pub take_over: bool,
    #[command(flatten)]
    pub shown: ShownArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ReleaseRowsArgs {
    /// The job's name, or its spec
    #[arg(value_name = "JOB")]
    pub job: String,
    /// The row of this key, as `list` shows it: `id=5`, or `5`
    #[arg(long, value_name = "KEY", required_unless_present = "all", conflicts_with = "all")]
    pub key: Vec<String>,
    /// Every row that waits
    #[arg(long)]
    pub all: bool,
    /// Why they may stay as they are, for those who come after you
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExportArgs {
    /// The job's name, or its spec
    #[arg(value_name = "JOB")]
    pub job: String,
    /// How it is written
    #[arg(long, value_enum, default_value_t = ExportFormat::Json)]
    pub format: ExportFormat,
}

/// How rows in quarantine are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ExportFormat {
    /// A list of objects
    Json,
    /// A line for each row; its values are a column of JSON
    Csv,
}
