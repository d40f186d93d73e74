//! Markdown of GitHub and GitLab, for the comment on a change: what is locked, at a glance, and the
//! findings folded below.

use super::placed::{Placed, PlacedFinding, relative};
use super::words::{Doubt, summary, tame, terms, waits, work};
use super::{Format, Style};
use crate::gate::{Report, StatementReport};

/// The format.
pub(super) static FORMAT: Format = Format { name: "markdown", render };

/// GitHub refuses a comment of more than 65,536 characters; whoever posts it may add to it.
const LONGEST: usize = 60_000;
/// The table ends here, so that the findings are not crowded out by what nobody minds.
const LONGEST_TABLE: usize = 20_000;
/// What is shown of a statement below a finding, in characters.
const LONGEST_SQL: usize = 1_500;
/// What is shown of a statement in the table, in characters.
const CELL: usize = 60;

fn render(report: &Report, _style: Style) -> String {
    let placed = Placed::of(report);
    let sign = if report.passes() { "✅" } else { "❌" };
    let mut text = format!("### {sign} Backstop: {}\n\n", summary(report));
    text.push_str(&format!("Judged for {}.\n", prose(&report.server)));
    table(&placed, &mut text);
    let open: Vec<String> = placed.allowed(false).map(|one| folded(&placed, one)).collect();
    let granted: Vec<String> = placed.allowed(true).filter_map(granted).collect();
    let left = append(&mut text, &open, LONGEST);
    if 0 < left {
        text.push_str(&format!("\n{left} more findings do not fit into a comment.\n"));
    }
    if !granted.is_empty() {
        text.push_str(&format!("\n<details><summary>{} allowed</summary>\n\n", granted.len()));
        let left = append(&mut text, &granted, LONGEST);
        if 0 < left {
            text.push_str(&format!("- {left} more\n"));
        }
        text.push_str("\n</details>\n");
    }
    text.trim_end().to_owned()
}

/// Appends as many as fit, and says how many do not.
fn append(text: &mut String, parts: &[String], longest: usize) -> usize {
    let mut length = text.chars().count();
    for (number, part) in parts.iter().enumerate() {
        length += part.chars().count();
        if longest < length {
            return parts.len() - number;
        }
        text.push_str(part);
    }
    0
}

/// The statements that lock something, work through rows, are not proven, or have a finding.
fn table(placed: &Placed, text: &mut String) {
    let mut rows = Vec::new();
    for (number, file) in placed.files.iter().enumerate() {
        for (at, statement) in file.file.statements.iter().enumerate() {
            let found: Vec<&PlacedFinding> = placed.on(number, Some(at)).collect();
            let effects = &statement.effects;
            let doubt = Doubt::of(effects);
            if found.is_empty() && effects.locks.is_empty() && !effects.grows() && doubt.is_none() {
                continue;
            }
            let place = file.lines.both(&statement.span).0;
            let sql = one_line(file.lines.slice(&statement.span));
            let short: String = sql.chars().take(CELL).collect();
            let dots = if short.len() < sql.len() { "…" } else { "" };
            let path = format!("{}:{}", shown(&file.file.path), place.line);
            rows.push(format!(
                "| {} | {} | {} | {} |\n",
                cell(&code(&path)),
                cell(&code(&format!("{short}{dots}"))),
                cell(&does(statement)),
                cell(&rules(&found)),
            ));
        }
    }
    if rows.is_empty() {
        return;
    }
    text.push_str(
        "\n| where | statement | locks and work | findings |\n| --- | --- | --- | --- |\n",
    );
    let left = append(text, &rows, LONGEST_TABLE);
    if 0 < left {
        text.push_str(&format!("\n{left} more statements do not fit into the table.\n"));
    }
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
fn folded(placed: &Placed, one: &PlacedFinding) -> String {
    let finding = one.finding;
    let mut text = format!(
        "\n<details><summary><b>{}</b> <code>{}</code> {}:{}: {}</summary>\n\n",
        finding.severity.word(),
        html(finding.rule),
        html(&shown(one.path)),
        one.start.line,
        html_prose(&finding.message)
    );
    let mut parts = vec![fenced(&excerpt(placed.files[one.at.0].lines.slice(&finding.span)))];
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

fn granted(one: &PlacedFinding) -> Option<String> {
    let allowed = one.finding.allowed.as_ref()?;
    Some(format!(
        "- {} {}: {}{}\n",
        code(one.finding.rule),
        code(&format!("{}:{}", shown(one.path), one.start.line)),
        prose(&allowed.reason),
        prose(&terms(allowed))
    ))
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
    use super::super::sample;
    use super::*;

    #[test]
    fn a_comment_shows_locks_at_a_glance_and_findings_below() {
        // A row for each statement that does something; each finding folded below its sentence;
        // pipes and tags of a name harmless; nobody is mentioned.
        let text = render(&sample::report(), Style::default());
        assert_eq!(text, include_str!("../../../tests/findings/comment.md").trim_end());
    }

    #[test]
    fn nothing_found_is_two_lines() {
        assert_eq!(
            render(&sample::clean(), Style::default()),
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
        let text = render(&report, Style::default());
        assert!(text.chars().count() < 65_536);
        assert!(text.contains("more findings do not fit into a comment."), "and says so");
        assert!(text.contains("more statements do not fit into the table."), "{text}");
        assert!(text.ends_with("</details>"), "what is allowed is still there");
    }
}
