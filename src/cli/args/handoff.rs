//! The arguments of `backstop handoff`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};

use super::{Progress, parse_interval, parse_linger, parse_query_limit, parse_setting};

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HandoffArgs {
    #[command(subcommand)]
    pub command: HandoffCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum HandoffCommand {
    /// Decide how one ALTER TABLE is made on a live table, with the command and every reason why not
    Plan(HandoffPlanArgs),
    /// Plan it, start it, and watch over it; or take up one whose supervisor is gone
    Run(HandoffRunArgs),
    /// Put back the old table of a handoff of gh-ost that is done, with all that was written since
    Revert(HandoffRevertArgs),
    /// Show how far a handoff is; without a name, all of them
    Status(HandoffStatusArgs),
    /// Make it wait; pt-online-schema-change's triggers go on writing to its copy
    Pause(HandoffVerbArgs),
    /// Let it go on
    Resume(HandoffVerbArgs),
    /// Change a setting while it runs, such as `chunk_size=500` or `max_lag=1s`
    Tune(HandoffTuneArgs),
    /// Put the new table in the place of the old, once nobody holds it and both are equal
    CutOver(HandoffCutOverArgs),
    /// End it where it leaves the least behind
    Stop(HandoffVerbArgs),
    /// End it at once, and show that no session, lock or trigger of it is left; it stays so
    Kill(HandoffVerbArgs),
    /// Lift a kill
    Release(HandoffReleaseArgs),
    /// Show what a handoff left behind, and remove it in the only safe order
    Cleanup(HandoffCleanupArgs),
}

/// What every plan is asked for.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PlannedArgs {
    /// The migration: one ALTER TABLE, and settings before it
    #[arg(value_name = "MIGRATION.sql")]
    pub file: PathBuf,
    /// The environment variable that holds the URL of the primary
    #[arg(long, value_name = "URL_ENV")]
    pub target: String,
    /// How many replicas there are: one that is not seen is then noticed
    #[arg(long, value_name = "N")]
    pub replicas: Option<u32>,
    /// Take this tool, also where the server could do it by itself
    #[arg(long, value_enum)]
    pub tool: Option<ToolName>,
    /// The file with user and password in its section `client`, for the tool; by default `~/.my.cnf`
    #[arg(long, value_name = "FILE")]
    pub defaults_file: Option<PathBuf>,
    /// The longest that each query may look for rows that the change would lose
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = parse_query_limit)]
    pub query_limit: std::time::Duration,
    /// Try what the server would do by itself on an empty copy of the table, which is dropped again
    #[arg(long)]
    pub prove: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HandoffPlanArgs {
    #[command(flatten)]
    pub planned: PlannedArgs,
    /// Write the command, a runbook and the clean-up plan into the folder of `--out`
    #[arg(long, requires = "out")]
    pub generate_only: bool,
    /// The folder; its files must not be there yet
    #[arg(long, value_name = "DIR", requires = "generate_only")]
    pub out: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// An online-DDL tool, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ToolName {
    /// It follows the table by the binary log
    GhOst,
    /// It follows the table by triggers
    PtOnlineSchemaChange,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HandoffRunArgs {
    #[command(flatten)]
    pub planned: PlannedArgs,
    #[command(flatten)]
    pub watched: WatchedArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HandoffRevertArgs {
    /// The name of the handoff that is taken back, or its migration
    #[arg(value_name = "HANDOFF")]
    pub handoff: String,
    /// The environment variable that holds the URL of the primary; by default that of the handoff
    #[arg(long, value_name = "URL_ENV")]
    pub target: Option<String>,
    /// How many replicas there are: one that is not seen is then noticed
    #[arg(long, value_name = "N")]
    pub replicas: Option<u32>,
    /// The file with user and password in its section `client`, for gh-ost; by default that of the handoff
    #[arg(long, value_name = "FILE")]
    pub defaults_file: Option<PathBuf>,
    /// The longest that each query may look for rows that do not fit the old table
    #[arg(long, value_name = "TIME", default_value = "1m", value_parser = parse_query_limit)]
    pub query_limit: std::time::Duration,
    #[command(flatten)]
    pub watched: WatchedArgs,
}

/// How a run is watched over.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct WatchedArgs {
    /// Permit the cut-over together with the start: it follows when table and copy are equal, nobody holds
    /// the table, and the window is open
    #[arg(long)]
    pub cut_over: bool,
    #[command(flatten)]
    pub consent: ConsentArgs,
    /// The folder of the tool's output, its socket and its flag files; by default that of temporary files
    #[arg(long, value_name = "DIR")]
    pub files: Option<PathBuf>,
    /// Serve `/metrics`, `/healthz` and `POST /kill` at this address, for example 127.0.0.1:9187
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// With `--listen`: stay at most this long after the end, until the last state was scraped
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_linger)]
    pub linger: std::time::Duration,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub progress: Progress,
    /// The time between two lines of plain progress
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_interval)]
    pub progress_interval: std::time::Duration,
    /// Measure no stall: no canary reads and writes the table
    #[arg(long)]
    pub no_canary: bool,
}

/// How a person consents to what cannot be taken back.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ConsentArgs {
    /// Consent without typing the table's name; needs `--reason`
    #[arg(long, requires = "reason")]
    pub yes: bool,
    /// Why, for the log and for those who come after you
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HandoffStatusArgs {
    /// The handoff's name, or its migration
    #[arg(value_name = "HANDOFF")]
    pub handoff: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print again every second, until it has ended
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HandoffVerbArgs {
    /// The handoff's name, or its migration
    #[arg(value_name = "HANDOFF")]
    pub handoff: String,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HandoffTuneArgs {
    /// The handoff's name, or its migration
    #[arg(value_name = "HANDOFF")]
    pub handoff: String,
    /// What to change; a wrong name is answered with those that the tool knows
    #[arg(value_name = "NAME=VALUE", required = true, value_parser = parse_setting)]
    pub settings: Vec<(String, String)>,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HandoffCutOverArgs {
    /// The handoff's name, or its migration
    #[arg(value_name = "HANDOFF")]
    pub handoff: String,
    #[command(flatten)]
    pub consent: ConsentArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct HandoffReleaseArgs {
    /// The handoff's name, or its migration
    #[arg(value_name = "HANDOFF")]
    pub handoff: String,
    /// Why it may run again, for those who come after you
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
pub(in crate::cli) struct HandoffCleanupArgs {
    /// The handoff's name, or its migration
    #[arg(value_name = "HANDOFF")]
    pub handoff: String,
    /// Only show what is left, and in which order it would be removed
    #[arg(long, conflicts_with_all = ["rename_old", "drop_old"])]
    pub dry_run: bool,
    /// Give the old table a name that says what it is, and nothing else
    #[arg(long, conflicts_with = "drop_old")]
    pub rename_old: bool,
    /// Drop the old table, which was renamed before: the way back is gone with it
    #[arg(long)]
    pub drop_old: bool,
    #[command(flatten)]
    pub consent: ConsentArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
