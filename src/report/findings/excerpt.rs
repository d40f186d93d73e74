//! The lines of a file on which a finding is, with the place marked.

use std::ops::Range;

use unicode_width::UnicodeWidthChar as _;

use super::Style;
use super::paint::Ink;
use super::place::Lines;
use super::words::{is_plain, visible};

/// A place of more lines than this is shown without its middle.
const MOST_LINES: usize = 6;
/// Of one that is, so many lines at its beginning.
const HEAD: usize = 3;
/// A longer line, in columns, is cut: it would be wrapped, and the marks would stand anywhere.
const WIDEST: usize = 120;
/// What is shown of a cut line before the place, in bytes.
const LEAD: usize = 20;
/// A tab, whatever the terminal makes of one.
const TAB: &str = "    ";

/// Draws it, a line each, without a line's end: `gutter` columns for the numbers, the marks in
/// `ink`.
pub(super) fn excerpt(
    lines: &Lines,
    span: &Range<usize>,
    gutter: usize,
    ink: Ink,
    style: Style,
) -> Vec<String> {
    let span = {
        let text = lines.slice(span);
        let span = lines.within(span);
        span.start..span.end - (text.len() - text.trim_end().len())
    };
    let (start, end) = lines.both(&span);
    let frame = |number: &str, rest: &str| {
        let head = style.paint(Ink::Frame, &format!(" {number:>gutter$} |"));
        if rest.is_empty() { head } else { format!("{head} {rest}") }
    };
    let mark = |text: &str| style.paint(ink, text);
    let mut drawn = vec![frame("", "")];
    if start.line == end.line {
        let begin = lines.start(start.line);
        let shown = Shown::of(
            lines.line(start.line),
            span.start.saturating_sub(begin)..span.end.saturating_sub(begin),
        );
        drawn.push(frame(&start.line.to_string(), &shown.text));
        let carets = "^".repeat((shown.end - shown.start).max(1));
        drawn.push(frame("", &format!("{:1$}{2}", "", shown.start, mark(&carets))));
        return drawn;
    }
    let all = end.line - start.line + 1;
    for number in start.line..=end.line {
        let from_first = number - start.line;
        if MOST_LINES < all && HEAD <= from_first && number < end.line {
            if from_first == HEAD {
                drawn.push(frame("", &format!("{} …", mark("|"))));
            }
            continue;
        }
        let line = lines.line(number);
        let begin = lines.start(number);
        let first = span.start.saturating_sub(begin);
        let alone = line.get(..first).is_none_or(|before| before.trim().is_empty());
        let rail = match (from_first, alone) {
            (0, true) => mark("/"),
            (0, false) => " ".to_owned(),
            _ => mark("|"),
        };
        let upto = if number == end.line { span.end - begin } else { line.len() };
        let shown = Shown::of(line, (if from_first == 0 { first } else { 0 })..upto);
        drawn.push(frame(&number.to_string(), format!("{rail} {}", shown.text).trim_end()));
        if from_first == 0 && !alone {
            let corner = format!(" {}^", "_".repeat(shown.start + 1));
            drawn.push(frame("", &mark(&corner)));
        }
        if number == end.line {
            let corner = format!("|{}^", "_".repeat(shown.end.max(1)));
            drawn.push(frame("", &mark(&corner)));
        }
    }
    drawn
}

/// A line as it is shown, and between which columns of that the place is.
struct Shown {
    text: String,
    start: usize,
    end: usize,
}

