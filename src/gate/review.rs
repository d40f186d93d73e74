//! A review: files in order, statement by statement, each against what the ones before it left.

use std::ops::Range;

use super::directive::{Directive, Said, directives};
use super::effects::{Effects, effects};
use super::evidence::{Outcome, parse_job, parse_validation};
use super::finding::{Allowance, FileReport, Finding, Judged, Report, StatementReport};
use super::policy::Policy;
use super::remake::Remake;
use super::rules::{self, Check, Rule};
use super::state::{Open, State, own_wait, seen_by_others};
use super::{Engine, Server, Severity, Surroundings};
use crate::event::JobState;
use crate::spec::SpecError;
use crate::sql::schema::Schema;
use crate::sql::statement::{Statement, What};
use crate::sql::{Changeset, Script, Source, changelog, parse, parse_changelog};

/// A file to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path as it was given; `-` for standard input.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// A file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    file: File,
    script: Script,
    directives: Vec<Directive>,
    /// Its changesets, where it is a file of such.
    changesets: Vec<Changeset>,
}

impl Read {
    /// The statements of its way forward.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.script.statements
    }
}

impl File {
    /// Reads its statements and directives. Files do not depend on each other until they are
    /// judged, so whoever has many may read them side by side.
    #[must_use]
    pub fn read(self, server: Server) -> Read {
        let log = changelog(&self.text, server.engine);
        let mut script = match &log {
            Some(log) => parse_changelog(Source::of(server), log),
            None => parse(Source::of(server), &self.text),
        };
        let forward = rules::down_migration::forward(&self.text);
        script.statements.retain(|statement| statement.span.start < forward);
        let comments = script.comments.iter().cloned();
        let directives = comments.flat_map(|comment| directives(&self.text, comment)).collect();
        Read {
            file: self,
            script,
            directives,
            changesets: log.map_or(Vec::new(), |log| log.changesets),
        }
    }
}

/// What is known to have happened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Paths of migrations that exist besides those that are judged.
    pub files: Vec<String>,
    /// Hashes (SHA-256, hexadecimal) of contents that a validation passed.
    pub validated: Vec<String>,
    /// Hashes of contents whose way back a validation has proved.
    pub reversible: Vec<String>,
    /// Jobs, and what became of them.
    pub jobs: Vec<JobDone>,
    /// Findings that another person approved: the file's hash, and the rule.
    pub approved: Vec<(String, String)>,
}

impl Evidence {
    /// Adds a report: a validation's names a content by its hash, a job's the job.
    ///
    /// # Errors
    ///
    /// It is neither, or something in it is wrong.
    pub fn add(&mut self, file: &str, text: &str) -> Result<(), SpecError> {
        let names = |field: &str| {
            let value: Result<serde_json::Value, _> = serde_json::from_str(text);
            value.is_ok_and(|value| value.get(field).is_some())
        };
        if names("job") {
            let job = parse_job(file, text)?;
            let held = (job.violations == 0).then_some(()).and(job.held_from.zip(job.held_until));
            self.jobs.push(JobDone {
                name: job.job,
                verified: job.state == JobState::Verified,
                dual_write: held,
            });
        } else {
            let report = parse_validation(file, text)?;
            if report.outcome == Outcome::Passed {
                if report.reversible {
                    self.reversible.push(report.sha256.clone());
                }
                self.validated.push(report.sha256);
            }
        }
        Ok(())
    }
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDone {
    /// Its name.
    pub name: String,
    /// Whether it is verified: every row was written, and looked at again.
    pub verified: bool,
    /// From when to when rows written by the application were seen to hold both values alike.
    pub dual_write: Option<(String, String)>,
}

/// One statement in its place.
#[derive(Debug, Clone, Copy)]
pub struct Step<'a> {
    /// Its place among the file's statements.
    pub at: usize,
    /// What it says.
    pub statement: &'a Statement,
    /// What it does.
    pub effects: &'a Effects,
    /// The schema before it.
    pub schema: &'a Schema,
    /// The script's state before it.
    pub state: &'a State,
    /// The file's path.
    pub path: &'a str,
    /// The file's own text.
    pub text: &'a str,
    /// The file's directives.
    pub directives: &'a [Directive],
    /// The statements of the file.
    pub statements: &'a [Statement],
    /// Tables that they make anew.
    pub remakes: &'a [Remake],
    /// The decisions.
    pub policy: &'a Policy,
}

