//! The lock that excludes other runners of a job: an advisory lock of the session.

use sha2::{Digest, Sha256};

use crate::target::{Bind, JobLock, LockAttempt, Result, Session, Statement};

/// Who holds the lock. What of it a role may not see of others' sessions is NULL.
const HOLDER: &str = "\
SELECT concat(
    'session ', l.pid,
    ' of ' || quote_ident(a.usename),
    ' from ' || coalesce(a.client_hostname, host(a.client_addr)),
    ' (`' || nullif(a.application_name, '') || '`)',
    ', connected since ' || to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')
        || ' UTC')
FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32) | l.objid::bigint = $1";

/// Takes the lock, without waiting.
///
/// # Errors
///
/// What the server says.
pub(super) async fn take(session: &mut dyn Session, job: &str) -> Result<LockAttempt> {
    let number = vec![Bind::Int(number(job))];
    let sql = "SELECT pg_try_advisory_lock($1)::text".to_owned();
    let taken = session.query(&Statement { sql, binds: number.clone() }).await?;
    if taken == [[Some("true".to_owned())]] {
        return Ok(LockAttempt::Held(JobLock::default()));
    }
    let holder = session.query(&Statement { sql: HOLDER.to_owned(), binds: number }).await?;
    let holder = holder.into_iter().flatten().flatten().next();
    Ok(LockAttempt::HeldBy(
        holder.unwrap_or_else(|| "a session that has ended just now; try again".to_owned()),
    ))
}

/// What names the session that holds the lock, if somebody holds it and we may see it.
///
/// # Errors
///
/// What the server says.
pub(super) async fn holder_identity(
    session: &mut dyn Session,
    job: &str,
) -> Result<Option<String>> {
    let sql = "\
SELECT l.pid || '.' || (extract(epoch FROM a.backend_start) * 1000000)::bigint
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (l.classid::bigint << 32) | l.objid::bigint = $1";
    let statement = Statement { sql: sql.to_owned(), binds: vec![Bind::Int(number(job))] };
    Ok(session.query(&statement).await?.into_iter().flatten().flatten().next())
}

/// The lock's number. Advisory locks have no names and are shared with the application: 64 bits of
/// a hash under a prefix of our own meet nobody.
fn number(job: &str) -> i64 {
    let hash = Sha256::digest(format!("backstop:{job}"));
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    i64::from_be_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_job_never_changes() {
        // Two releases that disagreed would run the same job at the same time.
        assert_eq!(number("orders-total-cents"), number("orders-total-cents"));
        assert_ne!(number("a"), number("b"));
    }
}
