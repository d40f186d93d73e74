//! Markdown of GitHub and GitLab, for the comment on a change: what is locked, at a glance, and the
//! findings folded below.

use super::placed::{Placed, PlacedFinding, relative};
use super::words::{Doubt, summary, tame, terms, waits, work};
use super::{Format, Heading, Out, Part, Writer};
use crate::gate::{StatementReport, Sum};

/// The format.
pub(super) static FORMAT: Format = Format { name: "markdown", begin };

/// GitHub refuses a comment of more than 65,536 characters; whoever posts it may add to it.
const LONGEST: usize = 60_000;
/// The table ends here, so that the findings are not crowded out by what nobody minds.
const LONGEST_TABLE: usize = 20_000;
/// What is shown of a statement below a finding, in characters.
const LONGEST_SQL: usize = 1_500;
/// What is shown of a statement in the table, in characters.
const CELL: usize = 60;

/// A comment is not longer than GitHub takes, so no more than that is held.
struct Comment {
    server: String,
    rows: Fitting,
    open: Fitting,
    granted: Fitting,
}

/// The first parts of a list, as many as may fit, and how many there are.
#[derive(Debug)]
struct Fitting {
    longest: usize,
    length: usize,
    parts: Vec<String>,
    count: usize,
}

impl Fitting {
    fn new(longest: usize) -> Self {
        Self { longest, length: 0, parts: Vec::new(), count: 0 }
    }

    /// Takes a part; one that cannot fit any more is not even made.
    fn push(&mut self, part: impl FnOnce() -> String) {
        self.count += 1;
        if self.longest < self.length {
            return;
        }
        let part = part();
        self.length += part.chars().count();
        if self.length <= self.longest {
            self.parts.push(part);
        }
    }

    /// Appends as many as fit, and says how many do not.
    fn append(&self, text: &mut String) -> usize {
        let mut length = text.chars().count();
        for (number, part) in self.parts.iter().enumerate() {
            length += part.chars().count();
            if self.longest < length {
                return self.count - number;
            }
            text.push_str(part);
        }
        self.count - self.parts.len()
    }
}

impl Writer for Comment {
    fn file(&mut self, file: &Placed, _out: &mut Out) {
        for (at, statement) in file.file.statements.iter().enumerate() {
            let found: Vec<&PlacedFinding> = file.on(Some(at)).collect();
            let effects = &statement.effects;
            let does_nothing = effects.locks.is_empty() && !effects.grows();
            if found.is_empty() && does_nothing && Doubt::of(effects).is_none() {
                continue;
            }
            self.rows.push(|| row(file, statement, &found));
        }
        for one in file.allowed(false) {
            self.open.push(|| folded(file, one));
        }
        for one in file.allowed(true) {
            self.granted.push(|| granted(file, one));
        }
    }

    fn end(self: Box<Self>, sum: &Sum) -> Vec<Part> {
        let sign = if sum.passes() { "✅" } else { "❌" };
        let mut text = format!("### {sign} Backstop: {}\n\n", summary(sum));
        text.push_str(&format!("Judged for {}.\n", prose(&self.server)));
        if 0 < self.rows.count {
            text.push_str(
                "\n| where | statement | locks and work | findings |\n| --- | --- | --- | --- |\n",
            );
            let left = self.rows.append(&mut text);
            if 0 < left {
                text.push_str(&format!("\n{left} more statements do not fit into the table.\n"));
            }
        }
        let left = self.open.append(&mut text);
        if 0 < left {
            text.push_str(&format!("\n{left} more findings do not fit into a comment.\n"));
        }
        if 0 < self.granted.count {
            let allowed = self.granted.count;
            text.push_str(&format!("\n<details><summary>{allowed} allowed</summary>\n\n"));
            let left = self.granted.append(&mut text);
            if 0 < left {
                text.push_str(&format!("- {left} more\n"));
            }
            text.push_str("\n</details>\n");
        }
        text.truncate(text.trim_end().len());
        vec![Part::Text(text)]
    }
}