/// A file after its last statement.
#[derive(Debug, Clone, Copy)]
pub struct Whole<'a> {
    /// Its path.
    pub path: &'a str,
    /// Its text.
    pub text: &'a str,
    /// The hash of its text.
    pub hash: &'a str,
    /// Its directives.
    pub directives: &'a [Directive],
    /// Its statements, with what they do.
    pub seen: &'a [Seen<'a>],
    /// Tables that they make anew.
    pub remakes: &'a [Remake],
    /// The state after the last.
    pub state: &'a State,
    /// Files that were judged before it.
    pub before: &'a [(String, Vec<Directive>)],
    /// The decisions.
    pub policy: &'a Policy,
    /// What is known to have happened.
    pub evidence: &'a Evidence,
}

/// A statement that was judged.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// What it says.
    pub statement: &'a Statement,
    /// Which part of the file it belongs to, of those that its runner commits one by one: 0 if it
    /// commits the file as a whole.
    pub part: usize,
    /// What it does.
    pub effects: Effects,
    /// The transaction that was open before it.
    pub open: Open,
    /// How long it waits for a lock.
    pub lock_wait: Option<std::time::Duration>,
    /// Whether it locks out readers or writers of something that others know.
    pub blocks_others: bool,
    /// Whether the table that it writes was made by this script.
    pub own_table: bool,
}

/// What a rule says; the review adds the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Where.
    pub span: Range<usize>,
    /// What happens.
    pub message: String,
    /// Why it matters here.
    pub why: Vec<String>,
    /// What to write instead.
    pub instead: Option<String>,
    /// Weighs otherwise than the rule does by itself.
    pub severity: Option<Severity>,
}

impl Draft {
    /// A finding on this place.
    pub fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), why: Vec::new(), instead: None, severity: None }
    }

    /// Adds a reason.
    #[must_use]
    pub fn why(mut self, why: impl Into<String>) -> Self {
        self.why.push(why.into());
        self
    }

    /// Says what to write instead.
    #[must_use]
    pub fn instead(mut self, instead: Option<String>) -> Self {
        self.instead = instead;
        self
    }

    /// Weighs otherwise.
    #[must_use]
    pub fn weighing(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }
}

impl Step<'_> {
    /// The table that is made anew, if this drops the old one of it.
    #[must_use]
    pub fn remake(&self) -> Option<&Remake> {
        self.remakes.iter().find(|remake| remake.drop == self.at)
    }

    /// Whether this file is the clean-up half of a change.
    #[must_use]
    pub fn is_contract(&self) -> bool {
        is_contract(self.directives)
    }
}

impl Whole<'_> {
    /// Whether a statement writes nothing but the books of whoever runs it.
    #[must_use]
    pub fn keeps_books(&self, statement: &Statement) -> bool {
        let table = match &statement.what {
            What::CreateTable(table) => Some(&table.name),
            _ => written_table(statement),
        };
        table.is_some_and(|table| self.policy.runner.keeps(&table.name))
    }

    /// Whether this file is the clean-up half of a change.
    #[must_use]
    pub fn is_contract(&self) -> bool {
        is_contract(self.directives)
    }
}

fn is_contract(directives: &[Directive]) -> bool {
    directives.iter().any(|directive| matches!(directive.what, Said::Contract { .. }))
}

/// Judges files in their order, and returns all that was found. `schema` is what stands before the
/// first. Whoever has more files than fit into memory takes a [`Review`].
#[must_use]
pub fn review(files: Vec<Read>, schema: Schema, policy: &Policy, evidence: &Evidence) -> Report {
    let mut report =
        Report { files: Vec::new(), findings: Vec::new(), server: policy.server.to_string() };
    let texts = files.iter().map(|read| &read.file.text);
    let together = policy.runner.runs_together(policy.server.engine, texts);
    let mut review = Review::new(schema, together, policy, evidence);
    for read in files {
        let judged = review.judge(read);
        report.findings.extend(judged.findings);
        report.files.push(judged.file);
    }
    report
}

