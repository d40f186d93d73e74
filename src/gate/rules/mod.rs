//! The rules. Each is a value in a file of its own, with a page beside it that says why, and shows
//! what is bad and what is safe; a test runs every example of every page.
//!
//! A rule reads effects and never asks which database it is on.

pub mod allowance;
mod broken_code;
mod cascade;
mod concurrently_under_lock;
mod data_change;
mod data_loss;
pub(super) mod down_migration;
mod drop_with_add;
mod forward_only;
mod hand_over;
mod if_not_exists_index;
mod lock_timeout;
mod long_lock;
mod not_evaluated;
mod phase;
mod require_validation;
mod several_tables;
mod transaction_boundaries;
mod will_fail;
mod work_under_lock;

use super::Severity;
use super::review::{Draft, Step, Whole};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, for configuration, allowances and `backstop explain`.
    pub id: &'static str,
    /// What it demands, in one sentence.
    pub title: &'static str,
    /// What it weighs if nobody decided otherwise.
    pub severity: Severity,
    /// One of the five that are never silently off, and that no comment alone can allow.
    pub non_negotiable: bool,
    /// Its page.
    pub page: &'static str,
    /// How it looks.
    pub check: Check,
}

/// How a rule looks.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// At each statement, in its place.
    Statement(fn(&Step) -> Vec<Draft>),
    /// At the file as a whole.
    File(fn(&Whole) -> Vec<Draft>),
}

/// All of them, the five first.
pub static ALL: &[&Rule] = &[
    &long_lock::RULE,
    &drop_with_add::RULE,
    &forward_only::RULE,
    &transaction_boundaries::RULE,
    &data_change::RULE,
    &require_validation::RULE,
    &allowance::RULE,
    &broken_code::RULE,
    &cascade::RULE,
    &concurrently_under_lock::RULE,
    &data_loss::RULE,
    &down_migration::RULE,
    &hand_over::RULE,
    &if_not_exists_index::RULE,
    &lock_timeout::RULE,
    &not_evaluated::RULE,
    &phase::RULE,
    &several_tables::RULE,
    &will_fail::RULE,
    &work_under_lock::RULE,
];

/// A rule by its id.
#[must_use]
pub fn by_id(id: &str) -> Option<&'static Rule> {
    ALL.iter().copied().find(|rule| rule.id == id)
}

/// Every rule with its page, as Markdown: what `docs/rules.md` holds.
#[must_use]
pub fn reference() -> String {
    let mut text = String::from(
        "# The rules of the gate\n\nMade from the pages that `backstop explain` prints; a test runs \
         every example, and another compares.\n\n| rule | weighs | demands |\n| --- | --- | --- |\n",
    );
    for rule in ALL {
        let weight = rule.severity.word();
        let five = if rule.non_negotiable { ", never off" } else { "" };
        text.push_str(&format!(
            "| [`{}`](#{}) | {weight}{five} | {} |\n",
            rule.id, rule.id, rule.title
        ));
    }
    for rule in ALL {
        text.push('\n');
        for line in rule.page.lines() {
            // One level down, but for comments in examples.
            let heading = line.starts_with("# ") || line.starts_with("## ");
            let sql = line.starts_with("```sql ");
            match (heading, sql) {
                (true, _) => text.push_str(&format!("#{line}\n")),
                (_, true) => {
                    let bad = line.contains("bad");
                    text.push_str(if bad { "```sql\n-- bad\n" } else { "```sql\n-- safe\n" });
                }
                _ => text.push_str(&format!("{line}\n")),
            }
        }
    }
    text
}
