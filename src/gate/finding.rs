//! What the gate says of a statement.

use std::ops::Range;

use serde::Serialize;

use super::effects::{Effects, Verdict};

/// How much a finding weighs.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing; it stops nothing.
    Note,
    /// Should be seen by a person; it stops nothing.
    Warning,
    /// Stops the migration.
    Error,
}

impl Severity {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What the gate says of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule, by its id.
    pub rule: &'static str,
    /// How much it weighs here.
    pub severity: Severity,
    /// Which file, as an index into the report's files.
    pub file: usize,
    /// Where in it, in bytes.
    pub span: Range<usize>,
    /// What happens, in a sentence that names the relations and who is blocked.
    pub message: String,
    /// Why it matters here: size, duration, what decided it.
    pub why: Vec<String>,
    /// What to write instead, as text that can be pasted, with the user's own names.
    pub instead: Option<String>,
    /// Who allowed it, if somebody did: then it stops nothing, and is still listed.
    pub allowed: Option<Allowance>,
}

/// `-- backstop: allow RULE reason="…" owner=… until=DATE`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Allowance {
    /// Why.
    pub reason: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// The last day on which it holds, `2026-12-31`.
    pub until: Option<String>,
    /// Where the comment stands, in bytes.
    pub span: Range<usize>,
}

/// A file that was judged, and what was found in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The file.
    pub file: FileReport,
    /// The findings, by place.
    pub findings: Vec<Finding>,
}

/// Everything that a check found.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The files, in the order in which they were judged.
    pub files: Vec<FileReport>,
    /// The findings, by file and place.
    pub findings: Vec<Finding>,
    /// Against which server: `PostgreSQL 15`.
    pub server: String,
}

/// The sum of a check: what is left of files that nobody holds any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    /// Errors that nobody allowed.
    pub errors: usize,
    /// Warnings that nobody allowed.
    pub warnings: usize,
    /// Notes that nobody allowed.
    pub notes: usize,
    /// Findings that somebody allowed.
    pub allowed: usize,
    /// Files that were judged.
    pub files: usize,
    /// Statements that were judged.
    pub statements: usize,
    /// Statements of which something was not known, and the worst was taken.
    pub assumed: usize,
    /// Statements that could not be judged.
    pub not_evaluated: usize,
}

/// A file that was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct FileReport {
    /// Its path as it was given; `-` for standard input.
    pub path: String,
    /// Its text.
    pub text: String,
    /// Its statements, in order.
    pub statements: Vec<StatementReport>,
}

/// A statement that was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct StatementReport {
    /// Where it stands, in bytes.
    pub span: Range<usize>,
    /// What it is: `ALTER TABLE`.
    pub kind: String,
    /// What it does.
    pub effects: Effects,
    /// The rules that have a finding on it.
    pub rules: Vec<&'static str>,
}

impl Sum {
    /// Counts a file.
    pub fn add(&mut self, judged: &Judged) {
        self.files += 1;
        self.statements += judged.file.statements.len();
        for statement in &judged.file.statements {
            match statement.effects.verdict {
                Verdict::Proven => {}
                Verdict::Assumed(_) => self.assumed += 1,
                Verdict::NotEvaluated(_) => self.not_evaluated += 1,
            }
        }
        for finding in &judged.findings {
            match (&finding.allowed, finding.severity) {
                (Some(_), _) => self.allowed += 1,
                (None, Severity::Error) => self.errors += 1,
                (None, Severity::Warning) => self.warnings += 1,
                (None, Severity::Note) => self.notes += 1,
            }
        }
    }

    /// Whether the migration may go on.
    #[must_use]
    pub fn passes(&self) -> bool {
        self.errors == 0
    }
}