/// Files that are judged one after the other. Of those that were, nothing is kept but what a later
/// one may ask about: the schema that they left, their paths and directives, and the state of the
/// transaction that goes on.
#[derive(Debug)]
pub struct Review<'a> {
    schema: Schema,
    /// Whether the files are one transaction.
    together: bool,
    /// What the file before left open, if they are.
    open: Option<State>,
    before: Vec<(String, Vec<Directive>)>,
    policy: &'a Policy,
    evidence: &'a Evidence,
}

impl<'a> Review<'a> {
    /// Begins one. `schema` is what stands before the first file; `together` is what
    /// [`Runner::runs_together`](super::Runner::runs_together) says of the files.
    #[must_use]
    pub fn new(schema: Schema, together: bool, policy: &'a Policy, evidence: &'a Evidence) -> Self {
        Self { schema, together, open: None, before: Vec::new(), policy, evidence }
    }

    /// Judges the next file.
    pub fn judge(&mut self, read: Read) -> Judged {
        let (findings, statements, mut state) = self.look(&read);
        let Read { file, script, directives, .. } = read;
        if self.together && state.in_transaction() {
            state.next_file(&file.path, &script.statements, &file.text);
            self.open = Some(state);
        }
        self.before.push((file.path.clone(), directives));
        Judged { file: FileReport { path: file.path, text: file.text, statements }, findings }
    }

