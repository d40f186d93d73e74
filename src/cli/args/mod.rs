//! The arguments: what the user said, and no more.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{CommandFactory as _, Parser, Subcommand, ValueEnum};

mod handoff;
mod quarantine;

pub(in crate::cli) use handoff::{
    ConsentArgs, HandoffArgs, HandoffCleanupArgs, HandoffCommand, HandoffCutOverArgs,
    HandoffPlanArgs, HandoffReleaseArgs, HandoffRevertArgs, HandoffRunArgs, HandoffStatusArgs,
    HandoffTuneArgs, HandoffVerbArgs, PlannedArgs, ToolName, WatchedArgs,
};
pub(in crate::cli) use quarantine::{
    ExportArgs, ExportFormat, ListArgs, QuarantineArgs, QuarantineCommand, ReleaseRowsArgs,
    RetryArgs,
};

/// Backfills you can stop.
#[derive(Debug, Parser)]
#[command(name = "backstop", version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub(in crate::cli) struct Args {
    /// The journal; by default `.backstop/journal.db`, looked for upward from the working
    /// directory, then in the XDG state directory.
    #[arg(long, value_name = "PATH", global = true)]
    pub state: Option<PathBuf>,

    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  done: verified, or completed with nothing to verify
  1  the answer is no: verification failed, rows left in quarantine, nothing to pause or stop,
     not everything killed
  2  wrong use: bad arguments, bad spec, unreachable or unsuitable target; nothing was written
  3  stopped; run again to continue
  4  failed, killed, or taken over by another runner
  5  outcome unknown: the reply to a COMMIT was lost and the fence cannot be read";

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// Make a SQLite shop with a million orders and run a real job on it
    Demo(DemoArgs),
    /// Write a commented `backstop.toml` into the working directory
    Init,
    /// Show everything that will happen, and every reason why not; writes nothing
    Plan(PlanArgs),
    /// Run a job in the foreground; run it again to go on where it stopped
    Run(RunArgs),
    /// Only verify a job whose rows are written; writes nothing into the table
    Verify(VerifyArgs),
    /// Show what the journal knows of one job, or of all
    Status(StatusArgs),
    /// Let running jobs wait after the batch in flight
    Pause(CommandArgs),
    /// Let paused jobs go on
    Resume(CommandArgs),
    /// Let running jobs leave after the batch in flight
    Stop(CommandArgs),
    /// Cancel the batch in flight, and keep the job from running until it is released
    Kill(KillArgs),
    /// Lift a kill: the job may be run again, and goes on where it was
    Release(ReleaseArgs),
    /// Put back what a job has written, except where others have changed it since
    Undo(UndoArgs),
    /// Change settings of a job while it runs, from the next batch on
    Tune(TuneArgs),
    /// Rows that cannot be written: list them, try them again, give them up
    Quarantine(QuarantineArgs),
    /// Judge migrations: what they lock, rewrite and lose on tables of this size
    Check(CheckArgs),
    /// Give a schema change to gh-ost, pt-online-schema-change, or the server's own online path
    Handoff(HandoffArgs),
    /// Say why a rule stands, with bad and safe SQL; without a rule, list them
    Explain(ExplainArgs),
    /// Print the JSON Schema of a file format, for editors and programs
    Schema(SchemaArgs),
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CheckArgs {
    /// Files, folders of them in migration order, or `-` for stdin: SQL, or TypeScript of `TypeORM`
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// The database and its version: postgres-15, mysql-8.4, mariadb-10.11, sqlite
    #[arg(long, value_name = "NAME-VERSION")]
    pub database: Option<String>,
    /// The schema before the first migration: a dump without data, or earlier migrations
    #[arg(long, value_name = "FILE | DIR")]
    pub schema: Vec<PathBuf>,
    /// Rows and bytes of each table, as lines `table,rows,bytes`
    #[arg(long, value_name = "FILE")]
    pub stats: Option<PathBuf>,
    /// Who runs the migrations, which decides what stands in a transaction
    #[arg(long, value_name = "NAME")]
    pub runner: Option<String>,
    /// Only what changed since this revision of git; older files in PATH count as schema
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,
    /// A report of a job or of a validation
    #[arg(long, value_name = "FILE")]
    pub evidence: Vec<PathBuf>,
    /// How findings are written
    #[arg(long, value_name = "FORMAT", default_value = "human",
          value_parser = clap::builder::PossibleValuesParser::new(crate::report::findings::names()))]
    pub format: String,
    /// Print JSON: short for `--format json`
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ExplainArgs {
    /// The rule
    #[arg(value_name = "RULE")]
    pub rule: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct DemoArgs {
    /// The folder that the shop is made in
    #[arg(long, value_name = "DIR", default_value = "backstop-demo")]
    pub dir: PathBuf,
    /// How many orders the shop has
    #[arg(long, value_name = "N", default_value_t = crate::ops::demo::ORDERS,
          value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub orders: u64,
    /// Make the shop anew, and forget what an earlier demo did
    #[arg(long)]
    pub fresh: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct PlanArgs {
    /// The job's spec, or a directory of specs
    #[arg(value_name = "JOB.toml | DIR")]
    pub spec: PathBuf,
    /// Only print the SQL with which a DBA makes Backstop's tables and grants the least rights
    #[arg(long)]
    pub grants: bool,
    /// Write a sample twice in a transaction that is rolled back: refutes that the job is convergent
    #[arg(long)]
    pub prove: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
pub(in crate::cli) struct RunArgs {
    /// The job's spec
    #[arg(value_name = "JOB.toml")]
    pub spec: PathBuf,
    /// Only show the plan
    #[arg(long)]
    pub dry_run: bool,
    /// Begin a finished job again, as a new generation
    #[arg(long)]
    pub again: bool,
    /// Go on although the spec has changed since the job began
    #[arg(long)]
    pub accept_changed_spec: bool,
    /// End the runner that has the job, also one that is frozen or cut off, and go on in its place
    #[arg(long)]
    pub take_over: bool,
    /// Write what became of the job into this file, as evidence for `backstop check --evidence`
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub report: Option<PathBuf>,
    #[command(flatten)]
    pub shown: ShownArgs,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct VerifyArgs {
    /// The job's spec, or its name if this journal knows it
    #[arg(value_name = "JOB | JOB.toml")]
    pub job: String,
    /// When everything is right, look for that long whether it stays so: `24h`
    #[arg(long, value_name = "TIME", value_parser = parse_watch)]
    pub watch: Option<std::time::Duration>,
    /// Verify although the spec has changed since the job began
    #[arg(long)]
    pub accept_changed_spec: bool,
    /// Write the report into this file, as evidence for `backstop check --evidence`
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub shown: ShownArgs,
}

/// How a run shows itself.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ShownArgs {
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub progress: Progress,
    /// The time between two lines of plain progress
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_interval)]
    pub progress_interval: std::time::Duration,
    /// Serve `/metrics`, `/healthz` and `POST /kill` at this address, for example 127.0.0.1:9187
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// With `--listen`: stay at most this long after the end, until the last state was scraped
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = parse_linger)]
    pub linger: std::time::Duration,
}

