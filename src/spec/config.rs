//! The fields of `backstop.toml`. The doc comments here are the reference: `backstop schema config`
//! prints them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fields::{Document, Other, unusable_path};
use super::{Duration, Size, SpecError, Window};

/// What belongs to the team and not to one job. Every field may be left out, and so may the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where Backstop's own tables stand.
    pub fence: TeamFence,
    /// What can kill the jobs of this team from outside.
    pub control: TeamControl,
    /// What holds all jobs of this team.
    pub throttle: TeamThrottle,
    /// How migrations are judged by `backstop check`.
    pub gate: TeamGate,
    /// How changes of tables are handed to gh-ost, pt-online-schema-change or the server's own path.
    pub handoff: TeamHandoff,
}

/// Where Backstop's own tables stand.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TeamFence {
    /// The schema (on MySQL and MariaDB the database) that holds the tables `backstop_fence` and
    /// `backstop_switch` in every target. By default where the connection is at home.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
}

/// What can kill the jobs of this team from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TeamControl {
    /// The kill file of every job: as soon as something stands at this path, every job of this team
    /// is killed, and none begins as long as it stands there. Its first line is taken as the reason.
    /// A relative path begins at the folder of `backstop.toml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kill_file: Option<String>,
    /// The environment variable that holds the token of `POST /kill`, which `backstop run --listen`
    /// then serves. Without it that route refuses everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_env: Option<String>,
}

/// What holds all jobs of this team.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TeamThrottle {
    /// The file with the freeze periods, in which every job of this team waits, running or about to
    /// begin. It is read again all the time, so that one edit holds all jobs; one that is named here
    /// and cannot be read holds them too. It has a `[[freeze]]` for each period, with `from` and
    /// `until` (`2026-11-27T00:00`), `zone` (`Europe/Berlin`), and `reason`. A relative path begins at
    /// the folder of `backstop.toml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze_file: Option<String>,
}

/// How changes of tables are handed over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TeamHandoff {
    /// How a person consents to a start, a cut-over and a clean-up: `typed` (the table's name is typed at a
    /// terminal, and elsewhere `--yes` and `--reason` are given) or `yes` (those two everywhere).
    pub confirm: Confirm,
    /// When a cut-over may happen. Outside of it, one that was asked for waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// How many attempts one request to cut over makes, before it is postponed again; 3 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_over_attempts: Option<u32>,
    /// How long whoever holds the table is waited for, before a cut-over is given up; 10 minutes by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cut_over_patience: Option<Duration>,
}

/// How a person consents.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// The table's name is typed at a terminal; elsewhere `--yes` and `--reason` are given.
    #[default]
    Typed,
    /// `--yes` and `--reason` are given everywhere.
    Yes,
}

/// How migrations are judged by `backstop check`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TeamGate {
    /// The database and its version: `postgres-15`, `mysql-8.4`, `mariadb-10.11`, `sqlite`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
    /// Who runs the migrations: `psql`, `flyway`, `liquibase`, `golang-migrate`, `sqlx`, `django`,
    /// `alembic`, `rails`, `efcore`, `typeorm`. It decides what stands in a transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runner: Option<String>,
    /// Files or folders with the schema that stands before the first migration: what `pg_dump
    /// --schema-only` or `mysqldump --no-data` wrote, or all earlier migrations. A relative path
    /// begins at the folder of `backstop.toml`, here and below.
    pub schema: Vec<String>,
    /// A file with a line `table,rows,bytes` for each table of production. A table that is not in it
    /// counts as large.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stats: Option<String>,
    /// Files with reports of jobs and validations.
    pub evidence: Vec<String>,
    /// A table of so many rows is production-sized; 100,000 by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_rows: Option<u64>,
    /// A table of so many bytes is production-sized; 256 MiB by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_bytes: Option<Size>,
    /// The same for single tables, in rows: `{ "shop.orders" = 10_000 }`.
    pub large_rows_of: BTreeMap<String, u64>,
    /// The longest that a migration may wait for a lock; 5 s by default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lock_timeout: Option<Duration>,
    /// Folders all of whose migrations go forward only, so that no file has to say so.
    pub forward_only: Vec<String>,
    /// Whether every change that takes something away or breaks running code must be the contract of
    /// an expand, with a verified job and a watched dual write.
    pub demand_phases: bool,
    /// Whether sessions of migrations have the time zone UTC (PostgreSQL), which decides whether
    /// `timestamp` becomes `timestamptz` without a rewrite.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utc: Option<bool>,
    /// What a rule weighs here: `off`, `note`, `warning` or `error`. One of the five that are not
    /// argued about is a note at least.
    pub severity: BTreeMap<String, Weight>,
}

/// What a rule weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Weight {
    /// It is not looked at.
    Off,
    /// It stops nothing.
    Note,
    /// It stops nothing, and should be seen.
    Warning,
    /// It stops the migration.
    Error,
}

/// Reads a `backstop.toml`. `file` is only used in messages.
///
/// # Errors
///
/// The first thing that is wrong, with file, line, column, and the nearest known field.
pub fn parse_config(file: &str, text: &str) -> Result<Config, SpecError> {
    let document = Document { file, text };
    let other = Other { name: "a job spec", schema: super::job_schema() };
    let (config, tree): (Config, _) = document.read(&super::config_schema(), &other)?;
    if config.fence.schema.as_deref().is_some_and(|schema| schema.trim().is_empty()) {
        let message = "`schema` is empty; leave it out instead".to_owned();
        return Err(document.at(&tree, &["fence", "schema"], message));
    }
    for (section, field, path) in [
        ("control", "kill_file", &config.control.kill_file),
        ("throttle", "freeze_file", &config.throttle.freeze_file),
    ] {
        if let Some(message) = path.as_deref().and_then(|path| unusable_path(field, path)) {
            return Err(document.at(&tree, &[section, field], message));
        }
    }
    if let Some(Err(message)) = config.handoff.window.as_ref().map(Window::minutes) {
        return Err(document.at(&tree, &["handoff", "window", "between"], message));
    }
    if config.handoff.cut_over_attempts == Some(0) {
        let message =
            "`cut_over_attempts` is 0: then nothing is ever cut over; leave it out".to_owned();
        return Err(document.at(&tree, &["handoff", "cut_over_attempts"], message));
    }
    if let Some(name) = config.control.token_env.as_deref().filter(|name| !is_variable_name(name)) {
        // What stands there may be the token itself, so it is not repeated.
        let message = if name.trim().is_empty() {
            "`token_env` is empty; leave it out instead".to_owned()
        } else {
            "`token_env` is not the name of an environment variable; the token itself never \
             stands in a file: put it into a variable, and write the variable's name here"
                .to_owned()
        };
        return Err(document.at(&tree, &["control", "token_env"], message));
    }
    Ok(config)
}

fn is_variable_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(fits) && !text.starts_with(|c: char| c.is_ascii_digit())
}
