//! For a person at a terminal: the place underlined, who waits, why, and what to write instead.

use super::place::Lines;
use super::{Format, Style};
use crate::gate::effects::Verdict;
use crate::gate::{FileReport, Finding, Report, Severity};

/// The format.
pub(super) static FORMAT: Format = Format { name: "human", render };

/// The longest statement that is shown whole, in lines.
const SHOWN: usize = 6;

fn render(report: &Report, style: Style) -> String {
    let mut text = String::new();
    for (number, file) in report.files.iter().enumerate() {
        let lines = Lines::of(&file.text);
        let open = |finding: &&Finding| finding.file == number && finding.allowed.is_none();
        for finding in report.findings.iter().filter(open) {
            one(finding, file, &lines, style, &mut text);
        }
    }
    for finding in &report.findings {
        let Some(allowed) = &finding.allowed else { continue };
        let Some(file) = report.files.get(finding.file) else { continue };
        let place = Lines::of(&file.text).place(finding.span.start);
        text.push_str(&format!(
            "allowed[{}]: {}:{}:{}: {}{}{}\n",
            finding.rule,
            file.path,
            place.line,
            place.column,
            allowed.reason,
            allowed.owner.as_ref().map(|owner| format!(", owner {owner}")).unwrap_or_default(),
            allowed.until.as_ref().map(|until| format!(", until {until}")).unwrap_or_default(),
        ));
    }
    text.push_str(&summary(report));
    text.push('\n');
    text
}

fn one(finding: &Finding, file: &FileReport, lines: &Lines, style: Style, text: &mut String) {
    let paint = |code: &str, what: &str| {
        if style.colour { format!("\u{1b}[{code}m{what}\u{1b}[0m") } else { what.to_owned() }
    };
    let code = match finding.severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Note => "1;36",
    };
    let head = paint(code, &format!("{}[{}]", finding.severity.word(), finding.rule));
    text.push_str(&format!("{head}: {}\n", finding.message));
    let (start, end) = lines.both(&finding.span);
    let gutter = end.line.to_string().len();
    let bar = paint("34", "|");
    text.push_str(&format!(
        "{:gutter$}{} {}:{}:{}\n",
        "",
        paint("34", "-->"),
        file.path,
        start.line,
        start.column
    ));
    text.push_str(&format!("{:gutter$} {bar}\n", ""));
    for number in start.line..=end.line {
        if SHOWN < end.line - start.line + 1 && start.line + 2 < number && number < end.line {
            if number == start.line + 3 {
                text.push_str(&format!("{:gutter$} {bar} …\n", ""));
            }
            continue;
        }
        let line = lines.line(number).replace('\t', " ");
        text.push_str(&format!("{} {bar} {line}\n", paint("34", &format!("{number:>gutter$}"))));
        let from = if number == start.line { start.column - 1 } else { indent(&line) };
        let to = if number == end.line { end.column - 1 } else { line.chars().count() };
        if from < to {
            text.push_str(&format!(
                "{:gutter$} {bar} {:from$}{}\n",
                "",
                "",
                paint(code, &"^".repeat(to - from))
            ));
        }
    }
    let mark = paint("34", "=");
    if let Some(locks) = locks(finding, file) {
        text.push_str(&format!("{:gutter$} {mark} locks: {locks}\n", ""));
    }
    for why in &finding.why {
        text.push_str(&format!("{:gutter$} {mark} why: {why}\n", ""));
    }
    if let Some(instead) = &finding.instead {
        text.push_str(&format!("{:gutter$} {mark} instead:\n", ""));
        for line in instead.lines() {
            text.push_str(&format!("{:gutter$}   {bar} {line}\n", ""));
        }
    }
    text.push_str(&format!("{:gutter$} {mark} more: backstop explain {}\n\n", "", finding.rule));
}

fn indent(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).count()
}

/// The locks of the statement that a finding is on, where they say more than the message.
fn locks(finding: &Finding, file: &FileReport) -> Option<String> {
    let of = file.statements.iter().find(|statement| {
        statement.span.contains(&finding.span.start) && statement.rules.contains(&finding.rule)
    })?;
    if of.effects.locks.is_empty() {
        return None;
    }
    let each = of.effects.locks.iter().map(|lock| {
        let blocks = lock.mode.blocks();
        let waits = match (blocks.reads, blocks.writes) {
            (true, _) => "reads and writes wait",
            (false, true) => "writes wait",
            (false, false) => "reads and writes go on",
        };
        format!("{} {} ({waits})", lock.relation, lock.mode)
    });
    let mut said = each.collect::<Vec<_>>().join(", ");
    if let Verdict::Assumed(_) = of.effects.verdict {
        said.push_str("; assumed");
    }
    Some(said)
}

fn summary(report: &Report) -> String {
    let count = |number: usize, word: &str| match number {
        1 => format!("1 {word}"),
        _ => format!("{number} {word}s"),
    };
    let statements: usize = report.files.iter().map(|file| file.statements.len()).sum();
    let of = format!(
        "in {} ({}) for {}",
        count(report.files.len(), "file"),
        count(statements, "statement"),
        report.server
    );
    let allowed = report.findings.iter().filter(|finding| finding.allowed.is_some()).count();
    let allowed = if allowed == 0 { String::new() } else { format!("; {allowed} allowed") };
    let kinds = [Severity::Error, Severity::Warning, Severity::Note];
    let found: Vec<String> = kinds
        .into_iter()
        .map(|kind| (report.count(kind), kind.word()))
        .filter(|(number, _)| 0 < *number)
        .map(|(number, word)| count(number, word))
        .collect();
    if found.is_empty() {
        format!("no findings {of}{allowed}")
    } else {
        format!("{} {of}{allowed}", found.join(", "))
    }
}
