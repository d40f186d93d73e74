//! How long a batch may wait here, so that the server never ends the application's transaction.
//!
//! **The argument.** A session that has waited for a lock for `deadlock_timeout` looks, once, for a
//! cycle of waits, and if it finds one it ends its own transaction
//! (<https://www.postgresql.org/docs/current/runtime-config-locks.html>). The application can begin
//! to wait for a batch no earlier than the batch's first row lock, so it looks no earlier than
//! `deadlock_timeout` after that. A batch all of whose waits have ended by then is in no cycle: the
//! application is not the victim, and goes on as soon as the batch has committed or rolled back.
//!
//! The first row lock of a batch is taken by its write, and `statement_timeout` bounds the age at
//! which any wait of the write ends; nine tenths leave the rest for the time-out itself to be
//! delivered. The fence, which follows, waits for runners only. At COMMIT a deferred constraint may
//! wait for the application: there `lock_timeout` is added to the age of the batch, which for a
//! batch of its intended duration (at most a half) makes nine tenths again.
//!
//! A batch that is meant to last longer locks its rows first, without waiting, and then waits for
//! nothing that holds a row: foreign keys, unique keys and triggers are all that is left to wait
//! for. 10 ms for those, and not the 1 ms that is the least, because the growth of the table's file
//! is waited for in the same way, and it takes milliseconds on a busy disk.

use std::time::Duration;

use crate::target::{Patience, Result, Session, Statement};

/// The longest wait for a lock, whatever the server's `deadlock_timeout`: the rows that a batch has
/// already locked are kept from the application meanwhile.
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// The longest wait for a lock of a batch whose rows are locked first.
const WAIT_WITH_ROWS: Duration = Duration::from_millis(10);

/// The shortest `deadlock_timeout` in milliseconds that any session may have. A role may have one of
/// its own; a value without a unit is in milliseconds.
const DEADLOCK_TIMEOUT: &str = "\
SELECT floor(least(
    (SELECT setting::numeric FROM pg_settings WHERE name = 'deadlock_timeout'),
    (SELECT min(CASE WHEN value ~ '^[0-9.]+$' THEN value::numeric
                     ELSE extract(epoch FROM value::interval)::numeric * 1000 END)
     FROM (SELECT substr(entry, strpos(entry, '=') + 1) AS value
           FROM pg_db_role_setting CROSS JOIN unnest(setconfig) AS entry
           WHERE entry ILIKE 'deadlock\\_timeout=%') AS own
     WHERE value ~ '^[0-9.]+ *(us|ms|s|min|h|d)?$')))::bigint";

/// Asks the server how soon it looks for deadlocks, and decides.
///
/// # Errors
///
/// What the server says.
pub(super) async fn find(session: &mut dyn Session, target_time: Duration) -> Result<Patience> {
    let rows = session.query(&Statement::plain(DEADLOCK_TIMEOUT)).await?;
    let found = rows.into_iter().flatten().next().flatten();
    // The least that the server accepts: what cannot be read counts as bad.
    let milliseconds = found.and_then(|text| text.parse().ok()).unwrap_or(1);
    Ok(patience(Duration::from_millis(milliseconds), target_time))
}

fn patience(deadlock_timeout: Duration, target_time: Duration) -> Patience {
    if target_time * 2 <= deadlock_timeout {
        Patience {
            lock_first: false,
            lock_wait: Some((deadlock_timeout * 4 / 10).min(LONGEST_WAIT)),
            statement: Some(deadlock_timeout * 9 / 10),
        }
    } else {
        Patience { lock_first: true, lock_wait: Some(WAIT_WITH_ROWS), statement: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn every_wait_of_a_write_ends_before_the_application_looks_for_a_deadlock() {
        for deadlock_timeout in [1, 20, 100, 500, 1_000, 5_000, 60_000].map(ms) {
            for target_time in [1, 50, 250, 500, 501, 60_000].map(ms) {
                let patience = patience(deadlock_timeout, target_time);
                let lock_wait = patience.lock_wait.unwrap();
                match patience.statement {
                    Some(statement) => {
                        assert!(statement < deadlock_timeout && target_time < statement);
                        assert!(target_time + lock_wait < deadlock_timeout);
                        assert!(!patience.lock_first);
                    }
                    None => assert!(patience.lock_first && lock_wait <= WAIT_WITH_ROWS),
                }
            }
        }
    }

    #[test]
    fn by_default_a_batch_waits_for_its_rows_as_it_comes_to_them() {
        let expected =
            Patience { lock_first: false, lock_wait: Some(ms(400)), statement: Some(ms(900)) };
        assert_eq!(patience(ms(1_000), ms(250)), expected);
    }
}
