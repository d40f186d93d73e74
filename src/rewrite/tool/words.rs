//! The words of a command, for `exec` and for a shell.

use serde::{Deserialize, Serialize};

use super::Tool;

/// A text as a program gets it, and as a person writes it in a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    text: String,
    shell: Option<String>,
}

impl Word {
    /// One that means itself.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), shell: None }
    }

    /// One that a shell has to expand, with its form there.
    #[must_use]
    pub fn in_shell(text: impl Into<String>, shell: impl Into<String>) -> Self {
        Self { text: text.into(), shell: Some(shell.into()) }
    }

    /// The text itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// It, behind something that means itself.
    pub(super) fn after(&self, before: &str) -> Self {
        Self {
            text: format!("{before}{}", self.text),
            shell: self.shell.as_ref().map(|shell| format!("{before}{shell}")),
        }
    }

    /// It, before something that means itself.
    pub(super) fn before(&self, behind: &str) -> Self {
        Self {
            text: format!("{}{behind}", self.text),
            shell: self.shell.as_ref().map(|shell| format!("{shell}{}", quoted(behind))),
        }
    }

    fn shell(&self) -> String {
        match &self.shell {
            Some(shell) => shell.clone(),
            // The name of an option is read more easily without quotes.
            None => match self.text.split_once('=') {
                Some((name, value)) if name.starts_with("--") => {
                    format!("{name}={}", quoted(value))
                }
                _ => quoted(&self.text),
            },
        }
    }
}

/// A text as one word of a shell.
#[must_use]
pub fn quoted(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-./:,=@%+".contains(c);
    if !text.is_empty() && text.chars().all(bare) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A command: the program, and its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The tool.
    pub tool: Tool,
    words: Vec<Word>,
}

impl Command {
    pub(super) fn of(tool: Tool) -> Self {
        Self { tool, words: Vec::new() }
    }

    pub(super) fn push(&mut self, text: impl Into<String>) {
        self.words.push(Word::plain(text));
    }

    pub(super) fn word(&mut self, word: Word) {
        self.words.push(word);
    }

    /// The program and its arguments, as `exec` takes them.
    #[must_use]
    pub fn vector(&self) -> Vec<String> {
        let words = self.words.iter().map(|word| word.text.clone());
        std::iter::once(self.tool.program().to_owned()).chain(words).collect()
    }

    /// The same, to be pasted into a shell.
    #[must_use]
    pub fn shell(&self) -> String {
        let words = self.words.iter().map(Word::shell);
        let words = std::iter::once(self.tool.program().to_owned()).chain(words);
        words.collect::<Vec<_>>().join(" \\\n  ")
    }

    /// gh-ost's command that puts this old table back in place of the table, with what was written since: the same
    /// without the change. It keeps its `--execute`: without that, gh-ost drops the copy at its end, and here that is
    /// the old table.
    #[must_use]
    pub fn reverting(&self, old: &str) -> Self {
        let mut words = Vec::with_capacity(self.words.len() + 1);
        for word in &self.words {
            if word.text.starts_with("--alter=") {
                words.push(Word::plain("--revert"));
                words.push(Word::plain(format!("--old-table={old}")));
            } else {
                words.push(word.clone());
            }
        }
        Self { tool: self.tool, words }
    }

    /// The command without its `--execute`, with `instead` in its place if there is something to say.
    #[must_use]
    pub fn trial(&self) -> Self {
        let mut words = self.words.clone();
        match self.tool {
            Tool::GhOst => words.retain(|word| word.text != "--execute"),
            Tool::Percona => {
                for word in &mut words {
                    if word.text == "--execute" {
                        *word = Word::plain("--dry-run");
                    }
                }
            }
        }
        Self { tool: self.tool, words }
    }
}
