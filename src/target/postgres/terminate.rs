//! Ending a session of ours from outside.

use std::time::{Duration, Instant};

use crate::target::{Bind, Result, Session, Statement};

/// Process numbers are used again, so the time at which the process began counts as well. A role
/// sees that time of its own role's sessions only; another's are left alone.
const TERMINATE: &str = "\
SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity
WHERE pid || '.' || (extract(epoch FROM backend_start) * 1000000)::bigint = $1";

const LIVES: &str = "\
SELECT pid::text FROM pg_stat_activity
WHERE pid || '.' || (extract(epoch FROM backend_start) * 1000000)::bigint = $1";

/// How often it is looked whether the session is gone.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// See [`crate::target::Target::terminate`].
pub(super) async fn terminate(
    session: &mut dyn Session,
    identity: &str,
    patience: Duration,
) -> Result<bool> {
    let with = |sql: &str| Statement {
        sql: sql.to_owned(),
        binds: vec![Bind::Text(Some(identity.to_owned()))],
    };
    session.query(&with(TERMINATE)).await?;
    let begun = Instant::now();
    loop {
        if session.query(&with(LIVES)).await?.is_empty() {
            return Ok(true);
        }
        if patience <= begun.elapsed() {
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
