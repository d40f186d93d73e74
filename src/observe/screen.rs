//! The terminal that bars are drawn on.

use std::io;

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// Stderr, with the cursor at the beginning of the last line between two draws. indicatif parks it
/// at the right edge, from where the `^C` that the terminal prints for the keys begins a new line:
/// the next draw then starts one line too low, and leaves an old state of the job above the new one.
#[derive(Debug)]
pub(super) struct Screen(Term);

impl Screen {
    /// Where to draw, at most so often a second. Nowhere if stderr is no terminal.
    pub(super) fn stderr(redraws_per_second: u8) -> ProgressDrawTarget {
        let screen = Self(Term::buffered_stderr());
        if !screen.0.is_term() {
            return ProgressDrawTarget::hidden();
        }
        // indicatif colours a terminal that is not its own as if it were stdout.
        console::set_colors_enabled(console::colors_enabled_stderr());
        ProgressDrawTarget::term_like_with_hz(Box::new(screen), redraws_per_second)
    }
}

/// Writes a line where the cursor is, and goes below it.
pub(super) fn write(line: &str) {
    let _ = Term::stderr().write_line(line);
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        self.0.size().1
    }

    fn height(&self) -> u16 {
        self.0.size().0
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.write_str("\r")?;
        self.0.flush()
    }
}
