//! Lines and columns.

use std::ops::Range;

/// How far apart, in bytes, the characters are counted ahead: a dump may be one line of megabytes
/// with thousands of findings on it.
const STRIDE: usize = 1024;

/// Where the lines of a text begin and how many characters stand before them, found once.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
    /// The characters before every [`STRIDE`]th byte.
    counted: Vec<usize>,
}

/// A place as people count: both from one, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub line: usize,
    pub column: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        // No editor counts the byte order mark as a column.
        let mark = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        let (mut starts, mut counted, mut characters) = (vec![mark], vec![0], 0);
        starts.extend(text.match_indices('\n').map(|(at, _)| at + 1));
        for stride in text.as_bytes().chunks(STRIDE) {
            characters += count(stride);
            counted.push(characters);
        }
        Self { text, starts, counted }
    }

    fn place(&self, at: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= at).max(1);
        let start = self.start(line);
        let before = match self.text.as_bytes().get(start..at) {
            Some(near) if near.len() < STRIDE => count(near),
            _ => self.characters(at).saturating_sub(self.characters(start)),
        };
        Place { line, column: before + 1 }
    }

    fn characters(&self, at: usize) -> usize {
        let ahead = self.counted.get(at / STRIDE).copied().unwrap_or_default();
        let rest = self.text.as_bytes().get(at / STRIDE * STRIDE..at).unwrap_or_default();
        ahead + count(rest)
    }

    /// Where a span begins, and where the first character after it stands.
    pub(super) fn both(&self, span: &Range<usize>) -> (Place, Place) {
        let span = self.within(span);
        (self.place(span.start), self.place(span.end))
    }

    /// The span as it can be cut out of the text.
    pub(super) fn within(&self, span: &Range<usize>) -> Range<usize> {
        let start = self.text.floor_char_boundary(span.start);
        start..self.text.floor_char_boundary(span.end).max(start)
    }

    /// What stands there.
    pub(super) fn slice(&self, span: &Range<usize>) -> &'a str {
        self.text.get(self.within(span)).unwrap_or_default()
    }

    /// Where a line begins.
    pub(super) fn start(&self, line: usize) -> usize {
        self.starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len())
    }

    /// A line by its number, without its end.
    pub(super) fn line(&self, number: usize) -> &'a str {
        let line = self.text.get(self.start(number)..self.start(number + 1)).unwrap_or_default();
        let line = line.strip_suffix('\n').unwrap_or(line);
        line.strip_suffix('\r').unwrap_or(line)
    }
}

/// The characters that begin in these bytes.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_an_editor() {
        let text = "\u{feff}a;\r\nžluť b;\n\nc";
        let lines = Lines::of(text);
        let of = |word: &str| {
            let at = text.find(word).unwrap();
            let (start, end) = lines.both(&(at..at + word.len()));
            (start.line, start.column, end.line, end.column)
        };
        assert_eq!(of("a;"), (1, 1, 1, 3), "the mark at the beginning is no column");
        assert_eq!(of("b;"), (2, 6, 2, 8), "a letter of two bytes is one column");
        assert_eq!(of("c"), (4, 1, 4, 2));
        assert_eq!([1, 2, 3, 4, 5].map(|n| lines.line(n)), ["a;", "žluť b;", "", "c", ""]);
    }

    #[test]
    fn a_place_on_a_line_of_any_length_is_found_as_by_counting() {
        let text = format!("x\n{}", "aé漢".repeat(2_000));
        let lines = Lines::of(&text);
        for (at, _) in text.char_indices().filter(|(at, _)| at.is_multiple_of(7)) {
            let column = text[..at].rsplit('\n').next().unwrap().chars().count() + 1;
            assert_eq!(lines.place(at).column, column, "at byte {at}");
        }
        assert_eq!(lines.place(text.len()).column, 6_001);
    }

    #[test]
    fn a_span_that_does_not_fit_is_cut_to_one_that_does() {
        let lines = Lines::of("aé");
        assert_eq!(lines.slice(&(2..9)), "é", "inside of a character, and beyond the end");
        #[expect(clippy::reversed_empty_ranges, reason = "whoever made it made a mistake")]
        let reversed = 3..0;
        assert_eq!(lines.slice(&reversed), "");
    }
}
