//! The two streams. Data goes to stdout, everything else to stderr; a closed pipe is no panic.

use std::io::{IsTerminal as _, Write as _};

/// Prints data.
pub(super) fn data(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Prints a note for the person at the terminal.
pub(super) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Prints an error.
pub(super) fn error(message: &str) {
    note(&format!("error: {message}"));
}

/// Prints JSON: pretty, because people read it too, and every parser takes it.
pub(super) fn json(value: &serde_json::Value) {
    data(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Whether stderr is a terminal that can redraw a line.
pub(super) fn can_redraw() -> bool {
    let capable = std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb");
    capable && std::io::stderr().is_terminal()
}
