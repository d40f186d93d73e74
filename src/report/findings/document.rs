//! The JSON document, field by field. The doc comments here are the reference: `backstop schema
//! findings` prints them. Fields are only ever added.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use crate::gate::Severity;
use crate::gate::effects::{Algorithm, Blocks, Mode, Relation};
use crate::sql::statement::Name;

/// What the gate found in migrations.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Document<'a> {
    /// The server for which it was judged: `PostgreSQL 15`.
    pub server: &'a str,
    /// The files, in the order in which they were judged.
    pub files: Vec<FileEntry<'a>>,
    /// The findings, by file and place. Also those that somebody allowed.
    pub findings: Vec<FindingEntry<'a>>,
    /// The sum.
    pub summary: Summary,
}

/// A file that was judged.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FileEntry<'a> {
    /// Its path as it was given; `-` for standard input.
    pub path: &'a str,
    /// Its statements, in order.
    pub statements: Vec<StatementEntry<'a>>,
}

/// A statement that was judged.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct StatementEntry<'a> {
    /// Its text, without what ends it.
    pub sql: &'a str,
    /// Where it stands in the file.
    pub span: Span,
    /// What it is, in the words of the manual: `ALTER TABLE`.
    pub kind: &'a str,
    /// What it does.
    pub effects: EffectsEntry<'a>,
    /// How sure that is.
    pub verdict: VerdictWord,
    /// What was not known, unless it is proven.
    pub verdict_why: Option<&'a str>,
    /// The rules that have a finding on it, by their ids.
    pub findings: &'a [&'static str],
}

/// A place in a file. Lines and columns are counted from one, columns in characters.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Span {
    /// The first byte, counted from zero.
    pub start: usize,
    /// The first byte after it.
    pub end: usize,
    /// The line of the first character.
    pub line: usize,
    /// The column of the first character.
    pub column: usize,
    /// The line of the first character after it.
    pub end_line: usize,
    /// The column of the first character after it.
    pub end_column: usize,
}

/// What a statement does.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct EffectsEntry<'a> {
    /// The locks that it takes, each once with its strongest mode.
    pub locks: Vec<LockEntry<'a>>,
    /// The tables that it writes anew, row by row.
    #[schemars(with = "Vec<String>")]
    pub rewrite: &'a [Name],
    /// The tables that it reads whole, to check them.
    #[schemars(with = "Vec<String>")]
    pub scan: &'a [Name],
    /// The tables on which it builds an index. With a rewrite, the indexes of that table are built
    /// anew as well and do not stand here.
    #[schemars(with = "Vec<String>")]
    pub index_build: &'a [Name],
    /// MySQL and MariaDB: how the server goes about it.
    pub algorithm: Option<Algorithm>,
    /// What waits for any of its locks.
    pub blocks: Blocks,
    /// What cannot be brought back.
    pub loss: Vec<Consequence<'a>>,
    /// What breaks in code that runs against the schema of before.
    pub breaks: Vec<Consequence<'a>>,
    /// Why the server will refuse it, if it will.
    pub fails: Option<&'a str>,
    /// Whether it commits the transaction that is open, as MySQL's and MariaDB's DDL does.
    pub commits: bool,
    /// Why all this is so, where it is not plain from the statement.
    pub why: &'a [String],
}

/// A lock on a relation.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct LockEntry<'a> {
    /// What is locked.
    #[schemars(with = "String")]
    pub relation: &'a Name,
    /// What kind of relation that is.
    pub of: Relation,
    /// How it is locked.
    pub mode: Mode,
    /// What waits for it.
    pub blocks: Blocks,
}

/// What becomes of a relation.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Consequence<'a> {
    /// Of which.
    #[schemars(with = "String")]
    pub relation: &'a Name,
    /// What, in words.
    pub what: &'a str,
}

/// How sure a prediction is.
#[derive(Debug, Clone, Copy, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum VerdictWord {
    /// Everything that decides it was known.
    Proven,
    /// Something that decides it was not known, and the worst was taken.
    Assumed,
    /// It could not be judged at all. Never safe.
    NotEvaluated,
}

/// What a rule has against a statement or a file.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct FindingEntry<'a> {
    /// The rule, by its id; `backstop explain` has its page.
    pub rule: &'a str,
    /// How much it weighs here.
    pub severity: Severity,
    /// The path of the file.
    pub file: &'a str,
    /// Where in it.
    pub span: Span,
    /// What happens, in a sentence.
    pub message: &'a str,
    /// Why it matters here.
    pub why: &'a [String],
    /// What to write instead, as text that can be pasted.
    pub instead: Option<&'a str>,
    /// Who allowed it, if somebody did: then it stops nothing.
    pub allowed: Option<AllowedEntry<'a>>,
    /// The same in every format and in the next run, as long as rule, path and statement are the
    /// same (SHA-256, hexadecimal).
    pub fingerprint: &'a str,
}

/// Who allowed a finding.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct AllowedEntry<'a> {
    /// Why.
    pub reason: &'a str,
    /// Who answers for it.
    pub owner: Option<&'a str>,
    /// The last day on which it holds: `2026-12-31`.
    pub until: Option<&'a str>,
    /// Where it was allowed.
    pub span: Span,
}

/// The sum of a check.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Summary {
    /// Whether the migration may go on: nobody found an error, or somebody allowed it.
    pub passes: bool,
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

/// The JSON Schema of the document that `backstop check --json` prints.
#[must_use]
pub fn findings_schema() -> serde_json::Value {
    // What is written always holds every field, which the schema of what may be read would not say.
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<Document>();
    schema.insert("title".into(), "Backstop findings".into());
    schema.to_value()
}
