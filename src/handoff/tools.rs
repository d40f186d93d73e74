//! Which tools are on the path, and of which version.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::rewrite::tool::{ALL, Tool, Version};

/// A tool says its version at once; one that does not is not what it is called.
const WITHIN: Duration = Duration::from_secs(10);

/// A tool, as it is found on the path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installed {
    /// Which.
    pub tool: Tool,
    /// Its version, or why it is not known.
    pub version: Result<Version, String>,
    /// Whether a program of its name is there.
    pub there: bool,
}

/// Asks each tool for its version.
pub(super) async fn installed() -> Vec<Installed> {
    let mut found = Vec::new();
    for tool in ALL {
        found.push(ask(tool).await);
    }
    found
}

async fn ask(tool: Tool) -> Installed {
    let program = tool.program();
    let mut command = Command::new(program);
    command.arg("--version").stdin(std::process::Stdio::null()).kill_on_drop(true);
    let said = match tokio::time::timeout(WITHIN, command.output()).await {
        Ok(Ok(said)) => said,
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
            let why = format!("no `{program}` is on the path here");
            return Installed { tool, version: Err(why), there: false };
        }
        Ok(Err(error)) => {
            let why = format!("`{program}` cannot be run: {error}");
            return Installed { tool, version: Err(why), there: false };
        }
        Err(_) => {
            let why = format!("`{program} --version` says nothing within {} s", WITHIN.as_secs());
            return Installed { tool, version: Err(why), there: true };
        }
    };
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let version = version_in(&text).ok_or_else(|| {
        let first: String = text.lines().next().unwrap_or_default().chars().take(60).collect();
        format!("`{program} --version` says `{first}`, which is no version")
    });
    Installed { tool, version, there: true }
}

/// The first three numbers with points between them: `pt-online-schema-change 3.2.1`, `1.1.10`.
fn version_in(text: &str) -> Option<Version> {
    text.split(|c: char| !c.is_ascii_digit() && c != '.').find_map(|word| {
        let mut parts = word.split('.').map(str::parse);
        match (parts.next()?, parts.next()?, parts.next()?) {
            (Ok(major), Ok(minor), Ok(patch)) => Some((major, minor, patch)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_the_tools_say() {
        assert_eq!(version_in("pt-online-schema-change 3.2.1\n"), Some((3, 2, 1)));
        assert_eq!(version_in("1.1.10 (git commit: abc)\n"), Some((1, 1, 10)));
        assert_eq!(version_in("v1.1.8\n"), Some((1, 1, 8)));
        assert_eq!(version_in("hello 7\n"), None);
    }
}
