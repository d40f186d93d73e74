//! What several formats say in the same words.

use std::fmt;

use crate::gate::effects::{Effects, Lock, Verdict};
use crate::gate::{Allowance, Finding, Report, Severity};

/// Who waits for a lock.
pub(super) fn waits(lock: &Lock) -> &'static str {
    let blocks = lock.blocks();
    match (blocks.reads, blocks.writes) {
        (true, _) if lock.mode.is_brief() => "reads and writes wait for a moment",
        (true, _) => "reads and writes wait",
        (false, true) => "writes wait",
        (false, false) => "reads and writes go on",
    }
}

/// The work of a statement that grows with the rows, a phrase each.
pub(super) fn work(effects: &Effects) -> Vec<String> {
    let kinds = [
        ("writes", &effects.rewrite, "anew"),
        ("reads", &effects.scan, "whole"),
        ("builds an index on", &effects.index_build, ""),
    ];
    let found = kinds.into_iter().filter(|(_, tables, _)| !tables.is_empty());
    found
        .map(|(verb, tables, how)| {
            let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
            format!("{verb} {} {how}", tables.join(", ")).trim_end().to_owned()
        })
        .collect()
}

/// Why a prediction is not proven.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doubt<'a> {
    pub word: &'static str,
    pub why: &'a str,
    lead: &'static str,
}

impl<'a> Doubt<'a> {
    /// Nothing where everything that decides it was known.
    pub(super) fn of(effects: &'a Effects) -> Option<Self> {
        let (word, lead, why) = match &effects.verdict {
            Verdict::Proven => return None,
            Verdict::Assumed(why) => ("assumed", "the worst; ", why),
            Verdict::NotEvaluated(why) => ("not evaluated", "", why),
        };
        Some(Self { word, why, lead })
    }

    /// Whether a rule has said so itself.
    pub(super) fn is_said_in(&self, finding: &Finding) -> bool {
        let mut said = finding.why.iter().chain([&finding.message]);
        said.any(|text| text.contains(self.why))
    }
}

impl fmt::Display for Doubt<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.lead, self.why)
    }
}

/// Who allowed it and until when, in parentheses; nothing where nobody said so.
pub(super) fn terms(allowed: &Allowance) -> String {
    let owner = allowed.owner.as_ref().map(|owner| format!("owner {owner}"));
    let until = allowed.until.as_ref().map(|until| format!("until {until}"));
    let terms: Vec<String> = owner.into_iter().chain(until).collect();
    if terms.is_empty() { String::new() } else { format!(" ({})", terms.join(", ")) }
}

/// A finding in plain text: what happens, why it matters, what to write instead.
pub(super) fn advice(finding: &Finding) -> String {
    let mut parts = vec![finding.message.clone()];
    if !finding.why.is_empty() {
        let why: Vec<String> = finding.why.iter().map(|why| format!("why: {why}")).collect();
        parts.push(why.join("\n"));
    }
    if let Some(instead) = &finding.instead {
        parts.push(format!("instead:\n{}", instead.trim_end()));
    }
    parts.join("\n\n")
}

/// A finding in plain text that somebody allowed: what happens, and who says that it may.
pub(super) fn allowed(finding: &Finding) -> String {
    let said = finding.allowed.as_ref();
    let why = said.map(|allowed| format!("\n\nallowed: {}{}", allowed.reason, terms(allowed)));
    format!("{}{}", finding.message, why.unwrap_or_default())
}

/// `2 errors, 1 warning in 3 files (12 statements); 1 allowed`
pub(super) fn summary(report: &Report) -> String {
    let kinds = [Severity::Error, Severity::Warning, Severity::Note].into_iter();
    let found: Vec<String> = kinds
        .map(|severity| (report.count(severity), severity.word()))
        .filter(|(count, _)| 0 < *count)
        .map(|(count, word)| counted(count, word))
        .collect();
    let found = if found.is_empty() { "no findings".to_owned() } else { found.join(", ") };
    let allowed = report.findings.iter().filter(|finding| finding.allowed.is_some()).count();
    let allowed = if allowed == 0 { String::new() } else { format!("; {allowed} allowed") };
    let statements = report.files.iter().map(|file| file.statements.len()).sum();
    format!(
        "{found} in {} ({}){allowed}",
        counted(report.files.len(), "file"),
        counted(statements, "statement")
    )
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

/// Text of somebody else's that cannot steer a terminal: what is no character to be seen is shown as
/// one that is. Lines are kept.
pub(super) fn tame(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { c } else { visible(c) }).collect()
}

/// What is shown of a character.
pub(super) fn visible(c: char) -> char {
    match c {
        '\0'..='\x1f' => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        '\x7f' => '\u{2421}',
        // Those that turn the direction of a text make it read as what it is not.
        '\u{80}'..='\u{9f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c => c,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn the_summary_counts_what_there_is() {
        let report = sample::report();
        assert_eq!(summary(&report), "2 errors, 1 warning in 3 files (5 statements); 1 allowed");
        assert_eq!(summary(&sample::clean()), "no findings in 1 file (1 statement)");
    }

    #[test]
    fn a_name_cannot_steer_the_terminal() {
        assert_eq!(tame("a\u{1b}[2Jb\u{202e}c\nd"), "a␛[2Jb\u{fffd}c\nd");
    }
}
