//! No statement waits for a lock without an end.

use super::{Check, Rule};
use crate::gate::effects::Relation;
use crate::gate::review::{Draft, Whole};
use crate::gate::{Engine, Severity};

/// The rule.
pub static RULE: Rule = Rule {
    id: "lock-timeout",
    title: "whatever locks a table that others use waits for it only so long",
    severity: Severity::Warning,
    non_negotiable: false,
    page: include_str!("lock_timeout.md"),
    check: Check::File(check),
};

/// The first statement that waits too long; the ones behind it share the cure.
fn check(whole: &Whole) -> Vec<Draft> {
    let longest = whole.policy.longest_lock_wait;
    let waits = |wait: Option<std::time::Duration>| wait.is_none_or(|wait| longest < wait);
    // Who else waits for the runner's own books is another run of it.
    let first = whole.seen.iter().find(|seen| {
        seen.blocks_others && waits(seen.lock_wait) && !whole.keeps_books(seen.statement)
    });
    let Some(seen) = first else { return Vec::new() };
    let relation = seen
        .effects
        .locks
        .iter()
        .find(|lock| lock.blocks().writes && lock.of != Relation::Index)
        .or(seen.effects.locks.first());
    let Some(relation) = relation.map(|lock| lock.relation.clone()) else { return Vec::new() };
    let seconds = longest.as_secs_f64();
    let message = match seen.lock_wait {
        None => format!(
            "waits for `{relation}` without an end, and whoever comes after waits behind it"
        ),
        Some(wait) => format!(
            "waits for `{relation}` for up to {} s, and whoever comes after waits behind it; \
             {seconds} s is the most that is allowed here",
            wait.as_secs_f64()
        ),
    };
    let mut draft = Draft::at(seen.statement.span.clone(), message).why(
        "one long query on the table is enough: the statement queues behind it, and every query \
         that comes later queues behind the statement",
    );
    if whole.state.wait_was_set && seen.lock_wait.is_none() {
        draft = draft.why(
            "a time-out is set elsewhere in the file, but does not hold here: `SET LOCAL` holds \
             inside of one transaction only, and `0` means for ever",
        );
    }
    let statement = match whole.policy.server.engine {
        Engine::Postgres => format!("SET lock_timeout = '{seconds}s';"),
        Engine::MySql | Engine::MariaDb => {
            format!("SET SESSION lock_wait_timeout = {};", seconds.ceil())
        }
        Engine::Sqlite => format!("PRAGMA busy_timeout = {};", (seconds * 1000.0).ceil()),
    };
    draft = draft
        .instead(Some(format!("{statement}\n-- and run the migration again when the time is up")));
    vec![draft]
}