#[derive(Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags of a command line")]
pub(in crate::cli) struct UndoArgs {
    /// The job's name, or its spec. Its spec has had `[undo]` when it ran
    #[arg(value_name = "JOB")]
    pub job: String,
    /// Which generation to undo; by default the newest one whose old values are kept
    #[arg(long, value_name = "N")]
    pub generation: Option<u32>,
    /// Only show what would be put back, and what others have changed or deleted since
    #[arg(long)]
    pub dry_run: bool,
    /// Print the key of every row that others have changed or deleted since, one a line
    #[arg(long, conflicts_with = "json")]
    pub conflicts: bool,
    /// Undo nothing, and remove the old values that are older than `[undo] keep`
    #[arg(long, conflicts_with_all = ["dry_run", "conflicts", "generation", "again", "take_over"])]
    pub expire: bool,
    /// Go through all rows once more, after those that were left alone were seen to
    #[arg(long)]
    pub again: bool,
    /// End the runner that undoes the job, also one that is frozen or cut off, and go on in its place
    #[arg(long)]
    pub take_over: bool,
    /// How progress is shown
    #[arg(long, value_enum, default_value_t = Progress::Auto)]
    pub progress: Progress,
    /// The time between two lines of plain progress
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = parse_interval)]
    pub progress_interval: std::time::Duration,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Progress {
    /// A bar on a terminal, plain lines elsewhere
    Auto,
    /// A bar
    Bar,
    /// Plain lines on stderr
    Plain,
    /// Every event as a line of JSON on stdout
    Json,
    /// Nothing
    None,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct StatusArgs {
    /// The job; by default all
    #[arg(value_name = "JOB")]
    pub job: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// Print again every second, until the job has no runner
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct TuneArgs {
    /// The job's name, or its spec
    #[arg(value_name = "JOB")]
    pub job: String,
    /// What to change, by its name in the spec: `batch.target_time`, `batch.max_rows`,
    /// `batch.workers`, `batch.pause`, `throttle.rows_per_second`, `throttle.nice`,
    /// `limits.window.between`, `limits.max_runtime`, `limits.quarantine.max_rows` and `max_share`, or
    /// of a signal `throttle.replica_lag.pause_above`, `resume_below` and
    /// `off`. It stands until the job is finished, also when the runner is started again
    #[arg(value_name = "NAME=VALUE", required_unless_present = "reset",
          value_parser = parse_setting)]
    pub settings: Vec<(String, String)>,
    /// Take every change back: what the spec says holds again
    #[arg(long, conflicts_with = "settings")]
    pub reset: bool,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn parse_setting(text: &str) -> Result<(String, String), String> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| "write a name and a value, as in `batch.target_time=100ms`".to_owned())?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Which jobs are meant.