fn begin(heading: &Heading, _out: &mut Out) -> Box<dyn Writer> {
    Box::new(Comment {
        server: heading.server.clone(),
        rows: Fitting::new(LONGEST_TABLE),
        open: Fitting::new(LONGEST),
        granted: Fitting::new(LONGEST),
    })
}

/// A statement that locks something, works through rows, is not proven, or has a finding.
fn row(file: &Placed, statement: &StatementReport, found: &[&PlacedFinding]) -> String {
    let place = file.lines.both(&statement.span).0;
    let sql = one_line(file.lines.slice(&statement.span));
    let short: String = sql.chars().take(CELL).collect();
    let dots = if short.len() < sql.len() { "…" } else { "" };
    let path = format!("{}:{}", shown(&file.file.path), place.line);
    format!(
        "| {} | {} | {} | {} |\n",
        cell(&code(&path)),
        cell(&code(&format!("{short}{dots}"))),
        cell(&does(statement)),
        cell(&rules(found)),
    )
}

fn does(statement: &StatementReport) -> String {
    let effects = &statement.effects;
    let locks = effects.locks.iter().map(|lock| {
        let relation = code(&one_line(&lock.relation.to_string()));
        format!("{relation} {} ({})", lock.mode, waits(lock))
    });
    let work = work(effects).into_iter().map(|work| prose(&work));
    let doubt = Doubt::of(effects).map(|doubt| format!("**{}**", doubt.word));
    locks.chain(work).chain(doubt).collect::<Vec<_>>().join("<br>")
}

fn rules(found: &[&PlacedFinding]) -> String {
    let each = found.iter().map(|placed| {
        let finding = placed.finding;
        let word = if finding.allowed.is_some() { "allowed" } else { finding.severity.word() };
        format!("{word} {}", code(finding.rule))
    });
    let mut each: Vec<String> = each.collect();
    each.dedup();
    each.join("<br>")
}

/// A finding: its sentence to be seen, the rest on demand.
fn folded(file: &Placed, one: &PlacedFinding) -> String {
    let finding = one.finding;
    let mut text = format!(
        "\n<details><summary><b>{}</b> <code>{}</code> {}:{}: {}</summary>\n\n",
        finding.severity.word(),
        html(finding.rule),
        html(&shown(&file.file.path)),
        one.start.line,
        html_prose(&finding.message)
    );
    let mut parts = vec![fenced(&excerpt(file.lines.slice(&finding.span)))];
    let doubt = one.statement.and_then(|statement| Doubt::of(&statement.effects));
    let doubt = doubt.filter(|doubt| !doubt.is_said_in(finding));
    let doubt = doubt.map(|doubt| format!("{}: {doubt}", doubt.word));
    let why = finding.why.iter().chain(&doubt).map(|why| format!("- {}", prose(why)));
    let why: Vec<String> = why.collect();
    if !why.is_empty() {
        parts.push(why.join("\n"));
    }
    if let Some(instead) = &finding.instead {
        parts.push("Instead:".to_owned());
        parts.push(fenced(instead));
    }
    parts.push(format!("More: `backstop explain {}`", finding.rule));
    text.push_str(&parts.join("\n\n"));
    text.push_str("\n\n</details>\n");
    text
}

/// The beginning of a statement: thousands of rows to insert would crowd out the other findings.
fn excerpt(sql: &str) -> String {
    let mut short: String = sql.chars().take(LONGEST_SQL).collect();
    if short.len() < sql.len() {
        short.push('…');
    }
    short
}

fn granted(file: &Placed, one: &PlacedFinding) -> String {
    let allowed = one.finding.allowed.as_ref();
    format!(
        "- {} {}: {}{}\n",
        code(one.finding.rule),
        code(&format!("{}:{}", shown(&file.file.path), one.start.line)),
        prose(allowed.map_or("", |allowed| allowed.reason.as_str())),
        prose(&allowed.map(terms).unwrap_or_default())
    )
}

fn shown(path: &str) -> String {
    if path == "-" { "standard input".to_owned() } else { one_line(relative(path)) }
}

