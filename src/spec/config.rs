//! The fields of `backstop.toml`. The doc comments here are the reference: `backstop schema config`
//! prints them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SpecError;
use super::fields::{Document, Other, unusable_path};

/// What belongs to the team and not to one job. Every field may be left out, and so may the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where Backstop's own tables stand.
    pub fence: TeamFence,
    /// What can kill the jobs of this team from outside.
    pub control: TeamControl,
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
    if let Some(message) = config.control.kill_file.as_deref().and_then(unusable_path) {
        return Err(document.at(&tree, &["control", "kill_file"], message));
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