impl Shown {
    /// `marked`: in bytes of the line.
    fn of(line: &str, marked: Range<usize>) -> Self {
        if line.len() <= WIDEST && line.bytes().all(is_plain) {
            let start = marked.start.min(line.len());
            let end = marked.end.min(line.len()).max(start);
            return Self { text: line.to_owned(), start, end };
        }
        let fits = width(line) <= WIDEST;
        let begin =
            if fits { 0 } else { line.floor_char_boundary(marked.start.saturating_sub(LEAD)) };
        let mut text = String::new();
        let mut column = 0;
        if 0 < begin {
            text.push('…');
            column += 1;
        }
        let (mut start, mut end) = (None, column);
        for (at, c) in line.char_indices().skip_while(|(at, _)| *at < begin) {
            if marked.start <= at {
                start.get_or_insert(column);
            }
            if WIDEST < column && !fits {
                text.push('…');
                break;
            }
            if c == '\t' {
                text.push_str(TAB);
            } else {
                text.push(visible(c));
            }
            column += columns(c);
            if at < marked.end {
                end = column;
            }
        }
        let start = start.unwrap_or(column);
        Self { text, start, end: end.max(start) }
    }
}

fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

fn columns(c: char) -> usize {
    if c == '\t' { TAB.len() } else { visible(c).width().unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Severity;

    fn drawn(text: &str, part: &str) -> String {
        let start = text.find(part).unwrap();
        let lines = Lines::of(text);
        let ink = Ink::Of(Severity::Error);
        let span = start..start + part.len();
        let width = lines.both(&span).1.line.to_string().len();
        format!("\n{}", excerpt(&lines, &span, width, ink, Style::default()).join("\n"))
    }

    #[test]
    fn marks_stand_under_what_they_mark() {
        assert_eq!(
            drawn("SELECT 1; DROP TABLE t;", "DROP TABLE t"),
            "
   |
 1 | SELECT 1; DROP TABLE t;
   |           ^^^^^^^^^^^^",
            "on a line with others"
        );
        assert_eq!(
            drawn("\tDROP TABLE \"漢字\"; x", "\"漢字\""),
            "
   |
 1 |     DROP TABLE \"漢字\"; x
   |                ^^^^^^",
            "after a tab, and as wide as the characters are"
        );
        assert_eq!(drawn("a\n\nb", "\n"), "\n   |\n 1 | a\n   |  ^", "what is empty has one mark");
        assert_eq!(
            drawn("a\u{1b}[31m b", "b"),
            "\n   |\n 1 | a␛[31m b\n   |        ^",
            "a control character is shown and does nothing"
        );
    }

    #[test]
    fn several_lines_are_held_together() {
        assert_eq!(
            drawn("x;\nALTER TABLE t\r\n\tADD a int\n;", "ALTER TABLE t\r\n\tADD a int"),
            "
   |
 2 | / ALTER TABLE t
 3 | |     ADD a int
   | |_____________^"
        );
        assert_eq!(
            drawn("x; ALTER TABLE t\n  ADD a int;", "ALTER TABLE t\n  ADD a int"),
            "
   |
 1 |   x; ALTER TABLE t
   |  ____^
 2 | |   ADD a int;
   | |___________^",
            "one that begins after another is led to"
        );
    }

    #[test]
    fn a_long_place_is_shown_without_its_middle() {
        let rows: Vec<String> = (0..20).map(|row| format!("  ({row})")).collect();
        let sql = format!("INSERT INTO t VALUES\n{}", rows.join(",\n"));
        assert_eq!(
            drawn(&format!("{sql};"), &sql),
            "
    |
  1 | / INSERT INTO t VALUES
  2 | |   (0),
  3 | |   (1),
    | | …
 21 | |   (19);
    | |______^"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let sql = format!("{} DROP TABLE t; {}", "é".repeat(300), "y".repeat(300));
        let drawn = drawn(&sql, "DROP TABLE t");
        assert!(drawn.lines().all(|line| line.chars().count() < WIDEST + 10), "{drawn}");
        let rows: Vec<&str> = drawn.lines().collect();
        let mark = rows[3].chars().position(|c| c == '^').unwrap();
        assert_eq!(rows[2].chars().skip(mark).take(12).collect::<String>(), "DROP TABLE t");
        assert!(rows[2].contains("| …é") && rows[2].ends_with("y…"), "{drawn}");
    }
}