fn one_line(text: &str) -> String {
    tame(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A block of SQL, within more backticks than stand in it.
fn fenced(sql: &str) -> String {
    let sql = tame(&sql.replace("\r\n", "\n").replace('\t', "    "));
    let fence = "`".repeat((longest_run(&sql) + 1).max(3));
    format!("{fence}sql\n{}\n{fence}", sql.trim_end())
}

/// A piece of code within a line.
fn code(text: &str) -> String {
    let fence = "`".repeat(longest_run(text) + 1);
    let space = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{space}{text}{space}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// A cell of a table: the pipe ends one even in code.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// A sentence of ours with names of others in it. What stands between backticks is code already; of
/// the rest, nothing is a tag, a link or the mention of a person.
fn prose(text: &str) -> String {
    let text = one_line_keeping_edges(text);
    let parts: Vec<&str> = text.split('`').collect();
    let paired = parts.len() % 2 == 1;
    let mut sentence = String::new();
    for (number, part) in parts.iter().enumerate() {
        // One without a partner opens nothing.
        let alone = !paired && number + 1 == parts.len();
        if number % 2 == 1 && !alone {
            sentence.push_str(&code(part));
            continue;
        }
        if alone {
            sentence.push_str("\\`");
        }
        for c in part.chars() {
            match c {
                '<' => sentence.push_str("&lt;"),
                '>' => sentence.push_str("&gt;"),
                '&' => sentence.push_str("&amp;"),
                // An empty comment between the sign and the name keeps the person from being told.
                '@' => sentence.push_str("@<!-- -->"),
                '#' => sentence.push_str("#<!-- -->"),
                '\\' | '*' | '_' | '[' | ']' | '~' | '$' => {
                    sentence.push('\\');
                    sentence.push(c);
                }
                c => sentence.push(c),
            }
        }
    }
    sentence
}

fn one_line_keeping_edges(text: &str) -> String {
    tame(&text.replace(['\n', '\r', '\t'], " "))
}

/// A sentence between tags, where Markdown is not read.
fn html_prose(text: &str) -> String {
    let text = html(&one_line_keeping_edges(text));
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return text;
    }
    let part = |(number, part): (usize, &&str)| {
        if number % 2 == 1 { format!("<code>{part}</code>") } else { (*part).to_owned() }
    };
    parts.iter().enumerate().map(part).collect()
}

/// Text between tags.
fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('@', "&#64;")
}

#[cfg(test)]
mod tests {
    use super::super::{Style, sample, written};
    use super::*;

    #[test]
    fn a_comment_shows_locks_at_a_glance_and_findings_below() {
        // A row for each statement that does something; each finding folded below its sentence;
        // pipes and tags of a name harmless; nobody is mentioned.
        let text = written(&FORMAT, &sample::report(), Style::default());
        assert_eq!(text, include_str!("../../../tests/findings/comment.md").trim_end());
    }

    #[test]
    fn nothing_found_is_two_lines() {
        assert_eq!(
            written(&FORMAT, &sample::clean(), Style::default()),
            "### ✅ Backstop: no findings in 1 file (1 statement)\n\nJudged for PostgreSQL 15."
        );
    }

    #[test]
    fn text_of_others_stays_text() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`a`"), "`` `a` ``");
        assert_eq!(fenced("x\n```\ny"), "````sql\nx\n```\ny\n````");
        assert_eq!(prose("`a*b` is *b*"), "`a*b` is \\*b\\*");
        assert_eq!(prose("a ` alone <b>"), "a \\` alone &lt;b&gt;");
        assert_eq!(html_prose("`a<b>` is"), "<code>a&lt;b&gt;</code> is");
        assert_eq!(prose("@data"), "@<!-- -->data");
    }

    #[test]
    fn a_comment_fits_however_much_is_found() {
        let mut report = sample::report();
        for _ in 0..500 {
            report.findings.push(report.findings[0].clone());
        }
        let statement = report.files[0].statements[1].clone();
        report.files[0].statements.extend(vec![statement; 500]);
        let text = written(&FORMAT, &report, Style::default());
        assert!(text.chars().count() < 65_536);
        assert!(text.contains("more findings do not fit into a comment."), "and says so");
        assert!(text.contains("more statements do not fit into the table."), "{text}");
        assert!(text.ends_with("</details>"), "what is allowed is still there");
    }
}