    /// What is found in a file, what its statements do, and the state after the last.
    fn look(&mut self, read: &Read) -> (Vec<Finding>, Vec<StatementReport>, State) {
        let Read { file, script, directives, changesets } = read;
        let (policy, evidence) = (self.policy, self.evidence);
        let text = file.text.as_str();
        // What only leads back is never run on the way forward: nothing of it is judged or applied.
        let down = rules::down_migration::is_down(&file.path);
        // Every file is a session of its own unless one transaction goes on. What an earlier file made
        // is live by then: nobody knows which of them have run already.
        let schema = &mut self.schema;
        schema.judge();
        let mut state = self.open.take().unwrap_or_else(|| first_state(policy, text));
        let remakes = match policy.server.engine {
            Engine::Sqlite => Remake::all(&script.statements),
            // Elsewhere others write to the old table between the copy and the drop.
            _ => Vec::new(),
        };
        let mut seen: Vec<Seen> = Vec::with_capacity(script.statements.len());
        let mut drafts: Vec<(&'static Rule, Draft)> = Vec::new();
        let mut part = 0;
        for (at, statement) in script.statements.iter().enumerate() {
            let begun = changesets.partition_point(|set| set.span.start <= statement.span.start);
            if let Some(begun) = begun.checked_sub(1).filter(|begun| *begun != part || at == 0) {
                // What an earlier changeset made has been committed, perhaps years ago.
                schema.judge();
                state.part(changesets[begun].in_transaction);
                part = begun;
            }
            let around = Surroundings {
                server: policy.server,
                schema,
                in_transaction: state.in_transaction(),
                utc: state.utc,
                foreign_key_checks: state.foreign_key_checks,
            };
            let done = effects(statement, &around);
            let step = Step {
                at,
                statement,
                effects: &done,
                schema,
                state: &state,
                path: &file.path,
                text,
                directives,
                statements: &script.statements,
                remakes: &remakes,
                policy,
            };
            for rule in rules::ALL {
                if let Check::Statement(check) = rule.check {
                    drafts.extend(check(&step).into_iter().map(|draft| (*rule, draft)));
                }
            }
            let open = state.open;
            let lock_wait = own_wait(statement).or(state.lock_wait());
            let blocks_others = seen_by_others(&done, schema).any(|lock| lock.blocks().writes);
            let own_table = written_table(statement).is_some_and(|table| schema.is_born(table));
            state.after(at, statement, &done);
            if !down {
                schema.apply(statement);
            }
            seen.push(Seen {
                statement,
                part,
                effects: done,
                open,
                lock_wait,
                blocks_others,
                own_table,
            });
        }
        let hash = hash(text);
        let whole = Whole {
            path: &file.path,
            text,
            hash: &hash,
            directives,
            seen: &seen,
            remakes: &remakes,
            state: &state,
            before: &self.before,
            policy,
            evidence,
        };
        for rule in rules::ALL {
            if let Check::File(check) = rule.check {
                drafts.extend(check(&whole).into_iter().map(|draft| (*rule, draft)));
            }
        }
        if down {
            drafts.retain(|(rule, _)| rule.id == rules::down_migration::RULE.id);
        }
        let findings = settle(self.before.len(), drafts, &whole);
        let statements = seen.into_iter().map(|seen| reported(seen, &findings)).collect();
        (findings, statements, state)
    }
}

fn first_state(policy: &Policy, text: &str) -> State {
    let in_transaction = policy.runner.opens_transaction(policy.server.engine, text);
    let foreign_keys = match policy.server.engine {
        Engine::Sqlite => policy.runner.foreign_keys,
        _ => true,
    };
    State::new(policy.server, in_transaction, policy.utc, foreign_keys)
}

fn reported(seen: Seen, findings: &[Finding]) -> StatementReport {
    let span = seen.statement.span.clone();
    // Findings are in the order of their places.
    let first = findings.partition_point(|finding| finding.span.start < span.start);
    let inside = |finding: &&Finding| finding.span.start < span.end.max(span.start + 1);
    let mut rules: Vec<&'static str> =
        findings[first..].iter().take_while(inside).map(|finding| finding.rule).collect();
    rules.dedup();
    StatementReport { span, kind: seen.statement.kind.clone(), effects: seen.effects, rules }
}

fn written_table(statement: &Statement) -> Option<&crate::sql::statement::Name> {
    match &statement.what {
        What::Dml(dml) => dml.table.as_ref(),
        _ => None,
    }
}

/// The SHA-256 of a text, in hexadecimal: what evidence names a migration by.
#[must_use]
pub fn hash(text: &str) -> String {
    use sha2::{Digest, Sha256};
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Weighs the drafts, and lays the allowances over them.
fn settle(file: usize, drafts: Vec<(&'static Rule, Draft)>, whole: &Whole) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (rule, draft) in drafts {
        let decided = whole.policy.severities.get(rule.id);
        let severity = match decided {
            Some(Some(severity)) => *severity,
            // One of the five is never silently off.
            Some(None) if rule.non_negotiable => Severity::Note,
            Some(None) => continue,
            None => draft.severity.unwrap_or(rule.severity),
        };
        findings.push(Finding {
            rule: rule.id,
            severity,
            file,
            span: draft.span,
            message: draft.message,
            why: draft.why,
            instead: draft.instead,
            allowed: None,
        });
    }
    let allowances = rules::allowance::lay(&mut findings, whole);
    findings.extend(allowances.into_iter().map(|draft| Finding {
        rule: rules::allowance::RULE.id,
        severity: draft.severity.unwrap_or(rules::allowance::RULE.severity),
        file,
        span: draft.span,
        message: draft.message,
        why: draft.why,
        instead: draft.instead,
        allowed: None,
    }));
    findings.sort_by(|a, b| (a.span.start, a.rule).cmp(&(b.span.start, b.rule)));
    findings
}

impl Allowance {
    /// Whether it still holds on this day. A day that cannot be read never holds.
    #[must_use]
    pub fn holds(&self, today: &str) -> bool {
        self.until.as_deref().is_none_or(|until| is_day(until) && today <= until)
    }
}

/// Whether a text is a day, `2026-12-31`.
pub(super) fn is_day(text: &str) -> bool {
    text.len() == 10
        && text.char_indices().all(|(at, c)| match at {
            4 | 7 => c == '-',
            _ => c.is_ascii_digit(),
        })
}