#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(in crate::cli) struct Which {
    /// The job's name, or its spec
    #[arg(value_name = "JOB")]
    pub job: Option<String>,
    /// Every job of the journal, or with `--target` of the target
    #[arg(long)]
    pub all: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct KillArgs {
    #[command(flatten)]
    pub which: Which,
    /// Without a journal, from any host: the environment variable that holds the target's URL
    #[arg(long, value_name = "URL_ENV")]
    pub target: Option<String>,
    /// Why, for those who come after you
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct ReleaseArgs {
    #[command(flatten)]
    pub which: Which,
    /// Without a journal, from any host: the environment variable that holds the target's URL
    #[arg(long, value_name = "URL_ENV")]
    pub target: Option<String>,
    /// Why it may run again, for those who come after you
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct CommandArgs {
    #[command(flatten)]
    pub which: Which,
    /// Why, for those who come after you
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct SchemaArgs {
    /// The file format
    #[arg(value_enum)]
    pub format: Format,
}

/// A file format that has a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// A job spec
    Job,
    /// The team's `backstop.toml`
    Config,
    /// What `backstop check --json` prints
    Findings,
    /// What `backstop run --report` and `backstop verify --report` write
    Report,
}

fn parse_interval(text: &str) -> Result<std::time::Duration, String> {
    parse_duration(text, 100, "100ms")
}

fn parse_query_limit(text: &str) -> Result<std::time::Duration, String> {
    parse_duration(text, 100, "100ms")
}

fn parse_watch(text: &str) -> Result<std::time::Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    parsed
        .and_then(|signed| std::time::Duration::try_from(signed).ok())
        .filter(|time| (1..=30 * 24 * 3600).contains(&time.as_secs()))
        .ok_or_else(|| "write a duration of 1s to 720h, for example `24h`".to_owned())
}

fn parse_linger(text: &str) -> Result<std::time::Duration, String> {
    parse_duration(text, 0, "0s")
}

fn parse_duration(text: &str, least: u128, shown: &str) -> Result<std::time::Duration, String> {
    let parsed = text.parse::<jiff::SignedDuration>().ok();
    parsed
        .and_then(|signed| std::time::Duration::try_from(signed).ok())
        .filter(|time| (least..=3_600_000).contains(&time.as_millis()))
        .ok_or_else(|| format!("write a duration of {shown} to 1h, for example `5s`"))
}

/// The reference of every command, as Markdown: what `docs/commands.md` holds.
#[must_use]
pub fn reference() -> String {
    let mut command = Args::command().term_width(100);
    command.build();
    let mut text = String::from(
        "# Commands\n\nMade from the arguments themselves; a test compares it with `backstop --help`.\n",
    );
    describe("backstop", &mut command, &mut text);
    text.push_str(&format!("\n## Exit codes\n\n```text\n{EXIT_CODES}\n```\n"));
    text
}

/// The commands below one, each before those below it.
fn describe(of: &str, command: &mut clap::Command, text: &mut String) {
    for sub in command.get_subcommands_mut().filter(|sub| sub.get_name() != "help") {
        let name = format!("{of} {}", sub.get_name());
        let help = sub.render_long_help().to_string();
        let help: Vec<_> = help.lines().map(str::trim_end).collect();
        text.push_str(&format!("\n## {name}\n\n```text\n{}\n```\n", help.join("\n").trim()));
        describe(&name, sub, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }
}
