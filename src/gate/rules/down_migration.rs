//! A way back that nobody has tried is no way back.

use super::{Check, Rule};
use crate::gate::Severity;
use crate::gate::review::{Draft, Whole};

/// The rule.
pub static RULE: Rule = Rule {
    id: "down-migration",
    title: "a down migration gives false confidence unless a validation has proved it",
    severity: Severity::Warning,
    non_negotiable: false,
    page: include_str!("down_migration.md"),
    check: Check::File(check),
};

/// How the tools of the field mark the way back inside of a file.
const MARKS: &[&str] =
    &["-- +goose Down", "-- migrate:down", "-- +migrate Down", "--rollback ", "-- rollback "];

/// Whether a file is a way back as a whole, by its name.
#[must_use]
pub fn is_down(path: &str) -> bool {
    let path = path.to_lowercase();
    let ends = [".down.sql", "_down.sql", "/down.sql", ".undo.sql", ".rollback.sql"];
    ends.iter().any(|end| path.ends_with(end))
}

/// Where the way forward ends in a file that holds both.
#[must_use]
pub fn forward(text: &str) -> usize {
    let ways = MARKS.iter().filter(|mark| !mark.contains("rollback"));
    ways.filter_map(|mark| text.find(mark)).min().unwrap_or(text.len())
}

fn check(whole: &Whole) -> Vec<Draft> {
    let by_name = is_down(whole.path);
    let by_mark = MARKS.iter().find_map(|mark| {
        let places = whole.text.match_indices(mark).map(|(at, _)| {
            let end = whole.text[at..].find('\n').map_or(whole.text.len(), |end| at + end);
            at..end
        });
        // Liquibase's word for having none: nothing is run, and nobody relies on it.
        let none = |line: &str| {
            let rest = line[mark.len()..].trim().to_lowercase();
            let says = |word: &str| rest.starts_with(word);
            mark.contains("rollback") && (says("empty") || says("not required"))
        };
        places.into_iter().find(|place| !none(&whole.text[place.clone()]))
    });
    let place = match by_mark {
        Some(place) => place,
        None if by_name => whole.seen.first().map_or(0..0, |seen| seen.statement.span.clone()),
        None => return Vec::new(),
    };
    if whole.evidence.reversible.iter().any(|hash| hash == whole.hash) {
        return Vec::new();
    }
    vec![Draft::at(place, "no validation has proved that this way back leads back").why(
        "a down that drops what the application has written since loses it; forward first, \
             restore last",
    )]
}
