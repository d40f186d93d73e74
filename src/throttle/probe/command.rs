//! A command that must exit with 0.

use std::path::PathBuf;
use std::process::Stdio;

use async_trait::async_trait;
use tokio::process::Command;

use super::{Line, Probe, Unread};

/// Runs the command. One that takes too long is killed when the look is dropped.
pub(in crate::throttle) struct ExitStatus {
    pub run: Vec<String>,
    pub folder: PathBuf,
}

#[async_trait]
impl Probe for ExitStatus {
    async fn look(&mut self) -> Result<Vec<Line>, Unread> {
        let Some((program, arguments)) = self.run.split_first() else {
            return Err(Unread::Failed("no program is named".to_owned()));
        };
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
        if !self.folder.as_os_str().is_empty() {
            command.current_dir(&self.folder);
        }
        let output = command
            .output()
            .await
            .map_err(|error| Unread::Failed(format!("`{program}` cannot be run: {error}")))?;
        let said = [&output.stdout, &output.stderr];
        let said = said.into_iter().find_map(|stream| crate::control::reason_in(stream));
        let Some(status) = output.status.code() else {
            return Err(Unread::Failed(format!("`{program}` was killed: {}", output.status)));
        };
        let note = match said {
            Some(line) => format!("`{program}` exited with {status}: {line}"),
            None => format!("`{program}` exited with {status}"),
        };
        Ok(vec![Line { of: None, value: Ok(f64::from(status)), note: Some(note) }])
    }
}
